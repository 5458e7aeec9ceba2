"""The engine of kinds: what is written is read back, what cannot be written is named by its place, nothing raises."""

import copy
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.vocab.kinds import TABLES, common, example_of
from node.vocab.kinds.checking import check, is_date, is_language, is_link, is_missing
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.reading import links_in, said_in
from node.vocab.kinds.writing import payload_of, tidy
from node.vocab.terms import CN, DCT, PROV, SCHEMA

NAME = {"en": "N", "fi": "N", "sv": "N"}
RECORD = "https://city.example/practices/x"


def field(name: str, term: str, form: Any, **more: Any) -> Field:
    return Field(name=name, term=term, form=form, label=NAME, hint=NAME, **more)


RESULT = (field("value", SCHEMA.value, "number"), field("on", DCT.date, "date"), field("flag", SCHEMA.status, "flag"))
EVIDENCE = field("evidence", PROV.value, "group", fields=RESULT, many=True, most=3)
USED = field("used", PROV.used, "link", to=("dataset",), many=True)
TABLE = KindTable(
    kind="practice",
    cls=CN.Practice,
    title=NAME,
    plural=NAME,
    about=NAME,
    command="practices",
    collection="practices",
    fields=(*common.HEAD, EVIDENCE, USED, field("body", SCHEMA.text, "markdown"), *common.TAIL),
)
GOOD: dict[str, Any] = {
    **example_of(TABLE),
    "evidence": [{"value": "2.5", "on": "2026"}, {"value": "-1", "flag": False}],
    "used": ["https://a.example/1", "https://b.example/2"],
    "body": {"en": "Line\n\n**two** \\ \"q\" \u2028 end", "sv-t-en": "Rad"},
    "keywords": [{"en": "parking"}, {"fi": "pysäköinti"}],
    "place": ["https://place.example/1"],
    "personal_data": ["none"],
}  # fmt: skip


def pointers(said: Any) -> list[tuple[str, str]]:
    return [(each.pointer, each.code) for each in check(TABLE, said)]


def test_what_is_written_is_read_back() -> None:
    assert check(TABLE, GOOD) == ()
    assert said_in(TABLE, RECORD, payload_of(TABLE, RECORD, GOOD)) == GOOD


def test_a_payload_is_sorted_and_has_no_blank_nodes() -> None:
    payload = payload_of(TABLE, RECORD, GOOD)
    lines = payload.decode().split("\n")[:-1]
    assert lines == sorted(set(lines))
    assert payload.endswith(b" .\n")
    assert not any("_:" in line.partition('"')[0] for line in lines)


def test_links_to_records_are_told_with_their_fields() -> None:
    assert list(links_in(TABLE, GOOD)) == [("used", "https://a.example/1"), ("used", "https://b.example/2")]


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (("title",), None, ("/title", "missing")),
        (("title",), {"en": "  "}, ("/title", "missing")),
        (("title",), {"en": "\u200b", "fi": "\u2060 \ufeff"}, ("/title", "missing")),
        (("title",), "plain", ("/title", "wrong-value")),
        (("title",), {"xx": "a"}, ("/title/xx", "unknown-language")),
        (("title",), {"en": 1}, ("/title/en", "wrong-value")),
        (("title",), {"en": "a\x00"}, ("/title/en", "control-character")),
        (("title",), {"en": "a" * 2_001}, ("/title/en", "too-long")),
        (("body",), {"en": "a" * 100_001}, ("/body/en", "too-long")),
        (("evidence",), [{}] * 4, ("/evidence", "too-many")),
        (("evidence",), {"value": "1"}, ("/evidence", "wrong-value")),
        (("evidence", 0), "text", ("/evidence/0", "wrong-value")),
        (("evidence", 0, "value"), "1e400", ("/evidence/0/value", "wrong-value")),
        (("evidence", 0, "value"), "9" * 31, ("/evidence/0/value", "wrong-value")),
        (("evidence", 0, "on"), "2026-02-30", ("/evidence/0/on", "wrong-value")),
        (("evidence", 1, "flag"), "yes", ("/evidence/1/flag", "wrong-value")),
        (("used", 1), "javascript:alert(1)", ("/used/1", "wrong-value")),
        (("used", 1), "https://u:p@a.example/", ("/used/1", "wrong-value")),
        (("license",), "no such", ("/license", "unknown-code")),
        (("personal_data", 0), "some", ("/personal_data/0", "unknown-code")),
        (("contact", "email"), "a b@c.example", ("/contact/email", "wrong-value")),
        (("titel",), "x", ("/titel", "unknown-field")),
        (("a/b~c",), "x", ("/a~1b~0c", "unknown-field")),
    ],
)
def test_what_cannot_be_written_is_named_by_its_place(place: tuple[Any, ...], value: Any, expected: Any) -> None:
    said = copy.deepcopy(GOOD)
    inner: Any = said
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    assert pointers(said) == [expected]


