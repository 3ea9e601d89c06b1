"""A motion on a rig as a host writes it: a row of numbers per channel."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from typing import Dict, Mapping, Tuple

from pose_shared.rig import Setting

__all__ = ["KeyedBone", "RigChannels"]


@dataclass(frozen=True)
class KeyedBone:
    """A bone or control that moves.

    Attributes
    ----------
    rotation
        How it is keyed: ``quaternion``, or the order of its Euler angles as in `pose_shared.rig.ROTATIONS`.
    moves
        Whether its location is keyed, too.
    """

    name: str
    rotation: str
    moves: bool


@dataclass(frozen=True)
class RigChannels:
    """One person's motion on a rig, ready to key.

    Attributes
    ----------
    rate
        Rows per second.
    frame_count
        Rows of every channel.
    start_time_s
        Of the first row, after the clip's first frame.
    bones
        What moves.
    settings
        Custom properties, the same throughout.
    source_rate
        Frames per second of the source film.
    first_source_frame
        Source frame nearest to the first row.
    roles
        Which bones were taken for which parts of the body.
    kind, confidence
        What kind of rig it was taken for, empty for none that is known, and how sure that map is, 0 to 1.
    notes
        What a user should know of how the rig was understood.
    channels
        float32 per row: ``<bone>/rotation/w|x|y|z`` of quaternions, ``<bone>/rotation/x|y|z`` of angles in
        radians, ``<bone>/location/x|y|z`` in the rig's unit; all in the bone's own axes at rest.
    """

    rate: Fraction
    frame_count: int
    start_time_s: float
    bones: Tuple[KeyedBone, ...]
    settings: Tuple[Setting, ...]
    channels: Dict[str, array[float]]
    source_rate: Fraction
    first_source_frame: int
    roles: Mapping[str, Tuple[str, ...]]
    kind: str = ""
    confidence: float = 1.0
    notes: Tuple[str, ...] = ()
