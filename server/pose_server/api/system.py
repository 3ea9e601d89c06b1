"""Says what this server is and what it can do."""

from __future__ import annotations

import asyncio
from typing import Any

from pose_shared import PROTOCOL_VERSION
from pose_shared._generated.pose.v1 import system_pb2, system_pb2_grpc

from pose_server import __version__
from pose_server.engine.executor import Executor
from pose_server.pipeline.options import FORMATS

__all__ = ["SystemService"]


class SystemService(system_pb2_grpc.SystemServiceServicer):
    """Answers at once, whatever the worker does."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def GetServerInfo(self, request: system_pb2.GetServerInfoRequest, context: Any) -> Any:  # noqa: D102
        return await asyncio.to_thread(self._info)

    def _info(self) -> system_pb2.ServerInfo:
        from pose_server.detect.registry import available_detectors

        major, minor = PROTOCOL_VERSION
        return system_pb2.ServerInfo(
            version=__version__,
            protocol_major=major,
            protocol_minor=minor,
            detectors=[
                system_pb2.DetectorInfo(
                    name=found.name,
                    usable=found.usable,
                    advice=found.advice,
                    models=[
                        system_pb2.ModelInfo(name=model.name, here=model.here, advice=model.advice)
                        for model in found.models
                    ],
                )
                for found in available_detectors()
            ],
            devices=[self._executor.device],
            formats=FORMATS,
        )
