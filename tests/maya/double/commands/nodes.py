"""createNode, delete, ls, rename and their like. Pages: CommandsPython/<command>.html."""

from __future__ import annotations

import re
from typing import Any

from .. import names, plug
from ..command import Call, command
from ..node import Node
from ..node_types import _TABLES, PLUGIN_TYPES, SHAPES
from ..scene import Scene

ABSTRACT = {"dagNode", "shape", "entity", "containerBase", "geometryShape", "animCurve", "animBlendNodeBase"}


def node_kinds() -> set[str]:
    return _TABLES.keys() | PLUGIN_TYPES.keys()


def check_kind(call: Call, kind: str) -> None:
    if kind not in node_kinds() | ABSTRACT:
        raise call.fail(f"Unknown object type: {kind}")


def split_name(scene: Scene, name: str, make: bool) -> tuple[str, str]:
    """Namespace and bare name; names are relative to the current namespace unless they start with a colon."""
    absolute = name.startswith(":")
    space, _, bare = name.lstrip(":").rpartition(":")
    if not absolute and scene.current_namespace:
        space = f"{scene.current_namespace}:{space}" if space else scene.current_namespace
    if space not in scene.namespaces:
        if not make:
            raise RuntimeError(f"Namespace '{space}' does not exist.")
        parts = space.split(":")
        for end in range(1, len(parts) + 1):
            if ":".join(parts[:end]) not in scene.namespaces:
                scene.set_state("namespaces", [*scene.namespaces, ":".join(parts[:end])])
    return space, scene.legal(bare)


@command("createNode", "name parent shared skipSelect", arity=(1, 1))
def create_node(call: Call) -> str:
    """-name: a namespace in it that does not exist is made."""
    scene, kind = call.scene, call.objects()[0]
    if kind in ABSTRACT or kind not in node_kinds():
        raise call.fail(f"Unknown dependency node type: '{kind}'.")
    given = call.get("name") or f"{kind}#"
    space, name = split_name(scene, given, make=True)
    if call.on("shared"):
        for node in scene.named(name):
            if node.kind == kind and node.namespace == space:
                return names.shortest(scene, node)
    parent = names.one(scene, call.flags["parent"]) if "parent" in call else None
    if kind in SHAPES:
        node = _shape(scene, kind, name, space, parent, named="name" in call)
    elif parent is not None and not Node(kind).is_dag:
        raise call.fail(f"{kind} is no DAG node and cannot have a parent.")
    else:
        node = scene.create(kind, name, parent, space)
    if not call.on("skipSelect"):
        scene.set_state("selection", [(node, "")])
    return names.shortest(scene, node)


def _shape(scene: Scene, kind: str, name: str, space: str, parent: Node | None, named: bool) -> Node:
    if parent is None:
        parent = scene.create("transform", f"{kind}#" if not named else f"{name}_transform", None, space)
    if not named:
        name = f"{kind}Shape#"
    return scene.create(kind, name, parent, space)


@command("delete", "constructionHistory channels", arity=(0, None))
def delete(call: Call) -> None:
    """Deletes nodes and what is below them."""
    scene = call.scene
    if "constructionHistory" in call or "channels" in call:
        raise NotImplementedError("delete: the double deletes nodes alone")
    if not call.args and not scene.selection:
        raise call.fail("Nothing is selected.")
    wanted: list[Node] = []
    for name in call.objects():
        found = names.matching(scene, name)
        if not found and "*" not in name:
            raise ValueError(f"No object matches name: {name}")
        if len(found) > 1 and "*" not in name:
            raise ValueError(f"More than one object matches name: {name}")
        wanted += found
    if not call.args:
        wanted = [node for node, _ in scene.selection]
    delete_nodes(scene, wanted)


