"""The lens and the vertical, from the straight lines of what people build.

Most lines of rooms, furniture and houses run in three directions at right angles, one of them upright
(Coughlan and Yuille, "Manhattan World", 1999).  In the picture each family runs towards a vanishing point,
and how these lie to each other tells the focal length (Caprile and Torre, 1990).  For each of some lenses
lines vote for directions on a hemisphere, and of all ways to turn a room the ones whose axes gather most
votes are looked up (after Bazin et al., "Globally Optimal Line Clustering", 2012).  The best are refined
together with the lens: expectation maximisation says which line belongs to which axis, or to none, and
Gauss-Newton steps turn the room.  Centre and distortion of the lens are unknown within what is usual,
so that uncertainty is honest where vanishing points are far away; what solutions there are count by their
likelihood, so that it is so too where they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import Camera, FloatArray, Vertical
from pose_server.pipeline.distortion import undistorted

__all__ = ["Room", "seen_room"]

#: Lengths are parts of the picture's longer side.  Lines along the picture's own border belong to it.
_BORDER, _MOST = 0.012, 200
#: How far a line's direction is off: that of the thing, and where its ends are.
_LINE_RAD, _END = np.radians(0.5), 0.0008
#: Edges and fragments of one thing are one witness.
_SAME_RAD, _SAME = np.radians(2.0), 0.012
#: How cameras are held, and made: one standard deviation.  They look down at people more than up.
_ROLL_DEG, _DOWN_DEG, _UP_DEG = 12.0, 25.0, 15.0
_CENTRE, _BEND = 0.015, 0.05
#: The search: lenses, over so many standard deviations; directions; turns of the room.
_LENSES, _WIDE, _DIRECTIONS, _STEP_DEG = 11, 2.5, 2500, 3.0
_LARGEST_PITCH_DEG, _LARGEST_ROLL_DEG = 60.0, 45.0
_APART_RAD, _BEST, _STEPS = np.radians(8.0), 8, 15
#: Which share of lines belongs to no axis, to begin with, and at least; to an axis at least.
_ASTRAY, _LEAST_ASTRAY, _LEAST = 0.6, 0.05, 0.005
#: Heaps of lines without any order reach 16 to 19 in one of a hundred (logarithm of a likelihood ratio).
_CHANCE = 20.0
#: Lines of one thing agree beyond chance, so that likelihoods are less sharp than if they were independent.
_SHARPNESS = 0.35
#: Solutions nearer than this are one; those of a smaller share are none.
_ONE, _LEAST_SHARE = 0.02, 0.03
#: An axis that explains less may not be there; without the upright one nothing is said of the lens, for
#: things stand at any angle to each other on a floor.
_SEEN = 4.0
#: A vertical that is less sure than this tells nothing.
_UNSURE_RAD = np.radians(8.0)
#: Of the numbers that are fitted: three of the turn, the lens, two of its centre, its bend.
_LENS = 3


@dataclass(frozen=True)
class Room:
    """What the lines of a picture tell of its camera, together with what was known of the lens before."""

    vertical: Vertical
    focal_px: float
    focal_sigma: float
    """Relative, one standard deviation."""


@dataclass(frozen=True)
class _Lines:
    ends: FloatArray
    """(N, 2, 2) from the middle of the picture."""
    sigma_rad: FloatArray
    """(N,)."""
    weight: FloatArray
    """(N,) how much of a witness of its own each is."""


@dataclass(frozen=True)
class _Turn:
    """A room turned, and the lens that it was seen through."""

    axes: FloatArray
    """(3, 3) columns: the room's axes in the camera, the second one down."""
    log_focal: float
    lens: FloatArray
    """(3,) its centre, and its bend: points lie further out by this times the square of their distance."""
    likelihood: float = 0.0
    """Logarithm of that of lines and lens, over that of lines without any order."""
    covariance: FloatArray | None = None
    """(7, 7)."""
    stands: bool = True
    """Whether there are lines along what is upright."""

    @property
    def held(self) -> float:
        """Logarithm of how likely a camera is held like that."""
        return float(_held(self.axes))

    def moved(self, step: FloatArray) -> _Turn:
        axes = Rotation.from_rotvec(step[:3]).as_matrix() @ self.axes
        return _Turn(axes, self.log_focal + float(step[_LENS]), self.lens + step[_LENS + 1 :])

    def angles(self, ends: FloatArray) -> FloatArray:
        """Return (3, N) angles between lines and what they would be along each axis."""
        ends = ends - self.lens[:2]
        ends = ends * (1 + self.lens[2] * (ends**2).sum(axis=-1, keepdims=True))
        return _angles(ends, self.axes.T, self.log_focal)


