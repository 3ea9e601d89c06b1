"""Time the writing of long motions, as the server sends them."""

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness


def main(given: dict[str, Any]) -> dict[str, Any]:
    harness.enable()
    host = sys.modules[f"{harness.MODULE}.host"]
    # The add-on's own, which can be imported now that it is enabled.
    from pose_shared import clips, session
    from pose_shared.client import Client

    with Client(given["server"]) as client:
        motion = client.get_motion("jobs/dance", 1)
    clip = clips.Clip.from_path(Path(given["film"]))
    request = session.ImportRequest(clip, given["server"], {})
    placement = host.Placement(scene_frame=1, camera=False)
    begin = time.perf_counter()
    host.write_import(
        bpy.context.scene, [motion], request, placement, job="jobs/dance", clip=clip, options={}
    )
    seconds = time.perf_counter() - begin
    again = session.RefineRequest("jobs/dance", clip.name, given["server"], {})
    begin = time.perf_counter()
    host.write_refinement([motion], again, job="jobs/dance-1")
    refine_seconds = time.perf_counter() - begin
    armature = next(ob for ob in bpy.data.objects if ob.type == "ARMATURE")
    return {
        "seconds": seconds,
        "bones": len(armature.data.bones),
        "frames": motion.frame_count,
        "refine seconds": refine_seconds,
    }


harness.run(main)
