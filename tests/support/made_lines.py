"""Straight lines as cameras see them in made rooms, and heaps of lines that mean nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

SIZE = (1280, 720)
#: A line is not seen nearer to the camera than this, nor when it is shorter in the picture.
_NEAR_M, _SHORTEST_PX = 0.2, 39


@dataclass(frozen=True)
class Shot:
    """A camera in a made world, whose y axis is down."""

    focal_px: float
    axes: np.ndarray
    """(3, 3) from the world into the camera."""

    @property
    def up(self) -> np.ndarray:
        return -self.axes[:, 1]


def made_shot(rng: np.random.Generator) -> Shot:
    """Return a camera as people hold it: a lens of about 30 mm, pitched a little down."""
    focal = 30 / 36 * np.exp(np.clip(rng.normal(0, 0.28), -0.7, 0.9))
    angles = [rng.normal(0, 4), rng.normal(8, 11), rng.uniform(0, 360)]
    return Shot(float(focal) * max(SIZE), Rotation.from_euler("ZXY", angles, degrees=True).as_matrix())


def made_room(rng: np.random.Generator, odd: float = 0.25) -> np.ndarray:
    """Return (N, 2, 3) edges of a room with furniture, a share of which is turned; the floor is y = 0."""
    wide, deep, high = rng.uniform([3, 3, 2.3], [8, 10, 3.5])
    edges = [_box(np.array([wide, high, deep]), 0.0, np.zeros(3))]
    for _ in range(rng.integers(3, 18)):
        size = rng.uniform(0.2, 2, 3)
        turn = rng.uniform(0, 90) if rng.random() < odd else rng.normal(0, 0.5)
        lifted = rng.choice([0, 0, rng.uniform(0, 1.5)])
        place = np.array([rng.uniform(-wide, wide) / 2, -lifted, rng.uniform(-deep, deep) / 2])
        edges.append(_box(size, turn, place))
    return np.concatenate(edges)


def made_lines(rng: np.random.Generator, edges_m: np.ndarray, shot: Shot) -> np.ndarray:
    """Return (N, 2, 2) pixels of what is found of edges: in parts, twice, a little off, or not at all.

    The lens is centred and straight to some percent.
    """
    inside = np.ptp(edges_m[:12].reshape(-1, 3), axis=0) * [0.4, 0, 0.45]
    place = rng.uniform(-inside, inside) - [0, rng.uniform(0.8, 2.0), 0]
    centre, bend = rng.normal(0, 0.01, 2), rng.normal(0, 0.02)
    found = []
    for edge in np.repeat(edges_m, rng.integers(1, 3, len(edges_m)), axis=0):
        part = np.sort(rng.uniform(0, 1, 2)) if rng.random() < 0.6 else np.array([0.0, 1.0])
        along = np.linspace(*part, 60)[:, None]
        seen = (edge[0] + (edge[1] - edge[0]) * along - place) @ shot.axes.T
        seen = seen[seen[:, 2] > _NEAR_M]
        plane = seen[:, :2] / seen[:, 2:] * shot.focal_px / max(SIZE)
        plane = plane * (1 - bend * (plane**2).sum(axis=1, keepdims=True)) + centre
        points = plane * max(SIZE) + np.divide(SIZE, 2)
        points = points[((points > 0) & (points < SIZE)).all(axis=1)]
        if len(points) < 2 or np.linalg.norm(points[-1] - points[0]) < _SHORTEST_PX or rng.random() < 0.3:
            continue
        line = points[[0, -1]]
        found.append(line + rng.normal(0, 0.8, (2, 2)))
        if rng.random() < 0.4:  # an edge has two sides
            aside = (line[1] - line[0])[::-1] * [1, -1] / np.linalg.norm(line[1] - line[0])
            found.append(line + rng.uniform(3, 9) * aside + rng.normal(0, 0.8, (2, 2)))
    return np.array(found).reshape(-1, 2, 2)


def made_clutter(rng: np.random.Generator, count: int, bundles: int = 0) -> np.ndarray:
    """Return (N, 2, 2) pixels of lines anywhere, and of some bundles of parallel ones."""
    heads = _anywhere(rng, count + bundles)
    parts = [heads[:count]]
    for line in heads[count:]:
        beside = rng.uniform(-60, 60, (rng.integers(2, 6), 1, 2))
        parts.append(line + beside + rng.normal(0, 3, (len(beside), 2, 2)))
    return np.concatenate(parts)


def _anywhere(rng: np.random.Generator, count: int) -> np.ndarray:
    middle, angle = rng.uniform(0, 1, (count, 2)) * SIZE, rng.uniform(0, np.pi, count)
    length = np.maximum(rng.exponential(0.04, count) * max(SIZE), _SHORTEST_PX)
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1) * length[:, None] / 2
    return np.stack([middle - along, middle + along], axis=1)


def _box(size_m: np.ndarray, turn_deg: float, place_m: np.ndarray) -> np.ndarray:
    """Return the (12, 2, 3) edges of a box that stands at a place."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-1, 0) for z in (-0.5, 0.5)]) * size_m
    corners = corners @ Rotation.from_euler("y", turn_deg, degrees=True).as_matrix().T + place_m
    pairs = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
    return np.array([[corners[a], corners[b]] for a, b in pairs])
