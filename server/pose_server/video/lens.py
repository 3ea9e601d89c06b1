"""The lens as cameras write it into films and pictures, as on a sensor 36 mm along the longer side.

FFmpeg has read the metadata: of films Apple's, of pictures Exif (CIPA DC-008).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["lens_of_film_mm", "lens_of_picture_mm"]

_LONGER_MM = 36.0
_DIAGONAL_MM = math.hypot(36.0, 24.0)
#: What can be a lens.
_LENSES_MM = (5.0, 1000.0)
#: After com.apple.quicktime.
_APPLE = "camera.focal_length.35mm_equivalent"
#: Exif's FocalPlaneResolutionUnit: inch, centimetre, millimetre, micrometre.
_UNITS_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}


def lens_of_film_mm(metadata: Mapping[str, str]) -> float | None:
    """Return the focal length that phones write into their films."""
    return _possible(_number(metadata, _APPLE))


def lens_of_picture_mm(metadata: Mapping[str, str], width: int, height: int) -> float | None:
    """Return the focal length of a picture of this size, or None where Exif does not tell.

    Notes
    -----
    Focal lengths "in 35 mm film" compare diagonals (CIPA DCG-001), and so are another lens on the longer
    side of a picture that is not 3:2: 26 mm on a 4:3 phone is 27.0 mm here.  Without one the size of
    the sensor's pixels tells.  Pictures that were cropped later are taken for whole.
    """
    on_film_mm = _possible(_number(metadata, "FocalLengthIn35mmFilm"))
    if on_film_mm is not None:
        return on_film_mm / _DIAGONAL_MM * math.hypot(width, height) / max(width, height) * _LONGER_MM
    names = ("FocalLength", "FocalPlaneXResolution", "FocalPlaneResolutionUnit")
    focal_mm, per_unit, unit = (_number(metadata, name) for name in names)
    # The resolution is that of the picture as it was taken, however it was scaled since.
    taken = max(_number(metadata, f"Pixel{axis}Dimension") or 0.0 for axis in "XY")
    unit_mm = _UNITS_MM.get(int(unit or 2))  # inch, if it is not said
    if focal_mm is None or per_unit is None or unit_mm is None or not taken > 0:
        return None
    return _possible(focal_mm * per_unit / unit_mm / taken * _LONGER_MM)


def _number(metadata: Mapping[str, str], tag: str) -> float | None:
    """Return the number under a tag, whatever stands before it."""
    for name, value in metadata.items():
        if name.endswith(tag) and not name[: -len(tag)][-1:].isalnum():
            try:
                return float(value)
            except ValueError:
                return None
    return None


def _possible(focal_mm: float | None) -> float | None:
    return focal_mm if focal_mm is not None and _LENSES_MM[0] <= focal_mm <= _LENSES_MM[1] else None
