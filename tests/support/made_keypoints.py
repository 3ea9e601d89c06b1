"""Keypoint files of other programs, made from known points the way each program's own source makes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pose_shared.skeleton import COCO_17

#: OpenPose's order, as offsets into AlphaPose's flat list with the neck last.
_CMU_OFFSETS = [0, 51, 18, 24, 30, 15, 21, 27, 36, 42, 48, 33, 39, 45, 6, 3, 12, 9]


def made_points(frames: int = 4, people: int = 1, joints: int = 17) -> np.ndarray:
    """(T, P, J, 3) pixels and confidence with no two values equal, in the shape of upright people."""
    rng = np.random.default_rng(7)
    coco = {
        "nose": (0, -80), "eye": (4, -84), "ear": (9, -82), "shoulder": (20, -60), "elbow": (30, -30),
        "wrist": (32, 0), "hip": (12, 0), "knee": (13, 45), "ankle": (14, 90),
    }  # fmt: skip
    shape = np.zeros((joints, 2))
    for i, name in enumerate(COCO_17.joints[: min(17, joints)]):
        side, _, part = name.rpartition("_")
        x, y = coco[part]
        shape[i] = (x if side == "left" else -x if side else 0, y)
    points = np.empty((frames, people, joints, 3))
    for person in range(people):
        drift = np.arange(frames)[:, None, None] * 3.0
        points[:, person, :, :2] = 200 + 150 * person + shape + drift
    points[..., :2] += rng.uniform(-1, 1, (frames, people, joints, 2))
    points[..., 2] = rng.uniform(0.4, 0.95, (frames, people, joints))
    return points.round(4)


def write_openpose(
    folder: Path, points: np.ndarray, *, key: str = "pose_keypoints_2d", stem: str = "clip", first: int = 0
) -> Path:
    """OpenPose v1.7.0, `--write_json`; before 1.1 the key was `pose_keypoints`."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame, people in enumerate(points, first):
        content = {
            "version": 1.3,
            "people": [
                {
                    "person_id": [-1],
                    key: person.ravel().tolist(),
                    "face_keypoints_2d": [],
                    "hand_left_keypoints_2d": [],
                    "hand_right_keypoints_2d": [],
                    "pose_keypoints_3d": [],
                }
                for person in people
            ],
        }
        (folder / f"{stem}_{frame:012d}_keypoints.json").write_text(json.dumps(content))
    return folder


