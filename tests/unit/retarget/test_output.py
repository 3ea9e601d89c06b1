from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_character import character, parsed_glb, write_glb
from made_walk import made_walk
from pose_server.cli.main import app
from pose_server.export.npz import write_npz
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.animation import rig_animation
from pose_server.retarget.forward import bone_worlds
from pose_server.retarget.opening import map_rig, open_rig
from pose_server.retarget.retargeter import retargeted
from pose_server.rigs.files import read_recorded_rig
from pose_server.rigs.gltf import read_gltf_rig
from pose_shared.rig import Rig, RigBone
from typer.testing import CliRunner

RUN = CliRunner()


def command(folder: Path, *options: str) -> list[str]:
    named = {"--rig": folder / "hero.glb", "--out": folder / "out"}
    words = [word for name, path in named.items() for word in (name, str(path))]
    return ["retarget", str(folder / "motion.npz"), *words, "--json", *options]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_glb(tmp_path / "hero.glb", *character(seed=3))
    write_npz(tmp_path / "motion.npz", made_walk())
    return tmp_path


def retarget(folder: Path, *options: str) -> dict[str, object]:
    done = RUN.invoke(
        app,
        command(folder, *options),
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_motion_is_written_in_each_format_with_a_report(folder: Path) -> None:
    report = retarget(folder, "--formats", "keys,keys_json,bvh,glb,csv")
    files = sorted(path.name for path in (folder / "out").iterdir())
    assert files == ["hero.glb", "keys.json", "keys.npz", "motion.bvh", "motion.csv", "report.json"]
    assert json.loads((folder / "out" / "report.json").read_text()) == report
    assert report["rig"]["mapped"]["left_hip"] == ["mixamorig:LeftUpLeg"]  # type: ignore[index]
    assert max(report["before_relocking"]["direction_deg"].values()) < 0.05  # type: ignore[index]
    content, _ = parsed_glb(folder / "out" / "hero.glb")
    assert content["animations"][-1]["name"] == "motion"
    assert content["meshes"] == character(seed=3)[0]["meshes"]
    with np.load(folder / "out" / "keys.npz") as keys:
        as_text = json.loads((folder / "out" / "keys.json").read_text())
        assert as_text["fps"] == keys["fps"].tolist() == [30, 1]
        assert list(as_text["bones"]) == keys["bone_names"].tolist()
        for i, fields in enumerate(as_text["bones"].values()):
            np.testing.assert_allclose(fields["rotations_wxyz"], keys["rotations_wxyz"][:, i], atol=1e-6)
            assert ("locations" in fields) == keys["moves"][i]


def test_bones_in_the_bvh_go_where_the_keys_take_them(folder: Path) -> None:
    """Through the file and its reader, against forward kinematics of the keys."""
    retarget(folder, "--formats", "keys,bvh")
    mapped = open_rig(folder / "hero.glb")
    result = retargeted(made_walk(), mapped.rig, mapped.bones)
    back = read_recorded_rig(folder / "out" / "motion.bvh")
    names = [bone.name for bone in back.rig.bones]
    _, heads = bone_worlds(result, names)
    np.testing.assert_allclose(back.heads * 0.01, heads, atol=1e-3)


def test_in_place_stays_and_says_so(folder: Path) -> None:
    report = retarget(folder, "--in-place", "--formats", "keys")
    assert report["options"]["in_place"] is True  # type: ignore[index]
    # Measured as it would travel: feet do slide under somebody who stays.
    assert report["after_relocking"]["slide_mm"] < 5  # type: ignore[index]
    mapped = open_rig(folder / "hero.glb")
    result = retargeted(made_walk(), mapped.rig, mapped.bones, RetargetOptions(in_place=True))
    _, heads = bone_worlds(result, [mapped.bones["pelvis"]])
    assert np.ptp(heads[:, 0, [0, 2]], axis=0).max() < 0.01


def test_a_rig_with_several_roots_gets_one_for_files(tmp_path: Path) -> None:
    mapped = map_rig(read_gltf_rig(write_glb(tmp_path / "a.glb", *character())))
    control = RigBone("control", "", mapped.rig.bones[0].rest)
    rig = Rig(mapped.rig.name, (*mapped.rig.bones, control), up="y")
    result = retargeted(made_walk(8), rig, mapped.bones)
    animation = rig_animation(result, "walk")
    assert animation.parents.tolist().count(-1) == 1
    _, heads = bone_worlds(result, [bone.name for bone in rig.bones])
    np.testing.assert_allclose(
        animation.positions_m()[:, 1:],
        np.stack([heads[..., 0], -heads[..., 2], heads[..., 1]], -1),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--formats", "gif"], "FORMAT_UNKNOWN"),
        (["--relock", "tail"], "RELOCK_INVALID"),
        (["--root-motion", "up"], "ROOT_MOTION_INVALID"),
        (["--preset", "octopus"], "PRESET_UNKNOWN"),
        (["--preset", "kaykit"], "PRESET_UNFIT"),
        (["--map", "none.json"], "FILE_NOT_FOUND"),
    ],
)
def test_what_cannot_be_is_one_sentence(folder: Path, options: list[str], reason: str) -> None:
    done = RUN.invoke(
        app,
        command(folder, *options),
    )
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["reason"] == reason
    assert not (folder / "out").exists()


