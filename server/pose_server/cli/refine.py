"""`pose-server refine`: solve a finished result again with other options."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from pose_shared.errors import InputError

from pose_server.cli.bars import ProgressBars
from pose_server.cli.errors import clear_errors
from pose_server.cli.solving import Contact, Contacts, Filter, Floor, Height, Smoothing, solve_changes
from pose_server.cli.summary import print_summary

__all__ = ["refine_command"]


def refine_command(
    result: Annotated[
        str,
        typer.Argument(
            help="The folder that an import wrote, or with --server a job such as jobs/4f1c….",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for the new result; without it, it takes the old one's place."
        ),
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="HOST:PORT of a pose server whose job is refined there.")
    ] = None,
    smoothing: Smoothing = None,
    height: Height = None,
    floor: Floor = None,
    contacts: Contacts = None,
    contact: Contact = None,
    filters: Filter = None,
    clip: Annotated[
        Path | None, typer.Option(help="The film, to make preview.mp4 anew; without it there is none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, and no bars.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Solve a result again, from what was seen: neither decoding nor detecting nor lifting.

    What is not named stays as RESULT was made. The new folder appears when everything is done; an
    error leaves the old one as it was.
    """
    with clear_errors(as_json=as_json, debug=debug):
        changes = solve_changes(smoothing, height, floor, contacts, contact, filters)
        begin = time.monotonic()
        target = out or Path(result)
        if server is not None:
            from pose_server.cli.remote import refine_remotely

            if out is None or clip is not None:
                raise InputError(
                    "With --server the result is fetched: name a folder for it with --out, and no --clip.",
                    reason="OUTPUT_MISSING",
                )
            report = refine_remotely(result, changes, out, server=server, quiet=as_json)
        else:
            report = _refine_here(Path(result), changes, target, clip, quiet=as_json)
        if as_json:
            typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            print_summary(report, target, time.monotonic() - begin)


def _refine_here(
    result: Path, changes: dict[str, Any], out: Path, clip: Path | None, *, quiet: bool
) -> dict[str, Any]:
    from pose_server.pipeline.refiner import options_of_result, refine

    solve = dataclasses.replace(options_of_result(result).solve, **changes)
    with ProgressBars(quiet=quiet) as bars:
        return refine(result, solve, out, progress=bars, clip=clip).to_dict()
