"""How well one sighting of a body continues another: position, size and pose, all in seconds and bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_server.pipeline.boundary import FloatArray, IntArray
from pose_server.track.sightings import Sightings

__all__ = ["Ends", "ends_of", "least_vagueness", "misfits", "states_of", "velocity_of"]

#: A velocity is the slope of a straight line through this much of a track.
VELOCITY_WINDOW_S = 0.25
#: Standard deviation of a detector's body centre.
CENTRE_NOISE = 0.02  # bodies
#: Spread of the velocities of people nothing else is known of (brisk walking: 0.8).
VELOCITY_SPREAD = 1.2  # bodies/s
#: Spectral density of the white acceleration with which people leave a straight line.
ACCELERATION_DENSITY = 2.0  # bodies^2/s^3
#: Beyond a second nobody keeps a velocity; the way still grows by this much on average.
WANDERING_SPEED = 0.8  # bodies/s
VELOCITY_MEMORY_S = 0.7

# Measured on BlazePose: a moving person's keypoints about the centre change by 0.02 bodies (rms) in 1/30 s,
# 0.12 at most in 0.13 s and 0.2 in 0.3 s and longer; the logarithm of the size by 0.03, 0.07 and 0.1.
# A box, from which the size of people without landmarks comes, changes more than that.
_SIZE_NOISE = 0.12  # of the logarithm
_SIZE_CHANGE = 0.3  # of the logarithm, per second, for at most a second
_SHAPE_NOISE = 0.04  # bodies
_SHAPE_SPEED = 0.5  # bodies/s, for at most 0.3 s
_SHAPE_MEMORY_S = 0.3
_SHAPE_WORTH = 4.0  # keypoints of one body move together: so many independent ones
_SHAPE_WORST = 4.0


@dataclass(frozen=True)
class Ends:
    """The state of M bodies, each at its own moment: where a track ends, or where one begins."""

    times_s: FloatArray
    """(M,)."""
    centres_px: FloatArray
    """(M, 2) in a picture in which the background stands still, as all that follows."""
    sizes_px: FloatArray
    """(M,)."""
    velocities: FloatArray
    """(M, 2) pixels per second."""
    velocity_precision: FloatArray
    """(M,) one over the variance, in (bodies/s)^-2 for each axis; 0 where nothing is known."""
    shapes: FloatArray
    """(M, K, 2) keypoints about the centre, in bodies."""
    confidence: FloatArray
    """(M, K)."""

    def __getitem__(self, which: IntArray) -> Ends:
        return Ends(**{name: values[which] for name, values in vars(self).items()})


def velocity_of(
    centres_px: FloatArray, times_s: FloatArray, track: Sequence[int], *, at_end: bool
) -> tuple[float, float, float]:
    """Return the velocity (px/s, both axes) at one end of a track, and its precision, (bodies/s)^-2.

    Centres and times are of all sightings.
    """
    near = list(track[-1:-65:-1] if at_end else track[:64])
    times = times_s[near]
    inside = np.abs(times - times[0]) <= VELOCITY_WINDOW_S * 1.01
    near, times = [i for i, keep in zip(near, inside, strict=True) if keep], times[inside]
    about = times - times.mean()
    leverage = float(about @ about)
    if leverage <= 0:
        return 0.0, 0.0, 0.0
    slope = about @ centres_px[near] / leverage
    variance = CENTRE_NOISE**2 / leverage + ACCELERATION_DENSITY * float(np.ptp(times)) / 3
    return float(slope[0]), float(slope[1]), 1.0 / variance


def ends_of(sightings: Sightings, tracks: Sequence[Sequence[int]], *, at_end: bool) -> Ends:
    """Return the state of each track at its last or its first sighting."""
    centres_px, times_s = sightings.steady_centres_px, sightings.times_s
    moving = [velocity_of(centres_px, times_s, track, at_end=at_end) for track in tracks]
    return states_of(sightings, [track[-1 if at_end else 0] for track in tracks], moving)


def states_of(
    sightings: Sightings, which: Sequence[int] | IntArray, velocities: Sequence[tuple[float, float, float]]
) -> Ends:
    """Return the states of some sightings whose velocities and their precisions are known."""
    at = np.asarray(which, dtype=np.int64)
    moving = np.asarray(velocities, dtype=np.float64).reshape(-1, 3)
    return Ends(
        times_s=sightings.times_s[at],
        centres_px=sightings.steady_centres_px[at],
        sizes_px=sightings.steady_sizes_px[at],
        velocities=moving[:, :2],
        velocity_precision=moving[:, 2],
        shapes=sightings.shapes(at),
        confidence=sightings.confidence[at],
    )


def least_vagueness(gap_s: FloatArray) -> FloatArray:
    """Return the vagueness (see `misfits`) of a gap between two tracks whose velocities are known exactly."""
    return np.asarray(np.log1p(_swerve(gap_s) ** 2 / (2 * CENTRE_NOISE**2)))


def _swerve(gap_s: FloatArray) -> FloatArray:
    """Standard deviation (bodies) of where somebody is after a while from where they were headed."""
    return np.minimum(np.sqrt(ACCELERATION_DENSITY * gap_s**3 / 3), WANDERING_SPEED * gap_s)


def misfits(ends: Ends, starts: Ends) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return how badly `starts` continue `ends`, pair by pair, and how vague that is.

    Returns
    -------
    place
        (M,) negative logarithm of the likelihood of where and how large the body is, 0 at best.
    manner
        (M,) the same for its velocity and pose.
    vagueness
        (M,) logarithm by which the expected place has grown since a pair of neighbouring frames; added
        to the others it makes the negative log likelihood of Gaussians, so that a track that was lost
        a while ago does not win against one that is fresh.

    Notes
    -----
    Between the two moments a body moves with the velocity that both ends support, weighted by
    their precision (Kalman's update with the spread of people's velocities as prior), and leaves the
    straight line as integrated white acceleration does (Bar-Shalom et al., Estimation with
    Applications to Tracking and Navigation, 2001, section 6.2.2), but no faster than people wander.
    """
    gap_s = np.maximum(starts.times_s - ends.times_s, 1e-3)
    size_px = np.sqrt(ends.sizes_px * starts.sizes_px)
    precision = ends.velocity_precision + starts.velocity_precision + VELOCITY_SPREAD**-2
    velocity = (
        ends.velocities * ends.velocity_precision[:, None]
        + starts.velocities * starts.velocity_precision[:, None]
    ) / precision[:, None]
    reach_s = VELOCITY_MEMORY_S * -np.expm1(-gap_s / VELOCITY_MEMORY_S)
    miss = (starts.centres_px - ends.centres_px - velocity * reach_s[:, None]) / size_px[:, None]
    variance = 2 * CENTRE_NOISE**2 + reach_s**2 / precision + _swerve(gap_s) ** 2
    place = (miss**2).sum(axis=1) / (2 * variance)
    vagueness = np.log(variance / (2 * CENTRE_NOISE**2))

    both = (ends.velocity_precision > 0) & (starts.velocity_precision > 0)
    turn = ((starts.velocities - ends.velocities) ** 2).sum(axis=1) / size_px**2
    with np.errstate(divide="ignore"):
        known = 1 / ends.velocity_precision + 1 / starts.velocity_precision
    turning = np.where(both, turn / (2 * (known + ACCELERATION_DENSITY * gap_s)), 0.0)

    size_sigma = np.hypot(_SIZE_NOISE, _SIZE_CHANGE * np.minimum(gap_s, 1.0))
    size = (np.log(starts.sizes_px / ends.sizes_px) / size_sigma) ** 2 / 2

    shape_sigma = np.hypot(_SHAPE_NOISE, _SHAPE_SPEED * np.minimum(gap_s, _SHAPE_MEMORY_S))
    weights = ends.confidence * starts.confidence
    squared = ((starts.shapes - ends.shapes) ** 2).sum(axis=-1) / (2 * shape_sigma[:, None] ** 2)
    shape = (np.minimum(squared, _SHAPE_WORST) * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-6)
    return place + size, turning + _SHAPE_WORTH * shape, vagueness
