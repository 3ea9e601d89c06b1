"""VideoPose3D as a lifter: the whole clip through a temporal network, from a checkpoint file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pose_shared.errors import InputError
from pose_shared.skeleton import mirrored_name
from scipy.interpolate import CubicSpline

from pose_server.lift.folded import FoldedModel, fast_precision
from pose_server.lift.placed_pose import placed_pose
from pose_server.lift.points import network_points
from pose_server.lift.traces import held
from pose_server.lift.videopose3d_file import PoseCheckpoint, read_checkpoint
from pose_server.pipeline.boundary import Camera, FloatArray, Pose3D, Track2D
from pose_server.pipeline.camera import rays

__all__ = ["VideoPose3DLifter", "filled", "mirror_of", "normalised", "predicted"]

#: Standard deviation of a joint whose point is seen clearly, near the published error on detections.
_CLEAR_M = 0.05
#: Human3.6M's focal length over half the picture's width, to which the path networks are trained.
_FOCAL = 2.294
#: A clip whose rate differs from the network's by less is taken as it is.
_SAME_RATE = 0.01


class VideoPose3DLifter:
    """Lift a clip with a network of VideoPose3D.

    Parameters
    ----------
    checkpoint
        The networks, from `read_checkpoint`.
    fingerprint
        Of the file they came from.
    flip
        Average with what the mirrored clip gives.
    fill
        Frames without a point: on a line between the frames around them, or as in the frame before.
    device
        Where the networks run.
    exact
        Compute in float32 even where bfloat16 is faster.

    Raises
    ------
    InputError
        The checkpoint's joints have no names here (``CHECKPOINT_SHAPE``).
    """

    name = "videopose3d"

    def __init__(
        self,
        checkpoint: PoseCheckpoint,
        *,
        fingerprint: str,
        flip: bool = True,
        fill: Literal["linear", "hold"] = "linear",
        device: str = "cpu",
        exact: bool = False,
    ) -> None:
        if "left_hip" not in checkpoint.outputs or "left_hip" not in checkpoint.inputs:
            raise InputError(
                f"This checkpoint takes {len(checkpoint.inputs)} joints and gives {len(checkpoint.outputs)}, "
                "which have no names here; choose one for 17 or 15 joints.",
                reason="CHECKPOINT_SHAPE",
            )
        precision = torch.float32 if exact else fast_precision(device)
        self._checkpoint = checkpoint
        self._flip = flip
        self._fill = fill
        self._pose = FoldedModel(checkpoint.pose, device=device, precision=precision)
        # Depth is tens of times larger than what a pose may be off by; it keeps all its digits.
        self._path = FoldedModel(checkpoint.path, device=device) if checkpoint.path else None
        self.fingerprint = f"videopose3d-1-{flip:d}-{fill}-{precision}-{fingerprint}"

    @classmethod
    def from_file(
        cls, path: Path, *, inputs: str | None = None, causal: bool | None = None, **options: object
    ) -> VideoPose3DLifter:
        """Return a lifter with the networks of a file; raises as `read_checkpoint` does."""
        checkpoint = read_checkpoint(path, inputs=inputs, causal=causal)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        form = f"{digest}-{'-'.join(checkpoint.inputs[:2])}-{checkpoint.pose.form.causal:d}"
        return cls(checkpoint, fingerprint=form, **options)  # type: ignore[arg-type]

    def lift(self, track: Track2D, camera: Camera) -> Pose3D:
        """Return the network's joints about the middle of the hips, NaN in frames without the person.

        Raises
        ------
        InputError
            The track lacks a point that the network needs (``KEYPOINTS_MISSING``).
        """
        names = self._checkpoint.outputs
        joints, root = self._lifted(track, camera)
        hips = [names.index(name) for name in ("left_hip", "right_hip")]
        joints = joints - joints[:, hips].mean(axis=1, keepdims=True)
        joints[~track.found] = np.nan
        return placed_pose(track, names, joints, camera, clear_m=_CLEAR_M, root_camera_m=root)

    def _lifted(self, track: Track2D, camera: Camera) -> tuple[FloatArray, FloatArray | None]:
        """Return joints (T, J, 3) and, of a network that knows it, the root's path (T, 3)."""
        inputs, outputs = self._checkpoint.inputs, self._checkpoint.outputs
        points = network_points(track.keypoints_px, track.keypoint_names, inputs)
        if not np.isfinite(points).any():
            empty = np.full((len(track), len(outputs), 3), np.nan)
            return empty, (empty[:, 0] if self._path else None)
        points = normalised(filled(points, self._fill), camera.image_size)
        if self._checkpoint.pose.form.features_in == 3:
            confidence = network_points(track.keypoint_confidence[..., None], track.keypoint_names, inputs)
            points = np.concatenate([points, np.nan_to_num(confidence)], axis=2)
        times = _even_times(track.times_s, self._checkpoint.rate)
        points = _at(points, track.times_s, times)
        mirror = mirror_of(inputs)
        joints = predicted(self._pose, points, (mirror, mirror_of(outputs)) if self._flip else None)
        joints = _at(joints, times, track.times_s)
        if self._path is None:
            return joints, None
        path = predicted(self._path, points, (mirror, [0]) if self._flip else None)
        return joints, _in_camera(_at(path, times, track.times_s)[:, 0], camera)


