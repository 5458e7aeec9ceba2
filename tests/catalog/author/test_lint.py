"""Laws of lint: what a reader elsewhere will miss is named at its place, and what must not be published is an error."""

from collections.abc import Sequence
from typing import Any

import pytest

from node.catalog.author import lint
from node.catalog.author.texts import leaves, read
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.checking import Problem
from node.vocab.kinds.writing import payload_of

PRACTICE = TABLES["practice"]
BASE = "https://helsinki.example"
LONG = "Four inland yards melt the snow in basins; sand and litter stay behind and are taken away each spring."


def look(said: dict[str, Any], *, is_public: bool = True, base_url: str = BASE) -> dict[tuple[str, str], Problem]:
    """Give the problems of a practice by place and code."""
    texts = list(leaves(PRACTICE, said))
    found = lint.look(PRACTICE, said, texts, today="2026-11-22", base_url=base_url, is_public=is_public)
    return {(each.pointer, each.code): each for each in found}


def whole(**more: Any) -> dict[str, Any]:
    """A practice that lint has nothing to say of, but for what a test adds."""
    said = example_of(PRACTICE)
    for field in PRACTICE.fields:
        if field.form == "markdown" and field.need != "may":
            said[field.name] = {"en": LONG, "fi": LONG}
    return said | more


def test_a_whole_practice_has_nothing_to_mend() -> None:
    assert look(whole()) == {}


@pytest.mark.parametrize("name", [each.name for each in PRACTICE.fields if each.need == "should"])
def test_what_should_be_said_is_named_with_what_to_write(name: str) -> None:
    said = whole()
    del said[name]
    problem = look(said)[f"/{name}", "recommended"]
    field = PRACTICE.field(name)
    assert field
    assert problem.level == "warning"
    assert field.hint["en"] in problem.message


def test_what_should_be_said_of_each_result_is_named_at_that_result() -> None:
    said = whole(evidence=[*whole()["evidence"], {"indicator": {"en": "Noise", "fi": "Melu"}, "value": "3"}])
    assert ("/evidence/1/unit", "recommended") in look(said)
    assert ("/evidence/0/unit", "recommended") not in look(said)


WARNED: list[tuple[dict[str, Any], str, str]] = [
    ({"approach": {"en": LONG}}, "/approach", "untranslated"),
    ({"approach": {"en": "See [the report](https://a.example/r) and https://b.example"}}, "/approach/en", "links-only"),
    ({"approach": {"en": "We did it."}}, "/approach/en", "short-text"),
    ({"evidence": [{"indicator": {"en": "Less noise"}}]}, "/evidence", "no-numbers"),
    ({"review": "2026-11-21"}, "/review", "review-due"),
    ({"review": "2025"}, "/review", "review-due"),
    ({"issued": "2026-12"}, "/issued", "in-the-future"),
    ({"summary": {"en": "x" * 161, "fi": "y"}}, "/summary/en", "long-summary"),
    ({"summary": {"en": "The HSY of the HSL", "fi": "y"}}, "/summary/en", "short-form"),
    ({"approach": {"en": f"{LONG} [plan](plan.pdf)"}}, "/approach/en", "relative-link"),
    ({"approach": {"en": f"{LONG} ![](https://a.example/p.png)"}}, "/approach/en", "no-alternative"),
    ({"approach": {"en": f"{LONG} <b>bold</b>"}}, "/approach/en", "html"),
    ({"approach": {"en": f"<div>\n{LONG}\n</div>"}}, "/approach/en", "html"),
    ({"approach": {"en": f"{LONG} Call 040 123 4567."}}, "/approach/en", "personal-number"),
    ({"approach": {"en": f"{LONG} Ask maija.meri@city.example."}}, "/approach/en", "personal-mailbox"),
    ({"keywords": [{"en": "school, street, walking"}]}, "/keywords/0", "one-of-many"),
    ({"evidence": [{"indicator": {"en": "Loads"}, "value": "3"}]}, "/evidence/0", "untranslated"),
]


