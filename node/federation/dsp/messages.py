"""Every message of a negotiation as a value: read strictly from plain JSON, and written as the schemas want it.

Pids are opaque texts. A field that is empty is not there: a first request has a `callback` and no `provider_pid`, a
counter-request the other way round, and both together are refused, as the schema says. `read` takes any message by its
type; each class reads and writes its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from node.errors import Malformed
from node.federation.dsp.envelope import (
    Reasoned,
    Refusal,
    among,
    both,
    checked_callback,
    pids_of,
    read_by_type,
    written,
)
from node.federation.dsp.fields import (
    DSP_CONTEXT,
    Json,
    checked_type,
    object_of,
    one_of,
    optional,
    pid,
)
from node.federation.dsp.policies import MAX_TEXT, NS_PROOF, NS_TEXT, Agreement, Offer
from node.federation.policy import no_rules_in

__all__ = [
    "DSP_CONTEXT",
    "Agreement",
    "AgreementVerification",
    "ContractAgreement",
    "ContractNegotiation",
    "ContractOffer",
    "ContractRequest",
    "Message",
    "NegotiationError",
    "NegotiationEvent",
    "NegotiationTermination",
    "Offer",
    "State",
    "object_of",
    "pids_of",
    "read",
]

State = Literal["REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED"]
STATES: tuple[State, ...] = ("REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED")
EVENTS = ("ACCEPTED", "FINALIZED")


@dataclass(frozen=True, slots=True)
class ContractRequest:
    """What a consumer asks for: at first with its `callback`, as a counter-offer with the provider's pid."""

    consumer_pid: str
    offer: Offer
    provider_pid: str = ""
    callback: str = ""

    def document(self) -> dict[str, Any]:
        """Write it."""
        said = {"offer": self.offer.document(), "callbackAddress": self.callback}
        return written("ContractRequestMessage", self.provider_pid, self.consumer_pid, **said)

    @classmethod
    def read(cls, said: Json) -> "ContractRequest":
        """Read it. Raises Malformed."""
        checked_type(said, "ContractRequestMessage")
        callback, provider = _begins(said, "providerPid")
        return cls(pid(said, "consumerPid"), _offer(said), provider, callback)


@dataclass(frozen=True, slots=True)
class ContractOffer:
    """What a provider offers: at first with its `callback`, as an answer with the consumer's pid."""

    provider_pid: str
    offer: Offer
    consumer_pid: str = ""
    callback: str = ""

    def document(self) -> dict[str, Any]:
        """Write it."""
        said = {"offer": self.offer.document(), "callbackAddress": self.callback}
        return written("ContractOfferMessage", self.provider_pid, self.consumer_pid, **said)

    @classmethod
    def read(cls, said: Json) -> "ContractOffer":
        """Read it. Raises Malformed."""
        checked_type(said, "ContractOfferMessage")
        callback, consumer = _begins(said, "consumerPid")
        offer = _offer(said)
        if not offer.target:
            raise Malformed("The offer has no target.")
        return cls(pid(said, "providerPid"), offer, consumer, callback)


@dataclass(frozen=True, slots=True)
class ContractAgreement:
    """What a provider agrees to; `agreement` is the object of DSP with the signed text in it."""

    provider_pid: str
    consumer_pid: str
    agreement: Agreement

    def document(self) -> dict[str, Any]:
        """Write it; the signed text beside the agreement, since others take what is in it for a part of the policy."""
        plain = {name: value for name, value in self.agreement.document.items() if name != NS_TEXT}
        own = {NS_TEXT: self.agreement.text}
        return written("ContractAgreementMessage", self.provider_pid, self.consumer_pid, agreement=plain, **own)

    @classmethod
    def read(cls, said: Json) -> "ContractAgreement":
        """Read it. Raises Malformed."""
        checked_type(said, "ContractAgreementMessage")
        text = {NS_TEXT: said[NS_TEXT]} if NS_TEXT in said else {}
        return cls(*both(said), Agreement.read({**_object(said, "agreement"), **text}))


