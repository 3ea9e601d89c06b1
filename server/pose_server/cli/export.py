"""`pose-server export`: write finished motions to the files of other programs."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer
from pose_shared.errors import InputError, NotFoundError

from pose_server.cli.errors import clear_errors
from pose_server.cli.files import RotationOrder, Unit, Up
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.options import FORMATS, parse_rate

__all__ = ["export_command"]

_MOTION = "motion.npz"
#: A film needs its clip, and so is made by an import or by refine --clip.
_FORMATS = tuple(name for name in FORMATS if name != "preview")


def export_command(
    motions: Annotated[
        list[Path],
        typer.Argument(
            help="One or several motion.npz, or folders that an import wrote, for everybody in them.",
            metavar="MOTION",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for the files; of several people each gets one inside it."),
    ],
    formats: Annotated[
        str,
        typer.Option(help=f"What to write, with commas between (docs/exports.md): {', '.join(_FORMATS)}."),
    ],
    unit: Unit = None,
    up: Up = None,
    rotation_order: RotationOrder = None,
    fps: Annotated[
        str | None,
        typer.Option(help="Rows per second, such as 24 or 30000/1001; the motion's own if not given."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Write motions that an import or a refinement made to files for other programs.

    A file appears complete or not at all, in place of one of the same name.
    """
    with clear_errors(as_json=as_json, debug=debug):
        names = tuple(dict.fromkeys(name.strip() for name in formats.split(",") if name.strip()))
        unknown = [name for name in names if name not in _FORMATS]
        if unknown or not names:
            raise InputError(
                f"There is no output format '{unknown[0] if unknown else formats}'; choose from "
                f"{', '.join(_FORMATS)}.",
                reason="FORMAT_UNKNOWN",
                value=unknown[0] if unknown else formats,
            )
        options = FileOptions(unit, up, rotation_order)
        rate = None if fps is None else _rate(fps)
        begin = time.monotonic()
        written = _export(motions, out, names, options, rate)
        if as_json:
            typer.echo(json.dumps({"files": [str(path) for path in written]}, indent=2, ensure_ascii=False))
        else:
            for path in written:
                typer.echo(str(path))
            typer.echo(f"{len(written)} files in {time.monotonic() - begin:.1f} s")


def _export(
    given: list[Path], out: Path, formats: tuple[str, ...], options: FileOptions, rate: Fraction | None
) -> list[Path]:
    from pose_server.export.formats import check_formats, write_motion, written_files
    from pose_server.export.npz import read_npz
    from pose_server.solve.resample import resampled

    check_formats(formats, options)
    people = _people(given)
    written = []
    for name, path in people.items():
        motion = read_npz(path)
        if rate is not None:
            motion = resampled(motion, rate)
        folder = out if len(people) == 1 else out / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"'{folder}' cannot be a folder ({error.strerror}); choose another --out.",
                reason="OUTPUT_NOT_WRITABLE",
                path=folder,
            ) from error
        files = [folder / file for file in written_files(formats)]
        same = next((file for file in files if file.exists() and file.samefile(path)), None)
        if same is not None:
            raise InputError(
                f"{path} would be replaced by itself; choose another --out, or leave npz out.",
                reason="OUTPUT_IS_INPUT",
                path=path,
            )
        write_motion(folder, motion, formats, name=name, options=options)
        written += files
    return written


def _people(given: list[Path]) -> dict[str, Path]:
    """Return the motions by a name for each that no other one has: of its folder, as a rule."""
    paths: list[Path] = []
    for path in given:
        inside = sorted(path.glob(f"person_[0-9][0-9]/{_MOTION}")) if path.is_dir() else [path]
        if not inside:
            raise NotFoundError(
                f"'{path}' holds nobody's {_MOTION}; give a folder that an import wrote, or a {_MOTION}.",
                reason="FILE_NOT_FOUND",
                path=path,
            )
        paths += inside
    people: dict[str, Path] = {}
    for path in dict.fromkeys(path.resolve() for path in paths):
        name = path.parent.name if path.name == _MOTION else path.stem
        name = name or "person"
        number = 1
        while (unique := name if number == 1 else f"{name}_{number}") in people:
            number += 1
        people[unique] = path
    return people


def _rate(text: str) -> Fraction:
    rate = parse_rate(text, "--fps")
    if not Fraction(1, 10) <= rate <= 1000:
        raise InputError(
            f"--fps {text} is not possible; give 0.1 to 1000 frames per second.",
            reason="RATE_INVALID",
            value=text,
        )
    return rate
