"""`evidence.npz`: all that a solve reads, kept with every result so that it can be solved again.

Neither the clip nor any network is needed then.  With it is kept what the fit made of it, so that
the same version need not fit again.  Described for others in docs/solve.md.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import ConflictError, InputError, InternalError, NotFoundError

from pose_server.export.arrays import read_arrays, write_arrays
from pose_server.pipeline.boundary import Camera, CameraPath, Pose3D, Track2D, Vertical
from pose_server.pipeline.fits import FIT_FIELDS, FIT_VERSION, fit_arrays, fit_of
from pose_server.solve.person import Person

__all__ = [
    "EVIDENCE_FILE",
    "EVIDENCE_VERSION",
    "Evidence",
    "read_evidence",
    "write_evidence",
]

EVIDENCE_FILE = "evidence.npz"
#: Raised when a field changes its meaning or goes; new fields leave it.
EVIDENCE_VERSION = 1

_HEAD = {
    "format_version": ("i", 0),
    "rate": ("i", 1),
    "people": ("i", 1),
    "camera_matrix": ("f", 2),
    "distortion": ("f", 1),
    "image_size": ("i", 1),
    "focal_source": ("U", 0),
}
#: Of a lens that was not given, and of a background that shows which way is up.
_SURENESS = {"focal_sigma": ("f", 0)}
_VERTICAL = {"vertical": ("f", 1), "vertical_sigma_rad": ("f", 0)}
#: Of a camera that turned; where it travelled; and in whose world.
_TURNS = {"camera_indices": ("i", 1), "camera_turns": ("f", 3)}
_PLACES = {"camera_places": ("f", 2), "camera_metric": ("b", 0)}
_WORLD = {"camera_world": ("f", 2)}
_PATH = {**_TURNS, **_PLACES, **_WORLD}
#: Of every person, as "person_01/<name>"; contacts only from a lifter that says them.
_PERSON = {
    "indices": ("i", 1),
    "times_s": ("f", 1),
    "boxes_px": ("f", 2),
    "keypoint_names": ("U", 1),
    "keypoints_px": ("f", 3),
    "keypoint_confidence": ("f", 2),
    "landmarks_m": ("f", 3),
    "joint_names": ("U", 1),
    "joints_root_m": ("f", 3),
    "uncertainty_m": ("f", 2),
    "root_camera_m": ("f", 2),
}
_CONTACTS = ("f", 2)
_TRACK = ("indices", "times_s", "boxes_px", "keypoints_px", "keypoint_confidence", "landmarks_m")
_POSE = ("indices", "times_s", "joints_root_m", "uncertainty_m", "root_camera_m")
_PEOPLE_LIMIT = 10_000
#: Of one person on a steady clock: nine hours at 30 frames per second.
_ROWS_LIMIT = 1_000_000


@dataclass(frozen=True)
class Evidence:
    """What was seen of everybody in a clip, in the picture and lifted."""

    rate: Fraction
    """Of the source."""
    camera: Camera
    people: tuple[int, ...]
    """Their numbers, counted from 1 by coverage times size among all in the clip."""
    tracks: tuple[Track2D, ...]
    """One a person, repaired."""
    poses: tuple[Pose3D, ...]
    """One a person, row by row as their tracks."""
    path: CameraPath | None = None
    """How the camera moved; None if it stood still."""
    vertical: Vertical | None = None
    """Which way is up, where the background shows it."""
    fits: tuple[Person, ...] | None = None
    """One a person, what this version's fit made of it; None where that is not known."""

    def __len__(self) -> int:
        """Return the number of rows of all people."""
        return sum(len(track) for track in self.tracks)


def write_evidence(path: Path, evidence: Evidence) -> Evidence:
    """Write evidence, and return it as it will be read: numbers but times, camera and vertical in float32.

    Raises
    ------
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.
    """
    camera = evidence.camera
    fields: dict[str, Any] = {
        "format_version": np.int64(EVIDENCE_VERSION),
        "rate": np.array([evidence.rate.numerator, evidence.rate.denominator], np.int64),
        "people": np.array(evidence.people, np.int64),
        "camera_matrix": camera.matrix.astype(np.float64),
        "distortion": camera.distortion.astype(np.float64),
        "image_size": np.array(camera.image_size, np.int64),
        "focal_source": np.array(camera.focal_source),
    }
    if camera.focal_sigma is not None:
        fields["focal_sigma"] = np.float64(camera.focal_sigma)
    if evidence.vertical is not None:
        fields["vertical"] = evidence.vertical.up.astype(np.float64)
        fields["vertical_sigma_rad"] = np.float64(evidence.vertical.sigma_rad)
    if evidence.path is not None:
        fields |= _path_fields(evidence.path)
    for number, track, pose in zip(evidence.people, evidence.tracks, evidence.poses, strict=True):
        person: dict[str, NDArray[Any]] = {
            "indices": track.indices.astype(np.int64),
            "times_s": track.times_s.astype(np.float64),
            "keypoint_names": np.array(track.keypoint_names, np.str_),
            "joint_names": np.array(pose.joint_names, np.str_),
        }
        for owner, names in ((track, _TRACK), (pose, _POSE)):
            person |= {n: getattr(owner, n).astype(np.float32) for n in names if n not in person}
        if pose.contacts is not None:
            person["contacts"] = pose.contacts.astype(np.float32)
        fields |= {_place(number, name): values for name, values in person.items()}
    if evidence.fits is not None:
        fields["fit_version"] = np.array(FIT_VERSION)
        for number, fit in zip(evidence.people, evidence.fits, strict=True):
            fields |= {_place(number, f"fit_{name}"): values for name, values in fit_arrays(fit).items()}
    write_arrays(path, fields)
    return _with_fits(_evidence(fields), fields)


