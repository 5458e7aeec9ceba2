"""What a run did, told for people: titles and owners of the records it touched, and lines added and removed.

Added, changed and withdrawn records are read from the ranges of entries that the run wrote; refused and held ones from
its rows. A reading of runs and journals: it writes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from node.catalog.runs import Run, RunRow, Runs
from node.errors import NotFound
from node.journal import Entry, Reader
from node.vocab.ntriples import Triple, is_literal, language_of, triples_of, value_of

_TITLE = "<http://purl.org/dc/terms/title>"
_PUBLISHER = "<http://purl.org/dc/terms/publisher>"
_NAMES = {"<http://xmlns.com/foaf/0.1/name>", "<http://www.w3.org/2006/vcard/ns#fn>"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A changed record, as lines of its payload; `tag` is the language of its title."""

    iri: str
    title: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    tag: str = ""


class Stories:
    """Tells what runs did."""

    def __init__(self, reader: Reader, runs: Runs) -> None:
        """Read runs and journals."""
        self._reader = reader
        self._runs = runs

    def rows(self, run: Run, *, limit: int = 10_000) -> list[RunRow]:
        """Give every record a run touched or refused: refused and held first, then in order of entry."""
        kept = self._runs.rows(run.id, limit=limit)
        if run.dry:
            return kept
        told: list[RunRow] = []
        for entry, before in self._entries(run):
            if len(kept) + len(told) >= limit:
                break
            told.append(self._row(entry, before))
        return kept + told

    def touched(self, run: Run, change: str, *, offset: int, limit: int, language: str = "en") -> list[RunRow]:
        """Give some of the records that a run added, changed or withdrew, in order of entry; only they are read."""
        wanted = (pair for pair in self._entries(run) if _change(*pair) == change)
        return [self._row(*pair, language) for pair in islice(wanted, offset, offset + limit)]

    def differences(self, run: Run, *, offset: int = 0, limit: int = 1000, language: str = "en") -> list[Difference]:
        """Give the changed records of a run line by line, their titles in a language if they can be."""
        found: list[Difference] = []
        changed = (pair for pair in self._entries(run) if _change(*pair) == "changed")
        for entry, before in islice(changed, offset, offset + limit):
            opening = entry.opening
            if opening is None or before is None:
                continue
            new, old = self._payload(opening.digest), self._payload(before)
            removed = tuple(sorted(set(old.split("\n")) - set(new.split("\n"))))
            added = tuple(sorted(set(new.split("\n")) - set(old.split("\n"))))
            title, tag = title_said(triples_of(new.encode()), opening.record, language)
            found.append(Difference(opening.record, title, removed, added, tag))
        return found

    def _payload(self, digest: str) -> str:
        try:
            return self._reader.store.one(digest).decode()
        except NotFound:
            return ""

    def _entries(self, run: Run) -> Iterator[tuple[Entry, str | None]]:
        """The entries a run wrote, each with the digest that stood before it (None if the record was not live)."""
        for collection, first, last in run.ranges:
            for start in range(first - 1, last, 500):
                with self._reader.db.read() as tx:
                    entries = self._reader.entries(tx, collection, after=start, limit=min(500, last - start))
                    # One query per entry, but only when somebody looks at a run.
                    pairs = [(entry, self._reader.digest_before(tx, collection, entry)) for entry in entries]
                yield from pairs

    def _row(self, entry: Entry, before: str | None, language: str = "en") -> RunRow:
        opening = entry.opening
        if opening is None:
            return RunRow("changed", "", "", "(erased)", "", "", "")
        digest = opening.digest if opening.op == "put" else before or ""
        triples = triples_of(self._payload(digest).encode()) if digest else []
        title, title_tag = title_said(triples, opening.record, language)
        owner, owner_tag = owner_said(triples, opening.record, language)
        change = _change(entry, before)
        return RunRow(change, "", opening.record, title, owner, "", "", title_tag, owner_tag)  # type: ignore[arg-type]


def _change(entry: Entry, before: str | None) -> str:
    if entry.opening is None:
        return "changed"
    return "withdrawn" if entry.opening.op == "withdraw" else "changed" if before else "added"


def title_of(triples: list[Triple], iri: str, language: str = "en") -> str:
    """Give a record's title: an original in the language, then any original, then a translation, then the IRI."""
    return title_said(triples, iri, language)[0]


def title_said(triples: list[Triple], iri: str, language: str) -> tuple[str, str]:
    """Give that title with the tag of its language."""
    titles = [o for s, p, o in triples if p == _TITLE and s == f"<{iri}>" and is_literal(o)]
    ranked = _ranked(titles, language)
    return (value_of(ranked[0]), language_of(ranked[0])) if ranked else (iri, "")


def _ranked(values: list[str], language: str) -> list[str]:
    return sorted(values, key=lambda o: ("-t-" in language_of(o), language_of(o) != language, o))


def owner_of(triples: list[Triple], iri: str, language: str = "en") -> str:
    """Give the name of a record's publisher, chosen as a title is, or its IRI, or empty."""
    return owner_said(triples, iri, language)[0]


def owner_said(triples: list[Triple], iri: str, language: str) -> tuple[str, str]:
    """Give that name with the tag of its language."""
    publishers = {o for s, p, o in triples if s == f"<{iri}>" and p == _PUBLISHER}
    names = _ranked([o for s, p, o in triples if s in publishers and p in _NAMES], language)
    if names:
        return value_of(names[0]), language_of(names[0])
    return min((value_of(o) for o in publishers), default=""), ""
