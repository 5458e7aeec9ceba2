"""How often somebody may guess: counted before anything is compared, by name and by address. May touch the database.

A name has five tries, then waits longer after each, up to an hour; it is counted whether or not there is such an
account, so that waiting tells nothing. An address has forty an hour over all names. Counts stand in the database,
because every web process must see them; hashed, and forgotten after a day.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from node.db import Database, Tx
from node.errors import TooManyRequests

FREE = 5
FIRST_WAIT_MS = 30_000
LONGEST_WAIT_MS = 3_600_000
PER_ADDRESS = 40
HOUR_MS = 3_600_000
KEPT_MS = 24 * HOUR_MS
MOST_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Try:
    """One try that was counted; `good` takes it back."""

    name: str
    address: str


class Tries:
    """Counts guesses of one kind of secret, such as `password` or `code`."""

    def __init__(self, db: Database, clock_ms: Callable[[], int], kind: str = "password") -> None:
        self._db, self._clock_ms, self._kind = db, clock_ms, kind

    def check(self, name: str, address: str) -> None:
        """Look whether this name and address may try now; counts nothing. Raises TooManyRequests."""
        with self._db.read() as tx:
            self._let(tx, self._made(name, address), self._clock_ms())

    def take(self, name: str, address: str) -> Try:
        """Count a try before the secret is looked at, so that many at once are no way around.

        Raises:
            TooManyRequests: This name or this address must wait; nothing was counted.
        """
        now, made = self._clock_ms(), self._made(name, address)
        with self._db.write() as tx:
            tx.lock("staff_try")
            self._let(tx, made, now)
            _sweep(tx, now)
            _count_name(tx, made.name, now)
            _count_address(tx, made.address, now)
        return made

    def good(self, made: Try) -> None:
        """Forget the tries of a name that ended well, and this one of its address."""
        with self._db.write() as tx:
            tx.run("DELETE FROM staff_try WHERE hash = ?", made.name)
            tx.run(
                "UPDATE staff_try SET failures = failures - 1, until = 0 WHERE hash = ? AND failures > 0", made.address
            )

    def forgive(self, name: str) -> None:
        """Forget the tries of a name: an administrator says so."""
        with self._db.write() as tx:
            tx.run("DELETE FROM staff_try WHERE hash = ?", self._key("name", name))

    def _made(self, name: str, address: str) -> Try:
        return Try(self._key("name", name), self._key("address", address))

    @staticmethod
    def _let(tx: Tx, made: Try, now_ms: int) -> None:
        # The longer of the two, so that what is said does not tell which it was.
        wait = max(_left(tx, made.name, now_ms), _left(tx, made.address, now_ms))
        if wait > 0:
            raise TooManyRequests(
                "Too many tries.", retry_after_s=-(-wait // 1000), fix="Wait, or ask an administrator for a link."
            ).on_page("staff.no.tries")

    def _key(self, what: str, value: str) -> str:
        return hashlib.sha256(f"{self._kind} {what} {value}".encode()).hexdigest()


def _left(tx: Tx, key: str, now_ms: int) -> int:
    row = tx.row("SELECT until FROM staff_try WHERE hash = ?", key)
    return max(0, int(row[0]) - now_ms) if row else 0


def _count_name(tx: Tx, key: str, now_ms: int) -> None:
    failures, since_ms = _held(tx, key, now_ms)
    over = failures + 1 - FREE
    wait_ms = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(over, 10)) if over >= 0 else 0
    _put(tx, key, failures + 1, since_ms, now_ms + wait_ms if wait_ms else 0)


def _count_address(tx: Tx, key: str, now_ms: int) -> None:
    failures, since_ms = _held(tx, key, now_ms)
    if now_ms - since_ms >= HOUR_MS:
        failures, since_ms = 0, now_ms
    _put(tx, key, failures + 1, since_ms, since_ms + HOUR_MS if failures + 1 >= PER_ADDRESS else 0)


def _held(tx: Tx, key: str, now_ms: int) -> tuple[int, int]:
    row = tx.row("SELECT failures, at FROM staff_try WHERE hash = ?", key)
    return (int(row[0]), int(row[1])) if row else (0, now_ms)


def _put(tx: Tx, key: str, failures: int, since_ms: int, until_ms: int) -> None:
    tx.run(
        "INSERT INTO staff_try (hash, failures, at, until) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET"
        " failures = excluded.failures, at = excluded.at, until = excluded.until",
        *(key, failures, since_ms, until_ms),
    )


def _sweep(tx: Tx, now_ms: int) -> None:
    tx.run("DELETE FROM staff_try WHERE at < ?", now_ms - KEPT_MS)
    row = tx.row("SELECT count(*) FROM staff_try")
    if row and int(row[0]) >= MOST_ROWS:
        # Somebody asks for ever new names: the oldest go, in good time before the table is a burden.
        tx.run("DELETE FROM staff_try WHERE hash IN (SELECT hash FROM staff_try ORDER BY at LIMIT ?)", MOST_ROWS // 10)
