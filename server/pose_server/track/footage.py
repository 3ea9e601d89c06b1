"""What the pictures of a clip tell tracking beside the detections in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import FloatArray, check_arrays
from pose_server.track.appearance import APPEARANCE_SIZE

__all__ = ["Footage"]


@dataclass(frozen=True)
class Footage:
    """Of F frames with N detections, frame after frame and in the order in which the detector lists them."""

    appearance: NDArray[np.float16]
    """(N, `APPEARANCE_SIZE`) see `appearance`; NaN where a part is not seen."""
    sharpness: FloatArray
    """(N,) how much the picture changes from pixel to pixel there, to compare frames of one person by."""
    steady: FloatArray
    """(F, 2, 3) from each frame's pixels into those of a picture in which the background stands still."""

    def __post_init__(self) -> None:
        check_arrays(
            self,
            appearance=("f", ("N", APPEARANCE_SIZE)),
            sharpness=("f", ("N",)),
            steady=("f", ("F", 2, 3)),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays that can be kept."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @classmethod
    def of_arrays(cls, kept: Mapping[str, NDArray[Any]]) -> Footage:
        """Read back what `arrays` gave; what else is kept there is passed over."""
        return cls(**{field.name: kept[field.name] for field in dataclasses.fields(cls)})
