"""Walks through a portal: what it may do wrong without any harm, and how it is asked again."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.outbound import download
from tests.catalog.rig import ID, City, counts, dataset, datasets, turtle
from tests.portal_server import PortalServer, page, status

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save


# --- brakes: what a portal may do wrong over HTTP


@pytest.fixture
def paged(city: City, portal: PortalServer) -> Iterator[tuple[City, PortalServer]]:
    """A catalogue of three pages with ten datasets each, harvested once; every withdrawal would be let through."""
    for number in (1, 2, 3):
        portal.pages[f"/c?page={number}"] = page(hydra(portal.url, number))
    city.add(f"{portal.url}/c?page=1", threshold_percent=100)
    run = city.run()
    assert counts(run) == {"added": 30}, run.reason
    return city, portal


def hydra(url: str, number: int, *, pages: int = 3, total: int = 30, names: range | None = None) -> str:
    after = f"; hydra:next <{url}/c?page={number + 1}>" if number < pages else ""
    view = f"<{url}/c> hydra:totalItems {total} . <{url}/c?page={number}> a hydra:PagedCollection {after} .\n"
    return turtle(view, *(dataset(f"n{n}") for n in names or range(10 * number - 10, 10 * number)))


HTML = b"<!DOCTYPE html><html><body>Sorry, we are being mended.</body></html>"


def broken(url: str) -> dict[str, tuple[str, object]]:
    return {
        "a page answers 500": ("/c?page=2", status(500)),
        "a page is missing": ("/c?page=3", status(404)),
        "a page is an HTML page": ("/c?page=2", page(HTML, "text/html")),
        "a page is an HTML page that says it is Turtle": ("/c?page=2", page(HTML)),
        "a page is empty": ("/c?page=3", page(b"")),
        "a page breaks off in the middle": ("/c?page=2", page(hydra(url, 2)[:-200])),
        "a page breaks off on the wire": ("/c?page=2", page(hydra(url, 2), length=50_000)),
        "a page repeats another": ("/c?page=2", page(hydra(url, 1))),
        "a page repeats another in other words": ("/c?page=2", page(hydra(url, 1).replace("?page=2", "?page=3"))),
        "a page repeats another, and nobody counts": (
            "/c?page=2",
            page(hydra(url, 2, names=range(10)).replace("hydra:totalItems 30", "hydra:freetextQuery 'x'")),
        ),
        "the pages hold less than they say": ("/c?page=3", page(hydra(url, 3, names=range(20, 25)))),
        "the first page is an HTML page": ("/c?page=1", page(HTML, "text/html")),
        "the first page is no Turtle": ("/c?page=1", page("d:x a ")),
        "the first page is empty": ("/c?page=1", page(b"")),
        "the first page answers 503": ("/c?page=1", status(503, Retry_After="120")),
        "a catalogue without datasets": ("/c?page=1", page(turtle("<https://data.example/c> a dcat:Catalog ."))),
    }


@pytest.mark.parametrize("fault", sorted(broken("")))
def test_a_walk_that_is_not_whole_withdraws_nothing_and_says_why(fault: str, paged: tuple[City, PortalServer]) -> None:
    city, portal = paged
    if "nobody counts" in fault:
        for number in (1, 3):
            text = hydra(portal.url, number).replace("hydra:totalItems 30", "hydra:freetextQuery 'x'")
            portal.pages[f"/c?page={number}"] = page(text)
    before = city.digests()
    path, answer = broken(portal.url)[fault]
    portal.pages[path] = answer
    run = city.run()
    assert run.state in ("partial", "failed"), fault
    assert len(run.reason) > 20, "a reason that says something"
    assert run.counters.withdrawn == run.counters.held == 0
    assert city.digests() == before
    for number in (1, 2, 3):
        portal.pages[f"/c?page={number}"] = page(hydra(portal.url, number))
    assert city.run().state == "succeeded", "and the next walk is whole again"
    assert city.size() == 30


def test_the_reason_of_a_failure_says_what_to_do(city: City, portal: PortalServer) -> None:
    portal.pages["/c"] = status(503, Retry_After="120")
    city.add(f"{portal.url}/c")
    run = city.run()
    assert (run.state, counts(run)) == ("failed", {})
    assert "503" in run.reason
    assert "120 s" in run.reason


def test_what_is_complete_of_a_broken_walk_is_published_at_once(paged: tuple[City, PortalServer]) -> None:
    city, portal = paged
    portal.pages["/c?page=1"] = page(hydra(portal.url, 1).replace("Title of n0", "A new title"))
    portal.pages["/c?page=3"] = status(500)
    run = city.run()
    assert run.state == "partial"
    assert counts(run) == {"changed": 1, "unchanged": 19}


def test_a_portal_that_cannot_be_reached_fails_the_run_and_harms_nothing(paged: tuple[City, PortalServer]) -> None:
    city, _ = paged
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET location = ?", "http://127.0.0.1:9/c")  # nobody listens at "discard"
    run = city.run()
    assert run.state == "failed"
    assert "cannot be reached" in run.reason
    assert "try later" in run.reason
    assert len(city.digests()) == 30


def test_a_file_that_vanished_fails_the_run_and_harms_nothing(city: City) -> None:
    city.harvest(datasets(1, 2))
    (city.folder / "portal.ttl").unlink()
    run = city.run()
    assert run.state == "failed"
    assert "cannot be read" in run.reason
    assert "Check that it is there" in run.reason
    assert len(city.digests()) == 2


def test_a_source_on_a_private_address_is_not_fetched(city: City) -> None:
    city.node.outbound._guard._loopback_allowed = False
    city.add("http://127.0.0.1:9/c")
    run = city.run()
    assert run.state == "failed"
    assert "does not fetch" in run.reason


# --- asking politely


def test_an_unchanged_portal_is_asked_conditionally_and_read_no_further(city: City, portal: PortalServer) -> None:
    portal.pages["/c"] = page(datasets(1, 2), etag='"v1"', last_modified="Sat, 21 Nov 2026 10:00:00 GMT")
    city.add(f"{portal.url}/c")
    city.run()
    run = city.run()
    assert (run.state, counts(run)) == ("succeeded", {"unchanged": 2})
    assert run.counters.read == 0
    assert "not changed" in run.reason
    asked = portal.asked[-1][1]
    assert asked["if-none-match"] == '"v1"'
    portal.pages["/c"] = page(datasets(1, 2, 3), etag='"v2"')
    assert counts(city.run()) == {"added": 1, "unchanged": 2}


def test_last_modified_is_asked_with_where_there_is_no_etag(city: City, portal: PortalServer) -> None:
    portal.pages["/c"] = page(datasets(1, 2), last_modified="Sat, 21 Nov 2026 10:00:00 GMT")
    city.add(f"{portal.url}/c")
    city.run()
    run = city.run()
    assert portal.asked[-1][1]["if-modified-since"] == "Sat, 21 Nov 2026 10:00:00 GMT"
    assert "not changed" in run.reason


def test_the_same_bytes_are_no_news_where_the_portal_has_no_marks(city: City, portal: PortalServer) -> None:
    portal.pages["/c"] = page(datasets(1, 2))
    city.add(f"{portal.url}/c")
    city.run()
    run = city.run()
    assert "if-none-match" not in portal.asked[-1][1]
    assert run.counters.read == 0
    assert "not changed" in run.reason
    assert city.run(full=True).counters.read == 2, "unless somebody wants all of it read"


def test_a_change_on_a_later_page_is_seen_although_the_first_is_the_same(paged: tuple[City, PortalServer]) -> None:
    city, portal = paged
    portal.pages["/c?page=1"] = page(hydra(portal.url, 1), etag='"first"')
    assert counts(city.run()) == {"unchanged": 30}
    assert city.run().counters.read == 0
    portal.pages["/c?page=3"] = page(hydra(portal.url, 3).replace("Title of n29", "A new title"))
    assert counts(city.run()) == {"changed": 1, "unchanged": 29}


def test_a_walk_that_was_not_whole_is_not_taken_for_read(paged: tuple[City, PortalServer]) -> None:
    city, portal = paged
    portal.pages["/c?page=1"] = page(hydra(portal.url, 1), etag='"new"')
    portal.pages["/c?page=2"] = status(500)
    assert city.run().state == "partial"
    portal.pages["/c?page=2"] = page(hydra(portal.url, 2).replace("Title of n10", "A new title"))
    assert counts(city.run()) == {"changed": 1, "unchanged": 29}


def test_a_portal_that_goes_back_to_what_it_was_before_a_broken_walk_is_read_again(
    paged: tuple[City, PortalServer],
) -> None:
    city, portal = paged
    before = city.digests()
    portal.pages["/c?page=1"] = page(hydra(portal.url, 1).replace("Title of n0", "A slip"))
    portal.pages["/c?page=2"] = status(500)
    assert counts(city.run()) == {"changed": 1, "unchanged": 9}
    for number in (1, 2):
        portal.pages[f"/c?page={number}"] = page(hydra(portal.url, number))
    assert counts(city.run()) == {"changed": 1, "unchanged": 29}
    assert city.digests() == before


def test_other_rules_read_the_same_bytes_anew(city: City) -> None:
    person = "; dcat:contactPoint [ a vcard:Individual ; vcard:fn 'Maija Meikäläinen' ]"
    city.harvest(turtle(dataset("n1", more=person)))
    assert "Maija" not in city.payload(ID + "n1")
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET keep_contacts = TRUE")
    run = city.run()
    assert counts(run) == {"changed": 1}
    assert "Maija" in city.payload(ID + "n1")


def test_a_full_disk_ends_a_run_with_its_reason(
    paged: tuple[City, PortalServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    city, portal = paged

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    portal.pages["/c?page=1"] = page(hydra(portal.url, 1) + "# another")
    monkeypatch.setattr(download, "_write", full)
    run = city.run()
    assert (run.state, run.code) == ("failed", "unavailable")
    assert "no space left on device" in run.reason
    monkeypatch.undo()
    # What is written beside the downloads: the walk's own folder.
    monkeypatch.setattr(Path, "mkdir", full)
    run = city.run()
    monkeypatch.undo()
    assert (run.state, run.code, "no space left" in run.reason) == ("failed", "unavailable", True)
    assert city.size() == 30
