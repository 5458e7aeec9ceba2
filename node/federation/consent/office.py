"""The desk of consent: sources by name, withdrawals of both directions, and what a person says of them.

What commands, API and pages ask; it brings the clock and checks names. A file is taken from the command line alone, a
service must be an address that this node may fetch. No resident is ever named here: keys are taken in where somebody
withdraws, and shown nowhere.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from node.errors import Conflict, Malformed, NotFound
from node.federation.consent.acknowledgements import Acknowledgements, Match
from node.federation.consent.post import Answer
from node.federation.consent.records import Asked
from node.federation.consent.sources import ConsentSource, Kind, Sources, check, unnamed, write_withdrawal
from node.federation.consent.store import PAGE, ConsentStore, Direction, Stage, Withdrawal
from node.federation.consent.withdrawals import Watched, Withdrawals
from node.federation.moved import ConsentTold, WithdrawalsWaiting, WithdrawalTold
from node.federation.moving import Personal
from node.federation.policy.purposes import purpose_named
from node.federation.policy.terms import DPV
from node.records import is_collection_name

# What a check asks about where no dataset does yet.
_SOME_PURPOSE = f"{DPV}PublicBenefit"
_SHOWN = 200
_DIGITS = 15  # of a moment in ms


class Credentials(Protocol):
    """What a service is shown."""

    def headers(self, name: str, url: str) -> Mapping[str, str]:
        """Give the headers of a credential at an address. Raises NotFound, Malformed."""


class ConsentOffice:
    """Does what is asked. Safe to share by threads."""

    def __init__(  # noqa: PLR0913 - the rooms behind one desk
        self,
        store: ConsentStore,
        sources: Sources,
        withdrawals: Withdrawals,
        acknowledgements: Acknowledgements,
        *,
        personal: Callable[[], Mapping[str, Personal]],
        credentials: Credentials,
        check_url: Callable[[str], None],
        base_url: str,
        clock_ms: Callable[[], int],
    ) -> None:
        """Put it together; `personal` gives the datasets about residents, `check_url` refuses what is never fetched."""
        self._store, self._sources = store, sources
        self._withdrawals, self._acknowledgements = withdrawals, acknowledgements
        self._personal, self._credentials, self._check_url = personal, credentials, check_url
        self._base, self._clock_ms = base_url, clock_ms

    # ---------------------------------------------------------------- sources

    def sources(self) -> Sequence[ConsentTold]:
        """List the sources, by name."""
        return [_source_told(each) for each in self._store.sources()]

    def add(self, name: str, location: str, *, credential: str = "", files: bool = False) -> ConsentTold:
        """Add a source, once it has answered a question.

        Args:
            name: What datasets call it.
            location: The address of a service, or with `files` a path.
            credential: What a service is shown; the name of one of the city's.
            files: Whether a path is taken: on the command line alone.

        Raises:
            Malformed: A name or a location that is none.
            Conflict: There is one of that name.
            ForbiddenAddress: This node never fetches it.
            ConsentUnknown: It cannot be asked.
        """
        if not is_collection_name(name):
            raise Malformed(f"A consent source cannot be named {name[:60]!r}.", fix="Use a-z, 0-9 and -, at most 63.")
        kind, where = self._place(location, credential, files=files)
        source = ConsentSource(name, kind, where, credential, self._clock_ms())
        self._sources.allowed(source, self._question(name), self._clock_ms())
        self._store.add(source)
        return self.check(name)

    def _place(self, location: str, credential: str, *, files: bool) -> tuple[Kind, str]:
        if location.startswith(("https://", "http://")):
            self._check_url(location)
            self._credentials.headers(credential, location)
            return "http", location.rstrip("/")
        if not files:
            raise Malformed("A consent source is given by its address here.", fix="Files: citynode consent sources add")
        path = Path(location)
        try:
            path = path.expanduser().resolve(strict=True)
            is_file = path.is_file()
        except (OSError, ValueError, RuntimeError):  # also a name too long for a file, or of nobody's home
            is_file = False
        if not is_file:
            shown = location if len(location) <= _SHOWN else f"{location[:_SHOWN]}…"
            raise NotFound(f"There is no file {shown}.", fix="Give a file of consent records, or https://…")
        if credential:
            raise Malformed("A file is shown no credential.", fix="Leave it out.")
        return "file", str(path)

    def check(self, name: str) -> ConsentTold:
        """Ask a source now, and note how it went. Raises NotFound."""
        source = self._store.source(name)
        _, trouble = check(self._sources, source, self._question(name), self._clock_ms())
        self._store.checked(name, trouble, self._clock_ms())
        return _source_told(self._store.source(name))

    def remove(self, name: str) -> None:
        """Forget a source. Raises NotFound; Conflict while a dataset rests on it."""
        self._store.source(name)
        used = self._used_by(name)
        if used:
            raise Conflict(
                f"{used[0][:_SHOWN]} rests on the consent source {name}.", fix="Name another one there first."
            )
        self._store.remove(name)

    def _used_by(self, name: str) -> Sequence[str]:
        return sorted(dataset for dataset, said in self._personal().items() if said.consent == name)

    def _question(self, name: str) -> Asked:
        used = self._used_by(name)
        return Asked(used[0] if used else self._base, _SOME_PURPOSE, self._base)

    # ---------------------------------------------------------------- withdrawing

    def withdraw(
        self, name: str, subjects: Sequence[str], *, dataset: str = "", purpose: str = "", recipient: str = ""
    ) -> Watched:
        """Write into a consent file that persons take back consent, and let the cities that hold their data know.

        What is left empty stands for all datasets, purposes and recipients. A key that stands nowhere yet is written,
        too, and counted: a withdrawal that was spelt wrongly takes nothing back.

        Raises:
            NotFound: There is no such source.
            Refused: It is a service, which must be told itself.
            Malformed: A key or a purpose that is none.
            ConsentUnknown: The file cannot be written.
        """
        source = self._store.source(name)
        now_ms = self._clock_ms()
        # Some keyboards and files give letters in parts: they are those of the source, put together.
        subjects = [unicodedata.normalize("NFC", each) for each in subjects]
        asked = Asked(dataset, purpose_named(purpose) if purpose else "", recipient.rstrip("/"))
        unknown = len(unnamed(source, subjects))
        for subject in subjects:
            write_withdrawal(source, subject, asked, now_ms)
        return replace(self._withdrawals.watch(now_ms, name), unknown=unknown)

    def watch(self, name: str = "") -> Watched:
        """Look now who has withdrawn, at all sources or one. Raises NotFound."""
        if name:
            self._store.source(name)
        return self._withdrawals.watch(self._clock_ms(), name)

    # ---------------------------------------------------------------- withdrawals

    def withdrawals(
        self,
        *,
        stage: Stage = "open",
        direction: Direction | None = None,
        peer: str = "",
        after: str = "",
        limit: int = PAGE,
    ) -> Sequence[WithdrawalTold]:
        """List withdrawals that were told or heard, the oldest first, a page at a time.

        Args:
            stage: How far they are.
            direction: Only those we heard of (in), or told (out).
            peer: Only those of this city.
            after: Only what comes behind: the cursor of the last one before.
            limit: At most so many.

        Raises:
            Malformed: The cursor is none.
        """
        found = self._store.page(direction, stage, peer=peer, after=_place(after), limit=limit)
        return [_told(each) for each in found]

    def each_withdrawal(self, stage: Stage = "open") -> Iterator[WithdrawalTold]:
        """Give all of them, however many there are, the oldest first."""
        return map(_told, self._store.each(None, stage))

    def heard(self, name: str) -> WithdrawalTold:
        """Give one that we heard of, by its whole id. Raises NotFound."""
        with self._store.db.read() as tx:
            found = self._store.get(tx, name)
        if found is None or found.direction != "in":
            raise NotFound(
                "There is no such withdrawal.",
                fix="Look at what other cities told us.",
            ).on_page("no.withdrawal")
        return _told(found)

    def waiting(self, overdue_ms: int) -> Sequence[WithdrawalsWaiting]:
        """Count, city by city, what we have to erase, and what nobody has answered that was told until a moment."""
        return [
            WithdrawalsWaiting("in" if each.direction == "in" else "out", each.peer, each.count, each.oldest_at)
            for each in self._store.waiting(overdue_ms)
        ]

    def untold(self, before_ms: int) -> Sequence[WithdrawalsWaiting]:
        """Count, city by city, what we answered before a moment and the other city has not taken."""
        return [
            WithdrawalsWaiting("in", each.peer, each.count, each.oldest_at) for each in self._store.untold(before_ms)
        ]

    def match(self, file: Path, column: str, *, agreement: str = "", dataset: str = "") -> Iterator[Match]:
        """Find the rows of a file that are about somebody who withdrew, as it is read. Raises NotFound, Malformed."""
        return self._acknowledgements.match(file, column, agreement=agreement, dataset=dataset)

    def acknowledge(self, *names: str, by: str) -> Sequence[WithdrawalTold]:
        """Tell the cities that we know we must erase; without names, of all. Raises NotFound, Conflict."""
        return self._answer(names, "acknowledged", by)

    def erased(self, *names: str, by: str, until_ms: int = 0) -> Sequence[WithdrawalTold]:
        """Tell the cities that it is erased; without names, all heard by a moment. Raises NotFound, Conflict."""
        return self._answer(names, "erased", by, until_ms)

    def resend(self, *names: str) -> Sequence[WithdrawalTold]:
        """Send again what the other cities have not taken of our answers; without names, all of it.

        Give those that did not wait to be sent anyway. Raises NotFound, Conflict.
        """
        return [_told(each) for each in self._acknowledgements.tell_again(names)]

    def _answer(self, names: Sequence[str], state: Answer, by: str, until_ms: int = 0) -> Sequence[WithdrawalTold]:
        return [_told(each) for each in self._acknowledgements.answer(names, state, by=by, until_ms=until_ms)]


def _place(cursor: str) -> tuple[int, str]:
    at, dot, name = cursor.partition(".")
    if not cursor:
        return (-1, "")
    if not dot or not at.isdecimal() or not at.isascii() or len(at) > _DIGITS or not name.isprintable():
        raise Malformed(
            "The cursor is none.",
            fix="Give what the page before said, or begin anew.",
        ).on_page("no.page.cursor")
    return int(at), name


def _source_told(each: ConsentSource) -> ConsentTold:
    return ConsentTold(each.name, each.kind, each.location, each.checked_at, each.trouble)


def _told(each: Withdrawal) -> WithdrawalTold:
    return WithdrawalTold(
        name=each.id,
        direction="in" if each.direction == "in" else "out",
        peer=each.peer,
        agreement=each.agreement,
        dataset=each.dataset,
        withdrawn_ms=each.withdrawn_at,
        at_ms=each.at,
        acknowledged_ms=each.acknowledged_at,
        erased_ms=each.erased_at,
        by=each.by,
        purpose=each.purpose,
        told_ms=each.told_at,
    )
