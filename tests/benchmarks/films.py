"""Raw, filtered and solved side by side, as films to be looked at.

Usage: ``python tests/benchmarks/films.py OUT [CLIP] [--lifter house]``.  Without a clip it makes the three of
docs/films.md from the reference clips beside the checkout.  For each it writes ``NAME.mp4`` and a still
``NAME.jpg``, and one table of what is written under the columns, ``measures.md``.

Three columns show the same people: the detector's own 3D points, each frame placed in the camera by itself;
the house lifter's joints behind a low-pass filter; and the solved motion.  On top they lie on the footage,
below they are in the room of the solved motion, into which the other two are scaled as a whole.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from pose_server.cleanup.cleaning import cleaned_up
from pose_server.detect.registry import create_detector
from pose_server.egomotion.following import followed
from pose_server.egomotion.stillness import Stillness
from pose_server.evaluate.cleanup import CUTOFF_HZ, filtered
from pose_server.evaluate.metrics import acceleration, bone_spread, foot_slide
from pose_server.evaluate.mocap import LIMB_BONES, LIMB_JOINTS
from pose_server.evaluate.table import Column, Table
from pose_server.export.figure import Picture
from pose_server.export.film import Film
from pose_server.export.render import film_ticks
from pose_server.export.seen_pose import placed_in_room, rows_of, shown_of_pose
from pose_server.export.sheet import Sheet, Tick
from pose_server.export.subject import Shown, Subject, framed, subject_of
from pose_server.lift.landmarks import LandmarkLifter
from pose_server.lift.registry import create_lifter
from pose_server.pipeline.boundary import Camera, Detections, FloatArray, Motion, Pose3D, Track2D
from pose_server.pipeline.camera import camera_of_clip
from pose_server.pipeline.detection import detect_clip
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.quality import contact_points_m
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.solve.clip import solve_clip
from pose_server.solve.contacts import SOLES
from pose_server.track.selection import number_people
from pose_server.track.tracker import track_people
from pose_server.video.open import open_clip
from pose_server.video.source import FrameSource

DATA = Path(__file__).parents[3] / "shared" / "data"
#: Width over height of the footage in a column.
ASPECTS = (1.0, 16 / 9)
#: What is left free around people, in shares of how far they go.
MARGIN = 0.12
QUALITY = 27
DARK = (24, 26, 31)
SIDES = ("left_", "right_")
FEET = tuple(side + point for side in SIDES for point in ("heel", "big_toe"))


@dataclass(frozen=True)
class Shot:
    """One film to make."""

    clip: Path
    footage: bool
    """Whether the clip itself may be shown."""
    slow: int = 1
    """How many times slower it is played."""
    still: int | None = None
    """Source frame of the still; the middle one when None."""


SHOTS = (
    Shot(DATA / "video" / "sports2d_demo.mp4", footage=True, still=186),
    Shot(DATA / "video" / "pose_1.mp4", footage=False, still=40),
    Shot(DATA / "real3d" / "cam01.mp4", footage=False, slow=3, still=45),
)


@dataclass(frozen=True)
class Measured:
    """One person in one column, drawn and to be measured."""

    shown: Shown
    limbs_m: FloatArray
    """(T, 12, 3) in the world."""
    feet_m: FloatArray
    """(T, 4, 3) heel and ball of the left and the right foot in the world."""
    stands: FloatArray
    """(T, 4) 0..1 what the solve says of contacts, by which every column is measured."""


def seen(source: FrameSource) -> tuple[list[Detections], tuple[str, ...], bool]:
    """Return what the detector finds, its keypoints, and whether the camera moved."""
    detector, stillness = create_detector("auto", "cpu"), Stillness()
    found = detect_clip(source, detector, SilentProgress(), look=stillness.look)
    return found, detector.keypoint_names, stillness.moved(found)


def columns(
    source: FrameSource,
    found: Sequence[Detections],
    names: tuple[str, ...],
    moved: bool,
    lifter: str,
) -> tuple[dict[str, list[Measured]], list[Track2D], Camera]:
    """Return everybody in each column, as detected, and the camera."""
    info, progress = source.info, SilentProgress()
    size = (info.width, info.height)
    everybody = track_people(found, keypoint_names=names, image_size=size, progress=progress)
    tracks = list(number_people(everybody, len(found)).values())
    camera = camera_of_clip(size)
    path = followed(source, found, camera, progress).path if moved else None
    chosen = create_lifter(lifter, "cpu")
    kept = [cleaned_up(track) for track in tracks]
    poses = [chosen.lift(track, camera) for track in kept]
    motions = solve_clip(
        kept,
        poses,
        camera,
        rate=info.rate,
        fps=None,
        options=SolveOptions(),
        progress=progress,
        path=path,
    )
    raw = [LandmarkLifter().lift(track, camera) for track in tracks]
    calm = [low_passed(pose, float(info.rate)) for pose in poses]
    numbered = list(enumerate(motions, start=1))
    return (
        {
            "raw: the detector's 3D points": [
                of_pose(p, m, n) for p, (n, m) in zip(raw, numbered, strict=True)
            ],
            f"filtered: lifted, low pass of {CUTOFF_HZ:g} Hz": [
                of_pose(p, m, n) for p, (n, m) in zip(calm, numbered, strict=True)
            ],
            "solved": [of_motion(m, n) for n, m in numbered],
        },
        list(tracks),
        camera,
    )


def low_passed(pose: Pose3D, rate_hz: float) -> Pose3D:
    """Return a pose after the usual filter."""
    return replace(
        pose,
        joints_root_m=filtered(pose.joints_root_m, rate_hz),
        root_camera_m=filtered(pose.root_camera_m[:, None], rate_hz)[:, 0],
    )


def of_pose(pose: Pose3D, motion: Motion, number: int) -> Measured:
    """Return a pose in the room of a motion of the same person."""
    world, _ = placed_in_room(pose, motion)

    def points(*names: str) -> FloatArray:
        return np.stack([world[:, pose.joint_names.index(name)] for name in names], axis=1)

    return Measured(
        shown=shown_of_pose(pose, motion, number),
        limbs_m=points(*LIMB_JOINTS),
        feet_m=points(*FEET),
        stands=motion.contacts[rows_of(pose, motion), :SOLES],
    )


def of_motion(motion: Motion, number: int) -> Measured:
    """Return a solved motion; its feet are the points under the soles."""
    return Measured(
        shown=subject_of("", {number: motion}).people[0],
        limbs_m=motion.joints_world_m[:, [motion.joint_names.index(name) for name in LIMB_JOINTS]],
        feet_m=contact_points_m(motion)[:, :SOLES],
        stands=motion.contacts[:, :SOLES],
    )


def measured(people: Sequence[Measured], rate_hz: float) -> dict[str, float]:
    """Return what stands under a column: means over the people; NaN of feet that never stand."""
    rows = np.array(
        [
            (
                acceleration(person.limbs_m, person.limbs_m).result_mm_frame2,
                bone_spread(person.limbs_m, LIMB_BONES),
                foot_slide(person.feet_m, person.stands, fps=rate_hz).mm_frame,
            )
            for person in people
        ]
    )
    keys = ("acceleration_result_mm_frame2", "bone_spread", "foot_slide_mm_frame")
    known = np.isfinite(rows)
    means = np.where(known, rows, 0.0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    return dict(zip(keys, means.tolist(), strict=True))


def window(tracks: Sequence[Track2D], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, width and height in pixels of what holds everybody."""
    points = np.concatenate([track.keypoints_px.reshape(-1, 2) for track in tracks])
    low, high = np.nanpercentile(points, (0.5, 99.5), axis=0)
    margin = MARGIN * (high - low)
    low, high = np.maximum(low - margin, 0), np.minimum(high + margin, size)
    middle, extent = (low + high) / 2, high - low
    aspect = np.clip(extent[0] / extent[1], *ASPECTS)
    width = max(extent[0], extent[1] * aspect)
    wide = np.array([width, width / aspect]).round().astype(int)
    spare = np.array(size) - wide
    first = np.where(spare > 0, np.clip(middle - wide / 2, 0, spare), spare / 2).round().astype(int)
    return int(first[0]), int(first[1]), int(wide[0]), int(wide[1])


