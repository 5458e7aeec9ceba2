"""Tokens that a city hands to named people of its staff and to programs: opaque secrets, `cn_…`, kept as hashes.

The secret is given once, when it is issued, and cannot be had again. It has 256 random bits, so a plain SHA-256 keeps
it safe; a slow hash would only make floods cheaper for those who send them. Staff may do everything over the API,
a program what its scopes say, or what an agreement permits for the purpose that its token names. Owns `token`.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from node.db import Database, Row, Tx
from node.errors import Conflict, Malformed, NotFound

State = Literal["good", "expired", "revoked"]
PREFIX = "cn_"
DEFAULT_DAYS = 90
MOST_DAYS = 730
MOST_SCOPES = 50
DAY_MS = 24 * 3600 * 1000
# How long a use may go unwritten: a program that asks a hundred times a second costs one write a minute.
USED_EVERY_MS = 60_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SPELT = re.compile(rf"{PREFIX}([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
# `read:` and a collection of ours, or one mirrored from a peer.
SCOPE = re.compile(r"read:[a-z0-9][a-z0-9-]{0,62}(/[a-z0-9][a-z0-9-]{0,62})?")
_COLUMNS = "id, name, staff, scopes, created_at, expires_at, revoked_at, last_used_at, agreement, purpose, recipient"


@dataclass(frozen=True, slots=True)
class NamedToken:
    """A token without its secret. Times in milliseconds since 1970 UTC; `last_used_at_ms` is 0 for never.

    `agreement` is the IRI of the one that it is bound to, if any: it may do what that permits for `purpose` to
    `recipient`, and is worth nothing once that is no longer in force (`rights`).
    """

    id: str
    name: str
    staff: bool
    scopes: frozenset[str]
    created_at_ms: int
    expires_at_ms: int
    revoked_at_ms: int | None
    last_used_at_ms: int
    agreement: str = ""
    purpose: str = ""
    recipient: str = ""

    def state_at(self, now_ms: int) -> State:
        """Say whether it is good at that moment, and if not, why."""
        if self.revoked_at_ms is not None:
            return "revoked"
        return "good" if now_ms < self.expires_at_ms else "expired"


class NamedTokens:
    """The tokens of staff and programs. Names are unique; one that was revoked or ran out may be issued anew."""

    def __init__(self, db: Database) -> None:
        """Work on the node's database."""
        self._db = db

    def issue(
        self, name: str, *, now_ms: int, staff: bool = False, scopes: Iterable[str] = (), days: int = DEFAULT_DAYS
    ) -> tuple[NamedToken, str]:
        """Make a token of staff or of a program and give it with its secret, which nobody can give a second time.

        Raises:
            Malformed: The name or a scope is not spelt as one, a program has no scope, or `days` is out of bounds.
            Conflict: A token of this name is still good.
        """
        _check(name, days)
        return self._made(_new(name, now_ms, days, staff=staff, scopes=_scopes(staff=staff, scopes=frozenset(scopes))))

    def grant(
        self, name: str, *, agreement: str, purpose: str, recipient: str, now_ms: int, days: int = DEFAULT_DAYS
    ) -> tuple[NamedToken, str]:
        """Make a token that is bound to an agreement, a purpose and its holder, an IRI that the agreement names.

        The caller has seen that the agreement permits them something.

        Raises:
            Malformed: The name is not spelt as one, or `days` is out of bounds.
            Conflict: A token of this name is still good.
        """
        _check(name, days)
        return self._made(_new(name, now_ms, days, agreement=agreement, purpose=purpose, recipient=recipient))

    def _made(self, token: NamedToken) -> tuple[NamedToken, str]:
        secret, name, now_ms = secrets.token_urlsafe(32), token.name, token.created_at_ms
        with self._db.write() as tx:
            tx.lock("tokens")
            _make_room(tx, name, now_ms)
            _insert(tx, token, _hash(secret))
        return token, f"{PREFIX}{token.id}_{secret}"

    def list(self) -> list[NamedToken]:
        """List all, also those that ran out or were revoked, by name."""
        with self._db.read() as tx:
            return [_token(row) for row in tx.rows(f"SELECT {_COLUMNS} FROM token ORDER BY name")]  # noqa: S608

    def revoke(self, name: str, *, now_ms: int) -> None:
        """End a token at once; ending one again changes nothing.

        Raises:
            NotFound: There is none of that name.
        """
        with self._db.write() as tx:
            if tx.row("SELECT 1 FROM token WHERE name = ?", name) is None:
                raise NotFound(f"There is no token {name}.", fix="citynode tokens list names them.")
            tx.run("UPDATE token SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL", now_ms, name)

    def find(self, spelt: str, *, now_ms: int) -> NamedToken | None:
        """Give the token that a caller showed; nothing if it is wrong in any way, ran out or was revoked."""
        match = _SPELT.fullmatch(spelt)
        if match is None:
            return None
        sql = f"SELECT {_COLUMNS}, secret_hash FROM token WHERE id = ?"  # noqa: S608 (our own column names)
        row = self._db.hot().row(sql, (match[1],))
        kept = bytes(row[-1]) if row else b"\0" * 32
        # Compared also where there is no such id: how long it takes tells nothing.
        if not hmac.compare_digest(kept, _hash(match[2])) or row is None:
            return None
        token = _token(row[:-1])
        return token if token.state_at(now_ms) == "good" else None

    def used(self, token: NamedToken, *, now_ms: int) -> None:
        """Note that it was used; written at most once a minute."""
        if now_ms - token.last_used_at_ms >= USED_EVERY_MS:
            with self._db.write() as tx:
                tx.run("UPDATE token SET last_used_at = ? WHERE id = ?", now_ms, token.id)


