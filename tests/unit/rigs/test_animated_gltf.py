from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_character import character, parsed_glb, played, write_glb, write_gltf
from made_walk import made_walk
from pose_server.retarget.forward import bone_worlds
from pose_server.retarget.opening import map_rig
from pose_server.retarget.retargeter import retargeted
from pose_server.retarget.rig_motion import RigMotion
from pose_server.rigs.animated_gltf import write_animated_gltf
from pose_server.rigs.gltf import read_gltf_rig
from pose_shared.errors import InputError


def walking(path: Path) -> RigMotion:
    mapped = map_rig(read_gltf_rig(path))
    return retargeted(made_walk(), mapped.rig, mapped.bones)


def animated(out: Path, source: Path, result: RigMotion) -> Path:
    write_animated_gltf(
        out,
        source,
        name="walk",
        times_s=result.times_s,
        bones=result.bones,
        rotations_wxyz=result.rotations_wxyz,
        locations=result.locations,
        moves=result.moves,
    )
    return out


@pytest.mark.parametrize("scale", [0.01, 1.0, 2.5])
def test_nodes_stand_in_the_file_as_bones_do_by_the_keys(tmp_path: Path, scale: float) -> None:
    source = write_glb(tmp_path / "a.glb", *character(scale=scale, seed=4))
    result = walking(source)
    content, data = parsed_glb(animated(tmp_path / "b.glb", source, result))
    names = [bone.name for bone in result.rig.bones]
    turns, heads = bone_worlds(result, names)
    for frame in (0, 31, 89):
        worlds = played(content, data, 0, frame)
        for i, name in enumerate(names):
            np.testing.assert_allclose(worlds[name][:3, 3], heads[frame, i], atol=2e-5)
            np.testing.assert_allclose(worlds[name][:3, :3] / scale, turns[frame, i], atol=2e-5)


def test_all_else_of_the_character_stays_as_it_was(tmp_path: Path) -> None:
    content, data = character()
    content["materials"] = [{"name": "skin", "extras": {"mine": [1, 2]}}]
    content["extensionsUsed"] = ["KHR_materials_unlit"]
    content["animations"] = [
        {
            "name": "own",
            "samplers": [{"input": 0, "output": 0}],
            "channels": [{"sampler": 0, "target": {"node": 1, "path": "translation"}}],
        }
    ]
    source = write_glb(tmp_path / "a.glb", content, data)
    after, buffer = parsed_glb(animated(tmp_path / "b.glb", source, walking(source)))
    for key in ("asset", "scenes", "nodes", "meshes", "skins", "materials", "extensionsUsed"):
        assert after[key] == content[key]
    assert after["animations"][0] == content["animations"][0]
    assert [animation["name"] for animation in after["animations"]] == ["own", "walk"]
    assert after["accessors"][: len(content["accessors"])] == content["accessors"]
    assert buffer[: len(data)] == data
    assert len(after["buffers"]) == 1
    assert after["buffers"][0]["byteLength"] <= len(buffer)


def test_pictures_and_buffers_beside_it_are_taken_along(tmp_path: Path) -> None:
    content, data = character()
    (tmp_path / "skin.png").write_bytes(b"picture")
    content["images"] = [{"uri": "skin.png"}, {"uri": "lost.png"}, {"uri": "../outside.png"}]
    (tmp_path.parent / "outside.png").write_bytes(b"secret")
    source = write_gltf(tmp_path / "a.gltf", content, data, "a.bin")
    result = walking(source)
    (tmp_path / "out").mkdir()
    after, buffer = parsed_glb(animated(tmp_path / "out" / "b.glb", source, result))
    view = after["bufferViews"][after["images"][0]["bufferView"]]
    assert buffer[view["byteOffset"] : view["byteOffset"] + view["byteLength"]] == b"picture"
    assert after["images"][0]["mimeType"] == "image/png"
    assert after["images"][1:] == content["images"][1:]
    assert b"secret" not in buffer


def test_nodes_with_a_matrix_get_parts_that_can_move(tmp_path: Path) -> None:
    content, data = character(scale=1.0)
    node = content["nodes"][1]
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat(node.pop("rotation")).as_matrix()
    matrix[:3, 3] = node.pop("translation")
    node["matrix"] = matrix.T.reshape(-1).tolist()
    source = write_glb(tmp_path / "a.glb", content, data)
    result = walking(source)
    after, buffer = parsed_glb(animated(tmp_path / "b.glb", source, result))
    assert "matrix" not in after["nodes"][1]
    _, heads = bone_worlds(result, ["mixamorig:Hips"])
    np.testing.assert_allclose(played(after, buffer, 0, 40)["mixamorig:Hips"][:3, 3], heads[40, 0], atol=2e-5)


def test_another_character_is_refused(tmp_path: Path) -> None:
    source = write_glb(tmp_path / "a.glb", *character())
    result = walking(source)
    text = json.dumps(character()[0]).replace("mixamorig:", "other:")
    other = write_glb(tmp_path / "c.glb", json.loads(text), character()[1])
    with pytest.raises(InputError, match="has no bone"):
        animated(tmp_path / "b.glb", other, result)
    assert not (tmp_path / "b.glb").exists()
