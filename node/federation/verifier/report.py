"""What a verification found, for people and for programs: the verdict, why, and everything that was proven on the way.

How a key came to be trusted is said with every checkpoint: a proof under keys that the node itself handed out shows
that the node is consistent, and no more than that.
"""

import base64
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from node.journal.note import Checkpoint, Cosigned

Verdict = Literal["proven", "refuted", "unreachable"]
EXIT: dict[Verdict, int] = {"proven": 0, "refuted": 1, "unreachable": 3}


@dataclass(frozen=True, slots=True)
class Cosigner:
    """One cosignature under a checkpoint; `trusted` says where the witness's key came from, empty: not checked."""

    name: str
    at: str
    trusted: str


@dataclass(slots=True)
class State:
    """One collection, as far as it was proven."""

    collection: str
    size: int
    root: str
    trusted: str
    continues: int | None = None  # the size of the older checkpoint that it was proven to continue
    cosigned: list[Cosigner] = field(default_factory=list)
    entries: int | None = None  # how many entries were recomputed, where all were at hand

    @classmethod
    def of(cls, collection: str, checkpoint: Checkpoint, trusted: str) -> "State":
        """Begin with a checkpoint whose signature holds."""
        return cls(collection, checkpoint.size, base64.b64encode(checkpoint.root).decode(), trusted)


@dataclass(frozen=True, slots=True)
class Record:
    """One record that was proven; `document` names the form whose bytes gave the digest, empty if none was at hand."""

    record: str
    collection: str
    seq: int
    op: str
    digest: str
    document: str


@dataclass(slots=True)
class Report:
    """The outcome of one verification."""

    target: str
    verdict: Verdict = "proven"
    reason: str = ""
    checkpoints: list[State] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Give the exit code: 0 proven, 1 refuted, 3 unreachable."""
        return EXIT[self.verdict]

    def document(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Say it to people: what was proven, one line each, and the verdict last."""
        told = [line for state in self.checkpoints for line in _state(state)]
        told += [_record(record) for record in self.records]
        return [*told, f"{self.verdict}: {self.reason or self.target}"]


def moment_of(cosigned: Cosigned) -> str:
    """Write the time of a cosignature; one past the year 9999 is given as its number."""
    try:
        return datetime.fromtimestamp(cosigned.at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(cosigned.at_s)


def _state(state: State) -> list[str]:
    told = f"{state.collection}: {state.size} entries, root {state.root}, signed; key {state.trusted}"
    more = [f"  continues the checkpoint of {state.continues} entries"] if state.continues is not None else []
    if state.entries is not None:
        more.append(f"  all {state.entries} entries recomputed")
    more += [
        f"  cosigned by {one.name} at {one.at}; key {one.trusted}"
        if one.trusted
        else f"  cosigned by {one.name}, whose key is not known here"
        for one in state.cosigned
    ]
    return [told, *more]


def _record(record: Record) -> str:
    shown = f"its {record.document} has the digest {record.digest}" if record.document else f"digest {record.digest}"
    return f"{record.record}: entry {record.seq} ({record.op}) of {record.collection}; {shown}"
