"""Which attributes the nodes have: long name, short name, kind, default.

Each type names its page under help.autodesk.com/cloudhelp/2025/ENU/Maya-Tech-Docs/Nodes/<type>.html; what is
listed is the part that scenes of motion capture use. Defaults are in inner units (centimetres, radians).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

#: Kinds of one number, and what a curve into one is called.
NUMERIC = {
    "double": "animCurveTU",
    "float": "animCurveTU",
    "long": "animCurveTU",
    "short": "animCurveTU",
    "bool": "animCurveTU",
    "enum": "animCurveTU",
    "doubleLinear": "animCurveTL",
    "doubleAngle": "animCurveTA",
    "time": "animCurveTT",
}
WHOLE = frozenset({"long", "short", "bool", "enum"})
COMPOUND = {
    "double2": 2,
    "double3": 3,
    "float2": 2,
    "float3": 3,
    "short2": 2,
    "short3": 3,
    "long2": 2,
    "long3": 3,
}
DATA = frozenset({"string", "matrix", "message"})


@dataclass(frozen=True)
class Attribute:
    """What an attribute is, apart from any node that has it."""

    long: str
    short: str
    kind: str
    default: Any = 0.0
    keyable: bool = False
    channel_box: bool = False
    writable: bool = True
    readable: bool = True
    multi: bool = False
    hidden: bool = False
    storable: bool = True
    children: tuple[str, ...] = ()
    parent: str = ""
    labels: dict[str, int] = field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None
    dynamic: bool = False

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC


def enumerated(text: str) -> dict[str, int]:
    """Labels of an enumName, ``"red:green=5:blue"``: each counts on from the one before."""
    labels: dict[str, int] = {}
    number = -1
    for part in text.split(":"):
        label, _, given = part.partition("=")
        number = int(given) if given else number + 1
        labels[label] = number
    return labels


def _parse(text: str) -> dict[str, Attribute]:
    """Lines ``long short kind default flags``; kinds ``double3:doubleLinear``, ``enum:a:b``.

    Flags: k keyable, c shown in the channel box, r cannot be written, m has elements, h hidden, and for
    compounds =suffixes of the children.
    """
    found: dict[str, Attribute] = {}
    for line in text.strip().splitlines():
        if not line.strip():
            continue
        long, short, kind, default, flags = line.split()
        kind, _, detail = kind.partition(":")
        flags, _, suffixes = flags.partition("=")
        common = {
            "keyable": "k" in flags,
            "channel_box": "c" in flags,
            "writable": "r" not in flags,
            "multi": "m" in flags,
            "hidden": "h" in flags,
        }
        if kind in COMPOUND:
            letters = suffixes.split(",") if suffixes else ["X", "Y", "Z"][: COMPOUND[kind]]
            names = [f"{long}{letter}" if not suffixes or len(letter) == 1 else letter for letter in letters]
            shorts = [f"{short}{letter.lower()}" for letter in letters]
            if suffixes and len(letters[0]) > 1:
                names, shorts = zip(*(letter.split("/") for letter in letters), strict=True)  # type: ignore[assignment]
            found[long] = Attribute(long, short, kind, None, children=tuple(names), **common)
            leaf = {"double": "double", "float": "float", "short": "short", "long": "long"}[kind[:-1]]
            values = [float(v) for v in default.split(",")]
            for name, brief, value in zip(names, shorts, values, strict=True):
                found[name] = Attribute(name, brief, detail or leaf, value, parent=long, **common)
            continue
        labels = enumerated(detail.replace("_", " ")) if kind == "enum" else {}
        value: Any
        if kind in NUMERIC:
            value = float(default) if kind not in WHOLE else int(default)
        elif kind == "matrix":
            value = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        else:
            value = "" if kind == "string" else None
        found[long] = Attribute(long, short, kind, value, labels=labels, **common)
    return found


_NODE = """
message msg message - r
caching cch bool 0 h
frozen fzn bool 0 h
isHistoricallyInteresting ihi long 2 h
nodeState nds enum:Normal:HasNoEffect:Blocking 0 -
"""

_DAG = """
visibility v bool 1 k
intermediateObject io bool 0 -
template tmp bool 0 -
hiddenInOutliner hio bool 0 h
useObjectColor uoc enum:Default:Index:RGB 0 -
objectColor oc short 0 -
overrideEnabled ove bool 0 -
overrideDisplayType ovdt enum:Normal:Template:Reference 0 -
overrideColor ovc short 0 -
overrideRGBColors ovrgbf bool 0 -
overrideColorRGB ovrgb float3 0,0,0 =R,G,B
lodVisibility lodv bool 1 -
worldMatrix wm matrix - rm
worldInverseMatrix wim matrix - rm
parentMatrix pm matrix - rm
parentInverseMatrix pim matrix - rm
matrix m matrix - r
inverseMatrix im matrix - r
"""

_TRANSFORM = """
translate t double3:doubleLinear 0,0,0 k
rotate r double3:doubleAngle 0,0,0 k
rotateOrder ro enum:xyz:yzx:zxy:xzy:yxz:zyx 0 -
scale s double3:double 1,1,1 k
shear sh double3:double 0,0,0 =shearXY/shxy,shearXZ/shxz,shearYZ/shyz
rotatePivot rp double3:doubleLinear 0,0,0 -
rotatePivotTranslate rpt double3:doubleLinear 0,0,0 -
scalePivot sp double3:doubleLinear 0,0,0 -
scalePivotTranslate spt double3:doubleLinear 0,0,0 -
rotateAxis ra double3:doubleAngle 0,0,0 -
inheritsTransform it bool 1 -
offsetParentMatrix opm matrix - -
displayHandle dh bool 0 -
displayLocalAxis dla bool 0 -
displayRotatePivot drp bool 0 -
dynamics dyn message - h
"""

_JOINT_TYPES = (
    "None:Root:Hip:Knee:Foot:Toe:Spine:Neck:Head:Collar:Shoulder:Elbow:Hand:Finger:Thumb:PropA:PropB:PropC:Other:"
    "Index_Finger:Middle_Finger:Ring_Finger:Pinky_Finger:Extra_Finger:Big_Toe:Index_Toe:Middle_Toe:Ring_Toe:"
    "Pinky_Toe:Foot_Thumb"
)

_JOINT = f"""
jointOrient jo double3:doubleAngle 0,0,0 -
preferredAngle pa double3:doubleAngle 0,0,0 -
inverseScale is double3:double 1,1,1 -
segmentScaleCompensate ssc bool 1 -
stiffness st double3:float 0,0,0 -
bindPose bps matrix - -
side sd enum:Center:Left:Right:None 0 -
type typ enum:{_JOINT_TYPES} 0 -
otherType otp string - -
drawLabel dl bool 0 -
drawStyle ds enum:Bone:Multi-child_as_Box:None:Joint 0 -
radius radi float 1 c
jointTypeX jtx bool 1 -
jointTypeY jty bool 1 -
jointTypeZ jtz bool 1 -
"""

_CAMERA = """
renderable rnd bool 1 -
cameraAperture cap double2:double 1.41732,0.94488 =horizontalFilmAperture/hfa,verticalFilmAperture/vfa
filmOffset fio double2:double 0,0 =horizontalFilmOffset/hfo,verticalFilmOffset/vfo
filmFit ff enum:Fill:Horizontal:Vertical:Overscan 0 -
filmFitOffset ffo double 0 -
overscan ovr double 1 -
panZoomEnabled pze bool 0 -
focalLength fl double 35 k
lensSqueezeRatio lsr double 1 k
cameraScale cs double 1 k
nearClipPlane ncp doubleLinear 0.1 -
farClipPlane fcp doubleLinear 10000 -
centerOfInterest coi doubleLinear 5 k
locatorScale lls double 1 -
orthographic o bool 0 -
orthographicWidth ow doubleLinear 10 -
imageName imn string - -
depthName den string - -
maskName man string - -
homeCommand hc string - -
tumblePivot tp double3:doubleLinear 0,0,0 -
imagePlane ip message - m
displayResolution dr bool 0 -
displayFilmGate dfg bool 0 -
displayGateMask dgm bool 0 -
shutterAngle sa doubleAngle 2.51327412287 k
"""

#: Nodes/nurbsCurve.html: what controls are drawn with; its points are not modelled.
_NURBS_CURVE = """
lineWidth lw float -1 -
"""

_IMAGE_PLANE = """
type t enum:Image_File:Texture:Movie 0 -
imageName imn string - -
useFrameExtension ufe bool 0 -
frameExtension fe long 1 k
frameIn fin long 1 k
frameOut fot long 100 k
frameIn fin long 0 -
frameOut fot long 0 -
frameOffset fof long 0 k
frameCache fc short 0 -
displayMode d enum:None:Outline:RGB:RGBA:Luminance:Alpha 3 -
displayOnlyIfCurrent dic bool 0 -
depth de doubleLinear 100 k
fit f enum:Fill:Best:Horizontal:Vertical:To_Size 1 -
size s double2:double 0,0 -
offset o double2:double 0,0 -
coverage cov short2 0,0 -
coverageOrigin coo short2 0,0 -
rotate ro doubleAngle 0 -
squeezeCorrection sc double 1 -
alphaGain ag double 1 k
colorGain cg float3 1,1,1 =R,G,B
colorOffset co float3 0,0,0 =R,G,B
colorSpace cs string - -
lockedToCamera dlc bool 1 -
lookThroughCamera ltc message - -
width w doubleLinear 10 -
height h doubleLinear 10 -
maintainRatio mr bool 1 -
imageCenter c double3:doubleLinear 0,0,0 -
visibleInReflections vir bool 0 -
visibleInRefractions vif bool 0 -
"""

_LAYER = """
dagSetMembers dsm message - m
blendNodes bnds message - m
childrenLayers cdly message - m
parentLayer pnly message - -
weight wt double 1 k
mute mt bool 0 k
solo sl bool 0 -
lock lo bool 0 -
override ovrd bool 0 -
passthrough pth bool 1 -
preferred pref bool 0 -
selected slct bool 0 -
collapse cllp bool 0 -
ghost gh bool 0 -
rotationAccumulationMode racm enum:component:layer 0 -
scaleAccumulationMode sacm enum:additive:multiply 1 -
outRotationAccumulationMode oram long 0 r
foregroundWeight fgwt double 1 r
backgroundWeight bgwt double 1 r
parentMute pmte bool 0 -
parentWeight pwgt double 1 -
siblingSolo sslo bool 0 -
outMute omte bool 0 r
"""

_BLEND = """
weightA wa double 1 -
weightB wb double 1 -
destinationPlug dp string - m
accumulationMode acm enum:component:layer 0 -
"""


def _blend(kind: str) -> str:
    return _BLEND + f"inputA ia {kind} 0 k\ninputB ib {kind} 0 k\noutput o {kind} 0 r\n"


_BLEND_ROTATION = (
    _BLEND
    + """
