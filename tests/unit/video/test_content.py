"""A clip's fingerprint: the same content under any name, another for any other content."""

from __future__ import annotations

import hashlib
import shutil

import pytest
from pose_server.video.content import content_fingerprint
from pose_shared.errors import JobCancelledError, MediaError


def test_a_film_is_known_by_its_bytes(make_film, tmp_path) -> None:
    path = make_film("clip.mp4", frames=5)
    assert content_fingerprint(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    copy = shutil.copy(path, tmp_path / "other name.mov")
    assert content_fingerprint(copy) == content_fingerprint(path)


def test_a_sequence_is_known_by_names_and_bytes(write_picture, tmp_path) -> None:
    for number in range(9, 12):
        write_picture(f"a.{number:04d}.png", number)
    pattern = tmp_path / "a.%04d.png"
    whole = content_fingerprint(pattern)
    assert content_fingerprint(tmp_path / "a.####.png") == whole
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for file in tmp_path.glob("a.*.png"):
        shutil.copy(file, elsewhere)
    assert content_fingerprint(elsewhere / pattern.name) == whole

    (tmp_path / "a.0010.png").rename(tmp_path / "a.0013.png")
    renumbered = content_fingerprint(pattern)
    write_picture("a.0013.png", 500)
    assert len({whole, renumbered, content_fingerprint(pattern)}) == 3


def test_errors_are_those_of_opening(tmp_path) -> None:
    with pytest.raises(MediaError) as caught:
        content_fingerprint(tmp_path / "nothing.mp4")
    assert caught.value.reason == "MEDIA_NOT_FOUND"


def test_hashing_can_be_cancelled(make_film) -> None:
    class Cancelled:
        def check(self) -> None:
            raise JobCancelledError("cancelled")

    with pytest.raises(JobCancelledError):
        content_fingerprint(make_film(frames=3), progress=Cancelled())
