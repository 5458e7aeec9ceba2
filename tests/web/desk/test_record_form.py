"""Laws of the form of a description: what is shown comes back as it was, and what is not shown stays."""

import re
from typing import Any

import pytest

from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.checking import Problem, missing_words
from node.web.desk.lint_said import told
from node.web.desk.record_form import (
    Input,
    Look,
    Sent,
    gaps_in,
    has_any,
    input_at,
    languages_of,
    number_in,
    parts_of,
    read,
)

TABLE = TABLES["practice"]
SAID = example_of(TABLE)


def sent_of(inputs: tuple[Input, ...]) -> dict[str, list[str]]:
    """Send what stands in the form, as a browser would."""
    fields: dict[str, list[str]] = {}
    for one in inputs:
        if one.parts or one.shape in ("group", "groups"):
            fields[f"{one.name}?"] = [str(len(one.parts))]
            fields |= sent_of(one.parts)
        elif one.language:
            fields[one.name] = [one.value]
        else:
            fields[f"{one.name}?"], fields[one.name] = ["1"], list(one.values)
    return fields


def shown(said: dict[str, Any], language: str = "en") -> dict[str, list[str]]:
    return sent_of(tuple(one for part in parts_of(TABLE, said, Look("en", language)) for one in part.inputs))


@pytest.mark.parametrize("kind", list(TABLES))
@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_what_is_shown_comes_back_as_it_was(kind: str, language: str) -> None:
    table = TABLES[kind]
    said = example_of(table)
    parts = parts_of(table, said, Look("fi", language))
    fields = sent_of(tuple(one for part in parts for one in part.inputs))
    assert read(table, Sent(fields, language, "en"), said) == said


def test_what_the_form_did_not_show_stays() -> None:
    only = {"/title/en": ["Another title"]}
    assert read(TABLE, Sent(only, "en", "en"), SAID) == {**SAID, "title": {**SAID["title"], "en": "Another title"}}
    assert read(TABLE, Sent({}, "en", "en"), {"odd": 1, **SAID}) == {"odd": 1, **SAID}


def test_an_emptied_field_is_gone_and_unticked_boxes_too() -> None:
    fields = shown(SAID) | {"/summary/en": [" "], "/theme": [], "/status": [""]}
    made = read(TABLE, Sent(fields, "en", "en"), SAID)
    assert made["summary"] == {"fi": SAID["summary"]["fi"]}
    assert "theme" not in made
    assert "status" not in made


def test_a_group_is_taken_out_where_the_button_says_and_the_others_keep_what_the_form_did_not_show() -> None:
    said = {"evidence": [{"indicator": {"en": name, "sv": f"{name} på svenska"}} for name in "abc"]}
    made = read(TABLE, Sent(shown(said), "en", "en", "remove:/evidence/1"), said)
    assert made["evidence"] == [said["evidence"][0], said["evidence"][2]]
    made = read(TABLE, Sent(shown(said), "en", "en", "add:/evidence"), said)
    assert made["evidence"] == [*said["evidence"], {}]


def test_words_for_a_link_are_taken_over_by_the_record_that_was_picked() -> None:
    said = {"uses": ["https://a.example/1", "street trees"]}
    made = read(TABLE, Sent(shown(said), "en", "en", "take:/uses https://a.example/2"), said)
    assert made["uses"] == ["https://a.example/1", "https://a.example/2"]


def test_a_text_without_a_language_is_of_the_one_in_which_it_was_seen() -> None:
    said = {"title": {"und": "Snow"}}
    assert shown(said)["/title/en"] == ["Snow"]
    assert read(TABLE, Sent(shown(said), "en", "en"), said)["title"] == {"en": "Snow"}


def test_keywords_are_lines_of_their_language() -> None:
    said = {"keywords": [{"fi": "lumi"}, {"en": "snow"}]}
    fields = shown(said) | {"/keywords/en": ["snow\r\n\r\n winter \nsnow"]}
    assert read(TABLE, Sent(fields, "en", "en"), said)["keywords"] == [{"fi": "lumi"}, {"en": "snow"}, {"en": "winter"}]


@pytest.mark.parametrize(
    ("text", "reader", "number"),
    [
        ("3,400", "en", "3400"),
        ("3 400,5", "fi", "3400.5"),
        ("3\u00a0400,5", "sv", "3400.5"),
        ("\u22122", "en", "-2"),
        ("about 3", "en", "about 3"),
        ("1e9", "en", "1e9"),
    ],
)
def test_numbers_are_read_as_people_of_the_language_write_them(text: str, reader: str, number: str) -> None:
    assert number_in(text, reader) == number


