"""How far a motion is from a reference, and how calm, rigid and planted it is.

Arrays are in metres, shape (T, J, 3) for T frames of J joints; names of numbers carry their unit.
A joint that is NaN in either motion does not count; where nothing counts the number is NaN.  So a
low error over few joints is no merit: show `coverage` beside it.

The position errors are protocols 1 to 3 of Human3.6M as Martinez et al. (2017) and Pavllo et al.
(2019) use them; jitter and foot slide are those of Shen et al. (2024), on joints instead of
vertices.  Means are over all joints of all frames that count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InternalError

__all__ = [
    "LEAST_TRAVEL_M",
    "WINDOW",
    "Acceleration",
    "ContactScore",
    "FootSlide",
    "RootError",
    "acceleration",
    "bone_spread",
    "centred",
    "contact_score",
    "coverage",
    "foot_slide",
    "jitter_10m_s3",
    "measures",
    "mpjpe_mm",
    "mpjve_mm_frame",
    "n_mpjpe_mm",
    "p_mpjpe_mm",
    "pa_seq_mm",
    "root_error",
    "root_per_metre",
    "w_mpjpe_mm",
    "wa_mpjpe_mm",
]

FloatArray = NDArray[np.floating[Any]]

#: Frames over which a path in the room is compared.
WINDOW = 100
#: Who goes less far stands: an error per metre would say nothing.
LEAST_TRAVEL_M = 1.0

#: A similarity has 7 unknowns: three points give 9 equations, two leave a rotation free.
_FEWEST_POINTS = 3


class Acceleration(NamedTuple):
    """An error of acceleration, which only means something beside the accelerations themselves.

    A motion that never moves has a low error too; `result` far below `reference` gives it away.
    """

    error_mm_frame2: float
    result_mm_frame2: float
    reference_mm_frame2: float

    @property
    def kept(self) -> float:
        """Mean acceleration of the result over that of the reference; 1 is right."""
        return self.result_mm_frame2 / self.reference_mm_frame2 if self.reference_mm_frame2 else np.nan


class RootError(NamedTuple):
    """How far a path through the room is from where the person went."""

    absolute_m: float
    """Mean distance."""
    scaled_m: float
    """The same after the one scale about the camera that fits best: what is left when the person's
    size, or the focal length, is not to blame."""
    scale: float
    """That scale."""
    relative_depth: float
    """Mean of |depth - true depth| / true depth."""


class FootSlide(NamedTuple):
    """How fast feet move while they stand."""

    mm_frame: float
    m_s: float


class ContactScore(NamedTuple):
    """How well contacts are told, counted over frames and feet."""

    precision: float
    recall: float
    f1: float


def centred(joints_m: FloatArray, roots: Sequence[int]) -> FloatArray:
    """Return joints (T, J, 3) about the middle of the joints `roots`; without roots as they are.

    A frame that lacks one of the roots becomes NaN.
    """
    if not len(roots):
        return joints_m
    return np.asarray(joints_m - joints_m[..., list(roots), :].mean(axis=-2, keepdims=True))


def coverage(result_m: FloatArray, reference_m: FloatArray) -> float:
    """Return the share of the reference's joints that the result has, 0 to 1."""
    wanted = np.isfinite(reference_m).all(axis=-1)
    return _mean(np.isfinite(result_m).all(axis=-1)[wanted].astype(float))


def mpjpe_mm(result_m: FloatArray, reference_m: FloatArray, *, roots: Sequence[int] = ()) -> float:
    """Return the mean distance of joints (protocol 1), about the middle of the joints `roots`."""
    _check(result_m, reference_m)
    return _mean(_distance(centred(result_m, roots), centred(reference_m, roots))) * 1e3


def p_mpjpe_mm(result_m: FloatArray, reference_m: FloatArray) -> float:
    """Return the mean distance after the best similarity of every frame (protocol 2).

    Rotation, scale and shift, no reflection; frames with fewer than three joints do not count.
    """
    _check(result_m, reference_m)
    return _mean(_distance(_aligned(result_m, reference_m), reference_m)) * 1e3


