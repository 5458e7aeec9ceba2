"""What the desk needs of the staff: accounts, sessions, the audit trail.

The part of `ports` that belongs to `web.desk` and to the staff's API. All methods block for some milliseconds, those
that look at a password for some hundred, so they are called beside the event loop.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from node.staff import oidc
from node.staff.people import Person
from node.staff.second import Setting
from node.staff.sessions import Session
from node.staff.signing_in import By, Step
from node.staff.trail import Event, Telling, Way


class People(Protocol):
    """The accounts of this node."""

    def add(self, name: str, *, roles: Iterable[str], shown: str = "") -> Person:
        """Invite somebody."""

    def get(self, name: str) -> Person:
        """Find an account."""

    def list(self) -> Sequence[Person]:
        """List all accounts."""

    def grant(self, name: str, roles: Iterable[str], *, mark: str = "") -> Person:
        """Give an account these roles and no others."""

    def disable(self, name: str) -> Person:
        """Let somebody in no more."""

    def enable(self, name: str) -> Person:
        """Let somebody in again."""

    def set_password(self, name: str, password: str, *, link: str = "") -> Person:
        """Set a password, end every session and link of the account; a `link` is used up by it."""

    def vouched(self, subject: str, *, name: str, shown: str, roles: Iterable[str]) -> Person:
        """Give the account of somebody for whom the city's own sign-in vouches."""

    def check(self, name: str, password: str) -> Person | None:
        """Give the account if the password is its own."""


class Sessions(Protocol):
    """Who is signed in."""

    def open(self, name: str, *, about: str = "", source: str = "local") -> str:
        """Sign an account in and give the token for its browser."""

    def find(self, token: str) -> Session | None:
        """Give the session of a token while it lasts."""

    def prove(self, token: str) -> None:
        """Remember that the person has just proved again who they are."""

    def is_fresh(self, session: Session) -> bool:
        """Tell whether that was within the last quarter of an hour."""

    def end(self, token: str) -> None:
        """Sign out."""

    def of(self, name: str) -> Sequence[Session]:
        """List the sessions of an account."""

    def revoke(self, name: str, session_id: str = "") -> int:
        """End one session of an account, or all of them."""


class Trail(Protocol):
    """The audit trail."""

    def begin(self, *, who: str, way: Way, source: str, act: str, target: str = "") -> int:
        """Write down that an act begins; gives its number."""

    def end(self, number: int, outcome: str, told: Telling | None = None) -> None:
        """Write down how it ended."""

    def act(self, *, who: str, way: Way, source: str, act: str, target: str = "") -> AbstractContextManager[Telling]:
        """Write down an act around its doing."""

    def list(
        self, *, who: str = "", act: str = "", since_ms: int = 0, until_ms: int = 0, before: int = 0, limit: int = 100
    ) -> Sequence[Event]:
        """List acts, the newest first."""


class Links(Protocol):
    """Links by which somebody sets a password."""

    def name_of(self, secret: str) -> str:
        """Say whose link it is; it stays good."""


class Seconds(Protocol):
    """Second factors of accounts."""

    def begin(self, name: str, *, draft: str = "") -> Setting:
        """Make a secret for an account's phone, or show the one of a form that came back."""

    def confirm(self, name: str, draft: str, code: str) -> Sequence[str]:
        """Keep the secret once the phone shows a code of it; gives the recovery codes."""

    def remove(self, name: str) -> None:
        """Take the second factor of an account away."""

    def left(self, name: str) -> int:
        """Count the recovery codes that are left."""


class SigningIn(Protocol):
    """Signing in with an account of this desk, step by step."""

    def may_try(self, name: str, address: str) -> None:
        """Look whether a password may be tried at all. Raises TooManyRequests."""

    def may_try_code(self, ticket: str, address: str) -> None:
        """Look whether a code may be tried at all. Raises TooManyRequests."""

    def password(self, name: str, password: str, address: str) -> Step:
        """Take a name and a password."""

    def code(self, ticket: str, code: str, address: str) -> Step:
        """Take a code of the phone, or a recovery code, after the password."""

    def phone(self, ticket: str, *, draft: str = "") -> tuple[str, Setting]:
        """Begin to set up a phone for somebody who may not do without; says for whom."""

    def confirm(self, ticket: str, draft: str, code: str, address: str) -> tuple[Step, list[str]]:
        """Set it up once it shows a code; gives the recovery codes too."""

    def prove(self, name: str, password: str, code: str, address: str) -> By:
        """Let somebody who is signed in show again who they are; gives by what they did."""

    def check(self, name: str, password: str, address: str) -> None:
        """Take the password alone, of somebody who changes something of their own account."""

    def whose(self, ticket: str) -> str:
        """Say whose ticket it is; empty if it is none that holds."""

    def needs_phone(self, person: Person) -> bool:
        """Tell whether an account may not do without a second factor."""


class Office(Protocol):
    """What is done with accounts, told in plain values."""

    def list(self) -> Sequence[Mapping[str, object]]:
        """Tell all accounts by name."""

    def show(self, name: str) -> Mapping[str, object]:
        """Tell one account with its sessions."""

    def add(self, name: str, *, roles: Iterable[str], shown: str = "") -> Mapping[str, object]:
        """Make an account; tells it with its link."""

    def link(self, name: str) -> Mapping[str, object]:
        """Make a link by which somebody sets a (new) password."""

    def grant(self, name: str, roles: Iterable[str], *, mark: str = "") -> Mapping[str, object]:
        """Give an account these roles and no others."""

    def disable(self, name: str) -> Mapping[str, object]:
        """Let somebody in no more."""

    def enable(self, name: str) -> Mapping[str, object]:
        """Let somebody in again."""

    def forget_phone(self, name: str) -> Mapping[str, object]:
        """Take away the second factor of somebody who lost it."""

    def sessions(self, name: str) -> Mapping[str, object]:
        """Tell where somebody is signed in."""

    def revoke(self, name: str, session_id: str = "") -> Mapping[str, object]:
        """End one session of an account, or all."""


class Provider(Protocol):
    """The city's own sign-in."""

    def begin(self, *, again: bool = False) -> oidc.Begun:
        """Give the address to send a browser to."""

    def end(self, kept: Mapping[str, str], answer: Mapping[str, str]) -> oidc.Person:
        """Tell who came back."""

    def leave(self) -> str:
        """Give the address where a person leaves it too."""


class Sealer(Protocol):
    """Seals what a browser keeps for us."""

    def seal(self, content: bytes, *, use: str, about: str) -> bytes:
        """Seal a secret for one use, bound to what it is about."""

    def open(self, sealed: bytes, *, use: str, about: str) -> bytes:
        """Give a secret back. Raises Refuted."""


class Staff(Protocol):
    """Everything on the city's own staff."""

    @property
    def people(self) -> People:
        """Give the accounts."""

    @property
    def sessions(self) -> Sessions:
        """Give who is signed in."""

    @property
    def trail(self) -> Trail:
        """Give the audit trail."""

    @property
    def links(self) -> Links:
        """Give the links by which somebody sets a password."""

    @property
    def seconds(self) -> Seconds:
        """Give the second factors."""

    @property
    def signing_in(self) -> SigningIn:
        """Give the door for accounts of this desk."""

    @property
    def office(self) -> Office:
        """Give the office of accounts."""

    @property
    def provider(self) -> Provider | None:
        """Give the city's own sign-in, if it has one."""

    @property
    def sealer(self) -> Sealer:
        """Give what seals."""
