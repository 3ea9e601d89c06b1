"""What every script that runs inside a Blender needs: its arguments, the add-on, and a clean end."""

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

EXTENSIONS = bpy.app.version >= (4, 2)
MODULE = "bl_ext.user_default.pose_from_video" if EXTENSIONS else "pose_from_video"


def arguments() -> dict[str, Any]:
    return json.loads(Path(sys.argv[sys.argv.index("--") + 1]).read_text())


def enable() -> Any:
    """Enable the installed add-on and return its package."""
    bpy.ops.preferences.addon_enable(module=MODULE)
    return sys.modules[MODULE]


def end(result: Any, given: dict[str, Any]) -> None:
    """Write the result and leave at once: bpy as a module may hang while Python tidies up."""
    Path(given["result"]).write_text(json.dumps(result))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def fail() -> None:
    """Print the exception that is being handled and leave, without a result."""
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)


def run(main: Callable[[dict[str, Any]], Any]) -> None:
    """Call `main` with the arguments and report what it returns; a traceback reports nothing."""
    given = arguments()
    try:
        end(main(given), given)
    except BaseException:
        fail()


def refused(call: Callable[..., Any], **values: Any) -> str:
    """Return the sentence with which an operator refuses; fails if it does not."""
    try:
        call(**values)
    except RuntimeError as error:
        return str(error).strip()
    raise AssertionError(f"{call} was not refused")
