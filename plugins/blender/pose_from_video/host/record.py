"""What an object remembers of the import that it came from; the file keeps it."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Mapping

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from pose_shared.solve_settings import SETTINGS
from pose_shared.timing import SceneTiming
from pose_shared.weak_spans import REASONS, scene_spans

from ..solve_settings import SolveSettings

if TYPE_CHECKING:
    from pose_shared.motion import MotionChannels

__all__ = ["CLASSES", "PoseImport", "PoseWeakSpan", "is_imported", "is_linked", "objects_of", "record_of"]


class PoseWeakSpan(bpy.types.PropertyGroup):
    """Joints that are more guessed than seen for a while."""

    start: IntProperty(name="Start", description="First scene frame")
    end: IntProperty(name="End", description="Last scene frame")
    why: EnumProperty(
        name="Why",
        items=REASONS,
    )
    joints: StringProperty(name="Joints", description="Their names")


class PoseImport(SolveSettings, bpy.types.PropertyGroup):
    """Where an armature or a camera came from, and how it was laid into the scene.

    An object that came from elsewhere has an empty `job`.  The settings are those of the last
    solve, until somebody changes them to ask for another.
    """

    job: StringProperty(description="Name of the server's job")
    clip_name: StringProperty(description="What the clip is called")
    person: IntProperty(description="Counted from 1; 0 is the camera")
    action: PointerProperty(type=bpy.types.Action, description="What the import has keyed")
    scene_rate: StringProperty(description="Frames per second of the scene, as a fraction")
    scene_frame: IntProperty(description="Where the first imported film frame lies")
    first_source_frame: IntProperty(description="First imported film frame")
    asked_rate: StringProperty(description="Rate that the server was asked for; empty for its own")
    confidence: BoolProperty(description="Whether confidence is keyed")
    weak_spans: CollectionProperty(type=PoseWeakSpan)
    weak_span: IntProperty(name="Weak Span")

    def timing(self, source_rate: Fraction) -> SceneTiming:
        """Return where the clip lies in the scene."""
        return SceneTiming(Fraction(self.scene_rate), source_rate, self.first_source_frame, self.scene_frame)

    def settle(self, job: str, options: Mapping[str, Any]) -> None:
        """Take down what was solved, and how."""
        self.job = job
        for name in SETTINGS:
            if options.get(name) is not None:
                setattr(self, name, options[name])

    def list_weak_spans(self, motion: "MotionChannels") -> None:
        """Take down what to look at first."""
        self.weak_spans.clear()
        self.weak_span = 0
        for span in scene_spans(motion.weak_spans, self.timing(motion.source_rate)):
            item = self.weak_spans.add()
            item.start, item.end, item.why, item.joints = span.start, span.end, span.why, span.joints


def record_of(ob: Any) -> Any:
    """Return what an object remembers, a `PoseImport`; empty if it came from elsewhere."""
    return ob.pose_import


def is_imported(ob: Any) -> bool:
    """Return whether there is an object, and it came from a video."""
    return ob is not None and bool(record_of(ob).job)


def is_linked(ob: Any) -> bool:
    """Return whether another file says what an object or its data is."""
    return bool(ob.library or ob.override_library or ob.data.library)


def objects_of(job: str) -> list[Any]:
    """Return the objects of this file that came from a job."""
    return [ob for ob in bpy.data.objects if record_of(ob).job == job and not is_linked(ob)]


CLASSES = (PoseWeakSpan, PoseImport)
