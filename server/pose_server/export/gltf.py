"""GLB, glTF 2.0 in one file: a skinned mannequin, its animation, and the clip's camera."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server import __version__
from pose_server.export.animation import Y_UP, Animation
from pose_server.export.camera_view import CameraView
from pose_server.export.destination import replacing
from pose_server.export.mannequin import Mesh
from pose_server.export.quaternions import quaternions
from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.kinematics import same_hemisphere

__all__ = ["write_glb"]

_KINDS = {"uint8": 5121, "uint16": 5123, "uint32": 5125, "float32": 5126}
_TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_VERTICES, _INDICES = 34962, 34963
_COLOUR = (0.72, 0.74, 0.78, 1.0)


def write_glb(path: Path, animation: Animation, options: FileOptions) -> None:
    """Write an animation as GLB: y up, metres, facing +z at rest, as glTF prescribes.

    Parameters
    ----------
    path
        File to write.
    animation
        The skin's nodes are its joints; a mesh moves with one joint per point.
    options
        Leave nothing to choose here.

    Raises
    ------
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.

    Notes
    -----
    Keys lie at row / rate, beginning at 0.  The rate itself, which glTF does not know, and when the
    first row was in the clip stand in the animation's `extras`.  A camera of glTF has neither
    distortion nor a principal point beside the middle.
    """
    file = _Glb()
    moving = animation.in_axes(Y_UP)
    file.joints(moving)
    if moving.mesh is not None:
        file.skinned(moving, moving.mesh)
    if moving.camera is not None:
        file.camera(moving.camera)
    file.animation(moving)
    with replacing(path) as part:
        file.write(part)


class _Glb:
    """A document and its buffer, whose parts are written one after the other."""

    def __init__(self) -> None:
        self.parts: list[NDArray[Any]] = []
        self.size = 0
        self.channels: list[tuple[int, str, FloatArray]] = []
        self.document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": f"pose-server {__version__}"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [],
            "accessors": [],
            "bufferViews": [],
        }

    def accessor(self, values: NDArray[Any], *, bounds: bool = False, target: int | None = None) -> int:
        """Add an array (N,) or (N, components) and return its index."""
        values = np.ascontiguousarray(values)
        width = values.shape[1] if values.ndim == 2 else 1
        view = {"buffer": 0, "byteOffset": self.size, "byteLength": values.nbytes}
        if target is not None:
            view["target"] = target
        entry = {
            "bufferView": len(self.document["bufferViews"]),
            "componentType": _KINDS[values.dtype.name],
            "count": len(values),
            "type": _TYPES[width],
        }
        if bounds:
            rows = values.reshape(-1, width)
            entry |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        self.document["bufferViews"].append(view)
        self.document["accessors"].append(entry)
        self.parts.append(values)
        self.size += values.nbytes + -values.nbytes % 4
        return len(self.document["accessors"]) - 1

    def joints(self, moving: Animation) -> None:
        """Add a node for each joint, in their order from 0 on."""
        nodes = self.document["nodes"]
        for joint, name in enumerate(moving.joint_names):
            node: dict[str, Any] = {"name": name}
            node["translation"] = moving.rest_translations_m[joint].tolist()
            w, x, y, z = moving.rest_rotations_wxyz[joint].tolist()
            if (x, y, z) != (0, 0, 0):
                node["rotation"] = [x, y, z, w]
            children = np.flatnonzero(moving.parents == joint).tolist()
            if children:
                node["children"] = children
            nodes.append(node)

    def skinned(self, moving: Animation, mesh: Mesh) -> None:
        places, axes = moving.rest_world()
        inverse = np.zeros((len(places), 4, 4), np.float32)
        inverse[:, :3, :3] = axes.transpose(0, 2, 1)
        inverse[:, :3, 3] = -np.einsum("jki,jk->ji", axes, places)
        inverse[:, 3, 3] = 1
        joints = np.zeros((len(mesh.joints), 4), np.uint8 if len(places) <= 256 else np.uint16)
        joints[:, 0] = mesh.joints
        weights = np.zeros((len(mesh.joints), 4), np.float32)
        weights[:, 0] = 1
        attributes = {
            "POSITION": self.accessor(mesh.points_m.astype(np.float32), bounds=True, target=_VERTICES),
            "NORMAL": self.accessor(mesh.normals.astype(np.float32), target=_VERTICES),
            "JOINTS_0": self.accessor(joints, target=_VERTICES),
            "WEIGHTS_0": self.accessor(weights, target=_VERTICES),
        }
        small = len(mesh.points_m) < 65_535
        corners = mesh.triangles.ravel().astype(np.uint16 if small else np.uint32)
        primitive = {
            "attributes": attributes,
            "indices": self.accessor(corners, target=_INDICES),
            "material": 0,
        }
        matrices = self.accessor(inverse.transpose(0, 2, 1).reshape(-1, 16))
        self.document["materials"] = [
            {
                "name": "mannequin",
                "pbrMetallicRoughness": {
                    "baseColorFactor": _COLOUR,
                    "metallicFactor": 0,
                    "roughnessFactor": 0.5,
                },
            }
        ]
        self.document["meshes"] = [{"name": moving.name, "primitives": [primitive]}]
        self.document["skins"] = [
            {
                "name": moving.name,
                "joints": list(range(len(places))),
                "skeleton": 0,
                "inverseBindMatrices": matrices,
            }
        ]
        self.add_to_scene({"name": moving.name, "mesh": 0, "skin": 0})

    def camera(self, camera: CameraView) -> None:
        poses = camera.poses
        turns, places = same_hemisphere(quaternions(poses[:, :3, :3])), poses[:, :3, 3]
        fx, fy, _, _ = camera.intrinsics_px
        perspective = {
            "yfov": 2 * math.atan(camera.height / 2 / fy),
            "aspectRatio": camera.width * fy / (camera.height * fx),
            "znear": 0.01,
        }
        self.document["cameras"] = [{"name": "clip", "type": "perspective", "perspective": perspective}]
        node = self.add_to_scene(
            {
                "name": "camera",
                "camera": 0,
                "rotation": np.roll(turns[0], -1).tolist(),
                "translation": places[0].tolist(),
            }
        )
        if len(poses) > 1:
            self.channels += [(node, "rotation", turns), (node, "translation", places)]

    def add_to_scene(self, node: dict[str, Any]) -> int:
        self.document["nodes"].append(node)
        index = len(self.document["nodes"]) - 1
        self.document["scenes"][0]["nodes"].append(index)
        return index

    def animation(self, moving: Animation) -> None:
        """Add the curves of all joints and of the camera."""
        for joint in range(len(moving.parents)):
            self.channels.append((joint, "rotation", moving.local_rotations_wxyz[:, joint]))
        self.channels += [(joint, "translation", moves) for joint, moves in moving.translations_m.items()]
        rate = moving.rate
        keys = (np.arange(len(moving)) * (rate.denominator / rate.numerator)).astype(np.float32)
        times = self.accessor(keys, bounds=True)
        samplers: list[dict[str, int]] = []
        channels: list[dict[str, Any]] = []
        for node, path, values in self.channels:
            curve = np.roll(values, -1, axis=1) if path == "rotation" else values
            channels.append({"sampler": len(samplers), "target": {"node": node, "path": path}})
            samplers.append({"input": times, "output": self.accessor(curve.astype(np.float32))})
        self.document["animations"] = [
            {
                "name": moving.name,
                "channels": channels,
                "samplers": samplers,
                "extras": {
                    "frames_per_second": [rate.numerator, rate.denominator],
                    "start_s": moving.start_s,
                },
            }
        ]

    def write(self, path: Path) -> None:
        self.document["buffers"] = [{"byteLength": self.size}]
        text = json.dumps(self.document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        with path.open("wb") as file:
            total = 12 + 8 + len(text) + 8 + self.size
            file.write(struct.pack("<4sIIII", b"glTF", 2, total, len(text), 0x4E4F534A))
            file.write(text)
            file.write(struct.pack("<II", self.size, 0x004E4942))
            for part in self.parts:
                file.write(part.astype(part.dtype.newbyteorder("<"), copy=False).data)
                file.write(b"\0" * (-part.nbytes % 4))
