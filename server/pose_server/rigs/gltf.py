"""The rig in a glTF: the joints of its skins, and the animations that move them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.rig import Rig, RigBone
from scipy.spatial.transform import Rotation, Slerp

from pose_server.pipeline.boundary import FloatArray
from pose_server.rigs.faults import bad_rig
from pose_server.rigs.gltf_file import GltfFile, read_gltf
from pose_server.rigs.recorded import RecordedRig, rate_of

__all__ = ["GltfRig", "gltf_rig", "read_gltf_motion", "read_gltf_rig"]

#: Scales of a node may differ by this share before it counts as distorted.
_EVEN = 1e-2
_MOST_JOINTS = 10_000
_FARTHEST = 1e9
#: What of a node an animation may move that a rig has; scales and shapes move no joint.
_MOVED = ("rotation", "translation")
_LONGEST_NAME = 200
#: Frames times joints of one animation.
_MOST_POSES = 4_000_000
_LONGEST_S = 24 * 3600.0
_RATES_HZ = (1.0, 1000.0)
_DEFAULT_RATE = Fraction(30)


@dataclass(frozen=True)
class GltfRig:
    """A rig with the nodes that its bones are."""

    rig: Rig
    nodes: tuple[int, ...]
    """Of each bone."""
    rotations_wxyz: FloatArray
    """(B, 4) of each bone's node at rest, about its own parent node."""
    translations: FloatArray
    """(B, 3) likewise."""
    above: FloatArray
    """(B,) by how much the node's parent is scaled in the scene."""


def read_gltf_rig(path: Path) -> Rig:
    """Read the rig of a character.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        ``RIG_UNREADABLE``, ``RIG_INVALID``.
    """
    return gltf_rig(read_gltf(path)).rig


def gltf_rig(file: GltfFile) -> GltfRig:
    """Return the rig of a glTF at rest, as its nodes stand; scales of its nodes are applied.

    Notes
    -----
    The joints of its skins; of several figures the one with the most joints.  Without a skin, the nodes that
    its animations move.  Nodes between joints are bones, too.
    """
    joints = _joints(file)
    world, scales = _worlds(file)
    nodes = [node for node in _parents_first(file.parents) if node in joints]
    names = _names(file, nodes)
    bones = []
    for node in nodes:
        rest = np.eye(4)
        rest[:3, :3] = world[node, :3, :3] / scales[node]
        rest[:3, 3] = world[node, :3, 3]
        parent = file.parents[node]
        bones.append(
            RigBone(
                names[node],
                names.get(parent, ""),
                tuple(rest.reshape(-1).tolist()),
                keys=("location", "rotation"),
            )
        )
    locals_ = [file.local(node) for node in nodes]
    return GltfRig(
        Rig(file.path.stem[:_LONGEST_NAME], tuple(bones), up="y"),
        tuple(nodes),
        rotations_wxyz=np.array([local[1] for local in locals_]),
        translations=np.array([local[0] for local in locals_]),
        above=np.array([scales[file.parents[node]] if file.parents[node] >= 0 else 1.0 for node in nodes]),
    )


def read_gltf_motion(path: Path, take: str | None = None) -> RecordedRig:
    """Read an animation with the rig that it moves.

    Parameters
    ----------
    path
        Of a ``.gltf`` or ``.glb``.
    take
        Name of the animation; None for the longest.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        ``RIG_UNREADABLE``; ``TAKE_UNKNOWN``: there is no animation of that name.
    """
    file = read_gltf(path)
    found = gltf_rig(file)
    tracks = _tracks(file, _animation(file, take))
    times = [track.times for track in tracks]
    start, end = min(t[0] for t in times), max(t[-1] for t in times)
    rate = _rate(times)
    if not 0 <= end - start <= _LONGEST_S:
        raise bad_rig(path, "its animation lasts longer than a day")
    count = round(float(rate) * (end - start)) + 1
    if count * len(file.nodes) > _MOST_POSES:
        raise bad_rig(
            path, f"its animation has {count} frames of {len(file.nodes)} nodes", "cut it into parts"
        )
    at = np.minimum(start + np.arange(count) / float(rate), end)
    turns, heads = _played(file, found, tracks, at)
    return RecordedRig(found.rig, rate, turns, heads)


@dataclass(frozen=True)
class _Track:
    node: int
    path: str
    times: FloatArray
    values: FloatArray
    way: str


