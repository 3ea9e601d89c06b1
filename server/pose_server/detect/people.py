"""The people of a clip, followed from frame to frame and, once found, back to where they came from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice

from pose_server.detect.pose import Pose, PoseReader
from pose_server.detect.roi import Picture, Roi
from pose_server.detect.scanner import Candidate

__all__ = ["TRIAL_FRAMES", "Moment", "People", "Person"]

#: A pose of less sureness or score is dropped: what it shows is mostly guessed.
_SURE_ENOUGH, _SCORE_ENOUGH = 0.35, 0.15
#: A newcomer becomes known, and is reported, after some sure poses if those make up this share of all;
#: else they are forgotten after so many frames.
_SURE_POSES, _SURE_SHARE, TRIAL_FRAMES = 4, 0.4, 10
#: From where on a pose is sure: of somebody whom the person detector scores this high, and of others.
#: Parts of people and things on tables reach 0.65 and 0.7; people seldom stay below 0.75 and 0.9.
_CLEAR_SCORE = 0.75
_SURE_IF_CLEAR, _SURE = 0.55, 0.85
#: Median distance of the main joints in crop sides below which two poses are one body.
_SAME_BODY = 0.07
#: A newcomer of whom so much lies on somebody else's body is a part of it that was taken for a person.
_PART = 0.6
#: Further from where they were expected than this, in crop sides, or grown by this: somebody else.
_JUMP, _GROWTH = 0.35, 1.8
#: Below this the person is looked for with the detector, too, at once and then every few frames, and is
#: given up after so many times the patience for somebody who is not seen at all.
_DOUBT, _DOUBT_PACE, _DOUBT_PATIENCE = 0.6, 3, 4
#: How far a square's centre, its size and lean, and its speed follow the newest pose: a square that
#: trembles makes points that tremble, and so does one that runs ahead (the speed is for gaps only).
_PLACE_WEIGHT, _SHAPE_WEIGHT, _SPEED_WEIGHT = 0.7, 0.5, 0.4
#: A candidate this close to somebody in no doubt, in crop sides, is not looked at.
_SAME_PLACE, _SAME_SIZE = 0.15, 1.6
#: A seat is given to a newcomer who is larger than the smallest person by this.
_LARGER = 1.3
#: Presence, then sureness, of a candidate that is worth following.
_LIKELY = 0.5


@dataclass(eq=False)
class Person:
    """Somebody who is being followed in one direction of time."""

    roi: Roi
    """Where to look in the next frame."""
    pose: Pose
    first_index: int
    sure_from: float
    poses: int = 1
    sure_poses: int = 0
    misses: int = 0
    doubts: int = 0
    known: bool = False
    dismissed: bool = False
    speed: tuple[float, float] = (0.0, 0.0)

    def update(self, pose: Pose) -> None:
        """Take the pose of the next frame."""
        frames = self.misses + 1
        step = (pose.roi.x - self.pose.roi.x) / frames, (pose.roi.y - self.pose.roi.y) / frames
        vx, vy = (old + _SPEED_WEIGHT * (new - old) for old, new in zip(self.speed, step, strict=True))
        self.speed = vx, vy
        self.roi = self.roi.blended(pose.roi, _PLACE_WEIGHT, _SHAPE_WEIGHT)
        self.pose = pose
        self.misses = 0
        self.poses += 1
        self.sure_poses += pose.sureness >= self.sure_from
        self.doubts = self.doubts + 1 if pose.sureness < _DOUBT else 0

    def miss(self) -> None:
        """Go on with the last speed, a little slower, because the next frame does not show the person."""
        self.roi = self.roi.shifted(*self.speed)
        self.speed = self.speed[0] * 0.9, self.speed[1] * 0.9
        self.misses += 1
        self.doubts += 1

    def is_sure(self, fewest: int) -> bool:
        """Whether enough poses are good for a person."""
        return self.sure_poses >= max(fewest, _SURE_SHARE * self.poses)

    def could_be(self, pose: Pose) -> bool:
        """Whether a pose read where this person was expected can be theirs."""
        slack = 1 + 0.5 * self.misses
        return (
            pose.sureness >= _SURE_ENOUGH
            and pose.score >= _SCORE_ENOUGH
            and self.roi.distance(pose.roi) < _JUMP * slack
            and self.roi.ratio(pose.roi) < _GROWTH * slack
        )


@dataclass
class Moment:
    """A frame that is still open: its picture, and who was seen in it."""

    index: int
    time_s: float
    picture: Picture
    seen: list[tuple[Person, Pose]] = field(default_factory=list)

    def shows(self, pose: Pose) -> bool:
        """Whether somebody was already seen in that pose."""
        return any(pose.gap(other) < _SAME_BODY for _, other in self.seen)


class People:
    """Everybody who is followed at the moment.

    Parameters
    ----------
    reader
        Reads poses.
    limit
        How many people to follow at once; the largest win.
    patience
        Frames after which a person who is not seen is given up.
    """

    def __init__(self, reader: PoseReader, *, limit: int, patience: int) -> None:
        self._reader = reader
        self._limit = limit
        self._patience = patience
        self._live: list[Person] = []
        self._returning: list[Iterator[Moment]] = []

    def doubtful(self) -> list[Roi]:
        """Return the places where the detector should help to find somebody again."""
        return [p.roi for p in self._live if p.known and (p.misses or p.doubts % _DOUBT_PACE == 1)]

    def follow(self, moment: Moment) -> None:
        """Read everybody's pose in a new frame."""
        where = [person.roi for person in self._live]
        poses = self._reader.read(moment.picture, where, [person.pose for person in self._live])
        fits = [person.could_be(pose) for person, pose in zip(self._live, poses, strict=True)]
        for i, j in combinations(range(len(poses)), 2):
            if fits[i] and fits[j] and poses[i].gap(poses[j]) < _SAME_BODY:
                # Two squares fell on one body: it is whose pose moved less.
                fits[max(i, j, key=lambda k: self._live[k].pose.gap(poses[k]) + self._live[k].misses)] = False
        for person, pose, fit in zip(self._live, poses, fits, strict=True):
            if fit:
                person.update(pose)
                moment.seen.append((person, pose))
            else:
                person.miss()
        self._live = [
            person
            for person in self._live
            if person.misses <= self._patience and person.doubts <= _DOUBT_PATIENCE * self._patience
        ]

    def welcome(self, candidates: Sequence[Candidate], moment: Moment) -> None:
        """Look at where the detector saw somebody in the newest frame, the surest candidate first."""
        fresh = [candidate for candidate in candidates if not self._is_known(candidate.roi)][: self._limit]
        chances = self._reader.glance(moment.picture, [candidate.roi for candidate in fresh])
        fresh = [c for c, chance in zip(fresh, chances, strict=True) if chance >= _LIKELY]
        poses = self._reader.read(moment.picture, [candidate.roi for candidate in fresh])
        for candidate, pose in zip(fresh, poses, strict=True):
            if pose.sureness < _LIKELY or pose.score < _SCORE_ENOUGH:
                continue
            if self._found_again(pose, moment) or moment.shows(pose):
                continue
            if any(pose.share_on(other) > _PART or pose.has_head_of(other) for _, other in moment.seen):
                continue
            if len(self._live) >= self._limit:
                smallest = min(self._live, key=lambda person: person.roi.side)
                if pose.roi.side < _LARGER * smallest.roi.side:
                    continue
                self._live.remove(smallest)
            person = Person(
                pose.roi, pose, moment.index, _SURE_IF_CLEAR if candidate.score >= _CLEAR_SCORE else _SURE
            )
            person.sure_poses += pose.sureness >= person.sure_from
            self._live.append(person)
            moment.seen.append((person, pose))

    @property
    def looking_back(self) -> bool:
        """Whether open frames may still get somebody."""
        return bool(self._returning)

    def look_back(self, steps: int | None = None) -> None:
        """Follow the newcomers back by so many frames, or by all that are open."""
        for returning in list(self._returning):
            if sum(1 for _ in islice(returning, steps)) < (steps or math.inf):
                self._returning.remove(returning)

    def settle(self, moments: Sequence[Moment], *, look_back: bool) -> None:
        """Decide which newcomers are people, begin to follow those back, and forget the others."""
        for person in [person for person in self._live if not person.known]:
            if person.is_sure(_SURE_POSES):
                person.known = True
                self._dismiss_parts(person)
                if look_back:
                    self._returning.append(self._followed_back(person, list(moments)))
            elif moments[-1].index - person.first_index >= TRIAL_FRAMES:
                self._live.remove(person)

    def finish(self, frames: int) -> None:
        """Decide about newcomers at the end of a clip that may be shorter than it takes to be sure."""
        for person in self._live:
            person.known |= person.is_sure(min(frames, _SURE_POSES))

    def _is_known(self, roi: Roi) -> bool:
        return any(
            person.doubts == 0
            and person.pose.roi.distance(roi) < _SAME_PLACE
            and person.pose.roi.ratio(roi) < _SAME_SIZE
            for person in self._live
        )

    def _found_again(self, pose: Pose, moment: Moment) -> bool:
        """Give a pose to the doubtful person whom it shows better than what they have now."""
        for person in self._live:
            if person.doubts == 0 or not person.could_be(pose):
                continue
            if person.misses:
                person.update(pose)
            elif pose.sureness > person.pose.sureness:
                moment.seen = [(who, seen) for who, seen in moment.seen if who is not person]
                person.pose = pose
            else:
                continue
            person.roi = pose.roi
            moment.seen.append((person, pose))
            return True
        return False

    def _dismiss_parts(self, person: Person) -> None:
        """Forget those who turn out to be a part of somebody found later."""
        for other in [other for other in self._live if other is not person]:
            part = other.pose.share_on(person.pose) > _PART
            if part and other.pose.score < person.pose.score and other.pose.sureness < _SURE:
                other.dismissed = True
                self._live.remove(other)

    def _followed_back(self, person: Person, moments: Sequence[Moment]) -> Iterator[Moment]:
        start = next(i for i, moment in enumerate(moments) if moment.index == person.first_index)
        first_pose = next(pose for who, pose in moments[start].seen if who is person)
        ghost = Person(first_pose.roi, first_pose, person.first_index, person.sure_from)
        for moment in reversed(moments[:start]):
            pose = self._reader.read(moment.picture, [ghost.roi], [ghost.pose])[0]
            if moment.shows(pose):
                return
            if ghost.could_be(pose):
                ghost.update(pose)
                moment.seen.append((person, pose))
            else:
                ghost.miss()
                if ghost.misses > self._patience:
                    return
            yield moment
