"""Who is who in clips that were looked at, from detections that are kept with them."""

from __future__ import annotations

import pytest
from pose_server.pipeline.progress import SilentProgress
from pose_server.track.tracker import track_people
from pose_shared.skeleton import BLAZEPOSE_33
from tracked_clips import MADE, REAL, Score, kept, score, tracks_of

NAMES = BLAZEPOSE_33.joints


def scored(name: str, *, known: bool = True, reidentify: bool = True) -> Score:
    clip = kept(name)
    people = track_people(
        clip.found,
        keypoint_names=NAMES,
        image_size=clip.image_size,
        progress=SilentProgress(),
        footage=clip.footage if known else None,
        reidentify=reidentify,
    )
    return score(tracks_of(people, clip.found), clip.found, clip.truth, NAMES)


#: People in each clip, and the least share of looked at points in which they are found.
PEOPLE = {
    "sports2d_demo": (2, 0.95),
    "cam01": (2, 1.0),
    "one-by-one-person-detection": (6, 0.81),
    "pose_1": (1, 1.0),
    "pose_squats": (1, 1.0),
    "crossing": (2, 1.0),
}
#: Films of a camera that moves so that people are lost for a while: people, switches and fragments.
MOVING = {"shaken": (3, 1, 1), "whipping": (3, 1, 1)}


def test_every_clip_is_asked_for() -> None:
    assert {*PEOPLE, *MOVING, "returning"} == {*REAL, *MADE}


@pytest.mark.parametrize("name", PEOPLE)
def test_everybody_is_one_track_and_nobody_else_is_there(name: str) -> None:
    found = scored(name)
    people, covered = PEOPLE[name]
    assert (found.people, found.switches, found.fragments, found.mixed, found.others) == (people, 0, 0, 0, 0)
    assert found.covered >= covered


@pytest.mark.parametrize("name", MOVING)
def test_a_camera_that_is_followed_costs_little(name: str) -> None:
    found = scored(name)
    assert (found.people, found.switches, found.fragments) <= MOVING[name]
    assert (found.mixed, found.others) == (0, 0)
    assert found.covered >= 0.85


@pytest.mark.parametrize("name", MOVING)
def test_one_that_is_not_followed_costs_more(name: str) -> None:
    followed, not_followed = scored(name), scored(name, known=False)
    assert not_followed.switches >= 4 * followed.switches
    assert not_followed.fragments >= 3 * followed.fragments


def test_some_who_come_back_are_known_and_nobody_is_taken_for_another() -> None:
    """Six people come twice, three of them in black: rather two of one than one of two."""
    found, never = scored("returning"), scored("returning", reidentify=False)
    assert (never.people, never.fragments, never.mixed) == (12, 6, 0)
    assert (found.people, found.fragments, found.mixed, found.others) == (9, 3, 0, 0)
    assert found.covered >= 0.8
