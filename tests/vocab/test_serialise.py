"""The forms of a payload as a reader meets them; that nothing is lost is a law of its own."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import orjson
import pytest

from node.errors import NotAcceptable
from node.vocab import ntriples as nt
from node.vocab.serialise import MEDIA_TYPES, VERSIONS, document, page
from node.vocab.terms import DCAT, DCT, FOAF, RDF

ROOT = "<https://city.example/datasets/trees>"
AGENT = "<https://city.example/.well-known/genid/a>"
CONTEXT_URL = "https://city.example/contexts/v1.jsonld"
XSD = nt.XSD


def xml(data):
    return ET.fromstring(data)  # noqa: S314 (our own bytes, just written)


def payload_of(*triples):
    return "".join(sorted(f"{s} {p} {o} .\n" for s, p, o in triples)).encode()


TREES = payload_of(
    (ROOT, f"<{RDF.type}>", f"<{DCAT.Dataset}>"),
    (ROOT, f"<{DCT.title}>", nt.literal("Puut", language="fi")),
    (ROOT, f"<{DCT.title}>", nt.literal("Trees", language="en")),
    (ROOT, f"<{DCT.identifier}>", nt.literal("trees")),
    (ROOT, f"<{DCT.issued}>", nt.literal("2024-05-31", datatype=XSD + "date")),
    (ROOT, f"<{DCT.publisher}>", AGENT),
    (ROOT, "<https://x.example/ns/height>", nt.literal("12", datatype=XSD + "integer")),
    (AGENT, f"<{FOAF.name}>", nt.literal("City")),
    (AGENT, f"<{RDF.type}>", f"<{FOAF.Agent}>"),
)


def test_turtle_is_short_prefixed_and_begins_with_the_record():
    assert document(TREES, "ttl").decode() == (
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n"
        "@prefix dct: <http://purl.org/dc/terms/> .\n"
        "@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\n"
        "<https://city.example/datasets/trees> a dcat:Dataset ;\n"
        '  dct:identifier "trees" ;\n'
        '  dct:issued "2024-05-31"^^xsd:date ;\n'
        "  dct:publisher <https://city.example/.well-known/genid/a> ;\n"
        '  dct:title "Puut"@fi ,\n    "Trees"@en ;\n'
        '  <https://x.example/ns/height> "12"^^xsd:integer .\n\n'
        '<https://city.example/.well-known/genid/a> a foaf:Agent ;\n  foaf:name "City" .\n'
    )


def test_json_ld_nests_from_the_record_with_strings_for_all_values():
    assert orjson.loads(document(TREES, "jsonld", context_url=CONTEXT_URL)) == {
        "@context": CONTEXT_URL,
        "@id": "https://city.example/datasets/trees",
        "@type": "Dataset",
        "identifier": "trees",
        "issued": {"@type": "xsd:date", "@value": "2024-05-31"},
        "publisher": {"@id": "https://city.example/.well-known/genid/a", "@type": "Agent", "name": "City"},
        "title": [{"@language": "fi", "@value": "Puut"}, {"@language": "en", "@value": "Trees"}],
        "https://x.example/ns/height": {"@type": "xsd:integer", "@value": "12"},
    }


def test_n_triples_are_the_payload_itself():
    assert document(TREES, "nt") is TREES


@pytest.mark.parametrize("suffix", MEDIA_TYPES)
def test_the_same_payload_gives_the_same_bytes(suffix):
    assert document(TREES, suffix, context_url="x") == document(bytes(bytearray(TREES)), suffix, context_url="x")
    assert VERSIONS[suffix].startswith(suffix)


def test_a_json_literal_keeps_its_full_type_and_stays_a_string():
    payload = payload_of((ROOT, f"<{DCT.source}>", nt.literal('{"a":1}', datatype=RDF.JSON)))
    written = orjson.loads(document(payload, "jsonld"))
    assert written["source"] == {"@type": RDF.JSON, "@value": '{"a":1}'}


def test_an_iri_whose_scheme_is_a_term_of_ours_unsets_that_term():
    payload = payload_of((ROOT, f"<{DCT.type}>", "<dcat:Dataset>"), (ROOT, f"<{DCAT.theme}>", "<title:x>"))
    written = orjson.loads(document(payload, "jsonld", context_url=CONTEXT_URL))
    assert written["@context"] == [CONTEXT_URL, {"dcat": None, "title": None}]
    assert written["type"] == "dcat:Dataset"


def test_a_ring_of_subjects_begins_with_the_record():
    payload = payload_of(
        ("<https://a.example/part>", f"<{DCAT.isDistributionOf}>", ROOT),
        (ROOT, f"<{DCAT.distribution}>", "<https://a.example/part>"),
        (ROOT, f"<{RDF.type}>", f"<{DCAT.Dataset}>"),
    )
    assert document(payload, "ttl").split(b"\n\n")[1].startswith(ROOT.encode())
    assert orjson.loads(document(payload, "jsonld"))["@id"] == ROOT[1:-1]


def test_a_long_chain_does_not_nest_without_end():
    links = [f"<https://x.example/{number:05}>" for number in range(2_000)]
    payload = payload_of(*((here, f"<{RDF.rest}>", there) for here, there in pairwise(links)))
    assert len(orjson.loads(document(payload, "jsonld"))["@graph"]) > 100


def test_an_empty_payload_is_an_empty_document_in_every_form():
    assert document(b"", "ttl") == b""
    assert orjson.loads(document(b"", "jsonld", context_url="x")) == {"@context": "x", "@graph": []}
    assert xml(document(b"", "rdf")).tag.endswith("RDF")


def test_rdf_xml_spells_a_carriage_return():
    payload = payload_of((ROOT, f"<{DCT.description}>", nt.literal("a\r\nb & <c>")))
    written = document(payload, "rdf")
    assert b"a&#xD;\nb &amp; &lt;c&gt;" in written
    assert xml(written)[0][0].text == "a\r\nb & <c>"


@pytest.mark.parametrize(
    ("predicate", "thing", "named"),
    [
        ("<https://x.example/1>", '"x"', "<https://x.example/1>"),
        ("<https://x.example/a/>", '"x"', "<https://x.example/a/>"),
        (f"<{RDF.NS}li>", '"x"', f"<{RDF.NS}li>"),
        ("<http://www.w3.org/2000/xmlns/a>", '"x"', "<http://www.w3.org/2000/xmlns/a>"),
        (f"<{DCT.title}>", '"a\\u0001b"', "U+0001"),
        (f"<{DCT.title}>", '"\ufffe"', "U+FFFE"),
    ],
)
def test_rdf_xml_names_what_it_cannot_write(predicate, thing, named):
    with pytest.raises(NotAcceptable, match="RDF/XML") as refusal:
        document(payload_of((ROOT, predicate, thing)), "rdf")
    assert named in refusal.value.message
    assert "Turtle" in refusal.value.fix


@pytest.mark.parametrize(
    "predicate", ["https://x.example/größe", "https://x.example/päivä", "http://www.w3.org/2000/xmlns/ab"]
)
def test_rdf_xml_writes_unusual_predicates(predicate):
    tag = xml(document(payload_of((ROOT, f"<{predicate}>", '"x"')), "rdf"))[0][0].tag
    assert tag.replace("{", "").replace("}", "") == predicate


def test_a_page_leaves_out_and_names_what_rdf_xml_cannot_hold():
    odd = payload_of((ROOT, "<https://x.example/1>", '"x"'))
    catalogue = ("<https://city.example/catalog>", f"<{RDF.type}>", f"<{DCAT.Catalog}>")
    written = page([TREES, odd, TREES], [catalogue], "rdf")
    assert [(one.index, "<https://x.example/1>" in one.reason) for one in written.left_out] == [(1, True)]
    assert xml(written.body)[0].attrib == {f"{{{RDF.NS}}}about": "https://city.example/catalog"}
    assert page([TREES, odd], [catalogue], "ttl").left_out == ()


def test_a_page_of_nothing_is_well_formed_in_every_form():
    assert page([], [], "ttl").body == b""
    assert page([], [], "nt").body == b""
    assert orjson.loads(page([], [], "jsonld", context_url="x").body) == {"@context": "x", "@graph": []}
    assert xml(page([], [], "rdf").body).tag == f"{{{RDF.NS}}}RDF"
