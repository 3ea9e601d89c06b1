"""Where the window tells what was done, and what does not work."""

from __future__ import annotations

from typing import Any

from ..qt import Qt, QtWidgets
from .fields import words

__all__ = ["MessageArea"]

_MOST_LINES = 6


class MessageArea(QtWidgets.QFrame):
    """One message at a time, with an icon; hidden while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QtWidgets.QFrame.Shape.StyledPanel)
        self.setObjectName("message")
        self._icon = QtWidgets.QLabel()
        self._text = words()
        self._text.setAccessibleName("Message")
        self._is_error = False
        self._scroll = QtWidgets.QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self._scroll.setWidget(self._text)
        style = QtWidgets.QStyle.StandardPixmap
        close = QtWidgets.QToolButton()
        close.setIcon(self.style().standardIcon(style.SP_TitleBarCloseButton))
        close.setAutoRaise(True)
        close.setToolTip("Take the message away")
        close.setAccessibleName("Take the message away")
        close.clicked.connect(lambda: self.show_message("", False))
        row = QtWidgets.QHBoxLayout(self)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._scroll, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Preferred, policy.Fixed)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return str(self._text.text())

    @property
    def is_error(self) -> bool:
        """Whether that is something that does not work."""
        return self._is_error

    def show_message(self, text: str, is_error: bool) -> None:
        """Say something; nothing when the text is empty."""
        style = QtWidgets.QStyle.StandardPixmap
        kind = style.SP_MessageBoxWarning if is_error else style.SP_MessageBoxInformation
        size = self.style().pixelMetric(QtWidgets.QStyle.PixelMetric.PM_SmallIconSize)
        self._icon.setPixmap(self.style().standardIcon(kind).pixmap(size, size))
        self._is_error = is_error
        self._text.setText(text)
        self.setVisible(bool(text))
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Stay as high as the text needs at this width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        line = self.fontMetrics().lineSpacing()
        needed = self._text.heightForWidth(max(1, self._scroll.viewport().width()))
        self._scroll.setFixedHeight(max(line, min(needed, line * _MOST_LINES)) + 2)
