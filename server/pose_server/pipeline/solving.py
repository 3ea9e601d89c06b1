"""From evidence to a person's files: what an import ends with, and all that a refinement does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pose_server.export.bones import rest_bones
from pose_server.export.formats import write_motion
from pose_server.export.preview import write_preview
from pose_server.pipeline.boundary import Motion, Pose3D
from pose_server.pipeline.evidence import EVIDENCE_FILE, Evidence, write_evidence
from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.plate import Plate
from pose_server.pipeline.progress import FoundPerson, PersonSummary
from pose_server.pipeline.quality import bone_fit_percent, contact_slide_mm, lean_deg
from pose_server.pipeline.report import THUMBNAIL_FILE, PersonReport
from pose_server.pipeline.stages import StageLog
from pose_server.pipeline.weak_spans import weak_spans
from pose_server.solve.clip import arranged, fit_people
from pose_server.video.source import FrameSource

__all__ = ["files_in", "solve_to_files"]

#: Of everybody's trunks at once it is more likely the world that lies.
_LYING_DEG = 45.0


def solve_to_files(
    folder: Path,
    evidence: Evidence,
    options: ImportOptions,
    summaries: Sequence[FoundPerson],
    source: FrameSource | None,
    log: StageLog,
    plate: Plate | None = None,
) -> list[PersonReport]:
    """Solve everybody, and write their files and the evidence.

    Parameters
    ----------
    folder
        Of the result.
    evidence
        What was seen; fitted first where that is not done.
    options
        How to solve, the rate of the result, and what to write.
    summaries
        Of the people of the evidence, in their order.
    source
        The clip for the preview; without it none is made.
    log
        Told of the stages; its progress may cancel.
    plate
        The clip by the names of its files, for formats that show it.

    Raises
    ------
    PoseError
        Whatever keeps it from its end, as one sentence.
    """
    solve = options.solve.numbered(summaries)
    rows, camera, rate, progress = len(evidence), evidence.camera, evidence.rate, log.progress
    with log.stage("solve", rows):
        progress.report("solve", 0, rows)
        if evidence.fits is None:
            fits = fit_people(
                evidence.tracks,
                evidence.poses,
                camera,
                rate=rate,
                progress=progress,
                path=evidence.path,
            )
            evidence = replace(evidence, fits=tuple(fits))
        # What is arranged is what is kept, so that a refinement begins with the very same numbers.
        evidence = write_evidence(folder / EVIDENCE_FILE, evidence)
        motions = arranged(
            evidence.fits or (),
            camera,
            rate=rate,
            fps=options.fps,
            options=solve,
            progress=progress,
            vertical=evidence.vertical,
        )
        progress.report("solve", rows, rows)
    if evidence.path is not None and evidence.path.world is not None:
        leans = [lean_deg(motion) for motion in motions]
        if leans and min(leans) > _LYING_DEG:
            log.note(
                f"In the world of the camera track nobody stands: trunks lean by {min(leans):.0f} degrees or "
                "more. If they do stand in the film, its axes are others: z is up, and a camera looks along "
                "its own -z with y up in its picture."
            )
    people = []
    with log.stage("export", sum(len(motion) for motion in motions)):
        for motion, pose, summary in zip(motions, evidence.poses, summaries, strict=True):
            log.progress.check()
            place = folder / f"person_{summary.index:02d}"
            place.mkdir()
            if summary.thumbnail:
                (place / THUMBNAIL_FILE).write_bytes(summary.thumbnail)
            write_motion(place, motion, options.formats, name=place.name, options=options.files, plate=plate)
            people.append(_person_report(summary, motion, pose, place.name))
    if source is not None and "preview" in options.formats:
        with log.stage("preview", source.info.frame_count):
            write_preview(folder / "preview.mp4", source, motions, progress=log.progress)
    return people


def files_in(folder: Path) -> list[str]:
    """Return what a report lists: every file of a result that has no report yet."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _person_report(summary: FoundPerson, motion: Motion, pose: Pose3D, folder: str) -> PersonReport:
    errors = motion.reprojection_px[np.isfinite(motion.reprojection_px)]
    heights_m = [height for bone in rest_bones(motion) for height in (bone.head_m[2], bone.tail_m[2])]
    slide_mm, bone_percent = contact_slide_mm(motion), bone_fit_percent(motion, pose)
    return PersonReport(
        **vars(PersonSummary.from_dict(vars(summary))),
        folder=folder,
        frames=len(motion),
        mean_confidence=round(float(motion.confidence.mean()), 3),
        reprojection_px=round(float(np.median(errors)), 2) if len(errors) else None,
        height_m=round(float(max(heights_m) - min(heights_m)), 3),
        contact_slide_mm=None if slide_mm is None else round(slide_mm, 3),
        bone_fit_percent=None if bone_percent is None else round(bone_percent, 2),
        weak_spans=weak_spans(motion),
    )
