"""The compiled checks and a SHACL engine over our shapes find the same: per record, the same paths and levels."""

import logging
import random
from pathlib import Path

import pyoxigraph
import pyshacl
import pytest
import rdflib
from rdflib.namespace import SH

from node.records import KINDS
from node.vocab import ntriples as nt
from node.vocab.check import findings
from node.vocab.rules import HVD_LEGISLATION, SHAPES
from node.vocab.terms import DCAT, DCATAP, DCT, FOAF, RDF

SHAPES_FOLDER = Path(__file__).parents[2] / "node" / "vocab" / "shapes"
LEVELS = {SH.Violation: "mandatory", SH.Warning: "recommended"}
ROOTS = {DCAT.Dataset: "dataset", DCAT.DatasetSeries: "dataset-series", DCAT.DataService: "data-service"}
XSD = nt.XSD
EU = "http://publications.europa.eu/resource/authority"

GOOD = {
    "iri": ["<https://x.example/1>", f"<{EU}/frequency/DAILY>", f"<{EU}/file-type/CSV>", f"<{EU}/language/FIN>"],
    "text": ['"hei"@fi', '"hello"@en', '"hallo"@en-t-nl'],
    "literal": ['"x"', '"x"@en', f'"1"^^<{XSD}integer>'],
    "moment": [
        nt.literal(text, datatype=XSD + kind)
        for text, kind in [
            ("2024-05-31", "date"),
            ("2024-05-31+02:00", "date"),
            ("2024-05-31T10:00:00.5Z", "dateTime"),
            ("2024", "gYear"),
            ("2024-05", "gYearMonth"),
        ]
    ],
    "size": [nt.literal("12", datatype=XSD + "nonNegativeInteger")],
    "decimal": [nt.literal("2.50", datatype=XSD + "decimal")],
    "duration": [nt.literal(text, datatype=XSD + "duration") for text in ("P1D", "PT15M", "P1Y2M")],
    "hex": [nt.literal("00fFa1", datatype=XSD + "hexBinary")],
}
BAD = [
    *('"plain"', '"2024-05-31"', '"text"@sv', "<https://x.example/2>"),
    nt.literal("yesterday", datatype=XSD + "date"),
    nt.literal("2024-13-01", datatype=XSD + "date"),
    nt.literal("noon", datatype=XSD + "dateTime"),
    nt.literal("12.5", datatype=XSD + "decimal"),
    nt.literal("many", datatype=XSD + "nonNegativeInteger"),
    nt.literal("f", datatype=XSD + "hexBinary"),
    nt.literal("1 day", datatype=XSD + "duration"),
]


@pytest.fixture(autouse=True)
def _literals_as_they_stand(monkeypatch):
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    # It logs a traceback for every value that is not of its datatype; here those are on purpose.
    monkeypatch.setattr(logging.getLogger("rdflib.term"), "disabled", True)


def by_the_engine(triples):
    """Give focus node -> {(path, level)} for all triples at once; loading the shapes is what costs."""
    shapes = rdflib.Graph()
    for part in ("mandatory", "recommended", "hvd"):
        shapes.parse(SHAPES_FOLDER / f"{part}.ttl")
    data = rdflib.Graph().parse(data="".join(f"{s} {p} {o} .\n" for s, p, o in triples), format="nt")
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, advanced=True, inference="none")
    found = {}
    for result in report.subjects(rdflib.RDF.type, SH.ValidationResult):
        said = (str(report.value(result, SH.resultPath)), LEVELS[report.value(result, SH.resultSeverity)])
        found.setdefault(f"<{report.value(result, SH.focusNode)}>", set()).add(said)
    return found


def assert_same(records):
    """Compare, record by record: `records` holds (kind, IRI, triples)."""
    theirs = by_the_engine({triple for _, _, triples in records for triple in triples})
    for kind, iri, triples in records:
        ours = {(one.path, one.level) for one in findings(kind, iri, triples)}
        expected = set().union(*(theirs.get(subject, set()) for subject in {triple[0] for triple in triples}))
        assert ours == expected, (iri, ours ^ expected)


