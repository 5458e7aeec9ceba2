"""What `/sparql` shows: an answer as a table for people, the examples of its page, and the endpoint's own description.

Pure: from the bytes of an answer to values for the template, from addresses to triples. The description follows SPARQL
1.1 Service Description and says what holds for whoever asks without a token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from node.vocab import ntriples

MOST_ROWS = 500
_SD = "http://www.w3.org/ns/sparql-service-description#"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_FORMATS = tuple(
    f"http://www.w3.org/ns/formats/{name}"
    for name in (
        "SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV", "Turtle", "N-Triples",
        "RDF_XML", "JSON-LD",
    )
)  # fmt: skip

EXAMPLES = (
    (
        "sparql.example_themes",
        """PREFIX dcat: <http://www.w3.org/ns/dcat#>
SELECT ?theme (COUNT(DISTINCT ?dataset) AS ?datasets) {
  ?dataset a dcat:Dataset ; dcat:theme ?theme .
}
GROUP BY ?theme
ORDER BY DESC(?datasets)""",
    ),
    (
        "sparql.example_formats",
        """PREFIX dcat: <http://www.w3.org/ns/dcat#>
PREFIX dct: <http://purl.org/dc/terms/>
SELECT DISTINCT ?dataset ?title {
  ?dataset a dcat:Dataset ; dct:title ?title ; dcat:distribution ?file .
  ?file dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> .
}
LIMIT 100""",
    ),
    (
        "sparql.example_graph",
        """PREFIX dcat: <http://www.w3.org/ns/dcat#>
SELECT ?graph ?subject ?property ?value {
  { SELECT ?graph { GRAPH ?graph { ?dataset a dcat:Dataset } } LIMIT 1 }
  GRAPH ?graph { ?subject ?property ?value }
}""",
    ),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row: `href` if it is an address that a browser may follow."""

    text: str
    href: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """An answer of rows, cut to as many as a page shows; `yes` is the answer to ASK."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    total: int
    yes: bool | None = None


def table_of(body: bytes) -> Table:
    """Read SPARQL results in JSON, as an engine wrote them."""
    told: dict[str, Any] = orjson.loads(body)
    if "boolean" in told:
        return Table((), (), 0, bool(told["boolean"]))
    columns = [str(name) for name in told["head"].get("vars", [])]
    found = told["results"]["bindings"]
    rows = [[_cell(row.get(name)) for name in columns] for row in found[:MOST_ROWS]]
    return Table(columns, rows, len(found))


def _cell(value: dict[str, Any] | None) -> Cell:
    if not value:
        return Cell("")
    text = str(value.get("value", ""))
    if value.get("type") == "uri":
        return Cell(text, href=text if text.startswith(("http://", "https://")) else "")
    return Cell(text, language=str(value.get("xml:lang", "")))


def description(base_url: str) -> bytes:
    """Describe the endpoint, as canonical N-Triples."""
    here = f"{base_url}/sparql"
    service, dataset, everything = f"{here}#service", f"{here}#dataset", f"{here}#all"
    triples = [
        (service, _TYPE, f"{_SD}Service"),
        (service, f"{_SD}endpoint", here),
        (service, f"{_SD}supportedLanguage", f"{_SD}SPARQL11Query"),
        (service, f"{_SD}feature", f"{_SD}UnionDefaultGraph"),
        (service, f"{_SD}defaultDataset", dataset),
        *((service, f"{_SD}resultFormat", each) for each in _FORMATS),
        (dataset, _TYPE, f"{_SD}Dataset"),
        (dataset, f"{_SD}defaultGraph", everything),
        (everything, _TYPE, f"{_SD}Graph"),
    ]
    return "".join(sorted(" ".join(ntriples.iri(term) for term in triple) + " .\n" for triple in triples)).encode()
