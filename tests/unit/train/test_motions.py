from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_takes import walks, write_amc, write_asf
from pose_server.mocap.amc import read_amc, read_asf
from pose_server.mocap.body import body_points
from pose_server.train.motions import MotionSet, prepare_motions, read_motions, write_motions
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31

HEADER = "file,format,skeleton,subject,fps,head_frames_to_drop\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One skeleton and one take of 241 frames, in the middle of which the root jumps."""
    write_asf(tmp_path / "body.asf")
    write_amc(tmp_path / "jump.amc", 241, lambda i: (0.01 * i + (2.0 if i >= 121 else 0.0), 0.98, 0.0))
    (tmp_path / "index.csv").write_text(HEADER + "jump.amc,amc,body.asf,7,120,1\n")
    return tmp_path


def test_takes_are_cut_at_jumps_and_thinned_exactly(folder: Path) -> None:
    motions = prepare_motions(folder)
    points = body_points(read_amc(folder / "jump.amc", read_asf(folder / "body.asf"), 120.0))
    assert [(take.name, take.subject) for take in motions.takes] == [("jump.1", "7"), ("jump.2", "7")]
    first, second = motions.takes
    np.testing.assert_array_equal(first.points_m, points[1:121:2].astype(np.float32))
    np.testing.assert_array_equal(second.points_m, points[121::2].astype(np.float32))
    assert first.seconds == pytest.approx(1.0) and motions.minutes == pytest.approx(2 / 60)


def test_other_rates_are_blended(folder: Path) -> None:
    write_amc(folder / "slow.amc", 101, lambda i: (0.02 * i, 0.98, 0.0))
    (folder / "index.csv").write_text(HEADER + "slow.amc,amc,body.asf,7,50,0\n")
    (take,) = prepare_motions(folder).takes
    hip = take.points_m[:, BODY_31.index("left_hip")]
    # One metre per second: a sixtieth of a metre per frame, and no frame beyond the last.
    np.testing.assert_allclose(hip[:, 0], 0.1 + np.arange(len(hip)) / 60, atol=1e-6)
    assert len(hip) == 120


def test_scraps_and_other_formats_are_left_out(folder: Path) -> None:
    write_amc(folder / "short.amc", 59, lambda i: (0.0, 0.98, 0.0))
    (folder / "index.csv").write_text(
        HEADER + "jump.amc,amc,body.asf,7,120,0\nshort.amc,amc,body.asf,8,120,0\nnone.txt,expmap,,9,120,0\n"
    )
    assert {take.subject for take in prepare_motions(folder).takes} == {"7"}


def test_an_index_may_come_from_a_spreadsheet(folder: Path) -> None:
    text = (
        (folder / "index.csv")
        .read_text()
        .replace("subject,", "subject,note,")
        .replace("7,120", "7,Stühle,120")
    )
    for encoding in ("utf-8-sig", "latin-1"):
        (folder / "index.csv").write_text(text.replace("\n", "\r\n"), encoding=encoding)
        assert len(prepare_motions(folder).takes) == 2


def test_the_hash_is_of_all_that_was_read(folder: Path) -> None:
    before = prepare_motions(folder)
    assert prepare_motions(folder).sha256 == before.sha256
    write_amc(folder / "jump.amc", 241, lambda i: (0.0101 * i, 0.98, 0.0))
    assert prepare_motions(folder).sha256 != before.sha256
    write_amc(folder / "jump.amc", 241, lambda i: (0.01 * i + (2.0 if i >= 121 else 0.0), 0.98, 0.0))
    assert prepare_motions(folder).sha256 == before.sha256
    index = folder / "index.csv"
    index.write_text(index.read_text() + "none.txt,expmap,,9,120,0\n")
    assert prepare_motions(folder).sha256 != before.sha256


