"""HumanEva-I: its colour cameras, and its converted archive made into data sets."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError
from scipy.spatial.transform import Rotation

from pose_server.train.screen import ScreenCamera

__all__ = ["HumanEvaRecordings", "cameras_of", "humaneva_recordings"]

FloatArray = NDArray[np.floating[Any]]

#: Where the cameras C1 to C3 stand, from the data set's calibration: their axes in the room as a
#: quaternion w, x, y, z, and their place in millimetres.  S4's are not public.
_FIRST = (
    ((0.424207, -0.4983646, -0.5802981, 0.4847012), (4062.227, 663.2477, 1528.397)),
    ((0.6503354, -0.7481602, -0.0919284, 0.0941766), (844.8131, -3805.2092, 1504.9929)),
    ((0.0664734, -0.0690535, 0.7416416, -0.6639132), (-797.67377, 3916.3174, 1433.6602)),
)
_SECOND = (
    ((0.4214752, -0.4961493, -0.5838273, 0.4851187), (4112.9121, 626.4929, 1545.2988)),
    ((0.6501393, -0.7476588, -0.0954617, 0.0959808), (923.5740, -3877.9243, 1504.5518)),
    ((0.0699353, -0.0712403, 0.7421637, -0.662742), (-781.4915, 3838.8853, 1444.9929)),
)
_PLACES = {"S1": _FIRST, "S2": _SECOND, "S3": _FIRST}
_SIZE = (640, 480)


class HumanEvaRecordings(NamedTuple):
    """Both halves of the data set, by subject (``Train/S1``) and action (``Walking 1 chunk0``)."""

    joints_m: dict[str, dict[str, FloatArray]]
    """(T, J, 3) in the room."""
    points_px: dict[str, dict[str, list[FloatArray]]]
    """One (T, J, 2) per camera: the joints' true places in the picture."""


def cameras_of(subject: str) -> tuple[ScreenCamera, ...]:
    """Return the three cameras of a subject such as ``Train/S1`` or ``Unlabeled/S4``.

    Their lenses are not part of the data sets, so nothing can be projected with them.
    """
    places = _PLACES.get(subject.rsplit("/", 1)[-1])
    if places is None:
        return tuple(ScreenCamera(name, _SIZE) for name in ("C1", "C2", "C3"))
    cameras = []
    for number, (axes, place) in enumerate(places, start=1):
        rotation = Rotation.from_quat(axes, scalar_first=True).inv().as_matrix()
        cameras.append(
            ScreenCamera(
                f"C{number}", _SIZE, rotation=rotation, translation_m=-rotation @ np.array(place) / 1000
            )
        )
    return tuple(cameras)


def humaneva_recordings(source: Path) -> HumanEvaRecordings:
    """Read what ``ConvertHumanEva.m`` of VideoPose3D made of the archive.

    A recording is cut where the capture lost a joint, into the pieces in which it did not.

    Parameters
    ----------
    source
        The folder ``converted_15j`` or ``converted_20j``, with ``Train/S1/Walking_1.mat`` and others.

    Raises
    ------
    InputError
        Nothing in it is a recording (``DATASET_EMPTY``), or one has other arrays (``DATASET_SHAPE``).
    """
    joints: dict[str, dict[str, FloatArray]] = {}
    points: dict[str, dict[str, list[FloatArray]]] = {}
    for path in sorted(source.glob("*/S*/*.mat")):
        subject = f"{path.parent.parent.name}/{path.parent.name}"
        positions, seen = _arrays(path)
        whole = np.isfinite(positions).all(axis=(1, 2)) & np.isfinite(seen).all(axis=(0, 2, 3))
        start = 0
        for number, (kept, run) in enumerate(groupby(whole)):
            end = start + len(list(run))
            if kept:
                action = f"{path.stem.replace('_', ' ')} chunk{number}"
                joints.setdefault(subject, {})[action] = (positions[start:end] / 1000).astype(np.float32)
                points.setdefault(subject, {})[action] = [view[start:end].astype(np.float32) for view in seen]
            start = end
    if not joints:
        raise InputError(
            f"'{source}' holds no recording of HumanEva; give the folder converted_15j that "
            "ConvertHumanEva.m made, with Train and Validate in it.",
            reason="DATASET_EMPTY",
            path=source,
        )
    return HumanEvaRecordings(joints, points)


def _arrays(path: Path) -> tuple[FloatArray, FloatArray]:
    from scipy.io import loadmat

    try:
        content = loadmat(path)
    except Exception as error:
        raise InputError(
            f"{path.name} is damaged or no .mat file of MATLAB 5 ({type(error).__name__}); convert it again.",
            reason="DATASET_DAMAGED",
            path=path,
        ) from None
    positions, seen = (np.asarray(content.get(key, 0.0), dtype=float) for key in ("poses_3d", "poses_2d"))
    fits = positions.ndim == 3 and positions.shape[2] == 3
    if not fits or seen.ndim != 4 or seen.shape[1:] != (*positions.shape[:2], 2):
        raise InputError(
            f"{path.name} lacks poses_3d (frames, joints, 3) and poses_2d (cameras, frames, joints, 2); "
            "convert it with ConvertHumanEva.m.",
            reason="DATASET_SHAPE",
            path=path,
        )
    return positions, seen
