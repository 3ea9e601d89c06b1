"""Films of motions: which moments are drawn, and into which file."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from pose_shared.errors import InputError

from pose_server.export.destination import check_file, replacing
from pose_server.export.film import Film, PictureWriter
from pose_server.export.gif import MOST_PER_SECOND, Gif
from pose_server.export.room import Look
from pose_server.export.sheet import Sheet, Tick
from pose_server.export.subject import Subject, framed
from pose_server.pipeline.progress import Progress
from pose_server.pipeline.render_options import RenderOptions
from pose_server.video.budget import batches_ahead
from pose_server.video.prefetch import prefetch
from pose_server.video.source import FrameSource

__all__ = ["SUFFIXES", "check_target", "film_ticks", "motion_ticks", "render", "write_pictures"]

SUFFIXES = (".mp4", ".gif")
# Short, because the next report must come within half a second even when 8K film is decoded.
_BATCH = 2
_PREFETCH_BATCHES = 4
# Pictures that are drawn while the last ones are being encoded.
_DRAWN_AHEAD = 2
#: By how much the shape of a film may differ from what the camera of a motion saw.
_SAME_SHAPE = 0.02


def render(
    path: Path,
    subject: Subject,
    options: RenderOptions,
    *,
    rate: Fraction,
    source: FrameSource | None,
    progress: Progress,
    before: Sequence[Subject] = (),
    beside: Sequence[Subject] = (),
) -> int:
    """Write a film of somebody's motion, alone or among others.

    Parameters
    ----------
    path
        File to write; its suffix is one of `SUFFIXES`.
    subject
        Whom to draw; without a film their times count.
    options
        What the user wants; the range of a film was chosen when that was opened.
    rate
        Of the subject's motions.
    source
        The film to draw on; None for a plain ground.
    progress
        Is told of every few pictures as stage ``render``.
    before, beside
        Subjects in columns to the left and to the right; views of the room hold everybody but the first.

    Returns
    -------
    int
        How many pictures were drawn.

    Raises
    ------
    InputError
        The suffix is unknown, an MP4's size is odd, an option means nothing here, the film has another
        shape than the camera, nothing lies in the range, or the file cannot be written there.
    MediaError
        The film is damaged, as the source says.
    LimitError
        The disk is full.
    JobCancelledError
        Somebody cancelled; nothing is left behind.
    """
    check_target(path, options)
    views = options.views or (("room",) if source is None else ("camera", "room"))
    if options.keypoints and "camera" not in views:
        raise InputError(
            "--keypoints are drawn in the camera's view, and there is none; add camera to --view.",
            reason="OPTION_UNUSED",
        )
    people = subject.people
    width, height = people[0].camera.image_size
    ticks: AbstractContextManager[Iterator[Tick]]
    if source is None:
        moments = motion_ticks(subject, rate, options)
        ticks, count = nullcontext(iter(moments)), len(moments)
    else:
        _check_shape(source, (width, height))
        width, height, rate = source.info.width, source.info.height, source.info.rate
        ticks, count = film_ticks(source, options.skip), source.info.frame_count
    shown_rate = rate * Fraction(options.speed).limit_denominator(1000)
    every = options.downsample
    if path.suffix.lower() == ".gif" and shown_rate / every > MOST_PER_SECOND:
        every = math.ceil(shown_rate / MOST_PER_SECOND)
        progress.note(
            f"A GIF shows no more than {MOST_PER_SECOND} pictures per second: every {every} frames make one."
        )
    sheet = Sheet(
        [*before, subject, *beside],
        views=views,
        aspect=width / height,
        size=options.size,
        footage_px=None if source is None else height,
        look=Look(
            azimuth_deg=options.azimuth_deg,
            elevation_deg=options.elevation_deg,
            turn_deg_s=options.turn_deg_s,
            follow=options.follow,
            ground=options.ground,
            path=options.path,
        ),
        contacts=options.contacts,
        keypoints=options.keypoints,
        sides=options.by_sides(len(people)),
        framing=framed([subject, *beside]),
        remark="" if options.speed == 1 else f"   {options.speed:g}x",
    )
    with ticks as moments_in_order:
        return write_pictures(
            path,
            sheet,
            islice(moments_in_order, 0, None if options.limit is None else options.limit * every, every),
            rate=shown_rate / every,
            total=min(math.ceil(count / every), options.limit or count),
            stage="render",
            progress=progress,
            speed=options.speed,
            bitrate_kbps=options.bitrate_kbps,
        )


def check_target(path: Path, options: RenderOptions) -> None:
    """Refuse a file that could not be written, before any work is done; raises `InputError`."""
    check_file(path, SUFFIXES)
    if path.suffix.lower() == ".gif" and options.bitrate_kbps is not None:
        raise InputError(
            "--bitrate means nothing to GIF; leave it out, or let --out end in .mp4.", reason="OPTION_UNUSED"
        )
    if path.suffix.lower() == ".mp4" and options.size is not None and any(side % 2 for side in options.size):
        even = "x".join(str(side + side % 2) for side in options.size)
        raise InputError(
            f"--size {options.size[0]}x{options.size[1]} is odd, and MP4 needs even numbers; give {even}.",
            reason="SIZE_INVALID",
        )


@contextmanager
def film_ticks(source: FrameSource, skip: int = 0) -> Generator[Iterator[Tick], None, None]:
    """Decode a film in a thread of its own, and give its moments while the block lasts.

    Parameters
    ----------
    source
        The clip.
    skip
        How many of its frames come before frame 0.
    """
    info = source.info
    with prefetch(source.batches(_BATCH), batches_ahead(info, _BATCH, _PREFETCH_BATCHES)) as batches:
        yield (
            Tick(int(index) - skip, float(time_s) - skip / float(info.rate), frame)
            for batch in batches
            for frame, index, time_s in zip(batch.frames, batch.indices, batch.times_s, strict=True)
        )


def motion_ticks(subject: Subject, rate: Fraction, options: RenderOptions) -> list[Tick]:
    """Return the moments of motions without a film, from the first row of any to the last.

    Parameters
    ----------
    subject
        Whose times count.
    rate
        Of its rows.
    options
        For the range: source frames, or seconds after source frame 0.
    """
    times_s, places = np.unique(
        np.concatenate([shown.figure.times_s for shown in subject.people]), return_index=True
    )
    frames = np.concatenate([shown.frames for shown in subject.people])[places]
    count = round((times_s[-1] - times_s[0]) * float(rate)) + 1
    even_s = times_s[0] + np.arange(count) / float(rate)
    indices = np.round(np.interp(even_s, times_s, frames)).astype(int)
    inside = np.ones(count, dtype=bool)
    if options.start is not None:
        inside &= options.start.reached(indices, even_s)
    if options.end is not None:
        inside &= ~options.end.reached(indices, even_s)
    return [Tick(i, t) for i, t in zip(indices[inside].tolist(), even_s[inside].tolist(), strict=True)]


def write_pictures(
    path: Path,
    sheet: Sheet,
    ticks: Iterable[Tick],
    *,
    rate: Fraction,
    total: int,
    stage: str,
    progress: Progress,
    speed: float = 1.0,
    bitrate_kbps: int | None = None,
) -> int:
    """Draw moments one after the other into a file, MP4 unless its name ends in .gif; returns how many.

    A thread of its own draws, as the encoder leaves one core waiting.

    Parameters
    ----------
    path
        File to write.
    sheet
        Draws them.
    ticks
        The moments, in order.
    rate
        Pictures per second, about.
    total
        How many there will be, as far as that is known.
    stage
        Under which name `progress` hears of it.
    progress
        May cancel.
    speed
        How much faster it plays than it happened.
    bitrate_kbps
        Of MP4; constant quality when None.

    Raises
    ------
    InputError
        There is no moment (``RANGE_EMPTY``), or the file cannot be written.
    LimitError
        The disk is full.
    """
    done = 0
    drawn = ((sheet.draw(tick), tick.time_s / speed) for tick in ticks)
    with (
        replacing(path) as part,
        _writer(part, path.suffix.lower(), sheet, rate, bitrate_kbps) as film,
        prefetch(drawn, _DRAWN_AHEAD) as pictures,
    ):
        for picture, time_s in pictures:
            film.add(picture, time_s)
            done += 1
            if done % _BATCH == 0:
                progress.report(stage, done, max(done, total))
        if not done:
            raise InputError(
                "No frame lies in that range; choose another --start and --end.", reason="RANGE_EMPTY"
            )
        progress.report(stage, done, max(done, total))
    return done


def _writer(part: Path, suffix: str, sheet: Sheet, rate: Fraction, bitrate_kbps: int | None) -> PictureWriter:
    if suffix == ".gif":
        return Gif(part, *sheet.size, rate)
    return Film(part, *sheet.size, rate, bitrate_kbps=bitrate_kbps)


def _check_shape(source: FrameSource, size: tuple[int, int]) -> None:
    info = source.info
    if abs(info.width / info.height / (size[0] / size[1]) - 1) > _SAME_SHAPE:
        raise InputError(
            f"'{info.path.name}' is {info.width}x{info.height}, and the motion was seen in a film of "
            f"{size[0]}x{size[1]}; give that film, or leave --clip out.",
            reason="CLIP_DIFFERS",
            path=info.path,
        )
