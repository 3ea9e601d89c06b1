"""Opening a film: the one place that meets a container's header, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from pose_shared.errors import MediaError

from pose_server.video.upright import MAX_PIXELS, check_size

__all__ = ["open_film"]

#: Formats that hold their own pictures or sound.  All others are refused, above all those that make
#: FFmpeg open further files or addresses that the film names (concat, hls, dash, sdp, imf).
_FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,gxf,nut,ivf,dv,h264,hevc,obu,m4v,mpegvideo,yuv4mpegpipe,"
    "gif,rm,wtv,mp3,wav,flac,aac,aiff,ac3,eac3,amr,caf,w64,au,ape,wv,tta"
)
#: How films begin that a player would know, to tell a damaged film from something else.
_FILM_HEADS = (b"\x1aE\xdf\xa3", b"RIFF", b"FLV", b"\x00\x00\x01\xba", b"0&\xb2u", b"OggS")
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


@contextmanager
def open_film(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a film and choose its picture stream.

    Yields
    ------
    tuple
        The container at its beginning, and its first stream of moving pictures, ready to decode
        with several threads.

    Raises
    ------
    MediaError
        ``MEDIA_NOT_A_FILM``, ``MEDIA_UNREADABLE``, ``MEDIA_NO_VIDEO``, ``MEDIA_NO_DECODER`` or
        ``MEDIA_TOO_LARGE``.
    """
    try:
        container = av.open(
            # Absolute, because FFmpeg takes "shot:1.mp4" for an address.
            str(path.absolute()),
            options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except (av.FFmpegError, OSError) as error:
        raise _unopened(path, error) from None
    with container:
        stream = _picture_stream(container, path)
        stream.codec_context.options = {"max_pixels": str(2 * MAX_PIXELS)}
        stream.thread_type = "AUTO"
        yield container, stream


def _picture_stream(container: InputContainer, path: Path) -> VideoStream:
    # A cover picture is a video stream of one frame, beside an audio track.
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError(
            f"'{path.name}' holds no moving pictures; give a film.", reason="MEDIA_NO_VIDEO", path=path
        )
    stream = streams[0]
    if stream.codec_context is None:
        raise MediaError(
            f"There is no decoder for the pictures of '{path.name}'; convert the film to H.264.",
            reason="MEDIA_NO_DECODER",
            path=path,
        )
    check_size(stream.codec_context.width, stream.codec_context.height, path.name)
    return stream


def _unopened(path: Path, error: Exception) -> MediaError:
    if isinstance(error, PermissionError):
        return MediaError(
            f"'{path.name}' may not be read by this user; change its permissions.",
            reason="MEDIA_UNREADABLE",
            path=path,
        )
    with path.open("rb") as file:
        head = file.read(12)
    if head.startswith(_FILM_HEADS) or head[4:8] in _MOV_BOXES:
        return MediaError(
            f"'{path.name}' begins like a film but cannot be opened: it was cut or damaged before its index "
            "was written; copy or export it again.",
            reason="MEDIA_UNREADABLE",
            path=path,
        )
    return MediaError(
        f"'{path.name}' is no film; give a film such as MP4, MOV, MKV, WebM or AVI, "
        "or the pattern of an image sequence.",
        reason="MEDIA_NOT_A_FILM",
        path=path,
    )
