from __future__ import annotations

import dataclasses
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_result import made_evidence
from pose_server.pipeline import evidence as evidence_module
from pose_server.pipeline.boundary import CameraPath, Vertical
from pose_server.pipeline.evidence import Evidence, read_evidence, write_evidence
from pose_server.pipeline.progress import SilentProgress
from pose_server.solve.clip import fit_people
from pose_shared.errors import ConflictError, InputError, NotFoundError
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return made_evidence()


@pytest.fixture
def path(tmp_path: Path, evidence: Evidence) -> Path:
    write_evidence(tmp_path / "evidence.npz", evidence)
    return tmp_path / "evidence.npz"


def assert_equal(one: object, other: object, **tolerance: float) -> None:
    for field in dataclasses.fields(one):  # type: ignore[arg-type]
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, rtol=1e-6 if tolerance else 0, err_msg=field.name)
            assert b.dtype == np.float64
        elif isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
        elif isinstance(a, tuple) and a and dataclasses.is_dataclass(a[0]):
            for left, right in zip(a, b, strict=True):
                assert_equal(left, right, **tolerance)
        elif dataclasses.is_dataclass(a):
            assert_equal(a, b, **tolerance)
        else:
            assert a == b


def rewritten(path: Path, **changes: object) -> Path:
    with np.load(path) as archive:
        fields = {name: archive[name] for name in archive.files}
    for name, value in changes.items():
        name = name.replace("P1_", "person_01/")
        if value is None:
            del fields[name]
        else:
            fields[name] = value
    np.savez(path, **fields)
    return path


def test_what_is_read_is_what_the_writer_returned(tmp_path: Path, evidence: Evidence) -> None:
    kept = write_evidence(tmp_path / "evidence.npz", evidence)
    assert_equal(kept, read_evidence(tmp_path / "evidence.npz"))
    assert_equal(evidence, kept, rtol=1e-6)
    before = (tmp_path / "evidence.npz").read_bytes()
    write_evidence(tmp_path / "evidence.npz", kept)
    assert (tmp_path / "evidence.npz").read_bytes() == before


def test_what_is_missing_stays_missing_and_contacts_come_along(tmp_path: Path, evidence: Evidence) -> None:
    track, pose = evidence.tracks[0], evidence.poses[0]
    gap = np.where(np.arange(len(track))[:, None, None] == 7, np.nan, track.keypoints_px)
    contacts = np.linspace(0, 1, len(track))[:, None] * np.ones(4)
    changed = dataclasses.replace(
        evidence,
        tracks=(dataclasses.replace(track, keypoints_px=gap), evidence.tracks[1]),
        poses=(dataclasses.replace(pose, contacts=contacts), evidence.poses[1]),
    )
    write_evidence(tmp_path / "evidence.npz", changed)
    read = read_evidence(tmp_path / "evidence.npz")
    assert np.isnan(read.tracks[0].keypoints_px).any(axis=(1, 2)).tolist() == [
        row == 7 for row in range(len(track))
    ]
    np.testing.assert_allclose(read.poses[0].contacts, contacts, atol=1e-6)
    assert read.poses[1].contacts is None


def test_how_the_camera_turned_comes_along(tmp_path: Path, evidence: Evidence) -> None:
    turned = Rotation.from_rotvec(np.linspace(0, 0.4, 40)[:, None] * [0, 1, 0]).as_matrix()
    turns = CameraPath(np.arange(40), turned)
    write_evidence(tmp_path / "evidence.npz", fitted(dataclasses.replace(evidence, path=turns)))
    read = read_evidence(tmp_path / "evidence.npz")
    assert read.path is not None and read.fits is not None
    np.testing.assert_array_equal(read.path.indices, turns.indices)
    np.testing.assert_allclose(read.path.turns, turned, atol=1e-6)
    np.testing.assert_array_equal(read.fits[1].path.turns, read.path.turns)
    for changes in (
        {"camera_turns": 2 * turned},
        {"camera_turns": None},
        {"camera_turns": turned[:9]},
        {"camera_indices": np.zeros(40, int)},
    ):
        write_evidence(tmp_path / "evidence.npz", dataclasses.replace(evidence, path=turns))
        with pytest.raises(InputError) as caught:
            read_evidence(rewritten(tmp_path / "evidence.npz", **changes))
        assert caught.value.reason == "EVIDENCE_INVALID"


