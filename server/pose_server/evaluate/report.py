"""The tables of docs/accuracy.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pose_shared.errors import InputError

from pose_server.detect.detector import Detector
from pose_server.evaluate.cleanup import SMOOTHING_S
from pose_server.evaluate.clip import evaluate_clip, person_of
from pose_server.evaluate.mocap import PERFECT, evaluate_mocap
from pose_server.evaluate.reference import read_reference
from pose_server.evaluate.table import Column, Table, columns
from pose_server.keypoints.detector import keypoint_detector
from pose_server.keypoints.registry import read_keypoints
from pose_server.lift.registry import create_lifter
from pose_server.train.house import HELD_OUT
from pose_server.train.motions import read_motions
from pose_server.train.sightings import SightModel
from pose_server.video.open import open_clip

__all__ = ["clip_table", "mocap_table"]

#: Of solved motions alone: how feet step.
_STEPS = ("own_slide_mm_frame", "contact_precision", "contact_recall", "contact_f1")
_BODY = ("mpjpe_mm", "p_mpjpe_mm", "acceleration", "bone_spread")


def mocap_table(
    motions: Path,
    lifters: Sequence[str],
    *,
    count: int,
    rate_hz: float = 30.0,
    held_out: Sequence[str] | None = None,
) -> Table:
    """Return lifters on held-out motion capture: as detected with landmarks, without, and perfectly."""
    _, test = read_motions(motions).split(held_out or HELD_OUT)
    seen = {
        "2D and landmarks": replace(SightModel(), landmarks_share=1.0),
        "2D only": replace(SightModel(), landmarks_share=0.0),
        "perfect 2D": PERFECT,
    }
    rows: list[dict[str, str | float]] = []
    for name in lifters:
        lifter = create_lifter(name, "cpu")
        for what, sights in seen.items():
            try:
                figures = evaluate_mocap(lifter, test, sights, count=count, rate_hz=rate_hz)
            except InputError as error:
                if error.reason != "LANDMARKS_MISSING":
                    raise
                continue
            rows.append({"lifter": name, "input": what, **figures})
    return Table(
        "People who were not trained on",
        (
            Column("lifter", "Lifter"),
            Column("input", "Input"),
            *columns(*_BODY, "root_relative_depth", "contact_f1"),
        ),
        rows,
        note=(
            f"{count} stretches of up to 10 s from {len(test.takes)} takes, {test.minutes:.1f} minutes, of "
            f"{len({take.subject for take in test.takes})} held-out subjects, filmed at {rate_hz:g} Hz by "
            "virtual cameras and seen with the errors that training assumes; twelve limb joints, "
            f"smoothed with a Gaussian of {SMOOTHING_S * 1e3:.0f} ms."
        ),
    )


def clip_table(
    clip: Path, lifters: Sequence[str], *, detector: str = "auto", keypoints: Path | None = None
) -> Table:
    """Return lifters alone and solved on a film with a reference.

    Its person is found by a detector, or was by another program, whose `keypoints` are given.
    """
    reference = read_reference(clip)
    finder: str | Detector = detector
    if keypoints is not None:
        (points, *_) = read_keypoints(keypoints)
        finder = keypoint_detector(points, reference.film, open_clip(reference.film).info)
    track, lines_px = person_of(reference, finder)
    named = [(name, create_lifter(name, "cpu")) for name in lifters]
    rows = evaluate_clip(reference, track, named, lines_px=lines_px)
    return Table(
        "A film with a reference",
        (
            Column("method", "Method"),
            Column("lens", "Lens"),
            *columns(
                *_BODY,
                "root_absolute_m",
                "root_scaled_m",
                "focal_error",
                "gravity_deg",
                "reprojection_px",
                *_STEPS,
            ),
        ),
        rows,
        note=(
            f"{reference.film.name}: {len(reference.joints_m)} frames at {reference.rate_hz:g} Hz, "
            "one person, one view; the reference is itself good to some centimetres. Lifted joints are "
            f"smoothed with a Gaussian of {SMOOTHING_S * 1e3:.0f} ms, solved ones as an import has them. The "
            "lens is given, estimated from the lines of the room, which also show what is up, or guessed "
            "without looking at them."
        ),
    )
