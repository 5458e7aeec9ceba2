"""Links by which somebody sets a password: for a new account, or for one that lost its own. May touch the database.

A link is good for two days and for one password; a newer one of the same account ends the older. The secret stands in
the link alone, its hash here. Whoever has the link has the account, so it is shown once, to the person who made it.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from node.db import Database, Tx
from node.errors import Conflict, NotFound

LASTS_MS = 48 * 3_600_000
_SPELT = re.compile(r"[A-Za-z0-9_-]{40,60}\Z")
_FIX = "Ask an administrator for another one."


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was just made; `secret` cannot be had again."""

    name: str
    secret: str
    ends_at_ms: int


class Links:
    """The set-up links of one node."""

    def __init__(self, db: Database, clock_ms: Callable[[], int], secret: Callable[[], str]) -> None:
        """Keep links; `secret` gives a new unguessable token (256 bits, base64url) each time."""
        self._db, self._clock_ms, self._secret = db, clock_ms, secret

    def make(self, name: str) -> Link:
        """Make a link for an account; the one before ends.

        Raises:
            NotFound: There is no such account.
            Conflict: It is disabled, or signs in with the city's own sign-in and has no password.
        """
        made = Link(name, self._secret(), self._clock_ms() + LASTS_MS)
        with self._db.write() as tx:
            _check_account(tx, name)
            tx.run("DELETE FROM staff_link WHERE name = ? OR ends_at <= ?", name, self._clock_ms())
            tx.run(
                "INSERT INTO staff_link (hash, name, at, ends_at) VALUES (?, ?, ?, ?)",
                *(hash_of(made.secret), name, self._clock_ms(), made.ends_at_ms),
            )
        return made

    def name_of(self, secret: str) -> str:
        """Say whose link it is; it stays good.

        Raises:
            NotFound: It was used, is too old, or never was; all the same to whoever asks.
        """
        with self._db.read() as tx:
            row = tx.row(
                "SELECT l.name FROM staff_link l JOIN staff p ON p.name = l.name"
                " WHERE l.hash = ? AND l.ends_at > ? AND p.state <> 'disabled'",
                *(hash_of(secret) if _SPELT.match(secret) else "", self._clock_ms()),
            )
        if row is None:
            raise NotFound("This link is used up or too old.", fix=_FIX).on_page("no.staff.link")
        return str(row[0])


def spend(tx: Tx, name: str, secret: str, now_ms: int) -> None:
    """Use a link up in the transaction that does what it is for: of two at once, one gets it. Raises NotFound."""
    sql = "DELETE FROM staff_link WHERE hash = ? AND name = ? AND ends_at > ?"
    if tx.run(sql, hash_of(secret), name, now_ms) != 1:
        raise NotFound("This link is used up or too old.", fix=_FIX).on_page("no.staff.link")


def hash_of(secret: str) -> str:
    """Give what is kept of a link."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_account(tx: Tx, name: str) -> None:
    row = tx.row("SELECT state, subject FROM staff WHERE name = ?", name)
    if row is None:
        raise NotFound(
            f"There is no account {name[:60]!r}.",
            fix="See `citynode staff list`.",
        ).on_page("no.staff.account", name=name[:60])
    if row[0] == "disabled":
        raise Conflict(
            f"The account {name} is disabled.",
            fix="Enable it first.",
        ).on_page("no.staff.disabled", name=name)
    if row[1]:
        raise Conflict(
            f"{name} signs in with the city's own sign-in.", fix="A password of theirs is changed there."
        ).on_page("no.staff.from_city", name=name)
