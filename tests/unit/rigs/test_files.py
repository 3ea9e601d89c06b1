from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_character import character, write_glb
from made_walk import made_walk
from pose_server.export.usd import write_usd
from pose_server.pipeline.file_options import FileOptions
from pose_server.retarget.animation import rig_animation
from pose_server.retarget.opening import map_rig
from pose_server.retarget.retargeter import retargeted
from pose_server.rigs.files import read_recorded_rig, read_rig
from pose_server.rigs.gltf import read_gltf_rig
from pose_shared.errors import InputError, NotFoundError
from pose_shared.rig import Rig

ENDINGS = ("glb", "gltf", "usd", "usda", "usdc", "usdz", "fbx", "bvh", "json")


def hero(folder: Path) -> Rig:
    return read_gltf_rig(write_glb(folder / "hero.glb", *character(seed=2)))


def places_z_up(rig: Rig) -> dict[str, np.ndarray]:
    heads = {bone.name: np.array(bone.head) * rig.metres_per_unit for bone in rig.bones}
    if rig.up == "z":
        return heads
    return {name: np.array([x, -z, y]) for name, (x, y, z) in heads.items()}


def test_a_description_is_read_as_it_was_written(tmp_path: Path) -> None:
    rig = hero(tmp_path)
    (tmp_path / "hero.json").write_text(rig.to_json(), encoding="utf-8")
    assert read_rig(tmp_path / "hero.json") == rig


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_none_or_rubbish_is_one_sentence(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"hero.{ending}"
    with pytest.raises((NotFoundError, InputError)):
        read_rig(path)
    rng = np.random.default_rng(5)
    for content in (
        b"",
        b"\0" * 100,
        rng.bytes(5000),
        b"glTF" + rng.bytes(60),
        b"Kaydara FBX Binary  \0" * 3,
    ):
        path.write_bytes(content)
        if ending.startswith("usd"):
            pytest.importorskip("pxr", reason="usd-core is not installed (pip install -e .[usd])")
        if ending == "fbx" and content.startswith(b"Kaydara"):
            continue  # asks Blender, below
        with pytest.raises(InputError) as error:
            read_rig(path)
        assert "\n" not in error.value.message


def test_unknown_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give one of \.glb"):
        read_rig(tmp_path / "hero.max")
    with pytest.raises(InputError, match=r"give one of \.bvh"):
        read_recorded_rig(tmp_path / "walk.fbx")


def test_usd_bones_stand_where_they_did(tmp_path: Path) -> None:
    pytest.importorskip("pxr", reason="usd-core is not installed (pip install -e .[usd])")
    rig = hero(tmp_path)
    mapped = map_rig(rig)
    animation = rig_animation(retargeted(made_walk(5), rig, mapped.bones), "hero")
    for unit, up in (("m", "z"), ("cm", "y")):
        path = tmp_path / f"{unit}.usda"
        write_usd(path, animation, FileOptions(unit=unit, up=up))
        found = read_rig(path)
        assert (found.metres_per_unit, found.up) == ({"m": 1.0, "cm": 0.01}[unit], up)
        expected, have = places_z_up(rig), places_z_up(found)
        for bone in found.bones:
            name = next(
                name for name in expected if name.split(":")[-1] == bone.name.split("_")[-1].split(":")[-1]
            )
            np.testing.assert_allclose(have[bone.name], expected[name], atol=1e-4)


def test_usd_that_names_other_files_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pxr", reason="usd-core is not installed (pip install -e .[usd])")
    path = tmp_path / "a.usda"
    path.write_text('#usda 1.0\n(\n    subLayers = [@/etc/passwd@]\n)\ndef Xform "a" {}\n')
    with pytest.raises(InputError, match="other files"):
        read_rig(path)
    path.write_text('#usda 1.0\ndef Xform "a" {}\n')
    with pytest.raises(InputError, match="no skeleton"):
        read_rig(path)


@pytest.mark.bpy
def test_fbx_bones_stand_where_they_did(tmp_path: Path) -> None:
    from pose_server.export.fbx import write_fbx

    rig = hero(tmp_path)
    result = retargeted(made_walk(5), rig, map_rig(rig).bones)
    # An FBX without a skin rests as it stands at first.
    still = np.zeros_like(result.rotations_wxyz)
    still[..., 0] = 1.0
    result = replace(result, rotations_wxyz=still, locations=np.zeros_like(result.locations))
    write_fbx(tmp_path / "hero.fbx", rig_animation(result, "hero"), FileOptions())
    found = read_rig(tmp_path / "hero.fbx")
    expected, have = places_z_up(rig), places_z_up(found)
    assert set(expected) <= set(have)
    for name, place in expected.items():
        np.testing.assert_allclose(have[name], place, atol=1e-3)


@pytest.mark.bpy
def test_fbx_that_blender_cannot_import_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "hero.fbx"
    path.write_bytes(b"Kaydara FBX Binary  \0\x1a\0" + bytes(200))
    with pytest.raises(InputError, match="Blender cannot import it") as error:
        read_rig(path)
    assert "\n" not in error.value.message
