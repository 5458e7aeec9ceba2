"""What a row says of a practice or an AI system: the short fields of its table, and nothing of what has files."""

import pytest

from node.records import KINDS
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of
from node.web.search.facts import MOST, is_knowledge, row_facts, value_of

IRI = "https://city.example/x/1"
LANGUAGES = ("fi", "sv", "en")


def payload(kind: str, **said: object) -> bytes:
    return payload_of(TABLES[kind], IRI, example_of(TABLES[kind]) | said)


@pytest.mark.parametrize("kind", [kind for kind in TABLES if is_knowledge(kind)])
@pytest.mark.parametrize("reader", ["en", "fi", "sv"])
def test_a_row_has_few_words_in_the_readers_language_and_none_of_its_head(kind: str, reader: str) -> None:
    facts = row_facts(kind, IRI, payload(kind), reader, LANGUAGES)
    assert len(facts) <= MOST
    labels = {each.name: each.label[reader] for each in TABLES[kind].fields if each.short}
    for fact in facts:
        assert fact.label == labels[fact.name]
        assert fact.name not in ("title", "summary", "publisher", "contact")
        assert 0 < len(fact.said.text) <= 60


def test_codes_and_dates_are_said_and_long_texts_and_links_are_left_to_the_page() -> None:
    told = {fact.name: fact.said.text for fact in row_facts("challenge", IRI, payload("challenge"), "sv", LANGUAGES)}
    assert told["status"] == "Öppen"
    assert told["closes"] == "28 feb. 2099"
    assert "apply" not in told
    long = payload("practice", offer={"en": "x" * 200})
    assert "offer" not in {fact.name for fact in row_facts("practice", IRI, long, "en", LANGUAGES)}


def test_what_dcat_describes_has_no_such_facts() -> None:
    for kind in set(KINDS) - set(TABLES) | {"data-service"}:
        assert not is_knowledge(kind)
        assert row_facts(kind, IRI, b"", "en", LANGUAGES) == ()
        assert value_of(kind, IRI, b"", "status") is None


def test_a_strangers_payload_is_read_as_far_as_it_goes() -> None:
    assert row_facts("practice", IRI, b"", "en", LANGUAGES) == ()
    odd = f'<{IRI}> <http://www.w3.org/ns/adms#status> "no such code" .\n'.encode()
    assert value_of("challenge", IRI, odd, "status") is None
    assert value_of("challenge", IRI, payload("challenge", status="judging"), "status") == "judging"
