"""Laws of the pages of knowledge: what a table declares is shown, in the best language, and marked where it is not."""

from collections.abc import Iterator
from typing import Any

import pytest

from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.reading import said_in
from node.vocab.kinds.writing import payload_of
from node.vocab.ntriples import triples_of
from node.web.records import knowledge_values
from node.web.records.knowledge_values import Cell, Prose, Values, figure, short_link
from node.web.records.knowledge_view import KnowledgeView, view_of
from node.web.records.touching import Touched
from node.web.records.view import look
from node.web.wording.graph import Described
from node.web.wording.text import Said

BASE = "http://127.0.0.1:8001"
IRI = f"{BASE}/practices/one"
LANGUAGES = ("en", "fi", "sv")
PRACTICE = TABLES["practice"]


def view(table: KindTable, said: dict[str, Any], reader: str = "en", **targets: Touched) -> KnowledgeView:
    read = said_in(table, IRI, payload_of(table, IRI, said))
    return view_of(table, read, Values(reader, LANGUAGES, {each.iri: each for each in targets.values()}))


def words(view: KnowledgeView) -> Iterator[str]:
    """Everything that a page says, labels apart."""
    for fact in (*view.card, *view.facts, *(one for section in view.sections for one in section.facts)):
        for cell in fact.cells:
            yield from of_cell(cell)
    for cell in view.door.cells if view.door else ():
        yield from of_cell(cell)
    yield from (view.title.text, view.lead.text)
    for block in (block for section in view.sections for block in section.blocks):
        yield from of_prose(block.prose)
        for cell in (*block.cells, *(cell for row in block.rows for cells in row for cell in cells)):
            yield from of_cell(cell)
        for entry in block.entries:
            yield from of_cell(entry.title) if entry.title else ()
            for fact in entry.facts:
                for cell in fact.cells:
                    yield from of_cell(cell)
            for _, prose in entry.texts:
                yield from of_prose(prose)


def of_cell(cell: Cell) -> Iterator[str]:
    yield from (cell.said.text, cell.link)
    for _, note in cell.notes:
        yield from of_cell(note)


def of_prose(prose: Prose | None) -> Iterator[str]:
    yield from (prose.html.striptags(), str(prose.machine_html)) if prose else ()


def distinct(fields: tuple[Field, ...], before: str = "") -> dict[str, Any]:
    """A value of its own for every text of a table, at any depth."""
    made: dict[str, Any] = {}
    for field in fields:
        name = f"{before}{field.name}".replace("_", "")
        if field.form == "group":
            value: Any = distinct(field.fields, name)
        elif field.by_language:
            value = {"en": f"word{name}"}
        elif field.form == "plain":
            value = f"word{name}"
        elif field.form == "link":
            value = f"https://a.example/word{name}"
        else:
            continue
        made[field.name] = [value] if field.many else value
    return made


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_every_text_and_link_of_a_table_is_on_its_page(table: KindTable) -> None:
    said = distinct(table.fields)
    shown = " ".join(words(view(table, said)))
    lost = [each for each in _leaves(said) if each.removeprefix("https://") not in shown]
    assert lost == []


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _leaves(each)


@pytest.mark.parametrize("reader", LANGUAGES)
@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_examples_are_shown_in_every_language_without_a_code_or_an_empty_part(table: KindTable, reader: str) -> None:
    made = view(table, example_of(table), reader)
    assert made.title
    assert made.plural == table.plural[reader]
    for section in made.sections:
        assert section.blocks or section.facts
    shown = list(words(made))
    # The labels of codes and no codes; what has no label would be the end of an IRI of ours.
    assert not [each for each in shown if each.startswith("https://w3id.org/citynode")]


def test_a_text_in_another_language_is_marked_and_a_machine_comes_second() -> None:
    said = example_of(PRACTICE) | {
        "title": {"nl": "Titel", "en-t-nl": "Title"},
        "problem": {"nl": "Het **probleem**", "en-t-nl": "The *problem*"},
        "keywords": [{"en": "snow"}, {"en": "ice"}, {"fi": "lumi"}],
    }
    made = view(PRACTICE, said)
    assert made.title == Said("Titel", "nl", foreign=True, machine=False)
    assert made.languages == (("nl", False), ("en", True))
    problem = next(block.prose for section in made.sections for block in section.blocks if block.name == "problem")
    assert problem is not None
    assert (problem.said.lang, problem.html) == ("nl", "<p>Het <strong>probleem</strong></p>")
    assert (problem.machine.tag, problem.machine_html) == ("en-t-nl", "<p>The <em>problem</em></p>")
    keywords = next(fact for fact in made.facts if fact.label == "Keywords")
    assert [cell.said.text for cell in keywords.cells] == ["ice", "snow"]


def test_a_link_to_a_record_is_that_record_and_one_that_is_not_here_its_address() -> None:
    here, there = "https://a.example/datasets/1", "https://b.example/datasets/2"
    known = Touched(here, "London", Said("Trees of London"), address="/records?iri=x")
    made = view(PRACTICE, example_of(PRACTICE) | {"uses": [here, there]}, known=known)
    uses = next(block for section in made.sections for block in section.blocks if block.name == "uses")
    assert uses.form == "records"
    assert [cell.record for cell in uses.cells] == [known, None]


