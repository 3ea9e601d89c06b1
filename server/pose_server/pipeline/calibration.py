"""A lens that was measured, and what it is in the pictures of a clip, scaled and turned as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pose_shared.errors import InputError

if TYPE_CHECKING:
    from pose_server.pipeline.boundary import Camera, ClipInfo

__all__ = ["Calibration", "invalid_calibration"]

_LONGEST_PX = 65_536
#: Sides that are scaled are rounded, some tools to even numbers.
_ROUNDED_PX = 2.0
#: Focal lengths over the longer side that can be a lens: fields of view from 0.6 to 150 degrees.
_LENSES = (0.13, 100.0)


@dataclass(frozen=True)
class Calibration:
    """A pinhole with OpenCV's distortion, of pictures of one size; the first pixel's centre is (0.5, 0.5).

    Raises
    ------
    InputError
        It is no lens (``CALIBRATION_INVALID``); the sentence says why.
    """

    image_size: tuple[int, int]
    """Width and height of the pictures that it was measured with."""
    focal_px: tuple[float, ...]
    """(2,) along x and y."""
    centre_px: tuple[float, ...]
    """(2,) the principal point."""
    distortion: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    """(5,) k1, k2, p1, p2, k3."""

    def __post_init__(self) -> None:
        if len(self.image_size) != 2 or not 1 <= min(self.image_size) <= max(self.image_size) <= _LONGEST_PX:
            raise invalid_calibration("its size is none of pictures")
        if (len(self.focal_px), len(self.centre_px), len(self.distortion)) != (2, 2, 5):
            raise invalid_calibration("a lens has two focal lengths, a centre and five coefficients here")
        if not all(map(math.isfinite, (*self.focal_px, *self.centre_px, *self.distortion))):
            raise invalid_calibration("it holds what is no number")
        if any(not _LENSES[0] <= focal / max(self.image_size) <= _LENSES[1] for focal in self.focal_px):
            raise invalid_calibration(f"a focal length of {self.focal_px[0]:g} px is none of such pictures")
        if any(not 0 < at < side for at, side in zip(self.centre_px, self.image_size, strict=True)):
            raise invalid_calibration("its principal point lies outside of its picture")
        self._check_fold()

    def camera(self, info: ClipInfo) -> Camera:
        """Return the camera of a clip's upright pictures.

        Raises
        ------
        InputError
            The pictures are no scaled ones of the calibration (``CALIBRATION_SIZE``).

        Notes
        -----
        A calibration whose size has the shape of the upright pictures is taken for one of those, as tools
        that read films turn them; else for one of the pictures as the sensor gave them.
        """
        import numpy as np

        from pose_server.pipeline.boundary import Camera

        upright = (info.width, info.height)
        lies = info.rotation_ccw_deg in (90, 270)
        square = (info.height, info.width) if lies else upright
        coded = _unsquared(square, float(info.pixel_aspect))
        (fx, fy), (cx, cy), (k1, k2, p1, p2, k3) = self.focal_px, self.centre_px, self.distortion
        if self._scales_to(upright):
            across, down = (side / own for side, own in zip(upright, self.image_size, strict=True))
        elif self._scales_to(square) or self._scales_to(coded):
            across, down = (side / own for side, own in zip(square, self.image_size, strict=True))
            fx, fy, cx, cy = fx * across, fy * down, cx * across, cy * down
            width, height = square
            for _ in range(info.rotation_ccw_deg // 90):  # x becomes -y, and y becomes x
                fx, fy, cx, cy, p1, p2 = fy, fx, cy, width - cx, -p2, p1
                width, height = height, width
            across = down = 1.0
        else:
            raise self._unlike(upright)
        matrix = np.array([[fx * across, 0, cx * across], [0, fy * down, cy * down], [0, 0, 1]])
        return Camera(
            matrix=matrix,
            distortion=np.array([k1, k2, p1, p2, k3]),
            image_size=upright,
            focal_source="given",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the calibration as plain JSON data."""
        return {
            "image_size": list(self.image_size),
            "focal_px": list(self.focal_px),
            "centre_px": list(self.centre_px),
            "distortion": list(self.distortion),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Calibration:
        """Read back what `to_dict` wrote."""
        return cls(**{name: tuple(values) for name, values in fields.items()})

    def _scales_to(self, size: tuple[float, float]) -> bool:
        """Whether pictures of that size are these, scaled evenly."""
        (width, height), (wide, high) = self.image_size, size
        return (
            min(abs(high - height * wide / width), abs(wide - width * high / height))
            <= _ROUNDED_PX * min(1.0, wide / width) + 1e-9
        )

    def _unlike(self, size: tuple[int, int]) -> InputError:
        own, asked = (f"{width}x{height}" for width, height in (self.image_size, size))
        if self._scales_to((size[1], size[0])):
            advice = "the clip does not say which way it was turned; calibrate with pictures turned like it"
        else:
            advice = "what was cut off is not known; calibrate with pictures of the clip's shape"
        return InputError(
            f"The calibration is of pictures of {own}, and the clip's are {asked}: {advice}, "
            "or give --fov or --focal-mm.",
            reason="CALIBRATION_SIZE",
            size=own,
            clip_size=asked,
        )

    def _check_fold(self) -> None:
        import numpy as np

        from pose_server.pipeline.distortion import fold_radius

        k1, k2, _, _, k3 = self.distortion
        radius = fold_radius(np.array(self.distortion))
        if math.isinf(radius):
            return
        edge = radius * (1 + radius**2 * (k1 + radius**2 * (k2 + radius**2 * k3)))
        reach = min(side / 2 / focal for side, focal in zip(self.image_size, self.focal_px, strict=True))
        if edge < reach:
            raise invalid_calibration("its distortion folds the picture back before it reaches the border")


def invalid_calibration(why: str) -> InputError:
    """Return the error of a calibration that is none."""
    return InputError(
        f"The calibration cannot be used: {why}; docs/footage.md says what one looks like.",
        reason="CALIBRATION_INVALID",
    )


def _unsquared(square: tuple[int, int], pixel_aspect: float) -> tuple[float, float]:
    """Return the size of pictures before their pixels were made square."""
    return square[0] / max(pixel_aspect, 1.0), square[1] * min(pixel_aspect, 1.0)
