from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pose_server.rigs.motion_capture import read_acclaim, read_bvh_rig
from pose_server.rigs.recorded import rate_of, unit_of
from pose_shared.errors import InputError

#: Root, offsets of spine, left and right leg; each leg ends in an end site.
STANDING = """HIERARCHY
ROOT hips
{{
  OFFSET 7 7 7
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT spine
  {{
    OFFSET {spine}
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {{
      OFFSET {spine}
    }}
  }}
  JOINT leg
  {{
    OFFSET {leg}
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {{
      OFFSET {leg}
    }}
  }}
}}
MOTION
Frames: 2
Frame Time: 0.0083333
{first}
{second}
"""


def written(folder: Path, spine: str, leg: str, first: str, second: str | None = None) -> Path:
    path = folder / "take.bvh"
    path.write_text(STANDING.format(spine=spine, leg=leg, first=first, second=second or first))
    return path


def test_the_rig_stands_on_its_origin_and_ends_are_tails(tmp_path: Path) -> None:
    found = read_bvh_rig(written(tmp_path, "0 40 0", "0 -45 0", "1 2 3 0 0 0 0 0 0 90 0 0"))
    assert found.rig.up == "y"
    assert found.rate == 120
    assert found.rig.metres_per_unit == 0.01
    assert [(b.name, b.parent, b.head, b.tail) for b in found.rig.bones] == [
        ("hips", "", (0, 90, 0), None),
        ("spine", "hips", (0, 130, 0), (0, 170, 0)),
        ("leg", "hips", (0, 45, 0), (0, 0, 0)),
    ]
    np.testing.assert_allclose(found.heads[0], [[1, 2, 3], [1, 42, 3], [1, -43, 3]], atol=1e-9)
    # The leg turns by 90 degrees about z, which takes -y to x.
    np.testing.assert_allclose(found.turns[0, 2] @ [0, -1, 0], [1, 0, 0], atol=1e-12)


def test_z_may_point_up(tmp_path: Path) -> None:
    assert read_bvh_rig(written(tmp_path, "0 0 0.4", "0 0 -.45", "0 0 0 0 0 0 0 0 0 0 0 0")).rig.up == "z"


def test_a_rest_pose_that_lies_gives_way_to_the_first_frame(tmp_path: Path) -> None:
    # Along x at rest; both chains are turned upright by the first frame.
    path = written(tmp_path, "40 0 0", "-45 0 0", "0 90 0 90 0 0 0 0 0 0 0 0", "0 90 0 90 0 0 90 0 0 0 0 0")
    found = read_bvh_rig(path)
    assert len(found.notes) == 2
    heads = np.array([bone.head for bone in found.rig.bones])
    np.testing.assert_allclose(heads, [[0, 90, 0], [0, 130, 0], [0, 45, 0]], atol=1e-9)
    np.testing.assert_allclose(found.turns[0], np.broadcast_to(np.eye(3), (3, 3, 3)), atol=1e-12)
    # What the spine does from there on is turned away from that rest: from y on by 90 degrees to -x.
    np.testing.assert_allclose(found.turns[1, 1] @ [0, 1, 0], [-1, 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("height", "metres"),
    [(1.7, 1.0), (170, 0.01), (66, 0.0254), (1700, 0.001), (25, 0.0254 / 0.45), (7, 1.7 / 7)],
)
def test_units_are_told_by_the_height(height: float, metres: float) -> None:
    unit, note = unit_of(height)
    assert unit == pytest.approx(metres)
    assert note.endswith(".")


@pytest.mark.parametrize(
    ("rate_hz", "rate"),
    [
        (1 / 0.0083333, Fraction(120)),
        (1 / 0.033367, Fraction(30000, 1001)),
        (1 / 0.033333, Fraction(30)),
        (1 / 0.041708, Fraction(24000, 1001)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_rates_are_those_that_frame_times_mean(rate_hz: float, rate: Fraction) -> None:
    assert rate_of(rate_hz) == rate


def test_an_amc_needs_its_skeleton(tmp_path: Path) -> None:
    (tmp_path / "01_01.amc").write_text(":DEGREES\n1\nroot 0 0 0 0 0 0\n")
    with pytest.raises(InputError, match="0 skeletons"):
        read_acclaim(tmp_path / "01_01.amc")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Frames: 2", "Frames: 99", "declares 99 frames and holds 2"),
        ("Frame Time: 0.0083333", "Frame Time: 0", "frame time"),
        ("OFFSET 7 7 7", "OFFSET 7 nan 7", "line 4: expected 3 numbers"),
        ("CHANNELS 6", "CHANNELS 5", "line 5"),
        ("MOTION", "MOTIONS", "no MOTION|unknown"),
        ("JOINT leg", "JOINT leg\n}", "line 25"),
    ],
)
def test_what_is_malformed_is_refused_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = written(tmp_path, "0 40 0", "0 -45 0", "0 0 0 0 0 0 0 0 0 0 0 0")
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=words) as error:
        read_bvh_rig(path)
    assert error.value.reason == "MOTION_UNREADABLE"


def test_a_bvh_of_any_number_of_joints_is_refused_quickly(tmp_path: Path) -> None:
    joints = "".join(f"JOINT j{i} {{\nOFFSET 0 1 0\nCHANNELS 0\n" for i in range(10_001)).replace(" {", "\n{")
    path = tmp_path / "a.bvh"
    path.write_text(
        "HIERARCHY\nROOT r\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\n"
        + joints
        + "}\n" * 10_002
        + "MOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n"
    )
    with pytest.raises(InputError, match="10002 joints"):
        read_bvh_rig(path)


@pytest.mark.reference
def test_other_projects_cases_are_read(reference_data: Path, tmp_path: Path) -> None:
    import zipfile

    cases = reference_data / "bvh_cases"
    for path in sorted([*cases.glob("pybvh_data/*.bvh"), *cases.glob("pybvh_fixtures/*.bvh")]):
        assert len(read_bvh_rig(path)) > 0
    with zipfile.ZipFile(cases / "assimp_boxing_toes.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith(".bvh"))
        archive.extract(name, tmp_path)
    # It declares 3,069 frames and holds one more: nothing is lost by reading it.
    assert len(read_bvh_rig(tmp_path / name)) == 3070
    exact = read_bvh_rig(cases / "pybvh_fixtures" / "full_precision_frame_time.bvh")
    assert exact.rate == Fraction(24000, 1001)
