"""A portal on loopback whose answers are set by path and can be changed while it runs: good, slow, broken, lying.

A real HTTP server in a thread, started and stopped by a `with`. An answer is bytes, a status, or a function that is
handed the request; `etag` and `last_modified` are honoured as good portals do, so that a 304 is a real one.
"""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Handle = Callable[[BaseHTTPRequestHandler], None]


class PortalServer:
    """Serves what `pages` holds. `asked` keeps every request's path and lower-case headers, in order."""

    def __init__(self) -> None:
        self.pages: dict[str, Handle] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.leaving = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                handle = outer.pages.get(self.path, status(404))
                try:
                    handle(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leaving.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def drip(self, body: bytes, *, step_s: float = 0.05) -> Handle:
        """Send one byte every `step_s` seconds, until the portal is closed."""

        def handle(request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.send_header("Content-Type", "text/turtle")
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            for byte in body:
                if self.leaving.wait(step_s):
                    return
                request.wfile.write(bytes([byte]))
                request.wfile.flush()

        return handle


def page(
    body: bytes | str, media_type: str = "text/turtle", *, etag: str = "", last_modified: str = "", length: int = 0
) -> Handle:
    """Answer 200, or 304 to who has it already; a `length` larger than the body's breaks the answer off."""
    raw = body.encode() if isinstance(body, str) else body

    def handle(request: BaseHTTPRequestHandler) -> None:
        known = request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
        same = (etag and known[0] == etag) or (last_modified and not etag and known[1] == last_modified)
        request.send_response(304 if same else 200)
        for name, value in (("ETag", etag), ("Last-Modified", last_modified), ("Content-Type", media_type)):
            if value:
                request.send_header(name, value)
        if same:
            request.end_headers()
            return
        request.send_header("Content-Length", str(length or len(raw)))
        request.end_headers()
        request.wfile.write(raw)
        if length > len(raw):
            request.close_connection = True

    return handle


def status(code: int, body: bytes = b"", **headers: str) -> Handle:
    """Answer with a status."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return handle


def wait_until(holds: Callable[[], bool], within_s: float = 5.0) -> float:
    """Wait for something to hold; give how long it took, or fail."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < within_s, f"it did not hold within {within_s} s"
        time.sleep(0.01)
    return time.monotonic() - start
