"""What an animator gets from real clips: accuracy, identities, and the same numbers everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from accuracy import raw_landmarks, score
from numpy.typing import NDArray
from pose_server.cli.remote import import_remotely
from pose_server.export.npz import read_npz
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.camera import camera_of_clip
from pose_server.pipeline.camera_track import CameraTrack
from pose_server.pipeline.importer import import_clip
from pose_server.pipeline.options import ImportOptions, Moment
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.quality import contact_points_m
from pose_server.pipeline.report import ImportReport
from pose_shared.client import Client
from scipy.spatial.transform import Rotation

pytestmark = pytest.mark.reference
MOTION = ("npz", "bvh")


def imported(clip: Path, out: Path, options: ImportOptions) -> ImportReport:
    return import_clip(clip, options, out, device="cpu", progress=SilentProgress())


@pytest.fixture(scope="session")
def balancing(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Result folder of a person balancing on a treadmill, filmed upright at 60 fps."""
    out = tmp_path_factory.mktemp("clips") / "balancing"
    imported(reference_data / "real3d" / "cam01.mp4", out, ImportOptions(formats=MOTION))
    return out


@pytest.fixture(scope="session")
def garden(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Result folder of a man leaping on a roof while a woman walks below, both small."""
    out = tmp_path_factory.mktemp("clips") / "garden"
    imported(reference_data / "video" / "sports2d_demo.mp4", out, ImportOptions(formats=MOTION))
    return out


@pytest.fixture(scope="session")
def landmarks(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The detector's own 3D points of the balancing clip, untouched."""
    target = tmp_path_factory.mktemp("raw") / "landmarks.npz"
    return raw_landmarks(reference_data / "real3d" / "cam01.mp4", target)


def test_the_solved_motion_is_calm_exact_in_length_and_no_worse_than_the_landmarks(
    balancing: Path, landmarks: Path, reference_data: Path
) -> None:
    script = reference_data / "real3d" / "score.py"
    solved = score(balancing / "person_01" / "motion.npz", script)
    raw = score(landmarks, script)
    assert solved.frames >= 98
    assert solved.bone_spread_percent == 0.0
    assert solved.p_mpjpe_mm <= raw.p_mpjpe_mm
    assert solved.acceleration_error_mm < 6 < raw.acceleration_error_mm
    assert solved.acceleration_mm > 0.5 * solved.reference_acceleration_mm


def test_the_result_is_in_the_world_of_a_camera_track(reference_data: Path, tmp_path: Path) -> None:
    truth = json.loads((reference_data / "real3d" / "cam01.json").read_text())
    to_camera = np.array(truth["rotation_world_to_camera"])
    place_m = -to_camera.T @ truth["translation_world_to_camera_m"]

    def tracked(axes: tuple[float, float, float], out: Path) -> ImportReport:
        turned = Rotation.from_matrix(to_camera.T @ np.diag(axes)).as_quat(scalar_first=True)
        track = CameraTrack((0,), (tuple(place_m.tolist()),), (tuple(turned.tolist()),), focal_mm=31.52)
        options = ImportOptions(camera_track=track, people=1, end=Moment(frame=40), formats=MOTION)
        return imported(reference_data / "real3d" / "cam01.mp4", out, options)

    report = tracked((1, -1, -1), tmp_path / "right")
    motion = read_npz(tmp_path / "right" / "person_01" / "motion.npz")
    world_to_camera = np.broadcast_to(motion.world_to_camera, (len(motion), 4, 4))
    np.testing.assert_allclose(world_to_camera[:, :3, :3], np.tile(to_camera, (len(motion), 1, 1)), atol=1e-4)
    assert motion.joints_world_m[:, motion.joint_names.index("neck"), 2].min() > 1.0
    assert not [note for note in report.notes if "nobody stands" in note]
    # Given in OpenCV's axes it would have everybody hang from the ceiling.
    assert [note for note in tracked((1, 1, 1), tmp_path / "wrong").notes if "nobody stands" in note]


def test_the_room_tells_the_lens_and_what_is_up(balancing: Path, reference_data: Path) -> None:
    truth = json.loads((reference_data / "real3d" / "cam01.json").read_text())
    report = json.loads((balancing / "report.json").read_text())
    motion = read_npz(balancing / "person_01" / "motion.npz")
    assert report["focal_source"] == motion.camera.focal_source == "estimated"
    off = np.log(report["focal_px"] / truth["fx"])
    assert abs(off) < 0.03 and abs(off) < 2.5 * report["focal_sigma"]
    up = np.array(truth["rotation_world_to_camera"])[:, 2]
    assert np.degrees(np.arccos(motion.world_to_camera[:3, 2] @ up)) < 1.5


def test_the_demo_clip_has_two_people_and_each_is_one(garden: Path) -> None:
    """A viewer sees the man until he is behind the tree, the woman from the tree to the edge."""
    report = json.loads((garden / "report.json").read_text())
    frames = report["clip"]["frame_count"]
    assert frames == 230
    seen = [(p["first_frame"], p["last_frame"], p["coverage"] * frames) for p in report["people"]]
    assert len(seen) == 2
    visible = [(0, 227, 0.88), (36, 201, 0.95)]
    for (first, last, found), (begin, end, share) in zip(seen, visible, strict=True):
        assert first <= begin + 4
        assert last >= end - 4
        assert found >= share * (end - begin)


def motions(folder: Path) -> list[Motion]:
    return [read_npz(path) for path in sorted(folder.glob("person_*/motion.npz"))]


def test_every_motion_stands_on_the_floor_in_one_world(garden: Path, balancing: Path) -> None:
    for folder in (garden, balancing):
        people = motions(folder)
        assert people[0].root_world_m[0, :2] == pytest.approx([0, 0], abs=1e-5)
        heights = np.concatenate([m.joints_world_m[..., 2].ravel() for m in people])
        assert -0.25 < np.percentile(heights, 0.5) < 0.15
        for motion in people:
            assert np.array_equal(motion.world_to_camera, people[0].world_to_camera)
            view = motion.world_to_camera[:3, :3]
            forward = view.T @ [0, 0, 1]
            assert forward[0] == pytest.approx(0, abs=1e-6)
            assert forward[1] > 0


def test_two_people_share_a_floor_and_the_nearer_one_is_nearer(garden: Path) -> None:
    """She walks over the grass, past the building on whose roof he stands; at the end he leaps down."""
    man, woman = motions(garden)
    his, hers = (contact_points_m(person)[..., :4, 2].min(axis=1) for person in (man, woman))
    assert (woman.contacts >= 0.5).any(axis=1).mean() > 0.5
    assert np.percentile(np.abs(hers), 90) < 0.05
    assert min(his.min(), hers.min()) > -0.04
    assert 1.6 < np.median(his[:150]) < 2.5
    assert np.abs(his[-30:]).min() < 0.05
    both = np.arange(woman.frames[0], woman.frames[-1] + 1)
    behind = man.root_camera_m[both, 2] - woman.root_camera_m[:, 2]
    assert behind.min() > -0.1
    assert behind[both >= 120].min() > 0.1  # from here on she covers the building


def test_nobody_flips(garden: Path, balancing: Path) -> None:
    for motion in motions(garden) + motions(balancing):
        dots = np.sum(motion.local_rotations_wxyz[1:] * motion.local_rotations_wxyz[:-1], axis=-1)
        assert (dots > 0).all()
        steps_deg = np.degrees(2 * np.arccos(np.clip(dots, 0, 1)))
        assert steps_deg.max() < 60


def test_the_skeleton_lies_on_the_footage(garden: Path, balancing: Path) -> None:
    for motion in motions(garden) + motions(balancing):
        box_px = np.nanmedian(np.ptp(motion.keypoints_px[..., 1], axis=1))
        assert np.nanmedian(motion.reprojection_px) < 0.05 * box_px


def equal_arrays(a: Path, b: Path) -> None:
    with np.load(a) as left, np.load(b) as right:
        assert set(left.files) == set(right.files)
        for name in left.files:
            one: NDArray[np.generic] = left[name]
            np.testing.assert_array_equal(one, right[name], err_msg=name)


def test_a_server_gives_the_same_numbers(reference_data: Path, tmp_path: Path, running_server: str) -> None:
    clip = reference_data / "real3d" / "cam01.mp4"
    options = ImportOptions(start=Moment(frame=10), end=Moment(frame=50), formats=MOTION)
    imported(clip, tmp_path / "here", options)
    import_remotely(clip, options, tmp_path / "there", server=running_server, quiet=True)
    for name in ("motion.npz",):
        equal_arrays(tmp_path / "here" / "person_01" / name, tmp_path / "there" / "person_01" / name)
    reports = [json.loads((tmp_path / side / "report.json").read_text()) for side in ("here", "there")]
    for report in reports:
        del report["timings"]
    assert reports[0] == reports[1]
    bvh = [(tmp_path / side / "person_01" / "motion.bvh").read_bytes() for side in ("here", "there")]
    assert bvh[0] == bvh[1]


def test_a_server_refines_without_looking_again(
    reference_data: Path, tmp_path: Path, running_server: str
) -> None:
    with Client(running_server) as client:
        clip = reference_data / "real3d" / "cam01.mp4"
        first = client.import_clip(clip, {"end": 40, "people": 1, "formats": ["npz"]})
        results = {"import": first}
        for name, options in (("same", {}), ("calm", {"smoothing": 1.0}), ("tall", {"height_m": 2.0})):
            results[name] = client.refine(first, options)
        for name, job in results.items():
            client.download_result(job, tmp_path / name)
    equal_arrays(tmp_path / "import/person_01/motion.npz", tmp_path / "same/person_01/motion.npz")
    shaking = {
        name: np.abs(np.diff(motions(tmp_path / name)[0].joints_world_m, 2, axis=0)).mean()
        for name in results
    }
    assert shaking["calm"] < 0.8 * shaking["import"]
    for name in ("same", "calm", "tall"):
        report = json.loads((tmp_path / name / "report.json").read_text())
        assert {timing["stage"] for timing in report["timings"]} == {"solve", "export"}
        assert report["refined_from"] == first.name


def panning(film: Path, target: Path, frames: int) -> None:
    """Film a part of a film again, with a longer lens that pans, tilts and rolls."""
    with av.open(str(film)) as container:
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)][:frames]
    height, width = pictures[0].shape[:2]
    first = camera_of_clip((width, height)).matrix
    longer = first * [[1.5], [1.5], [1.0]] - [[0, 0, width / 4], [0, 0, height / 4], [0, 0, 0]]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "14"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture, t in zip(pictures, np.linspace(0, 1, frames), strict=True):
            angles = [5 * np.sin(4 * t), 1 + 2 * np.sin(6 * t), 1.5 * np.sin(5 * t)]
            turn = Rotation.from_euler("yxz", angles, degrees=True).as_matrix()
            move = longer @ turn @ np.linalg.inv(first)
            image = cv2.warpPerspective(picture, move, (width, height), flags=cv2.INTER_CUBIC)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def test_a_camera_that_pans_does_not_move_the_dancer(reference_data: Path, tmp_path: Path) -> None:
    """She stands on one leg throughout; only the picture of her moves."""
    film = tmp_path / "pan.mp4"
    panning(reference_data / "video" / "pose_1.mp4", film, 60)
    reports = {
        camera: imported(
            film, tmp_path / camera, ImportOptions(formats=("npz",), focal_mm=45.0, camera=camera)
        )
        for camera in ("auto", "still")
    }
    followed, taken_for_still = (motions(tmp_path / camera)[0] for camera in reports)
    assert np.ptp(followed.root_world_m[:, 0]) < 0.1 < 0.3 < np.ptp(taken_for_still.root_world_m[:, 0])
    assert followed.world_to_camera.shape == (60, 4, 4)
    assert np.nanmedian(followed.reprojection_px) < 0.7 * np.nanmedian(taken_for_still.reprojection_px)
    assert any("camera turns" in note for note in reports["auto"].notes)


def test_the_same_clip_at_another_rate_is_the_same_motion(reference_data: Path, tmp_path: Path) -> None:
    clip = reference_data / "real3d" / "cam01.mp4"
    options = ImportOptions(end=Moment(frame=41), formats=("npz",))
    imported(clip, tmp_path / "60", options)
    imported(clip, tmp_path / "30", ImportOptions.from_dict(options.to_dict() | {"fps": "30"}))
    full, half = motions(tmp_path / "60")[0], motions(tmp_path / "30")[0]
    assert half.rate == 30
    assert half.joints_world_m == pytest.approx(full.joints_world_m[::2], abs=2e-4)
    assert list(half.frames) == list(full.frames[::2])


def test_a_person_keeps_their_number_whoever_else_is_kept(reference_data: Path, tmp_path: Path) -> None:
    clip = reference_data / "real3d" / "cam01.mp4"
    options = ImportOptions(end=Moment(frame=30), persons=(2,), formats=("npz",))
    report = imported(clip, tmp_path / "out", options)
    assert [(person.index, person.folder) for person in report.people] == [(2, "person_02")]
    assert (tmp_path / "out" / "person_02" / "motion.npz").is_file()
