"""Acclaim motion: the skeleton of an ASF, moved by an AMC.

Format: Acclaim's advanced skeleton and motion files as the CMU database writes them
(https://research.cs.wisc.edu/graphics/Courses/cs-838-1999/Jeff/ASF-AMC.html).  A bone's turn is
given in axes of its own: ``turn = C R C^-1`` with C its ``axis`` and R its degrees of freedom,
both applied x first.  A joint here is the far end of the bone of that name, and turns with it.
Files in radians, with other orders of turns, or with a root that does not rest at zero are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.mocap.recording import LARGEST, Recording, bad_motion, rest_places
from pose_server.pipeline.boundary import FloatArray

__all__ = ["Skeleton", "read_amc", "read_asf"]

#: The files count in inches over their own length unit.
_INCH_M = 0.0254
_ROOT = "root"
_TURNS = ("rx", "ry", "rz")
_CHANNELS = ("tx", "ty", "tz", *_TURNS)


@dataclass(frozen=True)
class Skeleton:
    """The rest pose of an ASF; index 0 is the root."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets_m: FloatArray
    """(J, 3) from the near to the far end of each bone; zero for the root."""
    axes: FloatArray
    """(J, 3, 3) C of each bone."""
    freedoms: tuple[tuple[str, ...], ...]
    """Channels of each joint in the order of the AMC."""
    metres_per_unit: float


def read_asf(path: Path) -> Skeleton:
    """Read a skeleton.

    Raises
    ------
    InputError
        ``MOTION_UNREADABLE``, with the line at fault.
    """
    head = _Head()
    bones: list[_Bone] = []
    links: list[tuple[str, list[str], int]] = []
    section = ""
    for number, words in _lines(path):
        try:
            if words[0].startswith(":"):
                section = words[0]
            elif section in (":units", ":root"):
                head.read(words)
            elif section == ":bonedata":
                _read_bone(bones, words)
            elif section == ":hierarchy" and words[0] not in ("begin", "end"):
                links.append((words[0], words[1:], number))
        except (IndexError, ValueError) as error:
            raise bad_motion(path, number, f"'{' '.join(words)[:60]}' cannot be read ({error})") from error
    known = {bone.name: bone for bone in bones}
    names, parents = [_ROOT], [-1]
    for parent, children, number in links:
        for child in children:
            if parent not in names or child not in known or child in names:
                raise bad_motion(path, number, f"the bone '{child}' does not fit into the hierarchy")
            names.append(child)
            parents.append(names.index(parent))
    if len(names) < 2:
        raise bad_motion(path, None, "it describes no bones")
    ordered = [known[name] for name in names[1:]]
    scale = _INCH_M / head.length
    axes = Rotation.from_euler("xyz", [bone.axis for bone in ordered], degrees=True).as_matrix()
    return Skeleton(
        names=tuple(names),
        parents=tuple(parents),
        offsets_m=np.array([np.zeros(3), *(bone.offset * scale for bone in ordered)]),
        axes=np.concatenate([np.eye(3)[None], axes]),
        freedoms=(head.freedoms, *(bone.freedoms for bone in ordered)),
        metres_per_unit=scale,
    )


def read_amc(path: Path, skeleton: Skeleton, rate_hz: float) -> Recording:
    """Read a motion; an AMC does not say its rate (CMU's are 120, some 60).

    Raises
    ------
    InputError
        ``MOTION_UNREADABLE``, with the line at fault.
    """
    channels = _channels(path, skeleton)
    shape = channels.shape[:2]
    turns = Rotation.from_euler("xyz", channels[..., 3:].reshape(-1, 3), degrees=True).as_matrix()
    local = skeleton.axes @ turns.reshape(*shape, 3, 3) @ skeleton.axes.transpose(0, 2, 1)
    points = np.empty((*shape, 3))
    world = np.empty_like(local)
    points[:, 0], world[:, 0] = channels[:, 0, :3] * skeleton.metres_per_unit, local[:, 0]
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        world[:, joint] = world[:, parent] @ local[:, joint]
        points[:, joint] = points[:, parent] + world[:, joint] @ skeleton.offsets_m[joint]
    rest = rest_places(skeleton.parents, skeleton.offsets_m)
    return Recording(skeleton.names, np.array(skeleton.parents), points, world, rate_hz, rest)


