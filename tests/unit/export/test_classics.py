"""Files that older programs read: in their layout, and upright where they show them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from other_readers import y_up
from pose_server.export.classics import write_maya_2d, write_maya_3d, write_videopose3d
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.file_options import FileOptions
from pose_shared.skeleton import COCO_17, COCO_18, H36M_17
from scipy.spatial.transform import Rotation


def read_as_maya_does(path: Path) -> dict[int, dict[int, list[float]]]:
    """{frame: {joint: translate}}, as maya_skeleton.py goes through it."""
    return {
        int(frame): {int(joint): entry["translate"] for joint, entry in joints.items()}
        for frame, joints in json.loads(path.read_text()).items()
    }


def test_3d_data_stands_upright_in_maya(tmp_path: Path, make_motion) -> None:
    motion = make_motion(first=20)
    write_maya_3d(tmp_path / "3d_data.json", motion, FileOptions())
    frames = read_as_maya_does(tmp_path / "3d_data.json")
    assert list(frames) == list(range(20, 80))
    # The script puts all points below a group that it turns by -110 degrees about x.
    group = Rotation.from_euler("x", -110, degrees=True)
    of = motion.joint_names.index
    # The joints that the script puts together, and what Human3.6M calls them.
    expected = {1: "right_hip", 2: "right_knee", 3: "right_ankle", 6: "left_hip", 7: "left_knee"}
    expected |= {8: "left_ankle", 11: "pelvis", 13: "neck", 14: "head", 17: "left_shoulder"}
    expected |= {
        18: "left_elbow",
        19: "left_wrist",
        25: "right_shoulder",
        26: "right_elbow",
        27: "right_wrist",
    }
    for row in (0, 33):
        joints = frames[20 + row]
        assert list(joints) == list(range(32))
        for number, name in expected.items():
            there = group.apply(joints[number])
            assert there == pytest.approx(1000 * y_up(motion.joints_world_m[row, of(name)]), abs=0.01), name
    tip = group.apply(frames[20][15]) - group.apply(frames[20][14])
    assert 150 < np.linalg.norm(tip) < 230, "the top of the head"
    write_maya_3d(tmp_path / "3d_data.json", motion, FileOptions(unit="cm"))
    assert np.array(read_as_maya_does(tmp_path / "3d_data.json")[20][19]) == pytest.approx(
        np.array(frames[20][19]) / 10, abs=1e-3
    )


def seen(motion: Motion) -> Motion:
    """With COCO's keypoints, of which the left ear is never seen and the nose not in row 4."""
    rng = np.random.default_rng(2)
    points = rng.uniform(0, 600, (len(motion), 17, 2)).astype(np.float32)
    points[:, COCO_17.index("left_ear")] = np.nan
    points[4, COCO_17.index("nose")] = np.nan
    return dataclasses.replace(
        motion,
        keypoint_names=COCO_17.joints,
        keypoints_px=points,
        keypoint_confidence=np.isfinite(points[..., 0]).astype(np.float32),
    )


def test_2d_data_is_what_was_seen(tmp_path: Path, make_motion) -> None:
    motion = seen(make_motion(first=2))
    bend = np.array([-0.1, 0.02, 0.001, 0, 0])
    motion = dataclasses.replace(motion, camera=dataclasses.replace(motion.camera, distortion=bend))
    write_maya_2d(tmp_path / "2d_data.json", motion, FileOptions())
    frames = read_as_maya_does(tmp_path / "2d_data.json")
    assert list(frames) == list(range(2, 62))
    nose, ear, neck = (COCO_18.index(name) for name in ("nose", "left_ear", "neck"))
    assert list(frames[2]) == list(range(18))
    assert list(frames[6]) == [i for i in range(18) if i != nose], "not seen there"
    wrist = COCO_18.index("right_wrist")
    assert frames[9][wrist] == pytest.approx(motion.keypoints_px[7, COCO_17.index("right_wrist")], abs=1e-3)
    for number, joint in ((neck, "neck"), (ear, "head")):
        place = motion.joints_camera_m[30, motion.joint_names.index(joint)].astype(float)
        pixel, _ = cv2.projectPoints(place, np.zeros(3), np.zeros(3), motion.camera.matrix, bend)
        assert frames[32][number] == pytest.approx(pixel.ravel(), abs=0.01)


@pytest.mark.parametrize("moving", [False, True])
def test_npy_is_videopose3ds_array(tmp_path: Path, make_motion, moving: bool) -> None:
    motion = make_motion(moving_camera=moving)
    write_videopose3d(tmp_path / "motion.npy", motion, FileOptions())
    array = np.load(tmp_path / "motion.npy", allow_pickle=False)
    assert (array.shape, array.dtype) == ((60, 17, 3), np.float32)
    assert not array[:, 0].any(), "about the pelvis"
    assert [path.name for path in tmp_path.iterdir()] == ["motion.npy"]
    of = motion.joint_names.index
    for name, ours in (("left_wrist", "left_wrist"), ("right_knee", "right_knee"), ("neck", "neck")):
        expected = motion.joints_camera_m[:, of(ours)] - motion.joints_camera_m[:, 0]
        assert np.abs(array[:, H36M_17.index(name)] - expected).max() < 1e-5
    top, base = array[:, H36M_17.index("head_top")], array[:, H36M_17.index("nose")]
    assert np.ptp(np.linalg.norm(top - base, axis=1)) < 1e-4
    # With its head up, as the camera has it: y down.
    upright = np.abs(motion.local_rotations_wxyz[:, of("head"), 1:]).max(axis=1).argmin()
    assert array[upright, H36M_17.index("head_top"), 1] < array[upright, H36M_17.index("neck"), 1] < 0
