"""Puts what finished jobs have made on rigs that hosts describe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose_shared._generated.pose.v1 import motion_pb2, rigs_pb2, rigs_pb2_grpc, types_pb2
from pose_shared.rig import Rig
from pose_shared.rig_messages import rig_of, role_messages, roles_of
from pose_shared.transfer import CHUNK_BYTES

from pose_server.api.convert import id_of, rate_of
from pose_server.api.motion import MotionService
from pose_server.pipeline.retarget_options import RetargetOptions

if TYPE_CHECKING:
    from pose_server.retarget.channels import RigCurves
    from pose_server.retarget.recognition import Recognition
    from pose_server.retarget.rig_motion import RigMotion

__all__ = ["RigService"]


class RigService(rigs_pb2_grpc.RigServiceServicer):
    """Retargets motions of jobs that have succeeded."""

    def __init__(self, motions: MotionService) -> None:
        self._motions = motions

    async def RetargetMotion(  # noqa: D102
        self, request: rigs_pb2.RetargetMotionRequest, context: Any
    ) -> AsyncIterator[rigs_pb2.RigMotionChunk]:
        rig = rig_of(request.rig)
        options = RetargetOptions(
            in_place=request.in_place,
            root_motion=request.root_motion or RetargetOptions().root_motion,
            relock=tuple(request.relock.limbs) if request.HasField("relock") else RetargetOptions().relock,
        )
        fps = rate_of(request.fps) if request.HasField("fps") else None
        found = await self._motions.kept(id_of(request.job, "jobs"), request.person, fps)
        done = await asyncio.to_thread(_retargeted, found.path, fps, rig, roles_of(request.bones), options)
        yield rigs_pb2.RigMotionChunk(
            header=rigs_pb2.RigMotionHeader(
                clip_name=found.clip_name,
                person=request.person,
                rate=_rate(done.motion.rate),
                frame_count=len(done.motion),
                start_time_s=float(done.motion.times_s[0]),
                first_source_frame=done.first_source_frame,
                source_rate=_rate(found.source_rate or done.motion.rate),
                keyed=[rigs_pb2.KeyedBone(**vars(bone)) for bone in done.curves.bones],
                settings=[rigs_pb2.RigSetting(**vars(setting)) for setting in done.curves.settings],
                bones=role_messages(done.found.bones.roles),
                kind=done.found.bones.name,
                confidence=done.found.confidence,
                notes=done.found.notes,
            )
        )
        for channel, values in done.curves.channels.items():
            data = values.astype("<f4").tobytes()
            for begin in range(0, len(data), CHUNK_BYTES):
                piece = data[begin : begin + CHUNK_BYTES]
                yield rigs_pb2.RigMotionChunk(piece=motion_pb2.ChannelPiece(channel=channel, values=piece))


@dataclass(frozen=True)
class _Done:
    motion: RigMotion
    first_source_frame: int
    curves: RigCurves
    found: Recognition


def _retargeted(
    path: Path, fps: Fraction | None, rig: Rig, roles: Mapping[str, tuple[str, ...]], options: RetargetOptions
) -> _Done:
    # Not needed before somebody asks: the server starts without scipy.
    from pose_server.export.npz import read_npz
    from pose_server.retarget.channels import rig_curves
    from pose_server.retarget.preset import presets
    from pose_server.retarget.recognition import recognised
    from pose_server.retarget.retargeter import retargeted
    from pose_server.solve.resample import resampled

    motion = read_npz(path)
    if fps is not None:
        motion = resampled(motion, fps)
    found = recognised(rig, roles)
    kind = presets().get(found.preset)
    if kind is not None and not rig.chains and not rig.settings:  # of a kind that the host does not know
        rig = replace(rig, settings=kind.settings_in(rig))
    moved = retargeted(motion, rig, found.bones, options)
    return _Done(moved, int(motion.frames[0]), rig_curves(moved), found)


def _rate(rate: Fraction) -> types_pb2.Rate:
    return types_pb2.Rate(numerator=rate.numerator, denominator=rate.denominator)
