"""Laws of tables that people take away: what a spreadsheet would run it shows, and nothing is lost."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cells import harmless
from node.web.wording.sheets import csv_of


def test_numbers_stay_numbers_and_texts_are_made_harmless() -> None:
    assert csv_of(("a", "b"), [(-5, "-5")]) == b"a,b\r\n-5,'-5\r\n"


@pytest.mark.slow  # a hundred tables
@given(st.lists(st.tuples(st.text(), st.text(), st.integers()), max_size=20))
def test_every_cell_is_read_back_as_it_was_but_for_the_mark(rows: list[tuple[str, str, int]]) -> None:
    rows = [(a.replace("\x00", ""), b.replace("\x00", ""), n) for a, b, n in rows]
    rows = [(a.encode(errors="ignore").decode(), b.encode(errors="ignore").decode(), n) for a, b, n in rows]
    table = list(csv.reader(io.StringIO(csv_of(("a", "b", "n"), rows).decode(), newline="")))
    assert table == [["a", "b", "n"], *([harmless(a), harmless(b), str(n)] for a, b, n in rows)]
