"""`pose-server render`: a film of a result, on its footage and in the room."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pose_shared.errors import InputError

from pose_server.cli.bars import ProgressBars
from pose_server.cli.errors import clear_errors
from pose_server.pipeline.moment import Moment
from pose_server.pipeline.render_options import COLOURINGS, VIEWS, RenderOptions

__all__ = ["render_command"]

_FILM, _ROOM, _TIMING = "What is shown", "The room", "Time and file"


def render_command(
    result: Annotated[
        Path,
        typer.Argument(
            help="The folder that an import wrote, or a motion.npz.", show_default=False, metavar="RESULT"
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File to write: .mp4 or .gif.", show_default=False)
    ],
    clip: Annotated[
        Path | None,
        typer.Option(
            help="The film, to draw on; without it the camera's view has a plain ground.",
            rich_help_panel=_FILM,
        ),
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(
            help=f"Views, with commas between: {', '.join(VIEWS)}.",
            show_default="camera,room; room without --clip",
            rich_help_panel=_FILM,
        ),
    ] = None,
    person: Annotated[
        list[int] | None,
        typer.Option(
            help="One person by number; may be repeated.", show_default="everybody", rich_help_panel=_FILM
        ),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            help="Another result or motion.npz in a column beside it; may be repeated.", rich_help_panel=_FILM
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="A motion.npz that is known to be true, in a column beside it.", rich_help_panel=_FILM
        ),
    ] = None,
    seen: Annotated[
        str | None,
        typer.Option(
            help="A column before it with what was seen before the solve: detected, the detector's own 3D "
            "points; lifted, what the solve was given; or both, with a comma between.",
            rich_help_panel=_FILM,
        ),
    ] = None,
    colours: Annotated[
        str,
        typer.Option(
            help=f"{', '.join(COLOURINGS)}: a colour for each person, the left side lighter; or left "
            "blue and right red, which auto takes for a single person.",
            rich_help_panel=_FILM,
        ),
    ] = "auto",
    keypoints: Annotated[
        bool, typer.Option("--keypoints", help="Draw the detector's points too.", rich_help_panel=_FILM)
    ] = False,
    azimuth: Annotated[
        float | None,
        typer.Option(
            help="Degrees to the left of the film's camera from where the room is seen.",
            show_default="the better of 35 and -35",
            rich_help_panel=_ROOM,
        ),
    ] = None,
    elevation: Annotated[
        float, typer.Option(help="Degrees from above, 0 to 90.", rich_help_panel=_ROOM)
    ] = RenderOptions.elevation_deg,
    turn: Annotated[
        float, typer.Option(help="Degrees per second by which the view goes round.", rich_help_panel=_ROOM)
    ] = 0.0,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go along with the first person.", rich_help_panel=_ROOM)
    ] = False,
    ground: Annotated[
        bool, typer.Option("--ground/--no-ground", help="Floor and shadows.", rich_help_panel=_ROOM)
    ] = True,
    path: Annotated[
        bool, typer.Option("--path/--no-path", help="The ways of the hips.", rich_help_panel=_ROOM)
    ] = True,
    contacts: Annotated[
        bool,
        typer.Option("--contacts/--no-contacts", help="Green dots at what carries.", rich_help_panel=_ROOM),
    ] = True,
    start: Annotated[
        str | None,
        typer.Option(help="First source frame, or seconds such as 2.5s.", rich_help_panel=_TIMING),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(help="First source frame after the range, or seconds.", rich_help_panel=_TIMING),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Pictures at most.", show_default="all", rich_help_panel=_TIMING)
    ] = None,
    skip: Annotated[
        int,
        typer.Option(
            help="Frames of --clip that come before frame 0 of the motion.", rich_help_panel=_TIMING
        ),
    ] = 0,
    downsample: Annotated[
        int, typer.Option(help="A picture for every so many frames.", rich_help_panel=_TIMING)
    ] = 1,
    speed: Annotated[float, typer.Option(help="0.5 plays half as fast.", rich_help_panel=_TIMING)] = 1.0,
    size: Annotated[
        str | None,
        typer.Option(
            help="Of the picture, such as 960x540.",
            show_default="what fits 1280x720",
            rich_help_panel=_TIMING,
        ),
    ] = None,
    bitrate: Annotated[
        int | None,
        typer.Option(
            help="Of MP4, kilobits per second.", show_default="constant quality", rich_help_panel=_TIMING
        ),
    ] = None,
    input_fps: Annotated[
        str | None,
        typer.Option(help="Rate of an image sequence given as --clip.", rich_help_panel=_TIMING),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Make a film of a result: skeletons on the footage, in the room, beside another result.

    The floor's grid is in metres; the line on it is the way of the hips, green dots are feet, hands and
    knees that the motion says to carry. The file appears when it is complete.
    """
    with clear_errors(debug=debug):
        options = RenderOptions(
            views=RenderOptions.parse_views(view),
            size=RenderOptions.parse_size(size) if size is not None else None,
            start=Moment.parse(start) if start is not None else None,
            end=Moment.parse(end) if end is not None else None,
            limit=limit,
            skip=skip,
            downsample=downsample,
            speed=speed,
            bitrate_kbps=bitrate,
            azimuth_deg=azimuth,
            elevation_deg=elevation,
            turn_deg_s=turn,
            follow=follow,
            ground=ground,
            path=path,
            contacts=contacts,
            keypoints=keypoints,
            colours=colours,
        )
        if clip is None and (skip or input_fps is not None):
            raise InputError(
                "--skip and --input-fps speak of a film; name it with --clip.", reason="CLIP_MISSING"
            )
        count = _render(
            result, out, options, clip, input_fps, tuple(person or ()), tuple(beside or ()), reference, seen
        )
        typer.echo(f"{out}: {count} pictures")


def _render(
    result: Path,
    out: Path,
    options: RenderOptions,
    clip: Path | None,
    input_fps: str | None,
    persons: tuple[int, ...],
    others: tuple[Path, ...],
    reference: Path | None,
    seen: str | None,
) -> int:
    from pose_server.export.render import check_target, render
    from pose_server.export.subject import subject_of
    from pose_server.pipeline.options import parse_rate
    from pose_server.pipeline.results import parse_seen, read_people, seen_subject, title_of
    from pose_server.video.open import open_clip

    check_target(out, options)
    motions = read_people(result, persons)
    sides = options.by_sides(len(motions))
    named = [(title_of(other), other) for other in others]
    if reference is not None:
        named.append(("reference", reference))
    subject = subject_of(title_of(result) if named else "solved", motions, sides=sides)
    beside = [subject_of(title, read_people(path), sides=sides) for title, path in named]
    before = [seen_subject(result, motions, what, sides=sides) for what in parse_seen(seen)]
    with ProgressBars() as bars:
        source = None
        if clip is not None:
            rate = parse_rate(input_fps, "--input-fps") if input_fps is not None else None
            source = open_clip(clip, input_fps=rate, progress=bars)
            if options.skip or options.start or options.end:
                start = (options.start or Moment(frame=0)).later(options.skip, source.info.rate)
                end = options.end and options.end.later(options.skip, source.info.rate)
                source = open_clip(clip, start=start, end=end, input_fps=rate, progress=bars)
        return render(
            out,
            subject,
            options,
            rate=next(iter(motions.values())).rate,
            source=source,
            progress=bars,
            before=before,
            beside=beside,
        )
