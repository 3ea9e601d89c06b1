"""One person's pose in one frame, read from a crop and from the same crop mirrored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import BLAZEPOSE_33, COCO_17

from pose_server.detect.networks import LANDMARK_PIXELS, LandmarkNetwork, Landmarks
from pose_server.detect.roi import Picture, Roi

__all__ = ["Pose", "PoseReader"]

FloatArray = NDArray[np.floating[Any]]

_BODY = len(BLAZEPOSE_33)
#: Mirrored order of all points; those after the body's lie on the midline.
_MIRROR = np.array([*BLAZEPOSE_33.mirror, *range(_BODY, _BODY + 6)])


def _points(*endings: str) -> NDArray[np.intp]:
    return np.array([i for i, name in enumerate(BLAZEPOSE_33.joints) if name.endswith(endings)])


#: Points that are taken from the same view where the views disagree; the last group is the rest.
_GROUPS = [
    _points("shoulder", "hip"),
    _points("elbow", "wrist", "pinky", "index", "thumb"),
    _points("knee", "ankle", "heel", "toe"),
]
_GROUPS.append(np.setdiff1d(np.arange(_BODY + 6), np.concatenate(_GROUPS)))
#: Joints that say where a body is: shoulders, elbows, wrists, hips, knees, ankles.
_MAIN = _points("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_FACE = _points("nose", "inner", "eye", "outer", "ear", "mouth")
_COCO = np.array([BLAZEPOSE_33.index(name) for name in COCO_17.joints])
#: Lines that a body lies about: limbs, sides and diagonals of the trunk, neck.
_BONES = np.array(
    [
        (BLAZEPOSE_33.index(start), BLAZEPOSE_33.index(end))
        for start, end in (
            ("left_shoulder", "left_elbow"),
            ("left_elbow", "left_wrist"),
            ("right_shoulder", "right_elbow"),
            ("right_elbow", "right_wrist"),
            ("left_hip", "left_knee"),
            ("left_knee", "left_ankle"),
            ("right_hip", "right_knee"),
            ("right_knee", "right_ankle"),
            ("left_shoulder", "left_hip"),
            ("right_shoulder", "right_hip"),
            ("left_shoulder", "right_hip"),
            ("right_shoulder", "left_hip"),
            ("left_shoulder", "nose"),
            ("right_shoulder", "nose"),
        )
    ]
)
#: Half of the width of a limb and of half a trunk, in units of the crop's side, where both ends are clear.
_LIMB_RADIUS, _CLEAR = 0.05, 0.4

#: Two views of a clear picture differ by 0.006 of the crop's side (median) to 0.012 (nine in ten);
#: where they differ by more than this, one of them has mixed up limbs and a mean would be neither.
_DISAGREEMENT = 0.04
#: What is left of a point's confidence when the views have nothing in common: one of them may be right.
_DOUBTED = 0.25
#: A crop this far from where its own pose says it should be is cut again.
_OFF_CENTRE, _OFF_SIZE, _OFF_ANGLE = 0.12, 1.25, 0.5


@dataclass(frozen=True)
class Pose:
    """What was seen of a person."""

    keypoints_px: FloatArray
    """(33, 2)."""
    confidence: FloatArray
    """(33,) 0..1: visible, inside the picture, and agreed on by both views."""
    landmarks_m: FloatArray
    """(33, 3) about the hips, axes parallel to the camera's."""
    presence: float
    """0..1, that there is a person at all."""
    roi: Roi
    """Where to look in the next frame."""

    @property
    def score(self) -> float:
        """Presence times the mean confidence of the main joints, 0..1."""
        return self.presence * float(self.confidence[_MAIN].mean())

    @property
    def sureness(self) -> float:
        """Presence times the mean confidence of the clearer half of main joints and face, 0..1.

        Unlike `score` it does not fall when half of a person is hidden or outside the picture.
        """
        clearer = np.sort(self.confidence[_COCO])[len(_COCO) // 2 :]
        return self.presence * float(clearer.mean())

    def gap(self, other: Pose) -> float:
        """Median distance of the main joints, in units of the larger crop's side."""
        apart = np.linalg.norm(self.keypoints_px[_MAIN] - other.keypoints_px[_MAIN], axis=1)
        return float(np.median(apart)) / max(self.roi.side, other.roi.side)

    def has_head_of(self, other: Pose) -> bool:
        """Whether both faces are clear and at the same place."""
        if min(self.confidence[_FACE].mean(), other.confidence[_FACE].mean()) < _CLEAR:
            return False
        apart = self.keypoints_px[_FACE].mean(axis=0) - other.keypoints_px[_FACE].mean(axis=0)
        return float(np.linalg.norm(apart)) < _LIMB_RADIUS * min(self.roi.side, other.roi.side)

    def share_on(self, other: Pose) -> float:
        """Share of the clearer half of our main joints and face that lies on what is clear of the other."""
        clearer = _COCO[np.argsort(self.confidence[_COCO])[len(_COCO) // 2 :]]
        points_px = self.keypoints_px[clearer][:, None]
        bones = _BONES[other.confidence[_BONES].min(axis=1) > _CLEAR]
        if not len(bones):
            return 0.0
        starts, ends = other.keypoints_px[bones[:, 0]], other.keypoints_px[bones[:, 1]]
        along = ends - starts
        length2 = np.maximum((along**2).sum(axis=1), 1e-9)
        place = np.clip(((points_px - starts) * along).sum(axis=2) / length2, 0.0, 1.0)
        apart = np.linalg.norm(points_px - starts - place[..., None] * along, axis=2).min(axis=1)
        return float(np.mean(apart < _LIMB_RADIUS * other.roi.side))


@dataclass(frozen=True)
class _View:
    """One reading of a crop in the picture's frame."""

    points_px: FloatArray
    visibility: FloatArray
    presence: FloatArray
    world_m: FloatArray
    score: float


class PoseReader:
    """Reads poses out of squares of a picture.

    Parameters
    ----------
    network
        The landmark network.
    mirrored
        Also read each crop mirrored and join the two readings: twice the work, for points that are
        calmer, less biased to one side, and whose confidence knows of mixed-up limbs.
    """

    def __init__(self, network: LandmarkNetwork, *, mirrored: bool) -> None:
        self._network = network
        self._mirrored = mirrored

    def glance(self, picture: Picture, rois: Sequence[Roi]) -> list[float]:
        """Return for each square how likely it holds a person, 0..1, at half the cost of a pose."""
        return [look.score for look in self._network.look(_crop(picture, roi) for roi in rois)]

    def read(
        self, picture: Picture, rois: Sequence[Roi], expected: Sequence[Pose | None] | None = None
    ) -> list[Pose]:
        """Return the pose in each square; the square is set anew once where the pose asks for it.

        Parameters
        ----------
        picture
            The frame.
        rois
            Where to look.
        expected
            For each square the pose that the same person last had, to choose by where the views disagree.
        """
        before = list(expected) if expected is not None else [None] * len(rois)
        poses = self._read_once(picture, rois, before)
        again = [i for i, pose in enumerate(poses) if pose.presence >= 0.3 and _is_off(rois[i], pose.roi)]
        if again:
            better = self._read_once(picture, [poses[i].roi for i in again], [before[i] for i in again])
            for i, pose in zip(again, better, strict=True):
                if pose.presence >= 0.9 * poses[i].presence:
                    poses[i] = pose
        return poses

    def _read_once(self, picture: Picture, rois: Sequence[Roi], before: Sequence[Pose | None]) -> list[Pose]:
        def crops() -> Iterator[NDArray[np.uint8]]:
            for roi in rois:
                crop = _crop(picture, roi)
                yield crop
                if self._mirrored:
                    yield crop[:, ::-1]

        looks = self._network.look(crops())
        poses = []
        for i, roi in enumerate(rois):
            if self._mirrored:
                views = [_view(looks[2 * i], roi), _view(_unmirrored(looks[2 * i + 1]), roi)]
                poses.append(_joined(views[0], views[1], roi, before[i], picture))
            else:
                poses.append(_pose(_view(looks[i], roi), picture))
        return poses


def _crop(picture: Picture, roi: Roi) -> NDArray[np.uint8]:
    # As in MediaPipe's own graph: the network knows black borders from the person detector only.
    return roi.crop(picture, LANDMARK_PIXELS, edge_repeated=True)


def _is_off(used: Roi, wanted: Roi) -> bool:
    return (
        used.distance(wanted) > _OFF_CENTRE
        or used.ratio(wanted) > _OFF_SIZE
        or abs(used.turn_to(wanted)) > _OFF_ANGLE
    )


def _unmirrored(look: Landmarks) -> Landmarks:
    points = look.points[_MIRROR] * (-1.0, 1.0) + (1.0, 0.0)
    world_m = look.world_m[_MIRROR] * (-1.0, 1.0, 1.0)
    return replace(
        look,
        points=points,
        visibility=look.visibility[_MIRROR],
        presence=look.presence[_MIRROR],
        world_m=world_m,
    )


def _view(look: Landmarks, roi: Roi) -> _View:
    # The crop was turned about the optical axis: x and y of the world points turn back with it.
    world_m = look.world_m.copy()
    world_m[:, :2] = world_m[:, :2] @ roi.axes.T
    return _View(roi.to_px(look.points), look.visibility, look.presence, world_m, look.score)


def _joined(first: _View, second: _View, roi: Roi, before: Pose | None, picture: Picture) -> Pose:
    apart = np.linalg.norm(first.points_px - second.points_px, axis=1) / roi.side
    agreement = _DOUBTED + (1 - _DOUBTED) / (1 + (apart / _DISAGREEMENT) ** 2)
    share = np.full(len(apart), 0.5)
    for group in _GROUPS:
        if np.mean(apart[group]) > _DISAGREEMENT:
            share[group] = _goes_on(before, first, second, group[group < _BODY])
    weight = share[:, None]
    joined = _View(
        first.points_px * weight + second.points_px * (1 - weight),
        (first.visibility * share + second.visibility * (1 - share)) * agreement,
        first.presence * share + second.presence * (1 - share),
        first.world_m * weight + second.world_m * (1 - weight),
        (first.score + second.score) / 2,
    )
    return _pose(joined, picture)


def _goes_on(before: Pose | None, first: _View, second: _View, group: NDArray[np.intp]) -> float:
    """Return 1 if these points of the first view go better with the pose before, 0 if the second's do."""
    if before is None:
        # The same for all groups, because both halves of a body face the same way.
        return float(first.visibility.mean() >= second.visibility.mean())
    first_off, second_off = (
        np.linalg.norm(view.world_m[group] - before.landmarks_m[group], axis=1).mean()
        for view in (first, second)
    )
    return float(first_off <= second_off)


def _pose(view: _View, picture: Picture) -> Pose:
    points_px = view.points_px[:_BODY]
    inside = ((points_px >= 0) & (points_px <= (picture.width, picture.height))).all(axis=1)
    # Outside the picture the network guesses, and its visibility alone is too sure of that.
    confidence = view.visibility[:_BODY] * np.where(inside, 1.0, view.presence[:_BODY])
    return Pose(
        points_px,
        np.clip(confidence, 0.0, 1.0),
        view.world_m[:_BODY],
        view.score,
        Roi.from_points(view.points_px[_BODY], view.points_px[_BODY + 1]),
    )
