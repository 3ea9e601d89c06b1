"""Rigs, and motions on them, as the messages that carry them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Dict, Iterable, Mapping, Sequence, Tuple

from pose_shared._generated.pose.v1 import rigs_pb2, types_pb2
from pose_shared.channel_stream import read_channels
from pose_shared.errors import InputError
from pose_shared.rig import IkChain, Rig, RigBone, Setting, Switch
from pose_shared.rig_motion import KeyedBone, RigChannels

__all__ = ["read_rig_motion", "retarget_request", "rig_message", "rig_of", "role_messages", "roles_of"]


def rig_message(rig: Rig) -> rigs_pb2.Rig:
    """Return the message of a rig."""
    return rigs_pb2.Rig(
        name=rig.name,
        bones=[
            rigs_pb2.RigBone(
                name=bone.name,
                parent=bone.parent,
                rest=bone.rest,
                tail=bone.tail,
                rotation=bone.rotation,
                keys=bone.keys,
                location_axes=bone.location_axes,
            )
            for bone in rig.bones
        ],
        chains=[
            rigs_pb2.IkChain(
                root=chain.root,
                mid=chain.mid,
                end=chain.end,
                target=chain.target,
                pole=chain.pole,
                switch=None if chain.switch is None else rigs_pb2.IkSwitch(**vars(chain.switch)),
            )
            for chain in rig.chains
        ],
        metres_per_unit=rig.metres_per_unit,
        up=rig.up,
        settings=[rigs_pb2.RigSetting(**vars(setting)) for setting in rig.settings],
    )


def rig_of(message: rigs_pb2.Rig) -> Rig:
    """Read the message of a rig.

    Raises
    ------
    InputError
        ``RIG_INVALID``: it is no rig that anything could move by.
    """
    return Rig(
        name=message.name,
        bones=tuple(_bone(bone) for bone in message.bones),
        chains=tuple(_chain(chain) for chain in message.chains),
        metres_per_unit=message.metres_per_unit if message.HasField("metres_per_unit") else 1.0,
        up=message.up or "z",
        settings=_settings(message.settings),
    )


def role_messages(roles: Mapping[str, Sequence[str]]) -> Tuple[rigs_pb2.RoleBones, ...]:
    """Return the messages of a map of bones."""
    return tuple(rigs_pb2.RoleBones(role=role, bones=bones) for role, bones in roles.items())


def roles_of(messages: Iterable[rigs_pb2.RoleBones]) -> Dict[str, Tuple[str, ...]]:
    """Read a map of bones."""
    return {message.role: tuple(message.bones) for message in messages}


def retarget_request(
    job: str, person: int, rig: Rig, options: Mapping[str, Any]
) -> rigs_pb2.RetargetMotionRequest:
    """Return the message that asks for a motion on a rig; `options` as in `Client.retarget`.

    Raises
    ------
    InputError
        An option is unknown (``OPTION_UNKNOWN``).
    """
    unknown = sorted(set(options) - {"bones", "fps", "in_place", "root_motion", "relock"})
    if unknown:
        raise InputError(
            f"There is no option '{unknown[0]}' of retargeting.", reason="OPTION_UNKNOWN", option=unknown[0]
        )
    request = rigs_pb2.RetargetMotionRequest(
        job=job,
        person=person,
        rig=rig_message(rig),
        bones=role_messages(options.get("bones") or {}),
        in_place=bool(options.get("in_place")),
        root_motion=options.get("root_motion"),
    )
    if options.get("fps") is not None:
        rate = Fraction(options["fps"])
        request.fps.CopyFrom(types_pb2.Rate(numerator=rate.numerator, denominator=rate.denominator))
    if options.get("relock") is not None:
        request.relock.CopyFrom(rigs_pb2.RelockedLimbs(limbs=options["relock"]))
    return request


def read_rig_motion(chunks: Iterable[rigs_pb2.RigMotionChunk]) -> RigChannels:
    """Put a stream of chunks together.

    Raises
    ------
    DataLossError
        The stream has no header, or a channel of it is not as long as the header says.
    """
    header, values = read_channels(chunks)
    return RigChannels(
        rate=Fraction(header.rate.numerator, header.rate.denominator),
        frame_count=header.frame_count,
        start_time_s=header.start_time_s,
        bones=tuple(KeyedBone(bone.name, bone.rotation, bone.moves) for bone in header.keyed),
        settings=_settings(header.settings),
        channels=values,
        source_rate=Fraction(header.source_rate.numerator, header.source_rate.denominator),
        first_source_frame=header.first_source_frame,
        roles=roles_of(header.bones),
        kind=header.kind,
        confidence=header.confidence,
        notes=tuple(header.notes),
    )


def _bone(message: rigs_pb2.RigBone) -> RigBone:
    tail = tuple(message.tail)
    return RigBone(
        name=message.name,
        parent=message.parent,
        rest=tuple(message.rest),
        tail=(tail[0], tail[1], tail[2]) if len(tail) == 3 else None,
        rotation=message.rotation or "quaternion",
        keys=tuple(message.keys),
        location_axes=tuple(message.location_axes) or None,
    )


def _chain(message: rigs_pb2.IkChain) -> IkChain:
    switch = message.switch
    return IkChain(
        message.root,
        message.mid,
        message.end,
        message.target,
        message.pole,
        Switch(switch.bone, switch.name, switch.ik, switch.fk) if message.HasField("switch") else None,
    )


def _settings(messages: Iterable[rigs_pb2.RigSetting]) -> Tuple[Setting, ...]:
    return tuple(Setting(one.bone, one.name, one.value) for one in messages)
