"""Clips in which it is known who is who: real ones that were looked at, and ones made of them.

What was seen stands in tests/data/tracking.  Made are a crossing of two dancers, a hand-held and a whipping
camera, and people who come a second time, in another light.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch, Track2D
from pose_server.pipeline.detection import pack_detections, unpack_detections
from pose_server.track.footage import Footage
from pose_server.video.open import open_clip
from pose_shared.skeleton import BLAZEPOSE_33
from scipy.optimize import linear_sum_assignment

__all__ = [
    "MADE",
    "REAL",
    "Kept",
    "Score",
    "TrackedClip",
    "Tracks",
    "keep",
    "kept",
    "made_clip",
    "real_clip",
    "score",
    "seen_in",
    "tracks_of",
]

Frame = NDArray[np.uint8]
#: Where the trunk of each person is, by frame.
Truth = dict[int, dict[str, tuple[float, float]]]
#: For each track: the number of the detection in each frame that it has one in.
Tracks = Sequence[dict[int, int]]

DATA = Path(__file__).parents[1] / "data" / "tracking"
REAL = ("sports2d_demo", "cam01", "one-by-one-person-detection", "pose_1", "pose_squats")
_TRUNK = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
#: A person is found where a trunk is nearer than this, in longer sides of the box.
_NEAR = 0.25


@dataclass(frozen=True)
class TrackedClip:
    """A `FrameSource` that knows who is who."""

    name: str
    info: ClipInfo
    truth: Truth
    frames: Callable[[], Iterator[Frame]]

    def batches(self, size: int = 8) -> Iterator[FrameBatch]:
        """Give all frames in order."""
        held: list[Frame] = []
        first = 0
        for frame in self.frames():
            held.append(frame)
            if len(held) == size:
                yield self._batch(held, first)
                first += len(held)
                held = []
        if held:
            yield self._batch(held, first)

    def frames_at(self, indices: Sequence[int]) -> Iterator[tuple[int, Frame]]:
        """Give some frames."""
        wanted = set(indices)
        return ((index, frame) for index, frame in enumerate(self.frames()) if index in wanted)

    def _batch(self, frames: Sequence[Frame], first: int) -> FrameBatch:
        indices = np.arange(first, first + len(frames))
        return FrameBatch(np.array(frames), indices, indices / float(self.info.rate))


def seen_in(name: str) -> Truth:
    """Return who was seen where in a real clip."""
    frames = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))["frames"]
    return {int(frame): {who: (x, y) for who, (x, y) in people.items()} for frame, people in frames.items()}


def real_clip(folder: Path, name: str) -> TrackedClip:
    """Return one of `REAL` from a folder of the reference data."""
    source = open_clip(folder / ("real3d" if name == "cam01" else "video") / f"{name}.mp4")

    def frames() -> Iterator[Frame]:
        for batch in source.batches():
            yield from batch.frames

    return TrackedClip(name, source.info, seen_in(name), frames)


def _panned(clip: TrackedClip, name: str, size: tuple[int, int], offsets: NDArray[np.intp]) -> TrackedClip:
    """Return what a window of a clip shows that moves; somebody half outside of it is not asked for."""
    width, height = size

    def frames() -> Iterator[Frame]:
        for frame, (x, y) in zip(clip.frames(), offsets, strict=True):
            yield np.ascontiguousarray(frame[y : y + height, x : x + width])

    truth: Truth = {}
    for frame, people in clip.truth.items():
        ox, oy = offsets[frame].tolist()
        at = {who: (x - ox, y - oy) for who, (x, y) in people.items()}
        truth[frame] = {who: (x, y) for who, (x, y) in at.items() if 40 < x < width - 40 and 40 < y < height}
    return TrackedClip(name, replace(clip.info, width=width, height=height), truth, frames)


def _whipping(folder: Path) -> TrackedClip:
    """The camera swings aside by 400 px in six frames, and back, every 1.2 seconds."""
    clip = real_clip(folder, "sports2d_demo")
    t = np.arange(clip.info.frame_count)
    swing = np.clip((t % 72 - 30) / 6, 0, 1) - np.clip((t % 72 - 66) / 6, 0, 1)
    offsets = np.stack([100 + np.rint(400 * swing), np.full(len(t), 97)], axis=1).astype(int)
    return _panned(clip, "whipping", (1160, 880), offsets)


def _shaken(folder: Path) -> TrackedClip:
    """The camera is held by somebody who runs."""
    clip = real_clip(folder, "sports2d_demo")
    t = np.arange(clip.info.frame_count) / 30
    noise = np.random.default_rng(5).normal(0, 8, (len(t), 2))
    sway = np.stack([40 * np.sin(2 * np.pi * 2.7 * t), 30 * np.sin(2 * np.pi * 5.3 * t + 1)], axis=1)
    offsets = np.clip(np.rint(70 + sway + noise), 0, [148, 134]).astype(int)
    return _panned(clip, "shaken", (1620, 860), offsets)


def _crossing(folder: Path) -> TrackedClip:
    """A dancer cut out and pasted twice, walking through each other; the one from the right is in front."""
    clip = real_clip(folder, "pose_1")
    back = next(iter(dict(real_clip(folder, "sports2d_demo").frames_at([228])).values()))
    count, speed, phase = clip.info.frame_count, 8, 40
    width, height, side = 1280, 720, clip.info.width
    places = [(speed * t, width - side - speed * t + 100) for t in range(count)]
    truth: Truth = {}
    for frame in range(0, count, 5):
        left, right = (float(x + side / 2) for x in places[frame])
        people = {"from the left": (left, 130 + 285.0), "from the right": (right, 170 + 285.0)}
        if abs(left - right) < 90:
            del people["from the left"]
        truth[frame] = {who: at for who, at in people.items() if 60 < at[0] < width - 60}

    def frames() -> Iterator[Frame]:
        import cv2
        import mediapipe

        segmented = mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
        dancers = []
        for frame in clip.frames():
            mask = cv2.GaussianBlur(segmented.process(frame).segmentation_mask, (5, 5), 0)
            dancers.append((frame, np.clip((mask - 0.3) / 0.4, 0, 1)[..., None]))
        room = cv2.resize(back, (width, height), interpolation=cv2.INTER_AREA)
        for t, (left, right) in enumerate(places):
            picture = room.copy()
            _paste(picture, *dancers[t], left, 130)
            later = (t + phase) % (2 * count)
            frame, mask = dancers[min(later, 2 * count - 1 - later)]
            _paste(picture, frame[:, ::-1], mask[:, ::-1], right, 170)
            yield picture

    info = replace(clip.info, width=width, height=height)
    return TrackedClip("crossing", info, truth, frames)


def _paste(picture: Frame, frame: Frame, mask: NDArray[np.floating], x: int, y: int) -> None:
    left, right = max(0, x), min(picture.shape[1], x + frame.shape[1])
    bottom = min(picture.shape[0], y + frame.shape[0])
    if right <= left:
        return
    part = picture[y:bottom, left:right]
    own, share = frame[: bottom - y, left - x : right - x], mask[: bottom - y, left - x : right - x]
    part[:] = (part * (1 - share) + own * share).astype(np.uint8)


#: First frame, when they stand, from when on, when they go, last frame: of everybody who comes one by one.
_VISITS = {
    "grey cardigan": (60, 82, 184, 202),
    "black hood": (226, 244, 434, 452),
    "black blouse": (500, 520, 684, 702),
    "black shirt": (745, 768, 848, 870),
    "grey jacket": (922, 945, 1184, 1204),
    "grey shirt": (1234, 1254, 1340, 1364),
}
_SECOND_ROUND = ("black shirt", "grey shirt", "grey cardigan", "black blouse", "grey jacket", "black hood")
_DARKER = 0.85


def _returning(folder: Path) -> TrackedClip:
    """Everybody comes, stands for a while and goes, and comes again in another order, darker by 15 %."""
    clip = real_clip(folder, "one-by-one-person-detection")
    shown: list[tuple[int, float]] = []
    truth: Truth = {}
    for gain, order in ((1.0, tuple(_VISITS)), (_DARKER, _SECOND_ROUND)):
        for who in order:
            first, stands, goes, last = _VISITS[who]
            middle = (stands + goes) // 2
            stay = range(stands, middle) if gain == 1 else range(middle, goes)
            for source in [*range(first, stands), *stay, *range(goes, last), *range(20)]:
                if clip.truth.get(source):
                    truth[len(shown)] = clip.truth[source]
                shown.append((source, gain))

    def frames() -> Iterator[Frame]:
        kept = dict(clip.frames_at(sorted({source for source, _ in shown})))
        for source, gain in shown:
            yield kept[source] if gain == 1 else (kept[source] * gain).astype(np.uint8)

    return TrackedClip("returning", replace(clip.info, frame_count=len(shown)), truth, frames)


#: Clips made of others, by name.
MADE: dict[str, Callable[[Path], TrackedClip]] = {
    "crossing": _crossing,
    "shaken": _shaken,
    "whipping": _whipping,
    "returning": _returning,
}


def made_clip(folder: Path, name: str) -> TrackedClip:
    """Return one of `MADE`."""
    return MADE[name](folder)


@dataclass(frozen=True)
class Kept:
    """What BlazePose found in a clip, rounded so that it takes little room."""

    image_size: tuple[int, int]
    found: list[Detections]
    footage: Footage
    truth: Truth


#: Steps per unit that numbers are kept in.
_STEPS = {
    "boxes_px": (8, np.int16),
    "keypoints_px": (8, np.int16),
    "landmarks_m": (250, np.int16),
    "scores": (255, np.uint8),
    "keypoint_confidence": (100, np.uint8),
    "appearance": (250, np.uint8),
    "sharpness": (10, np.uint16),
}


def keep(clip: TrackedClip, found: Sequence[Detections], footage: Footage) -> None:
    """Write what was found in a clip, and who is where in it, for `kept`."""
    arrays = {**pack_detections(found, len(BLAZEPOSE_33)), **footage.arrays()}
    known = np.isfinite(arrays["appearance"]).all(axis=1)
    for name, (steps, kind) in _STEPS.items():
        limits = np.iinfo(kind)
        arrays[name] = np.clip(np.rint(np.nan_to_num(arrays[name]) * steps), limits.min, limits.max).astype(
            kind
        )
    arrays["known"] = known
    arrays["steady"] = arrays["steady"].astype(np.float32)
    truth = [(frame, who, *at) for frame, people in clip.truth.items() for who, at in people.items()]
    arrays["truth_frame"] = np.array([row[0] for row in truth], dtype=np.int32)
    arrays["truth_who"] = np.array([row[1] for row in truth], dtype=np.str_)
    arrays["truth_px"] = np.array([row[2:] for row in truth], dtype=np.float32)
    arrays["image_size"] = np.array([clip.info.width, clip.info.height])
    np.savez_compressed(DATA / f"{clip.name}.npz", **arrays)


def kept(name: str) -> Kept:
    """Read what `keep` wrote."""
    with np.load(DATA / f"{name}.npz") as file:
        arrays = dict(file)
    for field, (steps, _) in _STEPS.items():
        arrays[field] = arrays[field].astype(np.float64) / steps
    arrays["appearance"][~arrays["known"]] = np.nan
    arrays["steady"] = arrays["steady"].astype(np.float64)
    truth: Truth = {}
    for frame, who, at in zip(
        arrays["truth_frame"].tolist(), arrays["truth_who"].tolist(), arrays["truth_px"].tolist(), strict=True
    ):
        truth.setdefault(frame, {})[who] = (at[0], at[1])
    width, height = arrays["image_size"].tolist()
    return Kept((width, height), unpack_detections(arrays), Footage.of_arrays(arrays), truth)


def tracks_of(people: Sequence[Track2D], found: Sequence[Detections]) -> Tracks:
    """Return which detections tracks were made of."""
    tracks = []
    for person in people:
        rows = np.flatnonzero(person.found)
        frames = person.indices[rows].tolist()
        tracks.append(
            {
                frame: int(np.abs(found[frame].boxes_px - person.boxes_px[row]).sum(axis=1).argmin())
                for frame, row in zip(frames, rows, strict=True)
            }
        )
    return tracks


@dataclass(frozen=True)
class Score:
    """How well tracks tell who is who."""

    people: int
    """Tracks."""
    switches: int
    """Times that somebody goes on under another number, from one frame that was looked at to the next."""
    fragments: int
    """Tracks of somebody beyond the first."""
    mixed: int
    """Tracks that show more than one person."""
    covered: float
    """Share of the points that were looked at in which somebody is found, 0 to 1."""
    others: int
    """Tracks of nobody that was seen in a frame that was looked at."""


def score(tracks: Tracks, found: Sequence[Detections], truth: Truth, names: Sequence[str]) -> Score:
    """Compare tracks of detections whose keypoints have some names with what was seen."""
    joints = [list(names).index(name) for name in _TRUNK]
    followed: dict[str, list[int]] = {}
    points = hits = 0
    for frame, people in sorted(truth.items()):
        points += len(people)
        here = [k for k, track in enumerate(tracks) if frame in track]
        if not here or not people:
            continue
        which = [tracks[k][frame] for k in here]
        boxes = found[frame].boxes_px[which]
        sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
        trunks = np.nanmean(found[frame].keypoints_px[which][:, joints], axis=1)
        away = np.linalg.norm(np.array(list(people.values()))[:, None] - trunks, axis=2) / sides
        for person, track in zip(*linear_sum_assignment(np.minimum(away, 9.0)), strict=True):
            if away[person, track] < _NEAR:
                followed.setdefault(list(people)[person], []).append(here[track])
                hits += 1
    shown: dict[int, set[str]] = {}
    for who, numbers in followed.items():
        for number in numbers:
            shown.setdefault(number, set()).add(who)
    return Score(
        people=len(tracks),
        switches=sum(a != b for numbers in followed.values() for a, b in pairwise(numbers)),
        fragments=sum(len(set(numbers)) - 1 for numbers in followed.values()),
        mixed=sum(len(who) > 1 for who in shown.values()),
        covered=hits / max(points, 1),
        others=len(tracks) - len(shown),
    )
