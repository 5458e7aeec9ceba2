"""Accounts of the desk: a name to sign in with, roles, a password. May touch the database.

Passwords are argon2id with the parameters of RFC 9106's second choice; a hash of weaker ones is made anew when its
password is next given. The same work is done for a name that is not there, and the same is said. An account is disabled
and never taken away: the trail names it.
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from node.db import Database, Row, Tx
from node.errors import Conflict, Malformed, NotFound
from node.staff.guessed import is_guessed
from node.staff.links import spend
from node.staff.rights import ROLES
from node.stale import check_mark, mark_of

MIN_PASSWORD, MAX_PASSWORD = 12, 256
NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,46}[a-z0-9])?\Z")
_COLUMNS = "name, shown, roles, state, password, totp, subject, at, seen_at"
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)


@dataclass(frozen=True, slots=True)
class Person:
    """One account. `state` is invited, active or disabled; times are milliseconds since 1970 UTC, 0 for never.

    One `from_city` signs in with the city's own sign-in, which also says its roles anew each time.
    """

    name: str
    shown: str
    roles: frozenset[str]
    state: str
    has_password: bool
    has_totp: bool
    from_city: bool
    at_ms: int
    seen_at_ms: int

    @property
    def mark(self) -> str:
        """Name the roles as they stand (`stale`)."""
        return mark_of(self.roles)


class People:
    """The accounts of one node."""

    def __init__(self, db: Database, clock_ms: Callable[[], int], *, hasher: PasswordHasher = _HASHER) -> None:
        """Keep accounts in a database; `hasher` says how costly a password is to try."""
        self._db, self._clock_ms, self._hasher = db, clock_ms, hasher
        self._nobody = ""

    def add(self, name: str, *, roles: Iterable[str], shown: str = "") -> Person:
        """Invite somebody. Raises Malformed for a name or role that is none, Conflict if the name is taken."""
        if not NAME.match(name):
            raise _no(
                "staff.no.name",
                f"{name[:60]!r} is no name to sign in with.",
                "Use 1 to 48 of a-z, 0-9, dot, hyphen and underscore, with a letter or digit at both ends.",
            )
        shown = self._shown(shown or name)
        held = roles_of(roles)
        with self._db.write() as tx:
            if _find(tx, name):
                raise Conflict(
                    f"There is an account {name} already.",
                    fix="Choose another name, or change that one.",
                ).on_page("no.staff.taken", field="name", name=name)
            tx.run(
                "INSERT INTO staff (name, shown, roles, state, at) VALUES (?, ?, ?, 'invited', ?)",
                name,
                shown,
                " ".join(held),
                self._clock_ms(),
            )
        return self.get(name)

    def get(self, name: str) -> Person:
        """Find an account. Raises NotFound."""
        with self._db.read() as tx:
            return _got(tx, name)

    def list(self) -> Sequence[Person]:
        """List all accounts by name."""
        with self._db.read() as tx:
            return [_person(row) for row in tx.rows(f"SELECT {_COLUMNS} FROM staff ORDER BY name")]  # noqa: S608

    def grant(self, name: str, roles: Iterable[str], *, mark: str = "") -> Person:
        """Give an account these roles and no others; ends its sessions. `mark` names the roles that were shown.

        Raises:
            Changed: It has other roles than were shown.
            NotFound: There is none.
            Malformed: A role is none.
            Conflict: Nobody would be left who may rule.
        """
        held = roles_of(roles)
        with self._db.write() as tx:
            tx.lock("staff")
            before = _got(tx, name)
            if before.roles != set(held):
                check_mark(mark, before.roles)
            if before.state != "disabled" and "admin" in before.roles and "admin" not in held:
                _leave_an_admin(tx, before)
            tx.run("UPDATE staff SET roles = ? WHERE name = ?", " ".join(held), name)
            tx.run("DELETE FROM staff_session WHERE name = ?", name)
        return self.get(name)

    def disable(self, name: str) -> Person:
        """Let somebody in no more; ends their sessions. Raises NotFound, Conflict if nobody would be left to rule."""
        with self._db.write() as tx:
            tx.lock("staff")
            before = _got(tx, name)
            if "admin" in before.roles:
                _leave_an_admin(tx, before)
            tx.run("UPDATE staff SET state = 'disabled' WHERE name = ?", name)
            tx.run("DELETE FROM staff_session WHERE name = ?", name)
            tx.run("DELETE FROM staff_link WHERE name = ?", name)
        return self.get(name)

    def enable(self, name: str) -> Person:
        """Let somebody in again. Raises NotFound."""
        with self._db.write() as tx:
            _got(tx, name)
            tx.run(
                "UPDATE staff SET state = CASE WHEN password = '' AND subject = '' THEN 'invited' ELSE 'active' END"
                " WHERE name = ?",
                name,
            )
        return self.get(name)

    def set_password(self, name: str, password: str, *, link: str = "") -> Person:
        """Set a password, end every session and link of the account; a `link` is used up by it.

        Raises:
            NotFound: There is no such account, or the link is no longer good: of two at once, one gets it.
            Malformed: It is too short, too long, or one that everybody tries.
            Conflict: The account is disabled.
        """
        self._check_new(name, password)
        made = self._hasher.hash(password)
        with self._db.write() as tx:
            if _got(tx, name).state == "disabled":
                raise Conflict(
                    f"The account {name} is disabled.",
                    fix="Enable it first.",
                ).on_page("no.staff.disabled", name=name)
            if link:
                spend(tx, name, link, self._clock_ms())
            tx.run("UPDATE staff SET password = ?, state = 'active' WHERE name = ?", made, name)
            tx.run("DELETE FROM staff_session WHERE name = ?", name)
            tx.run("DELETE FROM staff_link WHERE name = ?", name)
        return self.get(name)

    def check(self, name: str, password: str) -> Person | None:
        """Give the account if the password is its own and it is active; the work is the same for unknown names."""
        with self._db.read() as tx:
            row = _find(tx, name)
        known = str(row[4]) if row and row[3] == "active" else ""
        if not self._holds(known or self._decoy(), password[: MAX_PASSWORD + 1]) or not known or row is None:
            return None
        if self._hasher.check_needs_rehash(known):
            with self._db.write() as tx:
                made = self._hasher.hash(password)
                tx.run("UPDATE staff SET password = ? WHERE name = ? AND password = ?", made, name, known)
        return _person(row)

    def mark(self, name: str) -> str:
        """Name the state of an account that a sign-in began with; empty if it may not go on.

        Another password or phone, being disabled and a sign-in that came to its end each make it another one.
        """
        with self._db.read() as tx:
            row = _find(tx, name)
        if row is None or row[3] != "active":
            return ""
        said = "\n".join((str(row[4]), str(row[5]), str(row[8])))
        return hashlib.sha256(said.encode()).hexdigest()

    def vouched(self, subject: str, *, name: str, shown: str, roles: Iterable[str]) -> Person:
        """Give the account of somebody for whom the city's own sign-in vouches, made at their first time.

        Roles are what it says today; other ones than before end the sessions. A name that is taken is never taken over.

        Raises:
            Malformed: A role is none.
            Conflict: The account is disabled.
        """
        held = " ".join(roles_of(roles))
        called = " ".join("".join(each if each.isprintable() else " " for each in shown).split())[:80].strip()
        with self._db.write() as tx:
            tx.lock("staff")
            row = tx.row(f"SELECT {_COLUMNS} FROM staff WHERE subject = ?", subject)  # noqa: S608
            if row is None:
                free = _free_name(tx, name)
                return self._welcomed(tx, subject, free, called or free, held)
            person = _person(row)
            if person.state == "disabled":
                raise Conflict(
                    "This account is disabled.",
                    fix="Ask this city's administrator.",
                ).on_page("no.staff.closed")
            if person.roles != frozenset(held.split()):
                tx.run("DELETE FROM staff_session WHERE name = ?", person.name)
            tx.run("UPDATE staff SET roles = ?, shown = ? WHERE name = ?", held, called or person.name, person.name)
            return _got(tx, person.name)

    def _welcomed(self, tx: Tx, subject: str, name: str, shown: str, roles: str) -> Person:
        tx.run(
            "INSERT INTO staff (name, shown, roles, state, subject, at) VALUES (?, ?, ?, 'active', ?, ?)",
            *(name, shown, roles, subject, self._clock_ms()),
        )
        return _got(tx, name)

    def _holds(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    def _decoy(self) -> str:
        self._nobody = self._nobody or self._hasher.hash("nobody has this password")
        return self._nobody

    @staticmethod
    def _check_new(name: str, password: str) -> None:
        least, most = MIN_PASSWORD, MAX_PASSWORD
        if not least <= len(password) <= most:
            words = f"A password has {least} to {most} characters."
            raise _no("staff.no.length", words, "Four words in a row are good.", least=least, most=most)
        if is_guessed(name, password):
            words = (
                "This password is one of the first that anybody tries: common words, years and names count for nothing."
            )
            raise _no("staff.no.guessed", words, "Add two words that are about nothing here.")

    @staticmethod
    def _shown(shown: str) -> str:
        plain = " ".join(shown.split())
        if not 0 < len(plain) <= 80 or not plain.isprintable():
            words = "What the desk calls somebody has 1 to 80 characters."
            raise _no("staff.no.shown", words, "A role and a unit will do.")
        return plain


def roles_of(roles: Iterable[str]) -> list[str]:
    """Give roles in their order, each once; one at least. Raises Malformed."""
    given = set(roles)
    wrong = sorted(given - set(ROLES))
    if wrong or not given:
        what = f"{wrong[0][:40]!r} is no role." if wrong else "Somebody without a role could do nothing."
        raise _no("staff.no.roles", what, f"Choose among {', '.join(ROLES)}.")
    return [role for role in ROLES if role in given]


def _no(key: str, message: str, fix: str, **values: object) -> Malformed:
    """Make an error that a page says in its reader's language, by a key of its words."""
    made = Malformed(message, fix=fix)
    made.said = (key, values)
    return made