def test_how_sure_the_lens_is_and_what_is_up_come_along(tmp_path: Path, evidence: Evidence) -> None:
    place = tmp_path / "evidence.npz"
    assert evidence.camera.focal_sigma is evidence.vertical is None
    camera = dataclasses.replace(evidence.camera, focal_source="estimated", focal_sigma=0.031)
    seen = Vertical(np.array([0.0, -0.8, 0.6]), 0.012)
    told = dataclasses.replace(evidence, camera=camera, vertical=seen)
    write_evidence(place, told)
    read = read_evidence(place)
    assert (read.camera.focal_source, read.camera.focal_sigma) == ("estimated", 0.031)
    assert read.vertical is not None and read.vertical.sigma_rad == seen.sigma_rad
    np.testing.assert_array_equal(read.vertical.up, seen.up)
    for changes in (
        {"focal_sigma": np.float64(0)},
        {"focal_sigma": np.ones(2)},
        {"vertical": np.zeros(3)},
        {"vertical": np.full(3, np.nan)},
        {"vertical": np.array([0, -1.0])},
        {"vertical": None},
        {"vertical_sigma_rad": None},
        {"vertical_sigma_rad": np.float64(-1)},
    ):
        write_evidence(place, told)
        with pytest.raises(InputError) as caught:
            read_evidence(rewritten(place, **changes))
        assert caught.value.reason == "EVIDENCE_INVALID", changes


def test_where_the_camera_travelled_comes_along(tmp_path: Path, evidence: Evidence) -> None:
    turns = np.tile(np.eye(3), (40, 1, 1))
    places = np.linspace(0, 1, 40)[:, None] * [3.0, 0.0, 1.0]
    world = np.eye(4)
    world[:3, :3] = Rotation.from_euler("x", -90, degrees=True).as_matrix()
    world[:3, 3] = 1e4 + np.pi  # a shot may lie far from where a scene begins
    path = CameraPath(np.arange(40), turns, places, metric=True, world=world)
    write_evidence(tmp_path / "evidence.npz", fitted(dataclasses.replace(evidence, path=path)))
    read = read_evidence(tmp_path / "evidence.npz")
    assert read.path is not None and read.fits is not None and read.path.metric
    np.testing.assert_allclose(read.path.places, places, atol=1e-6)
    np.testing.assert_array_equal(read.path.world, world)
    np.testing.assert_array_equal(read.fits[0].eye_m, read.path.places)
    for changes in (
        {"camera_places": places[:9].astype(np.float32)},
        {"camera_places": places.astype(np.float32) * np.nan},
        {"camera_metric": None},
        {"camera_turns": None},
        {"camera_world": 2 * world},
        {"person_01/fit_eye_m": places[:9].astype(np.float32)},
    ):
        write_evidence(tmp_path / "evidence.npz", fitted(dataclasses.replace(evidence, path=path)))
        with pytest.raises(InputError) as caught:
            read_evidence(rewritten(tmp_path / "evidence.npz", **changes))
        assert caught.value.reason == "EVIDENCE_INVALID"


def fitted(evidence: Evidence) -> Evidence:
    people = fit_people(
        evidence.tracks,
        evidence.poses,
        evidence.camera,
        rate=evidence.rate,
        progress=SilentProgress(),
        path=evidence.path,
    )
    return dataclasses.replace(evidence, fits=tuple(people))


def test_the_fit_is_kept_with_it_for_the_very_same_version(
    tmp_path: Path, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "evidence.npz"
    whole = fitted(evidence)
    kept = write_evidence(path, whole)
    read = read_evidence(path)
    assert kept.fits is not None and read.fits is not None and whole.fits is not None
    for fit, again, exact in zip(kept.fits, read.fits, whole.fits, strict=True):
        assert_equal(fit, again)
        assert again.body.stature_m == pytest.approx(exact.body.stature_m, rel=1e-6)
        np.testing.assert_allclose(again.body.rest_offsets_m, exact.body.rest_offsets_m, atol=1e-6)
        np.testing.assert_allclose(again.local_wxyz, exact.local_wxyz, atol=1e-6)
        np.testing.assert_allclose(again.root_camera_m, exact.root_camera_m, rtol=1e-6)
    monkeypatch.setattr(evidence_module, "FIT_VERSION", 0)
    assert read_evidence(path).fits is None


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"P1_fit_trust": None}, "lacks trust"),
        ({"P1_fit_stature_m": np.array(3)}, "lacks stature_m"),
        ({"P1_fit_stature_m": np.float32(-1)}, "no body"),
        ({"P1_fit_heel_m": np.zeros((2, 3), np.float32)}, "heel_m"),
        ({"P1_fit_local_wxyz": np.zeros((40, 23, 4), np.float32)}, "no body"),
        ({"P1_fit_local_wxyz": np.ones((39, 23, 4), np.float32)}, r"local_wxyz of a fit is .39"),
        ({"P1_fit_root_camera_m": np.full((40, 3), np.nan, np.float32)}, "not finite"),
    ],
)
def test_a_wrong_fit_is_named(
    tmp_path: Path, evidence: Evidence, changes: dict[str, object], match: str
) -> None:
    path = tmp_path / "evidence.npz"
    write_evidence(path, fitted(evidence))
    with pytest.raises(InputError, match=match) as caught:
        read_evidence(rewritten(path, **changes))
    assert caught.value.reason == "EVIDENCE_INVALID"