@pytest.mark.parametrize(
    ("index", "reason", "fault"),
    [
        (None, "MOTIONS_MISSING", "has no index.csv"),
        (HEADER, "MOTIONS_MISSING", "lists no motion"),
        (HEADER + "a.fbx,fbx,,7,120,0\n", "MOTIONS_MISSING", "amc, bvh_mb, bvh_daz or npz"),
        ("file,format\njump.amc,amc\n", "INDEX_INVALID", "line 2: a value is missing"),
        (HEADER + "jump.amc,amc,body.asf,7,120,0\njump.amc,amc\n", "INDEX_INVALID", "line 3"),
        (HEADER + "jump.amc,amc,body.asf,7,fast,0\n", "INDEX_INVALID", "'fast'"),
        (HEADER + "jump.amc,amc,body.asf,7,0,0\n", "INDEX_INVALID", "fps 0"),
        (HEADER + "jump.amc,amc,body.asf,7,120,\n", "INDEX_INVALID", "line 2"),
        (HEADER + "none.amc,amc,body.asf,7,120,0\n", "MOTION_UNREADABLE", "'none.amc': it cannot be opened"),
        (HEADER + "jump.amc,amc,,7,120,0\n", "MOTION_UNREADABLE", "cannot be opened"),
        (HEADER + "jump.amc,bvh_mb,,7,120,0\n", "MOTION_UNREADABLE", "no MOTION"),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_sentence(
    folder: Path, index: str | None, reason: str, fault: str
) -> None:
    (folder / "index.csv").unlink()
    if index is not None:
        (folder / "index.csv").write_text(index)
    with pytest.raises(InputError, match=fault) as caught:
        prepare_motions(folder)
    assert caught.value.reason == reason and "\n" not in caught.value.message


def test_a_set_reads_back_to_half_a_millimetre(tmp_path: Path) -> None:
    motions = walks(3, 2.0)
    write_motions(tmp_path / "set", motions)  # the name is the user's, with suffix or without
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    read = read_motions(tmp_path / "set")
    assert read.sha256 == motions.sha256
    for kept, take in zip(read.takes, motions.takes, strict=True):
        assert (kept.name, kept.subject) == (take.name, take.subject)
        assert kept.points_m.dtype == np.float32
        np.testing.assert_allclose(kept.points_m, take.points_m, atol=0.5e-3)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written") as caught:
        write_motions(tmp_path / "none" / "set.npz", walks(1, 1.0))
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "cut", "array", "pickle"])
def test_a_file_that_is_no_set_is_one_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "set.npz"
    write_motions(path, walks(1, 1.0))
    if kind == "missing":
        path.unlink()
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "pickle":
        np.savez(path, point_names=np.array([{"a": 1}], dtype=object))
    else:
        content = {"empty": b"", "text": b"no archive at all\n", "cut": path.read_bytes()[:2000]}[kind]
        path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"point_names": np.array(["a"] * 31)}, "other body points"),
        ({"points_m": np.zeros((60, 30, 3), np.float16)}, "too few"),
        ({"points_m": np.full((60, 31, 3), np.nan, np.float16)}, "no numbers"),
        ({"points_m": np.zeros((0, 31, 3), np.float16), "roots_m": np.zeros((0, 3))}, "frames"),
        ({"lengths": np.array([59])}, "takes of 59 frames in all, but 60"),
        ({"lengths": np.array([61, -1])}, "frames"),
        ({"lengths": np.array([30, 30])}, "longer"),
        ({"lengths": np.zeros(0, int)}, "frames"),
        ({"roots_m": np.zeros((59, 3))}, ""),
        ({"names": None}, "names"),
        ({"sha256": None}, "sha256"),
    ],
)
def test_a_set_with_wrong_parts_is_one_sentence(
    tmp_path: Path, change: dict[str, np.ndarray | None], fault: str
) -> None:
    path = tmp_path / "set.npz"
    write_motions(path, walks(1, 1.0))
    with np.load(path) as kept:
        parts = {**kept, **change}
    np.savez(path, **{name: part for name, part in parts.items() if part is not None})
    assert fault in refused(path)


def refused(path: Path) -> str:
    with pytest.raises(InputError, match="train prepare") as caught:
        read_motions(path)
    assert caught.value.reason == "MOTIONS_UNREADABLE" and "\n" not in caught.value.message
    return caught.value.message


def test_a_split_is_by_subject() -> None:
    motions = walks(3, 1.0)
    training, test = motions.split(["2"])
    assert [take.subject for take in training.takes] == ["1", "3"]
    assert [take.subject for take in test.takes] == ["2"]
    cases = ((["2", "9"], "SUBJECT_UNKNOWN"), ([], "SPLIT_EMPTY"), (["1", "2", "3"], "SPLIT_EMPTY"))
    for held_out, reason in cases:
        with pytest.raises(InputError, match="of 1, 2, 3") as caught:
            motions.split(held_out)
        assert caught.value.reason == reason
    assert isinstance(training, MotionSet)
