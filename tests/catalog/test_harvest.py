"""Laws of a harvest: what it publishes, what it withdraws and what it never does."""

import json
import threading
import time
from collections.abc import Iterator

import pytest

from node.errors import AlreadyRunning, Conflict, NotFound, UnknownKind
from node.records import MAX_TRIPLES
from tests.catalog.rig import BASE, ID, City, counts, dataset, datasets, turtle
from tests.portal_server import PortalServer, page, status

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

TITLE = "<http://purl.org/dc/terms/title>"


# --- what is published


def test_a_first_run_publishes_every_record_and_signs_it(city: City) -> None:
    run = city.harvest(datasets(1, 2, 3))
    assert (run.state, run.reason) == ("succeeded", "")
    assert counts(run) == {"added": 3}
    assert run.counters.read == run.counters.total == 3
    assert sorted(city.digests()) == [f"{ID}n{n}" for n in (1, 2, 3)]
    assert city.verify() == 3
    assert f'{TITLE} "Title of n1"@en .' in city.payload(ID + "n1")


def test_a_second_run_writes_nothing_whether_or_not_the_file_changed_in_its_bytes(city: City) -> None:
    city.harvest(datasets(1, 2, 3))
    before = city.digests()
    same = city.harvest(datasets(1, 2, 3))
    assert (same.state, counts(same)) == ("succeeded", {"unchanged": 3})
    other = city.harvest(datasets(3, 1, 2) + "# the same in other words\n")
    assert (other.state, counts(other)) == ("succeeded", {"unchanged": 3})
    assert other.counters.read == 3
    assert city.size() == 3
    assert city.digests() == before
    assert other.ranges == []


def test_what_changed_is_told_and_nothing_else_is_written(city: City) -> None:
    city.harvest(datasets(1, 2, 3))
    run = city.harvest(turtle(dataset("n1"), dataset("n2", "A better title"), dataset("n3"), dataset("n4")))
    assert counts(run) == {"added": 1, "changed": 1, "unchanged": 2}
    assert [(entry.opening.record, entry.opening.op) for entry in city.entries()[3:] if entry.opening] == [
        (ID + "n2", "put"),
        (ID + "n4", "put"),
    ]
    assert city.verify() == 5


def test_a_record_that_comes_back_is_added_again_under_its_name(city: City) -> None:
    city.add(city.write("", "portal.ttl"), threshold_percent=100)
    city.harvest(datasets(1, 2))
    assert counts(city.harvest(datasets(1))) == {"unchanged": 1, "withdrawn": 1}
    assert city.node.shelf.withdrawn("dataset", "n2") is not None
    run = city.harvest(datasets(1, 2))
    assert counts(run) == {"added": 1, "unchanged": 1}
    assert city.slugs() == {ID + "n1": "n1", ID + "n2": "n2"}


def test_a_change_of_findings_alone_is_kept_without_an_entry(city: City) -> None:
    wrong = turtle(dataset("n1", more="; dcat:accessUrl <https://data.example/file>"))
    city.harvest(wrong)
    assert "term-misspelt" in city.codes(ID + "n1")
    run = city.harvest(wrong.replace("accessUrl", "accessURL"))
    assert counts(run) == {"unchanged": 1}
    assert city.size() == 1
    assert "term-misspelt" not in city.codes(ID + "n1"), "the source mended it, so nothing is left to say"
    city.harvest(wrong)
    assert "term-misspelt" in city.codes(ID + "n1")


def test_findings_are_kept_beside_the_record_and_counted(city: City) -> None:
    run = city.harvest(turtle(dataset("n1"), dataset("n2", more="; dcat:landingPage 'ask us'")))
    assert run.counters.with_findings == 2
    assert city.codes(ID + "n1") != city.codes(ID + "n2")
    counted = dict(city.node.shelf.finding_counts("open-data"))
    assert set(counted.values()) == {1, 2}


# --- what is refused


def test_what_has_neither_iri_nor_identifier_is_refused_as_nameless(city: City) -> None:
    run = city.harvest(turtle(dataset("n1"), '[] a dcat:Dataset ; dct:title "Nobody"@en .'))
    assert run.state == "partial"
    assert counts(run) == {"added": 1, "refused": 1}
    (row,) = city.rows(run, "refused")
    assert (row.code, row.title) == ("nameless", "Nobody")
    assert "identifier" in row.message


