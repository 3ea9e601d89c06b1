"""The parts of the add-on that know nothing of Blender."""

from __future__ import annotations

import importlib
import sys
import time
import types
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blender_hosts import ROOT
from dancers import FILM_FRAMES, Dancer
from fake_pose_server import FakeServer
from pose_shared.errors import InputError, JobCancelledError, MediaError, UnavailableError
from pose_shared.messages import StageProgress

NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def addon() -> Iterator[Any]:
    """Import modules of the add-on without the `__init__` that needs Blender."""
    package = types.ModuleType("addon_parts")
    package.__path__ = [str(ROOT / "plugins/blender/pose_from_video")]
    sys.modules["addon_parts"] = package
    yield lambda name: importlib.import_module(f"addon_parts.{name}")
    for name in [name for name in sys.modules if name.startswith("addon_parts")]:
        del sys.modules[name]


class TestTiming:
    @pytest.mark.parametrize("rate", [Fraction(24), NTSC, Fraction(24000, 1001), Fraction(25), Fraction(120)])
    def test_rates_survive_blender(self, addon: Any, rate: Fraction) -> None:
        timing = addon("timing")
        fps, base = timing.blender_rate(rate)
        as_float32 = float(np.float32(base))
        assert timing.rate_of(fps, as_float32) == rate

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [(23.976, "24000/1001"), (29.97, "30000/1001"), (59.94, "60000/1001"), (24, "24"), (12.5, "25/2")],
    )
    def test_a_typed_rate_is_what_was_meant(self, addon: Any, typed: float, meant: str) -> None:
        assert addon("timing").exact_rate(float(np.float32(typed))) == Fraction(meant)

    def test_no_drift_over_a_long_clip(self, addon: Any) -> None:
        timing = addon("timing").SceneTiming(Fraction(24), NTSC, 0, 1)
        frames = timing.row_frames(0.0, NTSC, 20_000)
        assert frames[-1] == pytest.approx(1 + float(19_999 / NTSC * 24), abs=2e-3)

    def test_a_timestamp_that_the_container_rounded_gives_whole_frames(self, addon: Any) -> None:
        timing = addon("timing").SceneTiming(NTSC, NTSC, 10, 1001)
        assert list(timing.row_frames(0.334, NTSC, 3)) == [1001, 1002, 1003]
        assert list(timing.row_frames(0.467, NTSC, 2)) == [1005, 1006]

    @pytest.mark.parametrize("first", [0, 7, 100])
    def test_film_and_keys_agree(self, addon: Any, first: int) -> None:
        """The film frame that a scene frame shows is the nearest to the moment of its keys."""
        timing = addon("timing").SceneTiming(Fraction(24), NTSC, first, 101)
        for row in range(50):
            source = first + row
            frame = timing.row_frames(source / float(NTSC), NTSC, 1)[0]
            assert timing.scene_frame_of(source) == pytest.approx(frame, abs=1e-2)
            assert abs(timing.source_frame_at(round(frame)) - source) <= 1


class TestClips:
    def test_a_picture_stands_for_its_row(self, addon: Any, tmp_path: Path) -> None:
        for number in (99, 100, 101):
            (tmp_path / f"take 2 v{number:03d}.exr").touch()
        (tmp_path / "take 3 v001.exr").touch()
        clip = addon("clips").Clip.from_path(tmp_path / "take 2 v101.exr")
        assert clip.source.name == "take 2 v%03d.exr"
        assert (clip.first_file.name, clip.first_number, clip.name) == ("take 2 v099.exr", 99, "take 2 v")

    def test_a_film_with_a_number_is_a_film(self, addon: Any, tmp_path: Path) -> None:
        film = tmp_path / "take #3 0012.MP4"
        film.touch()
        clip = addon("clips").Clip.from_path(film)
        assert (clip.source, clip.is_sequence, clip.name) == (film, False, "take #3 0012")

    def test_long_names_leave_room(self, addon: Any, tmp_path: Path) -> None:
        film = tmp_path / ("ö" * 60 + ".mp4")
        film.touch()
        assert addon("clips").Clip.from_path(film).name == "ö" * 20

    def test_a_lone_picture_is_refused(self, addon: Any, tmp_path: Path) -> None:
        (tmp_path / "still.png").touch()
        with pytest.raises(MediaError, match="single picture"):
            addon("clips").Clip.from_path(tmp_path / "still.png")


