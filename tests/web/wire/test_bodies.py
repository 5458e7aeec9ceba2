"""Laws of bodies: what is refused before it was read ends the connection, and nothing else does."""

import asyncio
from typing import Any

import pytest

from node.web.wire.bodies import Unread, has_body
from tests.web.cities import City

CLOSE = (b"connection", b"close")


def asked(app: Any, method: str, path: str, headers: list[tuple[bytes, bytes]], parts: list[bytes]) -> list[Any]:
    """Ask an app with a body in parts; give what it sent."""
    sent: list[Any] = []
    waiting = [
        {"type": "http.request", "body": part, "more_body": at < len(parts) - 1} for at, part in enumerate(parts)
    ]

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers, "root_path": ""}
    asyncio.run(app(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"7")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_a_body_is_announced_by_its_length_or_its_coding(headers: list[tuple[bytes, bytes]], told: bool) -> None:
    assert has_body({"headers": headers}) is told


@pytest.mark.parametrize(("method", "path"), [("GET", "/datasets/parking"), ("POST", "/catalog"), ("PUT", "/none")])
def test_an_answer_before_the_body_was_read_ends_the_connection(city: City, method: str, path: str) -> None:
    app = city.app()
    asked(app, "GET", "/datasets/parking", [], [b""])  # it is answered from memory from now on
    start, *_ = asked(app, method, path, [(b"content-length", b"99999999999")], [b"x"] * 9)
    assert CLOSE in start["headers"]


def test_an_answer_without_a_body_before_it_keeps_the_connection(city: City) -> None:
    start, *_ = asked(city.app(), "GET", "/datasets/parking", [], [b""])
    assert CLOSE not in start["headers"]


def test_an_answer_to_a_body_that_was_read_keeps_the_connection() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        unread = Unread(receive, send)
        while (await unread.receive()).get("more_body"):
            pass
        await unread.send({"type": "http.response.start", "status": 200, "headers": []})

    start, *_ = asked(app, "POST", "/", [(b"content-length", b"4")], [b"ab", b"cd"])
    assert start["headers"] == []
