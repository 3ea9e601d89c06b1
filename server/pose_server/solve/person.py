"""One person's skeleton in the camera: measured, posed, fitted; then sized and calmed as asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import SKELETON
from scipy.ndimage import maximum_filter1d
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import Camera, CameraPath, FloatArray, Pose3D, Track2D
from pose_server.pipeline.kinematics import global_rotations, joint_positions, same_hemisphere
from pose_server.solve.contacts import CARRIERS, SOLES, clearances, contact_points, resting
from pose_server.solve.fit import FITTED_BONES, FITTED_POINTS, Evidence, fitted
from pose_server.solve.frames import across, unit
from pose_server.solve.ground import Stance
from pose_server.solve.proportions import Proportions, proportions
from pose_server.solve.rotations import solved_rotations
from pose_server.solve.smoothing import accented, bridged, smoothed, smoothed_rotations, unsnapped
from pose_server.solve.travel import Soles

__all__ = ["Person", "fitted_person", "lifted_soles"]

#: Smoothing 0..1 goes from the first cutoff to the second, evenly in octaves.
_LIVELY_HZ = 15.0
_CALM_HZ = 2.0
#: Depth comes from size in the picture and trembles far more than a body does.
_DEPTH_HZ = 3.0
#: Half of gravity: who falls or lands must not be smoothed into floating.
_ACCENT_M_S2 = 5.0
_ACCENT_RAD_S2 = 60.0
#: Even a joint that is hardly seen holds its own a little against its neighbours in time.
_LEAST_WEIGHT = 0.02
#: What the fit does not turn keeps the direction in space that its own points gave it.
_KEPT = ("head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
#: Joints that the fit takes as they are: what trembles in them it would have to make up for.
_CALMED = ("chest", "neck", "left_clavicle", "right_clavicle")
_CALMED_HZ = 3.0
#: A lifted point that is no better known than this counts fully, one twice as uncertain a quarter.
_CERTAIN_M = 0.05
#: How far a guess is trusted at most, against 1 for what is clearly seen.
_GUESSED = 0.3
_NOWHERE_M = (0.0, 0.0, 4.0)
_SOLES = list(CARRIERS[:SOLES])
#: A leg of which neither knee nor ankle is seen this well, for longer than this before and after, is out of
#: the picture, and what a lifter says of its foot a habit.
_LEG_SEEN = 0.1
_LEG_MISSED_S = 0.5
#: Joints of the trunk that lie between points which detectors and lifters know.
_MIDDLES = {
    "pelvis": ("left_hip", "right_hip"),
    "neck": ("left_shoulder", "right_shoulder"),
    "head": ("left_ear", "right_ear"),
}


@dataclass(frozen=True)
class Person:
    """One person fitted to what the camera saw, whatever was asked of the outcome."""

    track: Track2D
    """On the clip's clock."""
    told: FloatArray | None
    """(T, 4) 0..1 what the lifter says of contacts; None if it says nothing."""
    body: Proportions
    local_wxyz: FloatArray
    """(T, J, 4), the root's in the camera."""
    root_camera_m: FloatArray
    """(T, 3) from the place where the camera then stood, in the axes of the first frame's."""
    trust: FloatArray
    """(T, J) 0..1, 0 in bridged rows."""
    path: CameraPath | None = None
    """How the camera moved, row by row, its places in metres; None if it stood still."""

    @property
    def eye_m(self) -> FloatArray:
        """(T, 3) where the camera stood, from its first place and in its first axes."""
        moved = self.path is not None and self.path.places is not None
        return self.path.places if moved else np.zeros_like(self.root_camera_m)  # type: ignore[union-attr,return-value]

    @property
    def root_m(self) -> FloatArray:
        """(T, 3) from the camera's first place, in its first axes: these stand still."""
        return self.root_camera_m + self.eye_m

    def scaled(self, factor: float) -> Person:
        """Return the same, as much larger as farther away: the picture cannot tell."""
        return replace(self, body=self.body.scaled(factor), root_camera_m=self.root_camera_m * factor)

    def standing_at(self, root_m: FloatArray) -> Person:
        """Return the same with another `root_m`."""
        return replace(self, root_camera_m=root_m - self.eye_m)

    def filmed_along(self, factor: float) -> Person:
        """Return the same, seen by a camera on a way so many times as long."""
        return self if self.path is None else replace(self, path=self.path.scaled(factor))

    def calmed(self, smoothing: float, *, rate_hz: float) -> Person:
        """Return the same, filtered forth and back in time: 0 leaves all but depth as it is, 1 is calm."""
        local = _smoothed(self.local_wxyz, self.trust, rate_hz=rate_hz, smoothing=smoothing)
        root = _steadied(self.root_m, self.root_camera_m, rate_hz=rate_hz, smoothing=smoothing)
        return replace(self.standing_at(root), local_wxyz=local)

    @property
    def measured(self) -> bool:
        """Whether the camera's way is known in metres."""
        return self.path is not None and self.path.metric

    def soles(self, *, rate_hz: float) -> Soles:
        """Return what the soles tell of the camera's way."""
        stance = self.stance(rate_hz=rate_hz)
        eye_m = self.eye_m
        # What only the lifter knows of feet is enough here, in rows where somebody is seen.
        trust = np.fmax(self.trust[:, _SOLES], _GUESSED * self.trust.max(axis=1, keepdims=True))
        return Soles(stance.soles_m - eye_m[:, None], trust, self.told, eye_m, self.root_camera_m)

    def stance(self, *, rate_hz: float) -> Stance:
        """Return what the motion tells about the ground."""
        joints = joint_positions(self.local_wxyz, self.root_m, self.body.rest_offsets_m, SKELETON.parents)
        points = contact_points(joints, global_rotations(self.local_wxyz, SKELETON.parents), self.body)
        told = None if self.told is None else self.told * self._legs_seen(rate_hz=rate_hz)
        rests = resting(points, self.trust[:, CARRIERS], told, rate_hz=rate_hz, eye_m=self.eye_m)
        return Stance(joints, points, clearances(self.body), rests)

    def _legs_seen(self, *, rate_hz: float) -> NDArray[np.bool_]:
        """Return (T, 4) whether the leg of each sole is in the picture, at least shortly before or after."""
        legs = [_confidence_of((side + "_knee", side + "_ankle"), self.track) for side in ("left", "right")]
        seen = np.stack([leg.max(axis=1) for leg in legs], axis=1)
        reach = 2 * round(_LEG_MISSED_S * rate_hz) + 1
        return np.repeat(maximum_filter1d(seen, reach, axis=0, mode="nearest") > _LEG_SEEN, 2, axis=1)


