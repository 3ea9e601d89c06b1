"""The whole solve on motion capture of people the lifter never saw: the truth is known.

Every stretch is filmed by a still camera of its own and seen with the errors that training assumes
detectors to make, and in some frames as somebody else altogether.  Three motions are compared with the
truth: the lifter's joints as `evaluate.cleanup` leaves them, the same after the usual low-pass filter, and
the solved ones.  The truth has points and no rotations, so rotations are compared as directions of bones.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from pose_shared.skeleton import BODY_31

from pose_server.cleanup.cleaning import cleaned_up
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
from pose_server.evaluate.mocap import HIPS, LIMB_BONES, LIMB_JOINTS, Scene
from pose_server.evaluate.shooting import Shooting, shot
from pose_server.evaluate.takes import kind_of
from pose_server.lift.lifter import Lifter
from pose_server.lift.network import CONTACT_POINTS
from pose_server.lift.steady_view import lifted_steadily
from pose_server.pipeline.boundary import Camera, CameraPath, FloatArray, Motion, Pose3D, Track2D
from pose_server.pipeline.camera import camera_of_clip
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.quality import contact_points_m
from pose_server.solve.clip import solve_clip
from pose_server.solve.contacts import SOLES
from pose_server.train.motions import MotionSet

__all__ = ["METHODS", "MotionScore", "evaluate_motion", "mean_row"]

METHODS = ("lifted", "filtered", "solved")

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
#: What a way that is known up to a factor is measured in; and how far about its middle one must go to count.
_UNIT = 3.7
_LEAST_WAY_M = 0.1
#: The labels of contacts know only feet, and only the lowest level: of these they say too little.
_UNLABELLED = ("climb", "crawl", "lie", "stairs")
#: Measures that stand for so many frames as another one says.
_WEIGHTS = {
    "foot_slide_mm_frame": "contacts_true",
    "reference_slide_mm_frame": "contacts_true",
    "own_slide_mm_frame": "contacts_claimed",
}


@dataclass(frozen=True)
class MotionScore:
    """One scene and its measures."""

    number: int
    """Of the scene in its shooting."""
    name: str
    """Of the take."""
    kind: str
    seen: str
    """How much the detector saw of the person."""
    turned: str
    """Which rotation of the solved motion turned farthest between two frames, and when."""
    rows: dict[str, dict[str, float]]
    """Measures of each of `METHODS`."""


def evaluate_motion(lifter: Lifter, motions: MotionSet, shooting: Shooting) -> Iterator[MotionScore]:
    """Yield the scores of each scene as soon as they are known."""
    for number, scene in enumerate(shot(motions, shooting)):
        kind = kind_of(scene.name)
        camera = scene.camera if shooting.lens == "given" else camera_of_clip(scene.camera.image_size)
        track = cleaned_up(scene.track, shooting.cleanup)
        pose = lifted_steadily(lifter, track, camera, scene.path)
        start = time.perf_counter()
        path = _told(scene.path, shooting.way)
        motion = _motion(track, pose, camera, path, shooting)
        speed = len(motion) / (time.perf_counter() - start)
        rows = {
            "lifted": _lifted(pose, scene, shooting.rate_hz),
            "filtered": _filtered(pose, scene, shooting.rate_hz),
            "solved": {**_solved(motion, scene, shooting.rate_hz), "frames_per_s": speed},
        }
        if kind in _UNLABELLED:
            rows = {method: _without_contacts(row) for method, row in rows.items()}
        yield MotionScore(number, scene.name, kind, _seen(scene.track), _turned(motion), rows)


def mean_row(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every measure where it is known, and the largest of what is called worst.

    Of contacts, feet and accelerations all frames count alike, of everything else all scenes.
    """
    table = {key: np.array([row.get(key, np.nan) for row in rows]) for row in rows for key in row}
    mean = {}
    for key, values in table.items():
        weight = table[_WEIGHTS[key]] if key in _WEIGHTS else np.ones(len(values))
        known = np.isfinite(values) & (weight > 0)
        if not known.any():
            mean[key] = float("nan")
        elif key.startswith("worst_"):
            mean[key] = float(values[known].max())
        else:
            mean[key] = float(np.average(values[known], weights=weight[known]))
    mean["acceleration_kept"] = (
        mean["acceleration_result_mm_frame2"] / mean["acceleration_reference_mm_frame2"]
    )
    if "contacts_hit" in mean:
        hits, claims, facts = (mean[f"contacts_{name}"] for name in ("hit", "claimed", "true"))
        mean["contact_precision"] = hits / claims if claims else float("nan")
        mean["contact_recall"] = hits / facts if facts else float("nan")
        mean["contact_f1"] = 2 * hits / (claims + facts) if claims + facts else float("nan")
    return mean


