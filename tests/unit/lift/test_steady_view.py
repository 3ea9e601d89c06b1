"""What trembles in the picture alone does not tremble in what is lifted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pose_server.lift.steady_view import lifted_steadily
from pose_server.pipeline.boundary import Camera, CameraPath, Pose3D, Track2D
from pose_server.pipeline.camera import camera_of_clip, project, rays
from scipy.spatial.transform import Rotation

CAMERA = camera_of_clip((1920, 1080), fov_deg=60)
ROWS, POINTS = 90, 5


class Flat:
    """Puts every point 4 m away, where it is seen."""

    name = fingerprint = "flat"

    def __init__(self) -> None:
        self.seen: Track2D | None = None

    def lift(self, track: Track2D, camera: Camera) -> Pose3D:
        self.seen = track
        points = 4.0 * rays(track.keypoints_px, camera.matrix)
        return Pose3D(
            joint_names=tuple("abcde"),
            indices=track.indices,
            times_s=track.times_s,
            joints_root_m=points - points[:, :1],
            uncertainty_m=np.ones((ROWS, POINTS)),
            root_camera_m=points[:, 0],
        )


@pytest.fixture
def still() -> Track2D:
    """Somebody who moves evenly."""
    rng = np.random.default_rng(5)
    points = rng.uniform(400, 700, (1, POINTS, 2)) + np.arange(ROWS)[:, None, None] * [2.0, 0.5]
    return Track2D(
        keypoint_names=tuple("abcde"),
        indices=np.arange(10, 10 + ROWS),
        times_s=np.arange(ROWS) / 30,
        boxes_px=np.tile([0.0, 0, 1, 1], (ROWS, 1)),
        keypoints_px=points,
        keypoint_confidence=np.ones((ROWS, POINTS)),
        landmarks_m=np.full((ROWS, POINTS, 3), np.nan),
    )


def filmed(still: Track2D, turns: np.ndarray) -> tuple[Track2D, CameraPath]:
    seen = rays(still.keypoints_px, CAMERA.matrix) @ np.swapaxes(turns, 1, 2)
    path = CameraPath(still.indices, turns)
    return replace(still, keypoints_px=project(seen, CAMERA.matrix)), path


def shake(track: Track2D) -> float:
    return float(np.abs(np.diff(track.keypoints_px[20:-20], 2, axis=0)).max())


def test_a_trembling_hand_is_not_lifted(still: Track2D) -> None:
    tremble = np.radians(1.5) * np.sin(2 * np.pi * 3 * still.times_s)[:, None] * [0.3, 1.0, 0.5]
    track, path = filmed(still, Rotation.from_rotvec(tremble).as_matrix())
    flat = Flat()
    pose = lifted_steadily(flat, track, CAMERA, path)
    assert flat.seen is not None and shake(track) > 10 and shake(flat.seen) < 0.5
    # In the camera's own axes again, where it was seen.
    points = pose.joints_root_m + pose.root_camera_m[:, None]
    np.testing.assert_allclose(project(points, CAMERA.matrix), track.keypoints_px, atol=1e-6)


def test_a_pan_stays_one_however_far_it_goes(still: Track2D) -> None:
    """One and a half times around, with a jerk that is turned back by 15 degrees at most."""
    angle = np.linspace(0, 3 * np.pi, ROWS)
    angle[ROWS // 2 :] += 1.0
    _, path = filmed(still, Rotation.from_rotvec(angle[:, None] * [0.0, 1.0, 0.0]).as_matrix())
    flat = Flat()
    lifted_steadily(flat, still, CAMERA, path)
    assert flat.seen is not None
    steady = rays(flat.seen.keypoints_px, CAMERA.matrix)
    own = rays(still.keypoints_px, CAMERA.matrix)
    cosine = (steady * own).sum(axis=2) / np.linalg.norm(steady, axis=2) / np.linalg.norm(own, axis=2)
    turned = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    assert turned.max() < 15.01 and turned[20 : ROWS // 2 - 20].max() < 1 and turned[ROWS // 2].min() > 5


def test_a_camera_that_stands_is_left_alone(still: Track2D) -> None:
    flat = Flat()
    lifted_steadily(flat, still, CAMERA, None)
    assert flat.seen is still