def delete_nodes(scene: Scene, wanted: list[Node]) -> None:
    """With what is below, and the curves and blends that then drive nothing.

    MPxNode.existWithoutOutConnections (API reference): a node for which it is false goes with its last
    output; curves and blend nodes of animation layers are such nodes.
    """
    doomed: dict[int, Node] = {}
    for node in wanted:
        for each in (node, *node.below()):
            doomed[each.serial] = each
    for node in doomed.values():
        if node.default:
            raise RuntimeError(f"delete: Cannot delete {node.full}: it is a default node.")
        if node.locked:
            raise RuntimeError(f"delete: Cannot delete locked node '{node.full}'.")
    upstream = {s.serial: s for (d, _), (s, _) in scene.inputs.items() if d.serial in doomed}
    for layer in [n for n in doomed.values() if n.kind == "animLayer"]:
        _empty_layer(scene, layer)
    for node in sorted(doomed.values(), key=lambda n: -len(n.above())):
        if node.alive:
            scene.delete(node)
    while upstream:
        _, node = upstream.popitem()
        drives = node.is_curve or node.kind.startswith("animBlendNode")
        if not node.alive or not drives or any(s is node for s, _ in scene.outputs if _ != "message"):
            continue
        upstream |= {s.serial: s for (d, _), (s, _) in scene.inputs.items() if d is node}
        scene.delete(node)


def _empty_layer(scene: Scene, layer: Node) -> None:
    """What the layer drove is driven by what was below it (from practice; no page found)."""
    from .layers import remove_blend

    for (node, path), (blend, _) in list(scene.inputs.items()):
        if node is layer and path.startswith("blendNodes") and blend.alive:
            remove_blend(scene, (blend, ""))


@command("objExists", "", arity=(1, 1), undoable=False)
def obj_exists(call: Call) -> bool:
    name = call.objects()[0]
    node, dot, attribute = name.partition(".")
    found = names.matching(call.scene, node)
    if dot:
        return any(plug.find(call.scene, each, attribute) is not None for each in found)
    return bool(found)


_UUID = re.compile("[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")


@command(
    "ls",
    "type exactType selection long shapes transforms cameras dagObjects dependencyNodes assemblies "
    "recursive uuid defaultNodes showType orderedSelection undeletable objectsOnly",
    undoable=False,
)
def ls(call: Call) -> list[str]:
    scene = call.scene
    kinds = call.get("type", call.get("exactType", []))
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    for kind in kinds:
        check_kind(call, kind)
    picked: list[tuple[Node, str]] = []
    if call.on("selection") or call.on("orderedSelection"):
        picked = list(scene.selection)
    elif call.args:
        for name in call.objects():
            if _UUID.match(name):
                # CommandsPython/ls.html: "may also be passed node UUIDs instead of names/paths"
                picked += [(node, "") for node in scene if node.uuid == name]
                continue
            node_name, dot, attribute = name.partition(".")
            for node in names.matching(scene, node_name, call.on("recursive")):
                if not dot:
                    picked.append((node, ""))
                elif (at := plug.find(scene, node, attribute)) is not None:
                    picked.append((node, at.path))
    else:
        picked = [(node, "") for node in scene]
    if call.on("dagObjects"):
        picked = [(e, "") for node, _ in picked if node.is_dag for e in (node, *node.below())]
    out: list[str] = []
    seen = set()
    if call.on(
        "objectsOnly"
    ):  # CommandsPython/ls.html: "list only object names and suppress components, attributes"
        picked = [(node, "") for node, _ in picked]
    for node, path in picked:
        if (node, path) in seen or not _wanted(call, node, kinds):
            continue
        seen.add((node, path))
        name = node.uuid if call.on("uuid") else node.long if call.on("long") else names.shortest(scene, node)
        out.append(f"{name}.{path}" if path else name)
        if call.on("showType"):
            out.append(node.kind)
    return out


def _wanted(call: Call, node: Node, kinds: list[str]) -> bool:
    if "exactType" in call and node.kind not in kinds:
        return False
    if "type" in call and not any(node.is_a(kind) for kind in kinds):
        return False
    tests = {
        "shapes": node.is_shape,
        "transforms": node.is_transform,
        "cameras": node.kind == "camera",
        "assemblies": node.is_transform and node.parent is None,
        "defaultNodes": node.default,
        "undeletable": node.default,
    }
    asked = [passed for flag, passed in tests.items() if call.on(flag)]
    return not asked or any(asked)


