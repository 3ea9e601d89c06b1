"""An actor made of the house skeleton, filmed by a made-up camera."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from pose_server.pipeline.boundary import Camera, Motion, Pose3D, Track2D
from pose_server.pipeline.camera import camera_of_clip, project
from pose_server.pipeline.kinematics import global_rotations, joint_positions
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.solve.clip import solve_clip
from pose_server.solve.proportions import proportions
from pose_shared.skeleton import BLAZEPOSE_33, SKELETON
from scipy.spatial.transform import Rotation

BODY = proportions((), np.zeros((1, 0, 3)), np.zeros((1, 0)))
#: Points that are no joints: what they hang on, and where in the rest pose.
_MARKS = {
    "nose": ("head", (0.0, -0.11, -0.01)),
    "left_eye": ("head", (0.03, -0.09, 0.05)),
    "left_ear": ("head", (0.07, 0.0, 0.0204)),
    "left_index": ("left_wrist", (0.09, -0.03, 0.0)),
    "left_pinky": ("left_wrist", (0.08, 0.03, 0.0)),
    "left_thumb": ("left_wrist", (0.05, -0.06, 0.0)),
    "left_heel": ("left_ankle", (0.0, 0.05, -0.06)),
    "left_big_toe": ("left_ankle", (0.0, -0.15, -0.06)),
}
_ALIAS = {"eye_inner": "eye", "eye_outer": "eye", "mouth": "eye"}


@dataclass(frozen=True)
class Take:
    """A performance and what the camera saw of it."""

    local_wxyz: np.ndarray
    root_world_m: np.ndarray
    joints_camera_m: np.ndarray
    rotations_camera: np.ndarray
    up_camera: np.ndarray
    camera: Camera
    track: Track2D
    pose: Pose3D
    rate: Fraction

    def solved(self, **options: object) -> Motion:
        return solve([self], **options)[0]

    def seen(self, **changes: np.ndarray) -> Take:
        """Return the take with other evidence."""
        pose = {name: changes.pop(name) for name in ("joints_root_m", "root_camera_m") if name in changes}
        return dataclasses.replace(
            self,
            track=dataclasses.replace(self.track, **changes),
            pose=dataclasses.replace(self.pose, **pose),
        )

    def rows(self, which: slice) -> Take:
        def cut(value: object) -> object:
            return value[which] if isinstance(value, np.ndarray) else value

        fields = {
            name: dataclasses.replace(
                part, **{f.name: cut(getattr(part, f.name)) for f in dataclasses.fields(part)}
            )
            for name, part in (("track", self.track), ("pose", self.pose))
        }
        for name in ("local_wxyz", "root_world_m", "joints_camera_m", "rotations_camera"):
            fields[name] = getattr(self, name)[which]
        return dataclasses.replace(self, **fields)

    def without(self, rows: slice, *parts: str) -> Take:
        """Return the take with some points (all if none is named) unseen in some rows."""
        names = self.track.keypoint_names
        columns = [i for i, name in enumerate(names) if not parts or any(part in name for part in parts)]
        keypoints, confidence = self.track.keypoints_px.copy(), self.track.keypoint_confidence.copy()
        landmarks, joints = self.track.landmarks_m.copy(), self.pose.joints_root_m.copy()
        boxes, roots = self.track.boxes_px.copy(), self.pose.root_camera_m.copy()
        keypoints[rows, columns] = landmarks[rows, columns] = np.nan
        confidence[rows, columns] = 0.0
        joints[rows, columns] = np.nan
        if not parts:
            boxes[rows] = roots[rows] = np.nan
        return self.seen(
            keypoints_px=keypoints,
            keypoint_confidence=confidence,
            landmarks_m=landmarks,
            boxes_px=boxes,
            joints_root_m=joints,
            root_camera_m=roots,
        )


def film(
    local_wxyz: np.ndarray,
    root_world_m: np.ndarray,
    *,
    rate: int = 30,
    pitch_deg: float = 8.0,
    roll_deg: float = 0.0,
    distance_m: float = 5.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Take:
    """Film a performance from the front (the actor at rest faces the camera)."""
    frames = len(root_world_m)
    parents = SKELETON.parents
    joints = joint_positions(local_wxyz, root_world_m, BODY.rest_offsets_m, parents)
    rotations = global_rotations(local_wxyz, parents)
    look = Rotation.from_euler("z", roll_deg, degrees=True).as_matrix() @ _looking_along_y(pitch_deg)
    place = np.array([0.0, -distance_m, 1.4])

    def point(name: str) -> np.ndarray:
        for alias, real in _ALIAS.items():
            name = name.replace(alias, real)
        if name in SKELETON.joints:
            return joints[:, SKELETON.index(name)]
        joint, offset = _MARKS[name.replace("right_", "left_")]
        if name.startswith("right_"):
            joint, offset = joint.replace("left_", "right_"), np.array(offset) * [-1, 1, 1]
        index = SKELETON.index(joint)
        return joints[:, index] + rotations[:, index] @ np.asarray(offset)

    rng = np.random.default_rng(seed)
    points = np.stack([point(name) for name in BLAZEPOSE_33.joints], axis=1)
    points_camera = (points - place) @ look.T
    camera = camera_of_clip((1920, 1080), fov_deg=60)
    keypoints = project(points_camera, camera.matrix) + noise * 4.0 * rng.normal(size=(frames, 33, 2))
    hips = [BLAZEPOSE_33.index(name) for name in ("left_hip", "right_hip")]
    root = points_camera[:, hips].mean(axis=1)
    lifted = points_camera - root[:, None] + noise * 0.02 * rng.normal(size=points.shape)
    indices = np.arange(frames)
    times = indices / rate
    track = Track2D(
        keypoint_names=BLAZEPOSE_33.joints,
        indices=indices,
        times_s=times,
        boxes_px=np.concatenate([keypoints.min(axis=1), keypoints.max(axis=1)], axis=1),
        keypoints_px=keypoints,
        keypoint_confidence=np.full((frames, 33), 0.95),
        landmarks_m=lifted,
    )
    pose = Pose3D(
        joint_names=BLAZEPOSE_33.joints,
        indices=indices,
        times_s=times,
        joints_root_m=lifted,
        uncertainty_m=np.full((frames, 33), 0.05),
        root_camera_m=root,
    )
    return Take(
        local_wxyz=local_wxyz,
        root_world_m=root_world_m,
        joints_camera_m=(joints - place) @ look.T,
        rotations_camera=look @ rotations,
        up_camera=look[:, 2],
        camera=camera,
        track=track,
        pose=pose,
        rate=Fraction(rate),
    )


def _looking_along_y(pitch_deg: float) -> np.ndarray:
    """Return the world-to-camera rotation of a camera that looks along +y and a little down."""
    pitch = np.radians(pitch_deg)
    forwards = np.array([0.0, np.cos(pitch), -np.sin(pitch)])
    right = np.array([1.0, 0.0, 0.0])
    return np.stack([right, np.cross(forwards, right), forwards])


def posed(frames: int, **euler_deg: object) -> np.ndarray:
    """Return (T, J, 4) rotations: for each named joint (T, 3) or (3,) turns about x, y, z in degrees."""
    local = np.tile([1.0, 0.0, 0.0, 0.0], (frames, len(SKELETON), 1))
    for joint, angles in euler_deg.items():
        turns = np.broadcast_to(np.asarray(angles, dtype=float), (frames, 3))
        local[:, SKELETON.index(joint)] = Rotation.from_euler("ZYX", turns[:, ::-1], degrees=True).as_quat(
            scalar_first=True
        )
    return local


def standing_root(frames: int) -> np.ndarray:
    """Return (T, 3) pelvis positions at which straight legs stand on z = 0."""
    legs = sum(BODY.rest_offsets_m[SKELETON.index(name)][2] for name in ("left_knee", "left_ankle"))
    return np.tile([0.0, 0.0, -legs - BODY.heel_m[2]], (frames, 1))


def walk(seconds: float = 2.0, rate: int = 30, **camera: float) -> Take:
    """Film a walk across the picture: hips and knees swing, arms against them."""
    t = np.arange(int(seconds * rate)) / rate
    swing, zero = np.sin(2 * np.pi * t), np.zeros_like(t)
    bend = {side: 25 + 20 * np.cos(2 * np.pi * t + phase) for side, phase in (("left", 0.5), ("right", 3.64))}
    local = posed(
        len(t),
        pelvis=np.stack([zero, zero, -70 + 5 * swing], axis=1),
        spine=np.stack([5 + zero, zero, -8 * swing], axis=1),
        left_hip=np.stack([-25 * swing - 12, zero, zero], axis=1),
        right_hip=np.stack([25 * swing - 12, zero, zero], axis=1),
        left_knee=np.stack([bend["left"], zero, zero], axis=1),
        right_knee=np.stack([bend["right"], zero, zero], axis=1),
        left_shoulder=np.stack([zero, 70 + zero, -20 * swing], axis=1),
        right_shoulder=np.stack([zero, -70 + zero, -20 * swing], axis=1),
        left_elbow=np.stack([zero, zero, -30 - 10 * swing], axis=1),
        right_elbow=np.stack([zero, zero, 30 - 10 * swing], axis=1),
    )
    root = standing_root(len(t)) + np.stack([1.2 * (t - t.mean()), 0 * t, -0.05 + 0 * t], axis=1)
    return film(local, root, rate=rate, **camera)


def solve(takes: list[Take], *, fps: Fraction | None = None, smoothing: float = 0.5) -> list[Motion]:
    return solve_clip(
        [take.track for take in takes],
        [take.pose for take in takes],
        takes[0].camera,
        rate=takes[0].rate,
        fps=fps,
        options=SolveOptions(smoothing=smoothing),
        progress=SilentProgress(),
    )


@pytest.fixture(scope="session")
def studio() -> SimpleNamespace:
    """Everything one needs to film an actor and solve the film."""
    return SimpleNamespace(
        body=BODY, film=film, posed=posed, solve=solve, standing_root=standing_root, walk=walk
    )


@pytest.fixture(scope="session")
def walking() -> Take:
    return walk()


@pytest.fixture(scope="session")
def walked(walking: Take) -> Motion:
    return walking.solved()
