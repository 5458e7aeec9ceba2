"""Importing: records of another register or collection, read by a mapping, checked and published like those of our own.

The report says what happened to every record of the file and to what of it found no place here: an import that loses
something says so. Records that name themselves alike are versions of one in several languages, or else named as double;
those that only look alike are published and named, for a person to decide. Export is the way back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.catalog.author import alike, import_files
from node.catalog.author.files import written as written_files
from node.catalog.author.import_files import Row
from node.catalog.author.office import Authoring, Written
from node.errors import Conflict, Malformed, NotFound
from node.vocab.kinds import mapped_in, mapped_out, mapping
from node.vocab.kinds.checking import Problem, is_missing
from node.vocab.kinds.field import KindTable, in_sentence
from node.vocab.kinds.mapping import Mapping as Declared
from node.vocab.kinds.merging import merged
from node.vocab.kinds.naming import name_of_key
from node.vocab.kinds.writing import tidy

OWN = "own"
"""The mapping of our own descriptions: as they are, with the name of each under `name`."""
_SEEN = 20
_COMPARED = 2_000
_ENOUGH = 0.6


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it was read: `places` are where it stands in its file, `language` the tag of its texts."""

    slug: str
    said: dict[str, Any]
    places: tuple[str, ...]
    line: int = 0
    language: str = ""


