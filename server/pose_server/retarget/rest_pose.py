"""A rig at rest as recognition sees it: a tree of points, upright, in metres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pose_shared.rig import Rig

from pose_server.pipeline.boundary import FloatArray, IntArray

__all__ = ["RestPose", "keyed_along", "rest_pose_of"]


@dataclass(frozen=True, eq=False)
class RestPose:
    """A rig of B bones, z up, otherwise in its own axes."""

    rig: Rig
    parents: IntArray
    """(B,) -1 for none; a parent stands before its children."""
    heads_m: FloatArray
    """(B, 3)."""
    tails_m: FloatArray
    """(B, 3) NaN where the host has none."""

    @cached_property
    def index(self) -> dict[str, int]:
        """Place of each bone."""
        return {bone.name: i for i, bone in enumerate(self.rig.bones)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of all bones."""
        return tuple(bone.name for bone in self.rig.bones)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Places of each bone's children."""
        below: list[list[int]] = [[] for _ in self.parents]
        for place, parent in enumerate(self.parents):
            if parent >= 0:
                below[parent].append(place)
        return tuple(map(tuple, below))

    @cached_property
    def sizes(self) -> IntArray:
        """(B,) bones in the tree from each one on."""
        sizes = np.ones(len(self.parents), dtype=np.int64)
        for place in range(len(sizes) - 1, -1, -1):
            if self.parents[place] >= 0:
                sizes[self.parents[place]] += sizes[place]
        return sizes

    @cached_property
    def depths(self) -> IntArray:
        """(B,) how many bones carry each."""
        depths = np.zeros(len(self.parents), dtype=np.int64)
        for place, parent in enumerate(self.parents):
            if parent >= 0:
                depths[place] = depths[parent] + 1
        return depths

    @cached_property
    def middles_m(self) -> FloatArray:
        """(B, 3) mean of the heads in the tree from each bone on."""
        sums = self.heads_m.copy()
        for place in range(len(sums) - 1, -1, -1):
            if self.parents[place] >= 0:
                sums[self.parents[place]] += sums[place]
        return np.asarray(sums / self.sizes[:, None])

    @cached_property
    def spans_m(self) -> tuple[FloatArray, FloatArray]:
        """(B, 3) least and greatest coordinates of heads and tails in the tree from each bone on."""
        low = np.fmin(self.heads_m, self.tails_m)
        high = np.fmax(self.heads_m, self.tails_m)
        for place in range(len(low) - 1, -1, -1):
            parent = self.parents[place]
            if parent >= 0:
                low[parent] = np.minimum(low[parent], low[place])
                high[parent] = np.maximum(high[parent], high[place])
        return low, high

    @cached_property
    def turnable(self) -> tuple[bool, ...]:
        """Whether each bone's rotation may be keyed."""
        return tuple("rotation" in bone.keys for bone in self.rig.bones)

    @cached_property
    def _visits(self) -> tuple[IntArray, IntArray]:
        """(B,) when a walk over the tree enters and leaves each bone."""
        enters = np.zeros(len(self.parents), dtype=np.int64)
        after = np.zeros(len(self.parents) + 1, dtype=np.int64)  # the last one is for the roots
        for place, parent in enumerate(self.parents):
            enters[place] = after[parent]
            after[parent] += self.sizes[place]
            after[place] = enters[place] + 1
        return enters, enters + self.sizes

    def carries(self, above: int, place: int) -> bool:
        """Return whether a bone is, or is among the ancestors of, another."""
        enters, leaves = self._visits
        return bool(enters[above] <= enters[place] < leaves[above])

    def ancestors(self, place: int) -> Iterator[int]:
        """Yield what carries a bone, the nearest first."""
        place = int(self.parents[place])
        while place >= 0:
            yield place
            place = int(self.parents[place])

    def between(self, above: int, place: int) -> list[int]:
        """Return the bones from below `above` down to `place`; empty if it does not carry it."""
        if not self.carries(above, place):
            return []
        way = []
        while place != above:
            way.append(place)
            place = int(self.parents[place])
        return way[::-1]

    def shared_carrier(self, places: list[int]) -> int:
        """Return the nearest bone that carries all of some, or is one of them; -1 for none."""
        first, *others = places
        for above in (first, *self.ancestors(first)):
            if all(self.carries(above, other) for other in others):
                return above
        return -1


def rest_pose_of(rig: Rig) -> RestPose:
    """Return a rig at rest."""
    places = {bone.name: i for i, bone in enumerate(rig.bones)}
    heads = np.array([bone.head for bone in rig.bones], dtype=np.float64)
    tails = np.array([bone.tail or (np.nan,) * 3 for bone in rig.bones], dtype=np.float64)
    upright = np.eye(3) if rig.up == "z" else np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    return RestPose(
        rig,
        parents=np.array([places[bone.parent] if bone.parent else -1 for bone in rig.bones]),
        heads_m=heads @ upright.T * rig.metres_per_unit,
        tails_m=tails @ upright.T * rig.metres_per_unit,
    )


def keyed_along(rig: Rig, parents: IntArray, place: int, with_place: int) -> int:
    """Return what must be keyed for a bone to go along with one that does not carry it.

    It is the uppermost bone that carries `place` and not `with_place`, as rigs have whose hips stand on their
    own beside the trunk; -1 where there is none, or its place and turn cannot be keyed.
    """
    carrying = {with_place}
    above = with_place
    while parents[above] >= 0:
        above = int(parents[above])
        carrying.add(above)
    top = -1
    while place >= 0 and place not in carrying:
        top, place = place, int(parents[place])
    if top < 0 or place == with_place or not {"location", "rotation"}.issubset(rig.bones[top].keys):
        return -1
    return top
