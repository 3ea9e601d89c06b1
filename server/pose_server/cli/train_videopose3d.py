"""`pose-server train videopose3d` and its data sets: `train prepare-human36m` and the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pose_shared.errors import InputError

from pose_server.cli.errors import clear_errors
from pose_server.cli.train_baseline import split_names

__all__ = [
    "Actions",
    "Data",
    "Dataset",
    "Downsample",
    "Keypoints",
    "Subset",
    "check_share",
    "prepare_custom",
    "prepare_human36m",
    "prepare_humaneva",
    "read_widths",
    "train_videopose3d_command",
]

Data = Annotated[
    Path, typer.Option(help="Folder of data_3d_SET.npz and data_2d_SET_KEYPOINTS.npz.", show_default=False)
]
Dataset = Annotated[
    str,
    typer.Option("--dataset", "-d", help="SET: h36m, humaneva15, humaneva20, or custom…"),
]
Keypoints = Annotated[
    str,
    typer.Option("--keypoints", "-k", help="KEYPOINTS: cpn_ft_h36m_dbb, gt and so on."),
]
Actions = Annotated[
    str | None,
    typer.Option("--actions", "-a", help="Those that begin so, with commas between.", show_default="all"),
]
Subset = Annotated[float, typer.Option(help="Share of the frames: one run of each recording.")]
Downsample = Annotated[int, typer.Option(help="Take every n-th frame.")]
Debug = Annotated[bool, typer.Option("--debug", help="Print tracebacks.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the data sets.", show_default=False)]


def train_videopose3d_command(
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-c", "-o", help="Folder of the run: curves, checkpoints, model.bin.", show_default=False
        ),
    ],
    data: Data,
    dataset: Dataset = "h36m",
    keypoints: Keypoints = "cpn_ft_h36m_dbb",
    subjects_train: Annotated[
        str, typer.Option("--subjects-train", "-str", help="With commas between.")
    ] = "S1,S5,S6,S7,S8",
    subjects_test: Annotated[
        str, typer.Option("--subjects-test", "-ste", help="With commas between; empty for none.")
    ] = "S9,S11",
    subjects_unlabeled: Annotated[
        str, typer.Option("--subjects-unlabeled", "-sun", help="Learn from these by their 2D points alone.")
    ] = "",
    actions: Actions = None,
    architecture: Annotated[
        str, typer.Option("--architecture", "-arc", help="Filter widths; 3,3,3,3,3 sees 243 frames.")
    ] = "3,3,3",
    causal: Annotated[bool, typer.Option("--causal", help="See no later frames, for live use.")] = False,
    dense: Annotated[bool, typer.Option("--dense", help="Dense filters instead of dilated ones.")] = False,
    channels: Annotated[int, typer.Option("--channels", "-ch", help="Width of the network.")] = 1024,
    dropout: Annotated[float, typer.Option("--dropout", "-drop", help="Share of outputs dropped.")] = 0.25,
    stride: Annotated[int, typer.Option("--stride", "-s", help="Output frames of a sample.")] = 1,
    epochs: Annotated[int, typer.Option("--epochs", "-e", help="Passes over the labelled data.")] = 60,
    batch_size: Annotated[int, typer.Option("--batch-size", "-b", help="Output frames per step.")] = 1024,
    learning_rate: Annotated[float, typer.Option("--learning-rate", "-lr", help="At the start.")] = 1e-3,
    lr_decay: Annotated[float, typer.Option("--lr-decay", "-lrd", help="Factor per epoch.")] = 0.95,
    no_data_augmentation: Annotated[
        bool, typer.Option("--no-data-augmentation", "-no-da", help="Train without mirror images.")
    ] = False,
    subset: Subset = 1.0,
    downsample: Downsample = 1,
    warmup: Annotated[int, typer.Option(help="Epochs before unlabelled subjects count.")] = 1,
    linear_projection: Annotated[
        bool, typer.Option("--linear-projection", help="Project without the lens's distortion.")
    ] = False,
    no_bone_length: Annotated[
        bool, typer.Option("--no-bone-length", help="Leave the bones of unlabelled people out.")
    ] = False,
    no_proj: Annotated[bool, typer.Option("--no-proj", help="Leave the projection out.")] = False,
    trajectory: Annotated[
        bool,
        typer.Option("--trajectory", help="Train the network of the path with labels alone too."),
    ] = False,
    disable_optimizations: Annotated[
        bool, typer.Option("--disable-optimizations", help="Compute outputs that no sample uses too.")
    ] = False,
    no_eval: Annotated[bool, typer.Option("--no-eval", help="Measure nothing while training.")] = False,
    checkpoint_frequency: Annotated[int, typer.Option(help="Epochs between epoch_N.bin; 0 for none.")] = 10,
    half: Annotated[bool, typer.Option("--half", help="Multiply in bfloat16.")] = False,
    seed: Annotated[int, typer.Option(help="Everything random comes from it.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", "-r", help="Go on with the run in the folder.")] = False,
    debug: Debug = False,
) -> None:
    """Train VideoPose3D's network, supervised or, with unlabelled subjects, semi-supervised."""
    with clear_errors(debug=debug):
        from pose_server.engine.device import resolve_device
        from pose_server.train.pose_sets import read_pose_set, thinned
        from pose_server.train.run import TrainingRun
        from pose_server.train.videopose3d import VideoPose3DOptions, train_videopose3d

        options = VideoPose3DOptions(
            filter_widths=read_widths(architecture),
            causal=causal,
            dense=dense,
            channels=channels,
            dropout=dropout,
            stride=stride,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            decay=lr_decay,
            mirror=not no_data_augmentation,
            strided=not disable_optimizations,
            trajectory=trajectory,
            warmup=warmup,
            projection=not no_proj,
            bone_length=not no_bone_length,
            linear_projection=linear_projection,
            half=half,
            seed=seed,
        )
        check_share(subset, downsample)
        chosen = resolve_device(device)
        pose_set = read_pose_set(data, dataset, keypoints)
        wanted = split_names(actions) or ()
        trained, free, tested = (
            split_names(names) or () for names in (subjects_train, subjects_unlabeled, subjects_test)
        )
        labelled = [
            thinned(view, subset=subset, downsample=downsample) for view in pose_set.chosen(trained, wanted)
        ]
        unlabelled, test = (
            [thinned(view, downsample=downsample) for view in pose_set.chosen(names, wanted)] if names else []
            for names in (free, () if no_eval else tested)
        )
        of_data = {
            "data": str(data),
            "dataset": f"{dataset} {keypoints}",
            "subjects": [list(names) for names in (trained, free, tested)],
            "actions": list(wanted),
            "subset": subset,
            "downsample": downsample,
        }
        run = TrainingRun(out, {**options.to_dict(), **of_data}, resume=resume, tell=typer.echo)
        counts = [sum(len(view) for view in views) for views in (labelled, unlabelled, test)]
        typer.echo("{:,} frames to learn from, {:,} unlabelled, {:,} to test".format(*counts))
        train_videopose3d(
            pose_set,
            options,
            run,
            labelled=labelled,
            unlabelled=unlabelled,
            test=test,
            keep_every=checkpoint_frequency,
            device=chosen,
        )
        typer.echo(f"Weights: {out / 'model.bin'}")


