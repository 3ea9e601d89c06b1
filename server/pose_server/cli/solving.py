"""The options of the solve on the command line: the same for an import and for a refinement."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pose_shared.errors import InputError

from pose_server.pipeline.filter_options import FILTERS
from pose_server.pipeline.solve_options import (
    BODY_PARTS,
    CONTACT_MODES,
    FLOOR_MODES,
    ContactEdit,
    PartFilter,
)

__all__ = ["Contact", "Contacts", "Filter", "Floor", "Height", "Smoothing", "solve_changes"]

Smoothing = Annotated[float | None, typer.Option(help="0 leaves the motion raw, 1 is calm; at first 0.5.")]
Height = Annotated[
    str | None, typer.Option(help="The actor's height in metres without shoes, or auto.", metavar="METRES")
]
Floor = Annotated[str | None, typer.Option(help=f"{', '.join(FLOOR_MODES)}; at first auto.")]
Contacts = Annotated[
    str | None, typer.Option(help=f"When feet stick: {', '.join(CONTACT_MODES)}; at first auto.")
]
Contact = Annotated[
    list[str] | None,
    typer.Option(
        help="A contact of foot, hand or knee set by hand, in source frames, such as 1:left_heel:120-140=on "
        "(person, point, first and last frame), or none. Repeatable.",
        metavar="EDIT",
    ),
]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        help="A filter after the solve, such as arms=butterworth:6, or none. Repeatable. Parts: "
        f"{', '.join(BODY_PARTS)}. Filters: {', '.join(FILTERS)}.",
        metavar="PART=FILTER",
    ),
]


def solve_changes(
    smoothing: float | None,
    height: str | None,
    floor: str | None,
    contacts: str | None,
    contact: list[str] | None,
    filters: list[str] | None,
) -> dict[str, Any]:
    """Return the fields of `SolveOptions` that were named.

    Raises
    ------
    InputError
        One cannot be read.
    """
    changes: dict[str, Any] = {"smoothing": smoothing, "floor": floor, "contacts": contacts}
    changes = {name: value for name, value in changes.items() if value is not None}
    if height is not None:
        changes["height_m"] = _metres(height)
    if contact:
        changes["edits"] = tuple(ContactEdit.parse(text) for text in contact if text != "none")
    if filters:
        changes["filters"] = tuple(PartFilter.parse(text) for text in filters if text != "none")
    return changes


def _metres(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"--height {text} is not possible; give the actor's height in metres such as 1.75, or auto.",
            reason="HEIGHT_INVALID",
            value=text,
        ) from None