class TestFilmHeader:
    def test_the_turn_of_a_phone(self, addon: Any, film: Path, sideways_film: Path) -> None:
        rotation_ccw_deg = addon("film_header").rotation_ccw_deg
        assert (rotation_ccw_deg(film), rotation_ccw_deg(sideways_film)) == (0, 90)

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
    def test_a_film_that_is_cut_is_not_turned(
        self, addon: Any, film: Path, tmp_path: Path, share: float
    ) -> None:
        cut = tmp_path / "cut.mp4"
        content = film.read_bytes()
        cut.write_bytes(content[: int(len(content) * share)])
        assert addon("film_header").rotation_ccw_deg(cut) == 0

    def test_other_files_are_not_turned(self, addon: Any, tmp_path: Path) -> None:
        text = tmp_path / "notes.txt"
        text.write_bytes(b"\x00\x00\x00\x02moovtrak" * 50)
        assert addon("film_header").rotation_ccw_deg(text) == 0
        assert addon("film_header").rotation_ccw_deg(tmp_path / "gone.mp4") == 0


class TestSession:
    def test_everybody_comes_at_the_asked_rate(self, addon: Any, server: FakeServer, film: Path) -> None:
        clip = addon("clips").Clip.from_path(film)
        request = addon("session").ImportRequest(clip, server.address, {"people": 2}, fps=Fraction(24))
        session = addon("session").Session(request)
        assert session.wait(20)
        result = session.result()
        assert [motion.person for motion in result.people] == [1, 2]
        assert {motion.rate for motion in result.people} == {Fraction(24)}

    def test_cancel_reaches_the_server(self, addon: Any, film: Path) -> None:
        with FakeServer([Dancer(1, 0, FILM_FRAMES)], seconds=30).running() as server:
            clip = addon("clips").Clip.from_path(film)
            session = addon("session").Session(addon("session").ImportRequest(clip, server.address, {}))
            while session.progress.stage != "detect":
                session.wait(0.05)
            session.cancel()
            begin = time.monotonic()
            assert session.wait(5)
            assert time.monotonic() - begin < 2
            assert server.cancel_calls == 1
            with pytest.raises(JobCancelledError):
                session.result()

    def test_a_refinement_comes_at_the_rate_of_its_import(self, addon: Any, server: FakeServer) -> None:
        server.refined = [Dancer(3, 0, FILM_FRAMES)]
        request = addon("session").RefineRequest(
            "jobs/dance", "dance", server.address, {"smoothing": 0.2}, fps=Fraction(24)
        )
        session = addon("session").Session(request)
        assert session.wait(20)
        assert session.result().job == "jobs/dance-1"
        assert server.rates == [Fraction(24)]
        (asked,) = server.refinements
        assert asked.solve.smoothing == pytest.approx(0.2)
        assert not asked.solve.HasField("floor")

    def test_words(self, addon: Any, server: FakeServer, film: Path) -> None:
        clip = addon("clips").Clip.from_path(film)
        session = addon("session").Session(addon("session").ImportRequest(clip, server.address, {}))
        assert session.wait(20)
        session.progress = StageProgress("detect", 60, 240, 24.0)
        assert (session.stage, session.factor) == ("Finding people", 0.25)
        assert (session.counts, session.pace) == ("60 of 240", "24.0 frames per second, 0:07 left")
        session.progress = StageProgress("upload", 3_000_000, 90_000_000, 1_500_000.0)
        assert (session.counts, session.pace) == ("3 of 90 MB", "1.5 MB per second, 0:58 left")


class TestLocalServer:
    def command(self, folder: Path, script: str) -> str:
        path = folder / "pose-server"
        path.write_text(f"#!{sys.executable}\nimport sys, time\n{script}\n")
        path.chmod(0o755)
        return str(path)

    def test_starts_once_and_stops(self, addon: Any, tmp_path: Path) -> None:
        said = tmp_path / "said"
        command = self.command(
            tmp_path,
            f"open({str(said)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n"
            "print('pose-server listens on 127.0.0.1:50999', flush=True)\ntime.sleep(60)",
        )
        server = addon("local_server").LocalServer()
        for _ in range(2):
            server.start(command, "127.0.0.1:50999")
        server.wait()
        assert server.running
        assert server.ready
        assert said.read_text() == "serve --port 50999\n"
        server.stop()
        server.stop()
        assert not server.running
        server.check()

    def test_last_words_are_repeated(self, addon: Any, tmp_path: Path) -> None:
        command = self.command(tmp_path, "sys.exit('Port 50999 is taken; choose another with --port.')")
        server = addon("local_server").LocalServer()
        server.start(command, "127.0.0.1:50999")
        with pytest.raises(UnavailableError, match=r"exit code 1: Port 50999 is taken"):
            server.wait()
        assert not server.running

    def test_only_here(self, addon: Any) -> None:
        with pytest.raises(InputError, match="not on this machine"):
            addon("local_server").LocalServer().start(sys.executable, "10.0.0.5:50551")
