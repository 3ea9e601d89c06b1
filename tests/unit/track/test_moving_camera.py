"""People in films whose camera moves: where they would be, had it stood still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from made_film import IMAGE_SIZE, NAMES, Actor, Film, shoot, walk
from pose_server.pipeline.boundary import Detections
from pose_server.pipeline.progress import SilentProgress
from pose_server.track.appearance import APPEARANCE_SIZE
from pose_server.track.footage import Footage
from pose_server.track.tracker import track_people

Camera = Callable[[float], tuple[float, float]]


def whip(t: float) -> tuple[float, float]:
    """Swing 300 px aside in a tenth of a second, stay a second, swing back."""
    phase = t % 2.2
    return 300 * (np.clip((phase - 1) / 0.1, 0, 1) - np.clip((phase - 2.1) / 0.1, 0, 1)), 0.0


def shake(t: float) -> tuple[float, float]:
    return 45 * np.sin(2 * np.pi * 4.1 * t), 35 * np.sin(2 * np.pi * 5.3 * t)


def filmed(film: Film, camera: Camera) -> tuple[Film, Footage]:
    """Return what a camera that looks aside sees, and how it moved."""
    truth: dict[tuple[int, float], int] = {}
    detections, steady = [], []
    for found in film.detections:
        offset = np.array(camera(found.time_s))
        boxes = found.boxes_px - np.tile(offset, 2)
        inside = ((boxes[:, :2] + boxes[:, 2:]) / 2 > 0).all(axis=1) & (
            (boxes[:, :2] + boxes[:, 2:]) / 2 < IMAGE_SIZE
        ).all(axis=1)
        for box, moved in zip(found.boxes_px, boxes, strict=True):
            truth[found.index, float(moved[0])] = film.truth[found.index, float(box[0])]
        detections.append(
            _kept(replace(found, boxes_px=boxes, keypoints_px=found.keypoints_px - offset), inside)
        )
        steady.append(np.column_stack([np.eye(2), offset]))
    count = sum(len(found) for found in detections)
    return Film(detections, truth), Footage(
        appearance=np.full((count, APPEARANCE_SIZE), np.nan, np.float16),
        sharpness=np.ones(count),
        steady=np.array(steady),
    )


def _kept(found: Detections, which: np.ndarray) -> Detections:
    names = ("boxes_px", "scores", "keypoints_px", "keypoint_confidence", "landmarks_m")
    return replace(found, **{name: getattr(found, name)[which] for name in names})


def cast(film: Film, footage: Footage | None) -> list[tuple[list[int], float]]:
    tracks = track_people(
        film.detections,
        keypoint_names=NAMES,
        image_size=IMAGE_SIZE,
        progress=SilentProgress(),
        footage=footage,
    )
    return sorted((sorted(actors), share) for actors, share in film.cast(tracks))


PEOPLE = [
    Actor(walk(700, 0.3, at_s=2), phase=0.1),
    Actor(walk(900, -0.4, at_s=2), facing=-1, phase=0.4, hidden=[(2.0, 2.5)]),
]


@pytest.mark.parametrize("camera", [whip, shake], ids=["whip", "shake"])
@pytest.mark.parametrize("rate", [24.0, 60.0])
def test_people_keep_their_identity_over_a_moving_camera(camera: Camera, rate: float) -> None:
    film, footage = filmed(shoot(PEOPLE, rate=rate, seconds=5), camera)
    kept = cast(film, footage)
    assert [actors for actors, _ in kept] == [[0], [1]]
    assert min(share for _, share in kept) > 0.95


def test_a_whipping_camera_that_is_not_known_costs_people() -> None:
    film, _ = filmed(shoot(PEOPLE, rate=24.0, seconds=5), whip)
    assert len(cast(film, None)) > 2


def test_a_camera_that_stood_still_changes_nothing() -> None:
    film, footage = filmed(shoot(PEOPLE, miss=0.1), lambda t: (0.0, 0.0))
    assert cast(film, footage) == cast(film, None)


def test_whom_a_pan_takes_out_of_the_picture_has_not_left() -> None:
    """Somebody stands; the camera looks away from them, and back within a second."""

    def glance(t: float) -> tuple[float, float]:
        return 900 * float(np.clip((t - 1.5) / 0.3, 0, 1) - np.clip((t - 2.1) / 0.3, 0, 1)), 0.0

    film, footage = filmed(shoot([Actor(walk(300, 0.0), facing=0)]), glance)
    assert [actors for actors, _ in cast(film, footage)] == [[0]]
    assert sum(len(found) == 0 for found in film.detections) > 10


def test_a_zoom_is_no_growth() -> None:
    """What the lens shows grows threefold within 0.2 s, while nobody is seen for half of that."""
    film = shoot([Actor(walk(640, 0.0), facing=0, height_px=150, hidden=[(1.4, 1.6)])], rate=30.0)
    detections, steady, truth = [], [], {}
    for found in film.detections:
        scale = 1 + 2 * float(np.clip((found.time_s - 1.4) / 0.2, 0, 1))
        about = np.array([640.0, 400.0])
        boxes = (found.boxes_px - np.tile(about, 2)) * scale + np.tile(about, 2)
        points = (found.keypoints_px - about) * scale + about
        for box, moved in zip(found.boxes_px, boxes, strict=True):
            truth[found.index, float(moved[0])] = film.truth[found.index, float(box[0])]
        detections.append(replace(found, boxes_px=boxes, keypoints_px=points))
        steady.append(np.column_stack([np.eye(2) / scale, about * (1 - 1 / scale)]))
    zoomed = Film(detections, truth)
    count = sum(len(found) for found in detections)
    looks = np.full((count, APPEARANCE_SIZE), np.nan, np.float16)
    assert len(cast(zoomed, Footage(looks, np.ones(count), np.array(steady)))) == 1
    assert len(cast(zoomed, None)) == 2