def fitted_person(
    track: Track2D,
    pose: Pose3D,
    camera: Camera,
    path: CameraPath | None,
    *,
    rate_hz: float,
    report: Callable[[float], None],
) -> Person:
    """Fit one person whose track and pose have a row for every frame of the clip's clock.

    So has the camera's path, whose places are metres by now.  Bone lengths come from the lifted points,
    rotations from the same in closed form, and both are then fitted to the keypoints.

    `report` is told the share of the work that is done, a few times a
    second, and may raise.
    """
    if path is not None:
        pose = _unturned(pose, path.turns)
    names = pose.joint_names
    # What the camera did not see, the lifter still guesses: better than no body at all.
    guessed = np.minimum((_CERTAIN_M / np.fmax(pose.uncertainty_m, _CERTAIN_M)) ** 2, _GUESSED)
    seen = np.fmax(_confidence_of(names, track), guessed) * np.isfinite(pose.joints_root_m).all(axis=2)
    body = proportions(names, pose.joints_root_m, seen)
    local, trust = solved_rotations(names, pose.joints_root_m, seen, body.rest_offsets_m, rate_hz=rate_hz)
    report(0.2)
    evidence = _evidence(track, pose, path, body.stature_m / body.seen_stature_m)
    for joint in map(SKELETON.index, _CALMED):
        local[:, joint] = smoothed_rotations(
            local[:, joint],
            rate_hz=rate_hz,
            cutoff_hz=_CALMED_HZ,
            weights=trust[:, joint] ** 2 + _LEAST_WEIGHT,
        )
    root = _first_root(evidence)
    turned, root, offsets = fitted(
        local,
        root,
        evidence,
        body.rest_offsets_m,
        camera.matrix,
        stature_m=body.stature_m,
        rate_hz=rate_hz,
        report=lambda share: report(0.2 + 0.8 * share),
    )
    body = replace(body, rest_offsets_m=offsets)
    return Person(track, pose.contacts, body, _kept_in_space(local, turned), root, trust, path)


def lifted_soles(track: Track2D, pose: Pose3D, path: CameraPath) -> Soles:
    """Return what ankles, which every lifter has, tell of a camera's way before anything is fitted."""
    pose = _unturned(pose, path.turns)
    seen = _confidence_of(pose.joint_names, track)
    columns = [pose.joint_names.index(SKELETON.joints[joint]) for joint in _SOLES]
    ankles = pose.joints_root_m[:, columns] + pose.root_camera_m[:, None]
    places = path.places if path.places is not None else np.zeros_like(pose.root_camera_m)
    return Soles(ankles, np.fmax(seen[:, columns], _GUESSED), pose.contacts, places, pose.root_camera_m)


def _unturned(pose: Pose3D, turns: FloatArray) -> Pose3D:
    """Return a pose that a turning camera has in its own axes in those of its first frame."""
    return replace(
        pose,
        joints_root_m=pose.joints_root_m @ turns,
        root_camera_m=(pose.root_camera_m[:, None] @ turns)[:, 0],
    )


def _confidence_of(names: Sequence[str], track: Track2D) -> FloatArray:
    """Return the track's (T, K) confidence under a lifter's names; 1 for points without a keypoint."""
    places = {name: i for i, name in enumerate(track.keypoint_names)}
    found = track.found.astype(float)
    columns = [track.keypoint_confidence[:, places[name]] if name in places else found for name in names]
    return np.stack(columns, axis=1)


