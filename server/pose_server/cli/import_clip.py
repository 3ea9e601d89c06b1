"""`pose-server import`: from a clip to a folder of motions, here or on a server."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pose_shared.errors import InputError

from pose_server.cli.bars import ProgressBars
from pose_server.cli.batch import Importer, import_each
from pose_server.cli.cleanup import Gaps, Repair, Smooth2D, cleanup_options
from pose_server.cli.errors import clear_errors
from pose_server.cli.files import RotationOrder, Unit, Up
from pose_server.cli.keypoints import KeypointChoice
from pose_server.cli.lens import CalibrationCamera, CalibrationFile, FocalMm, Fov, SensorMm, lens_options
from pose_server.cli.solving import Contact, Contacts, Filter, Floor, Height, Smoothing, solve_changes
from pose_server.cli.summary import print_summary
from pose_server.cli.tracking import Clicks, Merges, PeopleBy, Reidentify, Splits, tracking_options
from pose_server.pipeline.camera_track import read_camera_track
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.options import FORMATS, LIFTERS, USUAL_FORMATS, ImportOptions, Moment, parse_rate
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.video.files import films_of

if TYPE_CHECKING:
    from pose_server.keypoints.clip import KeypointClip, UnreadClip

__all__ = ["import_command"]


def import_command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the result.", show_default=False)],
    clip: Annotated[
        Path | None,
        typer.Argument(
            help="A film, an image sequence such as shot.%04d.png, or a folder of films. None with "
            "--keypoints alone.",
            show_default=False,
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a pose server that does the work; without it, this process does."),
    ] = None,
    people: Annotated[
        str, typer.Option(help="all, or how many people to keep, the first by --people-by.")
    ] = "all",
    person: Annotated[
        list[int] | None,
        typer.Option(help="Keep this person, counted from 1 by coverage times size. Repeatable."),
    ] = None,
    start: Annotated[str | None, typer.Option(help="First source frame, or seconds such as 1.5s.")] = None,
    end: Annotated[str | None, typer.Option(help="First source frame left out, or seconds.")] = None,
    fps: Annotated[
        str, typer.Option(help="Rate of the result: source, or a number such as 24 or 30000/1001.")
    ] = "source",
    input_fps: Annotated[str | None, typer.Option(help="Rate of an image sequence or of keypoints.")] = None,
    keypoints: Annotated[
        Path | None,
        typer.Option(
            help="File, folder or zip of the 2D keypoints that another program found; see docs/keypoints.md.",
            show_default=False,
        ),
    ] = None,
    keypoint_format: Annotated[
        str | None,
        typer.Option(help="What wrote them: openpose, openpose:body_25b, ...", show_default="found out"),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="WIDTHxHEIGHT of the pictures of keypoints without a film.", show_default=False),
    ] = None,
    fov: Fov = None,
    focal_mm: FocalMm = None,
    sensor_mm: SensorMm = None,
    calibration: CalibrationFile = None,
    calibration_camera: CalibrationCamera = None,
    camera: Annotated[
        str, typer.Option(help="auto follows one that moves, still takes it for one on a tripod.")
    ] = "auto",
    camera_track: Annotated[
        Path | None,
        typer.Option(help="JSON that says where the camera was; see docs/solve.md.", show_default=False),
    ] = None,
    detector: Annotated[
        str,
        typer.Option(
            help="auto, a detector that 'pose-server doctor' lists, or NAME:MODEL; see docs/detectors.md."
        ),
    ] = "auto",
    detector_score: Annotated[
        float | None, typer.Option(help="Least score of a person, 0 to 1.", show_default="the detector's own")
    ] = None,
    people_by: PeopleBy = "prominence",
    click: Clicks = None,
    split: Splits = None,
    merge: Merges = None,
    reidentify: Reidentify = "auto",
    lifter: Annotated[
        str,
        typer.Option(help=f"{', '.join(LIFTERS)}, or the path of a checkpoint to lift with in this process."),
    ] = "auto",
    gaps: Gaps = "rts",
    repair: Repair = "all",
    smooth_2d: Smooth2D = "none",
    smoothing: Smoothing = None,
    height: Height = None,
    floor: Floor = None,
    contacts: Contacts = None,
    contact: Contact = None,
    filters: Filter = None,
    formats: Annotated[
        str, typer.Option(help=f"What to write, with commas between (docs/exports.md): {', '.join(FORMATS)}.")
    ] = ",".join(USUAL_FORMATS),
    unit: Unit = None,
    up: Up = None,
    rotation_order: RotationOrder = None,
    allow_truncated: Annotated[
        bool, typer.Option("--allow-truncated", help="Take what can be read of a damaged film.")
    ] = False,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu or cuda:N, for work in this process.", show_default="auto")
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Find detections of the same clip again.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, and no bars.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Turn a video, or 2D keypoints, into a motion per person: skeleton, keys, camera, preview.

    The result folder holds report.json, preview.mp4 and person_01/motion.npz, .bvh and so on. It
    appears when everything is done; an error leaves it as it was. Of several films, or keypoints of
    several clips, each has a folder of its own in it.
    """
    with clear_errors(as_json=as_json, debug=debug):
        options = ImportOptions(
            people=_people(people),
            persons=tuple(person or ()),
            start=Moment.parse(start) if start is not None else None,
            end=Moment.parse(end) if end is not None else None,
            fps=None if fps == "source" else parse_rate(fps, "--fps"),
            input_fps=parse_rate(input_fps, "--input-fps") if input_fps is not None else None,
            **lens_options(fov, focal_mm, sensor_mm, calibration, calibration_camera),
            camera=camera,
            camera_track=read_camera_track(camera_track) if camera_track is not None else None,
            detector=detector,
            detector_score=detector_score,
            tracking=tracking_options(people_by, click, split, merge, reidentify),
            lifter=lifter,
            cleanup=cleanup_options(gaps, repair, smooth_2d),
            solve=SolveOptions(**solve_changes(smoothing, height, floor, contacts, contact, filters)),
            formats=tuple(name.strip() for name in formats.split(",") if name.strip()),
            files=FileOptions(unit, up, rotation_order),
            allow_truncated=allow_truncated,
        )
        if server is not None and device is not None:
            raise InputError(
                "--device is for work in this process; start the server with it instead.",
                reason="DEVICE_INVALID",
            )
        choice = KeypointChoice(keypoints, keypoint_format, size, clip)
        if keypoints is not None and (server is not None or detector != "auto" or detector_score is not None):
            raise InputError(
                "--keypoints are imported in this process and need no detector; leave out --server, "
                "--detector and --detector-score.",
                reason="KEYPOINTS_LOCAL",
            )

        def run(film: Path | None, points: KeypointClip | UnreadClip | None, place: Path) -> dict[str, Any]:
            from pose_server.keypoints.clip import UnreadClip

            begin = time.monotonic()
            if isinstance(points, UnreadClip):
                raise points.error
            if server is not None and film is not None:
                from pose_server.cli.remote import import_remotely

                report = import_remotely(film, options, place, server=server, quiet=as_json)
            else:
                report = _import_here(
                    film, options, place, points, device=device, use_cache=cache, quiet=as_json
                )
            if not as_json:
                print_summary(report, place, time.monotonic() - begin)
            return report

        clips: list[tuple[str, Importer]]
        if keypoints is not None:
            clips = [(points.name, partial(run, clip, points)) for points in choice.read()]
        else:
            assert clip is not None
            clips = [(name, partial(run, film, None)) for name, film in films_of(clip).items()]
        reports = import_each(clips, out)
        if as_json:
            content = reports[0] if len(reports) == 1 else reports
            typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _import_here(
    clip: Path | None,
    options: ImportOptions,
    out: Path,
    keypoints: KeypointClip | None,
    *,
    device: str | None,
    use_cache: bool,
    quiet: bool,
) -> dict[str, Any]:
    from pose_server.cache.stages import StageCache
    from pose_server.engine.device import resolve_device
    from pose_server.pipeline.importer import import_clip
    from pose_server.settings import load_settings

    settings = load_settings(device=device)
    stage_cache = (
        StageCache(_writable(settings.data_dir / "stages"), settings.cache_bytes) if use_cache else None
    )
    chosen = resolve_device(settings.device)
    with ProgressBars(quiet=quiet) as bars:
        report = import_clip(
            clip,
            options,
            out,
            device=chosen,
            progress=bars,
            stage_cache=stage_cache,
            keypoints=keypoints,
        )
    return report.to_dict()


def _writable(folder: Path) -> Path:
    """Return a folder in which detections can be kept; says so before they take their time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be written ({error.strerror}); set POSE_DATA_DIR to a folder that you may "
            "write, or give --no-cache.",
            reason="DATA_DIR_NOT_WRITABLE",
            path=folder,
        ) from None
    return folder


def _people(text: str) -> int | None:
    if text == "all":
        return None
    try:
        return int(text)
    except ValueError:
        raise InputError(
            f"--people {text} is not possible; give 'all' or a number.", reason="PEOPLE_INVALID", value=text
        ) from None
