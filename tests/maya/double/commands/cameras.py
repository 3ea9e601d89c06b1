"""camera and imagePlane. Pages: CommandsPython/camera.html, CommandsPython/imagePlane.html."""

from __future__ import annotations

from typing import Any

from .. import names, plug
from ..command import Call, command
from ..node import Node
from ..scene import Scene
from .nodes import split_name

_CAMERA = {
    "focalLength": "focalLength",
    "horizontalFilmAperture": "horizontalFilmAperture",
    "verticalFilmAperture": "verticalFilmAperture",
    "horizontalFilmOffset": "horizontalFilmOffset",
    "verticalFilmOffset": "verticalFilmOffset",
    "lensSqueezeRatio": "lensSqueezeRatio",
    "cameraScale": "cameraScale",
    "centerOfInterest": "centerOfInterest",
    "nearClipPlane": "nearClipPlane",
    "farClipPlane": "farClipPlane",
    "orthographic": "orthographic",
    "orthographicWidth": "orthographicWidth",
    "overscan": "overscan",
    "filmFitOffset": "filmFitOffset",
    "displayResolution": "displayResolution",
    "displayFilmGate": "displayFilmGate",
}
_FITS = ("fill", "horizontal", "vertical", "overscan")


@command("camera", " ".join(_CAMERA) + " name position rotation filmFit", arity=(0, 1))
def camera(call: Call) -> Any:
    """Returns the transform and the shape."""
    scene = call.scene
    if call.query or call.edit:
        shape = shape_of(scene, call.objects()[0], "camera")
        if call.query:
            flag = next(iter(call.flags))
            if flag == "filmFit":
                return _FITS[plug.parse(scene, f"{shape.long}.filmFit").get()]
            return plug.parse(scene, f"{shape.long}.{_CAMERA[flag]}").get()
        _settings(call, shape)
        return None
    if call.args:
        raise call.fail("Create mode takes no object.")
    # The name in -name is not kept where the page is concerned: "camera" makes camera1 whatever is there.
    space, name = split_name(scene, call.get("name") or "camera#", make=True)
    if name[-1:].isalpha():
        name += "#"
    node = scene.create("transform", name, None, space)
    shape = scene.create("camera", f"{node.name.rstrip('0123456789')}Shape{_digits(node.name)}", node, space)
    scene.set_value(shape, "imageName", node.name)
    _settings(call, shape)
    for flag, attribute in (("position", "translate"), ("rotation", "rotate")):
        if flag in call:
            plug.parse(scene, f"{node.long}.{attribute}").set("camera", call.flags[flag])
    scene.set_state("selection", [(node, "")])
    return [names.shortest(scene, node), names.shortest(scene, shape)]


def _digits(name: str) -> str:
    return name[len(name.rstrip("0123456789")) :]


def _settings(call: Call, shape: Node) -> None:
    for flag, attribute in _CAMERA.items():
        if flag in call:
            plug.parse(call.scene, f"{shape.long}.{attribute}").set("camera", [call.flags[flag]])
    if "filmFit" in call:
        if call.flags["filmFit"] not in _FITS:
            raise call.fail(f"Invalid film fit: {call.flags['filmFit']}")
        call.scene.set_value(shape, "filmFit", _FITS.index(call.flags["filmFit"]))


def shape_of(scene: Scene, name: str, kind: str) -> Node:
    """A shape by its own name or that of its transform."""
    node = names.one(scene, name)
    for each in (node, *node.children):
        if each.kind == kind:
            return each
    raise RuntimeError(f"'{name}' is no {kind}.")


@command(
    "imagePlane",
    "camera fileName height width lookThrough maintainRatio name showInAllViews detach imageSize",
    arity=(0, 1),
)
def image_plane(call: Call) -> Any:
    """Returns the transform and the shape; with a camera the plane stands under the camera's shape."""
    scene = call.scene
    if call.query or call.edit:
        shape = shape_of(scene, call.objects()[0], "imagePlane")
        return _query_plane(call, shape) if call.query else _edit_plane(call, shape)
    owner = None
    if "camera" in call:
        try:
            owner = shape_of(scene, call.flags["camera"], "camera")
        except ValueError as error:
            raise call.fail(str(error)) from None
    space, name = split_name(scene, call.get("name") or "imagePlane#", make=True)
    if name[-1:].isalpha():
        name += "#"
    node = scene.create("transform", name, owner, space)
    shape = scene.create(
        "imagePlane", f"{node.name.rstrip('0123456789')}Shape{_digits(node.name)}", node, space
    )
    _edit_plane(call, shape)
    if owner is not None:
        _attach(scene, shape, owner, bool(call.get("showInAllViews", True)))
    scene.set_state("selection", [(node, "")])
    return [names.shortest(scene, node), names.shortest(scene, shape)]


def _attach(scene: Scene, shape: Node, owner: Node, in_all_views: bool) -> None:
    index = 0
    while (owner, f"imagePlane[{index}]") in scene.inputs:
        index += 1
    scene.connect((shape, "message"), (owner, f"imagePlane[{index}]"))
    if not in_all_views:
        scene.connect((owner, "message"), (shape, "lookThroughCamera"))


def _edit_plane(call: Call, shape: Node) -> None:
    scene = call.scene
    if call.edit and "camera" in call:
        raise NotImplementedError("imagePlane: the double does not move a plane to another camera")
    if "fileName" in call:
        scene.set_value(shape, "imageName", call.flags["fileName"])
    for flag in ("width", "height", "maintainRatio"):
        if flag in call:
            plug.parse(scene, f"{shape.long}.{flag}").set("imagePlane", [call.flags[flag]])
    if "lookThrough" in call:
        owner = shape_of(scene, call.flags["lookThrough"], "camera")
        if (shape, "lookThroughCamera") in scene.inputs:
            scene.disconnect(scene.inputs[shape, "lookThroughCamera"], (shape, "lookThroughCamera"))
        scene.connect((owner, "message"), (shape, "lookThroughCamera"))
    if call.on("detach"):
        for place in list(scene.outputs.get((shape, "message"), [])):
            if place[1].startswith("imagePlane"):
                scene.disconnect((shape, "message"), place)


def _query_plane(call: Call, shape: Node) -> Any:
    scene = call.scene
    if call.on("camera"):
        owners = [p[0] for p in scene.outputs.get((shape, "message"), []) if p[1].startswith("imagePlane")]
        return names.shortest(scene, owners[0]) if owners else ""
    if call.on("lookThrough"):
        source = scene.inputs.get((shape, "lookThroughCamera"))
        return names.shortest(scene, source[0]) if source else ""
    for flag in ("width", "height", "maintainRatio"):
        if call.on(flag):
            return plug.parse(scene, f"{shape.long}.{flag}").get()
    raise NotImplementedError("imagePlane: the double reads no pictures")
