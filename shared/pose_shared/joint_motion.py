"""One person's motion as joints with Euler angles, in centimetres, for a host that thinks in those."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from typing import Dict, Iterable, Tuple

from pose_shared._generated.pose.v1 import motion_pb2
from pose_shared.channel_stream import read_channels
from pose_shared.errors import ConflictError
from pose_shared.motion import (
    CameraView,
    Vector,
    WeakSpan,
    camera_view_of,
    fraction_of,
    vector_of,
    weak_spans_of,
)

__all__ = ["Joint", "JointMotion", "read_joint_motion"]


@dataclass(frozen=True)
class Joint:
    """A joint of the T-pose that faces +z with y up, or -y with z up; left is +x.

    Its x axis runs along its bone; a turn about z by a positive angle bends elbow, knee and trunk.

    Attributes
    ----------
    parent
        Index of the parent joint, -1 for the root; a parent stands before its children.
    translate_cm
        From the parent at rest, in the parent's axes; the root's in the world.
    orient_rad
        Axes at rest: turned about the parent's x, then its y, then its z.
    rotation_order
        Letters of the axes in the order in which they turn a vector, such as ``xyz``.
    length_cm
        To the end of its bone, along x.
    """

    name: str
    parent: int
    translate_cm: Vector
    orient_rad: Vector
    rotation_order: str
    length_cm: float


@dataclass(frozen=True)
class JointMotion:
    """One person's motion, ready to key.

    Attributes
    ----------
    up
        ``y`` or ``z``, the axis of the world that points up.
    rate, frame_count, start_time_s, first_source_frame, source_rate, contact_names, weak_spans
        As those of `pose_shared.motion.MotionChannels`.
    camera
        Its lens; where it stands is told by channels.
    camera_rotation_order
        As a joint's.
    channels
        float32 per row: ``<joint>/rotate/x|y|z`` in radians, continuous, about the joint's axes at rest;
        ``<root>/translate/x|y|z`` in centimetres in the world, in place of the one at rest;
        ``camera/translate/x|y|z`` and ``camera/rotate/x|y|z`` of a camera that looks along its -z with y up;
        ``<joint>/confidence``, ``contact/<name>``.
    """

    clip_name: str
    person: int
    up: str
    rate: Fraction
    frame_count: int
    start_time_s: float
    first_source_frame: int
    source_rate: Fraction
    joints: Tuple[Joint, ...]
    camera: CameraView
    camera_rotation_order: str
    contact_names: Tuple[str, ...]
    weak_spans: Tuple[WeakSpan, ...]
    channels: Dict[str, array[float]]


def read_joint_motion(chunks: Iterable[motion_pb2.MotionChunk], up: str) -> JointMotion:
    """Put together the stream that answers a request for joints in a world of that axis.

    Raises
    ------
    DataLossError
        As `pose_shared.motion.read_motion`.
    ConflictError
        The server is older than joints, and has sent bones (``SERVER_OUTDATED``).
    """
    header, values = read_channels(chunks)
    if not header.joints:
        raise ConflictError(
            "The pose server is older than this add-on and knows no joints; update the server.",
            reason="SERVER_OUTDATED",
        )
    return JointMotion(
        clip_name=header.clip_name,
        person=header.person,
        up=up,
        rate=fraction_of(header.rate),
        frame_count=header.frame_count,
        start_time_s=header.start_time_s,
        first_source_frame=header.first_source_frame,
        source_rate=fraction_of(header.source_rate),
        joints=tuple(
            Joint(
                name=joint.name,
                parent=joint.parent,
                translate_cm=vector_of(joint.translate_cm),
                orient_rad=vector_of(joint.orient_rad),
                rotation_order=joint.rotation_order,
                length_cm=joint.length_cm,
            )
            for joint in header.joints
        ),
        camera=camera_view_of(header.camera),
        camera_rotation_order=header.camera_rotation_order,
        contact_names=tuple(header.contact_names),
        weak_spans=weak_spans_of(header),
        channels=values,
    )
