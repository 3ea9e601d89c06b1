"""A result folder of two people whom nobody filmed, as an import would have left it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from pose_server.pipeline.boundary import Pose3D, Track2D
from pose_server.pipeline.camera import camera_of_clip, project
from pose_server.pipeline.evidence import Evidence
from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.progress import FoundPerson, SilentProgress
from pose_server.pipeline.report import ClipReport, ImportReport, write_report
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.pipeline.solving import files_in, solve_to_files
from pose_server.pipeline.stages import StageLog
from pose_shared.skeleton import COCO_17

FRAMES, RATE, SIZE = 40, Fraction(30), (1280, 720)
PEOPLE = (1, 3)
NAMES = (
    *COCO_17.joints,
    *(f"{side}_{name}" for side in ("left", "right") for name in ("heel", "big_toe")),
)
#: Somebody who stands and faces the camera: x to the own left, y to the back, z up.
_STANDING_M = {
    "nose": (0.0, -0.10, 1.60),
    "eye": (0.03, -0.08, 1.64),
    "ear": (0.07, 0.0, 1.62),
    "shoulder": (0.18, 0.0, 1.40),
    "elbow": (0.24, 0.02, 1.12),
    "wrist": (0.28, -0.06, 0.88),
    "hip": (0.10, 0.0, 0.92),
    "knee": (0.11, -0.02, 0.50),
    "ankle": (0.11, 0.02, 0.09),
    "heel": (0.11, 0.07, 0.02),
    "big_toe": (0.13, -0.14, 0.02),
}


def made_evidence(noise: float = 1.0, frames: int = FRAMES) -> Evidence:
    """Two people who stand, wave and shift their weight, a little trembling."""
    camera = camera_of_clip(SIZE, fov_deg=60)
    pairs = [_person(place, noise, seed, frames) for seed, place in enumerate((-0.8, 0.9))]
    return Evidence(RATE, camera, PEOPLE, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs))


def write_result(folder: Path, solve: SolveOptions | None = None) -> ImportReport:
    """Write what an import of the two would have written, but for the preview."""
    options = ImportOptions(formats=("npz", "bvh"), solve=solve or SolveOptions())
    folder.mkdir(parents=True)
    evidence = made_evidence()
    summaries = [FoundPerson(number, 0, FRAMES - 1, 1.0, 0.6) for number in PEOPLE]
    log = StageLog(SilentProgress())
    people = solve_to_files(folder, evidence, options, summaries, None, log)
    report = ImportReport(
        clip=ClipReport("made.mp4", "0" * 64, *SIZE, "30/1", 0, FRAMES, 0.0, 1.3, 0, "1/1", "h264"),
        options=options.to_dict(),
        detector="blazepose",
        lifter="landmarks",
        device="cpu",
        focal_px=float(evidence.camera.matrix[0, 0]),
        focal_source="given",
        people=people,
        notes=["Something the user should know."],
        timings=log.timings,
        files=files_in(folder),
    )
    write_report(folder, report)
    return report


def _person(place_m: float, noise: float, seed: int, frames: int) -> tuple[Track2D, Pose3D]:
    rng = np.random.default_rng(seed)
    times_s = np.arange(frames) / float(RATE)
    points = np.empty((frames, len(NAMES), 3))
    for i, name in enumerate(NAMES):
        x, y, z = _STANDING_M[name.removeprefix("left_").removeprefix("right_")]
        points[:, i] = (-x if name.startswith("right_") else x, y, z)
    carried = [i for i, name in enumerate(NAMES) if points[0, i, 2] > 0.6]
    points[:, carried, 0] += 0.04 * np.sin(2 * np.pi * times_s)[:, None]
    wrist = NAMES.index("left_wrist")
    points[:, wrist, 2] += 0.15 * np.sin(4 * np.pi * times_s)
    # The camera looks along +y from 5 m away and 1.2 m up; the people's left is its right.
    seen = np.stack([points[..., 0] + place_m, 1.2 - points[..., 2], points[..., 1] + 5.0], axis=-1)
    keypoints = project(seen, camera_of_clip(SIZE, fov_deg=60).matrix)
    keypoints += noise * rng.normal(size=keypoints.shape)
    hips = [NAMES.index("left_hip"), NAMES.index("right_hip")]
    root = seen[:, hips].mean(axis=1)
    lifted = seen - root[:, None] + noise * 0.01 * rng.normal(size=seen.shape)
    indices = np.arange(frames)
    track = Track2D(
        keypoint_names=NAMES,
        indices=indices,
        times_s=times_s,
        boxes_px=np.concatenate([keypoints.min(axis=1), keypoints.max(axis=1)], axis=1),
        keypoints_px=keypoints,
        keypoint_confidence=np.full(keypoints.shape[:2], 0.9),
        landmarks_m=lifted,
    )
    spread = np.full(keypoints.shape[:2], 0.04)
    return track, Pose3D(NAMES, indices, times_s, lifted, spread, root)
