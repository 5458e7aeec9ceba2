"""What is told of data that moved or is about to: values for the desk, the portal and whoever else looks on.

Put together from what the rooms that move data know; nothing here decides, and no value opens anything: no secret, no
token, no address that a credential is part of. Times are milliseconds since the epoch with 0 for never, amounts bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Json = Mapping[str, Any]
OVER = frozenset({"COMPLETED", "TERMINATED"})


@dataclass(frozen=True, slots=True)
class Streamed:
    """One stream of a part to the other side: from which byte, how many, and how it ended (empty while it runs)."""

    part: str
    begins: int
    sent: int
    begun_ms: int
    ended_ms: int
    how: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the protocol: `direction` is in or out, `name` its type without the word Message."""

    at_ms: int
    direction: str
    name: str


@dataclass(frozen=True, slots=True)
class TransferTold:
    """A transfer as both ends know it. `state` is the protocol's, empty while the request is on its way."""

    pid: str
    role: Literal["provider", "consumer"]
    peer: str
    state: str
    format: str
    agreement: str
    dataset: str
    part: str
    purpose: str
    clause: str
    paused_by: str
    reasons: tuple[str, ...]
    by: str
    requested_ms: int
    started_ms: int
    changed_ms: int
    other_pid: str = ""
    streams: tuple[Streamed, ...] = ()
    history: tuple[Message, ...] = ()

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more comes."""
        return self.state in OVER


@dataclass(frozen=True, slots=True)
class PullTold:
    """Data that this city asked for: waiting, running, stopped, done, failed or cancelled, and how much is here.

    `said` says why it stands where it stands; `total` is 0 while nobody knows it.
    """

    number: int
    dataset: str
    part: str
    peer: str
    purpose: str
    format: str
    target: str
    agreement: str
    transfer: str
    state: str
    said: str
    got: int
    total: int
    by: str
    at_ms: int
    changed_ms: int


@dataclass(frozen=True, slots=True)
class OriginTold:
    """Where the bytes of a part lie, and what was wrong when they were read last. `location` holds no secret."""

    dataset: str
    part: str
    kind: str
    location: str
    media_type: str
    credential: str
    trouble: str
    trouble_ms: int
    is_personal: bool = False
    column: str = ""
    consent: str = ""


@dataclass(frozen=True, slots=True)
class ConsentTold:
    """A consent source, and whether it answered when it was asked last."""

    name: str
    kind: str
    location: str
    checked_ms: int
    trouble: str


@dataclass(frozen=True, slots=True)
class WithdrawalTold:
    """A resident's withdrawal: `out` is one that we told a peer of, `in` one that a peer told us of.

    The resident is nobody here: a salted key that only whoever holds the data can match.
    """

    name: str
    direction: Literal["in", "out"]
    peer: str
    agreement: str
    dataset: str
    withdrawn_ms: int
    at_ms: int
    acknowledged_ms: int
    erased_ms: int
    by: str


@dataclass(frozen=True, slots=True)
class StatementTold:
    """One statement of this city's evidence; `document` is what it says, empty once it was erased."""

    record: str
    kind: str
    transfer: str
    agreement: str
    peer: str
    dataset: str
    at_ms: int
    document: Json


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking evidence found, in sentences: whether each holds, None where that cannot be told here."""

    holds: bool
    findings: tuple[tuple[bool | None, str], ...]


@dataclass(frozen=True, slots=True)
class PullWish:
    """What somebody of ours wants from another city: a dataset or what finds it, and why."""

    dataset: str
    purpose: str = ""
    part: str = ""
    peer: str = ""


@dataclass(frozen=True, slots=True)
class OriginWish:
    """Where somebody says that the bytes of a part lie: an https or s3 address, never a path of this machine."""

    dataset: str
    location: str
    part: str = ""
    media_type: str = ""
    credential: str = ""
    is_personal: bool = False
    column: str = ""
    consent: str = ""
