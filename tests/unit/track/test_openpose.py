"""Real detections of another detector: no landmarks, keypoints missing, bodies torn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from pose_server.pipeline.boundary import Detections, Track2D
from pose_server.pipeline.progress import SilentProgress
from pose_server.track.tracker import track_people
from pose_shared.skeleton import BODY_25, BODY_25B, JointSet

pytestmark = pytest.mark.reference


def read(archive: Path, folder: str, *, rate: float) -> list[Detections]:
    with ZipFile(archive) as files:
        names = sorted(n for n in files.namelist() if n.startswith(folder) and n.endswith(".json"))
        frames = [json.loads(files.read(name))["people"] for name in names]
    return [_frame(index, index / rate, people) for index, people in enumerate(frames)]


def _frame(index: int, time_s: float, people: Sequence[dict[str, list[float]]]) -> Detections:
    table = np.array([person["pose_keypoints_2d"] for person in people]).reshape(len(people), 25, 3)
    table = table[(table[..., 2] > 0).sum(axis=1) >= 3]
    confidence = table[..., 2]
    keypoints = np.where(confidence[..., None] > 0, table[..., :2], np.nan)
    boxes = np.zeros((0, 4))
    if len(table):
        boxes = np.concatenate([np.nanmin(keypoints, axis=1), np.nanmax(keypoints, axis=1)], axis=1)
    return Detections(
        index=index,
        time_s=time_s,
        boxes_px=boxes,
        scores=confidence.mean(axis=1),
        keypoints_px=keypoints,
        keypoint_confidence=confidence,
        landmarks_m=np.full((*confidence.shape, 3), np.nan),
    )


def track(detections: Sequence[Detections], joints: JointSet, size: tuple[int, int]) -> list[Track2D]:
    return track_people(detections, keypoint_names=joints.joints, image_size=size, progress=SilentProgress())


def test_a_man_on_a_treadmill_and_a_bystander(reference_data: Path) -> None:
    archive = reference_data / "detections" / "openpose_body25b_cam01_raw.zip"
    tracks = track(read(archive, "cam01_json/", rate=60), BODY_25B, (1080, 1920))
    assert len(tracks) == 2
    bystander, man = sorted(tracks, key=lambda t: np.nanmean(t.boxes_px[:, 0]))
    assert bystander.found.sum() == 100
    assert man.found.sum() >= 99  # in one frame OpenPose tears him in two
    assert np.nanmax(np.abs(np.diff(bystander.boxes_px[:, 0]))) < 20


@pytest.mark.parametrize(
    ("folder", "rows"), [("0/", 440), ("1/", 81), ("2/", 410), ("5/", 351), ("6/", 1026)]
)
def test_somebody_alone_is_one_track(reference_data: Path, folder: str, rows: int) -> None:
    archive = reference_data / "detections" / "openpose_body25_seven_clips.zip"
    (person,) = track(read(archive, folder, rate=30), BODY_25, (800, 1080))
    assert person.found.sum() >= rows


@pytest.mark.parametrize(("folder", "cut"), [("3/", 37), ("4/", 14)])
def test_a_jump_of_the_camera_ends_a_track(reference_data: Path, folder: str, cut: int) -> None:
    archive = reference_data / "detections" / "openpose_body25_seven_clips.zip"
    tracks = track(read(archive, folder, rate=30), BODY_25, (600, 720))
    assert len(tracks) == 2
    for person in tracks:
        found = person.indices[person.found]
        assert not ({cut - 1, cut} <= set(found.tolist()))
