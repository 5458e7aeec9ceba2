"""Laws of what cities' own words mean: looked up, written as a file, published as SKOS and read back."""

import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import Malformed
from node.records import MAX_TRIPLES
from node.vocab.mapping_file import COLUMNS, MAX_BYTES, MAX_ROWS, read_matches, write_matches
from node.vocab.mapping_records import matches_in, payload_of, record_of
from node.vocab.mappings import TABLES, MappingBook, Match, plain_code

BASE = "https://data.hel.fi"
HEAD = ",".join(COLUMNS)
TRAN = "http://publications.europa.eu/resource/authority/data-theme/TRAN"


def theme(value: str, code: str, *, exact: bool = True, language: str = "") -> Match:
    return Match("theme", value, exact, code, language)


def test_a_citys_own_match_is_asked_first_and_another_citys_never() -> None:
    book = MappingBook({"helsinki": [theme("Environment", "REGI")]})
    assert book.code("theme", "environment", "helsinki") == "REGI"
    assert book.code("theme", "Environment", "london") == "ENVI" == plain_code("theme", "Environment")


def test_a_concept_of_the_eu_is_that_concept_whatever_a_city_says() -> None:
    book = MappingBook({"helsinki": [theme(TRAN, "ENVI")]})
    assert book.code("theme", TRAN, "helsinki") == "TRAN"


def test_exact_matches_come_before_close_ones() -> None:
    near, same = theme("Liikenne ja ympäristö", "ENVI", exact=False), theme("Liikenne ja ympäristö", "TRAN")
    assert MappingBook({"h": [near, same]}).codes("theme", "liikenne ja YMPÄRISTÖ", "h") == ("TRAN", "ENVI")


def test_what_only_resembles_a_licence_grants_nothing() -> None:
    near = Match("licence", "City terms", exact=False, code="CC_BY_4_0")
    assert MappingBook({"h": [near]}).code("licence", "City terms", "h") == ""
    same = Match("licence", "City terms", exact=True, code="CC_BY_4_0")
    assert MappingBook({"h": [same]}).code("licence", "City terms", "h") == "CC_BY_4_0"


@pytest.mark.parametrize("value", ["", "x" * 10_000, "\x00", "?!", "no such thing"])
@pytest.mark.parametrize("table", TABLES)
def test_what_nobody_knows_is_no_code(table: str, value: str) -> None:
    assert MappingBook({"h": [theme("a", "TRAN")]}).code(table, value, "h") == ""


matches = st.lists(
    st.builds(
        lambda table, word, exact, number, language: Match(
            table, word, exact, TABLES[table].concepts[number % 14].code, language
        ),
        st.sampled_from(sorted(TABLES)),
        st.from_regex(r"[a-zåäö][a-zåäö ;,\"']{0,20}[a-zåäö]", fullmatch=True).map(lambda text: " ".join(text.split())),
        st.booleans(),
        st.integers(0, 13),
        st.sampled_from(["", "fi", "sv", "en-gb"]),
    ),
    max_size=8,
    unique_by=lambda match: (match.table, "".join(c for c in match.value if c.isalpha())),
)


@settings(max_examples=20)
@given(matches)
def test_a_written_file_is_read_back_as_it_was(found: list[Match]) -> None:
    usable = [match for match in found if plain_code(match.table, match.value) == ""]
    assert read_matches(write_matches(usable)) == usable


@settings(max_examples=20)
@given(matches)
def test_a_published_record_says_what_the_file_said(found: list[Match]) -> None:
    for table in TABLES:
        own = [match for match in found if match.table == table]
        record = record_of(table, BASE)
        payload = payload_of(table, own, base_url=BASE, city="Helsinki")
        order = sorted(own, key=lambda match: (match.value, not match.exact, match.code))
        assert matches_in(record, payload) == order


def test_a_record_is_canonical_skos() -> None:
    own = [theme("Liikenne", "TRAN", language="fi"), theme("https://hel.fi/groups/8", "ENVI", exact=False)]
    payload = payload_of("theme", own, base_url=BASE, city='Hel"sinki\n')
    lines = payload.decode().split("\n")[:-1]
    assert lines == sorted(set(lines))
    graph = rdflib.Graph().parse(data=payload, format="nt")
    skos = rdflib.Namespace("http://www.w3.org/2004/02/skos/core#")
    scheme = rdflib.URIRef(record_of("theme", BASE))
    assert (scheme, rdflib.RDF.type, skos.ConceptScheme) in graph
    named = {str(graph.value(each, skos.notation)): each for each in graph.objects(scheme, skos.hasTopConcept)}
    assert set(named) == {"Liikenne", "https://hel.fi/groups/8"}
    assert (named["Liikenne"], skos.exactMatch, rdflib.URIRef(TRAN)) in graph
    assert (named["Liikenne"], skos.prefLabel, rdflib.Literal("Liikenne", lang="fi")) in graph
    # An IRI of the city's own is that concept by another name.
    assert (named["https://hel.fi/groups/8"], skos.exactMatch, rdflib.URIRef("https://hel.fi/groups/8")) in graph


