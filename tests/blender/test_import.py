"""The add-on in every Blender: what it writes is where it should be, and nothing else changes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blender_hosts import BlenderHost
from fake_pose_server import FakeServer

TOLERANCE_M = 1e-3
NTSC = Fraction(30000, 1001)


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
        drawn = np.array([[place[name] for name in motion.joint_names] for _, place in person["seen"]])
        assert np.abs(drawn - dancer.joints_px(motion)).max() < 0.1
    assert result["film"] == {"source": "MOVIE_CLIP", "shown": [0, 19, 47], "visible": True}
    assert result["state after"]["scene camera"] == "dance camera"


@pytest.mark.parametrize("mode", ["OBJECT", "EDIT", "SCULPT"])
def test_the_users_work_stays(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path, mode: str
) -> None:
    result = import_video(
        blender, server, film, tmp_path, mode=mode, step=50, options={"rate": "CONVERT", "add_film": False}
    )
    assert result["state after"] == result["state before"]
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


@pytest.mark.parametrize("rate", ["CONVERT", "KEEP"])
def test_the_scenes_rate_can_stay(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path, rate: str
) -> None:
    film_frames = [101, 110, 130]
    result = import_video(
        blender,
        server,
        film,
        tmp_path,
        scene_rate=[24, 1.0],
        film_frames=film_frames,
        options={"rate": rate, "scene_frame": 101, "frame_start": 0},
    )
    assert server.rates == [Fraction(24) if rate == "CONVERT" else None] * 2
    for person, dancer in zip(result["people"], server.dancers, strict=True):
        motion = dancer.motion(server.rates[0])
        assert person["frames"] == pytest.approx(101 + motion.times_s * 24, abs=1e-4)
        assert furthest_m(person, motion.joints_world_m, motion.joint_names) < TOLERANCE_M
    if rate == "CONVERT":
        assert all(frame == int(frame) for frame in result["people"][1]["frames"])
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
            "add_confidence": True,
        },
    )
    spec = server.specs[0]
    assert (spec.start.frame, spec.end.frame, spec.people, spec.fov_deg) == (13, 41, 1, 70.0)
    assert list(spec.formats) == ["npz"]
    assert result["film"]["shown"] == [13]
    assert result["people"][1]["frames"][0] == 1001
    assert 'pose.bones["head"]["confidence"]' in result["people"][1]["paths"]