def _evidence(track: Track2D, pose: Pose3D, path: CameraPath | None, scale: float) -> Evidence:
    """Collect what the fit looks at: keypoints by confidence, lifted directions by certainty.

    `scale` is that of the fitted body over the lifted one, whose distance goes with it.
    """
    frames = len(track)
    keypoints = np.full((frames, len(FITTED_POINTS), 2), np.nan)
    weights = np.zeros(keypoints.shape[:2])
    for i, name in enumerate(FITTED_POINTS):
        members = _MIDDLES.get(name, (name,))
        if all(member in track.keypoint_names for member in members):
            columns = [track.keypoint_names.index(member) for member in members]
            places, sure = track.keypoints_px[:, columns], track.keypoint_confidence[:, columns]
            there = np.isfinite(places).all(axis=2)
            # Of a head in profile one ear is seen, and lies where the middle does.
            share = there / np.where(there.any(axis=1), there.sum(axis=1), np.nan)[:, None]
            keypoints[:, i] = np.sum(np.nan_to_num(places) * share[..., None], axis=1)
            weights[:, i] = np.where(there, sure, np.inf).min(axis=1) ** 2
    weights = np.where(np.isfinite(keypoints).all(axis=2), weights, 0.0)

    def lifted(*members: str) -> tuple[FloatArray, FloatArray]:
        if any(name not in pose.joint_names for name in members):
            return np.full((frames, 3), np.nan), np.full(frames, np.nan)
        columns = [pose.joint_names.index(name) for name in members]
        return pose.joints_root_m[:, columns].mean(axis=1), pose.uncertainty_m[:, columns].max(axis=1)

    directions, trust = [], []
    for start, end in FITTED_BONES:
        a, b = lifted(*_MIDDLES.get(start, (start,))), lifted(*_MIDDLES.get(end, (end,)))
        directions.append(unit(b[0] - a[0]))
        trust.append((_CERTAIN_M / np.maximum(np.maximum(a[1], b[1]), _CERTAIN_M)) ** 2)
    along = np.stack(directions, axis=1)
    certain = np.where(np.isfinite(along).all(axis=2), np.nan_to_num(np.stack(trust, axis=1)), 0.0)
    turns, eye_m = (None, None) if path is None else (path.turns, path.places)
    return Evidence(keypoints, weights, along, certain, scale * pose.root_camera_m, turns, eye_m)


def _first_root(evidence: Evidence) -> FloatArray:
    """Return (T, 3) where the lifter has the root, gaps bridged."""
    known = np.isfinite(evidence.root_m).all(axis=1)
    if not known.any():
        ahead = np.tile(_NOWHERE_M, (len(known), 1))
        return ahead if evidence.turns is None else (ahead[:, None] @ evidence.turns)[:, 0]
    eye_m = 0.0 if evidence.eye_m is None else evidence.eye_m
    return bridged(evidence.root_m + eye_m, known) - eye_m


def _kept_in_space(before_wxyz: FloatArray, after_wxyz: FloatArray) -> FloatArray:
    """Return the fitted rotations with head, hands and feet turned as they were before, in space."""
    kept = global_rotations(before_wxyz, SKELETON.parents)
    now = global_rotations(after_wxyz, SKELETON.parents)
    local = after_wxyz.copy()
    for name in _KEPT:
        joint = SKELETON.index(name)
        turn = np.swapaxes(now[:, SKELETON.parents[joint]], 1, 2) @ kept[:, joint]
        local[:, joint] = Rotation.from_matrix(turn).as_quat(scalar_first=True)
    return local


def _steadied(
    root_m: FloatArray, root_camera_m: FloatArray, *, rate_hz: float, smoothing: float
) -> FloatArray:
    """Filter the root: along the view always, across it as asked."""
    calm = smoothed(root_m, rate_hz=rate_hz, cutoff_hz=_DEPTH_HZ)
    root = calm + across(root_m - calm, unit(root_camera_m))
    if smoothing == 0:
        return root
    return accented(root, rate_hz=rate_hz, cutoff_hz=_cutoff_hz(smoothing), accent=_ACCENT_M_S2)


def _cutoff_hz(smoothing: float) -> float:
    return float(_LIVELY_HZ * (_CALM_HZ / _LIVELY_HZ) ** smoothing)


def _smoothed(local_wxyz: FloatArray, trust: FloatArray, *, rate_hz: float, smoothing: float) -> FloatArray:
    """Filter rotations."""
    local = same_hemisphere(local_wxyz)
    for index in range(local.shape[1]):
        local[:, index] = unsnapped(local[:, index], rate_hz=rate_hz)
    if smoothing > 0:
        weights = trust**2 + _LEAST_WEIGHT
        for index, joint in enumerate(SKELETON.joints):
            local[:, index] = smoothed_rotations(
                local[:, index],
                rate_hz=rate_hz,
                cutoff_hz=_cutoff_hz(smoothing),
                # Head, hands and feet tremble too much for what is fast in them to be believed.
                accent_rad_s2=math.inf if joint in _KEPT else _ACCENT_RAD_S2,
                weights=weights[:, index],
            )
    return local
