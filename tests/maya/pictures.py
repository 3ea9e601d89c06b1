"""Draw the window for the docs: a real clip, a real server, a scene in memory, Maya's colours.

QT_SCALE_FACTOR=1.25 python tests/maya/pictures.py CLIP --server 127.0.0.1:50551 --out docs/images
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "plugins/maya/pose_from_video/scripts"), str(ROOT / "tests/support")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from fake_scene_host import FakeSceneHost  # noqa: E402
from pose_from_video.qt import QtCore, QtGui, QtWidgets  # noqa: E402
from pose_from_video.window import PoseWindow  # noqa: E402
from pose_shared.rig import Rig, RigBone  # noqa: E402

REST = (1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0)
LONGEST_S = 600.0
#: Near those of Maya.
COLOURS = {
    "Window": "#444444",
    "WindowText": "#c8c8c8",
    "Base": "#2b2b2b",
    "Text": "#c8c8c8",
    "Button": "#5d5d5d",
    "ButtonText": "#eeeeee",
    "Highlight": "#5285a6",
    "HighlightedText": "#ffffff",
    "Light": "#616161",
    "Dark": "#262626",
    "Mid": "#323232",
    "Shadow": "#141414",
}


def pause(seconds: float) -> None:
    loop = QtCore.QEventLoop()
    QtCore.QTimer.singleShot(round(seconds * 1000), loop.quit)
    (getattr(loop, "exec", None) or loop.exec_)()


def wait(window: PoseWindow, look: Callable[[], Any]) -> None:
    end = time.monotonic() + LONGEST_S
    while not look():
        if window.messages.is_error or time.monotonic() > end:
            sys.exit(window.messages.text or "It takes too long.")
        pause(0.05)


def draw(window: PoseWindow) -> QtGui.QPixmap:
    pause(0.3)
    return window.grab()


def beside(pictures: list[QtGui.QPixmap], path: Path) -> None:
    """Put pictures side by side into a file."""
    gap, ratio = 12, pictures[0].devicePixelRatio()
    wide = sum(picture.width() for picture in pictures) + gap * (len(pictures) - 1)
    sheet = QtGui.QPixmap(wide, pictures[0].height())
    sheet.fill(QtGui.QColor("#ffffff"))
    painter, x = QtGui.QPainter(sheet), 0
    for picture in pictures:
        picture.setDevicePixelRatio(1)
        painter.drawPixmap(x, 0, picture)
        x += picture.width() + gap
    painter.end()
    sheet.save(str(path), None, 88)
    print(f"{path}: {sheet.width()} x {sheet.height()} at {ratio}, {path.stat().st_size // 1000} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--server", required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    out = given.out.resolve()

    application = QtWidgets.QApplication([])
    application.setStyle("fusion")
    roles, palette = QtGui.QPalette.ColorRole, QtGui.QPalette()
    for role, colour in COLOURS.items():
        palette.setColor(getattr(roles, role), QtGui.QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QtGui.QPalette.ColorGroup.Disabled, role, QtGui.QColor("#808080"))
    application.setPalette(palette)

    host = FakeSceneHost(rigs={"hero": Rig("hero", (RigBone("hips", "", REST),))})
    host.save_settings({"server": given.server})
    window = PoseWindow(host)
    window.show()
    page = window.clip_page
    page.path.setText(given.clip.name)
    os.chdir(given.clip.parent)
    page._describe()
    wait(window, lambda: page.detector.count() > 1)
    window.messages.show_message("", False)
    first = [draw(window)]
    page.import_button.click()
    session = window.desk.work.session
    wait(window, lambda: session.progress.stage == "detect" and session.factor > 0.3)
    first.append(draw(window))
    wait(window, lambda: window.import_pages.currentWidget() is window.people_page)
    first.append(draw(window))
    window.people_page.bring.click()
    wait(window, lambda: host.people)
    window.messages.show_message("", False)
    second = []
    for shown in (window.jobs_page, window.refine_page, window.character_page):
        window.tabs.setCurrentWidget(shown)
        pause(1)
        window.jobs_page.table.setCurrentItem(window.jobs_page.table.topLevelItem(0))
        second.append(draw(window))
    beside(first, out / "maya_import.png")
    beside(second, out / "maya_pages.png")
    # Threads of gRPC may still be about.
    os._exit(0)


if __name__ == "__main__":
    main()