def test_a_code_may_be_written_by_its_name_and_an_unknown_one_stays_for_lint() -> None:
    fields = {"/license?": ["1"], "/license": ["Creative Commons Attribution 4.0 International"]}
    assert read(TABLE, Sent(fields, "en", "en"), {}) == {"license": "CC_BY_4_0"}
    assert read(TABLE, Sent(fields | {"/license": ["Mine"]}, "en", "en"), {}) == {"license": "Mine"}


def test_lint_stands_beside_its_field_and_in_no_other_language() -> None:
    problems = (
        Problem("/title/fi", "too-long", "Too long."),
        Problem("/evidence/0/value", "wrong-value", "Write a number."),
        Problem("/evidence", "no-numbers", "Give one.", "warning"),
    )
    parts = parts_of(TABLE, SAID, Look("en", "en", problems))
    levels = {
        name: one.level
        for name in ("/title/en", "/evidence", "/evidence/0/value", "/evidence/0/indicator/en")
        if (one := input_at(parts, name)) is not None
    }
    assert levels == {
        "/title/en": "",
        "/evidence": "advised",
        "/evidence/0/value": "flawed",
        "/evidence/0/indicator/en": "",
    }
    assert [part.key for part in parts if part.flawed] == ["results"]
    finnish = parts_of(TABLE, SAID, Look("en", "fi", problems))
    title = input_at(finnish, "/title/fi")
    assert title is not None
    assert title.level == "flawed"


def test_lint_is_said_in_the_readers_language_with_the_way_to_its_field() -> None:
    problem = Problem("/evidence/1/indicator/fi", "too-long", "It is too long.")
    (english,) = told(TABLE, [problem], "en")
    assert (english.label, english.text, english.anchor) == (
        "Results 2 · We measured",
        "It is too long.",
        "f-evidence-1-indicator",
    )
    (swedish,) = told(TABLE, [problem], "sv")
    assert (swedish.label, swedish.language, swedish.texts) == ("Resultat 2 · Vi mätte", "sv", "fi")
    (unknown,) = told(TABLE, [Problem("", "a-new-code", "Something new.")], "sv")
    assert (unknown.text, unknown.language) == ("Something new.", "en"), "what has no words yet is marked as English"


def test_languages_are_counted_as_far_as_they_are_written() -> None:
    said = {"title": {"en": "A", "fi": "B"}, "summary": {"en": "C"}}
    assert languages_of(said, ("sv",)) == ["sv", "en", "fi"]
    assert [gaps_in(TABLE, said, code, "en") for code in ("en", "fi", "sv")] == [1, 1, 2], "a text that must be is none"
    assert gaps_in(TABLE, SAID, "en", "en") == 0, "complete"
    assert [has_any(TABLE, said, code) for code in ("en", "sv")] == [True, False]


def test_what_must_be_said_is_asked_only_where_the_node_does_not_know_it() -> None:
    parts = parts_of(TABLE, {}, Look("en", "en"))
    needs = {
        name: found.need
        for name in ("/title/en", "/publisher", "/publisher/name/en", "/contact", "/contact/name/en")
        if (found := input_at(parts, name))
    }
    assert needs["/title/en"] == "must"
    assert (needs["/publisher"], needs["/publisher/name/en"]) == ("city", "if"), "empty, it is the city's own"
    assert "must" not in {need for name, need in needs.items() if name.startswith("/contact")}


def test_a_missing_field_is_named_once() -> None:
    (works,) = [field for field in TABLE.fields if field.label["en"].endswith("?")][:1]
    problem = Problem(f"/{works.name}", "missing", missing_words(works))
    assert "?." not in problem.message
    (said,) = told(TABLE, (problem,), "en")
    assert (said.label, said.language) == (works.label["en"], "en")
    assert said.label not in said.text


@pytest.mark.parametrize("reader", ["en", "fi", "sv"])
@pytest.mark.parametrize("kind", list(TABLES))
def test_where_values_are_ticked_by_name_no_hint_asks_for_codes(kind: str, reader: str) -> None:
    table = TABLES[kind]
    for part in parts_of(table, example_of(table), Look(reader, reader, ())):
        for one in part.inputs:
            if one.shape in ("ticks", "radio", "select"):
                assert not {option.value for option in one.options} & set(re.findall(r"[A-Z_]{3,}", one.hint)), one.name
                assert one.hint


@pytest.mark.parametrize(("reader", "said"), [("fi", "alkaa https://"), ("sv", "börjar med https://")])
def test_lint_says_what_to_write_in_the_readers_language(reader: str, said: str) -> None:
    (wrong,) = told(TABLE, (Problem("/documents/0", "wrong-value", "Write a web address."),), reader)
    assert (said in wrong.text, wrong.language) == (True, reader)


def test_a_collection_that_there_is_not_is_named_as_the_field_of_the_form() -> None:
    (wrong,) = told(TABLE, (Problem("/collection", "no-collection", "There is none."),), "en")
    assert (wrong.label, wrong.texts, wrong.anchor) == ("Collection", "", "collection")
