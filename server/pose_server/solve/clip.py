"""The whole solve: everybody in a clip, from points in the camera to motion in one world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import (
    Camera,
    CameraPath,
    FloatArray,
    Motion,
    Pose3D,
    Track2D,
    Vertical,
)
from pose_server.pipeline.camera import project
from pose_server.pipeline.distortion import distorted
from pose_server.pipeline.kinematics import joint_positions, same_hemisphere
from pose_server.pipeline.progress import Progress
from pose_server.pipeline.solve_options import CONTACT_POINTS, PartFilter, SolveOptions
from pose_server.solve.clock import on_clock
from pose_server.solve.company import apart
from pose_server.solve.contact_edits import edited
from pose_server.solve.contacts import SOLES, supporting
from pose_server.solve.filters import filtered
from pose_server.solve.ground import SIZE_SHARE, Stance, common_level, floor_height, upright, world_axes
from pose_server.solve.person import Person, fitted_person, lifted_soles
from pose_server.solve.planting import planted
from pose_server.solve.resample import joints_in_camera, resampled
from pose_server.solve.travel import way_of

__all__ = ["arranged", "fit_people", "solve_clip"]

#: Beyond this a bridged gap says nothing any more.
_LONG_GAP_S = 1.0
_BRIDGED_CONFIDENCE = 0.2
#: A camera's way in metres makes nobody larger, or smaller, by more.
_MOST_SIZE = 1.4


def solve_clip(
    tracks: Sequence[Track2D],
    poses: Sequence[Pose3D],
    camera: Camera,
    *,
    rate: Fraction,
    fps: Fraction | None,
    options: SolveOptions,
    progress: Progress,
    path: CameraPath | None = None,
    vertical: Vertical | None = None,
) -> list[Motion]:
    """Fit one skeleton of constant lengths to each person and put all of them into one world.

    Parameters
    ----------
    tracks
        One for each person, after `cleanup.cleaning.cleaned_up`: the 2D evidence.
    poses
        The same people lifted, row by row as their tracks.
    camera
        One for the clip.
    rate
        Of the source; rows at uneven times are put on this clock first.
    fps
        Of the result; the source's when None.
    options
        What the user asked for.
    progress
        Told how many rows are solved; may cancel.
    path
        How the camera moved; None if it stood still.
    vertical
        Which way is up, where the background shows it.

    Returns
    -------
    list of Motion
        In the order of the tracks.  Lengths, and with them depth, follow the actor's height where it
        is given, else the stature that `proportions` assumes.
    """
    people = fit_people(tracks, poses, camera, rate=rate, progress=progress, path=path)
    return arranged(people, camera, rate=rate, fps=fps, options=options, progress=progress, vertical=vertical)


def fit_people(
    tracks: Sequence[Track2D],
    poses: Sequence[Pose3D],
    camera: Camera,
    *,
    rate: Fraction,
    progress: Progress,
    path: CameraPath | None = None,
) -> list[Person]:
    """Return everybody fitted to the picture: the long part of the work, in which no option matters.

    Takes what `solve_clip` takes.
    """
    total = sum(len(track) for track in tracks)
    clocked = [on_clock(track, pose, rate) for track, pose in zip(tracks, poses, strict=True)]
    if path is not None and not path.metric:
        soles = [lifted_soles(track, pose, path.at(track.indices)) for track, pose in clocked]
        way = way_of(soles, rate_hz=float(rate))
        path = path.scaled(way.factor if way else 0.0)
    people: list[Person] = []
    before = 0
    for (seen, lifted), track in zip(clocked, tracks, strict=True):

        def report(share: float, before: int = before, rows: int = len(track)) -> None:
            progress.report("solve", before + int(share * rows), total)

        moved = path.at(seen.indices) if path is not None else None
        people.append(fitted_person(seen, lifted, camera, moved, rate_hz=float(rate), report=report))
        before += len(track)
    progress.report("solve", total, total)
    return people


def arranged(
    people: Sequence[Person],
    camera: Camera,
    *,
    rate: Fraction,
    fps: Fraction | None,
    options: SolveOptions,
    progress: Progress,
    vertical: Vertical | None = None,
) -> list[Motion]:
    """Return fitted people as motions in one room: sized, calmed, upright, on a floor that holds their feet.

    Takes what `solve_clip` takes.
    """
    if not people:
        return []
    rate_hz = float(rate)
    if options.height_m is not None:  # of the first; the others keep their size beside them
        factor = options.height_m / people[0].body.height_m
        people = [person.scaled(factor).filmed_along(1.0 if person.measured else factor) for person in people]
    people = _travelled(people, sized=options.height_m is not None, rate_hz=rate_hz)
    people = [person.calmed(options.smoothing, rate_hz=rate_hz) for person in people]
    people = [_refiltered(person, options.filters, rate_hz) for person in people]
    stances = [person.stance(rate_hz=rate_hz) for person in people]
    world = next((person.path.world for person in people if person.path is not None), None)
    up = upright(stances, vertical) if world is None else world[2, :3]

    def floor_of(stance: Stance) -> float:
        heights = stance.heights_m(up)[:, :SOLES]
        return floor_height(heights, supporting(stance.stands, heights, 0.0, "auto", rate_hz=rate_hz))

    # Somebody who is never seen to stand knows nothing of the floor, unless nobody does.
    standing = [i for i, stance in enumerate(stances) if stance.stands.any()] or list(range(len(people)))
    if options.floor != "none" and len(standing) > 1:
        levels = common_level([floor_of(stances[i]) for i in standing], flat=options.floor == "flat")
        factors = dict(zip(standing, levels, strict=True))
        if options.height_m is not None:  # whose height is given keeps it
            factors = {i: factor / factors.get(0, 1.0) for i, factor in factors.items()}
        people = [person.scaled(factors.get(i, 1.0)) for i, person in enumerate(people)]
        people = _travelled(people, sized=True, rate_hz=rate_hz)
    if len(people) > 1:
        people = apart(people, up, rate_hz=rate_hz)
        stances = [person.stance(rate_hz=rate_hz) for person in people]
    floors = [floor_of(stance) for stance in stances]
    stood, contacts = [], []
    for place, (person, stance, floor_m) in enumerate(zip(people, stances, floors, strict=True), start=1):
        heights = stance.heights_m(up)
        carries = supporting(stance.rests, heights, floor_m, options.contacts, rate_hz=rate_hz)
        carries = edited(carries, person.track.indices, options.edits, place)
        local, root = planted(
            person.local_wxyz,
            person.root_m,
            person.body,
            carries,
            up,
            floor_m if options.floor in ("auto", "flat") else None,
            level=options.floor == "flat",
            rate_hz=rate_hz,
            eye_m=person.eye_m,
        )
        stood.append(replace(person.standing_at(root), local_wxyz=local))
        contacts.append(carries)
        progress.check()
    if world is None:
        turn = world_axes(up)
        origin = turn @ stood[0].root_m[0]
        origin[2] = min(floors[i] for i in standing)
    else:
        turn, origin = world[:3, :3], -world[:3, 3]
    motions = []
    for person, carries in zip(stood, contacts, strict=True):
        motion = _motion(person, carries, turn, origin, camera, rate)
        motions.append(resampled(motion, fps) if fps is not None else motion)
        progress.check()
    return motions


def _travelled(people: Sequence[Person], *, sized: bool, rate_hz: float) -> list[Person]:
    """Return people whose size and whose camera's way go together.

    A way up to a factor gets theirs from people as they are; one in metres tells their size, if nothing
    better does.  They share one camera, so all change alike.
    """
    moved = [person for person in people if person.path is not None and person.path.places is not None]
    if not moved or (moved[0].measured and sized):
        return list(people)
    way = way_of([person.soles(rate_hz=rate_hz) for person in moved], rate_hz=rate_hz)
    if way is None:
        return list(people)
    if not moved[0].measured:
        return [person.filmed_along(way.factor) for person in people]
    sure = SIZE_SHARE**2 / (SIZE_SHARE**2 + way.error**2)
    size = np.clip(way.factor**-sure, 1 / _MOST_SIZE, _MOST_SIZE)
    return [person.scaled(float(size)) for person in people]


def _refiltered(person: Person, filters: Sequence[PartFilter], rate_hz: float) -> Person:
    """Apply the filters that were asked for, before feet are held: they shall not let go of them."""
    local, root = filtered(person.local_wxyz, person.root_m, filters, SKELETON.joints, rate_hz)
    return replace(person.standing_at(root), local_wxyz=local)


def _motion(
    person: Person,
    contacts: FloatArray,
    turn: FloatArray,
    origin: FloatArray,
    camera: Camera,
    rate: Fraction,
) -> Motion:
    local = person.local_wxyz.copy()
    world = Rotation.from_matrix(turn) * Rotation.from_quat(local[:, 0], scalar_first=True)
    local[:, 0] = world.as_quat(scalar_first=True)
    local = same_hemisphere(local)
    root_world = person.root_m @ turn.T - origin
    to_camera = np.eye(4)
    to_camera[:3, :3] = turn.T
    to_camera[:3, 3] = turn.T @ origin
    if person.path is not None:
        moving = np.tile(np.eye(4), (len(person.path.turns), 1, 1))
        moving[:, :3, :3] = person.path.turns
        moving[:, :3, 3] = -(person.path.turns @ person.eye_m[..., None])[..., 0]
        to_camera = moving @ to_camera
    joints_world = joint_positions(local, root_world, person.body.rest_offsets_m, SKELETON.parents)
    joints_camera = joints_in_camera(joints_world, to_camera)
    track = replace(person.track, keypoints_px=distorted(person.track.keypoints_px, camera))
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
        contact_names=CONTACT_POINTS,
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
    """Return (T, J) distances in the picture, in which both the joints and the track are seen."""
    result = np.full(joints_camera.shape[:2], np.nan)
    projected = distorted(project(joints_camera, camera.matrix), camera)
    for joint, name in enumerate(SKELETON.joints):
        if name in track.keypoint_names:
            seen = track.keypoints_px[:, track.keypoint_names.index(name)]
            result[:, joint] = np.linalg.norm(projected[:, joint] - seen, axis=1)
    return result
