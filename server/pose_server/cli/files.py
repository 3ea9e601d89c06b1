"""The options of written files on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from pose_server.pipeline.file_options import PER_METRE, ROTATION_ORDERS, UPS

__all__ = ["RotationOrder", "Unit", "Up"]

Unit = Annotated[
    str | None,
    typer.Option(
        help=f"Of lengths, in files whose format leaves it open: {', '.join(PER_METRE)}.", metavar="UNIT"
    ),
]
Up = Annotated[
    str | None,
    typer.Option(
        help=f"The axis that points up, in files whose format leaves it open: {', '.join(UPS)}.",
        metavar="AXIS",
    ),
]
RotationOrder = Annotated[
    str | None,
    typer.Option(help=f"Of BVH's channels, ZXY if not given: {', '.join(ROTATION_ORDERS)}.", metavar="ORDER"),
]
