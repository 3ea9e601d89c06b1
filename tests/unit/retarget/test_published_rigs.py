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


#: A walk, a jump and a run.
TAKES = ("35_01", "16_01", "09_01")


@pytest.fixture(scope="module")
def takes(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Motion]:
    folder = tmp_path_factory.mktemp("takes")
    with tarfile.open(reference_data / "mocap" / "cmu.tar.xz") as archive:
        wanted = {f"cmu/amc/{take}.amc" for take in TAKES} | {f"cmu/amc/{take[:2]}.asf" for take in TAKES}
        archive.extractall(folder, [member for member in archive if member.name in wanted], filter="data")
    return {take: open_motion(folder / "cmu" / "amc" / f"{take}.amc").motion for take in TAKES}


@pytest.mark.parametrize("take", TAKES)
@pytest.mark.parametrize("name", RIGS)
def test_a_motion_goes_onto_it(reference_data: Path, takes: dict[str, Motion], name: str, take: str) -> None:
    motion = takes[take]
    path = reference_data / "rigs" / name
    mapped = map_rig(mpfb_rig(path) if path.suffix == ".json" else read_rig(path))
    assert mapped.confidence > 0.95
    loose = retargeted(motion, mapped.rig, mapped.bones, RetargetOptions(relock=()))
    before = measured(motion, loose, mapped.bones)
    # OpenPose's rig has no hands.
    assert len(before.direction_deg) == (6 if "openpose" in name else 8)
    assert max(before.direction_deg.values()) < 2
    assert before.jump_deg < 0.01
    after = measured(motion, retargeted(motion, mapped.rig, mapped.bones), mapped.bones)
    assert after.slide_mm is not None
    assert after.slide_mm < 1
    assert after.under_ground_mm < 5
    assert after.jump_deg < 0.01
