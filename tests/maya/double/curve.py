"""Keys of an animation curve, and what the curve is between them.

help.autodesk.com Nodes/animCurve.html: a segment is a cubic; without weights a tangent reaches a third of
the way to the next key, so that the segment is a cubic Hermite. Tangent types:
CommandsPython/keyTangent.html.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

#: Names of CommandsPython/keyTangent.html, by their number in Maya ASCII.
FILE_TANGENTS = {
    1: "fixed",
    2: "linear",
    3: "flat",
    5: "step",
    6: "slow",
    7: "fast",
    9: "spline",
    10: "clamped",
    16: "plateau",
    17: "stepnext",
    18: "auto",
}
#: Which of them have a slope that this double knows; fast, slow and fixed need more than a type.
TANGENTS = ("linear", "flat", "step", "stepnext", "spline", "clamped", "plateau", "auto")


@dataclass(frozen=True)
class Keys:
    """Keys in order of time; never changed, only replaced: undo keeps the old ones."""

    ticks: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    into: tuple[str, ...] = ()
    out: tuple[str, ...] = ()
    slopes: dict[int, tuple[float, float]] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.ticks)

    def find(self, moment: int) -> int | None:
        """Index of the key at a moment."""
        index = bisect_left(self.ticks, moment)
        return index if index < len(self.ticks) and self.ticks[index] == moment else None

    def put(self, moment: int, value: float, into: str, out: str) -> Keys:
        """With a key more, or one changed."""
        index = bisect_left(self.ticks, moment)
        after = index + 1 if index < len(self.ticks) and self.ticks[index] == moment else index
        return Keys(
            (*self.ticks[:index], moment, *self.ticks[after:]),
            (*self.values[:index], value, *self.values[after:]),
            (*self.into[:index], into, *self.into[after:]),
            (*self.out[:index], out, *self.out[after:]),
        )

    def put_all(self, ticks: list[int], values: list[float], into: str, out: str, keep: bool) -> Keys:
        """With many keys more.

        class_m_fn_anim_curve.html, addKeys: without keepExistingKeys the keys that are there are cut first.
        How far the cut goes where the old keys reach beyond the new ones is not said, and so refused here.
        """
        if any(b <= a for a, b in pairwise(ticks)):
            raise RuntimeError("(kInvalidParameter): Times of keys must ascend")
        count = len(ticks)
        if not self.ticks or not count:
            return Keys(tuple(ticks), tuple(values), (into,) * count, (out,) * count) if count else self
        rows = {t: (v, i, o) for t, v, i, o in zip(self.ticks, self.values, self.into, self.out, strict=True)}
        if not keep and not (ticks[0] <= self.ticks[0] and self.ticks[-1] <= ticks[-1]):
            raise NotImplementedError(
                "addKeys: old keys reach beyond the new ones: cut them, or keep existing keys"
            )
        if not keep:
            rows = {}
        rows |= {t: (v, into, out) for t, v in zip(ticks, values, strict=True)}
        return _of_rows(rows)

    def without(self, indices: set[int]) -> Keys:
        kept = [i for i in range(len(self.ticks)) if i not in indices]
        return self.take(kept)

    def take(self, indices: list[int]) -> Keys:
        return Keys(
            tuple(self.ticks[i] for i in indices),
            tuple(self.values[i] for i in indices),
            tuple(self.into[i] for i in indices),
            tuple(self.out[i] for i in indices),
        )

    def with_values(self, values: tuple[float, ...]) -> Keys:
        return Keys(self.ticks, values, self.into, self.out)

    def with_tangents(self, indices: set[int], into: str | None, out: str | None) -> Keys:
        def changed(old: tuple[str, ...], new: str | None) -> tuple[str, ...]:
            return old if new is None else tuple(new if i in indices else t for i, t in enumerate(old))

        return Keys(self.ticks, self.values, changed(self.into, into), changed(self.out, out))

    def retimed(self, ticks: tuple[int, ...]) -> Keys:
        return Keys(ticks, self.values, self.into, self.out)

    def at(self, moment: int) -> float:
        """Value at a moment; before the first and after the last key it stays (infinity Constant)."""
        ticks, values = self.ticks, self.values
        if not ticks:
            return 0.0
        right = bisect_right(ticks, moment)
        if right == 0:
            return values[0]
        left = right - 1
        if ticks[left] == moment or right == len(ticks):
            return values[left]
        out, into = self.out[left], self.into[right]
        if out == "step":
            return values[left]
        if out == "stepnext":
            return values[right]
        span = ticks[right] - ticks[left]
        u = (moment - ticks[left]) / span
        a, b = values[left], values[right]
        if out == into == "linear":
            return a + u * (b - a)
        m0 = self._slope(left, out, 1) * span
        m1 = self._slope(right, into, 0) * span
        v = 1.0 - u
        return v * v * (1 + 2 * u) * a + u * v * v * m0 + u * u * (3 - 2 * u) * b - u * u * v * m1

    def _slope(self, index: int, kind: str, side: int) -> float:
        """Change of value per tick, into (side 0) or out of (side 1) a key."""
        pair = self.slopes.get(index)
        if pair is None:
            pair = self.slopes[index] = (
                self._tangent(index, self.into[index], 0),
                self._tangent(index, self.out[index], 1),
            )
        return pair[side]

    def _tangent(self, index: int, kind: str, side: int) -> float:
        ticks, values = self.ticks, self.values
        before = after = None
        if index > 0:
            before = (values[index] - values[index - 1]) / (ticks[index] - ticks[index - 1])
        if index + 1 < len(ticks):
            after = (values[index + 1] - values[index]) / (ticks[index + 1] - ticks[index])
        beside = after if side else before
        if kind == "flat" or beside is None:
            return 0.0
        if kind in ("linear", "step", "stepnext"):
            return beside
        if before is None or after is None:
            # At the ends a spline runs straight to its neighbour; auto and plateau stay level.
            return beside if kind in ("spline", "clamped") else 0.0
        smooth = (values[index + 1] - values[index - 1]) / (ticks[index + 1] - ticks[index - 1])
        if kind == "spline":
            return smooth
        if kind == "clamped":
            return smooth if abs(before) > 1e-12 and abs(after) > 1e-12 else beside
        if before * after <= 0.0:
            return 0.0
        limit = 3.0 * min(abs(before), abs(after))
        return max(-limit, min(limit, smooth))


def _of_rows(rows: dict[int, tuple[float, str, str]]) -> Keys:
    order = sorted(rows)
    values, into, out = zip(*(rows[t] for t in order), strict=True)
    return Keys(tuple(order), tuple(values), tuple(into), tuple(out))
