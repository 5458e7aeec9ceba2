"""What is read of a query before an engine sees it: SERVICE is found in every disguise, and nowhere else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.catalog.graph.lexer import MAX_DEPTH, MAX_TOKENS, read
from node.errors import Malformed, NodeError, TooLarge

THERE = "http://127.0.0.1:9/"
BODY = "{ ?s ?p ?o }"

DISGUISED = {
    "plain": f"SELECT * {{ SERVICE <{THERE}> {BODY} }}",
    "silent": f"SELECT * {{ SERVICE SILENT <{THERE}> {BODY} }}",
    "lower case": f"SELECT * {{ sErViCe <{THERE}> {BODY} }}",
    "glued to its address": f"SELECT * {{ SERVICE<{THERE}>{BODY} }}",
    "glued to silent": f"SELECT * {{ SERVICESILENT<{THERE}>{BODY} }}",
    "as if it were a prefix": f"PREFIX : <{THERE}> SELECT * {{ SERVICE:x{BODY} }}",
    "behind true": f"SELECT * {{ ?a ?b trueSERVICE<{THERE}>{BODY} }}",
    "behind true, as a prefix": f"PREFIX : <{THERE}> SELECT * {{ ?a ?b trueSERVICE:x{BODY} }}",
    "behind a number": f"SELECT * {{ ?a ?b 1SERVICE<{THERE}>{BODY} }}",
    "behind a number with a point": f"SELECT * {{ ?a ?b 1.SERVICE<{THERE}>{BODY} }}",
    "behind a name and a point": f"PREFIX e: <x:> SELECT * {{ ?a ?b e:a.SERVICE <{THERE}> {BODY} }}",
    "behind a comment that ends with CR": f"SELECT * {{ # x\rSERVICE <{THERE}> {BODY} }}",
    "behind a NUL in a comment": f"SELECT * {{ #\0\nSERVICE <{THERE}> {BODY} }}",
    "of a variable": f"SELECT * {{ VALUES ?x {{ <{THERE}> }} SERVICE ?x {BODY} }}",
    "in EXISTS": f"ASK {{ FILTER EXISTS {{ SERVICE <{THERE}> {BODY} }} }}",
    "in a subquery": f"SELECT * {{ {{ SELECT * {{ SERVICE <{THERE}> {BODY} }} }} }}",
    "behind a less-than sign": f"SELECT * {{ ?a ?b ?c FILTER(?c<1)SERVICE?v{BODY} }}",
    "behind a string in triple quotes": f"SELECT * {{ ?a ?b '''x' ''' . SERVICE <{THERE}> {BODY} }}",
    "behind an escaped quote": f'SELECT * {{ ?a ?b "\\\\" . SERVICE <{THERE}> {BODY} }} # "',
    "with an escaped letter": f"SELECT * {{ S\\u0045RVICE <{THERE}> {BODY} }}",
    "behind a quote that is escaped as a code point": f'SELECT * {{ ?a ?b "\\u0022 SERVICE <{THERE}> {BODY} #" }}',
    "behind such a one with two backslashes": f'SELECT * {{ ?a ?b "\\\\u0022 SERVICE <{THERE}> {BODY} #" }}',
    "behind an IRI that ends in an escape": f"SELECT * {{ ?a ?b <http://x\\u003E SERVICE <{THERE}> {BODY} }}",
    "behind an IRI with a space": f"SELECT * {{ ?a ?b <http://x y#z> SERVICE <{THERE}> {BODY} }}\n}}",
    "behind four quotes": f'SELECT * {{ ?a ?b """a"""" SERVICE <{THERE}> {BODY} " }}',
}

HARMLESS = {
    "a variable": "SELECT ?service { ?service ?p ?SERVICE }",
    "a string": 'SELECT * { ?s ?p "SERVICE <http://x/> { }" }',
    "a long string": 'SELECT * { ?s ?p """SERVICE " <http://x/> { \n } """ }',
    "a comment": "SELECT * { ?s ?p ?o # SERVICE <http://x/> { }\n }",
    "an IRI": "SELECT * { ?s <http://x/SERVICE> <http://x/a#SERVICE> }",
    "a name": "PREFIX dcat: <http://www.w3.org/ns/dcat#> SELECT * { ?s a dcat:DataService ; dcat:service ?o }",
    "a prefix": "PREFIX geoservice: <x:> SELECT * { ?s a geoservice:x }",
    "a blank node": "SELECT * { _:service ?p ?o }",
    "a comparison without spaces": "SELECT * { ?a ?b ?c FILTER(?a<?b&&?c>?a) }",
    "a language": 'SELECT * { ?s ?p "x"@en-service }',
}


@pytest.mark.parametrize("query", DISGUISED.values(), ids=DISGUISED)
def test_service_is_refused_in_every_disguise(query: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(query)
    assert refused.value.fix


@pytest.mark.parametrize("query", HARMLESS.values(), ids=HARMLESS)
def test_the_word_alone_is_no_reason_to_refuse(query: str) -> None:
    assert read(query).form == "select"


@pytest.mark.parametrize(
    "update",
    [
        "INSERT DATA { <a:a> <a:a> <a:a> }",
        "PREFIX a: <a:> DELETE WHERE { ?s ?p ?o }",
        "# x\nLOAD <http://x/>",
        "clear ALL",
        "WITH <a:a> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
    ],
)
def test_an_update_is_no_query(update: str) -> None:
    with pytest.raises(Malformed, match="Nothing can be changed"):
        read(update)


def test_form_and_dataset_are_known() -> None:
    assert read("BASE <http://x/> PREFIX a: <b> aSk {}").form == "ask"
    assert read("DESCRIBE <x:x>").form == "describe"
    assert read("CONSTRUCT WHERE { ?s ?p ?o }").form == "construct"
    assert read("SELECT * FROM NAMED <x:x> {}").has_dataset
    assert not read("SELECT * { ?from <x:from> 'FROM' }").has_dataset


def test_the_bounds_are_told() -> None:
    with pytest.raises(TooLarge, match="bytes"):
        read("ASK {}" + " " * 100, max_bytes=64)
    with pytest.raises(TooLarge, match="deep"):
        read("ASK " + "{" * (MAX_DEPTH + 1) + "}" * (MAX_DEPTH + 1))
    with pytest.raises(TooLarge, match="words"):
        read("ASK { FILTER(1" + "+1" * MAX_TOKENS + ") }")
    assert read("ASK " + "{" * MAX_DEPTH + "}" * MAX_DEPTH).form == "ask"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "no SPARQL query"),
        ("PREFIX a: <b>", "no SPARQL query"),
        ("parking", "cannot begin with 'parking'"),
        ("ASK { ?s ?p 'x }", "line 1 is not closed"),
        ('ASK {\n?s ?p "x\ny" }', "line 2 is not closed"),
        ("ASK {", "not closed"),
        ("ASK { } }", "not opened"),
        ("ASK { ?s ?p \\u0061 }", "backslash in line 1"),
    ],
)
def test_what_is_wrong_is_told(query: str, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read(query)


@given(st.text(alphabet=st.sampled_from(list("SERVICEservice \"'\\<>{}#:.@?u0042\n\r\0é😀")), max_size=60))
def test_nothing_that_is_typed_breaks_the_reader(tail: str) -> None:
    with contextlib.suppress(NodeError):
        read("SELECT * { " + tail)


def test_reading_takes_time_by_the_length_alone() -> None:
    for piece in ("<a", "''", "a:", "\\", "#", '"\\"', "_:", "1.", "@", "?"):
        with pytest.raises(NodeError):
            read("SELECT * { " + piece * (60_000 // len(piece)))
