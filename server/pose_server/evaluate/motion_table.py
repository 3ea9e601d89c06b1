"""What `evaluate.motion` measures, as tables: methods, kinds of motion, and the scenes that went worst."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from pose_server.evaluate.cleanup import CUTOFF_HZ, SMOOTHING_S
from pose_server.evaluate.metrics import LEAST_TRAVEL_M, WINDOW
from pose_server.evaluate.motion import METHODS, MotionScore, Shooting, evaluate_motion, mean_row
from pose_server.evaluate.table import Column, Table, columns
from pose_server.lift.registry import create_lifter
from pose_server.train.house import HELD_OUT
from pose_server.train.motions import read_motions

__all__ = ["motion_tables"]

Row = dict[str, str | float | int | None]

_WORST = 5
_POSE = ("mpjpe_mm", "p_mpjpe_mm", "w_mpjpe_mm", "wa_mpjpe_mm", "limb_deg")
_ROOM = ("root_absolute_m", "root_scaled_m", "root_per_metre", "gravity_deg")
_FEET = (
    "foot_slide_mm_frame",
    "reference_slide_mm_frame",
    "own_slide_mm_frame",
    "penetration_mm",
    "worst_penetration_mm",
    "contact_precision",
    "contact_recall",
    "contact_f1",
)
_CALM = ("acceleration", "acceleration_kept", "jitter_10m_s3")
_TURNS = ("worst_rotation_step_deg", "worst_limb_step_deg", "worst_reference_limb_step_deg")


def motion_tables(
    motions: Path,
    lifter: str,
    shooting: Shooting,
    *,
    held_out: Sequence[str] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Table]:
    """Return tables of the methods, of kinds of motion, of the worst scenes, and last of every scene."""
    _, test = read_motions(motions).split(held_out or HELD_OUT)
    network = create_lifter(lifter, "cpu")
    scores: list[MotionScore] = []
    for score in evaluate_motion(network, test, shooting):
        scores.append(score)
        solved = score.rows["solved"]
        figures = (
            f"P-MPJPE {solved['p_mpjpe_mm']:.0f} mm, MPJPE {solved['mpjpe_mm']:.0f} mm, "
            f"slide {solved['foot_slide_mm_frame']:.1f} mm/frame"
        )
        tell(f"{len(scores)}/{shooting.count} {score.name} ({score.kind}): {figures}")
    return [*_methods(scores, shooting), _kinds(scores), _worst(scores), _scenes(scores)]


def _methods(scores: Sequence[MotionScore], shooting: Shooting) -> list[Table]:
    rows: list[Row] = [
        {"method": method, **mean_row([score.rows[method] for score in scores])} for method in METHODS
    ]
    shown = (
        (
            "The solve beside the lifter alone and plain filtering",
            (*_POSE, *_ROOM),
            f"{len(scores)} stretches of up to {shooting.longest_s:g} s at {shooting.rate_hz:g} Hz, by still "
            f"virtual cameras, the focal length {shooting.lens}, with the errors that training assumes and "
            f"{shooting.outliers * 100:g} % of the frames showing somebody else. Lifted: a Gaussian of "
            f"{SMOOTHING_S * 1e3:.0f} ms; filtered: a Butterworth of {CUTOFF_HZ:g} Hz forth and back. "
            f"W- and WA-MPJPE: windows of {WINDOW} frames, moved rigidly to fit the first two or all. Root "
            f"error of the way: where more than {LEAST_TRAVEL_M:g} m are travelled. Limb error: between the "
            "directions of bones, for the truth has points and no rotations.",
        ),
        (
            "Feet",
            _FEET,
            "Contacts are heels and toes that are slower than 0.3 m/s and within 15 cm of the lowest; the "
            "reference's own feet move in them too.",
        ),
        (
            "Calm",
            (*_CALM, *_TURNS),
            "Accelerations and jitter about the hips; the largest turn of any joint, and of limbs in space, "
            "between two frames of any scene.",
        ),
    )
    return [
        Table(title, (Column("method", "Method"), *columns(*keys)), rows, note) for title, keys, note in shown
    ]


def _kinds(scores: Sequence[MotionScore]) -> Table:
    by_kind: dict[str, list[MotionScore]] = defaultdict(list)
    for score in scores:
        by_kind[score.kind].append(score)
    rows: list[Row] = [
        {
            "kind": kind,
            "scenes": len(by_kind[kind]),
            "method": method,
            **mean_row([score.rows[method] for score in by_kind[kind]]),
        }
        for kind in sorted(by_kind)
        for method in METHODS
    ]
    return Table(
        "By kind of motion",
        (
            Column("kind", "Motion"),
            Column("scenes", "Scenes"),
            Column("method", "Method"),
            *columns(
                *_POSE,
                "gravity_deg",
                "foot_slide_mm_frame",
                "penetration_mm",
                "contact_f1",
                "acceleration_kept",
                *_TURNS[:1],
            ),
        ),
        rows,
    )


def _worst(scores: Sequence[MotionScore]) -> Table:
    worst = sorted(scores, key=lambda score: -score.rows["solved"]["p_mpjpe_mm"])[:_WORST]
    return Table(
        "Worst scenes, solved",
        _named(*_POSE, *_ROOM, "foot_slide_mm_frame", "contact_f1", "acceleration_kept", *_TURNS),
        [{**_name(score), **score.rows["solved"]} for score in worst],
    )


def _scenes(scores: Sequence[MotionScore]) -> Table:
    rows: list[Row] = [
        {**_name(score), "method": method, **score.rows[method]} for score in scores for method in METHODS
    ]
    return Table("Every scene", (*_named(), Column("method", "Method"), *columns(*_POSE)), rows)


def _named(*keys: str) -> tuple[Column, ...]:
    return (Column("scene", "Scene"), Column("kind", "Motion"), Column("input", "Input"), *columns(*keys))


def _name(score: MotionScore) -> dict[str, str]:
    return {
        "scene": score.name,
        "kind": score.kind,
        "input": "2D and landmarks" if score.landmarks else "2D only",
    }
