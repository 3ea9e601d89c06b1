"""Means over many clips, by action, by subject, or both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Tally"]


@dataclass
class Tally:
    """Collects the measures of clips and averages them as Human3.6M's tables do.

    Within a group every frame counts the same; between groups every group does.  A measure that is
    NaN for a clip does not count there.
    """

    _clips: list[tuple[Mapping[str, str], int, Mapping[str, float]]] = field(default_factory=list)

    def add(self, *, frames: int, measures: Mapping[str, float], **labels: str) -> None:
        """Add one clip of `frames` frames; labels such as ``action="Walk"`` say where it belongs."""
        self._clips.append((labels, frames, dict(measures)))

    def rows(self, by: str, *, average: str = "average") -> list[dict[str, str | float | int]]:
        """Return a row per value of a label, in the order met, and one for their plain mean.

        Parameters
        ----------
        by
            The label.
        average
            Name of the last row; none if empty.
        """
        groups: dict[str, list[tuple[int, Mapping[str, float]]]] = {}
        for labels, frames, values in self._clips:
            groups.setdefault(labels[by], []).append((frames, values))
        rows: list[dict[str, str | float | int]] = [
            {by: name, "frames": sum(frames for frames, _ in clips), **_weighted(clips)}
            for name, clips in groups.items()
        ]
        if average and rows:
            means = _weighted([(1, {k: v for k, v in row.items() if isinstance(v, float)}) for row in rows])
            rows.append({by: average, "frames": sum(int(row["frames"]) for row in rows), **means})
        return rows


def _weighted(clips: list[tuple[int, Mapping[str, float]]]) -> dict[str, float]:
    means = {}
    for key in dict.fromkeys(key for _, values in clips for key in values):
        parts = [(frames, v[key]) for frames, v in clips if key in v and math.isfinite(v[key])]
        weight = sum(frames for frames, _ in parts)
        means[key] = sum(frames * value for frames, value in parts) / weight if weight else math.nan
    return means
