"""`pose-server evaluate videopose3d`: a checkpoint of VideoPose3D on its data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pose_server.cli.errors import clear_errors
from pose_server.cli.train_baseline import split_names
from pose_server.cli.train_videopose3d import (
    Actions,
    Data,
    Dataset,
    Downsample,
    Keypoints,
    Subset,
    check_share,
)

__all__ = ["evaluate_videopose3d_command"]


def evaluate_videopose3d_command(
    model: Annotated[
        Path, typer.Argument(help="model.bin of a run, or a published checkpoint.", show_default=False)
    ],
    data: Data,
    dataset: Dataset = "h36m",
    keypoints: Keypoints = "cpn_ft_h36m_dbb",
    subjects: Annotated[
        str | None,
        typer.Option("--subjects-test", "-ste", help="With commas between.", show_default="S9,S11, or all"),
    ] = None,
    actions: Actions = None,
    by_subject: Annotated[
        bool, typer.Option("--by-subject", help="A table by action for each subject too.")
    ] = False,
    no_flip: Annotated[
        bool,
        typer.Option("--no-test-time-augmentation", "-no-tta", help="Do not average with mirror images."),
    ] = False,
    subset: Subset = 1.0,
    downsample: Downsample = 1,
    causal: Annotated[
        bool | None, typer.Option("--causal/--not-causal", help="If neither the file nor its name says so.")
    ] = None,
    dense: Annotated[bool, typer.Option("--dense", help="The checkpoint has dense filters.")] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Multiply in bfloat16 where that is faster.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write the joints of every view, an .npz.", show_default=False)
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write PATH.md and PATH.json too.", show_default=False)
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Measure a checkpoint as published: protocols 1 to 3 and velocity, by action and by subject."""
    with clear_errors(debug=debug):
        from pose_server.engine.device import resolve_device
        from pose_server.evaluate.table import write_tables
        from pose_server.evaluate.videopose3d import Evaluation, write_joints
        from pose_server.lift.videopose3d_file import read_checkpoint
        from pose_server.train.pose_sets import read_pose_set, thinned

        check_share(subset, downsample)
        checkpoint = read_checkpoint(model, causal=causal, dense=dense)
        pose_set = read_pose_set(data, dataset, keypoints)
        known = tuple(dict.fromkeys(view.subject for view in pose_set.views))
        people = split_names(subjects) or (("S9", "S11") if dataset == "h36m" else known)
        views = [
            thinned(view, subset=subset, downsample=downsample)
            for view in pose_set.chosen(people, split_names(actions) or ())
        ]
        evaluation = Evaluation(
            checkpoint, pose_set, flip=not no_flip, device=resolve_device(device), exact=not fast
        )
        if export is not None:
            count = write_joints(export, evaluation.predictions(views), checkpoint.outputs)
            typer.echo(f"Joints of {count} views: {export}")
        if export is None or any(view.joints_m is not None for view in views):
            tables = evaluation.tables(views, by_subject=by_subject)
            for table in tables:
                typer.echo(table.to_markdown())
            if write is not None:
                paths = write_tables(write, tables, heading="VideoPose3D")
                typer.echo("Written: " + ", ".join(map(str, paths)))
