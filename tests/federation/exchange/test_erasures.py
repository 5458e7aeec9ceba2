"""What was erased, who has confirmed, and who has not: heard twice is heard once, and nobody is forgotten."""

import pytest

from node.errors import Malformed, NotFound
from node.federation.exchange.erasures import Erasures
from node.federation.refusals.refusals import RefusalsHeard
from node.journal.journal import Journals
from tests.federation.feed_rig import IRI, erase, fill
from tests.journal.rig import NAME, put


@pytest.fixture
def erasures(journals: Journals) -> Erasures:
    fill(journals, put(1, "a"), put(1, "b"), put(2, "a"), put(2, "b"))
    return Erasures(journals, lambda _: ())


def seen(journals: Journals, peer: str, iri: str = IRI) -> None:
    sql = "INSERT INTO seen_head (collection, seen_by, size, root, note, at) VALUES (?, ?, 1, ?, '', 1)"
    with journals.db.write() as tx:
        tx.run(sql, iri, peer, b"")


def test_each_erasure_is_listed_with_who_confirmed_and_who_has_not(journals: Journals, erasures: Erasures) -> None:
    assert erasures.list(NAME) == []
    erase(journals, 3)
    erase(journals, 1)
    seen(journals, "turku")
    seen(journals, "oulu", "https://elsewhere.example/collections/x")
    erasures.hear(NAME, "lahti", [1], at_ms=50)
    first, second = erasures.list(NAME)
    assert (first.seq, first.said_in, dict(first.confirmed), first.waiting) == (1, 6, {"lahti": 50}, ("turku",))
    assert (second.seq, second.said_in, dict(second.confirmed), second.waiting) == (3, 5, {}, ("lahti", "turku"))


def test_heard_twice_is_heard_once_and_only_of_what_was_erased(journals: Journals, erasures: Erasures) -> None:
    erase(journals, 1)
    erasures.hear(NAME, "lahti", [1, 1, 2, 5, 0, -1, 1 << 60], at_ms=50)
    erasures.hear(NAME, "lahti", [1], at_ms=90)
    (only,) = erasures.list(NAME)
    assert dict(only.confirmed) == {"lahti": 50}
    with journals.db.read() as tx:
        assert tx.rows("SELECT target FROM erasure_heard") == [(1,)]


def test_a_peer_that_may_read_a_restricted_collection_is_asked_after(journals: Journals, erasures: Erasures) -> None:
    erase(journals, 1)
    (only,) = Erasures(journals, lambda name: {NAME: ["oulu"]}[name]).list(NAME)
    assert only.waiting == ("oulu",)


def test_a_reason_is_kept_and_may_be_said_better(journals: Journals, erasures: Erasures) -> None:
    erase(journals, 1)
    for reason in ("A name", "A person's name"):
        with journals.db.write() as tx:
            erasures.explain(tx, NAME, 1, reason)
    assert erasures.list(NAME)[0].reason == "A person's name"


def test_there_is_no_list_of_a_collection_that_is_not_there(journals: Journals, erasures: Erasures) -> None:
    with pytest.raises(NotFound):
        erasures.list("none")
    with pytest.raises(NotFound):
        erasures.hear("none", "lahti", [1], at_ms=1)


def test_refusals_are_kept_by_peer_and_entry_all_or_none(journals: Journals, erasures: Erasures) -> None:
    refusals = RefusalsHeard(journals)
    refusals.hear(NAME, "lahti", [(1, "too-large"), (2, "foreign-subject")], at_ms=10)
    refusals.hear(NAME, "turku", [(1, "bad-shape")], at_ms=20)
    refusals.hear(NAME, "lahti", [(1, "bad-shape"), (2, "")], at_ms=30)
    told = [(one.seq, one.peer, one.code, one.at_ms) for one in refusals.list(NAME)]
    assert told == [(1, "lahti", "bad-shape", 30), (1, "turku", "bad-shape", 20)]
    for wrong in ((5, "x"), (0, "x"), (-1, "x"), (1, "Bad"), (1, "x" * 500)):
        with pytest.raises(Malformed):
            refusals.hear(NAME, "turku", [(2, "fine"), wrong], at_ms=40)
    assert len(refusals.list(NAME)) == 2
    assert len(refusals.list(NAME, limit=1)) == 1
