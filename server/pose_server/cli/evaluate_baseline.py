"""`pose-server evaluate baseline`: a linear network by action, subject and joint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pose_server.cli.errors import clear_errors
from pose_server.cli.train_baseline import (
    Actions,
    Data,
    Dataset,
    Keypoints,
    Motions,
    open_source,
    split_names,
)

__all__ = ["evaluate_baseline_command"]


def evaluate_baseline_command(
    model: Annotated[
        Path, typer.Argument(help="baseline.npz of a run, or a converted checkpoint.", show_default=False)
    ],
    data: Data = None,
    dataset: Dataset = "h36m",
    keypoints: Keypoints = "gt",
    motions: Motions = None,
    subjects: Annotated[
        str | None, typer.Option(help="With commas between.", show_default="S9,S11, or CMU's nine of a set")
    ] = None,
    actions: Actions = None,
    median: Annotated[bool, typer.Option("--median", help="Median of the points over 7 frames.")] = False,
    hold: Annotated[bool, typer.Option("--hold", help="A missing point stays where it was.")] = False,
    spline: Annotated[bool, typer.Option("--spline", help="Smoothing spline through the points.")] = False,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write PATH.md and PATH.json too.", show_default=False)
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Measure a baseline as published: MPJPE with and without alignment, by action, subject and joint."""
    with clear_errors(debug=debug):
        from pose_server.engine.device import resolve_device
        from pose_server.evaluate.baseline import evaluate_baseline
        from pose_server.evaluate.table import write_tables
        from pose_server.lift.baseline_file import read_baseline

        chosen = resolve_device(device)
        network = read_baseline(model)
        network.network.to(chosen)
        source = open_source(data, dataset, keypoints, motions, room_frame=not network.camera_frame)
        people = split_names(subjects) or source.test_subjects
        clips = source.clips(people, network.inputs, actions=split_names(actions) or ())
        scores = evaluate_baseline(network, clips, median=median, hold=hold, spline=spline)
        cleaned = [name for name, on in (("median", median), ("hold", hold), ("spline", spline)) if on]
        where = f"{motions.name}, filmed" if motions else f"{dataset}, {keypoints}"
        points = f"after {', '.join(cleaned)}" if cleaned else "as given"
        note = f"{where}: {', '.join(people)}. Points {points}."
        tables = scores.tables(note=note)
        for table in tables:
            typer.echo(table.to_markdown())
        if write is not None:
            paths = write_tables(write, tables, heading="3d-pose-baseline")
            typer.echo("Written: " + ", ".join(map(str, paths)))