@dataclass(slots=True)
class Batch:
    """What a file says, before anything is published.

    Attributes:
        entries: By slug, in the order of the file.
        read: How many records the file has.
        skipped: How many are of another kind, as the mapping says.
        nameless: Places of records without a name.
        twice: Slugs with the places of records that name themselves as an earlier one does.
        left: How many records had something left out, by its place in a record and the reason.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    read: int = 0
    skipped: int = 0
    nameless: list[str] = field(default_factory=list)
    twice: dict[str, list[str]] = field(default_factory=dict)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that was not published: its place in the file, its name, and what to mend."""

    place: str
    slug: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, or would do; names are slugs, in the order of the file."""

    mapping: str
    kind: str
    dry_run: bool
    read: int
    new: tuple[str, ...]
    changed: tuple[str, ...]
    same: tuple[str, ...]
    merged: tuple[str, ...]
    refused: tuple[Refusal, ...]
    skipped: int
    twice: Mapping[str, Sequence[str]]
    alike: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str, int], ...]
    warned: int
    missed: tuple[tuple[str, str, int], ...]
    """What a reader in another city will miss: the field, the code of the warning, in how many records; most first."""

    def document(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "mapping": self.mapping,
            "kind": self.kind,
            "dry_run": self.dry_run,
            "read": self.read,
            "new": self.new,
            "changed": self.changed,
            "same": self.same,
            "merged": self.merged,
            "refused": [
                {
                    "place": each.place,
                    "name": each.slug,
                    "problems": [
                        {"pointer": one.pointer, "code": one.code, "message": one.message} for one in each.problems
                    ],
                }
                for each in self.refused
            ],
            "skipped": self.skipped,
            "twice": [{"name": slug, "places": places} for slug, places in self.twice.items()],
            "alike": [{"name": one, "other": other} for one, other in self.alike],
            "left_out": [{"field": path, "why": why, "records": number} for path, why, number in self.left],
            "with_warnings": self.warned,
            "warnings": [{"field": path, "code": code, "records": number} for path, code, number in self.missed],
        }


def mapping_of(table: KindTable, rows: Sequence[Row], *, name: str = "") -> Declared | None:
    """Find the mapping of a file: the one of that name, else the one that knows most of what it says.

    Returns:
        The mapping; None for our own descriptions.

    Raises:
        NotFound: There is no mapping of that name.
        Malformed: It is for another kind; or none knows the file well enough, or two do so equally.
    """
    if name == OWN:
        return None
    if name:
        found = mapping.builtin(name)
        if found.table.kind != table.kind:
            raise Malformed(f"The mapping {name} is for {in_sentence(found.table.plural['en'])}.", fix=_choices(table))
        return found
    scores = sorted(((_known(each, rows), each) for each in _fitting(table)), key=lambda pair: -pair[0])
    own = _own_share(table, rows)
    if own >= max(_ENOUGH, scores[0][0] if scores else 0):
        return None
    if not scores or scores[0][0] < _ENOUGH or (len(scores) > 1 and scores[0][0] == scores[1][0]):
        raise Malformed("It is not clear how to read the file.", fix=_choices(table))
    return scores[0][1]


def _fitting(table: KindTable) -> list[Declared]:
    return [each for name in mapping.builtins() if (each := mapping.builtin(name)).table.kind == table.kind]


def _choices(table: KindTable) -> str:
    return f"Say which: --from {' or '.join([*(each.name for each in _fitting(table)), OWN])}, or --mapping FILE."


def _known(declared: Declared, rows: Sequence[Row]) -> float:
    """Give the share of what the first records say that a mapping reads; less if they name another standard."""
    said = left = 0
    for row in rows[:_SEEN]:
        if mapped_in.is_for(declared, row.raw):
            taken = mapped_in.take(declared, row.raw)
            said += mapped_in.size_of(declared, row.raw)
            left += len(taken.left) + sum(row.raw.get(key, value) != value for key, value in declared.export.items())
    return 1 - left / said if said else 0.0


def _own_share(table: KindTable, rows: Sequence[Row]) -> float:
    keys = [key.partition(".")[0] for row in rows[:_SEEN] for key in row.raw]
    return sum(key == "name" or table.field(key) is not None for key in keys) / len(keys) if keys else 0.0


def batch_of(
    table: KindTable, rows: Sequence[Row], declared: Declared | None, *, translated_from: str = "", language: str = "en"
) -> Batch:
    """Read the records of a file.

    Args:
        table: Their kind.
        rows: The records.
        declared: How to read them; None for our own descriptions.
        translated_from: A language: texts in any other one are marked as a machine's translation of it.
        language: Of texts that name none, in our own descriptions.
    """
    batch = Batch(read=len(rows))
    for row in rows:
        if declared is None:
            _add(table, batch, row, _own(table, row, language))
        elif mapped_in.is_for(declared, row.raw):
            taken = mapped_in.take(declared, row.raw, translated_from=translated_from, name=row.name)
            batch.left.update((each.path, each.why) for each in taken.left)
            _add(table, batch, row, Entry(taken.slug, taken.said, (_place(row),), row.line, taken.language))
        else:
            batch.skipped += 1
    return batch


def _place(row: Row) -> str:
    return f"{row.file}:{row.line}" if row.line else f"{row.file}{row.place}"


def _own(table: KindTable, row: Row, language: str) -> Entry:
    raw = import_files.thickened(row.raw)
    for each in table.fields:
        if each.form == "flag" and raw.get(each.name) in ("true", "false"):
            raw[each.name] = raw[each.name] == "true"  # as a cell has it
    name = str(raw.pop("name", "") or row.name)
    return Entry(
        name_of_key(name, table.kind),
        tidy(table, raw, language),
        (_place(row),),
        row.line,
    )


def _add(table: KindTable, batch: Batch, row: Row, entry: Entry) -> None:
    before = batch.entries.get(entry.slug)
    if not entry.slug:
        batch.nameless.append(_place(row))
    elif before is None:
        batch.entries[entry.slug] = entry
    elif entry.language and entry.language not in before.language.split():
        # What a person wrote stands before what a machine made of it.
        first, second = sorted((before, entry), key=lambda each: "-t-" in each.language)
        both = f"{before.language} {entry.language}"
        said = merged(table.fields, first.said, second.said)
        batch.entries[entry.slug] = Entry(entry.slug, said, before.places + entry.places, before.line, both)
    else:
        batch.twice.setdefault(entry.slug, [before.places[0]]).extend(entry.places)


class Importer:
    """Publishes what files of others say, as records of one kind."""

    def __init__(self, authoring: Authoring, table: KindTable) -> None:
        """Publish through that office."""
        self._authoring = authoring
        self._table = table

    def run(
        self,
        batch: Batch,
        declared: Declared | None,
        *,
        publisher: str = "",
        collection: str = "",
        dry_run: bool = False,
    ) -> Report:
        """Publish a batch: each record that has no error, in one transaction.

        Args:
            batch: What was read.
            declared: How it was read.
            publisher: Who answers for records that do not say; without it, those are refused.
            collection: Where; else where each stands, or the kind's own.
            dry_run: Say what would happen and publish nothing.

        Raises:
            NotFound, Conflict, JournalBusy: As `Authoring.publish`.
        """
        kind = self._table.kind
        own = self._authoring.own(kind)
        before = {each.slug for each in own}
        others = [each for each in own if each.slug not in batch.entries]
        many = [self._written(each, declared, publisher) for each in batch.entries.values()]
        outcome = self._authoring.publish(kind, many, collection=collection, dry_run=dry_run, strict=False)
        put, same = ({iri.rpartition("/")[2] for iri in iris} for iris in (outcome.put, outcome.unchanged))
        slugs = list(batch.entries)
        return Report(
            mapping=declared.name if declared else OWN,
            kind=kind,
            dry_run=dry_run,
            read=batch.read,
            new=tuple(each for each in slugs if each in put and each not in before),
            changed=tuple(each for each in slugs if each in put and each in before),
            same=tuple(each for each in slugs if each in same),
            merged=tuple(slug for slug, each in batch.entries.items() if len(each.places) > 1),
            refused=(*self._nameless(batch), *self._refused(batch, outcome.refused)),
            skipped=batch.skipped,
            twice=batch.twice,
            alike=alike.pairs(
                {slug: each.said.get("title") for slug, each in batch.entries.items()},
                {each.slug: self._authoring.said(each).get("title") for each in others[:_COMPARED]},
            ),
            left=tuple(sorted((path, why, number) for (path, why), number in batch.left.items())),
            warned=len(outcome.warned),
            missed=tuple(_missed(outcome.warned)),
        )

    def _written(self, entry: Entry, declared: Declared | None, publisher: str) -> Written:
        said = dict(entry.said)
        problems: tuple[Problem, ...] = ()
        if declared is not None and self._table.field("publisher") and is_missing(said.get("publisher")):
            if publisher:
                said["publisher"] = {"name": {declared.language: publisher}}
            else:
                # Else it would be published as written by this city.
                message = "The record does not say who answers for it: name them with --publisher."
                problems = (Problem("/publisher", "missing", message),)
        file, _, _ = entry.places[0].partition(":")
        places = {"": (file, entry.line)} if entry.line else {}
        return Written(entry.slug, said, file=entry.places[0], places=places, problems=problems)

    def _refused(self, batch: Batch, judged: Sequence[tuple[str, tuple[Problem, ...]]]) -> Iterator[Refusal]:
        for slug, problems in judged:
            errors = tuple(each for each in problems if each.level == "error")
            yield Refusal(batch.entries[slug].places[0], slug, errors)

    def _nameless(self, batch: Batch) -> Iterator[Refusal]:
        problem = Problem("", "no-name", "The record has neither a key nor a name that its address could end in.")
        yield from (Refusal(place, "", (problem,)) for place in batch.nameless)

    # ---------------------------------------------------------------- drafts and the way back

    def draft(self, batch: Batch, folder: Path, *, collection: str = "") -> list[Path]:
        """Write a file for each record instead of publishing it.

        Raises:
            Conflict: A file of that name is there; nothing was written.
        """
        files = {
            folder / f"{slug}{f'.{language}' if language else ''}.md": text
            for slug, entry in batch.entries.items()
            for language, text in written_files(self._table, entry.said, collection=collection).items()
        }
        there = sorted(path for path in files if path.exists() or path.is_symlink())
        if there:
            raise Conflict(f"{there[0]} is there already.", fix="Choose another folder, or take the file away.")
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, "utf-8")
        return sorted(files)

    def export(
        self, declared: Declared | None, *, language: str = "", collection: str = ""
    ) -> tuple[list[dict[str, Any]], int]:
        """Write the published records of ours as a mapping says, or as they are.

        Args:
            declared: As whom; None for as they are.
            language: Of the texts, where there are several.
            collection: Only those in it, whoever may read it; else those that everyone may read.

        Returns:
            The records, and how many were left out because not everyone may read them.

        Raises:
            NotFound: There is no such collection of ours.
        """
        visibilities = self._authoring.visibilities()
        if collection and (collection not in visibilities or "/" in collection):
            raise NotFound(f"There is no collection {collection[:63]} of ours.", fix="See: citynode collections list")
        own = self._authoring.own(self._table.kind)
        chosen = (
            [each for each in own if each.collection == collection]
            if collection
            else [each for each in own if visibilities.get(each.collection) == "public"]
        )
        left = 0 if collection else len(own) - len(chosen)
        if declared is None:
            return [{"name": each.slug, **self._authoring.said(each)} for each in chosen], left
        return [mapped_out.give(declared, self._authoring.said(each), language=language) for each in chosen], left


def _missed(judged: Iterable[tuple[str, tuple[Problem, ...]]]) -> Iterator[tuple[str, str, int]]:
    """Count warnings by field and code; a list is one field to a reader."""
    found: Counter[tuple[str, str]] = Counter()
    for _, problems in judged:
        steps = ((each.pointer.split("/")[1:], each.code) for each in problems if each.level == "warning")
        found.update({(".".join(step for step in path if not step.isdigit()), code) for path, code in steps})
    yield from ((path, code, number) for (path, code), number in sorted(found.items(), key=lambda one: (-one[1], one)))


def text_of(records: Sequence[Mapping[str, Any]], declared: Declared | None, form: str) -> str:
    """Write exported records as a file: `json` or `csv`."""
    if form == "csv":
        columns = mapped_out.columns(declared) if declared else []
        return import_files.csv_text(records, columns, delimiter=declared.delimiter if declared else ",")
    return import_files.json_text(records, place=declared.records if declared else "")
