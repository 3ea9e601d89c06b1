"""What `evaluate.motion` measures, as tables: methods, kinds of motion, and the scenes that went worst."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pose_server.evaluate.cleanup import CUTOFF_HZ, SMOOTHING_S
from pose_server.evaluate.keyed import keyed_takes
from pose_server.evaluate.metrics import LEAST_TRAVEL_M, WINDOW
from pose_server.evaluate.mocap import PERFECT
from pose_server.evaluate.motion import METHODS, MotionScore, evaluate_motion, mean_row
from pose_server.evaluate.moves import MOVES, TRAVELS
from pose_server.evaluate.shooting import WAYS, Shooting
from pose_server.evaluate.table import Column, Table, columns
from pose_server.evaluate.takes import kind_of
from pose_server.lift.registry import create_lifter
from pose_server.train.house import HELD_OUT
from pose_server.train.motions import MotionSet, read_motions

__all__ = ["cameras_table", "motion_tables", "settings_table"]

Row = dict[str, str | float | int | None]

_WORST = 5
#: Kinds that nobody among those held out of training shows.
_DANCED = ("dance", "acrobatics")
_KNOWN = {"metric": "metres", "scaleless": "up to a factor", "turns": "turns only"}
_RATES_HZ = (24.0, 30.0, 60.0)
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
_LIMBS = ("trunk_deg", "upper_arm_deg", "forearm_deg", "thigh_deg", "shin_deg")
_CORE = ("foot_slide_mm_frame", "penetration_mm", "contact_f1", "acceleration_kept")
_TURNS = ("worst_rotation_step_deg", "worst_limb_step_deg", "worst_reference_limb_step_deg")


def motion_tables(
    motions: Path,
    lifter: str,
    shooting: Shooting,
    *,
    held_out: Sequence[str] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Table]:
    """Return tables of the methods, of kinds of motion, of the worst scenes, and last of every scene.

    Raises
    ------
    InputError
        About the motions, the split, or the lifter.
    """
    training, test = read_motions(motions).split(held_out or HELD_OUT)
    network = create_lifter(lifter, "cpu")

    def scored(films: MotionSet, count: int) -> list[MotionScore]:
        scores = []
        for score in evaluate_motion(network, films, replace(shooting, count=count)):
            scores.append(score)
            row = score.rows["solved"]
            figures = f"P-MPJPE {row['p_mpjpe_mm']:.0f} mm, MPJPE {row['mpjpe_mm']:.0f} mm"
            tell(f"{len(scores)}/{count} {score.name} #{score.number} ({score.kind}): {figures}")
        return scores

    scores = scored(test, shooting.count)
    each = math.ceil(shooting.count / len({score.kind for score in scores}))
    others: list[tuple[str, MotionScore]] = []
    danced = tuple(take for take in training.takes if kind_of(take.name) in _DANCED)
    for mark, takes in (("*", danced), ("†", keyed_takes())):
        kinds = {kind_of(take.name) for take in takes}
        films = MotionSet(takes, training.sha256)
        others += [(mark, score) for score in (scored(films, each * len(kinds)) if takes else ())]
    everybody = [*scores, *(score for _, score in others)]
    return [
        *_methods(scores, shooting),
        _kinds(scores, others),
        _seen(scores),
        _worst(everybody),
        _scenes(everybody),
    ]


def settings_table(
    motions: Path,
    lifter: str,
    shooting: Shooting,
    *,
    held_out: Sequence[str] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Table:
    """Return the solve at other rates, without the focal length, and with better detections."""
    _, test = read_motions(motions).split(held_out or HELD_OUT)
    network = create_lifter(lifter, "cpu")
    settings = {
        **{f"{rate_hz:g} Hz": replace(shooting, rate_hz=rate_hz) for rate_hz in _RATES_HZ},
        "focal length guessed": replace(shooting, lens="guessed"),
        "nobody else in any frame": replace(shooting, outliers=0.0),
        "perfect 2D": replace(shooting, outliers=0.0, sights=PERFECT),
    }
    rows: list[Row] = []
    for name, changed in settings.items():
        scores = list(evaluate_motion(network, test, changed))
        rows.append({"setting": name, **mean_row([score.rows["solved"] for score in scores])})
        tell(f"{name}: P-MPJPE {rows[-1]['p_mpjpe_mm']:.1f} mm")
    return Table(
        "The solve at other rates and with other knowledge",
        (Column("setting", "Setting"), *columns("mpjpe_mm", "p_mpjpe_mm", "focal_error", *_ROOM, *_CORE)),
        rows,
        f"One thing changed at a time, the others at {shooting.rate_hz:g} Hz with the focal length "
        f"{shooting.lens}. The same {shooting.count} films throughout; slower rates leave frames out.",
    )


def cameras_table(
    motions: Path,
    lifter: str,
    shooting: Shooting,
    *,
    held_out: Sequence[str] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Table:
    """Return the solve of what cameras film that move, by how much it is told of their path."""
    _, test = read_motions(motions).split(held_out or HELD_OUT)
    network = create_lifter(lifter, "cpu")
    rows: list[Row] = []
    for move in MOVES:
        for way in WAYS if move in TRAVELS else WAYS[:1]:
            scores = evaluate_motion(network, test, replace(shooting, move=move, way=way))
            known = _KNOWN[way] if move in TRAVELS else "–"
            rows.append({"camera": move, "known": known, **mean_row([one.rows["solved"] for one in scores])})
            tell(f"{move}, {way}: WA-MPJPE {rows[-1]['wa_mpjpe_mm']:.0f} mm")
    return Table(
        "Cameras that move",
        (
            Column("camera", "Camera"),
            Column("known", "Known of its path"),
            *columns("mpjpe_mm", "p_mpjpe_mm", "w_mpjpe_mm", "wa_mpjpe_mm", "root_per_metre", "gravity_deg"),
            *columns("foot_slide_mm_frame", "own_slide_mm_frame", "contact_f1", "acceleration_kept"),
            *columns("reprojection_px", "way_error"),
        ),
        rows,
        f"The same {shooting.count} stretches, by cameras that start at the same place and then turn after "
        "the person; sway in a hand (4 cm and 1° about); run on a rail (0.5 m/s); go around (18°/s); walk "
        "along, in a hand. The path is known to the solve without error: in metres, up to one factor, or as "
        "if the camera had only turned.",
    )


def _methods(scores: Sequence[MotionScore], shooting: Shooting) -> list[Table]:
    rows: list[Row] = [
        {"method": method, **mean_row([score.rows[method] for score in scores])} for method in METHODS
    ]
    shown = (
        (
            "The solve beside the lifter alone and plain filtering",
            ("coverage", *_POSE, *_ROOM),
            f"{len(scores)} stretches of up to {shooting.longest_s:g} s at {shooting.rate_hz:g} Hz, each by "
            "a still virtual camera 2 to 9 m away with a lens of 24 to 50 mm, the focal length "
            f"{shooting.lens}, with the errors that training assumes and {shooting.outliers * 100:g} % of "
            "the frames showing somebody else. The motions are what is slower than 15 Hz in the capture: "
            "the rest is its tremble. Lifted: a Gaussian of "
            f"{SMOOTHING_S * 1e3:.0f} ms; filtered: a Butterworth of {CUTOFF_HZ:g} Hz forth and back. "
            f"W- and WA-MPJPE: windows of {WINDOW} frames, moved rigidly to fit the first two or all. Root "
            f"error of the way: where more than {LEAST_TRAVEL_M:g} m are travelled. The solve answers for "
            "frames too in which nobody is found.",
        ),
        (
            "Rotations",
            ("limb_deg", *_LIMBS),
            "Mean angles between the directions of bones: the truth has points and no rotations.",
        ),
        (
            "Feet",
            _FEET,
            "Contacts are heels and toes that are slower than 0.3 m/s and within 15 cm of the lowest; the "
            "reference's own feet move in them too.",
        ),
        (
            "Calm",
            (*_CALM, *_TURNS, "frames_per_s"),
            "Accelerations and jitter about the hips; the largest turn of any joint, and of limbs in space, "
            "between two frames of any scene.",
        ),
    )
    return [
        Table(title, (Column("method", "Method"), *columns(*keys)), rows, note) for title, keys, note in shown
    ]


def _kinds(scores: Sequence[MotionScore], others: Sequence[tuple[str, MotionScore]]) -> Table:
    return _grouped(
        "By kind of motion",
        Column("group", "Motion"),
        [(score.kind, score) for score in scores]
        + [(f"{score.kind} {mark}", score) for mark, score in others],
        "* By people whom the lifter was trained on, for nobody else in the set dances or turns cartwheels. "
        "† Keyed by hand. Neither is part of the tables of all scenes. Contacts of who climbs, crawls or "
        "lies have no truth.",
    )


def _seen(scores: Sequence[MotionScore]) -> Table:
    return _grouped(
        "By what the detector gives",
        Column("group", "Input"),
        [(score.seen, score) for score in scores],
        "Cut off: knees or ankles are missing from most frames, as at the edge of a picture.",
    )


def _grouped(title: str, column: Column, members: Sequence[tuple[str, MotionScore]], note: str) -> Table:
    groups: dict[str, list[MotionScore]] = defaultdict(list)
    for group, score in members:
        groups[group].append(score)
    rows: list[Row] = [
        {
            "group": group,
            "scenes": len(groups[group]),
            "method": method,
            **mean_row([score.rows[method] for score in groups[group]]),
        }
        for group in sorted(groups)
        for method in METHODS
    ]
    shown = (
        *_POSE,
        "gravity_deg",
        "foot_slide_mm_frame",
        "penetration_mm",
        "contact_f1",
        "acceleration_kept",
    )
    return Table(
        title,
        (column, Column("scenes", "Scenes"), Column("method", "Method"), *columns(*shown, *_TURNS)),
        rows,
        note,
    )


def _worst(scores: Sequence[MotionScore]) -> Table:
    worst = sorted(scores, key=lambda score: -score.rows["solved"]["p_mpjpe_mm"])[:_WORST]
    return Table(
        "Worst scenes, solved",
        (
            *_named(*_POSE),
            Column("lifted_p_mpjpe_mm", "P-MPJPE mm, lifted"),
            *columns(*_ROOM, "foot_slide_mm_frame", "contact_f1", "acceleration_kept", *_TURNS),
            Column("turned", "Which"),
        ),
        [
            {
                **_name(score),
                **score.rows["solved"],
                "lifted_p_mpjpe_mm": score.rows["lifted"]["p_mpjpe_mm"],
            }
            for score in worst
        ],
    )


def _scenes(scores: Sequence[MotionScore]) -> Table:
    rows: list[Row] = [
        {**_name(score), "method": method, **score.rows[method]} for score in scores for method in METHODS
    ]
    return Table("Every scene", (*_named(), Column("method", "Method"), *columns(*_POSE)), rows)


def _named(*keys: str) -> tuple[Column, ...]:
    return (Column("scene", "Scene"), Column("kind", "Motion"), Column("seen", "Input"), *columns(*keys))


def _name(score: MotionScore) -> dict[str, str]:
    return {
        "scene": f"{score.name} #{score.number}",
        "kind": score.kind,
        "seen": score.seen,
        "turned": score.turned,
    }
