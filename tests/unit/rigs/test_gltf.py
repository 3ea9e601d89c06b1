from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_character import bones_of_character, character, write_glb, write_gltf
from pose_server.rigs.gltf import read_gltf_motion, read_gltf_rig
from pose_shared.errors import InputError, NotFoundError
from scipy.spatial.transform import Rotation


def test_bones_stand_where_the_scene_has_them_whatever_is_scaled_above(tmp_path: Path) -> None:
    rig = read_gltf_rig(write_glb(tmp_path / "hero.glb", *character(scale=0.01)))
    assert (rig.name, rig.up, rig.metres_per_unit) == ("hero", "y", 1.0)
    found = {bone.name: (bone.parent, bone.head) for bone in rig.bones}
    assert set(found) == {name for name, _, _ in bones_of_character()}
    for name, parent, head in bones_of_character():
        assert found[name][0] == parent
        np.testing.assert_allclose(found[name][1], head, atol=1e-6)


@pytest.mark.parametrize("uri", [None, "hero.bin", "a%20b.bin"])
def test_a_buffer_may_lie_within_or_beside(tmp_path: Path, uri: str | None) -> None:
    content, data = character()
    path = write_gltf(tmp_path / "hero.gltf", content, data, "a b.bin" if uri == "a%20b.bin" else uri)
    if uri:
        path.write_text(path.read_text().replace("a b.bin", uri))
    assert len(read_gltf_rig(path).bones) == len(bones_of_character())


def test_names_that_repeat_or_lack_are_told_apart(tmp_path: Path) -> None:
    content, data = character()
    content["nodes"][3]["name"] = content["nodes"][4]["name"]
    del content["nodes"][5]["name"]
    names = [bone.name for bone in read_gltf_rig(write_glb(tmp_path / "a.glb", content, data)).bones]
    assert len(set(names)) == len(names) == len(bones_of_character())
    assert "node_5" in names


def test_of_two_figures_the_larger_is_the_rig(tmp_path: Path) -> None:
    content, data = character()
    first = len(content["nodes"])
    content["nodes"] += [
        {"name": "sword", "children": [first + 1]},
        {"name": "tip", "translation": [0, 1, 0]},
    ]
    content["skins"].append({"joints": [first, first + 1]})
    rig = read_gltf_rig(write_glb(tmp_path / "a.glb", content, data))
    assert len(rig.bones) == len(bones_of_character())


def change(content: dict[str, Any], node: int, **fields: Any) -> None:
    content["nodes"][node].update(fields)


