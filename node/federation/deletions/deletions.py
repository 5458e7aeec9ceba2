"""The desk of deletion: what is due at both ends, a person's word that it is done, and the other city's word on ours.

Nothing is deleted here: a node knows where it put a file, not where people copied it. Whoever may speak for the city
says that all of it is gone; that is signed, stated in evidence and told to the city that gave the data, which keeps the
word as it was signed. What is due is worked out anew at each look from agreements and transfers.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from node.db import Tx
from node.errors import Conflict, Malformed, NotAgreed, NotFound, Refuted, Unavailable
from node.federation.agreements.agreements import Agreement
from node.federation.deletions.duties import Duty, duties
from node.federation.deletions.post import KIND, Post, Word
from node.federation.deletions.store import DeletionStore, Said
from node.federation.evidence.statements import Statement, record_of
from node.federation.moved import DeletionTold, FetchedTold
from node.federation.signing.integrity import Json
from node.journal.entry import at_text

_logger = logging.getLogger("citynode.deletions")
DAY_MS = 86_400_000
LEAST = 4  # of an agreement's id, as elsewhere
_MOST_NAMED = 100  # datasets in one statement
_MOST_SAID = 10  # files in one sentence
_OVER = frozenset({"revoked", "superseded", "expired"})
# The datasets of which something began to move under an agreement.
MovedUnder = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Files:
    """Who knows, by agreement, what was `fetched` under it, and which files are `left` where that was put."""

    fetched: Callable[[str], Sequence[FetchedTold]]
    left: Callable[[str], Sequence[str]]


class Book(Protocol):
    """Who reads the agreements."""

    def all(self) -> Sequence[Agreement]:
        """Give every agreement, whatever its state."""

    def find(self, iri: str) -> Agreement | None:
        """Give one, or None."""


class Held(Protocol):
    """Where statements are found again."""

    def held(self, tx: Tx, record: str) -> Statement | None:
        """Give one as this transaction sees it, or None."""


class Evidence(Protocol):
    """Who states, and knows whose signatures hold."""

    @property
    def store(self) -> Held:
        """Give the statements."""

    def put(
        self, tx: Tx, kind: Literal["deletion"], subject: str, said: Mapping[str, Any], *, other: str, at_ms: int
    ) -> Statement:
        """State something, in the transaction of what makes it true."""

    def check(self, document: Json, signer: str, now_ms: int) -> None:
        """Check that a city signed a statement. Raises Malformed, Refuted, BadSignature."""


class Deletions:
    """Lists, says and hears. Safe to share by threads and processes."""

    def __init__(
        self,
        store: DeletionStore,
        post: Post,
        *,
        agreements: Book,
        moved: MovedUnder,
        files: Files,
        evidence: Evidence,
        base_url: str,
        clock_ms: Callable[[], int],
    ) -> None:
        """Put it together."""
        self._store, self._post, self._agreements = store, post, agreements
        self._moved, self._files, self._evidence = moved, files, evidence
        self._base, self._clock_ms = base_url, clock_ms

    # ---------------------------------------------------------------- what is due

    def list(self, *, ended: bool = False) -> Sequence[DeletionTold]:
        """List what must be deleted, here and there, the soonest due first; `ended`: also what is said to be gone."""
        return sorted(self._due(all_=ended), key=lambda each: (each.due_ms, each.agreement))

    def _due(self, *, all_: bool = True) -> Sequence[DeletionTold]:
        now_ms, said = self._clock_ms(), self._store.all()

        def moved(agreement: str) -> Sequence[str]:
            return self._moved(agreement) if all_ or agreement not in said else ()

        return [self._told(each, said, now_ms) for each in duties(self._agreements.all(), moved, now_ms)]

    def _told(self, duty: Duty, said: Mapping[str, Said], now_ms: int) -> DeletionTold:
        agreement = duty.agreement
        word = said.get(agreement.iri)
        return DeletionTold(
            agreement=agreement.iri,
            title=agreement.title,
            direction="in" if duty.is_ours else "out",
            peer=duty.peer,
            state=agreement.state_at(now_ms),
            ended_ms=duty.ended_at,
            due_ms=duty.due_at,
            datasets=tuple(duty.datasets),
            fetched=tuple(self._files.fetched(agreement.iri)) if duty.is_ours else (),
            said_ms=word.at if word else 0,
            by=word.by if word else "",
            told_ms=word.told_at if word else 0,
        )

    def named(self, name: str) -> DeletionTold:
        """Find what this city has to delete by its agreement: the IRI, or the beginning of what ends it.

        Raises:
            NotFound: Nothing that was fetched under such an agreement has to be deleted.
            Malformed: The beginning of several, or none at all.
            Conflict: It is the other city that deletes.
        """
        if len(name) < LEAST or not name.isprintable():
            raise Malformed("No agreement has such a name.", fix=f"Give {LEAST} characters of its id or more.").on_page(
                "no.deletion.name"
            )
        found = [each for each in self._due() if _is_called(each.agreement, name)]
        if len(found) > 1:
            raise Malformed(f"{len(found)} agreements begin with {name[:80]!r}.", fix="Give more of it.").on_page(
                "no.deletion.name"
            )
        if not found:
            raise NotFound(
                f"Nothing has to be deleted that was fetched under an agreement {name[:80]!r}: it obliges to that once"
                " it is over, where a clause says so.",
                fix="List what is due: citynode data deletions",
            ).on_page("no.deletion.none")
        if found[0].direction == "out":
            raise Conflict(f"It is {found[0].peer} that deletes what it fetched under this agreement.").on_page(
                "no.deletion.theirs", city=found[0].peer
            )
        return found[0]

    # ---------------------------------------------------------------- saying

    def lying(self, told: DeletionTold) -> Sequence[str]:
        """Name files that stand where this node put what must be deleted, whosever they are by now."""
        return self._files.left(told.agreement) if told.direction == "in" and not told.said_ms else ()

    def see_gone(self, told: DeletionTold) -> None:
        """Look that no file stands where this node put what must be deleted. Raises Conflict, which names some."""
        files = self.lying(told)
        if files:
            named = ", ".join(files[:_MOST_SAID]) + (" …" if len(files) > _MOST_SAID else "")
            raise Conflict(
                f"Not all of it is gone; files that stand where this node put them: {len(files)}: {named}",
                fix="Delete them, copies and backups too. If they are other files by now: --other-files",
            ).on_page("no.deletion.lies", n=len(files), files=named)

    def deleted(self, name: str, *, by: str, other_files: bool = False) -> DeletionTold:
        """Say that what was fetched under an agreement is deleted everywhere here, and let the other city know.

        `other_files` says that whatever stands where it was put is something else by now.

        Raises:
            NotFound, Malformed: As in `named`.
            Conflict: It was said before, or is the other city's to say; or files stand where it was put.
        """
        told, now_ms = self.named(name), self._clock_ms()
        if not other_files:
            self.see_gone(told)
        said = {
            "provider": told.peer,
            "agreement": told.agreement,
            "datasets": list(told.datasets[:_MOST_NAMED]),
            **({"more": len(told.datasets) - _MOST_NAMED} if len(told.datasets) > _MOST_NAMED else {}),
            "due": at_text(told.due_ms),
        }
        with self._store.db.write() as tx:
            if not self._store.put(tx, Said(told.agreement, told.peer, now_ms, by)):
                raise Conflict("It was said before that this is deleted.", fix="Nothing needs to be done.").on_page(
                    "no.deletion.said"
                )
            stated = self._evidence.put(tx, "deletion", told.agreement, said, other=told.peer, at_ms=now_ms)
            self._post.tell(tx, told.peer, told.agreement, stated.text, now_ms)
        return self.named(told.agreement)

    # ---------------------------------------------------------------- hearing

    def hear(self, peer: str, word: Word) -> bool:
        """Keep a peer's word that it deleted what we gave it; False if it was heard before, which changes nothing.

        Raises:
            NotAgreed: We give it nothing under this agreement.
            Refuted, BadSignature: The statement is another's, for somebody else, or not signed by it.
            Unavailable: The agreement is not over as far as is known here; what ends it may be on its way.
        """
        now_ms, held = self._clock_ms(), self._agreements.find(word.agreement)
        if held is None or held.role != "provider" or held.text.assignee != peer:
            raise NotAgreed("Your city is given no data under this agreement.")
        if (word.document.get("by"), word.document.get("other")) != (peer, self._base):
            raise Refuted("The statement is not your city's word to this one.")
        self._evidence.check(word.document, peer, now_ms)
        if held.state_at(now_ms) not in _OVER:
            raise Unavailable(
                "The agreement is in force here.", fix="Say it again once both cities know that it is over."
            )
        with self._store.db.write() as tx:
            if not self._store.put(tx, Said(word.agreement, peer, now_ms, peer, told_at=now_ms)):
                return False
            said = {"consumer": peer, "agreement": word.agreement, "word": word.text}
            self._evidence.put(tx, "deletion", word.agreement, said, other=peer, at_ms=now_ms)
        _logger.info("%s says that it deleted what it had under %s", peer, word.agreement, extra={"peer": peer})
        return True

    # ---------------------------------------------------------------- telling

    def round(self, now_ms: int) -> int:
        """Send what is due; give how many messages were taken."""
        return self._post.deliver(now_ms, self._store.told)

    def remind(self, now_ms: int) -> int:
        """Tell again what the other city has not taken and no message waits for; give how many."""
        return sum(self._told_again(each, now_ms) for each in self._store.untold())

    def _told_again(self, said: Said, now_ms: int) -> bool:
        last = self._post.outbox.newest(KIND, said.agreement)
        if last is not None and (last[1] == 0 or now_ms - last[0].made_at < DAY_MS):
            return False
        with self._store.db.write() as tx:
            stated = self._evidence.store.held(tx, record_of(self._base, "deletion", said.agreement))
            if stated is not None:  # else it was erased, and there is no word to tell
                self._post.tell(tx, said.peer, said.agreement, stated.text, now_ms)
        return stated is not None


def _is_called(iri: str, name: str) -> bool:
    return iri == name or iri.rpartition("/")[2].lower().startswith(name.lower())