def test_a_folder_without_a_result_and_a_person_who_is_not_there(folder: Path) -> None:
    for person in (1, 2):
        (folder / "take" / f"person_0{person}").mkdir(parents=True)
        write_npz(folder / "take" / f"person_0{person}" / "motion.npz", made_walk(4))
    (folder / "empty").mkdir()
    for motion, options, reason in (
        ("empty", [], "MOTION_MISSING"),
        ("take", [], "PERSON_UNKNOWN"),
        ("take", ["--person", "3"], "PERSON_UNKNOWN"),
    ):
        words = ["retarget", str(folder / motion), *command(folder, *options)[2:]]
        done = RUN.invoke(app, words)
        assert json.loads(done.stdout)["error"]["reason"] == reason
    words = ["retarget", str(folder / "take"), *command(folder, "--person", "2")[2:]]
    assert RUN.invoke(app, words).exit_code == 0


def test_a_rig_is_described_and_its_map_corrected(folder: Path) -> None:
    rig, bones = folder / "rig.json", folder / "map.json"
    words = ["rig", str(folder / "hero.glb"), "--out", str(rig), "--map-out", str(bones)]
    done = RUN.invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "mixamorig:LeftUpLeg" in done.stdout
    assert open_rig(rig).rig.bones == open_rig(folder / "hero.glb").rig.bones
    known = json.loads(bones.read_text())
    known["roles"] = {"left_toe": [], "head": "mixamorig:Neck", "neck": []}
    bones.write_text(json.dumps(known))
    found = json.loads(RUN.invoke(app, ["rig", str(rig), "--map", str(bones), "--json"]).stdout)
    assert "left_toe" in found["missing"]
    assert found["mapped"]["head"] == ["mixamorig:Neck"]
    assert found["mapped"]["right_toe"] == ["mixamorig:RightToeBase"]


def test_files_are_in_the_unit_and_axis_that_were_asked_for(folder: Path) -> None:
    retarget(folder, "--formats", "csv, bvh")
    usual = np.loadtxt(folder / "out" / "motion.csv", delimiter=",", skiprows=1)
    retarget(folder, "--formats", "csv, bvh", "--unit", "cm", "--up", "y", "--rotation-order", "XYZ")
    other = np.loadtxt(folder / "out" / "motion.csv", delimiter=",", skiprows=1)
    places, turned = usual[:, 2:].reshape(len(usual), -1, 3), other[:, 2:].reshape(len(other), -1, 3)
    np.testing.assert_allclose(turned, places[..., [0, 2, 1]] * (100, 100, -100), atol=0.01)
    assert "Xrotation Yrotation Zrotation" in (folder / "out" / "motion.bvh").read_text()


def test_an_option_that_no_file_leaves_open_is_refused(folder: Path) -> None:
    done = RUN.invoke(app, command(folder, "--formats", "keys", "--unit", "cm"))
    assert done.exit_code == 2
    assert "--unit means nothing to keys" in done.output
