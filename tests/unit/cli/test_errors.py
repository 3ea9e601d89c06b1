"""One sentence for whatever goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pose_server.cli.errors import clear_errors


def test_a_folder_that_was_replaced_under_the_shell_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "result"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    with pytest.raises(SystemExit) as end, clear_errors():
        Path().resolve(strict=True)
    assert end.value.code == 2
    assert "enter it again" in capsys.readouterr().err


def test_an_interruption_says_what_it_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, clear_errors():
        raise KeyboardInterrupt
    assert end.value.code == 1
    assert capsys.readouterr().err == "pose-server: stopped; nothing was written.\n"
    with pytest.raises(SystemExit), clear_errors(stopped="what has arrived stays"):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "pose-server: stopped; what has arrived stays.\n"
