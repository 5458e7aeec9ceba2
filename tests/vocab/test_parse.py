"""Laws of the door for strangers' bytes: what is read, what is mended, what is refused, and that the node outlives it.

Every document goes through the real child process. Inputs are small and made here; the portals' real files are read
in `tests/real`.
"""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from pyld import jsonld

from node.errors import Malformed, Stopped, TooLarge
from node.vocab.parse import Parser, ParseReport
from node.vocab.read_jsonld import _pyld

TURTLE, XML, JSONLD = "text/turtle", "application/rdf+xml", "application/ld+json"
NT, NQ, TRIG = "application/n-triples", "application/n-quads", "application/trig"
BASE = "https://portal.example/data/"
RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e/">'

Rdf = Callable[..., tuple[list[str], ParseReport]]
Json = Callable[..., tuple[Any, list[Any], ParseReport]]


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    with Parser() as one:
        yield one


@pytest.fixture
def rdf(parser: Parser, tmp_path: Path) -> Rdf:
    def read(body: bytes | str, media_type: str = TURTLE, **changes: Any) -> tuple[list[str], ParseReport]:
        path, to = tmp_path / "document", tmp_path / "lines"
        path.write_bytes(body.encode() if isinstance(body, str) else body)
        try:
            report = parser.rdf_to_lines(path, to, media_type=media_type, base_iri=BASE, timeout_s=30, **changes)
        except Exception:
            assert not to.exists()
            raise
        finally:
            assert not [each for each in tmp_path.iterdir() if each not in (path, to)], "scratch was left behind"
        lines = to.read_bytes().decode().split("\n")
        assert lines.pop() == ""
        assert len(lines) == report.triples
        return lines, report

    return read


@pytest.fixture
def json(parser: Parser, tmp_path: Path) -> Json:
    def read(body: bytes | str, records: str = "") -> tuple[Any, list[Any], ParseReport]:
        path, to = tmp_path / "document", tmp_path / "lines"
        path.write_bytes(body.encode() if isinstance(body, str) else body)
        report = parser.json_to_lines(path, to, records=records, timeout_s=30)
        envelope, *lines = [orjson.loads(line) for line in to.read_bytes().splitlines()]
        assert len(lines) == report.records
        return envelope, lines, report

    return read


def codes(report: ParseReport) -> set[str]:
    return {finding.code for finding in report.findings}


# Reading RDF


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("<d> <http://e/p> 'x'@EN-gb .", TURTLE),
        ('{"@id": "d", "http://e/p": {"@value": "x", "@language": "EN-gb"}}', JSONLD),
        (f'{RDF}<rdf:Description rdf:about="d" e:p="x" xml:lang="EN-gb"/></rdf:RDF>', XML),
        (f'<{BASE}d> <http://e/p> "x"@EN-gb .', NT),
        (f'<{BASE}d> <http://e/p> "x"@EN-gb <http://e/g> .', NQ),
        ("<http://e/g> { <d> <http://e/p> 'x'@EN-gb }", TRIG),
        (f'<?xml version="1.0"?>{RDF}<rdf:Description rdf:about="d" e:p="x" xml:lang="EN-gb"/></rdf:RDF>', TURTLE),
        ('{"@id": "d", "http://e/p": {"@value": "x", "@language": "EN-gb"}}', "text/plain"),
        ("<d> <http://e/p> 'x'@EN-gb .", "application/octet-stream"),
        ("\ufeff<d> <http://e/p> 'x'@EN-gb .", TURTLE),
        ("<d> <http://e/p> 'x'@EN-gb .".encode("utf-16"), TURTLE),
        (f'{RDF}<rdf:Description rdf:about="d" e:p="x" xml:lang="EN-gb"/></rdf:RDF>'.encode("utf-16-le"), XML),
    ],
)
def test_every_syntax_gives_the_same_line(rdf: Rdf, body: bytes | str, media_type: str) -> None:
    lines, report = rdf(body, media_type)
    assert lines == [f'<{BASE}d> <http://e/p> "x"@en-gb .']
    assert not report.incomplete


