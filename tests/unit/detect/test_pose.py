from __future__ import annotations

import numpy as np
import pytest
from pose_server.detect.networks import LandmarkNetwork, Landmarks
from pose_server.detect.pose import Pose, PoseReader
from pose_server.detect.roi import Picture, Roi
from pose_shared.skeleton import BLAZEPOSE_33

MIRROR = np.array([*BLAZEPOSE_33.mirror, *range(33, 39)])
PICTURE = Picture(np.zeros((400, 400, 3), np.uint8))
WHOLE = Roi(200.0, 200.0, 400.0, 0.0)


def look(seed: int = 0) -> Landmarks:
    """Some pose, alignment points upright in the middle."""
    random = np.random.default_rng(seed)
    points = random.uniform(0.1, 0.9, (39, 2))
    points[33], points[34] = (0.5, 0.5), (0.5, 0.1)
    world_m = random.normal(0, 0.4, (39, 3))
    return Landmarks(points, np.full(39, 0.9), np.full(39, 0.8), world_m, 0.95)


def mirrored(seen: Landmarks) -> Landmarks:
    return Landmarks(
        (seen.points * (-1, 1) + (1, 0))[MIRROR],
        seen.visibility[MIRROR],
        seen.presence[MIRROR],
        (seen.world_m * (-1, 1, 1))[MIRROR],
        seen.score,
    )


class ScriptedNetwork:
    """Answers with what it is told, in turn."""

    def __init__(self, *answers: Landmarks) -> None:
        self.answers = list(answers)

    def look(self, crops: object) -> list[Landmarks]:
        return [self.answers.pop(0) for _ in crops]  # type: ignore[attr-defined]


def read(*answers: Landmarks, roi: Roi = WHOLE, expected: Pose | None = None) -> Pose:
    reader = PoseReader(ScriptedNetwork(*answers), mirrored=len(answers) > 1)  # type: ignore[arg-type]
    return reader.read(PICTURE, [roi], [expected])[0]


def test_a_mirrored_view_that_agrees_changes_nothing() -> None:
    seen = look()
    pose, single = read(seen, mirrored(seen)), read(seen)
    assert pose.keypoints_px == pytest.approx(single.keypoints_px)
    assert pose.landmarks_m == pytest.approx(single.landmarks_m)
    assert pose.confidence == pytest.approx(np.full(33, 0.9))
    assert pose.keypoints_px == pytest.approx(400 * seen.points[:33])


def test_views_that_differ_a_little_are_averaged() -> None:
    seen, other = look(), look()
    other.points[:] += (0.01, 0.0)
    pose = read(seen, mirrored(other))
    assert pose.keypoints_px == pytest.approx(400 * (seen.points[:33] + np.array([0.005, 0])))
    assert 0.8 < pose.confidence.min() < 0.9


@pytest.mark.parametrize(
    "swapped_joints",
    [
        ("shoulder", "hip"),
        ("elbow", "wrist", "pinky", "index", "thumb"),
        ("knee", "ankle", "heel", "toe"),
        ("shoulder", "hip", "elbow", "wrist", "pinky", "index", "thumb", "knee", "ankle", "heel", "toe"),
    ],
    ids=["trunk", "arms", "legs", "body"],
)
def test_swapped_sides_are_taken_from_the_view_that_goes_on_as_before(
    swapped_joints: tuple[str, ...],
) -> None:
    rows = [i for i, name in enumerate(BLAZEPOSE_33.joints) if name.endswith(swapped_joints)]
    seen, swapped = look(), look()
    other_side = np.array([BLAZEPOSE_33.mirror[i] for i in rows])
    swapped.points[rows], swapped.world_m[rows] = seen.points[other_side], seen.world_m[other_side]
    before = read(seen)
    for views in ((swapped, mirrored(seen)), (seen, mirrored(swapped))):
        pose = read(*views, expected=before)
        assert pose.landmarks_m == pytest.approx(before.landmarks_m)
        assert pose.keypoints_px == pytest.approx(before.keypoints_px)
        others = [i for i in range(33) if i not in rows]
        assert pose.confidence[rows].max() < 0.5 < pose.confidence[others].min()


def test_without_a_pose_before_all_comes_from_one_view() -> None:
    seen, other = look(), look(seed=1)
    other.visibility[:] = 0.7
    assert read(seen, mirrored(other)).keypoints_px == pytest.approx(read(seen).keypoints_px)


def test_points_outside_the_picture_are_doubted() -> None:
    seen = look()
    pose = read(seen, roi=Roi(0.0, 200.0, 400.0, 0.0))
    outside = pose.keypoints_px[:, 0] < 0
    assert outside.any()
    assert not outside.all()
    assert pose.confidence[outside] == pytest.approx(0.9 * 0.8)
    assert pose.confidence[~outside] == pytest.approx(0.9)