def test_nameless_datasets_that_only_point_to_each_other_are_refused_and_not_lost(city: City) -> None:
    ring = (
        '_:a a dcat:Dataset ; dct:identifier "a" ; dct:title "A"@en ; dct:relation _:b .'
        '_:b a dcat:Dataset ; dct:identifier "b" ; dct:title "B"@en ; dct:relation _:a .'
    )
    run = city.harvest(turtle(dataset("n1"), ring))
    assert counts(run) == {"added": 1, "refused": 2}
    assert sorted((row.code, row.title) for row in city.rows(run, "refused")) == [("nameless", "A"), ("nameless", "B")]


def test_what_has_no_title_is_refused_and_its_owner_named(city: City) -> None:
    agent = '; dct:publisher [ a foaf:Agent ; foaf:name "Parks department" ]'
    run = city.harvest(turtle(dataset("n1"), f'd:n2 a dcat:Dataset ; dct:description "x"@en {agent} .'))
    (row,) = city.rows(run, "refused")
    assert (row.code, row.source_key, row.owner) == ("title-missing", ID + "n2", "Parks department")
    assert "dct:title" in row.message
    assert run.reason == "1 records were refused; each row says what to mend."


def test_a_blank_node_with_an_identifier_is_published_under_an_iri_of_ours(city: City) -> None:
    blank = '[] a dcat:Dataset ; dct:identifier "Tree Register" ; dct:title "Trees"@en .\n'
    city.harvest(turtle(blank, dataset("n1", more="; dct:isReferencedBy <https://data.example/x>")))
    iri = f"{BASE}/datasets/tree-register"
    assert city.slugs() == {iri: "tree-register", ID + "n1": "n1"}
    assert f"<{iri}> {TITLE}" in city.payload(iri)


def test_a_link_to_a_nameless_record_takes_the_iri_it_got(city: City) -> None:
    text = turtle(
        '_:b a dcat:Dataset ; dct:identifier "trees" ; dct:title "Trees"@en .\n',
        "<https://data.example/catalogue> a dcat:Catalog ; dcat:dataset _:b .\n",
        "<http://portal.internal/d/1> a dcat:Dataset ; dct:title 'One'@en ; dct:identifier 'one' .\n",
        dataset("n1", more="; dct:relation <http://portal.internal/d/1>"),
    )
    outside = "https://city.example"
    city.node.harvest._policy = replaced(city.node.harvest._policy, base_url=outside)
    city.harvest(text)
    assert sorted(city.digests()) == [f"{outside}/datasets/one", f"{outside}/datasets/trees", ID + "n1"]
    assert f"<http://purl.org/dc/terms/relation> <{outside}/datasets/one> ." in city.payload(ID + "n1")


def replaced(policy, **changes):
    from dataclasses import replace

    return replace(policy, **changes)


def test_records_past_the_bounds_are_refused_one_by_one(city: City) -> None:
    many = "; dct:subject " + ", ".join(f"<https://data.example/s/{n}>" for n in range(MAX_TRIPLES - 2))
    fits = "; dct:subject " + ", ".join(f"<https://data.example/s/{n}>" for n in range(MAX_TRIPLES - 3))
    long = f'; dct:abstract "{"x" * (1 << 20)}"@en'
    run = city.harvest(
        turtle(dataset("n1"), dataset("n2", more=many), dataset("n3", more=long), dataset("n4", more=fits))
    )
    assert sorted(city.digests()) == [ID + "n1", ID + "n4"]
    assert city.refused(run) == {ID + "n2": "too-large", ID + "n3": "too-large"}
    messages = {row.source_key: row.message for row in city.rows(run, "refused")}
    assert "10000" in messages[ID + "n2"]
    assert str(1 << 20) in messages[ID + "n3"]
    assert city.payload(ID + "n4").count("\n") == MAX_TRIPLES


def test_alike_blank_nodes_get_names_of_their_own_and_too_many_are_refused(city: City) -> None:
    def alike(count: int) -> str:
        return "; dct:spatial " + ", ".join("[ dct:title 'here'@en ]" for _ in range(count))

    run = city.harvest(turtle(dataset("n1", more=alike(3)), dataset("n2", more=alike(65))))
    assert city.payload(ID + "n1").count("<http://purl.org/dc/terms/spatial>") == 3
    assert city.refused(run) == {ID + "n2": "too-large"}
    assert "look alike" in city.rows(run, "refused")[0].message


