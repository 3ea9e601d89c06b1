"""glTF 2.0 as a tree of nodes and accessors, read without trust.

Format: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html.  Only files beside the glTF are
opened; every count is held against the bytes that are there before memory is taken.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from pose_shared.errors import InputError
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray
from pose_server.rigs.faults import bad_rig, content_of

__all__ = ["GltfFile", "read_gltf"]

_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_LONGEST_JSON = 256 << 20
_MOST_NODES = 100_000
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_KINDS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
#: What changes how accessors or nodes are read, beside the core.
_COMPRESSED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression")


class GltfFile:
    """A glTF whose node tree is known to be one; raises ``RIG_UNREADABLE`` for what it cannot read.

    Parameters
    ----------
    path
        Of the file.
    content
        Its JSON.
    chunk
        The binary chunk of a GLB, if it has one.
    """

    def __init__(self, path: Path, content: dict[str, Any], chunk: bytes | None) -> None:
        self.path, self.content, self.chunk = path, content, chunk
        asset = content.get("asset")
        version = str(asset.get("version", "")) if isinstance(asset, dict) else ""
        if not version.startswith("2."):
            raise bad_rig(path, f"it is glTF of version '{version[:10]}', and 2.0 is read")
        for name in ("nodes", "skins", "animations", "accessors", "bufferViews", "buffers"):
            entries = content.get(name, [])
            if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
                raise bad_rig(path, f"its {name} are no list")
        self.nodes: list[dict[str, Any]] = content.get("nodes", [])
        if not 0 < len(self.nodes) <= _MOST_NODES:
            raise bad_rig(path, f"it has {len(self.nodes)} nodes; 1 to {_MOST_NODES} are read")
        self.parents = self._tree()
        self._buffers: dict[int, bytes] = {}

    def entries(self, name: str) -> list[dict[str, Any]]:
        """Return skins, animations, accessors or the like; empty where there are none."""
        found: list[dict[str, Any]] = self.content.get(name, [])
        return found

    def index(self, value: object, name: str) -> int:
        """Return a reference into a list of the file, checked."""
        count = len(self.entries(name))
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
            raise bad_rig(self.path, f"it points to {name} {str(value)[:20]} of {count}")
        return value

    def indices(self, values: object, name: str) -> list[int]:
        """Return references of one list into another, checked."""
        if not isinstance(values, list):
            raise bad_rig(self.path, f"a list of {name} is none")
        return [self.index(value, name) for value in values]

    def local(self, node: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return (3,) translation, (4,) rotation as w, x, y, z and (3,) scale of a node at rest."""
        fields = self.nodes[node]
        if "matrix" in fields:
            matrix = self._numbers(node, "matrix", [0.0] * 16).reshape(4, 4).T
            scale = np.linalg.norm(matrix[:3, :3], axis=0)
            if scale.min() < 1e-9 or np.linalg.det(matrix[:3, :3]) <= 0:
                raise self._distorted(node)
            turn = matrix[:3, :3] / scale
            if np.abs(turn.T @ turn - np.eye(3)).max() > 1e-3:
                raise self._distorted(node)
            return matrix[:3, 3], Rotation.from_matrix(turn).as_quat(scalar_first=True), scale
        translation = self._numbers(node, "translation", [0.0, 0.0, 0.0])
        x, y, z, w = self._numbers(node, "rotation", [0.0, 0.0, 0.0, 1.0])
        quaternion = np.array([w, x, y, z])
        length = float(np.linalg.norm(quaternion))
        if not 0.9 < length < 1.1:
            raise bad_rig(self.path, f"the rotation of {self.named(node)} is no unit quaternion")
        return translation, quaternion / length, self._numbers(node, "scale", [1.0, 1.0, 1.0])

    def named(self, node: int) -> str:
        """Return a node's name for a sentence."""
        return f"'{str(self.nodes[node].get('name') or f'node {node}')[:60]}'"

    def accessor(self, value: object) -> FloatArray:
        """Return (N, width) numbers; normalised integers as what they mean."""
        fields = self.entries("accessors")[self.index(value, "accessors")]
        if "sparse" in fields:
            raise bad_rig(self.path, "it has sparse accessors", "export it without them")
        try:
            width, kind = _WIDTHS[fields["type"]], np.dtype(_KINDS[fields["componentType"]])
        except (KeyError, TypeError):
            raise bad_rig(self.path, "an accessor has no type that is read here") from None
        count = _whole(fields.get("count"))
        view = self.entries("bufferViews")[self.index(fields.get("bufferView"), "bufferViews")]
        if set(_COMPRESSED) & set(view.get("extensions") or {}):
            raise bad_rig(self.path, "its buffers are compressed", "export it without compression")
        data = self.buffer(self.index(view.get("buffer"), "buffers"))
        start, length = _whole(view.get("byteOffset", 0)), _whole(view.get("byteLength"))
        stride = _whole(view.get("byteStride", 0)) or width * kind.itemsize
        inside = _whole(fields.get("byteOffset", 0))
        if min(count, start, length, stride, inside) < 0 or stride < width * kind.itemsize:
            raise bad_rig(self.path, "an accessor has sizes that cannot be")
        last = inside + (count - 1) * stride + width * kind.itemsize
        if count and (last > length or start + length > len(data)):
            raise bad_rig(self.path, "an accessor reaches beyond its buffer", "it was cut; copy it again")
        values = np.ndarray(
            (count, width), kind, buffer=data, offset=start + inside, strides=(stride, kind.itemsize)
        ).astype(np.float64)
        if fields.get("normalized") and kind.kind in "iu":
            values = np.maximum(values / np.iinfo(kind).max, -1.0)
        if not np.isfinite(values).all():
            raise bad_rig(self.path, "an accessor holds values that are no numbers")
        return values

    def buffer(self, index: int) -> bytes:
        """Return the bytes of a buffer."""
        if index not in self._buffers:
            self._buffers[index] = self._load(index)
        return self._buffers[index]

    def _load(self, index: int) -> bytes:
        uri = self.entries("buffers")[index].get("uri")
        if uri is None:
            if index or self.chunk is None:
                raise bad_rig(self.path, f"buffer {index} is nowhere")
            return self.chunk
        if not isinstance(uri, str):
            raise bad_rig(self.path, "a buffer's place is no text")
        if uri.startswith("data:"):
            try:
                head, text = uri.split(",", 1)
                if not head.endswith(";base64"):
                    raise ValueError(head)
                return base64.b64decode(text, validate=True)
            except (ValueError, binascii.Error):
                raise bad_rig(self.path, "a buffer within it is no base64") from None
        place = self.beside(uri)
        if place is None:
            raise bad_rig(
                self.path, f"a buffer lies at '{uri[:60]}', not beside it", "put all its files in one folder"
            )
        return content_of(place)

    def beside(self, uri: str) -> Path | None:
        """Return the file that a relative address means; None if it lies outside the glTF's folder."""
        name, folder = unquote(uri), self.path.resolve().parent
        # A symbolic link may lead anywhere, and so may a name; both end in what it is resolved to.
        try:
            place = (folder / name).resolve()
        except (OSError, ValueError):
            return None
        return place if place.is_relative_to(folder) and "\\" not in name and ":" not in name else None

    def _numbers(self, node: int, field: str, default: list[float]) -> FloatArray:
        values = self.nodes[node].get(field, default)
        try:
            array = np.array(values, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            array = np.zeros(0)
        if array.shape != (len(default),) or not np.isfinite(array).all():
            raise bad_rig(self.path, f"the {field} of {self.named(node)} is not {len(default)} numbers")
        return array

    def _distorted(self, node: int) -> InputError:
        return bad_rig(
            self.path, f"{self.named(node)} is scaled to nothing, sheared or mirrored", "apply its transform"
        )

    def _tree(self) -> list[int]:
        """Return the parent of each node, -1 for none; refuses nodes with two parents, and circles."""
        parents = [-1] * len(self.nodes)
        for node, fields in enumerate(self.nodes):
            for child in self.indices(fields.get("children", []), "nodes"):
                if parents[child] >= 0:
                    raise bad_rig(self.path, f"{self.named(child)} has two parents")
                parents[child] = node
        reached = [node for node, parent in enumerate(parents) if parent < 0]
        for node in reached:  # grows while it is walked
            reached.extend(self.nodes[node].get("children", []))
        if len(reached) < len(parents):
            left = min(set(range(len(parents))) - set(reached))
            raise bad_rig(self.path, f"{self.named(left)} is among its own ancestors")
        return parents


def read_gltf(path: Path) -> GltfFile:
    """Read a ``.gltf`` or ``.glb``.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        ``RIG_UNREADABLE``.
    """
    data = content_of(path)
    chunk = None
    text = data
    if data[:4] == b"glTF":
        text, chunk = _chunks(path, data)
    if len(text) > _LONGEST_JSON:
        raise bad_rig(path, "its description is longer than any")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise bad_rig(path, "it is no glTF") from None
    if not isinstance(content, dict):
        raise bad_rig(path, "it is no glTF")
    needed = content.get("extensionsRequired", [])
    if isinstance(needed, list) and "EXT_meshopt_compression" in needed:
        raise bad_rig(path, "its buffers are compressed", "export it without compression")
    return GltfFile(path, content, chunk)


def _chunks(path: Path, data: bytes) -> tuple[bytes, bytes | None]:
    cut = bad_rig(path, "it ends early", "it was cut; copy it again")
    if len(data) < 20:
        raise cut
    _, version, length = struct.unpack_from("<III", data)
    if version != 2:
        raise bad_rig(path, f"it is GLB of version {version}, and 2 is read")
    if length > len(data):
        raise cut
    found: dict[int, bytes] = {}
    place = 12
    while place + 8 <= length:
        size, kind = struct.unpack_from("<II", data, place)
        if place + 8 + size > length:
            raise cut
        found.setdefault(kind, data[place + 8 : place + 8 + size])
        place += 8 + size
    if _JSON not in found:
        raise bad_rig(path, "it holds no description")
    return found[_JSON], found.get(_BIN)


def _whole(value: object) -> int:
    """Return a size; -1 for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return -1
    return int(value) if value == int(value) and 0 <= value < 1 << 40 else -1
