"""Shelves and panels, as records. Pages: CommandsPython/<command>.html. None of these works in batch mode."""

from __future__ import annotations

from typing import Any

from ..command import Call, command


def _make(call: Call, kind: str, name: str) -> str:
    """A control's full name; the same name again under one parent is refused."""
    parent = call.get("parent", "")
    if parent and parent not in call.maya.interface:
        raise call.fail(f"Object '{parent}' not found.")
    full = f"{parent}|{name}" if parent else name
    if full in call.maya.interface:
        raise call.fail(f"Object's name '{name}' is not unique.")
    call.maya.interface[full] = {"kind": kind, "parent": parent, **call.flags}
    return full


def _of(call: Call, kind: str) -> dict[str, Any]:
    if not call.args:
        raise call.fail("No object was named.")
    name = call.objects()[0]
    found = call.maya.interface.get(name)
    if found is None:
        found = next((c for full, c in call.maya.interface.items() if full.rsplit("|", 1)[-1] == name), None)
    if found is None or found["kind"] != kind:
        raise call.fail(f"Object '{name}' not found.")
    return found


def _exists(call: Call, kind: str) -> bool:
    try:
        _of(call, kind)
    except RuntimeError:
        return False
    return True


_BUTTON = (
    "parent label annotation image image1 command sourceType imageOverlayLabel exists width height style "
)
_BUTTON += (
    "noDefaultPopup enableCommandRepeat docTag doubleClickCommand overlayLabelBackColor overlayLabelColor "
)
_BUTTON += "enable visible preventOverride align menuItem menuItemPython"


@command("shelfButton", _BUTTON, arity=(0, 1), undoable=False, interface=True)
def shelf_button(call: Call) -> Any:
    if "exists" in call:
        return _exists(call, "shelfButton")
    if call.query:
        return _of(call, "shelfButton").get(next(iter(call.flags)))
    if call.edit:
        _of(call, "shelfButton").update(call.flags)
        return None
    if call.get("sourceType", "mel") not in ("mel", "python"):
        raise call.fail(f"Invalid source type: {call.flags['sourceType']}")
    name = call.objects()[0] if call.args else f"shelfButton{call.maya.next_number()}"
    return _make(call, "shelfButton", name)


@command(
    "shelfLayout",
    "parent exists childArray numberOfChildren version",
    arity=(0, 1),
    undoable=False,
    interface=True,
)
def shelf_layout(call: Call) -> Any:
    if "exists" in call:
        return _exists(call, "shelfLayout")
    if call.query:
        own = _of(call, "shelfLayout")
        full = next(name for name, control in call.maya.interface.items() if control is own)
        children = [n.rsplit("|", 1)[-1] for n, c in call.maya.interface.items() if c["parent"] == full]
        return len(children) if call.on("numberOfChildren") else children or None
    name = call.objects()[0] if call.args else f"shelfLayout{call.maya.next_number()}"
    return _make(call, "shelfLayout", name)


@command(
    "shelfTabLayout",
    "parent exists childArray selectTab tabLabel",
    arity=(0, 1),
    undoable=False,
    interface=True,
)
def shelf_tab_layout(call: Call) -> Any:
    if "exists" in call:
        return _exists(call, "shelfTabLayout")
    name = call.objects()[0]
    if call.query and call.on("childArray"):
        children = [n.rsplit("|", 1)[-1] for n, c in call.maya.interface.items() if c["parent"] == name]
        return children or None
    if call.query:
        return _of(call, "shelfTabLayout").get(next(iter(call.flags)))
    if call.edit:
        _of(call, "shelfTabLayout").update(call.flags)
        return None
    return _make(call, "shelfTabLayout", name)


_CONTROL = (
    "label exists close visible restore tabToControl dockToMainWindow dockToControl floating initialWidth "
)
_CONTROL += (
    "initialHeight minimumWidth uiScript loadImmediately retain widthProperty requiredPlugin closeCommand "
)
_CONTROL += "collapse width height"


@command("workspaceControl", _CONTROL, arity=(1, 1), undoable=False, interface=True)
def workspace_control(call: Call) -> Any:
    if "exists" in call:
        return _exists(call, "workspaceControl")
    if call.query:
        return _of(call, "workspaceControl").get(next(iter(call.flags)))
    if call.edit:
        own = _of(call, "workspaceControl")
        own.update(call.flags)
        if call.on("close"):
            own["visible"] = False
        if call.on("restore"):
            own["visible"] = True
        return None
    own_name = _make(call, "workspaceControl", call.objects()[0])
    call.maya.interface[own_name].setdefault("visible", True)
    return own_name


@command(
    "deleteUI", "control layout panel window menu menuItem", arity=(1, None), undoable=False, interface=True
)
def delete_ui(call: Call) -> None:
    interface = call.maya.interface
    for name in call.objects():
        found = [full for full in interface if full == name or full.rsplit("|", 1)[-1] == name]
        if not found:
            raise call.fail(f"Object '{name}' not found.")
        for full in found:
            for below in [n for n in interface if n == full or n.startswith(f"{full}|")]:
                del interface[below]


@command("confirmDialog", "title message button", undoable=False, interface=True)
def confirm_dialog(call: Call) -> str:
    """CommandsPython/confirmDialog.html: answers the first button; says it in maya.warnings."""
    call.maya.warnings.append(str(call.flags["message"]))
    buttons = call.get("button", "Confirm")
    return buttons if isinstance(buttons, str) else str(buttons[0])


@command(
    "fileDialog2",
    "caption fileFilter fileMode startingDirectory okCaption dialogStyle selectFileFilter",
    undoable=False,
    interface=True,
)
def file_dialog(call: Call) -> list[str] | None:
    """Answers what a test put into maya.dialog_answers; None when a person cancels."""
    if not call.maya.dialog_answers:
        raise AssertionError("fileDialog2: a test must say in maya.dialog_answers what the person picks")
    return call.maya.dialog_answers.pop(0)


@command("window", "exists title", arity=(0, 1), undoable=False, interface=True)
def window(call: Call) -> Any:
    return _exists(call, "window") if "exists" in call else _make(call, "window", call.objects()[0])
