"""Fields of a form, in one style: with a tooltip, and no surprise by the wheel."""

from __future__ import annotations

from typing import Any, Iterable, Tuple, TypeVar

from ..qt import Qt, QtCore, QtWidgets

__all__ = [
    "Section",
    "align_labels",
    "choice",
    "choose",
    "chosen",
    "form",
    "number",
    "pair",
    "text_line",
    "tick",
    "whole",
    "words",
]

Option = Tuple[str, str, str]
_Field = TypeVar("_Field", bound=QtWidgets.QWidget)


class Section(QtWidgets.QWidget):
    """A heading with an arrow, and what it shows or hides."""

    def __init__(self, title: str, open_: bool = True) -> None:
        super().__init__()
        self._arrow = QtWidgets.QToolButton()
        self._arrow.setText(title)
        self._arrow.setCheckable(True)
        self._arrow.setChecked(open_)
        self._arrow.setAutoRaise(True)
        self._arrow.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._arrow.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._arrow.setAccessibleName(f"{title}, section")
        policy = QtWidgets.QSizePolicy.Policy
        self._arrow.setSizePolicy(policy.Expanding, policy.Fixed)
        font = self._arrow.font()
        font.setBold(True)
        self._arrow.setFont(font)
        self._arrow.toggled.connect(self._show)
        self.body = QtWidgets.QWidget()
        self.form = form(self.body)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._arrow)
        column.addWidget(self.body)
        self._show(open_)

    @property
    def is_open(self) -> bool:
        """Whether its content is shown."""
        return bool(self._arrow.isChecked())

    def open(self, open_: bool = True) -> None:
        """Show or hide its content."""
        self._arrow.setChecked(open_)

    def _show(self, open_: bool) -> None:
        self._arrow.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)
        self.body.setVisible(open_)


class _NoWheel(QtCore.QObject):
    """Lets a field change by the wheel only while it has the focus, so that scrolling past it is safe."""

    def eventFilter(self, field: Any, event: Any) -> bool:
        if event.type() == QtCore.QEvent.Type.Wheel and not field.hasFocus():
            event.ignore()
            return True
        return False


def form(owner: QtWidgets.QWidget) -> QtWidgets.QFormLayout:
    """Return the layout of a form: labels right, fields as wide as there is room."""
    layout = QtWidgets.QFormLayout(owner)
    layout.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return layout


def align_labels(forms: Iterable[QtWidgets.QFormLayout]) -> None:
    """Make the labels of forms that stand one above the other equally wide."""
    role = QtWidgets.QFormLayout.ItemRole.LabelRole
    items = [layout.itemAt(row, role) for layout in forms for row in range(layout.rowCount())]
    widgets = [item.widget() for item in items if item is not None]
    labels = [label for label in widgets if isinstance(label, QtWidgets.QLabel)]
    width = max(label.sizeHint().width() for label in labels)
    for label in labels:
        label.setMinimumWidth(width)
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


def whole(value: int, low: int, high: int, tip: str, unset: str = "") -> QtWidgets.QSpinBox:
    """Return a field for a whole number; `unset` is shown for the lowest."""
    field = QtWidgets.QSpinBox()
    field.setRange(low, high)
    field.setValue(value)
    return _ready(field, tip, unset)


def number(
    value: float, low: float, high: float, tip: str, unset: str = "", *, digits: int = 2, step: float = 0.1
) -> QtWidgets.QDoubleSpinBox:
    """Return a field for a number; `unset` is shown for the lowest."""
    field = QtWidgets.QDoubleSpinBox()
    field.setDecimals(digits)
    field.setRange(low, high)
    field.setSingleStep(step)
    field.setValue(value)
    return _ready(field, tip, unset)


def choice(options: Iterable[Option], tip: str) -> QtWidgets.QComboBox:
    """Return a field to choose from values with names and descriptions."""
    field = QtWidgets.QComboBox()
    field.setMinimumContentsLength(8)
    field.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for value, name, description in options:
        field.addItem(name, value)
        field.setItemData(field.count() - 1, description, Qt.ItemDataRole.ToolTipRole)
    return _ready(field, tip)


def chosen(field: QtWidgets.QComboBox) -> Any:
    """Return the value that is chosen."""
    return field.currentData()


def choose(field: QtWidgets.QComboBox, value: Any) -> None:
    """Choose a value, if the field has it."""
    index = field.findData(value)
    if index >= 0:
        field.setCurrentIndex(index)


def tick(text: str, on: bool, tip: str) -> QtWidgets.QCheckBox:
    """Return a field for yes or no."""
    field = QtWidgets.QCheckBox(text)
    field.setChecked(on)
    field.setToolTip(tip)
    return field


def text_line(text: str, tip: str, hint: str = "") -> QtWidgets.QLineEdit:
    """Return a field for a line of text."""
    field = QtWidgets.QLineEdit(text)
    field.setPlaceholderText(hint)
    field.setToolTip(tip)
    return field


def words(text: str = "") -> QtWidgets.QLabel:
    """Return a text that wraps, and can be selected and copied, by the keyboard too."""
    label = QtWidgets.QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label


def pair(*fields: QtWidgets.QWidget) -> QtWidgets.QHBoxLayout:
    """Return a row of fields; the first one takes the room."""
    row = QtWidgets.QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    for index, field in enumerate(fields):
        row.addWidget(field, 0 if index else 1)
    return row


def _ready(field: _Field, tip: str, unset: str = "") -> _Field:
    field.setToolTip(tip)
    if unset and isinstance(field, QtWidgets.QAbstractSpinBox):
        field.setSpecialValueText(unset)
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    field.installEventFilter(_NoWheel(field))
    return field
