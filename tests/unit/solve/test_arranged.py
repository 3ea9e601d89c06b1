"""What can be asked of fitted people, again and again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pose_server.export.bones import rest_bones
from pose_server.pipeline.boundary import CameraPath
from pose_server.pipeline.camera import project, rays
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.solve.clip import arranged, fit_people, solve_clip
from pose_server.solve.contacts import SOLES
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="module")
def fitted(walking):
    return fit_people(
        [walking.track], [walking.pose], walking.camera, rate=walking.rate, progress=SilentProgress()
    )


def asked(walking, fitted, **options):
    (motion,) = arranged(
        fitted,
        walking.camera,
        rate=walking.rate,
        fps=None,
        options=SolveOptions(**options),
        progress=SilentProgress(),
    )
    return motion


def test_the_height_given_is_the_actors(walking, fitted):
    usual, tall = asked(walking, fitted), asked(walking, fitted, height_m=2.0)
    factor = 2.0 / fitted[0].body.height_m
    heights = [z for bone in rest_bones(tall) for z in (bone.head_m[2], bone.tail_m[2])]
    assert max(heights) - min(heights) == pytest.approx(2.0)
    np.testing.assert_allclose(tall.rest_offsets_m, factor * usual.rest_offsets_m)
    # As much farther away, so that it lies on the film as before.
    np.testing.assert_allclose(tall.root_camera_m, factor * usual.root_camera_m, rtol=0.02)
    assert abs(np.nanmedian(tall.reprojection_px) - np.nanmedian(usual.reprojection_px)) < 1


def test_without_contacts_nothing_is_held(studio):
    """Somebody who drifts by 6 cm in two seconds with both feet on the floor."""
    root = studio.standing_root(60) + np.linspace(0, 0.06, 60)[:, None] * [1.0, 0.0, 0.0]
    take = studio.film(studio.posed(60, left_shoulder=(0, 70, 0), right_shoulder=(0, -70, 0)), root)
    people = fit_people([take.track], [take.pose], take.camera, rate=take.rate, progress=SilentProgress())
    held, free = asked(take, people), asked(take, people, contacts="never", floor="none")
    assert held.contacts[:, :SOLES].mean() > 0.9
    assert not held.contacts[:, SOLES:].any() and not free.contacts.any()
    toe = SKELETON.index("left_toe")
    slides = [
        np.linalg.norm(np.diff(motion.joints_world_m[5:-5, toe], axis=0), axis=1).mean()
        for motion in (held, free)
    ]
    assert slides[0] < 3e-4 and slides[1] > 5e-4


def test_feet_out_of_the_picture_do_not_hold_the_body(studio):
    """Framed to the hips, somebody crouches: the lifter says out of habit that feet stand."""
    root = studio.standing_root(60) - 0.15 * (1 - np.cos(np.linspace(0, 4 * np.pi, 60)))[:, None] * [
        0,
        0,
        1.0,
    ]
    take = studio.film(studio.posed(60, left_shoulder=(0, 70, 0), right_shoulder=(0, -70, 0)), root)
    legs = ("knee", "ankle", "heel", "toe", "foot")
    below = [i for i, name in enumerate(take.track.keypoint_names) if any(part in name for part in legs)]
    confidence = take.track.keypoint_confidence.copy()
    confidence[:, below] = 0.0
    track = dataclasses.replace(take.track, keypoint_confidence=confidence)
    pose = dataclasses.replace(take.pose, contacts=np.full((60, SOLES), 0.95))
    people = fit_people([track], [pose], take.camera, rate=take.rate, progress=SilentProgress())
    motion = asked(take, people)
    assert not motion.contacts[:, :SOLES].any()
    head = SKELETON.index("head")
    np.testing.assert_allclose(np.ptp(motion.joints_world_m[:, head, 2]), 0.3, atol=0.06)
    seen = fit_people([take.track], [pose], take.camera, rate=take.rate, progress=SilentProgress())
    assert asked(take, seen).contacts[:, :SOLES].any()


def test_asking_changes_nothing_of_the_fit(walking, fitted):
    before = fitted[0].local_wxyz.copy()
    first = asked(walking, fitted)
    asked(walking, fitted, smoothing=1.0, height_m=1.5)
    np.testing.assert_array_equal(fitted[0].local_wxyz, before)
    np.testing.assert_array_equal(asked(walking, fitted).local_rotations_wxyz, first.local_rotations_wxyz)


def test_the_film_backwards_gives_the_motion_backwards(walking, studio):
    def backwards(part):
        flipped = {
            field.name: value[::-1].copy()
            for field in dataclasses.fields(part)
            if isinstance(value := getattr(part, field.name), np.ndarray)
            and field.name not in ("indices", "times_s")
        }
        return dataclasses.replace(part, **flipped)

    reverse = dataclasses.replace(walking, track=backwards(walking.track), pose=backwards(walking.pose))
    forth, back = walking.solved(), reverse.solved()
    away = np.linalg.norm(forth.joints_camera_m - back.joints_camera_m[::-1], axis=2)
    assert away.max() < 0.02 and away.mean() < 0.003


def test_a_turning_camera_sees_the_same_motion(walking):
    """The walk filmed by a camera that pans, tilts and rolls, and by one that stands still."""
    frames = len(walking.track)
    t = np.linspace(0, 1, frames)
    turns = Rotation.from_euler(
        "yxz", np.stack([15 * t, 5 * np.sin(5 * t), 3 * t], axis=1), degrees=True
    ).as_matrix()

    def turned(points):
        return points @ np.swapaxes(turns, 1, 2)

    seen = turned(rays(walking.track.keypoints_px, walking.camera.matrix))
    track = dataclasses.replace(walking.track, keypoints_px=project(seen, walking.camera.matrix))
    pose = dataclasses.replace(
        walking.pose,
        joints_root_m=turned(walking.pose.joints_root_m),
        root_camera_m=turned(walking.pose.root_camera_m[:, None])[:, 0],
    )
    common = {
        "rate": walking.rate,
        "fps": None,
        "options": SolveOptions(),
        "progress": SilentProgress(),
    }
    path = CameraPath(walking.track.indices, turns)
    (moving,) = solve_clip([track], [pose], walking.camera, path=path, **common)
    still = walking.solved()
    np.testing.assert_allclose(moving.joints_world_m, still.joints_world_m, atol=1e-4)
    assert moving.world_to_camera.shape == (frames, 4, 4)
    # The world's camera lays the skeleton on the film as it was.
    assert np.nanmedian(moving.reprojection_px) < 4
    assert abs(np.nanmedian(moving.reprojection_px) - np.nanmedian(still.reprojection_px)) < 1