def test_nameless_nodes_that_hang_together_by_the_hundred_are_named_and_by_the_thousand_refused(city: City) -> None:
    def listed(count: int) -> str:
        return "; dct:subject (" + " ".join(f'"{n}"' for n in range(count)) + ")"

    begun = time.monotonic()
    run = city.harvest(turtle(dataset("n1", more=listed(300)), dataset("n2", more=listed(3300)), dataset("n3")))
    assert time.monotonic() - begun < 5
    assert counts(run) == {"added": 2, "refused": 1}
    (row,) = city.rows(run, "refused")
    assert (row.source_key, row.code) == (ID + "n2", "too-large")
    assert "3300 nodes without a name hang together" in row.message
    assert city.payload(ID + "n1").count("<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>") == 300


def test_a_value_made_to_keep_us_busy_does_not(city: City) -> None:
    trap = "a@" + "a." * 100_000 + " x"
    begun = time.monotonic()
    run = city.harvest(turtle(dataset("n1", more=f'; dcat:contactPoint [ vcard:hasEmail "{trap}" ]')))
    assert time.monotonic() - begun < 5
    assert counts(run) == {"added": 1}


def test_a_record_refused_this_time_keeps_its_published_state(city: City) -> None:
    city.harvest(datasets(1, 2))
    before = city.digests()
    run = city.harvest(turtle(dataset("n1"), 'd:n2 a dcat:Dataset ; dct:description "no title any more"@en .'))
    assert counts(run) == {"unchanged": 1, "refused": 1}
    assert run.state == "partial"
    assert city.digests() == before
    (row,) = city.rows(run, "refused")
    assert row.iri == ID + "n2"


def test_a_key_that_comes_twice_is_refused_and_the_same_one_is_kept_in_any_order(city: City) -> None:
    one = '[] a dcat:Dataset ; dct:identifier "k" ; dct:title "First"@en .\n'
    two = '[] a dcat:Dataset ; dct:identifier "k" ; dct:title "Second"@en .\n'
    run = city.harvest(turtle(one, two))
    assert [(row.source_key, row.code) for row in city.rows(run, "refused")] == [("k", "duplicate-key")]
    before = city.digests()
    assert len(before) == 1
    again = city.harvest(turtle(two, one))
    assert city.digests() == before
    assert counts(again) == {"unchanged": 1, "refused": 1}


def test_a_record_that_another_source_publishes_is_refused_and_the_other_named(city: City) -> None:
    city.harvest(datasets(1, 2), "first")
    run = city.harvest(datasets(2, 3), "second")
    assert counts(run) == {"added": 1, "refused": 1}
    (row,) = city.rows(run, "refused")
    assert (row.code, row.source_key) == ("iri-live-elsewhere", ID + "n2")
    assert "'first'" in row.message
    assert len(city.digests()) == 3


def test_what_another_source_held_is_published_as_soon_as_it_lets_go(city: City) -> None:
    city.harvest(datasets(1, 2), "first")
    city.harvest(datasets(2, 3), "second")
    city.node.sources.remove("first")
    run = city.run("second")
    assert run.state == "succeeded", "the source did not change, but the node did"
    assert city.refused(run) == {}
    assert city.slugs() == {ID + "n1": "n1", ID + "n2": "n2", ID + "n3": "n3"}
    assert city.size() == 3


# --- IRIs that change


def test_a_record_whose_iri_changed_leaves_the_old_one_and_keeps_its_slug(city: City) -> None:
    old = turtle('[] a dcat:Dataset ; dct:identifier "k" ; dct:title "Trees"@en .')
    city.harvest(old)
    with city.node.db.write() as tx:
        tx.run("UPDATE name SET source_key = ?, key_hash = ?", ID + "k", key_hash(ID + "k"))
    run = city.harvest(turtle('d:k a dcat:Dataset ; dct:identifier "k" ; dct:title "Trees"@en .'))
    assert run.state == "succeeded", run.reason
    assert counts(run) == {"added": 1, "withdrawn": 1}
    assert city.slugs() == {ID + "k": "k"}
    held = city.node.shelf.record("dataset", "k")
    assert held is not None
    assert held.iri == ID + "k"
    assert [entry.opening.op for entry in city.entries() if entry.opening] == ["put", "withdraw", "put"]
    assert city.verify() == 3


def key_hash(key: str) -> bytes:
    from node.catalog.names import key_hash as hashed

    return hashed(key)


