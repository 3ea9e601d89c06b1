from __future__ import annotations

import numpy as np
import pytest
from made_takes import ACCLAIM_M
from pose_server.mocap.body import body_points, skeleton_kind
from pose_server.mocap.recording import Recording
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31


def t_pose(frames: int = 2) -> Recording:
    places = ACCLAIM_M
    points = np.tile(np.array(list(places.values()), dtype=float), (frames, 1, 1))
    turns = np.tile(np.eye(3), (frames, len(places), 1, 1))
    return Recording(tuple(places), np.full(len(places), -1), points, turns, 120.0)


def test_a_t_pose_is_the_same_on_both_sides() -> None:
    points = body_points(t_pose())
    assert points.shape == (2, 31, 3)
    np.testing.assert_allclose(points[:, list(BODY_31.mirror)] * [-1, 1, 1], points, atol=1e-12)


def test_points_lie_where_a_body_has_them() -> None:
    at = dict(zip(BODY_31.joints, body_points(t_pose())[0], strict=True))

    def length(a: str, b: str) -> float:
        return float(np.linalg.norm(at[a] - at[b]))

    # Winter (2009): upper arm 0.186, forearm 0.146, thigh 0.245, shin 0.246 of 1.75 m.
    assert length("left_shoulder", "left_elbow") == pytest.approx(0.29, abs=0.05)
    assert length("left_elbow", "left_wrist") == pytest.approx(0.255, abs=0.03)
    assert length("left_hip", "left_knee") == pytest.approx(0.43, abs=0.03)
    assert length("left_knee", "left_ankle") == pytest.approx(0.41, abs=0.03)
    assert length("left_eye", "right_eye") == pytest.approx(0.064, abs=0.01)
    assert length("left_ear", "right_ear") == pytest.approx(0.15, abs=0.02)
    assert length("left_heel", "left_big_toe") == pytest.approx(0.25, abs=0.06)
    # The face is in front, the heel behind; the little toe outside, the knuckles beyond the wrist.
    assert at["nose"][2] > at["left_eye"][2] > at["left_ear"][2]
    assert at["left_heel"][2] < at["left_ankle"][2] < at["left_big_toe"][2]
    assert at["left_small_toe"][0] > at["left_big_toe"][0] > 0
    assert at["left_index"][0] > at["left_wrist"][0] and at["left_index"][2] > at["left_pinky"][2]
    heights = [
        at[name][1] for name in ("left_ankle", "left_knee", "left_hip", "spine", "chest", "neck", "head")
    ]
    assert heights == sorted(heights)


def test_offsets_turn_with_their_joint() -> None:
    take = t_pose(1)
    straight = body_points(take)[0]
    turns = take.turns.copy()
    turns[0, take.index("head")] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]  # looks to the left: z becomes x
    looking = body_points(Recording(take.names, take.parents, take.points_m, turns, 120.0))[0]
    nose, ankle = BODY_31.index("nose"), BODY_31.index("left_ankle")
    assert looking[nose, 0] == pytest.approx(0.115) and straight[nose, 0] == pytest.approx(0)
    np.testing.assert_array_equal(looking[ankle], straight[ankle])


def test_an_unknown_skeleton_is_refused() -> None:
    take = t_pose()
    assert skeleton_kind(take) == "acclaim"
    other = Recording(("hip", *take.names[1:]), take.parents, take.points_m, take.turns, 120.0)
    assert skeleton_kind(other) == "acclaim"  # nothing hangs on the root itself
    names = tuple(name.replace("ltibia", "left_shin") for name in take.names)
    with pytest.raises(InputError, match=r"no known kind.*acclaim, motionbuilder, daz") as caught:
        body_points(Recording(names, take.parents, take.points_m, take.turns, 120.0))
    assert caught.value.reason == "SKELETON_UNKNOWN"
