"""The Blender half of the demo: import a clip with the add-on, save the scene, and take a picture of it.

Usage: ``python scripts/demo_blender.py CLIP --server HOST:PORT --out DIR [--people N]``, with a Python
that has the ``bpy`` wheel.  Writes scene.blend, scene.png and job.txt, the name of the server's job.
An armature draws nothing in a render, so each person gets a light body of tubes.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "plugins" / "blender"))

import bpy  # noqa: E402

# isort: split
# bpy makes these importable.
import addon_utils  # noqa: E402
import bmesh  # noqa: E402
from bpy_extras.object_utils import world_to_camera_view  # noqa: E402
from mathutils import Matrix, Vector  # noqa: E402

COLOURS = ((0.9, 0.13, 0.02), (0.01, 0.22, 0.75), (0.8, 0.42, 0.01), (0.12, 0.5, 0.05), (0.45, 0.03, 0.4))
PICTURE_PX = 960
SAMPLES = 8
FRAMES_LOOKED_AT = 60
SIDES = 16
#: Radius of the body about each joint, in metres; sides left out.
RADII_M = {
    "pelvis": 0.095,
    "spine": 0.09,
    "chest": 0.095,
    "neck": 0.05,
    "head": 0.085,
    "clavicle": 0.06,
    "shoulder": 0.05,
    "elbow": 0.038,
    "wrist": 0.03,
    "hand": 0.025,
    "hip": 0.075,
    "knee": 0.052,
    "ankle": 0.04,
    "toe": 0.03,
}


def import_clip(clip: Path, server: str, people: int) -> bpy.types.Collection:
    """Import into an empty scene that has the shape of the film; return what was added."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable("pose_from_video", default_set=True)
    film = bpy.data.movieclips.load(str(clip))
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y = film.size
    render.resolution_percentage = min(100, round(100 * PICTURE_PX / max(film.size)))
    bpy.data.movieclips.remove(film)
    bpy.ops.pose.import_video(
        filepath=str(clip), server=server, people=people, scene_frame=1, formats="npz,bvh,preview"
    )
    return next(collection for collection in bpy.data.collections if "pose_job" in collection)


def armatures(collection: bpy.types.Collection) -> list[Any]:
    """Return the people."""
    return sorted((ob for ob in collection.objects if ob.type == "ARMATURE"), key=lambda ob: ob.name)


def add_body(collection: bpy.types.Collection, person: Any, colour: tuple[float, float, float]) -> None:
    """Add a mannequin of tubes and balls that the armature moves."""
    mesh = bpy.data.meshes.new(f"{person.name} body")
    body = bpy.data.objects.new(mesh.name, mesh)
    collection.objects.link(body)
    form = bmesh.new()
    groups = form.verts.layers.deform.verify()
    for bone in person.data.bones:
        group = body.vertex_groups.new(name=bone.name)
        for vertex in _limb(form, bone):
            vertex[groups][group.index] = 1.0
    form.to_mesh(mesh)
    form.free()
    mesh.shade_smooth()
    material = bpy.data.materials.new(person.name)
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = 0.3
    mesh.materials.append(material)
    body.parent = person
    body.modifiers.new("Armature", "ARMATURE").object = person


def _radius_m(bone: Any) -> float:
    return RADII_M[bone.name.split("_")[-1]]


def _limb(form: Any, bone: Any) -> list[Any]:
    """Add what moves with one bone, and return its vertices."""
    radius = _radius_m(bone)
    if bone.name == "head":
        skull = Matrix.Translation(bone.head_local.lerp(bone.tail_local, 0.55)) @ Matrix.Diagonal(
            (1, 1.1, 1.3, 1)
        )
        return _tube(form, bone.head_local, bone.tail_local, radius * 0.5, radius * 0.5) + _ball(
            form, skull, radius
        )
    vertices = _ball(form, Matrix.Translation(bone.head_local), radius)
    for child in bone.children:
        vertices += _tube(form, bone.head_local, child.head_local, radius, min(radius, _radius_m(child)))
    if not bone.children:
        vertices += _tube(form, bone.head_local, bone.tail_local, radius, radius * 0.7)
        vertices += _ball(form, Matrix.Translation(bone.tail_local), radius * 0.7)
    return vertices


def _tube(form: Any, begin: Vector, end: Vector, begin_radius: float, end_radius: float) -> list[Any]:
    along = end - begin
    place = Matrix.Translation((begin + end) / 2) @ along.to_track_quat("Z", "Y").to_matrix().to_4x4()
    made = bmesh.ops.create_cone(
        form, segments=SIDES, radius1=begin_radius, radius2=end_radius, depth=along.length, matrix=place
    )
    return list(made["verts"])


def _ball(form: Any, place: Matrix, radius: float) -> list[Any]:
    made = bmesh.ops.create_uvsphere(
        form, u_segments=SIDES, v_segments=SIDES // 2, radius=radius, matrix=place
    )
    return list(made["verts"])


