"""Films and rows of pictures, as the user picks them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pose_shared.clips import Clip
from pose_shared.errors import MediaError


class TestClips:
    def test_a_picture_stands_for_its_row(self, tmp_path: Path) -> None:
        for number in (99, 100, 101):
            (tmp_path / f"take 2 v{number:03d}.exr").touch()
        (tmp_path / "take 3 v001.exr").touch()
        clip = Clip.from_path(tmp_path / "take 2 v101.exr")
        assert clip.source.name == "take 2 v%03d.exr"
        assert (clip.first_file.name, clip.first_number, clip.name) == ("take 2 v099.exr", 99, "take 2 v")

    def test_a_film_with_a_number_is_a_film(self, tmp_path: Path) -> None:
        film = tmp_path / "take #3 0012.MP4"
        film.touch()
        clip = Clip.from_path(film)
        assert (clip.source, clip.is_sequence, clip.name) == (film, False, "take #3 0012")

    def test_long_names_leave_room(self, tmp_path: Path) -> None:
        film = tmp_path / ("ö" * 60 + ".mp4")
        film.touch()
        assert Clip.from_path(film).name == "ö" * 20

    def test_a_lone_picture_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "still.png").touch()
        with pytest.raises(MediaError, match="single picture"):
            Clip.from_path(tmp_path / "still.png")
