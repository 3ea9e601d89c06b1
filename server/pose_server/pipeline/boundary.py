"""What the stages hand to each other: frozen dataclasses that check themselves.

Letters in shapes: T frames of one person, N frames of a batch, P people in a frame, K keypoints,
J joints, C contacts.  Pixels have the centre of the first pixel at (0.5, 0.5) in the upright
picture.  Camera axes are OpenCV's (x right, y down, z forward), the world is z up and right
handed; both in metres.  Missing values are NaN with confidence 0.  Quaternions are w, x, y, z.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InternalError

__all__ = [
    "Camera",
    "CameraPath",
    "ClipInfo",
    "Detections",
    "FrameBatch",
    "Motion",
    "Pose3D",
    "Track2D",
    "Vertical",
]

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


def check_array(owner: object, field: str, kind: str, *shape: int | str) -> dict[str, int]:
    """Check one array field of a boundary object.

    Parameters
    ----------
    owner
        The dataclass instance.
    field
        Name of its field.
    kind
        NumPy kind code: ``f`` floating, ``i`` integer, ``u`` unsigned, ``b`` boolean, ``U`` text.
    shape
        A number fixes a dimension, a name lets it be anything.

    Returns
    -------
    dict
        What each named dimension is.

    Raises
    ------
    InternalError
        The field is no array of that kind and shape; says which was expected and what came.
    """
    value = getattr(owner, field)
    place = f"{type(owner).__name__}.{field}"
    if not isinstance(value, np.ndarray):
        raise InternalError(f"{place}: expected an array, got {type(value).__name__}", reason="BAD_BOUNDARY")
    matches = value.dtype.kind == kind and value.ndim == len(shape)
    matches = matches and all(
        isinstance(want, str) or want == have for want, have in zip(shape, value.shape, strict=False)
    )
    if not matches:
        expected = "(" + ", ".join(str(s) for s in shape) + ")"
        raise InternalError(
            f"{place}: expected {expected} of kind {kind}, got {value.shape} {value.dtype}",
            reason="BAD_BOUNDARY",
        )
    return {want: have for want, have in zip(shape, value.shape, strict=True) if isinstance(want, str)}


def check_arrays(owner: object, **fields: tuple[str, tuple[int | str, ...]]) -> dict[str, int]:
    """Check several fields; a dimension of the same name must be equal in all of them."""
    sizes: dict[str, int] = {}
    for field, (kind, shape) in fields.items():
        for name, size in check_array(owner, field, kind, *shape).items():
            if sizes.setdefault(name, size) != size:
                raise InternalError(
                    f"{type(owner).__name__}.{field}: expected {name} = {sizes[name]}, got {size}",
                    reason="BAD_BOUNDARY",
                )
    return sizes


def _shapes(owner: object) -> str:
    parts = []
    for item in dataclasses.fields(owner):  # type: ignore[arg-type]
        value = getattr(owner, item.name)
        shown = f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else repr(value)
        parts.append(f"{item.name}={shown}")
    return f"{type(owner).__name__}({', '.join(parts)})"


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a clip before its first frame is decoded."""

    path: Path
    """The film, or the pattern of an image sequence."""
    width: int
    """Of the upright picture with square pixels, after rotation."""
    height: int
    rate: Fraction
    """Frames per second: the container's average rate, or the rate given for a sequence."""
    frame_count: int
    """Frames in the asked range, counted without decoding; damage may leave fewer."""
    first_frame: int
    """Source index of the first frame of the asked range."""
    start_time_s: float
    """Container timestamp of source frame 0."""
    rotation_ccw_deg: int
    """Rotation that was applied to make the picture upright, counter-clockwise, 0, 90, 180 or 270."""
    pixel_aspect: Fraction
    """Width over height of a source pixel, before it was made square."""
    codec: str
    focal_mm: float | None = None
    """Focal length as on a sensor 36 mm along the longer side, where the recording names it."""
    remarks: tuple[str, ...] = ()
    """What the user should know of its pictures, a sentence each."""


@dataclass(frozen=True, repr=False)
class FrameBatch:
    """Some consecutive frames of a clip."""

    frames: NDArray[np.uint8]
    """(N, H, W, 3) RGB, upright, square pixels."""
    indices: IntArray
    """(N,) source frame numbers."""
    times_s: FloatArray
    """(N,) seconds after source frame 0, from the container's timestamps."""

    def __post_init__(self) -> None:
        check_arrays(self, frames=("u", ("N", "H", "W", 3)), indices=("i", ("N",)), times_s=("f", ("N",)))

    def __len__(self) -> int:
        return len(self.indices)

    __repr__ = _shapes