def test_lines_are_canonical(rdf: Rdf) -> None:
    body = (
        '<d> <http://e/p> "a\\u0001\\u007F\\t\\n\\"\\\\ \u2028\x85é", "1"^^<http://www.w3.org/2001/XMLSchema#string> .'
    )
    lines, _ = rdf(body)
    assert lines[0] == f'<{BASE}d> <http://e/p> "a\\u0001\\u007F\\t\\n\\"\\\\ \u2028\x85é" .'
    assert lines[1] == f'<{BASE}d> <http://e/p> "1" .'


def test_an_empty_document_is_read(rdf: Rdf) -> None:
    assert rdf("")[0] == []


def test_named_graphs_are_kept_if_asked_for(rdf: Rdf) -> None:
    body = "<http://e/g> { <http://e/s> <http://e/p> 'x' } <http://e/s> <http://e/p> 'y'@EN_us ."
    lines, _ = rdf(body, TRIG, keep_graphs=True)
    assert lines == ['<http://e/s> <http://e/p> "x" <http://e/g> .', '<http://e/s> <http://e/p> "y"@en-us .']
    assert rdf("<http://e/g> { <http://e/s> <http://e/p> 'x' }", TRIG, keep_graphs=True)[0] == lines[:1]


@pytest.mark.parametrize("broken", ["", " . <s> <http://e/a b> <c>"])
def test_blank_labels_are_unique_over_documents(rdf: Rdf, broken: str) -> None:
    """Also those that the documents themselves name alike, on the fast way and on the mending one."""
    seen: set[str] = set()
    for _ in range(3):
        labels = {line.split(" ")[0] for line in rdf("_:a <http://e/p> 1 . [] <http://e/p> 2 " + broken + " .")[0]} - {
            f"<{BASE}s>"
        }
        assert len(labels) == 2
        assert not labels & seen
        seen |= labels


# Mending RDF


@pytest.mark.parametrize(
    ("value", "written", "code"),
    [
        ("<http://h/a b>", "<http://h/a%20b>", "iri-mended"),
        ('<http://h/{x}|^`">', "<http://h/%7Bx%7D%7C%5E%60%22>", "iri-mended"),
        ("<http://h/a[1]?b[]=2>", "<http://h/a%5B1%5D?b%5B%5D=2>", "iri-mended"),
        ("<http://h/100%>", "<http://h/100%25>", "iri-mended"),
        ("<http://h/a#b#c>", "<http://h/a#b%23c>", "iri-mended"),
        ("<http://h/a\\u003E\\u000Ab>", "<http://h/a%3E%0Ab>", "iri-mended"),
        ("<http://h/a\\b>", "<http://h/a%5Cb>", "iri-mended"),
        ("<http://h/a\nb>", "<http://h/a%0Ab>", "iri-mended"),
        ("<http://host:port/>", '"http://host:port/"', "iri-not-absolute"),
        ("<http://[bad/>", '"http://[bad/"', "iri-not-absolute"),
        ('"x"@en_US', '"x"@en-us', "language-mended"),
        ('"x"@toolonglanguagetag', '"x"', "language-dropped"),
        ('"x"@', '"x"', "language-dropped"),
        ('"x"@en--ltr', '"x"@en', "direction-dropped"),
        ('"x"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString>', '"x"', "language-dropped"),
        ('"x"^^<http://h/a b>', '"x"^^<http://h/a%20b>', "iri-mended"),
        ('"x"^^<http://h:p/>', '"x"', "iri-not-absolute"),
        ('"C:\\data"', '"C:\\\\data"', "text-mended"),
        ('"a\\ud800b"', '"a\ufffdb"', "text-mended"),
        ('"a\\ud83d\\ude00\\d"', '"a\U0001f600\\\\d"', "text-mended"),
        ('"a\nb"', '"a\\nb"', ""),
        ('"""a "quoted" @en_US b"""@en_US', '"a \\"quoted\\" @en_US b"@en-us', "language-mended"),
    ],
)
def test_a_bad_value_is_mended_and_its_neighbours_are_not_touched(
    rdf: Rdf, value: str, written: str, code: str
) -> None:
    lines, report = rdf(
        f'<http://e/s> <http://e/p> {value} ; <http://e/q> "#\\"@en_US" . # "x"@en_US\n<http://e/t> <http://e/p> 1 .'
    )
    assert lines[0] == f"<http://e/s> <http://e/p> {written} ."
    assert lines[1] == '<http://e/s> <http://e/q> "#\\"@en_US" .'
    assert len(lines) == 3
    assert codes(report) == ({code} if code else set())
    assert all(finding.level == "repaired" for finding in report.findings)


