"""Which files of a dataset are probably 3D city models: by what the portal says of them, without asking anybody.

A guess that only decides what is worth fetching; whether a file is a model, and which, its own bytes say (`inspect`).
Portals name formats loosely (a zipped CityGML is "ZIP", a tileset "JSON"), so titles and addresses count as well.
Pure: a payload in, addresses out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from node.catalog.hosts import host_of
from node.vocab.ntriples import is_iri, is_literal, language_of, triples_of, value_of
from node.vocab.terms import DCAT, DCT

MOST = 200
"""How many files of one dataset are looked at."""
_MAX_URL = 2_000
# A cheap look at all bytes first: nearly every record says nothing of the sort.
_HINT = re.compile(rb"city ?gml|city[+ ]?json|city\.json|3d[ -]?tiles|tileset\.json", re.IGNORECASE)
_NAMED = re.compile(r"\bcity ?gml\b|\bcity[+ ]?json(?:[ -]?seq)?\b|\b3d[ -]?tiles\b|json\+3dtiles", re.IGNORECASE)
_MODEL_FILE = re.compile(
    r"(?:\.city\.jsonl?|\.cityjson|\.cityjsonl|\.cityjsonseq|\.citygml|/tileset\.json)(?:\.gz|\.zip)?\Z", re.IGNORECASE
)
_ANY_FILE = re.compile(r"\.(?:json|jsonl|ndjson|gml|xml|zip|gz)\Z", re.IGNORECASE)
_SAYING = (DCT.title, DCT.description, DCT.format, DCAT.mediaType, DCT.conformsTo)
_Node = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a model: its address, and what its distribution is called, by language."""

    url: str
    title: Mapping[str, str] = field(default_factory=dict, hash=False)


def candidates_in(record: str, payload: bytes) -> list[Candidate]:
    """Give the files of a dataset that may be models, by address, each once; at most 200.

    A service is none, nor a page: an address that only gives access counts if it ends like a file.
    """
    if not _HINT.search(payload):
        return []
    found: dict[str, Candidate] = {}
    for node in distributions_of(record, payload):
        for url in _files(node):
            found.setdefault(url, Candidate(url, _title(node)))
    return [found[url] for url in sorted(found)[:MOST]]


def distributions_of(record: str, payload: bytes) -> list[_Node]:
    """Give what is said of each distribution of a dataset: its terms by predicate."""
    nodes: dict[str, dict[str, list[str]]] = {}
    for subject, predicate, value in triples_of(payload):
        nodes.setdefault(value_of(subject), {}).setdefault(value_of(predicate), []).append(value)
    return [nodes.get(value_of(name), {}) for name in nodes.get(record, {}).get(DCAT.distribution, ())]


def _files(node: _Node) -> Iterator[str]:
    """Give the addresses of a distribution that are worth fetching: what it downloads from, else where it is had."""
    downloads, named = urls_of(node, DCAT.downloadURL), named_as_model(node)
    for url in downloads or urls_of(node, DCAT.accessURL):
        path = urlsplit(url).path
        if _MODEL_FILE.search(path) or (named and (downloads or _ANY_FILE.search(path))):
            yield url


def urls_of(node: _Node, predicate: str) -> list[str]:
    """Give the addresses of a distribution that can be asked at all."""
    values = [value_of(term) for term in node.get(predicate, ()) if is_iri(term)]
    return [url for url in values if url.startswith(("https://", "http://")) and len(url) <= _MAX_URL and host_of(url)]


def named_as_model(node: _Node) -> bool:
    """Tell whether what is said of a distribution names a format of city models."""
    return any(_NAMED.search(value_of(term)) for predicate in _SAYING for term in node.get(predicate, ()))


def _title(node: _Node) -> dict[str, str]:
    terms = [term for term in node.get(DCT.title, ()) if is_literal(term)]
    return {language_of(term) or "und": value_of(term).strip() for term in terms if value_of(term).strip()}
