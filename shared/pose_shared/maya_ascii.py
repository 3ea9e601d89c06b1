"""A scene of joints as Maya ASCII text, which any Maya opens; needs no Maya."""

from __future__ import annotations

from array import array
from fractions import Fraction
from math import degrees
from typing import Iterable, Iterator, List, Tuple

from pose_shared.maya_time import rate_of, unit_of
from pose_shared.scene_nodes import Attribute, Curve, Film, JointScene, Node, Part

__all__ = ["maya_ascii"]

#: In which keys of other rates are told, between its frames.
_OTHER_UNIT = "ntsc"
_CURVES = {"distance": "animCurveTL", "angle": "animCurveTA"}
_LINEAR, _STEP = 2, 5
# A statement's line is no longer than this many keys, as Maya itself breaks them.
_KEYS_A_LINE = 8


def maya_ascii(scene: JointScene, rate: Fraction, made_by: str) -> Iterator[str]:
    """Give the lines of a file, each with its end.

    Parameters
    ----------
    scene
        Everybody and the camera.
    rate
        Frames per second of the file; keys of a rate that Maya does not know lie between frames of 30.
    made_by
        Program and version, for the file's own information.
    """
    unit = unit_of(rate) or _OTHER_UNIT
    frame_rate = rate_of(unit)
    yield "//Maya ASCII 2022 scene\n"
    yield "//Codeset: UTF-8\n"
    yield 'requires maya "2022";\n'
    yield f"currentUnit -l centimeter -a degree -t {unit};\n"
    yield f'fileInfo "application" {_quoted(made_by)};\n'
    for part in scene.parts.values():
        for node in part.nodes:
            yield from _node(part.namespace, node)
        for curve in part.curves:
            yield from _curve(part.namespace, curve, frame_rate)
    if scene.camera and scene.film:
        yield from _film(scene.camera, scene.film, frame_rate)
    first, last = (frame * frame_rate / rate for frame in (scene.first_frame, scene.last_frame))
    yield 'createNode script -n "sceneConfigurationScriptNode";\n'
    span = f"-min {float(first):g} -max {float(last):g} -ast {float(first):g} -aet {float(last):g}"
    yield f'\tsetAttr ".b" -type "string" "playbackOptions {span} ";\n'
    yield '\tsetAttr ".st" 6;\n'
    for part in scene.parts.values():
        yield from _connections(part)
    if scene.camera and scene.film:
        yield from _film_connections(scene.camera)
    yield "// End of scene\n"


def _node(namespace: str, node: Node) -> Iterator[str]:
    below = f' -p "{namespace}:{node.parent}"' if node.parent else ""
    yield f'createNode {node.type} -n "{namespace}:{node.name}"{below};\n'
    for attribute in node.attributes:
        if attribute.added:
            name = attribute.name
            kind = '-dt "string"' if attribute.kind == "text" else '-k true -min 0 -max 1 -at "double"'
            yield f'\taddAttr -ci true -sn "{name}" -ln "{name}" {kind};\n'
    for attribute in node.attributes:
        yield f'\tsetAttr {_keyable(attribute)}".{attribute.name}" {_value(attribute)};\n'


def _keyable(attribute: Attribute) -> str:
    return "-k on " if attribute.added and attribute.kind != "text" else ""


def _value(attribute: Attribute) -> str:
    if attribute.kind == "text":
        return f'-type "string" {_quoted(str(attribute.value))}'
    if attribute.kind == "flag":
        return "yes" if attribute.value else "no"
    if attribute.kind == "angle":
        return f"{degrees(float(attribute.value)):.10g}"
    return f"{attribute.value:.10g}"


def _quoted(text: str) -> str:
    """Return a MEL string."""
    for plain, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(plain, written)
    return f'"{text}"'


def _curve(namespace: str, curve: Curve, rate: Fraction) -> Iterator[str]:
    name = f"{namespace}:{curve.node}_{curve.attribute}"
    count = len(curve.values)
    yield f'createNode {_CURVES.get(curve.kind, "animCurveTU")} -n "{name}";\n'
    yield f'\tsetAttr ".tan" {_LINEAR};\n\tsetAttr ".wgt" no;\n'
    span = f"[0:{count - 1}]" if count > 1 else "[0]"
    yield f'\tsetAttr -s {count} ".ktv{span}"'
    yield from _lines(_keys(curve, rate))
    if curve.stepped:
        yield f'\tsetAttr -s {count} ".kot{span}"'
        yield from _lines(str(_STEP) for _ in range(count))


def _keys(curve: Curve, rate: Fraction) -> Iterator[str]:
    frames_a_second = float(rate)
    values: Iterable[float] = curve.values
    if curve.kind == "angle":
        values = array("d", map(degrees, curve.values))
    for time_s, value in zip(curve.times_s, values):
        yield f"{time_s * frames_a_second:.9g} {value:.9g}"


def _lines(words: Iterable[str]) -> Iterator[str]:
    """Give what ends a statement, a few words a line."""
    row: List[str] = []
    for word in words:
        if len(row) == _KEYS_A_LINE:
            yield " " + " ".join(row) + "\n\t\t"
            row = []
        row.append(word)
    yield " " + " ".join(row) + ";\n"


def _film(camera: Part, film: Film, rate: Fraction) -> Iterator[str]:
    plane, picture = _film_nodes(camera)
    yield f'createNode transform -n "{plane}" -p "{camera.namespace}:{camera.nodes[1].name}";\n'
    yield f'createNode imagePlane -n "{picture}" -p "{plane}";\n'
    yield f'\tsetAttr ".imageName" -type "string" {_quoted(film.first_file)};\n'
    for attribute in film.attributes:
        yield f'\tsetAttr ".{attribute.name}" {_value(attribute)};\n'
    yield from _curve(camera.namespace, film.numbers, rate)


def _film_nodes(camera: Part) -> Tuple[str, str]:
    return f"{camera.namespace}:filmPlane", f"{camera.namespace}:film"


def _connections(part: Part) -> Iterator[str]:
    types = {node.name: node.type for node in part.nodes}
    for node in part.nodes:
        if node.type == "joint" and types.get(node.parent) == "joint":
            above = f"{part.namespace}:{node.parent}"
            yield _connected(f"{above}.scale", f"{part.namespace}:{node.name}.inverseScale")
    for curve in part.curves:
        yield _driven(part.namespace, curve)


def _film_connections(camera: Part) -> Iterator[str]:
    _, picture = _film_nodes(camera)
    shape = f"{camera.namespace}:{camera.nodes[1].name}"
    yield f'connectAttr "{picture}.message" "{shape}.imagePlane" -na;\n'
    yield _connected(f"{shape}.message", f"{picture}.lookThroughCamera")
    yield _connected(f"{camera.namespace}:film_frameExtension.output", f"{picture}.frameExtension")


def _driven(namespace: str, curve: Curve) -> str:
    node = f"{namespace}:{curve.node}"
    return _connected(f"{node}_{curve.attribute}.output", f"{node}.{curve.attribute}")


def _connected(source: str, target: str) -> str:
    return f'connectAttr "{source}" "{target}";\n'
