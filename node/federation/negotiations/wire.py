"""Between the messages of the protocol and the steps of a negotiation: what was said is read, what we say is written.

Each step has one message and one path below the other side's address. What is heard becomes one flat value, whatever
its type, so that what follows needs no case for each. Every message of ours bears an id of its own, which tells a
repeat from a second message that says the same.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from node.errors import Malformed
from node.federation.agreements.text import read_about
from node.federation.dialogues import dialogues
from node.federation.dsp import messages
from node.federation.dsp.fields import own_id
from node.federation.dsp.policies import NS_ABOUT, RULES, Agreement, Offer
from node.federation.negotiation import Json, Kind, Negotiation, Step
from node.federation.policy import read_rules, terms_digest, write_rules
from node.federation.signing.integrity import jcs

_EVENTS: Mapping[str, Kind] = {"ACCEPTED": "accept", "FINALIZED": "finalize"}
_EVENT_OF: Mapping[Kind, str] = {"accept": "ACCEPTED", "finalize": "FINALIZED"}
PATHS: Mapping[Kind, str] = {
    "request": "request",
    "offer": "offers",
    "accept": "events",
    "agree": "agreement",
    "verify": "agreement/verification",
    "finalize": "events",
    "terminate": "termination",
}


@dataclass(frozen=True, slots=True)
class Heard(dialogues.Heard):
    """A message of the other side; what it does not have is empty. `body` is its canonical JSON.

    `offer` is {"@id", "target"} with the rules in our spelling; `about` is None where nothing came beside them.
    """

    kind: Kind
    callback: str = ""
    offer: Json = field(default_factory=dict)
    about: Json | None = None
    agreement: Agreement | None = None
    proof: str = ""


def rules_of(offer: Json) -> dict[str, Any]:
    """Give the rules of an offer without its name and target."""
    return {name: offer[name] for name in RULES if name in offer}


def terms_of(offer: Json, about: Json) -> str:
    """Give the digest by which two versions are compared, and which a person approves."""
    return terms_digest(str(offer.get("target", "")), about, rules_of(offer))


def normal_offer(offer: Json) -> dict[str, Any]:
    """Give an offer with every rule read and written anew, so that all there is is known to this node.

    Raises:
        Malformed: A rule, or a term of one, is unknown; the message names it.
    """
    name, target = str(offer.get("@id", "")), str(offer.get("target", ""))
    policy = read_rules(rules_of(offer), policy_id=name)
    return {"@id": name, "target": target, **write_rules(policy)}


# ---------------------------------------------------------------- hearing


def read(said: Json, kinds: tuple[Kind, ...] = ()) -> Heard:
    """Read a message that may be one of these kinds, or of any.

    Raises:
        Malformed: It is none of them, or cannot be read.
    """
    found = messages.read(said)
    reader = _READERS.get(type(found))
    heard = reader(found, said) if reader else None
    if heard is None or (kinds and heard.kind not in kinds):
        raise Malformed(f"{said.get('@type')} does not belong here.", fix="See the paths of the protocol's binding.")
    return heard


def read_kept(body: str) -> Heard:
    """Read a message that is kept: it could be read when it was said."""
    return read(json.loads(body))


def _basics(found: Any, said: Json) -> dict[str, Any]:  # noqa: ANN401 - any of the messages, all of which have both
    body = jcs(said).decode()
    return {"name": own_id(said), "body": body, "consumer_pid": found.consumer_pid, "provider_pid": found.provider_pid}


def _with_offer(found: messages.ContractRequest | messages.ContractOffer, said: Json) -> Heard:
    kind: Kind = "request" if isinstance(found, messages.ContractRequest) else "offer"
    offer = normal_offer({"@id": found.offer.iri, "target": found.offer.target, **found.offer.rules})
    about = read_about(found.offer.about) if NS_ABOUT in said["offer"] else None
    return Heard(kind, callback=found.callback, offer=offer, about=about, **_basics(found, said))


def _agreement(found: messages.ContractAgreement, said: Json) -> Heard:
    return Heard("agree", agreement=found.agreement, **_basics(found, said))


def _verification(found: messages.AgreementVerification, said: Json) -> Heard:
    return Heard("verify", proof=found.proof, **_basics(found, said))


def _event(found: messages.NegotiationEvent, said: Json) -> Heard:
    return Heard(_EVENTS[found.event], **_basics(found, said))


def _termination(found: messages.NegotiationTermination, said: Json) -> Heard:
    return Heard("terminate", code=found.code, reasons=found.reasons, **_basics(found, said))


_READERS: Mapping[type, Callable[[Any, Json], Heard]] = {
    messages.ContractRequest: _with_offer,
    messages.ContractOffer: _with_offer,
    messages.ContractAgreement: _agreement,
    messages.AgreementVerification: _verification,
    messages.NegotiationEvent: _event,
    messages.NegotiationTermination: _termination,
}

# ---------------------------------------------------------------- saying


def offering(negotiation: Negotiation, kind: Kind, offer: Json, about: Json, *, callback: str) -> dict[str, Any]:
    """Write a request or an offer; the callback goes with the first message alone."""
    first = not negotiation.other_pid
    carried = Offer(str(offer["@id"]), str(offer["target"]), rules_of(offer), dict(about))
    ours, theirs, back = negotiation.pid, negotiation.other_pid, callback if first else ""
    if kind == "request":
        return messages.ContractRequest(ours, carried, theirs, back).document()
    return messages.ContractOffer(ours, carried, theirs, back).document()


def agreeing(negotiation: Negotiation, agreement: Json) -> dict[str, Any]:
    """Write the message with an agreement, which is a DSP object."""
    read_back = Agreement.read(agreement)
    return messages.ContractAgreement(negotiation.provider_pid, negotiation.consumer_pid, read_back).document()


def verifying(negotiation: Negotiation, proof: str) -> dict[str, Any]:
    """Write the verification, with our proof if we sign."""
    pids = negotiation.provider_pid, negotiation.consumer_pid
    return messages.AgreementVerification(*pids, proof).document()


def telling(negotiation: Negotiation, kind: Kind) -> dict[str, Any]:
    """Write that we accept, or that it is final."""
    pids = negotiation.provider_pid, negotiation.consumer_pid
    return messages.NegotiationEvent(*pids, _EVENT_OF[kind]).document()


def ending(negotiation: Negotiation, step: Step) -> dict[str, Any]:
    """Write a termination."""
    pids = negotiation.provider_pid, negotiation.consumer_pid
    return messages.NegotiationTermination(*pids, step.code, step.reasons).document()
