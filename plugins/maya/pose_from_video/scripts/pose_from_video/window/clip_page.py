"""What to import, and how it goes into the scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple

from pose_shared.clips import FILM_SUFFIXES, IMAGE_SUFFIXES
from pose_shared.errors import PoseError
from pose_shared.import_settings import RATES, ImportSettings
from pose_shared.messages import ServerInfo
from pose_shared.solve_settings import SolveSettings

from ..qt import Qt, QtWidgets, Signal
from ..scene_host import Placement
from .desk import Desk
from .fields import (
    Section,
    align_labels,
    choice,
    choose,
    chosen,
    form,
    number,
    pair,
    text_line,
    tick,
    whole,
    words,
)
from .solve_fields import SolveFields

__all__ = ["ClipPage"]

_LENSES = (
    ("", "Not Known", "What the film says of itself, what its lines tell, or else a usual one"),
    ("fov_deg", "Field of View", "Horizontal, in degrees"),
    ("focal_mm", "Focal Length", "In mm on a 36 mm sensor"),
)
_CAMERAS = (
    ("auto", "Automatic", "Follow it where it turned"),
    ("still", "Still", "It stood still"),
)
_AUTOMATIC = ("", "Automatic", "The best that the server has")
#: Stands for the scene's first frame.
_UNSET_FRAME = -1_000_000
_MOST_FRAMES = 100_000_000


class ClipPage(QtWidgets.QWidget):
    """The form of an import.

    Attributes
    ----------
    asked
        Emitted when the user wants the import.
    """

    asked = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setAcceptDrops(True)
        self.path = text_line("", "A film, or any picture of an image sequence", "A film or a picture")
        self.path.setAccessibleName("Video")
        self.path.textChanged.connect(lambda text: self.look())
        self.path.editingFinished.connect(self._describe)
        self.path.returnPressed.connect(self._press_import)
        self.browse = QtWidgets.QPushButton("Browse…")
        self.browse.setToolTip("Pick a film, or any picture of an image sequence")
        self.browse.clicked.connect(self._browse)
        self.planes = QtWidgets.QToolButton()
        self.planes.setText("From Scene")
        self.planes.setToolTip("Take the film of an image plane of the scene")
        self.planes.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        self.planes.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.plane_menu = QtWidgets.QMenu(self.planes)
        self.plane_menu.aboutToShow.connect(self.list_planes)
        self.planes.setMenu(self.plane_menu)
        self.description = words()
        self._make_range()
        self._make_lens()
        self._make_people()
        self.import_button = QtWidgets.QPushButton("Import")
        self.import_button.setToolTip("Turn the people in the video into keyed joints")
        self.import_button.setAutoDefault(True)
        self.import_button.clicked.connect(self.asked)
        self._lay_out()
        self._recall()
        self.look()

    def settings(self) -> ImportSettings:
        """Return what the form says of the clip."""
        known = {chosen(self.lens): self.lens_value.value()}
        return ImportSettings(
            path=self.path.text(),
            people=self.people.value(),
            frame_start=self.frame_start.value(),
            frame_end=self.frame_end.value(),
            sequence_fps=self.sequence_fps.value(),
            fov_deg=known.get("fov_deg", 0.0),
            focal_mm=known.get("focal_mm", 0.0),
            camera=chosen(self.camera),
            detector=chosen(self.detector),
            solve=self.solve.settings().options,
        )

    def placement(self, clip_name: str = "") -> Placement:
        """Return what the form says of the scene; the clip with it where a path is given, raises as there."""
        clip = None if clip_name else self.settings().clip()
        host, rate = self._desk.host, chosen(self.rate)
        unset = self.scene_frame.value() == _UNSET_FRAME
        return Placement(
            clip_name=clip.name if clip else clip_name,
            server=self._desk.server,
            clip=clip,
            scene_frame=host.first_frame() if unset else self.scene_frame.value(),
            first_source_frame=self.frame_start.value() if clip else 0,
            match_rate=rate == "MATCH",
            asked_rate=host.scene_rate() if rate == "CONVERT" else None,
            camera=self.add_camera.isChecked(),
            film=self.add_film.isChecked(),
            confidence=self.add_confidence.isChecked(),
            solve=self.solve.settings(),
        )

    def look(self) -> None:
        """Let what can be done now be what can be pressed."""
        self.import_button.setEnabled(bool(self.path.text().strip()) and self._desk.work.session is None)
        self.lens_value.setEnabled(bool(chosen(self.lens)))
        self.add_film.setEnabled(self.add_camera.isChecked())

    def take_path(self, path: str) -> None:
        """Take a clip."""
        self.path.setText(path)
        self._describe()

    def show_server(self, info: ServerInfo) -> None:
        """Offer what a server can use."""
        wanted = chosen(self.detector) or self._desk.remembered("detector", "")
        self.detector.clear()
        self._add_detector(*_AUTOMATIC)
        for detector in info.detectors:
            advice = detector.advice
            if not detector.models:
                self._add_detector(detector.name, detector.name, advice, detector.usable)
            for model in detector.models:
                name = f"{detector.name}:{model.name}"
                usable = detector.usable and model.here
                self._add_detector(name, name, model.advice or advice, usable)
        choose(self.detector, wanted)

    def remember(self) -> None:
        """Keep what the form says, but for the clip and its range."""
        self._desk.remember(
            folder=str(Path(self.path.text()).parent) if self.path.text() else "",
            rate=chosen(self.rate),
            people=self.people.value(),
            everybody=self.everybody.isChecked(),
            lens=chosen(self.lens),
            lens_value=self.lens_value.value(),
            camera=chosen(self.camera),
            detector=chosen(self.detector),
            add_camera=self.add_camera.isChecked(),
            add_film=self.add_film.isChecked(),
            add_confidence=self.add_confidence.isChecked(),
            solve=self.solve.settings().options,
        )

    def list_planes(self) -> None:
        """Offer the clips of the scene's image planes."""
        self.plane_menu.clear()
        planes = []
        with self._desk.speaking():
            planes = self._desk.host.image_planes()
        for plane in planes:
            action: Any = self.plane_menu.addAction(f"{plane.name}: {Path(plane.path).name}")
            action.triggered.connect(lambda checked=False, path=plane.path: self.take_path(path))
        if not planes:
            nothing: Any = self.plane_menu.addAction("No image plane shows a film")
            nothing.setEnabled(False)

    def dragEnterEvent(self, event: Any) -> None:
        """Accept a file."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Take a file that is dropped."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.take_path(url.toLocalFile())
                event.acceptProposedAction()
                return

    def _make_range(self) -> None:
        self.frame_start = whole(0, 0, _MOST_FRAMES, "First frame of the film to import, counted from 0")
        self.frame_end = whole(0, 0, _MOST_FRAMES, "First frame of the film to leave out", "End of the film")
        self.rate = choice(RATES, "What to do where the scene runs at another rate than the film")
        self.scene_frame = whole(
            _UNSET_FRAME,
            _UNSET_FRAME,
            _MOST_FRAMES,
            "Where the first imported frame goes",
            "Scene's first frame",
        )
        self.sequence_fps = number(
            0, 0, 1000, "Frames per second of an image sequence", "Scene's rate", digits=3, step=1
        )

    def _make_lens(self) -> None:
        self.lens = choice(_LENSES, "What is known of the lens that filmed the clip")
        self.lens.currentIndexChanged.connect(lambda index: self.look())
        self.lens_value = number(50, 1, 1000, "Degrees, or mm on a 36 mm sensor", digits=1, step=1)
        self.camera = choice(_CAMERAS, "What the camera did that filmed the clip")
        self.detector = choice([_AUTOMATIC], "What finds the people")

    def _make_people(self) -> None:
        self.people = whole(0, 0, 64, "Keep this many of the largest people", "Everybody")
        self.everybody = tick(
            "Bring everybody without asking", False, "Leave out the question who comes into the scene"
        )
        self.add_camera = tick("Camera", True, "Add the camera that filmed the clip")
        self.add_camera.toggled.connect(lambda on: self.look())
        self.add_film = tick("Film Behind", True, "Show the film in that camera, as an image plane")
        self.add_confidence = tick(
            "Confidence", False, "Key how sure the server is of each joint, as an attribute"
        )

    def _lay_out(self) -> None:
        head = QtWidgets.QWidget()
        clip = form(head)
        clip.addRow("Video", self.path)
        clip.addRow("", pair(QtWidgets.QWidget(), self.browse, self.planes))
        clip.addRow("", self.description)
        self.sections: Dict[str, Section] = {}
        rows: Dict[str, List[Tuple[str, Any]]] = {
            "Range and Rate": [
                ("From Film Frame", self.frame_start),
                ("To Film Frame", self.frame_end),
                ("Rate", self.rate),
                ("At Scene Frame", self.scene_frame),
                ("Sequence Rate", self.sequence_fps),
            ],
            "People": [("Keep", self.people), ("", self.everybody)],
            "Lens and Camera": [
                ("Lens", pair(self.lens, self.lens_value)),
                ("Film Camera", self.camera),
                ("Detector", self.detector),
            ],
            "Solve": [],
            "Into the Scene": [("Add", self.add_camera), ("", self.add_film), ("", self.add_confidence)],
        }
        inside = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(head)
        for title, fields in rows.items():
            section = Section(title, title in ("Range and Rate", "People"))
            for label, field in fields:
                section.form.addRow(label, field)
            self.sections[title] = section
            column.addWidget(section)
        self.solve = SolveFields(self.sections["Solve"].form)
        align_labels([clip, *(section.form for section in self.sections.values())])
        column.addStretch(1)
        scroll = QtWidgets.QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        scroll.setWidget(inside)
        outer = QtWidgets.QVBoxLayout(self)
        outer.addWidget(scroll, 1)
        outer.addWidget(self.import_button)

    def _recall(self) -> None:
        recall = self._desk.remembered
        choose(self.rate, recall("rate", "MATCH"))
        self.people.setValue(recall("people", 0))
        self.everybody.setChecked(recall("everybody", False))
        choose(self.lens, recall("lens", ""))
        self.lens_value.setValue(recall("lens_value", 50.0))
        choose(self.camera, recall("camera", "auto"))
        self.add_camera.setChecked(recall("add_camera", True))
        self.add_film.setChecked(recall("add_film", True))
        self.add_confidence.setChecked(recall("add_confidence", False))
        with self._desk.speaking():
            self.solve.show(SolveSettings.of(recall("solve", {})))

    def _add_detector(self, value: str, name: str, advice: str, usable: bool = True) -> None:
        self.detector.addItem(name, value)
        index = self.detector.count() - 1
        self.detector.setItemData(index, advice, Qt.ItemDataRole.ToolTipRole)
        model: Any = self.detector.model()
        model.item(index).setEnabled(usable)

    def _browse(self) -> None:
        pattern = " ".join(f"*{suffix}" for suffix in (*FILM_SUFFIXES, *IMAGE_SUFFIXES))
        folder = self.path.text() or self._desk.remembered("folder", "")
        path, _ = QtWidgets.QFileDialog.getOpenFileName(
            self, "Import Pose from Video", folder, f"Films and pictures ({pattern});;All files (*)"
        )
        if path:
            self.take_path(path)

    def _press_import(self) -> None:
        if self.import_button.isEnabled():
            self.import_button.click()

    def _describe(self) -> None:
        """Say what the path stands for."""
        if not self.path.text().strip():
            self.description.setText("")
            return
        try:
            clip = self.settings().clip()
        except PoseError as error:
            self.description.setText(error.message)
            return
        if clip.is_sequence:
            self.description.setText(f"Image sequence {clip.source.name}, from {clip.first_number}")
        else:
            size = clip.first_file.stat().st_size
            self.description.setText(f"Film of {size / 1e6:.1f} MB")
