"""A record's own DCAT-AP terms as the prefixed keys that a dataset of the protocol may carry.

One graph, two serialisations: the protocol's context knows the prefixes `dct` and `dcat`, so what is written here
expands to the very triples of the record's page. Only what is said of the record itself, with those two vocabularies;
the keys that the protocol has itself (policies, distributions) are its own. Long values are left out, not cut.
"""

import re
from typing import Any

from node.vocab.ntriples import Triple, datatype_of, is_iri, language_of, triples_of, value_of

__all__ = ["described", "texts"]

PREFIXES = {"http://purl.org/dc/terms/": "dct:", "http://www.w3.org/ns/dcat#": "dcat:"}
MAX_BYTES = 8 * 1024
MAX_VALUES = 50
_OWN_KEYS = frozenset({"dcat:distribution", "dcat:dataset", "dcat:service", "dcat:catalog"})
_LOCAL = re.compile(r"[A-Za-z][A-Za-z0-9]*\Z")


def described(iri: str, payload: bytes) -> dict[str, Any]:
    """Give the terms of a record, by prefixed key in order; a list where there are several values."""
    subject, found, size = f"<{iri}>", dict[str, list[Any]](), 0
    for triple in triples_of(payload):
        key = _key(triple) if triple[0] == subject else ""
        if not key or len(found.get(key, ())) >= MAX_VALUES or size + len(triple[2]) > MAX_BYTES:
            continue
        size += len(triple[2])
        found.setdefault(key, []).append(_value(triple[2]))
    return {key: values[0] if len(values) == 1 else values for key, values in sorted(found.items())}


def texts(title: str, note: str, language: str) -> dict[str, Any]:
    """Give the terms of something of which no more is told than a title and a note, in the city's language."""
    said = {"dct:title": title, "dct:description": note}
    return {key: {"@value": text, "@language": language} for key, text in said.items() if text}


def _key(triple: Triple) -> str:
    name = value_of(triple[1])
    for namespace, prefix in PREFIXES.items():
        if name.startswith(namespace):
            key = prefix + name.removeprefix(namespace)
            return key if _LOCAL.match(name.removeprefix(namespace)) and key not in _OWN_KEYS else ""
    return ""


def _value(term: str) -> object:
    if is_iri(term):
        return {"@id": value_of(term)}
    if language := language_of(term):
        return {"@value": value_of(term), "@language": language}
    if datatype := datatype_of(term):
        return {"@value": value_of(term), "@type": datatype}
    return value_of(term)
