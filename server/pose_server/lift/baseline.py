"""3d-pose-baseline's network as a lifter: one frame at a time, from any detector's points."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from pose_shared.errors import InputError

from pose_server.lift.baseline_file import read_baseline
from pose_server.lift.baseline_model import BaselineModel
from pose_server.lift.crop import smallest_turn
from pose_server.lift.placed_pose import placed_pose
from pose_server.lift.points import network_points
from pose_server.lift.traces import held, median_filtered, spline_resampled
from pose_server.pipeline.boundary import Camera, FloatArray, Pose3D, Track2D
from pose_server.pipeline.camera import rays

__all__ = ["BaselineLifter", "cleaned"]

#: Standard deviation of a joint whose point is seen clearly: the published error on detections is 63 mm.
_CLEAR_M = 0.06
#: No joint gets further from the hips than this: a wrist above the head of a tall person is at 1.4 m.
_REACH_M = 1.6


class BaselineLifter:
    """Lift each frame by a linear network.

    The network knows people in the middle of the pictures of its training, at one size, in pixels.
    So each frame is turned until the hips lie on the ray on which they were on average, is put into
    the training camera, and the clip is scaled, once, to the average size; what comes out is turned
    back.  3d-pose-baseline gave it the pixels as they came, whatever the picture and the lens.

    Parameters
    ----------
    model
        A network that gives camera axes.
    median, hold, spline
        Clean the points first, see `cleaned`.
    device
        Where it runs.

    Raises
    ------
    InputError
        The network gives the axes of a room (``CHECKPOINT_UNFIT``).
    """

    name = "baseline"

    def __init__(
        self,
        model: BaselineModel,
        *,
        median: bool = True,
        hold: bool = True,
        spline: bool = False,
        device: str = "cpu",
    ) -> None:
        if not model.camera_frame:
            raise InputError(
                "This baseline was trained in the axes of its room, which no other camera knows; "
                "train one in camera axes.",
                reason="CHECKPOINT_UNFIT",
            )
        self._model = model
        self._model.network.to(device)
        self._median, self._hold, self._spline = median, hold, spline
        options = f"{median:d}{hold:d}{spline:d}"
        self.fingerprint = f"baseline-1-{options}-{_digest(model)}"

    @classmethod
    def from_file(cls, path: Path, device: str = "cpu") -> BaselineLifter:
        """Return a lifter with the network of a file; raises as `read_baseline` does."""
        return cls(read_baseline(path), device=device)

    def lift(self, track: Track2D, camera: Camera) -> Pose3D:
        """Return the joints that the network gives, and the pelvis between the hips.

        A frame is NaN where the person was not found, a point that the network needs is missing and
        not held, or the network answers with somebody larger than people are.
        """
        model = self._model
        points = network_points(track.keypoints_px, track.keypoint_names, model.inputs)
        points = cleaned(points, median=self._median, hold=self._hold, spline=self._spline)
        points[~track.found] = np.nan
        points, turn = _as_in_training(points, camera, model)

        joints = np.einsum("tji,tkj->tki", turn, model.lifted_mm(points)) / 1e3
        hips = [model.outputs.index(name) for name in ("left_hip", "right_hip")]
        joints -= joints[:, hips].mean(axis=1, keepdims=True)
        joints = np.concatenate([np.zeros_like(joints[:, :1]), joints], axis=1)
        with np.errstate(invalid="ignore"):
            people = (np.linalg.norm(joints, axis=2) < _REACH_M).all(axis=1)
        joints[~people] = np.nan

        names = ("pelvis", *model.outputs)
        return placed_pose(track, names, joints, camera, clear_m=_CLEAR_M)


def cleaned(points: FloatArray, *, median: bool, hold: bool, spline: bool) -> FloatArray:
    """Return points (T, K, 2) after any of the clean-ups of `lift.traces`, in 3d-pose-baseline's order.

    Parameters
    ----------
    points
        In pixels; NaN where missing.
    median
        The median over seven frames.
    hold
        A missing point stays where it was.
    spline
        A smoothing spline, read at the frames that there are.
    """
    if median:
        points = median_filtered(points)
    if hold:
        points = held(points)
    if spline:
        points = spline_resampled(points, multiplier=1.0)[1]
    return points.copy()


def _as_in_training(
    points_px: FloatArray, camera: Camera, model: BaselineModel
) -> tuple[FloatArray, FloatArray]:
    """Return points as the training camera would have seen them, and the turns (T, 3, 3) that did it."""
    pelvis = model.inputs.index("pelvis")
    usual = model.mean_2d_px[pelvis]
    ahead = rays(points_px, camera.matrix)
    hips = np.nan_to_num(ahead[:, pelvis, :2])
    to_axis = smallest_turn(torch.from_numpy(hips)).numpy()
    from_axis = smallest_turn(torch.from_numpy(rays(usual, model.matrix)[:2])).numpy().T
    turn = from_axis @ to_axis
    turned = np.einsum("tij,tkj->tki", turn, ahead)
    with np.errstate(invalid="ignore"):
        plane = np.where(turned[..., 2:] > 0, turned[..., :2] / turned[..., 2:], np.nan)
    seen = plane * np.array(model.focal_px) + np.array(model.centre_px)
    about = seen - usual
    known = about[np.isfinite(about).all(axis=(1, 2))]
    # The median, so that a frame of nonsense does not scale the others.
    size = float(np.median(np.sqrt((known**2).sum(axis=2).mean(axis=1)))) if len(known) else 0.0
    return usual + about * (_usual_size_px(model) / size if size > 0 else 1.0), turn


def _usual_size_px(model: BaselineModel) -> float:
    """Return the training set's root mean square distance of points from the pelvis.

    What a point varies more than the pelvis does, it varies about the pelvis, if where people stand
    says nothing of how they stand.
    """
    pelvis = model.inputs.index("pelvis")
    apart = (model.mean_2d_px - model.mean_2d_px[pelvis]) ** 2
    own = np.maximum(model.std_2d_px**2 - model.std_2d_px[pelvis] ** 2, 0.0)
    return float(np.sqrt((apart + own).sum(axis=1).mean()))


def _digest(model: BaselineModel) -> str:
    text = hashlib.sha256(repr((model.inputs, model.outputs, model.focal_px, model.centre_px)).encode())
    for values in (model.mean_2d_px, model.std_2d_px, model.mean_3d_mm, model.std_3d_mm):
        text.update(np.ascontiguousarray(values, dtype=np.float64).tobytes())
    text.update(repr((model.network.residual, model.network.max_norm)).encode())
    for name, tensor in sorted(model.network.state_dict().items()):
        if tensor.dtype.is_floating_point:
            text.update(name.encode() + tensor.cpu().numpy().tobytes())
    return text.hexdigest()[:16]