@pytest.mark.parametrize(("more", "place", "code"), WARNED)
def test_what_a_reader_elsewhere_will_miss_is_a_warning(more: dict[str, Any], place: str, code: str) -> None:
    assert look(whole(**more))[place, code].level == "warning"


NOT_WARNED: list[dict[str, Any]] = [
    {"review": "2026-11-22"},
    {"review": "2026-11"},
    {"review": "2026"},
    {"approach": {"en": f"{LONG} ![a yard](https://a.example/p.png)", "fi": LONG}},
    {"approach": {"en": f"{LONG} <https://a.example> and 3 < 4", "fi": LONG}},
    {"approach": {"en": f"{LONG} `<b>` is code", "fi": LONG}},
    {"summary": {"en": "Maps in PDF", "fi": "y"}},
    {"approach": {"en": f"{LONG} Ask climate.unit@city.example.", "fi": LONG}},
    {"keywords": [{"en": "snow"}, {"en": "ice, and what becomes of it"}]},
    {"partners": [{"name": {"en": "Example Harbour Company"}}]},  # a name is the same in all languages
]


@pytest.mark.parametrize("more", NOT_WARNED)
def test_what_is_right_is_left_alone(more: dict[str, Any]) -> None:
    assert look(whole(**more)) == {}


def only_in(language: str) -> dict[str, Any]:
    def one(value: Any) -> Any:
        if isinstance(value, dict):
            texts = set(value) <= {"en", "fi"}
            return (
                {language: next(iter(value.values()))} if texts else {name: one(each) for name, each in value.items()}
            )
        return [one(each) for each in value] if isinstance(value, list) else value

    return {name: one(value) for name, value in whole().items()}


def test_one_language_that_few_elsewhere_read_is_named() -> None:
    assert ("/title", "one-language") in look(only_in("fi"))
    assert look(only_in("en")) == {}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"approach": {"en": f"{LONG} <script>alert(1)</script>"}}, "/approach/en", "script"),
    ({"approach": {"en": f"{LONG} <img src=x onerror=alert(1)>"}}, "/approach/en", "script"),
    ({"title": {"en": "<iframe src=https://a.example>", "fi": "y"}}, "/title/en", "script"),
    ({"approach": {"en": f"{LONG} http://10.0.0.7/plan"}}, "/approach/en", "private-link"),
    ({"approach": {"en": f"{LONG} [x](http://intranet.local/)"}}, "/approach/en", "private-link"),
    ({"approach": {"en": f"{LONG} ![x](https://localhost:8080/p.png)"}}, "/approach/en", "private-link"),
    ({"code": "http://192.168.1.1/git"}, "/code", "private-link"),
    ({"code": "http://intranet/d"}, "/code", "private-link"),
    ({"approach": {"en": f"{LONG} http://intranet./d"}}, "/approach/en", "private-link"),
    ({"uses": ["https://a.example/x", "http://[::1]/"]}, "/uses/1", "private-link"),
    ({"approach": {"en": f"{LONG} http://[::1]/d"}}, "/approach/en", "private-link"),
    ({"approach": {"en": f"{LONG} [x](http://①②⑦.0.0.1/)"}}, "/approach/en", "private-link"),
    ({"approach": {"en": f"{LONG} [x](//local\u00adhost/d)"}}, "/approach/en", "private-link"),
    ({"approach": {"en": f"{LONG} [x](http://[::g]/d)"}}, "/approach/en", "private-link"),
    ({"code": "http://nas.lan/git"}, "/code", "private-link"),
    ({"code": "http://git.corp/d"}, "/code", "private-link"),
    ({"code": "http://nas.home.arpa/d"}, "/code", "private-link"),
    ({"approach": {"en": f"{LONG} Code 131052-308T."}}, "/approach/en", "personal-data"),
]


@pytest.mark.parametrize(("more", "place", "code"), REFUSED)
def test_what_must_not_be_published_is_an_error(more: dict[str, Any], place: str, code: str) -> None:
    assert look(whole(**more))[place, code].level == "error"


