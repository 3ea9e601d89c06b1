"""By how much a film's pictures are to be turned."""

from __future__ import annotations

from pathlib import Path

import pytest
from pose_shared.film_header import rotation_ccw_deg


class TestFilmHeader:
    def test_the_turn_of_a_phone(self, film: Path, sideways_film: Path) -> None:
        assert (rotation_ccw_deg(film), rotation_ccw_deg(sideways_film)) == (0, 90)

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
    def test_a_film_that_is_cut_is_not_turned(self, film: Path, tmp_path: Path, share: float) -> None:
        cut = tmp_path / "cut.mp4"
        content = film.read_bytes()
        cut.write_bytes(content[: int(len(content) * share)])
        assert rotation_ccw_deg(cut) == 0

    def test_other_files_are_not_turned(self, tmp_path: Path) -> None:
        text = tmp_path / "notes.txt"
        text.write_bytes(b"\x00\x00\x00\x02moovtrak" * 50)
        assert rotation_ccw_deg(text) == 0
        assert rotation_ccw_deg(tmp_path / "gone.mp4") == 0
