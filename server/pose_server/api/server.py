"""The server: binds, starts its worker, serves until it is told to stop, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from pose_shared._generated.pose.v1 import (
    jobs_pb2,
    jobs_pb2_grpc,
    motion_pb2,
    motion_pb2_grpc,
    rigs_pb2,
    rigs_pb2_grpc,
    system_pb2,
    system_pb2_grpc,
    uploads_pb2,
    uploads_pb2_grpc,
)
from pose_shared.errors import ConflictError, InputError

from pose_server.api.errors import ErrorInterceptor
from pose_server.api.jobs import JobService
from pose_server.api.motion import MotionService
from pose_server.api.rigs import RigService
from pose_server.api.system import SystemService
from pose_server.api.uploads import UploadService
from pose_server.cache.media import MediaStore
from pose_server.engine.local import LocalExecutor
from pose_server.engine.worker import WorkerConfig
from pose_server.jobs.board import JobBoard
from pose_server.jobs.store import JobStore
from pose_server.logs import configure_logs
from pose_server.settings import Settings, hand_on_settings

__all__ = ["IMPORT", "run_server", "serve"]

#: What a job runs, as ``module:function``.
IMPORT = "pose_server.pipeline.importer:import_clip"

_GRACE_S = 2.0
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # a second server on the port must fail
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 60000),
    ("grpc.keepalive_timeout_ms", 20000),
)
_SERVICES = tuple(
    descriptor.full_name
    for module in (jobs_pb2, motion_pb2, rigs_pb2, system_pb2, uploads_pb2)
    for descriptor in module.DESCRIPTOR.services_by_name.values()
)

log = structlog.get_logger(__name__)


def run_server(
    settings: Settings,
    *,
    on_ready: Callable[[str], None] = lambda address: None,
    job_function: str = IMPORT,
) -> None:
    """Serve until SIGTERM or SIGINT; see `serve`."""
    configure_logs(settings.log_level)
    hand_on_settings(settings)
    asyncio.run(_serve_until_signal(settings, on_ready, job_function))


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    *,
    on_ready: Callable[[str], None] = lambda address: None,
    job_function: str = IMPORT,
) -> None:
    """Serve until `stop` is set.

    Parameters
    ----------
    settings
        Where to listen, where to keep things, what to run on.
    stop
        Ends the server: watchers are sent home, the running job is queued for the next start.
    on_ready
        Called with ``host:port`` as soon as jobs can be run.
    job_function
        ``module:function`` that a job runs, called as `pose_server.pipeline.importer.import_clip`.

    Raises
    ------
    InputError
        The host is not this machine's own (``NOT_LOOPBACK``), the device is not there, or the data
        folder cannot be written (``DATA_DIR_NOT_WRITABLE``).
    ConflictError
        Somebody else has the port (``PORT_IN_USE``) or the data folder (``DATA_DIR_IN_USE``).
    """
    _check_loopback(settings.host)
    server = grpc.aio.server(interceptors=[ErrorInterceptor()], options=_OPTIONS)
    address = _bind(server, settings.host, settings.port)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(server.stop, _GRACE_S)
        store, media = _open_data(settings)
        config = WorkerConfig(
            job_function=job_function,
            device=settings.device,
            cache_dir=settings.data_dir / "stages",
            cache_bytes=settings.cache_bytes,
            log_level=settings.log_level,
        )
        executor = LocalExecutor(config)
        board = JobBoard(store, executor, media, settings.data_dir / "jobs")
        closing.push_async_callback(executor.close)
        closing.push_async_callback(board.close)
        healthy = health.aio.HealthServicer()  # type: ignore[attr-defined]
        closing.push_async_callback(healthy.enter_graceful_shutdown)
        _add_services(server, board, media, executor, healthy)
        await _unless_stopped(stop, executor.start())
        if stop.is_set():
            return
        await board.start()
        for name in ("", *_SERVICES):
            await healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
        await server.start()
        log.info("serving", address=address, device=executor.device)
        on_ready(address)
        await stop.wait()
        log.info("stopping")


async def _serve_until_signal(settings: Settings, on_ready: Callable[[str], None], job_function: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    await serve(settings, stop, on_ready=on_ready, job_function=job_function)


async def _unless_stopped(stop: asyncio.Event, work: Any) -> None:
    """Wait for `work`, but no longer than until `stop`."""
    working, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
    with suppress(asyncio.CancelledError):
        await working


def _check_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InputError(
            f"This version listens on this machine only, not on '{host}'; use 127.0.0.1, and reach it from "
            "others through SSH: ssh -L 50551:127.0.0.1:50551 USER@MACHINE.",
            reason="NOT_LOOPBACK",
            host=host,
        )


def _bind(server: grpc.aio.Server, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    try:
        bound = server.add_insecure_port(f"{shown}:{port}")
    except RuntimeError:
        bound = 0
    if not bound:
        raise ConflictError(
            f"Port {port} of {host} is taken, perhaps by another pose server; stop it, or choose another "
            "--port (0 picks a free one).",
            reason="PORT_IN_USE",
            host=host,
            port=port,
        )
    return f"{shown}:{bound}"


def _open_data(settings: Settings) -> tuple[JobStore, MediaStore]:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        media = MediaStore(
            folder / "uploads",
            media_roots=settings.media_roots,
            disk_reserve_bytes=settings.disk_reserve_bytes,
        )
        store = JobStore(folder / "jobs.sqlite3")
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be written ({error.strerror}); choose another --data-dir.",
            reason="DATA_DIR_NOT_WRITABLE",
            path=folder,
        ) from None
    removed = media.collect_abandoned()
    if removed:
        log.info("abandoned_uploads_removed", count=removed)
    return store, media


def _add_services(
    server: grpc.aio.Server,
    board: JobBoard,
    media: MediaStore,
    executor: LocalExecutor,
    healthy: Any,
) -> None:
    motions = MotionService(board)
    for add, service in (
        (jobs_pb2_grpc.add_JobServiceServicer_to_server, JobService(board)),
        (motion_pb2_grpc.add_MotionServiceServicer_to_server, motions),
        (rigs_pb2_grpc.add_RigServiceServicer_to_server, RigService(motions)),
        (system_pb2_grpc.add_SystemServiceServicer_to_server, SystemService(executor)),
        (uploads_pb2_grpc.add_UploadServiceServicer_to_server, UploadService(media)),
        (health_pb2_grpc.add_HealthServicer_to_server, healthy),
    ):
        add(service, server)
    reflection.enable_server_reflection((*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