def test_stray_bytes_are_read_as_windows_1252(rdf: Rdf) -> None:
    lines, report = rdf(b"<http://e/s> <http://e/p> 'caf\xe9 \xc3\xa4 \x80' .")
    assert lines == ['<http://e/s> <http://e/p> "café ä €" .']
    assert codes(report) == {"encoding-mended"}


def test_what_cannot_be_said_in_rdf_1_1_is_left_out(rdf: Rdf) -> None:
    lines, report = rdf(
        "<http://e/s> <http://e/p> 'x' {| <http://e/q> 1 |} . "
        "<http://e/s> <http://h:p/> 2 . <http://h:p/> <http://e/p> 3 ."
    )
    assert lines[0] == '<http://e/s> <http://e/p> "x" .'
    assert len(lines) == 2
    assert codes(report) == {"triple-term-dropped", "iri-not-absolute"}


def test_a_prefix_without_its_full_stop_is_read(rdf: Rdf) -> None:
    lines, report = rdf("@prefix e: <http://e/>\n\n@prefix f: <http://f/> .\ne:s e:p f:o .")
    assert lines == ["<http://e/s> <http://e/p> <http://f/o> ."]
    assert codes(report) == {"syntax-mended"}


def test_a_million_faults_are_few_findings(rdf: Rdf) -> None:
    body = "".join(f"<http://e/s> <http://e/p{n % 300}> <http://e/a b{n}> .\n" for n in range(5000))
    lines, report = rdf(body)
    assert len(lines) == 5000
    assert len(report.findings) <= 101
    assert "(and 16 more)" in report.findings[0].message


def test_broken_turtle_is_refused_with_the_line(rdf: Rdf) -> None:
    with pytest.raises(Malformed, match="Line 3, column"):
        rdf("<http://e/s> <http://e/p> 1 .\n<http://e/s> <http://e/p> 'x'@en_US .\n<http://e/s> <http://e/p> junk .")


@pytest.mark.parametrize("media_type", [NT, NQ])
def test_a_line_format_keeps_what_stands_before_the_broken_line(rdf: Rdf, media_type: str) -> None:
    good = "".join(f'<http://e/s> <http://e/p> "{n}" .\n' for n in range(9000))
    lines, report = rdf(good + '<http://e/s> <http://e/p b> "mended" .\n<http://e/s> <http://e/p> "cut', media_type)
    assert len(lines) == 9001
    assert report.incomplete.startswith("Line 9002")


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("<!DOCTYPE html><html>", TURTLE),
        (" \n<HTML lang=en>", XML),
        ("<!-- x --> <!doctype HTML >", JSONLD),
        ("<html>", NT),
    ],
)
def test_a_web_page_is_called_one(rdf: Rdf, body: str, media_type: str) -> None:
    with pytest.raises(Malformed, match="HTML page"):
        rdf(body, media_type)


# RDF/XML


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
EXTERNAL = '<!DOCTYPE rdf:RDF SYSTEM "file:///etc/passwd">'
REMOTE = '<!DOCTYPE rdf:RDF [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]>'