def test_records_that_exchange_their_iris_are_both_still_there(city: City) -> None:
    """As when a portal of any kind but RDF mends two mixed-up addresses: the keys stay, the IRIs change places."""
    city.harvest(datasets(1, 2))
    with city.node.db.write() as tx:
        tx.run("UPDATE name SET iri = CASE slug WHEN 'n1' THEN ? ELSE ? END", ID + "n2", ID + "n1")
    run = city.harvest(turtle(dataset("n1", "Once the second"), dataset("n2", "Once the first")))
    assert run.state == "succeeded", run.reason
    assert counts(run) == {"changed": 2}
    assert sorted(city.digests()) == [ID + "n1", ID + "n2"]


# --- withdrawals


def test_a_tenth_of_the_records_may_go_at_once(city: City) -> None:
    city.harvest(datasets(*range(10)))
    run = city.harvest(datasets(*range(9)))
    assert (run.state, counts(run)) == ("succeeded", {"unchanged": 9, "withdrawn": 1})
    assert ID + "n9" not in city.digests()
    gone = city.node.shelf.withdrawn("dataset", "n9")
    assert gone is not None
    assert gone[0] == ID + "n9"
    assert city.verify() == 11


def test_more_than_a_tenth_is_held_until_somebody_approves(city: City) -> None:
    city.harvest(datasets(*range(10)))
    run = city.harvest(datasets(*range(8)))
    assert (run.state, counts(run)) == ("partial", {"unchanged": 8, "held": 2})
    assert f"citynode harvest approve {run.id}" in run.reason
    assert {row.iri for row in city.rows(run, "held")} == {ID + "n8", ID + "n9"}
    assert len(city.digests()) == 10
    assert city.size() == 10
    approved = city.node.harvesting.office.approve(run.id, by="x")
    assert (approved.state, counts(approved)) == ("succeeded", {"unchanged": 8, "withdrawn": 2})
    assert sorted(city.digests()) == [f"{ID}n{n}" for n in range(8)]
    assert city.node.runs.get(run.id).state == "succeeded"
    assert city.verify() == 12
    assert counts(city.harvest(datasets(*range(8)))) == {"unchanged": 8}


def test_nothing_is_approved_twice_and_nothing_that_was_not_held(city: City) -> None:
    first = city.harvest(datasets(1, 2))
    with pytest.raises(Conflict, match="holds no withdrawals"):
        city.node.harvesting.office.approve(first.id, by="x")
    held = city.harvest(datasets(1))
    city.node.harvesting.office.approve(held.id, by="x")
    with pytest.raises(Conflict, match="holds no withdrawals"):
        city.node.harvesting.office.approve(held.id, by="x")
    with pytest.raises(NotFound):
        city.node.harvesting.office.approve(99, by="x")
    dry = city.harvest(datasets(3), dry_run=True)
    with pytest.raises(Conflict, match="holds no withdrawals"):
        city.node.harvesting.office.approve(dry.id, by="x")


def test_what_a_later_run_has_seen_again_cannot_be_withdrawn_by_an_older_approval(city: City) -> None:
    city.harvest(datasets(*range(10)))
    held = city.harvest(datasets(*range(5)))
    later = city.harvest(datasets(*range(10)))
    with pytest.raises(Conflict, match=f"Run {later.id} has read the source since"):
        city.node.harvesting.office.approve(held.id, by="x")
    assert len(city.digests()) == 10


def test_what_is_held_stays_held_run_after_run_and_the_newest_run_can_be_approved(city: City) -> None:
    city.harvest(datasets(*range(10)))
    city.harvest(datasets(*range(5)))
    again = city.run()
    assert (again.state, counts(again)) == ("partial", {"unchanged": 5, "held": 5})
    city.node.harvesting.office.approve(again.id, by="x")
    assert len(city.digests()) == 5


def test_a_run_under_way_cannot_be_overtaken_by_an_approval(city: City) -> None:
    city.harvest(datasets(*range(10)))
    held = city.harvest(datasets(*range(5)))
    now = city.node.harvest._clock_ms()
    city.node.runs.start("portal", dry=False, trigger="test", now_ms=now, deadline_ms=now + 1000)
    with pytest.raises(AlreadyRunning):
        city.node.harvesting.office.approve(held.id, by="x")


def test_the_threshold_is_the_source_s_own_if_it_has_one(city: City) -> None:
    path = city.write(datasets(*range(10)), "s.ttl")
    city.add(path, threshold_percent=0)
    city.run()
    city.write(datasets(*range(9)), "s.ttl")
    assert counts(city.run()) == {"unchanged": 9, "held": 1}
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET threshold_percent = 50")
    city.write(datasets(*range(5)), "s.ttl")
    assert counts(city.run()) == {"unchanged": 5, "withdrawn": 5}


