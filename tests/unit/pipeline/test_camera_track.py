"""A camera's track as hosts and files have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pose_server.pipeline.camera_track import KEYS_LIMIT, CameraTrack, read_camera_track
from pose_server.pipeline.options import ImportOptions
from pose_shared.errors import InputError
from scipy.spatial.transform import Rotation

#: Blender's axes: a camera that is not turned looks straight down, one turned by 90 degrees about x to +y.
LEVEL_WXYZ = [2**-0.5, 2**-0.5, 0.0, 0.0]


def track(**changes: Any) -> dict[str, Any]:
    fields = {
        "frames": [10, 20, 40],
        "positions_m": [[0, 0, 1.6], [1, 0, 1.6], [1, 2.0, 1.6]],
        "rotations_wxyz": [LEVEL_WXYZ] * 3,
    }
    return {key: value for key, value in (fields | changes).items() if value is not None}


def test_between_its_keys_the_camera_moves_evenly() -> None:
    path = CameraTrack.from_dict(track()).path(np.arange(10, 41))
    assert path.metric and path.world is not None and path.places is not None
    # Level, towards +y: the picture's right is east, its down is down.
    np.testing.assert_allclose(path.world[:3, :3] @ [1, 0, 0], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(path.world[:3, :3] @ [0, 1, 0], [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(path.world[:3, :3] @ [0, 0, 1], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(path.world[:3, 3], [0, 0, 1.6])
    there = path.places @ path.world[:3, :3].T + path.world[:3, 3]
    np.testing.assert_allclose(there[5], [0.5, 0, 1.6])
    np.testing.assert_allclose(there[20], [1, 1.0, 1.6])
    np.testing.assert_allclose(path.turns, np.tile(np.eye(3), (31, 1, 1)), atol=1e-12)


def test_a_point_of_the_world_is_seen_where_it_is() -> None:
    rng = np.random.default_rng(1)
    turned = Rotation.random(7, random_state=2)
    positions = rng.normal(size=(7, 3))
    given = CameraTrack.from_dict(
        track(
            frames=list(range(3, 10)),
            positions_m=positions.tolist(),
            rotations_wxyz=turned.as_quat(scalar_first=True).tolist(),
        )
    )
    path = given.path(np.arange(5, 10))
    assert path.world is not None and path.places is not None
    point = np.array([0.3, -2.0, 1.0])
    first = np.linalg.inv(path.world) @ [*point, 1]
    seen = np.einsum("tij,tj->ti", path.turns, first[:3] - path.places)
    x, y, z = turned.inv()[2:].apply(point - positions[2:]).T
    np.testing.assert_allclose(seen, np.stack([x, -y, -z], axis=1), atol=1e-12)


def test_one_key_is_a_camera_that_stands() -> None:
    still = track(frames=[0], positions_m=[[0, 0, 1]], rotations_wxyz=[LEVEL_WXYZ])
    path = CameraTrack.from_dict(still).path(np.arange(5, 9))
    assert path.places is not None and not path.places.any() and len(path.turns) == 4


def test_a_clip_that_is_longer_is_refused() -> None:
    for frames in (np.arange(9, 20), np.arange(30, 42)):
        with pytest.raises(InputError, match="has frames 10 to 40, and the clip") as caught:
            CameraTrack.from_dict(track()).path(frames)
        assert caught.value.reason == "CAMERA_TRACK_SHORT"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"frames": []}, "no frame"),
        ({"frames": [10, 20]}, "for each of 2 frames"),
        ({"frames": [10, 40, 20]}, "do not grow"),
        ({"frames": [10, 20, 20]}, "do not grow"),
        ({"frames": [-1, 20, 40]}, "do not grow"),
        ({"frames": [10, 20, 10**30]}, "do not grow"),
        ({"frames": [10, 20.5, 40]}, "whole numbers"),
        ({"frames": [False, 20, 40]}, "whole numbers"),
        ({"frames": None}, "frames is no list"),
        ({"frames": list(range(KEYS_LIMIT + 1))}, "every second or third"),
        ({"positions_m": [[0, 0]] * 3}, "positions_m does not have 3"),
        ({"positions_m": [0, 0, 0]}, "no list of lists"),
        ({"positions_m": [[0, 0, "1"]] * 3}, "no number"),
        ({"positions_m": [[0, 0, float("nan")]] * 3}, "no number"),
        ({"positions_m": [[0, 0, 1e9]] * 3}, "farther than"),
        ({"rotations_wxyz": [[1, 1, 0, 0]] * 3}, "no unit quaternion"),
        ({"rotations_wxyz": [[0, 0, 0, 0]] * 3}, "no unit quaternion"),
        ({"focal_mm": 1}, "focal length"),
        ({"focal_mm": "50"}, "no number"),
        ({"units": "feet"}, "'units'"),
    ],
)
def test_what_is_no_track_is_one_sentence(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        CameraTrack.from_dict(track(**changes))
    assert caught.value.reason == "CAMERA_TRACK_INVALID" and "docs/solve.md" in caught.value.message


def test_it_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "camera.json"
    path.write_text(json.dumps(track(focal_mm=35)))
    read = read_camera_track(path)
    assert read.focal_mm == 35 and read == CameraTrack.from_dict(read.to_dict())
    options = ImportOptions(camera_track=read)
    assert ImportOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options
    deep, long = "[" * 100_000, " " * 17_000_000
    for text, why in (("{", "no JSON"), ("[]", "no object"), (deep, "no JSON"), (long, "MB")):
        path.write_text(text)
        with pytest.raises(InputError, match=why):
            read_camera_track(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_camera_track(tmp_path / "none.json")
    for endless in (tmp_path, Path("/dev/zero")):
        with pytest.raises(InputError, match="is no file"):
            read_camera_track(endless)
    with pytest.raises(InputError, match="not both"):
        ImportOptions(camera="still", camera_track=read)
