"""Human3.6M: its cameras, its skeletons, and its archives made into data sets."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pose_shared.errors import InputError, MissingExtraError, PoseError

from pose_server.train.detections import read_detections
from pose_server.train.screen import ScreenCamera, lens_of, projected

__all__ = [
    "JOINTS_OF_32",
    "SUBJECTS",
    "cameras_of",
    "detected_points",
    "human36m_recordings",
    "true_points",
]

FloatArray = NDArray[np.floating[Any]]

#: Subjects whose joints are public.
SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
#: The 17 joints that move on their own among the capture's 32.
JOINTS_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
#: Actions that the archives name in two ways.
_RENAMED = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
#: Of this recording the film is damaged, so everybody leaves it out.
_LEFT_OUT = ("S11", "Directions")
#: A file's subject and action in each of the archives.
_FILE = re.compile(r"(S\d+)/(?:.*/)?([^/]+?)(?:\.h5|\.cdf\.mat|\.mat|\.cdf)$")


def cameras_of(subject: str) -> tuple[ScreenCamera, ...]:
    """Return the four cameras of a subject, in the order of the data sets.

    Raises
    ------
    InputError
        There is no such subject (``SUBJECT_UNKNOWN``).
    """
    table = _table()
    if subject not in table["places"]:
        raise InputError(
            f"Human3.6M has no subject '{subject}'; choose from {', '.join(table['places'])}.",
            reason="SUBJECT_UNKNOWN",
            subject=subject,
        )
    cameras = []
    for name, lens in table["lenses"].items():
        place = table["places"][subject][name]
        size = (lens["size"][0], lens["size"][1])
        cameras.append(
            ScreenCamera(
                name=name,
                size=size,
                lens=lens_of(size, lens["focal"], lens["centre"], lens["distortion"]),
                rotation=np.array(place["rotation"]),
                translation_m=np.array(place["translation"]) / 1000,
            )
        )
    return tuple(cameras)


@cache
def _table() -> Any:
    return json.loads(resources.files(__package__).joinpath("human36m_cameras.json").read_text("utf-8"))


def human36m_recordings(source: Path) -> dict[str, dict[str, FloatArray]]:
    """Read every recording of an archive: {subject: {action: (T, 32, 3)}} in metres in the room.

    Parameters
    ----------
    source
        ``h36m.zip`` of Martinez et al.; or a folder with the data set's own ``D3_Positions`` files,
        ``.cdf`` or made into ``.mat``.

    Raises
    ------
    InputError
        Nothing in it is a recording (``DATASET_EMPTY``), or one is no table of 32 joints
        (``DATASET_SHAPE``).
    MissingExtraError
        It needs h5py (for ``.zip``) or cdflib (for ``.cdf``).
    """
    recordings: dict[str, dict[str, FloatArray]] = {}
    for name, read in _files(source):
        found = _FILE.search(name)
        if found is None:
            continue
        subject, action = found.groups()
        action = re.sub(r"^\w+", lambda word: _RENAMED.get(word.group(), word.group()), action)
        if subject not in SUBJECTS or (subject, action) == _LEFT_OUT:
            continue
        try:
            values = read()
        except PoseError:
            raise
        except Exception as error:
            raise InputError(
                f"'{name}' is damaged ({type(error).__name__}); get the archive again.",
                reason="DATASET_DAMAGED",
                file=name,
            ) from None
        if values.ndim != 2 or values.shape[1] != 96 or not len(values):
            raise InputError(
                f"'{name}' holds an array of {values.shape} and not 96 numbers per frame; "
                "give the archive as it is published.",
                reason="DATASET_SHAPE",
                file=name,
            )
        recordings.setdefault(subject, {})[action] = (values.reshape(-1, 32, 3) / 1000).astype(np.float32)
    if not recordings:
        raise InputError(
            f"'{source}' holds no recording of Human3.6M; give h36m.zip, or the folder that holds S1, S5 ...",
            reason="DATASET_EMPTY",
            path=source,
        )
    return {subject: recordings[subject] for subject in SUBJECTS if subject in recordings}


def _files(source: Path) -> Iterator[tuple[str, Callable[[], FloatArray]]]:
    """Yield each file of an archive with a function that reads its (T, 96) millimetres."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            if path.suffix in _READERS and ("D3_Positions" in name or "3D_positions" in name):
                yield name, partial(_READERS[path.suffix], path.read_bytes())
        return
    try:
        with zipfile.ZipFile(source) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".h5") and "3D_positions" in name:
                    yield name, partial(_from_h5, archive.read(name))
    except FileNotFoundError:
        raise InputError(
            f"There is no file {source}; check its name.", reason="FILE_MISSING", path=source
        ) from None
    except zipfile.BadZipFile:
        raise InputError(
            f"{source.name} is no whole zip archive; get it again.", reason="DATASET_DAMAGED", path=source
        ) from None


