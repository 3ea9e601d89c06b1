"""High dynamic range as an ordinary screen shows it, which is what detectors have learned from.

Transfer curves are those of ITU-R BT.2100-2; reference white is 203 cd/m2 (ITU-R BT.2408).  What is brighter
is pressed together below white, primaries become those of BT.709, and what lies outside of them is cut off.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["HLG", "PQ", "standard_range"]

#: ITU-T H.273, TransferCharacteristics.
PQ, HLG = 16, 18
_WHITE_NITS, _HLG_PEAK_NITS = 203.0, 1000.0
#: Of light over reference white: what is kept as it is, and what is cut off as white.
_KNEE, _BRIGHTEST = 0.9, 5.0
_BITS = 12
#: BT.2020 to BT.709, both with the white D65 (ITU-R BT.2087, inverted).
_PRIMARIES = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    dtype=np.float32,
)
_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]], dtype=np.float32)
_HLG_GAMMA = 1.2


def standard_range(rgb: NDArray[np.uint16], transfer: int) -> NDArray[np.uint8]:
    """Return (H, W, 3) sRGB of BT.2020 pictures whose full range is that of 16 bits.

    Parameters
    ----------
    rgb
        (H, W, 3) as the film codes them.
    transfer
        `PQ` or `HLG`.
    """
    import cv2

    light = _light(transfer)[rgb >> (16 - _BITS)]
    if transfer == HLG:  # a display's gamma goes by the luminance of the scene
        gain: Any = cv2.pow(cv2.transform(light, _LUMINANCE), _HLG_GAMMA - 1)
        light *= gain[..., None]
        light *= np.float32(_HLG_PEAK_NITS / _WHITE_NITS)
    light = np.asarray(cv2.transform(light, _PRIMARIES * np.float32(65535 / _BRIGHTEST)))
    return _shown()[np.clip(light, 0, 65535, out=light).astype(np.uint16)]


@cache
def _light(transfer: int) -> NDArray[np.float32]:
    """Return linear light of coded values: over reference white for PQ, of the scene up to 1 for HLG."""
    coded = np.arange(1 << _BITS) / ((1 << _BITS) - 1)
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        root = coded ** (1 / m2)
        nits = 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
        return np.asarray(nits / _WHITE_NITS, np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.asarray(np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12), np.float32)


@cache
def _shown() -> NDArray[np.uint8]:
    """Return the sRGB value (IEC 61966-2-1) of each 65535th of the brightest light, pressed below white."""
    light = np.linspace(0, _BRIGHTEST, 65536)
    room = 1 - _KNEE
    pressed = np.where(light < _KNEE, light, 1 - room * np.exp(-(light - _KNEE) / room))
    curved = np.where(pressed <= 0.0031308, 12.92 * pressed, 1.055 * pressed ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * curved), np.uint8)
