"""Varying the bodies and poses of a batch of motions: proportions, limbs of others, turned limbs, mirror.

Shapes: B clips, T frames, the 31 points of `BODY_31`, y up, metres.  Everything draws from the
generator it is given, on its device.
"""

from __future__ import annotations

import math

import torch
from pose_shared.skeleton import BODY_31
from torch import Tensor

__all__ = [
    "BONES",
    "crossed",
    "hips",
    "limbs_turned",
    "mirrored",
    "reproportioned",
    "rotation",
    "torso_frames",
]

_I = {name: i for i, name in enumerate(BODY_31.joints)}
_MIRROR = list(BODY_31.mirror)
#: From the middle of the hips outwards: each point, what it hangs on (None: the middle), and the
#: group whose length it shares with the other side.
_TREE: list[tuple[str, str | None, str]] = [
    *((f"{side}_hip", None, "hips") for side in ("left", "right")),
    ("spine", None, "trunk"),
    ("chest", "spine", "trunk"),
    ("neck", "chest", "trunk"),
    ("head", "neck", "neck"),
    *((point, "head", "face") for point in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")),
]
for _side in ("left", "right"):
    _TREE += [
        (f"{_side}_shoulder", "neck", "shoulders"),
        (f"{_side}_elbow", f"{_side}_shoulder", "upper_arm"),
        (f"{_side}_wrist", f"{_side}_elbow", "forearm"),
        *((f"{_side}_{knuckle}", f"{_side}_wrist", "hand") for knuckle in ("index", "pinky")),
        (f"{_side}_knee", f"{_side}_hip", "thigh"),
        (f"{_side}_ankle", f"{_side}_knee", "shin"),
        *((f"{_side}_{point}", f"{_side}_ankle", "foot") for point in ("heel", "big_toe", "small_toe")),
    ]
#: Pairs of points whose distance is a bone's length.
BONES = [(_I["left_hip"], _I["right_hip"])] + [
    (_I[point], _I[parent]) for point, parent, _ in _TREE if parent is not None
]
_GROUPS = sorted({group for _, _, group in _TREE})
_ARMS = [
    [_I[f"{s}_{p}"] for p in ("shoulder", "elbow", "wrist", "index", "pinky")] for s in ("left", "right")
]
_LEGS = [
    [_I[f"{s}_{p}"] for p in ("hip", "knee", "ankle", "heel", "big_toe", "small_toe")]
    for s in ("left", "right")
]


def hips(points: Tensor) -> Tensor:
    """Return the middle of the hips, (..., 3)."""
    return (points[..., _I["left_hip"], :] + points[..., _I["right_hip"], :]) / 2


def mirrored(points: Tensor, which: Tensor) -> Tensor:
    """Mirror the clips of (B,) `which` at x = 0, with left and right exchanged."""
    other = points[:, :, _MIRROR] * points.new_tensor([-1.0, 1.0, 1.0])
    return torch.where(which[:, None, None, None], other, points)


def reproportioned(points: Tensor, generator: torch.Generator, *, body: float, bone: float) -> Tensor:
    """Scale whole people and their bones by log-normal factors; the path shrinks with the legs."""
    count = len(points)

    def factors(columns: int, spread: float) -> Tensor:
        return torch.exp(spread * torch.randn(count, columns, generator=generator, device=generator.device))

    whole = factors(1, body)
    scale = dict(zip(_GROUPS, (whole * factors(len(_GROUPS), bone)).T, strict=True))
    scale["shin"] = scale["thigh"]  # or feet that stand would slide
    middle = hips(points)
    moved = torch.empty_like(points)
    base = middle * scale["thigh"][:, None, None]
    for name, parent, group in _TREE:
        at = middle if parent is None else points[:, :, _I[parent]]
        new_at = base if parent is None else moved[:, :, _I[parent]]
        moved[:, :, _I[name]] = new_at + (points[:, :, _I[name]] - at) * scale[group][:, None, None]
    return moved


def crossed(points: Tensor, generator: torch.Generator, share: float) -> Tensor:
    """Give some clips the arms, or the legs, of their neighbour in the batch, in the torso's own axes."""
    count = len(points)
    frames, others = torso_frames(points), points.roll(1, dims=0)
    carry = frames @ torso_frames(others).mT
    result = points.clone()
    for limbs in (_ARMS, _LEGS):
        chosen = torch.rand(count, 1, 1, 1, generator=generator, device=generator.device) < share
        for limb in limbs:
            bones = others[:, :, limb] - others[:, :, limb[:1]]
            new = points[:, :, limb[:1]] + bones @ carry.mT
            result[:, :, limb] = torch.where(chosen, new, result[:, :, limb])
    return result


def limbs_turned(
    points: Tensor, generator: torch.Generator, share: float, *, arms: float, legs: float
) -> Tensor:
    """Turn whole limbs of some clips by one random rotation about their first joint, in the torso's axes."""
    count = len(points)
    frames = torso_frames(points)
    result = points.clone()
    for limbs, angle in ((_ARMS, arms), (_LEGS, legs)):
        for limb in limbs:
            chosen = torch.rand(count, 1, generator=generator, device=generator.device) < share
            vector = torch.randn(count, 3, generator=generator, device=generator.device) * angle * chosen
            turn = frames @ rotation(vector)[:, None] @ frames.mT
            bones = points[:, :, limb] - points[:, :, limb[:1]]
            result[:, :, limb] = points[:, :, limb[:1]] + bones @ turn.mT
    return result


def torso_frames(points: Tensor) -> Tensor:
    """Return (B, T, 3, 3) rotations whose columns are the torso's left, up and front."""
    left = (points[:, :, _I["left_hip"]] - points[:, :, _I["right_hip"]]) + (
        points[:, :, _I["left_shoulder"]] - points[:, :, _I["right_shoulder"]]
    )
    up = points[:, :, _I["neck"]] - hips(points)
    left = torch.nn.functional.normalize(left, dim=-1)
    front = torch.nn.functional.normalize(torch.linalg.cross(left, up), dim=-1)
    return torch.stack([left, torch.linalg.cross(front, left), front], dim=-1)


def rotation(vector: Tensor) -> Tensor:
    """Return the rotations of rotation vectors (..., 3) (Rodrigues)."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*vector.shape[:-1], 3, 3)
    angle = vector.norm(dim=-1)[..., None, None]
    # sin(a) / a and (1 - cos(a)) / a^2, with half angles: without loss of digits, and finite at zero.
    sine, half = torch.sinc(angle / math.pi), torch.sinc(angle / (2 * math.pi))
    unit = torch.eye(3, dtype=vector.dtype, device=vector.device)
    turn: Tensor = unit + sine * skew + 0.5 * half * half * (skew @ skew)
    return turn
