"""Corrections at the desk: what a source publishes wrongly is set right here at once, and again at every harvest.

The source is asked to mend it all the same; a correction is an overlay and no record of its own. It is checked as what
this city writes itself is, stands in the record for everyone to see, and can be taken back, which gives the source's
own record again. When the source begins to say something else in a corrected place, that waits for a person: nobody
but a person knows which of the two is right.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.catalog import corrected, correction_store, names
from node.catalog.correction_store import Correction
from node.catalog.search.said import title_of
from node.catalog.shelf import Held, Shelf, save_findings
from node.catalog.sources import Sources
from node.catalog.tasks import DAY_MS, Task
from node.db import Tx
from node.errors import Changed, Conflict, Malformed, NotFound, Refused
from node.journal import Draft, Follower
from node.journal.journal import Journals
from node.records import MAX_PAYLOAD_BYTES, Record, digest_of
from node.vocab import contacts, overlay, personal
from node.vocab.kinds.checking import Problem, check, is_missing
from node.vocab.kinds.field import Said
from node.vocab.kinds.writing import tidy
from node.vocab.parse import Parser

MOST_NOTE = 1_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A record with what its source says in the fields that may be corrected, and the correction if there is one."""

    held: Held
    source: str
    says: Mapping[str, Any]
    correction: Correction | None


@dataclass(frozen=True, slots=True)
class City:
    """Whose corrections they are: `language` is that of texts that name none."""

    name: str
    base_url: str
    language: str


