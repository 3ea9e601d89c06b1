"""`pose-server export`: from motion.npz to files, and one sentence for what cannot be."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import made_motion
import numpy as np
import pytest
from pose_server.cli.main import app
from pose_server.export.npz import write_npz
from typer.testing import CliRunner, Result


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("result")
    for number in (1, 2):
        (folder / f"person_0{number}").mkdir()
        write_npz(folder / f"person_0{number}" / "motion.npz", made_motion.make_motion())
    return folder


def test_one_person(tmp_path: Path, result: Path) -> None:
    motion = result / "person_01" / "motion.npz"
    done = call(motion, "--out", tmp_path / "a" / "b", "--formats", "bvh,glb", "--unit", "m", "--json")
    assert done.exit_code == 0, done.output
    files = [tmp_path / "a" / "b" / name for name in ("motion.bvh", "motion.glb")]
    assert json.loads(done.stdout)["files"] == [str(path) for path in files]
    assert sorted((tmp_path / "a" / "b").iterdir()) == files


def test_everybody_at_another_rate(tmp_path: Path, result: Path) -> None:
    done = call(result, "-o", tmp_path, "--formats", "csv,bvh", "--fps", "24", "--rotation-order", "XYZ")
    assert done.exit_code == 0, done.output
    for name in ("person_01", "person_02"):
        rows = np.loadtxt(tmp_path / name / "motion.csv", delimiter=",", skiprows=1)
        assert np.diff(rows[:, 1]) == pytest.approx(1 / 24, abs=2e-6)
        assert rows[0, 0] == rows[0, 1] * 24
        text = (tmp_path / name / "motion.bvh").read_text()
        assert f"Frame Time: {float(Fraction(1, 24))!r}" in text
        assert "CHANNELS 3 Xrotation Yrotation Zrotation" in text


def test_motions_of_one_name_get_folders_of_their_own(tmp_path: Path, result: Path) -> None:
    (tmp_path / "person_01").mkdir()
    other = tmp_path / "person_01" / "motion.npz"
    write_npz(other, made_motion.make_motion())
    done = call(result / "person_01" / "motion.npz", other, "-o", tmp_path / "o", "--formats", "trc")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["person_01", "person_01_2"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--formats", "fbx9"], "There is no output format 'fbx9'; choose from"),
        (["--formats", "preview"], "There is no output format 'preview'"),
        (["--formats", ","], "There is no output format"),
        (["--formats", "bvh", "--unit", "ft"], "choose from m, cm, mm"),
        (["--formats", "glb", "--up", "z"], "--up means nothing to glb"),
        (["--formats", "bvh", "--rotation-order", "ZXZ"], "choose from XYZ"),
        (["--formats", "bvh", "--fps", "0"], "give 0.1 to 1000"),
        (["--formats", "bvh", "--fps", "fast"], "is no rate"),
    ],
)
def test_one_sentence_for_what_cannot_be(tmp_path: Path, result: Path, options: list[str], said: str) -> None:
    done = call(result / "person_01" / "motion.npz", "-o", tmp_path / "o", *options)
    assert done.exit_code == 2
    assert said in done.stderr and "Traceback" not in done.output
    assert not (tmp_path / "o").exists()


def test_folders_that_cannot_be(tmp_path: Path, result: Path) -> None:
    (tmp_path / "file").write_text("mine")
    motion = result / "person_01" / "motion.npz"
    done = call(motion, "-o", tmp_path / "file" / "o", "--formats", "bvh")
    assert done.exit_code == 2 and "choose another --out" in done.stderr
    done = call(tmp_path / "nothing.npz", "-o", tmp_path / "o", "--formats", "bvh")
    assert done.exit_code == 2 and "There is no file" in done.stderr
    done = call(tmp_path, "-o", tmp_path / "o", "--formats", "bvh")
    assert done.exit_code == 2 and "holds nobody's motion.npz" in done.stderr
    before = motion.read_bytes()
    done = call(motion, "-o", motion.parent, "--formats", "npz", "--fps", "24")
    assert done.exit_code == 2 and "replaced by itself" in done.stderr
    assert motion.read_bytes() == before
