"""Reads the ``3d_data.json`` of 3d-pose-baseline, and turns its points into joints that a scene can have.

The file holds, by frame and joint of Human3.6M, ``{"translate": [x, y, z]}``; its lengths are taken for
millimetres. The joints are those that its `maya_skeleton.py` makes, with the same names and parents, turned
upright as it does. Unlike there, bones keep their lengths (medians), and joints turn.
"""

from __future__ import annotations

import json
import math
from array import array
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Dict, List, Optional, Sequence, Tuple

from pose_shared.errors import InputError
from pose_shared.joint_motion import Joint
from pose_shared.joint_scene import joint_node, legal_name
from pose_shared.scene_nodes import Attribute, Curve, JointScene, Node, Part

__all__ = ["read_baseline"]

Vector = Tuple[float, float, float]
#: Three axes, each in the world.
Axes = Tuple[Vector, Vector, Vector]

_SPINE, _CHEST = 11, 13
#: Hip or shoulder first; then the axis that the limb points along at rest, in those of the trunk.
_LIMBS: Tuple[Tuple[int, Tuple[int, int, int], str], ...] = (
    (_SPINE, (1, 2, 3), "down"),
    (_SPINE, (6, 7, 8), "down"),
    (_CHEST, (17, 18, 19), "left"),
    (_CHEST, (25, 26, 27), "right"),
)
#: Left minus right of each part of the trunk.
_ACROSS = {_SPINE: (6, 1), _CHEST: (17, 25)}
_PASSED = (4, 5, 9, 10, 12)
_JOINTS = 32
_TILT = math.radians(-110.0)
_CM_PER_MM = 0.1
_UPRIGHT: Axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
#: Axes at rest by the direction of x: left is +x, up +y.
_REST: Dict[str, Axes] = {
    "left": _UPRIGHT,
    "right": ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    "down": ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
}
_NEARLY_BACK = -1.0 + 1e-6


def read_baseline(path: Path, fps: Fraction, *, up: str, scene_rate: Fraction) -> JointScene:
    """Return the scene that a file describes.

    Parameters
    ----------
    path
        The file.
    fps
        Of its frames.
    up
        ``y`` or ``z``, the axis of the scene that points up.
    scene_rate
        Frames per second of the scene.

    Raises
    ------
    InputError
        It is no such file, or lacks a joint (``BASELINE_UNREADABLE``).
    """
    frames, places = _read(path)
    rig = _Rig(places)
    name = legal_name(path.stem)
    times_s = array("d", [float(frame / fps) for frame in frames])
    joints, curves = rig.joints(), []
    for (number, attribute), values in rig.channels().items():
        kind = "distance" if attribute.startswith("translate") else "angle"
        curves.append(Curve(_name(number), attribute, kind, times_s, array("d", values)))
    # All is said with y up; where z is, the group that holds it is turned.
    turned = (Attribute("rotateX", "angle", math.pi / 2),) if up == "z" else ()
    nodes = [Node("anim_joint", "transform", "", turned)]
    for joint in joints:
        parent = joints[joint.parent].name if joint.parent >= 0 else "anim_joint"
        nodes.append(joint_node(joint, parent))
    part = Part(f"{name}_person_1", tuple(nodes), tuple(curves), person=1)
    first, last = (math.floor(frame / fps * scene_rate) for frame in (frames[0], frames[-1]))
    return JointScene(up, (part,), None, None, first, last)


def _name(joint: int) -> str:
    return f"jnt_{joint}_threed"


