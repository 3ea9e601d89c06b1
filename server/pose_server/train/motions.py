"""Motion capture made ready for training: body points of many takes at one rate, in one file.

Takes come from a folder with an ``index.csv`` as `prepare_motions` describes it.  Every take is cut
where the capture jumps, and known faults of skeletons are repaired (see `_REPAIRS`).
"""

from __future__ import annotations

import csv
import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31

from pose_server.mocap.amc import read_amc, read_asf
from pose_server.mocap.body import body_points
from pose_server.mocap.bvh import read_bvh
from pose_server.mocap.npz import read_motion
from pose_server.pipeline.boundary import FloatArray

__all__ = ["MotionSet", "Take", "prepare_motions", "read_motions", "write_motions"]

#: The rate that takes are kept at; training thins them out to slower ones.
RATE_HZ = 60.0
#: Joints that move faster are faults of the capture.
_LIMIT_M_S = 15.0
_SHORTEST_S = 0.5
#: What a file that is cut or none raises when it is opened.
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error)

#: One unit of the files of each form, in metres.
_UNIT_M = {"bvh_mb": 0.056444, "bvh_daz": 0.01}
_FORMATS = ("amc", "npz", *_UNIT_M)
#: What their skeletons lack: MotionBuilder's leave the thorax out, DAZ's has its shoulders 23 cm apart.
_REPAIRS: dict[str, dict[str, tuple[float, float, float]]] = {
    "bvh_mb": dict.fromkeys(("Neck", "LeftShoulder", "RightShoulder"), (0.0, 2.05, 0.0)),
    "bvh_daz": {"lShldr": (6.0, 0.0, 0.0), "rShldr": (-6.0, 0.0, 0.0)},
}


@dataclass(frozen=True)
class Take:
    """One unbroken stretch of motion."""

    name: str
    subject: str
    points_m: FloatArray
    """(T, 31, 3) `BODY_31` at 60 Hz, y up, metres."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.points_m) / RATE_HZ


@dataclass(frozen=True)
class MotionSet:
    """Takes with their subjects, by which training and test are kept apart."""

    takes: tuple[Take, ...]
    sha256: str
    """Of the index, the motion files and their skeletons."""

    @property
    def minutes(self) -> float:
        """Length of all takes."""
        return sum(take.seconds for take in self.takes) / 60

    def split(self, held_out: Sequence[str]) -> tuple[MotionSet, MotionSet]:
        """Return the takes of all other subjects, and those of the held-out ones.

        Raises
        ------
        InputError
            ``SUBJECT_UNKNOWN``: nobody of that name is there; ``SPLIT_EMPTY``: one side has nothing.
        """
        subjects = sorted({take.subject for take in self.takes})
        unknown = [name for name in held_out if name not in subjects]
        if unknown:  # a misspelt one would be trained on
            raise InputError(
                f"Nobody in the set is called '{unknown[0]}'; hold out some of {', '.join(subjects)}.",
                reason="SUBJECT_UNKNOWN",
                value=unknown[0],
            )
        sides = [
            MotionSet(tuple(take for take in self.takes if (take.subject in held_out) is wanted), self.sha256)
            for wanted in (False, True)
        ]
        if not all(side.takes for side in sides):
            raise InputError(
                f"The split leaves one side empty; hold out some, not all, of {', '.join(subjects)}.",
                reason="SPLIT_EMPTY",
            )
        return sides[0], sides[1]


def prepare_motions(folder: Path) -> MotionSet:
    """Read all takes that the index of a folder lists.

    ``index.csv`` has the columns ``file``, ``format`` (``amc``, ``bvh_mb``, ``bvh_daz``, ``npz``;
    others are left out), ``skeleton`` (of an ``amc``), ``subject``, ``fps`` and ``head_frames_to_drop``.

    Raises
    ------
    InputError
        ``MOTIONS_MISSING``: no index, or nothing in it can be used; ``INDEX_INVALID``: a line of it
        lacks a value; or from a reader.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise InputError(
            f"'{folder}' has no index.csv; list its motion files there, as docs/lifter.md shows.",
            reason="MOTIONS_MISSING",
            path=folder,
        )
    with index.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        rows = [row for row in enumerate(csv.DictReader(file), 2) if row[1].get("format") in _FORMATS]
    digest = hashlib.sha256(index.read_bytes())
    takes: list[Take] = []
    skeletons: set[Path] = set()
    for line, row in rows:
        listed = _listed(index, line, row)
        takes.extend(_takes(listed))
        digest.update(listed.file.read_bytes())
        if listed.format == "amc" and listed.skeleton not in skeletons:
            skeletons.add(listed.skeleton)
            digest.update(listed.skeleton.read_bytes())
    if not takes:
        raise InputError(
            f"'{index}' lists no motion that can be used; its formats must be amc, bvh_mb, bvh_daz or npz.",
            reason="MOTIONS_MISSING",
            path=index,
        )
    return MotionSet(tuple(takes), digest.hexdigest())


@dataclass(frozen=True)
class _Listed:
    """A line of the index."""

    file: Path
    format: str
    skeleton: Path
    subject: str
    rate_hz: float
    head_frames: int