def _channels(path: Path, skeleton: Skeleton) -> FloatArray:
    """Return (T, J, 6) translations and turns in the file's units."""
    places = {name: joint for joint, name in enumerate(skeleton.names)}
    frames: list[FloatArray] = []
    told: set[str] = set()
    moving = {name for name, freedoms in zip(skeleton.names, skeleton.freedoms, strict=True) if freedoms}

    def complete(number: int | None) -> None:
        if frames and not moving <= told:
            raise bad_motion(
                path, number, f"frame {len(frames)} lacks '{min(moving - told)}'", "it was cut; copy it again"
            )

    for number, words in _lines(path):
        if words[0].startswith(":"):
            if words[0].upper() == ":RADIANS":
                raise bad_motion(path, number, "only degrees are read")
            continue
        if len(words) == 1 and words[0].isdigit():
            complete(number)
            told = set()
            frames.append(np.zeros((len(skeleton.names), 6)))
            continue
        if not frames:
            raise bad_motion(path, number, "values stand before the number of the first frame")
        joint = places.get(words[0])
        if joint is None:
            raise bad_motion(
                path, number, f"the skeleton has no bone '{words[0][:40]}'", "give the ASF it was made for"
            )
        told.add(words[0])
        freedoms = skeleton.freedoms[joint]
        try:
            values = _numbers(words[1:], len(freedoms))
        except ValueError as error:
            raise bad_motion(path, number, f"the values of '{words[0]}' cannot be read ({error})") from error
        for freedom, value in zip(freedoms, values, strict=True):
            if freedom in _CHANNELS:  # a bone may also stretch ("l"), which CMU's never do
                frames[-1][joint, _CHANNELS.index(freedom)] = value
    complete(None)
    if not frames:
        raise bad_motion(path, None, "it holds no frames")
    return np.stack(frames)


def _numbers(words: list[str], count: int) -> FloatArray:
    values = np.array([float(word) for word in words])
    _expect(len(values) == count, f"{len(values)} values instead of {count}")
    _expect(bool((np.abs(values) <= LARGEST).all()), "a value is no number, or too large")
    return values


def _freedoms(words: list[str]) -> tuple[str, ...]:
    freedoms = tuple(word.lower() for word in words)
    turns = [freedom for freedom in freedoms if freedom in _TURNS]
    _expect(turns == sorted(set(turns)), "only turns in the order x, y, z are read")
    _expect(set(freedoms) <= {*_CHANNELS, "l"}, "an unknown freedom")
    return freedoms


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


class _Head:
    """What an ASF says of its units and its root."""

    def __init__(self) -> None:
        self.length = 1.0
        self.freedoms: tuple[str, ...] = _CHANNELS

    def read(self, words: list[str]) -> None:
        match words[0]:
            case "length":
                (self.length,) = _numbers(words[1:], 1)
                _expect(self.length > 0, "it must be above zero")
            case "angle":
                _expect(words[1].startswith("deg"), "only degrees are read")
            case "order":
                self.freedoms = _freedoms(words[1:])
            case "axis":
                _expect(words[1].upper() == "XYZ", "only the order XYZ is read")
            case "position" | "orientation":
                _expect(not _numbers(words[1:], 3).any(), "only a root at zero is read")


class _Bone:
    def __init__(self) -> None:
        self.name = ""
        self.direction = np.zeros(3)
        self.length = 0.0
        self.axis = np.zeros(3)
        self.freedoms: tuple[str, ...] = ()

    @property
    def offset(self) -> FloatArray:
        return np.asarray(self.direction * self.length)


def _read_bone(bones: list[_Bone], words: list[str]) -> None:
    _expect(bool(bones) or words[0] == "begin", "it stands before the first 'begin'")
    match words[0]:
        case "begin":
            bones.append(_Bone())
        case "name":
            bones[-1].name = words[1]
        case "direction":
            bones[-1].direction = _numbers(words[1:], 3)
        case "length":
            (bones[-1].length,) = _numbers(words[1:], 1)
        case "axis":
            bones[-1].axis = _numbers(words[1:4], 3)
            _expect([word.upper() for word in words[4:]] == ["XYZ"], "only the order XYZ is read")
        case "dof":
            bones[-1].freedoms = _freedoms(words[1:])


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return number and words of every line that says something."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise bad_motion(path, None, f"it cannot be opened ({error.strerror})", "check the path") from error
    lines = ((number, line.split("#")[0].split()) for number, line in enumerate(text.splitlines(), start=1))
    return [(number, words) for number, words in lines if words]
