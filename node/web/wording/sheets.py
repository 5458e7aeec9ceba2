"""Tables for spreadsheets: RFC 4180, UTF-8, and no cell that a spreadsheet would run as a formula.

For tables that people take away; nothing reads them back in. How a cell is made harmless is said in `node.cells`, which
other rooms use for tables of their own.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from node.cells import harmless


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write a table with its heads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: object) -> str:
    """Write a cell; numbers stay numbers."""
    return str(value) if isinstance(value, int) else harmless(str(value))
