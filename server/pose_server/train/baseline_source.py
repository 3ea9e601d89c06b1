"""Where the clips of 3d-pose-baseline come from: a data set, or motion capture that is filmed here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from pose_shared.errors import InputError
from pose_shared.skeleton import H36M_17

from pose_server.lift.baseline_model import HUMAN36M_CENTRE_PX, HUMAN36M_FOCAL_PX
from pose_server.lift.points import HUMAN36M_INPUTS, HUMAN36M_INPUTS_17, MPII_INPUTS, network_points
from pose_server.train.baseline import PoseClip
from pose_server.train.filming import Studio, filmed_clips
from pose_server.train.house import HELD_OUT
from pose_server.train.motions import MotionSet, read_motions
from pose_server.train.pose_sets import View, read_pose_set

__all__ = ["ClipSource", "MotionSource", "PoseSetSource", "chosen_inputs"]


class ClipSource(Protocol):
    """Clips of people by name, seen by cameras of one kind."""

    focal_px: tuple[float, float]
    """Of the cameras, on average."""
    centre_px: tuple[float, float]
    train_subjects: tuple[str, ...]
    """Who is trained on unless others are named."""
    test_subjects: tuple[str, ...]

    def clips(
        self, subjects: Sequence[str], inputs: Sequence[str], *, actions: Sequence[str] = ()
    ) -> list[PoseClip]:
        """Return the clips of some people with the points that a network takes.

        Parameters
        ----------
        subjects
            Their names.
        inputs
            The points.
        actions
            Names of the actions to take; all if empty.  "Sitting" takes no "SittingDown".

        Raises
        ------
        InputError
            A subject is unknown (``SUBJECT_UNKNOWN``) or nothing is left (``DATASET_EMPTY``).
        """


class PoseSetSource:
    """Human3.6M in VideoPose3D's files, or a data set of one's own in the same form.

    Parameters
    ----------
    folder, dataset, keypoints
        As `read_pose_set` takes them.
    room_frame
        Give joints in the axes of the room.

    Raises
    ------
    InputError
        Its joints are not Human3.6M's 17 (``DATASET_UNFIT``); or from `read_pose_set`.
    """

    train_subjects: tuple[str, ...] = ("S1", "S5", "S6", "S7", "S8")
    test_subjects: tuple[str, ...] = ("S9", "S11")

    def __init__(self, folder: Path, dataset: str, keypoints: str, *, room_frame: bool = False) -> None:
        self._set = read_pose_set(folder, dataset, keypoints)
        if self._set.outputs != H36M_17.joints or any(view.joints_m is None for view in self._set.views):
            raise InputError(
                f"{self._set.name} comes without the 17 joints of Human3.6M, which this network learns; "
                "choose a data set that has them.",
                reason="DATASET_UNFIT",
                dataset=dataset,
            )
        if room_frame and any(view.camera.rotation is None for view in self._set.views):
            raise InputError(
                f"{self._set.name} does not say where its cameras stand, so its joints have no room; "
                "leave --room-frame out.",
                reason="DATASET_UNFIT",
                dataset=dataset,
            )
        self._room_frame = room_frame
        lenses = [(view.camera, view.camera.lens) for view in self._set.views]
        known = [
            (lens[:2] * camera.size[0] / 2, camera.pixels(lens[2:4]))
            for camera, lens in lenses
            if lens is not None
        ]
        focal, centre = np.mean(known, axis=0) if known else (HUMAN36M_FOCAL_PX, HUMAN36M_CENTRE_PX)
        self.focal_px = (float(focal[0]), float(focal[1]))
        self.centre_px = (float(centre[0]), float(centre[1]))

    def clips(
        self, subjects: Sequence[str], inputs: Sequence[str], *, actions: Sequence[str] = ()
    ) -> list[PoseClip]:
        """Return the recordings of some people from every camera."""
        views = [view for view in self._set.chosen(subjects) if not actions or _base(view.action) in actions]
        if not views:
            known = sorted({_base(view.action) for view in self._set.chosen(subjects)})
            raise InputError(
                f"{self._set.name} has nobody doing {', '.join(actions)}; choose from {', '.join(known)}.",
                reason="DATASET_EMPTY",
                actions=",".join(actions),
            )
        return [self._clip(view, inputs) for view in views]

    def _clip(self, view: View, inputs: Sequence[str]) -> PoseClip:
        points = view.camera.pixels(view.points[..., :2].astype(np.float64))
        joints = np.asarray(view.joints_m, dtype=np.float64)
        camera = view.camera
        if self._room_frame and camera.rotation is not None and camera.translation_m is not None:
            joints = (joints - camera.translation_m) @ camera.rotation
        return PoseClip(
            subject=view.subject,
            action=_base(view.action),
            points_px=network_points(points, self._set.inputs, inputs),
            joints_m=joints,
            fps=float(self._set.rate),
        )


class MotionSource:
    """A set of ``train prepare``, filmed by cameras like Human3.6M's; an action is a take.

    Raises
    ------
    InputError
        From `read_motions`.
    """

    focal_px, centre_px = HUMAN36M_FOCAL_PX, HUMAN36M_CENTRE_PX

    def __init__(self, path: Path, *, seed: int = 0) -> None:
        self._motions = read_motions(path)
        self._seed = seed
        everybody = sorted({take.subject for take in self._motions.takes})
        self.test_subjects = tuple(subject for subject in everybody if subject in HELD_OUT)
        self.train_subjects = tuple(subject for subject in everybody if subject not in HELD_OUT)

    def clips(
        self, subjects: Sequence[str], inputs: Sequence[str], *, actions: Sequence[str] = ()
    ) -> list[PoseClip]:
        """Film the takes of some people."""
        everybody = (*self.train_subjects, *self.test_subjects)
        for subject in subjects:
            if subject not in everybody:
                raise InputError(
                    f"The motion set has no subject '{subject}'; choose from {', '.join(sorted(everybody))}.",
                    reason="SUBJECT_UNKNOWN",
                    subject=subject,
                )
        takes = tuple(
            take
            for take in self._motions.takes
            if take.subject in subjects and (not actions or take.name in actions)
        )
        if not takes:
            raise InputError(
                f"The motion set has no take of {', '.join(subjects) or 'nobody'} called "
                f"{', '.join(actions) or 'anything'}; choose other subjects or actions.",
                reason="DATASET_EMPTY",
                subjects=",".join(subjects),
            )
        (fx, fy), (cx, cy) = self.focal_px, self.centre_px
        studio = Studio(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]))
        return filmed_clips(MotionSet(takes, self._motions.sha256), inputs, studio, seed=self._seed)


def chosen_inputs(points: str, *, nose: bool) -> tuple[str, ...]:
    """Return the points that ``human36m`` or ``mpii`` means, `nose` being Neck/Nose.

    Raises
    ------
    InputError
        It is neither, or MPII's are wanted with Neck/Nose, which they lack (``POINTS_UNKNOWN``).
    """
    found = {
        ("human36m", False): HUMAN36M_INPUTS,
        ("human36m", True): HUMAN36M_INPUTS_17,
        ("mpii", False): MPII_INPUTS,
    }.get((points, nose))
    if found is None:
        raise InputError(
            f"There are no {17 if nose else 16} points called '{points}'; choose human36m, or mpii with 16.",
            reason="POINTS_UNKNOWN",
            value=points,
        )
    return found


def _base(action: str) -> str:
    """Human3.6M has each action twice: "Sitting" and "Sitting 1"."""
    return action.split(" ")[0]
