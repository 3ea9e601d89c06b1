"""What the user can press, and scripts call: bpy.ops.pose.import_video, refine and what goes with them."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty
from pose_shared.clips import FILM_SUFFIXES, IMAGE_SUFFIXES, Clip
from pose_shared.errors import ConflictError, InputError, PoseError
from pose_shared.import_settings import RATES, ImportSettings
from pose_shared.session import Delivery, ImportRequest, RefineRequest
from pose_shared.solve_settings import SETTINGS

from . import work
from .host import (
    Placement,
    is_imported,
    is_linked,
    is_marked,
    mark,
    record_of,
    scene_camera_track,
    scene_rate,
    unmark,
)
from .preferences import preferences
from .solve_settings import SolveSettings, draw_settings
from .tasks import ImportTask, PickTask, RefineTask

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

__all__ = [
    "CLASSES",
    "POSE_OT_cancel_import",
    "POSE_OT_import_video",
    "POSE_OT_mark_weak_spans",
    "POSE_OT_refine",
    "POSE_OT_show_weak_span",
]


class POSE_OT_import_video(SolveSettings, bpy.types.Operator):
    """Turn the people in a video into keyed armatures"""

    bl_idname = "pose.import_video"
    bl_label = ImportTask.undo_name
    # Not to be repeated by the redo panel or Shift-R; the undo step comes with the result.
    bl_options = set()

    filepath: StringProperty(
        name="Video",
        description="A film, or any picture of an image sequence",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    filter_glob: StringProperty(
        default=";".join(f"*{suffix}" for suffix in (*FILM_SUFFIXES, *IMAGE_SUFFIXES)),
        options={"HIDDEN"},
    )
    server: StringProperty(
        name="Server",
        description="Address of the pose server; that of the preferences when empty",
        options={"SKIP_SAVE"},
    )
    people: IntProperty(
        name="People", description="Keep this many of the largest people; 0 keeps all", min=0, max=64
    )
    frame_start: IntProperty(
        name="From Film Frame", description="First frame of the film to import, counted from 0", min=0
    )
    frame_end: IntProperty(
        name="To Film Frame", description="First frame of the film to leave out; 0 imports to the end", min=0
    )
    scene_frame: IntProperty(
        name="At Scene Frame",
        description="Where the first imported frame goes; the scene's first frame unless set",
        default=1,
        options={"SKIP_SAVE"},
    )
    rate: EnumProperty(
        name="Rate",
        description="What to do where the scene runs at another rate than the film",
        items=RATES,
    )
    sequence_fps: FloatProperty(
        name="Sequence Rate",
        description="Frames per second of an image sequence; the scene's rate when 0",
        min=0.0,
        max=1000.0,
        precision=3,
    )
    fov: FloatProperty(
        name="Field of View, if Known",
        description="Horizontal field of view of the film in degrees, if it is known",
        min=0.0,
        max=150.0,
    )
    focal_mm: FloatProperty(
        name="Focal Length, if Known",
        description="Focal length in mm on a 36 mm sensor, if it is known and the field of view is not",
        min=0.0,
        max=1000.0,
    )
    camera: EnumProperty(
        name="Film Camera",
        description="What the camera did that filmed the clip",
        items=(
            ("auto", "Automatic", "Follow it where it turned"),
            ("still", "Still", "It stood still"),
            (
                "scene",
                "Scene Camera",
                "It is the scene's camera, as it is animated or tracked; the people go before it as it is",
            ),
        ),
    )
    add_camera: BoolProperty(name="Camera", description="Add the camera that filmed the clip", default=True)
    add_film: BoolProperty(name="Film Behind", description="Show the film in that camera", default=True)
    add_confidence: BoolProperty(
        name="Confidence", description="Key how sure the server is of each bone, as a custom property"
    )
    pick_people: BoolProperty(
        name="Choose Before", description="Ask, once people are found, who of them comes into the scene"
    )
    formats: StringProperty(
        name="Formats",
        description="What else the server makes of the clip and keeps, such as npz,bvh,preview",
        default="npz",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    # Whether somebody sits in front of it: the work then runs beside theirs.
    interactive = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        self.interactive = True
        if not self._is_set("scene_frame"):
            self.scene_frame = context.scene.frame_start
        manager = context.window_manager
        if self.filepath:
            return manager.invoke_props_dialog(self, width=380)
        manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        if context.area and context.area.type != "FILE_BROWSER":
            layout.label(text=Path(self.filepath).name, icon="FILE_MOVIE")
        layout.prop(self, "people")
        layout.prop(self, "pick_people")
        column = layout.column(align=True)
        column.prop(self, "frame_start")
        column.prop(self, "frame_end")
        column = layout.column(align=True)
        column.prop(self, "rate")
        column.prop(self, "scene_frame")
        column.prop(self, "sequence_fps")
        column = layout.column(align=True)
        column.prop(self, "fov")
        column.prop(self, "focal_mm")
        column.prop(self, "camera")
        draw_settings(layout, self)
        column = layout.column(heading="Add")
        row = column.row()
        row.enabled = self.camera != "scene"
        row.prop(self, "add_camera")
        row = column.row()
        row.enabled = self.add_camera and self.camera != "scene"
        row.prop(self, "add_film")
        column.prop(self, "add_confidence")

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        try:
            kind = PickTask if self.pick_people else ImportTask
            work.perform(self, kind(self._request(context), context.scene.name, self._placement(context)))
        except PoseError as error:
            self.report({"ERROR"}, error.message)
            return {"CANCELLED"}
        return {"FINISHED"}

    def _request(self, context: bpy.types.Context) -> ImportRequest:
        settings = ImportSettings(
            path=bpy.path.abspath(self.filepath),
            people=self.people,
            frame_start=self.frame_start,
            frame_end=self.frame_end,
            sequence_fps=self.sequence_fps,
            fov_deg=self.fov,
            focal_mm=self.focal_mm,
            camera=self.camera if self._is_set("camera") and self.camera != "scene" else "",
            solve={name: getattr(self, name) for name in SETTINGS if self._is_set(name)},
            formats=tuple(name.strip() for name in self.formats.split(",")),
        )
        rate = scene_rate(context.scene)
        if self.camera == "scene":
            track = self._camera_track(context, settings.clip(), settings.sequence_rate(rate))
            settings = replace(settings, camera_track=track)
        delivery = Delivery(
            persons=() if self.pick_people else None, fps=rate if self.rate == "CONVERT" else None
        )
        return settings.request(self.server or preferences(context).server, rate, delivery)

    def _camera_track(self, context: bpy.types.Context, clip: Clip, rate: Fraction) -> dict[str, Any]:
        placement = self._placement(context)
        return scene_camera_track(
            context,
            clip,
            scene_rate=None if placement.match_rate else scene_rate(context.scene),
            sequence_rate=rate,
            first_source_frame=placement.first_source_frame,
            end_source_frame=placement.end_source_frame,
            scene_frame=placement.scene_frame,
        )

    def _is_set(self, name: str) -> bool:
        return bool(self.properties.is_property_set(name))

    def _placement(self, context: bpy.types.Context) -> Placement:
        chosen = self._is_set("scene_frame")
        return Placement(
            scene_frame=self.scene_frame if chosen else context.scene.frame_start,
            first_source_frame=self.frame_start,
            end_source_frame=self.frame_end or None,
            match_rate=self.rate == "MATCH",
            camera=self.add_camera and self.camera != "scene",
            film=self.add_film,
            confidence=self.add_confidence,
        )


class POSE_OT_refine(SolveSettings, bpy.types.Operator):
    """Solve the clip of the active armature again and replace the keys of everybody in it"""

    bl_idname = "pose.refine"
    bl_label = "Refine"
    # As with an import, the undo step comes with the result.
    bl_options = set()

    armature: StringProperty(
        name="Armature", description="One of the import's; the active one when empty", options={"SKIP_SAVE"}
    )
    server: StringProperty(
        name="Server",
        description="Address of the pose server; that of the preferences when empty",
        options={"SKIP_SAVE"},
    )

    interactive = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        self.interactive = True
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        try:
            work.perform(self, RefineTask(self._request(context)))
        except PoseError as error:
            self.report({"ERROR"}, error.message)
            return {"CANCELLED"}
        return {"FINISHED"}

    def _request(self, context: bpy.types.Context) -> RefineRequest:
        ob = bpy.data.objects.get(self.armature) if self.armature else context.active_object
        if not is_imported(ob):
            raise InputError(
                "Nothing here came from a video; select an armature that was imported.",
                reason="NOT_IMPORTED",
            )
        if is_linked(ob):
            raise ConflictError(
                f"'{ob.name}' is linked from another file; refine it there.", reason="ARMATURE_LINKED"
            )
        record, given = record_of(ob), self.properties
        return RefineRequest(
            job=record.job,
            name=record.clip_name,
            server=self.server or preferences(context).server,
            options={
                name: getattr(self if given.is_property_set(name) else record, name) for name in SETTINGS
            },
            delivery=Delivery(fps=Fraction(record.asked_rate) if record.asked_rate else None),
        )


class POSE_OT_show_weak_span(bpy.types.Operator):
    """Go to the first frame of this weak span"""

    bl_idname = "pose.show_weak_span"
    bl_label = "Show Weak Span"

    index: IntProperty(name="Number", description="Which one, counted from 0", min=0)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_imported(context.active_object)

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        record = record_of(context.active_object)
        if self.index >= len(record.weak_spans):
            return {"CANCELLED"}
        record.weak_span = self.index
        context.scene.frame_set(record.weak_spans[self.index].start)
        return {"FINISHED"}


class POSE_OT_mark_weak_spans(bpy.types.Operator):
    """Put markers where the weak spans of the active armature begin, or take them away again"""

    bl_idname = "pose.mark_weak_spans"
    bl_label = "Mark Weak Spans"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        person = context.active_object
        return is_imported(person) and len(record_of(person).weak_spans) > 0

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        if is_marked(context.scene, context.active_object):
            unmark(context.scene, context.active_object)
        else:
            mark(context.scene, context.active_object)
        return {"FINISHED"}


class POSE_OT_cancel_import(bpy.types.Operator):
    """Stop the running import or refinement; everything stays as it is"""

    bl_idname = "pose.cancel_import"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return work.running() is not None

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        work.cancel()
        return {"FINISHED"}


CLASSES: tuple[Any, ...] = (
    POSE_OT_import_video,
    POSE_OT_refine,
    POSE_OT_show_weak_span,
    POSE_OT_mark_weak_spans,
    POSE_OT_cancel_import,
)

if hasattr(bpy.types, "FileHandler"):

    class POSE_FH_video(bpy.types.FileHandler):
        """A film that is dropped into the 3D view (Blender 4.1 and later)."""

        bl_idname = "POSE_FH_video"
        bl_label = "Pose from Video"
        bl_import_operator = "pose.import_video"
        bl_file_extensions = ";".join(FILM_SUFFIXES)

        @classmethod
        def poll_drop(cls, context: Any) -> bool:
            return context.area is not None and context.area.type == "VIEW_3D"

    CLASSES = (*CLASSES, POSE_FH_video)
