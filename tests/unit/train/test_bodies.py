from __future__ import annotations

import numpy as np
import pytest
import torch
from made_takes import REST_M, walk
from pose_server.train.bodies import (
    crossed,
    hips,
    limbs_turned,
    mirrored,
    reproportioned,
    rotation,
    torso_frames,
)
from pose_shared.skeleton import BODY_31
from scipy.spatial.transform import Rotation
from torch import Tensor

SIDES = ("left_", "right_")
ARM = ("shoulder", "elbow", "wrist", "index", "pinky")
LEG = ("hip", "knee", "ankle", "heel", "big_toe", "small_toe")
BONES = [
    (BODY_31.index(side + a), BODY_31.index(side + b))
    for side in SIDES
    for a, b in (
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("wrist", "index"),
        ("hip", "knee"),
        ("knee", "ankle"),
        ("ankle", "heel"),
        ("heel", "big_toe"),
    )
] + [(BODY_31.index(a), BODY_31.index(b)) for a, b in (("chest", "neck"), ("neck", "head"), ("head", "nose"))]
BONES.append((BODY_31.index("left_hip"), BODY_31.index("right_hip")))


@pytest.fixture
def points() -> Tensor:
    """Four walkers, (4, 60, 31, 3)."""
    return torch.stack([torch.from_numpy(walk(1.0, seed=i).points_m) for i in range(4)]).double()


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


@pytest.fixture(autouse=True)
def _double() -> object:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def lengths(points: Tensor) -> Tensor:
    """(B, T, bones)."""
    a, b = (torch.tensor(ends) for ends in zip(*BONES, strict=True))
    return (points[:, :, a] - points[:, :, b]).norm(dim=-1)


def constant(points: Tensor) -> bool:
    return bool((lengths(points).std(dim=1) < 1e-6).all())


def test_the_walkers_are_rigid(points: Tensor) -> None:
    assert constant(points)


def test_mirrored_twice_is_the_same_and_once_is_another(points: Tensor) -> None:
    which = torch.tensor([True, False, True, False])
    once = mirrored(points, which)
    torch.testing.assert_close(mirrored(once, which), points)
    torch.testing.assert_close(once[1], points[1])
    wrist, other = BODY_31.index("left_wrist"), BODY_31.index("right_wrist")
    torch.testing.assert_close(once[0, :, wrist], points[0, :, other] * torch.tensor([-1.0, 1, 1]))
    # The left arm is still at the left of the torso.
    local = (once[:, :, wrist] - hips(once))[:, :, None] @ torso_frames(once)
    assert (local[..., 0] > 0).all()


def test_new_proportions_keep_bones_constant_and_both_sides_alike(
    points: Tensor, generator: torch.Generator
) -> None:
    changed = reproportioned(points, generator, body=0.06, bone=0.05)
    assert constant(changed)
    factor = lengths(changed)[:, 0] / lengths(points)[:, 0]
    half = len(BONES[:14]) // 2
    torch.testing.assert_close(factor[:, :half], factor[:, half:14])
    assert (factor.log().abs() > 1e-4).all() and (factor.log().abs() < 0.4).all()
    still = reproportioned(points, generator, body=0.0, bone=0.0)
    torch.testing.assert_close(still, points)


def test_the_spread_of_proportions_is_as_stated() -> None:
    generator = torch.Generator().manual_seed(1)
    points = torch.from_numpy(walk(0.1).points_m).double().expand(4000, -1, -1, -1)
    changed = reproportioned(points, generator, body=0.06, bone=0.05)
    upper_arm = (lengths(changed)[:, 0, 0] / lengths(points)[:, 0, 0]).log()
    assert upper_arm.mean().abs() < 0.005
    assert upper_arm.std() == pytest.approx((0.06**2 + 0.05**2) ** 0.5, rel=0.05)


