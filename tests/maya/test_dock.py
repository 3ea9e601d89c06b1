"""The window in Maya: what it hears of the scene, and that nothing comes into another scene."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest
from double.maya import Maya
from fake_pose_server import FakeServer

Import = Callable[[str], ModuleType]


def test_scenes_that_close_are_heard_of(start_maya: Callable[..., Maya], addon: Import) -> None:
    maya = start_maya(batch=False)
    from maya import cmds

    closed, changed, selected = [], [], []
    events = addon("host.docked").SceneEvents(
        lambda: closed.append(1), lambda: changed.append(1), lambda: selected.append(1)
    )
    cmds.file(new=True, force=True)
    assert (len(closed), len(changed)) == (1, 1)
    maya.run_jobs("SelectionChanged")
    assert (len(changed), len(selected)) == (1, 1)
    maya.exit()
    assert len(closed) == 2
    events.stop()
    cmds.file(new=True, force=True)
    assert len(closed) == 2
    assert maya.callbacks == {}
    assert maya.jobs == {}


def test_work_ends_with_its_scene(
    start_maya: Callable[..., Maya],
    addon: Import,
    server: FakeServer,
    film: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    widgets = pytest.importorskip("PySide6.QtWidgets")
    from PySide6 import QtCore

    maya = start_maya(batch=False)
    app = widgets.QApplication.instance() or widgets.QApplication([])
    from maya import cmds

    dock = addon("dock")
    window = dock.show()
    assert dock.show("refine") is window
    assert window.tabs.currentWidget() is window.refine_page
    assert "poseFromVideoWorkspaceControl" in maya.interface
    settings = addon("commands").ImportSettings(path=str(film))
    server.seconds = 5.0
    delivery = addon("commands").Delivery(joints_up="y")
    work = window.desk.work
    ended: list[object] = []
    work.start(settings.request(server.address, Fraction(24), delivery), ended.append)
    app.processEvents()
    cmds.file(new=True, force=True)
    app.processEvents()
    assert work.session is None
    assert ended == []
    assert cmds.ls(type="joint") == []
    # Maya deletes the window with its place when another workspace is chosen.
    window.deleteLater()
    app.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    del maya.interface["poseFromVideoWorkspaceControl"]
    again = dock.show()
    assert again is not window
    assert len(maya.callbacks) == 3
    dock.close()
    assert maya.callbacks == {}
