"""A glTF character as other programs export one: bones with axes of their own below a scaled node, a skin."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

#: y up, facing +z, metres: name, parent and head, arms 40 degrees below a T-pose.
_DOWN = np.radians(40)
_ARM = np.array([np.cos(_DOWN), -np.sin(_DOWN), 0.0])
_LEFT = [
    ("Shoulder", "Spine2", (0.03, 1.38, 0.0)),
    ("Arm", "Shoulder", (0.16, 1.40, 0.0)),
    ("ForeArm", "Arm", tuple((0.16, 1.40, 0.0) + 0.27 * _ARM)),
    ("Hand", "ForeArm", tuple((0.16, 1.40, 0.0) + 0.51 * _ARM)),
    ("UpLeg", "Hips", (0.09, 0.92, 0.0)),
    ("Leg", "UpLeg", (0.10, 0.50, 0.01)),
    ("Foot", "Leg", (0.10, 0.08, -0.01)),
    ("ToeBase", "Foot", (0.11, 0.02, 0.12)),
]
_MIDDLE = [
    ("Hips", "", (0.0, 0.96, 0.0)),
    ("Spine", "Hips", (0.0, 1.06, 0.0)),
    ("Spine1", "Spine", (0.0, 1.16, 0.0)),
    ("Spine2", "Spine1", (0.0, 1.27, 0.0)),
    ("Neck", "Spine2", (0.0, 1.45, 0.0)),
    ("Head", "Neck", (0.0, 1.54, 0.01)),
]


def bones_of_character() -> list[tuple[str, str, tuple[float, float, float]]]:
    """Return name, parent and head of each bone."""
    bones = [(f"mixamorig:{n}", f"mixamorig:{p}" if p else "", head) for n, p, head in _MIDDLE]
    middle = {name for name, _, _ in _MIDDLE}
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        for name, parent, (x, y, z) in _LEFT:
            above = parent if parent in middle else side + parent
            bones.append((f"mixamorig:{side}{name}", f"mixamorig:{above}", (sign * x, y, z)))
    return bones


def character(*, scale: float = 0.01, seed: int = 0) -> tuple[dict[str, Any], bytes]:
    """Return a glTF's JSON and its buffer; its armature is scaled and turned, as FBX converters do it."""
    rng = np.random.default_rng(seed)
    bones = bones_of_character()
    axes = {name: Rotation.random(random_state=rng) for name, _, _ in bones}
    heads = {name: np.array(head) for name, _, head in bones}
    armature = Rotation.from_euler("x", -90, degrees=True)
    nodes: list[dict[str, Any]] = [
        {
            "name": "Armature",
            "rotation": armature.as_quat().tolist(),
            "scale": [scale] * 3,
            "translation": [0.0, 0.0, 0.0],
            "children": [1],
        }
    ]
    place = {name: i + 1 for i, (name, _, _) in enumerate(bones)}
    for name, parent, _ in bones:
        above = axes[parent] if parent else armature
        origin = heads[parent] if parent else np.zeros(3)
        node: dict[str, Any] = {
            "name": name,
            "rotation": (above.inv() * axes[name]).as_quat().tolist(),
            "translation": (above.inv().apply(heads[name] - origin) / scale).tolist(),
        }
        children = [place[other] for other, p, _ in bones if p == name]
        if children:
            node["children"] = children
        nodes.append(node)
    nodes.append({"name": "Body", "mesh": 0, "skin": 0})
    positions = np.array([[0, 0, 0], [0.1, 0, 0], [0, 1.7, 0]], "<f4")
    data = positions.tobytes()
    content = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, len(nodes) - 1]}],
        "nodes": nodes,
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "skins": [{"joints": list(place.values())}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": len(data)}],
        "buffers": [{"byteLength": len(data)}],
    }
    return content, data


def write_glb(path: Path, content: dict[str, Any], data: bytes) -> Path:
    """Write a GLB."""
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    data += b"\0" * (-len(data) % 4)
    head = struct.pack("<4sIIII", b"glTF", 2, 28 + len(text) + len(data), len(text), 0x4E4F534A)
    path.write_bytes(head + text + struct.pack("<II", len(data), 0x004E4942) + data)
    return path


def write_gltf(path: Path, content: dict[str, Any], data: bytes, uri: str | None = None) -> Path:
    """Write a glTF with its buffer at `uri` beside it, or within it."""
    if uri is not None:
        (path.parent / uri).write_bytes(data)
    inside = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    content = {**content, "buffers": [{"byteLength": len(data), "uri": uri or inside}]}
    path.write_text(json.dumps(content))
    return path


def parsed_glb(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return the JSON and the buffer of a GLB, read by this few lines alone."""
    data = path.read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def played(content: dict[str, Any], data: bytes, animation: int, frame: int) -> dict[str, np.ndarray]:
    """Return (4, 4) of each named node in the scene at one key of an animation, one matrix at a time."""
    nodes = [dict(node) for node in content["nodes"]]
    for channel in content["animations"][animation]["channels"]:
        sampler = content["animations"][animation]["samplers"][channel["sampler"]]
        fields = content["accessors"][sampler["output"]]
        view = content["bufferViews"][fields["bufferView"]]
        width = {"VEC3": 3, "VEC4": 4}[fields["type"]]
        start = view.get("byteOffset", 0) + fields.get("byteOffset", 0) + 4 * width * frame
        nodes[channel["target"]["node"]][channel["target"]["path"]] = struct.unpack_from(
            f"<{width}f", data, start
        )
    worlds: dict[str, np.ndarray] = {}

    def walk(index: int, above: np.ndarray) -> None:
        node = nodes[index]
        local = np.eye(4)
        local[:3, :3] = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1])).as_matrix()
        local[:3, :3] *= np.array(node.get("scale", [1, 1, 1]))
        local[:3, 3] = node.get("translation", [0, 0, 0])
        worlds[node.get("name", str(index))] = above @ local
        for child in node.get("children", []):
            walk(child, above @ local)

    for root in content["scenes"][0]["nodes"]:
        walk(root, np.eye(4))
    return worlds
