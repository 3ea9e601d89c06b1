from __future__ import annotations

import numpy as np
import pytest
from pose_server.detect.networks import PERSON_PIXELS
from pose_server.detect.roi import Picture, Roi
from pose_server.detect.scanner import Scanner, tiles


class FakeNetwork:
    """Sees somebody wherever a crop holds something bright: hips in its middle, a rim above."""

    def __init__(self) -> None:
        self.sent: list[np.ndarray] = []
        self.looks = 0

    def send(self, tile: np.ndarray) -> None:
        assert tile.shape == (PERSON_PIXELS, PERSON_PIXELS, 3)
        self.sent.append(tile)
        self.looks += 1

    def receive(self) -> list[np.ndarray]:
        found = []
        for tile in self.sent:
            rows, columns = np.nonzero(tile[..., 0] > 128)
            x, y = (columns.mean() + 0.5, rows.mean() + 0.5) if len(rows) else (0, 0)
            row = [0.9, x / PERSON_PIXELS, y / PERSON_PIXELS, x / PERSON_PIXELS, y / PERSON_PIXELS - 0.1]
            found.append(np.array([row] if len(rows) else []).reshape(-1, 5))
        self.sent = []
        return found


@pytest.mark.parametrize("size", [(1768, 994), (720, 1280), (576, 576), (640, 360), (4000, 300)])
def test_tiles_cover_the_picture_in_every_size(size: tuple[int, int]) -> None:
    width, height = size
    squares = tiles(width, height)
    assert squares[0] == Roi(width / 2, height / 2, max(size), 0.0)
    for side in {square.side for square in squares}:
        level = [square for square in squares if square.side == side]
        for x in np.linspace(1, width - 1, 50):
            for y in np.linspace(1, height - 1, 50):
                assert any(abs(s.x - x) <= side / 2 and abs(s.y - y) <= side / 2 for s in level)


def test_whoever_is_cut_by_a_tile_is_whole_in_another() -> None:
    """Tiles of a size overlap by so much that people who are small in it are whole in one of them."""
    squares = [square for square in tiles(1768, 994) if square.side < 994]
    person = 0.35 * squares[0].side
    for x in np.linspace(person / 2, 1768 - person / 2, 100):
        assert any(abs(s.x - x) <= (s.side - person) / 2 for s in squares)


def test_small_pictures_have_one_tile() -> None:
    assert len(tiles(180, 160)) == 1
    assert len(tiles(1768, 994, small=False)) == 1


def test_the_first_frame_gets_all_tiles_and_later_ones_take_turns() -> None:
    network, squares = FakeNetwork(), tiles(1768, 994)
    scanner = Scanner(network, squares, cycle=24)  # type: ignore[arg-type]
    picture = Picture(np.zeros((994, 1768, 3), np.uint8))
    looks = []
    for _ in range(49):
        before = network.looks
        scanner.start(picture, [])
        assert scanner.finish() == []
        looks.append(network.looks - before)
    assert looks[0] == len(squares)
    assert max(looks[1:]) <= 1
    assert sum(looks[1:]) == pytest.approx(2 * len(squares), abs=1)


def test_a_person_seen_in_several_tiles_is_one_candidate_in_the_picture() -> None:
    frame = np.zeros((994, 1768, 3), np.uint8)
    frame[480:520, 1180:1220] = 255
    scanner = Scanner(FakeNetwork(), tiles(1768, 994), cycle=24)  # type: ignore[arg-type]
    scanner.start(Picture(frame), [])
    candidates = scanner.finish()
    assert len({round(c.roi.side) for c in candidates}) == len(candidates)
    assert candidates[0].roi.x == pytest.approx(1200, abs=4)
    assert candidates[0].roi.y == pytest.approx(500, abs=4)


def test_lost_people_are_looked_for_where_they_were() -> None:
    network = FakeNetwork()
    scanner = Scanner(network, tiles(1768, 994, small=False), cycle=1000)  # type: ignore[arg-type]
    picture = Picture(np.zeros((994, 1768, 3), np.uint8))
    scanner.start(picture, [])
    scanner.finish()
    frame = np.zeros((994, 1768, 3), np.uint8)
    frame[298:302, 398:402] = 255
    scanner.start(Picture(frame), [Roi(410.0, 290.0, 100.0, 0.5)])
    (candidate,) = scanner.finish()
    assert (candidate.roi.x, candidate.roi.y) == (pytest.approx(400, abs=1), pytest.approx(300, abs=1))
