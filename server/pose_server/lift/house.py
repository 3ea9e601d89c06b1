"""The house lifter: this project's own network on a track, with weights trained by this project."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pose_shared.errors import InputError, InternalError
from pose_shared.skeleton import BODY_31, SEEN_27, mirrored_name
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pose_server.lift.crop import Crop, crop_of
from pose_server.lift.folded import fast_precision
from pose_server.lift.network import CONTACT_POINTS, LiftNetwork, LiftShape, Sight
from pose_server.pipeline.boundary import Camera, FloatArray, Pose3D, Track2D
from pose_server.pipeline.camera import rays

__all__ = ["HouseLifter", "read_weights", "write_weights"]

#: The rate that the networks were trained about, and the slowest that they know.
_RATE_HZ, _SLOWEST_HZ = 30.0, 19.0
#: Frames per pass through the network, for the processor's cache; passes overlap by what an output needs.
_PASS_FRAMES = 1024
_SEEN_MIRROR, _BODY_MIRROR = list(SEEN_27.mirror), list(BODY_31.mirror)
_FEET_MIRROR = [CONTACT_POINTS.index(mirrored_name(name)) for name in CONTACT_POINTS]


def write_weights(path: Path, network: LiftNetwork, card: dict[str, str]) -> None:
    """Keep a network in half precision, its shape and what is known of its making beside it."""
    tensors = {
        name: (value.half() if value.dtype.is_floating_point else value).contiguous()
        for name, value in network.state_dict().items()
    }
    path.write_bytes(save(tensors, {**card, "shape": json.dumps(network.shape.to_dict())}))


def read_weights(path: Path) -> LiftNetwork:
    """Read what `write_weights` kept, ready to lift; nothing in a file is executed.

    Raises
    ------
    InputError
        ``WEIGHTS_UNREADABLE``: not such a file, of another shape, or with values that are no numbers.
    """
    try:
        with safe_open(path, framework="pt") as kept:
            shape = LiftShape.from_dict(json.loads(kept.metadata()["shape"]))
            state = {name: kept.get_tensor(name).float() for name in kept.keys()}  # noqa: SIM118
        network = LiftNetwork(shape)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise _unreadable(path, "its tensors are those of another network") from error
    if not all(bool(torch.isfinite(value).all()) for value in state.values()):
        raise _unreadable(path, "some weights are no numbers")
    return network.eval()


class HouseLifter:
    """Lifts a track in one pass over its whole length, at any rate.

    Parameters
    ----------
    weights
        A file of `write_weights`.
    device
        ``cpu`` or ``cuda:N``.
    """

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        self._network = read_weights(weights).folded(fast_precision(device)).to(device)
        self.name = "house_causal" if self._network.shape.causal else "house"
        self._device = device
        self.fingerprint = f"house-2-{hashlib.sha256(weights.read_bytes()).hexdigest()[:16]}"

    def lift(self, track: Track2D, camera: Camera) -> Pose3D:
        """Return `BODY_31` in the camera; NaN where the person was not found.

        Raises
        ------
        InputError
            ``KEYPOINTS_TOO_FEW``: the detector gives none of the body's joints.
        """
        found = track.found
        sight, stride, repeat = self._sight(track, camera)
        joints, log_spread, root, contacts = (
            np.where(found.reshape(-1, *[1] * (part.ndim - 1)), part[::repeat].numpy().astype(float), np.nan)
            for part in self._lifted(sight, stride)
        )
        return Pose3D(
            joint_names=BODY_31.joints,
            indices=track.indices,
            times_s=track.times_s,
            joints_root_m=joints,
            uncertainty_m=np.exp(log_spread),
            root_camera_m=root,
            contacts=np.nan_to_num(contacts),
        )

    def _sight(self, track: Track2D, camera: Camera) -> tuple[Sight, int, int]:
        """Return what the network looks at, its stride, and how many rows stand for a frame."""
        keypoints, confidence, landmarks = _columns(track)
        plane = rays(keypoints, camera.matrix)[..., :2]
        rate_hz = _rate(track.times_s)
        repeat = max(1, math.ceil(_SLOWEST_HZ / rate_hz))
        if repeat > 1:
            plane, confidence, landmarks = (_filled(part, repeat) for part in (plane, confidence, landmarks))
        stride = max(1, round(rate_hz * repeat / _RATE_HZ))
        seen = np.isfinite(plane).all(axis=2) & (confidence > 0)
        known = seen & np.isfinite(landmarks).all(axis=2)
        rate = math.log(rate_hz * repeat / stride / _RATE_HZ)

        def tensor(values: FloatArray) -> Tensor:
            return torch.as_tensor(values[None], dtype=torch.float32, device=self._device)

        return (
            Sight(
                rays=tensor(np.where(seen[..., None], plane, 0.0)),
                confidence=tensor(np.where(seen, confidence, 0.0)),
                seen=torch.as_tensor(seen[None], device=self._device),
                landmarks=tensor(np.where(known[..., None], landmarks, 0.0)),
                has_landmarks=torch.as_tensor(known.any(axis=1)[None], device=self._device),
                log_rate=torch.full((1, 1), rate, device=self._device),
            ),
            stride,
            repeat,
        )

    @torch.inference_mode()
    def _lifted(self, sight: Sight, stride: int) -> list[Tensor]:
        """Return joints, log of their spread, root in the camera, contacts: the mean of clip and mirror."""
        answers = (
            self._seen(sight, stride),
            _mirrored(*self._seen(_mirrored_sight(sight), stride)),
        )
        return [torch.stack(parts).mean(dim=0).cpu() for parts in zip(*answers, strict=True)]

    def _seen(self, sight: Sight, stride: int) -> tuple[Tensor, ...]:
        """Return the same of one view, in stretches with all the neighbours that their outputs need."""
        crop = crop_of(sight.rays, sight.seen, stride=stride, causal=self._network.shape.causal)
        count = sight.rays.shape[1]
        halo = stride * (self._network.shape.receptive_field - 1)
        parts = []
        for start in range(0, count, _PASS_FRAMES):
            end = min(count, start + _PASS_FRAMES)
            near = slice(max(0, start - halo), min(count, end + halo))
            lifted = self._network(_cut(sight, near), _cut_crop(crop, near), stride=stride)
            inner = slice(start - near.start, end - near.start)
            turn = crop.turn[0, start:end]
            parts.append(
                (
                    lifted.joints[0, inner] @ turn,
                    lifted.log_spread[0, inner],
                    (lifted.root[0, inner, None] @ turn)[:, 0],
                    torch.sigmoid(lifted.contacts[0, inner]),
                )
            )
        return tuple(torch.cat(values) for values in zip(*parts, strict=True))


def _mirrored_sight(sight: Sight) -> Sight:
    flip = sight.rays.new_tensor([-1.0, 1.0, 1.0])
    return Sight(
        rays=sight.rays[:, :, _SEEN_MIRROR] * flip[:2],
        confidence=sight.confidence[:, :, _SEEN_MIRROR],
        seen=sight.seen[:, :, _SEEN_MIRROR],
        landmarks=sight.landmarks[:, :, _SEEN_MIRROR] * flip,
        has_landmarks=sight.has_landmarks,
        log_rate=sight.log_rate,
    )


def _mirrored(joints: Tensor, log_spread: Tensor, root: Tensor, contacts: Tensor) -> tuple[Tensor, ...]:
    flip = joints.new_tensor([-1.0, 1.0, 1.0])
    return (
        joints[:, _BODY_MIRROR] * flip,
        log_spread[:, _BODY_MIRROR],
        root * flip,
        contacts[:, _FEET_MIRROR],
    )


def _cut(sight: Sight, frames: slice) -> Sight:
    parts = {name: value[:, frames] for name, value in vars(sight).items() if name != "log_rate"}
    return replace(sight, **parts)


def _cut_crop(crop: Crop, frames: slice) -> Crop:
    return Crop(**{name: value[:, frames] for name, value in vars(crop).items()})


def _columns(track: Track2D) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the track's points, confidence and landmarks as `SEEN_27`; NaN and 0 where it has none."""
    places = SEEN_27.indices_in(track.keypoint_names)
    have = [i for i, place in enumerate(places) if place is not None]
    columns = [place for place in places if place is not None]
    if len(have) < 6:
        raise InputError(
            "These keypoints have too few of the body's joints to lift; use a detector of the whole body.",
            reason="KEYPOINTS_TOO_FEW",
        )
    shape = (len(track), len(SEEN_27))
    keypoints, landmarks = np.full((*shape, 2), np.nan), np.full((*shape, 3), np.nan)
    confidence = np.zeros(shape)
    keypoints[:, have] = track.keypoints_px[:, columns]
    confidence[:, have] = track.keypoint_confidence[:, columns]
    hips = [SEEN_27.index(side + "_hip") for side in ("left", "right")]
    landmarks[:, have] = track.landmarks_m[:, columns]
    return keypoints, confidence, landmarks - landmarks[:, hips].mean(axis=1, keepdims=True)


def _rate(times_s: FloatArray) -> float:
    if len(times_s) < 2:
        return _RATE_HZ
    step = float(np.median(np.diff(times_s)))
    if step <= 0:
        raise InternalError("A track's times do not grow.", reason="BAD_BOUNDARY")
    return 1 / step


def _filled(values: FloatArray, repeat: int) -> FloatArray:
    """Put `repeat - 1` rows between neighbours, on the straight line; beside missing ones, missing."""
    share = (np.arange(repeat) / repeat).reshape(1, repeat, *[1] * (values.ndim - 1))
    between = values[:-1, None] * (1 - share) + values[1:, None] * share
    return np.concatenate([between.reshape(-1, *values.shape[1:]), values[-1:]])


def _unreadable(path: Path, fault: str) -> InputError:
    return InputError(
        f"'{path.name}' holds no weights of the house lifter ({fault}); train them again, "
        "or reinstall pose-server.",
        reason="WEIGHTS_UNREADABLE",
        path=path,
    )
