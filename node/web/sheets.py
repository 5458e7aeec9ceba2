"""Tables for spreadsheets: RFC 4180, UTF-8, and no cell that a spreadsheet would run as a formula.

A cell that begins like a formula gets a `'` before it, which spreadsheets show as text; so do cells that begin with
blanks, since some of them strip those first. For tables that people take away; nothing reads them back in.
"""

import csv
import io
from collections.abc import Iterable, Sequence

# Also their full-width forms, which some spreadsheets take for the plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "'", " ", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(value: object) -> str:
    """Write a cell so that no spreadsheet runs it; numbers stay numbers."""
    text = str(value)
    if isinstance(value, int) or not text.startswith(_FORMULA):
        return text
    return f"'{text}"


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write a table with its heads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode()
