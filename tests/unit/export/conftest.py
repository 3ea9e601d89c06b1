"""Made-up people: smooth random rotations on the house skeleton, and forward kinematics."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from made_walker import rest_offsets
from pose_server.export.animation import Animation
from pose_server.export.mannequin import mannequin
from pose_server.pipeline.boundary import Camera, Motion
from pose_server.pipeline.kinematics import joint_positions, same_hemisphere
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

MakeMotion = Callable[..., Motion]


def _smooth(rng: np.random.Generator, times_s: np.ndarray, channels: int, reach: float) -> np.ndarray:
    """(T, channels) sums of a few sines."""
    waves = [
        rng.normal(size=channels) * np.sin(2 * np.pi * f * times_s[:, None] + rng.uniform(0, 7, channels))
        for f in (0.3, 0.7, 1.1)
    ]
    return reach * np.sum(waves, axis=0)


@pytest.fixture
def make_motion() -> MakeMotion:
    def make(
        *,
        seed: int = 1,
        frames: int = 60,
        rate: Fraction = Fraction(30000, 1001),
        first: int = 0,
        scale: float = 1.0,
        start_m: tuple[float, float] = (0.0, 0.0),
        speed: float = 1.2,
        reach: float = 0.35,
        image_size: tuple[int, int] = (640, 360),
        moving_camera: bool = False,
    ) -> Motion:
        rng = np.random.default_rng(seed)
        joints = len(SKELETON)
        times_s = (np.arange(frames) + first) / float(rate)
        vectors = _smooth(rng, times_s, joints * 3, reach).reshape(frames, joints, 3)
        # The root turns right round, as people do.
        vectors[:, 0] = [[0, 0, 2.5 * t] for t in times_s]
        local = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_quat(scalar_first=True)
        local = same_hemisphere(local.reshape(frames, joints, 4))
        offsets = rest_offsets(scale)
        root = np.column_stack(
            [
                start_m[0] + speed * times_s,
                np.full(frames, start_m[1]),
                0.92 * scale + 0.05 * np.sin(7 * times_s),
            ]
        )
        local32, root32 = local.astype(np.float32), root.astype(np.float32)
        world = joint_positions(local32, root32, offsets, SKELETON.parents)
        # A camera 5 m in front at 1.4 m that looks towards +y.
        still = np.array([[1, 0, 0, 0], [0, 0, -1, 1.4], [0, 1, 0, 5.0], [0, 0, 0, 1]], dtype=np.float64)
        camera = world @ still[:3, :3].T + still[:3, 3]
        width, height = image_size
        focal = float(np.hypot(width, height))
        return Motion(
            rate=rate,
            times_s=times_s,
            frames=np.arange(first, first + frames),
            joint_names=SKELETON.joints,
            parents=np.array(SKELETON.parents),
            rest_offsets_m=offsets,
            local_rotations_wxyz=local32,
            root_world_m=root32,
            joints_world_m=world.astype(np.float32),
            joints_camera_m=camera.astype(np.float32),
            root_camera_m=camera[:, 0].astype(np.float32),
            confidence=rng.uniform(0.2, 1, (frames, joints)).astype(np.float32),
            contact_names=("left_heel", "left_toe", "right_heel", "right_toe"),
            contacts=rng.uniform(0, 1, (frames, 4)).astype(np.float32),
            keypoint_names=("nose", "left_ankle"),
            keypoints_px=np.full((frames, 2, 2), np.nan, dtype=np.float32),
            keypoint_confidence=np.zeros((frames, 2), dtype=np.float32),
            camera=Camera(
                matrix=np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]),
                distortion=np.zeros(5),
                image_size=image_size,
                focal_source="assumed",
            ),
            world_to_camera=np.tile(still, (frames, 1, 1)) if moving_camera else still,
            reprojection_px=np.full((frames, joints), np.nan, dtype=np.float32),
        )

    return make


@pytest.fixture
def motion(make_motion: MakeMotion) -> Motion:
    return make_motion()


@pytest.fixture
def rig() -> Animation:
    """A tree of joints with axes of their own, of which the root and one more move."""
    rng = np.random.default_rng(5)
    joints, frames = 12, 30
    parents = np.array([-1, *(int(rng.integers(0, i)) for i in range(1, joints))])
    rest = Rotation.random(joints, random_state=3).as_quat(scalar_first=True)
    times_s = np.arange(frames) / 25
    swings = Rotation.from_rotvec(_smooth(rng, times_s, 3 * joints, 0.5).reshape(-1, 3))
    turns = Rotation.from_quat(np.tile(rest, (frames, 1)), scalar_first=True) * swings
    offsets = rng.uniform(-0.3, 0.3, (joints, 3))
    animation = Animation(
        name="rig 1",
        rate=Fraction(25),
        start_s=2.0,
        joint_names=tuple(f"bone.{i:02d}" for i in range(joints)),
        parents=parents,
        rest_translations_m=offsets,
        rest_rotations_wxyz=rest,
        local_rotations_wxyz=same_hemisphere(turns.as_quat(scalar_first=True).reshape(frames, joints, 4)),
        translations_m={
            0: offsets[0] + _smooth(rng, times_s, 3, 0.4),
            7: offsets[7] + _smooth(rng, times_s, 3, 0.1),
        },
        tips_m=rng.uniform(0.05, 0.2, (joints, 3)),
    )
    heads, axes = animation.rest_world()
    tails = heads + np.einsum("jik,jk->ji", axes, animation.tips_m)
    return dataclasses.replace(animation, mesh=mannequin(animation.joint_names, heads, tails))
