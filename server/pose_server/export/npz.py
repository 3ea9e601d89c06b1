"""`motion.npz`, one person's motion as plain arrays; described for others in docs/motion_npz.md."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import ConflictError, InputError, InternalError

from pose_server.export.arrays import read_arrays, write_arrays
from pose_server.pipeline.boundary import Camera, Motion
from pose_server.pipeline.weak_spans import weak_spans

__all__ = ["FORMAT_VERSION", "read_npz", "write_npz"]

#: 100 * major + minor.  A new field is a minor step; a changed meaning or a lost field a major one.
FORMAT_VERSION = 102

_ARRAYS = {
    "times_s": np.float64,
    "frames": np.int64,
    "parents": np.int64,
    "rest_offsets_m": np.float32,
    "local_rotations_wxyz": np.float32,
    "root_world_m": np.float32,
    "joints_world_m": np.float32,
    "joints_camera_m": np.float32,
    "root_camera_m": np.float32,
    "confidence": np.float32,
    "contacts": np.float32,
    "keypoints_px": np.float32,
    "keypoint_confidence": np.float32,
    "world_to_camera": np.float64,
    "reprojection_px": np.float32,
}
#: A quaternion that is longer or shorter than 1 by more is none by accident.
_LENGTH_OFF = 0.01
_NAMES = ("joint_names", "contact_names", "keypoint_names")
_CAMERA = {"camera_matrix": np.float64, "distortion": np.float64, "image_size": np.int64}
_FIELDS = ("format_version", "fps", *_ARRAYS, *_NAMES, *_CAMERA, "focal_source")


def write_npz(path: Path, motion: Motion) -> None:
    """Write a motion; equal motions give equal bytes.

    Raises
    ------
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.
    """
    fields: dict[str, Any] = {
        "format_version": np.int64(FORMAT_VERSION),
        "fps": np.array([motion.rate.numerator, motion.rate.denominator], np.int64),
        **{name: getattr(motion, name).astype(kind) for name, kind in _ARRAYS.items()},
        **{name: np.array(getattr(motion, name), dtype=np.str_) for name in _NAMES},
        "camera_matrix": motion.camera.matrix.astype(np.float64),
        "distortion": motion.camera.distortion.astype(np.float64),
        "image_size": np.array(motion.camera.image_size, np.int64),
        "focal_source": np.array(motion.camera.focal_source),
        "focal_sigma": np.float64(motion.camera.focal_sigma or np.nan),
    }
    write_arrays(path, fields | _weak_fields(motion))


def _weak_fields(motion: Motion) -> dict[str, NDArray[Any]]:
    """Return the weak spans as arrays; whoever reads a motion finds them again in it."""
    spans = weak_spans(motion)
    frames = [(span.first_frame, span.last_frame) for span in spans]
    joints = [[name in span.joints for name in motion.joint_names] for span in spans]
    return {
        "weak_frames": np.array(frames, np.int64).reshape(-1, 2),
        "weak_why": np.array([span.why for span in spans], np.str_),
        "weak_joints": np.array(joints, np.bool_).reshape(-1, len(motion.joint_names)),
    }


def read_npz(path: Path) -> Motion:
    """Read a motion of this or a newer minor version.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        It is damaged, or it is no motion file.
    ConflictError
        It has another major version.
    """
    fields = read_arrays(
        path, (*_FIELDS, "focal_sigma").__contains__, what="motion", reason="MOTION_UNREADABLE"
    )
    version = fields.get("format_version")
    if version is None or version.shape != () or version.dtype.kind not in "iu":
        raise _foreign(path, "it names no format_version")
    if int(version) // 100 != FORMAT_VERSION // 100:
        raise ConflictError(
            f"{path} has format version {_dotted(int(version))}, and this pose-server reads "
            f"{_dotted(FORMAT_VERSION)}; use the pose-server that wrote it, or import the clip again.",
            reason="FORMAT_VERSION",
            path=path,
            version=int(version),
        )
    missing = [name for name in _FIELDS if name not in fields]
    if missing:
        raise _foreign(path, f"it lacks {missing[0]}")
    try:
        motion = _motion(fields)
    except (InternalError, ValueError, TypeError) as error:
        raise _foreign(path, str(error)) from error
    _check_meaning(path, motion)
    return motion


def _motion(fields: Mapping[str, NDArray[Any]]) -> Motion:
    for name, kind in ({"fps": np.int64} | _ARRAYS | _CAMERA).items():
        if fields[name].dtype.kind != np.dtype(kind).kind:
            raise ValueError(f"{name} is {fields[name].dtype}, not {np.dtype(kind)}")
    for name in _NAMES:
        if fields[name].dtype.kind != "U" or fields[name].ndim != 1:
            raise ValueError(f"{name} is no list of names")
    for name in ("fps", "image_size"):
        if fields[name].shape != (2,) or fields[name].min() <= 0:
            raise ValueError(f"{name} is no pair of positive numbers")
    width, height = fields["image_size"].tolist()
    values: dict[str, Any] = {name: fields[name].astype(kind) for name, kind in _ARRAYS.items()}
    values |= {name: tuple(fields[name].tolist()) for name in _NAMES}
    return Motion(
        rate=Fraction(*fields["fps"].tolist()),
        camera=Camera(
            matrix=fields["camera_matrix"].astype(np.float64),
            distortion=fields["distortion"].astype(np.float64),
            image_size=(width, height),
            focal_source=str(fields["focal_source"]),
            focal_sigma=_focal_sigma(fields),
        ),
        **values,
    )


def _focal_sigma(fields: Mapping[str, NDArray[Any]]) -> float | None:
    """Return what version 1.2 added."""
    sigma = fields.get("focal_sigma", np.float64(np.nan))
    if sigma.shape != () or sigma.dtype.kind != "f":
        raise ValueError("focal_sigma is no number")
    return float(sigma) if sigma > 0 else None


def _check_meaning(path: Path, motion: Motion) -> None:
    parents = motion.parents.tolist()
    if not parents or len(motion) == 0:
        raise _foreign(path, "it holds no frame")
    if parents[0] != -1 or any(not 0 <= parent < i for i, parent in enumerate(parents[1:], 1)):
        raise _foreign(path, "its parents are no tree with one root at the front")
    if len(set(motion.joint_names)) < len(motion.joint_names):
        raise _foreign(path, "two of its joints have one name")
    for name in ("times_s", "rest_offsets_m", "local_rotations_wxyz", "root_world_m"):
        if not np.isfinite(getattr(motion, name)).all():
            raise _foreign(path, f"{name} holds what is no number")
    lengths = np.linalg.norm(motion.local_rotations_wxyz, axis=-1)
    if np.abs(lengths - 1).max() > _LENGTH_OFF:
        raise _foreign(path, "its rotations are no unit quaternions")


def _foreign(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} is no motion file that pose-server can use ({why}); give a motion.npz that it wrote.",
        reason="MOTION_INVALID",
        path=path,
    )


def _dotted(version: int) -> str:
    return f"{version // 100}.{version % 100}"
