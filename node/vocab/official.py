"""Reads the EU Publications Office's own authority files (SKOS, any RDF form) into the same tables as ours.

The only module that imports rdflib: for files an operator downloaded and trusts, never for a stranger's bytes
(those go through `parse.py`). Used to compare our compact tables with the official ones, and to show what is new.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.sax import SAXException

import rdflib
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DC, DCTERMS, OWL, RDF, SKOS
from rdflib.util import guess_format

from node.errors import Malformed, NotFound
from node.vocab.tables import LABEL_LANGUAGES, Concept, Table

# rdflib rewrites literals such as "01"^^xsd:integer by default; a label or a code must stay as it was written.
rdflib.NORMALIZE_LITERALS = False

_EUVOC = "http://publications.europa.eu/ontology/euvoc#"
_NOTATION = URIRef(_EUVOC + "xlNotation")
_CODIFICATION = URIRef(_EUVOC + "xlCodification")
_MEDIA_NOTATION = URIRef("http://publications.europa.eu/resource/authority/notation-type/IANA_MT")
_DEPRECATED = URIRef("http://publications.europa.eu/ontology/authority/deprecated")


def load_official(path: Path, *, base: str = "") -> Table:
    """Read an authority table from RDF/XML, Turtle, N-Triples or JSON-LD, told apart by the file's suffix.

    Args:
        path: The file; it is read whole (the largest official table here takes a second).
        base: Keep only concepts whose IRI begins so; the longest common beginning if empty.

    Returns:
        A table named after the file. Its concepts have the facts `media` (media types, joined by `|`), `broader`
        (codes, joined by `|`), `deprecated` (`true` or empty) and `version`.

    Raises:
        NotFound: No such file.
        Malformed: It is not RDF in the form that its suffix says, or has no concept under `base`.
    """
    graph = _parse(path)
    version = str(next(graph.objects(None, OWL.versionInfo), ""))
    iris = sorted(_concept_iris(graph, base))
    if not iris:
        raise Malformed(f"{path.name} holds no concepts.", fix="Download the table as SKOS, not as a code list.")
    prefix = base or iris[0][: iris[0].rindex("/") + 1]
    concepts = tuple(_concept(graph, iri, prefix, version) for iri in iris)
    return Table(path.stem, prefix, lambda: concepts)


def _parse(path: Path) -> Graph:
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    form = guess_format(str(path)) or "xml"
    try:
        return Graph().parse(path, format=form)
    except (SAXException, SyntaxError, ValueError) as error:
        raise Malformed(f"{path.name} cannot be read as {form}: {error}") from error


def _concept_iris(graph: Graph, base: str) -> Iterator[str]:
    schemes = set(graph.objects(None, SKOS.inScheme)) | set(graph.subjects(RDF.type, SKOS.ConceptScheme))
    naming = (SKOS.prefLabel, DC.identifier, DCTERMS.identifier)
    named = {subject for predicate in naming for subject in graph.subjects(predicate, None)}
    for subject in named - schemes:
        if isinstance(subject, URIRef) and str(subject).startswith(base):
            yield str(subject)


def _concept(graph: Graph, iri: str, prefix: str, version: str) -> Concept:
    subject = URIRef(iri)
    labels = {
        label.language: str(label)
        for label in graph.objects(subject, SKOS.prefLabel)
        if isinstance(label, Literal) and label.language in LABEL_LANGUAGES
    }
    return Concept(
        code=iri.removeprefix(prefix),
        iri=iri,
        labels=labels,
        facts={
            "media": "|".join(sorted(_media(graph, subject))),
            "broader": "|".join(sorted(str(o).removeprefix(prefix) for o in graph.objects(subject, SKOS.broader))),
            "deprecated": "true" if str(graph.value(subject, _DEPRECATED)) == "true" else "",
            "version": version,
        },
    )


def _media(graph: Graph, subject: URIRef) -> Iterator[str]:
    for notation in graph.objects(subject, _NOTATION):
        if graph.value(notation, DCTERMS.type) == _MEDIA_NOTATION:
            yield str(graph.value(notation, _CODIFICATION))
