"""The policies that messages carry: an offer with its rules and what stands beside them, and an agreement as it came.

Rules are looked at only for their outer shape and number here; what they mean, and whether this node knows every term
of them, is for `federation.policy` to say. What stands beside the rules travels as one string of JSON under a name that
other connectors ignore.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.errors import Malformed
from node.federation.agreements.text import about_of
from node.federation.dsp.fields import Json, identifier, optional, text
from node.federation.policy import policy_members
from node.federation.policy.terms import MAX_RULES, NS, PROFILE
from node.federation.signing.integrity import jcs

__all__ = [
    "NS_ABOUT",
    "NS_PROOF",
    "NS_TEXT",
    "PROFILE",
    "RULES",
    "Agreement",
    "Offer",
    "rules_of",
    "written_about",
]

NS_ABOUT, NS_TEXT, NS_PROOF = f"{NS}about", f"{NS}text", f"{NS}proof"
RULES = ("permission", "prohibition", "obligation")
MAX_ABOUT = 64 * 1024
MAX_TEXT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Offer:
    """Rules that somebody offers. `target` is empty where it stands below its dataset; `about` stands beside them."""

    iri: str
    target: str
    rules: Json
    about: Json = field(default_factory=dict)
    profiles: tuple[str, ...] = (PROFILE,)

    def document(self) -> dict[str, Any]:
        """Write it as a message or a catalogue carries it; without target, it is of the dataset it stands in."""
        target = {"target": self.target} if self.target else {}
        about = {NS_ABOUT: written_about(self.about)} if self.about else {}
        profile = {"profile": list(self.profiles)} if self.profiles else {}
        return {"@id": self.iri, "@type": "Offer", **profile, **target, **rules_of(self.rules), **about}

    @classmethod
    def of_message(cls, said: Json) -> "Offer":
        """Read the offer of a message. Raises Malformed."""
        said = policy_members(said)
        _check_type(said, "Offer")
        if any("target" in rule for name in RULES for rule in _listed(said, name)):
            raise Malformed("A rule has a target of its own.", fix="The target stands in the offer alone.")
        rules = rules_of(said)
        if not ("permission" in rules or "prohibition" in rules):
            raise Malformed("An offer has no permission and no prohibition.")
        target = identifier(said, "target") if said.get("target") is not None else ""
        return cls(
            text(said, "@id"), target, rules, about_of(optional(said, NS_ABOUT, most=MAX_ABOUT)), _profiles(said)
        )

    @classmethod
    def of_catalogue(cls, said: Json) -> "Offer":
        """Read an offer that stands in a catalogue: any rules, or none, as some connectors write. Raises Malformed."""
        said = policy_members(said)
        about = about_of(optional(said, NS_ABOUT, most=MAX_ABOUT))
        return cls(text(said, "@id"), "", rules_of(said), about, _profiles(said))


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement as a message carries it; `document` is the whole object, unchanged."""

    iri: str
    target: str
    assigner: str
    assignee: str
    timestamp: str
    rules: Json
    about: Json
    text: str  # the signed text, empty where none came along
    document: Json = field(repr=False)

    @classmethod
    def read(cls, said: Json) -> "Agreement":
        """Read the agreement of a message. Raises Malformed."""
        members = policy_members(said)
        _check_type(members, "Agreement")
        return cls(
            iri=text(members, "@id"),
            target=identifier(members, "target"),
            assigner=identifier(members, "assigner"),
            assignee=identifier(members, "assignee"),
            timestamp=_moment(members),
            rules=rules_of(members),
            about=about_of(optional(members, NS_ABOUT, most=MAX_ABOUT)),
            text=_long(members, NS_TEXT, MAX_TEXT),
            document=said,
        )


def rules_of(said: Json) -> dict[str, Any]:
    """Give the rules of a policy, however their lists are spelt: those that are not empty. Raises Malformed."""
    members = policy_members(said)
    found = {name: list(_listed(members, name)) for name in RULES}
    if sum(map(len, found.values())) > MAX_RULES:
        raise Malformed(f"A policy may have {MAX_RULES} rules.")
    return {name: rules for name, rules in found.items() if rules}


def written_about(about: Json) -> str:
    """Write what stands beside the rules as one string; empty members are left out."""
    return jcs({name: value for name, value in about.items() if value}).decode()


def _check_type(said: Json, name: str) -> None:
    if said.get("@type") != name:
        raise Malformed(f"@type of the policy is not {name}.")


def _listed(said: Json, name: str) -> Sequence[Json]:
    value = said.get(name)
    listed = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(each, Mapping) for each in listed):
        raise Malformed(f"{name} is no list of rules.", fix="Give each rule as an object, where it belongs.")
    return listed


def _profiles(said: Json) -> tuple[str, ...]:
    value = said.get("profile")
    listed = [] if value is None else value if isinstance(value, list) else [value]
    if len(listed) > MAX_RULES:
        raise Malformed("profile names too many profiles.")
    return tuple(identifier({"profile": each}, "profile") for each in listed)


def _moment(said: Json) -> str:
    value = said.get("timestamp")
    if isinstance(value, Mapping):
        return optional({"timestamp": value.get("@value")}, "timestamp", most=40)
    return optional(said, "timestamp", most=40)


def _long(said: Json, name: str, most: int) -> str:
    """Give a long text, whose lines may be several."""
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise Malformed(f"{name} is no text of at most {most} characters.")
    return value
