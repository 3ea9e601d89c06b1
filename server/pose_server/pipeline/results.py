"""Reading back what an import left: the motions of a result folder, and what was seen before the solve."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pose_shared.errors import InputError, NotFoundError

from pose_server.export.npz import read_npz
from pose_server.export.seen_pose import shown_of_pose
from pose_server.export.subject import Subject
from pose_server.lift.landmarks import LandmarkLifter
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.evidence import EVIDENCE_FILE, read_evidence
from pose_server.pipeline.report import read_report

__all__ = ["SEEN", "parse_seen", "read_people", "seen_subject", "title_of"]

#: ``detected``: the detector's own 3D points; ``lifted``: what the solve was given.
SEEN = ("detected", "lifted")
_MOTION_FILE = "motion.npz"
_PERSON = re.compile(r"person_(\d+)")


def read_people(path: Path, persons: Sequence[int] = ()) -> dict[int, Motion]:
    """Read the motions of a result folder, of a person's folder in it, or a motion file.

    Parameters
    ----------
    path
        The folder or file.
    persons
        Numbers of those wanted; everybody when empty.

    Returns
    -------
    dict
        Motions by the person's number.

    Raises
    ------
    NotFoundError
        There is no such result (``RESULT_NOT_FOUND``), or no such person in it (``PERSON_NOT_FOUND``).
    InputError
        A file is damaged or something else.
    """
    if path.is_file() or (path / _MOTION_FILE).is_file():
        file = path if path.is_file() else path / _MOTION_FILE
        found = _PERSON.fullmatch(file.resolve().parent.name)
        files = {int(found[1]) if found else 1: file}
    else:
        report = read_report(path)
        files = {person.index: path / person.folder / _MOTION_FILE for person in report.people}
    for person in persons:
        if person not in files:
            known = ", ".join(str(number) for number in files)
            raise NotFoundError(
                f"'{path}' has no person {person}; choose from {known or 'nobody'}.",
                reason="PERSON_NOT_FOUND",
                person=person,
            )
    wanted = persons or tuple(files)
    if not wanted:
        raise InputError(f"Nobody was found in '{path}'; there is nothing to draw.", reason="NOBODY_THERE")
    return {number: read_npz(files[number]) for number in dict.fromkeys(wanted)}


def title_of(path: Path) -> str:
    """Return what a result is called above its pictures; of one person with the folder of the whole."""
    path = path.resolve()
    if path.name == _MOTION_FILE:
        path = path.parent
    return f"{path.parent.name}/{path.name}" if _PERSON.fullmatch(path.name) else path.name


def parse_seen(text: str | None) -> tuple[str, ...]:
    """Read names of `SEEN` with commas between; raises `InputError` where one is another."""
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    for name in names:
        if name not in SEEN:
            raise InputError(
                f"--seen {name[:80]} is not possible; choose from {', '.join(SEEN)}.",
                reason="SEEN_INVALID",
                value=name[:80],
            )
    return names


def seen_subject(result: Path, motions: Mapping[int, Motion], what: str, *, sides: bool = False) -> Subject:
    """Return what was seen of people before the solve, in the room of their motions.

    Parameters
    ----------
    result
        The folder that an import wrote, with its evidence.
    motions
        What the solve made of it, by the person's number.
    what
        One of `SEEN`.
    sides
        As in `export.subject.subject_of`.

    Raises
    ------
    NotFoundError, InputError
        There is no evidence, it is damaged, or it has no 3D points of the detector's.
    """
    if not (result / EVIDENCE_FILE).is_file():
        raise NotFoundError(
            f"'{result}' has no {EVIDENCE_FILE}, from which --seen {what} is drawn; give the folder that an "
            "import wrote.",
            reason="EVIDENCE_MISSING",
            path=result,
        )
    evidence = read_evidence(result / EVIDENCE_FILE)
    lifter = LandmarkLifter()
    shown = []
    for number, track, pose in zip(evidence.people, evidence.tracks, evidence.poses, strict=True):
        if number in motions:
            chosen = pose if what == "lifted" else lifter.lift(track, evidence.camera)
            shown.append(shown_of_pose(chosen, motions[number], number, sides=sides))
    return Subject(what, tuple(shown))
