"""Collections, appends, checkpoints and proofs, on both databases."""

# ruff: noqa: PT012, S608 - a whole transaction is what fails

import base64
import hashlib
from types import SimpleNamespace

import pytest

from node.db import Database
from node.errors import Conflict, Malformed, NotFound, Refuted, TooLarge
from node.journal import Draft, Entry, note, tree
from node.journal.entry import MAX_AT_MS, digest_text
from node.journal.journal import Journals
from node.journal.proofs import Proofs
from node.journal.reading import row_of
from node.journal.verify import verify
from tests.journal.rig import NAME, iri_of, payload_of, put, salts, withdraw


def append(journals: Journals, *drafts: Draft, at_ms: int = 2_000):
    with journals.db.write() as tx:
        return journals.append(tx, NAME, drafts, at_ms=at_ms, salts=salts(at_ms))


def test_a_collection_is_opened_once(journals: Journals):
    with journals.db.read() as tx:
        collection = journals.get(tx, NAME)
        assert (collection.size, collection.root, collection.visibility) == (0, tree.EMPTY_ROOT, "public")
        assert journals.collections(tx) == [collection]
    for name, iri in ((NAME, "http://x/other"), ("other", collection.iri)):
        with pytest.raises(Conflict), journals.db.write() as tx:
            journals.create(tx, name=name, iri=iri, title="", visibility="public", at_ms=1)
    with pytest.raises(NotFound), journals.db.read() as tx:
        journals.get(tx, "none")


@pytest.mark.parametrize(
    ("name", "iri", "title", "visibility"),
    [
        ("Open", "http://x/a", "", "public"),
        ("a/b/c", "http://x/a", "", "public"),
        ("a/", "http://x/a", "", "public"),
        ("a", "no iri", "", "public"),
        ("a", "http://x/a+b", "", "public"),
        ("a", "http://x/a", "\x00", "public"),
        ("a", "http://x/a", "", "secret"),
    ],
)
def test_bad_words_for_a_collection_are_malformed(journals: Journals, name, iri, title, visibility):
    with pytest.raises(Malformed), journals.db.write() as tx:
        journals.create(tx, name=name, iri=iri, title=title, visibility=visibility, at_ms=1)


def test_a_collection_may_change_its_title_and_visibility(journals: Journals):
    with journals.db.write() as tx:
        journals.create(tx, name="peer/" + NAME, iri="https://peer/c", title="Theirs", visibility="public", at_ms=1)
        journals.change(tx, NAME, title="Avoin data")
        changed = journals.change(tx, NAME, visibility="restricted")
    assert (changed.title, changed.visibility) == ("Avoin data", "restricted")
    with journals.db.read() as tx:
        assert journals.get(tx, NAME) == changed
    verify(journals, NAME, [])


def test_entries_are_dense_and_open_to_their_commitments(journals: Journals):
    first = append(journals, put(1), put(2))
    second = append(journals, put(3), withdraw(1), put(2, "Another"), at_ms=3_000)
    with journals.db.read() as tx:
        assert journals.entries(tx, NAME) == first + second
        assert journals.entries(tx, NAME, after=2, limit=2) == second[:2]
        assert journals.entry(tx, NAME, 4) == second[1]
        with pytest.raises(NotFound):
            journals.entry(tx, NAME, 6)
        collection = journals.get(tx, NAME)
    entries = first + second
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.at_ms for entry in entries] == [2_000] * 2 + [3_000] * 3
    assert all(entry.opening and entry.opening.commitment() == entry.commitment for entry in entries)
    assert collection.root == tree.root_of(entry.leaf() for entry in entries)
    assert (collection.size, collection.last_at_ms) == (5, 3_000)
    digest = hashlib.sha256(payload_of(iri_of(1), "A title")).digest()
    assert entries[0].opening
    assert entries[0].opening.digest == digest_text(digest)
    assert entries[3].opening
    assert (entries[3].opening.op, entries[3].opening.digest) == ("withdraw", "")


def test_what_is_no_news_is_skipped(journals: Journals):
    assert append(journals) == []
    assert append(journals, withdraw(1)) == []
    assert len(append(journals, put(1), put(1), put(2))) == 2
    assert append(journals, put(1), put(2)) == []
    assert len(append(journals, put(1, "b"), put(1), withdraw(1), withdraw(1), put(1))) == 4
    assert append(journals, put(1)) == []
    with journals.db.read() as tx:
        newest = journals.newest(tx, NAME, iri_of(1))
        assert newest is not None
        assert newest.seq == 6
        assert journals.newest(tx, NAME, iri_of(9)) is None
        assert journals.get(tx, NAME).size == 6


def test_time_never_goes_back(journals: Journals):
    append(journals, put(1), at_ms=5_000)
    (entry,) = append(journals, put(2), at_ms=4_000)
    assert entry.at_ms == 5_000


