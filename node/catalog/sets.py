"""Comparable sets: those that people wrote and published, here and in other cities, and those that are only suggested.

A set is written as a file, published as a record of the public collection `sets`, and federates like any record.
Suggestions are made from public records alone, kept in a file of their own that can be thrown away, and never
published by themselves. Reads the shelf; writes through `publish`, and in the folder of sets.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from node.catalog.homes import public, records
from node.catalog.likeness import Signature, Suggestion, signature_of, suggest
from node.catalog.publish import Published, Publisher
from node.catalog.readings import ReadingStatus, State
from node.catalog.set_file import MAX_BYTES, column_stub, read_set, write_set
from node.catalog.shelf import Held, Shelf
from node.catalog.touched import Touched
from node.catalog.vocabularies import Vocabularies
from node.errors import Conflict, Malformed, NotFound
from node.journal import Draft
from node.records import slug_of
from node.vocab.ntriples import language_tag
from node.vocab.set_records import KIND, MAX_TEXT, ComparableSet, payload_of, record_of, set_in

_logger = logging.getLogger("citynode.sets")
COLLECTION = "sets"
TITLE = "Comparable sets"
SUGGESTIONS = "suggestions.json"
MOST_RECORDS = 100_000
MOST_SUGGESTED = 500
MOST_LISTED = 1_000
_PAGE = 1_000
_COMPARED = ("dataset", "dataset-series")
# What is looked for anew costs at most a hundredth of one core, however many records there are.
_REST = 100
_LEAST_REST_MS = 60_000
_AND = {"en": "and", "fi": "ja", "sv": "och"}


@dataclass(frozen=True, slots=True)
class Suggested:
    """What was suggested when, from the state after change `n`; looking took `took_ms`."""

    n: int
    made_at_ms: int
    took_ms: int
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class Curated:
    """A set that a city published, and the record that says it."""

    held: Held
    said: ComparableSet


class Sets:
    """The sets of all cities. Safe to share by threads; one process suggests at a time."""

    def __init__(
        self, shelf: Shelf, vocabularies: Vocabularies, publisher: Publisher, *, folder: Path, base_url: str, slug: str
    ) -> None:
        """Keep files in `folder`; search calls our own records' city `slug`."""
        self._shelf = shelf
        self._vocabularies = vocabularies
        self._publisher = publisher
        self.folder = folder
        self._base = base_url
        self._slug = slug
        self._read: tuple[tuple[int, int], Suggested | None] = ((0, 0), None)

    def file_of(self, name: str) -> Path:
        """Say where the file of a set is.

        Raises:
            Malformed: The name can be none.
        """
        if not name or slug_of(name) != name:
            raise Malformed(f"{name[:80]!r} is no name of a set.", fix="Write a-z, 0-9 and -, at most 80.")
        return self.folder / f"{name}.toml"

    def draft(self, name: str, said: ComparableSet) -> Path:
        """Write the file of a new set, to be edited.

        Raises:
            Conflict: There is one of that name.
        """
        file = self.file_of(name)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with file.open("x", encoding="utf-8") as opened:
                opened.write(write_set(said) + ("" if said.columns else column_stub(said.members)))
        except FileExistsError as error:
            raise Conflict(f"There is a set {name} already: {file}.", fix="Edit it, or choose another name.") from error
        return file

    def drafted(self, name: str) -> ComparableSet:
        """Read the file of a set.

        Raises:
            NotFound: There is none.
            Malformed: It cannot be used; the message says why.
        """
        try:
            with self.file_of(name).open("rb") as opened:
                body = opened.read(MAX_BYTES + 1)
        except FileNotFoundError as error:
            raise NotFound(f"There is no set {name} here.", fix=f"Write one: citynode sets new {name}") from error
        if len(body) > MAX_BYTES:
            raise Malformed("The file of a set has at most 1 MiB.")
        try:
            return read_set(body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Malformed(f"The file of the set {name} is not written in UTF-8.") from error

    def publish(self, name: str) -> Published:
        """Publish a set as its file says it.

        Raises:
            NotFound: There is no such file, or one of its records is held by no public collection here.
            Malformed: The file cannot be used.
        """
        said = self.drafted(name)
        for member in said.members:
            if self.visible(member) is None:
                raise NotFound(
                    f"No public record {member[:200]} is held here.", fix="Mirror its collection, or leave it out."
                )
        record = record_of(name, self._base)
        done = self._publisher.publish(COLLECTION, TITLE, [Draft(record, name, KIND, "put", payload_of(record, said))])
        self._settle()
        return done

    def _settle(self) -> None:
        """Take out of the kept suggestions what is a set by now."""
        last = self.suggested()
        open_ = self._unsettled(last.suggestions) if last else ()
        if last and len(open_) < len(last.suggestions):
            self._keep(replace(last, suggestions=open_))

    def _unsettled(self, suggestions: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
        """Leave out those whose records stand in one published set already, ours or another city's."""
        settled = [frozenset(each.said.members) for each in self.curated()]
        found = [(each, frozenset(iri for _, iri in each.members)) for each in suggestions]
        return tuple(each for each, iris in found if not any(iris <= members for members in settled))

    def withdraw(self, name: str) -> Published:
        """Withdraw a set of ours; its file stays.

        Raises:
            NotFound: No such set is published.
        """
        record = record_of(name, self._base)
        if not any(each.held.iri == record and each.held.collection == COLLECTION for each in self.curated()):
            raise NotFound(f"No set {name[:80]} of ours is published.", fix="List them: citynode sets list")
        return self._publisher.publish(COLLECTION, TITLE, [Draft(record, name, KIND, "withdraw", None)])

    def curated(self) -> list[Curated]:
        """Give the published sets of all cities, ours first: those of public collections of the one name."""
        helds = records(self._shelf, COLLECTION, KIND, most=MOST_LISTED)[:MOST_LISTED]
        payloads = self._shelf.payloads(helds)
        return [Curated(held, set_in(held.iri, body)) for held, body in zip(helds, payloads, strict=True) if body]

    def visible(self, iri: str) -> Held | None:
        """Find a record that everyone may see."""
        shown = set(public(self._shelf))
        return next((held for held in self._shelf.all_by_iri(iri) if held.collection in shown), None)

    def begin(self, members: Sequence[str]) -> ComparableSet:
        """Make a set of records to begin with: titled after them ("A and B"), without columns.

        Raises:
            NotFound: One of them is held by no public collection here.
        """
        helds = [(iri, self.visible(iri)) for iri in members]
        missing = next((iri for iri, held in helds if held is None), None)
        if missing is not None:
            raise NotFound(f"No public record {missing[:200]} is held here.", fix="Find its IRI: citynode search")
        found = [self._signature(held, self._shelf.payload(held)) for _, held in helds if held]
        themes = frozenset.intersection(*(each.themes for each in found))
        return ComparableSet(_titled(found), tuple(members), theme=min(themes, default=""))

    def suggest(self, stop: threading.Event, *, n: int, now_ms: int, clock_ms: Callable[[], int]) -> Suggested:
        """Look for comparable records and keep what was found, for `suggested`."""
        found = suggest(self._signatures(stop), stop, limit=MOST_SUGGESTED)
        made = Suggested(n, now_ms, max(1, clock_ms() - now_ms), self._unsettled(found))
        if not stop.is_set():
            self._keep(made)
        return made

    def _signatures(self, stop: threading.Event) -> Iterator[Signature]:
        names = public(self._shelf)
        share = max(_PAGE, MOST_RECORDS // max(1, len(names)))
        for name in names:
            for offset in range(0, share, _PAGE):
                helds = self._shelf.page(name, offset=offset, limit=min(_PAGE, share - offset))
                compared = [held for held in helds if held.kind in _COMPARED]
                for held, payload in zip(compared, self._shelf.payloads(compared), strict=True):
                    if payload:
                        yield self._signature(held, payload)
                if len(helds) < _PAGE or stop.is_set():
                    break

    def _signature(self, held: Held, payload: bytes) -> Signature:
        city = held.collection.partition("/")[0] if "/" in held.collection else self._slug
        return signature_of(city, held.iri, payload, self._vocabularies.book())

    def _keep(self, made: Suggested) -> None:
        """Write the file whole or not at all, for readers in other processes."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.folder / f"{SUGGESTIONS}.{os.getpid()}.part"
        part.write_text(json.dumps(asdict(made), ensure_ascii=False), "utf-8")
        part.replace(self.folder / SUGGESTIONS)

    def suggested(self) -> Suggested | None:
        """Give what was suggested last; None before the first time, or where the file is damaged."""
        file = self.folder / SUGGESTIONS
        try:
            stat = file.stat()
        except OSError:
            return None
        mark = stat.st_mtime_ns, stat.st_size
        if self._read[0] != mark:
            self._read = mark, _read_suggested(file)
        return self._read[1]


def _titled(found: Sequence[Signature]) -> dict[str, str]:
    """Title a set after its records, in each language that all of them have, else in English as far as they do."""
    titles = [{language_tag(tag) or "en": text for tag, text in each.titles.items() if text} for each in found]
    shared = [tag for tag in titles[0] if all(tag in each for each in titles)]
    if shared:
        return {tag: _joined([each[tag] for each in titles], tag) for tag in shared}
    return {"en": _joined([each.get("en") or next(iter(each.values()), "?") for each in titles], "en")}


def _joined(names: Sequence[str], language: str) -> str:
    *first, last = dict.fromkeys(names)
    word = _AND.get(language[:2])
    joined = f"{', '.join(first)} {word} {last}" if first and word else ", ".join([*first, last])
    return joined[:MAX_TEXT]


def _read_suggested(file: Path) -> Suggested | None:
    try:
        said: dict[str, Any] = json.loads(file.read_bytes())
        found = tuple(_suggestion(each) for each in said["suggestions"])
        return Suggested(int(said["n"]), int(said["made_at_ms"]), int(said["took_ms"]), found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        _logger.warning("the suggestions of sets cannot be read, and will be made anew: %s", error)
        return None


def _suggestion(said: dict[str, Any]) -> Suggestion:
    lists = {key: tuple(map(str, said[key])) for key in ("terms", "themes", "columns")}
    members = tuple((str(city), str(iri)) for city, iri in said["members"])
    title = {str(tag): str(text) for tag, text in said["title"].items()}
    return Suggestion(name=str(said["name"]), title=title, members=members, score=float(said["score"]), **lists)


class SetsReading:
    """Suggests sets anew when records changed, seldom enough to cost next to nothing."""

    name = "sets"

    def __init__(self, sets: Sets, touched: Touched, clock_ms: Callable[[], int]) -> None:
        """Suggest for these sets whenever something was touched."""
        self._sets = sets
        self._touched = touched
        self._clock_ms = clock_ms

    def catch_up(self, stop: threading.Event) -> int:
        """Suggest anew if records changed and the last time is long enough ago; give the number of suggestions."""
        last, newest = self._sets.suggested(), self._touched.newest()
        if last is not None:
            rest_ms = max(_LEAST_REST_MS, _REST * last.took_ms)
            if last.n == newest or 0 <= self._clock_ms() - last.made_at_ms < rest_ms:
                return 0
        elif not newest:
            return 0
        return self.rebuild(stop)

    def rebuild(self, stop: threading.Event) -> int:
        """Suggest anew at once."""
        n = self._touched.newest()
        return len(self._sets.suggest(stop, n=n, now_ms=self._clock_ms(), clock_ms=self._clock_ms).suggestions)

    def status(self) -> ReadingStatus:
        """Say from which state the suggestions are; a while behind is how it should be."""
        last, newest = self._sets.suggested(), self._touched.newest()
        if last is None:
            return ReadingStatus(self.name, "missing" if newest else "level", 0, newest, 0, 0)
        state: State = "level" if last.n == newest else "behind"
        return ReadingStatus(self.name, state, last.n, newest, len(last.suggestions), 0)
