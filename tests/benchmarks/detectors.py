"""Compare ways of finding people with BlazePose's networks, as a Markdown table.

Run it from the repository's root on clips of your own:

    .venv/bin/python tests/benchmarks/detectors.py CLIP [CLIP ...] [--out table.md]

Give a clip as ``film.mp4=0-227,36-200`` to say from which frame (to which, exclusive) a viewer sees each
person; coverage is then the share of those frames in which somebody was found for each of them, and
"too many" counts whoever was found beyond them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from pose_server.detect.blazepose import BlazePose
from pose_server.detect.networks import LandmarkNetwork, PersonNetwork
from pose_server.detect.people import Moment, People
from pose_server.detect.pose import PoseReader
from pose_server.detect.roi import Picture
from pose_server.detect.scanner import Scanner, tiles
from pose_server.pipeline.boundary import ClipInfo, FrameBatch
from pose_shared.skeleton import BLAZEPOSE_33

MAIN = [
    i
    for i, name in enumerate(BLAZEPOSE_33.joints)
    if name.endswith(("shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
]
#: Keypoints in pixels, (P, 33, 2), of each frame.
Found = list[np.ndarray]


@dataclass
class Clip:
    info: ClipInfo
    frames: np.ndarray
    visible: np.ndarray | None
    """(T,) how many people a viewer sees."""


def load(argument: str, most: int | None) -> Clip:
    name, _, spans = argument.partition("=")
    path = Path(name)
    with av.open(path) as container:
        stream = container.streams.video[0]
        rate = Fraction(stream.average_rate or 30)
        frames = [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(stream), most)]
    stack = np.array(frames)
    height, width = stack.shape[1:3]
    info = ClipInfo(path, width, height, rate, len(stack), 0, 0.0, 0, Fraction(1), "")
    visible = None
    if spans:
        visible = np.zeros(len(stack), int)
        for span in spans.split(","):
            first, last = map(int, span.split("-"))
            visible[first:last] += 1
    return Clip(info, stack, visible)


def blazepose(**settings: bool) -> Callable[[Clip], Found]:
    def run(clip: Clip) -> Found:
        found = []
        times_s = np.arange(len(clip.frames)) / float(clip.info.rate)
        indices = np.arange(len(clip.frames))
        with BlazePose(**settings).session(clip.info) as session:
            for start in range(0, len(clip.frames), 8):
                part = slice(start, start + 8)
                found += session.detect(FrameBatch(clip.frames[part], indices[part], times_s[part]))
            found += session.finish()
        return [frame.keypoints_px for frame in found]

    return run


def each_frame_alone(*, small_tiles: bool) -> Callable[[Clip], Found]:
    """Look for everybody anew in each frame, with the same networks and the same rules."""

    def run(clip: Clip) -> Found:
        threads = len(os.sched_getaffinity(0))
        landmarks = LandmarkNetwork(copies=threads, threads=1)
        persons = PersonNetwork(threads=1, min_score=0.3)
        squares = tiles(clip.info.width, clip.info.height, small=small_tiles)
        found = []
        for index, frame in enumerate(clip.frames):
            moment = Moment(index, 0.0, Picture(frame))
            people = People(PoseReader(landmarks, mirrored=True), limit=8, patience=1)
            scanner = Scanner(persons, squares, cycle=1)
            scanner.start(moment.picture, [])
            people.welcome(scanner.finish(), moment)
            people.finish(1)
            found.append(np.array([pose.keypoints_px for who, pose in moment.seen if who.known]))
        landmarks.close()
        persons.close()
        return found

    return run


def pose_landmarker(*, video: bool) -> Callable[[Clip], Found]:
    """MediaPipe's own task with the same weights, which lack only the description of their input."""

    def run(clip: Clip) -> Found:
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision
        from mediapipe.tasks.python.metadata.metadata_writers import metadata_writer

        modules = Path(mediapipe.__file__).parent / "modules"

        def described(weights: str, mean: float, deviation: float) -> bytes:
            writer = metadata_writer.MetadataWriter(bytearray((modules / weights).read_bytes()))
            writer.add_image_input([mean], [deviation])
            return bytes(writer.populate()[0])

        with tempfile.TemporaryDirectory() as folder:
            task = Path(folder, "pose.task")
            with zipfile.ZipFile(task, "w") as archive:
                person = described("pose_detection/pose_detection.tflite", 127.5, 127.5)
                landmark = described("pose_landmark/pose_landmark_full.tflite", 0.0, 255.0)
                archive.writestr("pose_detector.tflite", person)
                archive.writestr("pose_landmarks_detector.tflite", landmark)
            mode = vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE
            options = vision.PoseLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(task)), num_poses=4, running_mode=mode
            )
            size = np.array([clip.info.width, clip.info.height])
            found = []
            with vision.PoseLandmarker.create_from_options(options) as landmarker:
                for i, frame in enumerate(clip.frames):
                    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=frame)
                    if video:
                        result = landmarker.detect_for_video(image, int(1000 * i / clip.info.rate))
                    else:
                        result = landmarker.detect(image)
                    poses = [[(p.x, p.y) for p in pose] for pose in result.pose_landmarks]
                    found.append(np.array(poses).reshape(-1, 33, 2) * size)
        return found

    return run