def seen_room(lines_px: FloatArray, camera: Camera) -> Room | None:
    """Return what straight lines tell; None where they follow no room's axes.

    Parameters
    ----------
    lines_px
        (N, 2, 2) ends of lines.
    camera
        What is known of the lens; without a `focal_sigma` it is exactly that.

    Notes
    -----
    Which of the axes is upright follows from how cameras are held: rolled and pitched little.  Lines of a
    single direction are a room's too; how little they say of the others is in the uncertainty.
    """
    unit_px = float(max(camera.image_size))
    lines = _sorted_out(lines_px, camera)
    known = float(np.log(camera.matrix[0, 0] / unit_px))
    sigma = max(camera.focal_sigma or 0.0, 1e-3)
    if len(lines.ends) < 3:
        return None
    guesses = sorted(_guesses(lines, known, sigma), key=lambda guess: -guess[0])[:_BEST]
    turns = [_refined(turn, lines, known, sigma) for _, turn in guesses]
    turns.sort(key=lambda turn: -turn.likelihood - turn.held)
    if turns[0].likelihood + turns[0].held < _CHANCE:
        return None
    return _summed(turns, known, sigma, unit_px)


def _sorted_out(lines_px: FloatArray, camera: Camera) -> _Lines:
    """Return the longest lines, without the picture's border, as a pinhole with square pixels sees them."""
    size, unit_px = np.array(camera.image_size, dtype=float), float(max(camera.image_size))
    along_border = (np.concatenate([lines_px, size - lines_px], axis=2) < _BORDER * unit_px).all(axis=1)
    lines_px = lines_px[~along_border.any(axis=1)]
    straight_px = undistorted(lines_px, camera)
    straight_px = straight_px[np.isfinite(straight_px).all(axis=(1, 2))]
    square = camera.matrix[0, 0] / camera.matrix[[0, 1], [0, 1]]
    ends = (straight_px - camera.matrix[:2, 2]) * square / unit_px
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    longest = np.argsort(-length, kind="stable")[:_MOST]
    ends, length = ends[longest], length[longest]
    middle, along = ends.mean(axis=1), (ends[:, 1] - ends[:, 0]) / length[:, None]
    apart = middle[None] - middle[:, None]
    same = np.abs(_cross(along[:, None], along[None])) < np.sin(_SAME_RAD)
    same &= np.abs(_cross(along[:, None], apart)) < _SAME
    return _Lines(ends, np.hypot(_LINE_RAD, _END / length), length / (same * length).sum(axis=1))


def _guesses(lines: _Lines, known: float, sigma: float) -> list[tuple[float, _Turn]]:
    """Return votes, and turns of the room: the two best for each lens."""
    directions, rotations, places = _grid()
    broad = np.hypot(lines.sigma_rad, np.radians(_STEP_DEG / 2))
    share = (1 - _ASTRAY) / 3 / _ASTRAY
    held = _held(rotations)
    found = []
    # A lens that is known to some percent is near enough for a search.
    for off in np.linspace(-_WIDE, _WIDE, _LENSES) * sigma if sigma > _STEP_DEG / 60 else [0.0]:
        ratio = _ratio(_angles(lines.ends, directions, known + off), broad)
        votes = (np.log1p(share * ratio) * lines.weight).sum(axis=1)
        score = votes[places].sum(axis=1) + held
        for _ in range(2):
            best = int(score.argmax())
            turn = _Turn(rotations[best], known + off, np.zeros(3))
            found.append((float(score[best]) - 0.5 * (off / sigma) ** 2, turn))
            trace = np.einsum("nij,ij->n", rotations, rotations[best])
            score = np.where(trace > 1 + 2 * np.cos(_APART_RAD), -np.inf, score)
    return found


