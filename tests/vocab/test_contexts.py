"""The published context: closed under our own tables, and read alike by three libraries."""

import orjson
import pyoxigraph
import pytest
import rdflib
from pyld import jsonld as pyld

from node.vocab.contexts import CLASSES, CONTEXT_V1, CONTEXT_V1_BYTES, KEYS, PREFIXES, is_own_context
from node.vocab.terms import PREFIXES as KNOWN_PREFIXES

# Schemes of IRIs that sources use; a prefix of that name would change such IRIs for every reader.
SCHEMES = {"doi", "file", "ftp", "geo", "http", "https", "info", "mailto", "sip", "tag", "tel", "urn"}


def everything_once():
    """Make a document that uses every term of the context, and say which triples it stands for."""
    node, expected = {"@id": "https://x.example/1", "@type": sorted(CLASSES.values())}, set()
    expected |= {("type", iri) for iri in CLASSES}
    for iri, key in KEYS.items():
        value = "https://x.example/value"
        node[key.name] = [value, {"@value": "t", "@type": "xsd:gYear"}, {"@value": "t", "@language": "fi"}]
        expected |= {(iri, "iri" if key.coerced else "text"), (iri, "gYear"), (iri, "fi")}
    return {"@context": CONTEXT_V1["@context"], **node}, expected


def seen_by_oxigraph(document):
    for quad in pyoxigraph.parse(orjson.dumps(document), format=pyoxigraph.RdfFormat.JSON_LD):
        term = quad.object
        if isinstance(term, pyoxigraph.Literal):
            yield quad.predicate.value, term.language or "", term.datatype.value
        else:
            yield quad.predicate.value, None, term.value


def seen_by_rdflib(document):
    for _, predicate, term in rdflib.Graph().parse(data=orjson.dumps(document), format="json-ld"):
        literal = isinstance(term, rdflib.Literal)
        yield (
            str(predicate),
            (term.language or "") if literal else None,
            str(term.datatype or "") if literal else str(term),
        )


def seen_by_pyld(document):
    for triple in pyld.to_rdf(document)["@default"]:
        term = triple["object"]
        literal = term["type"] == "literal"
        yield (
            triple["predicate"]["value"],
            term.get("language", "") if literal else None,
            (term["datatype"] if literal else term["value"]),
        )


def in_short(triples):
    for predicate, language, value in triples:
        if predicate.endswith("#type") and language is None:
            yield "type", value
        elif language is None:
            yield predicate, "iri"
        else:
            yield predicate, language or ("gYear" if value.endswith("gYear") else "text")


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("reader", [seen_by_oxigraph, seen_by_rdflib, seen_by_pyld])
def test_every_term_means_the_same_to_every_library(reader):
    document, expected = everything_once()
    assert set(in_short(reader(document))) == expected


def test_prefixes_are_those_of_our_vocabulary_tables():
    assert {prefix: KNOWN_PREFIXES[prefix] for prefix in PREFIXES} == PREFIXES


def test_every_term_is_in_a_known_namespace_and_spells_a_known_term():
    for iri in [*KEYS, *CLASSES]:
        assert any(iri.startswith(namespace) for namespace in PREFIXES.values()), iri


def test_no_entry_is_named_like_a_scheme_and_no_iri_has_two_names():
    terms = CONTEXT_V1["@context"]
    assert not SCHEMES & {name.lower() for name in terms}
    assert len(terms) == 1 + len(PREFIXES) + len(KEYS) + len(CLASSES)


def test_what_is_served_is_what_is_read():
    assert orjson.loads(CONTEXT_V1_BYTES) == CONTEXT_V1


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://city.example/contexts/v1.jsonld", True),
        ("http://elsewhere.example:8080/node/contexts/v1.jsonld", True),
        ("https://city.example/contexts/v1.jsonld?x=1", True),
        ("https://city.example/contexts/v2.jsonld", False),
        ("https://city.example/x?y=/contexts/v1.jsonld", False),
        ("file:///contexts/v1.jsonld", False),
    ],
)
def test_a_context_is_ours_by_its_path_on_any_web_host(url, own):
    assert is_own_context(url) is own
