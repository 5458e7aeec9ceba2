"""Laws of cells for spreadsheets: none is run, whichever separator of lists a country has, and each is read back."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cells import harmless, plain

SIGNS = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
BEGINNINGS = (*(f"{sign}1+1" for sign in SIGNS), "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "'=1")
# What such a spreadsheet takes for an end of a cell in a file of commas; and what it may strip before it looks.
ENDS, STRIPPED = re.compile(r"[;\t\r\n]"), '" \u00a0'
# A harvested title that a city's Excel would have run.
TITLE = 'title;=1+1;"x'


def cells_of(line: str) -> list[str]:
    """The cells of a line of a file with commas, in a country where lists are parted by `;`."""
    return [cell.lstrip(STRIPPED) for cell in ENDS.split(line)]


def written(*cells: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) for cell in cells])
    return out.getvalue()


@pytest.mark.parametrize("cell", BEGINNINGS)
def test_a_cell_that_begins_like_a_formula_is_shown_as_text(cell: str) -> None:
    assert harmless(cell).startswith(f"'{cell[0]}")


@pytest.mark.parametrize(
    "cell", [TITLE, 'a;"=1+1', "a; =1", "a;\u00a0=1", "a\t=1", "a\n@x", "a\r\n-1", ";;=1", "a;\uff1d1"]
)
def test_nor_does_a_cell_begin_like_one_where_lists_are_parted_otherwise(cell: str) -> None:
    assert not any(each.startswith(SIGNS) for each in cells_of(written("added", cell)))


def test_what_begins_like_no_formula_stays_as_it_is() -> None:
    for text in ("a; b; c", "1;2", "it's 5 = 5", "line\nline", "x-y;z", ""):
        assert harmless(text) == text


HOSTILE = st.text(st.sampled_from("=+-@|%;\t\r\n'\" \u00a0\uff1dax"), max_size=12)


@given(HOSTILE)
def test_whatever_is_written_is_run_nowhere_and_read_back_as_it_was(text: str) -> None:
    assert plain(harmless(text)) == text
    assert not any(each.startswith(SIGNS) for each in cells_of(written("first", text)))
    assert not harmless(text).startswith(SIGNS)
