"""A real HTTP server for one file, with all the ways in which servers and lines disappoint."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Serves `content` at every path; what is set here holds from the next request on."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.tag: str | None = '"one"'
        self.date: str | None = None
        self.knows_ranges = True
        self.says_length = True
        self.status: int | None = None
        self.cut_after: list[int] = []
        """Bytes of the body after which the line of each next request is cut."""
        self.piece: int | None = None
        """How many bytes a range gets at most, whatever was asked for."""
        self.redirect: str | None = None
        self.pause_s = 0.0
        self.pause_after = 0
        self.requests: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: object) -> None: ...

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up
        self.address = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        self.requests.append({"path": to.path, **{k.lower(): v for k, v in to.headers.items()}})
        if self.redirect and not to.path.startswith("/moved"):
            to.send_response(302)
            to.send_header("Location", self.redirect)
            to.end_headers()
            return
        if self.status:
            to.send_error(self.status)
            return
        start = 0
        asked, condition = to.headers.get("Range"), to.headers.get("If-Range")
        if asked and self.knows_ranges and condition in (None, self.tag, self.date):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start > len(self.content):
            to.send_error(416)
            return
        body = self.content[start:]
        to.send_response(206 if start else 200)
        if start:
            body = body[: self.piece]
            last = start + len(body) - 1
            to.send_header("Content-Range", f"bytes {start}-{last}/{len(self.content)}")
        if self.tag:
            to.send_header("ETag", self.tag)
        if self.date:
            to.send_header("Last-Modified", self.date)
        if self.says_length:
            to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        sent = self.cut_after.pop(0) if self.cut_after else len(body)
        if self.pause_s:
            to.wfile.write(body[: self.pause_after])
            time.sleep(self.pause_s)
            body, sent = body[self.pause_after :], sent - self.pause_after
        to.wfile.write(body[:sent])
        to.close_connection = True
