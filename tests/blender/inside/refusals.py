"""Everything that the add-on says no to, and what the scene looks like afterwards."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness


def main(given: dict[str, Any]) -> dict[str, Any]:
    package = harness.enable()
    preferences = bpy.context.preferences.addons[harness.MODULE].preferences
    folder, film, server = Path(given["place"]), given["film"], given["server"]
    preferences.server = server
    picture = folder / "still.png"
    picture.write_bytes(b"")
    before = len(bpy.data.objects), len(bpy.data.collections), len(bpy.data.scenes)
    imports = bpy.ops.pose.import_video
    said = {
        "no file": harness.refused(imports, filepath=str(folder / "gone.mp4")),
        "one picture": harness.refused(imports, filepath=str(picture)),
        "two lenses": harness.refused(imports, filepath=film, fov=60.0, focal_mm=35.0),
        "no server": harness.refused(imports, filepath=film, server="127.0.0.1:1"),
        "no address": harness.refused(imports, filepath=film, server="over there"),
        "the server says no": harness.refused(imports, filepath=film),
        "nothing to refine": harness.refused(bpy.ops.pose.refine),
        "no server to test": harness.refused(bpy.ops.pose.test_connection, server="127.0.0.1:1"),
    }
    scene = bpy.context.scene
    scene.camera.data.type = "ORTHO"
    said["a flat camera"] = harness.refused(imports, filepath=film, camera="scene")
    scene.camera.data.type = "PERSP"
    nonsense = folder / "nonsense.mp4"
    nonsense.write_bytes(b"no film")
    said["no film"] = harness.refused(imports, filepath=str(nonsense), camera="scene")
    scene.camera = None
    said["no camera"] = harness.refused(imports, filepath=film, camera="scene")
    preferences.executable = str(folder / "pose-server")
    said["server runs elsewhere"] = started(preferences, "render-box:50551")
    said["no command"] = started(preferences, "127.0.0.1:50551")
    after = len(bpy.data.objects), len(bpy.data.collections), len(bpy.data.scenes)
    preferences.server = server
    return {
        "said": said,
        "untouched": before == after,
        "connection": list(bpy.ops.pose.test_connection()),
        "leftovers": leftovers(package),
    }


def started(preferences: Any, address: str) -> str:
    preferences.server = address
    return harness.refused(bpy.ops.pose.start_server)


def leftovers(package: Any) -> list[str]:
    """What stays in Blender when the add-on is disabled, enabled, and disabled again."""
    for _ in range(2):
        bpy.ops.preferences.addon_disable(module=harness.MODULE)
        harness.enable()
    handlers = len([h for h in bpy.app.handlers.load_pre if h.__module__.startswith(harness.MODULE)])
    entries = len([d for d in menu_entries() if d.__module__.startswith(harness.MODULE)])
    assert (handlers, entries) == (1, 1), (handlers, entries)
    bpy.ops.preferences.addon_disable(module=harness.MODULE)
    names = [
        name for name in dir(bpy.types) if name.startswith(("POSE_OT_import_video", "POSE_PT_from_video"))
    ]
    names += [h.__name__ for h in bpy.app.handlers.load_pre if h.__module__.startswith(harness.MODULE)]
    return names + [d.__name__ for d in menu_entries() if d.__module__.startswith(harness.MODULE)]


def menu_entries() -> list[Any]:
    return list(bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize())


harness.run(main)
