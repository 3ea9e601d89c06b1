"""A lifter on motion capture of people it never saw, filmed and detected virtually: the truth is known.

Whole stretches of up to ten seconds go through repair and lifter as tracks of a clip do, with the errors that
training assumes detectors to make, and once with none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31, SEEN_27

from pose_server.cleanup.cleaning import cleaned_up
from pose_server.evaluate.cleanup import cleaned
from pose_server.evaluate.metrics import contact_score, measures, root_error
from pose_server.lift.lifter import Lifter
from pose_server.pipeline.boundary import Camera, CameraPath, FloatArray, Track2D
from pose_server.train.bodies import hips
from pose_server.train.cameras import CameraModel, filmed
from pose_server.train.motions import RATE_HZ, MotionSet
from pose_server.train.sightings import SightModel, sighted
from pose_server.train.windows import contact_labels

__all__ = [
    "HIPS",
    "IMAGE_SIZE",
    "LIMB_BONES",
    "LIMB_JOINTS",
    "PERFECT",
    "Scene",
    "boxes_around",
    "evaluate_mocap",
    "scene_of",
    "scenes",
    "upwards",
]

#: The twelve joints that are measured, as on the clip with a reference.
LIMB_JOINTS = tuple(
    side + part
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left_", "right_")
)
#: Bones whose length should not change.
LIMB_BONES = tuple(
    (LIMB_JOINTS.index(side + a), LIMB_JOINTS.index(side + b))
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
    for side in ("left_", "right_")
)
HIPS = tuple(LIMB_JOINTS.index(side + "hip") for side in ("left_", "right_"))
#: No detector makes none; without any, definitions agree as well.
PERFECT = SightModel(strength=0.0, definition=0.0, spike_share=0.0, landmarks_share=0.0, losses=0.0)

_COLUMNS = [BODY_31.index(name) for name in LIMB_JOINTS]
_SHORTEST_S, _LONGEST_S = 2.0, 10.0
_FOCAL_PX = 1500.0
#: Width and height of every picture.
IMAGE_SIZE = (1920, 1080)


@dataclass(frozen=True)
class Scene:
    """One stretch of motion, as it was and as it was seen."""

    name: str
    track: Track2D
    camera: Camera
    joints_m: FloatArray
    """(T, 12, 3) `LIMB_JOINTS` in the camera."""
    root_m: FloatArray
    """(T, 3) the middle of the hips in the camera."""
    contacts: FloatArray
    """(T, 4)."""
    room_m: FloatArray
    """(T, 31, 3) `BODY_31` in the room where it was captured, y up."""
    up: FloatArray
    """(T, 3) the room's up in the camera."""
    path: CameraPath | None = None
    """How the camera moved, in metres; None for one that stood still."""


def scenes(
    motions: MotionSet, sights: SightModel, *, count: int, rate_hz: float = 30.0, seed: int = 11
) -> Iterator[Scene]:
    """Film `count` stretches, taken evenly over the set, each by a camera of its own.

    Raises
    ------
    InputError
        ``MOTIONS_TOO_SHORT``: no take lasts two seconds.
    """
    generator = torch.Generator().manual_seed(seed)
    cameras = replace(CameraModel(), focal_error=0.0, guessed_share=0.0)
    takes = [take for take in motions.takes if take.seconds >= _SHORTEST_S]
    if not takes:
        raise InputError(
            f"No take of these subjects lasts {_SHORTEST_S:g} s; hold out others.", reason="MOTIONS_TOO_SHORT"
        )
    step = RATE_HZ / rate_hz
    for number in range(count):
        take = takes[round(number * (len(takes) - 1) / max(1, count - 1))]
        length = min(len(take.points_m), round(_LONGEST_S * RATE_HZ))
        first = int(torch.randint(len(take.points_m) - length + 1, (1,), generator=generator))
        places = np.arange(first, first + length - 1, step)
        before = places.astype(int)
        share = (places - before)[:, None, None]
        points = take.points_m[before] * (1 - share) + take.points_m[before + 1] * share
        placed, _ = filmed(torch.from_numpy(points.astype(np.float32))[None], cameras, generator)
        yield scene_of(take.name, points, placed[0], rate_hz, sights, generator)


