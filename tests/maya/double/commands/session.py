"""The session: about, file, undo, plug-ins, deferred work, jobs. Pages: CommandsPython/<command>.html."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .. import ma_writer, plugins
from ..command import Call, command
from ..maya import API_VERSIONS
from ..open_maya.messages import MSceneMessage


@command(
    "about",
    "batch version api apiVersion majorVersion minorVersion product operatingSystem windows macOS linux "
    "installedVersion win64 linux64 qtVersion",
    undoable=False,
)
def about(call: Call) -> Any:
    maya = call.maya
    answers = {
        "batch": maya.batch,
        "version": str(maya.version),
        "majorVersion": str(maya.version),
        "minorVersion": "0",
        "api": API_VERSIONS[maya.version],
        "apiVersion": API_VERSIONS[maya.version],
        "product": f"Maya {maya.version}",
        "installedVersion": f"Maya {maya.version}",
        "operatingSystem": "linux64",
        "windows": False,
        "win64": False,
        "macOS": False,
        "linux": True,
        "linux64": True,
        "qtVersion": "6.5.3" if maya.version >= 2025 else "5.15.2",
    }
    asked = [flag for flag in call.flags if call.on(flag)]
    if len(asked) != 1:
        raise call.fail("One flag is to be given.")
    return answers[asked[0]]


@command(
    "file",
    "newFile force save rename type open query sceneName modified exists shortName location prompt "
    "expandName",
    arity=(0, 1),
    undoable=False,
)
def file(call: Call) -> Any:
    maya, scene = call.maya, call.scene
    if call.query:
        if call.on("sceneName") or call.on("location"):
            path = scene.path
            return Path(path).name if call.on("shortName") else path
        if call.on("modified"):
            return scene.modified
        if call.on("exists"):
            return Path(call.objects()[0]).exists()
        raise NotImplementedError("file: the double does not answer this")
    if call.on("newFile"):
        if scene.modified and not call.on("force"):
            raise call.fail("Unsaved changes.")
        maya.new_scene()
        return "untitled"
    if "rename" in call:
        scene.path = call.flags["rename"]
        return scene.path
    if "modified" in call:
        scene.modified = bool(call.flags["modified"])
        return None
    if call.on("save"):
        return _save(call)
    raise NotImplementedError("file: the double makes new scenes, renames and saves them")


def _save(call: Call) -> str:
    """As Maya ASCII; a scene without a name cannot be saved."""
    scene = call.scene
    if not scene.path:
        raise call.fail("No file name specified.")
    kind = call.get("type", "mayaAscii")
    if kind != "mayaAscii":
        raise NotImplementedError(f"file: the double does not write {kind}")
    path = Path(scene.path)
    if not path.suffix:
        path = path.with_suffix(".ma")
    if not path.parent.is_dir():
        raise call.fail(f"Could not save file: {path}")
    call.maya.notify(MSceneMessage.kBeforeSave)
    path.write_text(ma_writer.text(scene, call.maya.version), encoding="utf-8")
    scene.path, scene.modified = str(path), False
    call.maya.notify(MSceneMessage.kAfterSave)
    call.maya.run_jobs("SceneSaved")
    return scene.path


@command("undo", undoable=False)
def undo(call: Call) -> None:
    call.maya.queue.undo()
    call.maya.scene.changed()
    call.maya.run_jobs("Undo")


@command("redo", undoable=False)
def redo(call: Call) -> None:
    call.maya.queue.redo()
    call.maya.scene.changed()
    call.maya.run_jobs("Redo")


@command(
    "undoInfo",
    "state stateWithoutFlush openChunk closeChunk chunkName infinity length undoName redoName "
    "undoQueueEmpty redoQueueEmpty",
    undoable=False,
)
def undo_info(call: Call) -> Any:
    """-state false flushes the queue, -stateWithoutFlush does not."""
    queue = call.maya.queue
    if call.query:
        answers = {
            "state": queue.enabled,
            "stateWithoutFlush": queue.enabled,
            "undoName": queue.name_of_next(queue.done),
            "redoName": queue.name_of_next(queue.undone),
            "undoQueueEmpty": not queue.done,
            "redoQueueEmpty": not queue.undone,
            "infinity": True,
            "length": 0,
        }
        return answers[next(iter(call.flags))]
    if "chunkName" in call and not call.on("openChunk"):
        raise call.fail("chunkName goes with openChunk.")
    if call.on("openChunk"):
        queue.open_chunk(call.get("chunkName", ""))
    elif call.on("closeChunk"):
        queue.close_chunk()
    for flag in ("state", "stateWithoutFlush"):
        if flag in call:
            queue.enabled = bool(call.flags[flag])
            if flag == "state" and not queue.enabled:
                queue.flush()
    return None


@command("flushUndo", undoable=False)
def flush_undo(call: Call) -> None:
    call.maya.queue.flush()


@command("warning", "noContext showLineNumber", arity=(1, None), undoable=False)
def warning(call: Call) -> None:
    call.maya.warnings.append(" ".join(call.objects()))


@command("loadPlugin", "quiet name", arity=(1, None), undoable=False)
def load_plugin(call: Call) -> list[str]:
    return [name for given in call.objects() if (name := plugins.load(call.maya, given))]


@command("unloadPlugin", "force", arity=(1, None), undoable=False)
def unload_plugin(call: Call) -> list[str]:
    return [plugins.unload(call.maya, given) for given in call.objects()]


@command(
    "pluginInfo",
    "loaded registered command path name listPlugins version vendor autoload",
    arity=(0, 1),
    undoable=False,
)
def plugin_info(call: Call) -> Any:
    maya = call.maya
    if call.on("listPlugins"):
        return sorted(maya.plugins) or None
    name = Path(call.objects()[0]).stem
    if call.edit:
        raise NotImplementedError("pluginInfo: the double does not edit")
    if call.on("loaded") or call.on("registered"):
        return name in maya.plugins
    if name not in maya.plugins:
        raise call.fail(f'Plug-in, "{name}", is not registered.')
    plugin = maya.plugins[name]
    if call.on("command"):
        return list(plugin.commands) or None
    return {"path": plugin.path, "name": name, "version": plugin.version, "vendor": plugin.vendor}[
        next(iter(call.flags))
    ]


@command("evalDeferred", "evaluateNext lowestPriority lowPriority list", arity=(0, 1), undoable=False)
def eval_deferred(call: Call) -> None:
    """Run when Maya is idle; a string is Python, as the caller is."""
    what = call.args[0]
    if not callable(what) and not isinstance(what, str):
        raise TypeError("evalDeferred: Invalid arguments: a callable or a string is to be given")
    call.maya.defer(what if callable(what) else lambda: exec(what, sys.modules["__main__"].__dict__))


#: Events that CommandsPython/scriptJob.html lists, those of use here.
EVENTS = {
    "SceneOpened",
    "NewSceneOpened",
    "PostSceneRead",
    "SceneSaved",
    "Undo",
    "Redo",
    "SelectionChanged",
    "timeChanged",
    "timeUnitChanged",
    "linearUnitChanged",
    "quitApplication",
    "playbackRangeChanged",
    "deleteAll",
    "idle",
}


@command(
    "scriptJob",
    "event runOnce kill killWithScene protected exists parent listJobs listEvents force replacePrevious",
    undoable=False,
)
def script_job(call: Call) -> Any:
    """Jobs are run by the interface's loop: in batch mode none is."""
    maya = call.maya
    if call.on("listEvents"):
        return sorted(EVENTS)
    if call.on("listJobs"):
        return [f"{number}: {job['event']}" for number, job in maya.jobs.items()]
    if "exists" in call:
        return call.flags["exists"] in maya.jobs
    if "kill" in call:
        for number in call.flags["kill"] if isinstance(call.flags["kill"], list) else [call.flags["kill"]]:
            job = maya.jobs.get(number)
            if job is not None and job.get("protected") and not call.on("force"):
                raise call.fail(f"Job {number} is protected.")
            maya.jobs.pop(number, None)
        return None
    if "event" not in call:
        raise call.fail("No event was given.")
    event, action = call.flags["event"]
    if event not in EVENTS:
        raise call.fail(f"Unknown event: {event}")
    if not callable(action):
        raise TypeError("scriptJob: the double runs callables, no strings")
    number = maya.next_number()
    maya.jobs[number] = {
        "event": event,
        "call": action,
        "runOnce": call.on("runOnce"),
        "killWithScene": call.on("killWithScene"),
        "protected": call.on("protected"),
    }
    return number


