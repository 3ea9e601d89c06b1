"""How a body looks: soft histograms of the colours of its parts, from a picture and its keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import FloatArray

__all__ = ["APPEARANCE_SIZE", "PARTS", "AppearanceReader", "mean_looks", "unlikeness"]

#: Parts of a body, each with a histogram of its own: clothes, sleeves, trousers, shoes and hair.
PARTS = ("head", "trunk", "arms", "thighs", "shins")
#: Bins of each: greys by their lightness, then colours by their hue; neighbours share what lies between.
_GREYS, _HUES = 5, 6
APPEARANCE_SIZE = len(PARTS) * (_GREYS + _HUES)

#: A colour of this chroma (CIELAB) counts half as a grey and half as a colour.
_HALF_COLOURED = 14.0
#: Points of a part are looked at where all its joints are at least this sure.
_SURE = 0.5
#: Fewer points than this in the picture tell nothing of a part.
_FEWEST = 6
_SIDES = ("left", "right")


class AppearanceReader:
    """Reads the looks of people off pictures.

    Parameters
    ----------
    keypoint_names
        (K,) names as in `pose_shared.skeleton`.
    """

    def __init__(self, keypoint_names: Sequence[str]) -> None:
        names = list(keypoint_names)
        self._joints = len(names)
        points: list[FloatArray] = []
        needs: list[NDArray[np.bool_]] = []
        parts: list[int] = []
        for part, name in enumerate(PARTS):
            for weights, needed in _places(name, names):
                points.append(weights)
                needs.append(needed)
                parts.append(part)
        #: Each point is a weighted sum of keypoints.
        self._weights = np.array(points).reshape(-1, self._joints)
        self._needed = np.array(needs, dtype=bool).reshape(-1, self._joints)
        self._part = np.array(parts, dtype=np.intp)

    def read(
        self, picture: NDArray[np.uint8], scale: float, keypoints_px: FloatArray, confidence: FloatArray
    ) -> NDArray[np.float16]:
        """Return (P, `APPEARANCE_SIZE`) of the people in a picture; NaN for parts that are not seen.

        Parameters
        ----------
        picture
            (h, w, 3) RGB, maybe smaller than the frame.
        scale
            Its size over that of the frame.
        keypoints_px
            (P, K, 2) in pixels of the frame; NaN where missing.
        confidence
            (P, K).
        """
        people = len(keypoints_px)
        looks = np.full((people, APPEARANCE_SIZE), np.nan, dtype=np.float16)
        sure = np.where(np.isfinite(keypoints_px).all(axis=2), confidence, 0.0) >= _SURE
        usable = ~(self._needed[None] & ~sure[:, None]).any(axis=2)
        at = np.einsum("nk,pkc->pnc", self._weights, np.nan_to_num(keypoints_px)) * scale
        column, row = np.floor(at).astype(np.intp).transpose(2, 0, 1)
        height, width = picture.shape[:2]
        usable &= (column >= 0) & (column < width) & (row >= 0) & (row < height)
        who, which = np.nonzero(usable)
        if not len(who):
            return looks
        bins = _bins(picture[row[who, which], column[who, which]])
        slot = who * len(PARTS) + self._part[which]
        count = np.bincount(slot, minlength=people * len(PARTS))
        sums = np.stack(
            [np.bincount(slot, weights=column, minlength=people * len(PARTS)) for column in bins.T], axis=1
        )
        seen = count >= _FEWEST
        looks.reshape(-1, _GREYS + _HUES)[seen] = sums[seen] / count[seen, None]
        return looks


def mean_looks(looks: FloatArray, groups: Sequence[Sequence[int]]) -> FloatArray:
    """Return (M, `APPEARANCE_SIZE`) the mean of each group of rows; NaN for parts that none of them shows."""
    means = np.full((len(groups), looks.shape[1]), np.nan)
    for row, group in enumerate(groups):
        values = looks[np.asarray(group, dtype=np.intp)].astype(np.float64)
        known = np.isfinite(values)
        count = known.sum(axis=0)
        seen = count > 0
        means[row, seen] = np.where(known, values, 0.0).sum(axis=0)[seen] / count[seen]
    return means


def unlikeness(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return (...) how different two looks are, the mean of all parts that both show; NaN if they share none.

    Parameters
    ----------
    a, b
        (..., `APPEARANCE_SIZE`), or means of several.

    Notes
    -----
    Of each part the squared Hellinger distance, 0 to 1: one less Bhattacharyya's coefficient of the
    histograms.
    """
    shape = (len(PARTS), _GREYS + _HUES)
    one, other = (np.asarray(x, dtype=np.float64).reshape(*x.shape[:-1], *shape) for x in (a, b))
    gaps = 1 - np.sqrt(np.maximum(one * other, 0)).sum(axis=-1)
    known = np.isfinite(gaps)
    count = known.sum(axis=-1)
    mean = np.where(known, gaps, 0.0).sum(axis=-1) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, np.maximum(mean, 0.0), np.nan))