def test_results_are_a_table_whose_numbers_are_the_readers() -> None:
    evidence = [
        {"indicator": {"en": "Loads"}, "before": "70000", "value": "1250.5", "unit": {"en": "a year"}},
        {"indicator": {"en": "Cost"}, "value": "-3"},
    ]
    made = view(PRACTICE, example_of(PRACTICE) | {"evidence": evidence}, "fi")
    table = next(block for section in made.sections for block in section.blocks if block.name == "evidence")
    assert [number for _, number in table.heads] == [False, True, True, False]
    assert [[cell.said.text for cells in row for cell in cells] for row in table.rows] == [
        ["Loads", "70\u202f000", "1\u202f250,5", "a year"],
        ["Cost", "-3"],
    ]


def test_a_button_is_called_as_its_table_says_and_stands_for_the_fact() -> None:
    made = view(TABLES["challenge"], example_of(TABLES["challenge"]), "sv")
    assert made.door is not None
    assert (made.door.label, made.door.cells[0].link) == ("Delta", "https://city.example/challenges/snow")
    assert "Delta" not in [fact.label for fact in (*made.card, *made.facts)]


def test_what_somebody_else_made_is_theirs_in_the_head_and_the_credit_line() -> None:
    table = TABLES["reuse"]
    iri = f"{BASE}/reuses/one"
    payload = payload_of(table, iri, example_of(table) | {"modified": "2026-11-22"})
    made = view_of(table, said_in(table, iri, payload), Values("en", LANGUAGES, {}))
    shown = made.over(look(Described(triples_of(payload), iri, "en", LANGUAGES)))
    assert shown.publisher.text == "Snow Watch Association"
    assert shown.credit == "An example, Snow Watch Association, 22 Nov 2026, CC BY 4.0"


def test_a_name_is_no_text_in_a_language_and_has_no_mark() -> None:
    said = example_of(PRACTICE) | {"publisher": {"name": {"fi": "Turku"}}, "contact": {"name": {"fi": "Lumitiimi"}}}
    cells = [cell for fact in view(PRACTICE, said).facts for cell in fact.cells if cell.said.tag == "fi"]
    assert [(cell.said.text, cell.said.lang, cell.said.mark("en")) for cell in cells] == [
        ("Turku", "fi", ""),
        ("Lumitiimi", "fi", ""),
    ]


def test_a_model_tells_in_plain_words_where_it_lies_and_many_names_stand_in_the_text() -> None:
    table = TABLES["city-model"]
    names = [f"name_{number}" for number in range(9)]
    made = view(table, example_of(table) | {"attributes": names}, "sv")
    facts = {fact.label: fact.cells for section in made.sections for fact in section.facts}
    assert facts["Nedre hörn (EPSG:3879)"][0].said.text == "x 25\u202f496\u202f000,0; y 6\u202f672\u202f000,0; z 0,0"
    assert "60.16\N{EN DASH}60.17° N, 24.93\N{EN DASH}24.95° E" in list(words(made))
    (block,) = [block for section in made.sections for block in section.blocks if block.name == "attributes"]
    assert (block.form, [cell.said.text for cell in block.cells]) == ("words", names)


def test_the_rest_of_a_very_long_record_is_not_read_as_markdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge_values, "MARKDOWN_BUDGET", 10)
    values = Values("en", LANGUAGES, {})
    first, second = values.prose({"en": "*12345*"}, 3), values.prose({"en": "*67890*"}, 3)
    assert first is not None
    assert second is not None
    assert (first.html, second.html) == ("<p><em>12345</em></p>", "*67890*")


def test_what_a_peer_wrote_wrongly_breaks_no_page() -> None:
    lines = [f'<{IRI}> <{field.term}> "<b>" .\n<{IRI}> <{field.term}> <{IRI}> .\n' for field in PRACTICE.fields]
    read = said_in(PRACTICE, IRI, "".join(lines).encode())
    assert view_of(PRACTICE, read, Values("en", LANGUAGES, {})).plural == "Practices"


@pytest.mark.parametrize(
    ("value", "reader", "shown"),
    [("1234567.50", "en", "1,234,567.50"), ("-12.5", "sv", "-12,5"), ("many", "en", "many"), ("0", "fi", "0")],
)
def test_a_number_is_written_as_the_reader_does(value: str, reader: str, shown: str) -> None:
    assert figure(value, reader) == shown


@pytest.mark.parametrize(
    ("iri", "shown"),
    [
        ("https://a.example/b%20c/?q=1", "a.example/b c"),
        ("http://www.opengis.net/def/crs/EPSG/0/3879", "EPSG:3879"),
        (f"https://a.example/{'x' * 100}/end", f"a.example/{'x' * 30}…{'x' * 12}/end"),
        ("https://[", "https://["),
    ],
)
def test_a_web_address_is_said_in_short(iri: str, shown: str) -> None:
    assert short_link(iri) == shown