@command(
    "optionVar",
    "intValue floatValue stringValue exists remove list stringValueAppend",
    undoable=False,
    query_values="exists=str",
)
def option_var(call: Call) -> Any:
    """A query names the variable by the flag query itself: optionVar(query='name')."""
    kept = call.maya.option_vars
    if call.query and call.args:
        return kept.get(call.args[0], 0)
    if call.on("list"):
        return sorted(kept)
    if "exists" in call:
        return call.flags["exists"] in kept
    if "remove" in call:
        return kept.pop(call.flags["remove"], None) is not None
    for flag, kind in (("intValue", int), ("floatValue", float), ("stringValue", str)):
        if flag in call:
            name, value = call.flags[flag]
            kept[name] = kind(value)
    return None


@command(
    "internalVar",
    "userAppDir userScriptDir userPrefDir userShelfDir userTmpDir mayaInstallDir userBitmapsDir",
    undoable=False,
)
def internal_var(call: Call) -> str:
    """Folders end with a slash."""
    home = call.maya.user_folder
    version = call.maya.version
    folders = {
        "userAppDir": f"{home}/",
        "userScriptDir": f"{home}/{version}/scripts/",
        "userPrefDir": f"{home}/{version}/prefs/",
        "userShelfDir": f"{home}/{version}/prefs/shelves/",
        "userBitmapsDir": f"{home}/{version}/prefs/icons/",
        "userTmpDir": f"{home}/tmp/",
        "mayaInstallDir": f"/usr/autodesk/maya{version}",
    }
    asked = [flag for flag in call.flags if call.on(flag)]
    if len(asked) != 1:
        raise call.fail("One flag is to be given.")
    return folders[asked[0]]


@command("moduleInfo", "listModules moduleName path version definition", undoable=False)
def module_info(call: Call) -> Any:
    """Modules that a test says are there: maya.modules."""
    modules = call.maya.modules
    if call.on("listModules"):
        return sorted(modules)
    name = call.get("moduleName")
    if name not in modules:
        raise call.fail(f"Module '{name}' is not found.")
    for flag in ("path", "version", "definition"):
        if call.on(flag):
            return modules[name][flag]
    raise call.fail("Nothing was asked.")
