"""Our tokens at other cities, asked of a real node over a real socket, and of servers that answer what they like."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from node.errors import ForbiddenAddress, Malformed, NodeError, PeerUnreachable, TooManyRequests, Unauthenticated
from node.federation.tokens.source import SPARE_MS, TokenSource
from node.keys import Keyring
from node.outbound import Outbound
from tests.federation.fake_peer import Heard, KeptServer, Said
from tests.federation.oauth_rig import HELSINKI, Door, Town, know, made_node, now_s

pytestmark = pytest.mark.slow  # it waits for servers


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.ms = now_s() * 1000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[KeptServer]:
    with KeptServer() as made:
        yield made


@pytest.fixture
def source(keys: dict[str, Keyring], clock: Clock) -> Iterator[TokenSource]:
    outbound = Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="test")
    yield TokenSource(base_url=HELSINKI, keyring=keys["helsinki"], outbound=outbound, clock_ms=clock)
    outbound.close()


@pytest.fixture
def london(server: KeptServer, migrated: Path, keys: dict[str, Keyring], tmp_path: Path) -> Iterator[Door]:
    """Give a node whose base URL is the server's, which hands on what it hears."""
    node = made_node(tmp_path, migrated, keys["london"], base_url=server.url)
    know(node, Town(HELSINKI, keys["helsinki"]), "helsinki")
    with Door.to(node) as door:

        def passed_on(handler: BaseHTTPRequestHandler, heard: Heard) -> None:
            names = ("authorization", "dpop", "content-type")
            headers = [(name, heard.headers[name]) for name in names if name in heard.headers]
            reply = asyncio.run(door._asked(heard.method, heard.path, heard.body, headers, "203.0.113.7"))
            handler.send_response(reply.status_code)
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(reply.content)

        server.says["/oauth/token"] = server.says["/federation/notify"] = passed_on
        yield door


def test_a_node_gives_us_a_token_that_opens_its_door(london: Door, server: KeptServer, source: TokenSource) -> None:
    url = f"{server.url}/federation/notify"
    for _ in range(2):
        headers = source.headers(server.url, "POST", url)
        reply = london.ask("POST", "/federation/notify", content=b'{"heads": []}', headers=list(headers.items()))
        assert reply.status_code == 202, reply.text
    assert [heard.path for heard in server.requests] == ["/oauth/token"], "one token for both"


def test_a_token_that_was_refused_is_asked_for_anew(london: Door, server: KeptServer, source: TokenSource) -> None:
    first = source.headers(server.url, "GET", f"{server.url}/x")["Authorization"]
    assert not source.again(server.url, {"www-authenticate": "Basic"})
    assert source.again(server.url, {"www-authenticate": 'DPoP error="invalid_token"'})
    assert source.headers(server.url, "GET", f"{server.url}/x")["Authorization"] != first


def test_why_a_node_gives_us_no_token_is_said(london: Door, server: KeptServer, source: TokenSource) -> None:
    london.node.federation.peers.pause("helsinki")
    with pytest.raises(Unauthenticated, match="unauthorized_client"):
        source.headers(server.url, "GET", f"{server.url}/x")


# ---------------------------------------------------------------- servers that answer what they like


def answer(changes: dict[str, Any] | None = None) -> Said:
    honest = {"access_token": "abc", "token_type": "DPoP", "expires_in": 300}
    said = {k: v for k, v in {**honest, **(changes or {})}.items() if v is not None}
    return Said(json.dumps(said).encode(), 200, {"content-type": "application/json"})


def test_a_token_is_kept_until_shortly_before_its_end(server: KeptServer, source: TokenSource, clock: Clock) -> None:
    server.says["/oauth/token"] = answer()
    for step_ms, asked in ((0, 1), (300_000 - SPARE_MS - 1, 1), (1, 2)):
        clock.ms += step_ms
        source.headers(server.url, "GET", f"{server.url}/x")
        assert len(server.requests) == asked


def test_what_is_asked_has_everything_that_fapi_wants(server: KeptServer, source: TokenSource) -> None:
    server.says["/oauth/token"] = answer()
    source.headers(server.url, "GET", f"{server.url}/x")
    form = {name: values[0] for name, values in parse_qs(server.requests[0].body.decode()).items()}
    assert (form["resource"], form["client_id"], form["scope"]) == (server.url, HELSINKI, "federation")
    assert "authorization" not in server.requests[0].headers
    assert server.requests[0].headers["dpop"].count(".") == 2


