"""One large file over HTTP, which goes on where it was cut.

What has arrived stays in ``NAME.part``, and beside it in ``NAME.part.tag`` what the server calls this version
of the file (its strong ETag, or its date).  The next attempt asks for the rest of that very version
(``Range`` with ``If-Range``, RFC 9110 section 13.1.5); a server that has another one by now sends the whole
of it, and the file begins anew.  Proxies and certificates are those of `requests`: ``HTTPS_PROXY``,
``NO_PROXY``, ``REQUESTS_CA_BUNDLE``.
"""

from __future__ import annotations

import errno
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pose_shared.errors import DataLossError, LimitError, NotFoundError, PoseError, UnavailableError

__all__ = ["OnBytes", "download"]

#: Hears how many bytes are here, and how many there will be (0: the server does not say); may raise to stop.
OnBytes = Callable[[int, int], None]

_PIECE_BYTES = 256 * 1024
_CONNECT_S, _SILENCE_S = 10.0, 30.0
#: Attempts in a row that brought nothing, and the pause before the next one.
_ATTEMPTS, _PAUSE_S = 3, 1.0
#: No weights are larger; a server that sends on and on is not believed.
_MOST_BYTES = 8 << 30
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


class _CutError(Exception):
    """The line or the server failed in a way that the next attempt may not."""


class _BeginAnewError(_CutError):
    """What is here cannot be gone on with."""


def download(address: str, place: Path, *, on_bytes: OnBytes, silence_s: float = _SILENCE_S) -> None:
    """Fetch a file; it appears at `place` when it is whole.

    Parameters
    ----------
    address
        ``http`` or ``https``; from the latter no redirection leads to the former.
    place
        Where to put it; ``.part`` and ``.part.tag`` stand beside it until then, and after an error.
    on_bytes
        Is told of progress.
    silence_s
        For how long a server may send nothing.

    Raises
    ------
    NotFoundError
        The server has no such file (``ADDRESS_GONE``).
    UnavailableError
        There is no way to the server, or it was cut and cut again (``ADDRESS_UNREACHABLE``).
    LimitError
        The disk is full (``DISK_FULL``); what is here stays.
    DataLossError
        The server sends what cannot be such a file (``ADDRESS_WRONG``).
    """
    part = place.with_name(f"{place.name}.part")
    failures = 0
    while True:
        before = _size(part)
        try:
            _attempt(address, part, on_bytes, silence_s)
            break
        except _CutError as error:
            if isinstance(error, _BeginAnewError):
                part.unlink(missing_ok=True)
            failures = failures + 1 if _size(part) <= before else 0
            if failures >= _ATTEMPTS:
                raise UnavailableError(
                    f"{address} cannot be fetched: {error}; run it again, it goes on where it stopped.",
                    reason="ADDRESS_UNREACHABLE",
                    address=address,
                    detail=error,
                ) from None
            time.sleep(_PAUSE_S * failures)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise _disk_full(part, 0) from None
    part.replace(place)
    _tag_file(part).unlink(missing_ok=True)


def _attempt(address: str, part: Path, on_bytes: OnBytes, silence_s: float) -> None:
    import requests

    headers = {"Accept-Encoding": "identity", "User-Agent": "pose-server"}
    here, tag = _size(part), _read(_tag_file(part))
    if here and tag:
        headers |= {"Range": f"bytes={here}-", "If-Range": tag}
    try:
        with requests.get(address, headers=headers, stream=True, timeout=(_CONNECT_S, silence_s)) as response:
            if address.startswith("https:") and not response.url.startswith("https:"):
                raise _wrong(address, f"it leads to {response.url}, which anybody on the way can change")
            start, total = _extent(response, address, here)
            if start < here:  # another version by now, or a server that knows no ranges
                part.unlink()
            _tag_file(part).write_text(_tag_of(response), encoding="utf-8")
            _room(part, total - start)
            arrived = start
            with part.open("ab") as file:
                for piece in response.iter_content(_PIECE_BYTES):
                    file.write(piece)
                    arrived += len(piece)
                    if arrived > (total or _MOST_BYTES):
                        raise _wrong(address, "it sends more than there is")
                    on_bytes(arrived, total)
    except requests.exceptions.RequestException as error:
        raise _CutError(_plain(error)) from None
    if arrived < total:
        raise _CutError("the line was cut")


def _extent(response: Any, address: str, here: int) -> tuple[int, int]:
    """Return from which byte on the answer is, and how many there are in all; 0 if it does not say."""
    status = response.status_code
    if status == 206:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != here:
            raise _wrong(address, "it sends another piece than it was asked for")
        return here, int(match[2])
    if status == 200:
        return 0, int(response.headers.get("Content-Length") or 0)
    if status == 416:
        raise _BeginAnewError("what has arrived is longer than the file")
    if status in (404, 410):
        raise NotFoundError(
            f"{address} is not there any more (status {status}).", reason="ADDRESS_GONE", address=address
        )
    if status in (408, 429) or status >= 500:
        raise _CutError(f"the server answers with status {status}")
    raise _wrong(address, f"it answers with status {status}")


def _tag_of(response: Any) -> str:
    """Return what names this version of the file well enough to go on with it later."""
    tag: str = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _tag_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _room(part: Path, needed: int) -> None:
    if shutil.disk_usage(part.parent).free < needed:
        raise _disk_full(part, needed)


def _disk_full(part: Path, needed: int) -> PoseError:
    how_much = f"{needed / 1e6:.0f} MB are needed, and " if needed else ""
    return LimitError(
        f"The disk is full: {how_much}{shutil.disk_usage(part.parent).free / 1e6:.0f} MB are free in "
        f"{part.parent}; make room and run it again, it goes on where it stopped.",
        reason="DISK_FULL",
        path=part.parent,
        needed=needed,
    )


def _wrong(address: str, why: str) -> PoseError:
    return DataLossError(
        f"{address} cannot be trusted: {why}.", reason="ADDRESS_WRONG", address=address, detail=why
    )


def _plain(error: Exception) -> str:
    """Say in a few words what `requests` says in many."""
    import requests

    for kind, words in (
        (requests.exceptions.ProxyError, "the proxy does not let it through"),
        (requests.exceptions.SSLError, "the server's certificate cannot be trusted"),
        (requests.exceptions.ConnectionError, "there is no connection to the server"),
        (requests.exceptions.Timeout, "the server fell silent"),
        (requests.exceptions.ChunkedEncodingError, "the line was cut"),
        (requests.exceptions.TooManyRedirects, "it is redirected round and round"),
    ):
        if isinstance(error, kind):
            return words
    return type(error).__name__