def add_floor_and_light(collection: bpy.types.Collection) -> None:
    """Add a floor that only shows shadows, a sun and a little light from everywhere."""
    mesh = bpy.data.meshes.new("Floor")
    mesh.from_pydata([(-50, -50, 0), (50, -50, 0), (50, 50, 0), (-50, 50, 0)], [], [(0, 1, 2, 3)])
    floor = bpy.data.objects.new("Floor", mesh)
    floor.is_shadow_catcher = True
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy = 4.5
    sun.data.angle = math.radians(4)
    sun.rotation_euler = (math.radians(48), 0, math.radians(120))
    for item in (floor, sun):
        collection.objects.link(item)
    world = bpy.data.worlds.new("World")
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.75, 0.85, 1, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.25
    bpy.context.scene.world = world


def put_on_film(camera: Any) -> None:
    """Have the compositor lay what is rendered over the film."""
    scene = bpy.context.scene
    scene.render.film_transparent = True
    tree = bpy.data.node_groups.new("On Film", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    scene.compositing_node_group = tree
    film = tree.nodes.new("CompositorNodeMovieClip")
    film.clip = camera.data.background_images[0].clip
    fit = tree.nodes.new("CompositorNodeScale")
    fit.inputs["Type"].default_value = "Render Size"
    over = tree.nodes.new("CompositorNodeAlphaOver")
    rendered, output = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("NodeGroupOutput")
    tree.links.new(film.outputs["Image"], fit.inputs["Image"])
    tree.links.new(fit.outputs["Image"], over.inputs["Background"])
    tree.links.new(rendered.outputs["Image"], over.inputs["Foreground"])
    tree.links.new(over.outputs["Image"], output.inputs[0])


def best_frame(people: list[Any], camera: Any) -> int:
    """Return the frame that shows most people, and of those the one that shows them largest."""
    scene = bpy.context.scene

    def shown(person: Any, frame: int) -> float:
        first, last = person.animation_data.action.frame_range
        if not first <= frame <= last:
            return 0.0
        places = [person.matrix_world @ bone.head for bone in person.pose.bones]
        seen = [world_to_camera_view(scene, camera, place) for place in places]
        if any(not (0 < x < 1 and 0 < y < 1 and z > 0) for x, y, z in seen):
            return 0.0
        spread = max(x for x, _, _ in seen) - min(x for x, _, _ in seen)
        return spread + max(y for _, y, _ in seen) - min(y for _, y, _ in seen)

    def score(frame: int) -> tuple[int, float]:
        scene.frame_set(frame)
        sizes = [shown(person, frame) for person in people]
        return sum(size > 0 for size in sizes), sum(sizes)

    step = max(1, (scene.frame_end - scene.frame_start) // FRAMES_LOOKED_AT)
    return max(range(scene.frame_start, scene.frame_end + 1, step), key=score)


def render(picture: Path) -> None:
    """Render the current frame with Cycles on the processor."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = SAMPLES
    scene.cycles.max_bounces = 1
    # The finest denoising takes longer than all the rest.
    scene.cycles.use_denoising = True
    scene.cycles.denoising_quality = "FAST"
    scene.cycles.denoising_prefilter = "NONE"
    # The film keeps its own colours.
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(picture)
    scene.render.image_settings.file_format = "PNG"
    bpy.ops.render.render(write_still=True)


def main() -> None:
    """Make the scene and its picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--server", required=True, help="HOST:PORT of a pose server")
    parser.add_argument("--out", type=Path, required=True, help="folder for scene.blend and scene.png")
    parser.add_argument("--people", type=int, default=0, help="keep this many of the largest; 0 keeps all")
    arguments = parser.parse_args()
    clip, out = arguments.clip.absolute(), arguments.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    collection = import_clip(clip, arguments.server, arguments.people)
    people, camera = armatures(collection), bpy.context.scene.camera
    (out / "job.txt").write_text(collection["pose_job"] + "\n")
    frame = best_frame(people, camera)
    stage = bpy.data.collections.new("Picture")
    bpy.context.scene.collection.children.link(stage)
    for index, person in enumerate(people):
        add_body(stage, person, COLOURS[index % len(COLOURS)])
    add_floor_and_light(stage)
    put_on_film(camera)
    bpy.context.scene.frame_set(frame)
    print(f"Rendering frame {bpy.context.scene.frame_current}", flush=True)
    render(out / "scene.png")
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "scene.blend"), compress=True)


if __name__ == "__main__":
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 2
    except RuntimeError as error:
        # What the add-on reports, as a sentence.
        print(str(error).strip(), file=sys.stderr)
        code = 2
    except BaseException:
        traceback.print_exc()
        code = 1
    # bpy as a module may hang while Python tidies up.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
