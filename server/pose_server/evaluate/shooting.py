"""Filming motion capture for a measurement of the whole solve: which takes, which cameras, which mistakes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from pose_shared.errors import InputError

from pose_server.evaluate.cleanup import filtered
from pose_server.evaluate.mocap import Scene, boxes_around, scene_of, stretch
from pose_server.evaluate.takes import kind_of
from pose_server.pipeline.boundary import FloatArray, Track2D
from pose_server.pipeline.camera import project
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.train.cameras import CameraModel
from pose_server.train.motions import RATE_HZ, MotionSet, Take
from pose_server.train.sightings import SightModel

__all__ = ["LENSES", "Shooting", "shot", "with_outliers"]

#: ``given``, or ``guessed`` from the picture's size, as an import does that is told nothing.
LENSES = ("given", "guessed")

_SHORTEST_S = 1.0
#: Errors that are drawn in frames are those of films at this rate.
_SIGHT_HZ = 30.0
#: A camera is drawn again until this share of the body's points is in the picture, so many times.
_IN_PICTURE, _CAMERAS = 0.99, 25
#: What is faster in a take trembled in the capture, not in the body: half of the acceleration at 60 Hz.
_BODY_HZ = 15.0
#: Still, about upright, the lens known, the person in the picture: who trains must know all others too.
_CAMERA = CameraModel(
    rolled_share=0.0,
    free_share=0.0,
    nearest_m=2.0,
    farthest_m=9.0,
    side=0.3,
    height=0.1,
    focal_error=0.0,
    guessed_share=0.0,
    moving_share=0.0,
)


@dataclass(frozen=True)
class Shooting:
    """How scenes are filmed, seen and solved."""

    count: int = 20
    rate_hz: float = 30.0
    lens: str = "given"
    """One of `LENSES`; a guessed focal length is half as long again as the true one."""
    outliers: float = 0.05
    """Share of frames in which the detector sees somebody else, elsewhere."""
    longest_s: float = 5.0
    seed: int = 11
    sights: SightModel = field(default_factory=SightModel)
    options: SolveOptions = field(default_factory=SolveOptions)


def shot(motions: MotionSet, shooting: Shooting) -> Iterator[Scene]:
    """Film scenes by still cameras: one kind of motion after the other, each spread over its takes.

    The truth is what is filmed: takes without what is faster in them than bodies are.

    A scene's stretch and camera are the same at every rate and lens; its detector's errors are drawn
    anew at every rate, as long in time.

    Raises
    ------
    InputError
        ``MOTIONS_TOO_SHORT``: no take lasts a second.
    """
    by_kind: dict[str, list[Take]] = defaultdict(list)
    for take in motions.takes:
        if take.seconds >= _SHORTEST_S:
            by_kind[kind_of(take.name)].append(take)
    if not by_kind:
        raise InputError(
            f"No take of these subjects lasts {_SHORTEST_S:g} s; hold out others.", reason="MOTIONS_TOO_SHORT"
        )
    kinds = sorted(by_kind)
    for number in range(shooting.count):
        turn, place = divmod(number, len(kinds))
        takes = by_kind[kinds[place]]
        turns = (shooting.count - place - 1) // len(kinds) + 1
        take = takes[int((turn + 0.5) * len(takes) / turns)]
        yield _scene(take, number, shooting)


def with_outliers(
    track: Track2D, image_size: tuple[int, int], share: float, rng: np.random.Generator
) -> Track2D:
    """Return a track of which a share of the rows shows another pose of another size elsewhere."""
    found = np.flatnonzero(track.found)
    wrong = rng.choice(found, size=round(share * len(found)), replace=False)
    if not len(wrong):
        return track
    source = rng.choice(found, size=len(wrong))
    middle = (track.boxes_px[source, :2] + track.boxes_px[source, 2:])[:, None] / 2
    size = rng.uniform(0.5, 1.2, (len(wrong), 1, 1))
    place = rng.uniform(0.15, 0.85, (len(wrong), 1, 2)) * image_size
    keypoints, confidence, landmarks = (
        values.copy() for values in (track.keypoints_px, track.keypoint_confidence, track.landmarks_m)
    )
    keypoints[wrong] = (track.keypoints_px[source] - middle) * size + place
    confidence[wrong], landmarks[wrong] = track.keypoint_confidence[source], track.landmarks_m[source]
    return replace(
        track,
        keypoints_px=keypoints,
        keypoint_confidence=confidence,
        landmarks_m=landmarks,
        boxes_px=boxes_around(keypoints),
    )


def _scene(take: Take, number: int, shooting: Shooting) -> Scene:
    rate_hz, share = shooting.rate_hz, shooting.sights.landmarks_share
    slower = rate_hz / _SIGHT_HZ
    sights = replace(
        shooting.sights,
        # Of all scenes so many have landmarks, whichever are filmed.
        landmarks_share=float(math.floor((number + 1) * share) > math.floor(number * share)),
        quick_frames=shooting.sights.quick_frames * slower,
        slow_frames=shooting.sights.slow_frames * slower,
    )
    seed = shooting.seed * 1_000_000 + number * 1_000
    calm = replace(take, points_m=filtered(take.points_m.astype(float), RATE_HZ, _BODY_HZ))
    part = stretch(calm, rate_hz, torch.Generator().manual_seed(seed), longest_s=shooting.longest_s)
    best: tuple[float, Scene] | None = None
    for attempt in range(1, _CAMERAS + 1):
        generator = torch.Generator().manual_seed(seed + attempt)
        scene = scene_of(take.name, part, rate_hz, _CAMERA, sights, generator)
        inside = _share_in_picture(scene)
        if best is None or inside > best[0]:
            best = inside, scene
        if inside >= _IN_PICTURE:
            break
    assert best is not None
    rng = np.random.default_rng([shooting.seed, number])
    track = with_outliers(best[1].track, best[1].camera.image_size, shooting.outliers, rng)
    return replace(best[1], track=track)


def _share_in_picture(scene: Scene) -> float:
    pixels: FloatArray = project(scene.joints_m, scene.camera.matrix)
    inside = (pixels > 0) & (pixels < np.array(scene.camera.image_size))
    return float(inside.all(axis=2).mean())
