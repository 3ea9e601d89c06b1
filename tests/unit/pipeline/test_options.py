from __future__ import annotations

import json
from fractions import Fraction

import pytest
from pose_server.pipeline.calibration import Calibration
from pose_server.pipeline.camera_track import CameraTrack
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.options import ImportOptions, Moment, parse_rate
from pose_server.pipeline.solve_options import ContactEdit, SolveOptions
from pose_shared.errors import InputError

LENS = Calibration((1920, 1080), (1500.0, 1510.0), (950.0, 550.0), (-0.2, 0.05, 0.0, 0.0, 0.0))


def test_options_survive_json() -> None:
    options = ImportOptions(
        people=3,
        persons=(1, 4),
        start=Moment(frame=12),
        end=Moment(seconds=4.25),
        fps=Fraction(30000, 1001),
        input_fps=Fraction(24),
        fov_deg=61.5,
        formats=("bvh",),
        files=FileOptions(unit="m", rotation_order="XYZ"),
        allow_truncated=True,
        solve=SolveOptions(smoothing=0.25, edits=(ContactEdit(2, "right_toe", 3, 9, False),)),
    )
    assert ImportOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options
    assert ImportOptions.from_dict(ImportOptions().to_dict()) == ImportOptions()


def test_a_measured_lens_survives_json() -> None:
    options = ImportOptions(calibration=LENS)
    assert ImportOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options


def test_a_focal_length_counts_on_the_sensor_that_is_said() -> None:
    track = CameraTrack((0,), ((0.0, 0.0, 0.0),), ((1.0, 0.0, 0.0, 0.0),), focal_mm=50.0)
    assert ImportOptions(focal_mm=4.2, sensor_mm=5.6).known_focal_mm == pytest.approx(27.0)
    assert ImportOptions(focal_mm=27.0).known_focal_mm == 27.0
    assert ImportOptions(focal_mm=4.2, sensor_mm=5.6, camera_track=track).known_focal_mm == pytest.approx(27)
    assert ImportOptions(camera_track=track).known_focal_mm == 50.0
    assert ImportOptions().known_focal_mm is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"formats": ("fbx2",)}, "FORMAT_UNKNOWN"),
        ({"formats": ()}, "FORMAT_UNKNOWN"),
        ({"people": 0}, "PEOPLE_INVALID"),
        ({"persons": (0,)}, "PEOPLE_INVALID"),
        ({"fps": Fraction(0)}, "RATE_INVALID"),
        ({"input_fps": Fraction(5000)}, "RATE_INVALID"),
        ({"fov_deg": 60.0, "focal_mm": 35.0}, "CAMERA_INVALID"),
        ({"fov_deg": 179.0}, "CAMERA_INVALID"),
        ({"focal_mm": 0.0}, "CAMERA_INVALID"),
        ({"focal_mm": 4.2}, "CAMERA_INVALID"),
        ({"sensor_mm": 5.6}, "CAMERA_INVALID"),
        ({"focal_mm": 4.2, "sensor_mm": 0.5}, "CAMERA_INVALID"),
        ({"fov_deg": 60.0, "calibration": LENS}, "CAMERA_INVALID"),
        ({"focal_mm": 30.0, "calibration": LENS}, "CAMERA_INVALID"),
        ({"camera": "drone"}, "CAMERA_INVALID"),
        ({"start": Moment(frame=5), "end": Moment(frame=5)}, "RANGE_EMPTY"),
        ({"start": Moment(seconds=2.0), "end": Moment(seconds=1.0)}, "RANGE_EMPTY"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        ImportOptions(**fields)  # type: ignore[arg-type]
    assert caught.value.reason == reason
    assert caught.value.exit_code == 2
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Moment(frame=0)),
        ("120", Moment(frame=120)),
        ("4.5s", Moment(seconds=4.5)),
        ("0s", Moment(seconds=0)),
    ],
)
def test_moments_are_frames_or_seconds(text: str, expected: Moment) -> None:
    assert Moment.parse(text) == expected
    assert Moment.parse(str(expected)) == expected


@pytest.mark.parametrize("text", ["", "s", "-1", "-0.5s", "1.5", "nans", "infs", "ten", "1:30"])
def test_other_moments_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"\.$"):
        Moment.parse(text)


@pytest.mark.parametrize("text", ["nans", "infs"])
def test_what_is_no_time_is_not_said_to_be_early(text: str) -> None:
    with pytest.raises(InputError, match="is no place in a clip"):
        Moment.parse(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("24", Fraction(24)),
        ("12.5", Fraction(25, 2)),
        ("30000/1001", Fraction(30000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
    ],
)
def test_rates_are_exact(text: str, rate: Fraction) -> None:
    assert parse_rate(text, "--fps") == rate


@pytest.mark.parametrize("text", ["", "fast", "1/0", "nan", "24fps"])
def test_other_rates_are_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rate(text, "--fps")
    assert caught.value.reason == "RATE_INVALID"