def _new(name: str, now_ms: int, days: int, **more: Any) -> NamedToken:  # noqa: ANN401 (fields of the token)
    facts: dict[str, Any] = {"staff": False, "scopes": frozenset()} | more
    return NamedToken(
        **facts,
        id=secrets.token_hex(6),
        name=name,
        created_at_ms=now_ms,
        expires_at_ms=now_ms + days * DAY_MS,
        revoked_at_ms=None,
        last_used_at_ms=0,
    )


def _check(name: str, days: int) -> None:
    if not _NAME.fullmatch(name):
        raise Malformed(
            f"{name[:40]!r} is no name for a token.", fix="Use lower-case letters, digits, dots and dashes."
        )
    if not 1 <= days <= MOST_DAYS:
        raise Malformed(f"A token lasts from 1 to {MOST_DAYS} days.", fix="Issue it anew when it has run out.")


def _scopes(*, staff: bool, scopes: frozenset[str]) -> frozenset[str]:
    wrong = sorted(scope for scope in scopes if not SCOPE.fullmatch(scope))
    if wrong or len(scopes) > MOST_SCOPES:
        raise Malformed(
            f"{wrong[0][:60]!r} is no scope." if wrong else f"More than {MOST_SCOPES} scopes.",
            fix="A scope is read:COLLECTION.",
        )
    if not staff and not scopes:
        raise Malformed("A program's token without a scope could do nothing.", fix="Name one: --scope read:COLLECTION.")
    if staff and scopes:
        raise Malformed("Staff may do everything; scopes would not bind them.", fix="Leave out --scope or --staff.")
    return scopes


def _make_room(tx: Tx, name: str, now_ms: int) -> None:
    row = tx.row(f"SELECT {_COLUMNS} FROM token WHERE name = ?", name)  # noqa: S608
    if row and _token(row).state_at(now_ms) == "good":
        raise Conflict(f"There is a token {name} already.", fix=f"Revoke it first: citynode tokens revoke {name}.")
    tx.run("DELETE FROM token WHERE name = ?", name)


def _insert(tx: Tx, token: NamedToken, secret_hash: bytes) -> None:
    tx.run(
        "INSERT INTO token (id, name, staff, secret_hash, scopes, created_at, expires_at, agreement, purpose,"
        " recipient) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        token.id,
        token.name,
        token.staff,
        secret_hash,
        " ".join(sorted(token.scopes)),
        token.created_at_ms,
        token.expires_at_ms,
        token.agreement,
        token.purpose,
        token.recipient,
    )


def _token(row: Row) -> NamedToken:
    return NamedToken(
        id=row[0],
        name=row[1],
        staff=bool(row[2]),
        scopes=frozenset(str(row[3]).split()),
        created_at_ms=row[4],
        expires_at_ms=row[5],
        revoked_at_ms=row[6],
        last_used_at_ms=row[7],
        agreement=row[8],
        purpose=row[9],
        recipient=row[10],
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