def write_tf_pose(folder: Path, points: np.ndarray) -> Path:
    """ArashHosseini/tf-pose-estimation at eb25b19: 18 pairs of whole pixels, 0.0 where missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame, people in enumerate(points):
        listed = []
        for person in people:
            flat: list[float] = []
            for x, y, confidence in person:
                flat += [int(x + 0.5), int(y + 0.5)] if confidence else [0.0, 0.0]
            listed.append({"pose_keypoints_2d": flat})
        (folder / f"{frame:012d}_keypoints.json").write_text(json.dumps({"people": listed}))
    return folder


def alphapose_results(points: np.ndarray, *, idx: Callable[[int], Any] | None = None) -> list[dict[str, Any]]:
    """AlphaPose at 00e180e, `write_json` of alphapose/utils/pPose_nms.py without a form."""
    results = []
    for frame, people in enumerate(points):
        for number, person in enumerate(people):
            low, high = person[:, :2].min(axis=0), person[:, :2].max(axis=0)
            entry = {
                "image_id": f"{frame}.jpg",
                "category_id": 1,
                "keypoints": person.ravel().tolist(),
                "score": 2.7,
                "box": [*low.tolist(), *(high - low).tolist()],
            }
            results.append(entry | ({"idx": idx(number)} if idx else {}))
    return results


def write_alphapose_form(folder: Path, points: np.ndarray, form: str) -> Path:
    """The same function with ``--format cmu`` or ``open``: one file, and one a picture under `sep-json`."""
    results: dict[str, Any] = {}
    for entry in alphapose_results(points):
        flat = entry["keypoints"]
        flat = [*flat, *((flat[15 + i] + flat[18 + i]) / 2 for i in range(3))]
        ordered = [value for at in _CMU_OFFSETS for value in flat[at : at + 3]]
        list_name, key = ("bodies", "joints") if form == "cmu" else ("people", "pose_keypoints_2d")
        frame = results.setdefault(entry["image_id"], {"version": "AlphaPose v0.3", list_name: []})
        frame[list_name].append({key: ordered})
    (folder / "sep-json").mkdir(parents=True)
    (folder / "alphapose-results.json").write_text(json.dumps(results))
    for name, frame in results.items():
        (folder / "sep-json" / f"{name.split('.')[0]}.json").write_text(json.dumps(frame))
    return folder


def poseflow_results(points: np.ndarray) -> dict[str, Any]:
    """PoseFlow of AlphaPose, tracker-general.py: 51 values, a score and an `idx` from 1 for each picture."""
    return {
        f"{frame:05d}.jpg": [
            {"keypoints": person.ravel().tolist(), "scores": 2.7, "idx": number + 1}
            for number, person in enumerate(people)
        ]
        for frame, people in enumerate(points)
    }


def coco_results(points: np.ndarray) -> list[dict[str, Any]]:
    """The results format of the COCO keypoint task."""
    return [
        {"image_id": frame, "category_id": 1, "keypoints": person.ravel().tolist(), "score": 0.9}
        for frame, people in enumerate(points)
        for person in people
    ]


def mmpose_instances(people: Iterable[np.ndarray]) -> list[dict[str, Any]]:
    """MMPose 1.3, `split_instances` of mmpose/structures/utils.py; the comma there wraps the box."""
    return [
        {
            "keypoints": person[:, :2].tolist(),
            "keypoint_scores": person[:, 2].tolist(),
            "bbox": [[*person[:, :2].min(axis=0).tolist(), *person[:, :2].max(axis=0).tolist()]],
            "bbox_score": 0.9,
        }
        for person in people
    ]


def mmpose_film(points: np.ndarray, *, first: int = 0) -> list[dict[str, Any]]:
    """MMPose 1.3, `_finalize_video_processing` of its inferencer (frames from 0; its demo counts from 1)."""
    return [
        {"frame_id": frame, "instances": mmpose_instances(people)}
        for frame, people in enumerate(points, first)
    ]


def write_detectron(path: Path, points: np.ndarray, *, empty: tuple[int, ...] = ()) -> Path:
    """VideoPose3D at c4675a1, inference/infer_video_d2.py, `main`: lists of a list of two classes."""
    frames = len(points)
    boxes, keypoints = np.empty((frames, 2), object), np.empty((frames, 2), object)
    for frame, people in enumerate(points):
        boxes[frame, 0], keypoints[frame, 0] = [], []
        if frame in empty:
            boxes[frame, 1], keypoints[frame, 1] = [], []
            continue
        corners = np.concatenate([people[..., :2].min(axis=1), people[..., :2].max(axis=1)], axis=1)
        boxes[frame, 1] = np.c_[corners, np.full(len(people), 0.98)].astype(np.float32)
        rows = np.concatenate([people[..., :2], np.zeros_like(people[..., :1]), people[..., 2:]], axis=2)
        keypoints[frame, 1] = rows.transpose(0, 2, 1).astype(np.float32)
    np.savez_compressed(
        path,
        boxes=boxes,
        segments=np.array([None] * frames),
        keypoints=keypoints,
        metadata=np.array({"w": 640, "h": 480}, object),
    )
    return path


def write_videopose3d(path: Path, films: dict[str, np.ndarray]) -> Path:
    """VideoPose3D, data/prepare_data_2d_custom.py: (N, 17, 2) float32 under film and ``custom``."""
    metadata = {
        "layout_name": "coco",
        "num_joints": 17,
        "keypoints_symmetry": [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]],
        "video_metadata": {film: {"w": 640, "h": 480} for film in films},
    }
    positions = {film: {"custom": [points[:, 0, :, :2].astype("float32")]} for film, points in films.items()}
    np.savez_compressed(path, positions_2d=np.array(positions, object), metadata=np.array(metadata, object))
    return path


def write_kpts(path: Path, points: np.ndarray) -> Path:
    """zh-plus/video-to-pose3D at e7f802f: key `kpts`, (N, 17, 2)."""
    np.savez_compressed(path, kpts=points[:, 0, :, :2])
    return path
