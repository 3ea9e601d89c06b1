"""The motion of a rig as a file holds it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from pose_shared.rig import Rig

from pose_server.pipeline.boundary import FloatArray, check_arrays

__all__ = ["RecordedRig", "rate_of", "unit_of", "up_of"]

#: How far a rate may be off one that is common: files round frame times to six or seven digits.
_WHOLE, _NTSC = 2e-4, 1e-4
#: Units of files that name none, by how often they are met, and how tall people are.
_UNITS_M = {
    "metres": 1.0,
    "centimetres": 0.01,
    "inches": 0.0254,
    "millimetres": 0.001,
    "CMU's, of 0.45 to the inch": 0.0254 / 0.45,
}
_PEOPLE_M = (1.25, 2.1)
_USUAL_M = 1.7
#: A body is slim along an axis that it reaches less than this share along of what it does along another.
_SLIM = 0.5


@dataclass(frozen=True, repr=False)
class RecordedRig:
    """A rig of B bones through T frames, in its own axes and unit."""

    rig: Rig
    rate: Fraction
    turns: FloatArray
    """(T, B, 3, 3) away from rest, in the rig's axes."""
    heads: FloatArray
    """(T, B, 3)."""
    notes: tuple[str, ...] = ()
    """What was guessed, a sentence each."""

    def __post_init__(self) -> None:
        bones = len(self.rig.bones)
        check_arrays(self, turns=("f", ("T", bones, 3, 3)), heads=("f", ("T", bones, 3)))

    def __len__(self) -> int:
        return len(self.turns)

    def __repr__(self) -> str:
        return f"RecordedRig({self.rig.name}, {len(self)} frames at {float(self.rate):g} Hz)"

    def rested(self, frame: int) -> RecordedRig:
        """Return the same motion of the rig that rests as it stands in a frame."""
        still, heads = self.turns[frame], self.heads[frame]
        bones = []
        for bone, turn, head in zip(self.rig.bones, still, heads, strict=True):
            rest = np.array(bone.rest).reshape(4, 4)
            tail = None
            if bone.tail is not None:
                x, y, z = (head + turn @ (np.array(bone.tail) - rest[:3, 3])).tolist()
                tail = (x, y, z)
            rest[:3, :3], rest[:3, 3] = turn @ rest[:3, :3], head
            bones.append(replace(bone, rest=tuple(rest.reshape(-1).tolist()), tail=tail))
        rig = replace(self.rig, bones=tuple(bones))
        return replace(self, rig=rig, turns=self.turns @ np.swapaxes(still, -1, -2))


def rate_of(rate_hz: float) -> Fraction:
    """Return the usual rate that a rounded one means: whole, over 1.001, or as it is."""
    for base, off in ((Fraction(1), _WHOLE), (Fraction(1000, 1001), _NTSC)):
        whole = round(rate_hz / base)
        if whole and abs(float(whole * base) / rate_hz - 1) < off:
            return whole * base
    return Fraction(rate_hz).limit_denominator(100_000)


def up_of(places: FloatArray) -> tuple[str, float]:
    """Return the axis, ``y`` or ``z``, that a body stands along, and how far it reaches along that.

    Parameters
    ----------
    places
        (..., J, 3), the root first.

    Notes
    -----
    Arms that are held out reach as far as the body is tall, but to both sides of the root alike.
    """
    reach = np.median(np.ptp(places, axis=-2).reshape(-1, 3), axis=0)
    along = np.sort(places - places[..., :1, :], axis=-2)
    uneven = np.abs(along + along[..., ::-1, :]).mean(axis=-2).reshape(-1, 3)
    y, z = np.where(reach < _SLIM * reach[1:].max(), 0.0, np.median(uneven, axis=0))[1:].tolist()
    return ("y", float(reach[1])) if y >= z else ("z", float(reach[2]))


def unit_of(height: float) -> tuple[float, str]:
    """Return metres per unit of somebody so tall, and a sentence that says what was guessed."""
    for name, metres in _UNITS_M.items():
        if _PEOPLE_M[0] <= height * metres <= _PEOPLE_M[1]:
            return metres, f"The file names no unit; {height:.4g} units from foot to crown are {name}."
    metres = _USUAL_M / max(height, 1e-9)
    return metres, (
        f"The file names no unit, and {height:.4g} units from foot to crown are no person's in any; "
        f"{_USUAL_M:g} m were assumed."
    )
