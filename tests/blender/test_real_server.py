"""A real clip through a real server into every Blender."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from blender_hosts import BlenderHost
from pose_server.export.npz import read_npz
from pose_shared.client import Client

pytestmark = pytest.mark.reference

FIRST, END = 60, 84
TOLERANCE_M = 1e-3


def test_blender_has_the_joints_of_the_motion(
    blender: BlenderHost, running_server: str, reference_data: Path, tmp_path: Path
) -> None:
    clip = reference_data / "video" / "sports2d_demo.mp4"
    result = blender.run(
        "import_video",
        tmp_path,
        **{
            "import": {
                "filepath": str(clip),
                "server": running_server,
                "frame_start": FIRST,
                "frame_end": END,
            }
        },
    )
    (job,) = result["job"]
    assert len(result["people"]) == 2
    with Client(running_server) as client:
        client.download_result(client.get_job(job), tmp_path)
    for index, person in enumerate(result["people"], start=1):
        motion = read_npz(tmp_path / f"person_{index:02d}" / "motion.npz")
        assert person["frames"] == [float(frame - FIRST + 1) for frame in motion.frames]
        found = np.array([[place[name] for name in motion.joint_names] for _, place in person["joints"]])
        assert np.linalg.norm(found - motion.joints_world_m, axis=-1).max() < TOLERANCE_M
