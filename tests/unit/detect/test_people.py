"""What becomes of people as a script moves them: no network, no pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from pose_server.detect.people import TRIAL_FRAMES, Moment, People, Person
from pose_server.detect.pose import Pose
from pose_server.detect.roi import Picture, Roi
from pose_server.detect.scanner import Candidate
from pose_shared.skeleton import BLAZEPOSE_33

FRAMES = 40
#: A standing figure, hips at the origin, height about 1.
FIGURE = {
    "shoulder": (0.1, -0.3),
    "elbow": (0.18, -0.15),
    "wrist": (0.2, 0.0),
    "hip": (0.07, 0.0),
    "knee": (0.08, 0.25),
    "ankle": (0.09, 0.5),
}


@dataclass(frozen=True)
class Actor:
    """Somebody in the script: where, how large, how well to be seen; NaN or 0 while away."""

    x: Callable[[int], float]
    y: float = 300.0
    height: float = 200.0
    clear: Callable[[int], float] = lambda t: 0.95

    def pose(self, t: int) -> Pose:
        points = np.zeros((len(BLAZEPOSE_33), 2))
        points[:] = (0.0, -0.42)
        for i, name in enumerate(BLAZEPOSE_33.joints):
            side, _, joint = name.partition("_")
            if joint in FIGURE:
                points[i] = np.array(FIGURE[joint]) * (1 if side == "left" else -1, 1)
        keypoints_px = points * self.height + (self.x(t), self.y)
        clear = self.clear(t)
        roi = Roi(self.x(t), self.y, 1.4 * self.height, 0.0)
        return Pose(keypoints_px, np.full(33, clear), np.zeros((33, 3)), float(clear > 0), roi)


class Stage:
    """Reads the poses of actors instead of pictures: a square shows whoever is nearest to its middle."""

    def __init__(self, *actors: Actor) -> None:
        self.actors = actors
        self.reads = 0

    def read(
        self, picture: Picture, rois: Sequence[Roi], expected: Sequence[Pose | None] | None = None
    ) -> list[Pose]:
        self.reads += len(rois)
        t = picture.height - 1
        poses = []
        for roi in rois:
            here = [actor.pose(t) for actor in self.actors if actor.clear(t) > 0]
            here = [pose for pose in here if roi.distance(pose.roi) < 0.5]
            nobody = replace(Actor(lambda t: 0).pose(0), presence=0.0, roi=roi)
            poses.append(min(here, key=lambda pose: roi.distance(pose.roi), default=nobody))
        return poses

    def glance(self, picture: Picture, rois: Sequence[Roi]) -> list[float]:
        return [pose.presence for pose in self.read(picture, rois)]

    def candidates(self, t: int, *, score: float = 0.9) -> list[Candidate]:
        return [Candidate(actor.pose(t).roi, score) for actor in self.actors if actor.clear(t) > 0]


def moment(t: int) -> Moment:
    # The script's time travels in the height of the picture.
    return Moment(t, t / 30, Picture(np.zeros((t + 1, 1, 3), np.uint8)))


def play(
    stage: Stage, *, scans: Sequence[int], score: float = 0.9, limit: int = 8, patience: int = 8
) -> tuple[People, list[list[float]]]:
    """Return for each frame where the known people's hips are, left to right."""
    people = People(stage, limit=limit, patience=patience)  # type: ignore[arg-type]
    moments: deque[Moment] = deque()
    for t in range(FRAMES):
        now = moment(t)
        moments.append(now)
        people.follow(now)
        people.welcome(stage.candidates(t, score=score) if t in scans else [], now)
        people.settle(moments, look_back=True)
        people.look_back(2)
    people.finish(FRAMES)
    people.look_back()
    return people, [
        sorted(pose.roi.x for who, pose in m.seen if who.known and not who.dismissed) for m in moments
    ]


def test_somebody_found_late_is_followed_back_to_the_first_frame() -> None:
    _, seen = play(Stage(Actor(lambda t: 100 + 5 * t)), scans=[20])
    assert [len(places) for places in seen] == [1] * FRAMES
    assert seen[0][0] == pytest.approx(100)