def _bins(colours: NDArray[np.uint8]) -> FloatArray:
    """Return (n, greys and hues) the shares of each bin in (n, 3) RGB colours."""
    import cv2

    lab = cv2.cvtColor(colours[None], cv2.COLOR_RGB2Lab)[0] * (100 / 255, 1, 1) - (0, 128, 128)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    coloured = chroma**2 / (chroma**2 + _HALF_COLOURED**2)
    bins = np.zeros((len(lab), _GREYS + _HUES))
    rows = np.arange(len(lab))
    step = np.clip(lab[:, 0] / 100 * (_GREYS - 1), 0, _GREYS - 1 - 1e-6)
    low = step.astype(np.intp)
    bins[rows, low] += (1 - coloured) * (1 - (step - low))
    bins[rows, low + 1] += (1 - coloured) * (step - low)
    turn = (np.arctan2(lab[:, 2], lab[:, 1]) / (2 * np.pi) * _HUES) % _HUES
    first = turn.astype(np.intp) % _HUES
    share = turn - np.floor(turn)
    bins[rows, _GREYS + first] += coloured * (1 - share)
    bins[rows, _GREYS + (first + 1) % _HUES] += coloured * share
    return bins


def _places(part: str, names: Sequence[str]) -> list[tuple[FloatArray, NDArray[np.bool_]]]:
    """Return the points of a part as weights of the keypoints, and which keypoints they lean on."""

    def weights(**shares: float) -> tuple[FloatArray, NDArray[np.bool_]]:
        row = np.zeros(len(names))
        for name, share in shares.items():
            row[names.index(name)] += share
        needed = np.zeros(len(names), dtype=bool)
        needed[[names.index(name) for name in shares]] = True
        return row, needed

    def limb(*joints: str) -> list[tuple[FloatArray, NDArray[np.bool_]]]:
        return [
            weights(**{f"{side}_{a}": 1 - share, f"{side}_{b}": share})
            for side in _SIDES
            for a, b in pairwise(joints)
            if {f"{side}_{a}", f"{side}_{b}"} <= set(names)
            for share in np.linspace(0.15, 0.9, 7)
        ]

    if part == "arms":
        return limb("shoulder", "elbow", "wrist")
    if part == "thighs":
        return limb("hip", "knee")
    if part == "shins":
        return limb("knee", "ankle")
    corners = [f"{side}_{joint}" for joint in ("shoulder", "hip") for side in _SIDES]
    if part == "trunk":
        if not set(corners) <= set(names):
            return []
        return [
            weights(
                left_shoulder=(1 - across) * (1 - down),
                right_shoulder=across * (1 - down),
                left_hip=(1 - across) * down,
                right_hip=across * down,
            )
            for across in np.linspace(0.15, 0.85, 5)
            for down in np.linspace(0.1, 0.9, 7)
        ]
    # The head goes on from the shoulders to the ears, and as far beyond.
    head = [f"{side}_{joint}" for joint in ("ear", "shoulder") for side in _SIDES]
    if not set(head) <= set(names):
        return []
    return [
        weights(
            left_ear=up * (1 - across),
            right_ear=up * across,
            left_shoulder=(1 - up) / 2,
            right_shoulder=(1 - up) / 2,
        )
        for across in (0.2, 0.5, 0.8)
        for up in (0.8, 1.0, 1.2, 1.35, 1.5)
    ]
