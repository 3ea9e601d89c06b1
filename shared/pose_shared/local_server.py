"""A pose server on this machine that the add-on has started, and stops again."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from pose_shared.errors import InputError, UnavailableError

__all__ = ["LocalServer"]

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_START_S = 60.0
_STOP_S = 10.0


class LocalServer:
    """One server process, in a session of its own so that Blender's Ctrl-C does not reach it.

    `start` and `stop` may be called any number of times.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._announced = threading.Event()
        self._log: Any = None
        atexit.register(self.stop)

    @property
    def running(self) -> bool:
        """Whether our process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it has said that it listens."""
        return self.running and self._announced.is_set()

    def start(self, executable: str, address: str) -> None:
        """Start a server, without waiting for it.

        Parameters
        ----------
        executable
            Path or name of the ``pose-server`` command.
        address
            Where it should listen, such as 127.0.0.1:50551.

        Raises
        ------
        InputError
            There is no such command, or the address is another machine's.
        """
        if self.running:
            return
        host, _, port = address.rpartition(":")
        if host not in _LOOPBACK or not port.isdigit():
            raise InputError(
                f"'{address}' is not on this machine; to start a server here, "
                "set the address to 127.0.0.1:50551 in the add-on's settings.",
                reason="ADDRESS_NOT_LOCAL",
                address=address,
            )
        command = shutil.which(str(Path(executable).expanduser()))
        if command is None:
            raise InputError(
                f"There is no command '{executable}'; install it with 'pip install pose-server' and give "
                "its path in the add-on's settings.",
                reason="EXECUTABLE_MISSING",
                executable=executable,
            )
        self._announced.clear()
        self._log = tempfile.TemporaryFile(mode="w+", prefix="pose-server-")  # noqa: SIM115 - lives on
        own_session: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            own_session = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        self._process = subprocess.Popen(
            [command, "serve", "--port", port],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            **own_session,
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Read what it says, so that its pipe never fills up; its first line is its address."""
        assert process.stdout is not None
        for _ in process.stdout:
            self._announced.set()

    def wait(self) -> None:
        """Wait until it listens.

        Raises
        ------
        UnavailableError
            It has ended, or it takes more than a minute.
        """
        for _ in range(int(_START_S / 0.1)):
            if self._announced.wait(0.1) or not self.running:
                break
        self.check()
        if not self._announced.is_set():
            raise UnavailableError(
                f"The pose server takes more than {_START_S:.0f} s to start; "
                "run 'pose-server doctor' in a terminal to see why.",
                reason="SERVER_START_SLOW",
            )

    def check(self) -> None:
        """Raise `UnavailableError` with its last words if a started server has ended by itself."""
        if self._process is not None and not self.running:
            self._log.seek(0)
            words = [line.strip() for line in self._log if line.strip()]
            said = f": {words[-1].replace('pose-server: ', '', 1)}" if words else "."
            code = self._process.returncode
            self._process = None
            raise UnavailableError(
                f"The pose server ended with exit code {code}{said}", reason="SERVER_ENDED", code=code
            )

    def stop(self) -> None:
        """Stop it and wait for its end."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