def _joints(file: GltfFile) -> set[int]:
    skins = [file.indices(skin.get("joints"), "nodes") for skin in file.entries("skins")]
    found = {node for joints in skins for node in joints}
    if not found:
        for animation in file.entries("animations"):
            channels = animation.get("channels")
            for channel in channels if isinstance(channels, list) else ():
                target = _target(channel)
                if target.get("path") in _MOVED and target.get("node") is not None:
                    found.add(file.index(target["node"], "nodes"))
    if not found:
        raise bad_rig(
            file.path, "it has neither a skin nor an animation", "export the character with its rig"
        )
    if len(found) > _MOST_JOINTS:
        raise bad_rig(file.path, f"it has {len(found)} joints; {_MOST_JOINTS} are the most")
    return _largest_figure(file.parents, found)


def _largest_figure(parents: Sequence[int], joints: set[int]) -> set[int]:
    """Return the joints below that topmost one which has the most, with the nodes between them."""
    figures: dict[int, set[int]] = {}
    # Nodes without any joint above lie outside.
    top_of: dict[int, int] = {}
    for node in _parents_first(parents):
        parent = parents[node]
        if parent in top_of:
            top_of[node] = top_of[parent]
        elif node in joints:
            top_of[node] = node
        if node in joints:
            figures.setdefault(top_of[node], set()).add(node)
    top = max(figures, key=lambda node: (len(figures[node]), -node))
    whole = set(figures[top])
    for node in figures[top]:
        while node != top and parents[node] not in whole:
            node = parents[node]
            whole.add(node)
    return whole


def _parents_first(parents: Sequence[int]) -> list[int]:
    children: dict[int, list[int]] = {}
    for node, parent in enumerate(parents):
        children.setdefault(parent, []).append(node)
    ordered: list[int] = []
    waiting = list(reversed(children.get(-1, [])))
    while waiting:
        node = waiting.pop()
        ordered.append(node)
        waiting.extend(reversed(children.get(node, [])))
    return ordered


