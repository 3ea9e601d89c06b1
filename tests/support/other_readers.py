"""Slow, plain readings of exported files, to hold the writers against."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from pose_server.export.animation import Animation
from scipy.spatial.transform import Rotation

__all__ = ["Glb", "pose_matrices", "rotation_matrix", "y_up"]


def y_up(points: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def rotation_matrix(wxyz: np.ndarray) -> np.ndarray:
    w, x, y, z = wxyz
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def pose_matrices(animation: Animation, row: int | None) -> np.ndarray:
    """(J, 4, 4) of the joints in the world, at rest for None, by multiplying matrices."""
    world: list[np.ndarray] = []
    for joint, parent in enumerate(animation.parents):
        local = np.eye(4)
        turn = animation.rest_rotations_wxyz if row is None else animation.local_rotations_wxyz[row]
        local[:3, :3] = rotation_matrix(turn[joint])
        moved = row is not None and joint in animation.translations_m
        local[:3, 3] = animation.translations_m[joint][row] if moved else animation.rest_translations_m[joint]
        world.append(local if parent < 0 else world[parent] @ local)
    return np.array(world)


class Glb:
    """A GLB file, read as the specification of glTF 2.0 says."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack_from("<I4s", content, 12)
        assert kind == b"JSON" and size % 4 == 0
        self.document: dict[str, Any] = json.loads(content[20 : 20 + size])
        rest, kind = struct.unpack_from("<I4s", content, 20 + size)
        assert kind == b"BIN\0" and rest == len(content) - 28 - size
        self.bytes = content[28 + size :]
        self.nodes = self.document["nodes"]
        self.parents = [-1] * len(self.nodes)
        for index, node in enumerate(self.nodes):
            for child in node.get("children", ()):
                self.parents[child] = index

    def array(self, index: int) -> np.ndarray:
        accessor = self.document["accessors"][index]
        view = self.document["bufferViews"][accessor["bufferView"]]
        kind = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}[accessor["componentType"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor["type"]]
        flat = np.frombuffer(
            self.bytes, kind, accessor["count"] * width, view["byteOffset"] + accessor.get("byteOffset", 0)
        )
        assert flat.nbytes == view["byteLength"]
        return flat.reshape(-1, width)

    def curves(self) -> dict[tuple[int, str], np.ndarray]:
        animation = self.document["animations"][0]
        return {
            (channel["target"]["node"], channel["target"]["path"]): self.array(
                animation["samplers"][channel["sampler"]]["output"]
            )
            for channel in animation["channels"]
        }

    def times(self) -> np.ndarray:
        samplers = self.document["animations"][0]["samplers"]
        assert len({sampler["input"] for sampler in samplers}) == 1
        return self.array(samplers[0]["input"])[:, 0]

    def world(self, row: int | None) -> np.ndarray:
        """(N, 4, 4) of every node, without the animation for None."""
        curves = {} if row is None else self.curves()
        local = []
        for index, node in enumerate(self.nodes):
            matrix = np.eye(4)
            turn = node.get("rotation", [0, 0, 0, 1])
            place = node.get("translation", [0, 0, 0])
            if (index, "rotation") in curves:
                turn = curves[index, "rotation"][row]
            if (index, "translation") in curves:
                place = curves[index, "translation"][row]
            matrix[:3, :3] = Rotation.from_quat(turn).as_matrix()
            matrix[:3, 3] = place
            local.append(matrix)
        world: dict[int, np.ndarray] = {}

        def of(index: int) -> np.ndarray:
            if index not in world:
                parent = self.parents[index]
                world[index] = local[index] if parent < 0 else of(parent) @ local[index]
            return world[index]

        return np.array([of(index) for index in range(len(self.nodes))])
