"""Titles of drafts and records at the desk: in the reader's language where there is one, else marked as another's.

A title is the record's own words and no word of the desk, so it never stands unmarked on a page in another language.
Pure.
"""

from collections.abc import Mapping, Sequence

from node.vocab.kinds.field import Said
from node.vocab.ntriples import language_tag, literal, triples_of
from node.vocab.terms import DCT
from node.web.wording import text
from node.web.wording.graph import Described


def of_description(said: Said, reader: str, languages: Sequence[str], otherwise: str) -> text.Said:
    """Give the title of a description; where it has none, its name."""
    texts = said.get("title")
    named = texts.items() if isinstance(texts, Mapping) else [("", texts)] if isinstance(texts, str) else []
    terms = [literal(str(each), language=language_tag(tag) if tag != "und" else "") for tag, each in named if each]
    return text.choose(terms, reader, languages).clipped() or text.Said(otherwise)


def of_record(iri: str, payload: bytes, reader: str, languages: Sequence[str], otherwise: str) -> text.Said:
    """Give the title of a record; where it has none, its name."""
    terms = Described(triples_of(payload), iri, reader, languages).terms(iri, DCT.title)
    return text.choose(terms, reader, languages).clipped() or text.Said(otherwise)