def test_an_append_is_all_or_nothing(journals: Journals):
    append(journals, put(1))
    with pytest.raises(ZeroDivisionError), journals.db.write() as tx:
        journals.append(tx, NAME, [put(n) for n in range(2, 400)], at_ms=3_000)
        _ = 1 / 0
    assert [entry.seq for entry in append(journals, put(2))] == [2]
    assert verify(journals, NAME, []).payloads == 2


@pytest.mark.parametrize(
    "draft",
    [
        Draft("", "a", "dataset", "put", b""),
        Draft("http://x/a", "", "dataset", "put", b""),
        Draft("http://x/a", "a", "thing", "put", b""),
        Draft("http://x/a", "a", "dataset", "put", None),
        Draft("http://x/a", "a", "dataset", "withdraw", b""),
        Draft("http://x/a", "a", "dataset", "erase", None),  # type: ignore[arg-type]
        Draft("http://x/\x00", "a", "dataset", "put", b""),
        Draft("http://x/\ud800", "a", "dataset", "put", b""),
    ],
)
def test_what_is_no_draft_is_malformed(journals: Journals, draft: Draft):
    with pytest.raises(Malformed):
        append(journals, draft)


def test_bounds_of_an_append(journals: Journals):
    with pytest.raises(TooLarge):
        append(journals, *[withdraw(1)] * 1_001)
    with pytest.raises(TooLarge):
        append(journals, Draft("http://x/a", "a", "dataset", "put", b"x" * (1024 * 1024 + 1)))
    append(journals, Draft("http://x/a", "a", "dataset", "put", b"x" * 1024 * 1024))
    for at_ms in (-1, MAX_AT_MS + 1):
        with pytest.raises(Malformed), journals.db.write() as tx:
            journals.append(tx, NAME, [put(1)], at_ms=at_ms)


def test_two_records_with_one_short_key_are_told_apart(journals: Journals, monkeypatch: pytest.MonkeyPatch):
    for module in ("reading", "journal", "verify"):
        monkeypatch.setattr(f"node.journal.{module}.key_of", lambda record: 7)
    assert len(append(journals, put(1), put(2))) == 2
    assert append(journals, put(1), put(2)) == []
    assert append(journals, put(1)) == []
    assert len(append(journals, withdraw(1))) == 1
    assert append(journals, put(2), withdraw(3)) == []
    with journals.db.read() as tx:
        newest = journals.newest(tx, NAME, iri_of(2))
    assert newest is not None
    assert newest.seq == 2
    verify(journals, NAME, [])


def test_a_checkpoint_is_signed_once_per_size_from_size_zero(journals: Journals):
    empty = journals.checkpoint(NAME, at_ms=1)
    with journals.db.read() as tx:
        assert journals.newest_checkpoint(tx, NAME) == empty
    append(journals, put(1))
    first = journals.checkpoint(NAME, at_ms=2)
    assert journals.checkpoint(NAME, at_ms=3) == first
    from node.keys import verified

    opened = note.opened(first, {"127.0.0.1:8001/collections/open-data": [journals.public_key()]}, verified)
    with journals.db.read() as tx:
        assert (opened.size, opened.root) == (1, journals.get(tx, NAME).root)
    assert verify(journals, NAME, [journals.public_key()]).checkpoints == 2


def test_a_record_is_proven_by_its_entry_its_path_and_a_checkpoint(journals: Journals):
    proofs = Proofs(journals, lambda _: journals.public_keys())
    assert proofs.checkpoint(NAME) is None
    _, second, _ = append(journals, put(1), put(2), put(3))
    assert second.opening is not None
    held = SimpleNamespace(collection=NAME, seq=2, digest=second.opening.digest)
    assert proofs.proof(held) is None
    text = journals.checkpoint(NAME, at_ms=7)
    signed, proof = proofs.checkpoint(NAME), proofs.proof(held)
    assert signed is not None
    assert (signed.size, signed.note, signed.signed_at_ms) == (3, text, 7)
    assert proof is not None
    with journals.db.read() as tx:
        entry, collection = journals.entry(tx, NAME, 2), journals.get(tx, NAME)
    assert entry.opening is not None
    assert (proof["entry"], proof["opening"]) == (entry.document(), entry.opening.document())
    path = proof["inclusion"]
    assert isinstance(path, dict)
    hashes = [base64.b64decode(value) for value in path["hashes"]]
    assert tree.verify_inclusion(entry.leaf(), path["leaf_index"], path["tree_size"], hashes, collection.root)
    name = "127.0.0.1:8001/collections/open-data"
    assert proof["key"] == note.verifier_key(name, journals.public_key())
    with pytest.raises(Refuted, match="not what its journal holds"):
        proofs.proof(SimpleNamespace(collection=NAME, seq=2, digest="sha256:" + "0" * 64))