@pytest.mark.parametrize("declaration", [BOMB, EXTERNAL, REMOTE, "<!doctype rdf:RDF>", '<!ENTITY a "b">'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_a_document_type_is_refused_in_every_encoding(rdf: Rdf, declaration: str, encoding: str) -> None:
    named = f' encoding="{encoding}"' if encoding == "latin-1" else ""
    body = f'<?xml version="1.0"{named}?>\n{declaration}\n{RDF}<e:t rdf:about="s"><e:p>&c;</e:p></e:t></rdf:RDF>'
    with pytest.raises(Malformed, match="Line 2: a document type"):
        rdf(body.encode(encoding), XML)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16", "UTF-8", "ISO-8859-15"])
def test_xml_is_read_in_the_encoding_that_it_declares(rdf: Rdf, encoding: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{encoding}" standalone="yes"?>'
    body = f'{declaration}{RDF}<rdf:Description rdf:about="s" e:p="åäö"/></rdf:RDF>'
    assert rdf(body.encode(encoding), XML)[0] == [f'<{BASE}s> <http://e/p> "åäö" .']


def test_an_unknown_encoding_is_refused(rdf: Rdf) -> None:
    with pytest.raises(Malformed, match="encoding"):
        rdf(f'<?xml version="1.0" encoding="utf-7"?>{RDF}</rdf:RDF>', XML)


def test_faults_of_hand_made_xml_are_mended(rdf: Rdf) -> None:
    text = "A &amp; B & C&nbsp;&copy; <![CDATA[&nbsp;]]>"
    body = f'{RDF}<rdf:Description rdf:about="a b"><e:p xml:lang="en_US">{text}</e:p></rdf:Description></rdf:RDF>'
    lines, report = rdf(body, XML)
    assert lines == [f'<{BASE}a%20b> <http://e/p> "A & B & C\xa0© &nbsp;"@en-us .']
    assert codes(report) == {"text-mended", "iri-mended", "language-mended"}


def test_text_out_of_place_is_left_out_and_the_rest_kept(rdf: Rdf) -> None:
    body = (
        f'{RDF}stray<e:T rdf:about="s"><e:l rdf:resource="o">words</e:l><e:p>kept &lt; this</e:p>between'
        "<e:n>before<e:U><e:m>in</e:m></e:U>after</e:n>"
        '<e:r rdf:parseType="Resource"><e:p>x</e:p>words</e:r></e:T></rdf:RDF>'
    )
    lines, report = rdf(body, XML)
    assert {line.split(" ", 2)[2] for line in lines if "kept" in line or "/l>" in line} == {
        '"kept < this" .',
        f"<{BASE}o> .",
    }
    assert len(lines) == 8
    assert [(finding.code, "(and 5 more)" in finding.message) for finding in report.findings] == [
        ("text-dropped", True)
    ]


def test_control_characters_survive(rdf: Rdf) -> None:
    lines, _ = rdf(f'{RDF}<rdf:Description rdf:about="s"><e:p>a\x0bb&#1;</e:p></rdf:Description></rdf:RDF>', XML)
    assert lines == [f'<{BASE}s> <http://e/p> "a\\u000Bb\\u0001" .']
    assert rdf(b"<http://e/s> <http://e/p> 'a\x00\x01b' .")[0] == ['<http://e/s> <http://e/p> "a\\u0000\\u0001b" .']


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"{RDF}\n<e:T></e:U></rdf:RDF>", "Line 2, column 8: mismatched tag"),
        ('<?xml version="1.0"?><csw:Answer xmlns:csw="http://c/">words</csw:Answer>', "<csw:Answer>, which is not RDF"),
        (f"{RDF}\n<e:T/>\n<e:T rdf:ID='a b'/>\n<e:T/></rdf:RDF>", "Line 3: "),
    ],
)
def test_broken_xml_is_refused_with_the_reason(rdf: Rdf, body: str, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        rdf(body, XML)
    assert reason in str(caught.value)


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


# Bombs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("<s> " + "<http://e/p> [ " * 100_000 + "]" * 100_000 + " .", TURTLE),
        ("<s> <http://e/p> " + "( " * 100_000 + ")" * 100_000 + " .", TURTLE),
        (RDF + "<e:a><e:b>" * 100_000 + "</e:b></e:a>" * 100_000 + "</rdf:RDF>", XML),
        ('{"http://e/p":' * 100_000 + "1" + "}" * 100_000, JSONLD),
        ("[" * 1_000_000, JSONLD),
        ('{"@context":' * 5_000 + "{}" + "}" * 5_000, JSONLD),
    ],
    ids=["turtle-blank", "turtle-list", "xml", "json-ld", "json-ld-open", "json-ld-context"],
)
def test_a_nesting_bomb_ends_soon_and_the_parser_lives(rdf: Rdf, body: str, media_type: str) -> None:
    begun = time.monotonic()
    with suppress(TooLarge, Malformed):
        rdf(body, media_type)
    assert time.monotonic() - begun < 10
    assert rdf("<s> <http://e/p> 1 .")[1].triples == 1


