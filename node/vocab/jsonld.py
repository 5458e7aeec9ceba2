"""JSON-LD out, built straight from the payload: one object per subject, nested from the record.

Values are strings always, with their `@type` or `@language`; never JSON numbers or booleans, which readers rewrite
(`formats` 5). Keys are those of our context for the properties it knows, full IRIs for the rest. `rdf:JSON` keeps its
full IRI, so that no reader takes the string for JSON. No compaction algorithm runs here: building the tree by hand is
some two hundred times as fast as compacting it (`benchmarks/`). Pure: no I/O; no RDF library.
"""

import re
from functools import lru_cache
from typing import Any

import orjson

from node.vocab.contexts import CLASSES, CONTEXT_V1, KEYS, PREFIXES, Key
from node.vocab.ntriples import unescape
from node.vocab.subjects import LONGEST_CACHED, TYPE, Subjects, roots

# Readers and writers of JSON bound the nesting, so a chain of subjects (an RDF list) goes on in a new tree.
_MAX_DEPTH = 8
_TERMS = {name for name in CONTEXT_V1["@context"] if name[0] != "@"}
_LIKE_A_TERM = re.compile(f"<({'|'.join(sorted(_TERMS))}):".encode())
_BY_NAMESPACE = {namespace: prefix for prefix, namespace in PREFIXES.items()}
_NAME = re.compile(r"(.*[/#])([A-Za-z][A-Za-z0-9_-]*)\Z", re.DOTALL)

Json = dict[str, Any]


def clashes(text: bytes) -> frozenset[str]:
    """Find terms of our context that an IRI of the text has as its scheme, as `dcat:Dataset` by mistake has.

    A reader would take such an IRI for a shortened one. The document then unsets these terms and does without them.
    """
    return frozenset(found.decode() for found in _LIKE_A_TERM.findall(text))


def context(url: str, unset: frozenset[str]) -> str | list[Any]:
    """Give the value of `@context`: our address and, only where needed, the terms to unset."""
    return [url, dict.fromkeys(sorted(unset))] if unset else url


def _key(predicate: str, unset: frozenset[str]) -> Key:
    iri = predicate[1:-1]
    key = KEYS.get(iri)
    return key if key and key.name not in unset else Key(iri, coerced=False)


def _datatype(term: str, unset: frozenset[str]) -> str:
    return _shorten(term, unset) if len(term) <= LONGEST_CACHED else term[1:-1]


@lru_cache(maxsize=4096)
def _shorten(term: str, unset: frozenset[str]) -> str:
    match = _NAME.match(term[1:-1])
    prefix = _BY_NAMESPACE.get(match[1]) if match else None
    # rdf:JSON by its short name would do too, but some readers know it by that spelling: the full IRI is safe.
    if not match or not prefix or prefix == "rdf" or prefix in unset:
        return term[1:-1]
    return f"{prefix}:{match[2]}"


def _class(term: str, unset: frozenset[str]) -> str:
    name = CLASSES.get(term[1:-1], "")
    return name if name and name not in unset else term[1:-1]


def _literal(term: str, unset: frozenset[str]) -> str | Json:
    end = term.rindex('"')
    text = unescape(term[1:end])
    tail = term[end + 1 :]
    if not tail:
        return text
    if tail[0] == "@":
        return {"@language": tail[1:], "@value": text}
    return {"@type": _datatype(tail[2:], unset), "@value": text}


class _Tree:
    """One document being built: each subject is described once, where it is first met."""

    def __init__(self, subjects: Subjects, unset: frozenset[str]) -> None:
        self._waiting = dict(subjects)
        self._unset = unset

    def trees(self, first: list[str]) -> list[Json]:
        found = [self._node(subject, 0) for subject in first if subject in self._waiting]
        while self._waiting:
            found.append(self._node(next(iter(self._waiting)), 0))
        return found

    def _node(self, subject: str, depth: int) -> Json:
        properties = self._waiting.pop(subject)
        node: Json = {"@id": subject[1:-1]}
        types = properties.get(TYPE)
        if types:
            self._types(node, types)
        for predicate, things in properties.items():
            if predicate != TYPE:
                key, coerced = _key(predicate, self._unset)
                values = [self._value(thing, coerced, depth) for thing in things]
                node[key] = values if len(values) > 1 else values[0]
        return node

    def _types(self, node: Json, types: list[str]) -> None:
        names = [_class(thing, self._unset) for thing in types if thing[0] == "<"]
        if names:
            node["@type"] = names if len(names) > 1 else names[0]
        # A literal as a type is nonsense that must travel all the same; `@type` cannot hold it.
        odd = [_literal(thing, self._unset) for thing in types if thing[0] != "<"]
        if odd:
            node[TYPE[1:-1]] = odd

    def _value(self, thing: str, coerced: bool, depth: int) -> str | Json:  # noqa: FBT001 (the key says it)
        if thing[0] == "<":
            if depth < _MAX_DEPTH and thing in self._waiting:
                return self._node(thing, depth + 1)
            return thing[1:-1] if coerced else {"@id": thing[1:-1]}
        value = _literal(thing, self._unset)
        return {"@value": value} if coerced and isinstance(value, str) else value


def trees(subjects: Subjects, unset: frozenset[str]) -> list[Json]:
    """Give the subjects as nested objects, the record's first; one for a record, more where nothing points."""
    return _Tree(subjects, unset).trees(roots(subjects))


def document(subjects: Subjects, context_value: str | list[Any], unset: frozenset[str]) -> bytes:
    """Write one record: its object with the context on top, or a `@graph` if there is not exactly one."""
    found = trees(subjects, unset)
    if len(found) == 1:
        return orjson.dumps({"@context": context_value, **found[0]}, option=orjson.OPT_INDENT_2)
    return orjson.dumps({"@context": context_value, "@graph": found}, option=orjson.OPT_INDENT_2)
