"""Laws of the door for strangers' bytes: what is read, what is mended, what is refused.

Every document goes through the real child process. Inputs are small and made here; the portals' real files are read
in `tests/real`.
"""

import pytest

from node.errors import Malformed
from tests.vocab.parse_rig import BASE, JSONLD, RDF, TURTLE, XML, Rdf, codes

NT, NQ, TRIG = "application/n-triples", "application/n-quads", "application/trig"


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