def scene_of(
    name: str,
    room_m: FloatArray,
    placed: torch.Tensor,
    rate_hz: float,
    sights: SightModel,
    generator: torch.Generator,
    *,
    slower: float = 1.0,
    focal_px: float = _FOCAL_PX,
) -> Scene:
    """See (T, 31, 3) points of a room with y up, placed before a camera, as `sights` says.

    `slower` is as `sighted` has it.
    """
    rates = torch.tensor([rate_hz])
    contacts = contact_labels(torch.from_numpy(room_m.astype(np.float32))[None], rates)
    placed = placed[None]
    sight = sighted(placed, torch.ones(1), rates, sights, generator, slower=slower)
    seen = sight.seen[0].numpy()
    known = seen & sight.has_landmarks[0, :, None].numpy()
    middle = IMAGE_SIZE[0] / 2, IMAGE_SIZE[1] / 2
    matrix = np.array([[focal_px, 0, middle[0]], [0, focal_px, middle[1]], [0, 0, 1.0]])
    pixels = sight.rays[0].numpy().astype(float) * focal_px + middle
    keypoints = np.where(seen[..., None], pixels, np.nan)
    track = Track2D(
        keypoint_names=SEEN_27.joints,
        indices=np.arange(len(room_m)),
        times_s=np.arange(len(room_m)) / rate_hz,
        boxes_px=boxes_around(keypoints),
        keypoints_px=keypoints,
        keypoint_confidence=sight.confidence[0].numpy().astype(float) * seen.any(axis=1)[:, None],
        landmarks_m=np.where(known[..., None], sight.landmarks[0].numpy().astype(float), np.nan),
    )
    return Scene(
        name=name,
        track=track,
        camera=Camera(matrix=matrix, distortion=np.zeros(5), image_size=IMAGE_SIZE, focal_source="given"),
        joints_m=placed[0, :, _COLUMNS].numpy().astype(float),
        root_m=hips(placed)[0].numpy().astype(float),
        contacts=contacts[0].numpy(),
        room_m=room_m.astype(float),
        up=upwards(room_m, placed[0].numpy()),
    )


def boxes_around(keypoints_px: FloatArray) -> FloatArray:
    """Return (T, 4) left, top, right, bottom of (T, K, 2) points; NaN where none is seen."""
    boxes = np.full((len(keypoints_px), 4), np.nan)
    found = np.isfinite(keypoints_px).all(axis=2).any(axis=1)
    boxes[found, :2] = np.nanmin(keypoints_px[found], axis=1)
    boxes[found, 2:] = np.nanmax(keypoints_px[found], axis=1)
    return boxes


def upwards(room_m: FloatArray, camera_m: FloatArray) -> FloatArray:
    """Return the (T, 3) room's y in the camera: of the rotation between both (Kabsch, 1976).

    Both are (T, J, 3), the same points.
    """
    room, camera = (points - points.mean(axis=1, keepdims=True) for points in (room_m, camera_m))
    u, _, vt = np.linalg.svd(np.swapaxes(camera, 1, 2).astype(float) @ room)
    u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
    return np.asarray((u @ vt)[:, :, 1])


def evaluate_mocap(
    lifter: Lifter, motions: MotionSet, sights: SightModel, *, count: int = 60, rate_hz: float = 30.0
) -> dict[str, float]:
    """Return the mean of every measure over scenes; `Track2D`'s landmarks are given as `sights` says."""
    rows: list[dict[str, float]] = []
    said, true = [], []
    for scene in scenes(motions, sights, count=count, rate_hz=rate_hz):
        pose = lifter.lift(cleaned_up(scene.track), scene.camera)
        columns = [pose.joint_names.index(name) for name in LIMB_JOINTS]
        joints = cleaned(pose.joints_root_m[:, columns], rate_hz) + pose.root_camera_m[:, None]
        root = root_error(pose.root_camera_m, scene.root_m)
        rows.append(
            {
                **measures(joints, scene.joints_m, fps=rate_hz, roots=HIPS, bones=LIMB_BONES),
                "root_absolute_m": root.absolute_m,
                "root_relative_depth": root.relative_depth,
            }
        )
        if pose.contacts is not None:
            said.append(pose.contacts[scene.track.found])
            true.append(scene.contacts[scene.track.found])
    result = {key: float(np.nanmean([row[key] for row in rows])) for key in rows[0]}
    if said:  # together: in a scene of leaps, a share of hardly any contacts says nothing
        score = contact_score(np.concatenate(said), np.concatenate(true))
        result |= {f"contact_{name}": value for name, value in score._asdict().items()}
    return result
