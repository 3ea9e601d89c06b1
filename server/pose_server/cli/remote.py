"""Work that a server does for the command line: send, follow, fetch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pose_shared.client import Client
from pose_shared.errors import ConflictError
from pose_shared.messages import Job, JobEvent

from pose_server.cli.bars import ProgressBars
from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.output import output_folder
from pose_server.pipeline.progress import FoundPerson
from pose_server.pipeline.solve_options import SolveOptions

__all__ = ["fetch_result", "import_remotely", "refine_remotely"]

#: Stages of the client's own, beside the server's that count frames.
_COUNTED_IN_BYTES = {"read", "upload", "download"}


def import_remotely(
    clip: Path, options: ImportOptions, out: Path, *, server: str, quiet: bool
) -> dict[str, Any]:
    """Have a server import a clip, fetch the result, and return its report.

    Ctrl+C cancels the job; a process that dies leaves it to run, and `fetch_result` gets it by name.
    """
    with Client(server) as client, output_folder(out) as folder, ProgressBars(quiet=quiet) as bars:
        started: list[Job] = []
        # Clients know the settings of the solve beside all others.
        fields = options.to_dict()
        fields |= fields.pop("solve")

        def announce(job: Job) -> None:
            started.append(job)
            bars.note(f"{job.name} runs on {client.address}; 'pose-server jobs fetch' brings its result.")

        try:
            job = client.import_clip(clip, fields, on_event=lambda event: _show(bars, event), on_job=announce)
        except KeyboardInterrupt:
            if started:
                client.cancel(started[0])
            raise
        return _download(client, job, folder, bars)


def refine_remotely(
    name: str, changes: Mapping[str, Any], out: Path, *, server: str, quiet: bool
) -> dict[str, Any]:
    """Have a server solve the result of a job again, fetch the new one, and return its report.

    `changes` are fields of `SolveOptions`. Ctrl+C leaves the new job alone.
    """
    fields = SolveOptions(**changes).to_dict()
    # A height that is not known is 0 on the line; what is not named stays as it was.
    fields = {name: fields[name] or 0 if name == "height_m" else fields[name] for name in changes}
    with Client(server) as client, output_folder(out) as folder, ProgressBars(quiet=quiet) as bars:
        client.check_compatible()
        job = client.refine(name, fields, on_event=lambda event: _show(bars, event))
        return _download(client, job, folder, bars)


def fetch_result(name: str, out: Path, *, server: str, quiet: bool) -> dict[str, Any]:
    """Wait for a job by its name, fetch its result, and return its report.

    Ctrl+C leaves the job alone.
    """
    with Client(server) as client, output_folder(out) as folder, ProgressBars(quiet=quiet) as bars:
        client.check_compatible()
        job = client.wait(name, on_event=lambda event: _show(bars, event))
        return _download(client, job, folder, bars)


def _download(client: Client, job: Job, folder: Path, bars: ProgressBars) -> dict[str, Any]:
    client.download_result(job, folder, on_event=lambda event: _show(bars, event))
    report = folder / "report.json"
    if not report.exists():
        raise ConflictError(
            f"{job.name} has no result to fetch; import the clip again.", reason="NO_RESULT", job=job.name
        )
    return dict(json.loads(report.read_text(encoding="utf-8")))


def _show(bars: ProgressBars, event: JobEvent) -> None:
    step = event.progress
    if step is not None and step.stage in _COUNTED_IN_BYTES:
        bars.report(f"{step.stage} kB", step.done // 1000, step.total // 1000)
    elif step is not None:
        bars.report(step.stage, step.done, step.total)
    elif event.note is not None:
        bars.note(event.note)
    elif event.people is not None:
        bars.people([FoundPerson(**vars(person)) for person in event.people])
