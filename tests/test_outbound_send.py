"""Laws of sending a long body: whole or visibly not, at the other side's pace, cut at any moment, never to anywhere."""

import contextlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from node.errors import ForbiddenAddress, PeerUnreachable, SourceUnreachable, Stopped
from node.outbound import Outbound, Reply
from tests.federation.fake_peer import KeptServer, Said, say
from tests.test_outbound import HOSTILE

pytestmark = pytest.mark.slow  # it waits for slow readers

MEGABYTE = 1 << 20


class Drain(KeptServer):
    """A server that takes what is sent, as fast as `take_s` lets it, and says how much that was."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[int] = []
        self.raw: list[dict[str, str]] = []
        self.ended = threading.Event()
        self.take_s = 0.0
        self.answer = Said(b"{}", 204)

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        self.raw.append({name.lower(): value for name, value in request.headers.items()})
        try:
            self.taken.append(sum(self._pieces(request)))
        finally:
            self.ended.set()
        say(request, self.answer)

    def _pieces(self, request: BaseHTTPRequestHandler) -> Iterator[int]:
        left = int(request.headers.get("content-length") or -1)
        while left:
            most = left if left > 0 else int(request.rfile.readline().strip() or b"0", 16)
            piece = request.rfile.read(min(most, 1 << 16) if left > 0 else most)
            time.sleep(self.take_s)
            yield len(piece)
            if left < 0:
                request.rfile.readline()
            if not piece:
                return
            left = left - len(piece) if left > 0 else left


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drain]:
    made = Drain()

    def take(request: BaseHTTPRequestHandler) -> None:
        made.handle(request)

    for name in ("do_PUT", "do_PATCH"):
        monkeypatch.setattr(made._server.RequestHandlerClass, name, take, raising=False)
    with made:
        yield made


@pytest.fixture
def door() -> Iterator[Outbound]:
    made = Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="citynode/test")
    yield made
    made.close()


def send(door: Outbound, url: str, body: Any, **changes: Any) -> Reply:
    return door.send(url, body, **({"method": "PUT", "length": None, "silence_s": 5.0} | changes))


@contextlib.contextmanager
def hasty(status: int) -> Iterator[str]:
    """Give the address of a server that answers when it has read a thousand bytes, and closes."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        one, _ = listening.accept()
        with one:
            got = b""
            while len(got) < 1_000:
                got += one.recv(1_000)
            one.sendall(f"HTTP/1.1 {status} Well\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    serving = threading.Thread(target=serve)
    serving.start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/in"
        serving.join()


class Endless:
    """A body without an end that counts what was read of it."""

    def __init__(self) -> None:
        self.read_so_far = 0

    def read(self, most: int) -> bytes:
        self.read_so_far += most
        return bytes(most)


@pytest.mark.parametrize("url", HOSTILE)
def test_nothing_is_ever_sent_to_a_hostile_address(url: str) -> None:
    door = Outbound(
        loopback_allowed=False,
        private_origins=frozenset(),
        user_agent="t",
        resolver=lambda host, port: ["127.0.0.1"],
    )
    body = Endless()
    with pytest.raises(ForbiddenAddress):
        send(door, url, body)
    assert body.read_so_far == 0


@pytest.mark.parametrize("length", [3 * MEGABYTE + 1, None])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_body_arrives_whole_with_its_headers(server: Drain, door: Outbound, length: int | None, method: str) -> None:
    body = io.BytesIO(bytes(3 * MEGABYTE + 1))
    headers = {"Upload-Offset": "7", "User-Agent": "not me", "Content-Length": "5"}
    reply = send(door, server.url, body, method=method, length=length, headers=headers)
    assert (reply.status, server.taken) == (204, [3 * MEGABYTE + 1])
    (said,) = server.raw
    assert (said["upload-offset"], said["user-agent"]) == ("7", "citynode/test")
    assert ("content-length" in said, "transfer-encoding" in said) == (length is not None, length is None)


def test_an_empty_body_is_a_body(server: Drain, door: Outbound) -> None:
    assert send(door, server.url, io.BytesIO(), length=0).status == 204
    assert server.raw[0]["content-length"] == "0"


def test_a_source_that_ends_too_early_breaks_the_message_and_not_its_meaning(server: Drain, door: Outbound) -> None:
    with pytest.raises(PeerUnreachable, match="ended after 10 of 20"):
        send(door, server.url, io.BytesIO(bytes(10)), length=20)
    assert server.ended.wait(5)


def test_what_the_source_raises_is_what_the_caller_hears_and_the_other_side_has_no_whole_body(
    server: Drain, door: Outbound
) -> None:
    class Broken:
        def read(self, _: int) -> bytes:
            raise SourceUnreachable("The disk is gone.")

    with pytest.raises(SourceUnreachable, match="disk is gone"):
        send(door, server.url, Broken(), length=20)


def test_no_more_than_the_length_is_read_of_a_longer_source(server: Drain, door: Outbound) -> None:
    body = Endless()
    assert send(door, server.url, body, length=MEGABYTE).status == 204
    assert body.read_so_far == MEGABYTE == server.taken[0]


def test_a_stop_cuts_a_running_body_within_a_second_also_when_nobody_reads(server: Drain, door: Outbound) -> None:
    stop, body = threading.Event(), Endless()
    server.take_s = 30.0
    threading.Timer(0.2, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        send(door, server.url, body, silence_s=60.0, stop=stop)
    assert time.monotonic() - begun < 1.0
    server.take_s = 0.0


def test_whoever_takes_nothing_is_left_after_the_silence_and_memory_stays_bounded(
    server: Drain, door: Outbound
) -> None:
    body = Endless()
    server.take_s = 2.0
    with pytest.raises(PeerUnreachable):
        send(door, server.url, body, silence_s=0.4)
    # What the two sockets hold, and no more.
    assert body.read_so_far < 32 * MEGABYTE
    server.take_s = 0.0


def test_a_slow_reader_that_goes_on_is_not_left(server: Drain, door: Outbound) -> None:
    server.take_s = 0.02
    reply = send(door, server.url, io.BytesIO(bytes(3 * MEGABYTE)), length=3 * MEGABYTE, silence_s=0.6)
    assert (reply.status, server.taken) == (204, [3 * MEGABYTE])


def test_no_redirect_is_followed(server: Drain, door: Outbound) -> None:
    server.answer = Said(b"", 307, {"Location": "/elsewhere"})
    assert send(door, server.url, io.BytesIO(b"x"), length=1).status == 307
    assert len(server.raw) == 1


@pytest.mark.parametrize("length", [9 * MEGABYTE, 200_000])
@pytest.mark.parametrize("status", [200, 413])
def test_an_answer_before_all_was_taken_says_so_however_much_lies_in_buffers(
    door: Outbound, length: int, status: int
) -> None:
    with hasty(status) as url:
        reply = send(door, url, io.BytesIO(bytes(length)), length=length)
    assert (reply.status, reply.is_success) == (status, False)
    assert reply.is_early or status == 413


@pytest.mark.slow
def test_who_takes_all_and_leaves_the_connection_open_has_taken_all(server: Drain, door: Outbound) -> None:
    server.answer = Said(b"", 201, {"Connection": "keep-alive", "Content-Length": "0"})
    reply = send(door, server.url, io.BytesIO(bytes(MEGABYTE)), length=MEGABYTE)
    assert (reply.is_success, server.taken) == (True, [MEGABYTE])


def test_nobody_there_is_said_before_anything_is_read(door: Outbound, server: Drain) -> None:
    body = Endless()
    with pytest.raises(PeerUnreachable):
        send(door, "http://127.0.0.1:1/", body)
    assert body.read_so_far == 0


def test_an_unknown_method_is_a_mistake_of_ours(door: Outbound) -> None:
    with pytest.raises(ValueError, match="PUT or PATCH"):
        send(door, "http://127.0.0.1:1/", Endless(), method="POST")


def test_a_question_by_head_gives_headers_alone(server: Drain, door: Outbound, monkeypatch: pytest.MonkeyPatch) -> None:
    def head(request: BaseHTTPRequestHandler) -> None:
        request.send_response(204)
        request.send_header("Upload-Offset", "12")
        request.send_header("Content-Length", "99999999999")
        request.end_headers()

    monkeypatch.setattr(server._server.RequestHandlerClass, "do_HEAD", head, raising=False)
    reply = door.ask(server.url, method="HEAD", max_bytes=10, deadline_s=5.0)
    assert (reply.status, reply.headers["upload-offset"], reply.body) == (204, "12", b"")
