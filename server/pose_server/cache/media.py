"""Films that clients sent, each file under the SHA-256 of its content, and films they name by path."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pose_shared.errors import ConflictError, DataLossError, InputError, LimitError, MediaError, NotFoundError
from pose_shared.transfer import is_sequence, sequence_files

__all__ = ["Media", "MediaFile", "MediaStore", "Upload"]

#: Partial uploads that nobody continued for so long are collected at the next start.
ABANDONED_S = 24 * 3600.0
_NAME_LIMIT = 200


@dataclass(frozen=True)
class MediaFile:
    """An uploaded file and the name that the user knows it by."""

    sha256: str
    file_name: str

    def __post_init__(self) -> None:
        _check_digest(self.sha256)
        _check_name(self.file_name)


@dataclass(frozen=True)
class Media:
    """A clip: uploaded files, or a path on the server's disks.

    Raises
    ------
    InputError
        It names neither or both, or a name is no bare file name (``FILE_NAME_INVALID``).
    """

    display_name: str
    files: tuple[MediaFile, ...] = ()
    path: str | None = None

    def __post_init__(self) -> None:
        if bool(self.files) == bool(self.path):
            raise InputError(
                "No clip was given; upload its files, or name a path below one of the server's media roots.",
                reason="MEDIA_MISSING",
            )
        if self.files or self.display_name:
            _check_name(self.display_name)
        names = [file.file_name for file in self.files]
        if len(set(names)) != len(names):
            raise InputError(
                "Two uploaded files of one clip have the same name; send each file once.",
                reason="FILE_NAME_INVALID",
            )

    @property
    def clip_name(self) -> str:
        """Bare name of the film, or the pattern of the sequence."""
        if self.path:
            return self.display_name or Path(self.path).name
        first = self.files[0].file_name
        if len(self.files) == 1 and (first == self.display_name or not is_sequence(self.display_name)):
            return first
        return self.display_name


@dataclass(frozen=True)
class Upload:
    """How much of a file has arrived."""

    sha256: str
    size_bytes: int
    received_bytes: int
    complete: bool


class MediaStore:
    """Uploads in one folder, and the rules for paths outside it.

    A file that is still coming is ``partial/<sha256>.<size>``; when its last byte has arrived and the
    checksum holds, it is moved to ``<sha256>``. Not safe for two writers of one upload at a time.

    Parameters
    ----------
    folder
        Made when it does not exist.
    media_roots
        Folders below which clients may name films by path.
    disk_reserve_bytes
        What must stay free on the disk.
    """

    def __init__(
        self,
        folder: Path,
        *,
        media_roots: Sequence[Path] = (),
        disk_reserve_bytes: int = 0,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder = folder
        self._partial = folder / "partial"
        self._roots = tuple(root.expanduser().resolve() for root in media_roots)
        self._reserve = disk_reserve_bytes
        self._free_bytes = free_bytes
        self._partial.mkdir(parents=True, exist_ok=True)

    def create(self, sha256: str, size_bytes: int) -> Upload:
        """Announce a file, or find out how much of it is there.

        Raises
        ------
        InputError
            The checksum or the size cannot be.
        ConflictError
            The same checksum was announced with another size (``UPLOAD_SIZE_DIFFERS``).
        LimitError
            The disk is too full for it (``DISK_FULL``).
        """
        _check_digest(sha256)
        if size_bytes <= 0:
            raise InputError(
                "The file is empty; choose a film that holds something.",
                reason="MEDIA_EMPTY",
                size=size_bytes,
            )
        try:
            upload = self.get(sha256)
        except NotFoundError:
            self._check_space(size_bytes)
            self._part(sha256, size_bytes).touch()
            return Upload(sha256, size_bytes, 0, complete=False)
        if upload.size_bytes != size_bytes:
            raise ConflictError(
                f"This file was announced with {upload.size_bytes} bytes before and now with {size_bytes}; "
                "read it again and send it once more.",
                reason="UPLOAD_SIZE_DIFFERS",
                sha256=sha256,
                size=size_bytes,
            )
        if not upload.complete:
            self._check_space(size_bytes - upload.received_bytes)
        return upload

    def get(self, sha256: str) -> Upload:
        """Return the state of an upload.

        Raises
        ------
        NotFoundError
            Nobody announced it.
        """
        _check_digest(sha256)
        whole = self._folder / sha256
        with suppress(FileNotFoundError):
            size = whole.stat().st_size
            return Upload(sha256, size, size, complete=True)
        for part in self._partial.glob(f"{sha256}.*"):
            return Upload(sha256, int(part.suffix[1:]), part.stat().st_size, complete=False)
        raise NotFoundError(
            f"There is no upload {sha256}; announce the file first.", reason="UPLOAD_UNKNOWN", sha256=sha256
        )

    def append(self, sha256: str, offset: int, data: bytes) -> Upload:
        """Add bytes to an upload; with the last one, the checksum is verified.

        Raises
        ------
        ConflictError
            `offset` is not where the file ends so far (``UPLOAD_OFFSET``, with ``received``).
        InputError
            There are more bytes than were announced.
        LimitError
            The disk is too full (``DISK_FULL``); what has arrived stays.
        DataLossError
            The checksum does not hold; the upload is removed and must start again.
        """
        upload = self.get(sha256)
        if upload.complete:
            return upload
        if offset != upload.received_bytes:
            raise ConflictError(
                f"The upload goes on at byte {upload.received_bytes}, not {offset}; ask for its state first.",
                reason="UPLOAD_OFFSET",
                received=upload.received_bytes,
                offset=offset,
            )
        received = offset + len(data)
        if received > upload.size_bytes:
            raise InputError(
                f"More than the announced {upload.size_bytes} bytes came; read the file again.",
                reason="UPLOAD_TOO_LONG",
                size=upload.size_bytes,
            )
        self._check_space(len(data))
        part = self._part(sha256, upload.size_bytes)
        with part.open("ab") as file:
            file.write(data)
            if received == upload.size_bytes:
                file.flush()
                os.fsync(file.fileno())
        if received < upload.size_bytes:
            return Upload(sha256, upload.size_bytes, received, complete=False)
        self._publish(part, sha256)
        return Upload(sha256, received, received, complete=True)

    def collect_abandoned(self) -> int:
        """Remove partial uploads that nobody has continued for a day; return how many."""
        too_old = time.time() - ABANDONED_S
        found = [part for part in self._partial.iterdir() if part.stat().st_mtime < too_old]
        for part in found:
            part.unlink(missing_ok=True)
        return len(found)

    def check(self, media: Media) -> None:
        """Raise the error that `place` would raise for a clip."""
        if media.path:
            self._allowed(media.path)
            return
        for file in media.files:
            if not self.get(file.sha256).complete:
                raise ConflictError(
                    f"'{file.file_name}' has not arrived completely; finish its upload first.",
                    reason="UPLOAD_INCOMPLETE",
                    sha256=file.sha256,
                )

    def place(self, media: Media, folder: Path) -> Path:
        """Make a clip readable under its own name; return its path, or the pattern of a sequence.

        Uploads are linked into `folder`, which is made; a clip given by path stays where it is.

        Raises
        ------
        InputError
            The path lies outside every media root (``MEDIA_ROOT_REFUSED``).
        MediaError
            There is no such film (``MEDIA_NOT_FOUND``).
        NotFoundError, ConflictError
            An upload is unknown or incomplete.
        """
        self.check(media)
        if media.path:
            return self._allowed(media.path)
        folder.mkdir(parents=True, exist_ok=True)
        for file in media.files:
            target = folder / file.file_name
            target.unlink(missing_ok=True)
            try:
                target.hardlink_to(self._folder / file.sha256)
            except OSError:  # a disk without hard links
                shutil.copyfile(self._folder / file.sha256, target)
        return folder / media.clip_name

    def _allowed(self, text: str) -> Path:
        clip = Path(text)
        if not clip.is_absolute():
            raise InputError(
                f"'{text}' is no absolute path; give the path as the server sees it.",
                reason="MEDIA_ROOT_REFUSED",
                path=text,
            )
        if not self._contains(clip.resolve()):
            raise InputError(
                f"'{text}' lies outside the folders that this server may read; "
                "start it with --media-root FOLDER, or let the client upload the clip.",
                reason="MEDIA_ROOT_REFUSED",
                path=text,
            )
        sequence = is_sequence(clip.name) and not clip.is_file()
        files = sequence_files(clip) if sequence else [clip]
        if not files or not files[0].is_file():
            raise MediaError(
                f"There is no film '{text}' on the server; check the path.",
                reason="MEDIA_NOT_FOUND",
                path=text,
            )
        if sequence and not all(self._contains(file.resolve()) for file in files):
            raise InputError(
                f"Some pictures of '{text}' are links to places that this server may not read.",
                reason="MEDIA_ROOT_REFUSED",
                path=text,
            )
        return clip.parent.resolve() / clip.name if sequence else clip.resolve()

    def _contains(self, resolved: Path) -> bool:
        return any(resolved.is_relative_to(root) for root in self._roots)

    def _part(self, sha256: str, size_bytes: int) -> Path:
        return self._partial / f"{sha256}.{size_bytes}"

    def _publish(self, part: Path, sha256: str) -> None:
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != sha256:
            part.unlink(missing_ok=True)
            raise DataLossError(
                "The file arrived damaged, or changed while it was sent; send it again.",
                reason="UPLOAD_DAMAGED",
                expected=sha256,
                received=digest,
            )
        os.replace(part, self._folder / sha256)
        if hasattr(os, "O_DIRECTORY"):
            handle = os.open(self._folder, os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def _check_space(self, wanted_bytes: int) -> None:
        free = self._free_bytes(self._folder)
        if free - wanted_bytes < self._reserve:
            raise LimitError(
                f"The server's disk is too full: {free // 2**20} MiB are free, {wanted_bytes // 2**20} MiB "
                f"would come, {self._reserve // 2**20} MiB must stay; delete old jobs or free space.",
                reason="DISK_FULL",
                free=free,
                wanted=wanted_bytes,
                reserve=self._reserve,
            )


def _check_digest(text: str) -> None:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InputError(
            f"'{text[:80]}' is no SHA-256; give 64 lower-case hexadecimal digits.", reason="CHECKSUM_INVALID"
        )


def _check_name(name: str) -> None:
    forbidden = r"[/\\\x00-\x1f:]" if os.name == "nt" else r"[/\\\x00-\x1f]"
    if name in ("", ".", "..") or len(name.encode()) > _NAME_LIMIT or re.search(forbidden, name):
        raise InputError(
            f"'{name[:80]}' is no bare file name; give the name without folders.",
            reason="FILE_NAME_INVALID",
            name=name[:80],
        )
