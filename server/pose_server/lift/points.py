"""The points that networks of other projects take, built from those that detectors give.

What 3d-pose-baseline did wrong.  Its OpenPose script writes OpenPose's neck into the slot that is
called Spine, the nose into Head, and extrapolates Thorax to *below* the neck.  A network trained
on projected Human3.6M has the middle of the back in Spine, the root of the neck in Thorax and the
upper head in Head: it sees a torso that ends at the neck and a head at the nose, and answers with
people who lean and hunch.  A network trained on stacked hourglass detections (``--use_sh``) keeps
MPII's points in the same slots, where Spine is MPII's thorax, which the neck indeed is near, and
Thorax is MPII's upper neck, which lies above it and never below.  So slots have no names here: a
network says by name which points it takes, `HUMAN36M_INPUTS` or `MPII_INPUTS`, and each is built
where that data set has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError
from pose_shared.skeleton import H36M_17

__all__ = [
    "HUMAN36M_INPUTS",
    "HUMAN36M_INPUTS_17",
    "MPII_INPUTS",
    "network_points",
]

FloatArray = NDArray[np.floating[Any]]

#: The sixteen points of Human3.6M that 3d-pose-baseline takes: all but Neck/Nose.
HUMAN36M_INPUTS = tuple(joint for joint in H36M_17.joints if joint != "nose")
#: The same with Neck/Nose.
HUMAN36M_INPUTS_17 = H36M_17.joints
#: MPII's sixteen in the same slots, as stacked hourglass networks find them (``--use_sh``).
MPII_INPUTS = tuple({"spine": "neck", "neck": "upper_neck"}.get(joint, joint) for joint in HUMAN36M_INPUTS)

#: Where Human3.6M's Spine lies between Hip and Thorax: its skeleton has 233 mm below and 257 above.
_SPINE_SHARE = 233 / (233 + 257)
#: The points of head and neck, on the line from the middle of the shoulders through that of the
#: ears.  A body's ears are 0.115 statures above its shoulders (Winter, 2009).  Human3.6M has
#: Neck/Nose at 121 mm and Head at 236 mm, on people of 1.75 m.
_EARS_M = 0.115 * 1.75
_HUMAN36M_RISES = {"nose": 0.121 / _EARS_M, "head_top": 0.236 / _EARS_M}
#: MPII's, as OpenPose BODY_25B, which was trained on them, shows them beside ears and shoulders.
_MPII_RISES = {"upper_neck": 0.27, "head_top": 1.7}


def network_points(points: FloatArray, names: Sequence[str], wanted: Sequence[str]) -> FloatArray:
    """Return the points that a network takes, from those of any detector.

    Parameters
    ----------
    points
        (T, K, D) in the picture or in space; NaN where missing.
    names
        K names as in `pose_shared.skeleton`: any of its joint sets with hips, shoulders and limbs.
    wanted
        The network's inputs, by name.

    Returns
    -------
    FloatArray
        (T, len(wanted), D).  A detector of the network's own points is taken at its word.  From any
        other, limbs are taken and the midline is built the same way whichever detector it is:
        `pelvis` and `neck` are the middles of hips and shoulders (OpenPose's own neck is just
        that), Human3.6M's `spine` lies between them, and the head on the line from the neck through
        the ears, or the one ear that is seen, or else the nose.

    Raises
    ------
    InputError
        The detector lacks a point that cannot be built (``KEYPOINTS_MISSING``).
    """
    places = {name: i for i, name in enumerate(names)}
    if all(name in places for name in wanted):
        return points[:, [places[name] for name in wanted]]
    sides = [side + part for part in ("hip", "shoulder") for side in ("left_", "right_")]
    limbs = [name for name in wanted if name.startswith(("left_", "right_"))]
    lacking = [name for name in (*sides, *limbs) if name not in places]
    if lacking:
        raise InputError(
            f"This lifter needs the {lacking[0].replace('_', ' ')}, which the 2D points lack; "
            "choose a detector of the whole body.",
            reason="KEYPOINTS_MISSING",
            keypoint=lacking[0],
        )
    return np.stack(_built(points, places, wanted), axis=1)


def _built(points: FloatArray, places: dict[str, int], wanted: Sequence[str]) -> list[FloatArray]:
    def middle(part: str) -> FloatArray:
        return np.asarray((points[:, places["left_" + part]] + points[:, places["right_" + part]]) / 2)

    pelvis, neck = middle("hip"), middle("shoulder")
    skull = _skull(points, places) - neck
    rises = _MPII_RISES if "upper_neck" in wanted else _HUMAN36M_RISES
    midline = {
        "pelvis": pelvis,
        "neck": neck,
        "spine": pelvis + _SPINE_SHARE * (neck - pelvis),
        **{name: neck + rise * skull for name, rise in rises.items()},
    }
    return [midline[name] if name in midline else points[:, places[name]] for name in wanted]


def _skull(points: FloatArray, places: dict[str, int]) -> FloatArray:
    """Return (T, D) the middle of the ears, the one that is seen, or the nose."""
    missing = np.full_like(points[:, 0], np.nan)
    left, right, nose = (
        points[:, places[name]] if name in places else missing for name in ("left_ear", "right_ear", "nose")
    )
    one = np.where(np.isfinite(left), left, right)
    both = np.where(np.isfinite(left) & np.isfinite(right), (left + right) / 2, one)
    return np.asarray(np.where(np.isfinite(both), both, nose))
