"""Drafts: descriptions on their way to a publication, kept where several people can go on with them.

A draft is in no journal and on no page; it is as loose as a person left it. It knows what was published when it was
begun, so nobody publishes over what somebody else wrote meanwhile, and each saving is one version, so nobody saves over
it either. A record that is withdrawn here leaves its text behind as a draft, with the reason, to be restored from. Owns
the table `record_draft`; publishing itself is the office's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from node.catalog.author.office import Authoring, Outcome, Written, table_of
from node.catalog.publish import Published
from node.catalog.tasks import DAY_MS, Task
from node.db import Database, Row, Tx
from node.errors import Changed, Conflict, Malformed, NotFound, TooLarge
from node.records import slug_of
from node.vocab.kinds.checking import Problem
from node.vocab.kinds.field import Said, in_sentence

State = Literal["draft", "review", "withdrawn"]
MAX_BYTES = 512 * 1024
MOST, MOST_NOTE = 1_000, 1_000
_COLUMNS = "kind, slug, said, collection, state, who, at, version, base, note"


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft.

    Attributes:
        kind: A key of `records.KINDS`.
        slug: It will end the record's address.
        said: The description, as loose as it was left.
        collection: Where it is to stand; empty for the kind's own.
        state: `draft`, `review` (somebody asked for one) or `withdrawn` (what a withdrawn record said).
        who: Who saved it last.
        at_ms: When.
        version: Counted from 1; 0 for one that is not saved yet.
        base: The digest of what was published when it was begun; empty if nothing was.
        note: What whoever asks for a review has to say, or why it was withdrawn.
    """

    kind: str
    slug: str
    said: Mapping[str, Any]
    collection: str = ""
    state: State = "draft"
    who: str = ""
    at_ms: int = 0
    version: int = 0
    base: str = ""
    note: str = ""


