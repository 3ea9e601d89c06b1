"""The add-on in every Blender: what it writes is where it should be, and nothing else changes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blender_hosts import BlenderHost
from dancers import FILM_FRAMES, CameraMove, Dancer
from fake_pose_server import FakeServer
from pose_server.pipeline.camera import project

TOLERANCE_M = 1e-3
NTSC = Fraction(30000, 1001)
FILM_PX = (320, 180)
UPRIGHT_FILM = {"source": "MOVIE_CLIP", "visible": True, "turn": 0, "scale": 1.0}


def import_video(blender: BlenderHost, server: FakeServer, film: Path, folder: Path, **given: Any) -> Any:
    options = {"filepath": film, "server": server.address, **given.pop("options", {})}
    return blender.run(
        "import_video", folder, **{"import": {k: _plain(v) for k, v in options.items()}}, **given
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def furthest_m(person: Any, expected: np.ndarray, names: tuple[str, ...]) -> float:
    found = np.array([[place[name] for name in names] for _, place in person["joints"]])
    assert found.shape == expected.shape
    return float(np.linalg.norm(found - expected, axis=-1).max())


def off_film_px(
    person: Any, on_film_px: np.ndarray, names: tuple[str, ...], picture: tuple[int, int]
) -> float:
    """How far the camera draws the joints from where they are on the film, which fills the picture."""
    scale = min(picture[0] / FILM_PX[0], picture[1] / FILM_PX[1])
    margin = (np.array(picture) - np.array(FILM_PX) * scale) / 2
    drawn = np.array([[place[name] for name in names] for _, place in person["seen"]])
    return float(np.abs(drawn - (on_film_px * scale + margin)).max())


def test_everything_lands_where_it_should(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    server.note = "The light is poor."
    result = import_video(
        blender, server, film, tmp_path, resolution=[320, 180], no_camera=True, film_frames=[1, 20, 48]
    )

    assert result["added"]["objects"] == ["dance camera", "dance person 1", "dance person 2"]
    assert result["added"]["actions"] == ["dance person 1", "dance person 2"]
    assert result["added"]["collections"] == ["dance"]
    assert result["job"] == ["jobs/dance"]
    assert result["rate after"]["range"] == [1, 48]
    assert result["rate after"]["fps"] / result["rate after"]["fps_base"] == pytest.approx(30000 / 1001)
    for person, dancer in zip(result["people"], server.dancers, strict=True):
        motion = dancer.motion()
        assert person["frames"] == [float(f) for f in motion.frames + 1]
        assert person["interpolation"] == ["LINEAR"]
        assert furthest_m(person, motion.joints_world_m, motion.joint_names) < TOLERANCE_M
        names = motion.joint_names
        expected = [None if parent < 0 else names[parent] for parent in motion.parents]
        assert [person["parents"][name] for name in names] == expected
        assert person["located"] == ['pose.bones["pelvis"].location']
        assert set(person["properties"]) == {"contact left heel", "contact right heel"}
        assert not any("confidence" in path for path in person["paths"])
        assert off_film_px(person, dancer.joints_px(motion), motion.joint_names, FILM_PX) < 0.1
    assert result["film"] == {**UPRIGHT_FILM, "shown": [0, 19, 47]}
    assert result["state after"]["scene camera"] == "dance camera"


def test_the_users_work_stays(blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path) -> None:
    result = import_video(
        blender, server, film, tmp_path, mode="EDIT", step=50, options={"rate": "CONVERT", "add_film": False}
    )
    assert result["state after"] == result["state before"]
    assert result["state before"]["mode"] == "EDIT_MESH"
    assert result["rate after"] == result["rate before"]
    assert len(result["people"]) == 2
    assert not any(result["left after undo"].values())
    assert not any(result["lost after undo"].values())
    assert result["state after undo"] == result["state before"]


def test_one_undo_takes_all_of_it_back(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    result = import_video(blender, server, film, tmp_path, step=50)
    assert result["added"]["movieclips"] == ["dance"]
    assert result["rate after"] != result["rate before"]
    assert not any(result["left after undo"].values())
    assert not any(result["lost after undo"].values())
    assert result["rate after undo"] == result["rate before"]
    assert result["state after undo"] == result["state before"]


@pytest.mark.parametrize(("rate", "resolution"), [("CONVERT", (640, 180)), ("KEEP", (200, 400))])
def test_the_scenes_rate_and_picture_can_stay(
    blender: BlenderHost,
    server: FakeServer,
    film: Path,
    tmp_path: Path,
    rate: str,
    resolution: tuple[int, int],
) -> None:
    film_frames = [101, 110, 130]
    result = import_video(
        blender,
        server,
        film,
        tmp_path,
        scene_rate=[24, 1.0],
        resolution=resolution,
        film_frames=film_frames,
        options={"rate": rate, "scene_frame": 101, "frame_start": 0},
    )
    assert server.rates == [Fraction(24) if rate == "CONVERT" else None] * 2
    for person, dancer in zip(result["people"], server.dancers, strict=True):
        motion = dancer.motion(server.rates[0])
        assert person["frames"] == pytest.approx(101 + motion.times_s * 24, abs=1e-4)
        assert furthest_m(person, motion.joints_world_m, motion.joint_names) < TOLERANCE_M
        assert off_film_px(person, dancer.joints_px(motion), motion.joint_names, resolution) < 0.2
    if rate == "CONVERT":
        assert all(frame == int(frame) for frame in result["people"][1]["frames"])
    assert result["state after"] == result["state before"]
    assert result["film"]["source"] == "IMAGE"
    assert result["film"]["shown"] == [round((frame - 101) / 24 * NTSC) for frame in film_frames]


def test_a_part_of_the_film(blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path) -> None:
    result = import_video(
        blender,
        server,
        film,
        tmp_path,
        film_frames=[1001],
        step=10,
        options={
            "frame_start": 13,
            "frame_end": 41,
            "scene_frame": 1001,
            "people": 1,
            "fov": 70.0,
            "height_m": 1.75,
            "floor": "none",
            "camera": "still",
            "add_confidence": True,
        },
    )
    spec = server.specs[0]
    assert (spec.camera, spec.solve.floor, spec.solve.height_m) == ("still", "none", pytest.approx(1.75))
    assert not any(spec.solve.HasField(name) for name in ("smoothing", "contacts"))
    assert (spec.start.frame, spec.end.frame, spec.people, spec.fov_deg) == (13, 41, 1, 70.0)
    assert list(spec.formats) == ["npz"]
    assert result["film"]["shown"] == [13]
    assert result["people"][1]["frames"][0] == 1001
    assert 'pose.bones["head"]["confidence"]' in result["people"][1]["paths"]


def test_pictures_in_a_row(
    blender: BlenderHost, server: FakeServer, pictures: list[Path], tmp_path: Path
) -> None:
    """Any picture stands for all of them, and the scene's rate is theirs."""
    server.dancers = [Dancer(1, 0, len(pictures), source_rate=Fraction(24))]
    result = import_video(blender, server, pictures[3], tmp_path, film_frames=[1, 6])
    (spec,) = server.specs
    assert spec.media.display_name == "shot.%04d.png"
    assert [file.file_name for file in spec.media.uploaded.files] == [path.name for path in pictures]
    assert (spec.input_fps.numerator, spec.input_fps.denominator) == (24, 1)
    assert result["added"]["collections"] == ["shot"]
    assert result["film"] == {**UPRIGHT_FILM, "shown": [0, 5]}
    assert result["rate after"]["range"] == [1, len(pictures)]