def cut(frame: Picture, place: tuple[int, int, int, int]) -> Picture:
    """Return a window of a frame; beyond the picture it is dark."""
    left, top, width, height = place
    rows, columns = frame.shape[:2]
    above, below = max(0, -top), max(0, top + height - rows)
    before, after = max(0, -left), max(0, left + width - columns)
    padded = cv2.copyMakeBorder(frame, above, below, before, after, cv2.BORDER_CONSTANT, value=DARK)
    top, left = max(top, 0), max(left, 0)
    return np.ascontiguousarray(padded[top : top + height, left : left + width])


def looking(shown: Shown, place: tuple[int, int, int, int]) -> Shown:
    """Return a person as a camera sees it that sees a window only."""
    matrix = shown.camera.matrix.copy()
    matrix[:2, 2] -= place[:2]
    camera = replace(shown.camera, matrix=matrix, image_size=place[2:])
    return replace(shown, camera=camera, keypoints_px=shown.keypoints_px - np.array(place[:2]))


def subject(
    title: str, people: Sequence[Measured], measures: dict[str, float], place: tuple[int, ...]
) -> Subject:
    """Return a column."""
    notes = (
        f"acceleration {measures['acceleration_result_mm_frame2']:.1f} mm/frame2",
        f"bone lengths vary by {100 * measures['bone_spread']:.1f} %",
        f"standing feet slide {measures['foot_slide_mm_frame']:.2f} mm/frame",
    )
    return Subject(title, tuple(looking(person.shown, place) for person in people), notes)


