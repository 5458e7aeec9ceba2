"""A whole node in this process, and small catalogues to harvest with it.

Nothing is replaced but one thing: the parser's child process is handed from one run to the next instead of being
started anew, because starting it costs more than most of these runs. Tests that kill or stop it get one of their own.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from pydantic import SecretStr

from node.assembly import Node, build, make_keys
from node.catalog.runs import Run, RunRow
from node.catalog.shelf import Held
from node.catalog.sources import Source
from node.journal import Entry
from node.journal.verify import verify
from node.settings import Settings
from node.vocab import parse

BASE = "http://127.0.0.1:8001"
NAME = "open-data"
ID = "https://data.example/id/"
PREFIXES = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix hydra: <http://www.w3.org/ns/hydra/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix d: <https://data.example/id/> .
"""


class LastingParser(parse.Parser):
    """The real parser; its child process outlives the run and serves the next one."""

    _children: ClassVar[list[Any]] = []
    _pool = threading.Lock()

    def __enter__(self) -> "LastingParser":
        with self._pool:
            while self._children and self._child is None:
                child = self._children.pop()
                if child.alive():
                    self._child = child
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        child, self._child = self._child, None
        if child is not None and child.alive() and not self._stop.is_set():
            with self._pool:
                self._children.append(child)
        elif child is not None:
            child.end()

    @classmethod
    def end_all(cls) -> None:
        with cls._pool:
            while cls._children:
                cls._children.pop().end()


def dataset(name: str, title: str = "", *, more: str = "", identifier: str = "") -> str:
    """Write one dataset; `more` is further Turtle of its own properties."""
    named = f' dct:identifier "{identifier}" ;' if identifier else ""
    text = title or f"Title of {name}"
    return f'd:{name} a dcat:Dataset ;{named} dct:title "{text}"@en ; dct:description "About {name}."@en {more} .\n'


def turtle(*statements: str) -> str:
    """Write a Turtle document."""
    return PREFIXES + "".join(statements)


def datasets(*names: str | int) -> str:
    """Write a catalogue of plain datasets."""
    return turtle(*(dataset(f"n{name}" if isinstance(name, int) else name) for name in names))


@dataclass(repr=False)
class City:
    """A node with what tests ask of it, in few words."""

    node: Node
    folder: Path

    def write(self, text: str | bytes, name: str = "source.ttl") -> Path:
        """Write a file beside the node."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def add(self, location: object, name: str = "portal", **more: Any) -> Source:
        """Add a source."""
        facts: dict[str, Any] = {"kind": "dcat", "collection": NAME, "created_at": 1_000} | more
        return self.node.sources.add(Source(name=name, location=str(location), **facts))

    def run(self, name: str = "portal", **more: Any) -> Run:
        """Run a source to its end."""
        return self.node.harvest.run(name, trigger="test", **more)

    def harvest(self, text: str | bytes, name: str = "portal", *, file: str = "", **more: Any) -> Run:
        """Write a source's file anew, add the source if it is new, and run it."""
        path = self.write(text, file or f"{name}.ttl")
        if name not in {source.name for source in self.node.sources.list()}:
            self.add(path, name)
        return self.run(name, **more)

    def entries(self, collection: str = NAME) -> list[Entry]:
        """Every entry of a journal."""
        with self.node.db.read() as tx:
            return self.node.journals.entries(tx, collection, limit=10_000)

    def size(self, collection: str = NAME) -> int:
        """How many entries a journal has."""
        with self.node.db.read() as tx:
            return self.node.journals.get(tx, collection).size

    def held(self, collection: str = NAME) -> list[Held]:
        """Every live record, in order of slug."""
        return self.node.shelf.page(collection, offset=0, limit=100_000)

    def digests(self, collection: str = NAME) -> dict[str, str]:
        """IRI and digest of every live record."""
        return {held.iri: held.digest for held in self.held(collection)}

    def slugs(self, collection: str = NAME) -> dict[str, str]:
        """IRI and slug of every live record."""
        return {held.iri: held.slug for held in self.held(collection)}

    def payload(self, iri: str) -> str:
        """The payload of a live record."""
        held = self.node.shelf.by_iri(iri)
        assert held is not None, f"{iri} is not published"
        return self.node.shelf.payload(held).decode()

    def codes(self, iri: str) -> set[str]:
        """The codes of a record's findings."""
        held = self.node.shelf.by_iri(iri)
        assert held is not None, f"{iri} is not published"
        return {finding.code for finding in self.node.shelf.findings(held)}

    def rows(self, run: Run, change: str = "") -> list[RunRow]:
        """What a run kept in rows."""
        return self.node.runs.rows(run.id, change)

    def refused(self, run: Run) -> dict[str, str]:
        """Source key and code of everything a run refused."""
        return {row.source_key: row.code for row in self.rows(run, "refused")}

    def verify(self, collection: str = NAME) -> int:
        """Verify a journal from end to end; give its size."""
        return verify(self.node.journals, collection, [self.node.journals.public_key()]).size

    def sql(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """Look into a table."""
        with self.node.db.read() as tx:
            return tx.rows(sql, *params)


def make_city(folder: Path, *, database_url: str = "", base_url: str = BASE, **settings: Any) -> City:
    """Put a node together over a migrated database (`node.db` in the folder unless another is named)."""
    values: dict[str, Any] = {"data": folder, "name": "Testville", "base_url": base_url, "languages": ("en", "fi")}
    values["link_check_days"] = 0  # nobody else's links are tried by tests
    if database_url:
        values["database_url"] = SecretStr(database_url)
    made = Settings(**(values | settings))
    make_keys(made)
    node = build(made)
    node.create_collection(NAME, title="Open data", visibility="public", at_ms=1_000, exist_ok=True)
    return City(node, folder)


def told(runs: Sequence[Run]) -> list[str]:
    """States and reasons, for a failing test's message."""
    return [f"{run.id} {run.state}: {run.reason}" for run in runs]


def counts(run: Run) -> dict[str, int]:
    """The counts that are not zero, without those of reading."""
    names = ("added", "changed", "unchanged", "withdrawn", "refused", "held")
    return {name: getattr(run.counters, name) for name in names if getattr(run.counters, name)}
