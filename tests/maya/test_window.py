"""The window by real events, offscreen, against a server that answers at once and against a real one."""

from __future__ import annotations

import importlib
import io
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dancers import FILM_FRAMES, Dancer
from fake_pose_server import FakeServer
from PIL import Image
from pose_shared._generated.pose.v1 import jobs_pb2, types_pb2
from pose_shared.client import Client
from pose_shared.errors import ConflictError, MediaError
from pose_shared.local_server import LocalServer
from pose_shared.rig import Rig, RigBone

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytest.importorskip(
    "pose_from_video.qt",
    reason="PySide6 is not installed (pip install -e .[dev]), or lacks a library (scripts/system-packages)",
    exc_type=ImportError,
)

from fake_scene_host import FakeSceneHost
from pose_from_video.qt import Qt, QtCore, QtGui, QtWidgets
from pose_from_video.scene_host import ImagePlane
from pose_from_video.window import PoseWindow

#: Of the same Qt.
QTest = importlib.import_module(f"{QtCore.__name__.rpartition('.')[0]}.QtTest").QTest

REST = (1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0)
HERO = Rig("hero", (RigBone("hips", "", REST),))
#: Where nothing listens.
NOWHERE = "127.0.0.1:1"
LONGEST_S = 20.0


def pause(seconds: float) -> None:
    """Let Qt and everybody else work: QTest's own waiting keeps Python's lock."""
    loop = QtCore.QEventLoop()
    QtCore.QTimer.singleShot(round(seconds * 1000), loop.quit)
    (getattr(loop, "exec", None) or loop.exec_)()


class User:
    """Somebody with a mouse and a keyboard."""

    def __init__(self, window: PoseWindow, host: FakeSceneHost) -> None:
        self.window = window
        self.host = host

    def wait(self, look: Callable[[], Any]) -> None:
        end = time.monotonic() + LONGEST_S
        while not look():
            assert time.monotonic() < end, f"it never came; the window says: {self.message}"
            pause(0.02)

    def press(self, button: QtWidgets.QAbstractButton) -> None:
        assert button.isVisible() and button.isEnabled(), button.text()
        where = QtCore.QPoint(min(button.width() // 2, 10), button.height() // 2)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)

    def type(self, field: QtWidgets.QWidget, text: str, end: Any = Qt.Key.Key_Tab) -> None:
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(field, Qt.Key.Key_Delete)
        QTest.keyClicks(field, text)
        QTest.keyClick(field, end)

    def choose(self, field: QtWidgets.QComboBox, name: str) -> None:
        """By the keyboard: the first letters of an entry."""
        field.setFocus()
        QTest.keyClicks(field, name)
        assert field.currentText() == name

    def show(self, page: QtWidgets.QWidget) -> None:
        """Click the page's tab."""
        bar = self.window.tabs.tabBar()
        index = self.window.tabs.indexOf(page)
        where = bar.tabRect(index).center()
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)
        assert self.window.tabs.currentWidget() is page

    def pick_film(self, path: Path) -> None:
        self.type(self.window.clip_page.path, str(path))

    def import_everybody(self, film: Path) -> None:
        self.window.clip_page.everybody.setChecked(True)
        self.pick_film(film)
        self.press(self.window.clip_page.import_button)
        self.wait(lambda: self.host.people)

    @property
    def message(self) -> str:
        return self.window.messages.text

    @property
    def picking(self) -> bool:
        return self.window.import_pages.currentWidget() is self.window.people_page


@pytest.fixture(scope="session")
def application() -> QtWidgets.QApplication:
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


@pytest.fixture
def open_window(application: QtWidgets.QApplication) -> Iterator[Callable[..., User]]:
    windows = []

    def open_(host: FakeSceneHost, address: str, local: LocalServer | None = None) -> User:
        host.save_settings({**host.load_settings(), "server": address})
        window = PoseWindow(host, local=local or LocalServer())
        windows.append(window)
        window.show()
        QTest.qWaitForWindowExposed(window)
        return User(window, host)

    yield open_
    for window in windows:
        window.close()
        window.deleteLater()
    application.processEvents()


@pytest.fixture
def host() -> FakeSceneHost:
    return FakeSceneHost()


@pytest.fixture
def user(open_window: Callable[..., User], host: FakeSceneHost, server: FakeServer) -> User:
    server.thumbnail = jpeg()
    return open_window(host, server.address)


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 128), (200, 30, 30)).save(file, "JPEG")
    return file.getvalue()


