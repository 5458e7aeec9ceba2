"""Laws of the journal, searched by hypothesis on both databases."""

import hashlib
import itertools

import orjson
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.db import Database
from node.journal import Draft, Entry, Opening, catch_up, rebuild, tree
from node.journal.entry import MAX_AT_MS, at_text, jcs
from node.journal.journal import Journals
from node.journal.verify import verify
from node.keys import Keyring
from tests.journal.rig import Newest, payload_of

NUMBERS = itertools.count()
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
HASHES = st.binary(min_size=32, max_size=32)
SALTS = st.binary(min_size=16, max_size=16)
BOUNDED = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])

RECORDS = st.integers(0, 5).map("http://x/{}".format)
STEPS = st.one_of(
    st.tuples(st.just("put"), RECORDS, st.sampled_from("abc")),
    st.tuples(st.just("withdraw"), RECORDS, st.just("")),
)
ACTS = st.lists(st.one_of(st.lists(STEPS, max_size=12), st.integers(1, 30), st.just("follow")), max_size=8)


def opened(db: Database, keyring: Keyring) -> tuple[Journals, str]:
    """Give a new, empty collection in a database that lasts."""
    journals, name = Journals(db, keyring), f"law-{next(NUMBERS)}"
    with db.write() as tx:
        journals.create(tx, name=name, iri=f"http://x/{name}", title="", visibility="public", at_ms=1)
    return journals, name


def draft_of(step: tuple[str, str, str]) -> Draft:
    op, record, text = step
    if op == "put":
        return Draft(record, "a", "dataset", "put", payload_of(record, text))
    return Draft(record, "a", "dataset", "withdraw")


def act(journals: Journals, name: str, acts: list, follower: Newest) -> None:
    from node.errors import Conflict, NotFound

    for what in acts:
        if what == "follow":
            catch_up(journals, follower)
        elif isinstance(what, int):
            try:
                with journals.db.write() as tx:
                    journals.erase(tx, name, what, at_ms=5)
            except (Conflict, NotFound):
                continue
        else:
            with journals.db.write() as tx:
                journals.append(tx, name, [draft_of(step) for step in what], at_ms=5)


@given(TEXTS, TEXTS, TEXTS, SALTS)
def test_our_jcs_is_rfc_8785(record: str, slug: str, kind: str, salt: bytes):
    for opening in (
        Opening("put", salt, record, slug, kind, "sha256:" + "0" * 64),
        Opening("withdraw", salt, record, slug, kind),
        Opening("erase", salt, target=len(record)),
    ):
        assert jcs(opening.document()) == rfc8785.dumps(opening.document())
        assert orjson.loads(jcs(opening.document())) == opening.document()


@given(TEXTS, st.integers(1, 2**53 - 1), st.integers(0, MAX_AT_MS), HASHES)
def test_an_entry_is_rfc_8785_too(collection: str, seq: int, at_ms: int, commitment: bytes):
    entry = Entry(collection, seq, at_ms, commitment, None)
    assert jcs(entry.document()) == rfc8785.dumps(entry.document())
    assert entry.leaf() == hashlib.sha256(b"\x00" + rfc8785.dumps(entry.document())).digest()


@given(st.integers(0, MAX_AT_MS), st.integers(0, MAX_AT_MS))
def test_times_as_text_sort_as_numbers(one: int, two: int):
    assert (one <= two) == (at_text(one) <= at_text(two))


@given(st.lists(HASHES, max_size=70), st.data())
def test_every_tree_proves_itself_and_nothing_else(leaves: list[bytes], data: st.DataObject):
    root = tree.root_of(leaves)

    def complete(height: int, index: int) -> bytes:
        return tree.root_of(leaves[index << height : (index + 1) << height])

    old = data.draw(st.integers(0, len(leaves)))
    proof = tree.consistency(old, len(leaves), complete)
    assert tree.verify_consistency(old, len(leaves), proof, tree.root_of(leaves[:old]), root)
    if leaves:
        index = data.draw(st.integers(0, len(leaves) - 1))
        proof = tree.inclusion(index, len(leaves), complete)
        assert tree.verify_inclusion(leaves[index], index, len(leaves), proof, root)
        other = data.draw(HASHES)
        assert other == leaves[index] or not tree.verify_inclusion(other, index, len(leaves), proof, root)
        bent = data.draw(st.integers(0, max(0, len(proof) - 1)))
        if proof:
            proof[bent] = bytes([proof[bent][0] ^ 1]) + proof[bent][1:]
            assert not tree.verify_inclusion(leaves[index], index, len(leaves), proof, root)


@BOUNDED
@given(acts=ACTS)
def test_a_follower_rebuilt_equals_one_that_lived(lasting_db: Database, keyring: Keyring, acts: list):
    journals, name = opened(lasting_db, keyring)
    lived, later = Newest(), Newest()
    lived.name, later.name = f"lived {name}", f"later {name}"
    act(journals, name, acts, lived)
    catch_up(journals, lived)
    catch_up(journals, later)
    assert lived.state.get(name) == later.state.get(name)
    state = lived.state
    rebuild(journals, lived)
    assert lived.state == state


@BOUNDED
@given(acts=ACTS)
def test_whatever_was_done_verifies(lasting_db: Database, keyring: Keyring, acts: list):
    journals, name = opened(lasting_db, keyring)
    act(journals, name, acts, Newest())
    journals.checkpoint(name, at_ms=9)
    found = verify(journals, name, [journals.public_key()])
    with lasting_db.read() as tx:
        assert found.size == journals.get(tx, name).size


@BOUNDED
@given(acts=ACTS, size=st.integers(1, 7))
def test_a_journal_read_in_any_page_size_is_the_same_journal(
    lasting_db: Database, keyring: Keyring, acts: list, size: int
):
    journals, name = opened(lasting_db, keyring)
    act(journals, name, acts, Newest())
    with lasting_db.read() as tx:
        whole, paged = journals.entries(tx, name), []
        while page := journals.entries(tx, name, after=len(paged), limit=size):
            paged += page
    assert paged == whole
    assert [entry.seq for entry in whole] == list(range(1, len(whole) + 1))


@BOUNDED
@given(steps=st.lists(STEPS, max_size=25), cuts=st.sets(st.integers(0, 25)))
def test_batches_make_no_difference(lasting_db: Database, keyring: Keyring, steps: list, cuts: set[int]):
    journals, whole = opened(lasting_db, keyring)
    _, parted = opened(lasting_db, keyring)
    act(journals, whole, [steps], Newest())
    bounds = [0, *sorted(cut for cut in cuts if cut <= len(steps)), len(steps)]
    act(journals, parted, [steps[a:b] for a, b in itertools.pairwise(bounds)], Newest())
    with lasting_db.read() as tx:
        one, two = ([e.opening for e in journals.entries(tx, name)] for name in (whole, parted))
    said = [[(o.op, o.record, o.digest) for o in openings if o] for openings in (one, two)]
    assert said[0] == said[1]


@BOUNDED
@given(steps=st.lists(STEPS, max_size=25))
def test_saying_it_again_writes_nothing(lasting_db: Database, keyring: Keyring, steps: list):
    journals, name = opened(lasting_db, keyring)
    newest = {draft.record: draft for draft in map(draft_of, steps)}
    with lasting_db.write() as tx:
        journals.append(tx, name, list(newest.values()), at_ms=5)
        assert journals.append(tx, name, list(newest.values()), at_ms=6) == []
