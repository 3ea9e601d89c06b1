"""What a client asks for, as the message that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from pose_shared._generated.pose.v1 import jobs_pb2, types_pb2
from pose_shared.errors import InputError

__all__ = ["RemoteClip", "import_spec"]


@dataclass(frozen=True)
class RemoteClip:
    """A clip that the server can read.

    Attributes
    ----------
    display_name
        File name of the film, or the pattern of the sequence, as the user knows it.
    uploads
        For uploaded files: name of the upload and bare file name, each.
    path
        For a clip on a disk that the server shares: its path there.
    """

    display_name: str
    uploads: Tuple[Tuple[str, str], ...] = ()
    path: Optional[str] = None


def import_spec(clip: RemoteClip, options: Mapping[str, Any]) -> jobs_pb2.ImportSpec:
    """Return the message that asks for the import of a clip.

    Parameters
    ----------
    clip
        Where the clip is.
    options
        Any of: ``people`` (int), ``persons`` (ints), ``start`` and ``end`` (a frame number as int
        or text, or seconds such as ``"1.5s"``), ``fps`` and ``input_fps`` (int, `Fraction`, or text
        such as ``"30000/1001"``), ``fov_deg`` or ``focal_mm`` (float), ``detector`` and
        ``lifter`` (str), ``smoothing`` (float), ``formats`` (strings), ``allow_truncated`` (bool).
        What is absent or None takes the server's default.

    Raises
    ------
    InputError
        An option is unknown (``OPTION_UNKNOWN``) or cannot be read (``OPTION_INVALID``). Whether
        its value makes sense is for the server to say.
    """
    spec = jobs_pb2.ImportSpec(media=jobs_pb2.Media(display_name=_clean(clip.display_name)))
    if clip.path is not None:
        spec.media.path = clip.path
    else:
        for upload, file_name in clip.uploads:
            spec.media.uploaded.files.add(upload=upload, file_name=_clean(file_name))
    for name, value in options.items():
        if value is None:
            continue
        if name not in _WRITERS:
            raise InputError(
                f"There is no option '{name}'; choose from {', '.join(sorted(_WRITERS))}.",
                reason="OPTION_UNKNOWN",
                option=name,
            )
        try:
            _WRITERS[name](spec, value)
        except (TypeError, ValueError, ZeroDivisionError):
            raise InputError(
                f"The option '{name}' cannot be {value!r}.", reason="OPTION_INVALID", option=name, value=value
            ) from None
    return spec


def _clean(name: str) -> str:
    """Replace what UTF-8 cannot hold: names of files may be any bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _rate(value: Any) -> types_pb2.Rate:
    rate = Fraction(str(value))
    return types_pb2.Rate(numerator=rate.numerator, denominator=rate.denominator)


def _moment(value: Any) -> types_pb2.Moment:
    text = str(value)
    if text.endswith("s"):
        return types_pb2.Moment(seconds=float(text[:-1]))
    return types_pb2.Moment(frame=int(text))


def _set(name: str, read: Callable[[Any], Any]) -> Callable[[jobs_pb2.ImportSpec, Any], None]:
    def write(spec: jobs_pb2.ImportSpec, value: Any) -> None:
        setattr(spec, name, read(value))

    return write


def _copy(name: str, read: Callable[[Any], Any]) -> Callable[[jobs_pb2.ImportSpec, Any], None]:
    def write(spec: jobs_pb2.ImportSpec, value: Any) -> None:
        getattr(spec, name).CopyFrom(read(value))

    return write


def _extend(name: str, read: Callable[[Any], Any]) -> Callable[[jobs_pb2.ImportSpec, Any], None]:
    def write(spec: jobs_pb2.ImportSpec, value: Any) -> None:
        getattr(spec, name).extend(read(item) for item in value)

    return write


_WRITERS: Dict[str, Callable[[jobs_pb2.ImportSpec, Any], None]] = {
    "allow_truncated": _set("allow_truncated", bool),
    "detector": _set("detector", str),
    "end": _copy("end", _moment),
    "focal_mm": _set("focal_mm", float),
    "formats": _extend("formats", str),
    "fov_deg": _set("fov_deg", float),
    "fps": _copy("fps", _rate),
    "input_fps": _copy("input_fps", _rate),
    "lifter": _set("lifter", str),
    "people": _set("people", int),
    "persons": _extend("persons", int),
    "smoothing": _set("smoothing", float),
    "start": _copy("start", _moment),
}