def earlier_job(name: str, state: int, **given: Any) -> jobs_pb2.Job:
    spec = jobs_pb2.ImportSpec(media=jobs_pb2.Media(display_name="yesterday.mp4"))
    spec.solve.smoothing = 0.125
    spec.start.frame = 7
    return jobs_pb2.Job(name=name, spec=spec, state=state, create_time=time.time() - 90_000, **given)


class TestImport:
    def test_by_the_keyboard_alone(self, user: User, server: FakeServer, film: Path) -> None:
        page = user.window.clip_page
        user.type(page.path, str(film), Qt.Key.Key_Return)
        user.wait(lambda: user.picking)
        first, second = user.window.people_page.lines
        assert user.window.focusWidget() is first.tick
        assert user.host.people == {}
        QTest.keyClick(first.tick, Qt.Key.Key_Space)
        assert user.window.people_page.bring.text() == "Import 1 of 2 people"
        QTest.keyClick(first.tick, Qt.Key.Key_Tab)
        assert user.window.focusWidget() is second.tick
        QTest.keyClick(second.tick, Qt.Key.Key_Tab)
        assert user.window.focusWidget() is user.window.people_page.bring
        QTest.keyClick(user.window.people_page.bring, Qt.Key.Key_Space)
        user.wait(lambda: user.host.people)
        assert list(user.host.people) == ["dance person 2"]
        assert user.message.startswith("Imported 1 person from dance.")
        assert not user.picking
        (spec,) = server.specs
        assert spec.people == 0 and not spec.HasField("start")
        assert spec.solve.smoothing == 0.5

    def test_the_picker_shows_pictures_and_where_people_are(
        self,
        user: User,
        film: Path,
    ) -> None:
        user.type(user.window.clip_page.path, str(film), Qt.Key.Key_Return)
        user.wait(lambda: user.picking)
        lines = user.window.people_page.lines
        pause(0.05)
        picture = lines[0].picture.pixmap().toImage()
        middle = picture.pixelColor(picture.width() // 2, picture.height() // 2)
        assert middle.red() > 150 > middle.green()
        # The second dancer is there from film frame 13 to 40 of 48.
        bar = lines[1].bar.grab().toImage()
        row = [bar.pixelColor(x, bar.height() // 2) for x in range(bar.width())]
        highlight = lines[1].bar.palette().color(QtGui.QPalette.ColorRole.Highlight)
        filled = [x for x, colour in enumerate(row) if colour == highlight]
        assert filled[0] / len(row) == pytest.approx(13 / 48, abs=0.02)
        assert (filled[-1] + 1) / len(row) == pytest.approx(41 / 48, abs=0.02)
        QTest.mouseClick(lines[0].picture, Qt.MouseButton.LeftButton)
        assert not lines[0].tick.isChecked()
        user.press(user.window.people_page.nobody)
        assert not user.window.people_page.bring.isEnabled()
        user.press(user.window.people_page.everybody)
        assert user.window.people_page.bring.text() == "Import 2 of 2 people"
        user.press(user.window.people_page.later)
        assert not user.picking and user.host.people == {}
        assert "The server keeps the result as jobs/dance" in user.message

    def test_nobody_is_asked_about_one_person(
        self,
        open_window: Callable[..., User],
        host: FakeSceneHost,
        film: Path,
    ) -> None:
        with FakeServer([Dancer(1, 0, FILM_FRAMES)], note="The light is poor.").running() as one:
            user = open_window(host, one.address)
            user.type(user.window.clip_page.path, str(film), Qt.Key.Key_Return)
            user.wait(lambda: host.people)
        assert user.message == "Imported 1 person from dance.\nThe light is poor."

    def test_what_the_form_says_is_what_is_asked(
        self,
        user: User,
        server: FakeServer,
        film: Path,
    ) -> None:
        user.host.up, user.host.start = "z", 101
        page = user.window.clip_page
        user.wait(lambda: page.detector.count() == 3)
        for section in page.sections.values():
            section.open()
        user.type(page.frame_start, "4")
        user.type(page.frame_end, "40")
        user.choose(page.rate, "Convert to Scene")
        user.choose(page.lens, "Field of View")
        user.type(page.lens_value, "62.5")
        user.choose(page.camera, "Still")
        user.choose(page.detector, "blazepose")
        user.type(page.people, "2")
        user.type(page.solve.height_m, "1.83")
        user.choose(page.solve.floor, "Steps")
        user.press(page.add_film)
        user.press(page.add_confidence)
        user.import_everybody(film)
        (spec,) = server.specs
        assert (spec.start.frame, spec.end.frame, spec.people) == (4, 40, 2)
        assert (spec.fov_deg, spec.camera, spec.detector) == (62.5, "still", "blazepose")
        assert (spec.solve.height_m, spec.solve.floor) == (1.83, "steps")
        assert server.rates == [Fraction(24)] * 2
        (placed,) = user.host.placements
        assert (placed.scene_frame, placed.first_source_frame) == (101, 4)
        assert (placed.match_rate, placed.asked_rate) == (False, Fraction(24))
        assert (placed.camera, placed.film, placed.confidence) == (True, False, True)
        assert placed.clip is not None and placed.clip.first_file == film
        assert {motion.up for motion in user.host.motions.values()} == {"z"}

    def test_detectors_that_cannot_be_used_say_why(self, user: User) -> None:
        field = user.window.clip_page.detector
        user.wait(lambda: field.count() == 3)
        index = field.findData("rtmpose:halpe26-m")
        assert not field.model().item(index).isEnabled()
        assert field.itemData(index, Qt.ItemDataRole.ToolTipRole) == "Fetch them."
        assert field.model().item(field.findData("blazepose")).isEnabled()

    def test_the_clip_of_an_image_plane(self, user: User, film: Path) -> None:
        page = user.window.clip_page
        page.list_planes()
        (nothing,) = page.plane_menu.actions()
        assert not nothing.isEnabled()
        user.host.planes = [ImagePlane("filmShape", str(film))]
        page.plane_menu.popup(page.mapToGlobal(QtCore.QPoint(0, 0)))
        (plane,) = page.plane_menu.actions()
        assert plane.text() == "filmShape: dance.mp4"
        QTest.mouseClick(
            page.plane_menu,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            page.plane_menu.actionGeometry(plane).center(),
        )
        assert page.path.text() == str(film)

    def test_a_sequence_is_named(self, user: User, tmp_path: Path) -> None:
        for number in (1001, 1002):
            Image.new("RGB", (32, 18)).save(tmp_path / f"shot.{number}.png")
        page = user.window.clip_page
        user.type(page.path, str(tmp_path / "shot.1002.png"))
        assert page.description.text() == "Image sequence shot.%04d.png, from 1001"
        user.type(page.path, str(tmp_path / "none.mp4"))
        assert "There is no file" in page.description.text()

    @pytest.mark.filterwarnings("ignore:.*QDragEnterEvent:DeprecationWarning")
    def test_a_film_can_be_dropped(self, user: User, film: Path) -> None:
        page, mime = user.window.clip_page, QtCore.QMimeData()
        mime.setUrls([QtCore.QUrl.fromLocalFile(str(film))])
        copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        no_keys, place = Qt.KeyboardModifier.NoModifier, QtCore.QPoint(20, 20)
        enter = QtGui.QDragEnterEvent(place, copy, mime, left, no_keys)
        QtWidgets.QApplication.sendEvent(page, enter)
        assert enter.isAccepted()
        drop = QtGui.QDropEvent(QtCore.QPointF(place), copy, mime, left, no_keys)
        QtWidgets.QApplication.sendEvent(page, drop)
        assert page.path.text() == str(film)

    def test_tab_goes_through_the_form_in_order(self, user: User, film: Path) -> None:
        page = user.window.clip_page
        user.pick_film(film)
        page.path.setFocus()
        fields = [page.browse, page.planes, page.sections["Range and Rate"]._arrow, page.frame_start]
        fields += [page.frame_end, page.rate, page.scene_frame, page.sequence_fps]
        fields += [page.sections["People"]._arrow, page.people, page.everybody]
        for field in fields:
            QTest.keyClick(user.window.focusWidget(), Qt.Key.Key_Tab)
            if isinstance(user.window.focusWidget(), QtWidgets.QLabel):  # a text that can be copied
                QTest.keyClick(user.window.focusWidget(), Qt.Key.Key_Tab)
            assert user.window.focusWidget() is field


class TestTrouble:
    def test_no_server(self, open_window: Callable[..., User], host: FakeSceneHost, film: Path) -> None:
        user = open_window(host, NOWHERE)
        user.type(user.window.clip_page.path, str(film), Qt.Key.Key_Return)
        user.wait(lambda: user.window.messages.is_error)
        assert user.message.startswith("No pose server answers at 127.0.0.1:1;")
        assert user.window.clip_page.import_button.isEnabled()

    def test_a_range_that_is_none(self, user: User, film: Path) -> None:
        user.type(user.window.clip_page.frame_start, "9")
        user.type(user.window.clip_page.frame_end, "9")
        user.type(user.window.clip_page.path, str(film), Qt.Key.Key_Return)
        assert user.window.messages.is_error
        assert user.message.startswith("Nothing lies between film frames 9 and 9;")

    def test_a_job_that_fails(
        self,
        open_window: Callable[..., User],
        host: FakeSceneHost,
        film: Path,
    ) -> None:
        error = MediaError("The film shows nobody; choose another.", reason="NOBODY_FOUND")
        with FakeServer([], error=error).running() as fails:
            user = open_window(host, fails.address)
            user.type(user.window.clip_page.path, str(film), Qt.Key.Key_Return)
            user.wait(lambda: user.message)
        assert (user.message, user.window.messages.is_error) == (error.message, True)

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (ConflictError("The scene is locked; unlock it."), "The scene is locked; unlock it."),
            (
                RuntimeError("kaput"),
                "Something broke that should not (RuntimeError: kaput); please report it.",
            ),
        ],
    )
    def test_a_scene_that_cannot_be_written(
        self,
        user: User,
        film: Path,
        error: Exception,
        said: str,
    ) -> None:
        user.host.error = error
        user.window.clip_page.everybody.setChecked(True)
        user.type(user.window.clip_page.path, str(film), Qt.Key.Key_Return)
        user.wait(lambda: user.window.messages.is_error)
        assert user.message == said
        assert user.host.people == {}

    def test_an_axis_that_has_changed(self, user: User, film: Path) -> None:
        user.window.clip_page.everybody.setChecked(True)
        user.type(user.window.clip_page.path, str(film), Qt.Key.Key_Return)
        user.host.up = "z"
        user.wait(lambda: user.window.messages.is_error)
        assert "up axis was changed meanwhile" in user.message
        assert user.host.people == {}

    def test_a_server_that_goes_away(
        self,
        open_window: Callable[..., User],
        host: FakeSceneHost,
        film: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(Client.__init__.__kwdefaults__, "patience_s", 0.5)
        with FakeServer([Dancer(1, 0, FILM_FRAMES)], seconds=60).running() as lost:
            user = open_window(host, lost.address)
            user.type(user.window.clip_page.path, str(film), Qt.Key.Key_Return)
            user.wait(lambda: "Finding people" in user.window.progress.stage.text())
        user.wait(lambda: user.window.messages.is_error)
        assert "does not answer any more; jobs/dance is kept there" in user.message
        assert not user.window.progress.isVisible()

    def test_settings_of_another_release(
        self,
        open_window: Callable[..., User],
        host: FakeSceneHost,
        server: FakeServer,
    ) -> None:
        host.save_settings({"people": "many", "solve": {"floor": 3, "smoothing": "x"}, "clips": 1, "left": 4})
        user = open_window(host, server.address)
        assert user.window.clip_page.people.value() == 0
        assert user.window.clip_page.solve.floor.currentText() == "Automatic"


class TestProgress:
    @pytest.fixture
    def slow(self) -> Iterator[FakeServer]:
        with FakeServer([Dancer(1, 0, FILM_FRAMES), Dancer(2, 0, 20)], seconds=30).running() as fake:
            yield fake

    @pytest.fixture
    def busy(
        self,
        open_window: Callable[..., User],
        host: FakeSceneHost,
        slow: FakeServer,
        film: Path,
    ) -> User:
        user = open_window(host, slow.address)
        user.type(user.window.clip_page.path, str(film), Qt.Key.Key_Return)
        user.wait(lambda: user.window.progress.bar.value() > 0 and user.window.desk.work.session.job)
        return user

    def test_it_is_shown_and_can_be_cancelled(self, busy: User, slow: FakeServer) -> None:
        strip = busy.window.progress
        busy.wait(lambda: strip.stage.text() == "dance: Finding people")
        busy.wait(lambda: strip.counts.text().endswith(" of 600"))
        assert strip.pace.text().startswith("20.0 frames per second, 0:")
        assert not busy.window.clip_page.import_button.isEnabled()
        begin = time.monotonic()
        busy.press(strip.cancel)
        assert strip.stage.text() == "dance: Cancelling"
        busy.wait(lambda: not strip.isVisible())
        assert time.monotonic() - begin < 2
        assert (busy.message, slow.cancel_calls) == ("The import of 'dance' was cancelled.", 1)
        assert busy.window.clip_page.import_button.isEnabled()

    def test_a_closed_window_leaves_the_job_and_says_how_to_come_back(
        self, busy: User, slow: FakeServer, open_window: Callable[..., User]
    ) -> None:
        busy.window.close()
        (sentence,) = busy.host.told
        assert f"'dance' goes on at {slow.address} as jobs/dance;" in sentence
        assert busy.window.desk.work.session is None
        slow.seconds = 0.0
        again = open_window(busy.host, slow.address)
        assert f"'dance' was left with the server at {slow.address} as jobs/dance" in again.message
        page = again.window.jobs_page
        again.show(page)
        again.wait(lambda: page.table.topLevelItemCount() == 1)
        page.table.setFocus()
        QTest.keyClick(page.table, Qt.Key.Key_Down)
        page.table.setCurrentItem(page.table.topLevelItem(0))
        again.press(page.fetch)
        again.wait(lambda: again.picking)
        again.press(again.window.people_page.bring)
        again.wait(lambda: again.host.people)
        assert slow.cancel_calls == 0
        third = open_window(busy.host, slow.address)
        assert third.message == ""

    def test_nothing_comes_into_another_scene(self, busy: User, slow: FakeServer) -> None:
        busy.window.scene_closed()
        assert "The scene was closed. 'dance' goes on at" in busy.message
        slow.seconds = 0.0
        pause(0.5)
        assert busy.host.people == {}
        assert slow.cancel_calls == 0

    def test_the_window_answers_while_motion_comes(
        self,
        open_window: Callable[..., User],
        host: FakeSceneHost,
        film: Path,
    ) -> None:
        with FakeServer([Dancer(1, 0, 6000), Dancer(2, 0, 6000)], seconds=0.5).running() as long:
            user = open_window(host, long.address)
            ticks, timer = [time.monotonic()], QtCore.QTimer()
            timer.setInterval(10)
            timer.timeout.connect(lambda: ticks.append(time.monotonic()))
            timer.start()
            user.import_everybody(film)
        gaps = [later - sooner for sooner, later in pairwise(ticks)]
        # The server that answers is in this process, too, and takes its turns.
        assert max(gaps) < 0.5, f"{max(gaps):.2f} s"


class TestJobs:
    @pytest.fixture
    def listed(self, user: User, server: FakeServer) -> User:
        progress = jobs_pb2.StageProgress(stage="lift", done=3, total=4)
        why = types_pb2.Error(
            kind="MediaError", code="INVALID_ARGUMENT", message="The film shows nobody; choose another."
        )
        server.others = [
            earlier_job("jobs/runs", jobs_pb2.JOB_STATE_RUNNING, progress=progress),
            earlier_job("jobs/dance", jobs_pb2.JOB_STATE_SUCCEEDED, people=[jobs_pb2.Person(index=1)]),
            earlier_job("jobs/fails", jobs_pb2.JOB_STATE_FAILED, error=why),
        ]
        user.show(user.window.jobs_page)
        user.wait(lambda: user.window.jobs_page.table.topLevelItemCount() == 3)
        return user

    @staticmethod
    def click(user: User, index: int) -> None:
        table = user.window.jobs_page.table
        where = table.visualItemRect(table.topLevelItem(index)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)

    def test_each_says_how_it_is(self, listed: User) -> None:
        table = listed.window.jobs_page.table
        rows = [[table.topLevelItem(row).text(column) for column in range(4)] for row in range(3)]
        assert rows == [
            ["yesterday.mp4", "Estimating depth", "75%", "1 day ago"],
            ["yesterday.mp4", "Done, 1 person", "", "1 day ago"],
            ["yesterday.mp4", "Failed", "", "1 day ago"],
        ]
        page = listed.window.jobs_page
        states = []
        for row in range(3):
            self.click(listed, row)
            states.append([b.isEnabled() for b in (page.fetch, page.cancel, page.delete)])
        assert states == [[True, True, False], [True, False, True], [False, False, True]]
        assert page.details.text() == "The film shows nobody; choose another."

    def test_deleting_asks_first(self, listed: User, server: FakeServer) -> None:
        page = listed.window.jobs_page
        self.click(listed, 2)
        listed.press(page.delete)
        assert page.question.text() == "Delete 'yesterday.mp4' and its files from the server?"
        assert listed.window.focusWidget() is page.no
        listed.press(page.no)
        assert not page.yes.isVisible()
        listed.press(page.delete)
        listed.press(page.yes)
        listed.wait(lambda: page.table.topLevelItemCount() == 2)
        assert server.deleted == ["jobs/fails"]

    def test_the_question_goes_with_its_job(self, listed: User) -> None:
        page = listed.window.jobs_page
        self.click(listed, 2)
        listed.press(page.delete)
        self.click(listed, 1)
        assert not page.yes.isVisible()

    def test_cancelling(self, listed: User, server: FakeServer) -> None:
        self.click(listed, 0)
        listed.press(listed.window.jobs_page.cancel)
        listed.wait(lambda: server.cancel_calls == 1)

    def test_an_earlier_job_comes_as_it_was_asked_for(self, listed: User) -> None:
        self.click(listed, 1)
        listed.press(listed.window.jobs_page.fetch)
        listed.wait(lambda: listed.host.people)
        (placed,) = listed.host.placements
        assert (placed.clip, placed.clip_name, placed.first_source_frame) == (None, "yesterday", 7)
        assert placed.solve.smoothing == 0.125

    def test_another_server_has_others(self, listed: User) -> None:
        with FakeServer([]).running() as other:
            listed.show(listed.window.server_page)
            listed.type(listed.window.server_page.address, other.address)
            listed.show(listed.window.jobs_page)
            listed.wait(lambda: "has no jobs" in listed.window.jobs_page.details.text())
            assert listed.window.jobs_page.table.topLevelItemCount() == 0

    def test_a_list_that_cannot_be_had(self, open_window: Callable[..., User], host: FakeSceneHost) -> None:
        user = open_window(host, NOWHERE)
        user.show(user.window.jobs_page)
        user.wait(lambda: user.window.messages.is_error)
        assert user.message.startswith("No pose server answers")


class TestRefine:
    @pytest.fixture
    def imported(
        self,
        open_window: Callable[..., User],
        host: FakeSceneHost,
        film: Path,
    ) -> Iterator[tuple[User, FakeServer]]:
        people = [Dancer(1, 0, FILM_FRAMES), Dancer(2, 13, 41, doubtful=(15, 30))]
        refined = [Dancer(3, 0, FILM_FRAMES), Dancer(4, 13, 41)]
        with FakeServer(people, refined=refined).running() as fake:
            user = open_window(host, fake.address)
            user.import_everybody(film)
            user.show(user.window.refine_page)
            yield user, fake

    def test_everybody_gets_the_new_motion(self, imported: tuple[User, FakeServer]) -> None:
        user, fake = imported
        page = user.window.refine_page
        before = dict(user.host.motions)
        user.type(page.solve.smoothing, "0.25")
        user.choose(page.solve.contacts, "Never")
        user.press(page.refine)
        user.wait(lambda: user.message.startswith("Refined 2 people from dance."))
        (asked,) = fake.refinements
        assert (asked.job, asked.solve.smoothing, asked.solve.contacts) == ("jobs/dance", 0.25, "never")
        assert {person.job for person in user.host.people.values()} == {"jobs/dance-1"}
        assert all(user.host.motions[node] is not before[node] for node in before)
        assert page.solve.smoothing.value() == 0.25
        user.press(page.refine)
        user.wait(lambda: len(fake.refinements) == 2)
        assert fake.refinements[1].job == "jobs/dance-1"

    def test_weak_spans_lead_to_their_frames(self, imported: tuple[User, FakeServer]) -> None:
        user, _ = imported
        page = user.window.refine_page
        user.host.selection = ["dance person 2"]
        user.window.look_at_scene()
        assert page.people.combo.currentText() == "dance person 2"
        item = page.spans.topLevelItem(0)
        assert [item.text(column) for column in range(3)] == ["16–31", "Hardly seen", "left hand"]
        where = page.spans.visualItemRect(item).center()
        viewport, left = page.spans.viewport(), Qt.MouseButton.LeftButton
        QTest.mouseClick(viewport, left, Qt.KeyboardModifier.NoModifier, where)
        QTest.mouseDClick(viewport, left, Qt.KeyboardModifier.NoModifier, where)
        assert user.host.frame == 16
        user.host.frame = 1
        QTest.keyClick(page.spans, Qt.Key.Key_Return)
        assert user.host.frame == 16

    def test_an_import_that_is_gone(self, imported: tuple[User, FakeServer]) -> None:
        user, fake = imported
        fake.refined = ()
        user.press(user.window.refine_page.refine)
        user.wait(lambda: user.window.messages.is_error)
        assert "does not know this import" in user.message

    def test_nobody_to_refine(self, user: User) -> None:
        user.show(user.window.refine_page)
        assert not user.window.refine_page.refine.isEnabled()
        assert user.window.refine_page.heading.text() == "Nobody in the scene came from a video."


class TestCharacter:
    @pytest.fixture
    def cast(self, user: User, film: Path) -> User:
        user.host.rigs = {"hero": HERO, "villain": HERO}
        user.host.human_ik = ("villain",)
        user.import_everybody(film)
        user.show(user.window.character_page)
        return user

    def test_by_the_server(self, cast: User, server: FakeServer) -> None:
        page = cast.window.character_page
        cast.choose(page.root_motion, "Hips")
        cast.press(page.hold_hands)
        cast.press(page.retarget)
        cast.wait(lambda: cast.host.rig_motions)
        (asked,) = server.rigs
        assert (asked.job, asked.person, asked.rig.name) == ("jobs/dance", 1, "hero")
        assert (asked.root_motion, asked.in_place) == ("hips", False)
        assert list(asked.relock.limbs) == ["legs", "arms"]
        assert cast.message.split("\n") == [
            "'hero' moves as dance person 1.",
            "Taken for mixamo.",
            "The left toe was not found.",
        ]
        assert page.retarget.isEnabled()

    def test_by_human_ik(self, cast: User) -> None:
        page = cast.window.character_page
        assert page.in_place.isEnabled()
        cast.choose(page.characters, "villain (HumanIK)")
        assert page.hint.text().startswith("Maya's HumanIK moves it, live;")
        assert not page.in_place.isEnabled()
        cast.press(page.retarget)
        assert cast.host.driven == {"villain": "dance person 1"}

    def test_an_answer_for_a_scene_that_is_gone(self, cast: User) -> None:
        cast.press(cast.window.character_page.retarget)
        cast.window.scene_closed()
        pause(0.5)
        assert cast.host.rig_motions == {}
        assert cast.window.character_page.retarget.isEnabled()


class TestServer:
    def test_who_answers(self, user: User, server: FakeServer) -> None:
        user.show(user.window.server_page)
        page = user.window.server_page
        said = f"Pose server 9.9.9 at {server.address}: blazepose, on cpu."
        user.wait(lambda: page.state.text() == said)
        user.type(page.address, NOWHERE, Qt.Key.Key_Return)
        user.wait(lambda: page.state.text().startswith("No pose server answers"))
        user.type(page.address, "what is this?", Qt.Key.Key_Return)
        user.wait(lambda: "is no address of a server" in page.state.text())
        user.type(page.address, server.address)
        user.wait(lambda: page.test.isEnabled())
        user.press(page.test)
        user.wait(lambda: page.state.text() == said)

    def test_a_command_that_is_not_there(self, open_window: Callable[..., User], host: FakeSceneHost) -> None:
        user = open_window(host, "127.0.0.1:50551")
        user.show(user.window.server_page)
        user.type(user.window.server_page.command, "no-such-command")
        user.press(user.window.server_page.start)
        assert user.message.startswith("There is no command 'no-such-command';")
        user.type(user.window.server_page.address, "box:50551")
        user.press(user.window.server_page.start)
        assert user.message.startswith("'box:50551' is not on this machine;")

    def test_one_on_this_machine(
        self, open_window: Callable[..., User], host: FakeSceneHost, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        command = shutil.which("pose-server", path=str(Path(sys.executable).parent))
        if not command:
            pytest.skip("the command pose-server is not installed beside this Python (pip install -e .)")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        local = LocalServer()
        user = open_window(host, address, local)
        page = user.window.server_page
        user.show(page)
        user.type(page.command, command)
        user.press(page.start)
        try:
            assert page.local_state.text() == "Starting …"
            user.wait(lambda: page.local_state.text() == "Running, started from here.")
            user.wait(lambda: page.state.text().startswith("Pose server "))
            user.press(page.stop)
            assert page.local_state.text() == "Stopping …"
            user.wait(lambda: page.local_state.text() == "Not started from here.")
            assert not local.running
        finally:
            local.stop()


def test_what_was_said_last_time_is_there_again(
    user: User,
    open_window: Callable[..., User],
    server: FakeServer,
    film: Path,
) -> None:
    page = user.window.clip_page
    page.sections["Solve"].open()
    user.choose(page.rate, "Keep Film Frames")
    user.choose(page.solve.floor, "Flat")
    user.type(page.people, "3")
    user.import_everybody(film)
    user.window.close()
    page = open_window(user.host, server.address).window.clip_page
    assert page.rate.currentText() == "Keep Film Frames"
    assert page.solve.floor.currentText() == "Flat"
    assert (page.people.value(), page.everybody.isChecked(), page.path.text()) == (3, True, "")


def test_texts_can_be_copied(user: User) -> None:
    user.window.messages.show_message("A sentence.", True)
    can = user.window.messages._text.textInteractionFlags()
    assert can & Qt.TextInteractionFlag.TextSelectableByMouse
    assert can & Qt.TextInteractionFlag.TextSelectableByKeyboard


def test_every_field_says_what_it_is(user: User) -> None:
    kinds = (
        QtWidgets.QPushButton,
        QtWidgets.QComboBox,
        QtWidgets.QAbstractSpinBox,
        QtWidgets.QCheckBox,
        QtWidgets.QLineEdit,
    )
    for kind in kinds:
        for field in user.window.findChildren(kind):
            if not field.objectName().startswith("qt_"):
                assert field.toolTip(), (kind, field.accessibleName())


@pytest.mark.reference
def test_a_real_clip_through_a_real_server(
    open_window: Callable[..., User], host: FakeSceneHost, running_server: str, reference_data: Path
) -> None:
    """Picked by thumbnail, written, refined, and its jobs deleted."""
    user = open_window(host, running_server)
    page = user.window.clip_page
    user.type(page.frame_start, "60")
    user.type(page.frame_end, "84")
    user.type(page.path, str(reference_data / "video" / "sports2d_demo.mp4"), Qt.Key.Key_Return)
    end = time.monotonic() + 120
    while not user.picking:
        assert time.monotonic() < end, user.message
        pause(0.05)
    lines = user.window.people_page.lines
    assert len(lines) == 2
    assert all(not line.picture.pixmap().isNull() for line in lines)
    user.press(lines[1].tick)
    user.press(user.window.people_page.bring)
    user.wait(lambda: host.people)
    (node,) = host.people
    assert host.motions[node].frame_count == 24
    user.show(user.window.refine_page)
    user.type(user.window.refine_page.solve.smoothing, "0.1")
    user.press(user.window.refine_page.refine)
    user.wait(lambda: user.message.startswith("Refined"))
    jobs = user.window.jobs_page
    user.show(jobs)
    user.wait(lambda: jobs.table.topLevelItemCount() >= 2)
    assert jobs.table.topLevelItem(0).text(0) == "sports2d_demo.mp4 (refined)"
    count = jobs.table.topLevelItemCount()
    for left in range(count - 1, count - 3, -1):
        jobs.table.setCurrentItem(jobs.table.topLevelItem(0))
        user.press(jobs.delete)
        user.press(jobs.yes)
        user.wait(lambda left=left: jobs.table.topLevelItemCount() == left)
