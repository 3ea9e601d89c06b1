"""What goes on, how far it is, and a way to stop it; at the foot of every page."""

from __future__ import annotations

from ..qt import QtWidgets
from .fields import words
from .work import Work

__all__ = ["ProgressStrip"]

_STEPS = 1000


class ProgressStrip(QtWidgets.QFrame):
    """Hidden while nothing goes on."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.setFrameShape(QtWidgets.QFrame.Shape.StyledPanel)
        self._work = work
        self.stage, self.counts, self.pace = words(), words(), words()
        self.bar = QtWidgets.QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setAccessibleName("Progress")
        self.cancel = QtWidgets.QPushButton("Cancel")
        self.cancel.setToolTip("Stop it, on the server too; the scene stays as it is")
        self.cancel.clicked.connect(work.cancel)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self.stage)
        bar = QtWidgets.QHBoxLayout()
        bar.addWidget(self.bar, 1)
        bar.addWidget(self.cancel)
        column.addLayout(bar)
        numbers = QtWidgets.QHBoxLayout()
        numbers.addWidget(self.counts)
        numbers.addStretch(1)
        numbers.addWidget(self.pace)
        for label in (self.counts, self.pace):
            label.setWordWrap(False)
        column.addLayout(numbers)
        work.changed.connect(self.look)
        self.look()

    def look(self) -> None:
        """Show what goes on now."""
        session = self._work.session
        self.setVisible(session is not None)
        if session is None:
            return
        self.stage.setText(f"{session.request.name}: {session.stage}")
        known = session.progress.total > 0
        self.bar.setRange(0, _STEPS if known else 0)
        self.bar.setValue(round(session.factor * _STEPS) if known else -1)
        self.counts.setText(session.counts)
        self.pace.setText(session.pace)
        self.cancel.setEnabled(not session.cancelling)
