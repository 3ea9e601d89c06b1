from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from pose_server.pipeline.boundary import Camera, ClipInfo
from pose_server.pipeline.calibration import Calibration
from pose_server.pipeline.calibration_file import read_calibration
from pose_server.pipeline.distortion import distorted
from pose_shared.errors import InputError

BEND = (-0.2, 0.05, 0.004, -0.003, 0.01)
LENS = Calibration((1920, 1080), (1500.0, 1510.0), (950.0, 550.0), BEND)
POINTS = np.array([[0.3, -0.1, 1.0], [-0.5, 0.2, 1.0], [0.1, 0.25, 1.0], [0, 0, 1]])


def clip(width: int, height: int, *, turned: int = 0, aspect: Fraction = Fraction(1)) -> ClipInfo:
    return ClipInfo(
        path=Path("a.mp4"),
        width=width,
        height=height,
        rate=Fraction(25),
        frame_count=1,
        first_frame=0,
        start_time_s=0.0,
        rotation_ccw_deg=turned,
        pixel_aspect=aspect,
        codec="h264",
    )


def seen(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Pixels of points, by OpenCV."""
    pixels, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), camera.matrix, camera.distortion)
    return pixels[:, 0]


def test_a_picture_of_the_same_size_has_the_same_numbers() -> None:
    camera = LENS.camera(clip(1920, 1080))
    assert camera.matrix.tolist() == [[1500, 0, 950], [0, 1510, 550], [0, 0, 1]]
    assert camera.distortion.tolist() == list(BEND)
    assert (camera.image_size, camera.focal_source, camera.focal_sigma) == ((1920, 1080), "given", None)


@pytest.mark.parametrize("size", [(960, 540), (3840, 2160), (1280, 720), (854, 480), (640, 360)])
def test_a_scaled_picture_shows_the_same_at_its_own_places(size: tuple[int, int]) -> None:
    whole, scaled = LENS.camera(clip(1920, 1080)), LENS.camera(clip(*size))
    factors = np.array(size) / (1920, 1080)
    assert seen(POINTS, scaled) == pytest.approx(seen(POINTS, whole) * factors)


@pytest.mark.parametrize("turned", [90, 270])
def test_a_calibration_of_the_sensor_is_turned_with_the_picture(turned: int) -> None:
    """The same world, seen by a camera whose picture is turned, against turning pixels."""
    width, height = 960, 540
    landscape, portrait = LENS.camera(clip(width, height)), LENS.camera(clip(height, width, turned=turned))
    pixels = seen(POINTS, landscape)
    if turned == 90:  # numpy.rot90 once: the right border becomes the upper one
        expected = np.stack([pixels[:, 1], width - pixels[:, 0]], axis=1)
        points = np.stack([POINTS[:, 1], -POINTS[:, 0], POINTS[:, 2]], axis=1)
    else:
        expected = np.stack([height - pixels[:, 1], pixels[:, 0]], axis=1)
        points = np.stack([-POINTS[:, 1], POINTS[:, 0], POINTS[:, 2]], axis=1)
    assert portrait.image_size == (540, 960)
    assert seen(points, portrait) == pytest.approx(expected)


def test_a_calibration_of_upright_pictures_is_taken_as_it_is() -> None:
    upright = Calibration((1080, 1920), (1500.0, 1510.0), (530.0, 950.0), BEND)
    camera = upright.camera(clip(540, 960, turned=90))
    assert camera.matrix[:2, 2].tolist() == [265, 475]
    assert camera.distortion.tolist() == list(BEND)


def test_wide_pixels_are_made_square() -> None:
    stored = Calibration((720, 576), (700.0, 765.0), (350.0, 290.0), BEND)
    camera = stored.camera(clip(1024, 576, aspect=Fraction(64, 45)))
    stretched = seen(POINTS, stored.camera(clip(720, 576))) * (1024 / 720, 1)
    assert seen(POINTS, camera) == pytest.approx(stretched)
    assert camera.matrix[0, 0] == pytest.approx(995.6, abs=0.1)


@pytest.mark.parametrize("info", [clip(1920, 1088), clip(1440, 1080), clip(1080, 1080), clip(1080, 1920)])
def test_pictures_of_another_shape_are_refused(info: ClipInfo) -> None:
    with pytest.raises(InputError, match=r"1920x1080, and the clip's are") as caught:
        LENS.camera(info)
    assert caught.value.reason == "CALIBRATION_SIZE"
    assert ("which way it was turned" in caught.value.message) == (info.height == 1920)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"image_size": (0, 1080)}, "size"),
        ({"image_size": (1920, 1080, 3)}, "size"),
        ({"focal_px": (1500.0,)}, "two focal lengths"),
        ({"focal_px": (1500.0, float("nan"))}, "no number"),
        ({"focal_px": (2.0, 2.0)}, "focal length"),
        ({"focal_px": (-1500.0, 1500.0)}, "focal length"),
        ({"centre_px": (-4.0, 500.0)}, "outside"),
        ({"distortion": (0.1, 0.2)}, "coefficients"),
        ({"distortion": (-40.0, 0.0, 0.0, 0.0, 0.0)}, "folds"),
    ],
)
def test_what_is_no_lens_is_said(change: dict[str, tuple[float, ...]], word: str) -> None:
    fields = {"image_size": (1920, 1080), "focal_px": (1500.0, 1500.0), "centre_px": (960.0, 540.0)}
    with pytest.raises(InputError, match=word) as caught:
        Calibration(**(fields | change))
    assert caught.value.reason == "CALIBRATION_INVALID"


def test_a_calibration_survives_json() -> None:
    assert Calibration.from_dict(json.loads(json.dumps(LENS.to_dict()))) == LENS


# As Pose2Sim, Anipose, Caliscope, OpenCV and ROS lay their files out; the numbers are made up.
POSE2SIM = """
[cam_left]
name = "cam_left"
size = [ 1920.0, 1080.0]
matrix = [ [ 1500.0, 0.0, 949.5], [ 0.0, 1510.0, 549.5], [ 0.0, 0.0, 1.0]]
distortions = [ -0.2, 0.05, 0.004, -0.003]
rotation = [ 1.6, 1.0, -0.3]
translation = [ 0.2, 0.9, 2.9]
fisheye = false

[cam_right]
name = "cam_right"
size = [ 1280.0, 720.0]
matrix = [ [ 900.0, 0.0, 640.0], [ 0.0, 900.0, 360.0], [ 0.0, 0.0, 1.0]]
distortions = [ 0.1, 0.0, 0.0, 0.0]
rotation = [ 1.6, 1.0, -0.3]
translation = [ 0.2, 0.9, 2.9]
fisheye = false

[metadata]
adjusted = false
error = 0.0
"""
ANIPOSE = """
[cam_0]
name = "A"
size = [ 1920, 1080,]
matrix = [ [ 1500.0, 0.0, 949.5,], [ 0.0, 1510.0, 549.5,], [ 0.0, 0.0, 1.0,],]
distortions = [ -0.2, 0.05, 0.004, -0.003, 0.01,]
rotation = [ 0.01, 0.1, 0.0,]
translation = [ -94.2, 8.7, -97.2,]

[metadata]
adjusted = false
"""
CALISCOPE = """
[cameras.0]
cam_id = 0
rotation_count = 0
error = 0.19
size = [1920, 1080]
matrix = [[1500.0, 0.0, 949.5], [0.0, 1510.0, 549.5], [0.0, 0.0, 1.0]]
distortions = [-0.2, 0.05, 0.004, -0.003, 0.01]

[cameras.1]
cam_id = 1
rotation_count = -1
size = [1280, 720]
matrix = [[703.0, 0.0, 626.0], [0.0, 706.0, 348.0], [0.0, 0.0, 1.0]]
distortions = [0.19, -0.25, 0.002, -0.005, 0.115]
"""
OPENCV_YAML = """%YAML:1.0
---
calibration_time: "Fri 20 Nov 2026 10:00:00"
image_width: 1920
image_height: 1080
flags: 0
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 1.5000000000000000e+03, 0., 9.4950000000000000e+02, 0.,
       1510., 549.5, 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 5
   cols: 1
   dt: d
   data: [ -2.0000000000000001e-01, 0.05, 0.004, -0.003, 0.01 ]
avg_reprojection_error: 4.4e-01
"""
ROS_YAML = """image_width: 1920
image_height: 1080
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [1500.0, 0, 949.5, 0, 1510.0, 549.5, 0, 0, 1]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.2, 0.05, 0.004, -0.003, 0.01]
projection_matrix:
  rows: 3
  cols: 4
  data: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
