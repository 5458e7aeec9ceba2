"""Every error the node raises, in three branches that tell the caller what to do.

    NodeError
    ├── Refused        they must change something; trying again as it is will not help
    │   ├── Malformed          bytes or values that do not follow their format
    │   ├── TooLarge           past a stated bound of size, depth, time or number
    │   ├── NotFound           nothing of that name here
    │   ├── Withdrawn          was here; its city has withdrawn it
    │   ├── Conflict           clashes with what is already held
    │   ├── NotAcceptable      no form that the caller asked for can be given
    │   ├── ForbiddenAddress   an address that this node never fetches
    │   ├── UnknownKind        a source of a kind without an adapter
    │   └── Refuted            a proof or a digest that does not hold
    ├── Unavailable    try again later
    │   ├── JournalBusy        another writer held the lock too long
    │   ├── SourceUnreachable  a portal did not answer, or not in time
    │   ├── AlreadyRunning     somebody else is at it
    │   └── Stopped            somebody asked to stop before the work was done
    └── Misconfigured  stops the start; the operator must mend the settings

Each class has a stable `code` (it ends the problem type of RFC 9457) and no HTTP status: the one table to
status is `node/web/problems.py`. This module imports nothing of ours.
"""

from collections.abc import Mapping
from typing import ClassVar


class NodeError(Exception):
    """The root; never raised itself."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, fix: str = "") -> None:
        """Keep one sentence that says what is wrong and, in `fix`, one that says what to do."""
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        """Give one line: what is wrong, then what to do."""
        return f"{self.message} {self.fix}".strip()


class Refused(NodeError):
    """They must change something."""

    code = "refused"


class Malformed(Refused):
    """Bytes or values that do not follow their format."""

    code = "malformed"


class TooLarge(Refused):
    """Past a stated bound of size, depth, time or number."""

    code = "too-large"


class NotFound(Refused):
    """Nothing of that name here."""

    code = "not-found"


class Withdrawn(Refused):
    """Was here; its city has withdrawn it. `iri` and `at_ms` are what may still be said of it."""

    code = "withdrawn"

    def __init__(self, message: str, *, iri: str = "", at_ms: int = 0, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.iri = iri
        self.at_ms = at_ms


class Conflict(Refused):
    """Clashes with what is already held."""

    code = "conflict"


class NotAcceptable(Refused):
    """No form that the caller asked for can be given. `available` lists those that can: address by media type."""

    code = "not-acceptable"

    def __init__(self, message: str, *, available: Mapping[str, str] | None = None, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.available = dict(available or {})


class ForbiddenAddress(Refused):
    """An address that this node never fetches."""

    code = "forbidden-address"


class UnknownKind(Refused):
    """A source of a kind without an adapter."""

    code = "unknown-kind"


class Refuted(Refused):
    """A proof, a signature or a digest that does not hold."""

    code = "refuted"


class Unavailable(NodeError):
    """Try again later."""

    code = "unavailable"


class JournalBusy(Unavailable):
    """Another writer held the lock too long. Safe to retry."""

    code = "journal-busy"


class SourceUnreachable(Unavailable):
    """A portal did not answer, or not in time. Safe to retry."""

    code = "source-unreachable"


class AlreadyRunning(Unavailable):
    """Somebody else is at it."""

    code = "already-running"


class Stopped(Unavailable):
    """Somebody asked to stop before the work was done. Safe to retry."""

    code = "stopped"


class Misconfigured(NodeError):
    """The operator must mend the settings; the node does not start."""

    code = "misconfigured"
