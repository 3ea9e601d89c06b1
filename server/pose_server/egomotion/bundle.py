"""Bundle adjustment: the cameras and points that best explain what was seen.

Levenberg's and Marquardt's steps, weights by Geman and McClure; Triggs et al. (2000), section 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError

from pose_server.egomotion.background import Tracks
from pose_server.egomotion.normal import Normal
from pose_server.egomotion.robust import NOISE_PX, cost_of, scale_of, weights
from pose_server.egomotion.scene import Freedom, Scene, away_px, moved, tangents
from pose_server.pipeline.boundary import FloatArray

__all__ = ["Doubt", "adjusted", "doubt"]

#: Where nothing tells, a camera stays near its neighbours: one standard deviation, over the usual step.
_STEP = 3.0
#: How a long way bends as a whole hardly shows: more damping than that would hold it.
_DAMPING, _LEAST_DAMPING, _MOST_DAMPING, _EASIER = 1e-6, 1e-12, 1e4, 10.0
#: A step that makes things worse by no more than this is looked at once more.
_NEARLY = 1.05
_FIXED, _LENS_STEP, _LENS_MOVED = 1e-4, 0.2, 0.003
#: Lenses bend about this much either way, as OpenCV's k1, where nobody corrected it.
_BEND = 0.05
#: A pass that gains less than this share is the last.
_GAIN = 3e-4


@dataclass(frozen=True)
class Doubt:
    """How well a scene is determined: one standard deviation each."""

    focal: float
    """Relative."""
    places: FloatArray
    """(N, 3) of the cameras that were asked for."""


class _Prior:
    """What is known before anything is seen: the lens, the size of the scene, that cameras move steadily."""

    def __init__(self, scene: Scene, freedom: Freedom, held: NDArray[np.bool_]) -> None:
        self.freedom = freedom
        self.step = 0.0
        self.size_at = -1
        if freedom.travels:
            distance = np.linalg.norm(scene.places, axis=1)
            self.size_at = int(np.argmax(distance))
            self.pull = scene.places[self.size_at] / max(distance[self.size_at], 1e-12)
            # Two that stay where they are say it already.
            self.firm = (1e3 * NOISE_PX / max(distance[self.size_at], 1e-12)) ** 2 * (held.sum() < 2)
            self.size = float(distance[self.size_at])
            steps = np.sqrt((np.diff(scene.places, axis=0) ** 2).sum(1).mean()) if len(distance) > 1 else 0
            self.step = (NOISE_PX / (_STEP * float(steps))) ** 2 if steps > 0 else 0.0
        self.lens = (NOISE_PX / np.array([max(freedom.focal_sigma, _FIXED), _BEND])) ** 2

    def lens_away(self, scene: Scene) -> FloatArray:
        return np.array([np.log(scene.focal_px / self.freedom.focal_px), scene.bend])

    def cost(self, scene: Scene) -> float:
        cost = float(self.lens @ self.lens_away(scene) ** 2)
        if self.step:
            cost += self.step * float((np.diff(scene.places, axis=0) ** 2).sum())
            cost += self.firm * float(scene.places[self.size_at] @ self.pull - self.size) ** 2
        return float(cost)

    def add_to(self, normal: Normal, scene: Scene) -> None:
        """Add it to normal equations."""
        normal.ll += np.diag(self.lens)
        normal.l += self.lens * self.lens_away(scene)
        if self.step:
            own = slice(3, 6)
            steps = np.diff(scene.places, axis=0) * self.step
            tied = np.zeros(len(scene.places))
            tied[:-1] += self.step
            tied[1:] += self.step
            normal.cc[:, own, own] += tied[:, None, None] * np.eye(3)
            normal.c[1:, own] += steps
            normal.c[:-1, own] -= steps
            normal.beside = -self.step
            at, pull = self.size_at, self.pull
            normal.cc[at, own, own] += self.firm * np.outer(pull, pull)
            normal.c[at, own] += self.firm * (scene.places[at] @ pull - self.size) * pull


def _unchecked() -> None:
    """Nobody cancels."""


def adjusted(
    scene: Scene,
    tracks: Tracks,
    freedom: Freedom,
    *,
    passes: int,
    held: NDArray[np.bool_] | None = None,
    check: Callable[[], None] = _unchecked,
) -> Scene:
    """Return the scene that best explains what was seen.

    Parameters
    ----------
    scene
        To begin with; its points are all known.
    tracks
        Of its cameras (rows) and points (corners).
    freedom
        What may change.
    passes
        Steps at most.
    held
        (K,) cameras that stay; the first one when None.
    check
        Called now and then; may raise.
    """
    held = np.arange(len(scene.turns)) == 0 if held is None else held
    prior = _Prior(scene, freedom, held)

    def equations(scene: Scene, weight: FloatArray) -> Normal:
        normal = Normal(scene, tracks, freedom, held, weight, check)
        prior.add_to(normal, scene)
        return normal

    def priced(scene: Scene) -> tuple[FloatArray, float]:
        away = away_px(scene, tracks)
        return away, scale**2 * cost_of(away, scale) + prior.cost(scene)

    damping = _DAMPING
    away = away_px(scene, tracks)
    for _ in range(passes):
        scale = scale_of(away)
        away, before = priced(scene)
        weight = weights(away, scale)
        normal = equations(scene, weight)
        while damping < _MOST_DAMPING:
            tried = _stepped(scene, normal, freedom, damping)
            there, cost = (away, np.inf) if tried is None else priced(tried)
            if tried is not None and (_lens_moved(scene, tried) or before <= cost < _NEARLY * before):
                # Turns and rays follow the lens, or the way as a whole, but in a curve; let them, or only
                # small steps are good ones.
                tried = _stepped(tried, equations(tried, weight), freedom, damping, lens_moves=False)
                there, cost = (away, np.inf) if tried is None else priced(tried)
            if tried is not None and cost < before:
                break
            damping *= _EASIER
        else:
            break
        scene, away = tried, there
        damping = max(damping / _EASIER, _LEAST_DAMPING)
        if before - cost < _GAIN * before:
            break
    return scene


def _lens_moved(scene: Scene, there: Scene) -> bool:
    return bool(abs(np.log(there.focal_px / scene.focal_px)) > _LENS_MOVED)


def _stepped(
    scene: Scene, normal: Normal, freedom: Freedom, damping: float, *, lens_moves: bool = True
) -> Scene | None:
    try:
        normal.reduce(damping)
        cameras, points, lens = normal.steps(lens_moves=lens_moves)
    except LinAlgError:
        return None
    if not all(np.isfinite(steps).all() for steps in (cameras, points, lens)):
        return None
    points = scene.points + (tangents(scene.points, freedom.point) @ points[..., None])[..., 0]
    return replace(
        moved(scene, cameras, freedom),
        points=points / np.linalg.norm(points, axis=1, keepdims=True),
        focal_px=scene.focal_px * float(np.exp(np.clip(lens[0], -_LENS_STEP, _LENS_STEP))),
        bend=scene.bend + float(np.clip(lens[1], -_LENS_STEP, _LENS_STEP)),
    )


def doubt(scene: Scene, tracks: Tracks, freedom: Freedom, cameras: NDArray[np.integer[Any]]) -> Doubt:
    """Return how well the focal length and the places of some cameras are determined by what was seen.

    From the curvature at the solution, and the distances that are left for each unknown.
    """
    away = away_px(scene, tracks)
    weight = weights(away, scale_of(away))
    held = np.arange(len(scene.turns)) == 0
    normal = Normal(scene, tracks, freedom, held, weight, _unchecked)
    prior = _Prior(scene, freedom, held)
    prior.add_to(normal, scene)
    normal.reduce(0.0)
    unknowns = len(scene.turns) * freedom.camera + len(scene.points) * freedom.point
    left = max(2 * float(weight.sum()) - unknowns, 1.0)
    variance = float((weight * np.nan_to_num(away) ** 2).sum()) / left
    # What is known before was weighed against the usual noise; here it is this one.
    lens = np.linalg.inv(normal.lens + np.diag(prior.lens * (variance / NOISE_PX**2 - 1)))
    places = np.zeros((len(cameras), 3))
    if freedom.travels:
        at = (np.asarray(cameras)[:, None] * freedom.camera + np.arange(3, 6)).ravel()
        ask = np.zeros((len(normal.border), len(at)))
        ask[at, np.arange(len(at))] = 1
        own = normal.solved(ask)[at, np.arange(len(at))]
        own += np.einsum("ni,ij,nj->n", normal.along[at], lens, normal.along[at])
        places = np.sqrt(variance * own).reshape(-1, 3)
    return Doubt(float(np.sqrt(variance * lens[0, 0])), places)
