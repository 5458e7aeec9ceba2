"""What tests of the parser share."""

from collections.abc import Callable
from typing import Any

from node.vocab.parse import ParseReport

TURTLE, XML, JSONLD = "text/turtle", "application/rdf+xml", "application/ld+json"
BASE = "https://portal.example/data/"
RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e/">'
Rdf = Callable[..., tuple[list[str], ParseReport]]
Json = Callable[..., tuple[Any, list[Any], ParseReport]]


def codes(report: ParseReport) -> set[str]:
    return {finding.code for finding in report.findings}
