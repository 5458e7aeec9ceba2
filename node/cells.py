"""Cells of tables that people open in a spreadsheet: none is run as a formula, under either separator of lists.

A cell that begins like a formula gets a `'` before it, which spreadsheets show as text; so does one that begins with
blanks, since some strip those first. Where the separator of lists is `;`, as in Finland and Sweden, a file with commas
is cut at every `;`, tab and line within a cell, so what begins like a formula after one of them gets its `'` too.
"""

import re

# The last four are the full-width forms, which some spreadsheets take for the plain ones.
_SIGNS = "=+\\-@|%\uff1d\uff0b\uff0d\uff20"
_BEGIN = re.compile(f"['{_SIGNS}\t\r\n \u00a0]")
_INSIDE = re.compile(f"(?<=[;\t\r\n])(?=[\"' \u00a0]*[{_SIGNS}])")
_MARKED = re.compile(f"(?<=[;\t\r\n])'(?=[\"' \u00a0]*[{_SIGNS}])")


def harmless(text: str) -> str:
    """Write a text so that no spreadsheet runs a part of it."""
    marked = _INSIDE.sub("'", text)
    return f"'{marked}" if _BEGIN.match(marked) else marked


def plain(text: str) -> str:
    """Give a text back that `harmless` wrote."""
    bare = text[1:] if text[:1] == "'" and _BEGIN.match(text, 1) else text
    return _MARKED.sub("", bare)
