"""Solve a finished result again, with other options, without its clip and without any network."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pose_shared.errors import InputError

from pose_server import __version__
from pose_server.export.formats import check_formats
from pose_server.pipeline.evidence import EVIDENCE_FILE, read_evidence
from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.output import output_folder
from pose_server.pipeline.plate import Plate
from pose_server.pipeline.progress import Progress
from pose_server.pipeline.report import (
    REPORT_FILE,
    ImportReport,
    found_people,
    read_report,
    write_report,
)
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.pipeline.solving import files_in, solve_to_files
from pose_server.pipeline.stages import StageLog
from pose_server.video.content import content_fingerprint
from pose_server.video.open import open_clip
from pose_server.video.source import FrameSource

__all__ = ["options_of_result", "refine"]


def refine(
    result: Path,
    solve: SolveOptions,
    out_dir: Path,
    *,
    progress: Progress,
    clip: Path | None = None,
    display_name: str | None = None,
) -> ImportReport:
    """Solve a finished result again and write a folder of the same kind.

    Parameters
    ----------
    result
        The folder that an import or a refinement wrote; only its report and its evidence are read.
    solve
        All settings of the solve; `options_of_result` tells those that `result` was made with.
    out_dir
        The folder that appears when everything is done; may be `result` itself, which is then
        exchanged as a whole.  An error leaves it as it was.
    progress
        Is told of every stage, and may cancel.
    clip
        The film of the result, to make its preview anew; without it there is none.
    display_name
        What the report says it was refined from, where that is not `result`.

    Raises
    ------
    PoseError
        Whatever keeps the refinement from its end, as one sentence.
    """
    log = StageLog(progress)
    before = read_report(result)
    options = dataclasses.replace(_options(result, before), solve=solve)
    check_formats(options.formats, options.files)
    evidence = read_evidence(result / EVIDENCE_FILE)
    known = {person.index: person for person in before.people}
    if not evidence.people or any(number not in known for number in evidence.people):
        raise _unfit(result, "report and evidence name different people")
    summaries = found_people(result, [known[number] for number in evidence.people])
    source = _source(clip, before, options, log) if clip is not None else None
    progress.people(summaries)
    with output_folder(out_dir) as folder:
        plate = Plate.of(clip, evidence.rate) if clip is not None else None
        people = solve_to_files(folder, evidence, options, summaries, source, log, plate)
        report = dataclasses.replace(
            before,
            options=options.to_dict(),
            people=people,
            notes=list(dict.fromkeys([*before.notes, *log.notes])),
            timings=log.timings,
            files=files_in(folder),
            refined_from=display_name or str(result),
            pose_server=__version__,
        )
        write_report(folder, report)
    return report


def options_of_result(result: Path) -> ImportOptions:
    """Return what a result was made with; raises as `refine`."""
    return _options(result, read_report(result))


def _options(result: Path, report: ImportReport) -> ImportOptions:
    try:
        return ImportOptions.from_dict(report.options)
    except (InputError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise _unfit(result, f"its options cannot be read: {error}") from error


def _source(clip: Path, before: ImportReport, options: ImportOptions, log: StageLog) -> FrameSource:
    with log.stage("video", 0):
        source = open_clip(
            clip,
            start=options.start,
            end=options.end,
            input_fps=options.input_fps,
            allow_truncated=options.allow_truncated,
            progress=log.progress,
        )
        if content_fingerprint(clip, progress=log.progress) != before.clip.sha256:
            raise InputError(
                f"'{clip}' is not the film that the result was made of; give {before.clip.name}, or no clip.",
                reason="CLIP_DIFFERS",
                path=clip,
            )
    return source


def _unfit(result: Path, why: str) -> InputError:
    return InputError(
        f"'{result / REPORT_FILE}' cannot be used ({why}); import the clip again.",
        reason="REPORT_INVALID",
        path=result,
    )
