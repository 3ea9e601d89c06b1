"""Made-up people whose pose is known at any moment, as a server would send them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from pose_server.api.convert import header_message
from pose_server.export.channels import HostMotion, host_channels
from pose_server.export.joints import person_curves
from pose_server.pipeline.boundary import Camera, Motion
from pose_server.pipeline.camera import camera_of_clip, project
from pose_server.pipeline.kinematics import joint_positions, same_hemisphere
from pose_shared._generated.pose.v1 import motion_pb2
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

__all__ = ["FILM_FRAMES", "CameraMove", "Dancer", "host_motion", "joint_chunks", "motion_chunks"]

#: Of the film that the dancers are in.
FILM_FRAMES = 48

_PIECE_ROWS = 4096
_OFFSETS_M = {
    "pelvis": (0, 0, 0),
    "spine": (0, 0.01, 0.12),
    "chest": (0, 0.02, 0.14),
    "neck": (0, -0.01, 0.24),
    "head": (0, -0.02, 0.11),
    "clavicle": (0.03, 0, 0.19),
    "shoulder": (0.15, 0.01, 0.01),
    "elbow": (0.28, 0, 0),
    "wrist": (0.26, 0, 0),
    "hand": (0.09, 0, 0),
    "hip": (0.1, 0, -0.02),
    "knee": (0, 0, -0.43),
    "ankle": (0, 0.01, -0.42),
    "toe": (0, -0.13, -0.07),
}


@dataclass(frozen=True)
class Dancer:
    """Someone who turns and bends in sines, from one film frame to another (the last left out)."""

    seed: int
    first_frame: int
    end_frame: int
    source_rate: Fraction = Fraction(30000, 1001)
    extra_joints: int = 0
    image_size: tuple[int, int] = (320, 180)
    #: Of the body and the room.
    scale: float = 1.0
    #: Source frames, the last included, in which the left hand is hardly seen.
    doubtful: tuple[int, int] | None = None

    def motion(self, rate: Fraction | None = None) -> Motion:
        """The motion, sampled on the grid of a rate that starts with the film."""
        rate = rate or self.source_rate
        begin, end = self.first_frame / self.source_rate, self.end_frame / self.source_rate
        rows = np.arange(-(-begin * rate // 1), -(-end * rate // 1)).astype(np.float64)
        times_s = rows / float(rate)
        rng = np.random.default_rng(self.seed)
        names, parents, offsets = self._skeleton()
        axes = rng.normal(size=(len(names), 3)) * 0.5
        speeds = rng.uniform(1, 4, size=len(names))
        turns = axes * np.sin(times_s[:, None] * speeds + np.arange(len(names)))[..., None]
        local = Rotation.from_rotvec(turns.reshape(-1, 3)).as_quat(scalar_first=True)
        local = same_hemisphere(local.reshape(len(times_s), -1, 4))
        root = np.stack([np.sin(times_s) + self.seed, 4 + np.cos(times_s), 1 + 0.1 * np.sin(3 * times_s)], -1)
        root *= self.scale
        joints = joint_positions(local, root, offsets, parents)
        camera, world_to_camera = self.camera()
        in_camera = joints @ world_to_camera[:3, :3].T + world_to_camera[:3, 3]
        count, width = len(times_s), len(names)
        confidence = np.full((count, width), 0.75)
        frames = np.round(times_s * float(self.source_rate)).astype(np.int64)
        if self.doubtful:
            within = (frames >= self.doubtful[0]) & (frames <= self.doubtful[1])
            confidence[within, names.index("left_hand")] = 0.3
        return Motion(
            rate=rate,
            times_s=times_s,
            frames=frames,
            joint_names=names,
            parents=np.array(parents),
            rest_offsets_m=offsets,
            local_rotations_wxyz=local,
            root_world_m=root,
            joints_world_m=joints,
            joints_camera_m=in_camera,
            root_camera_m=in_camera[:, 0],
            confidence=confidence,
            contact_names=("left_heel", "right_heel"),
            contacts=np.stack([np.arange(count) % 2, np.ones(count)], -1).astype(np.float64),
            keypoint_names=(),
            keypoints_px=np.zeros((count, 0, 2)),
            keypoint_confidence=np.zeros((count, 0)),
            camera=camera,
            world_to_camera=world_to_camera,
            reprojection_px=np.zeros((count, width)),
        )

    def camera(self) -> tuple[Camera, np.ndarray]:
        """A camera above the floor that looks a little down, its lens a little off the middle."""
        camera = camera_of_clip(self.image_size, fov_deg=60)
        camera.matrix[:2, 2] += (11, -7)
        look = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]) @ Rotation.from_euler("x", -0.1).as_matrix().T
        world_to_camera = np.eye(4)
        world_to_camera[:3, :3] = look
        world_to_camera[:3, 3] = -look @ (np.array((0.3, -1.0, 1.4)) * self.scale)
        return camera, world_to_camera

    def joints_px(self, motion: Motion) -> np.ndarray:
        """(T, J, 2) where the camera sees the joints."""
        return project(motion.joints_camera_m, motion.camera.matrix)

    def _skeleton(self) -> tuple[tuple[str, ...], list[int], np.ndarray]:
        names, parents = list(SKELETON.joints), list(SKELETON.parents)
        offsets = []
        for name in names:
            x, y, z = _OFFSETS_M[name.split("_")[-1]]
            offsets.append((-x if name.startswith("right_") else x, y, z))
        for extra in range(self.extra_joints):
            names.append(f"left_finger_{extra}")
            parents.append(names.index("left_hand"))
            offsets.append((0.04, 0.01 * extra, 0))
        return tuple(names), parents, np.array(offsets, dtype=np.float32) * np.float32(self.scale)


@dataclass(frozen=True)
class CameraMove:
    """What a camera does from film frame to film frame: it goes along x, and pans."""

    drift_m: float
    pan_rad: float

    def matrices(self, world_to_camera: np.ndarray, film_frames: np.ndarray) -> np.ndarray:
        """(T, 4, 4) where a camera that stood as it says is at these film frames."""
        eye = np.linalg.inv(world_to_camera)[:3, 3]
        moved = np.tile(np.eye(4), (len(film_frames), 1, 1))
        moved[:, :3, :3] = Rotation.from_rotvec(np.outer(film_frames, (0, 0, self.pan_rad))).as_matrix()
        moved[:, :3, 3] = eye - moved[:, :3, :3] @ eye + np.outer(film_frames, (self.drift_m, 0, 0))
        return np.asarray(world_to_camera @ np.linalg.inv(moved))

    def seen_by(self, world_to_camera: np.ndarray, host: HostMotion, source_rate: Fraction) -> np.ndarray:
        """(T, 4, 4) the same at the rows of a motion."""
        times_s = host.start_time_s + np.arange(host.frame_count) / float(host.rate)
        return self.matrices(world_to_camera, times_s * float(source_rate))


def motion_chunks(
    host: HostMotion, source_rate: Fraction, camera_move: CameraMove | None = None
) -> list[motion_pb2.MotionChunk]:
    """A motion as the server streams it, from a camera that may move."""
    if camera_move:
        camera = dataclasses.replace(
            host.camera, world_to_camera=camera_move.seen_by(host.camera.world_to_camera, host, source_rate)
        )
        host = dataclasses.replace(host, camera=camera)
    return _chunks(header_message(host, source_rate), host.channels)


def joint_chunks(
    motion: Motion, person: int, source_rate: Fraction, up: str, camera_move: CameraMove | None = None
) -> list[motion_pb2.MotionChunk]:
    """A motion as the server streams it to hosts that ask for joints."""
    host = host_channels(motion, clip_name="dance.mp4", person=person)
    if camera_move:
        matrices = camera_move.seen_by(motion.world_to_camera, host, source_rate)
        motion = dataclasses.replace(motion, world_to_camera=matrices)
    joints = person_curves(motion, up=up)
    return _chunks(header_message(host, source_rate, joints), joints.channels)


def _chunks(
    header: motion_pb2.MotionHeader, channels: Mapping[str, np.ndarray]
) -> list[motion_pb2.MotionChunk]:
    chunks = [motion_pb2.MotionChunk(header=header)]
    for name, values in channels.items():
        for row in range(0, len(values), _PIECE_ROWS):
            piece = values[row : row + _PIECE_ROWS].astype("<f4").tobytes()
            chunks.append(motion_pb2.MotionChunk(piece=motion_pb2.ChannelPiece(channel=name, values=piece)))
    return chunks


def host_motion(dancer: Dancer, person: int, rate: Fraction | None = None) -> HostMotion:
    """One dancer as bones and channels."""
    return host_channels(dancer.motion(rate), clip_name="dance.mp4", person=person)
