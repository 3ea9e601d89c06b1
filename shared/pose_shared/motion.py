"""One person's motion as a host writes it: bones of a T-pose, and a row of numbers per channel."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from typing import Dict, Iterable, Tuple

from pose_shared._generated.pose.v1 import motion_pb2, types_pb2
from pose_shared.channel_stream import read_channels

__all__ = [
    "Bone",
    "CameraView",
    "MotionChannels",
    "Vector",
    "WeakSpan",
    "camera_view_of",
    "fraction_of",
    "read_motion",
    "vector_of",
    "weak_spans_of",
]

Vector = Tuple[float, float, float]


@dataclass(frozen=True)
class Bone:
    """A bone of the T-pose that faces -y with z up.

    Attributes
    ----------
    parent
        Index of the parent bone, -1 for the root; a parent stands before its children.
    head_m, tail_m
        Its ends in metres; its local y axis runs from head to tail.
    z_axis
        Direction of its local z axis at rest.
    joint
        The joint at its head, as in ``motion.npz``.
    """

    name: str
    parent: int
    head_m: Vector
    tail_m: Vector
    z_axis: Vector
    joint: str


@dataclass(frozen=True)
class CameraView:
    """A camera that sees the armature on top of the film.

    Attributes
    ----------
    world_to_camera
        Row-major 4x4 matrices, 16 numbers each: one, or one a row of the motion. Camera axes are
        x right, y down, z forward; metres.
    intrinsics_px
        fx, fy, cx, cy; the centre of the first pixel is (0.5, 0.5).
    width, height
        Of the upright picture.
    """

    world_to_camera: Tuple[float, ...]
    intrinsics_px: Tuple[float, float, float, float]
    width: int
    height: int


@dataclass(frozen=True)
class WeakSpan:
    """Joints that are more guessed than seen for a while.

    Attributes
    ----------
    first_frame, last_frame
        Of the source, the last one included.
    why
        ``gap``, ``low_confidence``, ``outlier`` or ``reprojection``.
    joints
        Their names.
    """

    first_frame: int
    last_frame: int
    why: str
    joints: Tuple[str, ...]


@dataclass(frozen=True)
class MotionChannels:
    """One person's motion, ready to key.

    Attributes
    ----------
    rate
        Rows per second.
    frame_count
        Rows of every channel.
    start_time_s
        Of the first row, after the clip's first frame; the others follow at `rate`.
    first_source_frame
        Source frame nearest to the first row.
    source_rate
        Frames per second of the source film.
    weak_spans
        What to look at first.
    channels
        float32 per row: ``<bone>/rotation/w|x|y|z`` about the bone's rest, ``<root>/location/x|y|z``
        in the root bone's own axes, ``<bone>/confidence``, ``contact/<name>``.
    """

    clip_name: str
    person: int
    rate: Fraction
    frame_count: int
    start_time_s: float
    first_source_frame: int
    source_rate: Fraction
    bones: Tuple[Bone, ...]
    camera: CameraView
    contact_names: Tuple[str, ...]
    weak_spans: Tuple[WeakSpan, ...]
    channels: Dict[str, array[float]]


def read_motion(chunks: Iterable[motion_pb2.MotionChunk]) -> MotionChannels:
    """Put a stream of chunks together.

    Raises
    ------
    DataLossError
        The stream has no header, or a channel of it is not as long as the header says.
    """
    header, values = read_channels(chunks)
    return MotionChannels(
        clip_name=header.clip_name,
        person=header.person,
        rate=fraction_of(header.rate),
        frame_count=header.frame_count,
        start_time_s=header.start_time_s,
        first_source_frame=header.first_source_frame,
        source_rate=fraction_of(header.source_rate if header.HasField("source_rate") else header.rate),
        bones=tuple(_bone(bone) for bone in header.bones),
        camera=camera_view_of(header.camera),
        contact_names=tuple(header.contact_names),
        weak_spans=weak_spans_of(header),
        channels=values,
    )


def camera_view_of(message: motion_pb2.CameraView) -> CameraView:
    """Read a message."""
    fx, fy, cx, cy = message.intrinsics_px
    return CameraView(tuple(message.world_to_camera), (fx, fy, cx, cy), message.width, message.height)


def weak_spans_of(header: motion_pb2.MotionHeader) -> Tuple[WeakSpan, ...]:
    """Read those of a header."""
    return tuple(
        WeakSpan(span.first_frame, span.last_frame, span.why, tuple(span.joints))
        for span in header.weak_spans
    )


def vector_of(values: Iterable[float]) -> Vector:
    """Return three numbers; raises ValueError for more or fewer."""
    x, y, z = values
    return x, y, z


def fraction_of(message: types_pb2.Rate) -> Fraction:
    """Read a message."""
    return Fraction(message.numerator, message.denominator)


def _bone(message: motion_pb2.Bone) -> Bone:
    return Bone(
        name=message.name,
        parent=message.parent,
        head_m=vector_of(message.head_m),
        tail_m=vector_of(message.tail_m),
        z_axis=vector_of(message.z_axis),
        joint=message.joint,
    )
