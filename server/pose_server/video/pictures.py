"""Reading one picture of a sequence.

FFmpeg decodes what is made for display; OpenImageIO, an optional package, reads what is made for
compositing.  Of the latter, floating point is linear light and gets the sRGB curve, integers are
taken as they are: log-encoded DPX stays flat.  What is darker than black or brighter than white is
cut off, and transparency is ignored.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from pose_shared.errors import MediaError, MissingExtraError

from pose_server.video.files import PICTURE_CODECS
from pose_server.video.upright import MAX_PIXELS, check_size

__all__ = ["read_picture", "srgb_of_linear"]


def read_picture(file: Path) -> tuple[VideoFrame, Fraction | None]:
    """Return a picture and the aspect of its pixels, if it says one.

    Raises
    ------
    MediaError
        It is damaged or no picture of its kind (``PICTURE_DAMAGED``), or absurdly large.
    MissingExtraError
        OpenImageIO is needed and not installed.
    """
    codec = PICTURE_CODECS.get(file.suffix.lower())
    if codec is None:
        return _read_scene_picture(file)
    context = cast(VideoCodecContext, CodecContext.create(codec, "r"))
    # Without "explode", a cut JPEG would pass as one that is grey below.
    context.options = {"err_detect": "explode", "max_pixels": str(2 * MAX_PIXELS)}
    try:
        frames = [*context.decode(Packet(file.read_bytes())), *context.decode(None)]
    except (av.FFmpegError, OSError):
        frames = []
    if not frames:
        raise _damaged(file)
    return frames[0], context.sample_aspect_ratio


def srgb_of_linear(linear: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return linear light, 1 is white, as 8-bit sRGB (IEC 61966-2-1); beyond 0..1 is cut, NaN black."""
    light = np.clip(np.nan_to_num(linear, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    return np.asarray(np.rint(255.0 * curved), dtype=np.uint8)


def _read_scene_picture(file: Path) -> tuple[VideoFrame, Fraction | None]:
    oiio = _open_image_io(file)
    reader = oiio.ImageInput.open(str(file))
    if reader is None:
        oiio.geterror()  # clears it, so that it is not printed when the process ends
        raise _damaged(file)
    try:
        spec = reader.spec()
        check_size(max(spec.full_width, spec.width), max(spec.full_height, spec.height), file.name)
        is_linear = spec.format.basetype in (oiio.HALF, oiio.FLOAT, oiio.DOUBLE)
        pixels = reader.read_image(0, 0, 0, spec.nchannels, "float" if is_linear else "uint8")
        if pixels is None:
            reader.geterror()
            raise _damaged(file)
    finally:
        reader.close()
    names = list(spec.channelnames)
    channels = [names.index(c) for c in "RGB"] if {"R", "G", "B"} <= set(names) else [0, 1, 2]
    if spec.nchannels < 3:
        channels = [0, 0, 0]
    colours = pixels[..., channels]
    shown = _in_display_window(srgb_of_linear(colours) if is_linear else colours, spec)
    aspect = spec.getattribute("PixelAspectRatio")
    return (
        VideoFrame.from_ndarray(np.ascontiguousarray(shown), format="rgb24"),
        Fraction(aspect).limit_denominator(1000) if aspect else None,
    )


def _in_display_window(data: NDArray[np.uint8], spec: Any) -> NDArray[np.uint8]:
    """Put what a renderer stored, often only the part that is not empty, to its place in the picture."""
    top, left = spec.y - spec.full_y, spec.x - spec.full_x
    if (top, left, spec.width, spec.height) == (0, 0, spec.full_width, spec.full_height):
        return data
    shown = np.zeros((spec.full_height, spec.full_width, 3), dtype=np.uint8)
    inside = shown[max(top, 0) : max(top + spec.height, 0), max(left, 0) : max(left + spec.width, 0)]
    part = data[max(-top, 0) :, max(-left, 0) :]
    inside[...] = part[: inside.shape[0], : inside.shape[1]]
    return shown


def _open_image_io(file: Path) -> Any:
    try:
        import OpenImageIO
    except ImportError:
        raise MissingExtraError(
            f"'{file.name}' needs OpenImageIO to be read; install it with: pip install \"pose-server[exr]\".",
            reason="MISSING_EXTRA",
            extra="exr",
            path=file,
        ) from None
    return OpenImageIO


def _damaged(file: Path) -> MediaError:
    kind = file.suffix.lstrip(".").upper()
    return MediaError(
        f"'{file.name}' is damaged or no {kind} picture; render it again, end the range before it, "
        "or take what comes before it with --allow-truncated.",
        reason="PICTURE_DAMAGED",
        path=file,
    )