@dataclass(frozen=True, repr=False)
class Detections:
    """The people that a detector sees in one frame, in no order that means anything."""

    index: int
    """Source frame number."""
    time_s: float
    boxes_px: FloatArray
    """(P, 4) left, top, right, bottom."""
    scores: FloatArray
    """(P,) 0..1."""
    keypoints_px: FloatArray
    """(P, K, 2)."""
    keypoint_confidence: FloatArray
    """(P, K) 0..1."""
    landmarks_m: FloatArray
    """(P, K, 3) the detector's own 3D points about the hips, in axes parallel to the camera's as if
    the person stood on the optical axis; NaN from a detector that has none."""

    def __post_init__(self) -> None:
        check_arrays(
            self,
            boxes_px=("f", ("P", 4)),
            scores=("f", ("P",)),
            keypoints_px=("f", ("P", "K", 2)),
            keypoint_confidence=("f", ("P", "K")),
            landmarks_m=("f", ("P", "K", 3)),
        )

    def __len__(self) -> int:
        return len(self.scores)

    __repr__ = _shapes


@dataclass(frozen=True, repr=False)
class Track2D:
    """One person through the clip: a row for every source frame from the first to the last seen.

    Rows in which the person was not found hold NaN and confidence 0.
    """

    keypoint_names: tuple[str, ...]
    """(K,) names as in `pose_shared.skeleton`."""
    indices: IntArray
    """(T,) source frame numbers, consecutive."""
    times_s: FloatArray
    """(T,) seconds after source frame 0."""
    boxes_px: FloatArray
    """(T, 4)."""
    keypoints_px: FloatArray
    """(T, K, 2)."""
    keypoint_confidence: FloatArray
    """(T, K) 0..1."""
    landmarks_m: FloatArray
    """(T, K, 3) as in `Detections`."""

    def __post_init__(self) -> None:
        sizes = check_arrays(
            self,
            indices=("i", ("T",)),
            times_s=("f", ("T",)),
            boxes_px=("f", ("T", 4)),
            keypoints_px=("f", ("T", "K", 2)),
            keypoint_confidence=("f", ("T", "K")),
            landmarks_m=("f", ("T", "K", 3)),
        )
        if len(self.keypoint_names) != sizes["K"]:
            raise InternalError(
                f"Track2D.keypoint_names: expected {sizes['K']} names, got {len(self.keypoint_names)}",
                reason="BAD_BOUNDARY",
            )

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def found(self) -> NDArray[np.bool_]:
        """(T,) whether the person was seen in each frame."""
        return np.asarray(np.isfinite(self.boxes_px).all(axis=1))

    __repr__ = _shapes


@dataclass(frozen=True, repr=False)
class Camera:
    """A pinhole camera with OpenCV's distortion, one for the whole clip."""

    matrix: FloatArray
    """(3, 3) pixels."""
    distortion: FloatArray
    """(5,) k1, k2, p1, p2, k3."""
    image_size: tuple[int, int]
    """Width and height of the upright picture."""
    focal_source: str
    """``given``, ``recorded`` with the clip, ``estimated`` from it, or ``assumed``."""
    focal_sigma: float | None = None
    """One standard deviation of the focal length, as a share of it; None for one that was given."""

    def __post_init__(self) -> None:
        check_arrays(self, matrix=("f", (3, 3)), distortion=("f", (5,)))

    __repr__ = _shapes


@dataclass(frozen=True, repr=False)
class Vertical:
    """Which way is up, as the background of a clip shows it."""

    up: FloatArray
    """(3,) in the first frame's camera, of unit length."""
    sigma_rad: float
    """One standard deviation, in each of the two ways that it can lean."""

    def __post_init__(self) -> None:
        check_arrays(self, up=("f", (3,)))

    __repr__ = _shapes


@dataclass(frozen=True, repr=False)
class CameraPath:
    """How the camera of a clip turned, and travelled, since its first frame."""

    indices: IntArray
    """(T,) source frame numbers, growing."""
    turns: FloatArray
    """(T, 3, 3) rotations from the first frame's camera axes into each frame's."""
    places: FloatArray | None = None
    """(T, 3) where the camera stood, in the first frame's axes and from its place; None for one that only
    turned."""
    metric: bool = False
    """Whether places are metres; else they are so up to one factor, which the people's steps tell."""
    world: FloatArray | None = None
    """(4, 4) from the first frame's camera axes into a z-up world of the caller's; None where it is the
    people who tell which way is up."""

    def __post_init__(self) -> None:
        check_arrays(self, indices=("i", ("T",)), turns=("f", ("T", 3, 3)))
        if self.places is not None:
            check_array(self, "places", "f", len(self.indices), 3)
        if self.world is not None:
            check_array(self, "world", "f", 4, 4)

    @property
    def widest_deg(self) -> float:
        """The largest turn away from the first frame."""
        cosine = (np.trace(self.turns, axis1=1, axis2=2) - 1) / 2
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max(initial=0.0))

    def rows(self, indices: IntArray) -> NDArray[np.intp]:
        """Return (N,) the rows of some source frames, the nearest known one of each."""
        after = np.clip(np.searchsorted(self.indices, indices), 1, max(len(self.indices) - 1, 1))
        after = np.minimum(after, len(self.indices) - 1)
        before = np.maximum(after - 1, 0)
        nearer = np.abs(indices - self.indices[before]) <= np.abs(self.indices[after] - indices)
        return np.asarray(np.where(nearer, before, after))

    def at(self, indices: IntArray) -> CameraPath:
        """Return the path with a row for each of some source frames, which may repeat."""
        rows = self.rows(indices)
        places = None if self.places is None else self.places[rows]
        return dataclasses.replace(self, indices=indices, turns=self.turns[rows], places=places)

    def scaled(self, factor: float) -> CameraPath:
        """Return the same turns on a way so many times as long; none at all for a factor of 0."""
        places = None if self.places is None or factor == 0 else factor * self.places
        return dataclasses.replace(self, places=places)

    __repr__ = _shapes


