"""How near the solved motion is to a multi-view reference, beside the detector's own 3D points.

Usage: ``python tests/benchmarks/accuracy.py CLIP SCORE_PY``, for a clip with a scoring script beside it
that takes an npz of camera-space joints.  Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pose_server.detect.registry import create_detector
from pose_server.pipeline.detection import detect_clip
from pose_server.pipeline.importer import import_clip
from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.track.selection import number_people
from pose_server.track.tracker import track_people
from pose_server.video.open import open_clip

__all__ = ["Score", "raw_landmarks", "score"]

_LINE = re.compile(
    r"frames (\d+) of .*P-MPJPE ([\d.]+) mm .*MPJPE ([\d.]+) mm .*acceleration ([\d.]+) mm"
    r".*spread ([\d.]+) %.*own acceleration ([\d.]+) \(reference ([\d.]+)\)"
)


@dataclass(frozen=True)
class Score:
    """What the scoring script prints of a prediction."""

    frames: int
    p_mpjpe_mm: float
    mpjpe_mm: float
    acceleration_error_mm: float
    bone_spread_percent: float
    acceleration_mm: float
    reference_acceleration_mm: float


def score(prediction: Path, script: Path) -> Score:
    """Run the scoring script on a prediction."""
    done = subprocess.run([sys.executable, script, prediction], capture_output=True, text=True, check=True)
    found = _LINE.search(done.stdout)
    if not found:
        raise ValueError(f"{script} printed something else: {done.stdout}")
    frames, *values = found.groups()
    return Score(int(frames), *map(float, values))


def raw_landmarks(clip: Path, target: Path) -> Path:
    """Write the 3D points of the largest person as the detector gives them."""
    source = open_clip(clip)
    detector = create_detector("auto", "cpu")
    found = detect_clip(source, detector, SilentProgress())
    tracks = track_people(
        found,
        keypoint_names=detector.keypoint_names,
        image_size=(source.info.width, source.info.height),
        progress=SilentProgress(),
    )
    track = number_people(tracks, len(found))[1]
    np.savez(target, joints=track.landmarks_m, names=np.array(track.keypoint_names), frames=track.indices)
    return target


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("score", type=Path, help="the scoring script")
    parser.add_argument("--smoothing", type=float, nargs="*", default=[0.0, 0.5, 1.0])
    arguments = parser.parse_args()
    print("| | P-MPJPE, mm | MPJPE, mm | acceleration error, mm/frame² | own acceleration | bone spread |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        raw = raw_landmarks(arguments.clip, Path(folder) / "raw.npz")
        rows = {"the detector's own 3D points": score(raw, arguments.score)}
        for smoothing in arguments.smoothing:
            out = Path(folder) / f"{smoothing}"
            options = ImportOptions(formats=("npz",), solve=SolveOptions(smoothing=smoothing))
            import_clip(arguments.clip, options, out, device="cpu", progress=SilentProgress())
            rows[f"solved, smoothing {smoothing:g}"] = score(
                out / "person_01" / "motion.npz", arguments.score
            )
    for name, r in rows.items():
        print(
            f"| {name} | {r.p_mpjpe_mm:.1f} | {r.mpjpe_mm:.1f} | {r.acceleration_error_mm:.2f} "
            f"| {r.acceleration_mm:.2f} (reference {r.reference_acceleration_mm:.2f}) "
            f"| {r.bone_spread_percent:.1f} % |"
        )


if __name__ == "__main__":
    main()
