from __future__ import annotations

import hashlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import FileServer
from pose_server.cli.main import app
from pose_server.weights.registry import WEIGHTS
from typer.testing import CliRunner

NETWORK = b"weights " * 999
SHA256 = hashlib.sha256(NETWORK).hexdigest()
NAME = "videopose3d-coco"


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("POSE_WEIGHTS_DIR", raising=False)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    server = FileServer(NETWORK)
    monkeypatch.setitem(WEIGHTS, NAME, replace(WEIGHTS[NAME], address=f"{server.address}/file.bin"))
    yield server
    server.close()


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["models", *arguments])
    return done.exit_code, done.output


def test_list_says_what_there_is_and_whose_it_is() -> None:
    code, text = run("list", "--json")
    rows = {row["name"]: row for row in json.loads(text)}
    assert code == 0
    assert set(rows) == set(WEIGHTS)
    assert rows[NAME]["licence"] == "CC BY-NC 4.0"
    assert rows[NAME]["commercial"] is False
    assert rows["rtmpose-body17-m"]["known_from"] == ["published"]
    assert rows["keypoint_rcnn_R_50_FPN_3x"]["known_from"] == ["published MD5"]
    assert rows["rtmo-m"]["known_from"] == []
    assert all(row["path"] is None for row in rows.values())
    code, text = run("list")
    assert code == 0
    assert all(name in text for name in WEIGHTS)
    assert "Apache-2.0" in text


def test_nothing_is_fetched_where_nobody_can_accept(served: FileServer) -> None:
    code, text = run("fetch", NAME)
    assert code == 2
    assert "CC BY-NC 4.0, https://creativecommons.org/licenses/by-nc/4.0/ NOT for commercial use." in text
    assert f"pose-server models fetch --accept-licence {NAME}" in text
    assert served.requests == []


def test_fetch_verify_path_and_list_agree(served: FileServer, tmp_path: Path) -> None:
    file = tmp_path / "weights" / "pretrained_h36m_detectron_coco.bin"
    code, text = run("fetch", "--accept-licence", NAME)
    assert (code, file.read_bytes()) == (0, NETWORK)
    assert f"from now on it must keep {SHA256}" in text
    assert run("path", NAME) == (0, f"{file}\n")
    code, text = run("verify", "--json")
    assert (code, json.loads(text)) == (
        0,
        [{"name": NAME, "path": str(file), "sha256": SHA256, "known_from": "first use"}],
    )
    (row,) = [row for row in json.loads(run("list", "--json")[1]) if row["name"] == NAME]
    assert (row["path"], row["known_from"], row["size_bytes"]) == (str(file), ["first use"], len(NETWORK))
    file.write_bytes(b"rot")
    code, text = run("verify", NAME)
    assert code == 1
    assert "not the file that was here first" in text
    assert "broke" not in text


def test_unknown_and_missing_are_one_sentence() -> None:
    assert run("fetch", "yolo99") == (
        2,
        "pose-server: There are no weights 'yolo99'; 'pose-server models list' names those there are.\n",
    )
    code, text = run("path", "rtmo-s")
    assert code == 2
    assert "run 'pose-server models fetch rtmo-s' first" in text
    assert run("verify", "rtmo-s") == (2, f"rtmo-s: {text.removeprefix('pose-server: ')}")
    assert run("verify") == (
        0,
        "There are no weights here; 'pose-server models list' names those there are.\n",
    )


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 2), (b"y\n", 0)])
def test_on_a_terminal_it_asks(served: FileServer, tmp_path: Path, answer: bytes, code: int) -> None:
    """A real terminal, in a process of its own."""
    program = (
        "import dataclasses; from pose_server.weights.registry import WEIGHTS; "
        f"WEIGHTS[{NAME!r}] = dataclasses.replace(WEIGHTS[{NAME!r}], address={WEIGHTS[NAME].address!r}); "
        f"import sys; sys.argv = ['pose-server', 'models', 'fetch', {NAME!r}]; "
        "from pose_server.cli.main import main; main()"
    )
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", program], stdin=slave, stderr=subprocess.PIPE)
    os.write(master, answer)
    _, errors = process.communicate(timeout=60)
    os.close(slave)
    os.close(master)
    assert process.returncode == code, errors
    assert b"Accept and fetch?" in errors
    assert (tmp_path / "weights" / WEIGHTS[NAME].file).exists() == (code == 0)
