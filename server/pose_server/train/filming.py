"""Motion capture as 3d-pose-baseline needs it: through cameras like Human3.6M's, joints like Human3.6M's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31, H36M_17
from scipy.spatial.transform import Rotation

from pose_server.lift.points import network_points
from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.camera import project
from pose_server.train.baseline import PoseClip
from pose_server.train.motions import RATE_HZ, MotionSet

__all__ = ["Studio", "filmed_clips"]

#: World y up to camera y down, looking along the world's -z.
_FLIP = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Studio:
    """Where the cameras of a capture hall stand: still, upright, a little above the people."""

    matrix: FloatArray
    """(3, 3) of every camera."""
    views: int = 4
    """Cameras per take, evenly around from a random start."""
    nearest_m: float = 3.0
    farthest_m: float = 6.5
    pitch_deg: tuple[float, float] = (5.0, 15.0)
    side_m: float = 1.0
    """How far the middle of a take lies from the middle of the view."""


def filmed_clips(
    motions: MotionSet, inputs: Sequence[str], studio: Studio, *, step: int = 6, seed: int = 0
) -> list[PoseClip]:
    """Film every take from every side.

    Parameters
    ----------
    motions
        What was captured.
    inputs
        The points that the network takes; without error, as projections of the truth.
    studio
        The cameras.
    step
        Keep every so manieth frame of 60 a second; neighbours add little to a network of one frame.
    seed
        Of the cameras' places.

    Raises
    ------
    InputError
        No take has a frame in front of a camera (``MOTIONS_MISSING``).

    Notes
    -----
    The clips are labelled with the take as action and the captured person as subject.  A frame in which
    the person comes nearer than half a metre is left out.
    """
    rng = np.random.default_rng(seed)
    clips = []
    for take in motions.takes:
        points = take.points_m[::step].astype(np.float64)
        body = network_points(points, BODY_31.joints, H36M_17.joints)
        seen = network_points(points, BODY_31.joints, inputs)
        middle = body[:, 0].mean(axis=0)
        first = rng.uniform(0, 360)
        for view in range(studio.views):
            yaw = Rotation.from_euler("y", first + 360 * view / studio.views, degrees=True)
            pitch = Rotation.from_euler("x", rng.uniform(*studio.pitch_deg), degrees=True)
            turn = pitch.as_matrix() @ _FLIP @ yaw.as_matrix()
            place = np.array(
                [
                    rng.uniform(-studio.side_m, studio.side_m),
                    rng.uniform(-0.2, 0.3),
                    rng.uniform(studio.nearest_m, studio.farthest_m),
                ]
            )
            joints, ahead = ((x - middle) @ turn.T + place for x in (body, seen))
            kept = (ahead[..., 2] > 0.5).all(axis=1)
            if kept.any():
                clips.append(
                    PoseClip(
                        subject=take.subject,
                        action=take.name,
                        points_px=project(ahead[kept], studio.matrix),
                        joints_m=joints[kept],
                        fps=RATE_HZ / step,
                    )
                )
    if not clips:
        raise InputError(
            "No take of the motion set can be filmed; prepare it again from other captures.",
            reason="MOTIONS_MISSING",
        )
    return clips
