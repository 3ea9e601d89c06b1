"""Takes media from clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from weakref import WeakValueDictionary

from pose_shared._generated.pose.v1 import uploads_pb2, uploads_pb2_grpc
from pose_shared.errors import InputError, UnavailableError

from pose_server.api.convert import id_of, upload_message
from pose_server.cache.media import MediaStore

__all__ = ["UploadService"]

#: How long a client may say nothing in the middle of a file.
IDLE_S = 60.0


class UploadService(uploads_pb2_grpc.UploadServiceServicer):
    """One writer per file: a second client with the same file waits, and then has nothing to send."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def CreateUpload(self, request: uploads_pb2.CreateUploadRequest, context: Any) -> Any:  # noqa: D102
        upload = await asyncio.to_thread(self._media.create, request.sha256, request.size_bytes)
        return upload_message(upload)

    async def GetUpload(self, request: uploads_pb2.GetUploadRequest, context: Any) -> Any:  # noqa: D102
        return upload_message(await asyncio.to_thread(self._media.get, id_of(request.name, "uploads")))

    async def WriteUpload(  # noqa: D102
        self, requests: AsyncIterator[uploads_pb2.WriteUploadRequest], context: Any
    ) -> Any:
        first = await self._next(requests)
        if first is None:
            raise InputError("The stream holds no bytes; send a piece of the file.", reason="UPLOAD_EMPTY")
        sha256 = id_of(first.name, "uploads")
        lock = self._writing.setdefault(sha256, asyncio.Lock())
        async with lock:
            upload = await asyncio.to_thread(self._media.get, sha256)
            piece: uploads_pb2.WriteUploadRequest | None = first
            while piece is not None and not upload.complete:
                if piece.name not in ("", first.name):
                    raise InputError(
                        "One stream carries one file; begin another for the next.", reason="UPLOAD_MIXED"
                    )
                upload = await asyncio.to_thread(self._media.append, sha256, piece.offset, piece.data)
                piece = await self._next(requests)
        return upload_message(upload)

    async def _next(
        self, requests: AsyncIterator[uploads_pb2.WriteUploadRequest]
    ) -> uploads_pb2.WriteUploadRequest | None:
        try:
            async with asyncio.timeout(IDLE_S):
                return await anext(requests, None)
        except TimeoutError:
            raise UnavailableError(
                f"Nothing came for {IDLE_S:.0f} s; ask for the upload's state and go on from there.",
                reason="UPLOAD_IDLE",
            ) from None
