"""Biovision hierarchy files: skeleton and motion in one text.

A joint's turn carries the offsets of its children; the end of a chain ("End Site") becomes a joint
named after its parent with ``_end``.  Channels may stand in any order, and translations on any
joint; a rotation's order is the order of its channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pose_server.mocap.recording import LARGEST, Recording, bad_motion, rest_places
from pose_server.pipeline.boundary import FloatArray

__all__ = ["read_bvh"]

#: Frames per second that can be meant.
_RATES_HZ = (0.1, 1000.0)
_CHANNELS = tuple(f"{axis}{kind}" for kind in ("position", "rotation") for axis in "XYZ")


def read_bvh(
    path: Path,
    *,
    metres_per_unit: float = 0.01,
    moved: Mapping[str, tuple[float, float, float]] | None = None,
) -> Recording:
    """Read a recording.

    Parameters
    ----------
    path
        The file.
    metres_per_unit
        A BVH does not say its unit; most are in centimetres.
    moved
        What is added to some joints' offsets, in the file's unit: repairs of known faults.

    Raises
    ------
    InputError
        ``MOTION_UNREADABLE``, with the line at fault.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise bad_motion(path, None, f"it cannot be opened ({error.strerror})", "check the path") from error
    tree = _Tree(path)
    motion = next((i for i, line in enumerate(lines) if line.strip().upper() == "MOTION"), None)
    if motion is None:
        raise bad_motion(path, None, "it has no MOTION", "give a complete BVH")
    for number, line in enumerate(lines[:motion], start=1):
        tree.read(number, line.split())
    tree.close()
    values, rate_hz = _motion(path, lines, motion + 1, tree.channel_count)
    offsets = np.array(tree.offsets)
    for name, extra in (moved or {}).items():
        if name not in tree.names:
            raise bad_motion(path, None, f"it has no joint '{name}'", "give the form of its skeleton")
        offsets[tree.names.index(name)] += extra
    points, turns = _posed(tree, offsets, values)
    return Recording(
        tuple(tree.names),
        np.array(tree.parents),
        points * metres_per_unit,
        turns,
        rate_hz,
        rest_places(tree.parents, offsets) * metres_per_unit,
    )


class _Tree:
    """The hierarchy, read line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float]] = []
        self.channels: list[list[str]] = []
        self._open: list[int] = []
        self._next = ""

    @property
    def channel_count(self) -> int:
        return sum(map(len, self.channels))

    def read(self, number: int, words: list[str]) -> None:
        if not words:
            return
        key = words[0].upper()
        if key in ("ROOT", "JOINT", "END"):
            self._begin(number, key, words)
        elif key == "{":
            self._open.append(len(self.names) - 1)
        elif key == "}":
            if not self._open:
                raise bad_motion(self.path, number, "a bracket closes that was never opened")
            self._open.pop()
        elif key == "OFFSET" and self.names:
            self.offsets[-1] = self._numbers(number, words[1:], 3)
        elif key == "CHANNELS" and self.names:
            kinds = [word[:1].upper() + word[1:].lower() for word in words[2:]]
            twice = len(set(kinds)) < len(kinds)
            if words[1:2] != [str(len(kinds))] or twice or not set(kinds) <= set(_CHANNELS):
                raise bad_motion(self.path, number, f"'{' '.join(words)[:60]}' names no valid channels")
            self.channels[-1] = kinds
        elif key != "HIERARCHY":
            raise bad_motion(self.path, number, f"'{words[0][:40]}' is unknown here")

    def close(self) -> None:
        if not self.names:
            raise bad_motion(self.path, None, "it has no joints")
        if self._open:
            raise bad_motion(self.path, None, f"'{self.names[self._open[-1]]}' is never closed")

    def _begin(self, number: int, key: str, words: list[str]) -> None:
        parent = self._open[-1] if self._open else -1
        if (key == "ROOT") != (parent < 0) or (key == "ROOT" and self.names):
            raise bad_motion(self.path, number, "the hierarchy has more than one root, or a joint outside it")
        name = f"{self.names[parent]}_end" if key == "END" else " ".join(words[1:])
        self.names.append(name or f"joint_{len(self.names)}")
        self.parents.append(parent)
        self.offsets.append([0.0, 0.0, 0.0])
        self.channels.append([])

    def _numbers(self, number: int, words: list[str], count: int) -> list[float]:
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if len(values) != count or not np.isfinite(values).all():
            raise bad_motion(self.path, number, f"expected {count} numbers")
        if max(map(abs, values)) > LARGEST:
            raise bad_motion(self.path, number, "a number is too large for a length")
        return values


def _motion(path: Path, lines: list[str], start: int, channels: int) -> tuple[FloatArray, float]:
    """Return (T, channels) values and the rate."""
    declared = seconds = None
    number, timed = start, None
    rows: list[NDArray[np.float64]] = []
    for number, line in enumerate(lines[start:], start=start + 1):
        words = line.replace(":", " ").split()
        if not words:
            continue
        try:
            if words[0].lower() == "frames":
                declared = int(words[1])
            elif [word.lower() for word in words[:2]] == ["frame", "time"]:
                seconds, timed = float(words[2]), number
            else:
                rows.append(np.array(words, dtype=np.float64))
        except (ValueError, IndexError) as error:
            raise bad_motion(path, number, f"'{line.strip()[:40]}' cannot be read") from error
        if rows and len(rows[-1]) != channels:
            raise bad_motion(path, number, f"{len(rows[-1])} values for {channels} channels")
        if rows and not (np.abs(rows[-1]) <= LARGEST).all():
            raise bad_motion(path, number, "it holds values that are no numbers, or too large ones")
    if not rows:
        raise bad_motion(path, number, "it holds no frames")
    if declared is not None and len(rows) < declared:
        raise bad_motion(
            path, number, f"it declares {declared} frames and holds {len(rows)}", "it was cut; copy it again"
        )
    if not seconds or not np.isfinite(seconds) or seconds <= 0:
        raise bad_motion(path, timed, "its frame time is missing or not above zero")
    if not 1 / _RATES_HZ[1] <= seconds <= 1 / _RATES_HZ[0]:
        least, most = _RATES_HZ
        raise bad_motion(path, timed, f"its frame time of {seconds:g} s is not of {least:g} to {most:g} Hz")
    return np.stack(rows), 1 / seconds


def _posed(tree: _Tree, offsets: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return places in the file's unit and turns."""
    count = len(values)
    points = np.empty((count, len(tree.names), 3))
    turns = np.empty((count, len(tree.names), 3, 3))
    column = 0
    for joint, (parent, kinds) in enumerate(zip(tree.parents, tree.channels, strict=True)):
        given = values[:, column : column + len(kinds)]
        column += len(kinds)
        moves = [i for i, kind in enumerate(kinds) if kind.endswith("position")]
        rotations = [i for i, kind in enumerate(kinds) if kind.endswith("rotation")]
        place = np.broadcast_to(offsets[joint], (count, 3)).copy()
        for i in moves:  # replaces the offset, as every reader of the format has it
            place[:, "XYZ".index(kinds[i][0])] = given[:, i]
        local = np.broadcast_to(np.eye(3), (count, 3, 3))
        if rotations:
            order = "".join(kinds[i][0] for i in rotations)
            local = Rotation.from_euler(order, given[:, rotations], degrees=True).as_matrix()
        if parent < 0:
            points[:, joint], turns[:, joint] = place, local
        else:
            points[:, joint] = points[:, parent] + np.einsum("tij,tj->ti", turns[:, parent], place)
            turns[:, joint] = turns[:, parent] @ local
    return points, turns
