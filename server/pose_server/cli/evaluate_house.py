"""`pose-server evaluate mocap` and `evaluate clip`: lifters on known truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_server.cli.errors import clear_errors
from pose_server.cli.train_baseline import split_names

if TYPE_CHECKING:
    from pose_server.evaluate.table import Table

__all__ = ["evaluate_clip_command", "evaluate_mocap_command", "report"]

Lifters = Annotated[
    list[str] | None,
    typer.Option(
        "--lifter", help="As 'pose-server import' takes it. Repeatable.", show_default="all that ship"
    ),
]
Write = Annotated[
    Path | None, typer.Option("--write", help="Write PATH.md and PATH.json too.", show_default=False)
]
Scenes = Annotated[int, typer.Option(min=1, help="How many stretches of motion to film.")]
Debug = Annotated[bool, typer.Option("--debug", help="Print tracebacks.")]
Motions = Annotated[Path, typer.Argument(help="A set of 'train prepare'.", show_default=False)]
Clip = Annotated[Path, typer.Argument(help="Folder with a film and its reference.", show_default=False)]
#: Whose joints the solve is given.
_SOLVED = "house"
_NAMED = ("landmarks", "house", "house_causal")
#: Films that are solved as fourteen kinds of camera shoot them.
_MOVED = 20


def evaluate_mocap_command(
    motions: Motions,
    lifter: Lifters = None,
    scenes: Scenes = 60,
    fps: Annotated[float, typer.Option(min=1, help="Rate that the motions are filmed at.")] = 30.0,
    held_out: Annotated[
        str | None, typer.Option(help="Subjects to film, with commas between.", show_default="CMU's nine")
    ] = None,
    write: Write = None,
    debug: Debug = False,
) -> None:
    """Lift motion capture of people who were not trained on, filmed and detected virtually."""
    with clear_errors(debug=debug):
        from pose_server.evaluate.report import mocap_table

        subjects = split_names(held_out)
        _show(
            [mocap_table(motions, tuple(lifter or _NAMED), count=scenes, rate_hz=fps, held_out=subjects)],
            write,
        )


def evaluate_clip_command(
    clip: Clip,
    lifter: Lifters = None,
    detector: Annotated[str, typer.Option(help="Which detector finds the person.")] = "auto",
    keypoints: Annotated[
        Path | None,
        typer.Option(help="2D keypoints of the film that another program found.", show_default=False),
    ] = None,
    write: Write = None,
    debug: Debug = False,
) -> None:
    """Lift and solve a film whose person was measured, and compare."""
    with clear_errors(debug=debug):
        from pose_server.evaluate.report import clip_table

        names = tuple(lifter or _NAMED)
        _show([clip_table(clip, names, detector=detector, keypoints=keypoints)], write)


def report(
    motions: Motions,
    clip: Clip,
    write: Annotated[Path, typer.Option("--write", help="Write PATH.md and PATH.json.")] = Path(
        "docs/accuracy"
    ),
    lifter: Lifters = None,
    scenes: Scenes = 60,
    debug: Debug = False,
) -> None:
    """Measure everything that docs/accuracy.md shows, and write it."""
    with clear_errors(debug=debug):
        from pose_server.evaluate.motion_table import cameras_table, motion_tables, settings_table
        from pose_server.evaluate.report import clip_table, mocap_table
        from pose_server.evaluate.shooting import Shooting

        names = tuple(lifter or _NAMED)
        films = Shooting(count=scenes)
        *solved, _ = motion_tables(motions, _SOLVED, films)
        solved.append(settings_table(motions, _SOLVED, films))
        solved.append(cameras_table(motions, _SOLVED, replace(films, count=min(scenes, _MOVED))))
        _show([mocap_table(motions, names, count=scenes), clip_table(clip, names), *solved], write)


def _show(tables: list[Table], write: Path | None) -> None:
    from pose_server.evaluate.table import write_tables

    for table in tables:
        typer.echo(table.to_markdown())
    if write is not None:
        typer.echo("Written: " + ", ".join(map(str, write_tables(write, tables, heading="Accuracy"))))