inputA ia double3:doubleAngle 0,0,0 k
inputB ib double3:doubleAngle 0,0,0 k
output o double3:doubleAngle 0,0,0 r
rotateOrder ro enum:xyz:yzx:zxy:xzy:yxz:zyx 0 -
rotationInterpolation ri enum:None:Tangent 0 -
"""
)


def _curve(kind: str) -> str:
    return f"""
input i time 0 -
output o {kind} 0 r
keyTimeValue ktv message - m
preInfinity pre enum:Constant:Linear:Cycle=3:Cycle_with_Offset:Oscillate 0 -
postInfinity pst enum:Constant:Linear:Cycle=3:Cycle_with_Offset:Oscillate 0 -
weightedTangents wgt bool 0 -
tangentType tan short 0 -
useCurveColor ucc bool 0 -
rotationInterpolation roti enum:None:Quaternion 1 -
"""


_TABLES: dict[str, str] = {
    "transform": _DAG + _TRANSFORM,
    "joint": _DAG + _TRANSFORM + _JOINT,
    "camera": _DAG + _CAMERA,
    "imagePlane": _DAG + _IMAGE_PLANE,
    "nurbsCurve": _DAG + _NURBS_CURVE,
    "locator": _DAG
    + "localPosition lp double3:doubleLinear 0,0,0 -\nlocalScale los double3:doubleLinear 1,1,1 -",
    "animCurveTL": _curve("doubleLinear"),
    "animCurveTA": _curve("doubleAngle"),
    "animCurveTU": _curve("double"),
    "animCurveTT": _curve("time"),
    "animLayer": _LAYER,
    "animBlendNodeAdditive": _blend("double"),
    "animBlendNodeAdditiveDL": _blend("doubleLinear"),
    "animBlendNodeAdditiveDA": _blend("doubleAngle"),
    "animBlendNodeAdditiveScale": _blend("double").replace("component:layer 0", "additive:multiply 1"),
    "animBlendNodeBoolean": _blend("bool"),
    "animBlendNodeEnum": _blend("enum:none"),
    "animBlendNodeAdditiveRotation": _BLEND_ROTATION,
    "time": "outTime o time 0 r\nunwarpedTime uwt time 0 -",
    "objectSet": "dagSetMembers dsm message - m\nhiddenInOutliner hio bool 0 -",
    "network": "",
}

SHAPES = frozenset({"camera", "imagePlane", "locator", "nurbsCurve"})
TRANSFORMS = frozenset({"transform", "joint"})
#: From the root to the type, as nodeType(inherited=True) gives it.
INHERITED: dict[str, tuple[str, ...]] = {
    "transform": ("containerBase", "entity", "dagNode", "transform"),
    "joint": ("containerBase", "entity", "dagNode", "transform", "joint"),
    "camera": ("containerBase", "entity", "dagNode", "shape", "camera"),
    "nurbsCurve": (
        "containerBase",
        "entity",
        "dagNode",
        "shape",
        "geometryShape",
        "deformableShape",
        "controlPoint",
        "curveShape",
        "nurbsCurve",
    ),
    "imagePlane": ("containerBase", "entity", "dagNode", "shape", "imagePlane"),
    "locator": ("containerBase", "entity", "dagNode", "shape", "geometryShape", "locator"),
    "animLayer": ("containerBase", "entity", "objectSet", "animLayer"),
    "objectSet": ("containerBase", "entity", "objectSet"),
}
for _suffix in ("TL", "TA", "TU", "TT"):
    INHERITED[f"animCurve{_suffix}"] = ("animCurve", f"animCurve{_suffix}")
for _name in _TABLES:
    if _name.startswith("animBlendNode"):
        INHERITED[_name] = ("animBlendNodeBase", _name)

_CACHE: dict[str, dict[str, Attribute]] = {}
#: Types of a plug-in that is loaded; filled by hik.
PLUGIN_TYPES: dict[str, tuple[str, dict[str, Attribute]]] = {}


def attributes_of(kind: str) -> dict[str, Attribute]:
    """Attributes of a type by long name; KeyError for a type that is not modelled."""
    if kind in PLUGIN_TYPES:
        return PLUGIN_TYPES[kind][1]
    if kind not in _CACHE:
        table = _parse(_NODE + _TABLES[kind])
        for long in ("translate", "rotate", "scale"):
            for axis in "XYZ" if kind in TRANSFORMS else "":
                table[f"{long}{axis}"] = replace(table[f"{long}{axis}"], keyable=True)
        _CACHE[kind] = table
    return _CACHE[kind]


def parse_table(text: str) -> dict[str, Attribute]:
    """A table for a plug-in's type."""
    return _parse(_NODE + text)


def ancestry(kind: str) -> tuple[str, ...]:
    return INHERITED.get(kind, (kind,))