def normalised(points_px: FloatArray, image_size: tuple[int, int]) -> FloatArray:
    """Return points (..., 2) with x from -1 to 1 over the picture's width, y in the same unit."""
    width, height = image_size
    return np.asarray(points_px / width * 2 - np.array([1, height / width]))


def filled(points: FloatArray, how: Literal["linear", "hold"]) -> FloatArray:
    """Return points (T, K, 2) without gaps.

    A point missing throughout comes to lie in the middle of the others.
    """
    if how == "hold":
        result = held(points)
    else:
        result = points.copy()
        rows = np.arange(len(points))
        for trace in result.reshape(len(points), -1).T:
            known = np.isfinite(trace)
            if known.any() and not known.all():
                trace[~known] = np.interp(rows[~known], rows[known], trace[known])
    missing = ~np.isfinite(result)
    if missing.any():
        middle = np.nanmean(np.where(missing, np.nan, result), axis=1, keepdims=True)
        result = np.where(missing, middle, result)
    return result


def mirror_of(names: tuple[str, ...]) -> list[int]:
    """Return the index of each joint's counterpart on the other side."""
    return [names.index(mirrored_name(name)) for name in names]


def predicted(
    model: FoldedModel, points: FloatArray, mirrors: tuple[Sequence[int], Sequence[int]] | None
) -> FloatArray:
    """Return what a network makes of a clip (T, K, F): (T, J, 3).

    With `mirrors`, each joint's counterpart among inputs and outputs, it is averaged with what the
    network makes of the mirror image.
    """
    clip = torch.from_numpy(np.ascontiguousarray(points, dtype=np.float32))[None]
    if mirrors is None:
        return np.asarray(model(clip)[0].numpy().astype(np.float64))
    inputs, outputs = (list(mirror) for mirror in mirrors)
    image = clip[:, :, inputs].clone()
    image[..., 0] *= -1
    found = model(torch.cat([clip, image]))
    back = found[1][:, outputs] * torch.tensor([-1.0, 1.0, 1.0])
    return np.asarray(((found[0] + back) / 2).numpy().astype(np.float64))


def _even_times(times_s: FloatArray, rate: int) -> FloatArray:
    """Return times at a network's rate that cover a clip's; the clip's own if they have that rate."""
    if len(times_s) < 2:
        return times_s
    steps = np.diff(times_s) * rate
    if np.abs(steps - 1).max() < _SAME_RATE:
        return times_s
    return np.asarray(times_s[0] + np.arange(int(np.ceil((times_s[-1] - times_s[0]) * rate)) + 1) / rate)


def _at(values: FloatArray, times_s: FloatArray, wanted_s: FloatArray) -> FloatArray:
    """Return values along a spline through them, at other times; beyond the ends the last ones."""
    if times_s is wanted_s or len(values) < 2:
        return values
    return np.asarray(CubicSpline(times_s, values)(np.clip(wanted_s, times_s[0], times_s[-1])))


def _in_camera(path_m: FloatArray, camera: Camera) -> FloatArray:
    """Return a path seen through Human3.6M's lens as the camera sees it.

    The same place in the picture lies further away, as much as the focal length is longer.
    """
    width, height = camera.image_size
    focal_px = _FOCAL * width / 2
    depth = np.maximum(path_m[:, 2:], 1e-3)
    place_px = focal_px * path_m[:, :2] / depth + np.array([width, height]) / 2
    return np.asarray(rays(place_px, camera.matrix) * depth * camera.matrix[0, 0] / focal_px)
