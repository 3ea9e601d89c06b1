"""A clip with a measured truth: a film, its calibrated camera and a track of markers.

A folder holds one ``*.mp4`` (or other film), a JSON of the same stem with the camera (``fx``, ``fy``,
``cx``, ``cy``, ``width``, ``height``, ``rotation_world_to_camera``, ``translation_world_to_camera_m``)
and ``reference.trc`` with markers named as OpenSim does (``RHip``, ``LKnee``, …), whose world is the
columns z, x, y: its third axis is up.  Feet may be marked (``LHeel``, ``LBigToe``, …).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pose_shared.errors import InputError

from pose_server.evaluate.mocap import LIMB_JOINTS
from pose_server.pipeline.boundary import Camera, FloatArray

__all__ = ["ClipReference", "read_reference"]

_UNITS_M = {"m": 1.0, "mm": 1e-3}
_FILMS = (".mp4", ".mov", ".mkv", ".avi", ".webm")
_MARKERS = tuple(
    ("L" if name.startswith("left") else "R") + name.partition("_")[2].capitalize() for name in LIMB_JOINTS
)
_FEET = ("LHeel", "LBigToe", "RHeel", "RBigToe")


@dataclass(frozen=True)
class ClipReference:
    """A film and where its person's joints were."""

    film: Path
    camera: Camera
    joints_m: FloatArray
    """(T, 12, 3) `LIMB_JOINTS` in the camera, one row per frame of the film; NaN where unknown."""
    rate_hz: float
    up: FloatArray
    """(3,) in the camera."""
    feet_m: FloatArray
    """(T, 4, 3) left heel and toe, right heel and toe, in the camera; NaN where unknown."""


def read_reference(folder: Path) -> ClipReference:
    """Read such a folder.

    Raises
    ------
    InputError
        ``REFERENCE_UNREADABLE``: a file is missing or is not what it should be.
    """
    films = sorted(path for path in folder.glob("*") if path.suffix.lower() in _FILMS)
    if len(films) != 1:
        raise _unreadable(folder, f"it holds {len(films)} films instead of one")
    try:
        known = json.loads(films[0].with_suffix(".json").read_text(encoding="utf-8"))
        matrix = np.array(
            [[known["fx"], 0, known["cx"]], [0, known["fy"], known["cy"]], [0, 0, 1]], dtype=float
        )
        turn = np.array(known["rotation_world_to_camera"], dtype=float)
        shift = np.array(known["translation_world_to_camera_m"], dtype=float)
        world, rate_hz = _read_trc(folder / "reference.trc")
        size = (int(known["width"]), int(known["height"]))
        if turn.shape != (3, 3) or shift.shape != (3,) or not np.isfinite([*matrix, *turn, shift]).all():
            raise ValueError("the camera's numbers are not three by three and three")
        joints = world @ turn.T + shift
        limbs = len(_MARKERS)
    except (OSError, LookupError, ValueError, TypeError) as error:
        raise _unreadable(folder, f"{type(error).__name__}: {error}") from error
    camera = Camera(matrix=matrix, distortion=np.zeros(5), image_size=size, focal_source="given")
    return ClipReference(films[0], camera, joints[:, :limbs], rate_hz, turn[:, 2], joints[:, limbs:])


def _read_trc(path: Path) -> tuple[FloatArray, float]:
    """Return (T, 16, 3) world metres of limbs and feet, and the rate."""
    lines = path.read_text(encoding="utf-8").splitlines()
    markers = [name for name in lines[3].split("\t")[2:] if name]
    head = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=False))
    rate_hz, unit_m = float(head["DataRate"]), _UNITS_M[head["Units"].strip()]
    if not rate_hz > 0:
        raise ValueError(f"a rate of {rate_hz:g}")
    width = 2 + 3 * len(markers)
    rows = []
    for line in filter(str.strip, lines[5:]):
        cells = line.rstrip("\t").split("\t")
        rows.append([float(cell) if cell else np.nan for cell in cells + [""] * (width - len(cells))])
    world = np.array(rows)[:, 2:].reshape(len(rows), len(markers), 3)[:, :, [2, 0, 1]] * unit_m
    chosen = np.full((len(world), len(_MARKERS) + len(_FEET), 3), np.nan)
    for place, name in enumerate((*_MARKERS, *_FEET)):
        if name in markers or name in _MARKERS:  # feet need not be marked
            chosen[:, place] = world[:, markers.index(name)]
    return chosen, rate_hz


def _unreadable(folder: Path, fault: str) -> InputError:
    return InputError(
        f"'{folder}' is no clip with a reference ({fault}); docs/lifter.md says what such a folder holds.",
        reason="REFERENCE_UNREADABLE",
        path=folder,
    )
