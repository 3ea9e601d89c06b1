from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pose_shared.transfer import CHUNK_BYTES, file_sha256, is_sequence, read_chunks, sequence_files


def test_a_checksum_is_the_usual_one_and_tells_its_progress(tmp_path: Path) -> None:
    path = tmp_path / "a"
    data = bytes(range(256)) * 10_000
    path.write_bytes(data)
    pieces: list[int] = []
    assert file_sha256(path, pieces.append) == hashlib.sha256(data).hexdigest()
    assert sum(pieces) == len(data)
    assert max(pieces) <= CHUNK_BYTES


@pytest.mark.parametrize("offset", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 7, 2 * CHUNK_BYTES + 5])
def test_chunks_begin_where_asked(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "a"
    data = bytes(2 * CHUNK_BYTES) + b"tail!"
    path.write_bytes(data)
    assert b"".join(read_chunks(path, offset)) == data[offset:]


@pytest.mark.parametrize(
    ("name", "is_pattern"),
    [
        ("shot.%04d.png", True),
        ("shot.%d.png", True),
        ("shot.####.exr", True),
        ("take#1.mov", True),
        ("jump.mp4", False),
        ("100%.mp4", False),
    ],
)
def test_patterns(name: str, is_pattern: bool) -> None:
    assert is_sequence(name) is is_pattern


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("s.%04d.png", [7, 10, 12345]),
        ("s.####.png", [7, 10, 12345]),
        ("s.%d.png", [7, 8, 10, 11, 12345]),
        ("s.%02d.png", [7, 10, 11, 12345]),
        ("s.#.png", [7, 8, 10, 11, 12345]),
        ("t.%d.png", []),
        ("s.png", []),
    ],
)
def test_the_files_of_a_sequence_come_by_number(tmp_path: Path, pattern: str, numbers: list[int]) -> None:
    for name in ("0007", "0010", "12345", "8", "11", "x", "0007.bak", "mask.0007"):
        (tmp_path / f"s.{name}.png").touch()
    (tmp_path / "s.0008.jpg").touch()
    found = sequence_files(tmp_path / pattern)
    assert [int(path.name.split(".")[1]) for path in found] == numbers


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert sequence_files(tmp_path / "none" / "s.%d.png") == []
