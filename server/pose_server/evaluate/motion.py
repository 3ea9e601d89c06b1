"""The whole solve on motion capture of people the lifter never saw: the truth is known.

Every stretch is filmed by a still camera of its own and seen with the errors that training assumes
detectors to make, and in some frames as somebody else altogether.  Three motions are compared with the
truth: the lifter's joints as `evaluate.cleanup` leaves them, the same after the usual low-pass filter, and
the solved ones.  The truth has points and no rotations, so rotations are compared as directions of bones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import torch
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31

from pose_server.evaluate.angles import bone_error_deg, bone_steps_deg, rotation_steps_deg
from pose_server.evaluate.cleanup import cleaned, filtered
from pose_server.evaluate.metrics import (
    contact_score,
    foot_slide,
    measures,
    root_error,
    root_per_metre,
    w_mpjpe_mm,
    wa_mpjpe_mm,
)
from pose_server.evaluate.mocap import (
    HIPS,
    LIMB_BONES,
    LIMB_JOINTS,
    Scene,
    boxes_around,
    scene_of,
    stretch,
)
from pose_server.evaluate.takes import kind_of
from pose_server.lift.lifter import Lifter
from pose_server.lift.network import CONTACT_POINTS
from pose_server.lift.repair import repaired
from pose_server.pipeline.boundary import Camera, FloatArray, Motion, Pose3D, Track2D
from pose_server.pipeline.camera import camera_of_clip
from pose_server.pipeline.kinematics import global_rotations
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.solve.clip import solve_clip
from pose_server.train.cameras import CameraModel
from pose_server.train.motions import MotionSet, Take
from pose_server.train.sightings import SightModel

__all__ = ["METHODS", "MotionScore", "Shooting", "evaluate_motion", "mean_row", "shot", "with_outliers"]

METHODS = ("lifted", "filtered", "solved")

_SHORTEST_S, _LONGEST_S = 1.0, 5.0
#: Detectors with landmarks of their own film three stretches of five.
_WITH_LANDMARKS, _CYCLE = 3, 5
_ROOM = [BODY_31.index(name) for name in LIMB_JOINTS]
_FEET = [BODY_31.index(name) for name in CONTACT_POINTS]
_TRUNK = tuple(
    (LIMB_JOINTS.index(side + "hip"), LIMB_JOINTS.index(side + "shoulder")) for side in ("left_", "right_")
)
_BONES = {
    "trunk_deg": _TRUNK,
    "upper_arm_deg": LIMB_BONES[0:2],
    "forearm_deg": LIMB_BONES[2:4],
    "thigh_deg": LIMB_BONES[4:6],
    "shin_deg": LIMB_BONES[6:8],
}
_ALL_BONES = tuple(bone for bones in _BONES.values() for bone in bones)
#: Heel and ball of the sole from the ankle, as `solve.proportions` has them, in parts of the toe's offset.
_HEEL = np.array([0.0, -0.030 / 0.067, 0.039 / 0.025])
_BALL = np.array([0.0, 1.0, 0.039 / 0.025])


@dataclass(frozen=True)
class Shooting:
    """How scenes are filmed and seen."""

    count: int = 20
    rate_hz: float = 30.0
    lens: str = "given"
    """``given``, or ``guessed`` from the picture's size, half as long again as the true one."""
    outliers: float = 0.05
    """Share of frames in which the detector sees another person elsewhere."""
    longest_s: float = _LONGEST_S
    seed: int = 11
    sights: SightModel = field(default_factory=SightModel)
    options: SolveOptions = field(default_factory=SolveOptions)


@dataclass(frozen=True)
class MotionScore:
    """One scene's measures by method, and what contacts were said and true."""

    name: str
    kind: str
    landmarks: bool
    rows: dict[str, dict[str, float]]
    """For each of `METHODS`."""


def shot(motions: MotionSet, shooting: Shooting) -> Iterator[Scene]:
    """Film scenes, one kind of motion after the other, each kind's spread evenly over its takes.

    A scene's stretch and camera are the same at every rate; the errors of its detector are drawn anew.

    Raises
    ------
    InputError
        ``MOTIONS_TOO_SHORT``: no take lasts a second.
    """
    by_kind: dict[str, list[Take]] = defaultdict(list)
    for take in motions.takes:
        if take.seconds >= _SHORTEST_S:
            by_kind[kind_of(take.name)].append(take)
    if not by_kind:
        raise InputError(
            f"No take of these subjects lasts {_SHORTEST_S:g} s; hold out others.", reason="MOTIONS_TOO_SHORT"
        )
    kinds = sorted(by_kind)
    cameras = replace(CameraModel(), focal_error=0.0, guessed_share=0.0, moving_share=0.0)
    for number in range(shooting.count):
        turn, place = divmod(number, len(kinds))
        takes = by_kind[kinds[place]]
        turns = (shooting.count - place - 1) // len(kinds) + 1
        take = takes[int((turn + 0.5) * len(takes) / turns)]
        generator = torch.Generator().manual_seed(shooting.seed * 10_000 + number)
        part = stretch(take, shooting.rate_hz, generator, longest_s=shooting.longest_s)
        sights = replace(
            shooting.sights, landmarks_share=float(number * _WITH_LANDMARKS % _CYCLE < _WITH_LANDMARKS)
        )
        scene = scene_of(take.name, part, shooting.rate_hz, cameras, sights, generator)
        rng = np.random.default_rng([shooting.seed, number])
        yield replace(
            scene, track=with_outliers(scene.track, scene.camera.image_size, shooting.outliers, rng)
        )


