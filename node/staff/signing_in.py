"""Signing in, step by step: a password, a code where the account has a phone, and no other way to a session.

Between two steps a browser holds a sealed ticket that says how far it came; nothing is kept here. A ticket is of the
account as it was: another password, another phone, being disabled and the end of a sign-in make it worthless. Every
guess is counted before it is compared, passwords and codes apart, so that a right password forgives no wrong code;
those of somebody who is signed in are counted apart too, so that strangers who guess at a name keep nobody from
deciding. What is wrong is never said: the words are one for a wrong name, a wrong
password, an account that is disabled and one that has none. May touch what the room has: accounts, second factors,
counts, sealer.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import orjson

from node.errors import Forbidden, Refuted, Unauthenticated
from node.keys.sealing import Sealer
from node.staff.people import People, Person
from node.staff.rights import may
from node.staff.second import SecondFactors, Setting
from node.staff.tries import Tries

Needs = Literal["nothing", "code", "phone"]
Demand = Literal["everyone", "deciders", "optional"]
By = Literal["password", "phone", "recovery code", "new phone"]
TICKET_MS = 10 * 60_000
_USE = "sign-in ticket"


@dataclass(frozen=True, slots=True)
class Step:
    """How far somebody is: what is needed next, and the ticket for it; with nothing left they may have a session.

    `by` is what showed last who they are.
    """

    name: str
    needs: Needs
    ticket: str = ""
    by: By = "password"


@dataclass(frozen=True, slots=True)
class Proofs:
    """What somebody can prove themselves with, and how guesses are counted; those `again` are of who is signed in."""

    people: People
    seconds: SecondFactors
    passwords: Tries
    codes: Tries
    again_passwords: Tries
    again_codes: Tries


class SigningIn:
    """The door of the desk for accounts of its own."""

    def __init__(self, proofs: Proofs, sealer: Sealer, clock_ms: Callable[[], int], *, demand: Demand) -> None:
        """Guard with these proofs; `demand` says for whom a phone is no choice."""
        self._proofs, self._sealer, self._clock_ms, self._demand = proofs, sealer, clock_ms, demand

    def may_try(self, name: str, address: str) -> None:
        """Look whether a password may be tried at all; counts nothing. Raises TooManyRequests."""
        self._proofs.passwords.check(name[:100], address)

    def may_try_code(self, ticket: str, address: str) -> None:
        """Look whether a code may be tried at all; counts nothing. Raises TooManyRequests."""
        self._proofs.codes.check(self.whose(ticket), address)

    def password(self, name: str, password: str, address: str) -> Step:
        """Take a name and a password.

        Raises:
            TooManyRequests: This name or address must wait.
            Unauthenticated: They do not hold.
        """
        person = self._password(self._proofs.passwords, name[:100], password, address)
        if person.has_totp:
            return Step(name, "code", self._sealed(name, "code"))
        if self.needs_phone(person):
            return Step(name, "phone", self._sealed(name, "phone"))
        return Step(name, "nothing")

    def code(self, ticket: str, code: str, address: str) -> Step:
        """Take a code of the phone, or a recovery code, after the password.

        Raises:
            TooManyRequests: This name or address must wait.
            Unauthenticated: It does not hold, or the ticket is too old.
        """
        name = self._opened(ticket, "code")
        return Step(name, "nothing", by=self._code(self._proofs.codes, name, code, address))

    def phone(self, ticket: str, *, draft: str = "") -> tuple[str, Setting]:
        """Begin to set up a phone for somebody who may not do without, after the password; says for whom."""
        name = self._opened(ticket, "phone")
        return name, self._proofs.seconds.begin(name, draft=draft)

    def confirm(self, ticket: str, draft: str, code: str, address: str) -> tuple[Step, list[str]]:
        """Set it up once it shows a code; gives the recovery codes too.

        Raises:
            Forbidden: The account has a phone already: a ticket is no way to another one.
            Unauthenticated: The code does not hold, or the ticket is too old.
            TooManyRequests: This name or address must wait.
        """
        name = self._opened(ticket, "phone")
        if self._proofs.people.get(name).has_totp:
            raise Forbidden(
                "This account has a phone already.",
                fix="Sign in with its code.",
            ).on_page("no.staff.phone_there")
        counted = self._proofs.codes.take(name, address)
        codes = self._proofs.seconds.confirm(name, draft, code)
        self._proofs.codes.good(counted)
        return Step(name, "nothing", by="new phone"), codes

    def prove(self, name: str, password: str, code: str, address: str) -> By:
        """Let somebody who is signed in show again who they are: the password, and the code if there is a phone.

        Gives which of them it was in the end.

        Raises:
            TooManyRequests: This name or address must wait.
            Unauthenticated: Something of it does not hold.
        """
        person = self._password(self._proofs.again_passwords, name, password, address)
        return self._code(self._proofs.again_codes, name, code, address) if person.has_totp else "password"

    def check(self, name: str, password: str, address: str) -> None:
        """Take the password alone, of somebody who is signed in and changes something of their own account.

        Raises:
            TooManyRequests: This name or address must wait.
            Unauthenticated: It does not hold.
        """
        self._password(self._proofs.again_passwords, name, password, address)

    def whose(self, ticket: str) -> str:
        """Say whose ticket it is; empty if we made none like it, or long ago."""
        steps: tuple[Needs, ...] = ("code", "phone")
        for needs in steps:
            with suppress(Unauthenticated):
                return str(self._read(ticket, needs)["name"])
        return ""

    def forgive(self, name: str) -> None:
        """Forget the guesses at a name; an administrator says so."""
        proofs = self._proofs
        for tries in (proofs.passwords, proofs.codes, proofs.again_passwords, proofs.again_codes):
            tries.forgive(name)

    def needs_phone(self, person: Person) -> bool:
        """Tell whether an account may not do without a second factor."""
        decides = may(person.roles, "decide") or may(person.roles, "rule")
        return self._demand == "everyone" or (self._demand == "deciders" and decides)

    def _password(self, tries: Tries, name: str, password: str, address: str) -> Person:
        counted = tries.take(name, address)
        person = self._proofs.people.check(name, password)
        if person is None:
            raise Unauthenticated(
                "This name and password do not belong together.",
                error="password",
            ).on_page("staff.no.password", field="password")
        tries.good(counted)
        return person

    def _code(self, tries: Tries, name: str, code: str, address: str) -> By:
        counted = tries.take(name, address)
        by: By = "phone" if self._proofs.seconds.check(name, code) == "phone" else "recovery code"
        tries.good(counted)
        return by

    def _sealed(self, name: str, needs: Needs) -> str:
        until, mark = self._clock_ms() + TICKET_MS, self._proofs.people.mark(name)
        said = {"name": name, "needs": needs, "until": until, "mark": mark}
        return base64.urlsafe_b64encode(self._sealer.seal(orjson.dumps(said), use=_USE, about=needs)).decode()

    def _opened(self, ticket: str, needs: Needs) -> str:
        """Give the name on a ticket whose account is as it was when that was made. Raises Unauthenticated."""
        said = self._read(ticket, needs)
        name = str(said["name"])
        mark = self._proofs.people.mark(name)
        if not mark or mark != said.get("mark"):
            raise _too_old()
        return name

    def _read(self, ticket: str, needs: Needs) -> Mapping[str, object]:
        try:
            sealed = base64.urlsafe_b64decode(ticket.encode())
            said: Mapping[str, object] = orjson.loads(self._sealer.open(sealed, use=_USE, about=needs))
        except (Refuted, binascii.Error, ValueError) as error:
            raise _too_old() from error
        until = said["until"]
        if not isinstance(until, int) or self._clock_ms() >= until:
            raise _too_old()
        return said


def _too_old() -> Unauthenticated:
    return Unauthenticated(
        "This page of the sign-in is too old.",
        error="ticket",
        fix="Sign in again.",
    ).on_page("staff.no.ticket")