class Drafts:
    """Keeps drafts and publishes them. Safe to share by threads."""

    def __init__(self, db: Database, authoring: Authoring, *, clock_ms: Callable[[], int]) -> None:
        """Keep them in this database, publish them at this office."""
        self._db = db
        self._authoring = authoring
        self._clock_ms = clock_ms

    def list(self, kind: str = "", *, state: str = "") -> list[Draft]:
        """List drafts, the last saved first, at most 1,000; of one kind and in one state where these are named."""
        wanted = {name: value for name, value in (("kind", kind), ("state", state)) if value}
        where = " AND ".join(f"{name} = ?" for name in wanted) or "1 = 1"
        sql = f"SELECT {_COLUMNS} FROM record_draft WHERE {where} ORDER BY at DESC, kind, slug LIMIT ?"  # noqa: S608
        with self._db.read() as tx:
            return [_draft(row) for row in tx.rows(sql, *wanted.values(), MOST)]

    def find(self, kind: str, slug: str) -> Draft | None:
        """Find a draft."""
        with self._db.read() as tx:
            return _one(tx, kind, slug)

    def get(self, kind: str, slug: str) -> Draft:
        """Give a draft. Raises NotFound."""
        found = self.find(kind, slug)
        if found is None:
            raise NotFound(
                f"There is no draft {slug[:80]}.",
                fix="List them: citynode drafts list",
            ).on_page("no.draft", name=slug[:80])
        return found

    def open(self, kind: str, slug: str) -> Draft:
        """Give the draft to go on with: the one that is kept, else what is published, else an empty one.

        Raises:
            Malformed: There is no such kind, or the name ends no address.
        """
        table = table_of(kind)
        if not slug or slug_of(slug) != slug:
            raise Malformed(
                f"{slug[:60]!r} ends no address.",
                fix="Write a-z, 0-9 and -, at most 80.",
            ).on_page("no.record.slug", field="slug", name=slug[:60])
        found = self.find(kind, slug)
        if found is not None:
            return found
        held = self._authoring.find(table.kind, slug)
        if held is None:
            return Draft(kind, slug, {})
        return Draft(kind, slug, self._authoring.draft(held), held.collection, base=held.digest)

    def save(
        self,
        kind: str,
        slug: str,
        said: Said,
        *,
        who: str,
        version: int | None = None,
        read_at: int | None = None,
        collection: str | None = None,
    ) -> Draft:
        """Keep a description, however loose, as the next version of its draft.

        Args:
            kind: Its kind.
            slug: Its name.
            said: All of it.
            who: Who saves.
            version: The one that was gone on from; None if it does not matter.
            read_at: When that one was saved, since versions are counted anew after a draft was thrown away.
            collection: Where it is to stand; None leaves that as it is.

        Raises:
            Malformed: There is no such kind or name.
            TooLarge: It has more than 512 KiB.
            Changed: Somebody saved meanwhile.
        """
        body = orjson.dumps(said)
        if len(body) > MAX_BYTES:
            raise TooLarge(
                f"A draft has at most {MAX_BYTES:,} bytes; this has {len(body):,}.", fix="Shorten it."
            ).on_page("no.draft.large", most=MAX_BYTES // 1024)
        with self._db.write() as tx:
            tx.lock("drafts")
            before = _one(tx, kind, slug)
            found = before or self.open(kind, slug)
            _check_read(found, version, read_at, fix="Open it again; what you wrote was not saved.")
            where = found.collection if collection is None else collection
            state: State = "draft" if found.state == "withdrawn" else found.state
            new = replace(found, said=said, collection=where, state=state, who=who, at_ms=self._clock_ms())
            new = replace(new, version=found.version + 1, note="" if found.state == "withdrawn" else found.note)
            _put(tx, new)
        return new

    def ask(self, kind: str, slug: str, *, who: str, note: str = "") -> Draft:
        """Ask somebody else to read a draft. Raises NotFound."""
        return self._mark(self.get(kind, slug), "review", who, note)

    def check(self, kind: str, slug: str, said: Said, *, collection: str = "") -> tuple[Problem, ...]:
        """Say what publishing would say of a description."""
        return self._authoring.problems_of(kind, Written(slug, said, collection=collection))

    def publish(self, kind: str, slug: str, *, version: int | None = None, read_at: int | None = None) -> Outcome:
        """Publish a draft as it was saved; it is gone once it is. With errors it stays, and the outcome says why.

        Raises:
            NotFound: There is no such draft.
            Changed: Somebody saved it, or published the record, meanwhile.
        """
        draft = self.get(kind, slug)
        _check_read(draft, version, read_at, fix="Read it again.")
        written = Written(slug, draft.said, collection=draft.collection, expected=draft.base)
        outcome = self._authoring.publish(kind, [written])
        problems = [each for _, many in outcome.refused for each in many]
        if any(each.code == "changed" for each in problems):
            raise Changed(
                "The record was published anew since this draft was begun.", fix="Look at its history."
            ).on_page("no.draft.published")
        if not problems:
            self._drop(draft)
        return outcome

    def discard(self, kind: str, slug: str, *, version: int | None = None, read_at: int | None = None) -> Draft:
        """Throw a draft away; what is published stays.

        Args:
            kind: Its kind.
            slug: Its name.
            version: The one that was read; None if it does not matter.
            read_at: When that one was saved.

        Raises:
            NotFound: There is no such draft.
            Changed: Somebody saved it meanwhile.
        """
        draft, fix = self.get(kind, slug), "Read it, then throw it away; nothing was thrown away."
        _check_read(draft, version, read_at, fix=fix)
        if not self._drop(draft):
            raise Changed(f"{draft.slug} was saved anew meanwhile.", fix=fix).on_page("no.draft.kept")
        return draft

    def withdraw(self, kind: str, slug: str, *, who: str, reason: str) -> Published:
        """Withdraw a record of ours; what it said stays as a draft, with the reason, to be restored from.

        Raises:
            NotFound: No such record of ours is published.
            Conflict: It has a draft, which must be published or thrown away first; or a source brings it.
            Malformed: No reason is given.
        """
        if not reason.strip() or len(reason) > MOST_NOTE:
            raise Malformed(
                f"A reason has 1 to {MOST_NOTE:,} characters.",
                fix="Say why it is withdrawn.",
            ).on_page("no.reason", field="reason", most=MOST_NOTE)
        table = table_of(kind)
        held = self._authoring.find(kind, slug)
        if held is None:
            raise NotFound(
                f"No {in_sentence(table.title['en'])} {slug[:80]} of ours is published.",
            ).on_page("no.record.published", name=slug[:80])
        if self.find(kind, slug) is not None:
            raise Conflict(
                "There is a draft of it.",
                fix="Publish the draft or throw it away, then withdraw.",
            ).on_page("no.record.drafted")
        said = self._authoring.draft(held)
        done = self._authoring.withdraw(kind, slug, expected=held.digest)
        kept = Draft(kind, slug, said, held.collection, "withdrawn", who, self._clock_ms(), 1, "", reason.strip())
        with self._db.write() as tx:
            tx.lock("drafts")
            _put(tx, kept)
        return done

    def tasks(self) -> Iterator[Task]:
        """Give those that somebody asked to have read, as something to do."""
        for draft in self.list(state="review"):
            iri = self._authoring.iri_of(draft.kind, draft.slug)
            title = title_of(draft.said, self._authoring.city.languages) or draft.slug
            yield Task("draft", draft.at_ms // DAY_MS, title, iri, draft.kind, "", draft.collection)

    def _mark(self, draft: Draft, state: State, who: str, note: str) -> Draft:
        if len(note) > MOST_NOTE:
            raise Malformed(
                f"A note has at most {MOST_NOTE:,} characters.",
                fix="Write a shorter one.",
            ).on_page("no.note", field="note", most=MOST_NOTE)
        new = replace(draft, state=state, who=who, note=note.strip(), at_ms=self._clock_ms())
        with self._db.write() as tx:
            tx.lock("drafts")
            if _one(tx, draft.kind, draft.slug) != draft:
                raise Changed("Somebody has saved it meanwhile.", fix="Look at it again.").on_page("no.draft.changed")
            _put(tx, new)
        return new

    def _drop(self, draft: Draft) -> bool:
        """Forget a draft as it was read; tells whether it was still there so."""
        with self._db.write() as tx:
            sql = "DELETE FROM record_draft WHERE kind = ? AND slug = ? AND version = ?"
            return bool(tx.run(sql, draft.kind, draft.slug, draft.version))


def title_of(said: Said, languages: Sequence[str]) -> str:
    """Give the title of a description in the first of these languages that it has, else in any; empty for none."""
    texts = said.get("title")
    if isinstance(texts, str):
        return texts
    if not isinstance(texts, Mapping):
        return ""
    found = [texts[each] for each in languages if each in texts] or list(texts.values())
    return next((str(each) for each in found if each), "")


def _check_read(found: Draft, version: int | None, read_at: int | None, *, fix: str) -> None:
    """Raise Changed if what stands is not the version that was read; what is not said is not asked."""
    # Asking for a review writes its time into the draft, and no other version.
    is_other = read_at is not None and read_at != found.at_ms and found.state != "review"
    if is_other or (version is not None and version != found.version):
        raise Changed(
            f"{found.who or 'Somebody'} has saved version {found.version} meanwhile.",
            fix=fix,
        ).on_page("no.draft.saved", who=found.who or "?")


def _one(tx: Tx, kind: str, slug: str) -> Draft | None:
    row = tx.row(f"SELECT {_COLUMNS} FROM record_draft WHERE kind = ? AND slug = ?", kind, slug)  # noqa: S608
    return _draft(row) if row else None


def _put(tx: Tx, new: Draft) -> None:
    tx.run("DELETE FROM record_draft WHERE kind = ? AND slug = ?", new.kind, new.slug)
    values = (new.kind, new.slug, orjson.dumps(new.said).decode(), new.collection, new.state, new.who, new.at_ms)
    tx.run(
        f"INSERT INTO record_draft ({_COLUMNS}) VALUES ({', '.join('?' * 10)})",  # noqa: S608
        *(*values, new.version, new.base, new.note),
    )


def _draft(row: Row) -> Draft:
    kind, slug, said, *rest = row
    return Draft(kind, slug, orjson.loads(said), *rest)
