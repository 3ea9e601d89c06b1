"""Work on its way through a server, beside a host's own thread."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import pytest
from dancers import FILM_FRAMES, Dancer
from fake_pose_server import FakeServer
from pose_shared.clips import Clip
from pose_shared.errors import JobCancelledError
from pose_shared.messages import StageProgress
from pose_shared.session import Delivery, FetchRequest, ImportRequest, RefineRequest, Session


class TestSession:
    def test_everybody_comes_at_the_asked_rate(self, server: FakeServer, film: Path) -> None:
        clip = Clip.from_path(film)
        request = ImportRequest(clip, server.address, {"people": 2}, Delivery(fps=Fraction(24)))
        session = Session(request)
        assert session.wait(20)
        result = session.result()
        assert [motion.person for motion in result.people] == [1, 2]
        assert {motion.rate for motion in result.people} == {Fraction(24)}

    def test_cancel_reaches_the_server(self, film: Path) -> None:
        with FakeServer([Dancer(1, 0, FILM_FRAMES)], seconds=30).running() as server:
            clip = Clip.from_path(film)
            session = Session(ImportRequest(clip, server.address, {}))
            while session.progress.stage != "detect":
                session.wait(0.05)
            session.cancel()
            begin = time.monotonic()
            assert session.wait(5)
            assert time.monotonic() - begin < 2
            assert server.cancel_calls == 1
            with pytest.raises(JobCancelledError):
                session.result()

    def test_a_refinement_comes_at_the_rate_of_its_import(self, server: FakeServer) -> None:
        server.refined = [Dancer(3, 0, FILM_FRAMES)]
        request = RefineRequest(
            "jobs/dance", "dance", server.address, {"smoothing": 0.2}, Delivery(fps=Fraction(24))
        )
        session = Session(request)
        assert session.wait(20)
        assert session.result().job == "jobs/dance-1"
        assert server.rates == [Fraction(24)]
        (asked,) = server.refinements
        assert asked.solve.smoothing == pytest.approx(0.2)
        assert not asked.solve.HasField("floor")

    def test_words(self, server: FakeServer, film: Path) -> None:
        clip = Clip.from_path(film)
        session = Session(ImportRequest(clip, server.address, {}))
        assert session.wait(20)
        session.progress = StageProgress("detect", 60, 240, 24.0)
        assert (session.stage, session.factor) == ("Finding people", 0.25)
        assert (session.counts, session.pace) == ("60 of 240", "24.0 frames per second, 0:07 left")
        session.progress = StageProgress("upload", 3_000_000, 90_000_000, 1_500_000.0)
        assert (session.counts, session.pace) == ("3 of 90 MB", "1.5 MB per second, 0:58 left")

    def test_people_who_were_picked_come_as_joints(self, server: FakeServer) -> None:
        request = FetchRequest("jobs/dance", "dance", server.address, Delivery(persons=(2,), joints_up="z"))
        session = Session(request)
        assert session.wait(20)
        result = session.result()
        assert [motion.person for motion in result.joints] == [2]
        assert [person.index for person in result.found] == [1, 2]
        assert result.people == ()
        assert result.joints[0].up == "z"

    def test_nobody_comes_before_somebody_has_picked(self, server: FakeServer, film: Path) -> None:
        session = Session(ImportRequest(Clip.from_path(film), server.address, {}, Delivery(persons=())))
        assert session.wait(20)
        assert session.result().people == ()
        assert len(session.result().found) == 2
        assert session.job == "jobs/dance"

    def test_a_session_that_is_left_lets_its_job_go_on(self, film: Path) -> None:
        with FakeServer([Dancer(1, 0, FILM_FRAMES)], seconds=30).running() as server:
            session = Session(ImportRequest(Clip.from_path(film), server.address, {}))
            while session.progress.stage != "detect":
                session.wait(0.05)
            session.leave()
            assert session.wait(2)
            assert session.job == "jobs/dance"
            assert server.cancel_calls == 0

    def test_a_session_can_be_left_at_once(self, server: FakeServer, film: Path) -> None:
        session = Session(ImportRequest(Clip.from_path(film), server.address, {}))
        session.leave()
        assert session.wait(5)
        assert server.cancel_calls == 0
