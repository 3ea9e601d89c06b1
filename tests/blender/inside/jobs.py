"""List the jobs of a server, let somebody pick, fetch an earlier job, delete one."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness
from scene_report import fcurves


def armatures() -> list[str]:
    return sorted(ob.name for ob in bpy.data.objects if ob.type == "ARMATURE")


def main(given: dict[str, Any]) -> dict[str, Any]:
    harness.enable()
    jobs = sys.modules[f"{harness.MODULE}.job_operators"]
    picking = sys.modules[f"{harness.MODULE}.picking"]
    preferences = bpy.context.preferences.addons[harness.MODULE].preferences
    preferences.server = given["import"]["server"]
    report: dict[str, Any] = {"nobody asked": harness.refused(bpy.ops.pose.import_chosen)}

    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.pose.import_video(pick_people=True, **given["import"])
    asked = picking.current()
    report["asked"] = [[row.title, row.coverage, row.chosen] for row in asked.choice.rows]
    # Without a window Blender has no icons; the pictures are read all the same.
    for row in asked.choice.rows:
        picking.thumbnail(row.person)
    report["pictures"] = [list(picture.image_size) for picture in picking._pictures.values()]
    report["before picking"] = armatures()
    bpy.ops.pose.choose_person(person=1)
    bpy.ops.pose.choose_person(person=2)
    report["nobody chosen"] = harness.refused(bpy.ops.pose.import_chosen)
    bpy.ops.pose.choose_person(person=2)
    bpy.ops.pose.import_chosen()
    report["picked"] = armatures()
    report["asked no more"] = picking.current() is None
    film = bpy.data.objects["dance camera"].data.background_images
    report["film"] = len(film)
    bpy.ops.ed.undo()
    report["undone"] = armatures()

    bpy.ops.pose.list_jobs()
    rows = jobs.known_jobs(bpy.context).rows(given["now"])
    report["rows"] = [[row.clip, row.state, row.age] for row in rows]
    bpy.ops.pose.delete_job(job="jobs/old")
    report["left"] = [job.name for job in jobs.known_jobs(bpy.context).jobs]
    report["unlisted"] = harness.refused(bpy.ops.pose.fetch_job, job="jobs/old")
    bpy.ops.pose.fetch_job(job="jobs/dance", rate="KEEP", scene_frame=101)
    report["fetched"] = armatures()
    record = bpy.data.objects[report["fetched"][0]].pose_import
    report["record"] = [record.job, record.clip_name, record.scene_frame, record.floor]
    report["first key"] = min(
        point.co.x for curve in fcurves(record.action) for point in curve.keyframe_points
    )
    return report


harness.run(main)