def _refined(turn: _Turn, lines: _Lines, known: float, sigma: float) -> _Turn:
    """Return the likeliest turn and lens nearby, with their likelihood and covariance."""
    certainty = np.array([0, 0, 0, sigma**-2, _CENTRE**-2, _CENTRE**-2, _BEND**-2])
    shares = np.array([_ASTRAY, *[(1 - _ASTRAY) / 3] * 3])
    weight = lines.weight

    def off(turn: _Turn) -> FloatArray:
        return np.array([0, 0, 0, turn.log_focal - known, *turn.lens])

    for _ in range(_STEPS):
        angles = turn.angles(lines.ends)
        parts = shares[1:, None] * _ratio(angles, lines.sigma_rad)
        belongs = parts / (shares[0] + parts.sum(axis=0))
        mine = (weight * belongs).sum(axis=1) / weight.sum()
        shares = np.maximum([1 - mine.sum(), *mine], [_LEAST_ASTRAY, *[_LEAST] * 3])
        shares /= shares.sum()
        slopes = _slopes(turn, angles, lines.ends)
        precision = weight * belongs / lines.sigma_rad**2
        normal = np.einsum("kn,ikn,jkn->ij", precision, slopes, slopes, optimize=True)
        # A little stiffness, for turns that no line tells.
        normal += np.diag(certainty) + np.diag([1e-2] * 3 + [0.0] * 4)
        downhill = -np.einsum("kn,ikn,kn->i", precision, slopes, angles) - certainty * off(turn)
        step = np.linalg.solve(normal, downhill)
        step /= max(1.0, np.linalg.norm(step[:3]) / 0.1, abs(step[_LENS]) / 0.1)
        turn = turn.moved(step)
        if np.abs(step).max() < 1e-4:
            break
    parts = shares[1:, None] * _ratio(turn.angles(lines.ends), lines.sigma_rad)
    total = shares[0] + parts.sum(axis=0)
    likelihood = (weight * np.log(total)).sum() - 0.5 * (certainty * off(turn) ** 2).sum()
    upright = (weight * np.log(total / (total - parts[1] + shares[2]))).sum()
    covariance = np.linalg.inv(normal)
    return replace(turn, likelihood=float(likelihood), covariance=covariance, stands=bool(upright > _SEEN))


def _summed(turns: Sequence[_Turn], known: float, sigma: float, unit_px: float) -> Room | None:
    """Return mean and spread over what solutions there are, the likeliest first."""
    apart: list[_Turn] = []
    for turn in turns:
        near = (
            abs(turn.log_focal - other.log_focal) < _ONE and turn.axes[:, 1] @ other.axes[:, 1] > np.cos(_ONE)
            for other in apart
        )
        if not any(near):
            apart.append(turn)
    likelihoods, held = np.array([[turn.likelihood, turn.held] for turn in apart]).T
    share = np.exp(_SHARPNESS * (likelihoods - likelihoods[0]) + held - held[0])
    share = np.where(share < _LEAST_SHARE * share.sum(), 0.0, share)
    share /= share.sum()
    covariances = np.array([turn.covariance for turn in apart])
    stands = np.array([turn.stands for turn in apart])
    focal = np.where(stands, [turn.log_focal for turn in apart], known)
    variances = np.where(stands, covariances[:, _LENS, _LENS], sigma**2)
    ups = np.array([-turn.axes[:, 1] for turn in apart])
    mean = float(share @ focal)
    up = share @ ups
    up /= np.linalg.norm(up)
    # A turn about what is upright does not move it; the two others are counted once.
    level = np.eye(3) - ups[:, :, None] * ups[:, None, :]
    tilts = np.einsum("nij,njk,nki->n", level, covariances[:, :3, :3], level) / 2
    away = np.arccos(np.clip(ups @ up, -1, 1))
    up_sigma_rad = float(np.sqrt(share @ (tilts + away**2 / 2)))
    if up_sigma_rad > _UNSURE_RAD:
        return None
    focal_sigma = np.sqrt(share @ (variances + (focal - mean) ** 2))
    return Room(Vertical(up, up_sigma_rad), float(np.exp(mean)) * unit_px, float(focal_sigma))


