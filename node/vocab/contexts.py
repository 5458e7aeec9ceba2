"""The JSON-LD context that this node publishes, and what it means for a writer.

The context itself is data (`data/context-v1.jsonld`); here it is read once and turned round, from IRI to key.
Published at `<base>/contexts/v1.jsonld`; every node maps that path on any host to this copy and fetches none. Terms
of properties that take IRIs are coerced to `@id`; no term is coerced to a datatype, because payloads keep the
datatype and the lexical form of the source. A published version is never changed: a new one gets a new number.
"""

from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

CONTEXT_PATH = "/contexts/v1.jsonld"


class Key(NamedTuple):
    """A property's key in our JSON-LD; `coerced` if a bare string there is read as an IRI."""

    name: str
    coerced: bool


def _read() -> tuple[bytes, dict[str, Any]]:
    body = (files("node.vocab") / "data" / "context-v1.jsonld").read_bytes()
    return body, orjson.loads(body)


CONTEXT_V1_BYTES, CONTEXT_V1 = _read()
"""The published document, `{"@context": {…}}`: as the bytes to serve and as read."""


def _is_prefix(value: object) -> bool:
    return isinstance(value, str) and value[-1] in "/#"


def _turn_round(terms: dict[str, Any]) -> tuple[dict[str, str], dict[str, Key], dict[str, str]]:
    """Sort the context's entries into prefixes, property keys by IRI and class names by IRI."""
    prefixes = {name: value for name, value in terms.items() if _is_prefix(value)}
    keys: dict[str, Key] = {}
    classes: dict[str, str] = {}
    for name, value in terms.items():
        if name in prefixes or name[0] == "@":
            continue
        if name[0].isupper():
            classes[value] = name
        elif isinstance(value, dict):
            keys[value["@id"]] = Key(name, coerced=True)
        else:
            keys[value] = Key(name, coerced=False)
    return prefixes, keys, classes


PREFIXES, KEYS, CLASSES = _turn_round(CONTEXT_V1["@context"])
"""Prefix -> namespace; property IRI -> key; class IRI -> name, all as the context has them."""


def is_own_context(url: str) -> bool:
    """Tell whether a context's address is ours by its path, on whatever host it claims to be."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and parts.path.endswith(CONTEXT_PATH)
