"""Which columns two records have in common, as far as looking into their files tells: the same name, and the same type.

A guess, and said to be one: people who know the data say it better, in a set of their own (`set_records`). Only our own
open files are looked into, so of a mirrored record nothing is known here. Values only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.catalog.previews.values import Column
from node.web.parts import Parts
from node.web.records.compare import Line, Side
from node.web.records.inside import table_in
from node.web.wording import text
from node.web.wording.text import Said
from node.web.wording.words import words

MOST = 40
_JOINTS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Seen:
    """The columns of one record's first table, and how many rows that has; None where nobody read to its end."""

    columns: tuple[Column, ...]
    rows: int | None


def seen_in(parts: Parts, sides: Sequence[Side]) -> dict[str, Seen]:
    """Give what is known of the records' files, by IRI: of each the first table that could be read."""
    knowledge, own = parts.site.knowledge, {info.name for info in parts.reading.own()}
    found: dict[str, Seen] = {}
    if knowledge is None:
        return found
    for side in (each for each in sides if each.held.collection in own):
        tables = (table_in(look.facts) for look in knowledge.previews.looks.of(side.held.collection, side.held.iri))
        table = next((each for each in tables if each is not None), None)
        if table is not None:
            found[side.held.iri] = Seen(table.columns, table.rows)
    return found


def rows_line(sides: Sequence[Side], seen: Mapping[str, Seen], reader: str) -> list[Line]:
    """Give the line that says how many rows each has; none where nothing is known."""
    counts = [seen[side.held.iri].rows if side.held.iri in seen else None for side in sides]
    if not any(counts):
        return []
    cells = tuple(((Said(text.number(count, reader)), ""),) if count is not None else () for count in counts)
    return [Line(words(reader, "compare.rows"), cells)]


def alike(seen: Mapping[str, Seen], reader: str) -> list[dict[str, object]]:
    """Give the columns that at least two records have by the same name, as those of a set are told; forty at most."""
    named: dict[str, dict[str, Column]] = {}
    for iri, one in seen.items():
        for column in one.columns:
            named.setdefault(_spelt(column.name), {}).setdefault(iri, column)
    shared = [columns for name, columns in named.items() if name and len(columns) > 1]
    return [_told(columns, reader) for columns in shared[:MOST]]


def _spelt(name: str) -> str:
    """Spell a name so that `Street_Name` and `street name` are one."""
    return _JOINTS.sub("", name.casefold())


def _told(columns: Mapping[str, Column], reader: str) -> dict[str, object]:
    types = list(dict.fromkeys(column.type for column in columns.values() if column.type != "empty"))
    return {
        "meaning": next(iter(columns.values())).name,
        "match": "same" if len(types) < 2 else "convert",
        "note": ", ".join(words(reader, f"inside.type.{each}") for each in types),
        "names": {iri: column.name for iri, column in columns.items()},
    }