def with_outliers(
    track: Track2D, image_size: tuple[int, int], share: float, rng: np.random.Generator
) -> Track2D:
    """Return a track of which a share of the rows shows another pose of another size elsewhere."""
    found = np.flatnonzero(track.found)
    wrong = rng.choice(found, size=round(share * len(found)), replace=False)
    if not len(wrong):
        return track
    source = rng.choice(found, size=len(wrong))
    keypoints = track.keypoints_px.copy()
    confidence, landmarks = track.keypoint_confidence.copy(), track.landmarks_m.copy()
    middle = (track.boxes_px[source, :2] + track.boxes_px[source, 2:])[:, None] / 2
    size = rng.uniform(0.5, 1.2, (len(wrong), 1, 1))
    place = rng.uniform(0.15, 0.85, (len(wrong), 1, 2)) * image_size
    keypoints[wrong] = (track.keypoints_px[source] - middle) * size + place
    confidence[wrong], landmarks[wrong] = track.keypoint_confidence[source], track.landmarks_m[source]
    return replace(
        track,
        keypoints_px=keypoints,
        keypoint_confidence=confidence,
        landmarks_m=landmarks,
        boxes_px=boxes_around(keypoints),
    )


def evaluate_motion(lifter: Lifter, motions: MotionSet, shooting: Shooting) -> Iterator[MotionScore]:
    """Yield the scores of each scene as soon as they are known."""
    for scene in shot(motions, shooting):
        size = scene.camera.image_size
        camera = scene.camera if shooting.lens == "given" else camera_of_clip(size)
        track = repaired(scene.track)
        pose = lifter.lift(track, camera)
        yield MotionScore(
            name=scene.name,
            kind=kind_of(scene.name),
            landmarks=bool(np.isfinite(scene.track.landmarks_m).any()),
            rows={
                "lifted": _lifted(pose, scene, shooting.rate_hz),
                "filtered": _filtered(pose, scene, shooting.rate_hz),
                "solved": _solved(track, pose, camera, scene, shooting),
            },
        )