def test_an_empty_document_withdraws_nothing_whatever_the_threshold(city: City) -> None:
    path = city.write(datasets(1, 2), "s.ttl")
    city.add(path, threshold_percent=100)
    city.run()
    for nothing in ("", turtle(), turtle("<https://data.example/c> a dcat:Catalog .")):
        city.write(nothing, "s.ttl")
        run = city.run()
        assert run.state in ("partial", "failed"), repr(nothing)
        assert "is empty" in run.reason or "describes no dataset" in run.reason
        assert counts(run) == {}
    assert len(city.digests()) == 2


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


# --- contacts


def test_a_person_s_contact_is_gone_with_all_that_hangs_on_it(city: City) -> None:
    person = (
        "; dct:publisher [ a foaf:Agent ; foaf:name 'Parks department' ]"
        "; dcat:contactPoint [ a vcard:Individual ; vcard:fn 'Maija Meikäläinen' ;"
        "    vcard:hasEmail <mailto:maija.meikalainen@data.example> ;"
        "    vcard:hasTelephone [ vcard:hasValue <tel:+358501234567> ] ;"
        "    vcard:hasAddress [ vcard:street-address 'Kotikatu 1' ; vcard:country <https://data.example/c> ] ]"
    )
    city.harvest(turtle(dataset("n1", more=person)))
    text = city.payload(ID + "n1")
    for private in ("Maija", "maija", "+358", "Kotikatu"):
        assert private not in text
    assert "Parks department" in text
    assert "contact-reduced" in city.codes(ID + "n1")


# --- dry runs


def test_a_dry_run_publishes_nothing_and_shows_what_it_would_with_its_findings(city: City) -> None:
    city.harvest(datasets(*range(10)))
    text = turtle(
        dataset("n0", "Changed"), *(dataset(f"n{n}") for n in range(1, 9)), dataset("new"), "d:bad a dcat:Dataset ."
    )
    before = city.digests(), city.size(), city.sql("SELECT * FROM source"), city.sql("SELECT * FROM name")
    run = city.harvest(text, dry_run=True)
    assert (city.digests(), city.size(), city.sql("SELECT * FROM source"), city.sql("SELECT * FROM name")) == before
    assert run.dry
    assert counts(run) == {"added": 1, "changed": 1, "unchanged": 8, "withdrawn": 1, "refused": 1}
    rows = {row.source_key: row for row in city.rows(run)}
    assert rows[ID + "new"].change == "added"
    assert rows[ID + "n0"].change == "changed"
    assert rows[ID + "n9"].change == "withdrawn"
    assert rows[ID + "bad"].change == "refused"
    assert "recommended: " in rows[ID + "new"].message
    assert run.ranges == []
    real = city.run()
    assert counts(real) == {"added": 1, "changed": 1, "unchanged": 8, "withdrawn": 1, "refused": 1}


def test_a_dry_run_of_an_unchanged_source_still_looks(city: City) -> None:
    city.harvest(datasets(1, 2))
    run = city.run(dry_run=True)
    assert run.counters.read == 2
    assert {row.change for row in city.rows(run)} == {"unchanged"}


# --- kinds and sources


def test_a_source_of_an_unknown_kind_is_refused_with_the_kinds_that_exist(city: City) -> None:
    with pytest.raises(UnknownKind) as refused:
        city.add(city.write(datasets(1)), kind="sparql")
    assert "'sparql'" in str(refused.value)
    for kind in ("ckan", "datapress", "dcat", "dcat-us"):
        assert kind in str(refused.value)
    assert city.node.sources.list() == []


def test_a_source_whose_kind_is_no_longer_installed_fails_with_the_kinds_that_exist(city: City) -> None:
    city.harvest(datasets(1))
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET kind = 'gone'")
    run = city.run()
    assert run.state == "failed"
    assert "dcat-us" in run.reason


def test_there_is_no_run_of_a_source_that_does_not_exist(city: City) -> None:
    with pytest.raises(NotFound, match="citynode sources list"):
        city.run("nobody")
    assert city.node.runs.list() == []


