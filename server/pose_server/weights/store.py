"""Where fetched weights lie, and whether they are what they were.

A file is looked for in the studio's mirror first (``POSE_WEIGHTS_DIR``, never written), then in the user's
own folder.  It is held against every digest that is known of it: the published one, the one that
``SHA256SUMS`` beside it tells, and the first digits of its MD5.  Where none is known it is trusted on first
use: its digest is noted in the ``SHA256SUMS`` of the own folder, and from then on the file must keep it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pose_shared.errors import DataLossError, InputError, NotFoundError
from pose_shared.transfer import file_sha256

from pose_server.settings import load_settings
from pose_server.weights.registry import Weights, weights_named
from pose_server.weights.sums import SUMS_FILE, add_sum, read_sums

__all__ = ["CheckedWeights", "WeightsStore", "checked_weights", "weights_path", "weights_store"]


@dataclass(frozen=True)
class CheckedWeights:
    """A file that is what its name says, as far as anybody can know."""

    path: Path
    sha256: str
    known_from: str
    """``published``, ``mirror``, ``first use`` or, seen for the first time now, ``now``."""


@dataclass(frozen=True)
class WeightsStore:
    """The folders in which weights lie."""

    folder: Path
    """The user's own; made when something is put into it."""
    mirror: Path | None = None
    """Looked in first, never written."""

    def find(self, weights: Weights) -> Path | None:
        """Return where a file lies, if it is here; reads nothing of it."""
        for folder in (self.mirror, self.folder):
            if folder is not None and (folder / weights.file).is_file():
                return folder / weights.file
        return None

    def require(self, *wanted: Weights) -> tuple[Path, ...]:
        """Return where the files lie; reads nothing of them.

        Raises
        ------
        NotFoundError
            Some are not here (``WEIGHTS_MISSING``); says how to fetch them.
        """
        found = {weights.name: self.find(weights) for weights in wanted}
        missing = " ".join(name for name, path in found.items() if path is None)
        if missing:
            raise NotFoundError(
                f"The weights of {missing.replace(' ', ' and ')} are not here; "
                f"run 'pose-server models fetch {missing}' first.",
                reason="WEIGHTS_MISSING",
                names=missing,
            )
        return tuple(path for path in found.values() if path is not None)

    def check(self, weights: Weights) -> CheckedWeights:
        """Read a file and hold it against all that is known of it.

        Raises
        ------
        NotFoundError
            It is not here (``WEIGHTS_MISSING``).
        DataLossError
            It is another file (``WEIGHTS_CHANGED``).
        InputError
            It cannot be read (``WEIGHTS_UNREADABLE``), or what was seen of it on first use cannot be noted
            (``WEIGHTS_DIR_NOT_WRITABLE``).
        """
        (path,) = self.require(weights)
        again = f"delete it and run 'pose-server models fetch {weights.name}'"
        checked = self.check_file(weights, path, advice=again)
        if checked.known_from == "now":
            with self.writing():
                add_sum(self.folder, weights.file, checked.sha256)
        return checked

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make the own folder, and say in one sentence if nothing can be written there."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield
        except (PermissionError, FileExistsError, NotADirectoryError):
            raise InputError(
                f"{self.folder} cannot be written; set POSE_DATA_DIR to a folder that you may write.",
                reason="WEIGHTS_DIR_NOT_WRITABLE",
                path=self.folder,
            ) from None

    def check_file(self, weights: Weights, path: Path, *, advice: str) -> CheckedWeights:
        """Hold a file, wherever it lies, against all that is known of it; `advice` ends the error."""
        try:
            sha256 = file_sha256(path)
        except OSError as error:
            raise InputError(
                f"{path} cannot be read ({error.strerror}); check who may.",
                reason="WEIGHTS_UNREADABLE",
                path=path,
            ) from None
        expected = self.known_digests(weights, mirrored=path.parent == self.mirror)
        found = [(source, sha256, digest) for source, digest in expected.items() if sha256 != digest]
        if weights.md5_prefix is not None:
            with path.open("rb") as file:
                md5 = hashlib.file_digest(file, "md5").hexdigest()
            if not md5.startswith(weights.md5_prefix):
                found.append(("published", md5, weights.md5_prefix))
        for source, digest, wanted in found:
            raise DataLossError(
                f"{path} is not {_WHAT[source]}: its digest is {digest[:12]}..., not {wanted[:12]}...; "
                f"{advice}.",
                reason="WEIGHTS_CHANGED",
                path=path,
                found=digest,
                wanted=wanted,
                source=source,
            )
        return CheckedWeights(path, sha256, next(iter(expected), "now"))

    def known_digests(self, weights: Weights, *, mirrored: bool) -> dict[str, str]:
        """Return the SHA-256 that a file must have, by where it is known from, the surest source first.

        `mirrored` says that the file lies in the mirror; what the mirror's own ``SHA256SUMS`` tells
        outweighs what was here on first use, since a studio may change its files.
        """
        told = read_sums(self.mirror).get(weights.file) if mirrored and self.mirror is not None else None
        first = read_sums(self.folder).get(weights.file)
        known = {"published": weights.sha256, "mirror": told, "first use": None if told else first}
        return {source: digest for source, digest in known.items() if digest}


_WHAT = {
    "published": "the file that its authors published",
    "mirror": f"what {SUMS_FILE} beside it tells",
    "first use": f"the file that was here first (if another is meant, take its line out of {SUMS_FILE})",
}


def weights_store() -> WeightsStore:
    """Return the store that the settings of this process name."""
    settings = load_settings()
    return WeightsStore(settings.data_dir / "weights", settings.weights_dir)


def weights_path(name: str) -> Path:
    """Return where the weights of a name lie; quick, for whoever wants to know whether something could run.

    Raises
    ------
    InputError
        There are none of that name (``WEIGHTS_UNKNOWN``).
    NotFoundError
        They are not here (``WEIGHTS_MISSING``).
    """
    return weights_store().require(weights_named(name))[0]


def checked_weights(name: str) -> CheckedWeights:
    """Return the weights of a name and their digest, checked just now; for whoever is about to load them.

    Raises
    ------
    InputError
        There are none of that name (``WEIGHTS_UNKNOWN``).
    NotFoundError
        They are not here (``WEIGHTS_MISSING``).
    DataLossError
        The file is not what it was or should be (``WEIGHTS_CHANGED``).
    """
    return weights_store().check(weights_named(name))
