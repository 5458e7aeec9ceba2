"""Files of records that others wrote: JSON, CSV and Markdown with front matter, read into plain records and written.

A record is what JSON or a row of a table says, untouched; `node.vocab.kinds.mapped_in` gives it meaning. Bounded:
64 MiB, 10,000 records and 1,000 columns. Cells of a table that a spreadsheet would take for formulas are written as
`node.cells` says, like those of every other table, and read back as they were. Pure but for the paths it is given.
"""

import csv
import io
import json
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from node.catalog.author import front
from node.cells import harmless, plain
from node.errors import Malformed, NotFound, TooLarge
from node.vocab.json_once import refuse_twice

MAX_BYTES = 64 * 1024 * 1024
MAX_RECORDS = 10_000
MAX_COLUMNS = 1_000
FORMS = {".json": "json", ".csv": "csv", ".tsv": "csv", ".md": "md"}
_DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_FATAL = {"bad-yaml", "no-front-matter", "not-utf-8", "too-large", "duplicate-key", "control-character"}


class Row(NamedTuple):
    """A record as it stands in its file: `place` is a JSON pointer or empty, `line` counts from 1 or is 0."""

    raw: Mapping[str, Any]
    file: str
    place: str = ""
    line: int = 0
    name: str = ""


def read(path: Path, *, records: str = "", form: str = "") -> list[Row]:
    """Read a file, or all files of a folder whose names end like one of `FORMS`; those in its folders are not read.

    Args:
        path: The file or folder.
        records: The place of the list of records in a JSON document, with dots between its keys.
        form: `json`, `csv` or `md`; else what the file's name ends in.

    Raises:
        NotFound: There is no such file.
        Malformed: It is not what it should be; the message says in which file and line.
        TooLarge: Past 64 MiB, 10,000 records or 1,000 columns.
    """
    if path.is_dir():
        return _folder(path, records)
    form = form or FORMS.get(path.suffix.lower(), "")
    if not form:
        raise Malformed(f"{path.name} ends in no format that is read.", fix=f"Name it {', '.join(FORMS)}, or --format.")
    body = _body(path)
    if form == "md":
        return [_markdown(body, path)]
    return _few(_json(body, path, records) if form == "json" else list(_csv(body, path)), path)


def _folder(path: Path, records: str) -> list[Row]:
    files = [each for each in sorted(path.iterdir()) if each.suffix.lower() in FORMS and each.is_file()]
    if not files:
        fix = "Name the folder that the files themselves lie in."
        raise NotFound(f"There is no JSON, CSV or Markdown file in {path}.", fix=fix)
    rows: list[Row] = []
    for each in files:
        rows = _few([*rows, *read(each, records=records)], path)
    if not rows:
        raise NotFound(f"There is no record in the files of {path}.")
    return rows


