"""A feed read in any page size is the same feed, proves itself, and shows nothing that was erased or never signed."""

import base64
import gzip
import hashlib
from pathlib import Path

import pytest

from node.errors import Malformed, NotFound
from node.federation.feed import pages
from node.federation.feed.feed import Feed
from node.federation.feed.feed_pages import MAX_PAYLOAD_BYTES
from node.journal import Draft, note, tree
from node.journal.journal import Journals
from node.keys import Keyring, verified
from tests.federation.feed.rig import walk
from tests.federation.feed_rig import (
    IRI,
    erase,
    fill,
    jcs,
    large,
    leaf,
    many,
    noted_root,
    opens,
    proof,
    read,
    root_over,
)
from tests.journal.rig import NAME, iri_of, put, withdraw

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save


@pytest.mark.parametrize("limit", [1, 7, 40, 1_000])
def test_a_feed_read_in_any_page_size_is_the_same_feed(journals: Journals, feed: Feed, limit: int) -> None:
    fill(journals, *many(30), withdraw(3), put(4, "Newer"))
    lines = walk(feed, limit)
    assert lines == walk(feed, 1_000)
    assert [line["entry"]["seq"] for line in lines] == list(range(1, 33))
    assert root_over([leaf(line) for line in lines]) == noted_root(feed.note(NAME))
    for line in lines:
        assert opens(line)
        if line["opening"]["op"] == "put":
            assert line["opening"]["digest"] == "sha256:" + hashlib.sha256(line["payload"].encode()).hexdigest()
        else:
            assert "payload" not in line


def test_every_page_proves_that_it_continues_and_where_it_leads(journals: Journals, feed: Feed) -> None:
    for size in (3, 8, 13):
        fill(journals, *many(size - size_of(journals), size_of(journals)))
    roots = [root_over([leaf(line) for line in walk(feed, 1_000)][:n]) for n in range(14)]
    for after in range(14):
        for limit in (1, 4, 1_000):
            envelope = read(feed.page(NAME, after=after, limit=limit)).envelope
            end, size = envelope["end"], envelope["size"]
            assert (envelope["v"], envelope["collection"], envelope["after"], size) == (1, IRI, after, 13)
            assert end == min(after + limit, 13)
            told = proof(envelope["consistency"]), proof(envelope["through"])
            assert tree.verify_consistency(after, size, told[0], roots[after], roots[size])
            assert tree.verify_consistency(end, size, told[1], roots[end], roots[size])
            assert not told[0] or after not in (0, size)
            assert not told[1] or end != size


def size_of(journals: Journals) -> int:
    with journals.db.read() as tx:
        return journals.get(tx, NAME).size


def test_an_empty_collection_has_a_page_too(journals: Journals, feed: Feed) -> None:
    fill(journals)
    page = read(feed.page(NAME, after=0))
    assert (page.envelope["end"], page.envelope["size"], page.lines) == (0, 0, [])
    assert noted_root(page.envelope["checkpoint"]) == hashlib.sha256(b"").digest()


def test_the_same_question_gives_the_same_bytes_whatever_comes_later(journals: Journals, feed: Feed) -> None:
    fill(journals, *many(5))
    before = feed.paged(NAME, after=1, size=5, limit=3)
    fill(journals, *many(5, 5))
    cosign(journals, 5, "\u2014 witness.example AAAAAAAA\n")
    after = feed.paged(NAME, after=1, size=5, limit=3)
    assert (
        (after.body, after.tag) == (before.body, before.tag) == (before.body, feed.tag(NAME, after=1, size=5, limit=3))
    )
    assert feed.paged(NAME, after=1, limit=3).tag != before.tag


def test_what_was_not_signed_is_in_no_page(journals: Journals, feed: Feed) -> None:
    fill(journals, *many(3))
    fill(journals, *many(2, 3), sign=False)
    assert len(walk(feed, 1_000)) == 3
    with pytest.raises(NotFound):
        feed.page(NAME, after=4)
    with pytest.raises(NotFound):
        feed.stubs(NAME, [4])


def test_a_collection_that_was_never_signed_has_no_head(journals: Journals, feed: Feed) -> None:
    assert feed.heads() == ()
    with pytest.raises(NotFound):
        feed.page(NAME, after=0)


def test_an_erased_entry_is_a_stub_and_its_page_has_another_tag(journals: Journals, feed: Feed) -> None:
    fill(journals, put(1, "Maija Meikalainen"), put(1, "Clean"), put(2))
    before = feed.paged(NAME, after=0, size=3)
    assert b"Maija" in before.body
    erase(journals, 1)
    after = feed.paged(NAME, after=0, size=3)
    assert after.tag != before.tag
    assert b"Maija" not in after.body
    old, new = read(before.body), read(after.body)
    assert new.lines[0] == {"entry": old.lines[0]["entry"]}
    assert new.lines[1:] == old.lines[1:]
    assert [leaf(line) for line in new.lines] == [leaf(line) for line in old.lines]
    said = read(feed.page(NAME, after=3)).lines[0]
    assert said["opening"].keys() == {"salt", "op", "target"}


