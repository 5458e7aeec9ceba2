"""Every error the node raises, in three branches that tell the caller what to do.

    NodeError
    ├── Refused        they must change something; trying again as it is will not help
    │   ├── Malformed          bytes or values that do not follow their format
    │   ├── TooLarge           past a stated bound of size, depth, time or number
    │   ├── NotFound           nothing of that name here
    │   ├── Withdrawn          was here; its city has withdrawn it
    │   ├── Conflict           clashes with what is already held
    │   ├── Changed            is no longer what the caller has read
    │   ├── NotAcceptable      no form that the caller asked for can be given
    │   ├── WrongRange         bytes that a part does not have, or more than one stretch of them
    │   ├── ForbiddenAddress   an address that this node never fetches
    │   ├── UnknownKind        a source of a kind without an adapter
    │   ├── Unauthenticated    nobody this node knows, or a token that does not hold
    │   ├── Forbidden          known, and without the right
    │   ├── Refuted            a proof or a digest that does not hold
    │   │   ├── BadSignature       signed by no key that was pinned
    │   │   ├── BrokenHistory      a checkpoint that does not continue the one that is held
    │   │   │   └── Fork               two histories of one collection, signed by one city
    │   │   └── WrongRoot          entries that do not hash to the signed root
    │   ├── NotAgreed          no agreement or public offer allows it
    │   ├── Quarantined        a peer that is held apart until a person has looked
    │   └── KeyChanged         other keys than those that were pinned, not signed by them
    ├── Unavailable    try again later
    │   ├── JournalBusy        another writer held the lock too long
    │   ├── SourceUnreachable  a portal did not answer, or not in time
    │   ├── PeerUnreachable    a peer city did not answer, or not in time
    │   ├── OriginChanged      bytes that are not, or no longer, what was announced
    │   ├── TooManyRequests    faster than this node answers one caller
    │   ├── AlreadyRunning     somebody else is at it
    │   ├── ConsentUnknown     nobody can say now whose rows may leave, so none does
    │   └── Stopped            somebody asked to stop before the work was done
    └── Misconfigured  stops the start; the operator must mend the settings

Each class has a stable `code` (it ends the problem type of RFC 9457) and no HTTP status: the one table to
status is `node/web/wire/problems.py`. This module imports nothing of ours.
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Self


class NodeError(Exception):
    """The root; never raised itself.

    `said` is what a page says instead of the message, in its reader's language: a key of its words, and what stands
    in them. `field` is which value is wrong, by the name that forms and the API have for it.
    """

    code: ClassVar[str] = "error"
    said: tuple[str, Mapping[str, object]] = ("", {})
    field: str = ""

    def __init__(self, message: str, *, fix: str = "") -> None:
        """Keep one sentence that says what is wrong and, in `fix`, one that says what to do."""
        super().__init__(message)
        self.message = message
        self.fix = fix

    def on_page(self, key: str, /, *, field: str = "", **values: object) -> Self:
        """Keep what a page says instead, where a command line in `fix` is of no use, and which value is wrong."""
        self.said, self.field = (key, values), field
        return self

    def __str__(self) -> str:
        """Give one line: what is wrong, then what to do."""
        return f"{self.message} {self.fix}".strip()


class Refused(NodeError):
    """They must change something."""

    code = "refused"


class Malformed(Refused):
    """Bytes or values that do not follow their format; `faults` has a sentence each, where all were found at once.

    `places` has the JSON pointer and the sentence of each, where the values came as JSON, and `place_codes` a word for
    each where there is one.
    """

    code = "malformed"
    faults: tuple[str, ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    place_codes: tuple[str, ...] = ()


class TooLarge(Refused):
    """Past a stated bound of size, depth, time or number."""

    code = "too-large"


class NotFound(Refused):
    """Nothing of that name here."""

    code = "not-found"


class Withdrawn(Refused):
    """Was here; its city has withdrawn it. `iri` and `at_ms` are what may still be said of it, and which `mirror`."""

    code = "withdrawn"

    def __init__(self, message: str, *, iri: str = "", at_ms: int = 0, mirror: str = "", fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.iri = iri
        self.at_ms = at_ms
        self.mirror = mirror


class Conflict(Refused):
    """Clashes with what is already held."""

    code = "conflict"


class Changed(Refused):
    """Is no longer what the caller has read."""

    code = "changed"


class NotAcceptable(Refused):
    """No form that the caller asked for can be given. `available` lists those that can: address by media type."""

    code = "not-acceptable"

    def __init__(self, message: str, *, available: Mapping[str, str] | None = None, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.available = dict(available or {})


class WrongRange(Refused):
    """Bytes that a part does not have, or more than one stretch of them; `size` is how many it has."""

    code = "wrong-range"

    def __init__(self, message: str, *, size: int = 0, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.size = size


class ForbiddenAddress(Refused):
    """An address that this node never fetches."""

    code = "forbidden-address"


class UnknownKind(Refused):
    """A source of a kind without an adapter."""

    code = "unknown-kind"


class Refuted(Refused):
    """A proof, a signature or a digest that does not hold."""

    code = "refuted"


class BadSignature(Refuted):
    """Signed by no key that was pinned, or wrongly."""

    code = "bad-signature"


class BrokenHistory(Refuted):
    """A checkpoint that does not continue the one that is held: a fork, or a history written anew.

    `held` and `shown` are the two signed notes that cannot both be of one history: evidence that anyone can check.
    """

    code = "broken-history"

    def __init__(self, message: str, *, held: str = "", shown: str = "", fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.held = held
        self.shown = shown


class Fork(BrokenHistory):
    """Two histories of one collection, signed by one city; `evidence` is what anyone can check."""

    code = "two-histories"

    def __init__(self, message: str, *, evidence: str = "", held: str = "", shown: str = "", fix: str = "") -> None:
        super().__init__(message, held=held, shown=shown, fix=fix)
        self.evidence = evidence


class WrongRoot(Refuted):
    """Entries that do not hash to the root that was signed."""

    code = "wrong-root"


class NotAgreed(Refused):
    """No agreement and no public offer allows it.

    To a party of an agreement it says which one, and the clause and the operand in it that did not hold; to anybody
    else nothing of the kind is ever said.
    """

    code = "not-agreed"

    def __init__(
        self, message: str, *, agreement: str = "", clause: str = "", operand: str = "", fix: str = ""
    ) -> None:
        super().__init__(message, fix=fix)
        self.agreement = agreement
        self.clause = clause
        self.operand = operand


class Quarantined(Refused):
    """A peer that is held apart until a person has looked at the evidence."""

    code = "quarantined"


class KeyChanged(Refused):
    """Other keys than those that were pinned, and not signed by them."""

    code = "key-changed"


class Unauthenticated(Refused):
    """Nobody this node knows, or a token that does not hold. `challenge` is the value of WWW-Authenticate.

    `error` is the code that OAuth has for it (`invalid_dpop_proof`), `nonce` what the next proof has to carry, if any.
    """

    code = "unauthenticated"

    def __init__(
        self, message: str, *, challenge: str = "", error: str = "invalid_token", nonce: str = "", fix: str = ""
    ) -> None:
        super().__init__(message, fix=fix)
        self.challenge = challenge
        self.error = error
        self.nonce = nonce


class Forbidden(Refused):
    """Known to this node, and without the right."""

    code = "forbidden"


class Unavailable(NodeError):
    """Try again later; `retry_after_s` says when, if that is known."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after_s: int = 0, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.retry_after_s = retry_after_s


