"""The whole solve: everybody in a clip, from points in the camera to motion in one world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import Camera, FloatArray, Motion, Pose3D, Track2D
from pose_server.pipeline.camera import project
from pose_server.pipeline.kinematics import global_rotations, joint_positions, same_hemisphere
from pose_server.pipeline.placement import placed
from pose_server.pipeline.progress import Progress
from pose_server.solve.clock import on_clock
from pose_server.solve.contacts import CONTACT_NAMES, sole_points, still, supporting
from pose_server.solve.feet import steadied
from pose_server.solve.frames import unit
from pose_server.solve.ground import Stance, floor_height, upright, world_axes
from pose_server.solve.proportions import Proportions, proportions
from pose_server.solve.resample import joints_in_camera, resampled
from pose_server.solve.rotations import solved_rotations
from pose_server.solve.smoothing import bridged, smoothed, smoothed_rotations

__all__ = ["solve_clip"]

#: Smoothing 0..1 goes from the first cutoff to the second, evenly in octaves.
_LIVELY_HZ = 15.0
_CALM_HZ = 2.0
#: Depth comes from size in the picture and trembles far more than a body does.
_DEPTH_HZ = 1.5
_PLACED_BY = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
#: Beyond this a bridged gap says nothing any more.
_LONG_GAP_S = 1.0
_BRIDGED_CONFIDENCE = 0.2


@dataclass(frozen=True)
class _Person:
    track: Track2D
    body: Proportions
    local: FloatArray
    trust: FloatArray
    root_camera: FloatArray
    stance: Stance


def solve_clip(
    tracks: Sequence[Track2D],
    poses: Sequence[Pose3D],
    camera: Camera,
    *,
    rate: Fraction,
    fps: Fraction | None,
    smoothing: float,
    progress: Progress,
) -> list[Motion]:
    """Fit one skeleton of constant lengths to each person and put all of them into one world.

    Parameters
    ----------
    tracks
        One for each person, after `lift.repair.repaired`: the 2D evidence.
    poses
        The same people lifted, row by row as their tracks.
    camera
        Still, one for the clip.
    rate
        Of the source; rows at uneven times are put on this clock first.
    fps
        Of the result; the source's when None.
    smoothing
        0 leaves the solved motion as it is, 1 is calm.
    progress
        Told how many rows are solved.

    Returns
    -------
    list of Motion
        In the order of the tracks.  Lengths, and with them depth, follow the stature that
        `proportions` assumes.
    """
    total = sum(len(track) for track in tracks)
    done = 0
    people = []
    for track, pose in zip(tracks, poses, strict=True):
        progress.report("solve", done, total)
        people.append(_solved(*on_clock(track, pose, rate), camera, float(rate), smoothing))
        done += len(track)
    progress.report("solve", done, total)
    if not people:
        return []
    up = upright([person.stance for person in people])
    supports = [
        supporting(person.stance.rests, person.stance.soles_m @ up, rate_hz=float(rate)) for person in people
    ]
    floors = [
        floor_height(person.stance.soles_m @ up, contacts)
        for person, contacts in zip(people, supports, strict=True)
    ]
    turn = world_axes(up)
    start = turn @ people[0].root_camera[0]
    origin = np.array([start[0], start[1], min(floors)])
    motions = []
    for person, contacts, floor_m in zip(people, supports, floors, strict=True):
        shift = steadied(
            person.stance.soles_m, contacts, unit(person.root_camera), up, floor_m, rate_hz=float(rate)
        )
        motion = _motion(person, person.root_camera + shift, contacts, turn, origin, camera, rate)
        motions.append(resampled(motion, fps) if fps is not None else motion)
    return motions


def _cutoff_hz(smoothing: float) -> float:
    return float(_LIVELY_HZ * (_CALM_HZ / _LIVELY_HZ) ** smoothing)


def _solved(track: Track2D, pose: Pose3D, camera: Camera, rate_hz: float, smoothing: float) -> _Person:
    names = pose.joint_names
    seen = _confidence_of(names, track) * np.isfinite(pose.uncertainty_m)
    body = proportions(names, pose.joints_root_m, seen)
    local, trust = solved_rotations(names, pose.joints_root_m, seen, body.rest_offsets_m, rate_hz=rate_hz)
    local = np.stack([same_hemisphere(local[:, joint]) for joint in range(local.shape[1])], axis=1)
    if smoothing > 0:
        cutoff = _cutoff_hz(smoothing)
        for joint in range(local.shape[1]):
            local[:, joint] = smoothed_rotations(
                local[:, joint], rate_hz=rate_hz, cutoff_hz=cutoff, weights=trust[:, joint] ** 2 + 0.02
            )
    root = _placed_root(track, local, body, camera, rate_hz, smoothing)
    joints = joint_positions(local, root, body.rest_offsets_m, SKELETON.parents)
    rotations = global_rotations(local, SKELETON.parents)
    soles = sole_points(joints, rotations, body)
    ankles = [SKELETON.index(side + "_ankle") for side in ("left", "left", "right", "right")]
    rests = still(soles, trust[:, ankles], rate_hz=rate_hz)
    return _Person(track, body, local, trust, root, Stance(joints, rotations, soles, rests))


def _confidence_of(names: Sequence[str], track: Track2D) -> FloatArray:
    """Return the track's (T, K) confidence under a lifter's names; 1 for points without a keypoint."""
    places = {name: i for i, name in enumerate(track.keypoint_names)}
    found = track.found.astype(float)
    return np.stack(
        [track.keypoint_confidence[:, places[name]] if name in places else found for name in names], axis=1
    )


def _placed_root(
    track: Track2D, local: FloatArray, body: Proportions, camera: Camera, rate_hz: float, smoothing: float
) -> FloatArray:
    """Return the (T, 3) root in the camera: where the solved body projects onto the keypoints."""
    still_body = joint_positions(local, np.zeros((len(local), 3)), body.rest_offsets_m, SKELETON.parents)
    pairs = [
        (SKELETON.index(name), track.keypoint_names.index(name))
        for side in ("left_", "right_")
        for part in _PLACED_BY
        if (name := side + part) in track.keypoint_names
    ]
    joints, points = (list(column) for column in zip(*pairs, strict=True))
    weights = track.keypoint_confidence[:, points]
    root = placed(still_body[:, joints], track.keypoints_px[:, points], weights, camera.matrix)
    known = np.isfinite(root).all(axis=1)
    if not known.any():
        return np.tile([0.0, 0.0, 4.0], (len(local), 1))
    with np.errstate(invalid="ignore"):
        sight = np.concatenate([root[:, :2] / root[:, 2:], np.log(root[:, 2:])], axis=1)
    sight = bridged(sight, known)
    trust = np.where(known, weights.mean(axis=1) ** 2, 0.0) + 0.02
    across, depth = sight[:, :2], sight[:, 2:]
    if smoothing > 0:
        across = smoothed(across, rate_hz=rate_hz, cutoff_hz=_cutoff_hz(smoothing), weights=trust)
    depth = np.exp(smoothed(depth, rate_hz=rate_hz, cutoff_hz=_DEPTH_HZ, weights=trust))
    return np.asarray(np.concatenate([across * depth, depth], axis=1))


def _motion(
    person: _Person,
    root_camera: FloatArray,
    contacts: FloatArray,
    turn: FloatArray,
    origin: FloatArray,
    camera: Camera,
    rate: Fraction,
) -> Motion:
    local = person.local.copy()
    world = Rotation.from_matrix(turn) * Rotation.from_quat(local[:, 0], scalar_first=True)
    local[:, 0] = same_hemisphere(world.as_quat(scalar_first=True))
    root_world = root_camera @ turn.T - origin
    to_camera = np.eye(4)
    to_camera[:3, :3] = turn.T
    to_camera[:3, 3] = turn.T @ origin
    joints_world = joint_positions(local, root_world, person.body.rest_offsets_m, SKELETON.parents)
    joints_camera = joints_in_camera(joints_world, to_camera)
    track = person.track
    return Motion(
        rate=rate,
        times_s=track.times_s,
        frames=track.indices,
        joint_names=SKELETON.joints,
        parents=np.array(SKELETON.parents),
        rest_offsets_m=person.body.rest_offsets_m,
        local_rotations_wxyz=local,
        root_world_m=root_world,
        joints_world_m=joints_world,
        joints_camera_m=joints_camera,
        root_camera_m=joints_camera[:, 0].copy(),
        confidence=_confidence(person.trust, float(rate)),
        contact_names=CONTACT_NAMES,
        contacts=contacts,
        keypoint_names=track.keypoint_names,
        keypoints_px=track.keypoints_px,
        keypoint_confidence=track.keypoint_confidence,
        camera=camera,
        world_to_camera=to_camera,
        reprojection_px=_reprojection(joints_camera, track, camera),
    )


def _confidence(trust: FloatArray, rate_hz: float) -> FloatArray:
    """Return (T, J) confidence: bridged rows fade from low to nothing as the gap goes on."""
    rows = np.arange(len(trust))
    result = trust.copy()
    for joint in range(trust.shape[1]):
        places = np.flatnonzero(trust[:, joint] > 0)
        if len(places) == 0:
            continue
        after = np.searchsorted(places, rows)
        near = np.minimum(
            np.abs(places[np.minimum(after, len(places) - 1)] - rows),
            np.abs(rows - places[np.maximum(after - 1, 0)]),
        )
        fade = _BRIDGED_CONFIDENCE * np.clip(1 - 2 * near / (_LONG_GAP_S * rate_hz), 0, 1)
        result[:, joint] = np.where(trust[:, joint] > 0, trust[:, joint], fade)
    return result


def _reprojection(joints_camera: FloatArray, track: Track2D, camera: Camera) -> FloatArray:
    result = np.full(joints_camera.shape[:2], np.nan)
    projected = project(joints_camera, camera.matrix)
    for joint, name in enumerate(SKELETON.joints):
        if name in track.keypoint_names:
            seen = track.keypoints_px[:, track.keypoint_names.index(name)]
            result[:, joint] = np.linalg.norm(projected[:, joint] - seen, axis=1)
    return result
