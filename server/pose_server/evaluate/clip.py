"""Lifters, and the whole solve, on a film with a reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose_server.cleanup.cleaning import cleaned_up
from pose_server.detect.detector import Detector
from pose_server.detect.registry import create_detector
from pose_server.egomotion.lines import Backdrop
from pose_server.egomotion.room import seen_room
from pose_server.evaluate.cleanup import cleaned
from pose_server.evaluate.metrics import contact_score, foot_slide, measures, root_error
from pose_server.evaluate.mocap import HIPS, LIMB_BONES, LIMB_JOINTS
from pose_server.evaluate.reference import ClipReference
from pose_server.lift.lifter import Lifter
from pose_server.pipeline.boundary import Camera, FloatArray, IntArray, Pose3D, Track2D, Vertical
from pose_server.pipeline.camera import camera_of_clip, with_focal
from pose_server.pipeline.detection import detect_clip
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.quality import contact_points_m
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.pipeline.witness import Witness
from pose_server.solve.clip import solve_clip
from pose_server.solve.contacts import SOLES
from pose_server.track.selection import number_people
from pose_server.track.tracker import track_people
from pose_server.train.windows import LOW_M, STILL_M_S
from pose_server.video.open import open_clip

__all__ = ["evaluate_clip", "person_of"]


def person_of(reference: ClipReference, detector: str | Detector) -> tuple[Track2D, FloatArray]:
    """Return the track of the largest person, as the pipeline hands it to a lifter, and the room's lines.

    The camera is taken for one that stands still; a detector may be named.
    """
    source = open_clip(reference.film)
    finder = create_detector(detector, "cpu") if isinstance(detector, str) else detector
    backdrop = Backdrop()
    size = (source.info.width, source.info.height)
    witness = Witness(size, finder.keypoint_names)
    found = detect_clip(source, finder, SilentProgress(), look=backdrop.look, witness=witness)
    tracks = track_people(
        found,
        keypoint_names=finder.keypoint_names,
        image_size=size,
        progress=SilentProgress(),
        footage=witness.footage(still=True),
        sure_score=finder.sure_score,
    )
    person = number_people(tracks, len(found))[1]
    return cleaned_up(person), backdrop.lines(found, size, still=True)


def evaluate_clip(
    reference: ClipReference,
    track: Track2D,
    lifters: Sequence[tuple[str, Lifter]],
    *,
    lines_px: FloatArray | None = None,
    options: SolveOptions | None = None,
) -> list[dict[str, float | str]]:
    """Return a row of measures for each lifter alone and solved, with several lenses.

    Parameters
    ----------
    reference
        The film.
    track
        Its person.
    lifters
        With their names.
    lines_px
        (N, 2, 2) of the background: with them the vertical is seen, and, if they tell it, the lens estimated.
        One that is guessed is so without them.
    options
        Of the solve.
    """
    guessed = camera_of_clip(reference.camera.image_size)
    lenses: list[tuple[str, Camera, Vertical | None]] = [("given", reference.camera, None)]
    if lines_px is not None:
        known, room = seen_room(lines_px, reference.camera), seen_room(lines_px, guessed)
        lenses = [("given", reference.camera, None if known is None else known.vertical)]
        if room is not None:
            camera = with_focal(guessed, room.focal_px, room.focal_sigma)
            lenses.append((camera.focal_source, camera, room.vertical))
    lenses.append(("guessed", guessed, None))
    rows: list[dict[str, float | str]] = []
    for lens, camera, vertical in lenses:
        for name, lifter in lifters:
            pose = lifter.lift(track, camera)
            rows.append({"method": f"{name}, lifted", "lens": lens, **_lifted(pose, reference)})
            rows.append(
                {
                    "method": f"{name}, solved",
                    "lens": lens,
                    **_solved(track, pose, camera, vertical, reference, options or SolveOptions()),
                }
            )
    return rows


def _lifted(pose: Pose3D, reference: ClipReference) -> dict[str, float]:
    joints = cleaned(pose.joints_root_m, reference.rate_hz)
    columns = [pose.joint_names.index(name) for name in LIMB_JOINTS]
    return _measured(
        joints[:, columns] + pose.root_camera_m[:, None], pose.root_camera_m, pose.indices, reference
    )


def _solved(
    track: Track2D,
    pose: Pose3D,
    camera: Camera,
    vertical: Vertical | None,
    reference: ClipReference,
    options: SolveOptions,
) -> dict[str, float]:
    rate = open_clip(reference.film).info.rate
    (motion,) = solve_clip(
        [track],
        [pose],
        camera,
        rate=rate,
        fps=None,
        options=options,
        progress=SilentProgress(),
        vertical=vertical,
    )
    columns = [motion.joint_names.index(name) for name in LIMB_JOINTS]
    row = _measured(motion.joints_camera_m[:, columns], motion.root_camera_m, motion.frames, reference)
    up = motion.world_to_camera[:3, 2]
    row["gravity_deg"] = float(np.degrees(np.arccos(np.clip(up @ reference.up, -1, 1))))
    row["focal_error"] = float(abs(camera.matrix[0, 0] / reference.camera.matrix[0, 0] - 1))
    row["reprojection_px"] = float(np.nanmedian(motion.reprojection_px))
    own = foot_slide(contact_points_m(motion)[:, :SOLES], motion.contacts[:, :SOLES], fps=float(motion.rate))
    row["own_slide_mm_frame"] = own.mm_frame
    inside = motion.frames < len(reference.feet_m)
    score = contact_score(motion.contacts[inside, :SOLES], _slow_feet(reference)[motion.frames[inside]])
    return row | {f"contact_{name}": value for name, value in score._asdict().items()}


def _slow_feet(reference: ClipReference) -> FloatArray:
    """Return (T, 4) where the reference's feet are slow and low, as the labels of motion capture have it."""
    speed = np.linalg.norm(np.gradient(reference.feet_m, 1 / reference.rate_hz, axis=0), axis=2)
    height = reference.feet_m @ reference.up
    slow = (speed < STILL_M_S) & (height < np.nanmin(height, initial=np.inf) + LOW_M)
    return np.where(np.isfinite(speed), slow, np.nan)


def _measured(
    joints_m: FloatArray, root_m: FloatArray, frames: IntArray, reference: ClipReference
) -> dict[str, float]:
    inside = frames < len(reference.joints_m)
    truth = reference.joints_m[frames[inside]]
    row = measures(joints_m[inside], truth, fps=reference.rate_hz, roots=HIPS, bones=LIMB_BONES)
    root = root_error(root_m[inside], truth[:, list(HIPS)].mean(axis=1))
    return {
        **row,
        "root_absolute_m": root.absolute_m,
        "root_scaled_m": root.scaled_m,
        "root_scale": root.scale,
    }
