"""Who of the people in the clip comes into the scene."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

from pose_shared.people_choice import PeopleChoice, PersonRow, count_words
from pose_shared.session import Result

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal
from ..scene_host import Placement
from .fields import words

__all__ = ["CoverageBar", "PeoplePage"]

_THUMBNAIL_LINES = 5


class CoverageBar(QtWidgets.QWidget):
    """Where in the clip a person was found: stretches along a line, in the application's colours."""

    def __init__(self, bars: Tuple[Tuple[float, float], ...], tip: str) -> None:
        super().__init__()
        self._bars = bars
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setMinimumHeight(max(6, self.fontMetrics().height() // 2))
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding, policy.Fixed)

    def paintEvent(self, event: Any) -> None:
        """Draw it."""
        painter = QtGui.QPainter(self)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.color(QtGui.QPalette.ColorRole.Base))
        colour = palette.color(QtGui.QPalette.ColorRole.Highlight)
        for begin, end in self._bars:
            left = begin * self.width()
            wide = max(1.0, (end - begin) * self.width())
            painter.fillRect(QtCore.QRectF(left, 0, wide, self.height()), colour)
        painter.end()


class _PersonLine(QtWidgets.QFrame):
    """A picture, a tick, and how much of the clip shows the person."""

    def __init__(self, row: PersonRow) -> None:
        super().__init__()
        self.setFrameShape(QtWidgets.QFrame.Shape.StyledPanel)
        self.index = row.person.index
        self.tick = QtWidgets.QCheckBox(row.title)
        self.tick.setChecked(row.chosen)
        self.tick.setToolTip(f"Bring {row.title.lower()} into the scene")
        self.picture = QtWidgets.QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._show_picture(row.person.thumbnail)
        if row.person.best_frame is not None:
            self.picture.setToolTip(f"Film frame {row.person.best_frame}")
        right = QtWidgets.QVBoxLayout()
        right.addWidget(self.tick)
        coverage = words(f"{row.coverage[:1].upper()}{row.coverage[1:]}, {row.span}")
        right.addWidget(coverage)
        self.bar = CoverageBar(row.bars, f"{row.title}: {row.coverage}, {row.span}")
        right.addWidget(self.bar)
        right.addStretch(1)
        line = QtWidgets.QHBoxLayout(self)
        line.addWidget(self.picture)
        line.addLayout(right, 1)

    def mousePressEvent(self, event: Any) -> None:
        """Take a click anywhere for one on the tick."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.tick.toggle()

    def _show_picture(self, jpeg: bytes) -> None:
        height = self.fontMetrics().height() * _THUMBNAIL_LINES
        ratio = self.devicePixelRatioF()
        picture = QtGui.QPixmap()
        if jpeg and picture.loadFromData(QtCore.QByteArray(jpeg)):
            mode = Qt.TransformationMode.SmoothTransformation
            picture = picture.scaledToHeight(round(height * ratio), mode)
            picture.setDevicePixelRatio(ratio)
            self.picture.setPixmap(picture)
        else:
            self.picture.setText("No picture")
        self.picture.setMinimumSize(height * 3 // 4, height)


class PeoplePage(QtWidgets.QWidget):
    """The picker.

    Attributes
    ----------
    picked
        Emitted with the job, the placement, and the numbers of those who come.
    put_off
        Emitted when the user wants nobody now.
    """

    picked = Signal(str, object, object)
    put_off = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._choice = PeopleChoice(())
        self._result: Optional[Result] = None
        self._placement: Optional[Placement] = None
        self.lines: List[_PersonLine] = []
        self.heading = words()
        self.everybody = QtWidgets.QPushButton("All")
        self.everybody.setToolTip("Choose everybody")
        self.everybody.clicked.connect(lambda: self._choose_all(True))
        self.nobody = QtWidgets.QPushButton("None")
        self.nobody.setToolTip("Choose nobody")
        self.nobody.clicked.connect(lambda: self._choose_all(False))
        self.bring = QtWidgets.QPushButton("Import")
        self.bring.setToolTip("Bring those who are ticked into the scene")
        self.bring.setAutoDefault(True)
        self.bring.clicked.connect(self._bring)
        self.later = QtWidgets.QPushButton("Not Now")
        self.later.setToolTip("Leave the scene as it is; the server keeps the result")
        self.later.clicked.connect(self._put_off)
        self._list = QtWidgets.QVBoxLayout()
        inside = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._list)
        column.addStretch(1)
        self._scroll = QtWidgets.QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self._scroll.setWidget(inside)
        choose = QtWidgets.QHBoxLayout()
        choose.addWidget(self.everybody)
        choose.addWidget(self.nobody)
        choose.addStretch(1)
        end = QtWidgets.QHBoxLayout()
        end.addWidget(self.bring, 1)
        end.addWidget(self.later)
        outer = QtWidgets.QVBoxLayout(self)
        outer.addWidget(self.heading)
        outer.addLayout(choose)
        outer.addWidget(self._scroll, 1)
        outer.addLayout(end)

    def show_people(self, result: Result, placement: Placement) -> None:
        """Ask about the people of a finished job."""
        self._result, self._placement = result, placement
        self._choice = PeopleChoice(result.found)
        found = count_words(len(result.found))
        self.heading.setText(f"{found} found in {placement.clip_name}. Who comes into the scene?")
        for line in self.lines:
            self._list.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.lines = [_PersonLine(row) for row in self._choice.rows]
        before: QtWidgets.QWidget = self.nobody
        for line in self.lines:
            line.tick.toggled.connect(lambda on, index=line.index: self._choose(index, on))
            self._list.addWidget(line)
            self.setTabOrder(before, line.tick)
            before = line.tick
        self.setTabOrder(before, self.bring)
        self.setTabOrder(self.bring, self.later)
        self.look()
        if self.lines:
            self.lines[0].tick.setFocus()

    def look(self) -> None:
        """Say on the button what it does."""
        self.bring.setText(f"Import {self._choice.summary}")
        self.bring.setEnabled(bool(self._choice.chosen))

    def _choose(self, index: int, on: bool) -> None:
        self._choice.choose(index, on)
        self.look()

    def _choose_all(self, on: bool) -> None:
        for line in self.lines:
            line.tick.setChecked(on)

    def _bring(self) -> None:
        if self._result is not None:
            self.picked.emit(self._result.job, self._placement, self._choice.chosen)

    def _put_off(self) -> None:
        if self._result is not None:
            self.put_off.emit(self._result.job)
