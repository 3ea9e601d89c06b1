"""Import a video into a new Maya scene without a window.

::

    mayapy -m pose_from_video CLIP --out scene.ma [--server HOST:PORT] [--people N] [--range A:B]
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, List, Optional, Tuple

from pose_shared.errors import InputError, InternalError, PoseError

__all__ = ["main"]

_TYPES = {".ma": "mayaAscii", ".mb": "mayaBinary"}


def main(arguments: Optional[List[str]] = None) -> int:
    """Do what the command line asks for; return the exit status: 0, 2 for what the user can mend, else 1."""
    asked = _parser().parse_args(arguments)
    with ExitStack() as stack:
        try:
            _import(asked, stack)
        except PoseError as error:
            print(f"pose_from_video: {error.message}", file=sys.stderr)  # noqa: T201
            return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pose_from_video", description="Import the people of a video into a new Maya scene."
    )
    parser.add_argument("clip", help="a film, any picture of a sequence, or a 3d_data.json")
    parser.add_argument("--out", required=True, type=Path, help="scene to write, .ma or .mb")
    parser.add_argument("--server", default="", help="address of the pose server")
    parser.add_argument("--people", type=int, default=0, help="keep this many of the largest; 0 keeps all")
    parser.add_argument("--range", default=":", metavar="A:B", help="film frames; the last is left out")
    parser.add_argument(
        "--rate", default="MATCH", choices=("MATCH", "CONVERT", "KEEP"), help="where rates differ"
    )
    parser.add_argument("--fps", type=float, default=0.0, help="of an image sequence")
    parser.add_argument("--time-unit", default="", help="of the new scene, such as film or 29.97fps")
    parser.add_argument("--linear-unit", default="", help="of the new scene, such as cm or m")
    parser.add_argument("--up", default="", choices=("", "y", "z"), help="axis of the new scene")
    parser.add_argument("--scene-frame", type=int, default=1, help="where the first film frame goes")
    parser.add_argument("--fov", type=float, default=0.0, help="of the lens across the picture, in degrees")
    parser.add_argument("--focal-mm", type=float, default=0.0, help="of the lens, on a 36 mm sensor")
    parser.add_argument("--camera", default="", choices=("", "auto", "still"), help="what the camera did")
    parser.add_argument("--no-camera", action="store_true", help="add no camera")
    parser.add_argument("--no-film", action="store_true", help="show no film in the camera")
    parser.add_argument("--confidence", action="store_true", help="key how sure the server is")
    parser.add_argument("--smoothing", type=float, help="0 leaves the motion raw, 1 is calm")
    parser.add_argument("--height-m", type=float, help="of the actor")
    parser.add_argument("--floor", help="auto, flat, steps or none")
    parser.add_argument("--contacts", help="auto, always, never or ground")
    return parser


def _import(asked: argparse.Namespace, stack: ExitStack) -> None:
    first, last = _range(asked.range)
    if asked.out.suffix.lower() not in _TYPES:
        raise InputError(
            f"'{asked.out.name}' is no Maya scene; end it in .ma or .mb.", reason="OUT_INVALID", out=asked.out
        )
    stack.callback(_start_maya())
    from . import commands
    from .host.file import new_scene, save_scene

    new_scene(up=asked.up, time_unit=asked.time_unit, linear_unit=asked.linear_unit)
    if asked.clip.endswith(".json"):
        said = commands.import_baseline(asked.clip)
    else:
        solve = {name: getattr(asked, name) for name in ("smoothing", "height_m", "floor", "contacts")}
        said = commands.import_video(
            asked.clip,
            server=asked.server,
            people=asked.people,
            frame_start=first,
            frame_end=last,
            scene_frame=asked.scene_frame,
            rate=asked.rate,
            sequence_fps=asked.fps,
            fov=asked.fov,
            focal_mm=asked.focal_mm,
            camera=asked.camera,
            add_camera=not asked.no_camera,
            add_film=not asked.no_film,
            add_confidence=asked.confidence,
            **{name: value for name, value in solve.items() if value is not None},
        )
    save_scene(asked.out, _TYPES[asked.out.suffix.lower()])
    for sentence in (*said, f"Wrote {asked.out}."):
        print(sentence, flush=True)  # noqa: T201


def _range(text: str) -> Tuple[int, int]:
    first, _, last = text.partition(":")
    if ":" not in text or not all(part == "" or part.isdigit() for part in (first, last)):
        raise InputError(f"'{text}' is no range; write it as 10:200, 10: or :200.", reason="RANGE_INVALID")
    return int(first or 0), int(last or 0)


def _start_maya() -> Callable[[], None]:
    """Start Maya; return what ends it."""
    try:
        from .host.standalone import start, stop
    except ImportError as error:
        raise InputError(
            "There is no Maya in this Python; run it with mayapy.", reason="MAYA_MISSING"
        ) from error
    try:
        start()
    except RuntimeError as error:
        raise InternalError(f"Maya does not start: {str(error).strip()}.", reason="MAYA_BROKEN") from error
    return stop
