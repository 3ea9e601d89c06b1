"""The same motion at another rate."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from pose_server.pipeline.kinematics import joint_positions
from pose_server.solve.resample import resampled
from pose_shared.errors import InputError
from scipy.spatial.transform import Rotation


def test_same_rate_is_the_same_object(walked):
    assert resampled(walked, walked.rate) is walked
    assert resampled(walked, Fraction(60, 2)) is walked


@pytest.mark.parametrize("fps", [60, 90, 120])
def test_whole_multiples_keep_every_row(walked, fps):
    factor = fps // 30
    motion = resampled(walked, Fraction(fps))
    assert len(motion) == (len(walked) - 1) * factor + 1
    for field in ("times_s", "root_world_m", "joints_world_m", "joints_camera_m", "confidence", "contacts"):
        assert np.allclose(getattr(motion, field)[::factor], getattr(walked, field), atol=1e-9), field
    dots = np.abs(np.sum(motion.local_rotations_wxyz[::factor] * walked.local_rotations_wxyz, axis=2))
    assert np.allclose(dots, 1, atol=1e-12)
    assert (motion.frames[::factor] == walked.frames).all()


def test_up_and_down_again_is_exact(walked):
    back = resampled(resampled(walked, Fraction(60)), Fraction(30))
    assert np.allclose(back.joints_world_m, walked.joints_world_m, atol=1e-9)
    assert np.allclose(back.times_s, walked.times_s)


def test_odd_rates_stay_exact_over_a_long_clip(walked):
    rate = Fraction(30000, 1001)
    long = dataclasses.replace(walked, rate=rate, times_s=np.arange(len(walked)) * 1001 / 30000)
    motion = resampled(long, Fraction(24))
    assert np.allclose(motion.times_s, np.arange(len(motion)) / 24, atol=1e-12)
    assert long.times_s[-1] - motion.times_s[-1] < 1 / 24


@pytest.mark.parametrize("first", [7, 13, 100])
def test_everybody_shares_the_frames_of_the_receiver(walked, first):
    rate, fps = Fraction(30000, 1001), Fraction(24)
    # As a container rounds its timestamps.
    times_s = np.round((first + np.arange(len(walked))) * 1001 / 30000, 3)
    motion = resampled(dataclasses.replace(walked, rate=rate, times_s=times_s), fps)
    numbers = motion.times_s * 24
    assert np.allclose(numbers, np.round(numbers), atol=0.03)
    assert 0 <= motion.times_s[0] - times_s[0] < 1 / 24
    assert 0 <= times_s[-1] - motion.times_s[-1] < 1 / 24


def test_bones_stay_exact_and_quaternions_continuous(walked):
    motion = resampled(walked, Fraction(47))
    world = joint_positions(
        motion.local_rotations_wxyz, motion.root_world_m, motion.rest_offsets_m, motion.parents.tolist()
    )
    assert np.allclose(world, motion.joints_world_m, atol=1e-12)
    assert np.allclose(np.linalg.norm(motion.local_rotations_wxyz, axis=2), 1)
    assert (np.sum(motion.local_rotations_wxyz[1:] * motion.local_rotations_wxyz[:-1], axis=2) > 0).all()


def test_half_way_is_half_the_turn(walked):
    motion = resampled(walked, Fraction(60))
    knee = walked.joint_names.index("left_knee")
    a, b = (Rotation.from_quat(walked.local_rotations_wxyz[i, knee], scalar_first=True) for i in (10, 11))
    half = Rotation.from_quat(motion.local_rotations_wxyz[21, knee], scalar_first=True)
    assert (a.inv() * half).magnitude() == pytest.approx((a.inv() * b).magnitude() / 2)


def test_missing_evidence_stays_missing(walking):
    motion = walking.without(slice(10, 20)).solved()
    double = resampled(motion, Fraction(60))
    gone = np.isnan(double.keypoints_px).all(axis=(1, 2))
    assert gone[20:39].all()
    assert not gone[:19].any()


def test_moving_camera_moves_along(walked):
    turn = Rotation.from_euler("z", np.linspace(0, 30, len(walked))[:, None], degrees=True).as_matrix()
    cameras = np.tile(walked.world_to_camera, (len(walked), 1, 1))
    cameras[:, :3] = turn @ cameras[:, :3]
    seen = walked.joints_world_m @ cameras[:, :3, :3].transpose(0, 2, 1) + cameras[:, None, :3, 3]
    moving = dataclasses.replace(
        walked, world_to_camera=cameras, joints_camera_m=seen, root_camera_m=seen[:, 0]
    )
    motion = resampled(moving, Fraction(60))
    assert motion.world_to_camera.shape == (len(motion), 4, 4)
    assert np.allclose(motion.joints_camera_m[::2], seen, atol=1e-9)


def test_one_frame(walking):
    motion = walking.rows(slice(0, 1)).solved()
    assert len(resampled(motion, Fraction(60))) == 1


def test_impossible_rate_is_refused(walked):
    with pytest.raises(InputError, match="positive"):
        resampled(walked, Fraction(0))