def test_every_collection_has_its_own_records(city: City) -> None:
    city.node.create_collection("other", title="Other", visibility="restricted", at_ms=2_000)
    city.harvest(datasets(1), "one")
    city.add(city.write(datasets(2), "two.ttl"), "two", collection="other")
    city.run("two")
    assert list(city.digests()) == [ID + "n1"]
    assert list(city.digests("other")) == [ID + "n2"]
    assert city.verify("other") == 1


def test_a_source_added_anew_for_another_collection_takes_its_records_along(city: City) -> None:
    """A record is live in one collection of a node."""
    for name in ("second", "third"):
        city.node.create_collection(name, title=name, visibility="public", at_ms=2_000)
    path = city.write(datasets(*range(10)))
    city.add(path, "portal")
    city.run("portal")
    city.node.sources.remove("portal")
    city.add(path, "portal", collection="second")
    assert counts(city.run("portal")) == {"added": 10}
    assert (len(city.digests()), len(city.digests("second"))) == (0, 10)
    city.node.sources.remove("portal")
    city.add(city.write(datasets(*range(9))), "portal", collection="third")
    run = city.run("portal")
    assert counts(run) == {"added": 9, "withdrawn": 1}
    assert [len(city.digests(name)) for name in ("open-data", "second", "third")] == [0, 0, 9]
    assert city.slugs("third")[ID + "n3"] == "n3"
    assert [city.verify(name) for name in ("open-data", "second", "third")] == [20, 20, 9]
    for name in ("open-data", "second"):
        with city.node.db.read() as tx:
            assert (city.node.journals.newest_checkpoint(tx, name) or "").split("\n")[1] == "20"


# --- what a portal calls private, and runs side by side


def packages(*names: str, private: str = "") -> bytes:
    made = [
        {"id": name, "name": name, "title": name, "notes": "x", "state": "active", "private": name == private}
        for name in names
    ]
    return json.dumps(made).encode()


def test_what_the_portal_makes_private_is_withdrawn_and_not_kept_as_refused(city: City) -> None:
    names = [f"p{n}" for n in range(20)]
    city.add(city.write(packages(*names), "dump.json"), kind="ckan")
    assert counts(city.run()) == {"added": 20}
    city.write(packages(*names, private="p7"), "dump.json")
    run = city.run()
    assert (run.state, counts(run)) == ("succeeded", {"unchanged": 19, "withdrawn": 1})
    assert city.node.shelf.record("dataset", "p7") is None
    assert city.refused(run) == {"p7": "not-public"}, "and why is told"
    city.write(packages(*names), "dump.json")
    assert counts(city.run()) == {"added": 1, "unchanged": 19}


def test_a_name_given_away_by_a_run_beside_this_one_is_settled_at_the_next(city: City) -> None:
    for name in ("one", "two"):
        city.add(
            city.write(turtle(dataset(f"{name}-x", identifier="Parks"), dataset(f"{name}-y")), f"{name}.ttl"), name
        )
    beside: list[str] = []

    def hear(stage: str, done: int, total: int | None) -> None:
        if stage == "publish" and not beside:
            beside.append(city.run("one").state)

    run = city.node.harvest.run("two", trigger="test", on_progress=hear)
    assert beside == ["succeeded"]
    assert (run.state, counts(run)) == ("partial", {"added": 1, "refused": 1})
    (row,) = city.rows(run, "refused")
    assert (row.code, row.source_key) == ("slug-taken", ID + "two-x")
    assert "Run it again" in row.message
    again = city.run("two")
    assert (again.state, counts(again)) == ("succeeded", {"added": 1, "unchanged": 1})
    assert city.slugs()[ID + "one-x"] == "parks"
    assert city.slugs()[ID + "two-x"] == "parks-2"


def test_first_runs_of_many_sources_at_once_publish_everything_between_them(city: City) -> None:
    sources = [f"s{n}" for n in range(4)]
    for name in sources:
        rows = (dataset(f"{name}-{n}", identifier=f"Set {n}") for n in range(30))
        city.add(city.write(turtle(*rows), f"{name}.ttl"), name)
    start, runs = threading.Barrier(len(sources)), []

    def first(name: str) -> None:
        start.wait()
        runs.append(city.run(name))

    threads = [threading.Thread(target=first, args=(name,)) for name in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == len(sources)
    assert {code for run in runs for code in city.refused(run).values()} <= {"slug-taken"}
    for name in sources:
        assert city.run(name).state == "succeeded"
    assert len(city.digests()) == 120
    assert len(set(city.slugs().values())) == 120
    assert city.verify() == 120
