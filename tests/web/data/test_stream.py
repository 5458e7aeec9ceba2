"""A part on its way over real connections: whole or visibly not, and ended in time, whatever its reader does."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop

from node.federation.moved import OriginWish
from node.web.wire.quick import quick_way
from tests.federation.agreed import change
from tests.federation.cities import City
from tests.federation.data.door_rig import PART, Pair, pair

pytestmark = pytest.mark.slow  # two whole nodes, and servers
SIZE = 40_000_000  # more than all buffers on the way hold
VOLUME = "https://w3id.org/citynode/odrl#volume"


class Server:
    """A city's web process, in a thread."""

    def __init__(self, city: City) -> None:
        app: Any = city.wire.apps[city.url]._app  # the very app that the other city speaks with
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, http=quick_way(app), ws="none", lifespan="off", log_config=None,
            access_log=False, server_header=False, proxy_headers=False,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Server":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._door.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop of our own web processes
            runner.run(self._server._serve(sockets=[self._door]))


class Reader:
    """A connection that takes what it wants of an answer, when it wants it."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self._socket.settimeout(10)
        self._socket.connect(("127.0.0.1", port))
        self.ask(path, headers)
        self.broken = False

    def ask(self, path: str, headers: dict[str, str]) -> None:
        lines = [f"GET {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        self._file = self._socket.makefile("rb")

    def head(self) -> dict[str, str]:
        status = self._file.readline().split()[1].decode()
        lines = iter(lambda: self._file.readline().decode().strip(), "")
        return {"status": status} | {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }

    def take(self, most: int) -> int:
        """Take bytes until there are so many, or no more."""
        taken = 0
        with contextlib.suppress(ConnectionError):
            while taken < most and (found := self._file.read1(min(65_536, most - taken))):
                taken += len(found)
        self.broken = taken < most
        return taken

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture(scope="module")
def serving(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, Server]]:
    with pair(tmp_path_factory.mktemp("door"), migrated, data_stall_s=1) as made:
        made.lay(bytes(SIZE))
        with Server(made.helsinki) as server:
            yield made, server


@pytest.fixture
def reading(serving: tuple[Pair, Server]) -> Iterator[Callable[..., tuple[Pair, Reader]]]:
    """Give a transfer of the test's own, and a reader that has asked for all of it."""
    readers: list[Reader] = []

    def asked(*constraint: dict[str, Any], **more: str) -> tuple[Pair, Reader]:
        made = replace(serving[0])
        made.start(*constraint)
        path = f"/data/{made.pid}/{PART}"
        readers.append(Reader(serving[1].port, path, {**made.headers(path), **more}))
        return made, readers[-1]

    yield asked
    for each in readers:
        each.close()


def ended(made: Pair, within_s: float) -> tuple[int, str, float]:
    """Wait for the books of the transfer's stream: bytes, how it ended, and after how long."""
    begun = time.monotonic()
    while time.monotonic() - begun < within_s:
        row = made.sql("SELECT sent, how FROM data_stream WHERE transfer = ? ORDER BY id DESC", made.pid)[0]
        if row[1]:
            return int(row[0]), str(row[1]), time.monotonic() - begun
        time.sleep(0.02)
    raise AssertionError("The stream did not end.")


def test_all_of_it_comes_and_the_connection_serves_the_next(reading: Callable[..., tuple[Pair, Reader]]) -> None:
    made, reader = reading()
    assert reader.head()["content-length"] == str(SIZE)
    assert reader.take(SIZE) == SIZE
    path = f"/data/{made.pid}/"
    reader.ask(path, made.headers(path))
    assert reader.head()["status"] == "200"
    assert ended(made, 1)[:2] == (SIZE, "done")


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_a_reader_that_takes_nothing_is_cut_within_a_second_too(
    reading: Callable[..., tuple[Pair, Reader]], state: str
) -> None:
    made, reader = reading()
    reader.head()
    reader.take(1_000)
    change(made.helsinki.node, made.agreement, state)
    sent, how, after_s = ended(made, 3)
    assert (how, after_s < 1.0) == ("cut", True)
    assert reader.take(SIZE) < sent < SIZE
    assert reader.broken


