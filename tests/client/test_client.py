"""The client: patient with a node that is busy, honest about one that refuses, and careful with its token.

A scripted server stands at the other end of HTTP; that real nodes answer as the script does is for `tests/cluster`.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from node.client import (
    BadAnswer,
    Client,
    ClientError,
    NotAllowed,
    NotThere,
    Patience,
    Refused,
    Term,
    TooMany,
    Unavailable,
)

BASE = "https://data.example.org/city"
PROBLEM = {"type": f"{BASE}/problems/malformed", "title": "No", "detail": "There is no facet.", "fix": "See /docs."}
TOKEN = "cn_" + "x" * 20
Answer = Callable[[httpx.Request], httpx.Response]


class Server:
    """Answers by a script, and remembers what was asked and how long the client waited."""

    def __init__(self, *answers: httpx.Response | Answer) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.waited: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request) if callable(answer) else answer

    def client(self, **more: Any) -> Client:
        return Client(BASE, transport=httpx.MockTransport(self), sleep=self.waited.append, **more)


def told(value: Any, status: int = 200, **headers: str) -> Answer:
    # Made anew each time, for a reply can be read only once.
    return lambda _: httpx.Response(
        status, json=value, headers={name.replace("_", "-"): headers[name] for name in headers}
    )


def page(*numbers: int, total: int = 5, following: str = "") -> dict[str, object]:
    hits = [
        {"iri": f"urn:x:{number}", "title": f"Record {number}", "changed": "2026-11-21T03:40:00Z"} for number in numbers
    ]
    return {"total": total, "total_is": "exact", "hits": hits, "facets": {}, "next": following or None}


def query(request: httpx.Request) -> list[tuple[str, str]]:
    return parse_qsl(request.url.query.decode(), keep_blank_values=True)


# ---------------------------------------------------------------- search


def test_a_search_reads_page_after_page_and_no_page_more_than_is_wanted() -> None:
    server = Server(
        told(page(1, 2, following=f"{BASE}/search?q=x&cursor=a")),
        told(page(3, 4, following=f"{BASE}/search?q=x&cursor=b")),
        told(page(5)),
    )
    with server.client() as city:
        assert [hit.iri for hit in city.search("x")] == [f"urn:x:{number}" for number in range(1, 6)]
    assert [dict(query(request)).get("cursor") for request in server.asked] == [None, "a", "b"]
    server = Server(told(page(1, 2, following=f"{BASE}/search?q=x&cursor=a")), told(page(3)))
    with server.client() as city:
        assert [hit.iri for hit in city.search("x", most=2)] == ["urn:x:1", "urn:x:2"]
        assert len(server.asked) == 1
        assert next(city.search("x")).title == "Record 3"


def test_filters_are_sent_as_the_api_names_them() -> None:
    server = Server(told(page()))
    with server.client() as city:
        city.search_page(
            "parking",
            city=["helsinki", "london"],
            format="CSV",
            theme=["-TRAN"],
            bbox=(24.5, -60, 25, 61),
            since="2020",
            until="2021-06-01",
            sort="changed",
            facets=["city"],
        )
    assert str(server.asked[0].url).startswith(f"{BASE}/search.json?")
    assert sorted(query(server.asked[0])) == sorted(
        [("q", "parking"), ("city", "helsinki"), ("city", "london"), ("format", "CSV"), ("theme", "-TRAN"),
         ("bbox", "24.5,-60,25,61"), ("from", "2020"), ("to", "2021-06-01"), ("sort", "changed"), ("limit", "20"),
         ("facet", "city")]
    )  # fmt: skip


def test_a_filter_that_does_not_exist_is_a_mistake_of_the_program() -> None:
    with Server(told(page())).client() as city, pytest.raises(TypeError, match="colour"):
        city.search_page(colour="red")  # type: ignore[call-arg]


def test_a_hit_of_tomorrow_is_read_for_what_is_known_today() -> None:
    strange = {"iri": "urn:x", "title": None, "formats": "CSV", "quality": "good", "licence": [], "new": {"a": 1}}
    answer = page() | {"hits": [strange, "nonsense"], "facets": {"city": [{"value": "oulu", "count": 2}], "x": 1}}
    with Server(told(answer)).client() as city:
        found = city.search_page()
    (hit,) = found.hits
    assert (hit.iri, hit.title, hit.formats, hit.quality, hit.licence, hit.changed) == ("urn:x", "", (), None, "", None)
    assert hit.raw["new"] == {"a": 1}
    assert found.facets["city"][0].count == 2


# ---------------------------------------------------------------- patience


def test_a_busy_node_is_asked_again_after_as_long_as_it_said() -> None:
    busy = told({}, 429, retry_after="7")
    server = Server(
        busy,
        told({}, 503, retry_after="Sat, 21 Nov 2026 03:40:09 GMT", date="Sat, 21 Nov 2026 03:40:00 GMT"),
        told(page(1)),
    )
    with server.client() as city:
        assert city.search_page("x").hits
    assert server.waited == [7.0, 9.0]


def test_pauses_grow_where_the_node_says_nothing() -> None:
    server = Server(told({}, 502))
    with server.client(patience=Patience(tries=4, first_wait_s=1, most_wait_s=3)) as city, pytest.raises(Unavailable):
        city.search_page("x")
    assert len(server.asked) == 4
    first, second, third = server.waited
    assert 0.5 <= first <= 1 <= second <= 2 <= third <= 3


def test_a_node_that_cannot_be_reached_is_tried_and_then_named() -> None:
    def fails(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    server = Server(fails, fails, told(page(1)))
    with server.client() as city:
        assert city.search_page("x").hits
    server = Server(fails)
    with server.client() as city, pytest.raises(Unavailable, match=BASE):
        city.search_page("x")


def test_a_longer_pause_than_one_has_patience_for_is_handed_on() -> None:
    server = Server(told({}, 429, retry_after="3600"))
    with server.client() as city, pytest.raises(TooMany) as caught:
        city.search_page("x")
    assert caught.value.retry_after_s == 3600
    assert (len(server.asked), server.waited) == (1, [])


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9", "Sat, 99 Nov 2026", "²"])
def test_a_pause_that_cannot_be_read_is_none(value: str) -> None:
    server = Server(lambda _: httpx.Response(503, headers=[(b"retry-after", value.encode())]), told(page(1)))
    with server.client() as city:
        assert city.search_page("x").hits
    assert 0 < server.waited[0] <= 0.5


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (401, NotAllowed), (403, NotAllowed), (404, NotThere), (410, NotThere), (414, Refused)],
)
def test_a_refusal_is_not_tried_again_and_says_what_to_do(status: int, kind: type[ClientError]) -> None:
    server = Server(told(PROBLEM, status))
    with server.client() as city, pytest.raises(ClientError) as caught:
        city.search_page("x")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.fix, caught.value.status) == ("malformed", "See /docs.", status)
    assert str(caught.value) == "There is no facet. See /docs."
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b"<html>hello</html>", headers={"content-type": "text/html"}),
        httpx.Response(200, json=[1, 2]),
        httpx.Response(200, json={"hello": "there"}),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(302, headers={"location": "https://elsewhere.example/"}),
    ],
)
def test_what_is_no_city_node_is_said_to_be_none(answer: httpx.Response) -> None:
    with Server(answer).client(token=TOKEN) as city, pytest.raises(BadAnswer):
        city.search_page("x")


def test_more_bytes_than_are_wanted_are_not_read() -> None:
    read = []

    def endless() -> Iterator[bytes]:
        for number in range(1_000):
            read.append(number)
            yield b"x" * 1_000

    server = Server(httpx.Response(200, content=endless()))
    with server.client(patience=Patience(most_bytes=5_000)) as city, pytest.raises(BadAnswer, match="5000"):
        city.search_page("x")
    assert len(read) < 10


# ---------------------------------------------------------------- the token


def test_the_token_goes_to_its_node_and_to_no_other() -> None:
    server = Server(told(page(1, following="https://evil.example/search?cursor=a")))
    with server.client(token=TOKEN) as city, pytest.raises(BadAnswer, match="not its own address"):
        list(city.search("x"))
    assert [request.headers["authorization"] for request in server.asked] == [f"Bearer {TOKEN}"]
    for elsewhere in (
        f"{BASE}.evil.example/search",
        "https://data.example.org/citytwo/x",
        "ftp://data.example.org/city/",
    ):
        server = Server(told(page(1, following=elsewhere)))
        with server.client() as city, pytest.raises(BadAnswer):
            list(city.search("x"))
        assert len(server.asked) == 1


def test_a_token_may_be_fetched_anew_for_each_request() -> None:
    tokens = iter(["one", "two"])
    server = Server(told({}, 503), told(page(1)))
    with server.client(token=lambda: next(tokens)) as city:
        city.search_page("x")
    assert [request.headers["authorization"] for request in server.asked] == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize(
    "address", ["data.example.org", "ftp://x", "https://", "https://u:p@x.example", "https://x/?a=1"]
)
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="address of a node"):
        Client(address)


# ---------------------------------------------------------------- changes, records, SPARQL


def entries(after: int, end: int, size: int, *more: dict[str, Any]) -> httpx.Response:
    lines: list[dict[str, Any]] = [{"v": 1, "after": after, "end": end, "size": size}]
    lines += [
        {
            "entry": {"seq": seq, "at": "2026-11-21T03:40:00.000Z"},
            "opening": {"op": "put", "record": f"urn:x:{seq}"},
            "payload": "x",
        }
        for seq in range(after + 1, end + 1 - len(more))
    ]
    return httpx.Response(200, content=b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, *more]))


def test_changes_are_read_to_the_end_from_where_one_was() -> None:
    stub = {"entry": {"seq": 5, "at": "2026-11-21T03:40:00.000Z"}}
    gone = {"entry": {"seq": 4, "at": "2026-11-21T03:40:00.000Z"}, "opening": {"op": "withdraw", "record": "urn:x:1"}}
    server = Server(entries(1, 2, 5), entries(2, 5, 5, gone, stub))
    with server.client() as city:
        changes = list(city.changes("london/open-data", after=1))
    assert [(change.seq, change.operation) for change in changes] == [
        (2, "put"),
        (3, "put"),
        (4, "withdraw"),
        (5, "withheld"),
    ]
    assert [dict(query(request))["after"] for request in server.asked] == ["1", "2"]
    assert server.asked[0].url.path == "/city/collections/london/open-data/entries"


def test_a_journal_without_news_is_one_request_and_one_that_stands_still_ends() -> None:
    for answer in (entries(7, 7, 7), entries(7, 7, 9)):
        server = Server(answer)
        with server.client() as city:
            assert list(city.changes("open-data", after=7)) == []
        assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"", b"[]\n", b'{"v":1}\n', b'{"v":1,"end":1,"size":1}\nnonsense\n'])
def test_a_feed_that_is_none_is_said_to_be_none(body: bytes) -> None:
    with Server(httpx.Response(200, content=body)).client() as city, pytest.raises(BadAnswer):
        list(city.changes("open-data"))


def test_a_record_comes_as_its_bytes_with_where_it_is_from() -> None:
    headers = {
        "content-type": "application/ld+json",
        "etag": '"abc-jsonld1"',
        "link": '<https://london.example/datasets/kerbs>; rel="canonical", <urn:x>; rel="describes"',
    }
    server = Server(httpx.Response(200, content=b'{"@id":"urn:x"}', headers=headers))
    with server.client() as city:
        record = city.record("https://london.example/id/kerbs?a=1&b=2")
    assert record.json() == {"@id": "urn:x"}
    assert (record.canonical, record.etag) == ("https://london.example/datasets/kerbs", '"abc-jsonld1"')
    assert query(server.asked[0]) == [("iri", "https://london.example/id/kerbs?a=1&b=2")]


def test_solutions_are_terms_by_name() -> None:
    answer = {
        "head": {"vars": ["d", "t"]},
        "results": {
            "bindings": [
                {"d": {"type": "uri", "value": "urn:x"}, "t": {"type": "literal", "value": "Puut", "xml:lang": "fi"}},
                {"d": {"type": "bnode", "value": "b0"}},
            ]
        },
    }
    server = Server(told(answer))
    with server.client() as city:
        found = city.select("SELECT * { ?d a ?t }")
    assert found.variables == ("d", "t")
    assert found.rows[0] == {"d": Term("uri", "urn:x"), "t": Term("literal", "Puut", "fi")}
    assert "t" not in found.rows[1]
    assert server.asked[0].content == b"query=SELECT+%2A+%7B+%3Fd+a+%3Ft+%7D"
    with Server(told({"head": {}, "boolean": True})).client() as city:
        assert city.ask("ASK {}") is True
        with pytest.raises(BadAnswer):
            city.select("ASK {}")


@pytest.mark.slow  # a process of its own
def test_the_client_needs_nothing_of_the_node() -> None:
    """Loaded alone, it loads no other room: it can be taken out."""
    code = "import sys, node.client; print(sorted(n for n in sys.modules if n.split('.')[0] == 'node'))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == str(
        ["node", "node.client", "node.client.asking", "node.client.client", "node.client.noes", "node.client.values"]
    )
