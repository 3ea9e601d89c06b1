"""Compare ways of telling who is who, on clips in which it is known, as Markdown tables.

Run it from the repository's root, the reference data beside it:

    .venv/bin/python tests/benchmarks/tracking.py --data ../shared/data --write docs/detectors.md

Detections are kept in a folder (``--kept``) and found again there.  The first table compares trackers on the
same detections, the second what each part of ours is worth, the third ways of detecting.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from pose_server.detect.blazepose import BlazePose, _detections
from pose_server.detect.detector import Detector
from pose_server.detect.networks import LandmarkNetwork, PersonNetwork
from pose_server.detect.people import Moment, People
from pose_server.detect.pose import PoseReader
from pose_server.detect.registry import available_detectors, create_detector
from pose_server.detect.roi import Picture
from pose_server.detect.scanner import Scanner, tiles
from pose_server.egomotion.stillness import Stillness
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch
from pose_server.pipeline.detection import detect_clip, pack_detections, unpack_detections
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.witness import Witness
from pose_server.track.footage import Footage
from pose_server.track.linking import HIGH_SCORE
from pose_server.track.tracker import track_people
from scipy.optimize import linear_sum_assignment

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from tracked_clips import (
    MADE,
    REAL,
    Score,
    TrackedClip,
    Tracks,
    keep,
    made_clip,
    real_clip,
    score,
    tracks_of,
)

_BEGIN, _END = "<!-- who is who: begin -->", "<!-- who is who: end -->"


@dataclass
class Seen:
    """What a detector found in a clip."""

    clip: TrackedClip
    names: tuple[str, ...]
    sure_score: float
    found: list[Detections]
    footage: Footage
    rate: float
    """Frames per second."""


class AloneSession:
    """BlazePose's networks on each frame by itself: tiles, no tracked crops."""

    def __init__(self, clip: ClipInfo) -> None:
        self._landmarks = LandmarkNetwork(copies=1, threads=1)
        self._persons = PersonNetwork(threads=1, min_score=0.3)
        self._squares = tiles(clip.width, clip.height, small=True)

    def detect(self, batch: FrameBatch) -> list[Detections]:
        found = []
        for frame, index, time_s in zip(batch.frames, batch.indices, batch.times_s, strict=True):
            moment = Moment(int(index), float(time_s), Picture(frame))
            people = People(PoseReader(self._landmarks, mirrored=True), limit=8, patience=1)
            scanner = Scanner(self._persons, self._squares, cycle=1)
            scanner.start(moment.picture, [])
            people.welcome(scanner.finish(), moment)
            people.finish(1)
            found.append(_detections(moment))
        return found

    def finish(self) -> list[Detections]:
        return []

    def __enter__(self) -> AloneSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._landmarks.close()
        self._persons.close()


class Alone:
    name = "blazepose, no tracked crops"
    keypoint_names = BlazePose.keypoint_names
    sure_score = 0.0
    fingerprint = "alone"

    def session(self, clip: ClipInfo) -> AloneSession:
        return AloneSession(clip)


def see(clip: TrackedClip, detector: Detector, kept: Path) -> Seen:
    """Detect, or find again what was detected."""
    path = kept / f"{clip.name}.{detector.name.replace(',', '').replace(' ', '_')}.npz"
    names = detector.keypoint_names
    if not path.exists():
        stillness = Stillness()
        witness = Witness((clip.info.width, clip.info.height), names)
        begin = time.perf_counter()
        found = detect_clip(clip, detector, SilentProgress(), look=stillness.look, witness=witness)
        rate = len(found) / (time.perf_counter() - begin)
        footage = witness.footage(still=not stillness.moved(found))
        np.savez(path, rate=rate, **pack_detections(found, len(names)), **footage.arrays())
    with np.load(path) as arrays:
        return Seen(
            clip,
            names,
            detector.sure_score,
            unpack_detections(arrays),
            Footage.of_arrays(arrays),
            float(arrays["rate"]),
        )


def ours(seen: Seen, **changes: object) -> Tracks:
    settings = {"footage": seen.footage, "sure_score": seen.sure_score, **changes}
    size = (seen.clip.info.width, seen.clip.info.height)
    people = track_people(
        seen.found, keypoint_names=seen.names, image_size=size, progress=SilentProgress(), **settings
    )
    return tracks_of(people, seen.found)


def one_pass(seen: Seen) -> Tracks:
    """Whatever scores less than the first pass takes is nothing."""
    least = max(HIGH_SCORE, seen.sure_score)

    def sure(frame: Detections) -> Detections:
        kept = frame.scores >= least
        fields = ("boxes_px", "scores", "keypoints_px", "keypoint_confidence", "landmarks_m")
        return replace(frame, **{name: getattr(frame, name)[kept] for name in fields})

    scores = [frame.scores >= least for frame in seen.found]
    kept = np.concatenate(scores) if scores else np.zeros(0, bool)
    footage = replace(
        seen.footage, appearance=seen.footage.appearance[kept], sharpness=seen.footage.sharpness[kept]
    )
    part = replace(seen, found=[sure(frame) for frame in seen.found], footage=footage)
    tracks = ours(part)
    places = [np.flatnonzero(score) for score in scores]
    return [{frame: int(places[frame][k]) for frame, k in track.items()} for track in tracks]


#: How well one detection continues another, 0 to 1: (P,) of a frame's people for one of before.
Similarity = Callable[[Detections, int, Detections], NDArray[np.floating]]