def test_world_points_turn_back_with_the_crop() -> None:
    seen = look()
    pose = read(seen, roi=Roi(200.0, 200.0, 400.0, np.pi / 2))
    # Upright in the crop is towards the picture's right: what was up (-y) is now +x.
    assert pose.landmarks_m[:, 0] == pytest.approx(-seen.world_m[:33, 1])
    assert pose.landmarks_m[:, 1] == pytest.approx(seen.world_m[:33, 0])
    assert pose.landmarks_m[:, 2] == pytest.approx(seen.world_m[:33, 2])


def test_a_square_that_is_far_off_is_set_anew() -> None:
    far, near = look(), look()
    far.points[33], far.points[34] = (0.9, 0.5), (0.9, 0.1)
    reader = PoseReader(ScriptedNetwork(far, mirrored(far), near, mirrored(near)), mirrored=True)  # type: ignore[arg-type]
    pose = reader.read(PICTURE, [WHOLE])[0]
    assert pose.roi.x == pytest.approx(360.0)
    assert pose.keypoints_px == pytest.approx(
        Roi.from_points(np.array([360.0, 200.0]), np.array([360.0, 40.0])).to_px(near.points[:33])
    )


def test_sureness_forgives_a_hidden_half_and_score_does_not() -> None:
    half = look()
    half.visibility[
        [
            BLAZEPOSE_33.index(f"{side}_{joint}")
            for side in ("left", "right")
            for joint in ("hip", "knee", "ankle")
        ]
    ] = 0.02
    pose = read(half)
    assert pose.sureness == pytest.approx(0.95 * 0.9)
    assert pose.score == pytest.approx(0.95 * (6 * 0.9 + 6 * 0.02) / 12)


def test_distances_of_poses() -> None:
    pose = read(look())
    moved = Pose(pose.keypoints_px + 40.0, pose.confidence, pose.landmarks_m, 1.0, pose.roi)
    assert pose.gap(pose) == 0
    assert pose.gap(moved) == pytest.approx(np.hypot(40, 40) / pose.roi.side)
    assert pose.share_on(pose) > 0.5
    away = Pose(pose.keypoints_px + 4000.0, pose.confidence, pose.landmarks_m, 1.0, pose.roi)
    assert pose.share_on(away) == 0
    assert pose.has_head_of(pose)
    assert not pose.has_head_of(away)
    hidden = Pose(pose.keypoints_px, np.full(33, 0.1), pose.landmarks_m, 1.0, pose.roi)
    assert not pose.has_head_of(hidden)
    assert pose.share_on(hidden) == 0


@pytest.mark.reference
def test_a_real_person_is_read_where_they_stand(
    landmark_network: LandmarkNetwork, person_picture: np.ndarray
) -> None:
    reader = PoseReader(landmark_network, mirrored=True)
    height, width = person_picture.shape[:2]
    pose = reader.read(Picture(person_picture), [Roi(width / 2, height / 2, 800.0, 0.0)])[0]
    pose = reader.read(Picture(person_picture), [pose.roi])[0]
    assert pose.presence > 0.95
    assert pose.score > 0.8
    assert (pose.keypoints_px > 0).all()
    assert (pose.keypoints_px < (width, height)).all()
    hips_m = pose.landmarks_m[[BLAZEPOSE_33.index("left_hip"), BLAZEPOSE_33.index("right_hip")]]
    assert np.linalg.norm(hips_m.mean(axis=0)) < 0.05
    assert 0.15 < np.linalg.norm(hips_m[0] - hips_m[1]) < 0.35


@pytest.mark.reference
def test_a_person_upside_down_has_the_same_pose_turned(
    landmark_network: LandmarkNetwork, person_picture: np.ndarray
) -> None:
    reader = PoseReader(landmark_network, mirrored=True)
    height, width = person_picture.shape[:2]
    upright = reader.read(Picture(person_picture), [Roi(width / 2, height / 2, 800.0, 0.0)])[0]
    upright = reader.read(Picture(person_picture), [upright.roi])[0]
    over = np.ascontiguousarray(person_picture[::-1, ::-1])
    where = Roi(width - upright.roi.x, height - upright.roi.y, upright.roi.side, upright.roi.angle + np.pi)
    turned = reader.read(Picture(over), [where])[0]
    apart = np.linalg.norm((width, height) - turned.keypoints_px - upright.keypoints_px, axis=1)
    assert apart.max() < 0.02 * upright.roi.side
    assert turned.landmarks_m * (-1, -1, 1) == pytest.approx(upright.landmarks_m, abs=0.05)
