"""Options of the command line about who is who."""

from __future__ import annotations

from typing import Annotated

import typer

from pose_server.pipeline.tracking_options import (
    PEOPLE_BY,
    REIDENTIFY,
    Click,
    Merge,
    Part,
    TrackingOptions,
)

__all__ = ["Clicks", "Merges", "PeopleBy", "Reidentify", "Splits", "tracking_options"]

PeopleBy = Annotated[
    str,
    typer.Option(
        help=f"Which people a number keeps: {', '.join(PEOPLE_BY)} (coverage times size, the size of their "
        "boxes, or that times how sure their points are)."
    ),
]
Clicks = Annotated[
    list[str] | None,
    typer.Option(
        "--click",
        help="Keep whoever is at this point of the picture, in the first frame or another, such as "
        "640,360@120 or 640,360@4.5s. Repeatable.",
        metavar="X,Y[@FRAME]",
    ),
]
Splits = Annotated[
    list[str] | None,
    typer.Option(
        "--split",
        help="Make somebody new of a person from a frame on, such as 2@140. Repeatable.",
        metavar="PERSON@FRAME",
    ),
]
Merges = Annotated[
    list[str] | None,
    typer.Option(
        "--merge",
        help="Make one person of several, such as 1+3, or 1+2@140 after --split 2@140. Repeatable.",
        metavar="PERSON+PERSON",
    ),
]
Reidentify = Annotated[
    str,
    typer.Option(
        help=f"{' or '.join(REIDENTIFY)}: whether somebody who left the picture may be known again."
    ),
]


def tracking_options(
    people_by: str,
    clicks: list[str] | None,
    splits: list[str] | None,
    merges: list[str] | None,
    reidentify: str,
) -> TrackingOptions:
    """Return the options; raises `InputError` for what cannot be read or cannot be."""
    return TrackingOptions(
        people_by=people_by,
        clicks=tuple(Click.parse(text) for text in clicks or ()),
        splits=tuple(Part.parse(text, "--split") for text in splits or ()),
        merges=tuple(Merge.parse(text) for text in merges or ()),
        reidentify=reidentify,
    )
