"""The agreement within a negotiation: written and signed by the provider, checked and countersigned by the consumer.

What comes is held against what stood: the parties are the two of us, the target and the terms are those that were
offered, the signed text says what the message says, and the keys are those that were pinned. A city that does not sign
(another connector, or a rig without keys) leaves the agreement unsigned; whether that suffices is asked of a callable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.errors import Refuted
from node.federation.agreements.signing import ASSIGNER, BOTH, SKEW_MS, Signing, attach
from node.federation.agreements.text import (
    ABOUT,
    AgreementText,
    compose,
    dsp_agreement,
    of_message,
    read_text,
    same_as_message,
)
from node.federation.dsp.policies import Agreement
from node.federation.negotiation import Negotiation, Step
from node.federation.negotiations.wire import Heard, rules_of, terms_of
from node.federation.signing.integrity import jcs
from node.keys import PublicKey

NOT_SIGNED = "not-signed"
_BOTH = 2


def nothing_suffices(negotiation: Negotiation) -> bool:  # noqa: ARG001 (the shape of what says so)
    """Say of no agreement that it may do without a signature."""
    return False


@dataclass(frozen=True, slots=True)
class Texts:
    """Writes and checks agreements. `us` is our participant id.

    Without `signing` nothing is signed and no signature is looked at: for rigs with other connectors.
    """

    us: str
    signing: Signing | None
    keys_of: Callable[[str], Sequence[PublicKey]]
    suffices: Callable[[Negotiation], bool] = field(default=nothing_suffices)

    # ---------------------------------------------------------------- as provider

    def written(self, negotiation: Negotiation, iri: str, now_ms: int) -> tuple[dict[str, Any], str]:
        """Write the agreement on the offer that stands, signed by us; give the DSP object and the signed text."""
        offer = negotiation.offer
        made = compose(iri, negotiation.target, self.us, negotiation.peer, now_ms, negotiation.about, rules_of(offer))
        if self.signing is not None:
            signed = self.signing.sign_as_assigner(made, now_ms)
            made = read_text(signed)
        return dsp_agreement(made), made.signed

    def verified(self, negotiation: Negotiation, heard: Heard, now_ms: int) -> str:
        """Give the signed text with the proof that came with a verification, if one did.

        Raises:
            Refuted, BadSignature, Malformed: The proof does not hold.
        """
        if self.signing is None or not heard.proof:
            return negotiation.signed
        signed = attach(negotiation.signed, heard.proof)
        self.signing.check(signed, need=BOTH, keys_of=self.keys_of, now_ms=now_ms, in_force_ms=now_ms)
        return signed

    # ---------------------------------------------------------------- as consumer

    def taken(self, negotiation: Negotiation, agreement: Agreement, now_ms: int) -> AgreementText:
        """Check an agreement that came; give its text, with the provider's proof if it signs.

        Raises:
            Refuted: It is not between the two of us, or says something else than what stood.
            BadSignature, Malformed: Its signature or its text does not hold.
        """
        text = self._text(negotiation, agreement, now_ms)
        if (text.assigner, text.assignee) != (negotiation.peer, self.us):
            raise Refuted(
                f"The agreement is between {text.assigner} and {text.assignee}.",
                fix=f"It has to be between {negotiation.peer} (assigner) and {self.us} (assignee).",
            )
        _check_time(text, negotiation, now_ms)
        if terms_of({"target": text.target, **text.rules}, text.about) != negotiation.terms:
            raise Refuted(
                "The agreement says something else than the offer that stood.",
                fix="Write the agreement with exactly the target and the rules of that offer, or offer anew.",
            )
        return text

    def _text(self, negotiation: Negotiation, agreement: Agreement, now_ms: int) -> AgreementText:
        document = agreement.document
        if agreement.text and self.signing is not None:
            keys_of, text = self.keys_of, agreement.text
            found = self.signing.check(text, need=ASSIGNER, keys_of=keys_of, now_ms=now_ms, in_force_ms=now_ms)
            same_as_message(found, document)
            return found
        if ABOUT in document or not negotiation.about:
            return of_message(document)
        # Who does not know what stands beside the rules agreed to it as it stood.
        return of_message({**document, ABOUT: jcs(dict(negotiation.about)).decode()})

    def countersigned(self, negotiation: Negotiation, now_ms: int) -> tuple[str, str]:
        """Sign over the provider's proof; give the signed text and our proof. Without its proof, neither of us signs.

        Raises:
            Refuted: Its proof has expired.
        """
        if self.signing is None or not read_text(negotiation.signed).proofs:
            return negotiation.signed, ""
        return self.signing.countersign(negotiation.signed, now_ms)

    # ---------------------------------------------------------------- both

    def objection(self, negotiation: Negotiation) -> Step | None:
        """Give the end of a negotiation whose agreement the other side has not signed, where that does not suffice."""
        if not self._lacks_theirs(negotiation) or self.suffices(negotiation):
            return None
        reason = (
            f"{negotiation.peer} has not signed the agreement, and this city takes no unsigned one on this dataset. "
            "Negotiate anew with a node that signs agreements (ns#text and ns#proof), or ask the city to change its"
            " setting unsigned_agreements."
        )
        return Step("terminate", code=NOT_SIGNED, reasons=(reason,))

    def _lacks_theirs(self, negotiation: Negotiation) -> bool:
        """Tell whether it is our turn on an agreement that has not the signature it should have by now."""
        wanted = {("consumer", "AGREED"): 1, ("provider", "VERIFIED"): _BOTH}.get((negotiation.role, negotiation.state))
        return wanted is not None and len(read_text(negotiation.signed).proofs) < wanted


def _check_time(text: AgreementText, negotiation: Negotiation, now_ms: int) -> None:
    """Refuted unless it was made within this negotiation: lengths of time in its clauses count from that moment."""
    if not negotiation.created_at - SKEW_MS <= text.issued_ms <= now_ms + SKEW_MS:
        raise Refuted(
            f"The agreement is dated {text.timestamp}, which is not within this negotiation.",
            fix="Date it with the time at which it is made, and compare the clocks of both cities.",
        )
