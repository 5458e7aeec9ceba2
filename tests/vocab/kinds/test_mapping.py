"""Laws of mappings: every fault is named, nothing is guessed, what finds no place is told, and the way back holds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import Malformed, NotFound
from node.vocab.kinds import example_of
from node.vocab.kinds.checking import check
from node.vocab.kinds.field import Codes
from node.vocab.kinds.mapped_in import Left, Taken, is_for, size_of, take
from node.vocab.kinds.mapped_out import columns, give
from node.vocab.kinds.mapping import Each, Group, Leaf, builtin, builtins, read_mapping
from node.vocab.kinds.mapping import Mapping as Declared
from node.vocab.tables import key_of

HEAD = 'name = "m"\nkind = "ai-system"\nlanguage = "fi"\n'


def declared(fields: str, more: str = "") -> Declared:
    return read_mapping(f"{HEAD}{more}\n[fields]\n{fields}")


def said(fields: str, raw: dict[str, Any], more: str = "") -> dict[str, Any]:
    return take(declared(fields, more), raw).said


def left(fields: str, raw: dict[str, Any], more: str = "") -> list[tuple[str, str]]:
    return [(each.path, each.why) for each in take(declared(fields, more), raw).left]


# ---------------------------------------------------------------- the declaration


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "no TOML"),
        ('kind = "ai-system"\n[fields]\ntitle = "x"', "name is missing"),
        ('name = "m"\nkind = "ai"\n[fields]\ntitle = "x"', "kind is 'ai'"),
        (HEAD, "it has no [fields]"),
        (f'{HEAD}kye = "x"\n[fields]\ntitle = "x"', "Did you mean key?"),
        (f'{HEAD}[fields]\ntitel = "x"', "Did you mean title?"),
        (f'{HEAD}[fields]\npublisher.nam = "x"', "fields.publisher has no 'nam'"),
        (f"{HEAD}[fields]\ntitle = 3", "fields.title is 3"),
        (f'{HEAD}[fields]\npublisher = "x"', "fields.publisher is a group"),
        (f'{HEAD}[fields]\ntitle = {{ form = "x" }}', "Did you mean from?"),
        (f"{HEAD}[fields]\ntitle = {{ cut = 3 }}", "says no place"),
        (f'{HEAD}[fields]\ntitle = {{ from = "x", only = "mail" }}', "only = 'mail'"),
        (f'{HEAD}[fields]\nlaws = {{ each = "x" }}', "fields.laws is no rule"),
        (f'{HEAD}[fields]\nstatus = {{ from = "x", codes = "s" }}', "Declare them under [codes.s]"),
        (f'{HEAD}[fields]\nstatus = {{ from = "x", codes = "s" }}\n[codes.s]\nlive = ["x"]', "no code of status"),
        (f'{HEAD}dates = "ymd"\n[fields]\ntitle = "x"', "dates is 'ymd'"),
        (f'{HEAD}key = [3]\n[fields]\ntitle = "x"', "key is [3]"),
        (f'{HEAD}[where]\na = 5\n[fields]\ntitle = "x"', "where.a is 5"),
        (f'{HEAD}[languages]\nfi = [5]\n[fields]\ntitle = "x"', "languages.fi is [5]"),
        (f"{HEAD}[fields]\ntitle = {{ from = 5 }}", "fields.title.from is 5"),
        (f'{HEAD}[fields]\ntitle = ["x", 5]', "fields.title is ['x', 5]"),
        (
            f'{HEAD}[fields]\nstatus = {{ from = "x", codes = "s" }}\n[codes.s]\noperational = 5',
            "codes.s.operational is 5",
        ),
        (f'{HEAD}csv.delimiter = "ab"\n[fields]\ntitle = "x"', "csv.delimiter is 'ab'"),
        (f'{HEAD}csv.delimiter = ""\n[fields]\ntitle = "x"', "csv.delimiter is ''"),
        (f'{HEAD}csv.quote = "x"\n[fields]\ntitle = "x"', "csv has no 'quote'"),
        (f'{HEAD}html = "yes"\n[fields]\ntitle = "x"', "html is 'yes'"),
        (f'{HEAD}formats = ["xml"]\n[fields]\ntitle = "x"', "formats has 'xml'"),
        (f'{HEAD}[fields]\ntitle = "x"\n[export]\na.b = 1', "export.a is no value"),
        (f'{HEAD}[fields]\ntitle = {{ from = "x", cut = -1 }}', "fields.title.cut is -1"),
        (f'{HEAD}[fields]\ntitle = {{ from = "x", cut = true }}', "fields.title.cut is True"),
        (f'{HEAD}[fields]\ntitle = {{ from = "x", split = 3 }}', "fields.title.split is 3"),
        (f'{HEAD}[fields]\ntitle = {{ from = "x", write = "no" }}', "fields.title.write is 'no'"),
        (f'{HEAD}[fields]\ntitle = "{"x." * 50_000}x"', "fields.title has a place of 50,001 steps"),
        (f'{HEAD}[fields]\ntitle = {{ template = "{{{"x." * 50_000}x}}" }}', "a place of 50,001 steps"),
        (f'{HEAD}[fields]\nlaws = {{ each = "{"x." * 50_000}x", fields = {{}} }}', "a place of 50,001 steps"),
        (f"{HEAD}[fields]\ntitle = {'9' * 5_000}", "no TOML"),
        (f"{HEAD}[fields]\ntitle = 0x{'f' * 5_000}", "a number is too long"),
        (f"{HEAD}[fields]\ntitle = {{ always = 0x{'f' * 5_000} }}", "fields.title.always is too large"),
        (f'{HEAD}codes = "x"\n[fields]\ntitle = {{ from = "x", codes = "x" }}', "begins with [codes]"),
        ("x" * 300_000, "more than"),
    ],
)
def test_a_fault_of_a_mapping_is_named_with_its_file(text: str, words: str) -> None:
    with pytest.raises(Malformed) as found:
        read_mapping(text, file="mine.toml")
    assert "mine.toml" in str(found.value)
    assert words in str(found.value)


def test_an_unknown_mapping_is_refused_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="There are city-strategy"):
        builtin("../../../etc/passwd")


@pytest.mark.parametrize("name", builtins())
def test_every_mapping_that_comes_along_says_what_it_is_for(name: str) -> None:
    found = builtin(name)
    assert found.name == name
    assert found.title
    assert len(columns(found)) > 5


def rules_of(found: Declared) -> list[Leaf]:
    def walk(rules: Any) -> list[Leaf]:
        made: list[Leaf] = []
        for rule in rules:
            inside = rule.parts if isinstance(rule, Group) else [rule.rules] if isinstance(rule, Each) else []
            made += [rule] if isinstance(rule, Leaf) else [each for part in inside for each in walk(part)]
        return made

    return walk(found.rules)


@pytest.mark.parametrize("name", builtins())
def test_each_word_of_a_mapping_means_one_code(name: str) -> None:
    for rule in rules_of(builtin(name)):
        assert all(rule.codes[key_of(word)] == code for code, word in rule.words.items())


def test_the_standard_of_the_cities_has_all_its_words() -> None:
    words = {rule.field.name: rule.words for rule in rules_of(builtin("eurocities-0.3.1")) if rule.words}
    for name in ("status", "domain", "algorithm_type", "use_type"):
        codes = builtin("eurocities-0.3.1").table.field(name)
        assert codes
        assert isinstance(codes.codes, Codes)
        assert set(words[name]) == {each.code for each in codes.codes.codes}


# ---------------------------------------------------------------- reading


def test_texts_get_the_language_of_the_record_or_of_the_mapping() -> None:
    more = 'language_from = ["lang"]\n[languages]\nsv = ["ruotsi"]'
    assert said('title = "n"', {"n": "A"}) == {"title": {"fi": "A"}}
    for word, tag in (("ruotsi", "sv"), ("en", "en"), ("NLD", "nl"), ("Dutch", "nl"), ("gibberish", "fi")):
        assert said('title = "n"', {"n": "A", "lang": word}, more) == {"title": {tag: "A"}}
    both = 'title = [{ from = "n" }, { from = "e", language = "en" }]'
    assert said(both, {"n": "A", "e": "B"}) == {"title": {"fi": "A", "en": "B"}}


def test_what_a_machine_translated_is_marked_so() -> None:
    found = declared('title = "n"', 'language_from = ["lang"]')
    assert take(found, {"n": "A", "lang": "en"}, translated_from="nl").said == {"title": {"en-t-nl": "A"}}
    assert take(found, {"n": "A", "lang": "nl"}, translated_from="nl").said == {"title": {"nl": "A"}}
    assert check(found.table, {"title": {"en-t-nl": "A"}, "publisher": {"name": {"nl": "B"}}}) == ()


def test_a_word_that_no_code_has_is_left_out_and_named() -> None:
    fields = 'title = "n"\nstatus = { from = "s", codes = "s" }\ncapabilities = "c"'
    codes = '[codes.s]\noperational = ["In gebruik"]'
    text = f"{HEAD}[fields]\n{fields}\n{codes}"
    taken = take(read_mapping(text), {"n": "A", "s": " in  GEBRUIK ", "c": ["Profilering", "chatbot", "?"]})
    assert (taken.said["status"], taken.said["capabilities"]) == ("operational", ["profiling", "chatbot"])
    assert taken.left == [Left("c", "unknown-word")]
    taken = take(read_mapping(text), {"n": "A", "s": "kind of"})
    assert "status" not in taken.said
    assert taken.left == [Left("s", "unknown-word")]


def test_values_that_do_not_fit_are_left_out_with_the_reason() -> None:
    fields = (
        'title = "n"\nwebsite = "w"\nbegin = "b"\ncontact = { name = "n", email = "e" }\n'
        'measurements = [{ metric = "n", value = "v" }]'
    )
    raw = {"n": "A", "w": "by mail", "b": "soon", "e": "a person", "v": "many", "z": 1, "empty": " ", "no": None}
    assert left(fields, raw) == [
        ("w", "no-address"),
        ("b", "no-date"),
        ("e", "no-mail"),
        ("v", "no-number"),
        ("z", "no-field"),
    ]


@pytest.mark.parametrize("bare", [True, False, "True", "false", " TRUE "])
def test_a_bare_yes_or_no_is_no_text(bare: object) -> None:
    fields = 'title = "n"\ndata_sources = { from = "d", only = "text" }\npurpose = "p"'
    raw = {"n": "A", "d": bare, "p": bare}
    assert said(fields, raw) == {"title": {"fi": "A"}}
    assert left(fields, raw) == [("d", "no-text"), ("p", "no-text")]
    assert said(fields, {"n": "A", "p": "True to life"})["purpose"] == {"fi": "True to life"}


def test_addresses_and_dates_are_put_right_where_there_is_one_way() -> None:
    fields = 'website = "w"\nbegin = "b"\nend = "e"'
    raw = {"w": "\xa0www.city.example/a b ", "b": "2025-06-26T07:39:09Z", "e": "2020.0"}
    assert said(fields, raw) == {"website": "https://www.city.example/a%20b", "begin": "2025-06-26", "end": "2020"}
    assert said('end = "e"', {"e": "3/4/2021"}, 'dates = "dmy"') == {"end": "2021-04-03"}
    assert said('end = "e"', {"e": "3/4/2021"}, 'dates = "mdy"') == {"end": "2021-03-04"}
    assert left('end = "e"', {"e": "3/4/2021"}) == [("e", "no-date")]
    assert left('end = "e"', {"e": "31/2/2021"}, 'dates = "dmy"') == [("e", "no-date")]


def test_a_value_may_be_mail_or_address_and_goes_where_it_fits() -> None:
    fields = 'contact = { email = { from = "c", only = "email" }, url = { from = "c", only = "link" } }'
    assert said(fields, {"c": "ai@city.example"}) == {"contact": {"email": "ai@city.example"}}
    assert said(fields, {"c": "https://city.example"}) == {"contact": {"url": "https://city.example"}}
    assert left(fields, {"c": "14 010"}) == [("c", "no-address")]


def test_things_of_a_group_come_from_parts_and_from_lists() -> None:
    fields = (
        'laws = [{ name = "law" }, { each = "acts", fields = { name = "t", page = "l" } }]\n'
        'assessments = [{ type = { always = "dpia" }, page = "dpia" }, { type = { always = "audit" }, page = "a" }]'
    )
    raw = {"law": "A", "acts": [{"t": "B", "l": "https://b.example", "x": 1}, {}, "odd"], "a": "https://a.example"}
    assert said(fields, raw) == {
        "laws": [{"name": {"fi": "A"}}, {"name": {"fi": "B"}, "page": "https://b.example"}],
        "assessments": [{"type": "audit", "page": "https://a.example"}],
    }
    assert left(fields, raw) == [("acts.x", "no-field"), ("acts", "no-field")]
    cell = {"acts": json.dumps(raw["acts"][:1])}
    assert said(fields, cell) == {"laws": [{"name": {"fi": "B"}, "page": "https://b.example"}]}


def test_what_is_always_so_is_said_of_the_record_and_of_no_thing_that_is_not_there() -> None:
    fields = 'publisher.name = { always = "City" }\nlaws = [{ name = { always = "Act" }, page = "p" }]'
    assert said(fields, {}) == {"publisher": {"name": {"fi": "City"}}}
    assert said(fields, {"p": "https://a.example"})["laws"] == [{"name": {"fi": "Act"}, "page": "https://a.example"}]


def test_templates_leave_out_what_nothing_fills() -> None:
    fields = 'description = { template = "{a}[ (in {b})][ {c}]" }'
    assert said(fields, {"a": "X", "b": "Y", "c": ""}) == {"description": {"fi": "X (in Y)"}}
    assert said(fields, {"a": "X"}) == {"description": {"fi": "X"}}
    assert said(fields, {"a": ""}) == {}


def test_long_texts_are_cut_where_asked_and_named_where_not() -> None:
    text = "A sentence. " * 400
    taken = take(declared('summary = { from = "t", cut = 30 }\ndescription = "t"'), {"t": text})
    assert taken.said["summary"] == {"fi": "A sentence. A sentence."}
    assert (taken.said["description"], taken.left) == ({"fi": text.strip()}, [])
    taken = take(declared('summary = "t"'), {"t": text})
    assert len(taken.said["summary"]["fi"]) <= 2_000
    assert taken.left == [Left("t", "shortened")]


def test_parts_words_that_say_nothing_and_keys() -> None:
    more = 'parts = ["info", "use"]\nunknown = ["N.v.t."]\nkey = ["uuid", "{org} {name}"]\nignore = ["id"]'
    found = declared('title = "name"\npurpose = "goal"', more)
    raw: dict[str, Any] = {"info": {"id": 1, "name": "Päivä", "org": "City"}, "use": {"id": 2, "goal": "n.v.t."}}
    taken = take(found, raw)
    assert (taken.slug, taken.said) == ("city-paiva", {"title": {"fi": "Päivä"}})
    assert taken.left == [Left("org", "no-field")]
    raw["info"]["uuid"] = "https://city.example/register/Nice-One/?a=1"
    assert take(found, raw).slug == "nice-one"
    assert take(declared('title = "x"'), {"x": "A"}, name="File Name").slug == "file-name"


def test_only_records_of_the_kind_are_its() -> None:
    found = read_mapping(f'{HEAD}[where]\ntech = ["AI"]\n[fields]\ntitle = "n"')
    assert is_for(found, {"tech": "AI"})
    assert is_for(found, {"tech": ["x", "AI"]})
    assert not is_for(found, {"tech": "blockchain"})
    assert not is_for(found, {})
    assert size_of(found, {"n": "A", "tags": ["a", "b"], "none": ""}) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)


@settings(max_examples=20, deadline=None)
@given(value=JSON)
def test_no_record_breaks_the_reading(value: Any) -> None:
    found = builtin("nl-1.0")
    raw = dict.fromkeys((*columns(found), "extra"), value)
    taken = take(found, raw, translated_from="nl")
    assert isinstance(taken, Taken)
    assert not [
        each for each in check(found.table, taken.said) if each.code != "missing" and "/language" in each.pointer
    ]


# ---------------------------------------------------------------- the way back


@pytest.mark.parametrize("name", builtins())
def test_what_was_written_is_read_and_written_alike(name: str) -> None:
    found = builtin(name)
    first = give(found, example_of(found.table))
    taken = take(found, first)
    assert give(found, taken.said) == first
    assert taken.left == []
    assert [each for each in check(found.table, taken.said) if each.code != "missing"] == []


def test_several_things_in_one_place_become_paragraphs() -> None:
    found = builtin("eurocities-0.3.1")
    risks = [
        {"name": {"en": "One"}, "description": {"en": "First."}},
        {"description": {"en": "Second."}, "mitigation": [{"description": {"en": "a"}}, {"description": {"en": "b"}}]},
    ]
    made = give(found, {"title": {"en": "T"}, "risks": risks})
    assert made["risks"] == "**One.** First.\n\nSecond.\n\nMitigation: a; b"


def test_an_export_is_in_the_language_asked_for_or_in_one_there_is() -> None:
    found = builtin("eurocities-0.3.1")
    description = {"title": {"fi": "Kilpi", "sv-t-fi": "Skylt"}, "purpose": {"fi": "Miksi"}}
    assert (give(found, description)["lang"], give(found, description)["name"]) == ("fi", "Kilpi")
    swedish = give(found, description, language="sv")
    assert (swedish["lang"], swedish["name"], swedish["goal"]) == ("sv", "Skylt", "Miksi")


def test_a_closed_list_of_theirs_gets_no_word_of_ours() -> None:
    made = give(builtin("eurocities-0.3.1"), {"title": {"en": "T"}, "risk_level": "not-high"})
    assert "risk_category" not in made


def test_assessments_go_where_their_type_belongs() -> None:
    both = [
        {"type": "algorithm", "description": {"en": "A"}, "page": "https://a.example"},
        {"type": "dpia", "description": {"en": "D"}},
        {"type": "audit", "description": {"en": "no place"}},
    ]
    made = give(builtin("eurocities-0.3.1"), {"title": {"en": "T"}, "assessments": both})
    assert (made["AIA_description"], made["AIA_url"], made["DPIA_description"]) == ("A", "https://a.example", "D")
    assert "no place" not in str(made)


def test_the_mapping_of_the_documentation_reads_what_it_says() -> None:
    page = Path(__file__).parents[3] / "docs" / "ai-register.md"
    [text] = re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    raw = {
        "id": 7,
        "name": "Lumi",
        "text": "Aurataan. " * 30,
        "unit": "Katu",
        "contact": "katu@kaupunki.example",
        "phase": "LIVE",
        "manual": "https://a.example",
        "risks": "Jää",
        "acts": [{"title": "Laki", "link": "https://laki.example"}],
    }
    taken = take(read_mapping(text), raw)
    assert check(builtin("nl-1.0").table, taken.said) == ()
    assert (taken.slug, taken.left, taken.said["status"]) == ("7", [], "operational")
    assert taken.said["contact"] == {"name": {"fi": "Katu"}, "email": "katu@kaupunki.example"}
    assert len(taken.said["summary"]["fi"]) <= 160


@pytest.mark.parametrize("step", ["²", "٣", "9" * 5_000, "-1", "7"])
def test_a_step_that_numbers_nothing_in_a_list_finds_nothing(step: str) -> None:
    assert said(f'title = "x.{step}"', {"x": ["a", "b", "c", "d"]}) == {}


def test_an_export_that_would_write_a_value_into_a_value_is_refused() -> None:
    mapping = declared('title = "a"\ndescription = "a.b"')
    with pytest.raises(Malformed, match=r"writes a value to 'a', and another to 'a\.b'"):
        give(mapping, {"title": {"fi": "T"}, "description": {"fi": "K"}})