@command("nodeType", "inherited apiType derived isTypeName", arity=(1, 1), undoable=False)
def node_type(call: Call) -> Any:
    if call.on("isTypeName"):
        return call.args[0] if call.args[0] in node_kinds() else None
    node = names.one(call.scene, call.objects()[0].partition(".")[0])
    return list(node.ancestry) if call.on("inherited") else node.kind


@command("rename", "ignoreShape uuid", arity=(1, 2))
def rename(call: Call) -> str:
    """The node goes to the namespace that the new name has, the current one where it has none."""
    scene = call.scene
    if len(call.args) == 2:
        node = names.one(scene, call.objects()[0])
    elif scene.selection:
        node = scene.selection[0][0]
    else:
        raise call.fail("Nothing is selected.")
    if node.default:
        raise call.fail(f"Cannot rename a read only node '{node.full}'.")
    given = call.args[-1]
    if "|" in given:
        raise call.fail(f"New name has no legal characters: {given}")
    space, name = split_name(scene, given, make=False)
    old = node.name
    scene.rename(node, name, space)
    if not call.on("ignoreShape"):
        for shape in node.children:
            if shape.is_shape and shape.name == f"{old}Shape":
                scene.rename(shape, f"{node.name}Shape", space)
    return names.shortest(scene, node)


@command("select", "clear replace add deselect toggle noExpand hierarchy", arity=(0, None))
def select(call: Call) -> None:
    scene = call.scene
    if call.on("clear"):
        scene.set_state("selection", [])
        return
    picked = []
    for name in call.objects():
        node_name, dot, attribute = name.partition(".")
        found = names.matching(scene, node_name)
        if not found and "*" not in name:
            raise ValueError(f"No object matches name: {name}")
        if len(found) > 1 and "*" not in name:
            raise ValueError(f"More than one object matches name: {name}")
        for node in found:
            path = plug.parse(scene, f"{node.long}.{attribute}").path if dot else ""
            picked.append((node, path))
            if call.on("hierarchy"):
                picked += [(below, "") for below in node.below()]
    old = list(scene.selection)
    if call.on("deselect"):
        new = [place for place in old if place not in picked]
    elif call.on("toggle"):
        new = [p for p in old if p not in picked] + [p for p in picked if p not in old]
    elif call.on("add"):
        new = old + [p for p in picked if p not in old]
    else:
        new = picked
    scene.set_state("selection", new)


@command("lockNode", "lock", arity=(0, None), query_values="")
def lock_node(call: Call) -> Any:
    nodes = [names.one(call.scene, name) for name in call.objects()]
    if call.query:
        return [node.locked for node in nodes]
    for node in nodes:
        node.locked = call.get("lock", True)
    return None


@command(
    "namespace",
    "addNamespace exists setNamespace removeNamespace deleteNamespaceContent "
    "mergeNamespaceWithRoot mergeNamespaceWithParent parent rename force recurse",
    arity=(0, None),
    query_values="exists=str recurse=bool",
)
def namespace(call: Call) -> Any:
    scene = call.scene
    if call.query or "exists" in call:
        wanted = (call.get("exists") or "").strip(":")
        if not wanted and call.get("exists") != ":":
            raise call.fail("exists needs a name.")
        return _relative(scene, call.get("exists"), wanted) in scene.namespaces
    if "setNamespace" in call:
        wanted = _relative(scene, call.flags["setNamespace"], call.flags["setNamespace"].strip(":"))
        if wanted not in scene.namespaces:
            raise call.fail(f"Namespace '{call.flags['setNamespace']}' does not exist.")
        scene.set_state("current_namespace", wanted)
        return f":{wanted}"
    if "addNamespace" in call:
        return _add_namespace(call)
    if "removeNamespace" in call:
        return _remove_namespace(call)
    if "rename" in call:
        raise NotImplementedError("namespace: the double does not rename namespaces")
    raise call.fail("No flag was given.")


