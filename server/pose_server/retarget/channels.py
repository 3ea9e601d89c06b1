"""A retargeted motion as float32 curves, as a host writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pose_shared.rig import Setting
from pose_shared.rig_motion import KeyedBone
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray
from pose_server.retarget.rig_motion import RigMotion

__all__ = ["RigCurves", "rig_curves"]


@dataclass(frozen=True)
class RigCurves:
    """The keys of a rig, each bone's rotation in the form that the rig has it in."""

    bones: tuple[KeyedBone, ...]
    settings: tuple[Setting, ...]
    channels: Mapping[str, NDArray[np.float32]]
    """(T,) each, by the names of `pose_shared.rig_motion.RigChannels`."""


def rig_curves(motion: RigMotion) -> RigCurves:
    """Return the keys of a rig as a host writes them."""
    curves: dict[str, FloatArray] = {}
    bones = []
    for column, name in enumerate(motion.bones):
        rotation = motion.rig.bone(name).rotation
        axes, values = "wxyz", motion.rotations_wxyz[:, column]
        if rotation != "quaternion":
            axes, values = "xyz", _continuous_euler(values, rotation)
        curves |= {f"{name}/rotation/{axis}": values[:, i] for i, axis in enumerate(axes)}
        if motion.moves[column]:
            places = motion.locations[:, column]
            curves |= {f"{name}/location/{axis}": places[:, i] for i, axis in enumerate("xyz")}
        bones.append(KeyedBone(name, rotation, motion.moves[column]))
    switched = tuple(Setting(one.bone, one.name, value) for one, value in motion.switches.items())
    return RigCurves(
        tuple(bones),
        (*motion.rig.settings, *switched),
        {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in curves.items()},
    )


def _continuous_euler(quaternions_wxyz: FloatArray, order: str) -> FloatArray:
    """Return (T, 3) angles about x, y and z, in radians, each row as near as can be to the one before.

    A rotation has two triples of angles, (a, b, c) and (a + pi, pi - b, c + pi) in the order in which they
    turn, and each angle may gain full turns.
    """
    places = ["xyz".index(axis) for axis in order.lower()]
    turned = Rotation.from_quat(quaternions_wxyz, scalar_first=True)
    first = turned.as_euler(order.lower(), suppress_warnings=True)
    second = np.stack([first[:, 0] + np.pi, np.pi - first[:, 1], first[:, 2] + np.pi], axis=1)
    angles = first.copy()
    for row in range(1, len(angles)):
        last = angles[row - 1]
        near = [one[row] + 2 * np.pi * np.round((last - one[row]) / (2 * np.pi)) for one in (first, second)]
        angles[row] = min(near, key=lambda one: float(np.abs(one - last).sum()))
    result: FloatArray = np.empty_like(angles)
    result[:, places] = angles
    return result