def _seen(track: Track2D) -> str:
    """Return what the detector gave of the person."""
    there = np.isfinite(track.keypoints_px).all(axis=2)[track.found]
    feet, knees = (
        there[:, [i for i, name in enumerate(track.keypoint_names) if part in name]].mean()
        for part in ("ankle", "knee")
    )
    if min(feet, knees) < 0.5:
        return "cut off"
    return "2D and landmarks" if np.isfinite(track.landmarks_m).any() else "2D only"


def _turned(motion: Motion) -> str:
    steps = rotation_steps_deg(motion.local_rotations_wxyz)
    if not steps.size:
        return ""
    frame, joint = np.unravel_index(steps.argmax(), steps.shape)
    return f"{motion.joint_names[joint]}, row {frame + 1}"


def _without_contacts(row: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in row.items() if "contact" not in key and "slide" not in key}


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


def _told(path: CameraPath | None, way: str) -> CameraPath | None:
    """Return what the solve is told of a camera's path."""
    if path is None or way == "metric":
        return path
    return replace(path.scaled(_UNIT if way == "scaleless" else 0.0), metric=False)


def _motion(
    track: Track2D, pose: Pose3D, camera: Camera, path: CameraPath | None, shooting: Shooting
) -> Motion:
    rate = Fraction(shooting.rate_hz).limit_denominator(1001)
    (motion,) = solve_clip(
        [track],
        [pose],
        camera,
        rate=rate,
        fps=None,
        options=shooting.options,
        progress=SilentProgress(),
        path=path,
    )
    return motion


def _solved(motion: Motion, scene: Scene, rate_hz: float) -> dict[str, float]:
    columns = [motion.joint_names.index(name) for name in LIMB_JOINTS]
    row = _measured(
        motion.joints_camera_m[:, columns],
        motion.joints_world_m[:, columns],
        motion.root_camera_m,
        scene,
        rate_hz,
    )
    feet = contact_points_m(motion)[:, :SOLES]
    below = np.maximum(0.0, -feet[..., 2].min(axis=1)) * 1e3
    up = np.broadcast_to(motion.world_to_camera, (len(motion), 4, 4))[:, :3, 2]
    steps = rotation_steps_deg(motion.local_rotations_wxyz)
    return {
        **row,
        **_stood(feet, motion.contacts[:, :SOLES], scene, rate_hz),
        "penetration_mm": float(below.mean()),
        "worst_penetration_mm": float(below.max()),
        "gravity_deg": float(np.degrees(np.arccos(np.clip((up * scene.up).sum(axis=1), -1, 1))).mean()),
        "way_error": _way_error(motion, scene.path),
        "focal_error": float(abs(motion.camera.matrix[0, 0] / scene.camera.matrix[0, 0] - 1)),
        "worst_rotation_step_deg": float(steps.max(initial=0.0)),
        "reprojection_px": float(np.nanmedian(motion.reprojection_px)),
    }


def _way_error(motion: Motion, path: CameraPath | None) -> float:
    """Return how wrong the length of the camera's way is, as a share; NaN for one that hardly travels."""
    if path is None or path.places is None:
        return float("nan")
    true = float(np.linalg.norm(path.places - path.places.mean(axis=0)))
    turns, shifts = motion.world_to_camera[..., :3, :3], motion.world_to_camera[..., :3, 3:]
    found = -(np.swapaxes(turns, -1, -2) @ shifts)[..., 0]
    way = float(np.linalg.norm(found - found.mean(axis=0)))
    return abs(way / true - 1) if true > _LEAST_WAY_M * math.sqrt(len(path.places)) else float("nan")


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
