"""A dataset that passes every metric, written so that a test can take one thing away."""

from node.vocab import ntriples
from node.vocab.ntriples import Triple
from tests.web.cities import EU, payload

IRI = "https://data.example/datasets/trees"
FILE = "https://data.example/datasets/trees/csv"
ACCESS, DOWNLOAD = "https://files.example/trees", "https://files.example/trees.csv"
ANSWERS: dict[str, bool | None] = {ACCESS: True, DOWNLOAD: True}
_DATE = '"2026-01-01"^^<http://www.w3.org/2001/XMLSchema#date>'
_SIZE = '"1000"^^<http://www.w3.org/2001/XMLSchema#nonNegativeInteger>'

STATEMENTS: tuple[tuple[str, str, str], ...] = (
    (IRI, "rdf:type", "dcat:Dataset"),
    (IRI, "dct:title", '"Trees"@en'),
    (IRI, "dct:description", '"Every tree."@en'),
    (IRI, "dcat:keyword", '"tree"@en'),
    (IRI, "dcat:theme", EU + "data-theme/ENVI"),
    (IRI, "dct:spatial", EU + "country/FIN"),
    (IRI, "dct:temporal", f"{IRI}/period"),
    (IRI, "dct:accessRights", EU + "access-right/PUBLIC"),
    (IRI, "dcat:contactPoint", f"{IRI}/team"),
    (IRI, "dct:publisher", f"{IRI}/city"),
    (f"{IRI}/city", "rdf:type", "foaf:Organization"),
    (f"{IRI}/city", "foaf:name", '"City"'),
    (IRI, "dcat:distribution", FILE),
    (FILE, "rdf:type", "dcat:Distribution"),
    (FILE, "dcat:accessURL", ACCESS),
    (FILE, "dcat:downloadURL", DOWNLOAD),
    (FILE, "dct:format", EU + "file-type/CSV"),
    (FILE, "dcat:mediaType", "https://www.iana.org/assignments/media-types/text/csv"),
    (FILE, "dct:license", EU + "licence/CC_BY_4_0"),
    (FILE, "dct:rights", f"{IRI}/rights"),
    (FILE, "dcat:byteSize", _SIZE),
    (FILE, "dct:issued", _DATE),
    (FILE, "dct:modified", _DATE),
)


def triples(
    *, without: str = "", instead: dict[str, str] | None = None, more: tuple[tuple[str, str, str], ...] = ()
) -> list[Triple]:
    """Give the triples; without a property, with other values of properties, or with further statements."""
    changed = instead or {}
    kept = [(s, p, changed.get(p, o)) for s, p, o in STATEMENTS if p != without]
    return ntriples.triples_of(payload(*kept, *more))
