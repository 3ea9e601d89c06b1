"""The camera that filmed the clip, with the film behind what it sees."""

from __future__ import annotations

import itertools
import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Sequence

import bpy
from mathutils import Matrix
from pose_shared.clips import Clip
from pose_shared.film_header import rotation_ccw_deg
from pose_shared.timing import SceneTiming

from .keys import CONSTANT, ActionWriter
from .record import record_of

if TYPE_CHECKING:
    from pose_shared.motion import CameraView, MotionChannels

__all__ = ["CameraPath", "add_camera", "add_film", "move_camera"]

_SENSOR_MM = 36.0
# Ours looks along +z with y down, Blender's along -z with y up.
_TURN = Matrix(((1, 0, 0, 0), (0, -1, 0, 0), (0, 0, -1, 0), (0, 0, 0, 1)))
_LONG = 1_000_000
_NUMBERS = 16


@dataclass(frozen=True)
class CameraPath:
    """Where a camera stood, in Blender's axes.

    Attributes
    ----------
    frames
        Scene frames, ascending.
    places
        Camera to world: one each frame, or just one of a camera that stands still.
    """

    frames: array[float]
    places: Sequence[Matrix]

    @classmethod
    def of_motions(cls, motions: Sequence[MotionChannels], frames: Sequence[array[float]]) -> CameraPath:
        """Put together what the motions of one clip say of its camera, each while it lasts.

        `frames` are the scene frames of their rows.
        """
        views = [motion.camera.world_to_camera for motion in motions]
        if all(len(numbers) == _NUMBERS for numbers in views):
            return cls(frames[0][:1], [_camera_to_world(views[0])])
        seen: dict[float, tuple[float, Matrix]] = {}
        for numbers, rows in zip(views, frames):
            for row, frame in enumerate(rows):
                place = _camera_to_world(numbers[row * _NUMBERS : (row + 1) * _NUMBERS])
                seen.setdefault(round(frame, 2), (frame, place))
        path = [seen[key] for key in sorted(seen)]
        return cls(array("f", [frame for frame, _ in path]), [place for _, place in path])


def add_camera(
    collection: bpy.types.Collection,
    view: CameraView,
    name: str,
    path: CameraPath,
    render: bpy.types.RenderSettings,
) -> bpy.types.Object:
    """Add the camera of a clip.

    Parameters
    ----------
    collection
        Where it belongs.
    view
        Its lens.
    path
        Where it stood.
    render
        Of the scene the camera is for: the film fills the width of a picture that is narrower than
        the film, and the height of one that is wider, and the lens goes by that side.
    """
    data = bpy.data.cameras.new(name)
    camera = bpy.data.objects.new(name, data)
    collection.objects.link(camera)
    focal_x, focal_y, centre_x, centre_y = view.intrinsics_px
    width, height = view.width, view.height
    wide = width / height >= _picture_aspect(render) - 1e-6
    side = width if wide else height
    data.sensor_fit = "HORIZONTAL" if wide else "VERTICAL"
    data.sensor_width = _SENSOR_MM * width / max(width, height)
    data.sensor_height = _SENSOR_MM * height / max(width, height)
    data.lens = (focal_x if wide else focal_y) * _SENSOR_MM / max(width, height)
    data.shift_x = (width / 2 - centre_x) / side
    data.shift_y = (centre_y - height / 2) / side
    move_camera(camera, path)
    return camera


def move_camera(camera: bpy.types.Object, path: CameraPath) -> None:
    """Put a camera where the clip's stood, with keys if that moved; its lens stays.

    What was keyed for the path of an earlier solve is replaced.
    """
    record = record_of(camera)
    if len(path.places) == 1 and not record.action:
        camera.matrix_basis = path.places[0] @ Matrix.Diagonal((*camera.scale, 1.0))
        return
    camera.rotation_mode = "QUATERNION"
    turns = [place.to_quaternion() for place in path.places]
    for before, after in itertools.pairwise(turns):
        after.make_compatible(before)
    action = ActionWriter(camera, camera.name, record.action)
    for index in range(3):
        values = array("f", [place.translation[index] for place in path.places])
        action.write("location", index, path.frames, values, group="Object Transforms")
    for index in range(4):
        values = array("f", [turn[index] for turn in turns])
        action.write("rotation_quaternion", index, path.frames, values, group="Object Transforms")
    record.action = action.action


