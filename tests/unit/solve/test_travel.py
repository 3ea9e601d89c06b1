"""A camera that travels: what it sees is the same world, and what is not known of its way, steps tell."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pose_server.pipeline.boundary import CameraPath
from pose_server.pipeline.camera import project
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.solve.clip import arranged, fit_people, solve_clip
from pose_server.solve.travel import Soles, way_of
from scipy.spatial.transform import Rotation

RATE_HZ = 30.0


def dolly(frames, speed_m_s=0.8):
    """A camera on a rail that runs along and into the picture, panning to and fro."""
    t = np.arange(frames) / RATE_HZ
    places = np.stack([speed_m_s * t, 0.05 * np.sin(5 * t), 0.4 * speed_m_s * t], axis=1)
    turns = Rotation.from_rotvec(0.15 * np.sin(t)[:, None] * [0.2, 1.0, 0.1]).as_matrix()
    return turns, places


def orbit(frames, angle_rad, distance_m=5.0):
    """A camera that goes around what is ahead of it, and looks there."""
    angle = np.linspace(0, angle_rad, frames)
    turns = Rotation.from_rotvec(angle[:, None] * [0.0, 1.0, 0.0]).as_matrix()
    ahead = np.array([0.0, 0.0, distance_m])
    return turns, ahead - turns.transpose(0, 2, 1) @ ahead


def filmed(take, turns, places):
    """Return the take as a camera sees it that leaves the place of its first frame."""
    points = take.pose.joints_root_m + take.pose.root_camera_m[:, None]
    seen = (points - places[:, None]) @ np.swapaxes(turns, 1, 2)
    root = ((take.pose.root_camera_m - places)[:, None] @ np.swapaxes(turns, 1, 2))[:, 0]
    return take.seen(
        keypoints_px=project(seen, take.camera.matrix),
        joints_root_m=seen - root[:, None],
        root_camera_m=root,
    )


def solved(take, path, **options):
    (motion,) = solve_clip(
        [take.track],
        [take.pose],
        take.camera,
        rate=take.rate,
        fps=None,
        options=SolveOptions(**options),
        progress=SilentProgress(),
        path=path,
    )
    return motion


def path_of(take, turns, places, **known):
    return CameraPath(take.track.indices, turns, places, **known)


@pytest.fixture(scope="module")
def walking(studio):
    return studio.walk(seconds=4.0, distance_m=6.0)


@pytest.mark.parametrize("move", [dolly, lambda frames: orbit(frames, 2.6, 6.0)], ids=["dolly", "orbit"])
def test_a_travelling_camera_sees_the_same_motion(walking, studio, move):
    turns, places = move(len(walking.track))
    take = filmed(walking, turns, places)
    height_m = studio.body.height_m
    still = solved(walking, None, height_m=height_m)
    moving = solved(take, path_of(take, turns, places, metric=True), height_m=height_m)
    off = np.linalg.norm(moving.joints_world_m - still.joints_world_m, axis=2)
    print(height_m, np.linalg.norm(moving.joints_world_m - still.joints_world_m, axis=2).mean(axis=1)[::10].round(3)); print(off.mean(), off.max(), np.nanmedian(moving.reprojection_px), np.nanmedian(still.reprojection_px))
