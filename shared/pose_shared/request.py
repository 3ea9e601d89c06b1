"""What a client asks for, as the message that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Tuple

from pose_shared._generated.pose.v1 import jobs_pb2, types_pb2
from pose_shared.errors import InputError

__all__ = ["RemoteClip", "import_spec", "solve_spec"]


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
        such as ``"30000/1001"``), ``fov_deg`` or ``focal_mm`` (float) with ``sensor_mm`` or
        ``calibration`` (a mapping with ``image_size``, ``focal_px``, ``centre_px`` and maybe
        ``distortion``), ``camera``,
        ``camera_track`` (a mapping with ``frames``, ``positions_m``, ``rotations_wxyz`` and maybe
        ``focal_mm``), ``detector`` and ``lifter`` (str), ``detector_score`` (float), ``tracking`` (a
        mapping with any of ``people_by`` and ``reidentify`` (str), ``clicks`` such as
        ``"640,360@120"``, ``splits`` such as ``"2@140"`` and ``merges`` such as ``"1+2@140"``),
        ``cleanup`` (a mapping with any of ``gaps``, ``gap_limit_s``, ``repair`` and ``smoothing``),
        ``formats`` (strings), ``files`` (a mapping with any of ``unit``, ``up`` and
        ``rotation_order``), ``allow_truncated`` (bool), and those of `solve_spec`.
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
    solve = {name: value for name, value in options.items() if name in _SOLVE_WRITERS}
    _write(spec, _WRITERS, {name: options[name] for name in options if name not in solve}, _SOLVE_WRITERS)
    spec.solve.CopyFrom(solve_spec(solve))
    return spec


def solve_spec(options: Mapping[str, Any]) -> jobs_pb2.SolveSpec:
    """Return the message that says how to solve.

    Parameters
    ----------
    options
        Any of: ``smoothing`` (float), ``height_m`` (float, 0 for one that is not known), ``floor``
        and ``contacts`` (str), ``edits`` (mappings with ``person``, ``point``, ``first_frame``,
        ``last_frame``, ``on``), ``filters`` (mappings with ``part``, ``name``, and ``values`` if
        they are not the filter's own).  What is absent or None stays as it is.

    Raises
    ------
    InputError
        As `import_spec`.
    """
    spec = jobs_pb2.SolveSpec()
    _write(spec, _SOLVE_WRITERS, options)
    return spec


def _write(
    spec: Any,
    writers: Mapping[str, Callable[[Any, Any], None]],
    options: Mapping[str, Any],
    others: Iterable[str] = (),
) -> None:
    for name, value in options.items():
        if value is None:
            continue
        if name not in writers:
            raise InputError(
                f"There is no option '{name}'; choose from {', '.join(sorted([*writers, *others]))}.",
                reason="OPTION_UNKNOWN",
                option=name,
            )
        try:
            writers[name](spec, value)
        except (TypeError, ValueError, KeyError, ZeroDivisionError):
            raise InputError(
                f"The option '{name}' cannot be {value!r}.", reason="OPTION_INVALID", option=name, value=value
            ) from None


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


def _calibration(value: Any) -> jobs_pb2.Calibration:
    width, height = value["image_size"]
    return jobs_pb2.Calibration(
        width=width,
        height=height,
        intrinsics_px=[*value["focal_px"], *value["centre_px"]],
        distortion=value.get("distortion", ()),
    )


def _camera_track(value: Any) -> jobs_pb2.CameraTrack:
    return jobs_pb2.CameraTrack(
        frames=value["frames"],
        positions_m=[number for x, y, z in value["positions_m"] for number in (x, y, z)],
        rotations_wxyz=[number for w, x, y, z in value["rotations_wxyz"] for number in (w, x, y, z)],
        focal_mm=value.get("focal_mm"),
    )


def _placed(text: Any) -> Tuple[str, Optional[types_pb2.Moment]]:
    """Read what is before an ``@``, and the moment after it."""
    what, at, moment = str(text).partition("@")
    return what, _moment(moment) if at else None


def _click(text: Any) -> jobs_pb2.Click:
    place, moment = _placed(text)
    x_px, y_px = (float(part) for part in place.split(","))
    return jobs_pb2.Click(x_px=x_px, y_px=y_px, at=moment)


def _track_part(text: Any) -> jobs_pb2.TrackPart:
    person, moment = _placed(text)
    return jobs_pb2.TrackPart(person=int(person), at=moment)


def _tracking(value: Any) -> jobs_pb2.TrackingSpec:
    unknown = set(value) - {"people_by", "clicks", "splits", "merges", "reidentify"}
    if unknown:
        raise KeyError(*unknown)
    return jobs_pb2.TrackingSpec(
        people_by=value.get("people_by"),
        clicks=[_click(text) for text in value.get("clicks", ())],
        splits=[_track_part(text) for text in value.get("splits", ())],
        merges=[
            jobs_pb2.TrackMerge(parts=[_track_part(part) for part in str(text).split("+")])
            for text in value.get("merges", ())
        ],
        reidentify=value.get("reidentify"),
    )


def _cleanup(value: Any) -> jobs_pb2.CleanupSpec:
    return jobs_pb2.CleanupSpec(**{name: known for name, known in value.items() if known is not None})


def _files(value: Any) -> jobs_pb2.FileSpec:
    return jobs_pb2.FileSpec(**{name: known for name, known in value.items() if known is not None})


def _contact_edits(value: Any) -> jobs_pb2.ContactEdits:
    return jobs_pb2.ContactEdits(
        edits=[
            jobs_pb2.ContactEdit(
                person=edit["person"],
                point=edit["point"],
                first_frame=edit["first_frame"],
                last_frame=edit["last_frame"],
                on=edit["on"],
            )
            for edit in value
        ]
    )


def _part_filters(value: Any) -> jobs_pb2.PartFilters:
    return jobs_pb2.PartFilters(
        filters=[
            jobs_pb2.PartFilter(part=one["part"], name=one["name"], values=one.get("values", ()))
            for one in value
        ]
    )


def _set(name: str, read: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    def write(spec: Any, value: Any) -> None:
        setattr(spec, name, read(value))

    return write


def _copy(name: str, read: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    def write(spec: Any, value: Any) -> None:
        getattr(spec, name).CopyFrom(read(value))

    return write


def _extend(name: str, read: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    def write(spec: Any, value: Any) -> None:
        getattr(spec, name).extend(read(item) for item in value)

    return write


_WRITERS: Dict[str, Callable[[Any, Any], None]] = {
    "allow_truncated": _set("allow_truncated", bool),
    "calibration": _copy("calibration", _calibration),
    "camera": _set("camera", str),
    "camera_track": _copy("camera_track", _camera_track),
    "cleanup": _copy("cleanup", _cleanup),
    "detector": _set("detector", str),
    "detector_score": _set("detector_score", float),
    "end": _copy("end", _moment),
    "files": _copy("files", _files),
    "focal_mm": _set("focal_mm", float),
    "formats": _extend("formats", str),
    "fov_deg": _set("fov_deg", float),
    "fps": _copy("fps", _rate),
    "input_fps": _copy("input_fps", _rate),
    "lifter": _set("lifter", str),
    "people": _set("people", int),
    "persons": _extend("persons", int),
    "sensor_mm": _set("sensor_mm", float),
    "start": _copy("start", _moment),
    "tracking": _copy("tracking", _tracking),
}

_SOLVE_WRITERS: Dict[str, Callable[[Any, Any], None]] = {
    "contacts": _set("contacts", str),
    "edits": _copy("edits", _contact_edits),
    "filters": _copy("filters", _part_filters),
    "floor": _set("floor", str),
    "height_m": _set("height_m", float),
    "smoothing": _set("smoothing", float),
}
