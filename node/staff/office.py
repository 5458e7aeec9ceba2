"""What is done with accounts, told in plain values: what the desk, the staff's API and `citynode staff` ask alike.

An account is made with a link by which its person sets a password; the link is given once, to whoever asked for it.
May touch the parts of this room; a decision that needs two of them stands here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node.errors import Conflict
from node.staff.export import moment
from node.staff.links import Links
from node.staff.people import People, Person
from node.staff.second import SecondFactors
from node.staff.sessions import Session, Sessions
from node.staff.signing_in import SigningIn


@dataclass(frozen=True, slots=True)
class Desk:
    """What the office works with."""

    people: People
    sessions: Sessions
    links: Links
    seconds: SecondFactors
    signing_in: SigningIn


class StaffOffice:
    """The office of accounts."""

    def __init__(self, desk: Desk, base_url: str) -> None:
        """Work with these parts; links begin with the base URL."""
        self._desk, self._base_url = desk, base_url

    def list(self) -> Sequence[Mapping[str, object]]:
        """Tell all accounts by name."""
        return [self._told(each) for each in self._desk.people.list()]

    def show(self, name: str) -> Mapping[str, object]:
        """Tell one account with its sessions. Raises NotFound."""
        person = self._desk.people.get(name)
        return {**self._told(person), "signed_in": [_session(each) for each in self._desk.sessions.of(name)]}

    def add(self, name: str, *, roles: Iterable[str], shown: str = "") -> Mapping[str, object]:
        """Make an account; tells it with its link. Raises Malformed, Conflict."""
        return {**self._told(self._desk.people.add(name, roles=roles, shown=shown)), **self.link(name)}

    def link(self, name: str) -> Mapping[str, object]:
        """Make a link by which somebody sets a (new) password; the one before ends.

        Raises:
            NotFound: There is no such account.
            Conflict: It is disabled, or has no password here.
        """
        made = self._desk.links.make(name)
        self._desk.signing_in.forgive(name)
        return {"link": f"{self._base_url}/desk/welcome/{made.secret}", "link_ends_at": moment(made.ends_at_ms)}

    def grant(self, name: str, roles: Iterable[str], *, mark: str = "") -> Mapping[str, object]:
        """Give an account these roles and no others; ends its sessions. `mark` names the roles that were shown.

        Raises:
            Changed: It has other roles than were shown.
            NotFound: There is no such account.
            Malformed: A role is none.
            Conflict: Nobody would be left who may rule, or its roles come from the city's own sign-in.
        """
        if self._desk.people.get(name).from_city:
            fix = "Change the person's groups there, or the setting oidc_roles."
            raise Conflict(
                f"The roles of {name} come from the city's own sign-in.",
                fix=fix,
            ).on_page("no.staff.roles_city", name=name)
        return self._told(self._desk.people.grant(name, roles, mark=mark))

    def disable(self, name: str) -> Mapping[str, object]:
        """Let somebody in no more. Raises NotFound, Conflict if nobody would be left who may rule."""
        return self._told(self._desk.people.disable(name))

    def enable(self, name: str) -> Mapping[str, object]:
        """Let somebody in again, and forget wrong guesses at their password. Raises NotFound."""
        self._desk.signing_in.forgive(name)
        return self._told(self._desk.people.enable(name))

    def forget_phone(self, name: str) -> Mapping[str, object]:
        """Take away the second factor of somebody who lost it; ends their sessions. Raises NotFound."""
        self._desk.people.get(name)
        self._desk.seconds.remove(name)
        return self.show(name)

    def sessions(self, name: str) -> Mapping[str, object]:
        """Tell where somebody is signed in. Raises NotFound."""
        return {"name": name, "signed_in": self.show(name)["signed_in"]}

    def revoke(self, name: str, session_id: str = "") -> Mapping[str, object]:
        """End one session of an account, or all. Raises NotFound."""
        self._desk.people.get(name)
        return {"name": name, "ended": self._desk.sessions.revoke(name, session_id)}

    @staticmethod
    def _told(person: Person) -> Mapping[str, object]:
        return {
            "name": person.name,
            "shown": person.shown,
            "roles": sorted(person.roles),
            "state": person.state,
            "second_factor": person.has_totp,
            "from_city": person.from_city,
            "made_at": moment(person.at_ms),
            "seen_at": moment(person.seen_at_ms) if person.seen_at_ms else None,
        }


def _session(session: Session) -> Mapping[str, object]:
    return {
        "id": session.id,
        "began_at": moment(session.at_ms),
        "seen_at": moment(session.seen_at_ms),
        "ends_at": moment(session.ends_at_ms),
        "about": session.about,
        "way": session.source,
    }
