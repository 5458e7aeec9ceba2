"""What the parser reads of JSON-LD and JSON: contexts, values that are mended, records and what stands around."""

from typing import Any

import orjson
import pytest
from pyld import jsonld

from node.errors import Malformed
from node.vocab.read_jsonld import _pyld
from tests.vocab.parse_rig import BASE, JSONLD, Json, Rdf, codes

# JSON-LD


@pytest.mark.parametrize("link", ["https://other.example/node/contexts/v1.jsonld", "/contexts/v1.jsonld"])
def test_our_own_context_is_known_wherever_it_is_said_to_be(rdf: Rdf, link: str) -> None:
    document = {
        "@context": [link, {"my": "http://e/"}],
        "@id": "d",
        "dct:title": {"@value": "x", "@language": "FI"},
        "my:p": 1,
    }
    lines, _ = rdf(orjson.dumps(document), JSONLD)
    assert sorted(lines) == [
        f'<{BASE}d> <http://e/p> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .',
        f'<{BASE}d> <http://purl.org/dc/terms/title> "x"@fi .',
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"@context": "http://127.0.0.1:1/context", "@id": "x"},
        {"@context": "https://schema.org/", "@id": "x"},
        {"@context": "file:///etc/passwd", "@id": "x"},
        {"@context": ["context.jsonld"], "@id": "x"},
        {"@context": {"@version": 1.1, "@import": "http://127.0.0.1:1/c"}, "@id": "x"},
        {"@context": {"a": {"@id": "http://e/a", "@context": "http://127.0.0.1:1/c"}}, "a": {"b": 1}},
        {"@graph": [{"@id": "x", "http://e/p": {"@context": "file:///etc/hosts", "@id": "y"}}]},
    ],
)
def test_a_context_elsewhere_is_refused_by_name(rdf: Rdf, document: Any) -> None:
    with pytest.raises(Malformed, match="Its context is elsewhere"):
        rdf(orjson.dumps(document), JSONLD)


def test_bad_values_in_json_ld_are_mended_and_not_dropped_in_silence(rdf: Rdf) -> None:
    body = (
        '{"@context": {"@vocab": "http://e/"}, "@id": "d", "p": {"@value": "x", "@language": "EN_us"}, '
        '"q": {"@id": "http://h/a b"}, "r": {"@value": "y", "@type": "http://h/c d"}, "s": "a\\ud800\\u0000", "t": NaN}'
    )
    lines, report = rdf(body, JSONLD)
    assert sorted(line.split(" ", 1)[1] for line in lines) == [
        '<http://e/p> "x"@en-us .',
        "<http://e/q> <http://h/a%20b> .",
        '<http://e/r> "y"^^<http://h/c%20d> .',
        '<http://e/s> "a\ufffd\\u0000" .',
    ]
    assert codes(report) == {"text-mended", "iri-mended", "language-mended"}


def test_both_readers_of_json_ld_agree(rdf: Rdf) -> None:
    """Containers, lists, reverse and included nodes: pyoxigraph reads them, pyld is the judge."""
    document = {
        "@context": {"@vocab": "http://e/", "t": {"@container": "@language"}, "l": {"@container": "@list"}},
        "@id": "http://e/d",
        "t": {"en": "x", "fi": "y"},
        "l": [1, 2],
        "@reverse": {"r": {"@id": "http://e/o"}},
        "@included": {"@id": "http://e/i", "p": True},
    }
    lines, _ = rdf(orjson.dumps(document), JSONLD)
    expected = jsonld.to_rdf(document, {"format": "application/n-quads"}).strip().split("\n")
    assert sorted(line.split(" ")[1] for line in lines) == sorted(line.split(" ")[1] for line in expected)


def test_what_pyoxigraph_refuses_goes_to_pyld() -> None:
    """No document is known that only pyld reads; the way itself still has to work."""
    context = {"@vocab": "http://e/", "p": {"@type": "@id"}}
    quads = list(_pyld({"@context": context, "@id": "d", "p": "x", "q": {"@id": "_:b0"}}, BASE))
    assert f"<{BASE}x>" in [str(quad.object) for quad in quads]
    with pytest.raises(SyntaxError):
        list(_pyld({"@context": "http://127.0.0.1:1/c", "@id": "d"}, BASE))


@pytest.mark.slow
def test_large_json_ld_is_read_in_parts_with_the_same_result(rdf: Rdf) -> None:
    """A blank node that is named in the first part and in the last one is one node."""
    nodes = [{"@id": f"d{n}", "t": {"en": "x" * 100}, "n": {"p": n}, "to": {"@id": "_:shared"}} for n in range(40_000)]
    context = ["https://other.example/contexts/v1.jsonld", {"@vocab": "http://e/", "t": {"@container": "@language"}}]
    lines, report = rdf(orjson.dumps({"@context": context, "@graph": nodes}), JSONLD)
    assert len(lines) == 4 * 40_000
    assert not report.findings
    assert len({line.split(" ")[2] for line in lines if "<http://e/to>" in line}) == 1
    assert len({line.split(" ")[2] for line in lines if "<http://e/n>" in line}) == 40_000


# JSON


