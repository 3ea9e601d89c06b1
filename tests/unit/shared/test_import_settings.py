"""What a user says about an import becomes a request."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from pose_shared.errors import InputError, PoseError
from pose_shared.import_settings import ImportSettings
from pose_shared.request import RemoteClip, import_spec
from pose_shared.session import Delivery
from pose_shared.solve_settings import SolveSettings

RATE = Fraction(25)


def spec(settings: ImportSettings) -> object:
    request = settings.request("box:1", RATE, Delivery())
    return import_spec(RemoteClip(request.name), request.options)


def test_what_is_not_said_is_the_servers(film: Path) -> None:
    request = ImportSettings(str(film)).request("box:1", RATE, Delivery(persons=()))
    said = {name: value for name, value in request.options.items() if value is not None}
    assert said == {"formats": ["npz"]}
    assert (request.server, request.clip.first_file) == ("box:1", film)
    assert request.delivery.persons == ()


def test_everything_is_understood(film: Path) -> None:
    solve = SolveSettings(0.25, 1.83, "steps", "never")
    made = spec(
        ImportSettings(
            f" {film} ",
            people=2,
            frame_start=5,
            frame_end=9,
            focal_mm=35.0,
            camera="still",
            detector="rtmpose:rtmo-l",
            solve=solve.options,
            formats=("npz", "bvh"),
        )
    )
    assert (made.people, made.start.frame, made.end.frame) == (2, 5, 9)
    assert (made.focal_mm, made.camera, made.detector) == (35.0, "still", "rtmpose:rtmo-l")
    assert (made.solve.smoothing, made.solve.height_m) == (0.25, 1.83)
    assert (made.solve.floor, made.solve.contacts) == ("steps", "never")
    assert list(made.formats) == ["npz", "bvh"]
    assert SolveSettings.of({**solve.options, "people": 2}) == solve
    assert SolveSettings.of({"floor": None}) == SolveSettings()


def test_a_sequence_has_the_scenes_rate_unless_it_is_said(tmp_path: Path) -> None:
    picture = tmp_path / "shot.0001.png"
    picture.touch()
    for typed, rate in ((0.0, RATE), (23.976, Fraction(24000, 1001))):
        request = ImportSettings(str(picture), sequence_fps=typed).request("box:1", RATE, Delivery())
        assert request.options["input_fps"] == rate


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"fov_deg": 60.0, "focal_mm": 35.0}, "CAMERA_INVALID"),
        ({"frame_start": 9, "frame_end": 9}, "RANGE_EMPTY"),
        ({"path": " "}, "MEDIA_NOT_CHOSEN"),
        ({"path": "/no/such/film.mp4"}, "MEDIA_MISSING"),
    ],
)
def test_what_cannot_be(film: Path, given: dict[str, object], reason: str) -> None:
    with pytest.raises(PoseError) as caught:
        ImportSettings(**{"path": str(film), **given}).request("box:1", RATE, Delivery())
    assert isinstance(caught.value, InputError)
    assert caught.value.reason == reason