def test_nobody_is_somebody_too(tmp_path: Path, evidence: Evidence) -> None:
    empty = dataclasses.replace(evidence, people=(), tracks=(), poses=())
    write_evidence(tmp_path / "evidence.npz", empty)
    assert read_evidence(tmp_path / "evidence.npz").people == ()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"rate": None}, "lacks rate"),
        ({"rate": np.array([30, 0])}, "Fraction"),
        ({"rate": np.array([30, 1, 1])}, "argument"),
        ({"rate": np.array([-30, 1])}, "rate is -30"),
        ({"people": np.array([1, 1])}, "numbered"),
        ({"people": np.array([0, 3])}, "lacks person_00"),
        ({"people": np.arange(20_000)}, "20000 people"),
        ({"people": np.array([1.0, 3.0])}, "people is float64"),
        ({"camera_matrix": np.zeros((3, 3))}, "focal length"),
        ({"image_size": np.array([0, 5])}, "picture"),
        ({"P1_times_s": None}, "lacks person_01/times_s"),
        ({"P1_indices": np.arange(40) * 2}, "frames of person 1"),
        ({"P1_indices": np.arange(39)}, "expected T = 39, got 40"),
        ({"P1_times_s": -np.arange(40.0)}, "times of person 1"),
        ({"P1_times_s": np.linspace(0, 1e12, 40)}, "too far apart"),
        ({"P1_keypoint_confidence": np.full((40, 21), 7.0)}, "confidence of person 1"),
        ({"P1_keypoints_px": np.full((40, 21, 2), np.inf)}, "not finite"),
        ({"P1_keypoint_names": np.array(["nose"] * 21)}, "same name"),
        ({"P1_contacts": np.zeros((40, 3))}, "contacts"),
    ],
)
def test_a_wrong_field_is_named(path: Path, changes: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        read_evidence(rewritten(path, **changes))
    assert caught.value.reason == "EVIDENCE_INVALID"
    assert caught.value.message.endswith("import the clip again.")


def test_a_newer_version_is_named(path: Path) -> None:
    with pytest.raises(ConflictError, match="format version 9"):
        read_evidence(rewritten(path, format_version=np.int64(9)))


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(path: Path) -> None:
    sprung, good = path.with_name("sprung"), path.read_bytes()
    for changes in ({"rate": np.array([Trap(sprung)])}, {"P1_times_s": np.array([Trap(sprung)])}):
        with pytest.raises(InputError, match="damaged"):
            read_evidence(rewritten(path, **changes))
        path.write_bytes(good)
    path.write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(InputError, match="damaged"):
        read_evidence(path)
    assert not sprung.exists()


def test_what_would_unfold_is_refused_unread(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.npy", bytes(10_000_000))
    with pytest.raises(InputError, match="compressed"):
        read_evidence(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="import the clip again"):
        read_evidence(tmp_path / "evidence.npz")


def test_no_flipped_byte_gives_a_traceback(path: Path) -> None:
    good = path.read_bytes()
    rng = np.random.default_rng(5)
    starts = [match.start() for match in re.finditer(rb"PK\x03\x04|PK\x01\x02|NUMPY", good)]
    refused = 0
    for _ in range(150):
        bad = bytearray(good)
        place = int(rng.choice(starts)) + int(rng.integers(0, 120))
        bad[min(place, len(bad) - 1)] = int(rng.integers(256))
        path.write_bytes(bad)
        try:
            read_evidence(path)
        except (InputError, ConflictError):
            refused += 1
    assert refused > 30
