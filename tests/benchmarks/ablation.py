"""What each part of the house lifter brings: the same short training with one thing changed at a time.

Usage: ``python tests/benchmarks/ablation.py MOTIONS CLIP_FOLDER --out FOLDER [--steps N] [--only NAME …]``,
with a set of ``pose-server train prepare`` and a folder with a film and its reference.  Prints a Markdown
table and keeps it in the folder.  Successive trainings of one recipe wander by 2 to 3 mm.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from pose_server.evaluate.clip import evaluate_clip, person_of
from pose_server.evaluate.mocap import PERFECT, evaluate_mocap
from pose_server.evaluate.reference import read_reference
from pose_server.evaluate.table import Column, Table, write_tables
from pose_server.lift import house as lift_house
from pose_server.lift.crop import Crop, crop_of
from pose_server.lift.house import HouseLifter, write_weights
from pose_server.lift.network import LiftNetwork, LiftShape, Sight
from pose_server.train import windows
from pose_server.train.house import HELD_OUT, HouseOptions, train_house
from pose_server.train.motions import MotionSet, read_motions
from pose_server.train.sightings import SightModel
from pose_server.train.windows import BodyModel
from torch import Tensor

Views = Callable[[Tensor, Tensor], Crop]
#: Narrower than what is shipped, or twenty trainings would take a day.
BASE = HouseOptions(shape=LiftShape(channels=256))
#: The errors that every variant is measured with, whatever it was trained on.
MEASURED = SightModel()


def unturned(rays: Tensor, seen: Tensor, *, stride: int = 1, causal: bool = False) -> Crop:
    """The crop without turning the view: divided by its size about its centre."""
    crop = crop_of(rays, seen, stride=stride, causal=causal)
    turn = torch.eye(3).expand_as(crop.turn)
    return Crop(turn, crop.centre, crop.size, rays)


def screen(rays: Tensor, seen: Tensor, *, stride: int = 1, causal: bool = False) -> Crop:
    """No crop at all: rays as they are."""
    crop = crop_of(rays, seen, stride=stride, causal=causal)
    turn = torch.eye(3).expand_as(crop.turn)
    return Crop(turn, torch.zeros_like(crop.centre), torch.full_like(crop.size, 0.2), rays)


@dataclass(frozen=True)
class Variant:
    """One change."""

    options: HouseOptions = BASE
    views: Views | None = None
    share: float = 1.0
    """Of the training takes."""
    fixed: Mapping[str, float] = field(default_factory=dict)
    """Layers that answer with one number whatever they are given."""
    mirror: bool = True
    """Whether the lifter looks at the mirror image as well."""


VARIANTS = {
    "as it is": Variant(),
    "as it is, another seed": Variant(replace(BASE, seed=2)),
    "input: crop without turning the view": Variant(views=unturned),
    "input: rays as they are": Variant(views=screen),
    "decoding: no step on the ray": Variant(fixed={"step": 0.0}),
    "decoding: never on the ray": Variant(fixed={"gate": -20.0}),
    "noise: half as strong": Variant(replace(BASE, sights=replace(MEASURED, strength=0.25))),
    "noise: twice as strong": Variant(replace(BASE, sights=replace(MEASURED, strength=1.0))),
    "noise: none": Variant(replace(BASE, sights=PERFECT)),
    "noise: confidence never flat": Variant(replace(BASE, sights=replace(MEASURED, flat_share=0.0))),
    "bodies: none varied": Variant(replace(BASE, bodies=BodyModel(0, 0, 0, 0, 0, 0, 0))),
    "bodies: no limbs of others": Variant(replace(BASE, bodies=BodyModel(crossed_share=0))),
    "bodies: no turned limbs": Variant(replace(BASE, bodies=BodyModel(turned_share=0))),
    "landmarks: never": Variant(replace(BASE, sights=replace(MEASURED, landmarks_share=0.0))),
    "receptive field 9": Variant(replace(BASE, shape=LiftShape(256, (1, 3)))),
    "receptive field 81": Variant(replace(BASE, shape=LiftShape(256, (1, 3, 9, 27)))),
    "channels 128": Variant(replace(BASE, shape=LiftShape(channels=128))),
    "channels 384": Variant(replace(BASE, shape=LiftShape(channels=384))),
    "causal": Variant(replace(BASE, shape=LiftShape(channels=256, causal=True))),
    "data: a third": Variant(share=1 / 3),
    "windows: 32 of 48 frames": Variant(replace(BASE, batch=32, frames=48)),
    "loss: no bones": Variant(replace(BASE, bones=0.0)),
    "loss: no projection": Variant(replace(BASE, projection=0.0)),
    "lifting: no mirror image": Variant(mirror=False),
}


@contextmanager
def looking(views: Views | None) -> Iterator[None]:
    """Replace the crop in training and use."""
    if views is None:
        yield
    else:
        with patch.object(windows, "crop_of", views), patch.object(lift_house, "crop_of", views):
            yield


@contextmanager
def mirrored(wanted: bool) -> Iterator[None]:
    """Let the lifter look at the mirror image, or not."""
    if wanted:
        yield
    else:

        def seen_once(lifter: HouseLifter, sight: Sight, stride: int) -> list[Tensor]:
            with torch.inference_mode():
                return [part.cpu() for part in lifter._seen(sight, stride)]

        with patch.object(HouseLifter, "_lifted", seen_once):
            yield


def trained(variant: Variant, motions: MotionSet, steps: int, folder: Path) -> HouseLifter:
    """Train one variant."""
    options = replace(variant.options, steps=steps)
    takes = tuple(
        take
        for i, take in enumerate(motions.takes)
        if take.subject in options.held_out or i % round(1 / variant.share) == 0
    )
    start = LiftNetwork.__init__

    def fixed(network: LiftNetwork, shape: LiftShape) -> None:
        start(network, shape)
        for name, value in variant.fixed.items():
            layer = getattr(network, name).requires_grad_(False)
            layer.weight.zero_()
            layer.bias.fill_(value)

    with patch.object(LiftNetwork, "__init__", fixed):
        network = train_house(MotionSet(takes, motions.sha256), options, folder, measure_every=steps)
    write_weights(folder / "house.safetensors", network, {})
    return HouseLifter(folder / "house.safetensors")


def main() -> None:
    """Train and measure the variants, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("motions", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--only", nargs="*", choices=VARIANTS)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    motions = read_motions(arguments.motions)
    _, test = motions.split(HELD_OUT)
    reference = read_reference(arguments.clip)
    track, _ = person_of(reference, "auto")
    rows = []
    for name, variant in VARIANTS.items():
        if arguments.only and name not in arguments.only:
            continue
        folder = arguments.out / name.replace(":", "").replace(" ", "_")
        with looking(variant.views), mirrored(variant.mirror):
            lifter = trained(variant, motions, arguments.steps, folder)
            row: dict[str, str | float] = {"variant": name}
            # A network that never saw landmarks has nothing to say with them.
            knows = variant.options.sights.landmarks_share > 0
            for key, share in (("with", 1.0), ("without", 0.0)) if knows else (("without", 0.0),):
                sights = replace(MEASURED, landmarks_share=share)
                figures = evaluate_mocap(lifter, test, sights, count=arguments.scenes)
                row |= {f"{key}_{measure}": figures[measure] for measure in ("mpjpe_mm", "p_mpjpe_mm")}
            blank = np.full_like(track.landmarks_m, np.nan)
            seen = track if knows else replace(track, landmarks_m=blank)
            film = evaluate_clip(reference, seen, [("house", lifter)])[0]
            row |= {"film_mpjpe_mm": film["mpjpe_mm"], "film_p_mpjpe_mm": film["p_mpjpe_mm"]}
        rows.append(row)
        table = Table(
            f"Trained for {arguments.steps} steps",
            (
                Column("variant", "Variant"),
                Column("with_mpjpe_mm", "Mocap, 2D and landmarks: MPJPE mm"),
                Column("with_p_mpjpe_mm", "P-MPJPE mm"),
                Column("without_mpjpe_mm", "Mocap, 2D only: MPJPE mm"),
                Column("without_p_mpjpe_mm", "P-MPJPE mm"),
                Column("film_mpjpe_mm", "Film: MPJPE mm"),
                Column("film_p_mpjpe_mm", "P-MPJPE mm"),
            ),
            rows,
        )
        write_tables(arguments.out / "ablation", [table])
    print(table.to_markdown())


if __name__ == "__main__":
    main()
