"""The data sets of VideoPose3D: ``data_3d_<set>.npz`` and ``data_2d_<set>_<keypoints>.npz``.

Letters in shapes: T frames, J joints, K keypoints, F features of a keypoint (2, or 3 with a score).
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17, H36M_17, HUMANEVA_15, JOINT_SETS, MPII_16

from pose_server.lift.videopose3d import mirror_of, normalised
from pose_server.train import human36m, humaneva
from pose_server.train.screen import ScreenCamera
from pose_server.weights.pickled import read_arrays

__all__ = ["PoseSet", "View", "read_pose_set", "thinned", "write_keypoints", "write_positions"]

FloatArray = NDArray[np.floating[Any]]

#: What the 2D files call their joint sets.
_LAYOUTS = {"h36m": H36M_17, "coco": COCO_17, "mpii": MPII_16, "humaneva15": HUMANEVA_15, **JOINT_SETS}
_HUMANEVA_20_MIRROR = {3: 7, 4: 8, 5: 9, 6: 10, 11: 15, 12: 16, 13: 17, 14: 18}
_RATES = {"h36m": 50, "humaneva15": 60, "humaneva20": 60}


@dataclass(frozen=True, eq=False)
class View:
    """One camera's view of one recording."""

    subject: str
    action: str
    camera: ScreenCamera
    points: FloatArray
    """(T, K, F) screen coordinates, float32."""
    joints_m: FloatArray | None = None
    """(T, J, 3) in the camera, float32; the first joint is the root."""

    def __len__(self) -> int:
        return len(self.points)

    def rows(self, index: slice) -> View:
        """Return some of the frames."""
        joints = None if self.joints_m is None else self.joints_m[index]
        return dataclasses.replace(self, points=self.points[index], joints_m=joints)


@dataclass(frozen=True, eq=False)
class PoseSet:
    """A data set as its files hold it."""

    name: str
    rate: int
    inputs: tuple[str, ...]
    """Names of the K keypoints, as far as the layout is known."""
    outputs: tuple[str, ...]
    mirrors: tuple[tuple[int, ...], tuple[int, ...]]
    """Each keypoint's and each joint's counterpart on the other side."""
    views: tuple[View, ...]

    def chosen(self, subjects: Sequence[str], actions: Sequence[str] = ()) -> tuple[View, ...]:
        """Return the views of some subjects, of actions whose name begins with one of `actions`.

        Raises
        ------
        InputError
            A subject is not there (``SUBJECT_UNKNOWN``), or nothing is left (``DATASET_EMPTY``).
        """
        known = list(dict.fromkeys(view.subject for view in self.views))
        for subject in subjects:
            if subject not in known:
                raise InputError(
                    f"{self.name} has no subject '{subject}'; choose from {', '.join(known)}.",
                    reason="SUBJECT_UNKNOWN",
                    subject=subject,
                )
        views = tuple(
            view
            for view in self.views
            if view.subject in subjects and (not actions or view.action.startswith(tuple(actions)))
        )
        if not sum(len(view) for view in views):
            raise InputError(
                f"{self.name} has no frame of {', '.join(subjects) or 'nobody'}"
                f"{' doing ' + ', '.join(actions) if actions else ''}; choose other subjects or actions.",
                reason="DATASET_EMPTY",
                subjects=",".join(subjects),
                actions=",".join(actions),
            )
        return views


