from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from pose_server.weights import archive as module
from pose_server.weights.archive import extract_member
from pose_shared.errors import DataLossError


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data in files.items():
            content.writestr(name.replace("__", "/"), data)
    return path


def test_the_one_file_is_taken_out_of_whatever_folder(tmp_path: Path) -> None:
    place = tmp_path / "out" / "net.onnx"
    place.parent.mkdir()
    made = zipped(
        tmp_path / "a.zip",
        **{"20230831__rtmpose__end2end.onnx": b"network", "20230831__deploy.json": b"{}", "..__evil": b"!"},
    )
    extract_member(made, "end2end.onnx", place)
    assert place.read_bytes() == b"network"
    assert [path.name for path in place.parent.iterdir()] == ["net.onnx"]
    assert not (tmp_path.parent / "evil").exists()


def test_none_or_two_of_that_name_are_refused(tmp_path: Path) -> None:
    for files in ({"a__other.onnx": b"1"}, {"a__end2end.onnx": b"1", "b__end2end.onnx": b"2"}):
        with pytest.raises(DataLossError, match="files called end2end"):
            extract_member(zipped(tmp_path / "a.zip", **files), "end2end.onnx", tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_no_zip_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    made = zipped(tmp_path / "a.zip", **{"a__end2end.onnx": bytes(range(256)) * 400})
    whole = bytearray(made.read_bytes())
    whole[60] ^= 0xFF
    for content in (b"<html>Sign in</html>", bytes(whole), bytes(whole[:-40])):
        made.write_bytes(content)
        with pytest.raises(DataLossError) as caught:
            extract_member(made, "end2end.onnx", tmp_path / "net.onnx")
        assert caught.value.reason == "ARCHIVE_WRONG"
        assert not (tmp_path / "net.onnx").exists()


def test_a_bomb_does_not_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 1 << 20)
    made = zipped(tmp_path / "a.zip", **{"end2end.onnx": bytes(2 << 20)})
    with pytest.raises(DataLossError, match="larger than any weights"):
        extract_member(made, "end2end.onnx", tmp_path / "net.onnx")
    # One that says it is small: the size stands at 24 of its entry in the directory at the end.
    content = bytearray(made.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    made.write_bytes(content)
    with pytest.raises(DataLossError):
        extract_member(made, "end2end.onnx", tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()