@contextmanager
def needs_room() -> Iterator[None]:
    """Let what is written within end as Unavailable where the disk is full; other errors come through as they are."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        message = f"A file cannot be written: {(error.strerror or '').lower()}."
        raise Unavailable(message, fix="Look at the disk and its free space.") from error


class JournalBusy(Unavailable):
    """Another writer held the lock too long. Safe to retry."""

    code = "journal-busy"


class SourceUnreachable(Unavailable):
    """A portal did not answer, or not in time. Safe to retry."""

    code = "source-unreachable"


class PeerUnreachable(SourceUnreachable):
    """A peer city did not answer, or not in time. Safe to retry; `retry_after_s` is how long it asked us to wait."""

    code = "peer-unreachable"

    def __init__(self, message: str, *, retry_after_s: int = 0, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.retry_after_s = retry_after_s


class OriginChanged(Unavailable):
    """The bytes of a part are not, or no longer, those that were announced: another version, or another length."""

    code = "origin-changed"


class TooManyRequests(Unavailable):
    """Faster than this node answers one caller; `retry_after_s` says when to come back."""

    code = "too-many-requests"

    def __init__(self, message: str, *, retry_after_s: int = 1, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.retry_after_s = retry_after_s


class AlreadyRunning(Unavailable):
    """Somebody else is at it."""

    code = "already-running"


class ConsentUnknown(Unavailable):
    """Nobody can say now whose rows may leave, so none does."""

    code = "consent-unknown"


class Stopped(Unavailable):
    """Somebody asked to stop before the work was done. Safe to retry."""

    code = "stopped"


class Misconfigured(NodeError):
    """The operator must mend the settings; the node does not start."""

    code = "misconfigured"
