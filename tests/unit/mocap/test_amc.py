from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pose_server.mocap.amc import read_amc, read_asf
from pose_shared.errors import InputError

ASF = """# a skeleton of two bones
:version 1.10
:name two
:units
  mass 1.0
  length 0.5
  angle deg
:documentation
   nothing
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name thigh
     direction 0 -1 0
     length 8
     axis 0 0 90 XYZ
    dof rx ry
    limits (-160.0 20.0)
           (-70.0 70.0)
  end
  begin
     id 2
     name shin
     direction 0 -1 0
     length 6
     axis 0 0 0 XYZ
    dof rx
    limits (-10.0 170.0)
  end
:hierarchy
  begin
    root thigh
    thigh shin
  end
"""
AMC = """#!OML:ASF two.asf
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
thigh 0 0
shin 0
2
root 0 0 0 0 90 0
thigh 90 0
shin 0
3
root 0 0 0 0 0 0
thigh 0 0
shin 90
"""
#: Metres per unit: inches over the file's own length unit.
UNIT_M = 0.0254 / 0.5


def files(folder: Path, asf: str = ASF, amc: str = AMC) -> tuple[Path, Path]:
    (folder / "two.asf").write_text(asf)
    (folder / "two.amc").write_text(amc)
    return folder / "two.asf", folder / "two.amc"


def test_places_are_those_computed_by_hand(tmp_path: Path) -> None:
    asf, amc = files(tmp_path)
    take = read_amc(amc, read_asf(asf), 120.0)
    assert take.names == ("root", "thigh", "shin") and take.parents.tolist() == [-1, 0, 1]
    assert take.rate_hz == 120.0
    rest, turned, bent = take.points_m / UNIT_M
    np.testing.assert_allclose(rest, [[1, 2, 3], [1, -6, 3], [1, -12, 3]], atol=1e-12)
    # The thigh's own x axis is the body's y: its bone lies along that and stays, whatever it turns.
    np.testing.assert_allclose(turned, [[0, 0, 0], [0, -8, 0], [0, -14, 0]], atol=1e-12)
    # The shin's own axes are the body's: 90 degrees about x bring -y to -z.
    np.testing.assert_allclose(bent, [[0, 0, 0], [0, -8, 0], [0, -8, -6]], atol=1e-12)


def test_a_turn_carries_what_hangs_below(tmp_path: Path) -> None:
    asf, amc = files(tmp_path, amc="1\nroot 0 0 0 0 0 90\nthigh 0 90\nshin 0\n")
    take = read_amc(amc, read_asf(asf), 60.0)
    # Root: 90 about z, -y goes to x. Thigh: 90 about its own y, which is the body's -x, before that:
    # -y goes to z.
    np.testing.assert_allclose(take.points_m[0] / UNIT_M, [[0, 0, 0], [0, 0, 8], [0, 0, 14]], atol=1e-12)
    np.testing.assert_allclose(
        take.turns @ take.turns.transpose(0, 1, 3, 2), np.eye(3) + np.zeros((1, 3, 1, 1))
    )


@pytest.mark.parametrize(
    ("change", "line", "fault"),
    [
        (("length 0.5", "length 0"), 6, "above zero"),
        (("length 0.5", "length"), 6, "0 values instead of 1"),
        (("length 0.5", "length inch"), 6, "could not convert"),
        (("angle deg", "angle rad"), 7, "only degrees are read"),
        (("order TX TY TZ RX RY RZ", "order TX TY TZ RZ RY RX"), 11, "order x, y, z"),
        (("order TX TY TZ RX RY RZ", "order TX TY TZ RX RY QZ"), 11, "unknown freedom"),
        (("axis XYZ\n   position", "axis ZYX\n   position"), 12, "only the order XYZ"),
        (("position 0 0 0", "position 0 5 0"), 13, "root at zero"),
        (("  begin\n     id 1\n     name", "     name"), 16, "before the first 'begin'"),
        (("direction 0 -1 0", "direction 0 -1"), 19, "2 values instead of 3"),
        (("length 8", "length nan"), 20, "no number"),
        (("axis 0 0 90 XYZ", "axis 0 0 90 ZYX"), 21, "only the order XYZ"),
        (("dof rx ry", "dof ry rx"), 22, "order x, y, z"),
        (("root thigh", "root thigh knee"), 37, "'knee' does not fit"),
        (("thigh shin", "thigh thigh"), 38, "'thigh' does not fit"),
        (("root thigh\n", ""), 37, "'shin' does not fit"),
        (("    root thigh\n    thigh shin\n", ""), None, "describes no bones"),
    ],
)
def test_a_malformed_skeleton_is_one_sentence_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int | None, fault: str
) -> None:
    assert change[0] in ASF
    asf, _ = files(tmp_path, asf=ASF.replace(*change, 1))
    with pytest.raises(InputError, match=fault) as caught:
        read_asf(asf)
    check_sentence(caught.value, "two.asf", line)


@pytest.mark.parametrize(
    ("change", "line", "fault"),
    [
        ((":DEGREES", ":RADIANS"), 3, "only degrees are read"),
        (("1\nroot", "root"), 4, "before the number of the first frame"),
        (("thigh 0 0\n", "thigh 0\n"), 6, "1 values instead of 2"),
        (("thigh 0 0\n", "thigh 0 x\n"), 6, "could not convert"),
        (("thigh 0 0\n", "thigh 0 inf\n"), 6, "no number"),
        (("thigh 0 0\n", "knee 0 0\n"), 6, "the skeleton has no bone 'knee'"),
        (("thigh 0 0\n", ""), 7, "frame 1 lacks 'thigh'"),
        (("shin 90\n", ""), None, "frame 3 lacks 'shin'"),
        ((AMC[AMC.index("1\nroot") :], ""), None, "holds no frames"),
    ],
)
def test_a_malformed_motion_is_one_sentence_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int | None, fault: str
) -> None:
    assert change[0] in AMC
    asf, amc = files(tmp_path, amc=AMC.replace(*change, 1))
    with pytest.raises(InputError, match=fault) as caught:
        read_amc(amc, read_asf(asf), 120.0)
    check_sentence(caught.value, "two.amc", line)


def test_files_that_are_missing_or_none_are_refused(tmp_path: Path) -> None:
    asf, _ = files(tmp_path)
    with pytest.raises(InputError, match="cannot be opened"):
        read_asf(tmp_path / "none.asf")
    with pytest.raises(InputError, match="cannot be opened"):
        read_amc(tmp_path, read_asf(asf), 120.0)
    (tmp_path / "film.asf").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(InputError, match="describes no bones"):
        read_asf(tmp_path / "film.asf")


def check_sentence(error: InputError, name: str, line: int | None) -> None:
    assert error.reason == "MOTION_UNREADABLE"
    assert "\n" not in error.message and error.message.startswith(f"'{name}'") and error.message.endswith(".")
    assert error.metadata.get("line") == (None if line is None else str(line))
