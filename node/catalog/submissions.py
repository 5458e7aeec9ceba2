"""What strangers submit: a queue that a person empties; accepted, a submission becomes a record of this city.

Nobody needs an account. Who submits gets a secret address that tells how it stands, and nothing of it is shown to
anybody else before a person has said yes. Bounds keep the queue from being filled: so many of one caller in an hour and
in a day, so many that wait, nothing twice. What is accepted is published through the same desk as what the city writes
itself, so it meets the same checks.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from node.catalog import submission_rules, submission_store
from node.catalog.author.office import Outcome, Written
from node.catalog.submission_store import DAY_MS, Submitted
from node.db import Database, Tx
from node.errors import Conflict, JournalBusy, Malformed, NotFound, TooManyRequests, Unavailable
from node.records import KINDS as PLURALS
from node.records import slug_of
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import Problem, is_email, is_language
from node.vocab.kinds.field import KindTable, Said
from node.vocab.kinds.writing import tidy

KINDS = ("reuse",)
MAX_REASON, MAX_LISTED = 1_000, 500
_HOUR_MS = 3_600_000
_MEMBERS = frozenset({"kind", "language", "email", "described", "leave_empty"})


class Desk(Protocol):
    """The desk where the city publishes its own records."""

    def check(self, kind: str, slug: str, said: Said, *, collection: str = "") -> tuple[Problem, ...]:
        """Say what is wrong with a description."""

    def publish(self, kind: str, many: Sequence[Written], *, collection: str = "") -> Outcome:
        """Publish descriptions, all or none."""


class Names(Protocol):
    """What tells whether an address is taken."""

    def record(self, kind: str, slug: str) -> object | None:
        """Find a live record by its address."""

    def withdrawn(self, kind: str, slug: str) -> tuple[str, int] | None:
        """Tell the IRI and time (ms) of a record that was here and is withdrawn."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is taken: of one caller in a day (0 closes the door), a quarter of it in an hour; and how many wait."""

    per_day: int = 20
    waiting: int = 500

    @property
    def per_hour(self) -> int:
        """Give a quarter of a day's, at least one."""
        return max(1, self.per_day // 4)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What who submitted gets: the id, and the secret that nobody else has."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a submission stands.

    `state` is waiting, accepted, refused, or withdrawn: accepted, and taken back since; `record` is the IRI once it is
    accepted, `withdrawn_ms` 0 unless it is withdrawn and known since when.
    """

    id: str
    state: str
    at_ms: int
    decided_ms: int
    reason: str
    record: str
    withdrawn_ms: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A submission as staff sees it; `said` and `contact` are empty once it is decided."""

    id: str
    kind: str
    state: str
    title: str
    at_ms: int
    decided_ms: int
    reason: str
    record: str
    contact: str
    said: Mapping[str, Any]
    warnings: tuple[Problem, ...] = ()


class Submissions:
    """The queue. Safe to share by threads and processes: what must not happen twice is decided by the database."""

    def __init__(
        self,
        db: Database,
        desk: Desk,
        names: Names,
        *,
        base_url: str,
        bounds: Bounds,
        clock_ms: Callable[[], int],
        token: Callable[[int], str],
    ) -> None:
        """Keep in this database and publish at this desk; `token` gives the hex of that many random bytes."""
        self._db, self._desk, self._names = db, desk, names
        self._base, self._bounds = base_url, bounds
        self._clock_ms, self._token = clock_ms, token

    @property
    def bounds(self) -> Bounds:
        """Give the bounds."""
        return self._bounds

    # ------------------------------------------------------------ strangers

    def submit(self, body: Mapping[str, Any], *, caller: str) -> Receipt:
        """Take one.

        Args:
            body: `kind`, `described` (the fields of that kind), and if one likes `language` (of plain texts, `en` if
                none is said) and `email`, where the city may ask.
            caller: The address it comes from; a hash of it is kept for a day.

        Raises:
            Malformed: What is wrong with it; `places` names each place.
            Conflict: The same is here already.
            TooManyRequests: More than one caller may submit in an hour or a day.
            Unavailable: The door is closed, or too many wait.
        """
        if not self._bounds.per_day:
            raise _shut("submit.closed", Unavailable("This city takes no submissions now.", fix="Write to the city."))
        who = _hash(f"{self._base} {caller}")[:32]
        with self._db.read() as tx:
            # Before anything costs time; and again under the lock, since others may be submitting.
            self._check_room(tx, who, self._clock_ms())
        table, said, email = self._read(body)
        title_key, url_key = submission_rules.likeness_of(table, said)
        name, secret, now_ms = self._token(8), self._token(16), self._clock_ms()
        new = Submitted(
            name,
            table.kind,
            orjson.dumps(said).decode(),
            email,
            "waiting",
            "",
            now_ms,
            0,
            "",
            _hash(secret),
            title_key,
            url_key,
        )
        with self._db.write() as tx:
            tx.lock("submissions")
            submission_store.tidy(tx, now_ms)
            self._check_room(tx, who, now_ms)
            self._check_new(tx, new)
            submission_store.add(tx, new, caller=who)
        return Receipt(name, secret)

    def _read(self, body: Mapping[str, Any]) -> tuple[KindTable, dict[str, Any], str]:
        odd = sorted(set(body) - _MEMBERS)
        if odd:
            raise Malformed(
                f"A submission has no member {odd[0][:60]!r}.", fix=f"It has: {', '.join(sorted(_MEMBERS))}."
            ).on_page("no.submission.form")
        if body.get("leave_empty"):
            raise Malformed(
                "The member 'leave_empty' was filled in.", fix="Leave it empty: only programs see it."
            ).on_page("form.trap")
        table = TABLES.get(kind) if isinstance(kind := body.get("kind", ""), str) and kind in KINDS else None
        if table is None:
            raise Malformed(
                "That kind is not taken here.", fix=f"The member kind is one of: {', '.join(KINDS)}."
            ).on_page("no.submission.form")
        described, language, email = body.get("described"), body.get("language", "en"), body.get("email", "")
        if not isinstance(described, Mapping):
            raise Malformed(
                "The member 'described' is no JSON object.", fix="It holds the fields, as GET /submissions lists."
            ).on_page("no.submission.form")
        if not isinstance(language, str) or not is_language(language):
            error = Malformed(
                "The member 'language' is no language that is known.", fix="Write a tag such as en or fi."
            ).on_page("no.submission.form")
            error.places, error.place_codes = (("/language", "This is no language that is known."),), ("language",)
            raise error
        if not isinstance(email, str) or (email and not is_email(email)):
            raise _no_address()
        return table, self._checked(table, tidy(table, described, language)), email

    def _checked(self, table: KindTable, said: dict[str, Any]) -> dict[str, Any]:
        found = submission_rules.faults_in(table, said)
        if not found:
            # A name that no record has: what is said to a stranger must not depend on records that only staff sees.
            found = self._desk.check(table.kind, self._token(16), said)
            found = tuple(each for each in found if each.level == "error")
        if found:
            raise refused("The submission cannot be taken", found)
        return said

    def _check_room(self, tx: Tx, who: str, now_ms: int) -> None:
        times = submission_store.times_of(tx, who, since_ms=now_ms - DAY_MS)
        lately = [at for at in times if at > now_ms - _HOUR_MS]
        for known, most, span_ms in ((lately, self._bounds.per_hour, _HOUR_MS), (times, self._bounds.per_day, DAY_MS)):
            if len(known) >= most:
                wait_s = max(1, -(-(known[-most] + span_ms - now_ms) // 1000))
                said = f"At most {most} submissions in {span_ms // _HOUR_MS} h are taken from one address."
                late = TooManyRequests(said, retry_after_s=wait_s, fix="Wait as long as Retry-After says.")
                raise _shut("submit.enough_hour" if span_ms == _HOUR_MS else "submit.enough_day", late, most=most)
        if submission_store.waiting(tx) >= self._bounds.waiting:
            said = "As many submissions wait as this city looks through."
            error = Unavailable(said, retry_after_s=DAY_MS // 1000, fix="Try again in some days.")
            raise _shut("submit.full", error)

    def _check_new(self, tx: Tx, new: Submitted) -> None:
        for each in submission_store.alike(tx, new.kind, new.title_key, new.url_key):
            what = "title" if each.title_key == new.title_key else "web address"
            if each.state != "accepted":
                raise Conflict(
                    f"One of the same {what} waits to be looked at already.", fix="Wait until it is decided."
                ).on_page("submit.same")
            if self._names.record(each.kind, each.record) is not None:
                iri = self._iri(each)
                raise Conflict(
                    f"One of the same {what} is published already: {iri}", fix="Tell the city what changed."
                ).on_page("submit.same")

    def standing(self, name: str, secret: str) -> Standing:
        """Tell who submitted it how it stands. Raises NotFound, also for a wrong secret."""
        with self._db.read() as tx:
            found = submission_store.one(tx, name)
        # The same work and the same words, whether it is the id or the secret that is wrong.
        right = hmac.compare_digest(_hash(secret), found.secret if found else _hash(""))
        if found is None or not right:
            raise NotFound(
                "There is no such submission, or the secret is another.", fix="Use the address you were given."
            ).on_page("no.submission.address")
        state = "waiting" if found.state in submission_store.OPEN else found.state
        told = Standing(found.id, state, found.at_ms, found.decided_ms, found.reason, "")
        return self._since(found, told) if state == "accepted" else told

    def _since(self, found: Submitted, told: Standing) -> Standing:
        """Say what became of an accepted one: its record stands, or was withdrawn."""
        iri = self._iri(found)
        if self._names.record(found.kind, found.record) is not None:
            return replace(told, record=iri)
        gone = self._names.withdrawn(found.kind, found.record)
        return replace(told, state="withdrawn", record=iri, withdrawn_ms=gone[1] if gone else 0)

    def forget(self, now_ms: int) -> int:
        """Forget what has had its time, from the files too; give how many rows that changed. Raises JournalBusy."""
        with self._db.write() as tx:
            forgotten = submission_store.tidy(tx, now_ms)
            decided = submission_store.decided_since(tx, now_ms - 2 * _HOUR_MS)
        if forgotten or decided:
            self._db.scrub()
        return forgotten

    # ------------------------------------------------------------ staff

    def list(self, *, waiting: bool = True, limit: int = 100) -> Sequence[Shown]:
        """List what waits, the longest waiting first, or what is decided, the last first."""
        with self._db.read() as tx:
            found = submission_store.listed(tx, waiting=waiting, limit=min(limit, MAX_LISTED))
        return [self._shown(each) for each in found]

    def show(self, name: str) -> Shown:
        """Show one by its id or the beginning of it, with what lint says of it. Raises NotFound, Conflict."""
        found = self._found(name)
        return self._shown(found, self._warnings(found) if found.said else ())

    def accept(self, name: str, *, slug: str = "") -> Shown:
        """Publish one in the collection of its kind, and forget who sent it.

        A second call after a crash goes on where the first one stood, with the address that was promised then.

        Args:
            name: Its id or the beginning of it.
            slug: What its address ends in; made of the title if none is said.

        Returns:
            The submission as it was, with the mail address: the last chance to tell who sent it.

        Raises:
            NotFound: There is none of that name.
            Conflict: It is decided already, or the slug is taken.
            Malformed: It cannot be published as it is.
        """
        found = self._found(name)
        if found.state == "waiting":
            found = self._begin(found, slug)
        if found.state != "accepting":
            raise _decided(found)
        try:
            outcome = self._desk.publish(found.kind, [Written(found.record, orjson.loads(found.said))])
        except BaseException:
            self._give_back(found)
            raise
        if outcome.refused:
            self._give_back(found)
            raise refused("The submission cannot be published", [p for _, many in outcome.refused for p in many])
        self._decide(found, "accepted", was="accepting", reason="")
        # As it was when it waited: the last look at the mail address of who sent it.
        return self._shown(replace(found, state="accepted", decided_ms=self._clock_ms()))

    def refuse(self, name: str, *, reason: str) -> Shown:
        """Refuse one with a reason that its sender reads, and forget who sent it.

        Raises:
            NotFound: There is none of that name.
            Conflict: It is decided already.
            Malformed: The reason is empty or too long.
        """
        if not reason.strip() or len(reason) > MAX_REASON:
            raise Malformed(
                f"A reason has 1 to {MAX_REASON:,} characters.", fix="Say what its sender could do better."
            ).on_page("no.reason", field="reason", most=MAX_REASON)
        found = self._found(name)
        if found.state != "waiting":
            raise _decided(found)
        self._decide(found, "refused", was="waiting", reason=reason.strip())
        return self._shown(replace(found, state="refused", reason=reason.strip(), decided_ms=self._clock_ms()))

    def _found(self, name: str) -> Submitted:
        with self._db.read() as tx:
            found = submission_store.beginning(tx, name) if name.isalnum() and name.isascii() else []
        if len(found) > 1:
            raise Conflict(
                f"Several submissions begin with {name[:40]!r}.",
                fix="Write more of the id.",
            ).on_page("no.submission.several")
        if not found:
            raise NotFound(
                f"There is no submission {name[:40]!r}.", fix="List them: citynode submissions list"
            ).on_page("no.submission")
        return found[0]

    def _begin(self, found: Submitted, slug: str) -> Submitted:
        if slug_of(slug) != slug:
            raise Malformed(
                f"{slug[:60]!r} ends no address.",
                fix="Write a-z, 0-9 and -, at most 80.",
            ).on_page("no.record.slug", field="slug", name=slug[:60])
        with self._db.write() as tx:
            tx.lock("submissions")
            submission_store.begin(tx, found.id, self._address(tx, found, slug))
            now = submission_store.one(tx, found.id)
        return now or found

    def _address(self, tx: Tx, found: Submitted, slug: str) -> str:
        """Choose what its address ends in; one that was promised and is live already is the record's own."""
        if found.record and (slug in ("", found.record) or self._names.record(found.kind, found.record) is not None):
            return found.record
        wanted = slug or submission_rules.name_of(orjson.loads(found.said), found.kind) or found.id
        taken = self._names.record(found.kind, wanted) is not None
        taken = taken or self._names.withdrawn(found.kind, wanted) is not None
        if not taken and not submission_store.reserved(tx, found.kind, wanted, but=found.id):
            return wanted
        if slug:
            raise Conflict(
                f"There is or was a {found.kind} {slug} already.",
                fix="Choose another name.",
            ).on_page("no.submission.taken", field="slug", name=slug)
        return f"{wanted[:50]}-{found.id[:8]}"

    def _give_back(self, found: Submitted) -> None:
        with self._db.write() as tx:
            submission_store.give_back(tx, found.id)

    def _decide(self, found: Submitted, state: str, *, was: str, reason: str) -> None:
        with self._db.write() as tx:
            done = submission_store.decide(tx, found.id, state, was=was, reason=reason, at_ms=self._clock_ms())
        if not done:
            raise _decided(found)
        # It is decided whatever the files still hold: `forget` scrubs them again within the hour.
        with suppress(JournalBusy):
            self._db.scrub()

    def _warnings(self, found: Submitted) -> tuple[Problem, ...]:
        said = orjson.loads(found.said)
        return self._desk.check(found.kind, submission_rules.name_of(said, found.kind) or found.kind, said)

    def _iri(self, found: Submitted) -> str:
        return f"{self._base}/{PLURALS[found.kind]}/{found.record}"

    def _shown(self, found: Submitted, warnings: tuple[Problem, ...] = ()) -> Shown:
        said = orjson.loads(found.said) if found.said else {}
        title = said.get("title", {})
        return Shown(
            id=found.id,
            kind=found.kind,
            state="waiting" if found.state in submission_store.OPEN else found.state,
            title=title.get("en") or next(iter(title.values()), ""),
            at_ms=found.at_ms,
            decided_ms=found.decided_ms,
            reason=found.reason,
            record=self._iri(found) if found.record else "",
            contact=found.contact,
            said=said,
            warnings=warnings,
        )


def _shut(key: str, error: Unavailable, **values: object) -> Unavailable:
    """Let pages say why nothing is taken now in their reader's language."""
    error.said = (key, values)
    return error


def refused(what: str, found: Sequence[Problem]) -> Malformed:
    """Name every place at once; the sentence tells the first."""
    more = f" {len(found) - 1} more." if len(found) > 1 else ""
    first = f"{found[0].pointer or '/'}: {found[0].message}"
    error = Malformed(f"{what}: {first}{more}", fix="Mend it and send it again.").on_page("no.mend", count=len(found))
    error.places = tuple((f"/described{each.pointer}", each.message) for each in found)
    error.place_codes = tuple(each.code for each in found)
    return error


def _no_address() -> Malformed:
    error = Malformed(
        "The member 'email' is no mail address.",
        fix="Write one, or leave it out.",
    ).on_page("no.submission.mail", field="email")
    error.places, error.place_codes = (("/email", "This is no mail address."),), ("email",)
    return error


def _decided(found: Submitted) -> Conflict:
    if found.state in submission_store.OPEN:
        return Conflict(
            "Somebody is deciding on this submission.", fix="Look again: citynode submissions list"
        ).on_page("no.submission.deciding")
    return Conflict(
        f"This submission was {found.state} already.",
        fix="Look at it: citynode submissions show",
    ).on_page("no.submission.decided")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
