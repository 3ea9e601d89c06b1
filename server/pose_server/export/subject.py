"""Who is to be seen in a picture: people with their figures, contacts and keypoints, under one title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pose_server.export.figure import Figure, figure_of
from pose_server.pipeline.boundary import Camera, FloatArray, IntArray, Motion
from pose_server.pipeline.quality import contact_points_m

__all__ = ["Shown", "Subject", "framed", "subject_of"]

_CARRIES = 0.5


@dataclass(frozen=True)
class Shown:
    """One person as it is drawn; all rows are those of the figure."""

    figure: Figure
    camera: Camera
    frames: IntArray
    """(T,) source frame numbers."""
    touching_m: FloatArray
    """(T, C, 3) points in the world that may touch the ground."""
    carries: FloatArray
    """(T, C) 0..1 whether they do."""
    keypoints_px: FloatArray
    """(T, K, 2) in the film."""

    def row(self, time_s: float) -> int:
        """Return the row that is nearest in time."""
        return int(np.abs(self.figure.times_s - time_s).argmin())

    def carrying_m(self, time_s: float) -> FloatArray:
        """Return (N, 3) what touches the ground then."""
        row = self.row(time_s)
        return np.asarray(self.touching_m[row][self.carries[row] > _CARRIES])


@dataclass(frozen=True)
class Subject:
    """People under one title: a result, another to compare it with, what was seen before the solve."""

    title: str
    people: tuple[Shown, ...]
    notes: tuple[str, ...] = ()
    """Lines below its pictures."""


def subject_of(title: str, motions: Mapping[int, Motion], *, sides: bool = False) -> Subject:
    """Return a result as a subject.

    Parameters
    ----------
    title
        Above its pictures, where there are several subjects.
    motions
        By the number of the person.
    sides
        Whether left and right have colours of their own, rather than people.
    """
    return Subject(title, tuple(_shown(motion, number, sides) for number, motion in motions.items()))


def framed(subjects: Sequence[Subject]) -> tuple[Figure, ...]:
    """Return everybody's figures."""
    return tuple(shown.figure for subject in subjects for shown in subject.people)


def _shown(motion: Motion, number: int, sides: bool) -> Shown:
    return Shown(
        figure=figure_of(motion, number, sides=sides),
        camera=motion.camera,
        frames=motion.frames,
        touching_m=contact_points_m(motion),
        carries=motion.contacts,
        keypoints_px=motion.keypoints_px,
    )
