"""Where the window tells what was done, and what does not work."""

from __future__ import annotations

from ..qt import QtWidgets
from .fields import words

__all__ = ["MessageArea"]


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
        style = QtWidgets.QStyle.StandardPixmap
        close = QtWidgets.QToolButton()
        close.setIcon(self.style().standardIcon(style.SP_TitleBarCloseButton))
        close.setAutoRaise(True)
        close.setToolTip("Take the message away")
        close.setAccessibleName("Take the message away")
        close.clicked.connect(lambda: self.show_message("", False))
        row = QtWidgets.QHBoxLayout(self)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addWidget(close)
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