def _free_name(tx: Tx, wanted: str) -> str:
    """Make a name to sign in with of what another sign-in calls somebody, one that nobody has."""
    plain = unicodedata.normalize("NFKD", wanted.partition("@")[0]).lower()
    kept = "".join(each for each in plain if not unicodedata.combining(each))
    letters = "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "-" for each in kept)
    base = letters[:40].strip("._-") or "person"
    names = [base, *(f"{base}-{number}" for number in range(2, 100)), f"person-{secrets.token_hex(8)}"]
    return next(name for name in names if NAME.match(name) and _find(tx, name) is None)


def _find(tx: Tx, name: str) -> Row | None:
    if not NAME.match(name):
        return None  # nobody has it, and some of what may stand in an address no database takes
    return tx.row(f"SELECT {_COLUMNS} FROM staff WHERE name = ?", name)  # noqa: S608 - our own column names


def _got(tx: Tx, name: str) -> Person:
    row = _find(tx, name)
    if row is None:
        raise NotFound(
            f"There is no account {name[:60]!r}.",
            fix="See `citynode staff list`.",
        ).on_page("no.staff.account", name=name[:60])
    return _person(row)


def _leave_an_admin(tx: Tx, going: Person) -> None:
    """Raise Conflict if nobody else may rule; whoever was only invited cannot yet, and their link may run out."""
    others = tx.rows("SELECT roles, state FROM staff WHERE state <> 'disabled' AND name <> ?", going.name)
    enough = ("active",) if going.state == "active" else ("active", "invited")
    if not any("admin" in str(roles).split() and state in enough for roles, state in others):
        raise Conflict(
            "Nobody would be left who may rule.",
            fix="Make somebody else an admin first.",
        ).on_page("no.staff.last")


def _person(row: Row) -> Person:
    name, shown, roles, state, password, totp, subject, at, seen_at = row
    return Person(name, shown, frozenset(roles.split()), state, bool(password), bool(totp), bool(subject), at, seen_at)