def _relative(scene: Scene, given: str, bare: str) -> str:
    """A namespace as given: from the root with a leading colon, else in the current one."""
    if given.startswith(":") or not scene.current_namespace or not bare:
        return bare
    return f"{scene.current_namespace}:{bare}"


def _add_namespace(call: Call) -> str:
    scene, given = call.scene, call.flags["addNamespace"]
    above = call.get("parent")
    wanted = (
        f"{above.strip(':')}:{given.strip(':')}".strip(":")
        if above
        else _relative(scene, given, given.strip(":"))
    )
    if wanted in scene.namespaces or not wanted:
        raise call.fail(f"Error: The name '{wanted}' is not a valid name or already exists.")
    parts = wanted.split(":")
    for part in parts:
        if scene.legal(part) != part:
            raise call.fail(f"Invalid characters in the namespace '{wanted}'.")
    spaces = list(scene.namespaces)
    for end in range(1, len(parts) + 1):
        if ":".join(parts[:end]) not in spaces:
            spaces.append(":".join(parts[:end]))
    scene.set_state("namespaces", spaces)
    return wanted


def _remove_namespace(call: Call) -> None:
    scene, given = call.scene, call.flags["removeNamespace"]
    wanted = _relative(scene, given, given.strip(":"))
    if wanted not in scene.namespaces or wanted in ("", "UI", "shared"):
        raise call.fail(f"Namespace '{given}' does not exist or cannot be removed.")
    within = [s for s in scene.namespaces if s == wanted or s.startswith(f"{wanted}:")]
    inside = [node for node in scene if node.namespace in within]
    if call.on("deleteNamespaceContent"):
        delete_nodes(scene, [node for node in inside if node.alive])
    elif call.on("mergeNamespaceWithRoot") or call.on("mergeNamespaceWithParent"):
        target = "" if call.on("mergeNamespaceWithRoot") else wanted.rpartition(":")[0]
        for node in inside:
            scene.rename(node, node.name, target)
    elif inside or len(within) > 1:
        raise call.fail(f"The namespace '{wanted}' is not empty.")
    scene.set_state("namespaces", [s for s in scene.namespaces if s not in within])
    if scene.current_namespace in within:
        scene.set_state("current_namespace", "")


@command(
    "namespaceInfo",
    "currentNamespace absoluteName listNamespace listOnlyNamespaces "
    "listOnlyDependencyNodes recurse dagPath fullName baseName shortName isRootNamespace parent internal",
    arity=(0, 1),
    undoable=False,
)
def namespace_info(call: Call) -> Any:
    scene = call.scene
    at = call.objects()[0].strip(":") if call.args else scene.current_namespace
    prefix = ":" if call.on("absoluteName") else ""
    if call.on("currentNamespace"):
        return (
            f":{scene.current_namespace}"
            if prefix or not scene.current_namespace
            else scene.current_namespace
        )
    if at not in scene.namespaces:
        raise call.fail(f"Namespace '{at}' does not exist.")
    if call.on("isRootNamespace"):
        return at == ""
    if call.on("parent"):
        return prefix + (at.rpartition(":")[0] or ("" if prefix else ":"))
    spaces = [s for s in scene.namespaces if s and _within(s, at, call.on("recurse"))]
    nodes = [n for n in scene if n.namespace == at or (call.on("recurse") and _within(n.namespace, at, True))]
    out: list[str] = []
    if not call.on("listOnlyDependencyNodes"):
        out += [prefix + space for space in spaces]
    if not call.on("listOnlyNamespaces"):
        out += [names.shortest(scene, n) if call.on("dagPath") else prefix + n.full for n in nodes]
    return out or None


def _within(space: str, at: str, recurse: bool) -> bool:
    if not space or space == at:
        return False
    above = space.rpartition(":")[0]
    return above == at or (recurse and (not at or space.startswith(f"{at}:")))
