"""All files of a motion: each has a writer, a name of its own, and clear words for what cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pose_server.export.animation import Animation, animation_of
from pose_server.export.formats import (
    ANIMATION_FORMATS,
    MOTION_FORMATS,
    check_formats,
    write_animation,
    write_motion,
    written_files,
)
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.options import FORMATS
from pose_shared.errors import InputError, MissingExtraError, PoseError


def writable() -> list[str]:
    names = []
    for name, kind in ANIMATION_FORMATS.items():
        try:
            kind.check()
        except MissingExtraError:
            continue
        names.append(name)
    return names


def test_every_format_of_the_options_has_a_writer(tmp_path: Path, motion: Motion) -> None:
    assert {*ANIMATION_FORMATS, *MOTION_FORMATS, "preview"} == set(FORMATS)
    assert len(set(written_files(FORMATS))) == len(FORMATS) - 1
    formats = [*writable(), *MOTION_FORMATS, "preview"]
    assert {"bvh", "glb", "json", "csv", "trc"} <= set(formats)
    write_motion(tmp_path, motion, formats, name="person_01")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(written_files(formats))
    assert all(path.stat().st_size > 1000 for path in tmp_path.iterdir())


def test_equal_motions_give_equal_bytes(tmp_path: Path, make_motion) -> None:
    """A rig's files too, so that a farm may compare them; FBX and C3D carry dates of their own."""
    formats = [name for name in (*writable(), *MOTION_FORMATS) if name not in ("fbx", "c3d")]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_motion(tmp_path / name, make_motion(), formats, name="person")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_rig_needs_no_motion(tmp_path: Path, rig: Animation) -> None:
    write_animation(tmp_path, rig, writable())
    assert len(list(tmp_path.iterdir())) == len(writable())


@pytest.mark.parametrize("name", [*ANIMATION_FORMATS, *MOTION_FORMATS])
def test_a_folder_that_is_not_there(tmp_path: Path, motion: Motion, name: str) -> None:
    if name in ANIMATION_FORMATS and name not in writable():
        pytest.skip(f"the extra for {name} is not installed")
    with pytest.raises(InputError, match="choose another output folder") as caught:
        write_motion(tmp_path / "no", motion, [name], name="person")
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("formats", "options", "reason"),
    [
        (["glb"], FileOptions(unit="cm"), "OPTION_UNUSED"),
        (["csv", "json"], FileOptions(rotation_order="XYZ"), "OPTION_UNUSED"),
        (["npz", "2d_data"], FileOptions(up="y"), "OPTION_UNUSED"),
        (["glb", "bvh"], FileOptions(unit="cm"), None),
        (["3d_data"], FileOptions(unit="cm"), None),
    ],
)
def test_what_means_nothing_is_said(formats: list[str], options: FileOptions, reason: str | None) -> None:
    if reason is None:
        check_formats(formats, options)
        return
    with pytest.raises(InputError, match="add one") as caught:
        check_formats(formats, options)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("package", "name"), [("pxr", "usdc"), ("ezc3d", "c3d")])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, package: str, name: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install \"pose-server\[\w+\]\""):
        check_formats([name])


@pytest.mark.parametrize(
    "wrong", [{"unit": "ft"}, {"up": "x"}, {"rotation_order": "ZXZ"}, {"rotation_order": "zxy"}]
)
def test_unknown_settings_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InputError, match="choose from"):
        FileOptions(**wrong)


def test_what_is_not_asked_for_is_not_loaded() -> None:
    code = (
        "import sys, pose_server.export.formats;"
        "print(*[m for m in ('bpy', 'pxr', 'ezc3d', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_full_disk_is_said(tmp_path: Path, motion: Motion, monkeypatch) -> None:
    import errno

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("numpy.savetxt", full)
    for name in ("bvh", "csv", "trc"):
        with pytest.raises(PoseError, match="free some space") as caught:
            write_animation(tmp_path, animation_of(motion), [name])
        assert caught.value.reason == "DISK_FULL"
    assert list(tmp_path.iterdir()) == []