@pytest.mark.parametrize("lies", ["nowhere", "elsewhere"])
def test_a_stream_of_what_does_not_lie_there_any_more_is_cut_within_a_second(
    reading: Callable[..., tuple[Pair, Reader]], lies: str
) -> None:
    made, reader = reading()
    reader.head()
    reader.take(1_000)
    office = made.helsinki.federation.moving.origin_parts.office
    office.remove(made.dataset, PART)
    if lies == "elsewhere":
        path = made.folder / "elsewhere.csv"
        path.write_bytes(b"another")
        office.add(OriginWish(made.dataset, str(path), PART), by="a test", files=True)
    sent, how, after_s = ended(made, 3)
    assert (how, after_s < 1.0) == ("cut", True)
    assert reader.take(SIZE) < sent < SIZE
    assert reader.broken
    if lies == "elsewhere":
        office.remove(made.dataset, PART)
    made.lay(bytes(SIZE))  # the next test reads it


def test_of_what_a_reader_left_lying_nothing_comes_after_the_cut(reading: Callable[..., tuple[Pair, Reader]]) -> None:
    made, reader = reading()
    reader.head()
    time.sleep(0.3)  # as much as goes lies on the way
    change(made.helsinki.node, made.agreement, "revoked")
    sent, how, _ = ended(made, 3)
    assert how == "cut"
    assert reader.take(SIZE) < 500_000  # what its own machine had taken, and not the megabytes that ours had
    assert sent < 1_100_000  # and in doubt a chunk


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_a_part_that_the_kernel_would_take_whole_is_not_had_after_the_cut(
    reading: Callable[..., tuple[Pair, Reader]], state: str
) -> None:
    made, reader = reading(Range="bytes=0-349999")
    assert reader.head()["status"] == "206"
    change(made.helsinki.node, made.agreement, state)
    time.sleep(1)
    assert reader.take(350_000) < 350_000
    assert reader.broken
    sent, how, _ = ended(made, 1)  # they were closed before its last byte went, and are opened again
    assert (how, sent < 350_000) == ("cut", True)


def test_a_reader_that_takes_all_it_can_is_cut_within_a_second(reading: Callable[..., tuple[Pair, Reader]]) -> None:
    made, reader = reading(Range="bytes=0-39999998")
    assert reader.head()["status"] == "206"
    taken: list[int] = []

    def slowly() -> None:
        while found := reader.take(200_000):
            taken.append(found)
            time.sleep(0.02)

    thread = threading.Thread(target=slowly)
    thread.start()
    time.sleep(0.1)
    change(made.helsinki.node, made.agreement, "revoked")
    assert ended(made, 3)[1:] < ("cut", 1.0)
    thread.join(5)
    assert sum(taken) < SIZE - 1


def test_a_reader_that_takes_nothing_for_too_long_is_left(reading: Callable[..., tuple[Pair, Reader]]) -> None:
    made, reader = reading()
    reader.head()
    _, how, after_s = ended(made, 5)
    assert how == "stalled"
    assert after_s < 3.5
    assert reader.take(SIZE) < SIZE


def test_a_slow_reader_is_waited_for(reading: Callable[..., tuple[Pair, Reader]]) -> None:
    made, reader = reading()
    reader.head()
    taken = 0
    for _ in range(12):
        taken += reader.take(600_000)
        time.sleep(0.2)
    assert taken + reader.take(SIZE - taken) == SIZE
    assert ended(made, 1)[:2] == (SIZE, "done")


def test_of_a_reader_that_goes_only_what_went_is_charged(reading: Callable[..., tuple[Pair, Reader]]) -> None:
    made, reader = reading({"leftOperand": VOLUME, "operator": "lteq", "rightOperand": str(2 * SIZE)})
    reader.head()
    reader.take(1_000_000)
    reader.close()
    sent, how, _ = ended(made, 3)
    assert how == "gone"
    assert 1_000_000 <= sent < SIZE
    assert made.sql("SELECT bytes FROM data_volume WHERE agreement = ?", made.agreement) == [(sent,)]


def test_a_file_that_changes_meanwhile_never_comes_to_its_end(
    serving: tuple[Pair, Server], reading: Callable[..., tuple[Pair, Reader]]
) -> None:
    file = serving[0].folder / "data" / PART
    made, reader = reading()
    reader.head()
    try:
        with file.open("r+b") as written:
            written.write(b"something else")
        assert reader.take(SIZE) < SIZE
        assert ended(made, 3)[1] == "broken"
    finally:
        file.write_bytes(bytes(SIZE))
