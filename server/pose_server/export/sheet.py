"""One picture of a film: what the camera sees and the room from several sides, for one or more subjects."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pose_server.export.arrangement import Arrangement, Cell
from pose_server.export.figure import LEFT, RIGHT, Colour, Figure, Picture, text_width, write_text
from pose_server.export.overlay import draw_keypoints, draw_on_film, shrunk
from pose_server.export.room import Look, RoomView
from pose_server.export.subject import Shown, Subject, framed
from pose_server.pipeline.boundary import FloatArray

__all__ = ["Sheet", "Tick"]

_GROUND: Colour = (24, 26, 31)
_BRIGHT: Colour = (232, 234, 238)
_LABEL: Colour = (214, 218, 226)
_FAINT: Colour = (150, 156, 166)
_NOTE_PX = 21
#: From which height of the whole picture, and width of a view, on letters grow.
_LETTERS_PX, _ROOM_PX = 720, 512
#: A view that is narrower says less of itself.
_ROOMY_PX = 300
#: Azimuth and elevation of the views that are nobody's to turn, in degrees.
_FIXED = {"front": (0.0, 4.0), "side": (90.0, 4.0), "top": (0.0, 90.0)}

_Present = Sequence[tuple[Shown, tuple[FloatArray, FloatArray]]]


@dataclass(frozen=True)
class Tick:
    """A moment to be drawn."""

    index: int
    """Source frame number."""
    time_s: float
    frame: Picture | None = None
    """Of the film; None for a plain ground."""


class Sheet:
    """Draws moments; the arrangement stays the same from picture to picture.

    Parameters
    ----------
    subjects
        One has its views side by side; several have a column each, with a title above.
    views
        Of `pipeline.render_options.VIEWS`, in order.
    aspect
        Width over height of what the camera sees.
    size
        Of the picture; even, and such that nothing stays empty, when None.
    footage_px
        How tall the film is, which is not enlarged without need.
    look
        From where the room is seen.
    contacts, keypoints
        Whether they are marked.
    sides
        Whether figures have colours by side, to be explained.
    framing
        Whom the views of the room must hold; everybody when None.
    remark
        Something behind frame and time.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        *,
        views: Sequence[str],
        aspect: float,
        size: tuple[int, int] | None = None,
        footage_px: int | None = None,
        look: Look | None = None,
        contacts: bool = False,
        keypoints: bool = False,
        sides: bool = False,
        framing: Sequence[Figure] | None = None,
        remark: str = "",
    ) -> None:
        self._subjects, self._views, self._aspect = tuple(subjects), tuple(views), aspect
        self._contacts, self._keypoints, self._sides, self._remark = contacts, keypoints, sides, remark
        if len(self._subjects) > 1:
            lines = max(len(subject.notes) for subject in self._subjects)
            notes_px = _NOTE_PX * lines + 9 if lines else 0
            arranged = Arrangement.columns(len(self._subjects), self._views, aspect, notes_px, size)
        else:
            arranged = Arrangement.row(self._views, aspect, footage_px, size)
        self._cells, self.size = arranged.cells, arranged.size
        self._letters = max(1.0, min(self.size[1] / _LETTERS_PX, self._cells[0][-1].width / _ROOM_PX))
        everybody = framed(self._subjects) if framing is None else tuple(framing)
        self._rooms = [
            {
                view: RoomView(everybody, cell.width, cell.height, _look(look or Look(), view))
                for view, cell in zip(self._views, cells, strict=True)
                if view != "camera"
            }
            for cells in self._cells
        ]
        self._empty = np.full((self.size[1], self.size[0], 3), _GROUND, np.uint8)
        if len(self._subjects) > 1:
            for subject, cells in zip(self._subjects, self._cells, strict=True):
                self._write_around(subject, cells)

    def draw(self, tick: Tick) -> Picture:
        """Return the picture of a moment; moments come in order, as paths grow from one to the next."""
        picture = self._empty.copy()
        fitted: dict[tuple[int, int], Picture] = {}
        for subject, cells, rooms in zip(self._subjects, self._cells, self._rooms, strict=True):
            present = [(shown, at) for shown in subject.people if (at := shown.figure.at(tick.time_s))]
            for view, cell in zip(self._views, cells, strict=True):
                if view == "camera":
                    self._draw_camera(cell.fitted(self._aspect).of(picture), present, tick, fitted)
                    continue
                place = cell.of(picture)
                place[:] = self._room_picture(rooms[view], present, tick.time_s)
                if view in _FIXED:
                    place_px = (12, round(22 * self._letters))
                    write_text(place, view, place_px, _FAINT, size=self._letters)
        self._write_label(picture, tick)
        return picture

    def _draw_camera(
        self, place: Picture, present: _Present, tick: Tick, fitted: dict[tuple[int, int], Picture]
    ) -> None:
        size = place.shape[1], place.shape[0]
        if tick.frame is not None:
            if size not in fitted:
                fitted[size] = shrunk(tick.frame, size)
            place[:] = fitted[size]
        # From the farthest to the nearest, as far as that is known.
        for shown, (_, points) in sorted(present, key=lambda one: -np.nan_to_num(one[1][1][0, 2])):
            if self._keypoints:
                draw_keypoints(place, shown.camera, shown.keypoints_px[shown.row(tick.time_s)])
            draw_on_film(place, shown.figure, shown.camera, points)

    def _room_picture(self, room: RoomView, present: _Present, time_s: float) -> Picture:
        carrying = [shown.carrying_m(time_s) for shown, _ in present] if self._contacts else []
        return room.draw(
            [(shown.figure, points) for shown, (points, _) in present],
            time_s,
            np.concatenate(carrying) if carrying else None,
        )

    def _write_label(self, picture: Picture, tick: Tick) -> None:
        """Write frame and time into the first subject's last roomy view, and what colours and cells mean."""
        size, cells = self._letters, self._cells[0]
        roomy = [place for place, cell in enumerate(cells) if cell.width >= _ROOMY_PX * size]
        labelled = roomy[-1] if roomy else int(np.argmax([cell.width for cell in cells]))
        cell = cells[labelled]
        place, bottom = cell.of(picture), cell.height - 12
        left, space = 12, round(12 * size)
        label = f"frame {tick.index}   {tick.time_s:.2f} s{self._remark}"
        write_text(place, label, (left, bottom), _LABEL, size=size)
        if not roomy:
            return
        above = bottom - round(20 * size)
        if self._sides:
            write_text(place, "left", (left, above), LEFT, size=size)
            beside = left + text_width("left", size=size) + space
            write_text(place, "right", (beside, above), RIGHT, size=size)
        else:
            write_text(place, "left side lighter", (left, above), _FAINT, size=size)
        room = self._rooms[0].get(self._views[labelled])
        if room is not None and room.grid_m is not None:
            text = f"grid {room.grid_m} m"
            place_px = (cell.width - text_width(text, size=size) - left, above)
            write_text(place, text, place_px, _FAINT, size=size)

    def _write_around(self, subject: Subject, cells: Sequence[Cell]) -> None:
        left = cells[0].left + 10
        title = unicodedata.normalize("NFKD", subject.title)
        # A letter is about ten pixels wide.
        size = min(1.0, max(0.6, cells[0].width / (10 * max(len(title), 1))))
        write_text(self._empty, title, (left, 20), _BRIGHT, size=size)
        below = cells[-1].top + cells[-1].height + 20
        for line, note in enumerate(subject.notes):
            write_text(self._empty, note, (left, below + _NOTE_PX * line), _LABEL)


def _look(look: Look, view: str) -> Look:
    """Return how a view of that name looks; only the room's is the user's to turn."""
    if view not in _FIXED:
        return look
    azimuth_deg, elevation_deg = _FIXED[view]
    return replace(look, turn_deg_s=0.0, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg)