def test_deep_xml_is_refused_at_once_and_tags_in_values_do_not_count(rdf: Rdf) -> None:
    with pytest.raises(TooLarge, match="deeper than 256"):
        rdf(RDF + "<e:a><e:b>" * 200 + "</e:b></e:a>" * 200 + "</rdf:RDF>", XML)
    flat = '<rdf:Description rdf:about="s" e:p=">"><e:q><![CDATA[<a>]]></e:q><e:r rdf:resource="/>"/></rdf:Description>'
    assert len(rdf(f"{RDF}{flat * 300}</rdf:RDF>", XML)[0]) == 900


def test_deep_json_ld_is_refused_as_too_deep(rdf: Rdf) -> None:
    with pytest.raises(TooLarge, match="deeper than 64"):
        rdf('{"http://e/p":' * 100 + "1" + "}" * 100, JSONLD)


def test_a_prefix_bomb_does_not_fill_the_disk(rdf: Rdf) -> None:
    with pytest.raises(TooLarge, match="could not be written"):
        rdf(f"@prefix p: <http://e/{'x' * 500_000}> .\n" + "p:s p:p p:o .\n" * 1_000)


@pytest.mark.slow
def test_a_child_out_of_memory_is_too_large_and_the_parser_goes_on(tmp_path: Path) -> None:
    path, to = tmp_path / "document", tmp_path / "lines"
    path.write_bytes(b"<http://e/s> <http://e/p> '" + b"x" * (300 << 20) + b"' .")
    with Parser(memory_bytes=200 << 20) as parser:
        with pytest.raises(TooLarge):
            parser.rdf_to_lines(path, to, media_type=TURTLE, base_iri=BASE, timeout_s=60)
        assert not to.exists()
        path.write_bytes(b"<http://e/s> <http://e/p> 'x' .")
        assert parser.rdf_to_lines(path, to, media_type=TURTLE, base_iri=BASE, timeout_s=30).triples == 1


def clique(size: int) -> bytes:
    return "".join(f"_:n{a} <http://e/p> _:n{b} .\n" for a in range(size) for b in range(size) if a != b).encode()


def test_a_small_graph_is_given_its_canonical_form(parser: Parser) -> None:
    one = parser.canonicalize(b'_:x <http://e/p> "1" .\n_:y <http://e/q> _:x .\n', 10)
    other = parser.canonicalize(b'_:b <http://e/q> _:a .\n_:a <http://e/p> "1" .\n', 10)
    assert one == other == b'_:c14n0 <http://e/p> "1" .\n_:c14n1 <http://e/q> _:c14n0 .\n'
    assert parser.canonicalize(b"", 10) == b""
    with pytest.raises(Malformed):
        parser.canonicalize(b"nonsense", 10)


@pytest.mark.slow
def test_a_poison_graph_is_too_large_in_time_and_the_parser_goes_on(parser: Parser) -> None:
    begun = time.monotonic()
    with pytest.raises(TooLarge, match="too much alike"):
        parser.canonicalize(clique(12), 1)
    assert time.monotonic() - begun < 3
    assert parser.canonicalize(b"_:a <http://e/p> 1 .".replace(b"1", b'"1"'), 10) == b'_:c14n0 <http://e/p> "1" .\n'


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path, to = tmp_path / "document", tmp_path / "lines"
    path.write_bytes(b"<http://e/s> <http://e/p> 'x' .\n" * 500_000)
    with Parser() as parser:
        parser.canonicalize(b"", 30)
        begun = time.monotonic()
        with pytest.raises(TooLarge, match=r"longer than 0\.1 s"):
            parser.rdf_to_lines(path, to, media_type=TURTLE, base_iri=BASE, timeout_s=0.1)
        assert time.monotonic() - begun < 1
        assert list(tmp_path.iterdir()) == [path]