def test_a_stub_gives_nothing_to_guess_at(journals: Journals, feed: Feed) -> None:
    """Whoever knows record, slug, kind and payload of everything there is cannot tell which of them a stub hides."""
    fill(journals, put(1, "Secret"), put(1, "Clean"))
    (line, other) = read(feed.page(NAME, after=0)).lines
    erase(journals, 1)
    stub = read(feed.page(NAME, after=0)).lines[0]
    known = {name: value for name, value in line["opening"].items() if name != "salt"}
    guesses = [known, known | {"salt": ""}, known | {"salt": "A" * 22}, known | {"salt": other["opening"]["salt"]}]
    hashed = {"sha256:" + hashlib.sha256(jcs(guess)).hexdigest() for guess in guesses}
    assert stub["entry"]["commit"] not in hashed
    assert stub["entry"].keys() == {"v", "collection", "seq", "at", "commit"}
    salts = [base64.urlsafe_b64decode(one["opening"]["salt"] + "==") for one in (line, other)]
    assert all(len(salt) == 16 for salt in salts)
    assert salts[0] != salts[1]


def test_the_same_state_said_twice_has_two_commitments(journals: Journals, feed: Feed) -> None:
    fill(journals, put(1), withdraw(1), put(1))
    first, _, again = read(feed.page(NAME, after=0)).lines
    assert first["opening"]["digest"] == again["opening"]["digest"]
    assert first["entry"]["commit"] != again["entry"]["commit"]


def test_a_page_is_bounded_by_its_payloads_and_has_at_least_one_entry(journals: Journals, feed: Feed) -> None:
    fill(journals, *[large(number, 1_000_000) for number in range(9)])
    sizes = []
    after = 0
    while after < 9:
        page = read(feed.page(NAME, after=after))
        sizes.append(len(page.lines))
        assert sum(len(line["payload"]) for line in page.lines) <= MAX_PAYLOAD_BYTES
        after = page.envelope["end"]
    assert sizes == [4, 4, 1]


def test_a_snapshot_is_its_pages(journals: Journals, feed: Feed) -> None:
    fill(journals, *many(1_200))
    pages = list(feed.snapshot(NAME))
    assert [read(page).envelope["end"] for page in pages] == [1_000, 1_200]
    assert b"".join(pages) == feed.page(NAME, after=0, size=1_200) + feed.page(NAME, after=1_000, size=1_200)
    fill(journals, *many(10, 1_200))
    assert list(feed.snapshot(NAME, 1_200)) == pages
    with pytest.raises(NotFound):
        feed.snapshot(NAME, 7)


def test_a_snapshot_under_way_holds_nothing_up_and_learns_of_an_erasure(journals: Journals, feed: Feed) -> None:
    fill(journals, *many(1_000), put(2_000, "Maija"), put(2_000, "Clean"))
    pages = feed.snapshot(NAME)
    next(pages)
    erase(journals, 1_001)
    if journals.db.path is not None:
        journals.db.scrub()  # refused while anybody still reads what was there before
    assert b"Maija" not in b"".join(pages)


def test_single_entries_come_again_as_they_may_be_seen_now(journals: Journals, feed: Feed) -> None:
    fill(journals, *many(6), put(1, "Newer"))
    erase(journals, 2)
    page = read(feed.stubs(NAME, [5, 2, 2, 1]))
    assert page.envelope["seqs"] == page.seqs == [1, 2, 5]
    assert ["opening" in line for line in page.lines] == [True, False, True]
    assert page.envelope.keys() == {"v", "collection", "seqs", "size", "checkpoint"}


def test_single_entries_are_bounded_too(journals: Journals, feed: Feed) -> None:
    fill(journals, *[large(number, 1_000_000) for number in range(9)])
    page = read(feed.stubs(NAME, list(range(1, 10))))
    assert page.envelope["seqs"] == page.seqs == [1, 2, 3, 4]


@pytest.mark.parametrize("limit", [0, -1, 1_001, 1 << 70])
def test_a_limit_out_of_bounds_is_malformed(journals: Journals, feed: Feed, limit: int) -> None:
    fill(journals, *many(2))
    with pytest.raises(Malformed):
        feed.page(NAME, after=0, limit=limit)


@pytest.mark.parametrize(
    "asked", [{"after": 3}, {"after": -1}, {"after": 1 << 70}, {"after": 0, "size": 1}, {"after": 0, "size": 1 << 70}]
)
def test_what_was_not_signed_or_is_not_there_is_not_found(journals: Journals, feed: Feed, asked: dict) -> None:
    fill(journals, *many(2))
    with pytest.raises(NotFound):
        feed.page(NAME, **asked)
    with pytest.raises(NotFound):
        feed.tag(NAME, **asked)


@pytest.mark.parametrize(("seqs", "kind"), [([], Malformed), (list(range(1, 202)), Malformed), ([0], NotFound)])
def test_single_entries_that_are_none(journals: Journals, feed: Feed, seqs: list[int], kind: type[Exception]) -> None:
    fill(journals, *many(2))
    with pytest.raises(kind):
        feed.stubs(NAME, seqs)
    with pytest.raises(NotFound):
        feed.stubs(NAME, [1, 1 << 70])


