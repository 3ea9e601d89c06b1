"""The constant, symmetric bone lengths of one person, and the T-pose made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pose_shared.skeleton import SKELETON

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.kinematics import tip_scale

__all__ = ["Proportions", "proportions"]

#: Between joint centres as shares of the stature: de Leva (1996), table 4, men.  The widths are of
#: joint centres, which lie inside the bony widths that anthropometry tables give.
_SHARES = {
    "torso": 0.296,
    "thigh": 0.2425,
    "shank": 0.249,
    "upper_arm": 0.162,
    "forearm": 0.1545,
    "hand": 0.0495,
    "hips": 0.110,
    "shoulders": 0.200,
    "ears_above_shoulders": 0.115,
}
#: Which points span each length; sides are measured alike.
_SPANS = {
    "torso": ("hips", "shoulders"),
    "thigh": ("hip", "knee"),
    "shank": ("knee", "ankle"),
    "upper_arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "hand": ("wrist", "knuckles"),
    "hips": ("left_hip", "right_hip"),
    "shoulders": ("left_shoulder", "right_shoulder"),
    "ears_above_shoulders": ("ears", "shoulders"),
}
#: The lengths that detectors and lifters know best tell the stature.
_STATURE_FROM = ("torso", "thigh")
_ADULT_STATURE_M = 1.70
#: How far measured lengths are trusted against the body's usual proportions, and the stature that they
#: tell against a usual one, in logarithms.
_TRUST = 0.75
_STATURE_TRUST = 0.75
_CONFIDENT = 0.5


@dataclass(frozen=True)
class Proportions:
    """A person's T-pose."""

    stature_m: float
    seen_stature_m: float
    """The same as the points alone have it."""
    rest_offsets_m: FloatArray
    """(J, 3) of `SKELETON`, facing -y, z up."""
    heel_m: FloatArray
    """(3,) from an ankle to the sole under the heel, in the rest pose."""
    ball_m: FloatArray
    """(3,) from an ankle to the sole under the ball of the foot."""

    @property
    def height_m(self) -> float:
        """From the lowest bone of the T-pose to the crown: what receivers see as the height."""
        heads = np.zeros(len(SKELETON))
        for joint, parent in enumerate(SKELETON.parents):
            if parent >= 0:
                heads[joint] = heads[parent] + self.rest_offsets_m[joint, 2]
        tip = SKELETON.tips_m["head"][2] * tip_scale(SKELETON.joints, self.rest_offsets_m)
        return float(heads[SKELETON.index("head")] + tip - heads.min())

    def scaled(self, factor: float) -> Proportions:
        """Return a body of other size and the same proportions."""
        return replace(
            self,
            stature_m=self.stature_m * factor,
            rest_offsets_m=self.rest_offsets_m * factor,
            heel_m=self.heel_m * factor,
            ball_m=self.ball_m * factor,
        )


def proportions(names: Sequence[str], points_m: FloatArray, confidence: FloatArray) -> Proportions:
    """Measure a person.

    Parameters
    ----------
    names
        (K,) of the points, as in `pose_shared.skeleton`.
    points_m
        (T, K, 3) in any frame; NaN where missing.
    confidence
        (T, K) 0..1.

    Notes
    -----
    Each length is the median over the frames that show it, of both sides together, blended three to
    one (in logarithms) with what the stature usually goes with.  One camera cannot tell a tall
    person far away from a short one nearby: the stature is what torso and thighs suggest, pulled
    a quarter of the way to 1.70 m, and all of the person's depth scales with it.
    """
    measured = {name: _length(names, points_m, confidence, *ends) for name, ends in _SPANS.items()}
    statures = [measured[name] / _SHARES[name] for name in _STATURE_FROM if measured[name] > 0]
    seen_m = float(np.exp(np.mean(np.log(statures)))) if statures else _ADULT_STATURE_M
    stature = seen_m**_STATURE_TRUST * _ADULT_STATURE_M ** (1 - _STATURE_TRUST)
    lengths = {}
    for name, share in _SHARES.items():
        usual = share * stature
        own = measured[name] * stature / seen_m if measured[name] > 0 else usual
        # A point that is only ever seen foreshortened or guessed must not make a cripple.
        lengths[name] = usual * float(np.clip(own / usual, 0.5, 2.0)) ** _TRUST
    offsets = _rest_offsets(lengths, stature)
    return Proportions(
        stature_m=stature,
        seen_stature_m=seen_m,
        rest_offsets_m=np.array([offsets[joint] for joint in SKELETON.joints]),
        heel_m=np.array([0.0, 0.030, -0.039]) * stature,
        ball_m=np.array([0.0, -0.067, -0.039]) * stature,
    )


def _length(
    names: Sequence[str], points_m: FloatArray, confidence: FloatArray, start: str, end: str
) -> float:
    """Return the median distance of two points over confident frames; 0 if it was never seen."""

    def of(point: str, side: str) -> tuple[FloatArray, FloatArray] | None:
        groups = {
            "hips": ("left_hip", "right_hip"),
            "shoulders": ("left_shoulder", "right_shoulder"),
            "ears": ("left_ear", "right_ear"),
            "knuckles": (f"{side}index", f"{side}pinky"),
        }
        members = groups.get(point, (point if point in names else side + point,))
        if any(member not in names for member in members):
            return None
        columns = [names.index(member) for member in members]
        return points_m[:, columns].mean(axis=1), confidence[:, columns].min(axis=1)

    distances = []
    for side in ("left_", "right_"):
        a, b = of(start, side), of(end, side)
        if a is None or b is None:
            continue
        distance = np.linalg.norm(a[0] - b[0], axis=1)
        trust = np.minimum(a[1], b[1])
        distance, trust = distance[np.isfinite(distance)], trust[np.isfinite(distance)]
        sure = trust >= _CONFIDENT
        distances.append(distance[sure] if sure.any() else distance)
    together = np.concatenate(distances) if distances else np.empty(0)
    return float(np.median(together)) if len(together) else 0.0


def _rest_offsets(lengths: dict[str, float], stature: float) -> dict[str, tuple[float, float, float]]:
    """Return the T-pose: the pelvis between the hips, the neck a little above the line of the shoulders."""
    torso, half = lengths["torso"], lengths["shoulders"] / 2
    offsets = {
        "pelvis": (0.0, 0.0, 0.0),
        "spine": (0.0, 0.0, 0.22 * torso),
        "chest": (0.0, 0.0, 0.33 * torso),
        "neck": (0.0, 0.0, 0.50 * torso),
        # The ears sit a little above the base of the skull.
        "head": (0.0, 0.0, lengths["ears_above_shoulders"] - 0.05 * torso - 0.012 * stature),
    }
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        offsets[side + "clavicle"] = (sign * 0.15 * half, 0.0, 0.42 * torso)
        offsets[side + "shoulder"] = (sign * 0.85 * half, 0.0, 0.03 * torso)
        offsets[side + "elbow"] = (sign * lengths["upper_arm"], 0.0, 0.0)
        offsets[side + "wrist"] = (sign * lengths["forearm"], 0.0, 0.0)
        offsets[side + "hand"] = (sign * lengths["hand"], 0.0, 0.0)
        offsets[side + "hip"] = (sign * lengths["hips"] / 2, 0.0, 0.0)
        offsets[side + "knee"] = (0.0, 0.0, -lengths["thigh"])
        offsets[side + "ankle"] = (0.0, 0.0, -lengths["shank"])
        offsets[side + "toe"] = (0.0, -0.067 * stature, -0.025 * stature)
    return offsets
