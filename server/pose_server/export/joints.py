"""A motion as joints with Euler angles in centimetres, as Maya has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InternalError
from scipy.spatial.transform import Rotation

from pose_server.export.animation import Y_UP, Animation, animation_of
from pose_server.export.bones import rest_bones
from pose_server.export.camera_view import CameraView
from pose_server.export.euler import continuous_euler_deg
from pose_server.export.quaternions import quaternions, turned
from pose_server.pipeline.boundary import FloatArray, Motion

__all__ = ["CAMERA_ORDERS", "Joint", "JointCurves", "joint_curves", "person_curves"]

#: By the axis that points up: turning about it comes last, so that pans are one curve, and a camera
#: that looks ahead is far from where two of its angles mean the same.
CAMERA_ORDERS = {"y": "zxy", "z": "xyz"}
#: Heading last, for a pelvis turns about its x without bound; twist first for all others.
_ROOT_ORDER, _ORDER = "zyx", "xyz"
_CM = 100.0


@dataclass(frozen=True)
class Joint:
    """A joint at rest."""

    name: str
    parent: int
    """Index, -1 for the root."""
    translate_cm: tuple[float, float, float]
    """In the parent's axes at rest, the root's in the world."""
    orient_rad: tuple[float, float, float]
    """Axes at rest: turned about the parent's x, then its y, then its z."""
    rotation_order: str
    """Letters of the axes in the order in which they turn a vector."""
    length_cm: float
    """To the end of the bone."""


@dataclass(frozen=True, repr=False)
class JointCurves:
    """Joints, and what they do: one float32 curve for each angle, and each coordinate that moves."""

    joints: tuple[Joint, ...]
    camera_order: str
    channels: Mapping[str, NDArray[np.float32]]
    """(T,) each: ``<joint>/rotate/x|y|z`` in radians; ``<joint>/translate/x|y|z`` in cm of joints that move,
    in the parent's axes; ``camera/translate/x|y|z`` and ``camera/rotate/x|y|z``; of persons
    ``<joint>/confidence`` and ``contact/<name>``."""

    def __post_init__(self) -> None:
        shapes = {values.shape for values in self.channels.values()}
        if len(shapes) != 1 or any(values.dtype != np.float32 for values in self.channels.values()):
            raise InternalError(
                f"JointCurves.channels: expected float32 of one length, got {shapes}", reason="BAD_BOUNDARY"
            )


def joint_curves(animation: Animation, *, up: str, rest_axes: FloatArray | None = None) -> JointCurves:
    """Return an animation as joints.

    Parameters
    ----------
    animation
        Z up, metres.
    up
        ``y`` or ``z``.
    rest_axes
        (J, 3, 3) axes in its world of z up, as columns, that the joints shall have at rest; their own when
        None.

    Notes
    -----
    With R the turn of a joint away from rest in the axes of the world, as `Animation.unrotated` has it, A
    its axes at rest and A_p its parent's, its orientation is A_p^-1 A and its rotation A^-1 R A.
    """
    if rest_axes is None:
        rest_axes = animation.rest_world()[1]
    moving = animation.unrotated()
    if up == "y":
        moving, rest_axes = moving.in_axes(Y_UP), Y_UP @ rest_axes
    above = np.concatenate([np.eye(3)[None], rest_axes])[moving.parents + 1]
    orients = np.swapaxes(above, 1, 2) @ rest_axes
    translations = np.einsum("jik,ji->jk", above, moving.rest_translations_m) * _CM
    angles = Rotation.from_matrix(orients).as_euler("xyz", suppress_warnings=True)
    local = turned(moving.local_rotations_wxyz, np.swapaxes(rest_axes, 1, 2))
    joints: list[Joint] = []
    channels: dict[str, FloatArray] = {}
    for index, name in enumerate(moving.joint_names):
        order = _ORDER if moving.parents[index] >= 0 else _ROOT_ORDER
        joints.append(
            Joint(
                name=name,
                parent=int(moving.parents[index]),
                translate_cm=_triple(translations[index]),
                orient_rad=_triple(angles[index]),
                rotation_order=order,
                length_cm=float(np.linalg.norm(moving.tips_m[index])) * _CM,
            )
        )
        channels |= _turning(name, local[:, index], order)
        if index in moving.translations_m:
            channels |= _going(name, moving.translations_m[index] @ above[index] * _CM)
    if moving.camera is not None:
        channels |= _camera_curves(moving.camera, len(moving), CAMERA_ORDERS[up])
    return JointCurves(tuple(joints), CAMERA_ORDERS[up], _as_float32(channels))


def person_curves(motion: Motion, *, up: str) -> JointCurves:
    """Return a person's motion as joints whose x runs along the bone and whose z is the hinge."""
    # Bones have y along and x for the hinge.
    axes = np.stack([bone.axes[:, [1, 2, 0]] for bone in rest_bones(motion)])
    curves = joint_curves(animation_of(motion), up=up, rest_axes=axes)
    channels = {
        f"{name}/confidence": motion.confidence[:, index] for index, name in enumerate(motion.joint_names)
    }
    channels |= {f"contact/{name}": motion.contacts[:, i] for i, name in enumerate(motion.contact_names)}
    return JointCurves(curves.joints, curves.camera_order, {**curves.channels, **_as_float32(channels)})


def _turning(name: str, wxyz: FloatArray, order: str) -> dict[str, FloatArray]:
    # About fixed axes in one order is about turning ones in the reverse.
    angles = np.radians(continuous_euler_deg(wxyz, order[::-1].upper()))
    return {f"{name}/rotate/{axis}": angles[:, i] for i, axis in enumerate(order[::-1])}


def _going(name: str, places: FloatArray) -> dict[str, FloatArray]:
    return {f"{name}/translate/{axis}": places[:, i] for i, axis in enumerate("xyz")}


def _camera_curves(camera: CameraView, count: int, order: str) -> dict[str, FloatArray]:
    poses = camera.poses
    curves = _turning("camera", quaternions(poses[:, :3, :3]), order)
    curves |= _going("camera", poses[:, :3, 3] * _CM)
    return {name: np.broadcast_to(values, (count,)) for name, values in curves.items()}


def _as_float32(channels: Mapping[str, FloatArray]) -> dict[str, NDArray[np.float32]]:
    return {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in channels.items()}


def _triple(values: FloatArray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