def test_a_large_body_goes_through_the_pipe(parser: Parser) -> None:
    body = "".join(f'<http://e/s{n:06}> <http://e/p> "{n}" .\n' for n in range(20_000)).encode()
    assert parser.canonicalize(body, 30) == body


@pytest.mark.slow
def test_stop_ends_a_running_parse(tmp_path: Path) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    with Parser(stop=stop) as parser:
        parser.canonicalize(b"", 30)
        timer.start()
        begun = time.monotonic()
        with pytest.raises(Stopped):
            parser.canonicalize(clique(12), 30)
        assert time.monotonic() - begun < 1.0
        with pytest.raises(Stopped):
            parser.canonicalize(b"", 30)
    timer.join()


@pytest.mark.slow
def test_killing_from_another_thread_stops_one_call_and_not_the_next(tmp_path: Path) -> None:
    with Parser() as parser:
        parser.canonicalize(b"", 30)
        timer = threading.Timer(0.3, parser.kill)
        timer.start()
        with pytest.raises(Stopped):
            parser.canonicalize(clique(12), 30)
        timer.join()
        assert parser.canonicalize(b"", 30) == b""


@pytest.mark.slow  # a process ends and another begins
def test_a_child_that_somebody_killed_is_replaced(parser: Parser) -> None:
    parser.canonicalize(b"", 30)
    assert parser._child is not None
    os.kill(parser._child._child.process.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert parser.canonicalize(b"", 30) == b""


@pytest.mark.slow
def test_the_child_dies_with_its_parent_in_the_middle_of_a_parse(tmp_path: Path) -> None:
    program = """
        import sys, threading
        from node.vocab.parse import Parser
        from tests.vocab.test_parse import clique
        parser = Parser()
        parser.canonicalize(b"", 30)
        print(parser._child._child.process.pid, flush=True)
        parser.canonicalize(clique(12), 60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.5)
        assert is_running(child)
        parent.kill()
        parent.wait()
    until = time.monotonic() + 3
    while is_running(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    """Tell whether a process lives; one that is dead and not yet collected by its new parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")


def test_the_child_sees_nothing_of_the_nodes_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYNODE_SECRET", "hush")
    with Parser() as parser:
        parser.canonicalize(b"", 30)
        assert parser._child is not None
        environment = Path(f"/proc/{parser._child._child.process.pid}/environ").read_bytes()
    assert b"hush" not in environment


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


@pytest.mark.parametrize(
    "body",
    [b"<!---->" * 60 + b"<x/>", b"<!-- a -->\n" * 400 + b"<rdf:RDF", b"<!--" * 100_000, b"<x>" + b"<![CDATA[" * 60_000],
    ids=["comments", "a block of comments", "comments that never end", "sections that never end"],
)
def test_comments_and_sections_cost_time_by_length_and_not_by_its_square(rdf: Rdf, body: bytes) -> None:
    begun = time.monotonic()
    with pytest.raises((Malformed, TooLarge)) as refused:
        rdf(body, "application/rdf+xml")
    assert time.monotonic() - begun < 10
    assert "s of" not in str(refused.value), "out of time"


def test_a_number_of_thousands_of_digits_stays_text_and_costs_nobody_else(json: Json) -> None:
    body = '{"results": [{"id": "a", "x": ' + "9" * 6000 + '}, {"id": "b", "y": NaN}]}'
    _, records, _ = json(body, "results")
    assert [record["id"] for record in records] == ["a", "b"]
    assert records[0]["x"] == "9" * 6000
