"""The preview film: the clip with the skeletons drawn on it, beside a view of the world."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pose_server.export.render import film_ticks, write_pictures
from pose_server.export.sheet import Sheet
from pose_server.export.subject import subject_of
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.progress import Progress
from pose_server.video.source import FrameSource

__all__ = ["write_preview"]


def write_preview(path: Path, source: FrameSource, motions: Sequence[Motion], *, progress: Progress) -> None:
    """Write the film as H.264 in MP4, a picture for every frame of the source, at its own time.

    Parameters
    ----------
    path
        File to write.
    source
        The clip; it is decoded once more.
    motions
        One per person, in the order in which people are counted.
    progress
        Is told of every few frames as stage ``preview``.

    Raises
    ------
    MediaError
        The film is damaged, as the source says.
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.
    JobCancelledError
        Somebody cancelled; nothing is left behind.
    """
    info = source.info
    sheet = Sheet(
        [subject_of("", dict(enumerate(motions, start=1)))],
        views=("camera", "room"),
        aspect=info.width / info.height,
        footage_px=info.height,
    )
    with film_ticks(source) as ticks:
        write_pictures(
            path, sheet, ticks, rate=info.rate, total=info.frame_count, stage="preview", progress=progress
        )
