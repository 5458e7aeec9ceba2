"""Workbooks: XLSX, XLS, XLSB and ODS, their first sheet that has rows.

Read by a library in one go, so the limits of the child process are what bounds it; a sheet that says it is a million
rows high is cut by them and not trusted. Formulas come as the values that were stored with them.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from node.catalog.previews.cells import Book
from node.catalog.previews.values import Preview, refused

_SHEETS = 10
_TITLE_ROWS = 15


def preview(path: Path, said: str, *, deadline: float) -> Preview:
    """Look inside a workbook. Raises Malformed."""
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        for name in names[:_SHEETS]:
            rows = _rows(book.get_sheet_by_name(name).iter_rows())
            if found := _table(rows, deadline):
                return Preview("table", said, found.table(sheet=name, sheets=len(names)))
    except (CalamineError, OSError, ValueError) as error:
        raise refused("workbook", f"It cannot be read as {said}.", fix="Save it anew, without a password.") from error
    raise refused("sheets", "No sheet of it has rows.", fix="Put the data into the first sheet.")


def _rows(rows: Iterator[list[Any]]) -> Iterator[list[str]]:
    return ([_text(cell) for cell in row] for row in rows)


def _table(rows: Iterator[list[str]], deadline: float) -> Book | None:
    """Take the first row that is filled as wide as those after it for the names: titles often stand above."""
    head: list[list[str]] = []
    for row in rows:
        if any(row):
            head.append(row)
        if len(head) == _TITLE_ROWS:
            break
    if not head:
        return None
    widest = max(sum(map(bool, row)) for row in head)
    at = next(n for n, row in enumerate(head) if 2 * sum(map(bool, row)) > widest)
    book = Book(_trimmed(head[at]), deadline=deadline)
    book.read(head[at + 1 :])
    book.read(rows)
    return book


def _trimmed(row: Sequence[str]) -> list[str]:
    last = max((n for n, cell in enumerate(row) if cell), default=0)
    return list(row[: last + 1])


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ", "seconds") if cell.time() != dt.time() else cell.date().isoformat()
    return "" if cell is None else str(cell)
