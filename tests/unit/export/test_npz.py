"""motion.npz: round trip, names and kinds as promised, and files that are no such thing."""

from __future__ import annotations

import dataclasses
import io
import os
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pose_server.export.npz import FORMAT_VERSION, read_npz, write_npz
from pose_server.pipeline.boundary import Camera, Motion
from pose_server.pipeline.weak_spans import weak_spans
from pose_shared.errors import ConflictError, InputError, NotFoundError

DOCS = Path(__file__).parents[3] / "docs" / "motion_npz.md"


class Trap:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def assert_equal(one: Motion, other: Motion) -> None:
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        elif isinstance(a, Camera):
            np.testing.assert_array_equal(a.matrix, b.matrix)
            np.testing.assert_array_equal(a.distortion, b.distortion)
            assert (a.image_size, a.focal_source) == (b.image_size, b.focal_source)
            assert a.focal_sigma == b.focal_sigma
        else:
            assert a == b, field.name


def rewritten(path: Path, **changes: object) -> Path:
    """Write the file's arrays again, some changed, those set to None left out."""
    with np.load(path) as archive:
        fields = dict(archive) | changes
    other = path.with_name("other.npz")
    np.savez(other, **{name: value for name, value in fields.items() if value is not None})
    return other


@pytest.fixture
def path(tmp_path: Path, motion: Motion) -> Path:
    place = tmp_path / "motion.npz"
    write_npz(place, motion)
    return place


@pytest.mark.parametrize("moving", [False, True])
def test_round_trip(tmp_path: Path, make_motion, moving: bool) -> None:
    motion = make_motion(moving_camera=moving)
    write_npz(tmp_path / "motion.npz", motion)
    assert_equal(motion, read_npz(tmp_path / "motion.npz"))


def test_names_kinds_and_shapes_are_the_promised_ones(path: Path, motion: Motion) -> None:
    frames, joints, weak = len(motion), len(motion.joint_names), len(weak_spans(motion))
    with np.load(path, allow_pickle=False) as archive:
        have = {name: (str(archive[name].dtype.kind), archive[name].shape) for name in archive.files}
        sizes = {name: archive[name].dtype.itemsize for name in archive.files}
        assert archive["fps"].tolist() == [30000, 1001]
        assert archive["image_size"].tolist() == [640, 360]
        assert int(archive["format_version"]) == FORMAT_VERSION
    assert have == {
        "format_version": ("i", ()),
        "fps": ("i", (2,)),
        "times_s": ("f", (frames,)),
        "frames": ("i", (frames,)),
        "joint_names": ("U", (joints,)),
        "parents": ("i", (joints,)),
        "rest_offsets_m": ("f", (joints, 3)),
        "local_rotations_wxyz": ("f", (frames, joints, 4)),
        "root_world_m": ("f", (frames, 3)),
        "joints_world_m": ("f", (frames, joints, 3)),
        "joints_camera_m": ("f", (frames, joints, 3)),
        "root_camera_m": ("f", (frames, 3)),
        "confidence": ("f", (frames, joints)),
        "contact_names": ("U", (4,)),
        "contacts": ("f", (frames, 4)),
        "keypoint_names": ("U", (2,)),
        "keypoints_px": ("f", (frames, 2, 2)),
        "keypoint_confidence": ("f", (frames, 2)),
        "camera_matrix": ("f", (3, 3)),
        "distortion": ("f", (5,)),
        "image_size": ("i", (2,)),
        "world_to_camera": ("f", (4, 4)),
        "reprojection_px": ("f", (frames, joints)),
        "focal_source": ("U", ()),
        "focal_sigma": ("f", ()),
        "weak_frames": ("i", (weak, 2)),
        "weak_why": ("U", (weak,)),
        "weak_joints": ("b", (weak, joints)),
    }
    assert sizes["times_s"] == sizes["fps"] == sizes["frames"] == 8
    assert sizes["rest_offsets_m"] == sizes["local_rotations_wxyz"] == 4
    documented = set(re.findall(r"^\| `(\w+)` \|", DOCS.read_text(), re.M))
    assert documented == set(have)


def test_how_sure_the_lens_is_comes_along_and_older_files_do_not_say(path: Path, motion: Motion) -> None:
    camera = dataclasses.replace(motion.camera, focal_source="estimated", focal_sigma=0.031)
    write_npz(path, dataclasses.replace(motion, camera=camera))
    assert read_npz(path).camera.focal_sigma == 0.031
    older = rewritten(path, focal_sigma=None, format_version=np.int64(101))
    assert read_npz(older).camera.focal_sigma is None
    with pytest.raises(InputError):
        read_npz(rewritten(path, focal_sigma=np.ones(2)))


def test_the_documented_example_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.S)
    assert example is not None
    monkeypatch.chdir(path.parent)
    exec(compile(example[1], str(DOCS), "exec"), {})


def test_equal_motions_give_equal_bytes(path: Path, motion: Motion) -> None:
    again = path.with_name("again.npz")
    write_npz(again, motion)
    assert again.read_bytes() == path.read_bytes()


def test_nothing_half_written_remains(tmp_path: Path, motion: Motion) -> None:
    (tmp_path / "file").touch()
    for folder in ("file", "missing"):
        with pytest.raises(InputError, match="another output folder") as caught:
            write_npz(tmp_path / folder / "motion.npz", motion)
        assert caught.value.reason == "OUTPUT_NOT_WRITABLE"
    (tmp_path / "motion.npz").mkdir()
    with pytest.raises(InputError):
        write_npz(tmp_path / "motion.npz", motion)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "motion.npz"]