@pytest.mark.parametrize(
    ("body", "records", "envelope", "expected"),
    [
        ('[{"a": 1}, {"b": [2]}]', "", {}, [{"a": 1}, {"b": [2]}]),
        ("[]", "", {}, []),
        ('{"a":1}\n\n{"b":2}\r\n{"c":3}', "", {}, [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('{"a":\n1}', "", {}, [{"a": 1}]),
        (
            '{"success":true,"result":{"count":2,"results":[{"id":1},{"id":2}],"sort":"x"},"help":"h"}',
            "result.results",
            {"success": True, "result": {"count": 2, "sort": "x"}, "help": "h"},
            [{"id": 1}, {"id": 2}],
        ),
        ('{"dataset":[{"id":1}],"@type":"c"}', "dataset", {"@type": "c"}, [{"id": 1}]),
        ('{"result":[{"id":1}]}', "result.results|result|", {}, [{"id": 1}]),
        ('[{"id":1}]', "result.results|result|", {}, [{"id": 1}]),
        ('\ufeff[{"a":"]}\\"["}]', "", {}, [{"a": ']}"['}]),
    ],
)
def test_records_are_found_with_what_stands_around_them(
    json: Json, body: str, records: str, envelope: Any, expected: Any
) -> None:
    got, lines, report = json(body, records)
    assert got == envelope
    assert lines == expected
    assert not report.incomplete


def test_utf_16_and_stray_bytes_are_read(json: Json) -> None:
    assert json('[{"a":"ä"}]'.encode("utf-16"))[1] == [{"a": "ä"}]
    _, lines, report = json(b'[{"a":"caf\xe9"},{"b":"\xc3\xa4"}]')
    assert lines == [{"a": "café"}, {"b": "ä"}]
    assert codes(report) == {"text-mended"}


def test_control_characters_half_surrogates_and_nan_are_mended_per_record(json: Json) -> None:
    _, lines, report = json(b'[{"a":"x\x01\ny"},{"a":"\\ud800\\u0000"},{"a":NaN},{"a":1e999}]')
    assert lines == [{"a": "x\x01\ny"}, {"a": "\ufffd\0"}, {"a": None}, {"a": None}]
    assert codes(report) == {"text-mended"}


def test_a_record_too_deep_or_too_large_is_named_and_its_neighbours_kept(json: Json) -> None:
    deep = '{"id":"deep","x":' + "[" * 100_000 + "]" * 100_000 + ',"title":"T"}'
    large = '{"id":"large","x":"' + "y" * (9 << 20) + '"}'
    _, lines, _ = json(f'[{{"id":1}},{deep},{large},7,{{"id":2}}]')
    assert [line.get("_refused") for line in lines] == [None, "too-deep", "too-large", "malformed", None]
    assert lines[1]["id"] == "deep"
    assert lines[1]["title"] == "T"
    assert lines[2]["id"] == "large"


def test_large_members_stay_out_of_the_envelope(json: Json) -> None:
    envelope, _, _ = json('{"big":"' + "x" * 100_000 + '","small":1,"results":[]}', "results")
    assert envelope == {"small": 1}


@pytest.mark.parametrize(
    ("body", "records", "reason"),
    [
        ("", "", "empty"),
        (" \n ", "", "empty"),
        ("<!DOCTYPE html><html>", "", "HTML page"),
        ("<html><body>404", "result.results", "HTML page"),
        ('{\n"a": "<!--#echo var="x" -->", "results": []}', "results", "Line 2, column 22"),
        ('{"results":[{"a":1},{"a":', "results", "Line 1"),
        ('{"results":[{"a":1}', "results", "Line 1"),
        ('{"results":[{"a":1}] "x":1}', "results", "Line 1, column 22"),
        ('[{"a":1}{"b":2}]', "", "Line 1, column 9"),
        ('[{"a":1},]', "", "Line 1"),
        ('[{"a":1}] trailing', "", "Line 1, column 11"),
        ('[{"a":tru}]', "", "Line 1, column 7"),
        ('{"success":false,"error":{"message":"no"}}', "result.results", "its members are success, error"),
        ('{"results":7}', "results", "no list of records at results"),
        ("7", "", "no list of records"),
    ],
)
def test_what_is_no_json_or_has_no_list_is_refused_with_the_place(
    json: Json, body: str, records: str, reason: str
) -> None:
    with pytest.raises(Malformed) as caught:
        json(body, records)
    assert reason in str(caught.value)


def test_json_lines_keep_what_stands_around_a_broken_line(json: Json) -> None:
    _, lines, report = json('{"a":1}\n{"b":\n{"c":3}\n{"d":')
    assert [line.get("_refused", line) for line in lines] == [{"a": 1}, "malformed", {"c": 3}]
    assert "Line 4" in report.incomplete


def test_a_number_of_thousands_of_digits_stays_text_and_costs_nobody_else(json: Json) -> None:
    body = '{"results": [{"id": "a", "x": ' + "9" * 6000 + '}, {"id": "b", "y": NaN}]}'
    _, records, _ = json(body, "results")
    assert [record["id"] for record in records] == ["a", "b"]
    assert records[0]["x"] == "9" * 6000
