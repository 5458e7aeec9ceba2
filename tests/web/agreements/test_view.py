"""The page of an agreement says its clauses, its signatures and its state, and nothing the record does not say."""

from types import SimpleNamespace

import pytest

from node.federation.agreements.records import Statement, payload_of, record_in
from node.federation.agreements.text import read_text
from node.keys import Keyring
from node.web.agreements.view import view_of
from tests.federation.agreed import atom, permits, signed

HELSINKI, LONDON = "http://127.0.0.1:8001", "http://127.0.0.1:8002"
MADE, DAY = 1_800_000_000_000, 86_400_000
NAMES = {HELSINKI: "Helsinki", LONDON: "London"}


def city(url: str, keyring: Keyring) -> SimpleNamespace:
    return SimpleNamespace(settings=SimpleNamespace(base_url=url, federation="https://f.example/"), keyring=keyring)


@pytest.fixture
def text(keyring: Keyring) -> str:
    until = permits("index", "read", constraint=[atom("dateTime", "lt", "2028-01-01T00:00:00Z")])
    cities = (city(HELSINKI, keyring), city(LONDON, keyring))
    return signed(*cities, [f"{HELSINKI}/collections/plans"], until, at_ms=MADE)


def shown(text: str, state: str = "in-force", *, reader: str = "en", now_ms: int = MADE + DAY, reason: str = ""):
    made = read_text(text)
    record = record_in(made.iri, HELSINKI)
    payload = payload_of(record, made, Statement(made.iri, text, state, reason), at_ms=MADE)
    return view_of(record, payload, reader, now_ms, lambda url: NAMES.get(url, url))


@pytest.mark.parametrize(("reader", "word"), [("en", "London may"), ("fi", "London"), ("sv", "London får")])
def test_the_clauses_are_said_in_the_readers_language(text: str, reader: str, word: str) -> None:
    view = shown(text, reader=reader)
    assert view is not None
    assert view.language == reader
    assert any(word in one.text for section in view.sections for one in section.sentences)


def test_a_language_that_is_not_written_is_answered_in_english_and_marked_so(text: str) -> None:
    view = shown(text, reader="de")
    assert view is not None
    assert view.language == "en"


def test_both_signatures_are_shown_in_their_order(text: str) -> None:
    view = shown(text)
    assert view is not None
    assert [(one.city, one.order, one.at_ms) for one in view.signatures] == [
        ("Helsinki", "first", MADE),
        ("London", "second", MADE),
    ]


def test_who_has_not_signed_is_said_to_have_not(text: str) -> None:
    made = read_text(text)
    view = shown(made.with_proofs(made.proofs[0]).signed)
    assert view is not None
    assert [(one.order, one.at_ms > 0) for one in view.signatures] == [("first", True), ("missing", False)]


@pytest.mark.parametrize(
    ("state", "now_ms", "said"),
    [
        ("in-force", MADE + DAY, "in-force"),
        ("suspended", MADE + DAY, "suspended"),
        ("revoked", MADE + DAY, "revoked"),
        ("in-force", 1_830_297_600_000, "expired"),  # 2028-01-01
        ("revoked", 1_830_297_600_000, "revoked"),
    ],
)
def test_the_state_is_the_journals_within_the_term(text: str, state: str, now_ms: int, said: str) -> None:
    view = shown(text, state, now_ms=now_ms, reason="Because")
    assert view is not None
    assert (view.state, view.reason) == (said, "Because")
    assert view.ends_at_ms == 1_830_297_600_000


def test_what_holds_no_agreement_has_no_such_page() -> None:
    assert view_of("http://a.example/agreements/x", b"<http://a.example/x> <urn:p> <urn:o> .\n", "en", 0, str) is None


def test_a_signature_whose_time_cannot_be_read_makes_no_such_page(text: str) -> None:
    made = read_text(text)
    assert shown(made.with_proofs({**made.proofs[0], "created": "tomorrow"}).signed) is None