def n_mpjpe_mm(result_m: FloatArray, reference_m: FloatArray, *, roots: Sequence[int] = ()) -> float:
    """Return the mean distance after the best scale of every frame about the roots (protocol 3)."""
    _check(result_m, reference_m)
    result_m, reference_m = centred(result_m, roots), centred(reference_m, roots)
    both = _both(result_m, reference_m)[..., None]
    own = np.where(both, result_m, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (own * np.where(both, reference_m, 0.0)).sum(axis=(-2, -1)) / (own**2).sum(axis=(-2, -1))
    return _mean(_distance(scale[..., None, None] * result_m, reference_m)) * 1e3


def pa_seq_mm(result_m: FloatArray, reference_m: FloatArray) -> float:
    """Return the mean distance after the one similarity that fits the whole clip best.

    Unlike `p_mpjpe_mm` it counts drift, wrong turns and wrong travel; give absolute joints.
    """
    _check(result_m, reference_m)
    fitted = _aligned(result_m.reshape(-1, 3), reference_m.reshape(-1, 3)).reshape(reference_m.shape)
    return _mean(_distance(fitted, reference_m)) * 1e3


def wa_mpjpe_mm(result_m: FloatArray, reference_m: FloatArray, *, window: int = WINDOW) -> float:
    """Return the mean distance after one rigid motion for every window of frames (WA-MPJPE).

    As SLAHMR (Ye et al., 2023) and WHAM (Shin et al., 2024) cut clips, except that their code fits a
    scale too; what is left over belongs to the last window.
    """
    return _windowed_mm(result_m, reference_m, window, leading_frames=None)


def w_mpjpe_mm(result_m: FloatArray, reference_m: FloatArray, *, window: int = WINDOW) -> float:
    """Return the same after the rigid motion that fits the first two frames of every window (W-MPJPE)."""
    return _windowed_mm(result_m, reference_m, window, leading_frames=2)


def root_per_metre(result_m: FloatArray, reference_m: FloatArray) -> float:
    """Return the mean distance of paths (T, 3) after one rigid motion, per metre travelled.

    The RTE of WHAM.  NaN where less than `LEAST_TRAVEL_M` is travelled.
    """
    _check(result_m, reference_m)
    travelled = float(np.nansum(np.linalg.norm(np.diff(reference_m, axis=0), axis=-1)))
    if travelled < LEAST_TRAVEL_M:
        return float("nan")
    return _mean(_distance(_aligned(result_m, reference_m, scaled=False), reference_m)) / travelled


def mpjve_mm_frame(result_m: FloatArray, reference_m: FloatArray, *, roots: Sequence[int] = ()) -> float:
    """Return the mean error of velocity per frame; times frames per second it is in mm/s."""
    _check(result_m, reference_m)
    return _mean(_distance(*(np.diff(centred(x, roots), axis=0) for x in (result_m, reference_m)))) * 1e3


def acceleration(result_m: FloatArray, reference_m: FloatArray, *, roots: Sequence[int] = ()) -> Acceleration:
    """Return the mean error of acceleration (second difference) with both mean accelerations.

    All three are over the same joints and frames: those that both motions have.
    """
    _check(result_m, reference_m)
    result, reference = (np.diff(centred(x, roots), 2, axis=0) for x in (result_m, reference_m))
    both = _both(result, reference)
    own, true = (_mean(np.linalg.norm(x[both], axis=-1)) * 1e3 for x in (result, reference))
    return Acceleration(_mean(_distance(result, reference)) * 1e3, own, true)


def jitter_10m_s3(joints_m: FloatArray, *, fps: float) -> float:
    """Return the mean third derivative of joints in units of 10 m/s^3."""
    return _mean(np.linalg.norm(np.diff(joints_m, 3, axis=0), axis=-1)) * fps**3 / 10


def bone_spread(joints_m: FloatArray, bones: Sequence[tuple[int, int]]) -> float:
    """Return how much bones change length: standard deviation over mean, averaged over `bones`.

    `bones` are pairs of joint indices; a bone that is never seen does not count.
    """
    spreads = []
    for a, b in bones:
        lengths = np.linalg.norm(joints_m[:, a] - joints_m[:, b], axis=-1)
        lengths = lengths[np.isfinite(lengths)]
        if len(lengths) and lengths.mean() > 0:
            spreads.append(lengths.std() / lengths.mean())
    return _mean(np.array(spreads))


def root_error(result_m: FloatArray, reference_m: FloatArray) -> RootError:
    """Return how far roots (T, 3) in the camera are from the reference's."""
    _check(result_m, reference_m)
    both = _both(result_m, reference_m)
    own, true = result_m[both], reference_m[both]
    length = (own * own).sum()
    scale = float((own * true).sum() / length) if length > 0 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.abs(own[:, 2] - true[:, 2]) / np.abs(true[:, 2])
    return RootError(_mean(_distance(own, true)), _mean(_distance(scale * own, true)), scale, _mean(depth))


def foot_slide(feet_world_m: FloatArray, contacts: NDArray[Any], *, fps: float) -> FootSlide:
    """Return how fast feet (T, K, 3) move between two frames in both of which they stand.

    Parameters
    ----------
    feet_world_m
        Points of the feet in the world; ankle and toe tell a rolling foot from a sliding one.
    contacts
        (T, K) whether each stands, the reference's: a boolean, or a probability from 0.5 up.
    fps
        Frames per second.
    """
    if contacts.shape != feet_world_m.shape[:2]:
        raise InternalError(
            f"contacts: expected {feet_world_m.shape[:2]}, got {contacts.shape}", reason="BAD_SHAPE"
        )
    stands = np.nan_to_num(np.asarray(contacts, dtype=float)) >= 0.5
    steps = np.linalg.norm(np.diff(feet_world_m, axis=0), axis=-1)
    step_m = _mean(steps[stands[1:] & stands[:-1]])
    return FootSlide(step_m * 1e3, step_m * fps)


def contact_score(result: NDArray[Any], reference: NDArray[Any], *, threshold: float = 0.5) -> ContactScore:
    """Return precision, recall and F1 of contacts (T, K), booleans or probabilities.

    An entry that is NaN in either does not count.  A share of nothing is NaN.
    """
    _check(result, reference)
    own, true = np.asarray(result, dtype=float), np.asarray(reference, dtype=float)
    counts = np.isfinite(own) & np.isfinite(true)
    said, is_so = own[counts] >= threshold, true[counts] >= 0.5
    hits, claims, facts = (int(x.sum()) for x in (said & is_so, said, is_so))
    return ContactScore(
        precision=hits / claims if claims else np.nan,
        recall=hits / facts if facts else np.nan,
        f1=2 * hits / (claims + facts) if claims + facts else np.nan,
    )


def measures(
    result_m: FloatArray,
    reference_m: FloatArray,
    *,
    fps: float,
    roots: Sequence[int],
    bones: Sequence[tuple[int, int]],
) -> dict[str, float]:
    """Return every measure of one clip's joints against a reference, by name with unit.

    Parameters
    ----------
    result_m, reference_m
        (T, J, 3), absolute, camera or world axes.
    fps
        Frames per second.
    roots
        Joints about whose middle the root-relative measures are taken.
    bones
        Pairs of joints.

    Notes
    -----
    `jitter` and `reference_jitter` are of joints about the roots, so that they hold for a lifter
    without a path too.
    """
    moved = acceleration(result_m, reference_m, roots=roots)
    velocity = mpjve_mm_frame(result_m, reference_m, roots=roots)
    return {
        "coverage": coverage(result_m, reference_m),
        "mpjpe_mm": mpjpe_mm(result_m, reference_m, roots=roots),
        "p_mpjpe_mm": p_mpjpe_mm(result_m, reference_m),
        "n_mpjpe_mm": n_mpjpe_mm(result_m, reference_m, roots=roots),
        "pa_seq_mm": pa_seq_mm(result_m, reference_m),
        "mpjve_mm_frame": velocity,
        "mpjve_mm_s": velocity * fps,
        **{f"acceleration_{name}": value for name, value in moved._asdict().items()},
        "jitter_10m_s3": jitter_10m_s3(centred(result_m, roots), fps=fps),
        "reference_jitter_10m_s3": jitter_10m_s3(centred(reference_m, roots), fps=fps),
        "bone_spread": bone_spread(result_m, bones),
        "reference_bone_spread": bone_spread(reference_m, bones),
    }


def _aligned(
    result_m: FloatArray, reference_m: FloatArray, *, scaled: bool = True, leading: int | None = None
) -> FloatArray:
    """Return result (..., N, 3) moved by the best similarity of each set of points, or NaN.

    Umeyama (1991): the rotation that maximises trace(R S), its last direction turned round where
    that would be a reflection.  Without `scaled` a rigid motion; of the `leading` points alone, if given.
    """
    both = _both(result_m, reference_m)
    used = both.copy()
    used[..., leading:] &= leading is None
    weight = used[..., None].astype(np.float64)
    count = np.maximum(weight.sum(axis=-2, keepdims=True), 1.0)

    def about_mean(points: FloatArray) -> tuple[FloatArray, FloatArray]:
        middle = np.where(weight > 0, points, 0.0).sum(axis=-2, keepdims=True) / count
        return np.where(weight > 0, points - middle, 0.0), middle

    own, own_middle = about_mean(result_m)
    true, middle = about_mean(reference_m)
    u, singular, vt = np.linalg.svd(np.swapaxes(own, -1, -2) @ true)
    signs = np.ones(singular.shape)
    signs[..., 2] = np.sign(np.linalg.det(u @ vt))
    size = (own**2).sum(axis=(-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (singular * signs).sum(axis=-1) / size if scaled else np.ones(size.shape)
    turn = (u * signs[..., None, :]) @ vt
    fitted = scale[..., None, None] * ((result_m - own_middle) @ turn) + middle
    enough = used.sum(axis=-1) >= _FEWEST_POINTS
    return np.where(both[..., None] & enough[..., None, None], fitted, np.nan)


def _windowed_mm(
    result_m: FloatArray, reference_m: FloatArray, window: int, *, leading_frames: int | None
) -> float:
    _check(result_m, reference_m)
    frames, joints = result_m.shape[:2]
    errors = []
    for number in range(max(1, frames // window)):
        rows = slice(number * window, None if (number + 2) * window > frames else (number + 1) * window)
        own, true = result_m[rows].reshape(-1, 3), reference_m[rows].reshape(-1, 3)
        leading = None if leading_frames is None else leading_frames * joints
        errors.append(_distance(_aligned(own, true, scaled=False, leading=leading), true))
    return _mean(np.concatenate(errors)) * 1e3


def _both(first: FloatArray, second: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(first).all(axis=-1) & np.isfinite(second).all(axis=-1))


def _distance(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(first - second, axis=-1))


def _mean(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def _check(result: NDArray[Any], reference: NDArray[Any]) -> None:
    if result.shape != reference.shape:
        raise InternalError(f"result: expected {reference.shape}, got {result.shape}", reason="BAD_SHAPE")
