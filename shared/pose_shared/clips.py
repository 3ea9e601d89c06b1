"""The clip as the user picked it: a film, or one file of an image sequence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pose_shared.errors import MediaError
from pose_shared.transfer import sequence_files

__all__ = ["FILM_SUFFIXES", "IMAGE_SUFFIXES", "Clip", "title_of"]

FILM_SUFFIXES = (
    ".mp4",
    ".mov",
    ".m4v",
    ".avi",
    ".mkv",
    ".webm",
    ".mts",
    ".m2ts",
    ".mpg",
    ".mpeg",
    ".wmv",
    ".mxf",
)
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".dpx", ".bmp", ".tga")
_PLACE_OF_NUMBER = re.compile(r"%0?\d*d")
_LAST_NUMBER = re.compile(r"(\d+)(?=\D*$)")


@dataclass(frozen=True)
class Clip:
    """A clip on this machine.

    Attributes
    ----------
    source
        The film, or the pattern of a sequence, such as ``shot.%04d.png``.
    first_file
        The film, or the first picture.
    first_number
        Of a sequence's files; None for a film.
    """

    source: Path
    first_file: Path
    first_number: int | None = None

    @classmethod
    def from_path(cls, path: Path) -> Clip:
        """Return the clip that a path stands for: any picture of a sequence stands for the whole.

        Raises
        ------
        MediaError
            There is no such file, or it is a picture without a number.
        """
        if not path.is_file():
            raise MediaError(f"There is no file '{path}'; pick a video.", reason="MEDIA_MISSING", path=path)
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            return cls(source=path, first_file=path)
        number = _LAST_NUMBER.search(path.stem)
        if not number:
            raise MediaError(
                f"'{path.name}' is a single picture; pick a film, or one of a row such as shot.0001.png.",
                reason="MEDIA_SINGLE_PICTURE",
                path=path,
            )
        head, tail = path.stem[: number.start()], path.stem[number.end() :] + path.suffix
        pattern = path.parent / f"{head}%0{len(number[1])}d{tail}"
        first = sequence_files(pattern)[0]
        first_number = int(first.name[len(head) : len(first.name) - len(tail)])
        return cls(source=pattern, first_file=first, first_number=first_number)

    @property
    def is_sequence(self) -> bool:
        """Whether it is a row of pictures."""
        return self.first_number is not None

    @property
    def name(self) -> str:
        """What to call it: short enough that Blender keeps what is appended."""
        stem = self.first_file.stem
        if self.is_sequence:
            stem = _LAST_NUMBER.sub("", stem).strip(" ._-") or stem
        return stem.encode()[:40].decode(errors="ignore")


def title_of(file_name: str) -> str:
    """Return what to call a clip that is known by its file name or pattern alone, as a server's job is."""
    stem = Path(file_name).stem
    return _PLACE_OF_NUMBER.sub("", stem).strip(" ._-") or stem