def thinned(view: View, *, subset: float = 1.0, downsample: int = 1) -> View:
    """Return a share of a view, one run of frames at a place drawn by its name, every n-th of them."""
    if subset < 1:
        count = max(round(len(view) // downsample * subset), 1) * downsample
        digest = hashlib.sha256(f"{view.subject}/{view.action}".encode()).digest()
        start = int.from_bytes(digest[:8], "little") % (max(len(view) - count, 0) + 1)
        view = view.rows(slice(start, start + count))
    return view.rows(slice(None, None, downsample)) if downsample > 1 else view


def read_pose_set(folder: Path, dataset: str, keypoints: str) -> PoseSet:
    """Read ``data_3d_<dataset>.npz`` and ``data_2d_<dataset>_<keypoints>.npz``; no code in them is run.

    Parameters
    ----------
    folder
        Where both are.
    dataset
        ``h36m``, ``humaneva15``, ``humaneva20``, or a name that begins with ``custom``, which needs no
        3D file and whose joints, if it has any, are in the axes of the camera.
    keypoints
        Which 2D points.

    Raises
    ------
    InputError
        A file is missing, damaged, or contains code; ``DATASET_KEYS``, ``DATASET_SHAPE``,
        ``DATASET_LENGTHS`` or ``DATASET_EMPTY`` say what is wrong with what it holds.
    """
    if dataset not in _RATES and not dataset.startswith("custom"):
        raise InputError(
            f"There is no data set '{dataset}'; choose h36m, humaneva15, humaneva20 or custom.",
            reason="DATASET_UNKNOWN",
            dataset=dataset,
        )
    path_2d = folder / f"data_2d_{dataset}_{keypoints}.npz"
    path_3d = folder / f"data_3d_{dataset}.npz"
    points, metadata = _keypoints(path_2d)
    known = path_3d.exists() or not dataset.startswith("custom")
    joints = _positions(path_3d, dataset) if known else {}
    views: list[View] = []
    for subject, actions in points.items():
        for action, by_camera in actions.items():
            cameras = _cameras(dataset, subject, path_2d, metadata)
            if len(by_camera) > len(cameras):
                raise _error(
                    "DATASET_LENGTHS",
                    path_2d,
                    f"{subject} {action} has {len(by_camera)} views of {len(cameras)} cameras",
                )
            world = joints.get(subject, {}).get(action)
            for camera, pixels in zip(cameras, by_camera, strict=False):
                views.append(_view(path_2d, subject, action, camera, pixels, world))
    if not sum(len(view) for view in views):
        raise _error("DATASET_EMPTY", path_2d, "it has no frames")
    layout = _LAYOUTS.get(str(metadata["layout_name"]))
    size = int(metadata["num_joints"])
    named = layout is not None and len(layout) == size
    first = next((view.joints_m for view in views if view.joints_m is not None), None)
    count = first.shape[1] if first is not None else 17
    outputs = {17: H36M_17.joints, 15: HUMANEVA_15.joints}.get(count, _numbered(count))
    return PoseSet(
        name=path_2d.name,
        rate=_RATES.get(dataset, 50),
        inputs=layout.joints if layout is not None and named else _numbered(size),
        outputs=outputs,
        mirrors=(
            _exchanged(size, *metadata["keypoints_symmetry"]),
            _exchanged(20, list(_HUMANEVA_20_MIRROR), list(_HUMANEVA_20_MIRROR.values()))
            if count == 20
            else tuple(mirror_of(outputs)),
        ),
        views=tuple(views),
    )


def write_positions(path: Path, joints_m: Mapping[str, Mapping[str, FloatArray]]) -> None:
    """Write ``data_3d_<set>.npz``; it appears when it is complete."""
    _write(path, positions_3d={subject: dict(actions) for subject, actions in joints_m.items()})


def write_keypoints(
    path: Path,
    points_px: Mapping[str, Mapping[str, Sequence[FloatArray]]],
    *,
    layout: str,
    sizes: Mapping[str, tuple[int, int]] | None = None,
) -> None:
    """Write ``data_2d_<set>_<keypoints>.npz``, with the sizes of a custom set's films."""
    if layout == "humaneva20":
        size, pairs = 20, _HUMANEVA_20_MIRROR
    else:
        joints = _LAYOUTS[layout]
        size = len(joints)
        pairs = {i: joints.mirror[i] for i, name in enumerate(joints.joints) if name.startswith("left_")}
    metadata: dict[str, Any] = {
        "layout_name": layout,
        "num_joints": size,
        "keypoints_symmetry": [list(pairs), list(pairs.values())],
    }
    if sizes is not None:
        metadata["video_metadata"] = {name: {"w": w, "h": h} for name, (w, h) in sizes.items()}
    plain = {
        subject: {a: list(views) for a, views in actions.items()} for subject, actions in points_px.items()
    }
    _write(path, positions_2d=plain, metadata=metadata)


def _write(path: Path, **objects: Any) -> None:
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        np.savez_compressed(file, **objects)
    os.replace(partial, path)


def _keypoints(path: Path) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, Any]]:
    arrays = read_arrays(path)
    points, metadata = _mapping(path, arrays, "positions_2d"), _mapping(path, arrays, "metadata")
    for key in ("layout_name", "num_joints", "keypoints_symmetry"):
        if key not in metadata:
            raise _error("DATASET_KEYS", path, f"its metadata lacks '{key}'")
    size, symmetry = metadata["num_joints"], metadata["keypoints_symmetry"]
    sides = len(symmetry) == 2 and len(symmetry[0]) == len(symmetry[1])
    if not sides or not all(0 <= i < size for side in symmetry for i in side):
        raise _error("DATASET_SHAPE", path, f"its keypoints_symmetry does not fit {size} joints")
    for subject, actions in points.items():
        for action, views in actions.items():
            for view in views:
                fits = getattr(view, "ndim", 0) == 3 and view.shape[1] == size and view.shape[2] in (2, 3)
                if not fits:
                    what = f"{subject} {action} has an array of {np.shape(view)} and not (frames, {size}, 2)"
                    raise _error("DATASET_SHAPE", path, what)
    return points, metadata


