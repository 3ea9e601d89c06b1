"""`pose-server render` and `plot` as a user meets them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from made_result import FRAMES, SIZE, write_result


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures") / "made"
    write_result(folder)
    return folder


@pytest.fixture(scope="module")
def clip(result: Path) -> Path:
    """A film of the result's shape, three frames longer at its front."""
    path = result.parent / "clip.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = SIZE[0] // 2, SIZE[1] // 2, "yuv420p"
        for i in range(FRAMES + 3):
            picture = np.full((SIZE[1] // 2, SIZE[0] // 2, 3), 60 + 3 * i, np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode())
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pose_server", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "COLUMNS": "120"},
    )


def test_a_film_on_the_clip_beside_another_result(result: Path, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "film.mp4"
    done = run(
        "render", result, "--clip", clip, "--skip", 3, "--start", 10, "--end", "1s", "--beside",
        result / "person_01", "--reference", result, "--seen", "lifted", "--size", "1280x480", "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{out}: 20 pictures"
    with av.open(str(out)) as file:
        pictures = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert len(pictures) == 20
    assert pictures[0].shape == (480, 1280, 3)
    # Source frame 10 is the film's thirteenth; a corner of each of the four columns' films shows it.
    for picture, number in ((pictures[0], 13), (pictures[-1], 32)):
        for left in (4, 324, 644, 964):
            assert picture[36, left, 0] == pytest.approx(60 + 3 * number, abs=5)


def test_a_gif_and_pages(result: Path, tmp_path: Path) -> None:
    done = run(
        "render",
        result,
        "--person",
        3,
        "--turn",
        90,
        "--limit",
        5,
        "--size",
        "201x151",
        "--out",
        tmp_path / "a.GIF",
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.GIF").read_bytes()[:6] == b"GIF89a"
    for name in ("a.svg", "a.png"):
        done = run("plot", result, "--out", tmp_path / name, "--joints", "left_wrist, head")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == f"{tmp_path / name}: 2 people"
    assert "Person 3" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("render", "RESULT", "--out", "TMP/a.avi"), "let --out end in .mp4 or .gif"),
        (("render", "RESULT", "--out", "TMP/a.mp4", "--size", "641x360"), "give 642x360"),
        (("render", "RESULT", "--out", "TMP/a.mp4", "--person", "2"), "has no person 2"),
        (("render", "RESULT", "--out", "TMP/a.mp4", "--clip", "TMP/gone.mp4"), "There is no film"),
        (("render", "RESULT", "--out", "TMP/a.mp4", "--skip", "3"), "name it with --clip"),
        (("render", "RESULT", "--out", "TMP/a.mp4", "--start", "900"), "No frame lies in that range"),
        (("render", "RESULT", "--out", "TMP/no/a.mp4"), "cannot be written"),
        (("render", "RESULT", "--out", "TMP/a.mp4", "--view", "back"), "choose from camera, room"),
        (("render", "TMP", "--out", "TMP/a.mp4"), "is no result"),
        (("plot", "RESULT", "--out", "TMP/a.jpg"), "let --out end in .svg or .png"),
        (("plot", "RESULT", "--out", "TMP/a.svg", "--joints", "tail"), "--joints tail is no joint"),
        (("plot", "RESULT", "--out", "TMP/a.svg", "--person", "9"), "has no person 9"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    result: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run(*(text.replace("RESULT", str(result)).replace("TMP", str(tmp_path)) for text in arguments))
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