def mean_row(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every measure that is known; of contacts and accelerations over all frames."""
    keys = dict.fromkeys(key for row in rows for key in row)
    mean = {}
    for key in keys:
        values = np.array([row.get(key, np.nan) for row in rows])
        mean[key] = float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
    worst = [key for key in keys if key.startswith("worst_")]
    mean |= {key: float(np.nanmax([row.get(key, np.nan) for row in rows])) for key in worst}
    mean["acceleration_kept"] = (
        mean["acceleration_result_mm_frame2"] / mean["acceleration_reference_mm_frame2"]
    )
    hits, claims, facts = (
        sum(row.get(f"contacts_{name}", 0.0) for row in rows) for name in ("hit", "claimed", "true")
    )
    mean["contact_precision"] = hits / claims if claims else float("nan")
    mean["contact_recall"] = hits / facts if facts else float("nan")
    mean["contact_f1"] = 2 * hits / (claims + facts) if claims else float("nan")
    return mean


def _lifted(pose: Pose3D, scene: Scene, rate_hz: float) -> dict[str, float]:
    return _of_points(pose, cleaned(pose.joints_root_m, rate_hz), pose.root_camera_m, scene, rate_hz)


def _filtered(pose: Pose3D, scene: Scene, rate_hz: float) -> dict[str, float]:
    root = filtered(pose.root_camera_m[:, None], rate_hz)[:, 0]
    return _of_points(pose, filtered(pose.joints_root_m, rate_hz), root, scene, rate_hz)


def _of_points(
    pose: Pose3D, joints_root_m: FloatArray, root_m: FloatArray, scene: Scene, rate_hz: float
) -> dict[str, float]:
    """Return measures of joints without a room, whose camera stands still."""
    names = pose.joint_names
    joints = joints_root_m + root_m[:, None]
    limbs = joints[:, [names.index(name) for name in LIMB_JOINTS]]
    row = _measured(limbs, limbs, root_m, scene, rate_hz)
    if set(CONTACT_POINTS) <= set(names):
        feet = joints[:, [names.index(name) for name in CONTACT_POINTS]]
        row |= _stood(feet, pose.contacts, scene, rate_hz)
    return row


def _solved(
    track: Track2D, pose: Pose3D, camera: Camera, scene: Scene, shooting: Shooting
) -> dict[str, float]:
    rate = Fraction(shooting.rate_hz).limit_denominator(1001)
    (motion,) = solve_clip(
        [track], [pose], camera, rate=rate, fps=None, options=shooting.options, progress=SilentProgress()
    )
    columns = [motion.joint_names.index(name) for name in LIMB_JOINTS]
    row = _measured(
        motion.joints_camera_m[:, columns],
        motion.joints_world_m[:, columns],
        motion.root_camera_m,
        scene,
        shooting.rate_hz,
    )
    soles = _soles(motion)
    below = np.maximum(0.0, -soles[..., 2].min(axis=1)) * 1e3
    up = np.broadcast_to(motion.world_to_camera, (len(motion), 4, 4))[:, :3, 2]
    steps = rotation_steps_deg(motion.local_rotations_wxyz)
    return {
        **row,
        **_stood(soles, motion.contacts, scene, shooting.rate_hz),
        "penetration_mm": float(below.mean()),
        "worst_penetration_mm": float(below.max()),
        "gravity_deg": float(np.degrees(np.arccos(np.clip((up * scene.up).sum(axis=1), -1, 1))).mean()),
        "worst_rotation_step_deg": float(steps.max(initial=0.0)),
        "reprojection_px": float(np.nanmedian(motion.reprojection_px)),
    }


def _soles(motion: Motion) -> FloatArray:
    """Return the (T, 4, 3) points of `CONTACT_POINTS` under the soles, in the world."""
    turned = global_rotations(motion.local_rotations_wxyz, motion.parents.tolist())
    points = []
    for side in ("left_", "right_"):
        ankle, toe = (motion.joint_names.index(side + name) for name in ("ankle", "toe"))
        for share in (_HEEL, _BALL):
            offset = motion.rest_offsets_m[toe] * share
            points.append(motion.joints_world_m[:, ankle] + turned[:, ankle] @ offset)
    return np.stack(points, axis=1)


def _measured(
    camera_m: FloatArray, world_m: FloatArray, root_m: FloatArray, scene: Scene, rate_hz: float
) -> dict[str, float]:
    room = scene.room_m[:, _ROOM]
    row = measures(camera_m, scene.joints_m, fps=rate_hz, roots=HIPS, bones=LIMB_BONES)
    root = root_error(root_m, scene.root_m)
    angles = {
        name: float(np.nanmean(bone_error_deg(camera_m, scene.joints_m, bones)))
        for name, bones in _BONES.items()
    }
    return {
        **row,
        "acceleration_kept": row["acceleration_result_mm_frame2"] / row["acceleration_reference_mm_frame2"],
        "w_mpjpe_mm": w_mpjpe_mm(world_m, room),
        "wa_mpjpe_mm": wa_mpjpe_mm(world_m, room),
        "root_absolute_m": root.absolute_m,
        "root_scaled_m": root.scaled_m,
        "root_per_metre": root_per_metre(
            world_m[:, list(HIPS)].mean(axis=1), room[:, list(HIPS)].mean(axis=1)
        ),
        **angles,
        "limb_deg": float(np.mean(list(angles.values()))),
        "worst_limb_step_deg": float(np.nanmax(bone_steps_deg(camera_m, _ALL_BONES), initial=0.0)),
        "worst_reference_limb_step_deg": float(np.nanmax(bone_steps_deg(scene.joints_m, _ALL_BONES))),
    }


def _stood(feet_m: FloatArray, contacts: FloatArray | None, scene: Scene, rate_hz: float) -> dict[str, float]:
    """Return how feet (T, 4, 3) slide where they stand, and whether they are known to."""
    row = {
        "foot_slide_mm_frame": foot_slide(feet_m, scene.contacts, fps=rate_hz).mm_frame,
        "reference_slide_mm_frame": foot_slide(scene.room_m[:, _FEET], scene.contacts, fps=rate_hz).mm_frame,
    }
    if contacts is None:
        return row
    said, true = contacts >= 0.5, scene.contacts >= 0.5
    score = contact_score(contacts, scene.contacts)
    return row | {
        "own_slide_mm_frame": foot_slide(feet_m, contacts, fps=rate_hz).mm_frame,
        **{f"contact_{name}": value for name, value in score._asdict().items()},
        "contacts_hit": float((said & true).sum()),
        "contacts_claimed": float(said.sum()),
        "contacts_true": float(true.sum()),
    }