def test_an_older_file_survives_a_failed_write(path: Path, motion: Motion) -> None:
    before = path.read_bytes()
    broken = dataclasses.replace(motion, camera=dataclasses.replace(motion.camera, image_size=(object(), 1)))
    with pytest.raises(TypeError):
        write_npz(path, broken)
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_a_newer_minor_version_is_read(path: Path, motion: Motion) -> None:
    newer = rewritten(path, format_version=np.int64(FORMAT_VERSION + 7), wind_m=np.zeros(3))
    assert_equal(motion, read_npz(newer))


def test_another_major_version_is_refused(path: Path) -> None:
    with pytest.raises(ConflictError, match=r"format version 2\.3.*reads 1\.2"):
        read_npz(rewritten(path, format_version=np.int64(203)))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"format_version": None}, "format_version"),
        ({"format_version": np.array("1")}, "format_version"),
        ({"root_world_m": None}, "lacks root_world_m"),
        ({"fps": np.array([30, 0])}, "fps"),
        ({"fps": np.array([30.0, 1.0])}, "fps is float64"),
        ({"joint_names": np.arange(23)}, "joint_names"),
        ({"contacts": np.zeros((3, 4), np.float32)}, "contacts"),
        ({"parents": np.full(23, 5)}, "tree"),
        ({"parents": np.array([-1, *range(1, 23)])}, "tree"),
        ({"image_size": np.array([-4, 4])}, "image_size"),
        ({"world_to_camera": np.zeros((60, 3, 4))}, "world_to_camera"),
        ({"confidence": np.zeros((60, 23), complex)}, "confidence"),
        ({"joint_names": np.array(["pelvis"] * 23)}, "two of its joints"),
        ({"root_world_m": np.full((60, 3), np.nan, np.float32)}, "root_world_m holds"),
        ({"local_rotations_wxyz": np.zeros((60, 23, 4), np.float32)}, "unit quaternions"),
    ],
)
def test_a_wrong_field_is_named(path: Path, changes: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        read_npz(rewritten(path, **changes))
    assert caught.value.reason == "MOTION_INVALID"


def test_weak_spans_are_arrays_that_anybody_reads(path: Path, motion: Motion) -> None:
    confidence = motion.confidence.copy()
    confidence[20:50, [3, 9]] = 0.0
    motion = dataclasses.replace(motion, confidence=confidence)
    write_npz(path, motion)
    spans = weak_spans(motion)
    assert spans
    with np.load(path, allow_pickle=False) as archive:
        assert archive["weak_frames"].tolist() == [[s.first_frame, s.last_frame] for s in spans]
        assert archive["weak_why"].tolist() == [s.why for s in spans]
        for row, span in zip(archive["weak_joints"], spans, strict=True):
            assert [name for name, weak in zip(motion.joint_names, row, strict=True) if weak] == [
                name for name in motion.joint_names if name in span.joints
            ]
    calm = dataclasses.replace(motion, confidence=np.ones_like(motion.confidence))
    write_npz(path, calm)
    with np.load(path, allow_pickle=False) as archive:
        assert archive["weak_frames"].shape == (0, 2)
        assert archive["weak_why"].shape == (0,)
        assert archive["weak_joints"].shape == (0, len(motion.joint_names))


def test_a_file_of_version_1_0_is_read(path: Path, motion: Motion) -> None:
    older = rewritten(path, format_version=np.int64(100), weak_frames=None, weak_why=None, weak_joints=None)
    assert_equal(motion, read_npz(older))


def test_no_pickle_is_ever_opened(tmp_path: Path, path: Path) -> None:
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    member = rewritten(path, root_world_m=trap)
    bare = tmp_path / "bare.npz"
    bare.write_bytes(pickle.dumps(trap))
    array = tmp_path / "array.npz"
    with array.open("wb") as file:
        np.save(file, trap)
    for hostile in (member, bare, array):
        with pytest.raises(InputError):
            read_npz(hostile)
    assert not (tmp_path / "sprung").exists()


def test_foreign_and_damaged_files(tmp_path: Path, path: Path) -> None:
    good = path.read_bytes()
    huge = io.BytesIO()
    with zipfile.ZipFile(huge, "w") as archive:
        header = "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }"
        archive.writestr(
            "times_s.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
        )
    for content in (b"", b"hello", good[:1000], good[:-30], huge.getvalue()):
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged or no motion file") as caught:
            read_npz(path)
        assert caught.value.reason == "MOTION_UNREADABLE"
    with pytest.raises(InputError):
        read_npz(tmp_path)
    with pytest.raises(NotFoundError):
        read_npz(tmp_path / "nowhere.npz")


def test_no_flipped_byte_gives_a_traceback(path: Path, motion: Motion) -> None:
    good = path.read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    # Headers and directory are where parsing can go wrong; numbers are guarded by checksums.
    starts = [match.start() for match in re.finditer(rb"PK\x03\x04|PK\x01\x02|NUMPY", good)]
    for _ in range(400):
        bad = bytearray(good)
        place = int(rng.choice(starts)) + int(rng.integers(0, 120))
        bad[min(place, len(bad) - 1)] = int(rng.integers(256))
        path.write_bytes(bad)
        try:
            assert_equal(motion, read_npz(path))
        except (InputError, ConflictError):
            refused += 1
    assert refused > 100
