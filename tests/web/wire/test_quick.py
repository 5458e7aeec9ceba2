"""The quick way gives, byte for byte, what uvicorn's own way gives, in the same order on each connection."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from node.journal import Draft
from node.web.wire.front import Front
from node.web.wire.limits import Gate, Limits
from node.web.wire.quick import quick_way
from tests.web.cities import AT_MS, BASE, PARKING, City, parking, small

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

HERE, PAGE = "/datasets/parking.ttl", "/collections/open-data.ttl?page=1"
_OWN = re.compile(rb"(?:x-request-id|date): [^\r]*\r\n")


class Line:
    """One connection to a server that runs in the same loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, *requests: str, pieces: int = 0) -> list[bytes]:
        sent = b"".join(each.encode() for each in requests)
        for start in range(0, len(sent), pieces or len(sent)):
            self.writer.write(sent[start : start + (pieces or len(sent))])
            await self.writer.drain()
            if pieces:
                await asyncio.sleep(0.001)
        return [await self.reply(request) for request in requests]

    async def reply(self, request: str) -> bytes:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        length = re.search(rb"content-length: (\d+)", head)
        bare = request.startswith("HEAD") or head.startswith(b"HTTP/1.1 304")
        return head + (b"" if bare or not length else await self.reader.readexactly(int(length[1])))


def ask(path: str, *headers: str, method: str = "GET", version: str = "1.1") -> str:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: helsinki.example", *headers, "", ""])


def run(front: Front, protocol: type[HttpToolsProtocol], act: Callable[[Callable[[], Awaitable[Line]]], Any]) -> Any:
    """Serve on a free port for as long as `act` takes."""

    async def main() -> Any:
        config = uvicorn.Config(
            front, host="127.0.0.1", port=0, http=protocol, ws="none", lifespan="off", log_config=None,
            access_log=False, server_header=False, proxy_headers=False,
        )  # fmt: skip
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
        task = asyncio.create_task(server._serve())
        while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        lines: list[Line] = []

        async def line() -> Line:
            lines.append(Line(*await asyncio.open_connection("127.0.0.1", port)))
            return lines[-1]

        try:
            return await act(line)
        finally:
            for each in lines:
                each.writer.close()
            server.should_exit = True
            await task

    return asyncio.run(main())


def without_own(reply: bytes) -> list[bytes]:
    """Head lines in any order and the body, without what differs between any two replies."""
    head, _, body = _OWN.sub(b"", reply).partition(b"\r\n\r\n")
    return [*sorted(head.split(b"\r\n")), body]


ASKED = [
    ask(HERE),
    ask(HERE, method="HEAD"),
    ask(HERE, "Accept-Encoding: gzip"),
    ask("/datasets/parking", "Accept: application/ld+json"),
    ask("/datasets/parking.html", "Accept-Language: fi"),
    ask(PAGE),
    ask("/datasets/parking.ttl?page=1"),
    ask("/datasets/nothing.ttl"),
    ask("/datasets/parking%2Ettl"),
    ask(HERE, "Content-Length: 0"),
    ask(HERE, "Authorization: Bearer cn_no"),
]


def test_both_ways_give_the_same_bytes(city: City) -> None:
    async def act(line: Callable[[], Awaitable[Line]]) -> list[bytes]:
        one = await line()
        await one.say(*ASKED)
        return await one.say(*ASKED)

    front = city.app()
    quick, slow = (run(front, way, act) for way in (quick_way(front), HttpToolsProtocol))
    for asked, ours, theirs in zip(ASKED, quick, slow, strict=True):
        assert without_own(ours) == without_own(theirs), asked
    # Of a first round HEAD and the spelt-out address find what GET left in memory; afterwards seven of eleven do.
    assert front.hits == (2 + 7) + (7 + 7)


def test_replies_keep_the_order_of_their_requests_however_they_arrive(city: City) -> None:
    async def act(line: Callable[[], Awaitable[Line]]) -> list[list[bytes]]:
        one = await line()
        mixed = [ask(HERE), ask("/catalog.ttl"), ask(HERE), ask("/nothing"), ask(HERE, method="HEAD"), ask(HERE)]
        await one.say(*mixed)
        return [await one.say(*mixed), await one.say(*mixed, pieces=7)]

    front = city.app()
    for replies in run(front, quick_way(front), act):
        assert [int(reply[9:12]) for reply in replies] == [200, 200, 200, 404, 200, 200]
        bodies = [reply.partition(b"\r\n\r\n")[2] for reply in replies]
        assert bodies[0] == bodies[2] == bodies[5]
        assert b"hydra" not in bodies[0]
        assert bodies[4] == b""


def test_a_copy_that_is_good_is_told_so_and_a_change_is_seen_at_once(city: City) -> None:
    async def act(line: Callable[[], Awaitable[Line]]) -> None:
        one = await line()
        (first,) = await one.say(ask(HERE))
        etag = re.search(rb'etag: ("[^"]+")', first)[1].decode()  # type: ignore[index]
        (fresh,) = await one.say(ask(HERE, f"If-None-Match: {etag}"))
        assert fresh.startswith(b"HTTP/1.1 304 ")
        (page,) = await one.say(ask(PAGE))
        city.put(Draft(PARKING.record, "parking", "dataset", "put", parking(title="New title")), at_ms=AT_MS + 9)
        (changed, turned) = await one.say(ask(HERE, f"If-None-Match: {etag}"), ask(PAGE))
        assert b"New title" in changed
        assert b"New title" in turned
        assert b"New title" not in page

    front = city.app()
    run(front, quick_way(front), act)


def test_a_page_stays_in_memory_while_another_collection_changes(city: City) -> None:
    async def act(line: Callable[[], Awaitable[Line]]) -> None:
        one = await line()
        await one.say(ask(PAGE))
        city.open("practices", "Practices")
        iri, slug, body = small(1)
        city.put(Draft(iri, slug, "dataset", "put", body), collection="practices")
        await one.say(ask(PAGE))

    front = city.app()
    run(front, quick_way(front), act)
    assert front.hits == 1


@pytest.mark.parametrize("asked", [ask(HERE, "Connection: close"), ask(HERE, version="1.0")])
def test_a_connection_that_shall_close_is_closed(city: City, asked: str) -> None:
    async def act(line: Callable[[], Awaitable[Line]]) -> bytes:
        one = await line()
        await one.say(ask(HERE))
        await one.say(asked)
        return await asyncio.wait_for(one.reader.read(), 5)

    front = city.app()
    assert run(front, quick_way(front), act) == b""


def test_who_asks_too_often_is_turned_away_this_way_too(city: City) -> None:
    class Rates:
        public_per_min, feed_per_min, token_per_min, processes, trusted_proxies = 3, 0, 0, 1, ()

    async def act(line: Callable[[], Awaitable[Line]]) -> list[int]:
        one = await line()
        return [int((await one.say(ask(HERE)))[0][9:12]) for _ in range(5)]

    front = city.app()
    front._gate = Gate(Limits(Rates()), BASE)  # type: ignore[arg-type]
    assert run(front, quick_way(front), act) == [200, 200, 200, 429, 429]
    assert front.hits == 2
