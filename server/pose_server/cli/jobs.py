"""`pose-server jobs`: what a server is doing, and coming back for results."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from pose_shared.client import Client
from pose_shared.messages import Job
from rich.console import Console
from rich.table import Table

from pose_server.cli.errors import clear_errors
from pose_server.cli.remote import fetch_result

__all__ = ["cancel", "delete", "fetch", "jobs", "list_jobs"]

jobs = typer.Typer(help="List, fetch, cancel and delete the jobs of a server.", no_args_is_help=True)

Server = Annotated[str, typer.Option("--server", help="HOST:PORT of the pose server.")]
Name = Annotated[str, typer.Argument(help="As 'jobs list' shows it, such as jobs/4f1c….", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_ADDRESS = "127.0.0.1:50551"


@jobs.command("list")
def list_jobs(server: Server = _ADDRESS, as_json: AsJson = False) -> None:
    """List the server's jobs, newest first."""
    with clear_errors(as_json=as_json), Client(server) as client:
        client.check_compatible()
        rows = [_row(job) for job in client.list_jobs()]
        if as_json:
            typer.echo(json.dumps(rows, indent=2))
            return
        table = Table("job", "clip", "state", "progress", "age", "", box=None, pad_edge=False)
        for row in rows:
            age = f"{(time.time() - row['create_time']) / 60:.0f} min"
            table.add_row(row["name"], row["clip"], row["state"].lower(), row["progress"], age, row["error"])
        Console(highlight=False).print(table if rows else "There are no jobs.")


@jobs.command()
def fetch(
    name: Name,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the result.", show_default=False)],
    server: Server = _ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Wait for a job, however it was started, and fetch its result."""
    with clear_errors(as_json=as_json):
        report = fetch_result(name, out, server=server, quiet=as_json)
        typer.echo(json.dumps(report, indent=2) if as_json else f"{name}: written to {out}")


@jobs.command()
def cancel(name: Name, server: Server = _ADDRESS) -> None:
    """Ask a job to stop; one that has ended stays as it is."""
    with clear_errors(), Client(server) as client:
        client.check_compatible()
        typer.echo(f"{name}: {client.cancel(name).state.value.lower()}")


@jobs.command()
def delete(name: Name, server: Server = _ADDRESS) -> None:
    """Remove an ended job and its files."""
    with clear_errors(), Client(server) as client:
        client.check_compatible()
        client.delete(name)
        typer.echo(f"{name}: deleted")


def _row(job: Job) -> dict[str, Any]:
    step = job.progress
    running = step is not None and not job.state.ended
    return {
        "name": job.name,
        "clip": job.clip_name,
        "state": job.state.value,
        "progress": f"{step.stage} {step.done}/{step.total}" if step and running else "",
        "create_time": job.create_time,
        "people": len(job.people),
        "error": job.error.message if job.error else "",
    }
