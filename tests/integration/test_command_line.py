"""The command line as a user meets it: help, results, and one sentence for everything that goes wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from made_result import write_result
from pose_server.pipeline.solve_options import SolveOptions

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run_command(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pose_server", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=240,
            cwd=tmp_path,
            env={**os.environ, "POSE_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "120"},
        )

    return run_command


def write_film(path: Path, frames: int = 12, size: tuple[int, int] = (320, 240)) -> Path:
    """A film in which nobody is to be seen."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        rng = np.random.default_rng(0)
        picture = rng.integers(90, 130, (size[1], size[0], 3)).astype(np.uint8)
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, i, axis=1), format="rgb24")
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    return path


def write_text(path: Path) -> Path:
    path.write_text("This is no film.\n" * 100)
    return path


def write_sound(path: Path) -> Path:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    return path


def cut_film(path: Path) -> Path:
    """A film whose index stands at its end, so that nothing is left of it when cut."""
    data = write_film(path).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_refused(done: subprocess.CompletedProcess[str], out: Path, *words: str) -> None:
    """One sentence on stderr, exit 2, and nothing written."""
    assert done.returncode == 2, done.stderr
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("pose-server: ")
    assert message.endswith((".", ")"))
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in message, message
    assert not out.exists()
    assert not list(out.parent.glob("*.partial"))


@pytest.mark.parametrize("command", ["", "import", "refine", "serve", "jobs", "doctor"])
def test_help_is_there(run: Run, command: str) -> None:
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (None, "missing.mp4", ["missing.mp4"]),
        (write_text, "text.mp4", ["text.mp4"]),
        (cut_film, "cut.mp4", ["cut.mp4"]),
        (write_sound, "sound.wav", ["sound.wav"]),
        (lambda p: p.write_bytes(b""), "empty.mp4", ["empty.mp4"]),
        (lambda p: p.mkdir(), "folder", ["folder"]),
        (write_film, "nobody.mp4", []),
    ],
    ids=["missing", "text", "unreadable", "sound", "empty", "folder", "nobody"],
)
def test_bad_clips_end_in_one_sentence(
    run: Run, tmp_path: Path, make: Callable[[Path], object] | None, name: str, words: list[str]
) -> None:
    if make:
        make(tmp_path / name)
    check_refused(run("import", tmp_path / name, "--out", tmp_path / "out"), tmp_path / "out", *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--start", "5", "--end", "5"], ["5"]),
        (["--start", "500"], ["12"]),
        (["--start", "later"], ["later"]),
        (["--formats", "npz,fbx9"], ["fbx9", "npz", "bvh", "preview"]),
        (["--people", "some"], ["some", "all"]),
        (["--fps", "quick"], ["quick"]),
        (["--fov", "200"], ["200"]),
        (["--fov", "50", "--focal-mm", "35"], ["--fov", "--focal-mm"]),
        (["--detector", "crystal-ball"], ["crystal-ball", "blazepose"]),
        (["--device", "cuda:99"], ["cuda:99"]),
        (["--smoothing", "2"], ["2"]),
        (["--height", "tall"], ["tall", "auto"]),
        (["--floor", "lava"], ["lava", "steps"]),
        (["--contact", "1:left_heel"], ["1:left_heel", "=on"]),
        (["--filter", "arms=kalman"], ["kalman", "butterworth"]),
    ],
    ids=lambda value: " ".join(value) if value[0].startswith("--") else "",
)
def test_bad_options_end_in_one_sentence(
    run: Run, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    film = write_film(tmp_path / "film.mp4")
    check_refused(run("import", film, "--out", tmp_path / "out", *arguments), tmp_path / "out", *words)


def test_a_result_is_refined_and_what_is_not_named_stays(run: Run, tmp_path: Path) -> None:
    write_result(tmp_path / "result", SolveOptions(floor="flat"))
    done = run("refine", "result", "--smoothing", "1", "--height", "1.9", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    solve = json.loads(done.stdout)["options"]["solve"]
    assert (solve["smoothing"], solve["height_m"], solve["floor"]) == (1, 1.9, "flat")
    again = run("refine", "out", "--height", "auto", "--contact", "1:left_toe:3-9=on", "--filter", "arms=rts")
    assert again.returncode == 0, again.stderr
    solve = json.loads((tmp_path / "out" / "report.json").read_text())["options"]["solve"]
    assert (solve["smoothing"], solve["height_m"], len(solve["edits"])) == (1, None, 1)
    assert "written to out" in again.stderr
    assert run("refine", "out", "--contact", "none", "--filter", "none").returncode == 0
    solve = json.loads((tmp_path / "out" / "report.json").read_text())["options"]["solve"]
    assert (solve["edits"], solve["filters"]) == ([], [])
    before = (tmp_path / "out" / "report.json").read_bytes()
    for arguments, word in (
        (["nowhere"], "no report.json"),
        (["out", "--smoothing", "7"], "--smoothing 7"),
        (["out", "--contact", "9:left_toe:3-9=on"], "no person 9"),
    ):
        refused = run("refine", *arguments)
        assert refused.returncode == 2
        assert word in refused.stderr.strip().splitlines()[-1]
        assert "Traceback" not in refused.stderr
    assert (tmp_path / "out" / "report.json").read_bytes() == before


def test_an_output_below_a_file_is_refused(run: Run, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4")
    before = film.read_bytes()
    done = run("import", film, "--out", film / "out")
    assert done.returncode == 2
    assert "--out" in done.stderr
    assert film.read_bytes() == before


def test_a_data_folder_that_cannot_be_written_is_said_before_the_work(run: Run, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4")
    (tmp_path / "data").write_text("a file")
    done = run("import", film, "--out", tmp_path / "out")
    check_refused(done, tmp_path / "out", "cannot be written", "POSE_DATA_DIR", "--no-cache")
    assert "detect:" not in done.stderr
    assert json.loads(run("doctor", "--json").stdout)["data_dir"]["writable"] is False


def test_a_server_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4")
    address = f"127.0.0.1:{free_port()}"
    done = run("import", film, "--out", tmp_path / "out", "--server", address)
    check_refused(done, tmp_path / "out", address, "pose-server serve")


def test_errors_come_as_json_too(run: Run, tmp_path: Path) -> None:
    done = run("import", tmp_path / "gone.mp4", "--out", tmp_path / "out", "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "INVALID_ARGUMENT"
    assert error["message"] in done.stderr


def test_doctor_says_what_can_be_used(run: Run) -> None:
    done = run("doctor")
    assert done.returncode == 0, done.stderr
    for word in ("blazepose", "cpu", "torch"):
        assert word in done.stdout
    facts = json.loads(run("doctor", "--json").stdout)
    detectors = {found["name"]: found for found in facts["detectors"]}
    assert detectors["blazepose"]["usable"] is True
    assert detectors["rtmpose"]["usable"] is False
    (model,) = [model for model in detectors["rtmpose"]["models"] if model["name"] == "rtmo-s"]
    assert model == {"name": "rtmo-s", "here": False, "advice": "pose-server models fetch rtmo-s"}
    assert [lifter["name"] for lifter in facts["lifters"]] == ["house", "house_causal", "landmarks"]
    # What is in brackets is the extra to install, not the table's own markup.
    extras = [extra for extra in facts["extras"] if not extra["version"]]
    named = [found for found in facts["detectors"] if "pose-server[" in found["advice"]]
    assert done.stdout.count("pose-server[") == len(extras) + len(named)