@dataclass(frozen=True, slots=True)
class AgreementVerification:
    """The consumer's word that it holds the agreement; `proof` is its signature, JSON in a string."""

    provider_pid: str
    consumer_pid: str
    proof: str = ""

    def document(self) -> dict[str, Any]:
        """Write it."""
        own = {NS_PROOF: self.proof}
        return written("ContractAgreementVerificationMessage", self.provider_pid, self.consumer_pid, **own)

    @classmethod
    def read(cls, said: Json) -> "AgreementVerification":
        """Read it. Raises Malformed."""
        checked_type(said, "ContractAgreementVerificationMessage")
        return cls(*both(said), optional(said, NS_PROOF, most=MAX_TEXT))


@dataclass(frozen=True, slots=True)
class NegotiationEvent:
    """ACCEPTED, which a consumer says, or FINALIZED, which a provider says."""

    provider_pid: str
    consumer_pid: str
    event: str

    def document(self) -> dict[str, Any]:
        """Write it."""
        name = "ContractNegotiationEventMessage"
        return written(name, self.provider_pid, self.consumer_pid, eventType=self.event)

    @classmethod
    def read(cls, said: Json) -> "NegotiationEvent":
        """Read it. Raises Malformed."""
        checked_type(said, "ContractNegotiationEventMessage")
        return cls(*both(said), among(said, "eventType", EVENTS))


@dataclass(frozen=True, slots=True)
class NegotiationTermination(Reasoned):
    """The end of a negotiation without an agreement, with what to do about it."""

    name: ClassVar[str] = "ContractNegotiationTerminationMessage"


@dataclass(frozen=True, slots=True)
class ContractNegotiation:
    """How a negotiation stands: what is answered to a first message and to a question."""

    provider_pid: str
    consumer_pid: str
    state: str

    def document(self) -> dict[str, Any]:
        """Write it."""
        return written("ContractNegotiation", self.provider_pid, self.consumer_pid, state=self.state)

    @classmethod
    def read(cls, said: Json) -> "ContractNegotiation":
        """Read it. Raises Malformed."""
        checked_type(said, "ContractNegotiation")
        return cls(*both(said), among(said, "state", STATES))


@dataclass(frozen=True, slots=True)
class NegotiationError(Refusal):
    """Why a message was refused. Nothing changed."""

    name: ClassVar[str] = "ContractNegotiationError"


Message = (
    ContractRequest
    | ContractOffer
    | ContractAgreement
    | AgreementVerification
    | NegotiationEvent
    | NegotiationTermination
    | ContractNegotiation
    | NegotiationError
)
_READERS: Mapping[str, Callable[[Json], Message]] = {
    "ContractRequestMessage": ContractRequest.read,
    "ContractOfferMessage": ContractOffer.read,
    "ContractAgreementMessage": ContractAgreement.read,
    "ContractAgreementVerificationMessage": AgreementVerification.read,
    "ContractNegotiationEventMessage": NegotiationEvent.read,
    "ContractNegotiationTerminationMessage": NegotiationTermination.read,
    "ContractNegotiation": ContractNegotiation.read,
    "ContractNegotiationError": NegotiationError.read,
}


def read(said: Json) -> Message:
    """Read a message of a negotiation by its type. Raises Malformed."""
    return read_by_type(said, _READERS, "negotiation")


def _begins(said: Json, other: str) -> tuple[str, str]:
    """Read where a first message wants to be answered, or whose pid a later one names: exactly one is there."""
    callback, _ = one_of(said, "callbackAddress", other)
    return checked_callback(callback), "" if callback else pid(said, other)


def _offer(said: Json) -> Offer:
    return Offer.of_message(_object(said, "offer"))


def _object(said: Json, name: str) -> Json:
    value = said.get(name)
    if not isinstance(value, Mapping):
        raise Malformed(f"{name} is no object.")
    no_rules_in([each for key, each in said.items() if key not in (name, "@context")])
    return value
