"""A nudge of the root that keeps resting feet where they stand."""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from pose_server.pipeline.boundary import FloatArray
from pose_server.solve.ground import LEVEL_M

__all__ = ["steadied"]

#: What is expected of a resting point per second, of the nudge across and along the view, and of
#: a resting point's height about the floor.
_SLIP_M_S = 0.02
_ACROSS_M = 0.02
_ALONG_M = 0.20
_HEIGHT_M = 0.04
#: The nudge itself moves slower than this, or feet would shake the body.
_NUDGE_HZ = 3.0


def steadied(
    soles_m: FloatArray,
    contacts: FloatArray,
    sight: FloatArray,
    up: FloatArray,
    floor_m: float,
    *,
    rate_hz: float,
) -> FloatArray:
    """Return the (T, 3) shift of the whole body that lets resting points rest, in least squares.

    Parameters
    ----------
    soles_m
        (T, C, 3) points in the camera.
    contacts
        (T, C) 0..1.
    sight
        (T, 3) unit directions from the camera to the body; the shift is free along it and tight across.
    up, floor_m
        Unit direction and the height along it on which the feet rest.
    rate_hz
        Frames per second.
    """
    frames = len(contacts)
    if frames < 3 or not contacts.any():
        return np.zeros((frames, 3))
    eye = sp.identity(3)
    step = sp.diags_array([-1.0, 1.0], offsets=[0, 1], shape=(frames - 1, frames))
    bend = sp.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(frames - 2, frames))
    normal = np.zeros((frames, 3, 3))
    normal += np.eye(3) / _ACROSS_M**2
    normal += (1 / _ALONG_M**2 - 1 / _ACROSS_M**2) * sight[:, :, None] * sight[:, None, :]
    right = np.zeros((frames, 3))

    heights = soles_m @ up - floor_m
    # A foot on something higher than the floor rests there.
    on_floor = contacts * (np.abs(heights) < LEVEL_M) / _HEIGHT_M**2
    normal += on_floor.sum(axis=1)[:, None, None] * np.outer(up, up)
    right -= (on_floor * heights).sum(axis=1)[:, None] * up

    stiffness = (2 * math.sin(math.pi * min(_NUDGE_HZ / rate_hz, 0.5))) ** -4 / _ACROSS_M**2
    system = sp.block_diag(normal, format="csc") + stiffness * sp.kron(bend.T @ bend, eye)
    rests = np.minimum(contacts[1:], contacts[:-1]) * (rate_hz / _SLIP_M_S) ** 2
    slips = np.diff(soles_m, axis=0)
    system = system + sp.kron(step.T @ sp.diags_array(rests.sum(axis=1)) @ step, eye)
    right -= step.T @ (rests[..., None] * slips).sum(axis=1)
    return np.asarray(spsolve(sp.csc_array(system), right.ravel())).reshape(frames, 3)
