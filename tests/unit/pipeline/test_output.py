from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from pose_server.pipeline import output as output_module
from pose_server.pipeline.output import output_folder
from pose_shared.errors import InputError


def everything_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def write_result(folder: Path, people: int) -> None:
    (folder / "report.json").write_text(f"{people}")
    for person in range(1, people + 1):
        (folder / f"person_{person:02d}").mkdir()
        (folder / f"person_{person:02d}" / "motion.npz").write_text("m")


def test_a_result_appears_only_when_complete(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with output_folder(out) as folder:
        write_result(folder, 1)
        assert not out.exists()
    assert everything_in(out) == {"report.json", "person_01", "person_01/motion.npz"}
    assert everything_in(tmp_path / "deep") == {"out", *(f"out/{name}" for name in everything_in(out))}


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), output_folder(tmp_path / "deep" / "out") as folder:
        write_result(folder, 1)
        _ = 1 / 0
    assert everything_in(tmp_path) == set()


def test_an_error_leaves_an_earlier_result_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with output_folder(out) as folder:
        write_result(folder, 2)
    with pytest.raises(ZeroDivisionError), output_folder(out) as folder:
        write_result(folder, 1)
        _ = 1 / 0
    assert (out / "report.json").read_text() == "2"
    assert (out / "person_02").is_dir()
    assert everything_in(tmp_path) == {"out", *(f"out/{name}" for name in everything_in(out))}


def test_a_new_result_replaces_the_old_and_spares_other_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with output_folder(out) as folder:
        write_result(folder, 3)
    (out / "mine.blend").write_text("work")
    with output_folder(out) as folder:
        write_result(folder, 1)
    assert everything_in(out) == {"report.json", "person_01", "person_01/motion.npz", "mine.blend"}


def test_folders_of_the_same_name_that_are_no_result_stay(tmp_path: Path) -> None:
    (tmp_path / "out" / "person_07").mkdir(parents=True)
    with output_folder(tmp_path / "out") as folder:
        write_result(folder, 1)
    assert (tmp_path / "out" / "person_07").is_dir()


@pytest.mark.parametrize("below", ["file", "file/out", "file/deep/out"])
def test_a_path_at_or_below_a_file_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="choose another --out") as caught, output_folder(tmp_path / below):
        raise AssertionError("must not begin")
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"
    assert (tmp_path / "file").read_text() == "not a folder"


@pytest.mark.parametrize("system", ["linux", "elsewhere"])
def test_two_folders_change_places(tmp_path: Path, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    out = tmp_path / "out"
    (out / "mine").mkdir(parents=True)
    (out / "mine" / "link").symlink_to("nowhere")
    with output_folder(out) as folder:
        write_result(folder, 1)
    assert everything_in(out) == {"report.json", "person_01", "person_01/motion.npz", "mine", "mine/link"}
    assert everything_in(tmp_path) == {"out", *(f"out/{name}" for name in everything_in(out))}


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to("disk")
    for people in (2, 1):
        with output_folder(tmp_path / "out") as folder:
            write_result(folder, people)
    assert (tmp_path / "out").is_symlink()
    assert everything_in(tmp_path / "disk") == {"report.json", "person_01", "person_01/motion.npz"}


def test_a_report_of_others_takes_nothing_with_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.blend").write_text("work")
    for text in ('{"files": ["../../../etc", 7]}', "[]", "{"):
        (out / "report.json").write_text(text)
        with output_folder(out) as folder:
            write_result(folder, 1)
        assert (out / "mine.blend").read_text() == "work"


def test_a_folder_that_cannot_be_replaced_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    with output_folder(out) as folder:
        write_result(folder, 2)

    def busy(*_: object) -> None:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(output_module, "_exchange", busy)
    with pytest.raises(InputError, match="close what uses it") as caught, output_folder(out) as folder:
        write_result(folder, 1)
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"
    assert (out / "report.json").read_text() == "2"
    assert os.listdir(tmp_path) == ["out"]
