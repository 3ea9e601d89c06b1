"""The scene's own camera as the one that filmed the clip: where it is in each frame of the film."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import bpy
from pose_shared.clips import Clip
from pose_shared.errors import InputError
from pose_shared.film_header import rotation_ccw_deg
from pose_shared.timing import SceneTiming, exact_rate

__all__ = ["scene_camera_track"]

_SENSOR_MM = 36.0
# Films may hold a few frames more than their headers say; and a track may not hold more keys than this.
_SPARE_FRAMES, _KEYS = 10, 20_000


def scene_camera_track(
    context: bpy.types.Context,
    clip: Clip,
    *,
    scene_rate: Fraction | None,
    sequence_rate: Fraction,
    first_source_frame: int,
    end_source_frame: int | None,
    scene_frame: int,
) -> dict[str, Any]:
    """Return the way of the scene's camera over a clip, as `pose_shared.request.import_spec` takes it.

    Whatever moves it counts: keys, parents, constraints such as those of a solved movie clip.  The
    scene is back at its frame afterwards.

    Parameters
    ----------
    context
        Whose scene it is.
    clip
        What the camera filmed.
    scene_rate
        Rate at which the scene plays the clip; None for one film frame on each scene frame.
    sequence_rate
        Of the clip, if it is an image sequence.
    first_source_frame, end_source_frame
        The asked range of the film; no end when None.
    scene_frame
        Where the first of them lies.

    Raises
    ------
    InputError
        The scene has no camera (``SCENE_CAMERA_MISSING``) or none in perspective
        (``SCENE_CAMERA_INVALID``), or Blender cannot open the film (``FILM_UNREADABLE``).
    """
    scene: Any = context.scene
    camera = scene.camera
    if camera is None or camera.type != "CAMERA":
        raise InputError(
            "The scene has no camera; choose one in the scene's properties, or Automatic as Film Camera.",
            reason="SCENE_CAMERA_MISSING",
        )
    if camera.data.type != "PERSP":
        raise InputError(
            f"'{camera.name}' shows no perspective; make it a perspective camera, or choose Automatic as "
            "Film Camera.",
            reason="SCENE_CAMERA_INVALID",
        )
    count, rate, aspect = _film(clip, sequence_rate)
    timing = SceneTiming(scene_rate or rate, rate, first_source_frame, scene_frame)
    last = (end_source_frame or count + _SPARE_FRAMES) - 1
    step = max(1, math.ceil((last - first_source_frame) / (_KEYS - 2)))
    frames = sorted({*range(first_source_frame, last, step), max(last, first_source_frame)})
    positions, rotations, focal_mm = [], [], 0.0
    now, within = scene.frame_current, scene.frame_subframe
    try:
        for frame in frames:
            at = timing.scene_frame_of(frame)
            scene.frame_set(math.floor(at), subframe=at - math.floor(at))
            seen = camera.evaluated_get(context.evaluated_depsgraph_get())
            position, rotation, _ = seen.matrix_world.decompose()
            positions.append(list(position))
            rotations.append(list(rotation.normalized()))
            focal_mm = focal_mm or _focal_mm(seen.data, scene.render, aspect)
    finally:
        scene.frame_set(now, subframe=within)
    return {
        "frames": frames,
        "positions_m": positions,
        "rotations_wxyz": rotations,
        "focal_mm": focal_mm,
    }


def _film(clip: Clip, sequence_rate: Fraction) -> tuple[int, Fraction, float]:
    """Return frames and rate of a clip, and width over height of its upright picture."""
    try:
        film: Any = bpy.data.movieclips.load(str(clip.first_file))
    except RuntimeError:
        film = None
    count, (width_px, height_px) = (film.frame_duration, film.size) if film else (0, (0, 0))
    rate = film.fps if film else 0.0
    if film:
        bpy.data.movieclips.remove(film)
    if count < 1 or not width_px:
        raise InputError(
            f"Blender cannot open '{clip.first_file.name}', and so not tell which of its frames the scene's "
            "camera has when; convert it, or choose Automatic as Film Camera.",
            reason="FILM_UNREADABLE",
        )
    sideways = not clip.is_sequence and rotation_ccw_deg(clip.first_file) in (90, 270)
    if sideways and bpy.app.version < (4, 4):  # which does not turn it itself
        width_px, height_px = height_px, width_px
    return count, sequence_rate if clip.is_sequence else exact_rate(rate), width_px / height_px


def _focal_mm(lens: Any, render: bpy.types.RenderSettings, aspect: float) -> float:
    """Return the focal length on a sensor 36 mm along the longer side of a film that fits the picture."""
    wide = render.resolution_x * render.pixel_aspect_x
    high = render.resolution_y * render.pixel_aspect_y
    across = wide if lens.sensor_fit == "HORIZONTAL" or (lens.sensor_fit == "AUTO" and wide >= high) else high
    sensor_mm = lens.sensor_height if lens.sensor_fit == "VERTICAL" else lens.sensor_width
    film_wide = min(wide, high * aspect)
    return float(lens.lens / sensor_mm * across / max(film_wide, film_wide / aspect) * _SENSOR_MM)
