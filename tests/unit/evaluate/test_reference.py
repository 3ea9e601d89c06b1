from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pose_server.evaluate.mocap import LIMB_JOINTS
from pose_server.evaluate.reference import read_reference
from pose_shared.errors import InputError

CAMERA: dict[str, Any] = {
    "fx": 1000.0,
    "fy": 1100.0,
    "cx": 320.0,
    "cy": 240.0,
    "width": 640,
    "height": 480,
    # The camera looks along the world's y: its z is y, its y (down) is -z.
    "rotation_world_to_camera": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    "translation_world_to_camera_m": [0, 0, 4],
}
MARKERS = ["RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "Neck"] + [
    side + part for side in "LR" for part in ("Shoulder", "Elbow", "Wrist")
]
FRAMES = 5


def trc(unit: str = "m", rate: str = "50", markers: list[str] | None = None) -> str:
    names = MARKERS if markers is None else markers
    lines = [
        "PathFileType\t4\t(X/Y/Z)\ttake.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{FRAMES}\t{len(names)}\t{unit}\t{rate}\t1\t{FRAMES}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{i + 1}" for i in range(len(names)) for axis in "XYZ"),
    ]
    for frame in range(FRAMES):
        cells = [str(frame + 1), f"{frame / 50}"]
        for number in range(len(names)):
            cells += [f"{number}", f"{10 + number}", f"{20 + frame}"]
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


def folder_of(folder: Path, *, text: str | None = None, camera: Any = CAMERA) -> Path:
    (folder / "take.mp4").write_bytes(b"film")
    (folder / "take.json").write_text(camera if isinstance(camera, str) else json.dumps(camera))
    (folder / "reference.trc").write_text(trc() if text is None else text)
    return folder


def test_a_made_folder_is_read(tmp_path: Path) -> None:
    reference = read_reference(folder_of(tmp_path))
    assert reference.film == tmp_path / "take.mp4" and reference.rate_hz == 50
    assert reference.camera.image_size == (640, 480) and reference.camera.focal_source == "given"
    np.testing.assert_array_equal(reference.camera.matrix, [[1000, 0, 320], [0, 1100, 240], [0, 0, 1]])
    assert reference.joints_m.shape == (FRAMES, 12, 3)
    knee = LIMB_JOINTS.index("left_knee")
    number = MARKERS.index("LKnee")
    # Columns X, Y, Z are the world's y, z, x: world (20 + t, number, 10 + number); then into the camera.
    expected = [[20 + t, -(10 + number), number + 4] for t in range(FRAMES)]
    np.testing.assert_allclose(reference.joints_m[:, knee], expected)


def test_feet_are_read_where_they_are_marked(tmp_path: Path) -> None:
    assert np.isnan(read_reference(folder_of(tmp_path)).feet_m).all()
    marked = read_reference(folder_of(tmp_path, text=trc(markers=[*MARKERS, "RBigToe", "LHeel"])))
    assert marked.feet_m.shape == (FRAMES, 4, 3)
    assert np.isfinite(marked.feet_m).all(axis=(0, 2)).tolist() == [True, False, False, True]
    number = len(MARKERS) + 1
    np.testing.assert_allclose(
        marked.feet_m[:, 0], [[20 + t, -(10 + number), number + 4] for t in range(FRAMES)]
    )


def test_millimetres_are_metres(tmp_path: Path) -> None:
    metres = read_reference(folder_of(tmp_path)).joints_m - [0, 0, 4]
    thousandth = read_reference(folder_of(tmp_path, text=trc("mm"))).joints_m - [0, 0, 4]
    np.testing.assert_allclose(thousandth, metres / 1000)


def test_a_missing_marker_is_nan(tmp_path: Path) -> None:
    lines = trc().splitlines()
    cells = lines[6].split("\t")
    last = MARKERS.index("RWrist")
    cells[2 + 3 * last :] = ["", "", ""]
    lines[6] = "\t".join(cells)
    joints = read_reference(folder_of(tmp_path, text="\n".join(lines))).joints_m
    wrist = LIMB_JOINTS.index("right_wrist")
    assert np.isnan(joints[1, wrist]).all()
    assert np.isfinite(np.delete(joints.reshape(-1, 3), 12 + wrist, axis=0)).all()


@pytest.mark.parametrize(
    ("text", "camera", "fault"),
    [
        (None, "{", "JSON"),
        (None, "[1, 2]", "TypeError"),
        (None, {key: value for key, value in CAMERA.items() if key != "fx"}, "'fx'"),
        (None, {**CAMERA, "fx": "wide"}, "ValueError"),
        (None, {**CAMERA, "fx": float("nan")}, "three by three"),
        (None, {**CAMERA, "rotation_world_to_camera": [1, 0, 0]}, "three by three"),
        (None, {**CAMERA, "translation_world_to_camera_m": [0, 4]}, "three by three"),
        ("", CAMERA, "IndexError"),
        ("\n".join(trc().splitlines()[:5]), CAMERA, "Error"),
        (trc("inch"), CAMERA, "'inch'"),
        (trc(rate="fast"), CAMERA, "fast"),
        (trc(rate="0"), CAMERA, "a rate of 0"),
        (trc(markers=["LHip", "RHip"]), CAMERA, "not in list"),
        (trc().replace("10\t20", "ten\t20"), CAMERA, "ten"),
        (trc() + "6\t0.1\t" + "1\t" * 99, CAMERA, "ValueError"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    tmp_path: Path, text: str | None, camera: Any, fault: str
) -> None:
    refused(folder_of(tmp_path, text=text, camera=camera), fault)


def test_files_that_are_missing_are_one_sentence(tmp_path: Path) -> None:
    refused(tmp_path / "none", "holds 0 films")
    folder_of(tmp_path)
    (tmp_path / "other.MOV").write_bytes(b"film")
    refused(tmp_path, "holds 2 films")
    (tmp_path / "other.MOV").unlink()
    (tmp_path / "reference.trc").unlink()
    refused(tmp_path, "reference.trc")
    (tmp_path / "take.json").unlink()
    refused(tmp_path, "take.json")


def refused(folder: Path, fault: str) -> None:
    with pytest.raises(InputError, match="no clip with a reference") as caught:
        read_reference(folder)
    assert caught.value.reason == "REFERENCE_UNREADABLE"
    assert fault in caught.value.message and "\n" not in caught.value.message


@pytest.mark.reference
def test_the_real_clip_is_read(reference_data: Path) -> None:
    reference = read_reference(reference_data / "real3d")
    assert reference.joints_m.shape == (100, 12, 3) and reference.rate_hz == 60
    depth = reference.joints_m[..., 2]
    assert depth.min() > 1 and depth.max() < 10
    # Upright in the camera, y down: shoulders above hips above knees above ankles.
    heights = [
        reference.joints_m[:, LIMB_JOINTS.index("left_" + part), 1].mean()
        for part in ("shoulder", "hip", "knee", "ankle")
    ]
    assert heights == sorted(heights)
