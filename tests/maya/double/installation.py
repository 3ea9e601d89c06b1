"""Putting the double where ``import maya`` finds it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from . import commands as _commands
from . import hik, mel, plugins, signatures
from .command import execute
from .maya import Maya
from .open_maya import (
    animation,
    functions,
    handles,
    mathematics,
    messages,
    modifiers,
    paths,
    plugin,
    plugs,
    present,
    quantities,
)


class _Commands(ModuleType):
    """maya.cmds: it has the commands that exist at this moment, and no others."""

    def __init__(self, maya: Maya) -> None:
        super().__init__("maya.cmds")
        self._maya = maya

    def __getattr__(self, name: str) -> Callable[..., Any]:
        maya = self._maya
        if name in maya.plugin_commands:

            def run_plugin(*args: Any, **kwargs: Any) -> Any:
                return plugins.run(maya, name, args, kwargs)

            return run_plugin
        entry = maya.find_command(name)
        if entry is None:
            if not name.startswith("_") and signatures.known(name):
                raise NotImplementedError(f"maya.cmds.{name} is documented, but the double does not model it")
            raise AttributeError(f"module 'maya.cmds' has no attribute '{name}'")

        def run(*args: Any, **kwargs: Any) -> Any:
            return execute(maya, entry, args, kwargs)

        return run


def _module(name: str, **content: Any) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(content)
    return made


def _classes(*modules: ModuleType) -> dict[str, Any]:
    """The classes of the API that modules define: their names have two capitals in front."""
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and name[1:2].isupper()
    }


def _utils(maya: Maya) -> ModuleType:
    """maya.utils: developer help, "Python and threading"."""

    def execute_deferred(what: Any, *args: Any, **kwargs: Any) -> None:
        if not callable(what) and not isinstance(what, str):
            raise TypeError("executeDeferred: a callable or a string is to be given")
        if isinstance(what, str):
            maya.defer(lambda: exec(what, sys.modules["__main__"].__dict__))
        else:
            maya.defer(lambda: what(*args, **kwargs))

    def execute_in_main_thread_with_result(what: Any, *args: Any, **kwargs: Any) -> Any:
        if maya.batch:
            raise RuntimeError("executeInMainThreadWithResult is not available in batch mode")
        return maya.call_in_main_thread(lambda: what(*args, **kwargs))

    return _module(
        "maya.utils",
        executeDeferred=execute_deferred,
        executeInMainThreadWithResult=execute_in_main_thread_with_result,
        processIdleEvents=lambda: maya.pump() and None,
    )


def _modules(maya: Maya) -> dict[str, ModuleType]:
    api = _module("maya.api")
    api.OpenMaya = _module(  # type: ignore[attr-defined]
        "maya.api.OpenMaya",
        **_classes(quantities, mathematics, handles, plugs, paths, functions, modifiers, plugin, messages),
    )
    api.OpenMayaAnim = _module("maya.api.OpenMayaAnim", **_classes(animation))  # type: ignore[attr-defined]
    found = {
        "maya.cmds": _Commands(maya),
        "maya.mel": _module("maya.mel", eval=lambda text: mel.evaluate(maya, text)),
        "maya.utils": _utils(maya),
        "maya.api": api,
        "maya.api.OpenMaya": api.OpenMaya,
        "maya.api.OpenMayaAnim": api.OpenMayaAnim,
    }
    if maya.batch:
        found["maya.standalone"] = _module(
            "maya.standalone", initialize=lambda name="python": None, uninitialize=maya.exit
        )
    else:
        found |= _interface_modules(maya)
    root = _module("maya", __path__=[])
    for name, module in found.items():
        parent, _, leaf = name.rpartition(".")
        setattr(root if parent == "maya" else found[parent], leaf, module)
        if name in ("maya.api", "maya.app", "maya.app.general"):
            module.__path__ = []
    return {"maya": root, **found}


def _interface_modules(maya: Maya) -> dict[str, ModuleType]:
    class MQtUtil:
        """Pointers to Qt's windows; a test may give one in maya.main_window."""

        @staticmethod
        def mainWindow() -> Any:
            return maya.main_window

    class MayaQWidgetDockableMixin:
        """A widget in a workspaceControl of its own: docs of mayaMixin.

        Its first parameter is the parent, which goes on by name, as in Maya's scripts
        (maya/app/general/mayaMixin.py, MayaQWidgetBaseMixin.__init__).
        """

        def __init__(self, parent: Any = None, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, parent=parent, **kwargs)  # type: ignore[call-arg]

        def setDockableParameters(self, **given: Any) -> None:
            _check_dockable(given)

        def show(self, **given: Any) -> None:
            _check_dockable(given)
            name = f"{self.objectName()}WorkspaceControl"  # type: ignore[attr-defined]
            if given.get("dockable") and name not in maya.interface:
                maya.interface[name] = {"kind": "workspaceControl", "parent": "", "visible": True, **given}
            super().show()  # type: ignore[misc]

    return {
        "maya.OpenMayaUI": _module("maya.OpenMayaUI", MQtUtil=MQtUtil),
        "maya.app": _module("maya.app"),
        "maya.app.general": _module("maya.app.general"),
        "maya.app.general.mayaMixin": _module(
            "maya.app.general.mayaMixin", MayaQWidgetDockableMixin=MayaQWidgetDockableMixin
        ),
    }


_DOCKABLE = {
    "dockable",
    "floating",
    "area",
    "allowedArea",
    "width",
    "height",
    "x",
    "y",
    "retain",
    "plugins",
    "controls",
}
_DOCKABLE |= {
    "uiScript",
    "closeCallback",
    "widthSizingProperty",
    "heightSizingProperty",
    "minWidth",
    "minHeight",
}


def _check_dockable(given: dict[str, Any]) -> None:
    unknown = given.keys() - _DOCKABLE
    if unknown:
        raise TypeError(f"setDockableParameters: unknown parameters {sorted(unknown)}")


@contextmanager
def installed(**settings: Any) -> Iterator[Maya]:
    """A Maya in sys.modules with a fresh scene; gone again afterwards.

    Settings: version (2023, 2025), batch, up_axis ("y", "z"), linear ("cm", "m"), time (a name of
    currentUnit). Raises StubsAbsent where types-maya is not installed: without it nothing would be checked.
    """
    signatures.stub_folder()
    assert _commands.__all__, "importing the commands registers them"
    maya = Maya(**settings)
    kept = {
        name: sys.modules[name] for name in list(sys.modules) if name == "maya" or name.startswith("maya.")
    }
    for name in kept:
        del sys.modules[name]
    modules = _modules(maya)
    sys.modules.update(modules)
    present.enter(maya)
    try:
        yield maya
    finally:
        present.leave()
        for name in [n for n in sys.modules if n == "maya" or n.startswith("maya.")]:
            del sys.modules[name]
        sys.modules.update(kept)
        hik.unregister()
