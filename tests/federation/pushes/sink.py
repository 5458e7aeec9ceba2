"""A server that keeps every body that is sent to it: what a consumer without a node would have."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Taken = tuple[str, str, Mapping[str, str], bytes]


class Sink:
    """On a free port of loopback; `taken` has method, path with query, headers in lower case, and body."""

    def __init__(self, status: int = 201) -> None:
        outer = self
        self.taken: list[Taken] = []

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", "0")))
                outer.taken.append((self.command, self.path, headers, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Sink":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
