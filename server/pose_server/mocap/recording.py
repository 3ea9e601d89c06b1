"""What every motion file gives: named joints with places and turns over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError

from pose_server.pipeline.boundary import FloatArray, check_arrays

__all__ = ["LARGEST", "Recording", "bad_motion", "rest_places"]

#: No length or angle of a motion is larger; far beyond, arithmetic runs over.
LARGEST = 1e9


@dataclass(frozen=True, repr=False)
class Recording:
    """The motion of one skeleton, in the file's own axes and metres."""

    names: tuple[str, ...]
    """(J,) as the file spells them; a parent stands before its children."""
    parents: NDArray[np.int64]
    """(J,) -1 for the root."""
    points_m: FloatArray
    """(T, J, 3)."""
    turns: FloatArray
    """(T, J, 3, 3) from the rest pose into the world; what hangs on a joint turns with it."""
    rate_hz: float
    rest_m: FloatArray | None = None
    """(J, 3) where the joints are at rest, if the reader tells."""

    def __post_init__(self) -> None:
        check_arrays(
            self,
            parents=("i", ("J",)),
            points_m=("f", ("T", "J", 3)),
            turns=("f", ("T", "J", 3, 3)),
            **({} if self.rest_m is None else {"rest_m": ("f", ("J", 3))}),
        )

    def __len__(self) -> int:
        return len(self.points_m)

    def __repr__(self) -> str:
        return f"Recording({len(self.names)} joints, {len(self)} frames at {self.rate_hz:g} Hz)"

    def index(self, name: str) -> int:
        """Return the position of a joint; raises ValueError if there is none of that name."""
        return self.names.index(name)


def bad_motion(
    path: Path, line: int | None, fault: str, advice: str = "export the motion again"
) -> InputError:
    """Return the error of a file that is not what its format asks for."""
    place = f"'{path.name}', line {line}" if line else f"'{path.name}'"
    metadata: Mapping[str, object] = {"path": path} if line is None else {"path": path, "line": line}
    return InputError(f"{place}: {fault}; {advice}.", reason="MOTION_UNREADABLE", **metadata)


def rest_places(parents: Sequence[int], offsets: FloatArray) -> FloatArray:
    """Return (J, 3) where joints are whose (J, 3) offsets from their parents nothing has turned."""
    places = np.array(offsets, dtype=np.float64)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            places[joint] += places[parent]
    return places
