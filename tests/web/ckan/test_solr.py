"""Laws of reading Solr's language: what clients send is understood, what is not supported is refused with help."""

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node.errors import Malformed
from node.web.ckan.solr import MAX_TEXT, AllOf, Clause, Not, OneOf, Range, Term, parse
from node.web.ckan.solr_time import moment

NOW = 1_795_232_400_123  # 2026-11-21T03:40:00.123Z
DAY = 86_400_000

# As ckanext-harvest, ckanext-spatial, ckanext-hierarchy, CKAN's own pages and scripts of ten years write them.
UNDERSTOOD: dict[str, Clause] = {
    "": AllOf(()),
    "tags:parking": Term("tags", "parking"),
    'tags:"street trees"': Term("tags", "street trees", phrase=True),
    r'title:"a \"b\" c"': Term("title", 'a "b" c', phrase=True),
    "+capacity:public": Term("capacity", "public"),
    "-organization:espoo": Not(Term("organization", "espoo")),
    "!organization:espoo": Not(Term("organization", "espoo")),
    "NOT organization:espoo": Not(Term("organization", "espoo")),
    "NOT -organization:espoo": Term("organization", "espoo"),
    "a:1 b:2": AllOf((Term("a", "1"), Term("b", "2"))),
    "a:1 AND b:2": AllOf((Term("a", "1"), Term("b", "2"))),
    "a:1 && b:2": AllOf((Term("a", "1"), Term("b", "2"))),
    "a:1 OR a:2": OneOf((Term("a", "1"), Term("a", "2"))),
    "a:(1 OR 2)": OneOf((Term("a", "1"), Term("a", "2"))),
    'a:("x y" 2)': AllOf((Term("a", "x y", phrase=True), Term("a", "2"))),
    "(a:1 || a:2) b:3": AllOf((OneOf((Term("a", "1"), Term("a", "2"))), Term("b", "3"))),
    "-(a:1 OR a:2)": Not(OneOf((Term("a", "1"), Term("a", "2")))),
    "a:pre*": Term("a", "pre", prefix=True),
    "a:*": Term("a", "*"),
    "*:*": Term("*", "*"),
    "a:1^2.5": Term("a", "1"),
    "a:[1 TO *]": Range("a", "1", "*"),
    "a:{1 TO 2]": Range("a", "1", "2", with_start=False),
    'a:["x" TO "y"}': Range("a", "x", "y", with_end=False),
    "metadata_modified:[2026-01-01T00:00:00Z TO *]": Range("metadata_modified", "2026-01-01T00:00:00Z", "*"),
    "https://example.org/x": Term("", "https://example.org/x"),
    r"name:a\:b": Term("name", "a:b"),
}
REFUSED = {
    "{!geofilt}": "local parameters",
    "a:/x.*/": "regular expressions",
    "word~2": "fuzzy",
    "a:x?y": "wildcard",
    "x?y": "wildcard",
    "par*ing": "wildcard",
    "/par.*ing/": "regular expressions",
    '"a b"~2': "fuzzy",
    "a:*x": "wildcard",
    "a:": "no value",
    "a: OR b:1": "no value",
    "tags:-x": "no value",
    "(a:1": "never closes",
    "a:1)": "never opened",
    'a:"x': "never closes",
    "a:[1 TO": "never closes",
    "AND": "joins nothing",
    "a:1 AND": "joins nothing",
    "OR a:1": "joins nothing",
    "a:1 AND OR b:2": "joins nothing",
    "a:(1 OR)": "joins nothing",
    "a:1 OR b:2 AND c:3": "both AND and OR",
    "a:1 OR b:2 c:3": "both AND and OR",
    "a:(b:1)": "within a:",
    "(" * 20 + "a" + ")" * 20: "deep",
    "a " * 600: "parts",
    "x" * (MAX_TEXT + 1): "characters",
}


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_what_clients_send_is_understood(text: str) -> None:
    assert parse(text, "fq") == UNDERSTOOD[text]


def test_what_is_not_supported_is_refused_with_what_is() -> None:
    for text, why in REFUSED.items():
        with pytest.raises(Malformed, match="fq") as refused:
            parse(text, "fq")
        assert why in str(refused.value)
        assert refused.value.fix


@settings(max_examples=150)
@given(st.text(alphabet='ab:"()[]{}+-!*~/\\ ANDORT&|^1\0é', max_size=40))
@example("a" * MAX_TEXT)
@example('"' * 1_000)
def test_anything_is_read_or_refused(text: str) -> None:
    with suppress(Malformed):
        parse(text, "q")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", None),
        ("NOW", NOW),
        ("NOW-7DAYS", NOW - 7 * DAY),
        ("NOW/DAY", NOW // DAY * DAY),
        ("NOW/DAY-1DAY", NOW // DAY * DAY - DAY),
        ("NOW-1MONTH/MONTH", 1_790_812_800_000),  # 2026-10-01
        ("NOW+1YEAR/YEAR", 1_798_761_600_000),  # 2027-01-01
        ("2026-11-21T03:40:00.123Z", NOW),
        ("2026-11-21T05:40:00.123+02:00", NOW),
        ("2026-11-21T03:40:00.123", NOW),
        ("2026-11-21", NOW // DAY * DAY),
        ("2026-03-31T00:00:00Z-1MONTH", 1_772_236_800_000),  # 2026-02-28
    ],
)
def test_times_are_read_as_solr_reckons_them(text: str, expected: int | None) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "NOW-", "NOW-7", "NOWADAYS", "2026-13-01", "NOW+999999YEARS", "NOW/WEEK"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="is no time"):
        moment(text, NOW)
