"""`pose-server serve`: answer on a port until somebody stops it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pose_server.cli.errors import clear_errors

__all__ = ["serve"]


def serve(
    host: Annotated[
        str | None, typer.Option(help="Loopback address to listen on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one and prints it.", show_default="50551")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where jobs, uploads and caches are kept.", show_default="the user's data folder"),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda:N.", show_default="auto")] = None,
    media_root: Annotated[
        list[Path] | None,
        typer.Option(help="Folder whose films clients may name by path instead of sending. Repeatable."),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(help="DEBUG, INFO, WARNING or ERROR.", show_default="INFO")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Run a pose server. It listens on this machine only; see docs/server.md for a tunnel to another.

    Every option can also be set in the environment as POSE_<NAME>. The address is printed once the
    server answers; SIGTERM and Ctrl+C stop it, and the next start goes on with what was queued.
    """
    with clear_errors(debug=debug):
        from pose_server.api.server import run_server
        from pose_server.settings import load_settings

        settings = load_settings(
            host=host,
            port=port,
            data_dir=data_dir,
            device=device,
            media_roots=tuple(media_root) if media_root else None,
            log_level=log_level.upper() if log_level else None,
        )
        run_server(settings, on_ready=_announce)


def _announce(address: str) -> None:
    print(f"pose-server listens on {address}", flush=True)  # noqa: T201
