"""Drop this file into a view of Maya: it installs Pose from Video, or brings it up to date.

It is written for any Python, so that an old Maya hears a sentence and no traceback.
"""

import os
import shutil
import sys

from maya import cmds

__all__ = ["install", "onMayaDroppedPythonFile"]

_NAME = "pose_from_video"
_TITLE = "Pose from Video"


def onMayaDroppedPythonFile(*_):
    """Install, and say so in a dialog; Maya calls this."""
    try:
        sentence = install()
    except (EnvironmentError, ImportError) as error:
        sentence = "Pose from Video was not installed: {}".format(error)
    finally:
        # Some Mayas would run this very module again when a newer file is dropped.
        sys.modules.pop(__name__, None)
    cmds.confirmDialog(title=_TITLE, message=sentence, button=["OK"])


def install(source=None):
    """Install from the folder that this file is in; return a sentence about it.

    Raises
    ------
    EnvironmentError
        A file cannot be written.
    ImportError
        This Maya is too old, or the folder was built for another system.
    """
    if sys.version_info < (3, 9):
        raise ImportError("it needs Maya 2023 or later, which has Python 3.9; update Maya.")
    source = source or os.path.dirname(os.path.abspath(__file__))
    modules = os.path.join(cmds.internalVar(userAppDir=True), "modules")
    if not os.path.isdir(modules):
        os.makedirs(modules)
    with open(os.path.join(source, _NAME + ".mod")) as file:
        blocks = file.read()
    packages = _packages(blocks)
    _close_window()
    before = _installed(modules)
    folder = _copy(os.path.join(source, _NAME), modules, before)
    blocks = blocks.replace("./" + _NAME, "./" + os.path.basename(folder))
    definition = os.path.join(modules, _NAME + ".mod")
    with open(definition + ".part", "w") as file:
        file.write(blocks)
    os.replace(definition + ".part", definition)
    for old in before:
        # What runs may still have to read from there; it goes with the next update.
        if not _in_use(old):
            shutil.rmtree(old, ignore_errors=True)
    _activate(folder, packages)
    from pose_from_video.host import shelf

    shelf.add()
    done = "updated" if before else "installed"
    return (
        "Pose from Video was {}, in {}. Its shelf is PoseFromVideo; Maya need not be restarted. "
        "To remove it, right-click a button of the shelf.".format(done, folder)
    )


def _close_window():
    dock = sys.modules.get(_NAME + ".dock")
    if dock is not None:
        dock.close()


def _installed(modules):
    """Return the folders that an earlier installation has left."""
    return [
        os.path.join(modules, name)
        for name in sorted(os.listdir(modules))
        if name.startswith(_NAME + "-") and os.path.isdir(os.path.join(modules, name))
    ]


def _in_use(folder):
    """Return whether libraries that cannot be loaded twice were loaded from a folder."""
    files = [getattr(sys.modules.get(name), "__file__", None) for name in ("grpc", "google.protobuf")]
    return any(path and os.path.abspath(path).startswith(folder + os.sep) for path in files)


def _copy(source, modules, before):
    """Copy the module beside the earlier one, whose libraries a running Maya may hold; return where to."""
    taken = [os.path.basename(path) for path in before]
    number = 1
    while "{}-{}".format(_NAME, number) in taken:
        number += 1
    folder = os.path.join(modules, "{}-{}".format(_NAME, number))
    partial = folder + ".part"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial)
    os.rename(partial, folder)
    return folder


def _packages(blocks):
    """Return the folders of packages that the module file has for this Maya.

    Raises
    ------
    ImportError
        No block of the module file is for this Maya and system.
    """
    platform = {"win32": "win64", "darwin": "mac"}.get(sys.platform, "linux")
    version = str(cmds.about(version=True)).split(".")[0]
    head = "+ MAYAVERSION:{} PLATFORM:{} ".format(version, platform)
    block = next((text for text in blocks.split("\n\n") if text.startswith(head)), None)
    if block is None:
        raise ImportError("this folder has nothing for Maya {} on {}; get another.".format(version, platform))
    return [line.split("+:=")[1] for line in block.splitlines() if line.startswith("PYTHONPATH+:=")]


def _activate(folder, packages):
    """Do for the running Maya what the module file does for the next one."""
    sys.path[:] = [path for path in sys.path if not _is_ours(path, folder)]
    # Before Maya's own packages, as PYTHONPATH is, but not first: Maya takes the first one, which it has put
    # there to find this file, away again.
    sys.path[1:1] = [os.path.join(folder, *path.split("/")) for path in ["scripts", *packages]]
    for name in list(sys.modules):
        if name.split(".")[0] in (_NAME, "pose_shared"):
            del sys.modules[name]


def _is_ours(path, folder):
    return os.path.abspath(path).startswith(os.path.join(os.path.dirname(folder), _NAME + "-"))
