"""CSV, TRC and C3D: read back plainly, and C3D by a reader of other make."""

from __future__ import annotations

import csv
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from other_readers import pose_matrices, y_up
from pose_server.export import tables
from pose_server.export.animation import Animation, animation_of
from pose_server.export.tables import write_c3d, write_csv, write_trc
from pose_server.pipeline.file_options import FileOptions
from pose_shared.errors import InputError, LimitError


def test_csv(tmp_path: Path, make_motion) -> None:
    motion = make_motion(first=9)
    write_csv(tmp_path / "a.csv", animation_of(motion), FileOptions())
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == list(range(9, 69))
    assert float(rows[10]["time_s"]) == pytest.approx(19 * 1001 / 30000, abs=1e-6)
    for axis in range(3):
        read = [float(row[f"left_wrist_{'xyz'[axis]}"]) for row in rows]
        wrist = motion.joints_world_m[:, motion.joint_names.index("left_wrist"), axis]
        assert read == pytest.approx(wrist, abs=1e-5)
    write_csv(tmp_path / "b.csv", animation_of(motion), FileOptions(unit="cm", up="y"))
    with (tmp_path / "b.csv").open(newline="") as file:
        row = list(csv.DictReader(file))[3]
    head = y_up(motion.joints_world_m[3, motion.joint_names.index("head")])
    assert [float(row[f"head_{axis}"]) for axis in "xyz"] == pytest.approx(100 * head, abs=1e-3)


@pytest.mark.parametrize(("unit", "scale"), [(None, 1), ("mm", 1000)])
def test_trc_is_laid_out_as_opensim_wants_it(tmp_path: Path, make_motion, unit, scale: float) -> None:
    motion = make_motion(first=3)
    write_trc(tmp_path / "a.trc", animation_of(motion), FileOptions(unit=unit))
    lines = (tmp_path / "a.trc").read_text().split("\n")
    assert lines[0] == "PathFileType\t4\t(X/Y/Z)\ta.trc"
    titles, values = lines[1].split("\t"), lines[2].split("\t")
    head = dict(zip(titles, values, strict=True))
    assert float(head["DataRate"]) == pytest.approx(30000 / 1001, rel=1e-10)
    assert head["CameraRate"] == head["OrigDataRate"] == head["DataRate"]
    assert (head["NumFrames"], head["NumMarkers"], head["Units"]) == ("60", "23", unit or "m")
    assert (head["OrigDataStartFrame"], head["OrigNumFrames"]) == ("1", "60")
    names = lines[3].split("\t")
    assert names[:2] == ["Frame#", "Time"] and tuple(names[2::3]) == motion.joint_names
    assert lines[4].split("\t")[:6] == ["", "", "X1", "Y1", "Z1", "X2"]
    assert lines[4].split("\t")[-1] == "Z23" and lines[5] == ""
    rows = np.array([line.split("\t") for line in lines[6:-1]], float)
    assert rows.shape == (60, 2 + 69)
    assert rows[:, 0].tolist() == list(range(1, 61))
    assert rows[:, 1] == pytest.approx((3 + np.arange(60)) * 1001 / 30000, abs=1e-7)
    places = rows[:, 2:].reshape(60, 23, 3) / scale
    assert np.abs(places - y_up(motion.joints_world_m)).max() < 1e-5


class TestC3d:
    @pytest.fixture(autouse=True)
    def needs_ezc3d(self) -> None:
        pytest.importorskip("ezc3d", reason="ezc3d, which the extra c3d brings, is not installed")

    @pytest.mark.filterwarnings("ignore:No analog data")
    def test_a_reader_of_other_make_agrees(self, tmp_path: Path, make_motion) -> None:
        c3d = pytest.importorskip("c3d", reason="c3d, which the extra dev brings, is not installed")
        motion = make_motion(first=3)
        write_c3d(tmp_path / "a.c3d", animation_of(motion), FileOptions())
        with (tmp_path / "a.c3d").open("rb") as file:
            reader = c3d.Reader(file)
            assert [label.strip() for label in reader.point_labels] == list(motion.joint_names)
            assert reader.point_rate == pytest.approx(30000 / 1001, rel=1e-7)
            assert reader.get("POINT:UNITS").string_array[0].strip() == "mm"
            assert reader.get("POINT:Y_SCREEN").string_array[0].strip() == "+Z"
            frames = list(reader.read_frames())
        places = np.array([points[:, :3] for _, points, _ in frames])
        assert np.abs(places - 1000 * motion.joints_world_m).max() < 0.01
        assert all((points[:, 3] >= 0).all() for _, points, _ in frames), "every point is there"

    def test_unit_and_axis(self, tmp_path: Path, rig: Animation) -> None:
        import ezc3d

        write_c3d(tmp_path / "a.c3d", rig, FileOptions(unit="m", up="y"))
        read = ezc3d.c3d(str(tmp_path / "a.c3d"))
        assert read["parameters"]["POINT"]["UNITS"]["value"] == ["m"]
        assert read["parameters"]["POINT"]["Y_SCREEN"]["value"] == ["+Y"]
        for row in (0, 29):
            expected = y_up(pose_matrices(rig, row)[:, :3, 3])
            assert np.abs(read["data"]["points"][:3, :, row].T - expected).max() < 1e-5

    def test_more_than_it_can_count(self, tmp_path: Path, rig: Animation, monkeypatch) -> None:
        monkeypatch.setattr(tables, "_MOST_FRAMES", 29)
        with pytest.raises(LimitError, match="write TRC"):
            write_c3d(tmp_path / "a.c3d", rig, FileOptions())
        assert list(tmp_path.iterdir()) == []

    def test_a_missing_folder_is_one_sentence(self, tmp_path: Path, rig: Animation) -> None:
        with pytest.raises(InputError, match="another output folder"):
            write_c3d(tmp_path / "no" / "a.c3d", rig, FileOptions())

    @pytest.mark.parametrize("missing", [512, 2_000, 10**6])
    def test_a_file_that_was_cut_by_a_full_disk(
        self, tmp_path: Path, rig: Animation, monkeypatch: pytest.MonkeyPatch, missing: int
    ) -> None:
        import ezc3d

        whole = ezc3d.c3d.write

        def cut(self: ezc3d.c3d, path: str) -> None:
            whole(self, path)
            os.truncate(path, max(os.path.getsize(path) - missing, 0))

        monkeypatch.setattr(ezc3d.c3d, "write", cut)
        with pytest.raises(LimitError, match="The disk is full"):
            write_c3d(tmp_path / "a.c3d", rig, FileOptions())
        assert list(tmp_path.iterdir()) == []


def test_the_rate_of_a_trc_has_no_digits_that_are_none(tmp_path: Path, make_motion) -> None:
    write_trc(tmp_path / "a.trc", animation_of(make_motion(rate=Fraction(30))), FileOptions())
    assert (tmp_path / "a.trc").read_text().split("\n")[2].startswith("30\t30\t60\t")
