"""A room of textured planes, filmed by a camera whose path is known, with somebody who walks through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from pose_server.pipeline.boundary import Camera, ClipInfo, Detections, FrameBatch
from pose_server.pipeline.camera import camera_of_clip

#: Texels a metre, and how coarse the noise is.
_TEXELS, _GRAIN = 60, 2.5


@dataclass(frozen=True)
class Plane:
    """A rectangle in the room; metres, x right, y down, z ahead of the first camera."""

    corner: np.ndarray
    across: np.ndarray
    """Its first edge."""
    down: np.ndarray
    """Its second edge."""
    grey: np.ndarray

    @classmethod
    def of(cls, seed: int, corner: list[float], across: list[float], down: list[float]) -> Plane:
        edges = np.array(across, float), np.array(down, float)
        size = [max(4, int(_TEXELS * np.linalg.norm(edge))) for edge in edges[::-1]]
        noise = np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)
        grey = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), _GRAIN), None, 30, 225, cv2.NORM_MINMAX)
        return cls(np.array(corner, float), *edges, grey)


def box(seed: int, x: float, z: float, size: float) -> list[Plane]:
    """Return the sides that are seen of a box on the floor, which lies 1.5 m below the first camera."""
    top, near = 1.5 - size, z - size / 2
    left = x - size / 2
    return [
        Plane.of(seed, [left, top, near], [size, 0, 0], [0, size, 0]),
        Plane.of(seed + 1, [left, top, near + size], [0, 0, -size], [0, size, 0]),
        Plane.of(seed + 2, [left + size, top, near], [0, 0, size], [0, size, 0]),
        Plane.of(seed + 3, [left, top, near + size], [size, 0, 0], [0, 0, -size]),
    ]


#: Walls at 9 m ahead and 5 m to both sides, a floor, and boxes.
ROOM = [
    Plane.of(1, [-5, -2.5, 9], [10, 0, 0], [0, 4, 0]),
    Plane.of(2, [-5, -2.5, -6], [0, 0, 15], [0, 4, 0]),
    Plane.of(3, [5, -2.5, 9], [0, 0, -15], [0, 4, 0]),
    Plane.of(4, [-5, 1.5, 9], [10, 0, 0], [0, 0, -15]),
    *box(10, -2.0, 5.0, 1.2),
    *box(20, 1.5, 4.0, 0.9),
    *box(30, 0.3, 7.0, 1.6),
    *box(40, 3.2, 6.0, 1.8),
]
#: Nothing but a wall.
WALL = [Plane.of(5, [-12, -6, 6], [24, 0, 0], [0, 12, 0])]


@dataclass
class FilmedRoom:
    """A `FrameSource`."""

    turns: np.ndarray
    """(T, 3, 3)."""
    places: np.ndarray
    """(T, 3) metres."""
    planes: list[Plane] = field(default_factory=lambda: ROOM)
    size: tuple[int, int] = (480, 270)
    fov_deg: float = 60.0
    focal: np.ndarray | None = None
    """(T,) by which the focal length is multiplied."""
    walker: bool = False
    """Whether somebody walks to and fro before the camera."""
    spoil: Callable[[int, np.ndarray], np.ndarray] | None = None
    """What becomes of a frame."""

    def __post_init__(self) -> None:
        self.camera: Camera = camera_of_clip(self.size, fov_deg=self.fov_deg)
        width, height = self.size
        self.info = ClipInfo(
            path=Path("room.mp4"),
            width=width,
            height=height,
            rate=Fraction(30),
            frame_count=len(self.turns),
            first_frame=0,
            start_time_s=0.0,
            rotation_ccw_deg=0,
            pixel_aspect=Fraction(1),
            codec="none",
        )
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        self._pixels = np.stack([x, y, np.ones_like(x)], axis=-1)

    def box_px(self, row: int) -> np.ndarray:
        """Return the (1, 4) box of the walker."""
        width, height = self.size
        middle = width * (0.5 + 0.3 * np.sin(row / 9))
        return np.array([[middle - 0.1 * width, 0.1 * height, middle + 0.1 * width, float(height)]])

    def frame(self, row: int) -> np.ndarray:
        """Return one frame, (H, W, 3)."""
        matrix = self.camera.matrix.copy()
        if self.focal is not None:
            matrix[[0, 1], [0, 1]] *= self.focal[row]
        rays = self._pixels @ (np.linalg.inv(matrix).T @ self.turns[row])
        grey = np.zeros(rays.shape[:2], np.uint8)
        nearest = np.full(rays.shape[:2], np.inf)
        for plane in self.planes:
            # place + t ray = corner + u across + v down
            inverse = np.linalg.inv(
                np.stack([plane.across, plane.down, np.cross(plane.across, plane.down)], 1)
            )
            start, way = inverse @ (self.places[row] - plane.corner), rays @ inverse.T
            with np.errstate(divide="ignore", invalid="ignore"):
                t = -start[2] / way[..., 2]
                u, v = start[0] + t * way[..., 0], start[1] + t * way[..., 1]
            seen = (t > 0) & (t < nearest) & (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
            if not seen.any():
                continue
            high, wide = plane.grey.shape
            at = np.where(seen, u * wide - 0.5, 0), np.where(seen, v * high - 0.5, 0)
            texels = cv2.remap(plane.grey, *(a.astype(np.float32) for a in at), cv2.INTER_LINEAR)
            grey[seen], nearest[seen] = texels[seen], t[seen]
        frame = np.repeat(grey[..., None], 3, axis=2)
        if self.walker:
            left, top, right, bottom = self.box_px(row)[0].astype(int)
            body = cv2.resize(ROOM[0].grey[:120, :60], (right - left, bottom - top))
            frame[top:bottom, left:right] = body[..., None]
        return frame if self.spoil is None else self.spoil(row, frame)

    def batches(self, size: int = 8) -> Iterator[FrameBatch]:
        for start in range(0, len(self.turns), size):
            rows = np.arange(start, min(start + size, len(self.turns)))
            yield FrameBatch(np.stack([self.frame(row) for row in rows]), rows, rows / 30)

    def seen(self) -> list[Detections]:
        """Return the walker's boxes."""
        boxes = [self.box_px(row) if self.walker else np.zeros((0, 4)) for row in range(len(self.turns))]
        return [
            Detections(
                index=row,
                time_s=row / 30,
                boxes_px=found,
                scores=np.ones(len(found)),
                keypoints_px=np.zeros((len(found), 17, 2)),
                keypoint_confidence=np.ones((len(found), 17)),
                landmarks_m=np.zeros((len(found), 17, 3)),
            )
            for row, found in enumerate(boxes)
        ]