def test_an_erased_entry_is_proven_without_its_opening(journals: Journals):
    append(journals, put(1), put(1, "b"))
    with journals.db.write() as tx:
        journals.erase(tx, NAME, 1, at_ms=9_000)
    journals.checkpoint(NAME, at_ms=7)
    proof = Proofs(journals, lambda _: journals.public_keys()).proof(SimpleNamespace(collection=NAME, seq=1, digest=""))
    assert proof is not None
    assert proof["opening"] is None


def test_the_digest_before_an_entry(journals: Journals):
    entries = append(journals, put(1), put(1, "b"), withdraw(1), put(1))
    said = append(journals, put(2), put(2, "b"))
    with journals.db.write() as tx:
        erasure = journals.erase(tx, NAME, said[0].seq, at_ms=9_000)
        before = [journals.digest_before(tx, NAME, entry) for entry in entries]
        assert journals.digest_before(tx, NAME, journals.entry(tx, NAME, said[0].seq)) is None
        assert journals.digest_before(tx, NAME, erasure) is None
    openings = [entry.opening for entry in entries if entry.opening]
    assert before == [None, openings[0].digest, openings[1].digest, None]


def test_an_entry_is_written_with_its_opening():
    with pytest.raises(ValueError, match="opening"):
        row_of(Entry("http://x/c", 1, 1, b"", None))


def test_a_collection_without_a_checkpoint_says_so(journals: Journals):
    with journals.db.read() as tx:
        assert journals.newest_checkpoint(tx, NAME) is None


def test_nothing_smaller_is_signed_after_something_larger(journals: Journals):
    append(journals, put(1))
    journals.checkpoint(NAME, at_ms=1)
    with journals.db.write() as tx:
        tx.run("UPDATE collection SET size = 0")
    with pytest.raises(Refuted, match="signed"):
        journals.checkpoint(NAME, at_ms=2)


@pytest.mark.parametrize(("column", "length"), [("frontier", 64), ("frontier", 32), ("root", 32)])
def test_nothing_is_built_on_a_damaged_head(journals: Journals, column: str, length: int):
    append(journals, put(1))
    with journals.db.write() as tx:
        tx.run(f"UPDATE collection SET {column} = ?", b"\x05" * length)
    with pytest.raises(Refuted, match="head"):
        append(journals, put(2))


def test_proofs_hold_at_every_size_across_tiles(journals: Journals):
    leaves = []
    for start in range(0, 700, 350):
        leaves += [entry.leaf() for entry in append(journals, *(put(n) for n in range(start, start + 350)))]
    roots = {size: tree.root_of(leaves[:size]) for size in (1, 2, 255, 256, 257, 512, 600, 700)}
    with journals.db.read() as tx:
        for size, root in roots.items():
            assert journals.root(tx, NAME, size) == root
            for seq in {1, min(2, size), size // 2 or 1, size}:
                proof = journals.inclusion(tx, NAME, seq, size)
                assert tree.verify_inclusion(leaves[seq - 1], seq - 1, size, proof, root)
            for old in [old for old in roots if old <= size]:
                proof = journals.consistency(tx, NAME, old, size)
                assert tree.verify_consistency(old, size, proof, roots[old], root)
        assert journals.root(tx, NAME, 0) == tree.EMPTY_ROOT
        assert journals.tile(tx, NAME, 0, 1) == leaves[256:512]
        assert journals.tile(tx, NAME, 0, 2) == leaves[512:]
        assert journals.tile(tx, NAME, 1, 0) == [tree.root_of(leaves[:256]), tree.root_of(leaves[256:512])]
        for wrong in ((0, 700), (701, 700), (1, 701)):
            with pytest.raises(NotFound):
                journals.inclusion(tx, NAME, *wrong)
        for wrong in ((2, 1), (-1, 1), (1, 701)):
            with pytest.raises(NotFound):
                journals.consistency(tx, NAME, *wrong)


def test_salts_are_fresh_unless_they_are_handed_in(journals: Journals):
    with journals.db.write() as tx:
        entries = journals.append(tx, NAME, [put(1), put(2)], at_ms=1)
    assert len({entry.opening.salt for entry in entries if entry.opening}) == 2


def test_an_append_costs_the_same_number_of_statements_for_one_draft_and_many(db: Database, journals: Journals):
    append(journals, put(0))
    counts = []
    for drafts in ([put(1)], [put(n) for n in range(2, 100)]):
        with db.write() as tx:
            seen: list[str] = []
            original = tx._spelled
            tx._spelled = lambda sql, seen=seen, original=original: (seen.append(sql), original(sql))[1]  # type: ignore[method-assign]
            journals.append(tx, NAME, drafts, at_ms=9_000)
        counts.append(len(seen))
    assert counts[0] == counts[1]