def _slopes(turn: _Turn, angles: FloatArray, ends: FloatArray) -> FloatArray:
    """Return (7, 3, N) how angles change with turn and lens."""
    small = 1e-5
    slopes = np.array([turn.moved(small * row).angles(ends) - angles for row in np.eye(7)]) / small
    return np.where(np.abs(slopes) < 1e4, slopes, 0.0)  # a line through its vanishing point says nothing


def _angles(ends: FloatArray, directions: FloatArray, log_focal: float) -> FloatArray:
    """Return (D, N) angles, up to a right one, from lines to where (D, 3) directions in the camera vanish."""
    middle, along = ends.mean(axis=1), ends[:, 1] - ends[:, 0]
    focal, aside = np.exp(log_focal), np.stack([-along[:, 1], along[:, 0]])
    cross = directions @ np.stack([*(focal * aside), -_cross(along, middle)])
    dot = directions @ np.stack([*(focal * along.T), -(along * middle).sum(axis=1)])
    return np.asarray(np.arctan(cross / np.where(np.abs(dot) < 1e-12, 1e-12, dot)))


def _ratio(angles: FloatArray, sigma_rad: FloatArray) -> FloatArray:
    """Return how much likelier an angle is than if lines ran anywhere."""
    return np.asarray(np.sqrt(np.pi / 2) / sigma_rad * np.exp(-0.5 * (angles / sigma_rad) ** 2))


def _held(axes: FloatArray) -> FloatArray:
    """Return the logarithm of how likely a camera is held so that it sees (..., 3, 3) axes."""
    down = axes[..., :, 1]
    roll = np.degrees(np.arctan2(down[..., 0], down[..., 1]))
    pitch = np.degrees(np.arcsin(np.clip(down[..., 2], -1, 1)))
    return np.asarray(
        -0.5 * ((roll / _ROLL_DEG) ** 2 + (pitch / np.where(pitch > 0, _DOWN_DEG, _UP_DEG)) ** 2)
    )


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


@cache
def _grid() -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Return (D, 3) directions, (R, 3, 3) turns of a room, and (R, 3) which directions its axes have."""
    count = np.arange(_DIRECTIONS) + 0.5  # on a spiral: each has as much of the hemisphere around it
    z, angle = count / _DIRECTIONS, count * np.pi * (3 - np.sqrt(5))
    directions = np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)
    rolls, pitches = (
        np.arange(-largest, largest + 0.1, _STEP_DEG) for largest in (_LARGEST_ROLL_DEG, _LARGEST_PITCH_DEG)
    )
    turns = np.stack(np.meshgrid(rolls, pitches, np.arange(0, 90, _STEP_DEG)), axis=-1).reshape(-1, 3)
    rotations = Rotation.from_euler("ZXY", turns, degrees=True).as_matrix()
    tree = cKDTree(np.concatenate([directions, -directions]))
    places = tree.query(rotations.transpose(0, 2, 1).reshape(-1, 3))[1].reshape(-1, 3) % _DIRECTIONS
    return directions, rotations, places
