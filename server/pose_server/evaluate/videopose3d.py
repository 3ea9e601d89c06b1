"""VideoPose3D's evaluation: protocols 1 to 3 and velocity, by action and by subject."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pose_shared.errors import InputError

from pose_server.evaluate.metrics import (
    acceleration,
    mpjpe_mm,
    mpjve_mm_frame,
    n_mpjpe_mm,
    p_mpjpe_mm,
    root_error,
)
from pose_server.evaluate.table import Column, Table, columns
from pose_server.evaluate.tally import Tally
from pose_server.lift.folded import FoldedModel, fast_precision
from pose_server.lift.videopose3d import predicted
from pose_server.lift.videopose3d_file import PoseCheckpoint
from pose_server.train.pose_sets import PoseSet, View

__all__ = ["Evaluation", "write_joints"]

FloatArray = NDArray[np.floating[Any]]


class Evaluation:
    """A checkpoint on the views of a data set.

    Parameters
    ----------
    checkpoint
        The networks.
    data
        The data set.
    flip
        Average with what the mirror image gives.
    device
        ``cpu`` or ``cuda:N``.
    exact
        Compute in float32 even where bfloat16 is faster.

    Raises
    ------
    InputError
        The networks take or give other joints than the data set has (``DATASET_UNFIT``).
    """

    def __init__(
        self,
        checkpoint: PoseCheckpoint,
        data: PoseSet,
        *,
        flip: bool = True,
        device: str = "cpu",
        exact: bool = True,
    ) -> None:
        form = checkpoint.pose.form
        features = data.views[0].points.shape[2]
        have = (len(data.inputs), features, len(data.outputs))
        want = (form.joints_in, form.features_in, form.joints_out)
        if have != want:
            raise InputError(
                f"The checkpoint takes {want[0]} points of {want[1]} numbers and gives {want[2]} joints, "
                f"{data.name} has {have[0]} of {have[1]} and {have[2]}; choose fitting keypoints.",
                reason="DATASET_UNFIT",
            )
        self.data = data
        self._mirrors = data.mirrors if flip else None
        precision = torch.float32 if exact else fast_precision(device)
        self._pose = FoldedModel(checkpoint.pose, device=device, precision=precision)
        self._path = FoldedModel(checkpoint.path, device=device) if checkpoint.path else None

    def predictions(self, views: Sequence[View]) -> Iterator[tuple[View, FloatArray, FloatArray | None]]:
        """Yield each view with its joints (T, J, 3) about the root and the root (T, 3), if it is known."""
        for view in views:
            joints = predicted(self._pose, view.points, self._mirrors)
            root = None
            if self._path is not None:
                mirrors = (self._mirrors[0], (0,)) if self._mirrors else None
                root = predicted(self._path, view.points, mirrors)[:, 0]
            yield view, joints, root

    def tables(self, views: Sequence[View], *, by_subject: bool = False) -> list[Table]:
        """Measure all views and return a table by action and one by subject.

        Within an action every frame counts the same, the average is that of the actions.  Takes of an
        action ("Walking 1") are one action.

        Parameters
        ----------
        views
            Of the data set; those without joints do not count.
        by_subject
            Add a table by action for each subject.

        Raises
        ------
        InputError
            No view has joints (``DATASET_UNLABELLED``).
        """
        tally = Tally()
        each: dict[str, Tally] = {}
        known = [view for view in views if view.joints_m is not None]
        if not known:
            raise InputError(
                f"{self.data.name} has no 3D joints to compare with; write what the network makes of it "
                "with --export.",
                reason="DATASET_UNLABELLED",
            )
        for view, joints, root in self.predictions(known):
            values = _measured(view, joints, root)
            labels = {"action": view.action.split(" ")[0], "subject": view.subject}
            tally.add(frames=len(view), measures=values, **labels)
            each.setdefault(view.subject, Tally()).add(frames=len(view), measures=values, **labels)
        tables = [self._table(tally, "action", "By action"), self._table(tally, "subject", "By subject")]
        if by_subject:
            tables += [self._table(own, "action", f"{subject} by action") for subject, own in each.items()]
        return tables

    def _table(self, tally: Tally, by: str, title: str) -> Table:
        keys = ["mpjpe_mm", "p_mpjpe_mm", "n_mpjpe_mm", "mpjve_mm_frame", "acceleration"]
        if self._path is not None:
            keys += ["root_absolute_m", "root_relative_depth"]
        shown = (Column(by, by.capitalize()), Column("frames", "Frames"), *columns(*keys))
        mirrored = "mirror images averaged" if self._mirrors else "without mirror images"
        return Table(title, shown, tally.rows(by), note=f"{self.data.name}, {mirrored}.")


def write_joints(
    path: Path, found: Iterator[tuple[View, FloatArray, FloatArray | None]], names: Sequence[str]
) -> int:
    """Write an ``.npz`` without pickles: an array (T, J, 3) in metres for each view; return how many.

    The arrays are called ``subject|action|camera``, their roots, where known, the same with ``|root``;
    ``joint_names`` tells the joints.
    """
    arrays: dict[str, NDArray[Any]] = {"joint_names": np.array(list(names))}
    count = 0
    for view, joints, root in found:
        key = f"{view.subject}|{view.action}|{view.camera.name}"
        arrays[key] = joints.astype(np.float32)
        if root is not None:
            arrays[f"{key}|root"] = root.astype(np.float32)
        count += 1
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    os.replace(partial, path)
    return count


def _measured(view: View, joints: FloatArray, root: FloatArray | None) -> dict[str, float]:
    """Return the measures of one view; as published, the result's own root is held against zero."""
    assert view.joints_m is not None
    truth = view.joints_m - view.joints_m[:, :1]
    moved = acceleration(joints, truth)
    values = {
        "mpjpe_mm": mpjpe_mm(joints, truth),
        "p_mpjpe_mm": p_mpjpe_mm(joints, truth),
        "n_mpjpe_mm": n_mpjpe_mm(joints, truth),
        "mpjve_mm_frame": mpjve_mm_frame(joints, truth),
        **{f"acceleration_{name}": value for name, value in moved._asdict().items()},
    }
    if root is not None:
        off = root_error(root, view.joints_m[:, 0])
        values |= {"root_absolute_m": off.absolute_m, "root_relative_depth": off.relative_depth}
    return values
