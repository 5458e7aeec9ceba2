"""Which properties of practices, AI systems and the like a searcher reads: every text of their tables, and the codes.

Worked out from the tables of fields once per kind: a field that is added to a table is found by its words. A code is
found by its label in any language. Services are described by DCAT's own properties, which are read already. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from node.vocab.kinds import TABLES
from node.vocab.kinds.field import Codes, Field
from node.vocab.terms import DCAT, DCT, FOAF, VCARD

_READ_ALREADY = {DCT.title, DCAT.keyword, FOAF.name, VCARD.fn}
_AS_DATASETS = frozenset({"data-service"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of one kind, each property once and in the order of the table.

    Attributes:
        texts: The properties, as terms, whose texts are read of all its nodes.
        own: The properties, as IRIs, of the record itself.
        codes: For properties of codes: the labels by language of each value.
        names: What the kind is called, with the languages.
        read: All properties, as terms.
    """

    texts: tuple[str, ...]
    own: tuple[str, ...]
    codes: Mapping[str, Mapping[str, Mapping[str, str]]]
    names: tuple[tuple[str, str], ...]
    read: frozenset[str]


NOTHING = Wanted((), (), {}, (), frozenset())


@lru_cache(maxsize=64)
def wanted_of(kind: str) -> Wanted:
    """Say what is read of a kind; nothing of one without a table."""
    table = TABLES.get(kind) if kind not in _AS_DATASETS else None
    if table is None:
        return NOTHING
    fields = list(_all(table.fields))
    codes: dict[str, dict[str, Mapping[str, str]]] = {}
    for each in fields:
        if isinstance(each.codes, Codes):
            said = {f"<{each.codes.iri_of(one.code)}>": one.label for one in each.codes.codes}
            codes.setdefault(f"<{each.term}>", {}).update(said)
    texts = tuple(dict.fromkeys(f"<{each.term}>" for each in fields if _is_text(each)))
    own = tuple(dict.fromkeys(each.term for each in table.fields if _is_text(each)))
    names = tuple((title, tag) for tag, title in table.title.items())
    return Wanted(texts, own, codes, names, frozenset((*texts, *codes)))


def _all(fields: Sequence[Field]) -> Iterator[Field]:
    for each in fields:
        yield each
        yield from _all(each.fields)


def _is_text(field: Field) -> bool:
    return field.by_language and field.term not in _READ_ALREADY
