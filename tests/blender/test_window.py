"""A real window: the work goes on beside the user's, and ends as one undo step."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from blender_hosts import BlenderHost
from dancers import Dancer
from fake_pose_server import FakeServer

JOB_S = 3.0


@pytest.fixture
def window(installed_blender: BlenderHost) -> BlenderHost:
    if not shutil.which("xvfb-run"):
        pytest.skip("xvfb-run is not installed (Debian: apt-get install xvfb)")
    blender = installed_blender.command[0]
    screen = ("xvfb-run", "--auto-servernum", "--server-args=-screen 0 1280x720x24")
    command = (blender, "--factory-startup", "--enable-event-simulate", "--python")
    return BlenderHost(installed_blender.version, (*screen, *command), installed_blender.environment)


@pytest.mark.blender
def test_importing_in_a_window(window: BlenderHost, film: Path, tmp_path: Path) -> None:
    dancers = [Dancer(1, 0, 3000), Dancer(2, 100, 2500)]
    refined = [Dancer(3, 0, 3000, scale=1.2), Dancer(4, 100, 2500, scale=1.2)]
    answers = FakeServer(dancers, seconds=JOB_S, note="The light is poor.", refined=refined)
    with answers.running() as server:
        given = {"filepath": str(film), "server": server.address}
        report = window.run("window", tmp_path, timeout_s=200, **{"import": given})

    assert not report["running before OK"]
    *waiting, writing = report["gaps"]
    assert max(waiting) < max(report["gaps before"]) + 0.25
    assert writing < 2
    assert report["outcome"] == "Imported 2 people from dance.\nThe light is poor."
    assert report["people"] == ["dance person 1", "dance person 2"]
    assert report["people after undo"] == []
    assert report["actions after undo"] == 0
    assert report["people after redo"] == ["dance person 1", "dance person 2"]
    assert report["outcome of refining"] == "Refined 2 people from dance.\nThe light is poor."
    assert report["jobs after refining"] == ["jobs/dance-1"] * 2
    assert report["jobs after undo"] == ["jobs/dance"] * 2
    assert report["outcome of cancelling a refinement"] == "The refinement was cancelled."
    assert report["jobs after cancelling"] == ["jobs/dance"] * 2
    assert report["seconds to cancel"] < 2
    # A refinement and an import by the user, one with the file, and none for the renamed scene.
    assert server.cancel_calls == 3
    assert report["outcome of cancelling"] == "The import was cancelled."
    assert report["people after cancelling"] == []
    assert "was deleted or renamed" in report["outcome without its scene"]
    assert not report["running after loading a file"]
