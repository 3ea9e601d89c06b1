"""Captured people through made-up cameras: bodies stay rigid, points are their projections."""

from __future__ import annotations

import numpy as np
import pytest
from made_people import MATRIX
from pose_server.lift.points import HUMAN36M_INPUTS, MPII_INPUTS
from pose_server.train.filming import Studio, filmed_clips
from pose_server.train.motions import MotionSet, Take
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31, H36M_17


def motions(frames: int = 60) -> MotionSet:
    """Somebody stiff, y up, who walks two metres along x; the numbers hardly matter."""
    rng = np.random.default_rng(0)
    body = rng.normal(size=(31, 3)) * 0.3 + [0, 1, 0]
    body[BODY_31.index("left_hip")], body[BODY_31.index("right_hip")] = (0.1, 0.9, 0), (-0.1, 0.9, 0)
    body[BODY_31.index("left_ankle")], body[BODY_31.index("right_ankle")] = (0.1, 0.1, 0), (-0.1, 0.1, 0)
    path = np.linspace(-1, 1, frames)[:, None, None] * np.array([1.0, 0, 0])
    takes = [Take("07_01.1", "07", body + path), Take("08_01.1", "08", body + 5 + path)]
    return MotionSet(tuple(takes), "")


@pytest.mark.parametrize("inputs", [HUMAN36M_INPUTS, MPII_INPUTS])
def test_points_are_projections_and_bodies_stay_rigid(inputs: tuple[str, ...]) -> None:
    clips = filmed_clips(motions(), inputs, Studio(MATRIX, views=3), step=6)
    assert [clip.subject for clip in clips] == ["07"] * 3 + ["08"] * 3
    assert {clip.fps for clip in clips} == {10.0}
    for clip in clips:
        assert clip.points_px.shape == (10, 16, 2)
        assert clip.joints_m.shape == (10, 17, 3)
        wrists = clip.joints_m[:, [H36M_17.index(s + "_wrist") for s in ("left", "right")]]
        flat = wrists[..., :2] / wrists[..., 2:] * MATRIX[[0, 1], [0, 1]] + MATRIX[:2, 2]
        columns = [inputs.index(s + "_wrist") for s in ("left", "right")]
        np.testing.assert_allclose(clip.points_px[:, columns], flat)
        apart = np.linalg.norm(wrists[:, 0] - wrists[:, 1], axis=1)
        np.testing.assert_allclose(apart, apart[0])


def test_people_stand_upright_before_each_camera() -> None:
    for clip in filmed_clips(motions(), HUMAN36M_INPUTS, Studio(MATRIX, views=4)):
        down = clip.joints_m[:, H36M_17.index("left_ankle")] - clip.joints_m[:, H36M_17.index("left_hip")]
        assert (down[:, 1] > 0.75).all(), "y is down"
        assert (np.linalg.norm(down, axis=1) == pytest.approx(0.8)) is True
        assert 1.5 < clip.joints_m[:, 0, 2].mean() < 7.5


def test_cameras_stand_around_and_a_seed_places_them() -> None:
    studio = Studio(MATRIX, views=2, pitch_deg=(0, 0))
    one, other = filmed_clips(motions(), HUMAN36M_INPUTS, studio)[:2]
    step = [clip.joints_m[-1, 0] - clip.joints_m[0, 0] for clip in (one, other)]
    np.testing.assert_allclose(step[0], -step[1], atol=1e-6)
    again = filmed_clips(motions(), HUMAN36M_INPUTS, studio)[0]
    np.testing.assert_array_equal(again.points_px, one.points_px)
    moved = filmed_clips(motions(), HUMAN36M_INPUTS, studio, seed=1)[0]
    assert np.abs(moved.points_px - one.points_px).max() > 1


def test_who_stands_behind_every_camera_cannot_be_filmed() -> None:
    with pytest.raises(InputError, match="No take of the motion set can be filmed"):
        filmed_clips(motions(), HUMAN36M_INPUTS, Studio(MATRIX, nearest_m=-9, farthest_m=-8))
