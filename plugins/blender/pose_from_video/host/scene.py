"""Put a finished import into a scene, all of it or nothing, and a refined one into its place."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

import bpy
from pose_shared.errors import ConflictError
from pose_shared.timing import SceneTiming

from .armature import add_person, change_person
from .camera import CameraPath, add_camera, add_film, move_camera
from .markers import mark, unmark
from .rate import blender_rate, rate_of
from .record import objects_of, record_of

if TYPE_CHECKING:
    from pose_shared.clips import Clip
    from pose_shared.motion import MotionChannels
    from pose_shared.session import FetchRequest, ImportRequest, RefineRequest

__all__ = ["Placement", "scene_rate", "write_import", "write_refinement"]

# What an import makes.
_KINDS = ("objects", "armatures", "actions", "cameras", "collections", "movieclips", "images")


@dataclass(frozen=True)
class Placement:
    """How the result goes into the scene.

    Attributes
    ----------
    scene_frame
        Where the first imported film frame lies.
    first_source_frame, end_source_frame
        The asked range of the film; no end when None.
    match_rate
        Give the scene the clip's rate and range.
    camera, film
        Whether to add the camera of the clip, and the clip behind what it sees.
    confidence
        Whether to key each bone's confidence.
    """

    scene_frame: int
    first_source_frame: int = 0
    end_source_frame: int | None = None
    match_rate: bool = True
    camera: bool = True
    film: bool = True
    confidence: bool = False


def scene_rate(scene: bpy.types.Scene) -> Fraction:
    """Return the frames per second of a scene, exactly."""
    return rate_of(scene.render.fps, scene.render.fps_base)


def write_import(
    scene: bpy.types.Scene,
    people: Sequence[MotionChannels],
    request: ImportRequest | FetchRequest,
    placement: Placement,
    *,
    job: str,
    clip: Clip | None,
    options: Mapping[str, Any],
) -> list[str]:
    """Add the people of a clip to a scene, in a collection of their own.

    The user's mode, selection, active object and frame stay as they are, and so does everything
    else in the file; `Placement.match_rate` changes the scene's rate and frame range.  Nothing is
    left behind when it fails.

    Parameters
    ----------
    scene
        Where to.
    people
        At least one.
    request
        What they were asked for with.
    placement
        How.
    job
        Name of the server's job; kept with the collection.
    clip
        What the camera shows; None where the clip is not on this machine.
    options
        How it was solved; people remember it.

    Returns
    -------
    list of str
        Sentences for the user that are no errors.
    """
    motions, name = list(people), request.name
    camera: bpy.types.Object | None = None
    notes: list[str] = []
    timing = SceneTiming(
        scene_rate=motions[0].rate if placement.match_rate else scene_rate(scene),
        source_rate=motions[0].source_rate,
        first_source_frame=placement.first_source_frame,
        scene_frame=placement.scene_frame,
    )
    with _nothing_left_on_error(), _stage() as stage:
        collection = bpy.data.collections.new(name)
        collection["pose_job"] = job
        stage.collection.children.link(collection)
        frames = [timing.row_frames(m.start_time_s, m.rate, m.frame_count) for m in motions]
        for motion, person_frames in zip(motions, frames):
            person_name = f"{name} person {motion.person}"
            confidence = placement.confidence
            person = add_person(stage, collection, motion, person_name, person_frames, confidence=confidence)
            _remember(person, request, timing, job, options)
            record_of(person).person = motion.person
            record_of(person).list_weak_spans(motion)
        last_row_frame = math.floor(max(person_frames[-1] for person_frames in frames))
        film_frames = placement.end_source_frame
        if placement.camera:
            path = CameraPath.of_motions(motions, frames)
            view = motions[0].camera
            camera = add_camera(collection, view, f"{name} camera", path, scene.render)
            _remember(camera, request, timing, job, options)
            if placement.film and clip:
                try:
                    film_frames = add_film(camera, clip, view, timing, last_row_frame, scene.render)
                except RuntimeError as error:
                    why = str(error).strip().rstrip(".").replace("Error: ", "")
                    notes.append(f"The camera shows no film, because Blender cannot open it: {why}.")
        scene.collection.children.link(collection)
    if camera and scene.camera is None:
        scene.camera = camera
    if placement.match_rate:
        end = min(film_frames or math.inf, placement.end_source_frame or math.inf)
        asked = timing.scene_frame_of(int(end)) - 1 if end < math.inf else last_row_frame
        _match(scene, timing, max(round(asked), last_row_frame))
    return notes


def write_refinement(people: Sequence[MotionChannels], request: RefineRequest, *, job: str) -> list[str]:
    """Give everything that came from a job the motion of another one, where it is.

    Objects, actions and their names stay, and so does all that the user has added to them.

    Parameters
    ----------
    people
        As the refinement has them.
    request
        What was asked for.
    job
        Name of the job that made the refinement.

    Returns
    -------
    list of str
        Sentences for the user that are no errors.

    Raises
    ------
    ConflictError
        Nothing in the file comes from the job that was refined (``IMPORT_GONE``).
    """
    objects = objects_of(request.job)
    if not objects:
        raise ConflictError(
            f"The armatures of '{request.name}' were deleted meanwhile; import the clip again.",
            reason="IMPORT_GONE",
        )
    motions = {motion.person: motion for motion in people}
    timing = record_of(objects[0]).timing(people[0].source_rate)
    frames = {m.person: timing.row_frames(m.start_time_s, m.rate, m.frame_count) for m in people}
    path = CameraPath.of_motions(people, list(frames.values()))
    danced = {ob: motions[record_of(ob).person] for ob in objects if record_of(ob).person}
    marked = {ob: [scene for scene in bpy.data.scenes if unmark(scene, ob)] for ob in danced}
    with _stage() as stage:
        for ob, motion in danced.items():
            change_person(stage, ob, motion, frames[motion.person])
            record_of(ob).list_weak_spans(motion)
    for ob in objects:
        if not record_of(ob).person:
            move_camera(ob, path)
        record_of(ob).settle(job, request.options)
        ob.update_tag(refresh={"OBJECT", "DATA", "TIME"})
    for ob, scenes in marked.items():
        for scene in scenes:
            mark(scene, ob)
    for collection in bpy.data.collections:
        if collection.get("pose_job") == request.job:
            collection["pose_job"] = job
    return [note for ob in objects for note in _plays_another(ob)]


def _plays_another(ob: bpy.types.Object) -> Iterator[str]:
    """Yield a sentence if an object does not show what was keyed for it."""
    keyed, playing = record_of(ob).action, ob.animation_data and ob.animation_data.action
    if keyed and playing and playing != keyed:
        yield f"'{ob.name}' plays the action '{playing.name}'; what was refined is '{keyed.name}'."


def _remember(
    ob: bpy.types.Object,
    request: ImportRequest | FetchRequest,
    timing: SceneTiming,
    job: str,
    options: Mapping[str, Any],
) -> None:
    """Take down on an object what a refinement will need."""
    record = record_of(ob)
    record.clip_name = request.name
    record.scene_rate = str(timing.scene_rate)
    record.scene_frame = timing.scene_frame
    record.first_source_frame = timing.first_source_frame
    record.asked_rate = str(request.delivery.fps or "")
    record.settle(job, options)


def _match(scene: bpy.types.Scene, timing: SceneTiming, last_frame: int) -> None:
    scene.render.fps, scene.render.fps_base = blender_rate(timing.scene_rate)
    # The end first: Blender moves the one that would pass the other.
    scene.frame_end = last_frame
    scene.frame_start = timing.scene_frame
    scene.frame_end = last_frame


@contextmanager
def _stage() -> Iterator[bpy.types.Scene]:
    """Give a scene that nobody looks at, to build in."""
    stage = bpy.data.scenes.new("Pose from Video")
    try:
        yield stage
    finally:
        bpy.data.scenes.remove(stage)


@contextmanager
def _nothing_left_on_error() -> Iterator[None]:
    before = {kind: set(getattr(bpy.data, kind)) for kind in _KINDS}
    try:
        yield
    except BaseException:
        for kind in _KINDS:
            bpy.data.batch_remove(set(getattr(bpy.data, kind)) - before[kind])
        raise
