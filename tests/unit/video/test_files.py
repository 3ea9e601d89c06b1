"""Which films a folder holds."""

from __future__ import annotations

from pathlib import Path

from pose_server.video.files import films_of


def test_the_films_of_a_folder_have_the_names_of_their_files(tmp_path: Path) -> None:
    names = ("b.MP4", "a.mov", "walk.mkv", "walk.mp4", "notes.txt", "._a.mov", "shot.0001.png")
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "c.mp4").mkdir()
    films = films_of(tmp_path)
    assert list(films) == ["a", "b", "walk.mkv", "walk.mp4"]
    assert [film.name for film in films.values()] == ["a.mov", "b.MP4", "walk.mkv", "walk.mp4"]


def test_whatever_is_no_folder_of_films_is_given_back(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing.mp4", tmp_path / "shot.%04d.png"):
        assert list(films_of(place).values()) == [place]
    film = tmp_path / "film"  # without a suffix: whoever names it knows that it is one
    film.touch()
    assert films_of(film) == {"film": film}
