"""Reads CityJSON text sequences: a first line with the transform, then one CityJSONFeature a line.

Each feature brings its own vertices, which the transform of the first line makes coordinates of. A broken line is told
by its number and passed over; only the file's last line may be cut off, and then the facts are not whole.
"""

from node.catalog.models.cityjson import Reader
from node.errors import Malformed, TooLarge
from node.vocab.json_scan import NotJson, skip_space


def read_features(reader: Reader, at: int, first_line: int) -> None:
    """Read the lines behind the first object. `at` is behind it, `first_line` the number of the line it ends in."""
    view, line = reader.walk.view, first_line
    start = at
    while start < len(view):
        end = view.find(b"\n", start)
        end = len(view) if end < 0 else end
        here = skip_space(view, start)
        if here < end:
            _read_line(reader, here, end, line)
            reader.walk.passed(end)
        start, line = end + 1, line + 1


def _read_line(reader: Reader, at: int, end: int, line: int) -> None:
    tally, where, view = reader.tally, f"line {line}#", reader.walk.view
    try:
        whole = reader.walk.first(at) == b"{" and skip_space(view, reader.feature(at, where)) >= end
    except (NotJson, Malformed, TooLarge):
        whole = False
    if whole:
        return
    if skip_space(view, end) >= len(view):
        tally.stopped("cut-off", where, "The last line is cut off. Download the file again.")
    else:
        message = "The line is no whole JSON object. Write one object a line, without line breaks in it."
        tally.problem("not-json", where, message)
