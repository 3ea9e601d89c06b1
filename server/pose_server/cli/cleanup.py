"""The options of the clean-up on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from pose_server.pipeline.cleanup_options import GAPS, REPAIRS, CleanupOptions
from pose_server.pipeline.filter_options import FILTERS

__all__ = ["Gaps", "Repair", "Smooth2D", "cleanup_options"]

Gaps = Annotated[
    str,
    typer.Option(
        help="How frames in which a person was missed are bridged, and how many seconds at most, such as "
        f"linear:0.3: {', '.join(f'{name} ({limit:g})' for name, limit in GAPS.items())}.",
        metavar="WAY[:SECONDS]",
    ),
]
Repair = Annotated[
    str, typer.Option(help=f"What to put right in the 2D points: {', '.join(REPAIRS)}.", metavar="WHAT")
]
Smooth2D = Annotated[
    str,
    typer.Option(
        "--smooth-2d",
        help=f"A filter of the 2D points, such as butterworth:6: none, {', '.join(FILTERS)}.",
        metavar="FILTER",
    ),
]


def cleanup_options(gaps: str, repair: str, smoothing: str) -> CleanupOptions:
    """Return what was asked for; raises `InputError` where that cannot be read."""
    way, limit_s = CleanupOptions.parse_gaps(gaps)
    chosen = CleanupOptions.parse_smoothing(smoothing)
    return CleanupOptions(gaps=way, gap_limit_s=limit_s, repair=repair, smoothing=chosen)
