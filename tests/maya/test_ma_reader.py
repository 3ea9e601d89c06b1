"""The reader of Maya ASCII, on files written by hand."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import ma_reader

HEAD = '//Maya ASCII 2025 scene\nrequires maya "2025";\ncurrentUnit -l meter -a degree -t ntsc;\n'

ARM = (
    HEAD
    + r"""
/* a comment
   over lines */
requires -nodeType "HIKCharacterNode" "mayaHIK" "1.0_HIK_2016.5";
fileInfo "application" "maya; \"quoted\"";
createNode transform -n "take:root";
	rename -uid "0000-01";
	setAttr ".t" -type "double3" 0 1 0 ;   // one metre up
createNode joint -n "take:upper" -p "take:root";
	addAttr -ci true -k true -sn "conf" -ln "confidence" -min 0 -max 1 -at "double";
	addAttr -ci true -sn "nts" -ln "notes" -dt "string";
	setAttr -k on ".conf" 0.5;
	setAttr ".nts" -type "string" "a \"b\"\n;c // no comment";
	setAttr -l on -k off ".v" no;
	setAttr ".jo" -type "double3" 0 0 90 ;
	setAttr ".ssc" no;
createNode joint -n "take:lower" -p "take:upper";
	setAttr ".tx" 2;
	setAttr ".ssc" no;
createNode joint -n "take:tip" -p
		"|take:root|take:upper|take:lower";
	setAttr ".t" -type "double3" 1 0
		0 ;
createNode animCurveTA -n "bend";
	setAttr ".tan" 2;
	setAttr ".wgt" no;
	setAttr -s 3 ".ktv[0:2]"  0 0 30
		90 60 180;
	setAttr -s 3 ".kot[1:2]"  5 5;
createNode script -n "ui";
	setAttr ".b" -type "string" (
		"// not a comment\n"
		+ "second");
select -ne :time1;
	setAttr ".o" 30;
connectAttr "bend.o" "take:lower.rz";
connectAttr "take:upper.s" "take:lower.is";
// End of arm.ma
"""
)


def test_statements_units_and_values() -> None:
    file = ma_reader.read(ARM)
    assert (file.version, file.linear, file.angle, file.time) == ("2025", "meter", "degree", "ntsc")
    assert file.requires["mayaHIK"] == "1.0_HIK_2016.5"
    assert file.info["application"] == 'maya; "quoted"'
    upper = file.find("take:upper")
    assert upper.path == "|take:root|take:upper" and upper.kind == "joint"
    assert upper.get("notes") == 'a "b"\n;c // no comment'
    assert upper.get("confidence") == 0.5 and upper.added["confidence"].maximum == 1.0
    assert upper.locked == {"v"} and upper.keyable["v"] is False and upper.get("v") is False
    assert file.find("ui").get("b") == "// not a comment\nsecond"
    assert file.defaults["time1"].get("o") == 30
    assert file.find("take:root").uid == "0000-01"


def test_joints_at_a_time() -> None:
    """Root 1 m up, upper turned up by its orientation, two metres to lower, one to the tip; lower bends."""
    file = ma_reader.read(ARM)
    lower, tip = file.find("take:lower"), file.find("take:tip")
    assert file.position_cm(lower, 0.0) == pytest.approx((0, 300, 0), abs=1e-9)
    assert file.position_cm(tip, 0.0) == pytest.approx((0, 400, 0), abs=1e-9)
    half = math.sqrt(0.5) * 100
    assert file.position_cm(tip, 0.5) == pytest.approx((-half, 300 + half, 0), abs=1e-9)
    assert file.position_cm(tip, 1.0) == pytest.approx((-100, 300, 0), abs=1e-9)
    # From the second key on the tangent is a step.
    assert file.position_cm(tip, 1.9) == pytest.approx((-100, 300, 0), abs=1e-9)
    assert file.position_cm(tip, 2.0) == pytest.approx((0, 200, 0), abs=1e-9)
    assert file.position_cm(tip, 9.0) == pytest.approx((0, 200, 0), abs=1e-9)


def test_segment_scale_compensates_unless_switched_off() -> None:
    """Nodes/joint.html: on by default, and then the parent's scale does not reach the child's axes."""
    text = (
        HEAD
        + """
createNode joint -n "a";
	setAttr ".s" -type "double3" 2 2 2 ;
createNode joint -n "b" -p "a";
	setAttr ".t" -type "double3" 1 0 0 ;
createNode transform -n "c" -p "b";
	setAttr ".t" -type "double3" 1 0 0 ;
connectAttr "a.s" "b.is";
"""
    )
    on = ma_reader.read(text)
    assert on.position_cm(on.find("c"), 0.0) == pytest.approx((300, 0, 0))
    off = ma_reader.read(
        text.replace("0 0 ;\ncreateNode transform", '0 0 ;\n\tsetAttr ".ssc" no;\ncreateNode transform')
    )
    assert off.position_cm(off.find("c"), 0.0) == pytest.approx((400, 0, 0))


def test_layer_blends() -> None:
    """Nodes/animBlendNodeAdditiveDL.html with the weights of an overriding layer at a half."""
    file = ma_reader.read(
        HEAD
        + """
createNode transform -n "a";
createNode animLayer -n "refine";
	setAttr ".ovrd" yes;
	setAttr ".wt" 0.5;
createNode animBlendNodeAdditiveDL -n "mix";
	setAttr ".ia" 1;
	setAttr ".ib" 3;
connectAttr "refine.bgwt" "mix.wa";
connectAttr "refine.fgwt" "mix.wb";
connectAttr "mix.o" "a.tx";
"""
    )
    assert file.position_cm(file.find("a"), 0.0) == pytest.approx((200, 0, 0))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('createNode joint -n "a" -p "nobody";', "no node is called"),
        ('createNode joint -n "a";\ncreateNode joint -n "a";', "made twice"),
        ('createNode joint -n "1a";', "no legal name"),
        ('createNode joint -n "a";\nsetAttr ".t" 1 2 3;', "no -type"),
        ('createNode joint -n "a";\nsetAttr ".t" -type "double3" 1 2;', "has 2 values"),
        ('createNode joint -n "a";\nsetAttr ".tx" -wrong 2;', "unknown flag"),
        ('createNode joint -n "a";\nsetAttr ".tx";', "without a value"),
        ('createNode animCurveTL -n "c";\nsetAttr -s 2 ".ktv[0:1]" 0 1 2;', "has 3 values"),
        ('createNode animCurveTL -n "c";\nsetAttr -s 1 ".ktv[0:1]" 0 1 2 3;', "beyond its size"),
        ('createNode animCurveTL -n "c";\nsetAttr ".ktv[1]" 0 1;', "keys are missing"),
        ('createNode joint -n "a";\nconnectAttr "a.tx" "b.tx";', "no node is called"),
        ("polyCube;", "unknown statement"),
        ('createNode joint -n "a"', "ends within"),
        ('createNode joint -n "a";\ncurrentUnit -l cm;', "after the first node"),
    ],
)
def test_what_maya_would_not_read(body: str, said: str) -> None:
    with pytest.raises(ma_reader.MaError, match=said):
        ma_reader.read(HEAD + body)


def test_a_file_without_its_first_line_is_refused() -> None:
    with pytest.raises(ma_reader.MaError, match="//Maya ASCII"):
        ma_reader.read('requires maya "2025";')
