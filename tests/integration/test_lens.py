"""Motions through a lens that bends, with and without its calibration, from keypoints that know the truth."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_result import FRAMES, SIZE, made_evidence
from pose_server.cli.main import app
from pose_server.export.npz import read_npz
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.camera import project
from pose_server.pipeline.evidence import read_evidence
from pose_shared.skeleton import COCO_17
from typer.testing import CliRunner

MATRIX = np.array([[640.0, 0, 650.0], [0, 640.0, 350.0], [0, 0, 1]])
NO_BEND, BARREL = np.zeros(5), np.array([-0.3, 0.0, 0.002, -0.003, 0.0])
LIMBS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")


def made_joints() -> np.ndarray:
    """(T, 17, 3) of somebody 3 m away and far off to the left."""
    evidence = made_evidence(noise=0.0)
    pose = evidence.poses[0]
    return (pose.joints_root_m + pose.root_camera_m[:, None])[:, :17] + (-1.1, 0.1, -2.0)


def write_keypoints(path: Path, bend: np.ndarray) -> np.ndarray:
    """Write what a detector finds in the picture of such a lens, a little off; return it."""
    joints = made_joints()
    seen, _ = cv2.projectPoints(joints.reshape(-1, 3), np.zeros(3), np.zeros(3), MATRIX, bend)
    seen_px = seen.reshape(len(joints), 17, 2) + np.random.default_rng(3).normal(0, 0.3, (len(joints), 17, 2))
    rows = [
        {
            "image_id": frame,
            "category_id": 1,
            "keypoints": np.c_[points - 0.5, np.full(17, 0.9)].ravel().tolist(),
            "score": 0.9,
        }
        for frame, points in enumerate(seen_px)
    ]
    path.write_text(json.dumps(rows))
    return seen_px


def write_calibration(path: Path, bend: np.ndarray) -> Path:
    """As OpenCV's own pixels have it, for pictures of twice the size."""
    matrix = 2 * MATRIX
    matrix[:2, 2] -= 0.5
    matrix[2, 2] = 1
    path.write_text(
        json.dumps(
            {
                "image_width": 2 * SIZE[0],
                "image_height": 2 * SIZE[1],
                "camera_matrix": matrix.tolist(),
                "distortion_coefficients": bend.tolist(),
            }
        )
    )
    return path


def imported(tmp_path: Path, keypoints: Path, *lens: object) -> Path:
    out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
    arguments = ["--keypoints", keypoints, "--size", "1280x720", "--input-fps", 30, "-o", out, *lens]
    done = CliRunner().invoke(
        app, ["import", *map(str, arguments), "--json"], env={"POSE_DATA_DIR": str(tmp_path)}
    )
    assert done.exit_code == 0, done.stdout
    return out


def motion_in(out: Path) -> Motion:
    return read_npz(out / "person_01" / "motion.npz")


def error_m(motion: Motion) -> float:
    """Mean distance of limbs from the truth, about the hips."""
    names = [f"{side}_{limb}" for limb in LIMBS for side in ("left", "right")]
    own = motion.joints_camera_m[:, [motion.joint_names.index(name) for name in names]]
    truth = made_joints()[:, [COCO_17.joints.index(name) for name in names]]
    own, truth = (points - points[:, :2].mean(axis=1, keepdims=True) for points in (own, truth))
    return float(np.linalg.norm(own - truth, axis=2).mean())


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("lens")
    for name, bend in (("straight", NO_BEND), ("bent", BARREL)):
        write_keypoints(folder / f"{name}.json", bend)
        write_calibration(folder / f"{name}_lens.json", bend)
    given = "--calibration"
    return {
        "straight": imported(folder, folder / "straight.json", given, folder / "straight_lens.json"),
        "bent": imported(folder, folder / "bent.json", given, folder / "bent_lens.json"),
        "ignored": imported(folder, folder / "bent.json", given, folder / "straight_lens.json"),
    }


def test_with_its_calibration_a_bent_picture_is_worth_a_straight_one(results: dict[str, Path]) -> None:
    errors = {name: error_m(motion_in(out)) for name, out in results.items()}
    assert abs(errors["bent"] - errors["straight"]) < 0.004, errors
    assert errors["ignored"] > errors["straight"] + 0.02, errors
    straight, bent = (motion_in(results[name]) for name in ("straight", "bent"))
    assert np.linalg.norm(straight.root_camera_m - bent.root_camera_m, axis=1).mean() < 0.02
    ignored = motion_in(results["ignored"])
    assert np.linalg.norm(straight.root_camera_m - ignored.root_camera_m, axis=1).mean() > 0.2


def test_the_report_says_what_a_host_will_not_show(results: dict[str, Path]) -> None:
    notes = {name: json.loads((out / "report.json").read_text())["notes"] for name, out in results.items()}
    assert any("bends the picture by up to" in note for note in notes["bent"])
    assert not any("bends" in note for note in notes["straight"])


def test_the_result_is_in_the_pixels_of_the_film(results: dict[str, Path], tmp_path: Path) -> None:
    seen_px = write_keypoints(tmp_path / "again.json", BARREL)
    motion = motion_in(results["bent"])
    assert motion.camera.matrix == pytest.approx(MATRIX)
    assert motion.camera.distortion == pytest.approx(BARREL)
    assert motion.camera.focal_source == "given"
    assert len(motion) == FRAMES and np.abs(motion.keypoints_px - seen_px).max() < 0.02
    drawn, _ = cv2.projectPoints(
        motion.joints_camera_m.reshape(-1, 3).astype(float), np.zeros(3), np.zeros(3), MATRIX, BARREL
    )
    drawn = drawn.reshape(*motion.joints_camera_m.shape[:2], 2)
    for name in ("left_knee", "right_wrist"):
        joint, point = motion.joint_names.index(name), motion.keypoint_names.index(name)
        off = np.linalg.norm(drawn[:, joint] - seen_px[:, point], axis=1)
        assert np.abs(off - motion.reprojection_px[:, joint]).max() < 0.05
        straight = project(motion.joints_camera_m[:, joint].astype(float), MATRIX)
        assert np.linalg.norm(straight - seen_px[:, point], axis=1).mean() > 20  # the bend is no trifle


def test_evidence_is_in_the_pixels_of_the_pinhole(results: dict[str, Path], tmp_path: Path) -> None:
    seen_px = write_keypoints(tmp_path / "again.json", BARREL)
    evidence = read_evidence(results["bent"] / "evidence.npz")
    expected = cv2.undistortPointsIter(
        seen_px.reshape(-1, 1, 2), MATRIX, BARREL, None, MATRIX, (cv2.TERM_CRITERIA_COUNT, 500, 0)
    )
    assert np.abs(evidence.tracks[0].keypoints_px - expected.reshape(seen_px.shape)).max() < 0.02


def test_a_refinement_keeps_the_lens(results: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "refined"
    arguments = ["refine", results["bent"], "--smoothing", 0.3, "-o", out]
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert done.exit_code == 0, done.stdout
    report = json.loads((out / "report.json").read_text())
    assert report["options"]["calibration"]["distortion"] == pytest.approx(BARREL)
    assert motion_in(out).camera.distortion == pytest.approx(BARREL)
    assert abs(error_m(motion_in(out)) - error_m(motion_in(results["bent"]))) < 0.005
