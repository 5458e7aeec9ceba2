"""What a record's page says of its correction: that a city set something right which its source publishes otherwise.

Read from the record itself, so a mirrored record says it as well, and of the city that corrected it: a partner by its
name, anybody else by the address of their node. Who of the city's people it was stands in no record. Pure.
"""

from dataclasses import dataclass

from node.vocab import overlay
from node.web.parts import Parts
from node.web.records.touching import said_in_words
from node.web.wording import text


@dataclass(frozen=True, slots=True)
class Corrected:
    """Who corrected, when, and what, in words."""

    city: str
    date: str
    fields: str


def corrected_in(parts: Parts, iri: str, payload: bytes, reader: str) -> Corrected | None:
    """Read what a record says of its correction; None if it says nothing."""
    told = overlay.told_in(iri, payload)
    if told is None:
        return None
    fields = ", ".join(said_in_words(each.label, reader) for each in told.fields)
    return Corrected(parts.city_at(told.by), text.date_text(told.at[:10], reader), fields)