def _positions(path: Path, dataset: str) -> dict[str, dict[str, FloatArray]]:
    """Return {subject: {action: (T, J, 3)}} of the joints that move on their own."""
    held = _mapping(path, read_arrays(path), "positions_3d")
    wanted = {"h36m": (32, 17), "humaneva15": (15,), "humaneva20": (20,)}.get(dataset, (17, 15))
    result: dict[str, dict[str, FloatArray]] = {}
    for subject, actions in held.items():
        for action, values in actions.items():
            shape = np.shape(values)
            if len(shape) != 3 or shape[1] not in wanted or shape[2] != 3:
                what = f"{subject} {action} has an array of {shape} and not (frames, {wanted[0]}, 3)"
                raise _error("DATASET_SHAPE", path, what)
            moving = values[:, human36m.JOINTS_OF_32] if shape[1] == 32 else values
            result.setdefault(subject, {})[action] = np.asarray(moving, dtype=np.float32)
    return result


def _mapping(path: Path, arrays: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = arrays.get(key)
    if not isinstance(value, Mapping):
        raise _error("DATASET_KEYS", path, f"it lacks '{key}'")
    if key != "metadata" and not all(isinstance(actions, Mapping) for actions in value.values()):
        raise _error("DATASET_KEYS", path, f"its {key} is not by subject and action")
    return value


def _cameras(dataset: str, subject: str, path: Path, metadata: Mapping[str, Any]) -> tuple[ScreenCamera, ...]:
    if dataset == "h36m":
        return human36m.cameras_of(subject)
    if dataset.startswith("humaneva"):
        return humaneva.cameras_of(subject)
    sizes = metadata.get("video_metadata", {})
    try:
        size = (int(sizes[subject]["w"]), int(sizes[subject]["h"]))
    except (KeyError, TypeError, ValueError):
        raise _error("DATASET_KEYS", path, f"its metadata lacks the size of '{subject}'") from None
    return (ScreenCamera(subject, size),)


def _view(
    path: Path, subject: str, action: str, camera: ScreenCamera, pixels: FloatArray, world: FloatArray | None
) -> View:
    if world is not None:
        # Films run a little longer than the capture; never shorter.
        if len(pixels) < len(world):
            what = f"{subject} {action} has {len(pixels)} frames of keypoints for {len(world)} of joints"
            raise _error("DATASET_LENGTHS", path, what)
        pixels = pixels[: len(world)]
    screen = normalised(pixels[..., :2], camera.size)
    points = np.concatenate([screen, pixels[..., 2:]], axis=-1).astype(np.float32)
    if not np.isfinite(points).all():
        raise _error(
            "DATASET_SHAPE", path, f"{subject} {action} has keypoints that are not finite; fill them first"
        )
    joints = None if world is None else camera.seen(world).astype(np.float32)
    return View(subject, action, camera, points, joints)


def _exchanged(size: int, left: Sequence[int], right: Sequence[int]) -> tuple[int, ...]:
    order = list(range(size))
    for a, b in zip(left, right, strict=True):
        order[a], order[b] = b, a
    return tuple(order)


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"joint_{i}" for i in range(count))


def _error(reason: str, path: Path, what: str) -> InputError:
    return InputError(
        f"{path.name} cannot be used: {what}; prepare the data set again.",
        reason=reason,
        path=path,
        detail=what,
    )