@dataclass(frozen=True, repr=False)
class Pose3D:
    """One person's joints in the camera, before a skeleton of constant lengths is fitted."""

    joint_names: tuple[str, ...]
    """(J,) names as in `pose_shared.skeleton`; a lifter gives those it knows."""
    indices: IntArray
    """(T,) source frame numbers."""
    times_s: FloatArray
    """(T,)."""
    joints_root_m: FloatArray
    """(T, J, 3) about the middle of the hips, camera axes."""
    uncertainty_m: FloatArray
    """(T, J) one standard deviation; NaN where the joint is missing."""
    root_camera_m: FloatArray
    """(T, 3) the middle of the hips in the camera."""
    contacts: FloatArray | None = None
    """(T, 4) 0..1 whether left heel, left toes, right heel and right toes carry; None from a lifter that
    does not say."""

    def __post_init__(self) -> None:
        sizes = check_arrays(
            self,
            indices=("i", ("T",)),
            times_s=("f", ("T",)),
            joints_root_m=("f", ("T", "J", 3)),
            uncertainty_m=("f", ("T", "J")),
            root_camera_m=("f", ("T", 3)),
        )
        if self.contacts is not None:
            check_array(self, "contacts", "f", len(self.times_s), 4)
        if len(self.joint_names) != sizes["J"]:
            raise InternalError(
                f"Pose3D.joint_names: expected {sizes['J']} names, got {len(self.joint_names)}",
                reason="BAD_BOUNDARY",
            )

    def __len__(self) -> int:
        return len(self.indices)

    __repr__ = _shapes


@dataclass(frozen=True, repr=False)
class Motion:
    """One person's animation on one skeleton, as `motion.npz` holds it."""

    rate: Fraction
    """Frames per second of the rows."""
    times_s: FloatArray
    """(T,) seconds after source frame 0."""
    frames: IntArray
    """(T,) index of the nearest source frame."""
    joint_names: tuple[str, ...]
    parents: IntArray
    """(J,) -1 for the root."""
    rest_offsets_m: FloatArray
    """(J, 3) from each joint's parent, in a T-pose that faces -y with z up."""
    local_rotations_wxyz: FloatArray
    """(T, J, 4) about the parent, the root's in the world; rest is the identity."""
    root_world_m: FloatArray
    """(T, 3)."""
    joints_world_m: FloatArray
    """(T, J, 3)."""
    joints_camera_m: FloatArray
    """(T, J, 3)."""
    root_camera_m: FloatArray
    """(T, 3)."""
    confidence: FloatArray
    """(T, J) 0..1."""
    contact_names: tuple[str, ...]
    contacts: FloatArray
    """(T, C) 0..1."""
    keypoint_names: tuple[str, ...]
    keypoints_px: FloatArray
    """(T, K, 2) the 2D evidence."""
    keypoint_confidence: FloatArray
    """(T, K) 0..1."""
    camera: Camera
    world_to_camera: FloatArray
    """(4, 4), or (T, 4, 4) when the camera moves."""
    reprojection_px: FloatArray
    """(T, J) distance of each joint, projected, from its evidence; NaN where it has none."""

    def __post_init__(self) -> None:
        sizes = check_arrays(
            self,
            times_s=("f", ("T",)),
            frames=("i", ("T",)),
            parents=("i", ("J",)),
            rest_offsets_m=("f", ("J", 3)),
            local_rotations_wxyz=("f", ("T", "J", 4)),
            root_world_m=("f", ("T", 3)),
            joints_world_m=("f", ("T", "J", 3)),
            joints_camera_m=("f", ("T", "J", 3)),
            root_camera_m=("f", ("T", 3)),
            confidence=("f", ("T", "J")),
            contacts=("f", ("T", "C")),
            keypoints_px=("f", ("T", "K", 2)),
            keypoint_confidence=("f", ("T", "K")),
            reprojection_px=("f", ("T", "J")),
        )
        moving = self.world_to_camera.ndim == 3
        check_arrays(self, world_to_camera=("f", ((sizes["T"],) if moving else ()) + (4, 4)))
        for field, letter in (("joint_names", "J"), ("contact_names", "C"), ("keypoint_names", "K")):
            if len(getattr(self, field)) != sizes[letter]:
                raise InternalError(
                    f"Motion.{field}: expected {sizes[letter]} names, got {len(getattr(self, field))}",
                    reason="BAD_BOUNDARY",
                )

    def __len__(self) -> int:
        return len(self.times_s)

    __repr__ = _shapes
