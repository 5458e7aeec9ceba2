"""What a look inside a file gives: values that the child process writes down, the table keeps and pages show.

Everything in them came from a stranger and is bounded here: text is cut, columns and rows are counted. All of it is
plain text, never markup, and a formula is the text that it is written with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from node.errors import Malformed, Refused

ROWS = 20
COLUMNS = 60
CELL = 200
NAME = 100

Form = Literal["table", "map", "model", "picture"]
Why = Literal[
    "archive", "costly", "csv", "empty", "features", "image", "json", "large", "model", "names", "none", "packed",
    "parquet", "pixels", "puzzle", "rows", "sheets", "text", "workbook", "xml",
]  # fmt: skip
"""Why nothing of a file is shown, for its readers: a page has a sentence for each, in its reader's language."""
Type = Literal["whole", "number", "date", "moment", "truth", "address", "text", "shape", "list", "empty"]


def cut(text: str, most: int = CELL) -> str:
    """Shorten a text, and take from it what is not to be seen: controls, and marks that turn the reading direction."""
    shown = "".join(" " if char in "\t\r\n" else char for char in text[: 2 * most] if _is_seen(char))
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def listed(value: object) -> list[Any]:
    """Give a list that a stranger wrote; an empty one if something else stands there."""
    return value if isinstance(value, list) else []


def mapped(value: object) -> dict[str, Any]:
    """Give an object that a stranger wrote; an empty one if something else stands there."""
    return value if isinstance(value, dict) else {}


def _is_seen(char: str) -> bool:
    code = ord(char)
    turns = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return char in "\t\r\n" or (code >= 0x20 and not 0x7F <= code < 0xA0 and not turns and not 0xD800 <= code < 0xE000)


_WORDS = "inside.why."


def refused(why: Why, message: str, *, fix: str, kind: type[Refused] = Malformed) -> Refused:
    """Make a refusal: why for readers, and in the message more of it for staff."""
    error = kind(message, fix=fix)
    error.said = (f"{_WORDS}{why}", {})
    return error


def why_of(error: Exception) -> Why | None:
    """Give why a refusal says that nothing is shown, if it does."""
    return why_named(error.said[0].removeprefix(_WORDS)) if isinstance(error, Refused) else None


def why_named(word: str) -> Why | None:
    """Give the reason of that name; None if it is none."""
    return next((why for why in get_args(Why) if why == word), None)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is called, what its values look like, how many of a thousand are empty.

    `kinds` counts how many different values it has, where these are few; 0 where they are many or unknown.
    """

    name: str
    type: Type
    empty: int = 0
    kinds: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """The first rows. `rows` is how many there are in all, None where the file was not read to its end."""

    columns: tuple[Column, ...]
    sample: tuple[tuple[str, ...], ...]
    rows: int | None
    of_columns: int
    sheet: str = ""
    sheets: int = 0


@dataclass(frozen=True, slots=True)
class Twin:
    """A file that was made for the page: its ending, and facts of what is in it by name."""

    ending: Literal["geojson", "bin", "webp"]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What was seen in one file: rows, or a twin to be shown, or both."""

    form: Form
    said: str
    table: Table | None = None
    twin: Twin | None = None


def to_json(preview: Preview) -> dict[str, Any]:
    """Give it as JSON values."""
    return asdict(preview)


def from_json(told: Mapping[str, Any]) -> Preview:
    """Read it again; raises KeyError, TypeError or ValueError for what another release wrote."""
    table, twin = told["table"], told["twin"]
    return Preview(
        form=told["form"],
        said=told["said"],
        table=_table(table) if table else None,
        twin=Twin(twin["ending"], dict(twin["facts"])) if twin else None,
    )


def _table(told: Mapping[str, Any]) -> Table:
    return Table(
        columns=tuple(Column(**each) for each in told["columns"]),
        sample=tuple(_row(each) for each in told["sample"]),
        rows=told["rows"],
        of_columns=told["of_columns"],
        sheet=told["sheet"],
        sheets=told["sheets"],
    )


def _row(cells: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(cell) for cell in cells)
