"""What is told of data that moved or is about to: values for the desk, the portal and whoever else looks on.

Put together from what the rooms that move data know; nothing here decides, and no value opens anything: no secret, no
token, no address that a credential is part of. Times are milliseconds since the epoch with 0 for never, amounts bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """A transfer as both ends know it. `state` is the protocol's, empty while the request is on its way.

    `by_hand` says that the reasons are a person's words.
    """

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
    by_hand: bool = False

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
    """Where the bytes of a part lie, and what was wrong when they were read last. `location` holds no secret.

    `left_out` names files that lie there and can be no part, where it was looked: an origin that was added or tested.
    `unfiltered` says which cities got a dataset about residents with all its rows, from before it was marked.
    """

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
    left_out: tuple[str, ...] = ()
    unfiltered: tuple["UnfilteredTold", ...] = ()


@dataclass(frozen=True, slots=True)
class UnfilteredTold:
    """A city that got a dataset with all its rows: under which agreement, for what, since when, and when last."""

    peer: str
    agreement: str
    dataset: str
    purpose: str
    since_ms: int
    until_ms: int


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

    The resident is nobody here: a salted key that only whoever holds the data can match. `purpose` is the one for which
    the rows went, by IRI; empty where it stands for all. Of one that we answered, `told_ms` is when the peer had taken
    the newest answer, 0 for not yet.
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
    purpose: str = ""
    told_ms: int = 0

    @property
    def is_untold(self) -> bool:
        """Tell whether the other city has not taken our answer yet."""
        return self.direction == "in" and self.acknowledged_ms > 0 and not self.told_ms

    @property
    def cursor(self) -> str:
        """Give what the next page is asked for with, where this is the last one of a page."""
        return f"{self.at_ms}.{self.name}"


@dataclass(frozen=True, slots=True)
class WithdrawalsWaiting:
    """How many withdrawals wait for us (`in`), or for an answer of a peer (`out`), and since when the oldest."""

    direction: Literal["in", "out"]
    peer: str
    count: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class FetchedTold:
    """One pull of ours: what it brought, how much, and where it was put."""

    number: int
    dataset: str
    target: str
    got: int


@dataclass(frozen=True, slots=True)
class DeletionTold:
    """What was fetched under an agreement that is over, and must be deleted: by us (`in`) or by the other city (`out`).

    `said_ms` is when it was said to be gone, 0 for not yet; `told_ms` when the other city had taken our word.
    """

    agreement: str
    title: str
    direction: Literal["in", "out"]
    peer: str
    state: str
    ended_ms: int
    due_ms: int
    datasets: tuple[str, ...]
    fetched: tuple[FetchedTold, ...]
    said_ms: int
    by: str
    told_ms: int


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
class StatementWish:
    """Which statements somebody wants; what is empty leaves out none. All of it by whole names, moments inclusive."""

    transfer: str = ""
    agreement: str = ""
    kind: str = ""
    since_ms: int = 0
    until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that checking evidence found: whether it holds, None where nobody can tell, and an English sentence.

    `code` and `values` say the same to whoever has words of their own; without a code there is the sentence alone.
    """

    holds: bool | None
    sentence: str
    code: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking evidence found. `is_open`: nothing is wrong, and something that would prove it is not there."""

    holds: bool
    findings: tuple[Found, ...]
    is_open: bool = False


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