def test_looking_back_ends_where_somebody_appears() -> None:
    _, seen = play(Stage(Actor(lambda t: 100 + 5 * t, clear=lambda t: 0.95 * (t >= 12))), scans=[20])
    assert [len(places) for places in seen] == [0] * 12 + [1] * (FRAMES - 12)


def test_somebody_hidden_for_a_moment_goes_on_and_is_missing_meanwhile() -> None:
    hidden = range(15, 19)
    _, seen = play(Stage(Actor(lambda t: 100 + 5 * t, clear=lambda t: 0.95 * (t not in hidden))), scans=[0])
    assert [t for t in range(FRAMES) if not seen[t]] == list(hidden)


def test_somebody_who_left_is_given_up() -> None:
    stage = Stage(Actor(lambda t: 100, clear=lambda t: 0.95 * (t < 10)))
    people, seen = play(stage, scans=[0], patience=4)
    assert [len(places) for places in seen] == [1] * 10 + [0] * (FRAMES - 10)
    assert people.doubtful() == []
    assert stage.reads < 20


def test_two_who_cross_are_never_counted_twice_or_both_lost() -> None:
    stage = Stage(Actor(lambda t: 100 + 12 * t), Actor(lambda t: 580 - 12 * t))
    _, seen = play(stage, scans=[0, 10, 20, 30])
    for t, places in enumerate(seen):
        apart = abs(480 - 24 * t)
        assert 1 <= len(places) <= 2
        if apart > 60:
            assert places == pytest.approx(sorted((100 + 12 * t, 580 - 12 * t)))


def test_a_part_of_a_person_is_nobody() -> None:
    """Legs alone look like a small person; what is clear of it lies on the larger person's body."""
    whole = Actor(lambda t: 300.0, height=300)
    legs = Actor(lambda t: 322.0, y=375.0, height=120, clear=lambda t: 0.7)
    _, seen = play(Stage(whole, legs), scans=[0, 15, 30])
    assert [places for places in seen if places != [300.0]] == []


def test_a_part_found_before_its_person_is_forgotten() -> None:
    whole = Actor(lambda t: 300.0, height=300, clear=lambda t: 0.95 * (t >= 8))
    legs = Actor(lambda t: 322.0, y=375.0, height=120, clear=lambda t: 0.7)
    _, seen = play(Stage(whole, legs), scans=[0, 15, 30])
    assert all(places == [300.0] for places in seen[8:])


def test_what_is_never_clear_is_not_reported_and_not_followed_for_long() -> None:
    stage = Stage(Actor(lambda t: 300.0, clear=lambda t: 0.65))
    _, seen = play(stage, scans=[5], score=0.5)
    assert not any(seen)
    assert stage.reads <= TRIAL_FRAMES + 4


def test_somebody_half_seen_whom_the_person_detector_is_sure_of_is_reported() -> None:
    _, seen = play(Stage(Actor(lambda t: 300.0, clear=lambda t: 0.65)), scans=[5], score=0.9)
    assert all(len(places) == 1 for places in seen)


def test_the_largest_get_the_seats() -> None:
    crowd = [Actor(lambda t, x=150 * i: x, height=50.0 + i) for i in range(1, 6)]
    star = Actor(lambda t: 1500.0, height=300.0, clear=lambda t: 0.95 * (t >= 10))
    people, seen = play(Stage(*crowd, star), scans=range(FRAMES), limit=3)
    assert max(len(places) for places in seen[15:]) == 3
    assert all(1500.0 in places for places in seen[15:])
    assert people.doubtful() == []


def test_a_jump_to_somebody_else_is_a_miss() -> None:
    pose = Actor(lambda t: 100.0).pose(0)
    person = Person(pose.roi, pose, 0, 0.8)
    assert person.could_be(Actor(lambda t: 130.0).pose(1))
    assert not person.could_be(Actor(lambda t: 250.0).pose(1))
    assert not person.could_be(Actor(lambda t: 100.0, height=450.0).pose(1))
    assert not person.could_be(Actor(lambda t: 100.0, clear=lambda t: 0.3).pose(1))
