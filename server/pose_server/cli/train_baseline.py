"""`pose-server train baseline`: the linear network of 3d-pose-baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pose_shared.errors import InputError

from pose_server.cli.errors import clear_errors

if TYPE_CHECKING:
    from pose_server.train.baseline_source import ClipSource

__all__ = ["open_source", "split_names", "train_baseline_command"]

Data = Annotated[
    Path | None,
    typer.Option(help="Folder of data_3d_SET.npz and data_2d_SET_KEYPOINTS.npz.", show_default=False),
]
Dataset = Annotated[str, typer.Option(help="SET: h36m, or custom and what follows.")]
Keypoints = Annotated[
    str, typer.Option(help="KEYPOINTS: gt, cpn_ft_h36m_dbb, sh_pt_mpii, detectron_pt_coco and so on.")
]
Motions = Annotated[
    Path | None,
    typer.Option(
        help="A set of 'train prepare', filmed by cameras like Human3.6M's, instead of --data.",
        show_default=False,
    ),
]
RoomFrame = Annotated[
    bool, typer.Option("--room-frame", help="Joints in the axes of the room, not of the camera.")
]
Actions = Annotated[str | None, typer.Option(help="Only these, with commas between.", show_default="all")]


def train_baseline_command(
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Folder of the run: curves, checkpoints, baseline.npz.", show_default=False
        ),
    ],
    data: Data = None,
    dataset: Dataset = "h36m",
    keypoints: Keypoints = "gt",
    motions: Motions = None,
    subjects_train: Annotated[
        str | None,
        typer.Option(help="With commas between.", show_default="S1,S5,S6,S7,S8, or the others of a set"),
    ] = None,
    subjects_test: Annotated[
        str | None, typer.Option(help="With commas between.", show_default="S9,S11, or CMU's nine of a set")
    ] = None,
    actions: Actions = None,
    points: Annotated[str, typer.Option(help="Whose points it takes: human36m or mpii.")] = "human36m",
    joints: Annotated[
        int, typer.Option(help="14 or 16 to give, or 17 to take Neck/Nose in too; see docs/baseline.md.")
    ] = 16,
    room_frame: RoomFrame = False,
    linear_size: Annotated[int, typer.Option(help="Width of each layer.")] = 1024,
    num_layers: Annotated[int, typer.Option(help="Blocks of two layers.")] = 2,
    residual: Annotated[bool, typer.Option(help="Add what goes into a block to what comes out.")] = True,
    batch_norm: Annotated[bool, typer.Option(help="Normalise over each batch.")] = True,
    max_norm: Annotated[bool, typer.Option(help="Bound each weight matrix to a norm of 1.")] = True,
    epochs: Annotated[int, typer.Option(help="Passes over the data.")] = 200,
    batch_size: Annotated[int, typer.Option(help="Frames per step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Falls by 0.96 every 100,000 steps.")] = 1e-3,
    dropout_keep: Annotated[float, typer.Option(help="Share of activations that are kept.")] = 0.5,
    half: Annotated[bool, typer.Option("--half", help="Multiply in bfloat16.")] = False,
    seed: Annotated[int, typer.Option(help="Everything random comes from it.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Train 3d-pose-baseline's network on Human3.6M or on motion capture; defaults as published."""
    with clear_errors(debug=debug):
        from pose_server.engine.device import resolve_device
        from pose_server.train.baseline import BaselineOptions, train_baseline
        from pose_server.train.baseline_source import chosen_inputs
        from pose_server.train.run import TrainingRun

        if joints not in (14, 16, 17):
            raise InputError(
                f"--joints {joints} is not possible; choose 14, 16 or 17.",
                reason="OPTION_INVALID",
                value=joints,
            )
        chosen = resolve_device(device)
        inputs = chosen_inputs(points, nose=joints == 17)
        source = open_source(data, dataset, keypoints, motions, room_frame=room_frame, seed=seed)
        options = BaselineOptions(
            linear_size=linear_size,
            num_layers=num_layers,
            residual=residual,
            batch_norm=batch_norm,
            max_norm=max_norm,
            predict_14=joints == 14,
            camera_frame=not room_frame,
            inputs=inputs,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            dropout_keep=dropout_keep,
            half=half,
            seed=seed,
            focal_px=source.focal_px,
            centre_px=source.centre_px,
        )
        wanted = split_names(actions) or ()
        trained = split_names(subjects_train) or source.train_subjects
        tested = split_names(subjects_test) or source.test_subjects
        clips = source.clips(trained, inputs, actions=wanted)
        test_clips = source.clips(tested, inputs, actions=wanted)
        data_of_it = {
            "data": str(motions or data),
            "keypoints": "" if motions else f"{dataset} {keypoints}",
            "actions": list(wanted),
            "subjects_train": list(trained),
            "subjects_test": list(tested),
        }
        run = TrainingRun(out, {**options.to_dict(), **data_of_it}, resume=resume, tell=typer.echo)
        counts = [sum(len(clip.points_px) for clip in side) for side in (clips, test_clips)]
        typer.echo(f"{counts[0]:,} frames to train on, {counts[1]:,} to test")
        train_baseline(clips, options, run, test_clips=test_clips, device=chosen)
        typer.echo(f"Weights: {out / 'baseline.npz'}")


def open_source(
    data: Path | None, dataset: str, keypoints: str, motions: Path | None, *, room_frame: bool, seed: int = 0
) -> ClipSource:
    """Return the one source that the options name.

    Raises
    ------
    InputError
        They name none, or two (``SOURCE_INVALID``); or from the source.
    """
    from pose_server.train.baseline_source import MotionSource, PoseSetSource

    if data is not None and motions is None:
        return PoseSetSource(data, dataset, keypoints, room_frame=room_frame)
    if motions is None or data is not None:
        raise InputError(
            "Give either --data, a folder of data sets, or --motions, a set of 'train prepare'.",
            reason="SOURCE_INVALID",
        )
    if room_frame:
        raise InputError(
            "Captured motions are filmed, in the axes of cameras; give --data for those of a room.",
            reason="SOURCE_INVALID",
        )
    return MotionSource(motions, seed=seed)


def split_names(text: str | None) -> tuple[str, ...] | None:
    """Return what stands between commas; None of none."""
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())
