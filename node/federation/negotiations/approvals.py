"""Approvals: which persons said yes to which terms, and what this city therefore does next in a negotiation.

A person is a named staff token until accounts exist. An approval is of a digest of terms, so that changed terms need
new ones and an approval that comes too late approves nothing else; a second yes of one person is the same yes. Owns the
table `approval`. An offer that is named and automatic is agreed to without a person if it is asked for as it stands:
whoever published it has approved it. As consumer this city takes such offers alone of templates its settings name.
"""

from collections.abc import Callable
from dataclasses import dataclass

from node.db import Database, Tx
from node.errors import Forbidden, Unauthenticated
from node.federation.negotiation import Negotiation, Step
from node.federation.tokens.secrets import NamedTokens

_BY_STATE = {
    ("provider", "REQUESTED"): "agree",
    ("provider", "ACCEPTED"): "agree",
    ("consumer", "OFFERED"): "accept",
    ("consumer", "AGREED"): "verify",
}


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes to terms, and when."""

    person: str
    at_ms: int


class Approvals:
    """Keeps approvals. Safe to share by threads and processes."""

    def __init__(self, db: Database, *, required: int) -> None:
        """Keep them in this database; `required` persons must approve, 1 or 2."""
        self._db = db
        self.required = required

    def give(self, subject: str, terms: str, person: str, at_ms: int) -> bool:
        """Note a person's yes to the terms of a negotiation or draft; False if that person said it before."""
        with self._db.write() as tx:
            return self.give_in(tx, subject, terms, person, at_ms)

    def give_in(self, tx: Tx, subject: str, terms: str, person: str, at_ms: int) -> bool:
        """Do the same in a transaction."""
        sql = "INSERT INTO approval (subject, terms, person, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        return tx.run(sql, subject, terms, person, at_ms) == 1

    def of(self, subject: str, terms: str) -> list[Approval]:
        """Give who approved these terms, in order of time."""
        sql = "SELECT person, at FROM approval WHERE subject = ? AND terms = ? ORDER BY at, person"
        return [Approval(*row) for row in self._db.hot().rows(sql, (subject, terms))]

    def missing(self, subject: str, terms: str) -> int:
        """Count the persons who must still approve."""
        return max(0, self.required - len(self.of(subject, terms)))

    def carry(self, tx: Tx, draft: str, negotiation: str, terms: str) -> None:
        """Let approvals of a draft count for the negotiation that it became, as far as its terms are the same."""
        sql = (
            "INSERT INTO approval (subject, terms, person, at) SELECT ?, terms, person, at FROM approval"
            " WHERE subject = ? AND terms = ? ON CONFLICT DO NOTHING"
        )
        tx.run(sql, negotiation, draft, terms)


class Persons:
    """Tells who somebody is by the secret of a staff token."""

    def __init__(self, tokens: NamedTokens) -> None:
        """Look in the tokens of this city."""
        self._tokens = tokens

    def named(self, secret: str, now_ms: int) -> str:
        """Give the name of the person who holds a token.

        Raises:
            Unauthenticated: No token of this city, or one that has run out or was revoked.
            Forbidden: A program's token: no program approves anything.
        """
        token = self._tokens.find(secret.strip(), now_ms=now_ms)
        if token is None:
            raise Unauthenticated(
                "The token is not known here, has run out or was revoked.",
                fix="Issue one: citynode tokens issue NAME --staff",
            )
        if not token.staff:
            raise Forbidden(
                f"{token.name} is a program.", fix="Use a person's token: citynode tokens issue NAME --staff"
            )
        return token.name


class ApprovedDecider:
    """Says what we do next: what persons or a named offer have approved, and what follows from it by itself."""

    def __init__(
        self,
        approvals: Approvals,
        *,
        is_automatic: Callable[[Negotiation], bool],
        is_taken: Callable[[Negotiation], bool] = lambda _: False,
    ) -> None:
        """Decide by these approvals.

        Args:
            approvals: Which persons said yes.
            is_automatic: Tells whether a request to us is for a named offer as it stands.
            is_taken: Tells whether a request of ours is for an automatic offer that our settings let us take alone.
        """
        self._approvals = approvals
        self._is_automatic, self._is_taken = is_automatic, is_taken

    def next(self, negotiation: Negotiation) -> Step | None:
        """Give the next step of ours, or None while a person or the other side must act."""
        if negotiation.sending or negotiation.is_final:
            return None
        if (negotiation.role, negotiation.state) == ("provider", "VERIFIED"):
            return Step("finalize")  # both have signed; nobody is asked twice
        kind = _BY_STATE.get((negotiation.role, negotiation.state))
        return Step(kind) if kind and self.is_approved(negotiation) else None  # type: ignore[arg-type]

    def is_approved(self, negotiation: Negotiation) -> bool:
        """Tell whether the terms that stand are approved for us."""
        if not self._approvals.missing(negotiation.pid, negotiation.terms):
            return True
        return (self._is_automatic if negotiation.role == "provider" else self._is_taken)(negotiation)

    def waits_for_us(self, negotiation: Negotiation) -> bool:
        """Tell whether it is a person of ours that this waits for."""
        asked = (negotiation.role, negotiation.state) in _BY_STATE and not negotiation.sending
        return asked and not self.is_approved(negotiation)
