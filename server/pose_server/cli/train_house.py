"""`pose-server train prepare` and `train house`: motion capture made ready, and the house lifter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pose_shared.errors import InputError

from pose_server.cli.errors import clear_errors
from pose_server.cli.train_baseline import split_names

__all__ = ["prepare", "train_house_command"]

Debug = Annotated[bool, typer.Option("--debug", help="Print tracebacks.")]


def prepare(
    folder: Annotated[
        Path,
        typer.Argument(help="Motion files with an index.csv, as docs/lifter.md shows.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The set to write, an .npz.", show_default=False)],
    debug: Debug = False,
) -> None:
    """Make motion capture (ASF/AMC, BVH) ready for training: one file of body points at 60 Hz."""
    with clear_errors(debug=debug):
        from pose_server.train.motions import prepare_motions, write_motions

        motions = prepare_motions(folder)
        write_motions(out, motions)
        subjects = {take.subject for take in motions.takes}
        typer.echo(
            f"{len(motions.takes)} takes of {len(subjects)} subjects, {motions.minutes:.1f} minutes, "
            f"sha256 of the files {motions.sha256[:16]}: {out}"
        )


def train_house_command(
    motions: Annotated[Path, typer.Argument(help="A set of 'train prepare'.", show_default=False)],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Folder of the run: curves, checkpoints, weights.", show_default=False
        ),
    ],
    steps: Annotated[int, typer.Option(min=1, help="Batches to train on.")] = 18_000,
    batch: Annotated[int, typer.Option(min=2, help="Windows per batch.")] = 96,
    frames: Annotated[int, typer.Option(min=8, help="Frames per window.")] = 16,
    late_frames: Annotated[
        int, typer.Option(min=8, help="Frames per window in the last fifth of the steps.")
    ] = 48,
    channels: Annotated[int, typer.Option(min=8, help="Width of the network.")] = 384,
    dilations: Annotated[
        str, typer.Option(help="Reach of each block in frames; 1,3,9 sees 27 frames.")
    ] = "1,3,9",
    causal: Annotated[bool, typer.Option("--causal", help="See no later frames, for live use.")] = False,
    rate: Annotated[float, typer.Option(min=0, help="Peak learning rate.")] = 4e-3,
    noise: Annotated[float, typer.Option(min=0, help="Strength of the detectors' errors.")] = 0.5,
    held_out: Annotated[
        str | None,
        typer.Option(help="Subjects never trained on, with commas between.", show_default="CMU's nine"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Everything random comes from it.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Threads on a CPU; one is the best use of a core.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    debug: Debug = False,
) -> None:
    """Train the house lifter; the weights of the run are what --lifter takes."""
    with clear_errors(debug=debug):
        from pose_server.engine.device import resolve_device
        from pose_server.lift.house import write_weights
        from pose_server.lift.network import LiftShape
        from pose_server.train.house import HELD_OUT, HouseOptions, train_house
        from pose_server.train.motions import read_motions
        from pose_server.train.sightings import SightModel

        options = HouseOptions(
            steps=steps,
            batch=batch,
            frames=frames,
            late_frames=late_frames,
            rate=rate,
            seed=seed,
            held_out=split_names(held_out) or HELD_OUT,
            shape=LiftShape(channels, _numbers(dilations), causal),
            sights=SightModel(strength=noise),
        )
        read = read_motions(motions)
        network = train_house(
            read,
            options,
            out,
            device=resolve_device(device),
            threads=threads,
            resume=resume,
            tell=typer.echo,
        )
        weights = out / "house.safetensors"
        write_weights(weights, network.cpu(), {"motions_sha256": read.sha256, "seed": str(seed)})
        typer.echo(f"Weights: {weights}")


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise InputError(
            f"--dilations {text} is not possible; give whole numbers from 1 with commas between, such as "
            "1,3,9.",
            reason="DILATIONS_INVALID",
            value=text,
        )
    return numbers
