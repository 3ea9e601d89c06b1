"""A captured walk on every rig of the reference data, held against what is promised."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from mpfb_rig import mpfb_rig
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.measures import measured
from pose_server.retarget.opening import map_rig, open_motion
from pose_server.retarget.retargeter import retargeted
from pose_server.rigs.files import read_rig

pytestmark = pytest.mark.reference

RIGS = (
    "kaykit/manny_med_mod.gltf",
    "kaykit/Med_MovementBasic.glb",
    "mesh2motion_human_skeleton.glb",
    *(
        f"mpfb2_standard/rig.{name}.json"
        for name in (
            "cmu_mb",
            "default",
            "default_no_toes",
            "game_engine",
            "game_engine_with_breast",
            "mixamo",
            "mixamo_unity",
            "openpose",
        )
    ),
)


@pytest.fixture(scope="module")
def walk(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Motion:
    folder = tmp_path_factory.mktemp("walk")
    with tarfile.open(reference_data / "mocap" / "cmu.tar.xz") as archive:
        wanted = ("cmu/amc/35_01.amc", "cmu/amc/35.asf")
        archive.extractall(folder, [member for member in archive if member.name in wanted], filter="data")
    return open_motion(folder / "cmu" / "amc" / "35_01.amc").motion


@pytest.mark.parametrize("name", RIGS)
def test_a_walk_goes_onto_it(reference_data: Path, walk: Motion, name: str) -> None:
    path = reference_data / "rigs" / name
    mapped = map_rig(mpfb_rig(path) if path.suffix == ".json" else read_rig(path))
    loose = retargeted(walk, mapped.rig, mapped.bones, RetargetOptions(relock=()))
    before = measured(walk, loose, mapped.bones)
    # OpenPose's rig has no hands.
    assert len(before.direction_deg) == (6 if "openpose" in name else 8)
    assert max(before.direction_deg.values()) < 2
    assert before.jump_deg < 0.01
    after = measured(walk, retargeted(walk, mapped.rig, mapped.bones), mapped.bones)
    assert after.slide_mm is not None
    assert after.slide_mm < 1
    assert after.under_ground_mm < 5
