"""`pose-server retarget`: a motion on a character of the user's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pose_server.cli.errors import clear_errors
from pose_server.cli.files import RotationOrder, Unit, Up
from pose_server.cli.rig import print_map
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.retarget_options import RELOCKED, ROOT_MOTIONS, RetargetOptions

__all__ = ["retarget_command"]


def retarget_command(
    motion: Annotated[
        Path,
        typer.Argument(
            help="A result's folder, a motion.npz, or a recording: BVH, glTF, AMC.", show_default=False
        ),
    ],
    rig: Annotated[Path, typer.Option(help="The character: glTF, USD, FBX, BVH, or a rig's description.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")],
    bone_map: Annotated[
        Path | None, typer.Option("--map", help="A map with the rig's bones that are known better, as JSON.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Kind of the rig, if it should not be found out.")
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="The character stays over one place.")] = False,
    root_motion: Annotated[
        str, typer.Option(help=f"Where the way goes, if the rig has a root bone: {', '.join(ROOT_MOTIONS)}.")
    ] = "root",
    relock: Annotated[
        str,
        typer.Option(
            help=f"Limbs held where they are in contact: {', '.join(RELOCKED)}, with a comma, or none."
        ),
    ] = "legs",
    formats: Annotated[
        str | None,
        typer.Option(help="Files to write, such as keys,bvh,glb; 'help' lists them.", metavar="NAMES"),
    ] = None,
    unit: Unit = None,
    up: Up = None,
    rotation_order: RotationOrder = None,
    person: Annotated[int | None, typer.Option(help="Which of a result's people, from 1.", min=1)] = None,
    take: Annotated[
        str | None, typer.Option(help="Name of the animation in a glTF motion; without it, the longest.")
    ] = None,
    rest_frame: Annotated[
        int | None,
        typer.Option(help="Frame of a recording, from 0, that shows its rest pose, if the file's is none."),
    ] = None,
    source_map: Annotated[
        Path | None, typer.Option(help="A map with a recording's bones that are known better, as JSON.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Put a motion on a character: keys for its bones, and its own glTF file with the animation in it."""
    with clear_errors(as_json=as_json, debug=debug):
        limbs = tuple(part for part in relock.split(",") if part and part != "none")
        files = FileOptions(unit, up, rotation_order)
        options = RetargetOptions(in_place=in_place, root_motion=root_motion, relock=limbs)
        from pose_server.retarget.opening import open_motion, open_rig
        from pose_server.retarget.output import DEFAULT_FORMATS, FORMATS, write_retargeted

        if formats == "help":
            typer.echo(", ".join(FORMATS))
            return
        names = [name.strip() for name in (formats or "").split(",")]
        wanted = tuple(dict.fromkeys(name for name in names if name)) or DEFAULT_FORMATS
        mapped = open_rig(rig, corrections=bone_map, preset=preset)
        opened = open_motion(motion, person=person, take=take, rest_frame=rest_frame, corrections=source_map)
        report = write_retargeted(
            out,
            opened.motion,
            mapped,
            rig,
            name=take or motion.resolve().stem,
            options=options,
            formats=wanted,
            files=files,
            notes=opened.notes,
        )
        if as_json:
            typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            _print_report(report, out)


def _print_report(report: dict[str, Any], out: Path) -> None:
    print_map(report["rig"])
    for note in report["notes"]:
        typer.echo(f"  {note}")
    for title, key in (("before", "before_relocking"), ("after", "after_relocking")):
        found = report[key]
        worst = max(found["direction_deg"].values(), default=0.0)
        slide = (
            "no contacts" if found["slide_mm"] is None else f"feet slide {found['slide_mm']:.2f} mm a frame"
        )
        typer.echo(
            f"{title} re-locking: limbs within {worst:.2f} degrees of the source, {slide}, "
            f"{found['under_ground_mm']:.1f} mm under the ground"
        )
    typer.echo(f"{report['frames']} frames in {out}: {', '.join(report['files'])}")
