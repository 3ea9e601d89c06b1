"""Identities in made-up films: crossings, gaps, exits, cuts, doubles, at many frame rates."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from made_film import IMAGE_SIZE, NAMES, Actor, Film, shoot, walk
from pose_server.pipeline.boundary import Detections
from pose_server.pipeline.progress import SilentProgress
from pose_server.track.tracker import track_people

RATES = (5.0, 10.0, 24.0, 30.0, 60.0, 120.0)
#: Speed of a brisk walk in body heights per second.
BRISK = 0.8


def crossing() -> list[Actor]:
    """One passes behind the other and is hidden for half a second."""
    return [
        Actor(walk(640, BRISK, at_s=2), phase=0.1),
        Actor(walk(640, -BRISK, at_s=2), facing=-1, phase=0.4, hidden=[(1.75, 2.25)]),
    ]


def both_hidden() -> list[Actor]:
    """Two cross behind a pillar."""
    hidden = [(1.75, 2.25)]
    return [
        Actor(walk(640, BRISK, at_s=2), phase=0.1, hidden=hidden),
        Actor(walk(640, -BRISK, at_s=2), facing=-1, phase=0.4, hidden=hidden),
    ]


def slipping() -> list[Actor]:
    """Where two cross, the only detection slips from one to the other."""
    return [
        Actor(walk(640, BRISK, at_s=2), phase=0.1, hidden=[(2.0, 2.3)]),
        Actor(walk(640, -BRISK, at_s=2), facing=-1, phase=0.4, hidden=[(1.7, 2.0)]),
    ]


def overtaking() -> list[Actor]:
    """A fast one passes behind a slow one who walks the same way."""
    return [
        Actor(walk(200, 0.5), phase=0.1),
        Actor(walk(0, 0.9), phase=0.6, height_px=320, hidden=[(1.2, 2.2)]),
    ]


def passing_behind() -> list[Actor]:
    """One walks behind another who stands."""
    return [Actor(walk(640, 0), facing=0), Actor(walk(640, 1.2, at_s=2), hidden=[(1.8, 2.2)])]


def three() -> list[Actor]:
    """Two walk through each other and past a third."""
    return [
        Actor(walk(640, BRISK, at_s=2), phase=0.1),
        Actor(walk(640, -BRISK, at_s=2), facing=-1, phase=0.4, hidden=[(1.75, 2.25)]),
        Actor(walk(660, 0), facing=0, phase=0.4, hidden=[(1.85, 2.2)]),
    ]


def turning_back() -> list[Actor]:
    """Two meet, stand together for a second, and each goes back."""

    def place(side: float) -> Callable[[float], tuple[float, float]]:
        return lambda t: (640 + side * (60 + 240 * (max(0, 1.5 - t) + max(0, t - 2.5))), 400)

    return [Actor(place(-1), facing=0.8), Actor(place(1), facing=-0.8, phase=0.3)]


def taking_turns() -> list[Actor]:
    """One leaves while another enters at the same edge, 0.3 s later."""
    return [
        Actor(walk(1280, BRISK, at_s=2)),
        Actor(walk(1300, -BRISK, at_s=2.3), facing=-1, phase=0.4),
    ]


SCENES = (crossing, both_hidden, slipping, overtaking, passing_behind, three, turning_back, taking_turns)


def assert_cast(film: Film, people: int, *, share: float = 0.95) -> None:
    cast = film.cast()
    assert sorted(sorted(actors) for actors, _ in cast) == [[i] for i in range(people)], cast
    assert min(part for _, part in cast) >= share, cast


#: At 5 frames/s one detection that changes sides cannot be told from one that does not.
CASES = [(scene, rate) for scene in SCENES for rate in RATES if rate > 5 or scene not in (slipping, three)]


@pytest.mark.parametrize(("scene", "rate"), CASES, ids=lambda case: getattr(case, "__name__", str(case)))
def test_everybody_keeps_their_identity(scene: Callable[[], list[Actor]], rate: float) -> None:
    actors = scene()
    for seed in range(2):
        assert_cast(shoot(actors, rate=rate, seed=seed), len(actors))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
@pytest.mark.parametrize("rate", [24.0, 60.0])
def test_a_poor_detector_costs_frames_but_no_identity(scene: Callable[[], list[Actor]], rate: float) -> None:
    actors = scene()
    film = shoot(actors, rate=rate, seed=4, noise=0.015, miss=0.1)
    assert_cast(film, len(actors), share=0.9)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_uneven_timestamps_change_nothing(scene: Callable[[], list[Actor]]) -> None:
    actors = scene()
    steps = np.random.default_rng(1).choice([1 / 60, 1 / 30, 1 / 20], 130)
    assert_cast(shoot(actors, times_s=np.cumsum(steps).tolist()), len(actors))


def test_the_same_motion_gives_the_same_people_at_any_rate() -> None:
    at_30, at_60 = (shoot(three(), rate=rate, noise=0.0).tracks() for rate in (30.0, 60.0))
    assert len(at_30) == len(at_60) == 3
    for slow, fast in zip(at_30, at_60, strict=True):
        same = np.isin(fast.times_s, slow.times_s)
        assert np.array_equal(fast.boxes_px[same], slow.boxes_px, equal_nan=True)


def test_the_order_of_people_in_a_frame_does_not_matter() -> None:
    film = shoot(three(), miss=0.05)
    random = np.random.default_rng(7)

    def shuffled(found: Detections) -> Detections:
        order = random.permutation(len(found))
        fields = ("boxes_px", "scores", "keypoints_px", "keypoint_confidence", "landmarks_m")
        return Detections(found.index, found.time_s, **{name: getattr(found, name)[order] for name in fields})

    other = Film([shuffled(found) for found in film.detections], film.truth)
    for one, two in zip(film.tracks(), other.tracks(), strict=True):
        for name in ("indices", "boxes_px", "keypoints_px", "keypoint_confidence", "landmarks_m"):
            assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True)


def test_rows_are_consecutive_and_gaps_are_missing() -> None:
    film = shoot([Actor(walk(400, 0.3), hidden=[(1.0, 1.5)])])
    (track,) = film.tracks()
    assert np.array_equal(track.indices, np.arange(120))
    assert np.allclose(track.times_s, np.arange(120) / 30)
    gap = ~track.found
    assert np.array_equal(np.flatnonzero(gap), np.arange(30, 45))
    assert np.isnan(track.keypoints_px[gap]).all()
    assert np.isnan(track.landmarks_m[gap]).all()
    assert (track.keypoint_confidence[gap] == 0).all()
    frame = film.detections[7]
    assert np.array_equal(track.keypoints_px[7], frame.keypoints_px[0])
    assert np.array_equal(track.keypoint_confidence[7], frame.keypoint_confidence[0])


def test_source_frame_numbers_are_kept() -> None:
    detections = [
        Detections(found.index + 500, found.time_s + 20, *list(vars(found).values())[2:])
        for found in shoot([Actor(walk(400, 0.3))]).detections
    ]
    (track,) = Film(detections, {}).tracks()
    assert track.indices[0] == 500
    assert track.times_s[0] == 20


def test_a_second_detection_of_one_body_makes_no_second_person() -> None:
    double = [(0.0, 1.5), (2.0, 4.0)]
    actors = [
        Actor(walk(400, 0.3)),
        Actor(walk(406, 0.3), hidden=double, score=0.6, plays=0),
        Actor(walk(395, 0.3), hidden=[(0.0, 3.0)], score=0.95, plays=0),
    ]
    (track,) = shoot(actors).tracks()
    assert track.found.all()


def test_a_cut_starts_new_people() -> None:
    before, after = [(2.0, 9.0)], [(0.0, 2.0)]
    actors = [
        Actor(walk(300, 0.2), hidden=before),
        Actor(walk(800, -0.2), facing=-1, hidden=before),
        Actor(walk(430, 0.2), hidden=after, phase=0.3),
        Actor(walk(1100, 0.0), facing=0, hidden=after, height_px=380),
    ]
    assert_cast(shoot(actors), 4, share=0.99)


def test_who_is_lost_inside_the_picture_comes_back_as_the_same() -> None:
    assert_cast(shoot([Actor(walk(500, 0.1), hidden=[(1.5, 5.0)])], seconds=7), 1)


def test_who_is_lost_for_long_comes_back_as_somebody_new() -> None:
    film = shoot([Actor(walk(500, 0.1), hidden=[(1.5, 7.0)])], seconds=9)
    assert len(film.tracks()) == 2


def test_who_walks_out_comes_back_as_somebody_new() -> None:
    def out_and_back(t: float) -> tuple[float, float]:
        return 1000 + 240 * min(t, 3 - t), 400

    assert len(shoot([Actor(out_and_back)], seconds=3).tracks()) == 2


def test_who_lingers_at_the_edge_stays_the_same_for_a_second() -> None:
    lingering = walk(1250, 0.0)
    for away_s, people in ((0.8, 1), (1.5, 2)):
        film = shoot([Actor(lingering, hidden=[(1.5, 1.5 + away_s)])])
        assert len(film.tracks()) == people


def test_the_best_of_two_claims_on_a_place_wins() -> None:
    """Both wait behind a pillar for two seconds; size tells who is who."""
    hidden = [(1.0, 3.0)]
    actors = [
        Actor(walk(600, 0.0), facing=0, hidden=hidden, height_px=300),
        Actor(walk(640, 0.0), facing=0, hidden=hidden, height_px=200),
    ]
    assert_cast(shoot(actors), 2)


def test_no_frames_and_no_people_give_no_tracks() -> None:
    assert Film([], {}).tracks() == []
    assert shoot([]).tracks() == []


@pytest.mark.parametrize("frames", [1, 3])
def test_the_only_person_of_a_short_clip_stays(frames: int) -> None:
    film = shoot([Actor(walk(400, 0.2), score=0.4)], seconds=frames / 30)
    (track,) = film.tracks()
    assert len(track) == frames


def test_a_single_picture_gives_everybody() -> None:
    actors = [Actor(walk(x, 0.0)) for x in (200, 600, 1000)]
    assert [len(track) for track in shoot(actors, seconds=1 / 30).tracks()] == [1, 1, 1]


def test_a_detector_without_landmarks_is_enough() -> None:
    film = shoot(crossing())
    for found in film.detections:
        found.landmarks_m[:] = np.nan
    assert_cast(film, 2)


def test_time_grows_with_the_length_of_the_clip() -> None:
    def seconds(frames: int) -> float:
        actors = [
            Actor(lambda t, k=k: (640 + 300 * np.sin(0.3 * t + 2 * k), 400), phase=k / 3) for k in range(3)
        ]
        film = shoot(actors, seconds=frames / 30)
        start = time.process_time()
        track_people(film.detections, keypoint_names=NAMES, image_size=IMAGE_SIZE, progress=SilentProgress())
        return time.process_time() - start

    assert seconds(4000) < 4 * 2 * seconds(1000)


def test_identities_that_are_known_are_kept_through_everything() -> None:
    """Nobody is followed: not over a gap of seconds, and not where places say otherwise."""
    film = shoot([Actor(walk(300, 0.1), hidden=[(0.5, 2.0)]), Actor(walk(900, -0.1), phase=0.3)], noise=0.0)

    def number_of(found: Detections) -> np.ndarray:
        left = found.boxes_px[:, 0] < 600
        return np.where(left != (found.index >= 90), 4, 9)

    tracks = track_people(
        film.detections,
        keypoint_names=NAMES,
        image_size=IMAGE_SIZE,
        progress=SilentProgress(),
        identities=[number_of(found) for found in film.detections],
    )
    assert len(tracks) == 2
    for track in tracks:
        own = set()
        for row in np.flatnonzero(track.found):
            found = film.detections[track.indices[row]]
            (same,) = np.flatnonzero((found.boxes_px == track.boxes_px[row]).all(axis=1))
            own.add(int(number_of(found)[same]))
        assert len(own) == 1
    assert sum(int(track.found.sum()) for track in tracks) == sum(len(found) for found in film.detections)


def with_scores(film: Film, score: Callable[[int], float], actor: int = 0) -> Film:
    """Give an actor's detections the scores of their frames."""
    for found in film.detections:
        for k, box in enumerate(found.boxes_px):
            if film.truth[found.index, float(box[0])] == actor:
                found.scores[k] = score(found.index)
    return film