def _from_h5(content: bytes) -> FloatArray:
    try:
        import h5py
    except ImportError:
        raise MissingExtraError(
            'Reading h36m.zip needs h5py; install it with: pip install "pose-server[datasets]".',
            package="h5py",
        ) from None
    with h5py.File(io.BytesIO(content), "r") as file:
        return np.asarray(file["3D_positions"]).T


def _from_mat(content: bytes) -> FloatArray:
    from scipy.io import loadmat

    values = loadmat(io.BytesIO(content)).get("data", np.zeros(0))
    # The converted files hold a cell around the array.
    return np.asarray(values[0, 0] if values.dtype == object else values)


def _from_cdf(content: bytes) -> FloatArray:
    try:
        import cdflib
    except ImportError:
        raise MissingExtraError(
            'Reading .cdf files needs cdflib; install it with: pip install "pose-server[datasets]".',
            package="cdflib",
        ) from None
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".cdf") as file:
        file.write(content)
        file.flush()
        return np.asarray(cdflib.CDF(file.name)["Pose"]).reshape(-1, 96)


_READERS: dict[str, Callable[[bytes], FloatArray]] = {".h5": _from_h5, ".mat": _from_mat, ".cdf": _from_cdf}


def true_points(
    recordings: dict[str, dict[str, FloatArray]],
) -> dict[str, dict[str, list[FloatArray]]]:
    """Return where every camera sees the 17 joints, in pixels: {subject: {action: [(T, 17, 2), ...]}}."""
    points: dict[str, dict[str, list[FloatArray]]] = {}
    for subject, actions in recordings.items():
        for action, joints in actions.items():
            views = []
            for camera in cameras_of(subject):
                assert camera.lens is not None
                seen = camera.seen(joints[:, JOINTS_OF_32]).astype(np.float32)
                screen = projected(torch.from_numpy(seen)[None], torch.from_numpy(camera.lens)[None])
                views.append(camera.pixels(screen[0].numpy()).astype(np.float32))
            points.setdefault(subject, {})[action] = views
    return points


def detected_points(folder: Path) -> dict[str, dict[str, list[FloatArray]]]:
    """Read detections of the films, ``S1/Directions 1.54138969.mp4.npz`` and so on: COCO's 17 points.

    Raises
    ------
    InputError
        There is none (``DATASET_EMPTY``), a recording lacks a camera (``DATASET_LENGTHS``), or as
        `read_detections` does.
    """
    found: dict[tuple[str, str], dict[str, FloatArray]] = {}
    for path in sorted(folder.glob("S*/*.npz")):
        action, camera = re.sub(r"(\.mp4)?\.npz$", "", path.name).rsplit(".", 1)
        action = re.sub(r"^\w+", lambda word: _RENAMED.get(word.group(), word.group()), action)
        subject = path.parent.name
        if (subject, action) != _LEFT_OUT:
            found.setdefault((subject, action), {})[camera] = read_detections(path).points_px
    if not found:
        raise InputError(
            f"'{folder}' holds no detections; give the folder of S1/Directions 1.54138969.mp4.npz and so on.",
            reason="DATASET_EMPTY",
            path=folder,
        )
    points: dict[str, dict[str, list[FloatArray]]] = {}
    for (subject, action), views in found.items():
        lacking = [camera.name for camera in cameras_of(subject) if camera.name not in views]
        if lacking:
            raise InputError(
                f"The detections of {subject} {action} lack camera {lacking[0]}; detect in its film too.",
                reason="DATASET_LENGTHS",
                subject=subject,
                action=action,
            )
        points.setdefault(subject, {})[action] = [views[camera.name] for camera in cameras_of(subject)]
    return points