VARIANTS: dict[str, Callable[[Clip], Found]] = {
    "PoseLandmarker, images": pose_landmarker(video=False),
    "PoseLandmarker, video": pose_landmarker(video=True),
    "each frame alone, whole picture": each_frame_alone(small_tiles=False),
    "each frame alone, tiles": each_frame_alone(small_tiles=True),
    "followed, whole picture": blazepose(small_tiles=False, look_back=False),
    "followed, tiles": blazepose(look_back=False),
    "followed, tiles, look back": blazepose(),
    "the same, not mirrored": blazepose(mirrored=False),
}


def chains(found: Found) -> Iterator[np.ndarray]:
    """Yield (T, 12, 2) of people who are found in three or more frames on end, nearest to nearest."""
    open_chains: list[list[np.ndarray]] = []
    for people in [*found, np.zeros((0, 33, 2))]:
        left = [person[MAIN] for person in people]
        still = []
        for chain in open_chains:
            apart = [np.linalg.norm(chain[-1] - person, axis=1).mean() for person in left]
            height = np.ptp(chain[-1][:, 1])
            if apart and min(apart) < 0.25 * height:
                still.append([*chain, left.pop(int(np.argmin(apart)))])
            elif len(chain) >= 3:
                yield np.array(chain)
        open_chains = still + [[person] for person in left]


def row(name: str, clip: Clip, run: Callable[[Clip], Found]) -> str:
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    found = run(clip)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    count = np.array([len(people) for people in found])
    covered, extra = "", ""
    if clip.visible is not None:
        covered = f"{np.minimum(count, clip.visible).sum() / max(1, clip.visible.sum()):.1%}"
        extra = str(np.maximum(count - clip.visible, 0).sum())
    steps = [np.linalg.norm(np.diff(chain, 2, axis=0), axis=2).ravel() for chain in chains(found)]
    jitter_px = np.concatenate(steps).mean() if steps else float("nan")
    frames = len(clip.frames)
    cells = (
        clip.info.path.stem,
        name,
        f"{(count > 0).sum()} of {frames}",
        str(count.sum()),
        covered,
        extra,
        f"{jitter_px:.2f}",
        f"{frames / wall_s:.1f}",
        f"{1e3 * cpu_s / frames:.0f}",
    )
    return "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="+", help="a film, or film=first-last,first-last for each person")
    parser.add_argument("--variants", default="", help="only those whose name holds this")
    parser.add_argument("--frames", type=int, help="only the first so many frames of each clip")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    options = parser.parse_args(arguments)
    heads = "clip", "way", "frames with people", "people", "coverage", "too many", "jitter px", "frames/s"
    lines = ["| " + " | ".join((*heads, "CPU ms/frame")) + " |", "|---" * (len(heads) + 1) + "|"]
    print(*lines, sep="\n", flush=True)
    for argument in options.clips:
        clip = load(argument, options.frames)
        for name, run in VARIANTS.items():
            if options.variants in name:
                lines.append(row(name, clip, run))
                print(lines[-1], flush=True)
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