def cosign(journals: Journals, size: int, line: str) -> None:
    with journals.db.write() as tx:
        sql = "INSERT INTO cosignature (collection_id, size, witness, line, at) VALUES (?, ?, ?, ?, ?)"
        tx.run(sql, journals.get(tx, NAME).id, size, "witness", line, 1)


def test_a_note_carries_the_cosignatures_of_its_size(journals: Journals, feed: Feed, keyring: Keyring) -> None:
    fill(journals, *many(2))
    line = "\u2014 witness.example " + base64.b64encode(b"hint" + b"s" * 72).decode() + "\n"
    cosign(journals, 2, line)
    fill(journals, *many(2, 2))
    assert feed.note(NAME, 2).endswith(line)
    assert line not in feed.note(NAME)
    with pytest.raises(NotFound):
        feed.note(NAME, 3)
    text, _, signatures = feed.note(NAME, 2).rpartition("\n\n")
    raw = base64.b64decode(signatures.splitlines()[0].split()[2])
    assert verified(keyring.public_key("checkpoint"), (text + "\n").encode(), raw[4:])


def test_heads_tell_of_every_public_collection_and_of_no_other(journals: Journals, tmp_path: Path) -> None:
    other = Keyring.create(tmp_path / "other")
    fill(journals, *many(2))
    with journals.db.write() as tx:
        for name, visibility in (("secret", "restricted"), ("helsinki/data", "public"), ("turku/none", "public")):
            iri = f"http://{name.replace('/', '.')}.example/collections/x"
            journals.create(tx, name=name, iri=iri, title="", visibility=visibility, at_ms=1_000)
    journals.checkpoint("secret", at_ms=1)
    empty = note.Checkpoint("helsinki.data.example/collections/x", 0, tree.EMPTY_ROOT)
    raw = other.public_key("checkpoint")
    with journals.db.write() as tx:
        signed = note.signed(empty, raw, lambda body: other.sign("checkpoint", body))
        journals.keep_note(tx, "helsinki/data", signed, 1)
    feed = Feed(journals, lambda name: [raw] if "/" in name else journals.public_keys())
    heads = feed.heads()
    assert [(head.name, head.size) for head in heads] == [("helsinki/data", 0), (NAME, 2)]
    assert heads[0].key == note.verifier_key("helsinki.data.example/collections/x", raw)
    assert heads is feed.heads()
    told = heads[1].document()
    assert told == {
        "collection": IRI,
        "name": NAME,
        "size": 2,
        "checkpoint": feed.note(NAME),
        "key": note.verifier_key("127.0.0.1:8001/collections/open-data", journals.public_keys()[0]),
    }
    fill(journals, *many(1, 2))
    assert [head.size for head in feed.heads()] == [0, 3]


def test_ten_changes_in_a_large_collection_cost_little(journals: Journals, feed: Feed) -> None:
    fill(journals, *[large(number, 3_000) for number in range(400)])
    fill(journals, *[large(number, 2_900) for number in range(10)])
    body = feed.page(NAME, after=400)
    assert len(read(body).lines) == 10
    assert len(gzip.compress(body)) < 30_000


@pytest.mark.parametrize("name", ["feed", "tile", "entries", "snapshot", "checkpoint", "turku/feed"])
def test_no_collection_takes_a_word_that_addresses_need(journals: Journals, name: str) -> None:
    with journals.db.write() as tx, pytest.raises(Malformed):
        journals.create(tx, name=name, iri="https://x.example/c", title="", visibility="public", at_ms=1)


def test_what_we_write_our_own_reader_takes(journals: Journals, feed: Feed) -> None:
    fill(journals, *many(8), withdraw(3), put(4, "Newer"))
    erase(journals, 5)
    for after, limit in ((0, 1_000), (2, 5), (11, 1)):
        page = pages.read_page(feed.page(NAME, after=after, limit=limit))
        assert [line.entry.seq for line in page.lines] == list(range(after + 1, page.end + 1))
        assert [line.entry.leaf() for line in page.lines] == [
            leaf(line) for line in read(feed.page(NAME, after=after, limit=limit)).lines
        ]
    told = pages.read_stubs(feed.stubs(NAME, [5, 1]))
    assert [(line.entry.seq, line.payload is None) for line in told.lines] == [(1, False), (5, True)]


def test_the_worst_page_is_one_our_own_reader_takes(journals: Journals, feed: Feed) -> None:
    """Quotes and backslashes double in JSON; the reader's bounds leave room for it."""
    it = iri_of(1)
    worst = [f'<{it}> <https://x.example/p> "{n}' + '\\"' * 520_000 + '" .\n' for n in range(5)]
    fill(journals, *[Draft(iri_of(n), f"d{n}", "dataset", "put", text.encode()) for n, text in enumerate(worst)])
    assert len(pages.read_page(feed.page(NAME, after=0)).lines) == 4