def test_a_private_node_may_link_its_neighbours() -> None:
    assert look(whole(code="http://192.168.1.1/git"), base_url="http://127.0.0.1:8001") == {}
    assert look(whole(code="http://intranet/d"), base_url="http://helsinki") == {}
    assert look(whole(code="https://[2001:4860:4860::8888]/d")) == {}


def test_what_is_missing_is_called_as_it_is_in_the_file() -> None:
    said = {name: value for name, value in only_in("fi").items() if name != "what_failed"}
    message = look(said)["/what_failed", "recommended"].message
    field = PRACTICE.field("what_failed")
    assert field
    assert message == f"Missing: {field.label['fi']} ({field.label['en']}). {field.hint['en']}"
    assert look({name: value for name, value in whole().items() if name != "what_failed"})[
        "/what_failed", "recommended"
    ].message.startswith(f"Missing: {field.label['en']}. ")


def test_a_group_that_stands_in_fewer_languages_names_what_of_it_does() -> None:
    evidence = [{"indicator": {"en": "Loads", "fi": "Kuormia"}, "value": "3", "unit": {"en": "loads"}}]
    message = look(whole(evidence=evidence))["/evidence/0", "untranslated"].message
    assert message == "Not in fi, in which there is a title: Unit."


def test_a_challenge_that_is_open_after_its_last_day_is_named() -> None:
    table = TABLES["challenge"]

    def codes(**more: Any) -> set[tuple[str, str]]:
        said = example_of(table) | more
        found = lint.look(table, said, leaves(table, said), today="2026-11-22", base_url=BASE, is_public=True)
        return {(each.pointer, each.code) for each in found if each.pointer == "/closes"}

    assert codes(status="open", closes="2026-11-21") == {("/closes", "closed")}
    assert codes(status="open", closes="2026-11-22") == codes(status="open", closes="2026-11") == set()
    assert codes(status="decided", closes="2026-11-21") == set()


def test_what_is_wrong_is_left_out_and_the_rest_keeps_its_place() -> None:
    said = {
        "status": "odd",
        "evidence": [{"value": "many", "unit": {"en": "u"}}, 7, {"value": "3"}],
        "title": {"en": "T"},
    }
    wrong = [Problem(place, "x", "") for place in ("/status", "/evidence/0/value", "/evidence/1")]
    assert lint.right_in(said, wrong) == {"evidence": [{"unit": {"en": "u"}}], "title": {"en": "T"}}
    assert [
        lint.touches(place, wrong) for place in ("/status", "/evidence", "/evidence/0/value/x", "/evidence/0/unit")
    ] == [
        True,
        True,
        True,
        False,
    ]


def test_who_a_person_is_stays_among_those_who_may_know() -> None:
    said = whole(approach={"en": f"{LONG} Code 131052-308T.", "fi": LONG})
    problem = look(said, is_public=False)["/approach/en", "personal-data"]
    assert problem.level == "warning"
    assert "131052" not in problem.message


@pytest.mark.parametrize(
    ("contact", "personal"),
    [
        ({"name": {"en": "Data team"}, "email": "data@city.example"}, False),
        ({"name": {"en": "Data team"}, "email": "maija.meri@city.example"}, True),
        ({"name": {"en": "Maija Meri"}, "email": "m.meri@city.example"}, True),
    ],
)
def test_a_contact_that_is_a_person_is_named(contact: dict[str, Any], personal: bool) -> None:
    payload = payload_of(PRACTICE, f"{BASE}/practices/x", whole(contact=contact))
    found: Sequence[Problem] = list(lint.contacts(f"{BASE}/practices/x", payload))
    assert [each.code for each in found] == (["personal-contact"] if personal else [])


def test_a_text_without_marks_is_not_parsed_and_one_with_them_is_read_as_it_will_be_shown() -> None:
    assert read("one two").words == 2
    found = read('a [b c](https://x.example "t") ![d](y.png)\n\n> e <i>f</i>\n\n    <code>\n')
    assert found.links == ("https://x.example", "y.png")
    assert found.silent == ()
    assert found.html == ("<i>", "</i>")
    assert found.words == 4  # a, e, f, code
