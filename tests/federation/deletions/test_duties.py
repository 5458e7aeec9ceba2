"""Laws of the duty to delete: what is over and was fetched from is due, at both ends by the same day."""

from dataclasses import replace

import pytest

from node.errors import Malformed, TooLarge
from node.federation.agreements.agreements import Agreement
from node.federation.agreements.text import compose
from node.federation.deletions.duties import duties
from node.federation.deletions.post import MAX_BODY_BYTES, read_word
from node.journal.entry import at_text
from tests.federation.agreed import atom, permits

HELSINKI, LONDON = "https://h.example", "https://london.example"
DATASET, DAY = f"{HELSINKI}/datasets/1", 86_400_000
AGREED, ENDED = 1_790_000_000_000, 1_795_000_000_000
TARGET = f"{HELSINKI}/collections/plans"
AT_ONCE = permits("use", duty=[{"action": "odrl:delete"}])


def named(name: str) -> str:
    return f"{HELSINKI}/agreements/00000000-0000-4000-8000-00000000000{name}"


def agreement(name: str = "1", rules: object = AT_ONCE, **said: object) -> Agreement:
    """An agreement of Helsinki's data that London, who holds it here, revoked at `ENDED`."""
    iri = named(name)
    text = compose(iri, TARGET, HELSINKI, LONDON, AGREED, {"title": "Plans", "covers": [TARGET]}, rules).signed
    values = {
        "iri": iri, "record": iri, "peer": "helsinki", "role": "consumer", "target": TARGET, "covers": (TARGET,),
        "digest": "", "signed": text, "signed_by": "both", "title": "Plans", "part_of": "", "replaces": "",
        "public": False, "agreed_at": AGREED, "starts_at": AGREED, "ends_at": 0, "review_at": 0,
        "our_state": "revoked", "our_reason": "", "our_at": ENDED,
        "their_state": "in-force", "their_reason": "", "their_at": AGREED,
    }  # fmt: skip
    return Agreement(**{**values, **said})  # type: ignore[arg-type]


def due(*agreements: Agreement, moved: tuple[str, ...] = ("1",), now_ms: int = ENDED + 1) -> list[tuple[str, int, int]]:
    names = frozenset(map(named, moved))
    found = duties(agreements, lambda iri: [DATASET] if iri in names else [], now_ms)
    return [(each.agreement.iri[-1], each.ended_at, each.due_at) for each in found]


def test_what_names_no_day_is_due_when_it_ends() -> None:
    assert due(agreement()) == [("1", ENDED, ENDED)]


def test_a_day_that_the_text_names_counts_but_never_before_the_end() -> None:
    for at_ms, wanted in ((ENDED + 30 * DAY, ENDED + 30 * DAY), (ENDED - DAY, ENDED)):
        rules = permits("use", duty=[{"action": "odrl:delete", "constraint": [atom("dateTime", "lt", at_text(at_ms))]}])
        assert due(agreement(rules=rules)) == [("1", ENDED, wanted)]


@pytest.mark.parametrize(
    ("said", "ended_at"),
    [
        ({"our_state": "in-force", "their_state": "revoked", "their_at": ENDED - 5}, ENDED - 5),
        ({"our_state": "in-force", "ends_at": ENDED - 7}, ENDED - 7),
        ({"our_state": "in-force", "superseded_from": ENDED - 9}, ENDED - 9),
        ({"ends_at": ENDED - 7}, ENDED - 7),
    ],
)
def test_the_first_of_what_ended_it_counts(said: dict[str, object], ended_at: int) -> None:
    assert due(agreement(**said)) == [("1", ended_at, ended_at)]


def test_both_ends_name_the_same_day_and_each_the_other() -> None:
    here, there = agreement(), agreement(peer="london", role="provider")
    (ours,), (theirs,) = (duties([each], lambda _: [DATASET], ENDED + 1) for each in (here, there))
    assert (ours.due_at, ours.peer, ours.is_ours) == (theirs.due_at, HELSINKI, True)
    assert (theirs.peer, theirs.is_ours) == (LONDON, False)


@pytest.mark.parametrize("state", ["in-force", "suspended"])
def test_nothing_is_due_while_it_is_not_over(state: str) -> None:
    assert due(agreement(our_state=state)) == []


def test_nothing_is_due_where_nothing_moved_or_no_clause_says_so() -> None:
    assert due(agreement(), moved=("2",)) == []
    assert due(agreement(rules=permits("use"))) == []


def test_a_text_that_cannot_be_read_hides_no_other() -> None:
    assert due(agreement(signed="{}"), agreement("2"), moved=("1", "2")) == [("2", ENDED, ENDED)]


def test_what_takes_its_place_and_covers_as_much_lets_the_files_stay_while_it_lives() -> None:
    old = agreement(our_state="superseded")
    new = agreement("2", replaces=old.iri, our_state="in-force")
    assert due(old, new) == []
    assert due(old, replace(new, our_state="suspended")) == []
    assert due(old, replace(new, covers=(f"{HELSINKI}/datasets/9",), target=f"{HELSINKI}/datasets/9")) != []
    alone = replace(new, covers=(), target=f"{HELSINKI}/collections/other")
    assert due(replace(old, covers=()), alone) != [], "what names its target alone is about that"
    assert due(replace(old, covers=()), replace(alone, target=TARGET)) == []
    assert due(old, replace(new, peer="ghent")) != [], "what another city agreed on is not this"
    ended = replace(new, our_state="revoked")
    assert [name for name, _, _ in due(old, ended, moved=("1", "2"))] == ["1", "2"]
    third = agreement("3", replaces=new.iri, our_state="in-force")
    assert due(old, replace(new, our_state="superseded"), third, moved=("1", "2")) == []


def test_two_that_replace_each_other_are_both_due() -> None:
    both = [agreement("1", replaces=named("2")), agreement("2", replaces=named("1"))]
    assert [name for name, _, _ in due(*both, moved=("1", "2"))] == ["1", "2"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"type": "DataDeletion"}', b'{"type": "DataDeletion", "agreement": "no address"}',
     b'{"type": "ErasureDone", "agreement": "https://h.example/agreements/1"}', b'\xff{"type": "DataDeletion"}'],
)  # fmt: skip
def test_what_is_no_statement_of_deletion_is_not_read(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_word(body)


def test_a_word_has_an_end() -> None:
    with pytest.raises(TooLarge):
        read_word(b" " * (MAX_BODY_BYTES + 1))
