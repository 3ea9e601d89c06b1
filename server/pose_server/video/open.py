"""Opening a clip, whatever it is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from pose_shared.errors import InputError

from pose_server.pipeline.options import Moment
from pose_server.pipeline.progress import Progress, SilentProgress
from pose_server.video.files import find_sequence
from pose_server.video.film import open_film_clip
from pose_server.video.source import FrameSource
from pose_server.video.stills import open_still_clip

__all__ = ["open_clip"]


def open_clip(
    path: Path,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    input_fps: Fraction | None = None,
    allow_truncated: bool = False,
    progress: Progress | None = None,
) -> FrameSource:
    """Open and probe a film or an image sequence.

    Parameters
    ----------
    path
        A film, or the pattern of a sequence: ``shot.%04d.png`` or ``shot.####.exr``.
    start, end
        First frame of the range and first frame after it; an end beyond the clip is its end.
    input_fps
        Rate of a sequence, which does not carry its own; films do.
    allow_truncated
        Whether a clip that is damaged inside the range just ends there.
    progress
        Is asked, here and while decoding in whichever thread that is, whether to go on.

    Raises
    ------
    MediaError
        The clip cannot be read; the sentence says what to do.
    InputError
        The range holds no frame (``RANGE_EMPTY``), or `input_fps` is missing (``RATE_MISSING``) or
        has no place (``RATE_NOT_NEEDED``).
    MissingExtraError
        The pictures need a package that is not installed.
    JobCancelledError
        From `progress`.
    """
    progress = progress or SilentProgress()
    sequence = find_sequence(path)
    if sequence is None:
        if input_fps is not None:
            raise InputError(
                f"'{path.name}' is a film and carries its own times; leave --input-fps out.",
                reason="RATE_NOT_NEEDED",
                path=path,
            )
        return open_film_clip(path, start=start, end=end, allow_truncated=allow_truncated, progress=progress)
    if input_fps is None:
        raise InputError(
            f"The pictures of '{path.name}' do not say how fast they follow each other; "
            "give their rate, for example --input-fps 24.",
            reason="RATE_MISSING",
            path=path,
        )
    return open_still_clip(
        sequence, rate=input_fps, start=start, end=end, allow_truncated=allow_truncated, progress=progress
    )