@contextmanager
def cut_ticks(source: FrameSource, place: tuple[int, int, int, int]) -> Iterator[Iterator[Tick]]:
    """Decode a film and give its moments with a window of each frame."""
    with film_ticks(source) as ticks:
        yield (replace(tick, frame=cut(tick.frame, place)) for tick in ticks)


def film(shot: Shot, out: Path, lifter: str) -> list[dict[str, float | str]]:
    """Make one film and its still, and return a row of measures for each column."""
    source = open_clip(shot.clip)
    found, names, moved = seen(source)
    people, tracks, camera = columns(source, found, names, moved, lifter)
    measures = {title: measured(persons, float(source.info.rate)) for title, persons in people.items()}
    place = window(tracks, camera.image_size)
    subjects = [subject(title, persons, measures[title], place) for title, persons in people.items()]
    sheet = Sheet(
        subjects,
        views=("camera", "room"),
        aspect=place[2] / place[3],
        contacts=True,
        keypoints=not shot.footage,
        framing=framed(subjects[-1:]),
        remark=f"   {shot.slow} times slower" if shot.slow > 1 else "",
    )
    plain = (Tick(one.index, one.time_s) for one in found)
    ticks: AbstractContextManager[Iterator[Tick]] = (
        cut_ticks(source, place) if shot.footage else nullcontext(plain)
    )
    still = found[len(found) // 2].index if shot.still is None else shot.still
    rate = Fraction(source.info.rate) / shot.slow
    with ticks as moments, Film(out / f"{shot.clip.stem}.mp4", *sheet.size, rate, quality=QUALITY) as target:
        for tick in moments:
            whole = sheet.draw(tick)
            target.add(whole, tick.time_s * shot.slow)
            if tick.index == still:
                path = str(out / f"{shot.clip.stem}.jpg")
                cv2.imwrite(path, cv2.cvtColor(whole, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return [{"clip": shot.clip.stem, "column": title, **row} for title, row in measures.items()]


def main() -> None:
    """Make the films and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("clip", type=Path, nargs="?", help="a film; the reference clips without it")
    parser.add_argument("--lifter", default="house", help="of the filtered and the solved column")
    parser.add_argument("--no-footage", action="store_true", help="draw on a plain ground; of the clip named")
    parser.add_argument("--slow", type=int, default=1, help="times slower than it was; of the clip named")
    parser.add_argument("--still", type=int, help="source frame of the still; of the clip named")
    arguments = parser.parse_args()
    named = arguments.clip
    shots = (Shot(named, not arguments.no_footage, arguments.slow, arguments.still),) if named else SHOTS
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = Table(
        "What stands under the columns",
        (
            Column("clip", "Clip"),
            Column("column", "Column"),
            Column("acceleration_result_mm_frame2", "Acceleration mm/frame²", 1),
            Column("bone_spread", "Bone lengths vary by %", 1, percent=True),
            Column("foot_slide_mm_frame", "Standing feet slide mm/frame", 2),
        ),
        [row for shot in shots for row in film(shot, arguments.out, arguments.lifter)],
        note="Of the limbs' joints in the room; feet stand where the solve says so. Nothing here is a truth.",
    )
    (arguments.out / "measures.md").write_text(table.to_markdown(level=1), encoding="utf-8")
    print(table.to_markdown())


if __name__ == "__main__":
    main()
