"""What is in the columns of a table, told from its cells as they pass: types, what is empty, kinds of value.

One pass, bounded memory: a column remembers which types are still possible and at most fifty different values. Reading
ends when the caller's time is up; what was seen until then is what is said, and the number of rows is then unknown.
"""

import re
import time
from collections.abc import Iterable, Sequence

from node.catalog.previews.values import CELL, COLUMNS, NAME, ROWS, Column, Table, Type, cut

_LIST = 50
_LOOK_AT_CLOCK = 500
_ALL = 1_000
_EMPTY = frozenset({"", "null", "none", "na", "n/a", "nan", "-"})
_TRUTH = frozenset({"true", "false", "yes", "no", "kyllä", "ei", "ja", "nej"})
_WHOLE = r"[+-]?(?:0|[1-9]\d{0,17})"
_FORMS: tuple[tuple[Type, re.Pattern[str]], ...] = (
    # What begins with a zero that counts nothing is a code, such as 00100 of a post office, and not the number 100.
    ("whole", re.compile(rf"{_WHOLE}\Z", re.ASCII)),
    ("number", re.compile(rf"(?:{_WHOLE}(?:[.,]\d{{1,18}})?|[+-]?\.\d{{1,18}})(?:[eE][+-]?\d{{1,3}})?\Z", re.ASCII)),
    ("date", re.compile(r"(?:\d{4}-\d{2}(?:-\d{2})?|\d{1,2}[./]\d{1,2}[./]\d{4})\Z", re.ASCII)),
    (
        "moment",
        re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?\Z", re.ASCII),
    ),
    ("address", re.compile(r"https?://\S{1,2000}\Z")),
)


class _Tally:
    """What one column may still be."""

    def __init__(self) -> None:
        self._possible = list(_FORMS)
        self._truth = True
        self._kinds: set[str] | None = set()
        self._filled = 0

    def take(self, cell: str) -> None:
        if cell.strip().lower() in _EMPTY:
            return
        self._filled += 1
        value = cell.strip()
        self._truth = self._truth and value.lower() in _TRUTH
        if self._possible:
            self._possible = [(name, form) for name, form in self._possible if form.match(value)]
        if self._kinds is not None:
            self._kinds.add(value[:CELL])
            if len(self._kinds) > _LIST:
                self._kinds = None

    def column(self, name: str, rows: int) -> Column:
        empty = round(_ALL * (rows - self._filled) / rows) if rows else 0
        # Rounded, but "all" and "none" are said of all and none only.
        if 0 < self._filled < rows:
            empty = min(max(empty, 1), _ALL - 1)
        kinds = len(self._kinds) if self._kinds is not None and self._filled > 2 * len(self._kinds) else 0
        return Column(name, self._type(), empty, kinds)

    def _type(self) -> Type:
        if not self._filled:
            return "empty"
        if self._truth:
            return "truth"
        return self._possible[0][0] if self._possible else "text"


class Book:
    """Takes rows in, and gives the table that is shown of them."""

    def __init__(self, names: Sequence[str], *, deadline: float) -> None:
        """Begin a table with these columns; `deadline` is the monotonic second at which reading ends."""
        self._of_columns = len(names)
        self._names = [cut(name.strip(), NAME) for name in names[:COLUMNS]]
        self._tallies = [_Tally() for _ in self._names]
        self._sample: list[tuple[str, ...]] = []
        self._rows = 0
        self._deadline = deadline
        self._whole = True

    def read(self, rows: Iterable[Sequence[str]], *, blank: bool = False) -> None:
        """Take rows in until they or the time end, and those in which nothing stands only if they may be `blank`.

        What is shown is taken in however late it is: reading a document may have used up the time already.
        """
        width = len(self._names)
        for n, row in enumerate(rows):
            if n % _LOOK_AT_CLOCK == ROWS and time.monotonic() > self._deadline:
                self._whole = False
                break
            if not (blank or any(row)):
                continue
            self._rows += 1
            for tally, cell in zip(self._tallies, row, strict=False):
                tally.take(cell)
            if len(self._sample) < ROWS:
                shown = tuple(cut(cell) for cell in row[:width])
                self._sample.append(shown + ("",) * (width - len(shown)))

    def table(self, *, rows: int | None = None, whole: bool = True, sheet: str = "", sheets: int = 0) -> Table:
        """Give the table; `rows` where the file says itself how many it has, not `whole` where more follow."""
        known = self._rows if self._whole and whole else None
        return Table(
            columns=tuple(
                tally.column(name, self._rows) for name, tally in zip(self._names, self._tallies, strict=True)
            ),
            sample=tuple(self._sample),
            rows=rows if rows is not None else known,
            of_columns=self._of_columns,
            sheet=cut(sheet, NAME),
            sheets=sheets,
        )
