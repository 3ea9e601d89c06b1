from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_motion import make_motion
from pose_server.export.animation import animation_of
from pose_server.export.bvh import write_bvh
from pose_server.mocap.bvh import read_bvh
from pose_server.pipeline.file_options import FileOptions
from pose_shared.errors import InputError

CHAIN = """HIERARCHY
ROOT hips
{
  OFFSET 1 2 3
  CHANNELS 6 Yrotation Xposition Zposition Yposition Zrotation Xrotation
  JOINT spine
  {
    OFFSET 0 10 0
    CHANNELS 2 Zrotation Xposition
    End Site
    {
      OFFSET 0 5 0
    }
  }
  JOINT leg
  {
    OFFSET 4 0 0
    End Site
    {
      OFFSET 0 -8 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 0 0 0 0 0   0 0
90 100 300 200 0 0   90 7
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "take.bvh"
    path.write_text(text)
    return path


def test_places_are_those_computed_by_hand(tmp_path: Path) -> None:
    take = read_bvh(written(tmp_path, CHAIN), metres_per_unit=1.0)
    assert take.names == ("hips", "spine", "spine_end", "leg", "leg_end")
    assert take.parents.tolist() == [-1, 0, 1, 0, 3]
    assert take.rate_hz == pytest.approx(25)
    # A position channel replaces its axis of the offset: the spine's x is 0 here, not its rest.
    np.testing.assert_allclose(
        take.points_m[0], [[0, 0, 0], [0, 10, 0], [0, 15, 0], [4, 0, 0], [4, -8, 0]], atol=1e-12
    )
    # The root turns 90 degrees about y (x goes to -z), the spine then 90 about its z (y goes to -x).
    np.testing.assert_allclose(
        take.points_m[1],
        [[100, 200, 300], [100, 210, 293], [100, 210, 298], [100, 200, 296], [100, 192, 296]],
        atol=1e-9,
    )


@pytest.mark.parametrize(
    ("order", "end"),
    [
        # R = R_first R_second R_third of (0, 0, 1), turned by 90 degrees about each.
        ("X Y Z", (1, 0, 0)),
        ("Z Y X", (1, 0, 0)),
        ("Y Z X", (0, 0, -1)),
        ("X Z Y", (0, 0, 1)),
        ("Z X Y", (0, 1, 0)),
        ("Y X Z", (0, -1, 0)),
    ],
)
def test_rotations_apply_in_the_order_of_their_channels(
    tmp_path: Path, order: str, end: tuple[int, int, int]
) -> None:
    names = " ".join(f"{axis}rotation" for axis in order.split())
    text = (
        f"HIERARCHY\nROOT a\n{{\nOFFSET 0 0 0\nCHANNELS 3 {names}\nEnd Site\n{{\nOFFSET 0 0 1\n}}\n}}\n"
        "MOTION\nFrames: 1\nFrame Time: 1\n90 90 90\n"
    )
    points = read_bvh(written(tmp_path, text), metres_per_unit=1.0).points_m
    np.testing.assert_allclose(points[0, 1], hand_turned(order.split()), atol=1e-12)
    np.testing.assert_allclose(points[0, 1], end, atol=1e-12)


def hand_turned(order: list[str]) -> np.ndarray:
    """(0, 0, 1) after quarter turns, the last axis first."""
    turns = {
        "X": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
        "Y": [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
        "Z": [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
    }
    point = np.array([0, 0, 1])
    for axis in reversed(order):
        point = np.array(turns[axis]) @ point
    return point


def test_units_and_repairs_of_offsets(tmp_path: Path) -> None:
    path = written(tmp_path, CHAIN)
    take = read_bvh(path, metres_per_unit=0.01, moved={"leg": (1.0, 0.0, -2.0)})
    np.testing.assert_allclose(take.points_m[0, 3], [0.05, 0, -0.02], atol=1e-12)
    with pytest.raises(InputError, match="has no joint 'Neck'") as caught:
        read_bvh(path, moved={"Neck": (0.0, 1.0, 0.0)})
    assert caught.value.reason == "MOTION_UNREADABLE"


@pytest.mark.parametrize(("unit", "metres"), [("cm", 0.01), ("m", 1.0)])
@pytest.mark.parametrize("order", ["ZXY", "XYZ", "YXZ"])
def test_what_the_exporter_wrote_reads_back(tmp_path: Path, unit: str, metres: float, order: str) -> None:
    whole = make_motion()
    per_frame = ("times_s", "frames", "local_rotations_wxyz", "root_world_m", "joints_world_m")
    per_frame += ("joints_camera_m", "root_camera_m", "confidence", "contacts", "keypoints_px")
    per_frame += ("keypoint_confidence", "reprojection_px")
    motion = dataclasses.replace(whole, **{name: getattr(whole, name)[:40] for name in per_frame})
    path = tmp_path / "take.bvh"
    write_bvh(path, animation_of(motion), FileOptions(unit=unit, rotation_order=order))
    take = read_bvh(path, metres_per_unit=metres)
    assert take.rate_hz == pytest.approx(float(motion.rate))
    columns = [take.index(name) for name in motion.joint_names]
    x, y, z = np.moveaxis(motion.joints_world_m, -1, 0)
    np.testing.assert_allclose(take.points_m[:, columns], np.stack([x, z, -y], axis=-1), atol=2e-5)


@pytest.mark.parametrize(
    ("change", "line", "fault"),
    [
        (("HIERARCHY", "\ufeffHIERARCHY"), None, None),
        (("OFFSET 1 2 3", "OFFSET 1 2"), 4, "expected 3 numbers"),
        (("OFFSET 1 2 3", "OFFSET 1 2 nan"), 4, "expected 3 numbers"),
        (("OFFSET 1 2 3", "OFFSET 1,5 2 3"), 4, "expected 3 numbers"),
        (("CHANNELS 2 Z", "CHANNELS 3 Z"), 9, "names no valid channels"),
        (("CHANNELS 2 Zrotation", "CHANNELS 2 Wrotation"), 9, "names no valid channels"),
        (("CHANNELS 2 Zrotation Xposition", "CHANNELS 2 Zrotation Zrotation"), 9, "names no valid channels"),
        (("JOINT leg", "BONE leg"), 15, "'BONE' is unknown here"),
        (("JOINT leg", "ROOT leg"), 15, "more than one root"),
        (("ROOT hips\n{", "ROOT hips\n{\n}\n}"), 5, "a bracket closes"),
        (("ROOT hips\n{", "JOINT hips\n{"), 2, "a joint outside it"),
        (("}\nMOTION", "MOTION"), None, "'hips' is never closed"),
        (("MOTION", "NOTHING"), None, "it has no MOTION"),
        (("Frames: 2", "Frames: two"), 25, "'Frames: two' cannot be read"),
        (("Frames: 2", "Frames: 3"), 28, "declares 3 frames and holds 2"),
        (("Frames: 2", "Frames: 1"), None, None),
        (("Frame Time: 0.04", "Frame Time: 0"), 26, "frame time"),
        (("Frame Time: 0.04", "Frame Time: 1e-310"), 26, "frame time of 1e-310 s"),
        (("Frame Time: 0.04", "Frame Time: 1e30"), 26, "is not of 0.1 to 1000 Hz"),
        (("OFFSET 1 2 3", "OFFSET 1 2 1e300"), 4, "too large"),
        (("Frame Time: 0.04", "Frame Time: nan"), 26, "frame time"),
        (("Frame Time: 0.04\n", ""), None, "frame time"),
        (("90 100 300 200 0 0   90 7", "90 100 300"), 28, "3 values for 8 channels"),
        (("90 100 300 200 0 0   90 7", "90 100 300 200 0 0 x 7"), 28, "cannot be read"),
        (("90 100 300 200 0 0   90 7", "90 100 300 200 0 0 nan 7"), 28, "no numbers"),
        (("90 100 300 200 0 0   90 7", "90 100 300 200 0 0 1e308 7"), 28, "too large"),
    ],
)
def test_a_malformed_file_is_one_sentence_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int | None, fault: str | None
) -> None:
    assert change[0] in CHAIN
    path = written(tmp_path, CHAIN.replace(*change, 1))
    if fault is None:
        assert len(read_bvh(path)) == 2
        return
    with pytest.raises(InputError, match=fault) as caught:
        read_bvh(path)
    message = caught.value.message
    assert caught.value.reason == "MOTION_UNREADABLE"
    assert "\n" not in message and message.startswith("'take.bvh'") and message.endswith(".")
    assert caught.value.metadata.get("line") == (None if line is None else str(line))
    assert line is None or f"line {line}:" in message


@pytest.mark.parametrize("text", ["", "MOTION\n", "HIERARCHY\nMOTION\nFrames: 0\nFrame Time: 1\n"])
def test_a_file_without_a_skeleton_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"no joints|no MOTION"):
        read_bvh(written(tmp_path, text))


def test_a_file_without_frames_or_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no frames"):
        read_bvh(written(tmp_path, CHAIN[: CHAIN.index("0 0 0 0 0 0   0 0")]))
    with pytest.raises(InputError, match="cannot be opened"):
        read_bvh(tmp_path / "none.bvh")
    with pytest.raises(InputError, match="cannot be opened"):
        read_bvh(tmp_path)
    (tmp_path / "film.bvh").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(InputError, match="no MOTION"):
        read_bvh(tmp_path / "film.bvh")


@pytest.mark.reference
def test_files_of_other_programs_are_read(reference_data: Path) -> None:
    folder = reference_data / "bvh_cases"
    read = {path.name: read_bvh(path) for path in sorted(folder.rglob("*.bvh"))}
    assert len(read) == 8
    sizes = {name: (len(take.names), len(take), round(take.rate_hz)) for name, take in read.items()}
    assert sizes["bvh_test3.bvh"] == (73, 100, 120)
    assert sizes["rotation_first_root.bvh"] == (6, 4, 25)
    assert read["full_precision_frame_time.bvh"].rate_hz == pytest.approx(24000 / 1001, rel=1e-6)
    for take in read.values():
        bones = np.linalg.norm(take.points_m[:, 1:] - take.points_m[:, take.parents[1:]], axis=2)
        assert np.ptp(bones, axis=0).max() < 1e-6


@pytest.mark.reference
def test_a_file_that_holds_more_frames_than_it_declares_is_taken(
    reference_data: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(reference_data / "bvh_cases" / "assimp_boxing_toes.zip") as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".bvh")]
        archive.extract(name, tmp_path)
    assert len(read_bvh(tmp_path / name)) == 3070
