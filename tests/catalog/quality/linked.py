"""A web of strangers on loopback: any host name leads here, and each address answers as the test says.

A real HTTP server in a thread. `says` maps `METHOD /path` (or `/path` for both methods) to what is answered: a status
with headers, or a function that is handed the request. Unknown paths are 404, `/robots.txt` too unless said.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Handle = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Say:
    """An answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]


class Web:
    """Serves what `says` holds; `asked` keeps every request in order."""

    def __init__(self) -> None:
        self.says: dict[str, Say | Handle] = {}
        self.asked: list[Asked] = []
        self.leaving = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                host = self.headers.get("Host", "").partition(":")[0]
                lower = {name.lower(): value for name, value in self.headers.items()}
                outer.asked.append(Asked(self.command, host, self.path, lower))
                said = outer.says.get(f"{self.command} {self.path}") or outer.says.get(self.path, Say(404))
                try:
                    if callable(said):
                        said(self)
                        return
                    self.send_response(said.status)
                    for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(said.body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_GET = do_HEAD = _answer  # noqa: N815  (the names http.server calls)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.port = self._server.server_port

    def url(self, path: str, host: str = "files.example") -> str:
        """Give an address of this web under a host name."""
        return f"http://{host}:{self.port}{path}"

    def paths(self, *, robots: bool = False) -> list[str]:
        """Method and path of every request, those for robots.txt left out."""
        return [f"{one.method} {one.path}" for one in self.asked if robots or one.path != "/robots.txt"]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leaving.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
