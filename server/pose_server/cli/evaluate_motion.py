"""`pose-server evaluate motion`: the whole solve on known truth."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pose_server.cli.errors import clear_errors
from pose_server.cli.train_baseline import split_names

__all__ = ["Lens", "evaluate_motion_command"]


class Lens(StrEnum):
    """Whether the solve is told the focal length."""

    given = "given"
    guessed = "guessed"


def evaluate_motion_command(
    motions: Annotated[Path, typer.Argument(help="A set of 'train prepare'.", show_default=False)],
    lifter: Annotated[str, typer.Option(help="As 'pose-server import' takes it.")] = "house",
    count: Annotated[int, typer.Option(min=1, help="How many stretches of motion to film.")] = 20,
    rate: Annotated[float, typer.Option(min=1, help="Frames per second of the film.")] = 30.0,
    lens: Annotated[Lens, typer.Option(help="Whether the focal length is known.")] = Lens.given,
    outliers: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of frames that show somebody else.")
    ] = 0.05,
    vary: Annotated[
        bool, typer.Option("--vary", help="Also at other rates, without the lens, with better detections.")
    ] = False,
    cameras: Annotated[bool, typer.Option("--cameras", help="Also by cameras that turn and travel.")] = False,
    held_out: Annotated[
        str | None, typer.Option(help="Subjects to film, with commas between.", show_default="CMU's nine")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Write PATH.md and PATH.json, with every scene.", show_default=False),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the tables, with every scene, as JSON.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Solve motion capture of people who were not trained on, filmed and detected virtually."""
    with clear_errors(debug=debug):
        from pose_server.evaluate.motion_table import cameras_table, motion_tables, settings_table
        from pose_server.evaluate.shooting import Shooting
        from pose_server.evaluate.table import write_tables

        def tell(text: str) -> None:
            typer.echo(text, err=True)

        shooting = Shooting(count=count, rate_hz=rate, lens=lens.value, outliers=outliers)
        subjects = split_names(held_out)
        tables = motion_tables(motions, lifter, shooting, held_out=subjects, tell=tell)
        if vary:
            tables.insert(-1, settings_table(motions, lifter, shooting, held_out=subjects, tell=tell))
        if cameras:
            tables.insert(-1, cameras_table(motions, lifter, shooting, held_out=subjects, tell=tell))
        if as_json:
            typer.echo(json.dumps([table.to_dict() for table in tables], ensure_ascii=False))
        else:
            for table in tables[:-1]:  # the last has every scene, for programs
                typer.echo(table.to_markdown())
        if write is not None:
            paths = write_tables(write, tables, heading="Motion on known truth")
            typer.echo("Written: " + ", ".join(map(str, paths)), err=as_json)
