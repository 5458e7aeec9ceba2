"""Large answers of `/sparql` on their way to readers that take nothing, over real sockets."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from node.errors import TooManyRequests, Unavailable
from node.web.sparql import sending as module
from node.web.sparql.sending import Budget, Sliced

pytestmark = pytest.mark.slow  # it waits for slow readers

LARGE = bytes(range(256)) * (128 << 10)  # 32 MiB, far more than the system keeps for a connection


@contextmanager
def served(budget: Budget) -> Iterator[int]:
    """Serve one large answer to everybody; gives the port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Sliced(Response(LARGE), budget.claim("a", len(LARGE)))(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server._serve()))
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


def asking(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=5)
    made.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    return made


def everything(line: socket.socket) -> bytes:
    read = bytearray()
    while len(read) < len(LARGE) or not read.endswith(LARGE[-1024:]):
        part = line.recv(1 << 20)
        if not part:
            break
        read += part
    return bytes(read).partition(b"\r\n\r\n")[2]


def wait_for_none(budget: Budget) -> None:
    until = time.monotonic() + 5
    while budget.held and time.monotonic() < until:
        time.sleep(0.01)
    assert budget.held == 0


def test_who_reads_has_the_whole_answer_and_gives_the_budget_back() -> None:
    budget = Budget(4 * len(LARGE))
    with served(budget) as port, asking(port) as line:
        assert everything(line) == LARGE
        wait_for_none(budget)


def test_who_reads_nothing_is_cut_off_and_gives_the_budget_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STILL_S", 0.3)
    budget = Budget(4 * len(LARGE))
    with served(budget) as port, asking(port) as line:
        assert line.recv(15) == b"HTTP/1.1 200 OK"
        assert budget.held == len(LARGE)
        wait_for_none(budget)
        assert len(everything(line)) < len(LARGE)  # and the end of the connection, before the announced length


def test_who_reads_too_slowly_is_cut_off_though_every_slice_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STILL_S", 0.4)
    monkeypatch.setattr(module, "SLOWEST", 100 * len(LARGE))
    budget = Budget(4 * len(LARGE))
    with served(budget) as port, asking(port) as line:
        begun = time.monotonic()
        while budget.held or time.monotonic() - begun < 0.1:
            line.recv(50_000)
            time.sleep(0.02)
            assert time.monotonic() - begun < 3


def test_who_goes_away_gives_the_budget_back() -> None:
    budget = Budget(4 * len(LARGE))
    with served(budget) as port:
        with asking(port) as line:
            assert line.recv(15) == b"HTTP/1.1 200 OK"
        wait_for_none(budget)


def test_one_reader_has_half_of_the_budget_at_most_and_all_together_the_whole() -> None:
    budget = Budget(100)
    first = budget.claim("a", 50)
    with pytest.raises(TooManyRequests):
        budget.claim("a", 1)
    second = budget.claim("b", 45)
    with pytest.raises(Unavailable, match="Too many large answers") as full:
        budget.claim("c", 6)
    assert full.value.retry_after_s
    second.shrink(10)
    second.shrink(30)  # never grows
    budget.claim("c", 40)
    assert budget.held == 100
    first.shrink(0)
    first.shrink(0)
    assert budget.held == 50