"""
OPENCV_JSON = """{
    "image_size": [1920, 1080],
    "camera_matrix": {"type_id": "opencv-matrix", "rows": 3, "cols": 3, "dt": "d",
        "data": [ 1500.0, 0.0, 949.5, 0.0, 1510.0, 549.5, 0.0, 0.0, 1.0 ]},
    "distortion_coefficients": {"type_id": "opencv-matrix", "rows": 1, "cols": 5, "dt": "d",
        "data": [ -0.2, 0.05, 0.004, -0.003, 0.01 ]}
}"""
LISTS_JSON = """{"cameraMatrix": [[1500, 0, 949.5], [0, 1510, 549.5], [0, 0, 1]],
    "distCoeffs": [[-0.2, 0.05, 0.004, -0.003, 0.01, 0, 0, 0]], "width": 1920, "height": 1080}"""
PLAIN_JSON = """{"width": 1920, "height": 1080, "fx": 1500, "fy": 1510, "cx": 949.5, "cy": 549.5,
    "distortion": [-0.2, 0.05, 0.004, -0.003, 0.01]}"""
FILES = {
    "pose2sim.toml": (POSE2SIM, "cam_left"),
    "anipose.toml": (ANIPOSE, None),
    "caliscope.toml": (CALISCOPE, "0"),
    "opencv.yaml": (OPENCV_YAML, None),
    "ros.yml": (ROS_YAML, None),
    "opencv.json": (OPENCV_JSON, None),
    "lists.json": (LISTS_JSON, None),
    "plain.json": (PLAIN_JSON, None),
}


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_programs_give_the_same_lens(name: str, tmp_path: Path) -> None:
    text, camera = FILES[name]
    lens = read_calibration(written(tmp_path / name, text), camera)
    bend = (*BEND[:4], 0.0) if name == "pose2sim.toml" else BEND
    assert lens == Calibration((1920, 1080), (1500.0, 1510.0), (950.0, 550.0), bend)


def test_what_opencv_writes_is_read(tmp_path: Path) -> None:
    for name in ("own.yml", "own.json"):
        storage = cv2.FileStorage(str(tmp_path / name), cv2.FILE_STORAGE_WRITE)
        storage.write("image_width", 1920)
        storage.write("image_height", 1080)
        storage.write("camera_matrix", np.array([[1500.0, 0, 949.5], [0, 1510, 549.5], [0, 0, 1]]))
        storage.write("distortion_coefficients", np.array([BEND]))
        storage.release()
        assert read_calibration(tmp_path / name) == LENS


def test_a_camera_has_to_be_named_where_there_are_several(tmp_path: Path) -> None:
    path = written(tmp_path / "Calib.toml", POSE2SIM)
    with pytest.raises(InputError, match=r"several cameras.*cam_left, cam_right") as caught:
        read_calibration(path)
    assert caught.value.reason == "CALIBRATION_CAMERA"
    with pytest.raises(InputError, match="no camera 'cam_top'"):
        read_calibration(path, "cam_top")
    assert read_calibration(path, "cam_right").image_size == (1280, 720)
    assert read_calibration(written(tmp_path / "a.toml", ANIPOSE), "A") == LENS


@pytest.mark.parametrize(
    ("text", "reason", "word"),
    [
        (ANIPOSE.replace("[metadata]", "[cam_0.x]").replace("rotation", "fisheye = true\nrotation"),
         "CALIBRATION_MODEL", "fisheye"),
        (ANIPOSE.replace("0.01,]", "0.01, 0.4, 0.1, 0.2]"), "CALIBRATION_MODEL", "8 coefficients"),
        (ANIPOSE.replace("[ 1500.0, 0.0,", "[ 1500.0, 3.0,"), "CALIBRATION_MODEL", "skew"),
        (ANIPOSE.replace("0.01,]", "0.01, 0.4]"), "CALIBRATION_INVALID", "6 coefficients"),
        (ANIPOSE.replace("size = [ 1920, 1080,]\n", ""), "CALIBRATION_INVALID", "size of its pictures"),
        (ANIPOSE.replace("1500.0", '"far"'), "CALIBRATION_INVALID", "where numbers belong"),
        (ANIPOSE.replace("1500.0", "inf"), "CALIBRATION_INVALID", "where numbers belong"),
        ("[metadata]\nerror = 0.0", "CALIBRATION_INVALID", "no camera matrix"),
        ("matrix = [1, 2", "CALIBRATION_INVALID", "no TOML"),
        ("a = " + "[" * 100_000, "CALIBRATION_INVALID", "no TOML"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence(text: str, reason: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=word) as caught:
        read_calibration(written(tmp_path / "lens.toml", text))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deep.yaml", "a: " + "[" * 100_000),
        ("deep.yaml", "a:\n" + "".join(" " * i + "a:\n" for i in range(1, 900))),
        ("deep.yaml", "- " * 100_000),
        ("broken.yaml", "camera_matrix: !!opencv-matrix\n  rows: 3\n  cols: 3\n  dt: d\n  data: [1, 2"),
        ("other.yaml", "hello"),
        ("deep.json", "[" * 100_000),
        ("list.json", "[1, 2]"),
        ("empty.json", ""),
        ("empty.yaml", ""),
        ("lens.xml", "<opencv_storage/>"),
        ("huge.json", " " * 1_000_001),
    ],
)
def test_hostile_files_are_refused(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_calibration(written(tmp_path / name, text))
    assert caught.value.reason == "CALIBRATION_INVALID"
    with pytest.raises(InputError, match="cannot be read"):
        read_calibration(tmp_path / "nowhere.toml")
    for endless in (tmp_path, pipe(tmp_path / "pipe.toml"), Path("/dev/zero")):
        with pytest.raises(InputError, match="is no file"):
            read_calibration(endless)


@pytest.mark.parametrize("name", ["distortion_k1_k2_p1_p2", "lensDistortion", "k1", "K3"])
def test_coefficients_of_another_name_are_not_left_out_unsaid(name: str, tmp_path: Path) -> None:
    fields = {"width": 640, "height": 480, "fx": 500, "fy": 500, "cx": 320, "cy": 240}
    bent = [-0.1, 0.01] if "istor" in name else -0.1
    with pytest.raises(InputError, match=f"its '{name}' is not understood; write k1, k2, p1, p2, k3"):
        read_calibration(written(tmp_path / "lens.json", json.dumps({**fields, name: bent})))
    for harmless in (0, None, "brown"):
        text = json.dumps({**fields, name: harmless})
        assert not any(read_calibration(written(tmp_path / "lens.json", text)).distortion)


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def test_mutated_files_end_in_a_lens_or_a_reason(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    for number in range(400):
        name, (text, camera) = list(FILES.items())[number % len(FILES)]
        content = bytearray(text.encode())
        for at in random.integers(0, len(content), random.integers(1, 6)):
            content[at] = random.choice([*b"[]{}-:,. \n\"'0e%&*!#", 0, 200])
        (tmp_path / name).write_bytes(content)
        try:
            lens = read_calibration(tmp_path / name, camera)
        except InputError as error:
            assert error.reason.startswith("CALIBRATION_")
        else:
            middle = np.array([lens.centre_px])
            assert distorted(middle, lens.camera(clip(*lens.image_size))) == pytest.approx(middle)
