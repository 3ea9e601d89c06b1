"""A motion as a rig takes it: keys for its bones and controls, and for its switches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from pose_shared.rig import Rig, Switch
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray, check_arrays
from pose_server.pipeline.kinematics import same_hemisphere
from pose_server.retarget.posing import Posed

__all__ = ["RigMotion", "keyed"]


@dataclass(frozen=True, repr=False)
class RigMotion:
    """Keys of N bones through T frames.

    A bone's pose is its parent's pose, times its rest relative to the parent's rest, times its keys:
    first turned, then moved, both in its own axes at rest, as in Blender.  Bones that are not keyed rest.
    """

    rig: Rig
    rate: Fraction
    times_s: FloatArray
    """(T,)."""
    bones: tuple[str, ...]
    rotations_wxyz: FloatArray
    """(T, N, 4), neighbours in one hemisphere."""
    locations: FloatArray
    """(T, N, 3) in the rig's unit."""
    moves: tuple[bool, ...]
    """(N,) whether a bone's location is keyed, too."""
    switches: Mapping[Switch, float]
    """Values that hold throughout."""

    def __post_init__(self) -> None:
        check_arrays(
            self,
            times_s=("f", ("T",)),
            rotations_wxyz=("f", ("T", len(self.bones), 4)),
            locations=("f", ("T", len(self.bones), 3)),
        )

    def __len__(self) -> int:
        return len(self.times_s)


def keyed(pose: Posed, *, rate: Fraction, times_s: FloatArray) -> RigMotion:
    """Return what a host writes for a pose.

    Notes
    -----
    With L0 a bone's rest relative to its parent's, G its turn from the world and h its head, the keys are
    L0^-1 (G_parent^-1 G) and L0^-1 (G_parent^-1 (h - h_parent) - l0).  A parent that is not posed moves with
    the nearest one that is.
    """
    character = pose.character
    rig = character.rig
    rotations, locations, names, moves = [], [], [], []
    # Feet are animated by IK, hands by FK, as animators have it; both are keyed.
    feet = [character.bones[f"{side}_ankle"] for side in ("left", "right")]
    for column, place in enumerate(pose.mapped):
        bone = rig.bones[place]
        if not bone.keys:
            continue
        rest = character.rest_turns[place]
        own = pose.turns[:, column] @ rest
        carrier = int(pose.above[column])
        turn = pose.turns[:, carrier] if carrier >= 0 else np.eye(3)
        if carrier >= 0:
            at_rest = character.rest_heads_m[place] - character.rest_heads_m[pose.mapped[carrier]]
            base = pose.heads_m[:, carrier] + turn @ at_rest
        else:
            base = np.broadcast_to(character.rest_heads_m[place], pose.heads_m[:, column].shape)
        # All of the rig that stands between the bone and its carrier rests, so the bone's frame is its own
        # rest carried along.
        basis = np.swapaxes(turn @ rest, -1, -2) @ own
        away = pose.heads_m[:, column] - base
        axes = rest
        if bone.location_axes is not None:
            axes = character.from_rig @ np.reshape(bone.location_axes, (3, 3))
        location = np.einsum("...ji,...j->...i", turn @ axes, away) / rig.metres_per_unit
        rotations.append(Rotation.from_matrix(basis).as_quat(scalar_first=True))
        locations.append(location)
        names.append(bone.name)
        moves.append("location" in bone.keys and bool(np.abs(away).max(initial=0.0) > 1e-6))
    return RigMotion(
        rig=rig,
        rate=rate,
        times_s=times_s,
        bones=tuple(names),
        rotations_wxyz=same_hemisphere(np.stack(rotations, axis=1)),
        locations=np.stack(locations, axis=1),
        moves=tuple(moves),
        switches={
            chain.switch: chain.switch.ik if chain.end in feet else chain.switch.fk
            for chain in rig.chains
            if chain.switch is not None
        },
    )
