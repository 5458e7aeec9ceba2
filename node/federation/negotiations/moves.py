"""Every change of a negotiation, each within a transaction that its caller opens and under the negotiation's own lock.

Three things change one: a message of the other side is taken, a message of ours is put out, a message of ours turns out
to have been taken. Our own message counts only then, so between the second and the third the state stays as it was; a
message of the other side that could only follow on ours proves that ours arrived, whatever became of its answer. An
error leaves everything as it was: the transaction rolls back.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from node.db import Tx
from node.errors import Malformed, Refuted
from node.federation.agreements.text import read_about
from node.federation.dialogues.dialogues import digest_of
from node.federation.dialogues.moves import DialogueMoves, reason_of
from node.federation.dialogues.outgoing import Outgoing
from node.federation.negotiation import FINAL, RULES, Kind, Negotiation, State, Step, ended, heard, said
from node.federation.negotiations import wire
from node.federation.negotiations.store import NegotiationStore, Said
from node.federation.negotiations.texts import Texts
from node.federation.negotiations.wire import Heard
from node.federation.signing.integrity import jcs
from node.federation.turns import No, Rules, or_refuse

Concluded = Callable[[Tx, Negotiation, int], None]


def nothing_follows(tx: Tx, negotiation: Negotiation, at_ms: int) -> None:
    """Do nothing about an agreement that was concluded."""


@dataclass(frozen=True, slots=True)
class Moves(DialogueMoves[Negotiation, Step, Heard]):
    """Changes negotiations. `concluded` is called once for each agreement.

    `concluded` runs inside the transaction that stores FINALIZED: either both happen or neither does.
    """

    rules: ClassVar[Rules] = RULES

    store: NegotiationStore
    texts: Texts
    concluded: Concluded

    # ---------------------------------------------------------------- what the other side says

    def first(self, tx: Tx, now: Negotiation, message: Heard, at_ms: int) -> Negotiation:
        """Take a message whose pids are right, or the first one, which has not ours. Raises as `take` does."""
        then: State = or_refuse(heard(now.role, now.state, message.kind))
        if message.kind in ("request", "offer"):
            self._check_room(tx, now)
        changes = self._brought(tx, now, message, at_ms)
        self._overtaken(tx, now, message.kind, at_ms)
        return self._changed(tx, now, then, changes, _said(message, "in", at_ms, changes))

    def _brought(self, tx: Tx, now: Negotiation, message: Heard, at_ms: int) -> dict[str, object]:
        match message.kind:
            case "request" | "offer":
                return offered(now, message, by="them")
            case "agree" if message.agreement is not None:
                text = self.texts.taken(now, message.agreement, at_ms)
                # Now, since what we countersign is signed whatever becomes of it afterwards.
                if self.store.knows_agreement(tx, text.iri, beside=now.pid):
                    raise Refuted(
                        "There is another agreement of this name.", fix="Give each agreement an @id of its own."
                    )
                document = json.dumps(message.agreement.document, ensure_ascii=False)
                return {"agreement": text.iri, "message": document, "signed": text.signed}
            case "verify":
                return {"signed": self.texts.verified(now, message, at_ms)}
            case "terminate":
                return {"reason": reason_of(message.code, message.reasons, by="them")}
            case _:
                return {}

    def _overtaken(self, tx: Tx, now: Negotiation, kind: Kind, at_ms: int) -> None:
        """Let what we were about to say wait no more; our own wish to end it stays."""
        for one in self.waiting(tx, now.pid):
            if one.step != "terminate" or kind == "terminate":
                self.outbox.close(tx, one.id, at_ms=at_ms, error="The other side was quicker.")

    # ---------------------------------------------------------------- what we say

    def _written(self, tx: Tx, now: Negotiation, step: Step, at_ms: int) -> tuple[Negotiation, dict[str, Any]]:
        match step.kind:
            case "request" | "offer":
                offer, about = self.terms(now, step)
                return now, wire.offering(now, step.kind, offer, about, callback=self.callback)
            case "agree":
                iri = f"{self.texts.us}/agreements/{self.new_id()}"
                document, signed = self.texts.written(now, iri, at_ms)
                kept = {"agreement": iri, "message": json.dumps(document, ensure_ascii=False), "signed": signed}
                return self.store.change(tx, now, at_ms=at_ms, **kept), wire.agreeing(now, document)
            case "verify":
                signed, proof = self.texts.countersigned(now, at_ms)
                return self.store.change(tx, now, at_ms=at_ms, signed=signed), wire.verifying(now, proof)
            case "terminate":
                return now, wire.ending(now, step)
            case _:
                return now, wire.telling(now, step.kind)

    def terms(self, now: Negotiation, step: Step) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give the offer and what stands beside it that a step of ours brings; without any, those that stand."""
        if step.offer is None:
            return dict(now.offer), dict(now.about)
        name = step.offer.get("@id") or f"{self.texts.us}/offers/{self.new_id()}"
        target = step.offer.get("target") or now.target
        if now.target and target != now.target:
            raise Malformed(
                "A negotiation is about one dataset.", fix="Begin another one for another dataset."
            ).on_page("no.agreement.other_dataset")
        offer = wire.normal_offer({**step.offer, "@id": name, "target": target})
        return offer, read_about(step.about if step.about is not None else now.about)

    # ---------------------------------------------------------------- what we said was taken

    def acknowledged(
        self, tx: Tx, negotiation: Negotiation, one: Outgoing, at_ms: int, *, other_pid: str = ""
    ) -> Negotiation:
        """Count a message of ours; nothing happens if it was counted or overtaken already."""
        kind: Any = one.step
        then = said(negotiation.role, negotiation.state, kind)
        if one.step == "terminate":
            then = ended(negotiation.role, negotiation.state)
        if not self.outbox.close(tx, one.id, at_ms=at_ms) or isinstance(then, No):
            return negotiation
        message = wire.read_kept(one.body)
        changes: dict[str, object] = {"other_pid": other_pid} if other_pid and not negotiation.other_pid else {}
        if message.kind in ("request", "offer"):
            changes |= offered(negotiation, message, by="us")
        if message.kind == "terminate":
            changes["reason"] = reason_of(message.code, message.reasons, by="us")
        found = self._changed(tx, negotiation, then, changes, _said(message, "out", at_ms, changes))
        if found.other_pid != negotiation.other_pid:
            self._addressed(tx, found)
        return found

    # ---------------------------------------------------------------- the end

    def final_there(self, tx: Tx, negotiation: Negotiation, at_ms: int) -> Negotiation:
        """Count our FINALIZED, which the other side turns out to have, although we had given it up."""
        self.said_no_more(tx, negotiation.pid, at_ms, "It was final before.")
        body = jcs(wire.telling(negotiation, "finalize")).decode()
        kept = Said(at_ms, "out", "finalize", "", digest_of(body), "", body)
        return self._changed(tx, negotiation, "FINALIZED", {}, kept)

    def _changed(
        self, tx: Tx, now: Negotiation, then: State, changes: Mapping[str, object], message: Said
    ) -> Negotiation:
        self.store.say(tx, now.pid, message)
        ask_at = 0 if then in FINAL else max(message.at, 1)
        found = self.store.change(tx, now, at_ms=message.at, state=then, ask_at=ask_at, **changes)
        if then == "FINALIZED":
            self.concluded(tx, found, message.at)
        return found


def offered(now: Negotiation, message: Heard, *, by: str) -> dict[str, object]:
    """Give what a request or an offer changes: the offer that stands.

    Raises:
        Malformed: It is about another dataset than the negotiation.
    """
    offer = dict(message.offer) | ({} if message.offer["target"] else {"target": now.target})
    if not offer["target"] or (now.target and offer["target"] != now.target):
        raise Malformed(
            "The offer is about another dataset, or none.", fix="Begin another negotiation for that one."
        ).on_page("no.agreement.other_dataset")
    about = dict(now.about if message.about is None else message.about)
    return {"offer": offer, "about": about, "offered_by": by, "terms": wire.terms_of(offer, about)}


def _said(message: Heard, direction: Any, at_ms: int, changes: Mapping[str, object]) -> Said:  # noqa: ANN401
    terms = str(changes.get("terms", ""))
    return Said(at_ms, direction, message.kind, message.name, message.digest, terms, message.body)
