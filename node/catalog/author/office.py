"""The office of authoring: descriptions that this city wrote, checked and put into its journals.

Whatever the way (files, the staff's API, imports, accepted submissions, inspected models), records of our own making
go through here. A description is checked before any lock is taken; within the transaction it is only made sure that
nothing has changed since. Publishing again what stands there already writes nothing. A record lives in one collection
of ours: published into another one, it is withdrawn from the first in the same transaction.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from node.catalog import names
from node.catalog.addresses import with_records
from node.catalog.author import lint
from node.catalog.author.homes import home_of
from node.catalog.author.texts import leaves
from node.catalog.publish import Published
from node.catalog.shelf import Held, Shelf
from node.db import Tx
from node.errors import Changed, Conflict, JournalBusy, Malformed, NotFound
from node.journal import Collection, Draft, Follower
from node.journal.journal import Journals
from node.journal.walk import Put, puts, puts_in
from node.records import KINDS, MAX_PAYLOAD_BYTES, MAX_TRIPLES, digest_of, slug_of
from node.vocab import personal
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import MOST_PROBLEMS, Problem, check, is_missing
from node.vocab.kinds.field import KindTable, Said, in_sentence
from node.vocab.kinds.reading import said_in
from node.vocab.kinds.writing import payload_of, tidy
from node.vocab.terms import DCT

MOST = 10_000
"""How many descriptions one publication takes."""
_TRIES = 3
_DATES = {"issued": DCT.issued, "modified": DCT.modified}
_PAGE = 1_000
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class City:
    """Who writes: `languages` in the order of the settings, the first for texts that name none."""

    name: str
    base_url: str
    languages: Sequence[str]


@dataclass(frozen=True, slots=True)
class Written:
    """One description to be published.

    Attributes:
        slug: It ends the record's address.
        said: The description, also loosely written (see `writing.tidy`).
        file: Where it comes from, for problems; empty for none.
        collection: Where it says that it belongs; empty for where it stands, else the kind's own collection.
        places: File and line by JSON pointer, for problems.
        problems: What was wrong with the file itself.
        expected: The digest that the record must have now, empty for "not published", `ANY` for "published"; None if
            it does not matter.
    """

    slug: str
    said: Said
    file: str = ""
    collection: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    expected: str | None = None


ANY = "*"
"""Instead of an expected digest: whichever it is, but the record is published."""
Judged = tuple[str, tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a publication did: IRIs that were put or stood there already; slugs with what was wrong with them."""

    put: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    refused: tuple[Judged, ...] = ()
    warned: tuple[Judged, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ready:
    """A description that may be written: `held` is what stands there now, `home` where it goes."""

    iri: str
    slug: str
    home: str
    payload: bytes
    held: tuple[Held, ...]

    @property
    def news(self) -> bool:
        return [(each.collection, each.digest) for each in self.held] != [(self.home, digest_of(self.payload))]


@dataclass(frozen=True, slots=True)
class _Here:
    """What stands here when descriptions are checked.

    Attributes:
        held: Their records by IRI.
        payloads: What the first record of each IRI says.
        visibilities: Who may read each collection, by name.
        known: What is held of the records that they link.
    """

    held: Mapping[str, tuple[Held, ...]]
    payloads: Mapping[str, bytes]
    visibilities: Mapping[str, str]
    known: lint.Known


class Authoring:
    """Publishes and withdraws what this city wrote. Safe to share by threads."""

    def __init__(
        self,
        journals: Journals,
        followers: Sequence[Follower],
        shelf: Shelf,
        city: City,
        *,
        clock_ms: Callable[[], int],
    ) -> None:
        """Write as that city; the followers keep up within each transaction."""
        self._journals = journals
        self._followers = followers
        self._shelf = shelf
        self.city = city
        self._clock_ms = clock_ms

    def iri_of(self, kind: str, slug: str) -> str:
        """Give the address of a record of ours."""
        return f"{self.city.base_url}/{KINDS[kind]}/{slug}"

    def check(self, kind: str, slug: str, said: Said, *, collection: str = "") -> tuple[Problem, ...]:
        """Say what keeps a description from being published (errors), and what a reader elsewhere will miss."""
        return self.problems_of(kind, Written(slug, said), collection=collection)

    def problems_of(self, kind: str, written: Written, *, collection: str = "") -> tuple[Problem, ...]:
        """Check one description as `publish` would, with the places of its file."""
        table = table_of(kind)
        return self._judged(table, written, collection, self._here(table, [written]))[1]

    def publish(
        self,
        kind: str,
        many: Sequence[Written],
        *,
        collection: str = "",
        dry_run: bool = False,
        strict: bool = True,
    ) -> Outcome:
        """Publish descriptions, in one transaction.

        Args:
            kind: Their kind.
            many: At most 10,000.
            collection: Where, whatever each of them says; a new one is only made where it is the kind's own.
            dry_run: Check everything and write nothing.
            strict: Write nothing at all if one of them has an error; else write those that have none.

        Raises:
            Malformed: There is no such kind to write, or there are too many.
            NotFound: There is no such collection.
            Conflict: The collection is a mirror. What a file says of its own collection is a problem of that file.
            JournalBusy: Others were writing the same. Safe to retry.
        """
        table = table_of(kind)
        if len(many) > MOST:
            raise Malformed(
                f"{len(many):,} descriptions are too many at once.", fix=f"Publish at most {MOST:,}."
            ).on_page("no.record.many", most=MOST)
        for _ in range(_TRIES):
            ready, outcome = self._prepared(table, many, collection)
            if dry_run or (strict and outcome.refused):
                return outcome if dry_run else replace(outcome, put=(), unchanged=())
            if self._written(table, [each for each in ready if each.news]):
                return outcome
        raise JournalBusy("Somebody else was publishing the same records.").on_page("no.record.busy")

    def withdraw(self, kind: str, slug: str, *, expected: str | None = None) -> Published:
        """Withdraw a record of ours from wherever it stands.

        Args:
            kind: Its kind.
            slug: Its slug.
            expected: The digest that it must have; None or `ANY` for any.

        Raises:
            NotFound: No such record of ours is published.
            Conflict: It comes from a source, which would bring it back.
            Changed: It is not what was expected.
        """
        table, iri, now_ms = table_of(kind), self.iri_of(kind, slug), self._clock_ms()
        with self._journals.db.write() as tx:
            tx.lock("authoring")
            held = self._held([iri]).get(iri, ())
            if not held:
                raise NotFound(
                    f"No {in_sentence(table.title['en'])} {slug[:80]} of ours is published.",
                ).on_page("no.record.published", name=slug[:80])
            if expected not in (None, ANY, held[0].digest):
                raise Changed(
                    "The record has changed since it was read.",
                    fix="Read it again.",
                ).on_page("no.record.changed")
            names.reserve(tx, kind, {slug: iri}, live=False)
            homes = sorted({each.collection for each in held})
            for home in homes:
                tx.lock(f"journal/{home}")
            for home in homes:
                gone = Draft(iri, slug, kind, "withdraw")
                self._journals.append_followed(tx, home, [gone], self._followers, at_ms=now_ms)
        for home in homes:
            self._journals.checkpoint(home, at_ms=now_ms)
        return Published((), (iri,))

    def own(self, kind: str) -> list[Held]:
        """List the live records of a kind that this city wrote, by slug; at most 10,000."""
        found: list[Held] = []
        for collection in self._shelf.collections():
            for offset in range(0, MOST if "/" not in collection.name else 0, _PAGE):
                page = self._shelf.page(collection.name, offset=offset, limit=_PAGE, kind=kind)
                found += page
                if len(page) < _PAGE:
                    break
        if kind in names.BY_SOURCES:
            with self._journals.db.read() as tx:
                ours = names.written(tx, kind)
            found = [held for held in found if held.slug in ours]
        return sorted(found, key=lambda held: held.slug)[:MOST]

    def visibilities(self) -> dict[str, str]:
        """Say who may read each collection, by name."""
        with self._journals.db.read() as tx:
            return {each.name: each.visibility for each in self._journals.collections(tx)}

    def find(self, kind: str, slug: str) -> Held | None:
        """Find a live record of ours."""
        iri = self.iri_of(kind, slug)
        return next(iter(self._held([iri]).get(iri, ())), None)

    def said(self, held: Held) -> dict[str, Any]:
        """Read a record as a description; empty where it says nothing that fits."""
        return said_in(table_of(held.kind), held.iri, self._shelf.payload(held))

    def draft(self, held: Held) -> dict[str, Any]:
        """Read a record as the description that its author would write: without what goes without saying."""
        table, said = table_of(held.kind), self.said(held)
        said.pop("modified", None)
        if set(said.get("languages", ())) == set(lint.languages_of(leaves(table, said))):
            said.pop("languages", None)
        return said

    def as_published(self, kind: str, slug: str, said: Said) -> dict[str, Any]:
        """Give a description as its readers would: without what is wrong in it, with what goes without saying."""
        table, iri = table_of(kind), self.iri_of(kind, slug)
        return said_in(table, iri, payload_of(table, iri, self._right(table, said)))

    def change_collection(self, name: str, *, title: str | None, visibility: str | None) -> Collection:
        """Give a collection of ours another title or visibility; None leaves it as it is.

        Raises:
            NotFound: There is no such collection.
            Malformed: There is no such visibility.
            Conflict: Everyone would read it, and it contains personal data, if only in an entry that was superseded.
        """
        seen = 0
        if visibility == "public":
            for put in puts(self._journals, name):
                _keep_closed(name, put)
                seen = put.seq
        with self._journals.db.write() as tx:
            tx.lock(f"journal/{name}")
            for put in puts_in(tx, self._journals, name, after=seen) if visibility == "public" else ():
                _keep_closed(name, put)
            return self._journals.change(tx, name, title=title, visibility=visibility)

    # ---------------------------------------------------------------- checking

    def _prepared(self, table: KindTable, many: Sequence[Written], collection: str) -> tuple[list[_Ready], Outcome]:
        here = self._here(table, many)
        often = Counter(each.slug for each in many)
        ready: list[_Ready] = []
        refused: list[Judged] = []
        warned: list[Judged] = []
        for each in many:
            twice = (Problem("", "twice", f"There are two of the name {each.slug}."),) if often[each.slug] > 1 else ()
            one, problems = self._judged(table, replace(each, problems=(*twice, *each.problems)), collection, here)
            if one is not None:
                ready.append(one)
            if problems:
                (warned if one is not None else refused).append((each.slug, problems))
        put = tuple(each.iri for each in ready if each.news)
        same = tuple(each.iri for each in ready if not each.news)
        return ready, Outcome(put, same, tuple(refused), tuple(warned))

    def _judged(
        self, table: KindTable, written: Written, collection: str, here: _Here
    ) -> tuple[_Ready | None, tuple[Problem, ...]]:
        """Make a description ready, if there is no error; and give everything that was found."""
        iri = self.iri_of(table.kind, written.slug)
        held = here.held.get(iri, ())
        home, strays = home_of(table, collection, written.collection, held, here.visibilities)
        is_public = here.visibilities.get(home, "public") == "public"
        said = self._filled(table, written.said)
        wrong = [lint.worded(table, each, lint.spoken_in(said)) for each in check(table, said)]
        problems = [*written.problems, *strays, *_names(written, held), *wrong]
        payload = b""
        if len(wrong) < MOST_PROBLEMS:  # else some that are wrong were not named
            # What is right is looked at although something else is wrong or missing, so that all is said at once.
            bad = [each for each in wrong if each.code != "missing"]
            right = lint.right_in(said, bad) if bad else said
            said, payload = self._dated(table, iri, right, held, here.payloads.get(iri, b""))
            problems += _sizes(payload)
            looked = self._looked(table, iri, said, payload, here.known, is_public=is_public)
            problems += [each for each in looked if not lint.touches(each.pointer, bad)]
        found = tuple(placed(each, written) for each in problems)
        return None if _refuses(found) else _Ready(iri, written.slug, home, payload, held), found

    def _here(self, table: KindTable, many: Sequence[Written]) -> _Here:
        held = self._held([self.iri_of(table.kind, each.slug) for each in many])
        payloads = self._shelf.payloads([each[0] for each in held.values()])
        visibilities = self.visibilities()
        coming = {self.iri_of(table.kind, each.slug): partial(self._right, table, each.said) for each in many}
        restricted = {name for name, visibility in visibilities.items() if visibility != "public"}
        known = lint.Known(self._shelf, self.city.base_url, coming, restricted)
        return _Here(held, dict(zip(held, payloads, strict=True)), visibilities, known)

    def _looked(
        self, table: KindTable, iri: str, said: Said, payload: bytes, known: lint.Known, *, is_public: bool
    ) -> Iterator[Problem]:
        if is_public and (what := personal.contains(table.kind, payload)):
            yield Problem("/personal_data", personal.REFUSED, lint.kept_in(what))
        texts, today, base_url = leaves(table, said), self._today(), self.city.base_url
        yield from lint.look(table, said, texts, today=today, base_url=base_url, is_public=is_public)
        yield from lint.contacts(iri, payload)
        yield from lint.links(table, iri, said, known, is_public=is_public)

    def _right(self, table: KindTable, said: Said) -> Said:
        """Give what a description says without what is wrong with it; nothing of one that is too wrong."""
        made = self._filled(table, said)
        wrong = [each for each in check(table, made) if each.code != "missing"]
        return {} if len(wrong) >= MOST_PROBLEMS else lint.right_in(made, wrong) if wrong else made

    def _today(self) -> str:
        return lint.date_of(self._clock_ms() // 86_400_000)

    def _filled(self, table: KindTable, said: Said) -> dict[str, Any]:
        """Make a description tidy and say what goes without saying: who publishes it, and in which languages."""
        first = self.city.languages[0]
        made = with_records(table.fields, tidy(table, said, first))
        if table.field("languages") and is_missing(made.get("languages")):
            made["languages"] = lint.languages_of(leaves(table, made))
        if table.field("publisher") and is_missing(made.get("publisher")):
            made["publisher"] = {"name": {first: self.city.name}}
        return made

    def _dated(
        self, table: KindTable, iri: str, said: dict[str, Any], held: Sequence[Held], before: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """Say when it was first published and last changed, unless it says so; the same text keeps its dates."""
        today = self._today()
        missing = [name for name in _DATES if table.field(name) and is_missing(said.get(name))]
        kept = said | {name: _date_in(before, iri, _DATES[name]) or today for name in missing}
        payload = payload_of(table, iri, kept)
        if "modified" in missing and held and digest_of(payload) != held[0].digest:
            kept["modified"] = today
            payload = payload_of(table, iri, kept)
        return kept, payload

    def _held(self, iris: Sequence[str]) -> dict[str, tuple[Held, ...]]:
        found = self._shelf.holders(iris)
        ours = {iri: tuple(each for each in helds if "/" not in each.collection) for iri, helds in found.items()}
        return {iri: helds for iri, helds in ours.items() if helds}

    # ---------------------------------------------------------------- writing

    def _written(self, table: KindTable, ready: Sequence[_Ready]) -> bool:
        """Write all or none; false if what stands there is not what it was when they were made ready."""
        if not ready:
            return True
        now_ms = self._clock_ms()
        moves: dict[str, list[Draft]] = {each.home: [] for each in ready}
        for each in ready:
            left = {held.collection for held in each.held} - {each.home}
            for home in left:
                moves.setdefault(home, []).append(Draft(each.iri, each.slug, table.kind, "withdraw"))
            moves[each.home].append(Draft(each.iri, each.slug, table.kind, "put", each.payload))
        with self._journals.db.write() as tx:
            # Everything of ours is written under this lock, so what the shelf shows within it stays so.
            tx.lock("authoring")
            if self._held([each.iri for each in ready]) != {each.iri: each.held for each in ready if each.held}:
                return False
            names.reserve(tx, table.kind, {each.slug: each.iri for each in ready}, live=True)
            self._open(tx, table, moves, now_ms)
            for home, drafts in sorted(moves.items()):
                self._journals.append_followed(tx, home, drafts, self._followers, at_ms=now_ms)
        for home in moves:
            self._journals.checkpoint(home, at_ms=now_ms)
        return True

    def _open(self, tx: Tx, table: KindTable, homes: Mapping[str, Sequence[Draft]], now_ms: int) -> None:
        """Lock the collections in one order; make the kind's own where it is not there yet."""
        for name in sorted(homes):
            tx.lock(f"journal/{name}")
            found = _collection(self._journals, tx, name)
            if found is None:
                self._journals.create(
                    tx,
                    name=name,
                    iri=f"{self.city.base_url}/collections/{name}",
                    title=table.plural.get(self.city.languages[0], table.plural["en"]),
                    visibility="public",
                    at_ms=now_ms,
                )
            elif found.visibility == "public":
                _keep_out(table.kind, homes[name])


def table_of(kind: str) -> KindTable:
    """Give the table of a kind that can be written. Raises Malformed."""
    found = TABLES.get(kind)
    if found is None:
        raise Malformed(
            f"Records of the kind {kind[:40]!r} are not written here.", fix=f"Write: {', '.join(TABLES)}."
        ).on_page("no.record.kind")
    return found


def _date_in(payload: bytes, iri: str, term: str) -> str:
    """Give the date that a record of ours says; empty if it says none."""
    _, found, after = payload.partition(f'<{iri}> <{term}> "'.encode())
    return after[: after.find(b'"')].decode() if found else ""


def _refuses(problems: Sequence[Problem]) -> bool:
    return any(each.level == "error" for each in problems)


def _keep_out(kind: str, drafts: Sequence[Draft]) -> None:
    """Look again under the lock: the collection may have been opened since the description was checked."""
    for draft in drafts:
        if draft.payload and personal.contains(kind, draft.payload):
            raise Conflict(
                f"{draft.record} contains personal data, and its collection is public.",
            ).on_page("no.record.personal")


def _keep_closed(name: str, put: Put) -> None:
    what = personal.contains(put.kind, put.payload)
    if what:
        raise Conflict(
            f"{name} stays restricted: entry {put.seq}, {put.record}, contains personal data ({what}), and what"
            " contains personal data is never in a collection that everyone may read.",
            fix=f"Withdraw it and erase its entries, or publish what is open in another collection than {name}.",
        ).on_page("no.collection.personal", name=name, record=put.record, entry=put.seq)


def _collection(journals: Journals, tx: Tx, name: str) -> Collection | None:
    try:
        return journals.get(tx, name)
    except NotFound:
        return None


def _names(written: Written, held: Sequence[Held]) -> Iterator[Problem]:
    if not written.slug or slug_of(written.slug) != written.slug:
        yield Problem("", "bad-name", f"“{written.slug[:60]}” is no name: write a-z, 0-9 and -, at most 80.")
    now = held[0].digest if held else ""
    if written.expected not in (None, now) and not (written.expected == ANY and now):
        yield Problem("", "changed", "The record has changed since it was read: read it again.")


def _sizes(payload: bytes) -> Iterator[Problem]:
    if len(payload) > MAX_PAYLOAD_BYTES or payload.count(b"\n") > MAX_TRIPLES:
        yield Problem("", "too-large", "A record has at most 1 MiB and 10,000 statements: shorten its texts.")


def placed(problem: Problem, written: Written) -> Problem:
    """Say the file and line of a problem: of its own place, or of the nearest one around it."""
    if problem.line:
        return problem
    pointer = problem.pointer
    while pointer and pointer not in written.places:
        pointer = pointer.rpartition("/")[0]
    file, line = written.places.get(pointer, (written.file, 0))
    return replace(problem, file=file, line=line)
