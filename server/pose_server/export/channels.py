"""A motion as a host writes it: bones of a T-pose and one curve of keys per property."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InternalError

from pose_server.export.bones import Bone, rest_bones
from pose_server.export.camera_view import CameraView, camera_view
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.kinematics import same_hemisphere
from pose_server.pipeline.weak_spans import WeakSpan, weak_spans

__all__ = ["HostMotion", "host_channels"]


@dataclass(frozen=True, repr=False)
class HostMotion:
    """One person's motion on an armature that stands at the world's origin, unrotated, unscaled.

    Field for field a ``MotionHeader`` with its channels.
    """

    clip_name: str
    person: int
    """Counted from 1."""
    rate: Fraction
    frame_count: int
    start_time_s: float
    """Of the first row, after the clip's first frame; the rows follow at `rate`."""
    first_source_frame: int
    bones: tuple[Bone, ...]
    camera: CameraView
    contact_names: tuple[str, ...]
    weak_spans: tuple[WeakSpan, ...]
    """Where the motion is more guessed than seen."""
    channels: Mapping[str, NDArray[np.float32]]
    """(T,) each: ``<bone>/rotation/w|x|y|z``, ``<root>/location/x|y|z``, ``<bone>/confidence``,
    ``contact/<name>``."""

    def __post_init__(self) -> None:
        for name, values in self.channels.items():
            if values.shape != (self.frame_count,) or values.dtype != np.float32:
                raise InternalError(
                    f"HostMotion.channels[{name!r}]: expected ({self.frame_count},) float32, "
                    f"got {values.shape} {values.dtype}",
                    reason="BAD_BOUNDARY",
                )


def host_channels(motion: Motion, *, clip_name: str, person: int) -> HostMotion:
    """Return a motion as bones and float32 curves.

    Parameters
    ----------
    motion
        Of one person.
    clip_name
        What the user calls the clip.
    person
        Counted from 1.

    Notes
    -----
    A bone's pose is its parent's pose, times its rest relative to the parent's rest, times its
    basis, as in Blender.  With B the bone's rest axes in the armature and R its joint's local
    rotation, the basis is B^-1 R B, whose quaternion is R's with the vector part turned by B^-1.
    The root's location is B^-1 (root - rest head).
    """
    bones = rest_bones(motion)
    rotations = same_hemisphere(motion.local_rotations_wxyz.astype(np.float64))
    curves: dict[str, NDArray[np.floating[Any]]] = {}
    for joint, bone in enumerate(bones):
        if bone.parent < 0:
            location = (motion.root_world_m - np.asarray(bone.head_m)) @ bone.axes
            curves |= {f"{bone.name}/location/{axis}": location[:, i] for i, axis in enumerate("xyz")}
        vector = rotations[:, joint, 1:] @ bone.axes
        curves[f"{bone.name}/rotation/w"] = rotations[:, joint, 0]
        curves |= {f"{bone.name}/rotation/{axis}": vector[:, i] for i, axis in enumerate("xyz")}
        curves[f"{bone.name}/confidence"] = motion.confidence[:, joint]
    curves |= {f"contact/{name}": motion.contacts[:, i] for i, name in enumerate(motion.contact_names)}

    return HostMotion(
        clip_name=clip_name,
        person=person,
        rate=motion.rate,
        frame_count=len(motion),
        start_time_s=float(motion.times_s[0]),
        first_source_frame=int(motion.frames[0]),
        bones=bones,
        camera=camera_view(motion),
        contact_names=motion.contact_names,
        weak_spans=tuple(weak_spans(motion)),
        channels={name: np.ascontiguousarray(values, dtype=np.float32) for name, values in curves.items()},
    )
