"""Filming motion capture for a measurement of the whole solve: which takes, which cameras, which mistakes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from pose_shared.errors import InputError
from scipy.interpolate import CubicSpline

from pose_server.evaluate.cleanup import filtered
from pose_server.evaluate.mocap import IMAGE_SIZE, Scene, boxes_around, scene_of, upwards
from pose_server.evaluate.moves import moved_before
from pose_server.evaluate.takes import kind_of
from pose_server.pipeline.boundary import CameraPath, FloatArray, Track2D
from pose_server.pipeline.cleanup_options import CleanupOptions
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.solve.frames import unit
from pose_server.train.bodies import hips
from pose_server.train.cameras import CameraModel, filmed
from pose_server.train.motions import RATE_HZ, MotionSet, Take
from pose_server.train.sightings import SightModel

__all__ = ["LENSES", "WAYS", "Shooting", "shot", "with_outliers"]

#: ``given``, or ``guessed`` from the picture's size, as an import does that is told nothing.
LENSES = ("given", "guessed")
#: How much the solve is told of a moving camera: all, its way up to a factor, or how it turned.
WAYS = ("metric", "scaleless", "turns")

_SHORTEST_S = 1.0
_FILM_HZ = 120.0
#: Errors that are drawn in frames are those of films at this rate.
_SIGHT_HZ = 30.0
#: A camera is drawn again until this share of the body's points is in the picture, so many times.
_IN_PICTURE, _CAMERAS = 0.99, 25
#: What is faster in a take trembled in the capture, not in the body: half of the acceleration at 60 Hz.
_BODY_HZ = 15.0
#: From a phone's wide lens to a portrait's, as on a sensor of that width.
_LENSES_MM, _SENSOR_MM = (24.0, 50.0), 36.0
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
    """One of `LENSES`."""
    outliers: float = 0.05
    """Share of frames in which the detector sees somebody else, elsewhere."""
    move: str = "still"
    """One of `evaluate.moves.MOVES`."""
    way: str = "metric"
    """One of `WAYS`."""
    longest_s: float = 5.0
    seed: int = 11
    sights: SightModel = field(default_factory=SightModel)
    cleanup: CleanupOptions = field(default_factory=CleanupOptions)
    options: SolveOptions = field(default_factory=SolveOptions)


def shot(motions: MotionSet, shooting: Shooting) -> Iterator[Scene]:
    """Film scenes by cameras of their own: one kind of motion after the other, each spread over its takes.

    The truth is what is filmed: takes without what is faster in them than bodies are.

    A scene is filmed and seen at about 120 Hz and thinned out: 24, 30 and 60 Hz have rows of one film.

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
    every = max(1, round(_FILM_HZ / shooting.rate_hz))
    film_hz = every * shooting.rate_hz
    seed = 1_000_000 * shooting.seed + 1_000 * number
    rng = np.random.default_rng([shooting.seed, number])
    focal_px = float(np.exp(rng.uniform(*np.log(_LENSES_MM)))) * IMAGE_SIZE[0] / _SENSOR_MM
    room = _stretch(take, film_hz, shooting.longest_s, torch.Generator().manual_seed(seed))
    placed, generator = _placed(room, focal_px, seed)
    share = shooting.sights.landmarks_share
    # Of all scenes so many have landmarks, whichever are filmed.
    landmarks = math.floor((number + 1) * share) > math.floor(number * share)
    sights = replace(shooting.sights, landmarks_share=float(landmarks))
    path = None
    if shooting.move != "still":
        placed, path = _moved(placed, room, shooting.move, film_hz, rng)
    slower = film_hz / _SIGHT_HZ
    scene = scene_of(take.name, room, placed, film_hz, sights, generator, slower=slower, focal_px=focal_px)
    track = with_outliers(scene.track, scene.camera.image_size, shooting.outliers, rng)
    return _every(replace(scene, track=track, path=path), every, shooting.rate_hz)


def _moved(
    placed: torch.Tensor, room_m: FloatArray, move: str, rate_hz: float, rng: np.random.Generator
) -> tuple[torch.Tensor, CameraPath]:
    """Return points before a still camera as a moving one has them, and how it moves."""
    points = placed.numpy().astype(float)
    up = upwards(room_m, points).mean(axis=0)
    root_m = hips(placed[None])[0].numpy().astype(float)
    path = moved_before(root_m, unit(up), move, rate_hz=rate_hz, rng=rng)
    seen = points if path.places is None else points - path.places[:, None]
    return torch.from_numpy((seen @ np.swapaxes(path.turns, 1, 2)).astype(np.float32)), path


def _stretch(take: Take, rate_hz: float, longest_s: float, generator: torch.Generator) -> FloatArray:
    """Return (T, 31, 3) points of a take at another rate, from a moment that is drawn."""
    points = filtered(take.points_m.astype(float), RATE_HZ, _BODY_HZ)
    seconds = (len(points) - 1) / RATE_HZ
    first_s = float(torch.rand(1, generator=generator)) * max(0.0, seconds - longest_s)
    times_s = first_s + np.arange(int(min(seconds, longest_s) * rate_hz)) / rate_hz
    return np.asarray(CubicSpline(np.arange(len(points)) / RATE_HZ, points)(times_s))


def _placed(room_m: FloatArray, focal_px: float, seed: int) -> tuple[torch.Tensor, torch.Generator]:
    """Return (T, 31, 3) points before the camera that shows most of them, and what it was drawn with."""
    body = torch.from_numpy(room_m.astype(np.float32))[None]
    edge = torch.tensor(IMAGE_SIZE) / 2 / focal_px
    best: tuple[float, torch.Tensor, torch.Generator] | None = None
    for attempt in range(1, _CAMERAS + 1):
        generator = torch.Generator().manual_seed(seed + attempt)
        placed = filmed(body, _CAMERA, generator)[0][0]
        rays = placed[..., :2] / placed[..., 2:]
        share = float((rays.abs() < edge).all(dim=-1).float().mean())
        if best is None or share > best[0]:
            best = share, placed, generator
        if share >= _IN_PICTURE:
            break
    assert best is not None
    return best[1], best[2]


def _every(scene: Scene, step: int, rate_hz: float) -> Scene:
    """Return every so manieth row of a scene."""
    track, path = scene.track, scene.path
    count = len(track.indices[::step])
    if path is not None:
        places = None if path.places is None else path.places[::step]
        path = replace(path, indices=np.arange(count), turns=path.turns[::step], places=places)
    return replace(
        scene,
        path=path,
        track=replace(
            track,
            indices=np.arange(count),
            times_s=np.arange(count) / rate_hz,
            boxes_px=track.boxes_px[::step],
            keypoints_px=track.keypoints_px[::step],
            keypoint_confidence=track.keypoint_confidence[::step],
            landmarks_m=track.landmarks_m[::step],
        ),
        joints_m=scene.joints_m[::step],
        root_m=scene.root_m[::step],
        contacts=scene.contacts[::step],
        room_m=scene.room_m[::step],
        up=scene.up[::step],
    )
