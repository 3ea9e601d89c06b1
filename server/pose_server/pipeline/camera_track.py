"""A camera's track that the caller has, such as a host's scene camera: where it stood, and how it was turned.

Described for others in docs/solve.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose_shared.errors import InputError

if TYPE_CHECKING:
    from pose_server.pipeline.boundary import CameraPath, IntArray

__all__ = ["KEYS_LIMIT", "CameraTrack", "read_camera_track"]

#: Eleven minutes at 30 frames per second; longer shots need not have a key for every frame.
KEYS_LIMIT = 20_000
_BYTES_LIMIT = 16_000_000
_FARTHEST_M = 1e6
_LARGEST_FRAME = 10**9
_LENGTH_TOLERANCE = 0.01


@dataclass(frozen=True)
class CameraTrack:
    """Where a camera was in a world with z up, in metres; it moves evenly between keys, and stands with one.

    Raises
    ------
    InputError
        It is no track (``CAMERA_TRACK_INVALID``); the sentence says why.
    """

    frames: tuple[int, ...]
    """Source frame numbers, growing."""
    positions_m: tuple[tuple[float, float, float], ...]
    rotations_wxyz: tuple[tuple[float, float, float, float], ...]
    """From camera to world, as Blender and USD have them: x right, y up, looking along -z."""
    focal_mm: float | None = None
    """On a sensor 36 mm along the longer side, if it is known."""

    def __post_init__(self) -> None:
        count = len(self.frames)
        if not count:
            raise _invalid("it has no frame")
        if count > KEYS_LIMIT:
            raise _invalid(f"it has {count} frames; give every second or third, {KEYS_LIMIT} at most")
        for name, size in (("positions_m", 3), ("rotations_wxyz", 4)):
            rows = getattr(self, name)
            if len(rows) != count or any(len(row) != size for row in rows):
                raise _invalid(f"{name} does not have {size} numbers for each of {count} frames")
            if not all(map(math.isfinite, chain.from_iterable(rows))):
                raise _invalid(f"{name} holds what is not finite")
        growing = all(one < other for one, other in pairwise(self.frames))
        if not growing or self.frames[0] < 0 or self.frames[-1] > _LARGEST_FRAME:
            raise _invalid("its frames do not grow from 0 or later")
        if max(map(abs, chain.from_iterable(self.positions_m))) > _FARTHEST_M:
            raise _invalid(f"it goes farther than {_FARTHEST_M / 1000:.0f} km; give positions in metres")
        if any(abs(math.hypot(*row) - 1) > _LENGTH_TOLERANCE for row in self.rotations_wxyz):
            raise _invalid("a rotation is no unit quaternion")
        if self.focal_mm is not None and not 5 <= self.focal_mm <= 1000:
            raise _invalid(f"its focal length is {self.focal_mm:g} mm; give 5 to 1000")

    def path(self, indices: IntArray) -> CameraPath:
        """Return the path over some source frames, from the first of them and in its world.

        Raises
        ------
        InputError
            Some of them lie before or after the track (``CAMERA_TRACK_SHORT``).
        """
        import numpy as np
        from scipy.spatial.transform import Rotation, Slerp

        from pose_server.pipeline.boundary import CameraPath

        first, last = int(indices[0]), int(indices[-1])
        if len(self.frames) > 1 and (first < self.frames[0] or last > self.frames[-1]):
            raise InputError(
                f"The camera track has frames {self.frames[0]} to {self.frames[-1]}, and the clip {first} to "
                f"{last}; give the camera of all of them, or import less with --start and --end.",
                reason="CAMERA_TRACK_SHORT",
                first=first,
                last=last,
            )
        keys = np.array(self.frames, dtype=float)
        places = np.stack([np.interp(indices, keys, column) for column in np.array(self.positions_m).T], 1)
        turned = Rotation.from_quat(np.array(self.rotations_wxyz), scalar_first=True)
        if len(keys) > 1:
            turns = Slerp(keys, turned)(indices).as_matrix()
        else:
            turns = np.repeat(turned.as_matrix(), len(indices), axis=0)
        turns = turns @ np.diag([1.0, -1.0, -1.0])  # OpenCV's axes look along +z
        world = np.eye(4)
        world[:3, :3], world[:3, 3] = turns[0], places[0]
        return CameraPath(
            np.asarray(indices),
            np.swapaxes(turns, 1, 2) @ turns[0],
            (places - places[0]) @ turns[0],
            metric=True,
            world=world,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the track as plain JSON data."""
        return {
            "frames": list(self.frames),
            "positions_m": [list(row) for row in self.positions_m],
            "rotations_wxyz": [list(row) for row in self.rotations_wxyz],
            "focal_mm": self.focal_mm,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> CameraTrack:
        """Read a track from what JSON makes of it; raises as the class does."""
        unknown = fields.keys() - {"frames", "positions_m", "rotations_wxyz", "focal_mm"}
        if unknown:
            raise _invalid(f"it has '{str(min(unknown))[:40]}', which means nothing here")
        for name in ("frames", "positions_m", "rotations_wxyz"):
            if not isinstance(fields.get(name), list):
                raise _invalid(f"{name} is no list")
        frames = fields["frames"]
        if not all(isinstance(frame, int) and not isinstance(frame, bool) for frame in frames):
            raise _invalid("frames are whole numbers")
        focal = fields.get("focal_mm")
        return cls(
            frames=tuple(frames),
            positions_m=_rows(fields["positions_m"], "positions_m"),
            rotations_wxyz=_rows(fields["rotations_wxyz"], "rotations_wxyz"),
            focal_mm=None if focal is None else _number(focal, "focal_mm"),
        )


def read_camera_track(path: Path) -> CameraTrack:
    """Read a track from a JSON file.

    Raises
    ------
    InputError
        It cannot be read, or is no track (``CAMERA_TRACK_INVALID``).
    """
    try:
        if path.exists() and not path.is_file():
            raise _invalid(f"'{path}' is no file")
        if path.stat().st_size > _BYTES_LIMIT:
            raise _invalid(f"'{path}' is larger than {_BYTES_LIMIT // 10**6} MB")
        fields = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _invalid(f"'{path}' cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise _invalid(f"'{path}' is no JSON") from error
    if not isinstance(fields, dict):
        raise _invalid(f"'{path}' holds no object")
    return CameraTrack.from_dict(fields)


def _rows(rows: Sequence[Any], name: str) -> Any:
    if not all(isinstance(row, list) for row in rows):
        raise _invalid(f"{name} is no list of lists")
    return tuple(tuple(_number(value, name) for value in row) for row in rows)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _invalid(f"{name} holds what is no number")
    return float(value)


def _invalid(why: str) -> InputError:
    return InputError(
        f"The camera track cannot be used: {why}; docs/solve.md says what one looks like.",
        reason="CAMERA_TRACK_INVALID",
    )
