"""Where the views of a picture are: side by side, or in a column for each of several subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pose_server.export.figure import Picture

__all__ = ["TITLE_PX", "Arrangement", "Cell"]

#: Of the line above a column.
TITLE_PX = 30
_WIDEST_PX, _TALLEST_PX, _SHORTEST_PX, _USUAL_PX = 1280, 720, 360, 540
_COLUMN_PX, _COLUMNS_PX = 512, 1536
#: A room's width over its height: alone, beside another view, below one.
_ALONE, _BESIDE, _BELOW = 16 / 9, 1.0, 1.6
#: What the camera's view may take of a picture of given size that has rooms too.
_CAMERA_SHARE = 0.6


@dataclass(frozen=True)
class Cell:
    """A place in the picture."""

    left: int
    top: int
    width: int
    height: int

    def of(self, picture: Picture) -> Picture:
        """Return that part of a picture, to be drawn into."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]

    def fitted(self, aspect: float) -> Cell:
        """Return the middle part that is so many times as wide as high."""
        width = max(1, min(self.width, round(self.height * aspect)))
        height = max(1, min(self.height, round(self.width / aspect)))
        return Cell(
            self.left + (self.width - width) // 2, self.top + (self.height - height) // 2, width, height
        )


@dataclass(frozen=True)
class Arrangement:
    """Which view is where."""

    size: tuple[int, int]
    """Of the picture."""
    cells: tuple[tuple[Cell, ...], ...]
    """For each subject one for each view."""

    @classmethod
    def row(
        cls, views: Sequence[str], aspect: float, footage_px: int | None, size: tuple[int, int] | None
    ) -> Self:
        """Put the views of one subject side by side.

        Parameters
        ----------
        views
            Their names; the camera's is so many times as wide as high as `aspect` says.
        aspect
            Of what the camera sees.
        footage_px
            How tall the film is, which is not enlarged without need.
        size
            Of the picture; even, and such that nothing stays empty, when None.
        """
        cameras, rooms = _counted(views)
        if size is None:
            beside = _BESIDE if len(views) > 1 else _ALONE
            tall = max(footage_px or _USUAL_PX, _SHORTEST_PX)
            tall = _even(min(_TALLEST_PX, tall, _WIDEST_PX / (aspect * cameras + beside * rooms)))
            camera, room = _even(tall * aspect), _even(tall * beside)
            size = (camera * cameras + room * rooms, tall)
        else:
            camera, room = _shares(size[0], size[1] * aspect, cameras, rooms)
        cells, left = [], 0
        for view in views:
            width = camera if view == "camera" else room
            cells.append(Cell(left, 0, width, size[1]))
            left += width
        return cls(size, (tuple(cells),))

    @classmethod
    def columns(
        cls, count: int, views: Sequence[str], aspect: float, notes_px: int, size: tuple[int, int] | None
    ) -> Self:
        """Give each of several subjects a column: a title, the views below each other, notes."""
        cameras, rooms = _counted(views)
        if size is None:
            width = _even(min(_COLUMN_PX, _COLUMNS_PX / count))
            camera, room = _even(width / aspect), _even(width / (_BELOW if len(views) > 1 else _BESIDE))
            size = (width * count, _even(TITLE_PX + camera * cameras + room * rooms + notes_px))
        else:
            width = size[0] // count
            camera, room = _shares(size[1] - TITLE_PX - notes_px, width / aspect, cameras, rooms)
        columns = []
        for left in range(0, count * width, width):
            cells, top = [], TITLE_PX
            for view in views:
                height = camera if view == "camera" else room
                cells.append(Cell(left, top, width, height))
                top += height
            columns.append(tuple(cells))
        return cls(size, tuple(columns))


def _counted(views: Sequence[str]) -> tuple[int, int]:
    cameras = sum(view == "camera" for view in views)
    return cameras, len(views) - cameras


def _shares(length: int, wanted: float, cameras: int, rooms: int) -> tuple[int, int]:
    """Return what each camera's view and each room get of a length; one of both may be none."""
    camera = 0
    if cameras:
        most = length * (_CAMERA_SHARE if rooms else 1.0) / cameras
        camera = int(min(wanted, most)) if rooms else int(most)
    return max(camera, 1), max((length - camera * cameras) // max(rooms, 1), 1)


def _even(pixels: float) -> int:
    return max(2, 2 * round(pixels / 2))