def overlap(before: Detections, one: int, now: Detections) -> NDArray[np.floating]:
    """Intersection over union of boxes."""
    box, boxes = before.boxes_px[one], now.boxes_px
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return shared / np.maximum(areas - shared, 1e-6)


def poses_alike(before: Detections, one: int, now: Detections) -> NDArray[np.floating]:
    """PoseFlow's measure between frames: keypoints within a tenth of the box, weighed by their confidence."""
    reach = (before.boxes_px[one, 2:] - before.boxes_px[one, :2]) / 10
    near = (np.abs(now.keypoints_px - before.keypoints_px[one]) < reach).all(axis=2)
    sure = np.tanh(before.keypoint_confidence[one]) * np.tanh(now.keypoint_confidence) / np.tanh(1) ** 2
    return (near * sure).mean(axis=1)


def followed(seen: Seen, similarity: Similarity, *, least: float, window: int) -> Tracks:
    """Follow frame by frame: the best sum of similarities to anything in the last frames of each track."""
    tracks: list[dict[int, int]] = []
    for row, now in enumerate(seen.found):
        recent = [k for k, track in enumerate(tracks) if row - max(track) <= window]
        alike = np.zeros((len(recent), len(now)))
        for i, k in enumerate(recent):
            for frame in [f for f in tracks[k] if row - f <= window][-3:]:
                alike[i] = np.maximum(alike[i], similarity(seen.found[frame], tracks[k][frame], now))
        taken = set()
        for i, j in zip(*linear_sum_assignment(-alike), strict=True):
            if alike[i, j] >= least:
                tracks[recent[i]][row] = int(j)
                taken.add(int(j))
        tracks += [{row: j} for j in range(len(now)) if j not in taken]
    fewest = max(1, round(0.5 * float(seen.clip.info.rate)))
    return [track for track in tracks if len(track) >= fewest]


TRACKERS: dict[str, Callable[[Seen], Tracks]] = {
    "boxes (IoU)": lambda seen: followed(seen, overlap, least=0.3, window=10),
    "PoseFlow's measure": lambda seen: followed(seen, poses_alike, least=0.2, window=20),
    "ours": ours,
}
PARTS: dict[str, Callable[[Seen], Tracks]] = {
    "one pass": one_pass,
    "neither looks nor camera": lambda seen: ours(seen, footage=None),
    "no camera": lambda seen: ours(seen, footage=replace(seen.footage, steady=_still(seen))),
    "nobody known again": lambda seen: ours(seen, reidentify=False),
    "all": ours,
}


def _still(seen: Seen) -> NDArray[np.floating]:
    return np.repeat(np.eye(2, 3)[None], len(seen.found), axis=0)


HEAD = ("clip", "way", "people", "switches", "fragments", "mixed", "of nobody", "covered")


def row(name: str, way: str, result: Score) -> str:
    cells = (
        name,
        way,
        str(result.people),
        str(result.switches),
        str(result.fragments),
        str(result.mixed),
        str(result.others),
        f"{result.covered:.0%}",
    )
    return "| " + " | ".join(cells) + " |"


def table(ways: dict[str, Callable[[Seen], Tracks]], clips: Sequence[Seen]) -> list[str]:
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for seen in clips:
        for way, run in ways.items():
            result = score(run(seen), seen.found, seen.clip.truth, seen.names)
            lines.append(row(seen.clip.name, way, result))
            print(lines[-1], flush=True)
    return lines


def detection_table(clips: Sequence[TrackedClip], detectors: Sequence[Detector], kept: Path) -> list[str]:
    head = (*HEAD, "frames/s")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for clip in clips:
        for detector in detectors:
            seen = see(clip, detector, kept)
            for way, run in (("two passes", ours), ("one pass", one_pass)):
                result = score(run(seen), seen.found, clip.truth, seen.names)
                cells = row(clip.name, f"{detector.name}, {way}", result)
                lines.append(f"{cells} {seen.rate:.1f} |")
                print(lines[-1], flush=True)
    return lines


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the reference data")
    parser.add_argument("--kept", type=Path, default=Path("build/tracking"), help="for detections")
    parser.add_argument("--write", type=Path, help="put the tables between the marks in this file")
    parser.add_argument("--clips", default="", help="only those whose name holds this")
    parser.add_argument("--keep", action="store_true", help="only write BlazePose's detections for the tests")
    options = parser.parse_args(arguments)
    options.kept.mkdir(parents=True, exist_ok=True)
    real = [real_clip(options.data, name) for name in REAL if options.clips in name]
    clips = real + [made_clip(options.data, name) for name in MADE if options.clips in name]
    usable = [create_detector(status.name, "cpu") for status in available_detectors() if status.usable]
    seen = [see(clip, BlazePose(), options.kept) for clip in clips]
    if options.keep:
        for one in seen:
            keep(one.clip, one.found, one.footage)
        return
    lines = ["**Trackers on the same detections.**", "", *table(TRACKERS, seen), ""]
    lines += ["**What each part is worth.**", "", *table(PARTS, seen), ""]
    lines += ["**Passes, and tracked crops.**", ""]
    lines += detection_table(real, [*usable, Alone()], options.kept)
    if options.write:
        text = options.write.read_text(encoding="utf-8")
        before, _, rest = text.partition(_BEGIN)
        after = rest.partition(_END)[2]
        if not after:
            raise SystemExit(f"{options.write} lacks the marks {_BEGIN} and {_END}")
        whole = "\n".join([_BEGIN, "", *lines, "", _END])
        options.write.write_text(before + whole + after, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
