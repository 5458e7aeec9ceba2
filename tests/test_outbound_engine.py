"""The client of a triple store's engine: whole answers in time or none, and what changes a store is said once."""

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.errors import Malformed, Unavailable
from node.outbound.engine import (
    END,
    Address,
    ChildPorts,
    Engine,
    LargeError,
    LateError,
    LostError,
    OverloadedError,
    child_at,
    end_child,
    tell,
)

JSON = "application/sparql-results+json"
YES = b'{"head":{},"boolean":true}'
Answers = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the test says; keeps connections as engines do."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        self.told = self.rfile.read(length)
        self.server.heard.append((self.path, self.told, dict(self.headers)))  # type: ignore[attr-defined]
        self.server.answers(self)  # type: ignore[attr-defined]

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.client_address)  # type: ignore[attr-defined]

    def whole(self, body: bytes = YES, status: int = 200, kind: str = JSON) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def chunks(self, *parts: bytes, ends: bool = True) -> None:
        self.send_response(200)
        self.send_header("Content-Type", JSON)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in parts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        if ends:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answers: Answers) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.heard: list[tuple[str, bytes, dict[str, str]]] = []
        self.connections: list[object] = []

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients go as they please."""


@contextlib.contextmanager
def served(answers: Answers) -> Iterator[tuple[Engine, Server]]:
    server = Server(answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    engine = Engine(lambda: Address(f"{base}/query", f"{base}/update", f"{base}/store?no_transaction"))
    try:
        yield engine, server
    finally:
        engine.close()
        server.shutdown()
        server.server_close()


def ask(engine: Engine, *, deadline_s: float = 5, max_bytes: int = 1_000) -> bytes:
    params = [("default-graph-uri", "http://x/a b&c")]
    return engine.query("ASK {}", accept=JSON, params=params, deadline_s=deadline_s, max_bytes=max_bytes).body


def test_a_question_is_asked_as_the_protocol_says_over_a_connection_that_is_kept() -> None:
    with served(Handler.whole) as (engine, server):
        assert ask(engine) == ask(engine) == YES
        path, body, headers = server.heard[0]
        assert path == "/query?default-graph-uri=http%3A%2F%2Fx%2Fa+b%26c"
        assert (body, headers["Content-Type"], headers["Accept"]) == (b"ASK {}", "application/sparql-query", JSON)
        assert len(server.connections) == 1


def test_an_answer_is_whole_or_none() -> None:
    with served(lambda handler: handler.chunks(YES[:10], YES[10:])) as (engine, _):
        assert ask(engine) == YES
    with served(lambda handler: handler.chunks(YES[:10], ends=False)) as (engine, _), pytest.raises(LostError):
        ask(engine)
    gave_up = YES[:10] + b"The SPARQL operation has been cancelled"
    with served(lambda handler: handler.chunks(gave_up)) as (engine, _), pytest.raises(Unavailable, match="gave up"):
        ask(engine)


def test_an_answer_past_its_bound_is_refused() -> None:
    with served(lambda handler: handler.chunks(*[b"x" * 600] * 2)) as (engine, _):
        with pytest.raises(LargeError) as large:
            ask(engine)
        assert large.value.exchange.stop(1)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b"error at 1:1", Malformed),
        (500, b"The custom function <x:f> is not supported, error", Malformed),
        (500, b"Resource temporarily unavailable (os error 11)", OverloadedError),
        (500, b"an error", OverloadedError),
        (302, b"an error", Unavailable),
    ],
)
def test_any_other_status_is_no_answer_and_no_redirect_is_followed(
    status: int, body: bytes, kind: type[Exception]
) -> None:
    def answers(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Location", "http://127.0.0.1:9/")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with served(answers) as (engine, server):
        with pytest.raises(kind) as told:
            ask(engine)
        assert ("error" in str(told.value)) is (kind is not Unavailable)  # whoever shows it shows no words of others
        assert len(server.heard) == 1


def test_a_late_answer_is_seen_to_its_end_elsewhere() -> None:
    go_on = threading.Event()

    def answers(handler: Handler) -> None:
        go_on.wait(5)
        handler.chunks(YES)

    with served(answers) as (engine, _):
        with pytest.raises(LateError) as late:
            ask(engine, deadline_s=0.05)
        assert not late.value.exchange.see_off(0.05)
        with pytest.raises(LateError) as late:
            ask(engine, deadline_s=0.05)
        go_on.set()
        assert late.value.exchange.see_off(5)


def test_a_question_whose_kept_connection_had_closed_is_asked_again() -> None:
    def answers(handler: Handler) -> None:
        handler.whole()
        handler.close_connection = True  # without saying so

    with served(answers) as (engine, server):
        assert ask(engine) == YES
        time.sleep(0.05)
        assert ask(engine) == YES
        assert len(server.heard) == 2


def test_what_changes_a_store_is_never_said_twice() -> None:
    heard = threading.Event()

    def answers(handler: Handler) -> None:
        heard.set()
        if handler.path == "/query":
            handler.whole()
        else:
            handler.close_connection = True

    with served(answers) as (engine, server):
        engine.query("ASK {}", accept=JSON, deadline_s=5, max_bytes=100)
        with pytest.raises(Unavailable):
            engine.update(b"DROP ALL", deadline_s=5)
        assert [path for path, *_ in server.heard] == ["/query", "/update"]


def test_an_empty_answer_leaves_its_connection_in_order() -> None:
    def answers(handler: Handler) -> None:
        handler.send_response(204)
        handler.end_headers()

    with served(answers) as (engine, server):
        for _ in range(3):
            engine.load(b"<x:s> <x:p> <x:o> .\n", deadline_s=5)
            engine.update(b"DROP ALL", deadline_s=5)
        assert len(server.heard) == 6


def test_an_engine_that_has_not_said_where_it_is_cannot_be_asked_for_long(tmp_path: Path) -> None:
    engine = Engine(lambda: child_at(tmp_path / "none"))
    with pytest.raises(Unavailable, match="cannot be reached"):
        ask(engine, deadline_s=0.05)


def test_where_a_child_listens_is_told_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "public.address"
    assert child_at(path) is None
    for bad in ("", "{", "[]", '{"port": "x"}'):
        path.write_text(bad)
        assert child_at(path) is None
    tell(path, port=7878, pid=1, born="b")
    found = child_at(path)
    assert found is not None
    assert (found.query_url, found.pid, found.born) == ("http://127.0.0.1:7878/query", 1, "b")
    assert 7878 in ChildPorts([tmp_path / "none", path])
    assert 7879 not in ChildPorts([path])
    assert json.loads(path.read_text())["port"] == 7878


def test_only_the_process_that_listens_there_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "public.address"
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)", "127.0.0.1:7878"])
    try:
        until = time.monotonic() + 5
        while b"7878" not in Path(f"/proc/{child.pid}/cmdline").read_bytes() and time.monotonic() < until:
            time.sleep(0.01)  # it is still on its way from being this process
        tell(path, port=7879, pid=child.pid, born="b")
        end_child(path, child.pid)  # another process has its number now
        tell(path, port=7878, pid=child.pid, born="b")
        end_child(path, os.getpid())  # it was started anew meanwhile
        assert child.poll() is None
        assert path.exists()
        end_child(path, child.pid)
        assert child.wait(5) == -END
        assert not path.exists()
    finally:
        child.kill()
        child.wait()