def read_evidence(path: Path) -> Evidence:
    """Read what `write_evidence` wrote.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        It is damaged or something else.
    ConflictError
        A newer version wrote it.
    """

    def read(wanted: Any) -> dict[str, NDArray[Any]]:
        return read_arrays(path, wanted, what="evidence", reason="EVIDENCE_UNREADABLE")

    _check_size(path)
    fields = read({**_HEAD, **_SURENESS, **_VERTICAL, **_PATH}.__contains__)
    version = fields.get("format_version")
    said = version is not None and version.shape == () and version.dtype.kind == "i"
    if version is not None and said and int(version) != EVIDENCE_VERSION:
        raise ConflictError(
            f"{path} has format version {int(version)}, and this pose-server reads {EVIDENCE_VERSION}; "
            "use the pose-server that wrote it, or import the clip again.",
            reason="FORMAT_VERSION",
            path=path,
            version=int(version),
        )
    try:
        _check_fields(fields, _HEAD)
        for given, needed in (
            (_SURENESS, _SURENESS),
            (_VERTICAL, _VERTICAL),
            (_TURNS, _TURNS),
            (_PLACES, {**_TURNS, **_PLACES}),
            (_WORLD, {**_TURNS, **_WORLD}),
        ):
            if fields.keys() & given.keys():
                _check_fields(fields, needed)
        if len(fields["people"]) > _PEOPLE_LIMIT:
            raise ValueError(f"it names {len(fields['people'])} people")
        people = fields["people"].tolist()
        names = (*_PERSON, "contacts", *(f"fit_{name}" for name in FIT_FIELDS))
        wanted = {_place(number, name) for number in people for name in names} | {"fit_version"}
        fields |= read(wanted.__contains__)
        for number in people:
            _check_fields(fields, {_place(number, name): kind for name, kind in _PERSON.items()})
            contacts = _place(number, "contacts")
            if contacts in fields:
                _check_fields(fields, {contacts: _CONTACTS})
        evidence = _evidence(fields)
        _check_meaning(evidence)
        evidence = _with_fits(evidence, fields)
    except (InternalError, TypeError, ValueError, ArithmeticError) as error:
        raise InputError(
            f"{path} is no evidence that pose-server can solve ({error}); import the clip again.",
            reason="EVIDENCE_INVALID",
            path=path,
        ) from error
    return evidence


def _place(number: int, name: str) -> str:
    return f"person_{number:02d}/{name}"


def _evidence(fields: Mapping[str, NDArray[Any]]) -> Evidence:
    tracks, poses = [], []
    people = fields["people"].tolist()
    for number in people:
        # Whatever is computed from now on is computed in full precision.
        person = {name: fields[_place(number, name)] for name in _PERSON}
        person = {
            name: values.astype(np.float64) if values.dtype.kind == "f" else values
            for name, values in person.items()
        }
        contacts = fields.get(_place(number, "contacts"))
        tracks.append(
            Track2D(
                keypoint_names=tuple(person["keypoint_names"].tolist()),
                **{name: person[name] for name in _TRACK},
            )
        )
        poses.append(
            Pose3D(
                joint_names=tuple(person["joint_names"].tolist()),
                contacts=None if contacts is None else contacts.astype(np.float64),
                **{name: person[name] for name in _POSE},
            )
        )
    width, height = fields["image_size"].tolist()
    return Evidence(
        rate=Fraction(*fields["rate"].tolist()),
        camera=Camera(
            matrix=fields["camera_matrix"],
            distortion=fields["distortion"],
            image_size=(width, height),
            focal_source=str(fields["focal_source"]),
            focal_sigma=float(fields["focal_sigma"]) if "focal_sigma" in fields else None,
        ),
        people=tuple(people),
        tracks=tuple(tracks),
        poses=tuple(poses),
        path=_path_of(fields) if "camera_turns" in fields else None,
        vertical=Vertical(fields["vertical"], float(fields["vertical_sigma_rad"]))
        if "vertical" in fields
        else None,
    )


def _path_fields(path: CameraPath) -> dict[str, NDArray[Any]]:
    """Return a camera's path as the arrays that an evidence file has of it."""
    fields: dict[str, NDArray[Any]] = {
        "camera_indices": path.indices.astype(np.int64),
        "camera_turns": path.turns.astype(np.float32),
    }
    if path.places is not None:
        fields["camera_places"] = path.places.astype(np.float32)
        fields["camera_metric"] = np.array(path.metric)
    if path.world is not None:
        fields["camera_world"] = path.world.astype(np.float64)
    return fields


