"""Operators for the jobs of the server, and for the people that wait to be picked."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty
from pose_shared.clips import title_of
from pose_shared.errors import InputError, PoseError
from pose_shared.import_settings import RATES
from pose_shared.job_list import JobList
from pose_shared.messages import Job
from pose_shared.session import Delivery, FetchRequest

from . import picking, work
from .host import Placement, scene_rate
from .preferences import preferences
from .tasks import FetchTask

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

__all__ = ["CLASSES", "known_jobs"]

_LOOK_S, _PATIENCE_S = 0.3, 30.0

_jobs: JobList | None = None


def known_jobs(context: bpy.types.Context) -> JobList:
    """Return the jobs of the server that the preferences name, as they were when last seen."""
    global _jobs
    server = preferences(context).server
    if _jobs is None or _jobs.server != server:
        _jobs = JobList(server)
    return _jobs


def _watch() -> None:
    """Have answers taken in: by a timer, or at once where there is no event loop."""
    assert _jobs is not None
    if bpy.app.background:
        while _jobs.busy and _jobs.wait(_PATIENCE_S):
            pass
        if _jobs.error:
            raise _jobs.error
    elif not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=_LOOK_S)


def _look() -> float | None:
    if _jobs is None:
        return None
    if _jobs.poll():
        if _jobs.error:
            work.show_error(_jobs.error)
        work.redraw()
    return _LOOK_S if _jobs.busy else None


class _JobOperator:
    job: StringProperty(name="Job", description="Its name on the server", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        try:
            self.do(context)
        except PoseError as error:
            self.report({"ERROR"}, error.message)  # type: ignore[attr-defined]
            return {"CANCELLED"}
        work.redraw()
        return {"FINISHED"}

    def do(self, context: bpy.types.Context) -> None:
        raise NotImplementedError


class POSE_OT_list_jobs(_JobOperator, bpy.types.Operator):
    """Ask the server for its jobs"""

    bl_idname = "pose.list_jobs"
    bl_label = "List Jobs"

    def do(self, context: bpy.types.Context) -> None:
        known_jobs(context).refresh()
        _watch()


class POSE_OT_cancel_job(_JobOperator, bpy.types.Operator):
    """Ask this job to stop"""

    bl_idname = "pose.cancel_job"
    bl_label = "Cancel Job"

    def do(self, context: bpy.types.Context) -> None:
        known_jobs(context).cancel(self.job)
        _watch()


class POSE_OT_delete_job(_JobOperator, bpy.types.Operator):
    """Remove this job and its files from the server"""

    bl_idname = "pose.delete_job"
    bl_label = "Delete Job and its Files from the Server"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        return context.window_manager.invoke_confirm(self, event)

    def do(self, context: bpy.types.Context) -> None:
        known_jobs(context).delete(self.job)
        _watch()


class POSE_OT_fetch_job(_JobOperator, bpy.types.Operator):
    """Bring the people of this job into the scene; waits for a job that runs"""

    bl_idname = "pose.fetch_job"
    bl_label = "Fetch Job"
    # As with an import, the undo step comes with the result.
    bl_options = set()

    rate: EnumProperty(
        name="Rate", description="What to do where the scene runs at another rate than the film", items=RATES
    )
    scene_frame: IntProperty(
        name="At Scene Frame",
        description="Where the first imported frame goes; the scene's first frame unless set",
        default=1,
        options={"SKIP_SAVE"},
    )
    interactive = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        self.interactive = True
        return self.execute(context)

    def do(self, context: bpy.types.Context) -> None:
        jobs = known_jobs(context)
        job = jobs.find(self.job)
        if job is None:
            raise InputError(
                f"The list has no job '{self.job}'; list the jobs of the server again.",
                reason="JOB_NOT_LISTED",
                job=self.job,
            )
        work.perform(self, self._task(context, job, jobs.server))

    def _task(self, context: bpy.types.Context, job: Job, server: str) -> FetchTask:
        scene = context.scene
        fps: Fraction | None = scene_rate(scene) if self.rate == "CONVERT" else None
        chosen = self.properties.is_property_set("scene_frame")
        placement = Placement(
            scene_frame=self.scene_frame if chosen else scene.frame_start,
            first_source_frame=job.first_source_frame or 0,
            match_rate=self.rate == "MATCH",
        )
        request = FetchRequest(job.name, title_of(job.clip_name), server, Delivery(fps=fps))
        return FetchTask(request, scene.name, placement, options=job.solve)


class POSE_OT_choose_person(_JobOperator, bpy.types.Operator):
    """Say whether this person comes into the scene"""

    bl_idname = "pose.choose_person"
    bl_label = "Choose Person"

    person: IntProperty(name="Person", description="Counted from 1", min=1)

    def do(self, context: bpy.types.Context) -> None:
        asked = picking.current()
        if asked is not None:
            asked.choice.toggle(self.person)


class POSE_OT_import_chosen(_JobOperator, bpy.types.Operator):
    """Bring those who are ticked into the scene"""

    bl_idname = "pose.import_chosen"
    bl_label = "Import Chosen People"
    bl_options = set()

    interactive = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        self.interactive = True
        return self.execute(context)

    def do(self, context: bpy.types.Context) -> None:
        work.perform(self, picking.chosen_task())
        picking.forget()


class POSE_OT_import_nobody(_JobOperator, bpy.types.Operator):
    """Leave the scene as it is; the server keeps the result"""

    bl_idname = "pose.import_nobody"
    bl_label = "Not Now"

    def do(self, context: bpy.types.Context) -> None:
        picking.forget()


CLASSES: tuple[Any, ...] = (
    POSE_OT_list_jobs,
    POSE_OT_cancel_job,
    POSE_OT_delete_job,
    POSE_OT_fetch_job,
    POSE_OT_choose_person,
    POSE_OT_import_chosen,
    POSE_OT_import_nobody,
)
