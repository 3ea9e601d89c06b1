"""Put a finished import into a scene: all of it, or nothing."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Iterator, Sequence

import bpy

from ..clips import Clip
from ..timing import SceneTiming, blender_rate, rate_of
from .armature import add_person
from .camera import add_camera, add_film

if TYPE_CHECKING:
    from pose_shared.motion import MotionChannels

__all__ = ["Placement", "scene_rate", "write_import"]

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
    clip: Clip,
    placement: Placement,
    *,
    job: str,
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
    clip
        They come from.
    placement
        How.
    job
        Name of the server's job; kept with the collection.

    Returns
    -------
    list of str
        Sentences for the user that are no errors.
    """
    motions = list(people)
    camera: bpy.types.Object | None = None
    notes: list[str] = []
    timing = SceneTiming(
        scene_rate=motions[0].rate if placement.match_rate else scene_rate(scene),
        source_rate=motions[0].source_rate,
        first_source_frame=placement.first_source_frame,
        scene_frame=placement.scene_frame,
    )
    with _nothing_left_on_error(), _stage() as stage:
        collection = bpy.data.collections.new(clip.name)
        collection["pose_job"] = job
        stage.collection.children.link(collection)
        frames = [timing.row_frames(m.start_time_s, m.rate, m.frame_count) for m in motions]
        for motion, person_frames in zip(motions, frames):
            name = f"{clip.name} person {motion.person}"
            add_person(stage, collection, motion, name, person_frames, confidence=placement.confidence)
        last_row_frame = math.floor(max(person_frames[-1] for person_frames in frames))
        film_frames = placement.end_source_frame
        if placement.camera:
            longest = max(range(len(motions)), key=lambda i: motions[i].frame_count)
            view = motions[longest].camera
            camera = add_camera(collection, view, f"{clip.name} camera", frames[longest], scene.render)
            if placement.film:
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
