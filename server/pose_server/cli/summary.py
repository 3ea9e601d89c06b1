"""What the command line says of a finished result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

__all__ = ["print_summary"]


def print_summary(report: dict[str, Any], out: Path, seconds: float) -> None:
    """Print on stderr what a run has made of a clip."""
    clip = report["clip"]
    stages = ", ".join(
        f"{t['stage']} {'cached' if t['cached'] else format(t['seconds'], '.1f') + ' s'}"
        for t in report["timings"]
    )
    lines = [f"{clip['name']}: {clip['frame_count']} frames in {seconds:.1f} s ({stages})"]
    for person in report["people"]:
        error = person["reprojection_px"]
        lines.append(
            f"  person {person['index']}: frames {person['first_frame']} to {person['last_frame']}, "
            f"seen in {person['coverage']:.0%}, {person['height_m']:.2f} m tall"
            + (f", {error:.1f} px from the 2D points" if error is not None else "")
        )
    lines.append(f"  written to {out}")
    print("\n".join(lines), file=sys.stderr)  # noqa: T201
