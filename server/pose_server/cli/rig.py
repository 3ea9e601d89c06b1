"""`pose-server rig`: what a character's file says of its rig."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pose_server.cli.errors import clear_errors

__all__ = ["print_map", "rig_command"]

_MOST_NAMED = 12


def rig_command(
    rig: Annotated[
        Path, typer.Argument(help="A glTF, USD, FBX or BVH, or a rig's description.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File for the rig's description, as JSON.")
    ] = None,
    map_out: Annotated[
        Path | None, typer.Option(help="File for the map of its bones, to be corrected and given to --map.")
    ] = None,
    bone_map: Annotated[
        Path | None, typer.Option("--map", help="A map with the bones that are known better, as JSON.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Kind of the rig, if it should not be found out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Say which bones of a rig are which parts of the body, and what is missing; write its description."""
    with clear_errors(as_json=as_json, debug=debug):
        from pose_server.export.destination import replacing
        from pose_server.retarget.opening import open_rig

        mapped = open_rig(rig, corrections=bone_map, preset=preset)
        for path, text in ((out, mapped.rig.to_json), (map_out, mapped.bones.to_json)):
            if path is not None:
                with replacing(path) as part:
                    part.write_text(text() + "\n", encoding="utf-8")
        found = mapped.to_dict()
        if as_json:
            typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        else:
            print_map(found)


def print_map(found: dict[str, Any]) -> None:
    """Print what `MappedRig.to_dict` says, for people."""
    kind = f"{found['preset'] or found['found_by']}, {100 * found['confidence']:.0f} % sure"
    typer.echo(
        f"{found['name']}: {found['bones']} bones, {found['up']} up, {found['metres_per_unit']:g} m a unit "
        f"({kind})"
    )
    for role, bones in found["mapped"].items():
        typer.echo(f"  {role:<22}{', '.join(bones)}")
    for title in ("missing", "extra"):
        names = found[title]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        typer.echo(f"  {title}: {', '.join(names[:_MOST_NAMED]) or 'none'}{more}")
    for sentence in dict.fromkeys((*(fault["sentence"] for fault in found["faults"]), *found["notes"])):
        typer.echo(f"  {sentence}")
