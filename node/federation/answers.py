"""What is asked of the decision point and what it answers: a question, a decision with its reason, how much it permits.

Values without behaviour of their own, shared by whoever asks (`rights`, `intake`, `blanking`) and whoever answers
(`decisions`). A "no" has a stable code and one sentence; only a party of an agreement is told which one says it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from node.errors import NotAgreed

Role = Literal["provider", "consumer"]
Details = Sequence[Mapping[str, Any]]

NO_AGREEMENT = "no-agreement"
NOT_IN_TOKEN = "not-in-token"  # noqa: S105 (a code)
OTHER_DIGEST = "other-digest"
NOT_NAMED = "recipient-not-named"
PROHIBITED = "prohibited"

WORDS: Mapping[str, str] = {
    NO_AGREEMENT: "No agreement covers it.",
    NOT_IN_TOKEN: "The token was given for other things under this agreement.",
    OTHER_DIGEST: "The token names another text of this agreement.",
    NOT_NAMED: "No clause names this recipient.",
    "agreed": "The agreement is not signed by both cities.",
    "not-yet": "The agreement has not begun.",
    "suspended": "The agreement is suspended.",
    "expired": "The agreement has ended.",
    "ended": "The agreement has ended.",
    "superseded": "Another agreement has taken the place of this one.",
    "revoked": "The agreement was revoked.",
    "no-clause": "No clause permits it.",
    PROHIBITED: "A clause forbids it.",
    "not-satisfied": "A condition of the clause does not hold.",
    "unknown": "Whether a condition of the clause holds is not known.",
    "duty-violated": "A duty of the clause was not done in time.",
}
# What whoever gets data under an agreement is told to do about a "no".
REQUEST_ANEW = "Look at the agreement, and request anew when it permits it."


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. Under our agreements as `provider` about what is ours, as `consumer` about a mirror.

    Args:
        action: A name of the profile: index, read, use, distribute …
        collection: Its IRI at the origin.
        record: The record's IRI if one is asked about.
        role: What we are in the agreements that count.
        peer: The other city's name here; empty for any.
        recipient: Whose hands it is for, an IRI.
        channel: The way it is handed out, an IRI of the profile.
        details: What the caller's token says of agreements.
        bound: Only agreements that the token names count.
        named: The clause must name the recipient.
        any_purpose: Whatever purpose a clause names is taken for granted: it is our own use, or nobody's yet.
        used: The clause that this very use was counted against before, which does not count against itself.
    """

    action: str
    collection: str
    record: str = ""
    role: Role = "provider"
    peer: str = ""
    recipient: str = ""
    channel: str = ""
    details: Details = ()
    bound: bool = False
    named: bool = False
    any_purpose: bool = False
    used: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes, or no with a stable code; under which agreement, by which clause, and the operand that did not hold.

    `counts` are clauses that the use of a "yes" counts against, for `target`, and `measures` those that the bytes of
    it count against, each with the most that it lets through. An agreement is named only if it is one
    with the party that is asked about.
    """

    allowed: bool
    code: str = ""
    agreement: str = ""
    clause: str = ""
    operand: str = ""
    purpose: str = ""
    counts: tuple[str, ...] = ()
    target: str = ""
    measures: tuple[tuple[str, int], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether it is a yes."""
        return self.allowed

    @property
    def party(self) -> bool:
        """Tell whether there is an agreement about it, in whatever state: only then may its party be told why."""
        return bool(self.agreement)

    @property
    def why(self) -> str:
        """Say it in one sentence."""
        return "It is permitted." if self.allowed else WORDS.get(self.code, WORDS["not-satisfied"])


NOTHING = Decision(allowed=False, code=NO_AGREEMENT)


@dataclass(frozen=True, slots=True)
class Records:
    """Some records of a collection: those that are named, or all `but` those."""

    named: frozenset[str] = frozenset()
    but: bool = False

    def __contains__(self, record: object) -> bool:
        """Tell whether a record is among them."""
        return (record in self.named) != self.but

    def union(self, *others: Iterable[str]) -> "Records":
        """Add records by name."""
        added = frozenset[str]().union(*others)
        return Records(self.named - added if self.but else self.named | added, self.but)

    @property
    def marks(self) -> Sequence[str]:
        """Give texts that tell them from any others, for the tag of a page."""
        return ["but" if self.but else "only", *sorted(self.named)]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a collection is permitted: all of it, all but some records, some records alone, or nothing.

    `records` are those that are permitted alone, or, where the whole is permitted, `but` are those that are not;
    `counted` those of `records` of which each use counts.
    """

    decision: Decision
    records: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether anything is."""
        return self.decision.allowed or bool(self.records)

    @property
    def only(self) -> Records | None:
        """Give the records, or None for all of them."""
        if self.decision.allowed:
            return Records(self.but, but=True) if self.but else None
        return Records(self.records)


def refusal(found: Decision, advice: str = "Ask the city whose agreement it is.") -> NotAgreed:
    """Say a "no" to a party of the agreement, with advice where the token is not what is wrong."""
    about = f" ({found.operand})" if found.operand else ""
    fix = "Ask for a token whose authorization_details name the purpose." if found.operand == "purpose" else ""
    said = {"agreement": found.agreement, "clause": found.clause, "operand": found.operand}
    return NotAgreed(f"{found.why.rstrip('.')}{about}.", **said, fix=fix or advice)


def told(found: Decision) -> dict[str, object]:
    """Say it in JSON values."""
    return {
        "allowed": found.allowed,
        "code": found.code,
        "why": found.why,
        "agreement": found.agreement,
        "clause": found.clause,
        "operand": found.operand,
        "purpose": found.purpose,
    }
