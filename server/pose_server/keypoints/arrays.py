"""Formats that are ``.npz`` files: of Detectron, VideoPose3D, video-to-pose3D, and our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pose_server.keypoints.people import PIXEL_INDEX, FoundClip, Person
from pose_server.pipeline.boundary import FloatArray

__all__ = [
    "detectron_clips",
    "is_detectron",
    "is_kpts",
    "is_motion",
    "is_videopose3d",
    "kpts_clips",
    "motion_clips",
    "videopose3d_clips",
]

Arrays = Mapping[str, Any]
_COCO = ("coco_17",)
_ALONE = 0
_SLOWEST_HZ, _FASTEST_HZ = Fraction(1, 10), 1000


def is_detectron(arrays: Arrays) -> bool:
    """Whether this is what VideoPose3D's ``infer_video.py`` and ``infer_video_d2.py`` write."""
    return {"boxes", "keypoints", "metadata"} <= arrays.keys()


def is_videopose3d(arrays: Arrays) -> bool:
    """Whether this is a ``data_2d_custom_*.npz`` of ``prepare_data_2d_custom.py``."""
    return {"positions_2d", "metadata"} <= arrays.keys()


def is_kpts(arrays: Arrays) -> bool:
    """Whether this is what video-to-pose3D keeps of a film."""
    return "kpts" in arrays


def is_motion(arrays: Arrays) -> bool:
    """Whether this is a ``motion.npz`` of ours."""
    return {"format_version", "keypoint_names", "keypoints_px"} <= arrays.keys()


def detectron_clips(path: Path, arrays: Arrays) -> Iterator[FoundClip]:
    """Give the film; its class 1 is people, and coordinates count from the corner of the first pixel."""
    boxes, keypoints = arrays["boxes"], arrays["keypoints"]
    size = _size(arrays["metadata"])
    if len(boxes) != len(keypoints):
        raise ValueError(f"it has boxes of {len(boxes)} frames and keypoints of {len(keypoints)}")
    people = {
        frame: list(_detected(boxes[frame], keypoints[frame])) if len(boxes[frame]) else []
        for frame in range(len(boxes))
    }
    name = path.name.removesuffix(".npz")
    yield FoundClip(Path(name).stem or name, people, _COCO, size=size)


def videopose3d_clips(path: Path, arrays: Arrays) -> Iterator[FoundClip]:
    """Give every film of the set: one person each, gaps filled and confidence lost long ago."""
    metadata = arrays["metadata"]
    sizes = metadata.get("video_metadata", {})
    layouts = ("h36m_17",) if metadata.get("layout_name") == "h36m" else _COCO
    for film, actions in arrays["positions_2d"].items():
        size = _size(sizes[film]) if film in sizes else None
        for action, cameras in actions.items():
            for camera, points in enumerate(cameras):
                parts = [Path(str(film)).stem]
                parts += [str(action)] if len(actions) > 1 else []
                parts += [str(camera)] if len(cameras) > 1 else []
                yield FoundClip("_".join(parts), _alone(points), layouts, size=size)


def kpts_clips(path: Path, arrays: Arrays) -> Iterator[FoundClip]:
    """Give the film, whose points AlphaPose or HRNet found."""
    yield FoundClip(path.stem, _alone(arrays["kpts"]), _COCO, PIXEL_INDEX)


def motion_clips(path: Path, arrays: Arrays) -> Iterator[FoundClip]:
    """Give the 2D evidence that a motion was made from, a frame for each of its rows."""
    from pose_server.export.npz import read_npz

    motion = read_npz(path)
    if not _SLOWEST_HZ <= motion.rate <= _FASTEST_HZ:
        raise ValueError(f"its rate is {float(motion.rate):g} frames per second")
    points = np.concatenate([motion.keypoints_px, motion.keypoint_confidence[..., None]], axis=2)
    yield FoundClip(
        path.stem,
        {
            frame: [Person(person.astype(np.float64), _ALONE)]
            for frame, person in enumerate(points, int(motion.frames[0]))
        },
        size=motion.camera.image_size,
        rate=motion.rate,
        names=motion.keypoint_names,
    )


def _detected(boxes: Any, keypoints: Any) -> Iterator[Person]:
    """Give the people of a frame: boxes (n, 5) with the score last, keypoints (n, 4, 17).

    Rows of keypoints are x, y, logit and probability; Detectron's logit is of no use here.
    """
    if len(boxes) != 2 or len(keypoints) != 2:
        raise ValueError("a frame has not the two classes of Detectron, background and people")
    if len(boxes[1]) == 0:
        return
    box, points = _numbers(boxes[1], 2), _numbers(keypoints[1], 3)
    if box.shape[1:] != (5,) or points.shape != (len(box), 4, 17):
        raise ValueError(f"a frame has boxes {box.shape} and keypoints {points.shape}")
    for (*corners, score), person in zip(box, points, strict=True):
        yield Person(person[[0, 1, 3]].T, box=np.array(corners), score=float(score))


def _alone(points: Any) -> dict[int, list[Person]]:
    """Return somebody's points (T, K, 2 or 3); those without confidence have 1."""
    table = _numbers(points, 3)
    if table.shape[2] not in (2, 3):
        raise ValueError(f"its points are {table.shape}, not x and y of each in every frame")
    if table.shape[2] == 2:
        table = np.concatenate([table, np.ones_like(table[..., :1])], axis=2)
    return {frame: [Person(person, _ALONE)] for frame, person in enumerate(table)}


def _numbers(values: Any, dimensions: int) -> FloatArray:
    """Return an array of numbers; a list, as pickled by old versions, may hold only such arrays."""
    if isinstance(values, list) and len(values) < 1000:
        values = np.stack([_numbers(value, dimensions - 1) for value in values]) if dimensions > 1 else values
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or values.ndim != dimensions:
        raise ValueError("it has something else in the place of numbers")
    with np.errstate(invalid="ignore"):  # damaged bytes may be no numbers, which is missing
        return values.astype(np.float64)


def _size(metadata: Any) -> tuple[int, int]:
    return int(metadata["w"]), int(metadata["h"])
