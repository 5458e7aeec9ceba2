"""Somebody's own server on this machine: hands out one file, takes what is brought, and hears what EDC calls back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.java.harness import HOST

FILE = b"id;db\r\n" + b"".join(b"%d;%d\r\n" % (number, number % 90) for number in range(40_000))


@dataclass
class Sink:
    """What it was brought, by path; `url` is where it stands."""

    url: str
    brought: dict[str, bytes] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)  # the header Authorization, by path


@contextmanager
def sink() -> Iterator[Sink]:
    """Let one stand until the block ends."""
    server = ThreadingHTTPServer((HOST, 0), _Handler)
    server.daemon_threads = True
    made = Sink(f"http://{HOST}:{server.server_address[1]}")
    server.made = made  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sink", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(FILE)

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = self._chunks() if "chunked" in self.headers.get("transfer-encoding", "") else self._whole()
        made: Sink = self.server.made  # type: ignore[attr-defined]
        made.shown[self.path] = self.headers.get("authorization", "")
        made.brought[self.path] = body
        self._answer(b"")

    def do_PUT(self) -> None:
        self.do_POST()

    def _whole(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/csv")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
