"""The protocols that 3d-pose-baseline is judged by: error by action, by subject and by joint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.evaluate import metrics
from pose_server.evaluate.table import Column, Table, columns
from pose_server.evaluate.tally import Tally
from pose_server.lift.baseline import cleaned
from pose_server.lift.baseline_model import BaselineModel
from pose_server.train.baseline import OUTPUTS_16, PoseClip

__all__ = ["BaselineScores", "evaluate_baseline"]

FloatArray = NDArray[np.floating[Any]]

_SHOWN = columns(
    *("mpjpe_mm", "p_mpjpe_mm", "n_mpjpe_mm", "mpjve_mm_frame", "acceleration", "coverage"),
)


@dataclass(frozen=True, eq=False)
class BaselineScores:
    """What was measured, clip by clip and joint by joint."""

    tally: Tally
    """Labelled ``action`` and ``subject``."""
    joint_mm: dict[str, float]
    """Mean error of each joint."""

    def tables(self, *, note: str = "") -> list[Table]:
        """Return the errors by action, by subject and by joint."""
        tables = [
            Table(
                title=f"By {label}",
                columns=(Column(label, label.capitalize()), Column("frames", "Frames"), *_SHOWN),
                rows=self.tally.rows(label),
                note=note,
            )
            for label in ("action", "subject")
        ]
        rows: list[dict[str, str | float]] = [
            {"joint": name.replace("_", " "), "mpjpe_mm": value} for name, value in self.joint_mm.items()
        ]
        shown = (Column("joint", "Joint"), *columns("mpjpe_mm"))
        return [*tables, Table(title="By joint", columns=shown, rows=rows)]


def evaluate_baseline(
    model: BaselineModel,
    clips: Sequence[PoseClip],
    *,
    median: bool = False,
    hold: bool = False,
    spline: bool = False,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> BaselineScores:
    """Lift every clip and measure it about the pelvis.

    Parameters
    ----------
    model
        Its inputs are the points of the clips, its axes those of their joints.
    clips
        What to lift.
    median, hold, spline
        Clean the points first, see `lift.baseline.cleaned`; 3d-pose-baseline's own evaluation
        does none of it.
    tell
        Is told how many clips of how many are done.

    Notes
    -----
    As published, sixteen predicted joints are measured as seventeen, the pelvis counted with what
    error it has (none, until an alignment moves it), and fourteen as fourteen; frames weigh alike
    within an action and actions alike between them.  The original leaves out the frames that fill
    no batch; here all count.
    """
    tally = Tally()
    own = model.outputs if len(model.outputs) < len(OUTPUTS_16) else ("pelvis", *model.outputs)
    totals, counts = np.zeros(len(own)), np.zeros(len(own))
    for done, clip in enumerate(clips):
        points = cleaned(clip.points_px, median=median, hold=hold, spline=spline)
        result = model.lifted_mm(points) / 1e3
        reference = clip.joints_mm(own) / 1e3
        if "pelvis" in own:
            zero = np.where(np.isfinite(result).all(axis=(1, 2)), 0.0, np.nan)[:, None, None]
            result = np.concatenate([np.broadcast_to(zero, (len(result), 1, 3)), result], axis=1)
        found = metrics.measures(result, reference, fps=clip.fps, roots=(), bones=())
        tally.add(frames=len(result), measures=found, action=clip.action, subject=clip.subject)
        errors = np.linalg.norm(result - reference, axis=2) * 1e3
        totals += np.nansum(errors, axis=0)
        counts += np.isfinite(errors).sum(axis=0)
        tell(done + 1, len(clips))
    with np.errstate(invalid="ignore"):
        means = totals / counts
    return BaselineScores(tally, dict(zip(own, means.tolist(), strict=True)))
