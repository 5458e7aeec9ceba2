"""The file in which a city says what its own words mean: `mappings.csv`, one match a line, edited by people.

Columns `table,value,language,match,code,note`, separated by commas or semicolons as spreadsheets write them. All
faults of a file are found at once, each with its line, because it is mended by a person. Pure: text in, matches out.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from node.errors import Malformed
from node.vocab.mappings import MAX_VALUE, TABLES, Match
from node.vocab.ntriples import language_tag
from node.vocab.tables import key_of

COLUMNS = ("table", "value", "language", "match", "code", "note")
MAX_BYTES = 2 << 20
# A table is published as one record of at most 1 MiB and 10,000 triples: seven triples for each match.
MAX_ROWS = 700
MAX_NOTE = 300
_MOST_FAULTS = 20
_EXACT = {"exact": True, "exactmatch": True, "close": False, "closematch": False}


def read_matches(text: str) -> list[Match]:
    """Read a file of matches, in its order; empty lines and lines that begin with `#` are skipped.

    Raises:
        Malformed: It is no such file, or lines of it cannot be used: the message names the first 20 of these.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Malformed(f"A file of matches has at most {MAX_BYTES >> 20} MiB.")
    lines = text.removeprefix("\ufeff").splitlines()
    kept = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not kept:
        return []
    separator = ";" if kept[0][1].count(";") > kept[0][1].count(",") else ","
    if [cell.strip().lower() for cell in _cells(kept[0][1], separator)] != list(COLUMNS):
        raise Malformed(
            f"Its first line must be: {','.join(COLUMNS)}", fix=f"Line {kept[0][0]} is {kept[0][1][:80]!r}."
        )
    faults: list[str] = []
    found: list[tuple[int, Match]] = []
    for number, line in kept[1:]:
        match, fault = _match(_cells(line, separator))
        faults += [f"line {number}: {fault}"] if fault else []
        found += [(number, match)] if match else []
    faults += _among(found)
    if faults:
        raise _unusable(faults)
    return [match for _, match in found]


def _unusable(faults: Sequence[str]) -> Malformed:
    more = f" (and {len(faults) - _MOST_FAULTS} more)" if len(faults) > _MOST_FAULTS else ""
    error = Malformed("The matches cannot be used. " + " ".join(faults[:_MOST_FAULTS]) + more)
    error.faults = tuple(faults)
    return error


def _cells(line: str, separator: str) -> list[str]:
    # strict would refuse a quote inside a word, as in 12" pipes; a line never continues on the next.
    return next(csv.reader([line], delimiter=separator), [])


def _match(cells: Sequence[str]) -> tuple[Match | None, str]:
    if len(cells) > len(COLUMNS) and any(cells[len(COLUMNS) :]):
        return None, "it has more cells than the first line; put a value that holds the separator in quotes."
    table, value, language, match, code, note = (" ".join(cell.split()) for cell in _padded(cells))
    if table not in TABLES:
        return None, f"there is no table {table[:40]!r}; the tables are {', '.join(TABLES)}."
    if not value or len(value) > MAX_VALUE or not key_of(value) or not value.isprintable():
        return None, f"the value must be a word, a text or an IRI of at most {MAX_VALUE} characters."
    if language and not language_tag(language):
        return None, f"{language[:40]!r} is no language tag; write fi, sv, en, or nothing."
    exact = _EXACT.get(match.removeprefix("skos:").lower())
    if exact is None:
        return None, f"the match is exact or close, not {match[:40]!r}."
    concept = TABLES[table].by_code(code) or (TABLES[table].by_iri(code) if "://" in code else None)
    if concept is None:
        return None, f"{code[:60]!r} is no code of the EU's table {TABLES[table].name}."
    if value in TABLES[table]:
        return None, f"{value[:80]} is a concept of that table already."
    return Match(table, value, exact, concept.code, language_tag(language) if language else "", note[:MAX_NOTE]), ""


def _padded(cells: Sequence[str]) -> list[str]:
    return [*cells, *[""] * len(COLUMNS)][: len(COLUMNS)]


def _among(found: Sequence[tuple[int, Match]]) -> list[str]:
    """Find what is wrong with lines together: the same said twice, several exact matches, too many."""
    faults: list[str] = []
    first: dict[tuple[str, str, str], int] = {}
    exact: dict[tuple[str, str], int] = {}
    for number, match in found:
        value = match.table, key_of(match.value)
        before = first.setdefault((*value, match.code), number)
        if before != number:
            faults.append(f"line {number}: line {before} says the same.")
        elif match.exact and exact.setdefault(value, number) != number:
            faults.append(f"line {number}: {match.value!r} has an exact match in line {exact[value]} already.")
    for table, count in Counter(match.table for _, match in found).items():
        if count > MAX_ROWS:
            faults.append(f"the table {table} has {count} lines; at most {MAX_ROWS} can be published.")
    return faults


def write_matches(matches: Iterable[Match]) -> str:
    """Write a file of matches that `read_matches` reads back."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in matches:
        kind = "exact" if each.exact else "close"
        writer.writerow((each.table, each.value, each.language, kind, each.code, each.note))
    return out.getvalue()
