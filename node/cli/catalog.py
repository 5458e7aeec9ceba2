"""Commands on what is published: numbers, findings, and the whole of it as one file.

Everything is read from the shelf and the journal's payloads; nothing is fetched and nothing written but the file that
`export` was told to make.
"""

import gzip
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.cli.plain_files import check_replaceable
from node.errors import Conflict, NotFound
from node.records import KINDS

if TYPE_CHECKING:
    from node.assembly import Node
    from node.catalog.shelf import Held

app = typer.Typer(help="What this node publishes.", no_args_is_help=True)

CollectionArgument = Annotated[
    str | None, typer.Argument(metavar="[COLLECTION]", help="One collection; all of them if left out.")
]
_PAGE = 500


@app.command()
def stats(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Count what is published, by collection and kind."""
    with opened(data) as node:
        found = [
            {
                "collection": info.name,
                "visibility": info.visibility,
                "records": node.shelf.count(info.name),
                "entries": info.size,
                "updated_ms": info.updated_at_ms,
                "kinds": _kinds(node, info.name),
            }
            for info in node.shelf.collections()
        ]
        if as_json:
            say.document(found)
            return
        for one in found:
            kinds = ", ".join(f"{number} {kind}" for kind, number in cast("dict[str, int]", one["kinds"]).items())
            say.line(f"{one['collection']} ({one['visibility']}): {one['records']} records, {one['entries']} entries")
            if kinds:
                say.line(f"  {kinds}")


def _kinds(node: "Node", collection: str) -> dict[str, int]:
    counted = {kind: node.shelf.count(collection, kind=kind) for kind in KINDS}
    return {kind: number for kind, number in counted.items() if number}


@app.command()
def check(
    collection: CollectionArgument = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a mandatory statement is missing.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List what was found wrong with the published records, most frequent first."""
    with opened(data) as node:
        counts: Counter[tuple[str, str, str, str]] = Counter()
        for name in _collections(node, collection):
            for finding, number in node.shelf.finding_counts(name):
                counts[finding.level, finding.code, finding.path, finding.message] += number
        found = [
            {"level": level, "code": code, "path": path, "message": message, "records": number}
            for (level, code, path, message), number in sorted(
                counts.items(), key=lambda pair: (_grave(pair[0][0]), -pair[1])
            )
        ]
        if as_json:
            say.document(found)
        elif found:
            say.table(
                ("level", "records", "code", "what to write"),
                [(one["level"], one["records"], one["code"], one["message"]) for one in found],
            )
        else:
            say.line("Nothing was found wrong")
    if strict and any(one["level"] == "mandatory" for one in found):
        raise typer.Exit(1)


def _grave(level: str) -> int:
    return ("mandatory", "recommended", "repaired", "note").index(level)


@app.command()
def export(
    collection: CollectionArgument = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="A new file; compressed if it ends in .gz.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Write every public record as N-Quads, one graph per record; to standard output if no file is named."""
    if to is not None:
        check_replaceable(to)
    with opened(data) as node, _target(to) as out:
        records = 0
        for name in _collections(node, collection, public_only=collection is None):
            for held, payload in _records(node, name):
                graph = f" <{node.site.base_url}/{KINDS[held.kind]}/{held.slug}> .\n".encode()
                out.write(b"".join(line[:-2] + graph for line in payload.split(b"\n") if line))
                records += 1
    say.note(f"Wrote {records} records{f' to {to}' if to else ''}")


def _collections(node: "Node", name: str | None, *, public_only: bool = False) -> list[str]:
    found = [info for info in node.shelf.collections() if info.visibility == "public" or not public_only]
    if name is None:
        return [info.name for info in found]
    if name not in {info.name for info in found}:
        raise NotFound(f"There is no collection {name!r}.", fix="List them: citynode collections list")
    return [name]


def _records(node: "Node", collection: str) -> Iterator[tuple["Held", bytes]]:
    offset = 0
    while page := node.shelf.page(collection, offset=offset, limit=_PAGE):
        yield from zip(page, node.shelf.payloads(page), strict=True)
        offset += len(page)


@contextmanager
def _target(to: Path | None) -> Iterator[BinaryIO]:
    if to is None:
        yield sys.stdout.buffer
        return
    try:
        file = to.open("xb")
    except FileExistsError as error:
        raise Conflict(f"{to} exists already.", fix="Name another file, or move it away.") from error
    except OSError as error:
        raise NotFound(
            f"{to} cannot be written: {error.strerror}.", fix="Name a file in a folder that exists."
        ) from error
    try:
        with file:
            if to.suffix == ".gz":
                with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
                    yield cast("BinaryIO", packed)
            else:
                yield file
    except BaseException:
        to.unlink(missing_ok=True)  # half of an export reads like a whole one
        raise
