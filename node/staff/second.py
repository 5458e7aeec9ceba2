"""Second factors of accounts: set up, asked for, taken away. May touch the database and the sealer of the keys.

The secret of a phone is kept sealed and bound to its account. While it is being set up it is nowhere but in the form,
sealed too, so that a page that was left changes nothing. A code is taken once, also by two that send it together.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from node.db import Database, Tx
from node.errors import Malformed, NotFound, Refuted, Unauthenticated
from node.keys.sealing import Sealer
from node.staff import totp

_USE, _DRAFT = "totp", "totp draft"
# How long a phone may take to be set up.
DRAFT_MS = 20 * 60_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What somebody needs to set a phone up: the picture, the same to type, and what the form brings back."""

    picture: str
    spelt: str
    address: str
    draft: str


class SecondFactors:
    """The second factors of one node."""

    def __init__(self, db: Database, sealer: Sealer, clock_ms: Callable[[], int], *, city: str) -> None:
        """Keep them; `city` is how a phone lists this desk."""
        self._db, self._sealer, self._clock_ms, self._city = db, sealer, clock_ms, city

    def begin(self, name: str, *, draft: str = "") -> Setting:
        """Make a secret for an account's phone, or show the one of a form that came back. Nothing is kept."""
        secret = self._drafted(name, draft) if draft else totp.new_secret()
        address = totp.address(secret, name=name, city=self._city)
        until = self._clock_ms() + DRAFT_MS
        sealed = self._sealer.seal(b"%d " % until + secret, use=_DRAFT, about=name)
        spelt = base64.urlsafe_b64encode(sealed).decode()
        return Setting(totp.picture(address), totp.spelt(secret), address, draft or spelt)

    def confirm(self, name: str, draft: str, code: str) -> list[str]:
        """Keep the secret once the phone shows a code of it; gives the recovery codes, which cannot be had again.

        Raises:
            Malformed: The form is not ours or too old.
            Unauthenticated: The code is not of this secret.
            NotFound: There is no such account.
        """
        secret = self._drafted(name, draft)
        step = totp.taken_step(secret, code, now_ms=self._clock_ms(), after_step=0)
        if step is None:
            raise _wrong()
        codes = totp.new_recovery()
        sealed = base64.b64encode(self._sealer.seal(secret, use=_USE, about=name)).decode()
        hashes = json.dumps([totp.recovery_hash(each) for each in codes])
        with self._db.write() as tx:
            sql = "UPDATE staff SET totp = ?, totp_step = ?, recovery = ? WHERE name = ?"
            if tx.run(sql, sealed, step, hashes, name) != 1:
                raise NotFound(f"There is no account {name[:60]!r}.").on_page("no.staff.account", name=name[:60])
        return codes

    def check(self, name: str, code: str) -> str:
        """Take a code of the phone or a recovery code; gives which of the two it was.

        Raises:
            Unauthenticated: It is neither, or was taken before.
        """
        with self._db.write() as tx:
            tx.lock("staff")
            row = tx.row("SELECT totp, totp_step, recovery FROM staff WHERE name = ? AND totp <> ''", name)
            if row is None:
                raise _wrong()
            return self._taken(tx, name, code, (str(row[0]), int(row[1]), str(row[2])))

    def remove(self, name: str) -> None:
        """Take the second factor of an account away, with its recovery codes; ends its sessions."""
        with self._db.write() as tx:
            tx.run("UPDATE staff SET totp = '', totp_step = 0, recovery = '' WHERE name = ?", name)
            tx.run("DELETE FROM staff_session WHERE name = ?", name)

    def left(self, name: str) -> int:
        """Count the recovery codes that are left."""
        with self._db.read() as tx:
            row = tx.row("SELECT recovery FROM staff WHERE name = ?", name)
        return len(json.loads(row[0])) if row and row[0] else 0

    def _taken(self, tx: Tx, name: str, code: str, held: tuple[str, int, str]) -> str:
        sealed, after, recovery = held
        secret = self._sealer.open(base64.b64decode(sealed), use=_USE, about=name)
        step = totp.taken_step(secret, code, now_ms=self._clock_ms(), after_step=after)
        if step is not None:
            tx.run("UPDATE staff SET totp_step = ? WHERE name = ?", step, name)
            return "phone"
        left = totp.without(json.loads(recovery or "[]"), code)
        if left is None:
            raise _wrong()
        tx.run("UPDATE staff SET recovery = ? WHERE name = ?", json.dumps(left), name)
        return "recovery"

    def _drafted(self, name: str, draft: str) -> bytes:
        try:
            opened = self._sealer.open(base64.urlsafe_b64decode(draft), use=_DRAFT, about=name)
        except (Refuted, binascii.Error, ValueError) as error:
            raise Malformed(
                "This page is not one that this desk made.",
                fix="Begin again.",
            ).on_page("no.staff.draft") from error
        until, _, secret = opened.partition(b" ")
        if self._clock_ms() >= int(until):
            raise Malformed("This page is too old.", fix="Begin again.").on_page("no.staff.draft")
        return secret


def _wrong() -> Unauthenticated:
    return Unauthenticated(
        "This code does not hold.",
        error="code",
        fix="Type the code that your phone shows now.",
    ).on_page("staff.no.code", field="code")
