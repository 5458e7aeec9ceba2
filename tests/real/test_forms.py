"""Real catalogues in every form we publish, read back by another library: the same sorted N-Triples."""

import orjson
import pyoxigraph
import pytest

from node.vocab.contexts import CONTEXT_V1
from node.vocab.ntriples import iri, literal
from node.vocab.serialise import document

FILES = [
    ("be-antwerp-ghent-dcat-ap/antwerp-sample.ttl", pyoxigraph.RdfFormat.TURTLE),
    ("be-antwerp-ghent-dcat-ap/ghent.rdf", pyoxigraph.RdfFormat.RDF_XML),
    ("it-municipalities-dcat-ap-it/alessandria.rdf", pyoxigraph.RdfFormat.RDF_XML),
    ("it-municipalities-dcat-ap-it/brescia-mobilita.rdf", pyoxigraph.RdfFormat.RDF_XML),
]
FORMS = {
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "rdf": pyoxigraph.RdfFormat.RDF_XML,
    "jsonld": pyoxigraph.RdfFormat.JSON_LD,
}


def read(data, media_type):
    quads = pyoxigraph.parse(data, format=media_type, base_iri="https://x.example/", lenient=True)
    return "".join(sorted({f"{' '.join(spelt(term) for term in quad.triple)} .\n" for quad in quads})).encode()


def spelt(term):
    if isinstance(term, pyoxigraph.Literal):
        return literal(term.value, language=(term.language or "").lower(), datatype=term.datatype.value)
    name = term.value
    return iri(f"https://x.example/.well-known/genid/{name}" if isinstance(term, pyoxigraph.BlankNode) else name)


def with_context_inline(value):
    """Put our context where its address stands; what a document unsets stays (some IRIs here begin `dct:`)."""
    parts = value["@context"] if isinstance(value["@context"], list) else [value["@context"]]
    return orjson.dumps({**value, "@context": [CONTEXT_V1["@context"], *parts[1:]]})


@pytest.mark.parametrize(("name", "media_type"), FILES, ids=[name for name, _ in FILES])
def test_every_form_of_a_real_catalogue_reads_back_the_same(name, media_type, sample_data):
    payload = read((sample_data / "data" / name).read_bytes(), media_type)
    assert payload.count(b"\n") > 100
    for suffix, form in FORMS.items():
        written = document(payload, suffix, context_url="https://x.example/contexts/v1.jsonld")
        if suffix == "jsonld":
            written = with_context_inline(orjson.loads(written))
        assert read(written, form) == payload, suffix
