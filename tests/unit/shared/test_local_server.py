"""A server that a host has started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pose_shared.errors import InputError, UnavailableError
from pose_shared.local_server import LocalServer


class TestLocalServer:
    def command(self, folder: Path, script: str) -> str:
        path = folder / "pose-server"
        path.write_text(f"#!{sys.executable}\nimport sys, time\n{script}\n")
        path.chmod(0o755)
        return str(path)

    def test_starts_once_and_stops(self, tmp_path: Path) -> None:
        said = tmp_path / "said"
        command = self.command(
            tmp_path,
            f"open({str(said)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n"
            "print('pose-server listens on 127.0.0.1:50999', flush=True)\ntime.sleep(60)",
        )
        server = LocalServer()
        for _ in range(2):
            server.start(command, "127.0.0.1:50999")
        server.wait()
        assert server.running
        assert server.ready
        assert said.read_text() == "serve --port 50999\n"
        server.stop()
        server.stop()
        assert not server.running
        server.check()

    def test_last_words_are_repeated(self, tmp_path: Path) -> None:
        command = self.command(tmp_path, "sys.exit('Port 50999 is taken; choose another with --port.')")
        server = LocalServer()
        server.start(command, "127.0.0.1:50999")
        with pytest.raises(UnavailableError, match=r"exit code 1: Port 50999 is taken"):
            server.wait()
        assert not server.running

    def test_only_here(self) -> None:
        with pytest.raises(InputError, match="not on this machine"):
            LocalServer().start(sys.executable, "10.0.0.5:50551")