def test_a_near_miss_of_a_fields_name_is_answered_with_the_name() -> None:
    assert "Did you mean title?" in check(TABLE, {**GOOD, "titel": 1})[0].message


def test_loose_input_becomes_tidy() -> None:
    loose = {
        "title": "Hello",
        "publisher": "City of X",
        "license": "CC BY 4.0",
        "theme": "TRAN",
        "review": date(2026, 1, 2),
        "evidence": {"value": 2, "on": 2026},
        "keywords": ["a", "b"],
        "contact": {"name": "Team", "url": ""},
        "summary": {False: "Hei"},
        "languages": None,
    }
    assert tidy(TABLE, loose, "fi") == {
        "title": {"fi": "Hello"},
        "publisher": {"name": {"fi": "City of X"}},
        "license": "CC_BY_4_0",
        "theme": ["TRAN"],
        "review": "2026-01-02",
        "evidence": [{"value": "2", "on": "2026"}],
        "keywords": [{"fi": "a"}, {"fi": "b"}],
        "contact": {"name": {"fi": "Team"}},
        "summary": {"no": "Hei"},
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["en", "xx", "name", "value"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from([each.name for each in TABLE.fields] + ["other"]), JSON, max_size=4))
def test_whatever_a_stranger_says_is_tidied_and_checked(raw: dict[str, Any]) -> None:
    said = tidy(TABLE, raw, "en")
    if not check(TABLE, {**GOOD, **said}):
        whole = {key: value for key, value in {**GOOD, **said}.items() if not is_missing(value)}
        payload = payload_of(TABLE, RECORD, whole)
        assert payload_of(TABLE, RECORD, said_in(TABLE, RECORD, payload)) == payload


def test_what_a_peer_wrote_wrongly_is_passed_over() -> None:
    lines = [
        f'<{RECORD}> <{DCT.title}> "T"@en .',
        f"<{RECORD}> <{DCT.title}> <https://a.example/> .",
        f'<{RECORD}> <{DCT.valid}> "soon" .',
        f'<{RECORD}> <{PROV.used}> "text" .',
        f"<{RECORD}> <{PROV.used}> <javascript:x> .",
        f"<{RECORD}> <{PROV.value}> <{RECORD}> .",
        f'<{RECORD}> <{DCT.license}> "mine" .',
        f"<{RECORD}> <{DCT.language}> <https://a.example/klingon> .",
    ]
    assert said_in(TABLE, RECORD, ("\n".join(sorted(lines)) + "\n").encode()) == {"title": {"en": "T"}}


def test_dates_languages_and_links_are_what_they_are() -> None:
    assert [text for text in ("2026", "2026-11", "2024-02-29") if not is_date(text)] == []
    assert [text for text in ("26", "2026-13", "2023-02-29", "2026-1", "0000", "２０２６") if is_date(text)] == []
    assert [tag for tag in ("en", "en-gb", "fi-t-en") if not is_language(tag)] == []
    assert [tag for tag in ("english", "xx", "", "en-t-xx", "e") if is_language(tag)] == []
    assert [link for link in ("https://a.example", "http://a.example:80/ä?q#f") if not is_link(link)] == []
    assert [
        link
        for link in ("//a", "ftp://a", "https://", "https://a:99999/", "https://a:0/", "https://a b/")
        if is_link(link)
    ] == []


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_reads_back_its_own_example(table: KindTable) -> None:
    said = example_of(table)
    assert check(table, said) == ()
    assert said_in(table, RECORD, payload_of(table, RECORD, said)) == said


def every_group(fields: tuple[Field, ...]) -> list[tuple[Field, ...]]:
    return [fields, *(group for each in fields if each.fields for group in every_group(each.fields))]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_keeps_the_rules_of_tables(table: KindTable) -> None:
    for fields in every_group(table.fields):
        assert len({each.term for each in fields}) == len(fields), "two fields of one term cannot be told apart"
        assert len({each.name for each in fields}) == len(fields)
    for each in (one for fields in every_group(table.fields) for one in fields):
        assert bool(each.reason) == (each.term in CN), each.name
        assert set(each.label) == set(each.hint) == {"en", "fi", "sv"}, each.name
        assert (each.form == "group") == bool(each.fields), each.name
        assert (each.form == "code") == (each.codes is not None), each.name
        assert each.need == "may" or each.example is not None or each.form == "group", each.name
        assert not each.section or each.section in table.sections, each.name
    assert bool(table.reason) == (table.cls in CN)
