"""From the address of a page about a record to the record's own address.

People copy what stands in the browser; of a record that is mirrored that is a node's page `/records?iri=…`, and a link
to it would name a page and no record. Where a link is to lead to a record, the record is meant. Pure: asks nobody, and
goes by the spelling alone, since the page may be any city's.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from node.records import KINDS
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import is_link
from node.vocab.kinds.field import Field, Said

_PAGES = ("/records", "/records/relations", "/records/proof", "/records/findings")
_ENDINGS = ("", ".html", ".json", ".jsonld", ".ttl", ".rdf", ".nt")
_ENDS = tuple(page + ending for page in _PAGES for ending in _ENDINGS)
_WRITTEN = [[KINDS[kind]] for kind in TABLES]
_MAX_FIELDS = 10


def record_of(link: str) -> str:
    """Give the record that a link is about: the IRI in a node's `/records?iri=`, or the link without `?lang=`.

    Only pages of kinds that cities write lose the language; another portal's dataset may be named by such an address.
    """
    if "?" not in link:
        return link
    try:
        parts = urlsplit(link)
        said = parse_qs(parts.query, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return link
    if list(said) == ["lang"] and parts.path.split("/")[-2:-1] in _WRITTEN:
        return link.partition("?")[0]
    named = said.get("iri", [])
    is_page = parts.path.endswith(_ENDS) and len(named) == 1 and is_link(named[0])
    return named[0] if is_page else link


def with_records(fields: Sequence[Field], said: Said) -> dict[str, Any]:
    """Give a tidy description with the record's address wherever it links to a page about a record."""
    made = dict(said)
    for field in fields:
        value = made.get(field.name)
        if value is not None and (field.form == "group" or (field.form == "link" and field.to)):
            many = isinstance(value, list)
            kept = [_of(field, each) for each in (value if many else [value])]
            made[field.name] = kept if many else kept[0]
    return made


def _of(field: Field, value: Any) -> Any:  # noqa: ANN401 (what does not fit stays for the check to name)
    if field.form == "group":
        return with_records(field.fields, value) if isinstance(value, Mapping) else value
    return record_of(value) if isinstance(value, str) else value
