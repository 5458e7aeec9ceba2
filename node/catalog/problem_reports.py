"""What readers say is wrong with a record: taken without an account, settled by the city whose record it is.

A report about our own record waits in our inbox. One about another city's is told to that city, which settles it and
tells how it stands; so the public page of a report is true in both cities. How messages travel is not known here: a
`Post` is handed in, and takes them within the transaction that decides. The text is shown to nobody but staff unless
the city publishes it; the mailbox is never passed on, and gone once the report is settled.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from node.catalog import problem_store
from node.catalog.problem_store import DAY_MS, Report
from node.db import Database, Tx
from node.errors import Conflict, JournalBusy, Malformed, NotFound, TooManyRequests, Unavailable
from node.stale import check_mark
from node.vocab.kinds.checking import is_email, is_language

KINDS = ("wrong", "old", "link", "licence", "personal", "unclear", "other")
SETTLED = ("mended", "declined")
MAX_TEXT, MAX_REASON, MAX_LISTED, MAX_TITLE = 4_000, 1_000, 500, 300
_HOUR_MS = 3_600_000
_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MAX_MAIL = 200


class Post(Protocol):
    """The way to other cities; both put a message into the transaction and send nothing yet."""

    def report(self, tx: Tx, peer: str, said: Mapping[str, str], at_ms: int) -> None:
        """Tell a city of a problem with a record of its own."""

    def standing(self, tx: Tx, peer: str, said: Mapping[str, str], at_ms: int) -> None:
        """Tell a city how a problem stands that it has told us of."""

    def deliver(self, now_ms: int, ledger: "ProblemReports") -> int:
        """Send what is due, and note in the ledger what became of it; give how many were taken."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is taken: of one caller in a day (0 closes the door), and how many of readers here may be open.

    Besides those, of what one other city tells us a quarter as many may be open, and are told to one city in a day.
    """

    per_day: int = 20
    waiting: int = 1_000

    @property
    def per_hour(self) -> int:
        """Give a quarter of a day's, at least one."""
        return max(1, self.per_day // 4)

    @property
    def per_peer(self) -> int:
        """Give how many may be open that one other city told us of, and be told to it in a day."""
        return max(1, self.waiting // 4)


@dataclass(frozen=True, slots=True)
class About:
    """The record a report is about, as everybody sees it; `peer` is the base URL of its city, empty for our own."""

    iri: str
    title: str
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What a reader says: the sort of problem, the text, its language, and a mailbox if they like."""

    kind: str
    text: str
    language: str = ""
    mailbox: str = ""


class ProblemReports:
    """The ledger. Safe to share by threads and processes: what must not happen twice is decided by the database."""

    def __init__(
        self,
        db: Database,
        post: Post,
        *,
        base_url: str,
        bounds: Bounds,
        clock_ms: Callable[[], int],
        token: Callable[[int], str],
    ) -> None:
        """Keep in this database and tell by this post; `token` gives the hex of that many random bytes."""
        self._db, self._post = db, post
        self._base, self._bounds = base_url, bounds
        self._clock_ms, self._token = clock_ms, token

    @property
    def bounds(self) -> Bounds:
        """Give the bounds."""
        return self._bounds

    # ------------------------------------------------------------ readers

    def report(self, about: About, words: Words, *, caller: str, key: str = "") -> str:
        """Take a report of a reader of this node; give its id.

        Args:
            about: The record, which everybody may see.
            words: What is wrong with it.
            caller: The address it comes from; a hash of it is kept for a day.
            key: What only the form that it was written in has: sent again with it, the report is the one that is there.

        Raises:
            Malformed: A word of it is missing, too long or not known; `places` names the field.
            Conflict: The same was reported already and is not settled.
            TooManyRequests: More than one caller may report in an hour or a day.
            Unavailable: The door is closed, or too many wait.
        """
        if not self._bounds.per_day:
            raise _shut(
                "report.closed", Unavailable("This city takes no reports at present.", fix="Write to the city.")
            )
        checked, now_ms = _checked(words), self._clock_ms()
        who = hashlib.sha256(f"{self._base} {caller}".encode()).hexdigest()[:32]
        new = _new(self._id_of(key), about, checked, way="sent" if about.peer else "reader", at_ms=now_ms)
        with self._db.write() as tx:
            tx.lock("problem_reports")
            known = problem_store.one(tx, new.id)
            if known is not None and (known.iri, known.said) == (new.iri, new.said):
                return known.id
            if known is not None:  # a form that somebody went back to, and wrote something else in
                new = replace(new, id=self._token(8))
            problem_store.tidy(tx, now_ms)
            self._check_room(tx, who, about.peer, now_ms)
            if any(each.said == new.said for each in problem_store.of_record(tx, about.iri)):
                raise Conflict(
                    "The same was reported already.",
                    fix="Wait until it is settled.",
                ).on_page("no.report.same")
            problem_store.add(tx, new, caller=who)
            if about.peer:
                self._post.report(tx, about.peer, _told(new), now_ms)
        return new.id

    def new_key(self) -> str:
        """Give the key of a new form."""
        return self._token(16)

    def _id_of(self, key: str) -> str:
        """Give the id of what a form sends: that of its key, which nobody guesses, or a new one."""
        if not _KEY.fullmatch(key):
            return self._token(8)
        return hashlib.sha256(f"{self._base} report {key}".encode()).hexdigest()[:16]

    def _check_room(self, tx: Tx, who: str, peer: str, now_ms: int) -> None:
        bounds, times = self._bounds, problem_store.times_of(tx, who, since_ms=now_ms - DAY_MS)
        lately = [at for at in times if at > now_ms - _HOUR_MS]
        for known, most, span_ms in ((lately, bounds.per_hour, _HOUR_MS), (times, bounds.per_day, DAY_MS)):
            if len(known) >= most:
                wait_s = max(1, -(-(known[-most] + span_ms - now_ms) // 1000))
                said = f"At most {most} reports in {span_ms // _HOUR_MS} h are taken from one address."
                late = TooManyRequests(said, retry_after_s=wait_s, fix="Wait as long as Retry-After says.")
                raise _shut("report.enough_hour" if span_ms == _HOUR_MS else "report.enough_day", late, most=most)
        if peer:
            full = problem_store.count_sent(tx, peer, since_ms=now_ms - DAY_MS) >= bounds.per_peer
        else:
            # What other cities tell has bounds of its own, and never shuts the door to readers here.
            full = problem_store.count_readers(tx) >= bounds.waiting
        if full:
            said = "As many reports wait as this city looks through."
            error = Unavailable(said, retry_after_s=DAY_MS // 1000, fix="Try again in some days.")
            raise _shut("report.full", error)

    def standing(self, name: str) -> Report:
        """Tell everybody how a report stands: its text only if it is published, its mailbox never. Raises NotFound."""
        with self._db.read() as tx:
            found = problem_store.one(tx, name)
        if found is None:
            raise NotFound(
                "There is no such report.", fix="Reports are forgotten a year after they were settled."
            ).on_page("no.report.gone")
        return _public(found)

    # ------------------------------------------------------------ other cities

    def hear(self, peer: str, theirs: str, about: About, words: Words) -> str:
        """Take a report that another city passes on about a record of ours; give its id here.

        Saying it again changes nothing.

        Raises:
            Malformed: It is no report.
            TooManyRequests: Too many of that city are open; it is to try again later.
        """
        checked, now_ms = _checked(words), self._clock_ms()
        with self._db.write() as tx:
            tx.lock("problem_reports")
            known = problem_store.of_peer(tx, peer, theirs)
            if known is not None:
                return known.id
            if problem_store.count_open(tx, peer=peer) >= self._bounds.per_peer:
                raise TooManyRequests(
                    f"{self._bounds.per_peer} reports of that city are open here.",
                    retry_after_s=_HOUR_MS // 1000,
                    fix="They are looked at first.",
                )
            new = _new(self._token(8), about, checked, way="received", at_ms=now_ms, peer=peer, theirs=theirs)
            problem_store.add(tx, new, caller="")
        return new.id

    def hear_standing(self, peer: str, name: str, *, state: str, reason: str, theirs: str) -> None:
        """Take how a report stands that we told a city of; what comes late or twice changes nothing.

        Raises:
            NotFound: We told that city of no such report.
            Malformed: There is no such state.
        """
        if state not in ("looking", *SETTLED):
            raise Malformed(f"A report cannot be {state[:40]!r}.", fix="It is looking, mended or declined.")
        with self._db.write() as tx:
            tx.lock("problem_reports")
            found = problem_store.one(tx, name)
            if found is None or found.way != "sent" or found.peer != peer:
                raise NotFound("This city has told you of no such report.")
            before = ("received", "sent", "undelivered", "looking")
            if problem_store.move(
                tx, name, state, was=before, reason=reason[:MAX_REASON], at_ms=max(self._clock_ms(), found.at)
            ):
                problem_store.called(tx, name, theirs)
                if state in SETTLED:
                    problem_store.settle(tx, name, shown=False)

    def deliver(self, now_ms: int) -> int:
        """Send what waits for other cities; give how many messages were taken."""
        return self._post.deliver(now_ms, self)

    def forget(self, now_ms: int) -> int:
        """Forget what has had its time, from the files too; give how many rows that changed. Raises JournalBusy.

        What was settled lately is scrubbed again: whoever settled it may have found the database busy.
        """
        with self._db.write() as tx:
            forgotten = problem_store.tidy(tx, now_ms)
            settled = problem_store.settled_since(tx, now_ms - 2 * _HOUR_MS)
        if forgotten or settled:
            self._db.scrub()
        return forgotten

    def taken(self, tx: Tx, name: str, at_ms: int) -> None:
        """Note that its city has taken a report."""
        problem_store.move(tx, name, "sent", was=("received",), reason="", at_ms=at_ms)

    def given_up(self, tx: Tx, name: str, at_ms: int) -> None:
        """Note that its city does not take a report, so that staff here can help."""
        problem_store.move(tx, name, "undelivered", was=("received",), reason="", at_ms=at_ms)

    # ------------------------------------------------------------ staff

    def waiting(self) -> int:
        """Count what is this city's to settle."""
        with self._db.read() as tx:
            return problem_store.count_open(tx)

    def list(self, *, settled: bool = False, limit: int = 100) -> Sequence[Report]:
        """List what is open, the oldest first, or what is settled, the last first."""
        with self._db.read() as tx:
            return problem_store.listed(tx, settled=settled, limit=min(limit, MAX_LISTED))

    def show(self, name: str) -> Report:
        """Show one by its id or the beginning of it. Raises NotFound, Conflict."""
        with self._db.read() as tx:
            found = problem_store.beginning(tx, name) if name.isalnum() and name.isascii() else []
        if len(found) > 1:
            raise Conflict(
                f"Several reports begin with {name[:40]!r}.",
                fix="Write more of the id.",
            ).on_page("no.report.several")
        if not found:
            raise NotFound(
                f"There is no report {name[:40]!r}.",
                fix="List them: citynode reports list",
            ).on_page("no.report")
        return found[0]

    def sort(self, name: str, kind: str) -> Report:
        """Say what sort of problem one really is. Raises NotFound, Malformed."""
        _check_kind(kind)
        found = self.show(name)
        with self._db.write() as tx:
            problem_store.sort(tx, found.id, kind, self._clock_ms())
        return self.show(found.id)

    def answer(self, name: str, text: str, *, mark: str = "") -> Report:
        """Say on the public page that somebody looks at it; the text may be empty, and may be said anew.

        Args:
            name: Its id or the beginning of it.
            text: What its page says.
            mark: Names the answer that was shown to whoever answers (`Report.mark`).

        Raises:
            Changed: There is another answer than was shown.
            NotFound: There is none of that name.
            Conflict: It is settled already, or another city's to settle.
            Malformed: The text is too long.
        """
        return self._moved(name, "looking", _reason(text, needed=False), shown=None, mark=mark)

    def close(self, name: str, outcome: str, reason: str, *, publish: bool = False, mark: str = "") -> Report:
        """Settle one: mended or declined, with a reason that its reader sees; forget who reported it.

        Args:
            name: Its id or the beginning of it.
            outcome: `mended` or `declined`.
            reason: What its page says.
            publish: Whether its page shows the reader's own words from now on; they are forgotten otherwise.
            mark: Names the answer that was shown to whoever settles it (`Report.mark`).

        Raises:
            Changed: There is another answer than was shown.
            NotFound: There is none of that name.
            Conflict: It is settled already, or another city's to settle.
            Malformed: There is no such outcome, or no reason.
        """
        if outcome not in SETTLED:
            raise Malformed(
                f"A report cannot end as {outcome[:40]!r}.",
                fix=f"It is {' or '.join(SETTLED)}.",
            ).on_page("no.report.outcome", field="outcome")
        return self._moved(name, outcome, _reason(reason, needed=True), shown=publish, mark=mark)

    def _moved(self, name: str, state: str, reason: str, *, shown: bool | None, mark: str = "") -> Report:
        found = self.show(name)
        if found.way == "sent" and found.state != "undelivered":
            raise Conflict(
                "This report is another city's to settle.", fix="Its answer is shown here when it comes."
            ).on_page("no.report.theirs")
        now_ms = max(self._clock_ms(), found.at)
        with self._db.write() as tx:
            tx.lock("problem_reports")
            was = ("received", "undelivered", "looking")
            stands = problem_store.one(tx, found.id)
            if stands is not None and stands.state in was and stands.reason != reason:
                check_mark(mark, stands.reason)
            if not problem_store.move(tx, found.id, state, was=was, reason=reason, at_ms=now_ms):
                raise Conflict(
                    f"This report was {found.state} already.", fix="Look at it: citynode reports show"
                ).on_page("no.report.settled")
            if shown is not None:
                problem_store.settle(tx, found.id, shown=shown)
            if found.way == "received":
                said = {"id": found.theirs, "state": state, "reason": reason, "report": found.id}
                self._post.standing(tx, found.peer, said, now_ms)
        if shown is not None:
            # It is settled whatever the files still hold: `forget` scrubs them again within the hour.
            with suppress(JournalBusy):
                self._db.scrub()
        return self.show(found.id)


def _new(name: str, about: About, words: Words, *, way: str, at_ms: int, peer: str = "", theirs: str = "") -> Report:
    return Report(
        id=name,
        iri=about.iri,
        title=about.title[:MAX_TITLE],
        kind=words.kind,
        said=words.text,
        language=words.language,
        contact=words.mailbox,
        state="received",
        reason="",
        peer=peer or about.peer,
        theirs=theirs,
        way=way,
        shown=False,
        at=at_ms,
        changed_at=at_ms,
    )


def _told(new: Report) -> dict[str, str]:
    """Give what another city hears of a report: not the mailbox."""
    return {"id": new.id, "record": new.iri, "kind": new.kind, "text": new.said, "language": new.language}


def _shut(key: str, error: Unavailable, **values: object) -> Unavailable:
    """Let pages say why nothing is taken now in their reader's language."""
    error.said = (key, values)
    return error


def _public(found: Report) -> Report:
    said, language = (found.said, found.language) if found.shown else ("", "")
    return replace(found, said=said, language=language, contact="")


def _checked(words: Words) -> Words:
    """Give the words tidied. Raises Malformed with the place."""
    _check_kind(words.kind)
    text = "".join(c for c in words.text.replace("\r\n", "\n") if c in "\n\t" or not _is_hidden(c)).strip()
    if not text or len(text) > MAX_TEXT:
        said = f"A report has 1 to {MAX_TEXT:,} characters."
        raise _wrong("text", said, "Say in a sentence or two what is wrong.").on_page("no.report.words", most=MAX_TEXT)
    mailbox = words.mailbox.strip()
    if mailbox and (len(mailbox) > _MAX_MAIL or not is_email(mailbox)):
        raise _wrong("mailbox", "That is no mail address.", "Write one, or leave it empty.").on_page(
            "no.submission.mail"
        )
    return Words(words.kind, text, words.language if is_language(words.language) else "", mailbox)


def _is_hidden(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cs", "Cf") and sign != "\u200d"


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        said = f"There is no problem of the sort {kind[:40]!r}."
        raise _wrong("kind", said, f"It is one of: {', '.join(KINDS)}.").on_page("no.report.kind", field="kind")


def _reason(text: str, *, needed: bool) -> str:
    text = text.strip()
    if len(text) > MAX_REASON or (needed and not text):
        said = f"A reason has 1 to {MAX_REASON:,} characters."
        fix = "Say what was done, or why nothing is."
        raise _wrong("reason", said, fix).on_page("no.reason", field="reason", most=MAX_REASON)
    return text


def _wrong(place: str, said: str, fix: str) -> Malformed:
    error = Malformed(said, fix=fix)
    error.places = ((f"/{place}", said),)
    return error
