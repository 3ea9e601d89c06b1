"""What the fit found of a person, as plain arrays: the long part of a solve, in which no option matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import SKELETON

from pose_server.pipeline.boundary import CameraPath, Pose3D, Track2D
from pose_server.solve.clock import on_clock
from pose_server.solve.person import Person
from pose_server.solve.proportions import Proportions

__all__ = ["FIT_FIELDS", "FIT_VERSION", "fit_arrays", "fit_of"]

#: Raised when the same evidence is fitted otherwise.
FIT_VERSION = 2

#: Shapes of what a fitted person has beside the evidence: for every row of the clock, and of the body.
_ROWS: Mapping[str, tuple[int, ...]] = {
    "local_wxyz": (len(SKELETON), 4),
    "root_camera_m": (3,),
    "trust": (len(SKELETON),),
}
_BODY: Mapping[str, tuple[int, ...]] = {
    "stature_m": (),
    "seen_stature_m": (),
    "rest_offsets_m": (len(SKELETON), 3),
    "heel_m": (3,),
    "ball_m": (3,),
}
#: Where the camera stood, if it travelled.
_EYE = "eye_m"
FIT_FIELDS = (*_ROWS, *_BODY, _EYE)


def fit_arrays(person: Person) -> dict[str, NDArray[np.float32]]:
    """Return all of a fitted person that the evidence does not tell: `FIT_FIELDS`."""
    owners = {**dict.fromkeys(_ROWS, person), **dict.fromkeys(_BODY, person.body)}
    if person.path is not None and person.path.places is not None:
        owners[_EYE] = person
    return {name: np.asarray(getattr(owner, name), np.float32) for name, owner in owners.items()}


def fit_of(
    arrays: Mapping[str, NDArray[Any]],
    track: Track2D,
    pose: Pose3D,
    rate: Fraction,
    path: CameraPath | None,
) -> Person:
    """Read back what `fit_arrays` made of the person whose evidence this is.

    Raises
    ------
    ValueError
        The arrays fit neither the evidence nor the skeleton.
    """
    track, pose = on_clock(track, pose, rate)
    shapes = {**{name: (len(track), *shape) for name, shape in _ROWS.items()}, **_BODY}
    if _EYE in arrays:
        shapes[_EYE] = (len(track), 3)
    values = {}
    for name in shapes:
        if name not in arrays or arrays[name].dtype.kind != "f":
            raise ValueError(f"a fit lacks {name}")
        values[name] = arrays[name].astype(np.float64)
    for name, array in values.items():
        if array.shape != shapes[name]:
            raise ValueError(f"{name} of a fit is {array.shape}, not {shapes[name]}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} of a fit is not finite")
    lengths = np.linalg.norm(values["local_wxyz"], axis=-1)
    if np.abs(lengths - 1).max() > 1e-3 or min(values["stature_m"], values["seen_stature_m"]) <= 0:
        raise ValueError("a fit is of no body")
    body: dict[str, Any] = {
        name: values[name] if shape else float(values[name]) for name, shape in _BODY.items()
    }
    return Person(
        track=track,
        told=pose.contacts,
        body=Proportions(**body),
        local_wxyz=values["local_wxyz"],
        root_camera_m=values["root_camera_m"],
        trust=values["trust"],
        path=None if path is None else replace(path.at(track.indices), places=values.get(_EYE)),
    )