def invented(rng, number):
    """Make a record of several described things with values good, bad, several and missing."""
    root_class = rng.choice(list(ROOTS))
    root = f"https://city.example/things/{number}"
    triples = {(f"<{root}>", f"<{RDF.type}>", f"<{root_class}>")}
    if rng.random() < 0.3:
        triples.add((f"<{root}>", f"<{DCATAP.applicableLegislation}>", f"<{HVD_LEGISLATION}>"))
    things = [(f"<{root}>", shape) for shape in SHAPES if root_class in shape.classes]
    for place, shape in enumerate(rng.sample(SHAPES[3:], 4)):
        thing = f"<{root}/part/{place}>"
        triples.add((thing, f"<{RDF.type}>", f"<{rng.choice(shape.classes)}>"))
        triples.add(
            (f"<{root}>", f"<{DCAT.distribution if DCAT.Distribution in shape.classes else DCT.relation}>", thing)
        )
        things.append((thing, shape))
    for thing, shape in things:
        for rule in shape.rules:
            for _ in range(rng.choice([0, 1, 1, 1, 2])):
                pool = GOOD[rule.values] if rng.random() < 0.85 else BAD
                triples.add((thing, f"<{rule.path}>", rng.choice(pool)))
    return ROOTS[root_class], root, sorted(triples)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_invented_records_are_judged_alike(seed):
    rng = random.Random(seed)
    assert_same([invented(rng, number) for number in range(60)])


def records_in(path, media_type):
    """Cut a catalogue into records, roughly: what a dataset reaches before the next record; blank nodes get IRIs."""
    quads = pyoxigraph.parse(path.read_bytes(), format=media_type, base_iri="https://x.example/", lenient=True)
    about = {}
    for quad in quads:
        subject, predicate, thing = (_named(term) for term in quad.triple)
        about.setdefault(subject, []).append((subject, predicate, thing))
    kinds = {
        subject: kind
        for subject, triples in about.items()
        for kind in ROOTS.values()
        if any(p == f"<{RDF.type}>" and ROOTS.get(o[1:-1]) == kind for _, p, o in triples)
    }
    assert set(kinds.values()) <= set(KINDS)
    return [(kind, subject[1:-1], _reached(subject, about, kinds)) for subject, kind in kinds.items()]


def _named(term):
    if isinstance(term, pyoxigraph.BlankNode):
        return f"<https://x.example/.well-known/genid/{term.value}>"
    if isinstance(term, pyoxigraph.Literal):
        return nt.literal(term.value, language=(term.language or "").lower(), datatype=term.datatype.value)
    return nt.iri(term.value)


def _reached(root, about, kinds):
    seen, waiting, triples = {root}, [root], []
    while waiting:
        for triple in about[waiting.pop()]:
            triples.append(triple)
            if triple[2] in about and triple[2] not in kinds and triple[2] not in seen:
                seen.add(triple[2])
                waiting.append(triple[2])
    return triples


REAL = [
    ("be-antwerp-ghent-dcat-ap/antwerp-sample.ttl", pyoxigraph.RdfFormat.TURTLE),
    ("be-antwerp-ghent-dcat-ap/ghent.rdf", pyoxigraph.RdfFormat.RDF_XML),
    ("it-municipalities-dcat-ap-it/alessandria.rdf", pyoxigraph.RdfFormat.RDF_XML),
    ("it-municipalities-dcat-ap-it/brescia-mobilita.rdf", pyoxigraph.RdfFormat.RDF_XML),
]


@pytest.mark.real
@pytest.mark.parametrize(("name", "media_type"), REAL, ids=[name for name, _ in REAL])
def test_real_records_are_judged_alike(name, media_type, sample_data):
    records = records_in(sample_data / "data" / name, media_type)
    assert records
    # The engine does some hundred records a second, so a part of a large catalogue has to do.
    assert_same(random.Random(1).sample(records, min(len(records), 120)))


@pytest.mark.parametrize("kind", ["dataset", "dataset-series", "data-service"])
def test_a_complete_record_has_no_findings_in_either(kind):
    shape = next(shape for shape in SHAPES if ROOTS.get(shape.classes[0]) == kind)
    root = f"<https://city.example/{kind}>"
    triples = [(root, f"<{RDF.type}>", f"<{shape.classes[0]}>")]
    for rule in shape.rules:
        value = f"<{rule.table[0]}X>" if rule.table else GOOD[rule.values][0]
        triples.append((root, f"<{rule.path}>", value))
    assert findings(kind, root[1:-1], triples) == []
    assert by_the_engine(triples) == {}
    assert FOAF.page in {rule.path for rule in shape.rules} or kind == "dataset-series"