def read_widths(text: str) -> tuple[int, ...]:
    """Read filter widths such as ``3,3,3``.

    Raises
    ------
    InputError
        They are no numbers (``ARCHITECTURE_INVALID``).
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"--architecture {text} is not possible; give odd filter widths such as 3,3,3,3,3.",
            reason="ARCHITECTURE_INVALID",
            value=text,
        ) from None


def check_share(subset: float, downsample: int) -> None:
    """Raise InputError (``OPTION_INVALID``) unless these leave something of a data set."""
    if not 0 < subset <= 1 or downsample < 1:
        raise InputError(
            f"--subset {subset:g} with --downsample {downsample} is not possible; "
            "give a share from 0 to 1 and every n-th frame from 1.",
            reason="OPTION_INVALID",
        )


def prepare_human36m(
    source: Annotated[
        Path,
        typer.Argument(
            help="h36m.zip, or the folder with S1/…/D3_Positions as .cdf or .mat.", show_default=False
        ),
    ],
    out: Out,
    detections: Annotated[
        Path | None,
        typer.Option(help="Folder of S1/Action.CAMERA.mp4.npz, for a 2D set.", show_default=False),
    ] = None,
    keypoints: Annotated[str, typer.Option(help="Name of the set of detections.")] = "custom_coco",
    debug: Debug = False,
) -> None:
    """Make Human3.6M's archive into data_3d_h36m.npz and its true 2D points, data_2d_h36m_gt.npz."""
    with clear_errors(debug=debug):
        from pose_server.train.human36m import detected_points, human36m_recordings, true_points
        from pose_server.train.pose_sets import write_keypoints, write_positions

        out.mkdir(parents=True, exist_ok=True)
        recordings = human36m_recordings(source)
        write_positions(out / "data_3d_h36m.npz", recordings)
        write_keypoints(out / "data_2d_h36m_gt.npz", true_points(recordings), layout="h36m")
        count = sum(len(actions) for actions in recordings.values())
        typer.echo(f"{count} recordings of {len(recordings)} subjects: {out}")
        if detections is not None:
            points = detected_points(detections)
            write_keypoints(out / f"data_2d_h36m_{keypoints}.npz", points, layout="coco")
            typer.echo(f"Detections of {sum(map(len, points.values()))} recordings: {keypoints}")


