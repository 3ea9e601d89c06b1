"""Which clip the sidebar offers, whatever is active."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness


def main(given: dict[str, Any]) -> dict[str, str]:
    harness.enable()
    find = sys.modules[f"{harness.MODULE}.active_clip"].active_clip
    layer, scene = bpy.context.view_layer, bpy.context.scene

    def offered(ob: Any) -> str:
        if ob.name not in scene.objects:
            scene.collection.objects.link(ob)
        layer.objects.active = ob
        return find(bpy.context)

    found = {"cube": offered(bpy.data.objects["Cube"])}
    image = bpy.data.images.load(given["film"])
    empty = bpy.data.objects.new("Reference", None)
    empty.empty_display_type = "IMAGE"
    empty.data = image
    found["image empty"] = offered(empty)

    plane = bpy.data.objects.new("Plane", bpy.data.meshes.new("Plane"))
    material = bpy.data.materials.new("Film")
    material.use_nodes = True
    material.node_tree.nodes.new("ShaderNodeTexImage").image = image
    plane.data.materials.append(material)
    found["image plane"] = offered(plane)

    camera = bpy.data.objects["Camera"]
    background = camera.data.background_images.new()
    background.source = "MOVIE_CLIP"
    background.clip = bpy.data.movieclips.load(given["film"])
    found["camera"] = offered(camera)

    scene.active_clip = background.clip
    found["scene"] = offered(bpy.data.objects["Light"])
    image.filepath = "//gone.mp4"
    scene.active_clip = None
    found["film that is gone"] = offered(empty)
    return found


harness.run(main)