class Corrections:
    """Corrects records of this city's sources. Safe to share by threads."""

    def __init__(
        self,
        journals: Journals,
        followers: Sequence[Follower],
        shelf: Shelf,
        sources: Sources,
        *,
        city: City,
        parser: Callable[[], Parser],
        clock_ms: Callable[[], int],
    ) -> None:
        """Write as that city; `parser` gives one for records whose nameless parts look alike."""
        self._journals = journals
        self._followers = followers
        self._shelf = shelf
        self._sources = sources
        self._city = city
        self._parser = parser
        self._clock_ms = clock_ms

    def list(self, *, changed: bool = False, limit: int = 1_000) -> Sequence[Correction]:
        """List corrections, the last first, or those alone whose source says something else by now."""
        with self._journals.db.read() as tx:
            return correction_store.listed(tx, changed=changed, limit=limit)

    def show(self, iri: str) -> Sheet:
        """Show a record of a source, to be corrected.

        Raises:
            NotFound: No such record of ours is published.
            Conflict: This city wrote it itself, so there is no source to correct.
        """
        held = self._held(iri)
        with self._journals.db.read() as tx:
            source = self._source_of(tx, held)
            known = correction_store.one(tx, iri)
        return Sheet(held, source, overlay.source_says(iri, self._payload(held, known)), known)

    def check(self, iri: str, said: Said) -> tuple[Problem, ...]:
        """Say what keeps a correction from being made, and what is odd in it."""
        sheet = self.show(iri)
        return tuple(self._problems(sheet, self._tidy(said)))

    def set(self, iri: str, said: Said, *, who: str, note: str = "", version: str | None = None) -> Sheet:
        """Correct a record at once, and from now on at every harvest; an earlier correction of it is replaced.

        Args:
            iri: The record.
            said: What it shall say instead, by field; what equals the source is left out.
            who: The person, for the desk alone: the record names the city.
            note: Why, for the desk alone.
            version: The correction that was gone on from, empty for none; None if it does not matter.

        Raises:
            NotFound: No such record of ours is published.
            Conflict: It comes from no source, or what the source said was erased.
            Malformed: What is wrong with the correction; `places` names each place.
            Changed: Somebody corrected it meanwhile, or a harvest was faster.
        """
        if len(note) > MOST_NOTE:
            raise Malformed(
                f"A note has at most {MOST_NOTE:,} characters.",
                fix="Write a shorter one.",
            ).on_page("no.note", field="note", most=MOST_NOTE)
        sheet = self.show(iri)
        _check_read(sheet.correction, version)
        wanted = self._news(sheet, self._tidy(said))
        _refuse([each for each in self._problems(sheet, wanted) if each.level == "error"])
        source = self._record(sheet.held, sheet.correction)
        before = overlay.in_place(wanted, sheet.says)
        digest, collection = digest_of(source.payload), sheet.held.collection
        new = Correction(
            iri, wanted, before, before, source.payload, digest, collection, who, self._clock_ms(), note=note
        )
        self._write(sheet, self._laid(source, new), new)
        return self.show(iri)

    def remove(self, iri: str, *, version: str | None = None) -> Sheet | None:
        """Take a correction back: the record says again what its source says; None if it is not published now.

        Raises:
            NotFound: It has no correction.
            Changed: It is another one than the `version` that was read, or a harvest was faster.
        """
        with self._journals.db.read() as tx:
            known = correction_store.one(tx, iri)
        if known is None:
            raise NotFound(
                f"There is no correction of {iri[:200]}.", fix="List them: citynode corrections list"
            ).on_page("no.correction")
        _check_read(known, version)
        try:
            sheet = self.show(iri)
        except NotFound:
            with self._journals.db.write() as tx:
                correction_store.drop(tx, iri)
            return None
        held = sheet.held
        payload = known.source or self._shelf.payload(held)
        findings = tuple(self._shelf.findings(held))
        self._write(sheet, Record(iri, held.kind, held.slug, payload, findings), None)
        return self.show(iri)

    def tasks(self) -> Iterator[Task]:
        """Give those whose sources say something else by now, as something to look at."""
        changed = {each.iri: each for each in self.list(changed=True)}
        for iri, helds in self._shelf.holders(list(changed)).items():
            held = next((each for each in helds if "/" not in each.collection), None)
            if held is not None:
                title, _ = title_of(self._shelf.payload(held), iri, self._city.language)
                day = changed[iri].changed_ms // DAY_MS
                yield Task("correction", day, title, iri, held.kind, held.slug, held.collection)

    # ---------------------------------------------------------------- steps

    def _held(self, iri: str) -> Held:
        held = next((each for each in self._shelf.all_by_iri(iri) if "/" not in each.collection), None)
        if held is None:
            raise NotFound(f"No record {iri[:200]} of ours is published.").on_page("no.correction.record")
        return held

    def _source_of(self, tx: Tx, held: Held) -> str:
        source = names.source_of(tx, held.kind, held.slug)
        if source is None:
            raise Conflict(
                "This city wrote the record itself.",
                fix="Change the record, where it is written.",
            ).on_page("no.correction.own")
        return source

    def _payload(self, held: Held, known: Correction | None) -> bytes:
        return (known.source if known else b"") or self._shelf.payload(held)

    def _tidy(self, said: Said) -> dict[str, Any]:
        made = tidy(overlay.TABLE, said, self._city.language)
        return {name: value for name, value in made.items() if not is_missing(value)}

    def _news(self, sheet: Sheet, said: Said) -> dict[str, Any]:
        """Leave out what the source says just so."""
        made = {name: value for name, value in said.items() if sheet.says.get(name) != value}
        if "files" in made and isinstance(made["files"], list):
            files = [each for each in made["files"] if not _is_same(each)]
            made = {**made, "files": files} if files else {k: v for k, v in made.items() if k != "files"}
        for field in overlay.TABLE.fields:
            value, theirs = made.get(field.name), sheet.says.get(field.name)
            if field.by_language and not field.many and isinstance(value, Mapping) and isinstance(theirs, Mapping):
                made[field.name] = {tag: text for tag, text in value.items() if theirs.get(tag) != text}
        return {name: value for name, value in made.items() if not is_missing(value)}

    def _problems(self, sheet: Sheet, said: Said) -> Iterator[Problem]:
        if not said:
            yield Problem("", "missing", "Nothing is corrected: the source says all of this already.")
            return
        wrong = list(check(overlay.TABLE, said))
        yield from wrong
        if wrong:
            return
        email = said.get("contact", {}).get("email", "")
        if contacts.is_personal_mailbox(email):
            yield Problem("/contact/email", "personal-mailbox", "It looks like a person's mailbox: name an office's.")
        if sheet.correction is not None and not sheet.correction.source:
            raise Conflict(
                "What the source said was erased here.", fix="Run the source, then correct it again."
            ).on_page("no.correction.erased")
        yield from self._of_payload(sheet, said)

    def _of_payload(self, sheet: Sheet, said: Said) -> Iterator[Problem]:
        """Look at the record as it would be: what contains personal data, or is too large, is not published."""
        held, now_ms = sheet.held, self._clock_ms()
        source = self._record(held, sheet.correction)
        new = Correction(held.iri, said, {}, {}, b"", "", held.collection, "", now_ms)
        try:
            payload = self._laid(source, new).payload
        except Refused as error:
            yield Problem("", error.code, str(error))
            return
        if len(payload) > MAX_PAYLOAD_BYTES:
            yield Problem("", "too-large", "With the correction the record has more than 1 MiB.")
        what = personal.contains(held.kind, payload) if self._is_public(held.collection) else ""
        if what:
            yield Problem("", personal.REFUSED, f"It contains personal data ({what}), and everyone may read it.")

    def _is_public(self, collection: str) -> bool:
        with self._journals.db.read() as tx:
            return self._journals.get(tx, collection).visibility == "public"

    def _record(self, held: Held, known: Correction | None) -> Record:
        findings = tuple(self._shelf.findings(held))
        return Record(held.iri, held.kind, held.slug, self._payload(held, known), findings)

    def _laid(self, source: Record, new: Correction) -> Record:
        stamp = overlay.Stamp(self._city.name, self._city.base_url, new.at_ms)
        with self._parser() as parser:
            return corrected.laid_over(source, new, stamp, lambda lines: parser.canonicalize(lines, corrected.CANON_S))

    def _write(self, sheet: Sheet, record: Record, new: Correction | None) -> None:
        """Publish the record and keep or drop its correction, in one transaction."""
        held, now_ms = sheet.held, self._clock_ms()
        with self._journals.db.write() as tx:
            # A harvest appends under the same lock, and looks at corrections again within it.
            tx.lock(f"journal/{held.collection}")
            if self._held(record.iri) != held or correction_store.one(tx, record.iri) != sheet.correction:
                raise Changed(
                    "The record has changed since it was read.",
                    fix="Look at it again.",
                ).on_page("no.record.changed")
            draft = Draft(record.iri, record.slug, record.kind, "put", record.payload)
            self._journals.append_followed(tx, held.collection, [draft], self._followers, at_ms=now_ms)
            save_findings(tx, self._journals.get(tx, held.collection).id, {record.iri: record.findings})
            if new is None:
                correction_store.drop(tx, record.iri)
            else:
                correction_store.put(tx, new)
            # What is found in the source alone is found again at the next harvest, so that one must read all of it.
            self._sources.forget_validators(tx, sheet.source)
        self._journals.checkpoint(held.collection, at_ms=now_ms)


def _check_read(known: Correction | None, version: str | None) -> None:
    """Raise Changed if the correction that stands is not the one that somebody read; None asks nothing."""
    if version is None or version == (known.version if known else ""):
        return
    message = f"{known.who} has corrected it meanwhile." if known else "Its correction was taken back meanwhile."
    raise Changed(message, fix="Look at it again; what you wrote was not kept.").on_page("no.correction.changed")


def _is_same(file: object) -> bool:
    """Tell whether a file's format is left as the source says it."""
    return isinstance(file, Mapping) and (is_missing(file.get("format")) or file.get("format") == file.get("was"))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        error = Malformed(
            problems[0].message if len(problems) == 1 else f"{len(problems)} things are to be mended."
        ).on_page("no.mend", count=len(problems))
        error.places = tuple((each.pointer, each.message) for each in problems)
        raise error
