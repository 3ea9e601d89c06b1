"""What films without labels add to a tenth of one person's labels, on made-up people.

Usage: ``python tests/benchmarks/semi_supervised.py [--seeds N]``.  Prints a Markdown table.  Five people of
their own proportions move in Human3.6M's room before its four cameras, 2 px of noise on their points: one
tenth of the frames of the first have joints, three more are seen by their points alone, the fifth is the
test.  Both networks see the same labels in the same order.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path

import torch
from pose_server.evaluate.videopose3d import Evaluation
from pose_server.train.pose_sets import read_pose_set, thinned
from pose_server.train.run import TrainingRun
from pose_server.train.videopose3d import VideoPose3DOptions, train_videopose3d

__all__ = ["OPTIONS", "compared"]

#: A network of single frames learns in seconds what both ways can be compared by.
OPTIONS = VideoPose3DOptions(
    filter_widths=(1, 1),
    channels=128,
    dropout=0.0,
    epochs=200,
    batch_size=256,
    learning_rate=0.01,
    decay=0.98,
    warmup=10,
)


def compared(folder: Path, *, seed: int = 0) -> dict[str, dict[str, float]]:
    """Return the measures on the fifth person, with labels alone and with films besides."""
    from made_room import write_made_set

    people = {"S1": 300, "S5": 300, "S6": 300, "S7": 300, "S9": 150}
    write_made_set(folder, people, noise_px=2.0, swing=0.6)
    data = read_pose_set(folder, "h36m", "gt")
    labelled = [thinned(view, subset=0.1) for view in data.chosen(["S1"])]
    films = [dataclasses.replace(view, joints_m=None) for view in data.chosen(["S5", "S6", "S7"])]
    options = dataclasses.replace(OPTIONS, seed=seed)
    found = {}
    for name, unlabelled in (("labels", []), ("labels and films", films)):
        run = TrainingRun(folder / name, options.to_dict(), tell=lambda line: None)
        checkpoint = train_videopose3d(
            data, options, run, labelled=labelled, unlabelled=unlabelled, keep_every=0
        )
        row = Evaluation(checkpoint, data).tables(data.chosen(["S9"]))[0].rows[-1]
        found[name] = {key: float(row[key]) for key in ("mpjpe_mm", "p_mpjpe_mm", "n_mpjpe_mm")}
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| Seed | Learnt from | MPJPE mm | P-MPJPE mm | N-MPJPE mm |\n| ---: | --- | ---: | ---: | ---: |")
    for seed in range(arguments.seeds):
        with tempfile.TemporaryDirectory() as folder:
            for name, row in compared(Path(folder), seed=seed).items():
                cells = " | ".join(f"{value:.1f}" for value in row.values())
                print(f"| {seed} | {name} | {cells} |", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
    main()
