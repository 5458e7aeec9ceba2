# ruff: noqa: RUF001 - sizes are written with a multiplication sign.
"""What a record's page shows of its files' insides: tables, maps, models and pictures as values for the template.

Everything in them came out of a stranger's file and is text. What cannot be shown says why; what was not looked at yet,
or is of another city, says so too: three kinds of nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from node.catalog.previews.values import Column, Preview, Table, from_json
from node.vocab.terms import DCAT
from node.web.ports.previews import Look
from node.web.records.view import File
from node.web.wording import text
from node.web.wording.graph import Described
from node.web.wording.text import Said
from node.web.wording.words import words

_NUMBERS = ("whole", "number")


@dataclass(frozen=True, slots=True)
class Head:
    """One column: its name, what is in it in words, and whether it is a number."""

    name: str
    kind: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class Inside:
    """What is shown of one file: `src` is where its twin is.

    `form` is table, map, model or picture; none where it holds nothing that can be shown, away where it was not got.
    """

    name: str
    title: Said
    form: str
    head: tuple[Head, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    sentence: str = ""
    src: str = ""
    facts: str = ""
    said: Mapping[str, Any] | None = None
    why: str = ""


def insides(looks: Sequence[Look], files: Sequence[File], base: str, reader: str) -> list[Inside]:
    """Give what was seen in the files of a record, in the order of its files; what cannot be shown comes last."""
    known = {look.url: look for look in looks if look.state != "new"}
    found = []
    for file in files:
        look = known.pop(file.href, None)
        if look is not None:
            found.append(_inside(look, file, base, reader))
    return sorted(found, key=lambda one: one.form in ("none", "away"))


def files_of(said: Described) -> tuple[File, ...]:
    """Give the files that a record itself is downloaded from, as those of a dataset."""
    links = said.links(said.iri, DCAT.downloadURL)
    return tuple(
        File(link.rpartition("/")[2], text.NOTHING, text.NOTHING, None, "", link, direct=True) for link in links
    )


def table_in(facts: str) -> Table | None:
    """Give the table that was seen in a file, if one was."""
    seen = _read(facts)
    return seen.table if seen else None


def forms_seen(looks: Sequence[Look]) -> dict[str, str]:
    """Say by address what each file was found to be: CSV, XLSX, GeoJSON and so on."""
    return {look.url: preview.said for look in looks if (preview := _read(look.facts))}


def _inside(look: Look, file: File, base: str, reader: str) -> Inside:
    preview = _read(look.facts)
    title = file.title if file.title.text != file.form else text.NOTHING
    if preview is None:
        # Why it was not fetched is for the staff, as are the words of the reader: they may tell of addresses in here.
        refused = look.state == "refused"
        why = words(reader, f"inside.why.{look.why}") if look.why else ""
        return Inside(file.form, title, "none" if refused else "away", why=why)
    twin, table = preview.twin, preview.table
    return Inside(
        name=file.form,
        title=title,
        form=preview.form,
        head=tuple(_head(column, reader) for column in table.columns) if table else (),
        rows=table.sample if table else (),
        sentence=_sentence(table, look.checked_ms, reader) if table else "",
        src=f"{base}/previews/{look.file}.{twin.ending}" if twin else "",
        facts=f"{base}/previews/{look.file}.json",
        said=_twin(preview.form, twin.facts, reader) if twin else None,
    )


def _read(facts: str) -> Preview | None:
    """Read what was seen; None if nothing was, or by a release that this one does not follow."""
    try:
        return from_json(orjson.loads(facts)) if facts else None
    except (KeyError, TypeError, ValueError):
        return None


def _head(column: Column, reader: str) -> Head:
    kind = words(reader, f"inside.type.{column.type}")
    if column.kinds and column.type == "text":
        kind = words(reader, "inside.kinds", n=column.kinds)
    if column.empty >= 10 and column.type != "empty":  # in a thousand
        share = min(round(column.empty / 10), 99)  # a column without any value is of type empty
        kind = f"{kind}, {words(reader, 'inside.empty', share=share)}"
    return Head(column.name, kind, column.type in _NUMBERS)


def _sentence(table: Table, at_ms: int, reader: str) -> str:
    """Say how much is shown, of how much, read when."""
    shown, date = len(table.sample), text.date_of(at_ms, reader)
    if table.rows is None:
        said = [words(reader, "inside.rows_first", n=shown, date=date)]
    elif table.rows == shown < 2:
        said = [words(reader, "inside.rows_one" if shown else "inside.rows_none", date=date)]
    elif table.rows == shown:
        said = [words(reader, "inside.rows_all", n=shown, date=date)]
    else:
        said = [words(reader, "inside.rows", n=shown, rows=text.number(table.rows, reader), date=date)]
    columns = text.number(table.of_columns, reader)
    if len(table.columns) < table.of_columns:
        said.append(words(reader, "inside.columns_first", n=columns, shown=len(table.columns)))
    else:
        said.append(words(reader, "inside.columns", n=columns))
    if table.sheets > 1:
        said.append(words(reader, "inside.sheet", name=table.sheet, n=table.sheets))
    return " ".join(said)


def _twin(form: str, facts: Mapping[str, Any], reader: str) -> dict[str, Any]:
    """Give the facts of a twin as a page says them."""
    told = dict(facts)
    if form == "map":
        told["edges"] = ",".join(str(edge) for edge in facts["box"])
        told["list"] = words(
            reader,
            "inside.map.list" if facts.get("whole", True) else "inside.map.first",
            n=text.number(facts["features"], reader),
            shown=text.number(facts["shown"], reader),
            kinds=", ".join(words(reader, f"inside.shape.{kind}") for kind in facts["kinds"]),
        )
    elif form == "model":
        told["list"] = words(
            reader,
            "inside.model.list",
            n=text.number(facts["objects"], reader),
            triangles=text.number(facts["triangles"], reader),
            size=" × ".join(text.decimal(side, reader) for side in facts["size"]),
        )
        told["kinds"] = ", ".join(f"{kind} {text.number(count, reader)}" for kind, count in facts["kinds"])
    return told
