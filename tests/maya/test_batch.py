"""``mayapy -m pose_from_video``, in a process of its own with the double in place of Maya."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fake_pose_server import FakeServer
from maya_process import MODULE, mayapy
from pose_shared.errors import LimitError


def test_a_film_becomes_a_scene(server: FakeServer, film: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "scene.ma"
    done = mayapy(
        *("-m", "pose_from_video", str(film), "--out", str(out), "--server", server.address),
        *("--people", "2", "--range", "3:40", "--up", "z", "--linear-unit", "m", "--smoothing", "0.2"),
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.splitlines()[-2:] == ["Imported 2 people from dance.", f"Wrote {out}."]
    spec = server.specs[0]
    assert (spec.people, spec.start.frame, spec.end.frame) == (2, 3, 40)
    text = out.read_text()
    assert text.startswith("//Maya ASCII")
    assert 'createNode joint -n "left_knee"' in text or "left_knee" in text
    assert "29.97fps" in text
    assert "-l meter" in text or "-l m" in text


def test_a_3d_data_file_becomes_a_scene(tmp_path: Path) -> None:
    joints = {str(joint): {"translate": [joint * 10.0, joint % 5 * 9.0, 7.0]} for joint in range(32)}
    (tmp_path / "3d_data.json").write_text(json.dumps({"0": joints, "1": joints}))
    out = tmp_path / "scene.ma"
    done = mayapy("-m", "pose_from_video", str(tmp_path / "3d_data.json"), "--out", str(out))
    assert (done.stderr, done.returncode) == ("", 0)
    assert "jnt_13_threed" in out.read_text()


def test_what_the_user_can_mend_exits_with_2(film: Path, tmp_path: Path) -> None:
    for arguments, sentence in (
        ((str(film), "--out", str(tmp_path / "a.ma"), "--server", "127.0.0.1:9"), "No pose server answers"),
        ((str(film), "--out", str(tmp_path / "a.fbx")), "'a.fbx' is no Maya scene; end it in .ma or .mb."),
        ((str(film), "--out", str(tmp_path / "a.ma"), "--range", "x"), "'x' is no range"),
        ((str(tmp_path / "no.mp4"), "--out", str(tmp_path / "a.ma")), "There is no file"),
    ):
        done = mayapy("-m", "pose_from_video", *arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("pose_from_video: ")
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_what_the_server_cannot_do_exits_with_1(server: FakeServer, film: Path, tmp_path: Path) -> None:
    server.error = LimitError("The disk of the server is full; delete old jobs.", reason="DISK_FULL")
    out = tmp_path / "a.ma"
    done = mayapy("-m", "pose_from_video", str(film), "--out", str(out), "--server", server.address)
    assert (done.returncode, out.exists()) == (1, False)
    assert "disk of the server is full" in done.stderr


def test_another_python_is_told(film: Path, tmp_path: Path) -> None:
    path = os.pathsep.join([str(MODULE / "scripts"), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "pose_from_video", str(film), "--out", str(tmp_path / "a.ma")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == "pose_from_video: There is no Maya in this Python; run it with mayapy.\n"
