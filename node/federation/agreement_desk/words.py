"""How negotiations stand, in plain words: the stage of an agreement's life, who is waited for, and what to do next.

Pure: from a negotiation and what is known beside it to sentences and the command that comes next. The words are those
of the lifecycle, not of the protocol; people never have to know what VERIFIED means.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.federation.negotiation import Negotiation

# Where our own approvals are asked for once the other side has said yes to what we sent.
_ASKED_LATER = frozenset({("provider", "OFFERED"), ("consumer", "REQUESTED")})
# Stages by state of the protocol; `offered` and `countered` are told apart by how often terms were said.
_STAGES = {
    "ACCEPTED": "accepted",
    "AGREED": "agreed",
    "VERIFIED": "verified",
    "FINALIZED": "in force",
    "TERMINATED": "ended",
}
_SENDING = {
    "request": "our request is on its way to {peer}",
    "offer": "our offer is on its way to {peer}",
    "accept": "our acceptance is on its way to {peer}",
    "agree": "our signed agreement is on its way to {peer}",
    "verify": "our signature is on its way to {peer}",
    "finalize": "our word that it is final is on its way to {peer}",
    "terminate": "our word that it is ended is on its way to {peer}",
}
_THEIRS = {
    ("provider", "OFFERED"): "{peer} accepts, asks for something else, or ends it",
    ("consumer", "REQUESTED"): "{peer} agrees, offers something else, or ends it",
    ("consumer", "ACCEPTED"): "{peer} approves and signs",
    ("provider", "AGREED"): "{peer} approves and signs",
    ("consumer", "VERIFIED"): "{peer} makes it final",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who is waited for (us, them, or nobody), for what, and the command that comes next, if one does."""

    who: str
    sentence: str
    next: str = ""


def stage_of(negotiation: Negotiation, versions: int) -> str:
    """Name the stage: offered, countered, accepted, agreed, verified, in force, ended."""
    if negotiation.state in _STAGES:
        return _STAGES[negotiation.state]
    return "countered" if versions > 1 else "offered"


def waiting_for(negotiation: Negotiation, peer: str, *, persons: int, for_us: bool) -> Waiting:
    """Say who is waited for.

    Args:
        negotiation: As it stands.
        peer: The other city's name here.
        persons: How many persons of ours must still approve.
        for_us: Whether it is they that are waited for.
    """
    if negotiation.sending:
        said = _SENDING[negotiation.sending[0]].format(peer=peer)
        return Waiting("us", said, f"citynode agreements sign {negotiation.pid[:8]}")
    if negotiation.is_final:
        return Waiting("nobody", "")
    people = "one person" if persons == 1 else f"{persons} persons"
    approve = f"citynode agreements approve {negotiation.pid[:8]} --token-file FILE"
    if for_us:
        return Waiting("us", f"{people} of this city to approve it", approve)
    theirs = _THEIRS.get((negotiation.role, negotiation.state))
    if theirs is None:
        return Waiting("us", "the next round of the worker", f"citynode agreements sign {negotiation.pid[:8]}")
    if persons and (negotiation.role, negotiation.state) in _ASKED_LATER:
        must = "one person of this city must" if persons == 1 else f"{people} of this city must"
        return Waiting("them", f"{theirs.format(peer=peer)}; {must} approve it, too", approve)
    return Waiting("them", theirs.format(peer=peer))


def ended_because(reasons: Sequence[str], code: str) -> str:
    """Say why a negotiation was ended."""
    return " ".join(reasons) or code
