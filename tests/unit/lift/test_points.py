"""Points of any detector, put where each network has learned them; above all, the neck is no spine."""

from __future__ import annotations

import numpy as np
import pytest
from pose_server.lift.points import HUMAN36M_INPUTS, HUMAN36M_INPUTS_17, MPII_INPUTS, network_points
from pose_shared.errors import InputError
from pose_shared.skeleton import (
    BLAZEPOSE_33,
    BODY_25,
    BODY_25B,
    COCO_17,
    COCO_18,
    H36M_17,
    HALPE_26,
    MPII_16,
    JointSet,
)

#: Somebody who stands and faces us, in pixels, y down, one statured 1750 px: by the tables of Winter.
STANDING = {
    "left_hip": (150, 822),
    "right_hip": (-150, 822),
    "left_knee": (150, 1250),
    "right_knee": (-150, 1250),
    "left_ankle": (150, 1680),
    "right_ankle": (-150, 1680),
    "left_shoulder": (170, 318),
    "right_shoulder": (-170, 318),
    "left_elbow": (200, 650),
    "right_elbow": (-200, 650),
    "left_wrist": (210, 900),
    "right_wrist": (-210, 900),
    "left_ear": (75, 117),
    "right_ear": (-75, 117),
    "nose": (0, 130),
}
DETECTORS = (BLAZEPOSE_33, BODY_25, BODY_25B, COCO_17, COCO_18, HALPE_26)


def seen_by(detector: JointSet) -> np.ndarray:
    """(1, K, 2) what a detector reports; a point that no network needs is far off."""
    found = {name: STANDING.get(name, (9e9, 9e9)) for name in detector.joints}
    if "neck" in found and detector in (BODY_25, COCO_18):
        found["neck"] = (0, 318)
    return np.array([[found[name] for name in detector.joints]], dtype=float)


def named(wanted: tuple[str, ...]) -> dict[str, np.ndarray]:
    """What OpenPose sees, by the names of a network."""
    return dict(zip(wanted, network_points(seen_by(BODY_25), BODY_25.joints, wanted)[0], strict=True))


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
@pytest.mark.parametrize("wanted", [HUMAN36M_INPUTS, HUMAN36M_INPUTS_17, MPII_INPUTS])
def test_every_detector_gives_the_same_body(detector: JointSet, wanted: tuple[str, ...]) -> None:
    points = network_points(seen_by(detector), detector.joints, wanted)
    reference = network_points(seen_by(COCO_17), COCO_17.joints, wanted)
    assert points.shape == (1, len(wanted), 2)
    np.testing.assert_allclose(points, reference)
    for name in wanted:
        if name.startswith(("left_", "right_")):
            np.testing.assert_array_equal(points[0, wanted.index(name)], STANDING[name])


def test_the_neck_is_not_the_spine() -> None:
    """Human3.6M from OpenPose: the spine half way up the back, the thorax at the neck, the head above."""
    points = named(HUMAN36M_INPUTS_17)
    assert points["neck"] == pytest.approx((0, 318))
    assert points["pelvis"] == pytest.approx((0, 822))
    below, above = points["pelvis"][1] - points["spine"][1], points["spine"][1] - points["neck"][1]
    assert below / above == pytest.approx(233 / 257)
    assert points["neck"][1] - points["nose"][1] == pytest.approx(121, abs=1)
    assert points["neck"][1] - points["head_top"][1] == pytest.approx(236, abs=1)
    heights = [points[name][1] for name in ("head_top", "nose", "neck", "spine", "pelvis")]
    assert heights == sorted(heights), "y is down: a torso that stands upright, nothing extrapolated below"


def test_a_network_of_mpii_has_the_neck_below_the_upper_neck() -> None:
    points = named(MPII_INPUTS)
    heights = [points[name][1] for name in ("head_top", "upper_neck", "neck", "pelvis")]
    assert heights == sorted(heights)
    assert points["head_top"][1] == pytest.approx(0, abs=30), "the vertex"


def test_the_slots_are_those_of_stacked_hourglass_files() -> None:
    """SH_TO_GT_PERM of 3d-pose-baseline, the same points in the same slots."""
    permutation = [6, 2, 1, 0, 3, 4, 5, 7, 8, 9, 13, 14, 15, 12, 11, 10]
    assert tuple(MPII_16.joints[i] for i in permutation) == MPII_INPUTS


def test_a_detector_of_the_networks_own_points_is_taken_at_its_word() -> None:
    given = np.random.default_rng(0).normal(size=(4, 17, 2))
    np.testing.assert_array_equal(network_points(given, H36M_17.joints, HUMAN36M_INPUTS_17), given)
    given = given[:, :16]
    found = network_points(given, MPII_16.joints, MPII_INPUTS)
    np.testing.assert_array_equal(found[:, 0], given[:, 6])


def test_one_ear_or_the_nose_stand_in_for_two() -> None:
    head = HUMAN36M_INPUTS.index("head_top")
    points = seen_by(COCO_17)
    points[0, COCO_17.index("left_ear")] = np.nan
    assert network_points(points, COCO_17.joints, HUMAN36M_INPUTS)[0, head, 0] < 0
    points[0, COCO_17.index("right_ear")] = np.nan
    found = network_points(points, COCO_17.joints, HUMAN36M_INPUTS)[0, head]
    assert found[0] == 0
    assert found[1] == pytest.approx(82, abs=30)
    points[0, COCO_17.index("nose")] = np.nan
    assert np.isnan(network_points(points, COCO_17.joints, HUMAN36M_INPUTS)[0, head]).all()


def test_a_missing_hip_is_missing_all_the_way() -> None:
    points = seen_by(COCO_17)
    points[0, COCO_17.index("left_hip")] = np.nan
    found = network_points(points, COCO_17.joints, HUMAN36M_INPUTS)
    for name in ("pelvis", "spine", "left_hip"):
        assert np.isnan(found[0, HUMAN36M_INPUTS.index(name)]).all()


def test_half_a_body_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="needs the left ankle, which the 2D points lack") as caught:
        names = [name for name in COCO_17.joints if name != "left_ankle"]
        network_points(np.zeros((1, 16, 2)), names, HUMAN36M_INPUTS)
    assert caught.value.reason == "KEYPOINTS_MISSING"