def test_the_path_shrinks_with_the_legs_so_that_feet_stay(generator: torch.Generator) -> None:
    """Somebody who squats: the knees come forward, thigh and shin keep their lengths, the feet stay."""
    rest = torch.from_numpy(REST_M)
    sunk = torch.linspace(0, 0.3, 30)[:, None, None]
    points = rest - sunk * torch.tensor([0.0, 1.0, 0.0])
    for side in SIDES:
        hip, knee, ankle = (BODY_31.index(side + part) for part in ("hip", "knee", "ankle"))
        foot = [BODY_31.index(side + part) for part in ("ankle", "heel", "big_toe", "small_toe")]
        points[:, foot] = rest[foot]
        thigh, shin = (rest[hip] - rest[knee]).norm(), (rest[knee] - rest[ankle]).norm()
        reach = points[:, hip, 1] - rest[ankle, 1]
        along = (shin**2 - thigh**2 + reach**2) / (2 * reach)
        points[:, knee, 1] = rest[ankle, 1] + along
        points[:, knee, 2] = (shin**2 - along**2).clamp(min=0).sqrt()
    changed = reproportioned(points.expand(20, -1, -1, -1), generator, body=0.06, bone=0.1)
    assert constant(changed)

    def travel(joint: str) -> Tensor:
        place = changed[:, :, BODY_31.index(joint)]
        return (place - place[:, :1]).norm(dim=-1).amax(dim=1)

    assert travel("left_ankle").max() < 1e-6 and travel("right_heel").max() < 1e-6
    assert travel("neck").min() > 0.2


def test_limbs_of_a_neighbour_hang_on_the_own_torso(points: Tensor, generator: torch.Generator) -> None:
    changed = crossed(points, generator, 1.0)
    own, neighbour = torso_frames(points), points.roll(1, dims=0)
    for side in SIDES:
        for parts in (ARM, LEG):
            first, *rest = (BODY_31.index(side + part) for part in parts)
            torch.testing.assert_close(changed[:, :, first], points[:, :, first])
            # As seen from the torso the limb is the neighbour's, and so are its lengths.
            for joint in rest:
                got = ((changed[:, :, joint] - changed[:, :, first])[:, :, None] @ own)[:, :, 0]
                wanted = (neighbour[:, :, joint] - neighbour[:, :, first])[:, :, None] @ torso_frames(
                    neighbour
                )
                torch.testing.assert_close(got, wanted[:, :, 0])
    assert constant(changed)
    torch.testing.assert_close(crossed(points, generator, 0.0), points)


def test_turned_limbs_keep_their_shape_through_the_clip(points: Tensor, generator: torch.Generator) -> None:
    changed = limbs_turned(points, generator, 1.0, arms=0.5, legs=0.3)
    torch.testing.assert_close(lengths(changed), lengths(points))
    frames = torso_frames(points)
    shoulder, wrist = BODY_31.index("left_shoulder"), BODY_31.index("left_wrist")
    before, after = (
        ((x[:, :, wrist] - x[:, :, shoulder])[:, :, None] @ frames)[:, :, 0] for x in (points, changed)
    )
    for clip in range(4):
        fit, rest = Rotation.align_vectors(after[clip].numpy(), before[clip].numpy())
        assert rest < 1e-6 and fit.magnitude() > 0.01  # one rotation in the torso's axes for all frames
    torch.testing.assert_close(limbs_turned(points, generator, 0.0, arms=0.5, legs=0.3), points)


def test_the_torso_is_a_rotation_that_faces_where_the_nose_does(points: Tensor) -> None:
    frames = torso_frames(points)
    torch.testing.assert_close(frames @ frames.mT, torch.eye(3).expand_as(frames))
    assert (torch.linalg.det(frames) > 0).all()
    nose = points[:, :, BODY_31.index("nose")] - points[:, :, BODY_31.index("head")]
    assert ((nose[:, :, None] @ frames)[..., 0, 2] > 0.05).all()


def test_rotations_are_those_of_scipy() -> None:
    vectors = np.random.default_rng(2).normal(size=(7, 3))
    vectors[0] = 0
    expected = Rotation.from_rotvec(vectors).as_matrix()
    np.testing.assert_allclose(rotation(torch.from_numpy(vectors)).numpy(), expected, atol=1e-12)
