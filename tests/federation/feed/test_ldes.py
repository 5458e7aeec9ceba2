"""The event stream as a reading of a journal: which entries are members, on which page, named how."""

import pytest

from node.errors import NotFound
from node.federation.feed import ldes
from node.federation.feed.ldes import PAGE, Stream
from node.journal import tree
from node.journal.journal import Journals
from node.vocab.terms import AS, TREE
from tests.federation.feed_rig import IRI, erase, fill, many
from tests.journal.rig import NAME, iri_of, put, withdraw

BASE = "http://127.0.0.1:8001"


@pytest.fixture
def stream(journals: Journals) -> Stream:
    return Stream(journals, BASE)


def acts(stream: Stream, page: int = 1) -> list[tuple[str, str]]:
    return [(event.iri[-10:], event.act.removeprefix(AS.NS)) for event in stream.page(NAME, page).events]


def test_what_happened_to_a_record_is_told_by_what_stood_before(journals: Journals, stream: Stream) -> None:
    fill(journals, put(1), put(1, "b"), withdraw(1), put(1), put(2))
    assert [act for _, act in acts(stream)] == ["Create", "Update", "Delete", "Create", "Create"]
    assert {event.record for event in stream.page(NAME, 1).events} == {iri_of(1), iri_of(2)}


def test_erased_entries_and_erasures_are_no_members(journals: Journals, stream: Stream) -> None:
    fill(journals, put(1), put(1, "b"), put(2))
    before = stream.page(NAME, 1).tag("application/trig")
    erase(journals, 1)
    assert [name for name, _ in acts(stream)] == ["0000000002", "0000000003"]
    assert stream.page(NAME, 1).tag("application/trig") != before
    for seq in (1, 4, 5, 0, -1, 1 << 70):
        with pytest.raises(NotFound):
            stream.member(NAME, seq)
    assert stream.member(NAME, 2).events[0].iri == f"{IRI}/entries/0000000002"


def test_names_of_members_sort_as_their_numbers_do(journals: Journals, stream: Stream) -> None:
    fill(journals, *many(120))
    names = [event.iri for page in (1, 2) for event in stream.page(NAME, page).events]
    assert names == sorted(names)
    assert len(set(names)) == 120


def test_only_what_was_signed_is_streamed(journals: Journals, stream: Stream) -> None:
    with pytest.raises(NotFound):
        stream.root(NAME)
    fill(journals, *many(3))
    fill(journals, *many(2, 3), sign=False)
    assert len(stream.page(NAME, 1).events) == 3


def test_an_empty_collection_is_an_empty_stream(journals: Journals, stream: Stream) -> None:
    fill(journals)
    assert not any(TREE.relation in triple[1] for triple in stream.root(NAME).head)
    with pytest.raises(NotFound):
        stream.page(NAME, 1)
    with pytest.raises(NotFound):
        stream.part(NAME, 1)


def test_a_full_page_is_final_and_keeps_its_tag(journals: Journals, stream: Stream) -> None:
    fill(journals, *many(PAGE - 1))
    assert not stream.page(NAME, 1).final
    fill(journals, *many(1, PAGE))
    full = stream.page(NAME, 1)
    assert full.final
    fill(journals, *many(PAGE, PAGE + 1))
    assert stream.page(NAME, 1) == full
    assert stream.page(NAME, 1).tag("application/trig") != full.tag("application/ld+json")


@pytest.mark.parametrize("count", [1, 11, 12, 13, 25])
def test_every_page_is_found_from_the_root_once(
    journals: Journals, stream: Stream, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(ldes, "PAGE", 3)
    monkeypatch.setattr(ldes, "FAN", 2)
    fill(journals, *many(count))

    def below(head) -> list[str]:
        return sorted({o[1:-1] for _, p, o in head if p == f"<{TREE.node}>"}, key=lambda iri: (len(iri), iri))

    found = []
    for address in below(stream.root(NAME).head):
        number = int(address.rpartition("/")[2])
        found += [address] if "/pages/" in address else below(stream.part(NAME, number).head)
    pages = -(-count // 3)
    assert found == [f"{BASE}/collections/{NAME}/feed/pages/{n}" for n in range(1, pages + 1)]
    assert sum(len(stream.page(NAME, n).events) for n in range(1, pages + 1)) == count
    parts = -(-pages // 2)
    for number in (0, -1, parts + 1, 1 << 70):
        with pytest.raises(NotFound):
            stream.part(NAME, number)
    assert [stream.part(NAME, n).final for n in range(1, parts + 1)] == [n * 6 <= count for n in range(1, parts + 1)]


def test_a_mirror_is_the_same_stream_seen_from_here(journals: Journals) -> None:
    """Members and stream keep their origin's names; pages and views are ours."""
    with journals.db.write() as tx:
        iri = "https://turku.example/collections/data"
        made = journals.create(tx, name="turku/data", iri=iri, title="Data", visibility="public", at_ms=1)
        sql = "INSERT INTO checkpoint (collection_id, size, note, signed_at, crc) VALUES (?, 0, 'note', 1, 0)"
        tx.run(sql, made.id)
        assert made.root == tree.EMPTY_ROOT
    subjects = {s for s, _, _ in Stream(journals, BASE).root("turku/data").head}
    view = f"{BASE}/collections/turku/data/feed"
    assert subjects == {f"<{iri}/feed#stream>", f"<{view}>", f"<{view}#retention>"}