def test_a_camera_that_moves(blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path) -> None:
    """It is keyed as long as anybody is seen, and runs straight from key to key."""
    server.dancers = [Dancer(1, 0, 30), Dancer(2, 13, FILM_FRAMES)]
    move = server.camera_move = CameraMove(drift_m=0.02, pan_rad=0.01)
    result = import_video(blender, server, film, tmp_path, resolution=[320, 180])
    camera, world_to_camera = server.dancers[0].camera()
    for person, dancer in zip(result["people"], server.dancers, strict=True):
        motion = dancer.motion()
        matrices = move.matrices(world_to_camera, motion.frames)
        in_camera = np.einsum("tij,tkj->tki", matrices[:, :3, :3], motion.joints_world_m)
        expected = project(in_camera + matrices[:, None, :3, 3], camera.matrix)
        assert off_film_px(person, expected, motion.joint_names, FILM_PX) < 0.1
    path = result["camera path"]
    assert path["frames"] == [float(frame + 1) for frame in range(FILM_FRAMES)]
    assert path["keys"] == [FILM_FRAMES] * 7
    assert path["interpolation"] == ["LINEAR"]
    before, between, after = (np.array(path["places"][i::3]) for i in range(3))
    assert between == pytest.approx((before + after) / 2, abs=1e-4)


