"""Brings weights here: download, unpack, check, and only then into their place."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from pose_shared.errors import ConflictError, DataLossError, NotFoundError, UnavailableError

from pose_server.weights.archive import extract_member
from pose_server.weights.download import OnBytes, download
from pose_server.weights.registry import Weights
from pose_server.weights.store import CheckedWeights, WeightsStore
from pose_server.weights.sums import add_sum

__all__ = ["fetch_weights"]


def fetch_weights(store: WeightsStore, weights: Weights, *, on_bytes: OnBytes) -> CheckedWeights:
    """Fetch a file into the user's own folder, or find that it is here and whole already.

    Whoever calls has shown the licence.  A file that fails its check is removed and never used.

    Parameters
    ----------
    store
        Where to look, and to put it.
    weights
        What to fetch.
    on_bytes
        Is told of progress.

    Raises
    ------
    PoseError
        As `download` and `extract_member` raise them; ``WEIGHTS_CHANGED`` if it is another file than it
        should be; ``WEIGHTS_BUSY`` while another process fetches; ``WEIGHTS_DIR_NOT_WRITABLE``.
    """
    target = store.folder / weights.file
    here = store.find(weights)
    if here is not None:
        try:
            return store.check(weights)
        except DataLossError:
            if here != target:
                raise  # a mirror is not ours to repair
    with store.writing():
        try:
            with FileLock(store.folder / ".lock", timeout=0):
                return _fetch(store, weights, target, on_bytes)
        except Timeout:
            raise ConflictError(
                f"Another process is fetching weights into {store.folder}; wait until it is done.",
                reason="WEIGHTS_BUSY",
                path=store.folder,
            ) from None


def _fetch(store: WeightsStore, weights: Weights, target: Path, on_bytes: OnBytes) -> CheckedWeights:
    arrived = store.folder / f"{weights.name}.{PurePosixPath(urlsplit(weights.address).path).name}"
    fresh = arrived if weights.member is None else store.folder / f"{weights.file}.fresh"
    try:
        download(weights.address, arrived, on_bytes=on_bytes)
        if weights.member is not None:
            extract_member(arrived, weights.member, fresh)
        checked = store.check_file(weights, fresh, advice="it was removed")
        fresh.replace(target)
    except (NotFoundError, UnavailableError) as error:
        what = weights.address if weights.member is None else f"{weights.member} of {weights.address}"
        raise type(error)(
            f"{error.message} By hand: save {what} as {target}.", reason=error.reason, **error.metadata
        ) from None
    finally:
        for path in {arrived, fresh}:
            path.unlink(missing_ok=True)
    add_sum(store.folder, weights.file, checked.sha256)
    return CheckedWeights(target, checked.sha256, checked.known_from)
