"""Damaged and hostile files: one sentence each, in bounded time and memory, and nothing in them runs."""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_keypoints import (
    alphapose_results,
    coco_results,
    made_points,
    write_detectron,
    write_openpose,
    write_tf_pose,
)
from mutations import COCO_18, POINTS, damaged_keypoints, keypoint_files
from pose_server.keypoints import files
from pose_server.keypoints.registry import read_keypoints
from pose_shared.errors import InputError, PoseError

MEMORY_KB = 1 << 20


def refused(path: Path, reason: str | None = None) -> PoseError:
    with pytest.raises(InputError) as error:
        for clip in read_keypoints(path):
            clip.sized((640, 480))
    message = error.value.message
    assert "\n" not in message and message.endswith(".") and len(message) < 500
    assert error.value.reason == (reason or error.value.reason)
    return error.value


def test_two_hundred_mutated_files_end_in_a_result_or_one_error(tmp_path: Path) -> None:
    originals = tmp_path / "originals"
    originals.mkdir()
    made = keypoint_files(originals)
    rng = np.random.default_rng(11)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    results, errors = 0, set()
    for trial in range(220):
        original = made[trial % len(made)]
        target = tmp_path / f"{trial}{original.suffix}"
        damaged_keypoints(original, target, rng)
        begin = time.monotonic()
        try:
            for clip in read_keypoints(target):
                sized = clip.sized(clip.size or (640, 480))
                for frame in range(min(sized.frame_count, 50)):
                    sized.detections(frame, index=frame, time_s=frame / 30)
            results += 1
        except InputError as error:
            assert "\n" not in error.message and error.message.endswith("."), error.message
            errors.add(error.reason)
        assert time.monotonic() - begin < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < MEMORY_KB
    assert results > 10 and {"KEYPOINTS_DAMAGED", "KEYPOINTS_INVALID"} <= errors


class Hostile:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("never-run"),)


@pytest.mark.parametrize("key", ["boxes", "keypoints", "metadata"])
def test_pickled_code_is_named_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_detectron(tmp_path / "film.npz", POINTS)
    with np.load(path, allow_pickle=True) as arrays:
        content = dict(arrays)
    content[key] = np.array({"w": Hostile()}, object)
    np.savez(path, **content)
    error = refused(path, "DATASET_HOLDS_CODE")
    assert "contains code" in error.message and not Path("never-run").exists()


def npy(pickled: bytes, shape: str = "()") -> bytes:
    header = f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + pickled


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\x04N" + b"r\xff\xff\xff\x7f" + b".",  # LONG_BINPUT: room for two thousand million objects
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 34) + b"x.",  # BYTEARRAY8 of 16 GiB
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 34) + b"x.",  # BINBYTES8
        b"]" + b"(" * 1000,
        pickle.dumps({"w": 10**30, "h": 1}),
    ],
)
def test_pickles_that_ask_for_memory(tmp_path: Path, pickled: bytes) -> None:
    path = write_detectron(tmp_path / "film.npz", POINTS)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["metadata.npy"] = npy(pickled)
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in content.items():
            archive.writestr(name, value)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_lists_of_the_same_list_do_not_unfold(tmp_path: Path) -> None:
    """Ten to the tenth numbers in a kilobyte."""
    nested: Any = [1.0] * 10
    for _ in range(10):
        nested = [nested] * 10
    path = write_detectron(tmp_path / "film.npz", POINTS)
    with np.load(path, allow_pickle=True) as arrays:
        content = {name: arrays[name] for name in arrays}
    content["keypoints"] = np.empty(6, object)
    for frame in range(6):
        content["keypoints"][frame] = [[], nested]
    np.savez(path, **content)
    begin = time.monotonic()
    refused(path, "KEYPOINTS_INVALID")
    assert time.monotonic() - begin < 2


def test_an_array_that_is_larger_than_its_file(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 17, 2)}
    )
    with zipfile.ZipFile(tmp_path / "kpts.npz", "w") as archive:
        archive.writestr("kpts.npy", header.getvalue() + bytes(800))
    refused(tmp_path / "kpts.npz", "DATASET_DAMAGED")


