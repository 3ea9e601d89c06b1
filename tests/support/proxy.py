"""A bad network: passes TCP on, and cuts it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class CuttingProxy:
    """Listens on a port of its own and passes everything on to `target`.

    Parameters
    ----------
    cuts
        After so many bytes from the client, connection by connection, the line is cut; then it holds.
    """

    def __init__(self, target: str, cuts: list[int]) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._cuts = list(cuts)
        self.passed = 0
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                limit = self._cuts.pop(0) if self._cuts else None
                server = socket.create_connection(self._target)
                for source, sink, count in ((client, server, limit), (server, client, None)):
                    threading.Thread(target=self._pump, args=(source, sink, count), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        upwards = sink.getpeername() == self._target
        sent = 0
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
                sent += len(data)
                self.passed += len(data) if upwards else 0
                if limit is not None and sent >= limit:
                    break
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
