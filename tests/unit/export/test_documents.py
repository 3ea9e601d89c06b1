"""JSON: what stands in it is enough to place every joint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from other_readers import pose_matrices, rotation_matrix, y_up
from pose_server.export.animation import Animation, animation_of
from pose_server.export.documents import JSON_VERSION, write_json
from pose_server.pipeline.file_options import FileOptions


def test_head_and_positions(tmp_path: Path, make_motion) -> None:
    motion = make_motion(first=6)
    write_json(tmp_path / "a.json", animation_of(motion, "ann"), FileOptions())
    read = json.loads((tmp_path / "a.json").read_text())
    frames = read.pop("frames")
    joints = read.pop("joints")
    assert read == {
        "format": "pose-server motion",
        "version": JSON_VERSION,
        "name": "ann",
        "frames_per_second": [30000, 1001],
        "start_s": pytest.approx(6 * 1001 / 30000),
        "first_frame": 6,
        "frame_count": 60,
        "unit": "m",
        "up": "z",
    }
    assert [joint["name"] for joint in joints] == list(motion.joint_names)
    assert len(frames) == 60
    positions = np.array([frame["positions"] for frame in frames])
    assert np.abs(positions - motion.joints_world_m).max() < 1e-5


def test_rotations_lead_to_the_positions(tmp_path: Path, rig: Animation) -> None:
    write_json(tmp_path / "a.json", rig, FileOptions(unit="cm", up="y"))
    read = json.loads((tmp_path / "a.json").read_text())
    assert (read["unit"], read["up"]) == ("cm", "y")
    frame = read["frames"][14]
    expected = 100 * y_up(pose_matrices(rig, 14)[:, :3, 3])
    assert np.abs(np.array(frame["positions"]) - expected).max() < 1e-3
    turns: list[np.ndarray] = []
    for joint, (entry, local) in enumerate(zip(read["joints"], frame["rotations_wxyz"], strict=True)):
        own, parent = rotation_matrix(np.array(local)), entry["parent"]
        turns.append(own if parent < 0 else turns[parent] @ own)
        if parent >= 0 and joint != 7:  # that one moves
            place = np.array(frame["positions"][parent]) + turns[parent] @ entry["rest_translation"]
            assert place == pytest.approx(np.array(frame["positions"][joint]), abs=1e-3)
