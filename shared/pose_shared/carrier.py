"""Files on their way to and from a server, taken up at their byte when the network cuts them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

import grpc

from pose_shared._generated.pose.v1 import motion_pb2, uploads_pb2
from pose_shared.cancel_token import CancelToken
from pose_shared.connection import Backoff, Connection
from pose_shared.errors import ConflictError, DataLossError, InputError, MediaError, UnavailableError
from pose_shared.messages import JobEvent, ResultFile, StageProgress
from pose_shared.transfer import file_sha256, read_chunks

__all__ = ["Carrier"]

_TELL_S = 0.1


class Carrier:
    """Sends and fetches files over a connection.

    Parameters
    ----------
    connection
        To the server.
    patience_s
        How long the server may be away before a transfer ends with `UnavailableError`.
    on_event
        Hears of the progress of the stages read, upload and download, in bytes.
    stop
        Ends a transfer with `JobCancelledError`.
    """

    def __init__(
        self,
        connection: Connection,
        patience_s: float,
        on_event: Optional[Callable[[JobEvent], object]] = None,
        stop: Optional[CancelToken] = None,
    ) -> None:
        self._connection = connection
        self._patience_s = patience_s
        self._on_event = on_event
        self._stop = stop

    def upload(self, path: Path) -> str:
        """Send a file, unless the server has it; return the name of the upload.

        Raises
        ------
        MediaError
            The file cannot be read (``MEDIA_NOT_FOUND``), is empty (``MEDIA_EMPTY``), or changes
            meanwhile (``MEDIA_CHANGED``).
        LimitError
            The server's disk is full.
        """
        try:
            size = path.stat().st_size
            if not size:
                raise MediaError(
                    f"'{path}' is empty; copy or export the film again.", reason="MEDIA_EMPTY", path=path
                )
            digest = file_sha256(path, self._meter("read", size).advance)
            return self._upload(path, digest, size)
        except OSError as error:
            raise MediaError(
                f"'{path}' cannot be read ({error.strerror}); check the path.",
                reason="MEDIA_NOT_FOUND",
                path=path,
            ) from None

    def download(self, job: str, file: ResultFile, target: Path) -> None:
        """Fetch a file of a result; `target` appears when it is complete and its checksum holds.

        Raises
        ------
        DataLossError
            The checksum does not hold (``DOWNLOAD_DAMAGED``).
        InputError
            `target` cannot be written (``OUTPUT_NOT_WRITABLE``).
        """
        part = target.with_name(target.name + ".part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._download(job, file, part)
            if part.stat().st_size != file.size_bytes or file_sha256(part) != file.sha256:
                part.unlink()
                raise DataLossError(
                    f"{file.path} arrived damaged; fetch it again.", reason="DOWNLOAD_DAMAGED", path=file.path
                )
            os.replace(part, target)
        except OSError as error:
            raise InputError(
                f"'{target}' cannot be written ({error.strerror}); choose another place.",
                reason="OUTPUT_NOT_WRITABLE",
                path=target,
            ) from None

    def _upload(self, path: Path, digest: str, size: int) -> str:
        connection, uploads = self._connection, self._connection.uploads
        name = f"uploads/{digest}"
        create = uploads_pb2.CreateUploadRequest(sha256=digest, size_bytes=size)
        get = uploads_pb2.GetUploadRequest(name=name)
        backoff = Backoff(self._patience_s, self._stop)
        state = backoff.until_answered(lambda: connection.call(uploads.CreateUpload, create))
        meter = self._meter("upload", size, done=state.received_bytes)
        while not state.complete:
            before = state.received_bytes
            cut = False
            try:
                state = self._send(path, state, meter)
            except UnavailableError as error:
                cut = True
                backoff.wait(error)
            except ConflictError as error:
                if error.reason != "UPLOAD_OFFSET":  # another client has sent some of the same file
                    raise
                cut = True
            if cut:
                state = backoff.until_answered(lambda: connection.call(uploads.GetUpload, get))
            if state.received_bytes > before:
                backoff.reset()
            elif not cut:
                raise MediaError(
                    f"'{path}' changed while it was sent; wait until it is finished, and try again.",
                    reason="MEDIA_CHANGED",
                    path=path,
                )
        meter.finish()
        return name

    def _send(self, path: Path, state: uploads_pb2.Upload, meter: _Meter) -> Any:
        sent = state.received_bytes

        def requests() -> Iterator[uploads_pb2.WriteUploadRequest]:  # runs in a thread of gRPC's
            nonlocal sent
            for data in read_chunks(path, sent):
                yield uploads_pb2.WriteUploadRequest(name=state.name, offset=sent, data=data)
                sent += len(data)

        call = self._connection.uploads.WriteUpload.future(requests())
        with self._connection.streaming(call, self._stop):
            while True:
                try:
                    return call.result(timeout=_TELL_S)
                except grpc.FutureTimeoutError:
                    meter.show(sent)

    def _download(self, job: str, file: ResultFile, part: Path) -> None:
        backoff = Backoff(self._patience_s, self._stop)
        if part.exists() and part.stat().st_size > file.size_bytes:
            part.unlink()
        with part.open("ab") as output:
            meter = self._meter("download", file.size_bytes, done=output.tell())
            while output.tell() < file.size_bytes:
                request = motion_pb2.GetFileRequest(job=job, path=file.path, offset=output.tell())
                try:
                    call = self._connection.motion.GetFile(request)
                    with self._connection.streaming(call, self._stop):
                        for chunk in call:
                            backoff.reset()
                            output.write(chunk.data)
                            meter.show(output.tell())
                    break
                except UnavailableError as error:
                    backoff.wait(error)
            meter.finish()

    def _meter(self, stage: str, total: int, done: int = 0) -> _Meter:
        return _Meter(stage, total, done, self._on_event, self._stop)


class _Meter:
    """Tells of a transfer's progress, a few times a second, and looks whether it should stop."""

    def __init__(
        self,
        stage: str,
        total: int,
        done: int,
        on_event: Optional[Callable[[JobEvent], object]],
        stop: Optional[CancelToken],
    ) -> None:
        self._stage = stage
        self._total = total
        self._first = self._done = done
        self._on_event = on_event
        self._stop = stop
        self._began = time.monotonic()
        self._told = 0.0

    def advance(self, count: int) -> None:
        self.show(self._done + count)

    def show(self, done: int) -> None:
        if self._stop is not None:
            self._stop.check()
        self._done = done
        if time.monotonic() - self._told >= _TELL_S:
            self._tell()

    def finish(self) -> None:
        self._done = self._total
        self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        elapsed = self._told - self._began
        rate = (self._done - self._first) / elapsed if elapsed > 0 else 0.0
        if self._on_event is not None:
            self._on_event(JobEvent(progress=StageProgress(self._stage, self._done, self._total, rate)))