def _path_of(fields: Mapping[str, NDArray[Any]]) -> CameraPath:
    """Read back what `_path_fields` made of a path."""
    places = fields.get("camera_places")
    return CameraPath(
        fields["camera_indices"],
        fields["camera_turns"].astype(np.float64),
        places=None if places is None else places.astype(np.float64),
        metric=bool(fields.get("camera_metric", False)),
        world=fields.get("camera_world"),
    )


def _with_fits(evidence: Evidence, fields: Mapping[str, NDArray[Any]]) -> Evidence:
    """Add what the fit made of the evidence, if it was this very fit."""
    if str(fields.get("fit_version")) != str(FIT_VERSION):
        return evidence
    fits = []
    for number, track, pose in zip(evidence.people, evidence.tracks, evidence.poses, strict=True):
        places = {name: _place(number, f"fit_{name}") for name in FIT_FIELDS}
        arrays = {name: fields[place] for name, place in places.items() if place in fields}
        fits.append(fit_of(arrays, track, pose, evidence.rate, evidence.path))
    return replace(evidence, fits=tuple(fits))


def _check_size(path: Path) -> None:
    """Refuse a file that would unfold to more than it is: ours are not compressed."""
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            unfolded = sum(member.file_size for member in archive.infolist())
    except FileNotFoundError:
        raise NotFoundError(
            f"There is no {path}, so there is nothing to solve again; import the clip again.",
            reason="EVIDENCE_MISSING",
            path=path,
        ) from None
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return  # whoever reads it says why
    if unfolded > size:
        raise InputError(
            f"{path} is compressed, which no evidence of pose-server's is; import the clip again.",
            reason="EVIDENCE_INVALID",
            path=path,
        )


def _check_fields(fields: Mapping[str, NDArray[Any]], kinds: Mapping[str, tuple[str, int]]) -> None:
    for name, (kind, dimensions) in kinds.items():
        if name not in fields:
            raise ValueError(f"it lacks {name}")
        values = fields[name]
        if values.dtype.kind != kind or values.ndim != dimensions:
            raise ValueError(f"{name} is {values.dtype}{values.shape}")
        if kind == "f" and np.isinf(values).any():
            raise ValueError(f"{name} holds what is not finite")


def _check_path(path: CameraPath) -> None:
    turns = path.turns
    square = turns @ np.swapaxes(turns, 1, 2)
    if not len(turns) or (np.diff(path.indices) <= 0).any() or not np.allclose(square, np.eye(3), atol=1e-3):
        raise ValueError("its camera does not turn from frame to frame")
    if path.places is not None and not np.isfinite(path.places).all():
        raise ValueError("its camera travels to nowhere")
    if path.world is not None:
        turn = path.world[:3, :3]
        if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-3) or not np.isfinite(path.world).all():
            raise ValueError("its camera stands in no world")


def _check_camera(camera: Camera) -> None:
    if not np.isfinite(camera.matrix).all() or min(camera.matrix[0, 0], camera.matrix[1, 1]) <= 0:
        raise ValueError("its camera has no focal length")
    if not np.isfinite(camera.distortion).all() or min(camera.image_size) <= 0:
        raise ValueError("its camera has no picture")
    if camera.focal_sigma is not None and not camera.focal_sigma > 0:
        raise ValueError("its focal length has no standard deviation")


def _check_meaning(evidence: Evidence) -> None:
    camera = evidence.camera
    if not Fraction(1, 10) <= evidence.rate <= 100_000:
        raise ValueError(f"its rate is {evidence.rate}")
    _check_camera(camera)
    vertical = evidence.vertical
    if vertical is not None and not (abs(np.linalg.norm(vertical.up) - 1) < 1e-3 and vertical.sigma_rad > 0):
        raise ValueError("its vertical is no direction")
    if evidence.path is not None:
        _check_path(evidence.path)
    if len(set(evidence.people)) < len(evidence.people) or min(evidence.people, default=1) < 1:
        raise ValueError("its people are not numbered from 1")
    for number, track, pose in zip(evidence.people, evidence.tracks, evidence.poses, strict=True):
        rows, steps = len(track), np.diff(track.indices)
        if not rows or track.indices[0] < 0 or (steps != 1).any():
            raise ValueError(f"the frames of person {number} do not follow each other")
        if not np.isfinite(track.times_s).all() or (np.diff(track.times_s) < 0).any():
            raise ValueError(f"the times of person {number} do not follow each other")
        if (track.times_s[-1] - track.times_s[0]) * evidence.rate > _ROWS_LIMIT:
            raise ValueError(f"the times of person {number} are too far apart")
        if not ((track.keypoint_confidence >= 0) & (track.keypoint_confidence <= 1)).all():
            raise ValueError(f"the confidence of person {number} leaves 0 to 1")
        for names in (track.keypoint_names, pose.joint_names):
            if len(set(names)) < len(names):
                raise ValueError(f"person {number} has points of the same name")
