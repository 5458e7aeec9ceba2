"""Every "no" has a code, a status and a page; nothing inside leaks out."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

import node.web
from node import errors
from node.catalog.search.reader import MAX_TEXT, MAX_WORDS
from node.web.wire import problems
from node.web.wire.edge import MAX_ADDRESS
from node.web.wording.words import LANGUAGES, table, words
from tests.web.cities import BASE, City
from tests.web.client import Client


def tree(kind: type[errors.NodeError] = errors.NodeError) -> Iterator[type[errors.NodeError]]:
    yield kind
    for branch in kind.__subclasses__():
        yield from tree(branch)


def test_every_error_of_the_tree_has_a_status_and_words() -> None:
    ours = [kind for kind in tree() if kind.__module__ == "node.errors"]
    assert set(ours) == set(problems.STATUS)
    assert all(400 <= status < 600 for status in problems.CODES.values())
    assert {f"problem.{code}" for code in problems.CODES} <= set(table("en"))
    for kind in ours:
        branch = 500 if issubclass(kind, errors.Unavailable | errors.Misconfigured) else 400
        assert problems.STATUS[kind] >= branch or kind is errors.TooManyRequests


@pytest.mark.parametrize("code", problems.CODES)
def test_every_type_of_problem_can_be_read(client: Client, code: str) -> None:
    assert client.get(f"/problems/{code}").status_code == 200
    assert (
        client.get(f"/problems/{code}", headers={"accept": "application/json"}).json()["status"] == problems.CODES[code]
    )
    assert f">{code}<" in client.page(f"/problems/{code}", "sv")


def test_a_problem_has_the_members_of_rfc_9457(client: Client) -> None:
    reply = client.get("/datasets/nothing")
    assert reply.headers["content-type"] == "application/problem+json"
    told = reply.json()
    assert (told["type"], told["status"]) == (f"{BASE}/problems/not-found", 404)
    assert (told["instance"], told["title"]) == ("/datasets/nothing", "Nothing of that name here")
    assert told["detail"]
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-request-id"]


def test_a_browser_gets_a_page_in_its_language(client: Client) -> None:
    chrome = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": "fi"}
    reply = client.get("/datasets/nothing", headers=chrome)
    assert reply.status_code == 404
    assert "Tämännimistä ei ole täällä" in reply.text
    assert reply.headers["x-request-id"] in reply.text


def test_only_reading_is_possible(client: Client) -> None:
    for path in ("/catalog", "/datasets/parking", "/datasets/parking.ttl"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            reply = client.ask(method, path)
            assert (reply.status_code, reply.json()["type"]) == (405, f"{BASE}/problems/method-not-allowed")
            assert "GET" in reply.headers["allow"]


def test_what_breaks_says_nothing_of_the_inside(city: City, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(type(city.shelf), "by_iri", broken)
    reply = client.get("/records", params={"iri": "https://example.org/1"})
    assert (reply.status_code, reply.json()["type"]) == (500, f"{BASE}/problems/internal")
    assert "secret" not in reply.text
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_what_is_not_there_now_says_when_to_come_back(
    city: City, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise errors.JournalBusy("Another writer held the lock for 5 s.")

    monkeypatch.setattr(type(city.shelf), "by_iri", busy)
    reply = client.get("/records", params={"iri": "https://example.org/1"})
    assert (reply.status_code, reply.headers["retry-after"]) == (503, str(problems.RETRY_AFTER_S))


def test_an_address_past_the_bound_is_refused(client: Client) -> None:
    reply = client.get("/datasets/" + "x" * 5000)
    assert (reply.status_code, reply.json()["type"]) == (414, f"{BASE}/problems/address-too-long")
    assert reply.headers["cache-control"] == "no-store"
    assert client.ask("HEAD", "/datasets/" + "x" * 5000).content == b""


def test_a_browser_is_told_in_its_language_how_long_an_address_may_be(client: Client) -> None:
    headers = {"accept": "text/html", "accept-language": "fi"}
    page = client.get("/search?q=" + "x" * 10_000, headers=headers)
    assert (page.status_code, page.headers["content-type"]) == (414, "text/html; charset=utf-8")
    assert words("fi", "why.address-too-long") in page.text
    assert "xxxx" not in page.text
    assert "lang=fi" in page.text
    chosen = client.get("/search?lang=sv&q=" + "x" * 10_000, headers=headers)
    assert words("sv", "why.address-too-long") in chosen.text
    # The sentence has numbers in it, in each language's way.
    for language in LANGUAGES:
        digits = re.findall(r"\d+", re.sub(r"(?<=\d)[,\s](?=\d{3})", "", words(language, "why.address-too-long")))
        assert list(map(int, digits)) == [MAX_ADDRESS, MAX_TEXT, MAX_WORDS]


def test_a_misconfiguration_is_not_told_outside() -> None:
    found = problems.problem_of(errors.Misconfigured("the key file is readable by others"))
    assert (found.status, "key" in found.detail) == (500, False)
    assert node.web.__doc__


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
@pytest.mark.parametrize(
    ("path", "status", "key", "values"),
    [
        ("/collections/open-data?page=99", 404, "refuse.beyond", {"number": 99, "last": 1}),
        ("/collections/open-data?page=abc", 400, "refuse.page", {"name": "page"}),
        ("/sets?colour=red", 400, "refuse.unknown", {"name": "colour", "known": "lang"}),
        ("/runs?page=99999", 400, "refuse.unknown", {"name": "page", "known": "lang"}),
        ("/catalog?page=zz", 400, "refuse.unknown", {"name": "page", "known": "lang"}),
        (
            "/collections/open-data?after=9",
            400,
            "refuse.unknown",
            {"name": "after", "known": "page, modified_since, lang"},
        ),
        ("/agreements?page=2", 404, "refuse.beyond", {"number": 2, "last": 1}),
        ("/records", 400, "refuse.iri", {}),
    ],
)
def test_a_page_says_what_is_wrong_with_an_address_in_the_readers_language(
    client: Client, path: str, status: int, key: str, values: dict[str, object], language: str
) -> None:
    reply = client.get(path, headers={"accept": "text/html", "accept-language": language})
    assert reply.status_code == status
    assert words(language, key, **values) in unescape(reply.text)
    told = client.get(path, headers={"accept": "application/json, text/turtle;q=0.5"}).json()
    assert "said" not in told  # programs have the detail
