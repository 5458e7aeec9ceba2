"""A mirror's feed is its origin's to the byte, and whoever may see some records alone gets a tree that is whole."""

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from node.db import Database
from node.federation.answers import Records
from node.federation.feed.feed import Feed
from node.federation.feed.ldes import Stream
from node.journal import Draft
from node.journal.journal import Journals
from node.journal.mirror import NOT_FOLLOWED, Arrived
from node.keys import Keyring
from tests.federation.feed.rig import walk
from tests.federation.feed_rig import IRI, erase, fill, leaf, many, noted_root, read, root_over
from tests.journal.rig import NAME, iri_of, put, withdraw

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

MIRROR = "helsinki/open-data"


def test_a_mirror_shows_the_last_size_it_holds_in_full(journals: Journals, feed: Feed) -> None:
    """While the next entries come in, the size that was complete is still what is given out."""
    fill(journals, *many(5))
    fill(journals, *many(5, 5), sign=False)
    (head,) = feed.heads()
    assert head.size == 5
    for one, other in pairwise(walk(feed, 2)):
        assert one["entry"]["seq"] + 1 == other["entry"]["seq"]


@pytest.fixture
def mirror(keyring: Keyring, migrated: Path, tmp_path: Path) -> Iterator[Journals]:
    shutil.copy(migrated, tmp_path / "mirror.db")
    db = Database(f"sqlite:///{tmp_path / 'mirror.db'}")
    held = Journals(db, keyring)
    with db.write() as tx:
        held.create(tx, name=MIRROR, iri=IRI, title="", visibility="public", at_ms=1_000)
    yield held
    db.close()


def test_a_page_of_a_mirror_is_its_origins_to_the_byte(journals: Journals, feed: Feed, mirror: Journals) -> None:
    fill(journals, *many(8), withdraw(3), put(4, "Newer"))
    erase(journals, 5)
    with journals.db.read() as tx:
        entries = journals.entries(tx, NAME)
        held = journals.payloads(tx, [e.opening.digest for e in entries if e.opening and e.opening.digest])
    with mirror.db.write() as tx:
        arrived = [Arrived(e, held.get(e.opening.digest) if e.opening else None) for e in entries]
        mirror.mirror(tx, MIRROR, arrived, at_ms=1)
        mirror.keep_note(tx, MIRROR, feed.note(NAME), 1)
    copy = Feed(mirror, lambda _: journals.public_keys())
    for after, limit in ((0, 1_000), (3, 4), (11, 1)):
        ours, theirs = feed.paged(NAME, after=after, limit=limit), copy.paged(MIRROR, after=after, limit=limit)
        assert (theirs.body, theirs.tag) == (ours.body, ours.tag)
    assert copy.tile(MIRROR, 0, 0, 11) == feed.tile(NAME, 0, 0, 11)
    (head,) = copy.heads()
    assert {**head.document(), "name": NAME} == feed.heads()[0].document()


def test_what_a_mirror_refused_is_not_given_on_even_if_the_bytes_are_here(
    journals: Journals, feed: Feed, mirror: Journals
) -> None:
    """A peer that names the digest of a restricted record of ours must not make us publish it."""
    fill(journals, put(1, "Ours alone"))
    with journals.db.read() as tx:
        (entry,) = journals.entries(tx, NAME)
    with mirror.db.write() as tx:
        mirror.create(
            tx, name="secret", iri="http://b.example/collections/s", title="", visibility="restricted", at_ms=1
        )
        mirror.append(tx, "secret", [put(1, "Ours alone")], at_ms=1)
        mirror.mirror(tx, MIRROR, [Arrived(entry, refused=NOT_FOLLOWED)], at_ms=1)
        mirror.keep_note(tx, MIRROR, feed.note(NAME), 1)
    copy = Feed(mirror, lambda _: [])
    assert b"Ours alone" not in copy.page(MIRROR, after=0)
    assert copy.tag(MIRROR, after=0) != feed.tag(NAME, after=0)
    assert Stream(mirror, "http://b.example").page(MIRROR, 1).events == ()


def test_an_opening_without_its_payload_is_given_as_it_is(journals: Journals, feed: Feed) -> None:
    fill(journals, put(1), put(1, "Newer"), Draft(iri_of(2), "d2", "dataset", "put", b"<a:b> <a:b> <a:b> .\n"))
    before = feed.tag(NAME, after=0)
    with journals.db.write() as tx:
        first = journals.entry(tx, NAME, 1).opening
        assert first is not None
        tx.run("DELETE FROM payload WHERE digest = ?", bytes.fromhex(first.digest[7:]))
    (line, *_) = read(feed.page(NAME, after=0)).lines
    assert "opening" in line
    assert "payload" not in line
    assert feed.tag(NAME, after=0) != before


def test_who_may_see_some_records_gets_the_rest_as_stubs_in_a_tree_that_is_whole(
    journals: Journals, feed: Feed
) -> None:
    fill(journals, put(1, "a"), put(2, "Two"), put(1, "b"), put(3, "Three"), withdraw(2))
    erase(journals, 1)
    only = Records(frozenset({iri_of(2)}))
    whole = read(feed.page(NAME, after=0))
    some = read(feed.page(NAME, after=0, only=only))
    assert root_over([leaf(line) for line in some.lines]) == noted_root(some.envelope["checkpoint"])
    assert [line["entry"] for line in some.lines] == [line["entry"] for line in whole.lines]
    shown = {line["entry"]["seq"] for line in some.lines if "opening" in line}
    assert shown == {2, 5, 6}, "its own, and the erasure that everybody must obey"
    assert [line["entry"]["seq"] for line in some.lines if "payload" in line] == [2]
    assert b"Three" not in feed.page(NAME, after=0, only=only)
    for seqs in ([2], [4], [2, 4]):
        given = read(feed.stubs_paged(NAME, seqs, only=only).body)
        assert ["opening" in line for line in given.lines] == [seq == 2 for seq in seqs]
    assert b"".join(feed.snapshot(NAME, only=only)).count(b"Three") == 0
    nothing = read(feed.page(NAME, after=0, only=Records()))
    assert {line["entry"]["seq"] for line in nothing.lines if "opening" in line} == {6}


def test_the_tag_of_a_page_tells_who_may_see_what_in_it(journals: Journals, feed: Feed) -> None:
    fill(journals, *many(3))
    one, two = frozenset({iri_of(1)}), frozenset({iri_of(1), iri_of(2)})
    readers = [None, Records(), Records(one), Records(two), Records(one, but=True)]
    pages_ = [feed.paged(NAME, after=0, only=only) for only in readers]
    assert len({page.tag for page in pages_}) == len(readers)
    assert [feed.tag(NAME, after=0, only=only) for only in readers] == [page.tag for page in pages_]
