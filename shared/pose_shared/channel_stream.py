"""Motions on their way: a header, and rows of numbers in pieces."""

from __future__ import annotations

import sys
from array import array
from typing import Any, Dict, Iterable, Tuple

from pose_shared.errors import DataLossError

__all__ = ["read_channels"]


def read_channels(chunks: Iterable[Any]) -> Tuple[Any, Dict[str, array[float]]]:
    """Put a stream of ``MotionChunk`` or ``RigMotionChunk`` together; return its header and its channels.

    Raises
    ------
    DataLossError
        The stream has no header, or a channel of it is not as long as the header says.
    """
    header = None
    values: Dict[str, array[float]] = {}
    for chunk in chunks:
        if chunk.HasField("header"):
            header = chunk.header
        elif chunk.HasField("piece"):
            values.setdefault(chunk.piece.channel, array("f")).frombytes(chunk.piece.values)
    if header is None:
        raise DataLossError("The motion came without its header; ask for it again.", reason="MOTION_CUT")
    for name, channel in values.items():
        if len(channel) != header.frame_count:
            raise DataLossError(
                f"{name} has {len(channel)} of {header.frame_count} values; ask for the motion again.",
                reason="MOTION_CUT",
                channel=name,
            )
        if sys.byteorder == "big":
            channel.byteswap()
    return header, values