def test_a_nonce_that_is_wanted_is_sent(server: KeptServer, source: TokenSource) -> None:
    wants = Said(b'{"error": "use_dpop_nonce"}', 400, {"content-type": "application/json", "dpop-nonce": "n-1"})

    def once(handler: BaseHTTPRequestHandler, heard: Heard) -> None:
        server.says["/oauth/token"] = answer()
        handler.send_response(wants.status)
        for name, value in {**wants.headers, "content-length": str(len(wants.body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(wants.body)

    server.says["/oauth/token"] = once
    assert source.headers(server.url, "GET", f"{server.url}/x")["Authorization"] == "DPoP abc"
    assert len(server.requests) == 2
    assert source.again(server.url, {"www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": "n-2"})
    assert not source.again(server.url, {"www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": "n-2"})
    server.says["/oauth/token"] = wants
    source.forget(server.url)
    with pytest.raises(Unauthenticated, match="use_dpop_nonce"):
        source.headers(server.url, "GET", f"{server.url}/x")
    assert len(server.requests) == 4, "one retry and no more"


ANSWERS: dict[str, tuple[Said, type[NodeError]]] = {
    "no JSON": (Said(b"<html>", 200, {}), Malformed),
    "a list": (Said(b"[]", 200, {}), Malformed),
    "no token": (answer({"access_token": None}), Malformed),
    "a token of two lines": (answer({"access_token": "a\r\nx: y"}), Malformed),
    "a token that is no text": (answer({"access_token": 7}), Malformed),
    "a token in another script": (answer({"access_token": "ä"}), Malformed),
    "an endless token": (answer({"access_token": "x" * 9000}), Malformed),
    "a token bound to nothing": (answer({"token_type": "Bearer"}), Malformed),
    "no end": (answer({"expires_in": None}), Malformed),
    "an end in the past": (answer({"expires_in": -1}), Malformed),
    "an end that is true": (answer({"expires_in": True}), Malformed),
    "wait": (Said(b"", 429, {"retry-after": "7"}), TooManyRequests),
    "broken": (Said(b"", 500, {}), PeerUnreachable),
    "nothing there": (Said(b"", 404, {}), PeerUnreachable),
    "elsewhere": (Said(b"", 302, {"location": "https://evil.example/"}), PeerUnreachable),
    "no": (Said(b'{"error": "invalid_client"}', 401, {}), Unauthenticated),
}


@pytest.mark.parametrize(("said", "error"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_none_is_named_for_what_it_is(
    server: KeptServer, source: TokenSource, said: Said, error: type[NodeError]
) -> None:
    server.says["/oauth/token"] = said
    with pytest.raises(error) as raised:
        source.headers(server.url, "GET", f"{server.url}/x")
    assert type(raised.value) is error
    assert getattr(raised.value, "retry_after_s", 7) in (0, 7)


@pytest.mark.parametrize(
    ("peer", "url"),
    [
        ("https://oslo.example", "https://evil.example/x"),
        ("https://oslo.example", "https://oslo.example.evil/x"),
        ("https://oslo.example", "http://oslo.example/x"),
        ("https://oslo.example/a", "https://oslo.example/b"),
        ("http://oslo.example", "http://oslo.example/x"),
        ("ftp://127.0.0.1", "ftp://127.0.0.1/x"),
    ],
)
def test_a_token_goes_to_its_peer_alone_and_not_in_the_clear(source: TokenSource, peer: str, url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        source.headers(peer, "GET", url)


def test_words_of_a_stranger_are_shown_in_printable_letters(server: KeptServer, source: TokenSource) -> None:
    said = json.dumps({"error": "no\x1b[31m", "error_description": "x" * 5000}).encode()
    server.says["/oauth/token"] = Said(said, 400, {})
    with pytest.raises(Unauthenticated) as raised:
        source.headers(server.url, "GET", f"{server.url}/x")
    assert "\x1b" not in raised.value.message
    assert len(raised.value.message) < 600