def _picture_aspect(render: bpy.types.RenderSettings) -> float:
    """Return width over height of what a scene renders."""
    wide = render.resolution_x * render.pixel_aspect_x
    return wide / (render.resolution_y * render.pixel_aspect_y)


def _camera_to_world(row_major: Any) -> Matrix:
    rows = [tuple(row_major[i : i + 4]) for i in range(0, _NUMBERS, 4)]
    return Matrix(rows).inverted() @ _TURN


def add_film(
    camera: bpy.types.Object,
    clip: Clip,
    view: CameraView,
    timing: SceneTiming,
    last_scene_frame: int,
    render: bpy.types.RenderSettings,
) -> int:
    """Show the clip behind what the camera sees, each film frame at its own time.

    Returns
    -------
    int
        Frames of the film.

    Raises
    ------
    RuntimeError
        This Blender cannot read the clip.

    Notes
    -----
    A movie clip shows one film frame each scene frame.  Where the scene runs at another rate, an
    image takes its place, whose offset is keyed to stay in step.
    """
    data: Any = camera.data
    film: Any = bpy.data.movieclips.load(str(clip.first_file))
    film.name = clip.name
    width_px, height_px = film.size
    if film.frame_duration < 1 or not width_px:
        bpy.data.movieclips.remove(film)
        raise RuntimeError("there is no picture in it")
    background = data.background_images.new()
    background.alpha = 1.0
    background.display_depth = "BACK"
    background.frame_method = "FIT"
    data.show_background_images = True
    turn_deg = _missing_turn_deg(clip, (width_px, height_px), view)
    aspect = view.width / view.height
    if turn_deg:
        # This one counts clockwise.
        background.rotation = -math.radians(turn_deg)
    if turn_deg in (90, 270):
        background.scale = _scale_of_sideways(aspect, _picture_aspect(render))
        aspect = 1 / aspect
    # Films with pixels that are not square.
    film.display_aspect[0] = aspect / (width_px / height_px)
    count = int(film.frame_duration)
    if timing.film_in_step:
        film.frame_start = round(timing.scene_frame_of(0))
        background.source = "MOVIE_CLIP"
        background.clip = film
    else:
        background.source = "IMAGE"
        background.image = bpy.data.images.load(str(clip.first_file))
        background.image.name = clip.name
        background.image.display_aspect[0] = film.display_aspect[0]
        _show_in_step(camera, background, clip, timing, last_scene_frame)
        bpy.data.movieclips.remove(film)
    return count


def _missing_turn_deg(clip: Clip, film_size: tuple[int, int], view: CameraView) -> int:
    """Return by how much a film lies wrong in a Blender before 4.4, which does not turn it itself."""
    turn_deg = 0 if clip.is_sequence else rotation_ccw_deg(clip.first_file)
    if turn_deg in (90, 270):
        lies_right = (film_size[0] > film_size[1]) == (view.width > view.height)
        return 0 if lies_right else turn_deg
    return turn_deg if bpy.app.version < (4, 4) else 0


def _scale_of_sideways(aspect: float, picture: float) -> float:
    """Return how much larger a film on its side must be, once turned, to fill what it would upright.

    `aspect` is the upright film's, `picture` the render's, both width over height; Blender fits
    the film into the picture before it turns it.
    """
    fitted_width = min(picture, 1 / aspect)
    wanted_height = min(1.0, picture / aspect)
    return wanted_height / fitted_width


def _show_in_step(
    camera: bpy.types.Object, background: Any, clip: Clip, timing: SceneTiming, last_scene_frame: int
) -> None:
    if clip.is_sequence:
        background.image.source = "SEQUENCE"
    user = background.image_user
    user.use_auto_refresh = True
    user.frame_start = timing.scene_frame
    user.frame_duration = _LONG
    # Blender shows file (scene frame - frame_start + 1 + frame_offset); a film's first is 1.
    first = 1 if clip.first_number is None else clip.first_number
    scene_frames = range(timing.scene_frame, last_scene_frame + 1)
    offsets = [
        first + timing.source_frame_at(frame) - (frame - timing.scene_frame + 1) for frame in scene_frames
    ]
    ActionWriter(camera.data, f"{clip.name} film").write(
        "background_images[0].image_user.frame_offset",
        0,
        array("f", scene_frames),
        array("f", offsets),
        group="Film",
        interpolation=CONSTANT,
    )