def sure_cast(film: Film, sure_score: float) -> list[tuple[set[int], float]]:
    return film.cast(
        track_people(
            film.detections,
            keypoint_names=NAMES,
            image_size=IMAGE_SIZE,
            progress=SilentProgress(),
            sure_score=sure_score,
        )
    )


def test_who_is_never_sure_is_nobody() -> None:
    film = with_scores(shoot([Actor(walk(300, 0.3)), Actor(walk(900, -0.3), facing=-1)]), lambda _: 0.6)
    assert len(sure_cast(film, 0.6)) == 2
    assert sure_cast(film, 0.7) == [({1}, 1.0)]


def test_one_sure_detection_makes_a_person_of_all_the_others() -> None:
    film = with_scores(shoot([Actor(walk(300, 0.3))]), lambda frame: 0.8 if frame == 70 else 0.1)
    assert sure_cast(film, 0.7) == [({0}, 1.0)]


def test_unsure_detections_beside_somebody_neither_take_nor_end_a_track() -> None:
    """What a detector sees a second time, a little aside, is unsure and is no rival."""
    beside = Actor(walk(306 + 30, 0.3), hidden=[(0.0, 1.0), (3.0, 9.0)], score=0.3)
    film = shoot([Actor(walk(300, 0.3)), beside])
    cast = sure_cast(film, 0.7)
    assert [actors for actors, _ in cast] == [{0}]
    assert cast[0][1] == 1.0
