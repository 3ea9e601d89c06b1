"""Which files the path of a clip means: one film, or the numbered pictures of a sequence."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from pose_shared.errors import MediaError
from pose_shared.transfer import is_sequence, sequence_files

__all__ = ["PICTURE_CODECS", "ImageSequence", "films_of", "find_sequence"]

#: Pictures that FFmpeg decodes, and with what.
PICTURE_CODECS = {
    ".bmp": "bmp",
    ".jpeg": "mjpeg",
    ".jpg": "mjpeg",
    ".png": "png",
    ".tga": "targa",
    ".webp": "webp",
}
#: Pictures with up to 32 bits a channel, which OpenImageIO reads.
_SCENE_SUFFIXES = (".dpx", ".exr", ".hdr", ".tif", ".tiff")
#: By which films are known among other files; a film that is named may have any suffix.
_FILM_SUFFIXES = (
    ".3gp",
    ".avi",
    ".flv",
    ".gif",
    ".m2ts",
    ".m4v",
    ".mkv",
    ".mov",
    ".mp4",
    ".mpeg",
    ".mpg",
    ".mts",
    ".mxf",
    ".ts",
    ".webm",
    ".wmv",
)


@dataclass(frozen=True)
class ImageSequence:
    """The pictures that one pattern means."""

    pattern: Path
    """With ``%04d`` or ``####`` where the number stands."""
    files: dict[int, Path]
    """By number, in order; files without content do not count."""


def films_of(path: Path) -> dict[str, Path]:
    """Return the films of a folder by what to call them, sorted; of anything else, that alone.

    Folders in it are not looked into.  One without films is given back, for `find_sequence` to refuse.
    """
    try:
        films = sorted(file for file in path.iterdir() if _is_film(file))
    except OSError:
        films = []
    if not films:
        return {path.stem: path}
    stems = Counter(film.stem for film in films)
    return {film.stem if stems[film.stem] == 1 else film.name: film for film in films}


def _is_film(file: Path) -> bool:
    # macOS writes a hidden "._film.mov" beside each film on foreign disks.
    return file.suffix.lower() in _FILM_SUFFIXES and not file.name.startswith(".") and file.is_file()


def find_sequence(path: Path) -> ImageSequence | None:
    """Return the sequence that a path means, None for a film.

    A picture's own name means no sequence: which of its digits count is for the user to say, and an
    upload brings the files that were named and no others.

    Raises
    ------
    MediaError
        There is no such clip (``MEDIA_NOT_FOUND``), or it is a folder (``MEDIA_IS_FOLDER``), empty
        (``MEDIA_EMPTY``), a single picture (``MEDIA_SINGLE_PICTURE``), or nothing that can be read.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return _sequence_of(path)
    except OSError as error:
        raise MediaError(
            f"'{path}' cannot be read ({error.strerror}); check the path and its permissions.",
            reason="MEDIA_UNREADABLE",
            path=path,
        ) from None
    if S_ISDIR(status.st_mode):
        raise MediaError(
            f"'{path}' is a folder; give a film, or an image sequence by its pattern, "
            f"such as {path / 'shot.%04d.png'}.",
            reason="MEDIA_IS_FOLDER",
            path=path,
        )
    if not S_ISREG(status.st_mode):
        raise MediaError(f"'{path}' is no file; give a film.", reason="MEDIA_NOT_A_FILM", path=path)
    if not status.st_size:
        raise MediaError(
            f"'{path.name}' is empty; copy or export the film again.", reason="MEDIA_EMPTY", path=path
        )
    if _is_picture(path):
        raise _single_picture(path)
    return None


def _sequence_of(pattern: Path) -> ImageSequence:
    if not is_sequence(pattern.name):
        raise MediaError(
            f"There is no film '{pattern}'; check the path.", reason="MEDIA_NOT_FOUND", path=pattern
        )
    if not _is_picture(pattern):
        known = " ".join(sorted((*PICTURE_CODECS, *_SCENE_SUFFIXES)))
        raise MediaError(
            f"'{pattern.name}' names no pictures that can be read; known are {known}.",
            reason="MEDIA_NOT_PICTURES",
            path=pattern,
        )
    digits_from = len(re.split(r"%\d*d|#", pattern.name, maxsplit=1)[0])
    found: dict[int, Path] = {}
    for file in sequence_files(pattern):
        if file.is_file() and file.stat().st_size:
            match = re.match(r"\d+", file.name[digits_from:])
            found.setdefault(int(match.group()) if match else 0, file)
    if not found:
        raise MediaError(
            f"No picture matches '{pattern}'; check the folder, the name and the number of digits.",
            reason="MEDIA_NOT_FOUND",
            path=pattern,
        )
    return ImageSequence(pattern, found)


def _is_picture(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in PICTURE_CODECS or suffix in _SCENE_SUFFIXES


def _single_picture(path: Path) -> MediaError:
    number = re.search(r"\d+(?=\D*$)", path.stem)
    advice = "give a film, or numbered pictures by their pattern, such as shot.%04d.png"
    if number:
        pattern = (
            f"{path.stem[: number.start()]}%0{len(number.group())}d{path.stem[number.end() :]}{path.suffix}"
        )
        advice = f"for the sequence it belongs to, give {os.path.join(path.parent, pattern)}"
    return MediaError(
        f"'{path.name}' is a single picture; {advice}.", reason="MEDIA_SINGLE_PICTURE", path=path
    )