def prepare_humaneva(
    source: Annotated[
        Path,
        typer.Argument(help="Folder converted_15j that ConvertHumanEva.m made.", show_default=False),
    ],
    out: Out,
    debug: Debug = False,
) -> None:
    """Make HumanEva's converted archive into data_3d_humaneva15.npz and data_2d_humaneva15_gt.npz."""
    with clear_errors(debug=debug):
        from pose_server.train.humaneva import humaneva_recordings
        from pose_server.train.pose_sets import write_keypoints, write_positions

        out.mkdir(parents=True, exist_ok=True)
        found = humaneva_recordings(source)
        joints = next(iter(next(iter(found.joints_m.values())).values())).shape[1]
        name = f"humaneva{joints}"
        write_positions(out / f"data_3d_{name}.npz", found.joints_m)
        write_keypoints(out / f"data_2d_{name}_gt.npz", found.points_px, layout=name)
        typer.echo(
            f"{sum(map(len, found.joints_m.values()))} pieces of {len(found.joints_m)} subjects: {out}"
        )


def prepare_custom(
    source: Annotated[
        Path, typer.Argument(help="Folder of FILM.npz with detections of infer_video_d2.", show_default=False)
    ],
    out: Out,
    name: Annotated[str, typer.Option(help="The set is called data_2d_custom_NAME.npz.")] = "myvideos",
    debug: Debug = False,
) -> None:
    """Make detections of films into a data set to lift: the likeliest person of each frame, gaps filled."""
    with clear_errors(debug=debug):
        from pose_server.train.detections import read_detections
        from pose_server.train.pose_sets import write_keypoints

        films = {
            path.name.removesuffix(".npz"): read_detections(path) for path in sorted(source.glob("*.npz"))
        }
        if not films:
            raise InputError(
                f"'{source}' holds no .npz file with detections; give the output folder of infer_video_d2.",
                reason="DATASET_EMPTY",
                path=source,
            )
        out.mkdir(parents=True, exist_ok=True)
        target = out / f"data_2d_custom_{name}.npz"
        write_keypoints(
            target,
            {film: {"custom": [found.points_px]} for film, found in films.items()},
            layout="coco",
            sizes={film: found.size for film, found in films.items()},
        )
        typer.echo(f"{len(films)} films: {target}")
