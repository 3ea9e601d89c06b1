"""The user's own glTF with one more animation: meshes, materials and skins stay as they are."""

from __future__ import annotations

import copy
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from pose_shared.errors import InputError

from pose_server.export.destination import replacing
from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.kinematics import same_hemisphere
from pose_server.rigs.faults import bad_rig, content_of
from pose_server.rigs.gltf import gltf_rig
from pose_server.rigs.gltf_file import GltfFile, read_gltf

__all__ = ["write_animated_gltf"]

_FLOAT = 5126
_IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
_LARGEST_BYTES = (1 << 32) - 1


def write_animated_gltf(
    path: Path,
    source: Path,
    *,
    name: str,
    times_s: FloatArray,
    bones: tuple[str, ...],
    rotations_wxyz: FloatArray,
    locations: FloatArray,
    moves: tuple[bool, ...],
) -> None:
    """Write a character with an animation added to those that it has, as one GLB that needs no other file.

    Parameters
    ----------
    path
        File to write.
    source
        The character's ``.gltf`` or ``.glb``, whose rig the keys are for.
    name
        Of the animation.
    times_s
        (T,) of the keys.
    bones
        (N,) as `read_gltf_rig` calls them.
    rotations_wxyz
        (T, N, 4) keys in each bone's own axes at rest, as of `RigMotion`.
    locations
        (T, N, 3) metres, likewise.
    moves
        (N,) whether a bone's location is keyed.

    Raises
    ------
    NotFoundError, InputError
        From `read_gltf`; `source` has no bone of a name (``BONE_MISSING``); `path` cannot be written.
    LimitError
        The disk is full.

    Notes
    -----
    A node's rotation is its own at rest times the key; its translation, in the axes and the scale of its
    parent node, goes along with its own axes.
    """
    file = read_gltf(source)
    found = gltf_rig(file)
    place_of = {bone.name: i for i, bone in enumerate(found.rig.bones)}
    out = _Packed(file)
    times = out.accessor(times_s[:, None] - times_s[0], "SCALAR", bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def key(node: int, what: str, values: FloatArray, kind: str) -> None:
        samplers.append({"input": times, "output": out.accessor(values, kind), "interpolation": "LINEAR"})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": what}})

    for column, bone in enumerate(bones):
        if bone not in place_of:
            raise InputError(
                f"'{source.name[:80]}' has no bone '{bone[:80]}'; give the file that the rig was read from.",
                reason="BONE_MISSING",
                rig=source.name[:80],
                bone=bone[:80],
            )
        place = place_of[bone]
        rest = found.rotations_wxyz[place]
        turned = same_hemisphere(_product(rest, rotations_wxyz[:, column]))
        key(found.nodes[place], "rotation", turned[:, [1, 2, 3, 0]], "VEC4")
        if moves[column]:
            away = _rotated(rest, locations[:, column]) / found.above[place]
            key(found.nodes[place], "translation", found.translations[place] + away, "VEC3")
    for node in {channel["target"]["node"] for channel in channels}:
        out.as_parts(node, file)
    out.content.setdefault("animations", []).append(
        {"name": name, "samplers": samplers, "channels": channels}
    )
    out.write(path)


def _product(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return (T, 4) Hamilton products of (4,) and (T, 4)."""
    w, v = first[0], first[1:]
    s, u = second[:, :1], second[:, 1:]
    return np.concatenate([w * s - (u @ v)[:, None], w * u + s * v + np.cross(v, u)], axis=1)


def _rotated(wxyz: FloatArray, vectors: FloatArray) -> FloatArray:
    axis = wxyz[1:]
    twice = 2 * np.cross(axis, vectors)
    return np.asarray(vectors + wxyz[0] * twice + np.cross(axis, twice))


class _Packed:
    """A copy of a glTF whose buffers and pictures are one buffer, to which more is added."""

    def __init__(self, file: GltfFile) -> None:
        self.file = file
        self.content: dict[str, Any] = copy.deepcopy(file.content)
        self.data = bytearray()
        starts = [self._added(file.buffer(index)) for index in range(len(file.entries("buffers")))]
        for view in self.content.setdefault("bufferViews", []):
            index = file.index(view.get("buffer"), "buffers")
            view["buffer"] = 0
            view["byteOffset"] = starts[index] + int(view.get("byteOffset", 0))
        images = self.content.get("images", [])
        for image in images if isinstance(images, list) else ():
            if isinstance(image, dict):
                self._embed(image)
        self.content.setdefault("accessors", [])

    def accessor(self, values: FloatArray, kind: str, *, bounds: bool = False) -> int:
        """Append (N, width) numbers; return their accessor."""
        numbers = np.ascontiguousarray(values, dtype="<f4")
        fields: dict[str, Any] = {
            "bufferView": self._view(numbers.tobytes()),
            "componentType": _FLOAT,
            "count": len(numbers),
            "type": kind,
        }
        if bounds:
            fields |= {"min": numbers.min(axis=0).tolist(), "max": numbers.max(axis=0).tolist()}
        self.content["accessors"].append(fields)
        return len(self.content["accessors"]) - 1

    def as_parts(self, node: int, file: GltfFile) -> None:
        """Give a node translation, rotation and scale for its matrix, which animations cannot move."""
        fields = self.content["nodes"][node]
        if "matrix" in fields:
            translation, wxyz, scale = file.local(node)
            del fields["matrix"]
            fields["translation"], fields["scale"] = translation.tolist(), scale.tolist()
            fields["rotation"] = wxyz[[1, 2, 3, 0]].tolist()

    def write(self, path: Path) -> None:
        self.content["buffers"] = [{"byteLength": len(self.data)}]
        text = json.dumps(self.content, ensure_ascii=False, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        self.data += b"\0" * (-len(self.data) % 4)
        length = 12 + 8 + len(text) + 8 + len(self.data)
        if length > _LARGEST_BYTES:
            raise bad_rig(self.file.path, "with the animation it is larger than a GLB can be")
        with replacing(path) as part, part.open("wb") as out:
            out.write(struct.pack("<4sIIII", b"glTF", 2, length, len(text), 0x4E4F534A) + text)
            out.write(struct.pack("<II", len(self.data), 0x004E4942))
            out.write(self.data)

    def _embed(self, image: dict[str, Any]) -> None:
        """Take a picture in that lies beside the file; one that is not there stays named."""
        uri = image.get("uri")
        kind = _IMAGES.get(Path(str(uri)).suffix.lower())
        if not isinstance(uri, str) or uri.startswith("data:") or kind is None:
            return
        place = self.file.beside(uri)
        if place is None or not place.is_file():
            return
        image["bufferView"], image["mimeType"] = self._view(content_of(place)), kind
        del image["uri"]

    def _view(self, data: bytes) -> int:
        start = self._added(data)
        self.content["bufferViews"].append({"buffer": 0, "byteOffset": start, "byteLength": len(data)})
        return len(self.content["bufferViews"]) - 1

    def _added(self, data: bytes) -> int:
        self.data += b"\0" * (-len(self.data) % 4)
        self.data += data
        return len(self.data) - len(data)
