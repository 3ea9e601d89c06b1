"""Files as older programs of this trade write them: 3d-pose-baseline's for Maya, and VideoPose3D's array."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import COCO_18, H36M_17

from pose_server.export.bones import rest_bones
from pose_server.export.destination import replacing
from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.camera import project
from pose_server.pipeline.distortion import distorted
from pose_server.pipeline.file_options import PER_METRE, FileOptions
from pose_server.pipeline.kinematics import global_rotations

__all__ = ["write_maya_2d", "write_maya_3d", "write_videopose3d"]

#: The 32 joints of Human3.6M as ours; a name with ``>`` is the end of that joint's bone.  Human3.6M has
#: its 11 in the middle of the hips, 20 at the wrist and 21 to 23 in the hand.
_H36M_32 = (
    *("pelvis", "right_hip", "right_knee", "right_ankle", "right_toe", "right_toe>"),
    *("left_hip", "left_knee", "left_ankle", "left_toe", "left_toe>"),
    *("pelvis", "chest", "neck", "head", "head>"),
    *("left_clavicle", "left_shoulder", "left_elbow", "left_wrist", "left_wrist"),
    *("left_hand", "left_hand", "left_hand>"),
    *("right_clavicle", "right_shoulder", "right_elbow", "right_wrist", "right_wrist"),
    *("right_hand", "right_hand", "right_hand>"),
)
#: What stands for a point of a joint set that our skeleton has no joint of.
_STAND_INS: Mapping[str, str] = {
    "spine": "chest",
    "nose": "head",
    "head_top": "head>",
    **{f"{side}_{part}": "head" for side in ("left", "right") for part in ("eye", "ear")},
}
#: `maya_skeleton.py` turns all 3D points by -110 degrees about x, because those that it was written for
#: have z up and lean 20 degrees.  Turned by +110 from y up, ours stand upright after it.
_TURN = np.radians(110)
_LEANING = np.array(
    [
        [1, 0, 0],
        [0, np.cos(_TURN), -np.sin(_TURN)],
        [0, np.sin(_TURN), np.cos(_TURN)],
    ]
) @ np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])


def write_maya_3d(path: Path, motion: Motion, options: FileOptions) -> None:
    """Write `3d_data.json` as 3d-pose-baseline's maya_skeleton.py reads it, which then stands it upright.

    Frame number, joint 0 to 31 of Human3.6M, and ``translate`` x, y, z; millimetres where the options
    leave the choice.  Raises as every writer.
    """
    places = _points(motion, _H36M_32, motion.joints_world_m, _world_tips(motion))
    places = places @ _LEANING.T * PER_METRE[options.unit or "mm"]
    _write_frames(path, motion, places)


def write_maya_2d(path: Path, motion: Motion, options: FileOptions) -> None:
    """Write `2d_data.json` as 3d-pose-baseline's maya_skeleton.py reads it: pixels of OpenPose's COCO-18.

    A point is left out of the frames in which it was not seen; one that never was, and the neck, which no
    detector of COCO's joints has, are those of the fitted skeleton.  Raises as every writer.
    """
    names = [_STAND_INS.get(name, name) for name in COCO_18.joints]
    fitted = _pixels(motion, _points(motion, names, motion.joints_camera_m, {}))
    for point, place in enumerate(COCO_18.indices_in(motion.keypoint_names)):
        if place is not None and np.isfinite(motion.keypoints_px[:, place]).all(axis=1).any():
            fitted[:, point] = motion.keypoints_px[:, place]
    _write_frames(path, motion, fitted)


def write_videopose3d(path: Path, motion: Motion, options: FileOptions) -> None:
    """Write an array (T, 17, 3) float32 as VideoPose3D's ``--viz-export`` does without a trajectory model.

    Joints of Human3.6M about the pelvis, metres, camera axes (x right, y down, z forward).  Raises as
    every writer.
    """
    names = [_STAND_INS.get(name, name) for name in H36M_17.joints]
    moved = motion.world_to_camera.reshape(-1, 4, 4)
    tips = {
        name: np.einsum("tij,tj->ti", np.broadcast_to(moved[:, :3, :3], (len(motion), 3, 3)), tip)
        + np.broadcast_to(moved[:, :3, 3], (len(motion), 3))
        for name, tip in _world_tips(motion).items()
    }
    places = _points(motion, names, motion.joints_camera_m, tips)
    content = io.BytesIO()
    np.save(content, (places - places[:, :1]).astype(np.float32))
    with replacing(path) as part:
        part.write_bytes(content.getbuffer())


def _world_tips(motion: Motion) -> dict[str, FloatArray]:
    """Return (T, 3) where each leaf's bone ends in the world."""
    turns = global_rotations(motion.local_rotations_wxyz, motion.parents.tolist())
    return {
        f"{bone.name}>": motion.joints_world_m[:, joint]
        + turns[:, joint] @ np.subtract(bone.tail_m, bone.head_m)
        for joint, bone in enumerate(rest_bones(motion))
        if joint not in motion.parents
    }


def _points(
    motion: Motion,
    names: Iterator[str] | tuple[str, ...] | list[str],
    joints: FloatArray,
    tips: dict[str, FloatArray],
) -> NDArray[np.float64]:
    """Return (T, N, 3) of some joints and tips."""
    return np.stack(
        [tips[name] if name in tips else joints[:, motion.joint_names.index(name)] for name in names], axis=1
    ).astype(np.float64)


def _pixels(motion: Motion, points_camera_m: FloatArray) -> NDArray[np.float64]:
    return np.asarray(distorted(project(points_camera_m, motion.camera.matrix), motion.camera), np.float64)


def _write_frames(path: Path, motion: Motion, points: FloatArray) -> None:
    """Write (T, N, 2 or 3) points, leaving out those that are NaN."""
    first = round(float(motion.times_s[0]) * float(motion.rate))
    entry = '"%d": {"translate": [' + ", ".join(["%.4f"] * points.shape[2]) + "]}"
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        for row, places in enumerate(points):
            known = [
                entry % (joint, *place) for joint, place in enumerate(places.tolist()) if place[0] == place[0]
            ]
            file.write(f'{"," if row else "{"}\n"{first + row}": {{{", ".join(known)}}}')
        file.write("\n}\n")
