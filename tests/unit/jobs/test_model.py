from __future__ import annotations

import json
from fractions import Fraction

from pose_server.cache.media import Media, MediaFile
from pose_server.jobs.model import ENDED, TRANSITIONS, JobRequest, JobState
from pose_server.pipeline.options import ImportOptions, Moment


def test_every_state_has_its_ways_out() -> None:
    assert set(TRANSITIONS) == set(JobState)
    assert {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED} == ENDED


def test_every_state_can_be_reached_and_left() -> None:
    reached, waiting = set(), [JobState.QUEUED]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting.extend(TRANSITIONS[state])
    assert reached == set(JobState)
    for state in set(JobState) - ENDED:
        assert TRANSITIONS[state]


def test_a_request_survives_json() -> None:
    options = ImportOptions(start=Moment(frame=3), end=Moment(seconds=2.5), fps=Fraction(30000, 1001))
    for media in (Media("a.mp4", (MediaFile("0" * 64, "a.mp4"),)), Media("", path="/films/a.mp4")):
        for refines in (None, "abc"):
            request = JobRequest(media, options, refines)
            assert JobRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request