BROKEN: dict[str, Any] = {
    "mirrored": (lambda c: change(c, 3, scale=[-1, 1, 1]), "mirrored"),
    "uneven": (lambda c: change(c, 3, scale=[1, 2, 1]), "alike"),
    "to nothing": (lambda c: change(c, 3, scale=[0, 0, 0]), "alike"),
    "NaN": (lambda c: change(c, 3, translation=[math.nan, 0, 0]), "3 numbers"),
    "endless": (lambda c: change(c, 3, translation=[1e300, 0, 0]), "beyond all measure"),
    "text": (lambda c: change(c, 3, translation="up"), "3 numbers"),
    "no rotation": (lambda c: change(c, 3, rotation=[0, 0, 0, 0]), "unit quaternion"),
    "sheared": (lambda c: change(c, 3, matrix=[1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]), "sheared"),
    "circle": (lambda c: change(c, 7, children=[1]), "two parents|ancestors"),
    "own child": (lambda c: (change(c, 0, children=[]), change(c, 6, children=[1])), "ancestors|two parents"),
    "far child": (lambda c: change(c, 3, children=[10**9]), "points to nodes"),
    "no list": (lambda c: c.update(nodes={}), "nodes are no list"),
    "no nodes": (lambda c: c.update(nodes=[]), "0 nodes"),
    "many nodes": (lambda c: c.update(nodes=[{}] * 100_001), "100001 nodes"),
    "no skin": (lambda c: c.update(skins=[]), "neither a skin"),
    "old": (lambda c: c.update(asset={"version": "1.0"}), "version"),
    "joints": (lambda c: c.update(skins=[{"joints": "all"}]), "is none"),
    "boolean": (lambda c: c.update(skins=[{"joints": [True]}]), "points to nodes"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_rig_is_refused_with_a_sentence(tmp_path: Path, case: str) -> None:
    spoil, words = BROKEN[case]
    content, data = character()
    content = copy.deepcopy(content)
    spoil(content)
    with pytest.raises(InputError, match=words) as error:
        read_gltf_rig(write_glb(tmp_path / "a.glb", content, data))
    assert error.value.reason in ("RIG_UNREADABLE", "RIG_INVALID")
    assert "\n" not in error.value.message


def test_files_that_are_cut_or_none_are_refused(tmp_path: Path) -> None:
    whole = write_glb(tmp_path / "a.glb", *character()).read_bytes()
    cut = tmp_path / "cut.glb"
    for length in (0, 4, 11, 19, 300, len(whole) - 1):
        cut.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_gltf_rig(cut)
    for text in ("[]", "null", "{", "[" * 100_000, "\x00\xff"):
        cut.write_text(text)
        with pytest.raises(InputError):
            read_gltf_rig(cut)
    with pytest.raises(NotFoundError):
        read_gltf_rig(tmp_path / "none.glb")
    with pytest.raises(InputError):
        read_gltf_rig(tmp_path)


def moving(
    content: dict[str, Any], data: bytes, turns: np.ndarray, rate: float
) -> tuple[dict[str, Any], bytes]:
    """Give the character an animation that turns its hips' node."""
    times = (np.arange(len(turns)) / rate).astype("<f4")
    values = turns.astype("<f4")
    start = len(data)
    content["bufferViews"] += [
        {"buffer": 0, "byteOffset": start, "byteLength": times.nbytes},
        {"buffer": 0, "byteOffset": start + times.nbytes, "byteLength": values.nbytes},
    ]
    content["accessors"] += [
        {"bufferView": 1, "componentType": 5126, "count": len(turns), "type": "SCALAR"},
        {"bufferView": 2, "componentType": 5126, "count": len(turns), "type": "VEC4"},
    ]
    content["animations"] = [
        {
            "name": "spin",
            "samplers": [{"input": 1, "output": 2}],
            "channels": [{"sampler": 0, "target": {"node": 1, "path": "rotation"}}],
        }
    ]
    return content, data + times.tobytes() + values.tobytes()


def test_an_animation_carries_what_hangs_on_it(tmp_path: Path) -> None:
    content, data = character()
    still = Rotation.from_quat(content["nodes"][1]["rotation"])
    armature = Rotation.from_quat(content["nodes"][0]["rotation"])
    # About the scene's y, which is up, by 3 degrees a frame.
    spin = [Rotation.from_euler("y", 3 * i, degrees=True) for i in range(20)]
    turns = np.array([(armature.inv() * turn * armature * still).as_quat() for turn in spin])
    found = read_gltf_motion(write_glb(tmp_path / "a.glb", *moving(content, data, turns, 24.0)))
    assert found.rate == 24
    assert len(found) == 20
    names = [bone.name for bone in found.rig.bones]
    rest = np.array([bone.head for bone in found.rig.bones])
    hips = rest[names.index("mixamorig:Hips")]
    for frame in (0, 7, 19):
        expected = spin[frame].apply(rest - hips) + hips
        np.testing.assert_allclose(found.heads[frame], expected, atol=1e-5)
        np.testing.assert_allclose(
            found.turns[frame], np.broadcast_to(spin[frame].as_matrix(), (len(names), 3, 3)), atol=1e-5
        )


ACCESSORS: dict[str, Any] = {
    "sparse": (lambda a, v: a.update(sparse={}), "sparse"),
    "beyond": (lambda a, v: a.update(count=10**9), "beyond its buffer"),
    "huge": (lambda a, v: a.update(count=10**30), "cannot be"),
    "negative": (lambda a, v: a.update(byteOffset=-8), "cannot be"),
    "half": (lambda a, v: a.update(count=1.5), "cannot be"),
    "stride": (lambda a, v: v.update(byteStride=1), "cannot be"),
    "type": (lambda a, v: a.update(type="VEC9"), "no type"),
    "buffer": (lambda a, v: v.update(buffer=7), "points to buffers"),
    "view": (lambda a, v: a.update(bufferView=None), "points to bufferViews"),
    "packed": (lambda a, v: v.update(extensions={"EXT_meshopt_compression": {}}), "compressed"),
    "odd": (lambda a, v: a.update(count=3), "row of times"),
}


@pytest.mark.parametrize("case", ACCESSORS)
def test_accessors_are_held_against_what_is_there(tmp_path: Path, case: str) -> None:
    content, data = character()
    turns = np.tile([0.0, 0, 0, 1], (5, 1))
    content, data = moving(content, data, turns, 30.0)
    spoil, words = ACCESSORS[case]
    spoil(content["accessors"][2], content["bufferViews"][2])
    with pytest.raises(InputError, match=words):
        read_gltf_motion(write_glb(tmp_path / "a.glb", content, data))


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    content, data = character()
    turns = np.tile([0.0, 0, 0, math.nan], (5, 1))
    with pytest.raises(InputError, match="no numbers"):
        read_gltf_motion(write_glb(tmp_path / "a.glb", *moving(content, data, turns, 30.0)))


@pytest.mark.parametrize(
    "uri",
    ["../secret.bin", "/etc/hostname", "%2e%2e/secret.bin", "file:///etc/hostname", "a/../../secret.bin"],
)
def test_only_files_beside_it_are_opened(tmp_path: Path, uri: str) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(1000))
    folder = tmp_path / "character"
    folder.mkdir()
    content, data = moving(*character(), np.tile([0.0, 0, 0, 1], (5, 1)), 30.0)
    content["buffers"] = [{"byteLength": len(data), "uri": uri}]
    path = folder / "a.gltf"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="not beside it"):
        read_gltf_motion(path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    content, data = moving(*character(), np.tile([0.0, 0, 0, 1], (5, 1)), 30.0)
    (tmp_path / "secret.bin").write_bytes(data)
    folder = tmp_path / "character"
    folder.mkdir()
    (folder / "a.bin").symlink_to(tmp_path / "secret.bin")
    content["buffers"] = [{"byteLength": len(data), "uri": "a.bin"}]
    (folder / "a.gltf").write_text(json.dumps(content))
    with pytest.raises(InputError, match="not beside it"):
        read_gltf_motion(folder / "a.gltf")


def test_a_take_is_chosen_by_name(tmp_path: Path) -> None:
    path = write_glb(tmp_path / "a.glb", *moving(*character(), np.tile([0.0, 0, 0, 1], (5, 1)), 30.0))
    assert len(read_gltf_motion(path, "spin")) == 5
    with pytest.raises(InputError, match="choose from spin"):
        read_gltf_motion(path, "jump")


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "bones"),
    [
        ("mesh2motion_human_skeleton.glb", 53),
        ("kaykit/Med_MovementBasic.glb", 23),
        ("kaykit/manny_med_mod.gltf", 21),
    ],
)
def test_published_characters_are_read(reference_data: Path, name: str, bones: int) -> None:
    assert len(read_gltf_rig(reference_data / "rigs" / name).bones) == bones