def _read(path: Path) -> Tuple[List[int], Dict[int, List[Vector]]]:
    """Return the numbers of the frames, and where each joint is in each, upright and in centimetres."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = sorted((int(frame), joints) for frame, joints in content.items())
        found = [
            (frame, {int(joint): _upright(entry["translate"]) for joint, entry in joints.items()})
            for frame, joints in rows
        ]
    except OSError as error:
        raise InputError(f"'{path}' cannot be read; check the path.", reason="BASELINE_UNREADABLE") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _unreadable(path, "it does not hold joints by frame") from error
    known = sorted({joint for _, joints in found for joint in joints if 0 <= joint < _JOINTS})
    needed = {_SPINE, _CHEST, *(joint for _, limb, _ in _LIMBS for joint in limb)}
    lost = sorted(needed - set(known))
    if lost:
        raise _unreadable(path, f"it lacks joint {lost[0]} of Human3.6M")
    places: Dict[int, List[Vector]] = {}
    for joint in known:
        if joint in _PASSED:
            continue
        seen = [joints.get(joint) for _, joints in found]
        # A frame without it has it where it was before, or where it comes.
        last = next(place for place in seen if place is not None)
        row = places.setdefault(joint, [])
        for place in seen:
            last = place or last
            row.append(last)
    return [frame for frame, _ in found], places


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        f"'{path.name}' is no 3d_data.json of 3d-pose-baseline: {why}.",
        reason="BASELINE_UNREADABLE",
        path=path,
    )


def _upright(translate: Sequence[float]) -> Vector:
    x, y, z = (float(value) * _CM_PER_MM for value in translate)
    if not all(map(math.isfinite, (x, y, z))):
        raise ValueError("not a place")
    cos, sin = math.cos(_TILT), math.sin(_TILT)
    return x, y * cos - z * sin, y * sin + z * cos


@dataclass
class _Rig:
    """Joints out of points: (x, y, z) of each joint in each frame."""

    places: Dict[int, List[Vector]]

    def __post_init__(self) -> None:
        frames = range(len(self.places[_SPINE]))
        self.trunk: Dict[int, List[Axes]] = {
            joint: [self._trunk_axes(joint, frame) for frame in frames] for joint in _ACROSS
        }
        self.offsets: Dict[int, Vector] = {}
        self.lengths: Dict[int, float] = {}
        for trunk, limb, _ in _LIMBS:
            local = [
                _in_axes(self.trunk[trunk][f], _minus(self.places[limb[0]][f], self.places[trunk][f]))
                for f in frames
            ]
            x, y, z = (median(place[i] for place in local) for i in range(3))
            self.offsets[limb[0]] = (x, y, z)
            for joint, child in zip(limb, limb[1:]):
                pairs = zip(self.places[joint], self.places[child])
                self.lengths[child] = median(_length(_minus(b, a)) for a, b in pairs)

    def _trunk_axes(self, joint: int, frame: int) -> Axes:
        left, right = _ACROSS[joint]
        across = _minus(self.places[left][frame], self.places[right][frame])
        upwards = _minus(self.places[_CHEST][frame], self.places[_SPINE][frame])
        x = _unit(across, (1.0, 0.0, 0.0))
        z = _unit(_cross(x, upwards), (0.0, 0.0, 1.0))
        return x, _cross(z, x), z

    def joints(self) -> List[Joint]:
        """Return the joints at rest, parents first."""
        loose = [joint for joint in self.places if joint not in _named()]
        order = [_SPINE, _CHEST, *(joint for _, limb, _ in _LIMBS for joint in limb), *loose]
        index = {joint: number for number, joint in enumerate(order)}
        parents = {limb[0]: trunk for trunk, limb, _ in _LIMBS}
        parents.update({child: joint for _, limb, _ in _LIMBS for joint, child in zip(limb, limb[1:])})
        orients = {limb[0]: _euler(_REST[way], (0.0, 0.0, 0.0)) for _, limb, way in _LIMBS}
        made = []
        for joint in order:
            if joint in self.offsets:
                translate = self.offsets[joint]
            elif joint in self.lengths:
                translate = (self.lengths[joint], 0.0, 0.0)
            else:
                translate = self.places[joint][0]
            child = next((end for end, parent in parents.items() if parent == joint), None)
            made.append(
                Joint(
                    name=_name(joint),
                    parent=index[parents[joint]] if joint in parents else -1,
                    translate_cm=translate,
                    orient_rad=orients.get(joint, (0.0, 0.0, 0.0)),
                    rotation_order="xyz",
                    length_cm=self.lengths.get(child, 10.0) if child is not None else 10.0,
                )
            )
        return made

    def channels(self) -> Dict[Tuple[int, str], List[float]]:
        """Return what moves, by joint and attribute."""
        found: Dict[Tuple[int, str], List[float]] = {}
        for joint in self.places:
            if joint in _ACROSS or joint not in _named():
                for axis, letter in enumerate("XYZ"):
                    found[joint, f"translate{letter}"] = [place[axis] for place in self.places[joint]]
        for joint, rows in self.trunk.items():
            _add_angles(found, joint, rows)
        for trunk, limb, way in _LIMBS:
            above = self.trunk[trunk]
            rest: Optional[Axes] = _REST[way]
            for joint, child in zip(limb, limb[1:]):
                local, world = [], []
                for frame, axes in enumerate(above):
                    at_rest = _times(axes, rest) if rest else axes
                    aim = _minus(self.places[child][frame], self.places[joint][frame])
                    turn = _arc(_unit(_in_axes(at_rest, aim), (1.0, 0.0, 0.0)))
                    local.append(turn)
                    world.append(_times(at_rest, turn))
                _add_angles(found, joint, local)
                above, rest = world, None
        return found


def _named() -> Tuple[int, ...]:
    return (_SPINE, _CHEST, *(joint for _, limb, _ in _LIMBS for joint in limb))


def _add_angles(found: Dict[Tuple[int, str], List[float]], joint: int, rows: Sequence[Axes]) -> None:
    last: Vector = (0.0, 0.0, 0.0)
    angles = []
    for axes in rows:
        last = _euler(axes, last)
        angles.append(last)
    for axis, letter in enumerate("XYZ"):
        found[joint, f"rotate{letter}"] = [angle[axis] for angle in angles]


def _euler(axes: Axes, last: Vector) -> Vector:
    """Return the angles in radians about x, then y, then z, of all the same ones those next to the last."""
    (xx, xy, xz), (yx, yy, yz), (_, _, zz) = axes
    pitch = math.asin(max(-1.0, min(1.0, -xz)))
    if abs(xz) > 1.0 - 1e-9:  # x and z turn about one line: keep what z was
        yaw = last[2]
        turned = (-math.sin(yaw), math.cos(yaw), 0.0)
        roll = math.atan2(_dot(_cross((xx, xy, xz), turned), (yx, yy, yz)), _dot(turned, (yx, yy, yz)))
    else:
        roll, yaw = math.atan2(yz, zz), math.atan2(xy, xx)
    either = ((roll, pitch, yaw), (roll + math.pi, math.pi - pitch, yaw + math.pi))
    ways = [tuple(_near(a, b) for a, b in zip(way, last)) for way in either]
    x, y, z = min(ways, key=lambda way: sum(abs(a - b) for a, b in zip(way, last)))
    return x, y, z


def _near(angle: float, last: float) -> float:
    return angle - 2 * math.pi * round((angle - last) / (2 * math.pi))


def _arc(aim: Vector) -> Axes:
    """Return the axes after the shortest turn of x to a direction; twist is none, whatever came before."""
    x, y, z = aim
    if x < _NEARLY_BACK:
        return (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)
    share = 1.0 / (1.0 + x)
    return (x, y, z), (-y, 1.0 - y * y * share, -y * z * share), (-z, -y * z * share, 1.0 - z * z * share)


def _times(outer: Axes, inner: Axes) -> Axes:
    """Return axes that are said in other axes, in the world."""
    return tuple(  # type: ignore[return-value]
        tuple(sum(axis[i] * outer[i][j] for i in range(3)) for j in range(3)) for axis in inner
    )


def _in_axes(axes: Axes, way: Vector) -> Vector:
    return _dot(axes[0], way), _dot(axes[1], way), _dot(axes[2], way)


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _length(a: Vector) -> float:
    return math.sqrt(_dot(a, a))


def _unit(a: Vector, otherwise: Vector) -> Vector:
    length = _length(a)
    return (a[0] / length, a[1] / length, a[2] / length) if length > 1e-9 else otherwise