def test_bombs_are_not_unfolded(tmp_path: Path) -> None:
    for name, inner in (("kpts.npz", "kpts.npy"), ("clip.zip", "a_0001.json")):
        with (
            zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open(inner, "w", force_zip64=True) as file,
        ):
            for _ in range(300):
                file.write(bytes(1 << 20))
        assert (tmp_path / name).stat().st_size < 4 << 20
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert refused(tmp_path / name, "KEYPOINTS_TOO_LARGE").exit_code == 2  # the user's, as any file
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_many_values_in_little_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_JSON_CONTAINERS", 1000)
    (tmp_path / "a.json").write_text("[" + "[]," * 2000 + "[]]")
    refused(tmp_path / "a.json", "KEYPOINTS_TOO_LARGE")
    monkeypatch.setattr(files, "_JSON_VALUES", 1000)
    (tmp_path / "a.json").write_text("[" + "0," * 2000 + "0]")
    refused(tmp_path / "a.json", "KEYPOINTS_TOO_LARGE")


def test_brackets_without_an_end(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 100_000)
    refused(tmp_path / "a.json", "KEYPOINTS_DAMAGED")


@pytest.mark.parametrize(
    "name", ["/etc/a_0.json", "../a_0.json", "b/../../a_0.json", "C:\\a_0.json", "..\\a.json"]
)
def test_zips_that_reach_outside_of_themselves(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(name, "{}")
    refused(tmp_path / "x.zip", "KEYPOINTS_UNSAFE")


def edited(tmp_path: Path, **changes: Any) -> Path:
    """COCO results, one entry of which is changed."""
    results = coco_results(POINTS)
    results[3] |= changes
    (tmp_path / "r.json").write_text(json.dumps(results))
    return tmp_path / "r.json"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"keypoints": [1.0] * 50}, "50 values"),
        ({"keypoints": [1.0] * 48}, "16 to 17 points"),
        ({"keypoints": ["a"] * 51}, "float"),
        ({"keypoints": [[1.0]] * 51}, "values"),
        ({"keypoints": 7}, "no list"),
        ({"image_id": 10**9}, "numbered from"),
        ({"image_id": -4}, "numbered from"),
        ({"image_id": "x"}, "number"),
        ({"keypoints": [1e9] * 51}, "farther"),
        ({"bbox": ["a", 1, 2, 3]}, "TypeError"),
    ],
)
def test_entries_that_make_no_sense(tmp_path: Path, changes: dict[str, Any], word: str) -> None:
    assert word in refused(edited(tmp_path, **changes), "KEYPOINTS_INVALID").message


def test_points_of_an_unknown_layout(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(coco_results(made_points(joints=29))))
    assert "29 points" in refused(tmp_path / "r.json", "KEYPOINTS_INVALID").message


def test_two_files_of_one_frame_and_two_programs_in_one_clip(tmp_path: Path) -> None:
    folder = write_openpose(tmp_path / "a", COCO_18)
    (folder / "clip_0001.json").write_bytes((folder / "clip_000000000001_keypoints.json").read_bytes())
    assert "two files" in refused(folder, "KEYPOINTS_INVALID").message
    other = write_openpose(tmp_path / "b", COCO_18)
    tf = write_tf_pose(tmp_path / "tf", COCO_18) / "000000000001_keypoints.json"
    (other / "clip_000000000001_keypoints.json").write_bytes(tf.read_bytes())
    assert "tf-pose" in refused(other, "KEYPOINTS_INVALID").message


def test_pipes_in_a_folder_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "take_0001.json")
    (tmp_path / "take_0002.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no 2D keypoints of a known kind"):
        read_keypoints(tmp_path)


def test_the_format_that_was_asked_for_is_named(tmp_path: Path) -> None:
    (tmp_path / "points.json").write_text('{"version": 1.3, "people": []}')
    with pytest.raises(
        InputError, match="holds no 2D keypoints as alphapose:coco_17 writes them; name another"
    ):
        read_keypoints(tmp_path / "points.json", format_name="alphapose:coco_17")


def test_a_file_that_is_empty_or_no_zip(tmp_path: Path) -> None:
    for name in ("a.json", "a.npz", "a.zip"):
        (tmp_path / name).write_bytes(b"")
        refused(tmp_path / name, "KEYPOINTS_DAMAGED")
        (tmp_path / name).write_bytes(b"PK\x03\x04 and so on")
        refused(tmp_path / name, "KEYPOINTS_DAMAGED")


def test_long_clips_take_no_longer_than_they_are(tmp_path: Path) -> None:
    """Ten minutes at 30 frames per second; whatever looks at all people for each takes minutes."""
    points = np.tile(made_points(frames=1), (18_000, 1, 1, 1))
    (tmp_path / "r.json").write_text(json.dumps(alphapose_results(points, idx=lambda n: 1)))
    begin = time.monotonic()
    (clip,) = read_keypoints(tmp_path / "r.json")
    assert len(clip) == 18_000 and time.monotonic() - begin < 20