def _listed(index: Path, line: int, row: dict[str, str]) -> _Listed:
    try:
        rate_hz = float(row["fps"])
        if not 1 <= rate_hz <= 1000:
            raise ValueError(f"fps {row['fps']}")
        return _Listed(
            file=index.parent / row["file"],
            format=row["format"],
            skeleton=index.parent / (row.get("skeleton") or ""),
            subject=row["subject"],
            rate_hz=rate_hz,
            head_frames=int(row["head_frames_to_drop"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"'{index}', line {line}: a value is missing or not possible ({error}); "
            "give file, format, skeleton, subject, fps and head_frames_to_drop.",
            reason="INDEX_INVALID",
            path=index,
            line=line,
        ) from error


def _takes(listed: _Listed) -> Iterator[Take]:
    if listed.format == "npz":
        recording = read_motion(listed.file)
    elif listed.format == "amc":
        recording = read_amc(listed.file, read_asf(listed.skeleton), listed.rate_hz)
    else:
        recording = read_bvh(
            listed.file, metres_per_unit=_UNIT_M[listed.format], moved=_REPAIRS[listed.format]
        )
    # A motion.npz knows its own rate; what others say of theirs is often wrong.
    rate_hz = recording.rate_hz if listed.format == "npz" else listed.rate_hz
    points = body_points(recording)[listed.head_frames :]
    for number, part in enumerate(_unbroken(points, rate_hz), start=1):
        if len(part) >= _SHORTEST_S * rate_hz:
            yield Take(f"{listed.file.stem}.{number}", listed.subject, _at_rate(part, rate_hz))


def _unbroken(points: FloatArray, rate_hz: float) -> list[FloatArray]:
    """Cut where any point jumps."""
    speed = np.linalg.norm(np.diff(points, axis=0), axis=2).max(axis=1, initial=0.0) * rate_hz
    return np.split(points, np.flatnonzero(speed > _LIMIT_M_S) + 1)


def _at_rate(points: FloatArray, rate_hz: float) -> FloatArray:
    """Return every n-th frame where that meets the rate, and a blend of neighbours elsewhere."""
    step = rate_hz / RATE_HZ
    if abs(step - round(step)) < 1e-3:
        return np.asarray(points[:: round(step)], dtype=np.float32)
    places = np.arange(0, len(points) - 1, step)
    before = places.astype(int)
    share = (places - before)[:, None, None]
    blended = points[before] * (1 - share) + points[before + 1] * share
    return np.asarray(blended, dtype=np.float32)


def write_motions(path: Path, motions: MotionSet) -> None:
    """Keep a set in one compressed file: roots in float32, points about them in float16 (0.5 mm).

    Raises
    ------
    InputError
        ``OUTPUT_NOT_WRITABLE``.
    """
    points = np.concatenate([take.points_m for take in motions.takes])
    roots = _root(points)
    fresh = path.with_name(path.name + ".part")
    try:
        with fresh.open("wb") as file:
            np.savez_compressed(
                file,
                point_names=np.array(BODY_31.joints),
                roots_m=roots.astype(np.float32),
                points_m=(points - roots[:, None]).astype(np.float16),
                lengths=np.array([len(take.points_m) for take in motions.takes]),
                names=np.array([take.name for take in motions.takes]),
                subjects=np.array([take.subject for take in motions.takes]),
                sha256=np.array(motions.sha256),
            )
        os.replace(fresh, path)
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be written ({error.strerror}); choose another place.",
            reason="OUTPUT_NOT_WRITABLE",
            path=path,
        ) from error


def read_motions(path: Path) -> MotionSet:
    """Read what `write_motions` kept.

    Raises
    ------
    InputError
        ``MOTIONS_UNREADABLE``: not such a file, or of another body.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        names: NDArray[np.str_] = arrays["point_names"]
        if tuple(names) != BODY_31.joints:
            raise ValueError("other body points")
        points = arrays["points_m"].astype(np.float32) + arrays["roots_m"][:, None]
        lengths = arrays["lengths"]
        if points.shape[1:] != (len(BODY_31), 3) or not np.isfinite(points).all():
            raise ValueError("points that are no numbers or too few")
        if lengths.sum() != len(points) or not len(points) or lengths.min() < 1:
            raise ValueError(f"takes of {lengths.sum()} frames in all, but {len(points)} frames")
        parts = np.split(points, np.cumsum(lengths)[:-1])
        takes = [
            Take(str(name), str(subject), part)
            for name, subject, part in zip(arrays["names"], arrays["subjects"], parts, strict=True)
        ]
        return MotionSet(tuple(takes), str(arrays["sha256"]))
    except (*_UNREADABLE, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"'{path.name}' is no prepared motion set ({error}); make one with 'pose-server train prepare'.",
            reason="MOTIONS_UNREADABLE",
            path=path,
        ) from error


def _root(points: FloatArray) -> FloatArray:
    hips = [BODY_31.index(side + "_hip") for side in ("left", "right")]
    return np.asarray(points[:, hips].mean(axis=1))
