"""Plug-ins: mayaHIK and mayaCharacterization, which Maya brings, and Python files with commands."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .command import Command

if TYPE_CHECKING:
    from .maya import Maya


@dataclass
class Plugin:
    """A loaded plug-in and the commands it registered."""

    name: str
    path: str
    version: str = "1.0"
    vendor: str = "Unknown"
    module: ModuleType | None = None
    commands: dict[str, Any] = field(default_factory=dict)


def load(maya: Maya, given: str) -> str | None:
    """Load by name or path; None for one that is loaded already."""
    from . import hik

    name = Path(given).stem
    if name in maya.plugins:
        maya.warnings.append(f'Plug-in, "{name}", is already loaded.')
        return None
    if name == "mayaHIK":
        maya.plugins[name] = Plugin(name, "mayaHIK.so", str(maya.version), "Autodesk")
        hik.register()
        return name
    if name == "mayaCharacterization":
        maya.plugins[name] = Plugin(name, "mayaCharacterization.so", str(maya.version), "Autodesk")
        return name
    path = _find(given)
    spec = importlib.util.spec_from_file_location(f"_maya_plugin_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "maya_useNewAPI"):
        raise RuntimeError(
            f"loadPlugin: '{name}' does not define maya_useNewAPI: the double has API 2.0 alone."
        )
    for needed in ("initializePlugin", "uninitializePlugin"):
        if not hasattr(module, needed):
            raise RuntimeError(f"loadPlugin: '{name}' has no {needed}.")
    plugin = Plugin(name, str(path), module=module)
    maya.plugins[name] = plugin
    try:
        module.initializePlugin(_handle(plugin))
    except BaseException:
        for command in plugin.commands:
            maya.plugin_commands.pop(command, None)
        del maya.plugins[name]
        raise
    return name


def unload(maya: Maya, given: str) -> str:
    """Refuses, as Maya does, while the undo queue still has a command of the plug-in's."""
    from . import hik

    name = Path(given).stem
    if name not in maya.plugins:
        raise RuntimeError(f'unloadPlugin: Plug-in, "{name}", is not loaded.')
    plugin = maya.plugins[name]
    if name == "mayaHIK":
        if any(node.kind in hik.TYPES for node in maya.scene):
            raise RuntimeError('unloadPlugin: Plug-in, "mayaHIK", cannot be unloaded because it is in use.')
        hik.unregister()
    elif plugin.module is not None:
        steps = maya.queue.done + maya.queue.undone
        if any(step.name in plugin.commands for step in steps):
            raise RuntimeError(f'unloadPlugin: Plug-in, "{name}", is in use: flush undo first.')
        plugin.module.uninitializePlugin(_handle(plugin))
        if plugin.commands:
            left = ", ".join(plugin.commands)
            raise RuntimeError(f"unloadPlugin: uninitializePlugin left commands registered: {left}")
    del maya.plugins[name]
    return name


def _handle(plugin: Plugin) -> Any:
    from .open_maya.handles import MObject

    return MObject(plugin)


def _find(given: str) -> Path:
    folders = os.environ.get("MAYA_PLUG_IN_PATH", "").split(os.pathsep)
    names = [Path(given), *(Path(f) / n for f in folders if f for n in (given, f"{given}.py"))]
    for candidate in names:
        if candidate.is_file():
            return candidate
    raise RuntimeError(f'loadPlugin: Plug-in, "{given}", was not found on MAYA_PLUG_IN_PATH.')


def add_command(maya: Maya, plugin: Plugin, name: str, creator: Any, syntax: Any) -> None:
    """What MFnPlugin.registerCommand does."""
    if maya.find_command(name) is not None:
        raise RuntimeError(f"registerCommand: '{name}' exists already.")
    plugin.commands[name] = (creator, syntax)
    maya.plugin_commands[name] = Command(name, lambda call: None, frozenset())


def remove_command(maya: Maya, plugin: Plugin, name: str) -> None:
    if name not in plugin.commands:
        raise RuntimeError(f"deregisterCommand: '{name}' is not registered by '{plugin.name}'.")
    del plugin.commands[name]
    del maya.plugin_commands[name]


def run(maya: Maya, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a command of a plug-in: doIt now, undoIt and redoIt by the queue where isUndoable says so."""
    from .open_maya.plugin import MArgList, MPxCommand

    maya.check_thread(name)
    plugin = next(p for p in maya.plugins.values() if name in p.commands)
    creator, syntax_creator = plugin.commands[name]
    syntax = syntax_creator() if syntax_creator is not None else None
    instance = creator()
    if not isinstance(instance, MPxCommand):
        raise TypeError(f"{name}: its creator did not make an MPxCommand")
    instance._syntax = syntax
    arguments = MArgList(_words(name, syntax, args, kwargs))
    maya.calls.append((name, tuple(args), dict(kwargs)))

    def inside(action: Any, *given: Any) -> None:
        maya.inside_plugin += 1
        try:
            with maya.queue.suspended():
                action(*given)
        finally:
            maya.inside_plugin -= 1

    instance._result = None
    inside(instance.doIt, arguments)
    if instance.isUndoable():
        with maya.queue.command(name):
            maya.queue.record(lambda: inside(instance.undoIt), lambda: inside(instance.redoIt))
    return instance._result


def _words(name: str, syntax: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Python arguments as the words of a MEL command."""
    words: list[Any] = []
    for flag, value in kwargs.items():
        if syntax is None or not syntax._knows(flag):
            raise TypeError(f"{name}: Invalid flag '{flag}'")
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        count = syntax._count(flag)
        if count == 0:
            if value:
                words.append(f"-{flag}")
            continue
        groups = (
            [values]
            if len(values) == count
            else [list(v) if isinstance(v, (list, tuple)) else [v] for v in values]
        )
        for group in groups:
            if len(group) != count:
                raise TypeError(f"{name}: flag '{flag}' takes {count} values, not {len(group)}")
            words += [f"-{flag}", *group]
    for arg in args:
        words += list(arg) if isinstance(arg, (list, tuple)) else [arg]
    return words
