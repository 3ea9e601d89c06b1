"""`pose-server plot`: a page that shows how good a result is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pose_server.cli.errors import clear_errors

__all__ = ["plot_command"]


def plot_command(
    result: Annotated[
        Path,
        typer.Argument(
            help="The folder that an import wrote, or a motion.npz.", show_default=False, metavar="RESULT"
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File to write: .svg or .png.", show_default=False)
    ],
    person: Annotated[
        list[int] | None,
        typer.Option(help="One person by number; may be repeated.", show_default="everybody"),
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            help="What to show, with commas between: weak, contacts, position, angle, confidence, "
            "reprojection.",
            show_default="all",
        ),
    ] = None,
    joints: Annotated[
        str | None,
        typer.Option(
            help="Whose places and angles are drawn, with commas between, such as left_wrist,head.",
            show_default="hips and ankles; knees and elbows",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Draw curves, contacts, confidence, errors and weak spans of each person over the frames.

    Left is blue, right is red. Places are those in the room; angles are how far a joint is turned away
    from the T-pose. Shaded frames were bridged, or seen in somebody else's place.
    """
    with clear_errors(debug=debug):
        from pose_server.export.quality_page import PANELS, check_page, write_page
        from pose_server.pipeline.results import read_people, title_of

        panels = _names(show) or PANELS
        check_page(out, panels)
        motions = read_people(result, tuple(person or ()))
        write_page(out, title_of(result), motions, panels=panels, joints=_names(joints))
        typer.echo(f"{out}: {len(motions)} {'person' if len(motions) == 1 else 'people'}")


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