def test_a_film_that_was_stored_on_its_side(
    blender: BlenderHost, server: FakeServer, sideways_film: Path, tmp_path: Path
) -> None:
    """Blender turns it from 4.4 on; before, the background does."""
    result = import_video(
        blender, server, sideways_film, tmp_path, resolution=FILM_PX, step=50, film_frames=[1]
    )
    shown = result["film"]
    if blender.version in ("3.4.1", "4.2.23"):
        # Fitted into the picture on its side, it is 180 / 320 of the height it should have.
        assert (shown["turn"], shown["scale"]) == (-90, pytest.approx(16 / 9))
    else:
        assert (shown["turn"], shown["scale"]) == (0, 1)


def test_a_film_that_only_the_server_can_read(
    blender: BlenderHost, server: FakeServer, tmp_path: Path
) -> None:
    film = tmp_path / "dance.mp4"
    film.write_text("This Blender lacks the codec.")
    result = import_video(blender, server, film, tmp_path, step=50)
    assert result["added"]["objects"] == ["dance camera", "dance person 1", "dance person 2"]
    assert result["added"]["movieclips"] == []
    assert result["notes"].count("The camera shows no film, because Blender cannot open it: ") == 1
    assert not any(result["left after undo"].values())


def test_the_scenes_camera_may_have_filmed_it(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    """A camera on a rail that is keyed, half a metre from it, turned by 90 degrees to look ahead."""
    level = np.pi / 2
    dolly = [[1, [0, 0, 1], [level, 0, 0]], [41, [4, 0, 1], [level, 0, 0]]]
    result = import_video(
        blender,
        server,
        film,
        tmp_path,
        dolly=dolly,
        resolution=[320, 180],
        step=50,
        options={"camera": "scene", "frame_start": 8, "frame_end": 28, "scene_frame": 11},
    )
    spec = server.specs[-1]
    assert not spec.camera and not spec.HasField("focal_mm")
    track = spec.camera_track
    assert list(track.frames) == list(range(8, 28))
    places = np.reshape(track.positions_m, (-1, 3))
    # Film frame 8 is scene frame 11, a quarter of the way; the camera's own z is the world's -y.
    expected = np.stack([np.arange(10, 30) / 10, np.full(20, -0.5), np.ones(20)], axis=1)
    np.testing.assert_allclose(places, expected, atol=1e-4)
    turns = np.reshape(track.rotations_wxyz, (-1, 4))
    np.testing.assert_allclose(turns, [[np.sqrt(0.5), np.sqrt(0.5), 0, 0]] * 20, atol=1e-5)
    assert track.focal_mm == pytest.approx(50)
    # It is there already, and stays as it was.
    assert result["added"]["objects"] == ["dance person 1", "dance person 2"]
    assert not result["added"]["cameras"] and not result["added"]["movieclips"]
    assert result["state after"]["scene camera"] == "Camera"


def test_at_another_rate_the_scenes_camera_is_where_it_was_at_that_time(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    result = import_video(
        blender,
        server,
        film,
        tmp_path,
        dolly=[[1, [0, 0, 1], [0, 0, 0]], [41, [4, 0, 1], [0, 0, 0]]],
        scene_rate=[24, 1.0],
        resolution=[180, 320],
        step=50,
        options={"camera": "scene", "rate": "CONVERT", "fov": 60.0},
    )
    spec = server.specs[-1]
    places = np.reshape(spec.camera_track.positions_m, (-1, 3))
    assert len(places) == FILM_FRAMES + 10 and spec.fov_deg == 60
    at_s = np.array(spec.camera_track.frames) / float(NTSC)
    np.testing.assert_allclose(places[:, 0], np.clip(at_s * 24 / 10, 0, 4), atol=1e-3)
    # The film lies across a picture that stands: its longer side is the picture's shorter one.
    assert spec.camera_track.focal_mm == pytest.approx(50 * 320 / 180)
    assert result["state after"] == result["state before"]
