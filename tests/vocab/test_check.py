"""What the checks find and how they say it; that they agree with a SHACL engine is shown in `tests/conformance`."""

from importlib.resources import files

import pytest

from node.vocab import ntriples as nt
from node.vocab.check import findings
from node.vocab.rules import HVD_DISTRIBUTION, HVD_LEGISLATION, HVD_SHAPES, SHAPES
from node.vocab.shacl import text_of
from node.vocab.terms import DCAT, DCATAP, DCT, FOAF, RDF

IRI = "https://city.example/datasets/trees"
ROOT = f"<{IRI}>"
PART = "<https://city.example/files/trees.csv>"
TYPE = f"<{RDF.type}>"


def codes(triples, kind="dataset", level="mandatory"):
    return [one.code for one in findings(kind, IRI, triples) if one.level == level]


def titled(*more):
    return [
        (ROOT, TYPE, f"<{DCAT.Dataset}>"),
        (ROOT, f"<{DCT.title}>", '"Trees"@en'),
        (ROOT, f"<{DCT.description}>", '"All of them"@en'),
        *more,
    ]


def test_a_bare_dataset_lacks_its_title_and_description_first():
    found = findings("dataset", IRI, [])
    assert [(one.code, one.level) for one in found[:2]] == [
        ("description-missing", "mandatory"),
        ("title-missing", "mandatory"),
    ]
    assert found[0].message == "Add a description (dct:description) in at least one language."
    assert {one.code for one in found[2:]} == {
        *("contact-recommended", "distribution-recommended", "keyword-recommended", "period-recommended"),
        *("place-recommended", "publisher-recommended", "theme-recommended"),
    }


@pytest.mark.parametrize(
    ("predicate", "term", "code"),
    [
        (DCT.title, '"Puut"', "language-tag-missing"),
        (DCT.title, "<https://x.example/>", "language-tag-missing"),
        (DCAT.theme, '"Environment"', "not-an-iri"),
        (DCT.identifier, "<https://x.example/>", "not-a-literal"),
        (DCT.issued, '"31.5.2024"', "datatype-wrong"),
        (DCT.issued, f'"2024-02-3"^^<{nt.XSD}date>', "datatype-wrong"),
        (DCT.issued, f'"2024-05-31 10:00"^^<{nt.XSD}dateTime>', "datatype-wrong"),
        (DCAT.temporalResolution, f'"P"^^<{nt.XSD}duration>', "datatype-wrong"),
    ],
)
def test_a_value_of_the_wrong_sort_is_found(predicate, term, code):
    found = [one for one in findings("dataset", IRI, titled((ROOT, f"<{predicate}>", term))) if one.code == code]
    assert [(one.level, one.path) for one in found] == [("mandatory", predicate)]


@pytest.mark.parametrize(
    "term",
    [
        nt.literal("2024-05-31", datatype=nt.XSD + "date"),
        nt.literal("2024-05-31Z", datatype=nt.XSD + "date"),
        nt.literal("2024-05-31T24:00:00", datatype=nt.XSD + "dateTime"),
        nt.literal("2024-05-31T10:00:00.123+02:00", datatype=nt.XSD + "dateTime"),
        nt.literal("2024", datatype=nt.XSD + "gYear"),
        nt.literal("-0044-03", datatype=nt.XSD + "gYearMonth"),
    ],
)
def test_dates_keep_the_precision_they_have(term):
    assert codes(titled((ROOT, f"<{DCT.issued}>", term))) == []


def test_two_publishers_are_one_too_many():
    two = [(ROOT, f"<{DCT.publisher}>", f"<https://x.example/{n}>") for n in (1, 2)]
    assert codes(titled(*two)) == ["more-than-one"]


def test_a_frequency_from_elsewhere_is_named_with_its_table():
    found = findings("dataset", IRI, titled((ROOT, f"<{DCT.accrualPeriodicity}>", "<http://purl.org/cld/freq/daily>")))
    (one,) = [one for one in found if one.code == "not-from-table"]
    assert one.level == "recommended"
    assert one.message.endswith("from http://publications.europa.eu/resource/authority/frequency/.")


def test_a_finding_on_several_parts_stands_once_and_says_where():
    parts = [f"<https://city.example/files/{n}>" for n in "abc"]
    triples = titled(*((ROOT, f"<{DCAT.distribution}>", part) for part in parts))
    triples += [(part, TYPE, f"<{DCAT.Distribution}>") for part in parts]
    (one,) = [one for one in findings("dataset", IRI, triples) if one.code == "access-url-missing"]
    assert one.message == "Add an access address (dcat:accessURL). Seen at 3 distributions."
    (one,) = [one for one in findings("dataset", IRI, triples[:-2]) if one.code == "access-url-missing"]
    assert one.message.endswith("Seen at 1 distribution.")


def test_a_nameless_publisher_is_found():
    triples = titled((ROOT, f"<{DCT.publisher}>", PART), (PART, TYPE, f"<{FOAF.Organization}>"))
    assert codes(triples) == ["publisher-name-missing"]


def test_high_value_data_must_have_more():
    law = f"<{HVD_LEGISLATION}>"
    triples = titled(
        (ROOT, f"<{DCATAP.applicableLegislation}>", law),
        (ROOT, f"<{DCAT.distribution}>", PART),
        (PART, TYPE, f"<{DCAT.Distribution}>"),
        (PART, f"<{DCAT.accessURL}>", "<https://x.example/>"),
    )
    assert codes(triples) == ["hvd-category-missing", "hvd-legislation-missing"]
    without_files = triples[:4]
    assert codes(without_files) == ["hvd-category-missing", "hvd-distribution-missing"]


def test_a_kind_without_rules_of_its_own_is_checked_in_its_parts_only():
    assert findings("practice", IRI, [(ROOT, f"<{DCT.title}>", '"x"')]) == []
    assert codes([(PART, TYPE, f"<{DCAT.Distribution}>")], kind="practice") == ["access-url-missing"]


def test_findings_do_not_depend_on_the_order_of_triples():
    triples = titled((ROOT, f"<{DCAT.theme}>", '"x"'), (PART, TYPE, f"<{DCAT.Distribution}>"))
    assert findings("dataset", IRI, triples) == findings("dataset", IRI, triples[::-1])


def test_every_rule_can_be_read_aloud():
    for shape in (*SHAPES, *HVD_SHAPES, HVD_DISTRIBUTION):
        for rule in shape.rules:
            assert rule.noun.split()[0] in {"a", "an", "the", "another"} or rule.noun == "version notes", rule
            assert rule.values or rule.need


@pytest.mark.parametrize("part", ["mandatory", "recommended", "hvd"])
def test_the_committed_shapes_are_what_the_rules_give(part):
    committed = (files("node.vocab") / "shapes" / f"{part}.ttl").read_text(encoding="utf-8")
    assert committed == text_of(part), "write them anew: node.vocab.shacl.write_all(Path('node/vocab/shapes'))"
