"""Qt as the host brings it: PySide6 (Maya 2025 and later), or PySide2.

Everything of Qt in the add-on comes from here, in the spelling that both understand: enumerations with
their class (``Qt.ItemDataRole.UserRole``), and ``exec_`` nowhere.
"""

try:
    from PySide6 import QtCore, QtGui, QtWidgets
except ImportError:
    from PySide2 import QtCore, QtGui, QtWidgets  # type: ignore[no-redef]

__all__ = ["Qt", "QtCore", "QtGui", "QtWidgets", "Signal"]

Qt = QtCore.Qt
Signal = QtCore.Signal
