"""What a film says of itself that Blender does not: by how much its pictures are to be turned."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import BinaryIO, Iterator

__all__ = ["rotation_ccw_deg"]

# Where the transformation matrix lies in a track header of version 0 and 1 (ISO/IEC 14496-12, 8.3.2).
_MATRIX_OFFSET = {0: 40, 1: 52}


def rotation_ccw_deg(path: Path) -> int:
    """Return how far a player turns the pictures counter-clockwise: 0, 90, 180 or 270.

    Read from the header of MP4 and QuickTime files, where phones put it; 0 for anything else.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            for box in _boxes(file, 0, size, b"moov"):
                for track in _boxes(file, *box, b"trak"):
                    turn = _rotation_of_track(file, track)
                    if turn is not None:
                        return turn
    except (OSError, struct.error):
        pass
    return 0


def _boxes(file: BinaryIO, begin: int, end: int, kind: bytes) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the content of each box of a kind between two offsets."""
    while begin + 8 <= end:
        file.seek(begin)
        size, found = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            header = 16
        elif size == 0:
            size = end - begin
        if size < header:
            return
        if found == kind:
            yield begin + header, begin + size
        begin += size


def _rotation_of_track(file: BinaryIO, track: tuple[int, int]) -> int | None:
    """Return the rotation of a track of pictures; None for sound and the like, which have no size."""
    for begin, _ in _boxes(file, *track, b"tkhd"):
        file.seek(begin)
        version = file.read(1)[0]
        file.seek(begin + _MATRIX_OFFSET[min(version, 1)])
        a, b, *_, width, height = struct.unpack(">9i2I", file.read(44))
        if width and height:
            return round(-math.degrees(math.atan2(b, a)) / 90) * 90 % 360
    return None