def _body(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device, which may never end
            raise NotFound(f"{path} is no plain file.", fix="Save what it gives in a file first.")
        with path.open("rb") as opened:
            body = opened.read(MAX_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.") from error
    if len(body) > MAX_BYTES:
        raise TooLarge(f"{path.name} has more than {MAX_BYTES:,} bytes.", fix="Import it in parts.")
    return body


def _few(rows: list[Row], path: Path) -> list[Row]:
    if len(rows) > MAX_RECORDS:
        raise TooLarge(f"{path.name} has {len(rows):,} records.", fix=f"Import at most {MAX_RECORDS:,} at once.")
    return rows


# ---------------------------------------------------------------- reading


def _json(body: bytes, path: Path, records: str) -> list[Row]:
    try:
        document = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{path.name}:{error.lineno}: this is no JSON: {error.msg}.") from error
    refuse_twice(body.decode("utf-8-sig"), file=f"{path.name}: ")
    at, found = "", document
    for step in filter(None, records.split(".")):
        if isinstance(found, dict) and step in found:
            at, found = f"{at}/{step}", found[step]
    if isinstance(found, dict):
        return [Row(found, path.name, at)]
    if not isinstance(found, list):
        raise Malformed(f"{path.name}{at} is no list of records.", fix="Say where it is: records = “place”.")
    stray = next((number for number, each in enumerate(found) if not isinstance(each, dict)), None)
    if stray is not None:
        raise Malformed(f"{path.name}{at}/{stray} is no record.", fix="Each of the list is an object.")
    return [Row(each, path.name, f"{at}/{number}") for number, each in enumerate(found)]


def _csv(body: bytes, path: Path) -> Iterator[Row]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise Malformed(f"{path.name}:{line}: this is not written in UTF-8.", fix="Save it so.") from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        head = [plain(name).strip() for name in next(reader, [])]
        _sound(head, path)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(_row(head, cells, path, line), path.name, "", line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise Malformed(f"{path.name}:{reader.line_num}: this is no CSV: {error}.") from error


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(_DELIMITERS, key=head.count)


def _sound(head: Sequence[str], path: Path) -> None:
    if len(head) > MAX_COLUMNS:
        raise TooLarge(f"{path.name} has {len(head):,} columns.", fix=f"Import at most {MAX_COLUMNS:,}.")
    often = Counter(head)
    twice = next((name for name in head if name and often[name] > 1), None)
    if not any(head) or twice is not None:
        what = f"has two columns {twice[:60]!r}" if twice else "has no head"
        raise Malformed(f"{path.name}:1: the table {what}.", fix="The first line names each column once.")


def _row(head: Sequence[str], cells: Sequence[str], path: Path, line: int) -> dict[str, str]:
    if len(cells) > len(head) and any(cell.strip() for cell in cells[len(head) :]):
        fix = "Put values with the separator in them in double quotes."
        raise Malformed(f"{path.name}:{line}: there are more values than columns.", fix=fix)
    return {name: plain(cell) for name, cell in zip(head, cells, strict=False) if name}


def _markdown(body: bytes, path: Path) -> Row:
    read = front.read(body, "md")
    fault = next((each for each in read.faults if each.code in _FATAL), None)
    if fault is not None:
        raise Malformed(f"{path.name}:{fault.line}: {fault.message}")
    text = body.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    below = re.split(r"^(?:---|\.\.\.)[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)[-1]
    return Row(read.values | {"body": below.strip()}, path.name, "", 1, path.stem)


# ---------------------------------------------------------------- writing


def json_text(records: Sequence[Mapping[str, Any]], *, place: str = "") -> str:
    """Write records as a JSON document, under the keys of `place` if there are any."""
    document: Any = list(records)
    for step in reversed([each for each in place.split(".") if each]):
        document = {step: document}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def csv_text(records: Sequence[Mapping[str, Any]], columns: Sequence[str], *, delimiter: str = ",") -> str:
    """Write records as a table; columns that no record of the mapping has stay, so that files fit together."""
    flat = [flattened(each) for each in records]
    head = list(dict.fromkeys([*columns, *(name for each in flat for name in each)]))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(map(harmless, head))
    writer.writerows([_cell(each.get(name, "")) for name in head] for each in flat)
    return out.getvalue()


def _cell(cell: str) -> str:
    """Write a cell; numbers stay numbers, also those below nothing."""
    return cell if _NUMBER.fullmatch(cell) else harmless(cell)


def flattened(record: Mapping[str, Any]) -> dict[str, str]:
    """Write a record as cells: things by their keys with dots between them, lists as JSON."""
    made: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            made |= {f"{key}.{inner}": cell for inner, cell in flattened(value).items()}
        elif isinstance(value, list):
            made[key] = json.dumps(value, ensure_ascii=False)
        else:
            made[key] = "" if value is None else "true" if value is True else "false" if value is False else str(value)
    return made


def thickened(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read cells back as `flattened` wrote them; what is nested already stays as it is."""
    made: dict[str, Any] = {}
    for name, value in row.items():
        if value in ("", None):
            continue
        *steps, last = name.split(".")
        here: Any = made
        for step in steps:
            here = here.setdefault(step, {}) if isinstance(here, dict) else {}
        if isinstance(here, dict):
            here[last] = _thick(value)
    return made


def _thick(value: Any) -> Any:  # noqa: ANN401 (JSON, or a cell)
    if isinstance(value, str) and value[:1] == "[" and value[-1:] == "]":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