def test_a_theme_of_the_keywords_record_is_a_match_of_keywords() -> None:
    own = [Match("keyword", "parking", exact=False, code="TRAN", language="en")]
    record = record_of("keyword", BASE)
    assert matches_in(record, payload_of("keyword", own, base_url=BASE, city="H")) == own


def test_the_longest_table_fits_into_a_record() -> None:
    own = [theme(f"{'ä' * 40} {number}", "TRAN", language="fi") for number in range(MAX_ROWS)]
    payload = payload_of("theme", own, base_url=BASE, city="Helsinki")
    assert len(payload) <= 1 << 20
    assert payload.count(b"\n") <= MAX_TRIPLES


def test_what_a_peer_says_beside_its_matches_is_passed_over() -> None:
    record = record_of("theme", BASE)
    own = payload_of("theme", [theme("Liikenne", "TRAN")], base_url=BASE, city="H").decode()
    noise = [
        f'<{record}#x> <http://www.w3.org/2004/02/skos/core#notation> "{"y" * 5_000}" .',
        f"<{record}#x> <http://www.w3.org/2004/02/skos/core#exactMatch> <{TRAN}> .",
        f'<{record}#z> <http://www.w3.org/2004/02/skos/core#notation> "z" .',
        f"<{record}#z> <http://www.w3.org/2004/02/skos/core#exactMatch> <https://evil.example/TRAN> .",
        f'<{record}#z> <http://www.w3.org/2004/02/skos/core#closeMatch> "TRAN" .',
    ]
    payload = "".join(sorted({*own.splitlines(keepends=True), *(f"{line}\n" for line in noise)})).encode()
    assert matches_in(record, payload) == [theme("Liikenne", "TRAN")]


@pytest.mark.parametrize("separator", [",", ";"])
def test_spreadsheets_semicolons_and_marks_are_read(separator: str) -> None:
    rows = [COLUMNS, ("theme", "Liikenne", "FI", "skos:exactMatch", "TRAN", "")]
    text = "\ufeff# ours\r\n" + "\r\n".join(separator.join(row) for row in rows) + "\r\n\r\n"
    assert read_matches(text) == [theme("Liikenne", "TRAN", language="fi")]


FAULTS = {
    "a strange table": ("colour,red,,exact,TRAN,", "there is no table 'colour'"),
    "no value": ("theme,,,exact,TRAN,", "the value must be"),
    "a value of signs": ("theme,???,,exact,TRAN,", "the value must be"),
    "a long value": (f"theme,{'x' * 301},,exact,TRAN,", "the value must be"),
    "a bad language": ("theme,a,suomi!,exact,TRAN,", "no language tag"),
    "a bad match": ("theme,a,fi,same,TRAN,", "exact or close"),
    "a code of another table": ("theme,a,fi,exact,CSV,", "'CSV' is no code"),
    "a foreign IRI": ("theme,a,fi,exact,https://evil.example/TRAN,", "is no code"),
    "the EU's own": (f"theme,{TRAN},,close,ENVI,", "a concept of that table already"),
    "too many cells": ("theme,a,fi,exact,TRAN,n,b,c", "more cells"),
    "said twice": ("theme,a,fi,exact,TRAN,\ntheme,A,,close,TRAN,", "line 2 says the same"),
    "two exact ones": ("theme,a,fi,exact,TRAN,\ntheme,a,fi,exact,ENVI,", "has an exact match in line 2"),
    "too many": ("\n".join(f"theme,a{n},,exact,TRAN," for n in range(MAX_ROWS + 1)), f"has {MAX_ROWS + 1} lines"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_line_that_cannot_be_used_is_named(case: str) -> None:
    lines, said = FAULTS[case]
    with pytest.raises(Malformed, match="line") as refused:
        read_matches(f"{HEAD}\n{lines}\n")
    assert said in refused.value.message


def test_all_faults_are_named_at_once_but_no_more_than_a_person_reads() -> None:
    with pytest.raises(Malformed) as refused:
        read_matches(HEAD + "\nx,y\n" * 30)
    assert refused.value.message.count("there is no table") == 20
    assert "(and 10 more)" in refused.value.message


@pytest.mark.parametrize("text", ["theme,a,fi,exact,TRAN,\n", "x" * (MAX_BYTES + 1)])
def test_a_file_without_its_first_line_or_bounds_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_matches(text)


@settings(max_examples=20)
@given(st.text(max_size=300))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        read_matches(f"{HEAD}\n{text}")
    except Malformed:
        return
