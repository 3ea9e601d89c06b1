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
    """Those of the import, and then those of its refinement."""
    given = {
        "filepath": str(reference_data / "video" / "sports2d_demo.mp4"),
        "server": running_server,
        "frame_start": FIRST,
        "frame_end": END,
    }
    settings = {"smoothing": 0.0, "height_m": 1.95, "floor": "flat"}
    report = blender.run(
        "refine", tmp_path, **{"import": given, "refine": settings, "mode": "POSE", "only": True, "step": 1}
    )
    sizes_m = []
    for name in ("before", "after"):
        result, folder = report[name], tmp_path / name
        (job,) = set(result["jobs"])
        with Client(running_server) as client:
            client.download_result(client.get_job(job), folder)
        for index, person in enumerate(result["people"], start=1):
            motion = read_npz(folder / f"person_{index:02d}" / "motion.npz")
            assert person["frames"] == [float(frame - FIRST + 1) for frame in motion.frames]
            found = np.array([[place[name] for name in motion.joint_names] for _, place in person["joints"]])
            assert np.linalg.norm(found - motion.joints_world_m, axis=-1).max() < TOLERANCE_M
        sizes_m.append(np.linalg.norm(motion.rest_offsets_m, axis=1).sum())
    assert report["after"]["jobs"] != report["before"]["jobs"]
    assert sizes_m[1] != pytest.approx(sizes_m[0], rel=1e-3)


def test_a_rigify_character_moves_as_the_person_does(
    blender: BlenderHost, running_server: str, reference_data: Path, tmp_path: Path
) -> None:
    """Before feet are held limbs point as the source's; held, FK and IK are the same to half a millimetre."""
    given = {
        "filepath": str(reference_data / "video" / "sports2d_demo.mp4"),
        "server": running_server,
        "frame_start": FIRST,
        "frame_end": END,
        "people": 1,
    }
    frames = list(range(1, END - FIRST + 1, 4))
    report = blender.run(
        "retarget", tmp_path, timeout_s=240, **{"import": given, "retarget": {}, "frames": frames}
    )
    assert report["done"] == ["FINISHED"] and report["undone"]
    arms = [angle for limb, angle in report["fk deg"].items() if "shoulder" in limb or "elbow" in limb]
    legs = [angle for limb, angle in report["fk deg"].items() if "hip" in limb or "knee" in limb]
    assert max(arms) < 0.5
    assert max(legs) < 10  # by as much as holding the feet moves them
    assert report["pop m"] < 5e-4
    assert max(report["steps m"]) < 1.0
    assert report["keys"] == [1, END - FIRST]