def _names(file: GltfFile, nodes: Sequence[int]) -> dict[int, str]:
    """Return a name for each bone; the format lets names repeat, and be absent."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for node in nodes:
        wanted = str(file.nodes[node].get("name") or f"node_{node}")[:_LONGEST_NAME]
        name = wanted if wanted not in taken else f"{wanted}.node_{node}"
        taken.add(name)
        names[node] = name
    return names


def _worlds(file: GltfFile) -> tuple[FloatArray, FloatArray]:
    """Return (N, 4, 4) of each node at rest in the scene, and (N,) by how much it is scaled."""
    world = np.tile(np.eye(4), (len(file.nodes), 1, 1))
    scales = np.ones(len(file.nodes))
    for node in _parents_first(file.parents):
        translation, rotation, scale = file.local(node)
        size = _even(file, node, scale)
        local = np.eye(4)
        local[:3, :3] = Rotation.from_quat(rotation, scalar_first=True).as_matrix() * size
        local[:3, 3] = translation
        parent = file.parents[node]
        world[node] = world[parent] @ local if parent >= 0 else local
        scales[node] = size * (scales[parent] if parent >= 0 else 1.0)
        if not (np.abs(world[node]).max() < _FARTHEST and 1e-6 < scales[node] < 1e6):
            raise bad_rig(file.path, f"{file.named(node)} stands beyond all measure", "apply its transform")
    return world, scales


def _even(file: GltfFile, node: int, scale: FloatArray) -> float:
    size = float(np.mean(scale))
    if scale.min() <= 1e-6 or scale.max() / scale.min() - 1 > _EVEN:
        raise bad_rig(
            file.path,
            f"{file.named(node)} is scaled by {', '.join(f'{value:g}' for value in scale)}, mirrored or not "
            "alike along its axes",
            "apply its scale",
        )
    return size


def _animation(file: GltfFile, take: str | None) -> dict[str, Any]:
    animations = file.entries("animations")
    if not animations:
        raise bad_rig(file.path, "it has no animation", "export it with one")
    if take is None:
        return max(animations, key=lambda animation: _length_s(file, animation))
    for animation in animations:
        if animation.get("name") == take:
            return animation
    names = ", ".join(str(animation.get("name"))[:40] for animation in animations[:20])
    raise bad_rig(file.path, f"it has no animation '{take[:60]}'", f"choose from {names}")


def _length_s(file: GltfFile, animation: dict[str, Any]) -> float:
    ends = [
        float(file.accessor(sampler.get("input"))[-1:].max(initial=0.0))
        for sampler in _entries(file, animation, "samplers")
    ]
    return max(ends, default=0.0)


def _entries(file: GltfFile, animation: dict[str, Any], name: str) -> list[dict[str, Any]]:
    entries = animation.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise bad_rig(file.path, f"an animation has no {name}")
    return entries


def _tracks(file: GltfFile, animation: dict[str, Any]) -> list[_Track]:
    samplers = _entries(file, animation, "samplers")
    tracks: list[_Track] = []
    for channel in _entries(file, animation, "channels"):
        target = _target(channel)
        path = target.get("path")
        if path not in _MOVED or target.get("node") is None:
            continue
        number = channel.get("sampler")
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(samplers):
            raise bad_rig(file.path, "an animation points to a sampler that is not there")
        sampler = samplers[number]
        times = file.accessor(sampler.get("input"))[:, 0]
        values = file.accessor(sampler.get("output"))
        way = str(sampler.get("interpolation", "LINEAR"))
        if way == "CUBICSPLINE":
            # In-tangent, value, out-tangent: densely keyed curves are as good without their tangents.
            values = values[1::3]
        width = 4 if path == "rotation" else 3
        if not len(times) or values.shape != (len(times), width) or np.any(np.diff(times) <= 0):
            raise bad_rig(file.path, "an animation has keys that are no row of times with a value each")
        tracks.append(_Track(file.index(target["node"], "nodes"), path, times, values, way))
    if not tracks:
        raise bad_rig(file.path, "its animation moves nothing", "export it with keys")
    return tracks


def _target(channel: object) -> dict[str, Any]:
    """Return what a channel moves; nothing where it says nothing."""
    target = channel.get("target") if isinstance(channel, dict) else None
    return target if isinstance(target, dict) else {}


def _rate(times: Sequence[FloatArray]) -> Fraction:
    """Return the rate that the keys of an animation stand at."""
    steps = np.concatenate([np.diff(t) for t in times])
    if not len(steps):
        return _DEFAULT_RATE
    rate_hz = 1 / float(np.median(steps))
    if not (math.isfinite(rate_hz) and _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]):
        return _DEFAULT_RATE  # a few keys far apart
    rate = rate_of(rate_hz)
    return rate if rate >= 10 else _DEFAULT_RATE


def _played(
    file: GltfFile, found: GltfRig, tracks: Sequence[_Track], at: FloatArray
) -> tuple[FloatArray, FloatArray]:
    moved: dict[tuple[int, str], _Track] = {(track.node, track.path): track for track in tracks}
    bone_of = {node: bone for bone, node in enumerate(found.nodes)}
    wanted = _with_ancestors(found.nodes, file.parents)
    turns = np.empty((len(at), len(found.nodes), 3, 3))
    heads = np.empty((len(at), len(found.nodes), 3))
    worlds: dict[int, tuple[NDArray[Any], NDArray[Any], float]] = {}
    for node in (node for node in _parents_first(file.parents) if node in wanted):
        translation, rotation, scale = file.local(node)
        turn = np.broadcast_to(Rotation.from_quat(rotation, scalar_first=True).as_matrix(), (len(at), 3, 3))
        place = np.broadcast_to(translation, (len(at), 3))
        if (node, "rotation") in moved:
            turn = _turned(moved[node, "rotation"], at)
        if (node, "translation") in moved:
            place = _placed(moved[node, "translation"], at)
        size = float(np.mean(scale))
        parent = file.parents[node]
        if parent >= 0:
            above, origin, grown = worlds[parent]
            place = origin + grown * np.einsum("tij,tj->ti", above, place)
            turn, size = above @ turn, grown * size
        worlds[node] = turn, place, size
        if node in bone_of:
            rest = np.array(found.rig.bones[bone_of[node]].rest).reshape(4, 4)[:3, :3]
            turns[:, bone_of[node]] = turn @ rest.T
            heads[:, bone_of[node]] = place
    return turns, heads


def _with_ancestors(nodes: Sequence[int], parents: Sequence[int]) -> set[int]:
    whole: set[int] = set()
    for start in nodes:
        node = start
        while node >= 0 and node not in whole:
            whole.add(node)
            node = parents[node]
    return whole


def _turned(track: _Track, at: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(track.values, axis=1, keepdims=True)
    quaternions = track.values / np.maximum(lengths, 1e-9)
    quaternions[lengths[:, 0] < 0.1] = (0.0, 0.0, 0.0, 1.0)
    turns = Rotation.from_quat(quaternions)
    if len(track.times) == 1 or track.way == "STEP":
        return np.asarray(turns[_steps(track.times, at)].as_matrix())
    inside = np.clip(at, track.times[0], track.times[-1])
    return np.asarray(Slerp(track.times, turns)(inside).as_matrix())


def _placed(track: _Track, at: FloatArray) -> FloatArray:
    if track.way == "STEP":
        return np.asarray(track.values[_steps(track.times, at)])
    return np.stack([np.interp(at, track.times, track.values[:, axis]) for axis in range(3)], axis=1)


def _steps(times: FloatArray, at: FloatArray) -> NDArray[np.intp]:
    return np.clip(np.searchsorted(times, at + 1e-6, side="right") - 1, 0, len(times) - 1)
