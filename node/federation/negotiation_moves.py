"""Every change of a negotiation, each within a transaction that its caller opens and under the negotiation's own lock.

Three things change one: a message of the other side is taken, a message of ours is put out, a message of ours turns out
to have been taken. Our own message counts only then, so between the second and the third the state stays as it was; a
message of the other side that could only follow on ours proves that ours arrived, whatever became of its answer. An
error leaves everything as it was: the transaction rolls back.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from node.db import Tx
from node.errors import Conflict, Malformed, Refuted
from node.federation import negotiation_wire as wire
from node.federation.agreement_text import read_about
from node.federation.integrity import jcs
from node.federation.negotiation import Json, Kind, Negotiation, No, State, Step, ended, heard, said
from node.federation.negotiation_store import MAX_MESSAGES, NegotiationStore, Said
from node.federation.negotiation_texts import Texts
from node.federation.negotiation_wire import Heard
from node.federation.outgoing import Outbox, Outgoing

DSP = "dsp"
MAX_REASONS = 20
Concluded = Callable[[Tx, Negotiation, int], None]


def nothing_follows(tx: Tx, negotiation: Negotiation, at_ms: int) -> None:
    """Do nothing about an agreement that was concluded."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Changes negotiations. `callback` is where our endpoints are; `concluded` is called once for each agreement.

    `concluded` runs inside the transaction that stores FINALIZED: either both happen or neither does.
    """

    store: NegotiationStore
    outbox: Outbox
    texts: Texts
    callback: str
    concluded: Concluded = nothing_follows
    new_id: Callable[[], str] = field(default=lambda: str(uuid4()))

    # ---------------------------------------------------------------- what the other side says

    def take(self, tx: Tx, negotiation: Negotiation, message: Heard, at_ms: int) -> Negotiation:
        """Take a message of the other side.

        Raises:
            Conflict: It does not fit the state.
            Refused: What it brings cannot be taken.
        """
        self._check_ending(tx, negotiation, message.kind)
        now = self._caught_up(tx, negotiation, message, at_ms)
        if not now.state:
            raise Conflict("We have not begun this negotiation.", fix="Begin one.")
        _check_pids(now, message)
        return self.first(tx, now, message, at_ms)

    def first(self, tx: Tx, now: Negotiation, message: Heard, at_ms: int) -> Negotiation:
        """Take a message whose pids are right, or the first one, which has not ours. Raises as `take` does."""
        then = _or_refuse(heard(now.role, now.state, message.kind))
        # Terms may take turns for ever; every other message leads towards the end, and is always heard.
        if message.kind in ("request", "offer") and self.store.count(tx, now.pid) >= MAX_MESSAGES:
            raise Conflict(f"This negotiation has {MAX_MESSAGES} messages.", fix="End it and begin a new one.")
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

    def _caught_up(self, tx: Tx, now: Negotiation, message: Heard, at_ms: int) -> Negotiation:
        """Count a message of ours whose answer was lost or is on its way, if this one could only follow on it."""
        if now.state and not isinstance(heard(now.role, now.state, message.kind), No):
            return now
        ours = self.outbox.waiting(tx, DSP, now.pid)
        if not ours or not ours[0].tries:
            return now
        then = said(now.role, now.state, _kind(ours[0]))
        if isinstance(then, No) or isinstance(heard(now.role, then, message.kind), No):
            return now
        other = message.provider_pid if now.role == "consumer" else message.consumer_pid
        return self.acknowledged(tx, now, ours[0], at_ms, other_pid=other)

    def _check_ending(self, tx: Tx, now: Negotiation, kind: Kind) -> None:
        """Refuse to go on with what a person of ours is ending: else one side could think it final, the other ended."""
        wish = next((each for each in self.outbox.waiting(tx, DSP, now.pid) if each.step == "terminate"), None)
        # Before our first message was answered this one is welcome: it tells whom to tell of the end.
        if wish is not None and kind != "terminate" and now.state and not now.is_final:
            why = " ".join(json.loads(wish.body).get("reason", ()))
            raise Conflict(f"This city is ending this negotiation. {why}".strip(), fix="Begin a new one.")

    def _overtaken(self, tx: Tx, now: Negotiation, kind: Kind, at_ms: int) -> None:
        """Let what we were about to say wait no more; our own wish to end it stays."""
        for one in self.outbox.waiting(tx, DSP, now.pid):
            if one.step != "terminate" or kind == "terminate":
                self.outbox.close(tx, one.id, at_ms=at_ms, error="The other side was quicker.")

    # ---------------------------------------------------------------- what we say

    def put(self, tx: Tx, negotiation: Negotiation, step: Step, at_ms: int) -> Negotiation:
        """Put out a step of ours; it counts once the other side has taken it.

        Raises:
            Conflict: It does not fit the state, or another message of ours is on its way.
            Refused: It cannot be written: terms that are unknown, a proof that has expired.
        """
        if negotiation.sending:
            raise Conflict(
                f"Our last message ({negotiation.sending[0]}) has not been taken yet.", fix="Wait until it was."
            )
        _or_refuse(said(negotiation.role, negotiation.state, step.kind))
        now, document = self._written(tx, negotiation, step, at_ms)
        return self._out(tx, now, step.kind, document, at_ms)

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
            raise Malformed("A negotiation is about one dataset.", fix="Begin another one for another dataset.")
        offer = wire.normal_offer({**step.offer, "@id": name, "target": target})
        return offer, read_about(step.about if step.about is not None else now.about)

    def _out(self, tx: Tx, now: Negotiation, kind: Kind, document: Mapping[str, Any], at_ms: int) -> Negotiation:
        body = jcs({**document, "@id": f"urn:uuid:{self.new_id()}"}).decode()
        url = wire.address(now.other_url, kind, now.other_pid) if now.other_url else ""
        self.outbox.put(tx, kind=DSP, subject=now.pid, peer=now.peer, step=kind, url=url, body=body, at_ms=at_ms)
        return self.store.change(tx, now, at_ms=at_ms, ask_at=0)

    # ---------------------------------------------------------------- what we said was taken

    def acknowledged(
        self, tx: Tx, negotiation: Negotiation, one: Outgoing, at_ms: int, *, other_pid: str = ""
    ) -> Negotiation:
        """Count a message of ours; nothing happens if it was counted or overtaken already."""
        then = said(negotiation.role, negotiation.state, _kind(one))
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

    def _addressed(self, tx: Tx, now: Negotiation) -> None:
        """Write the other side's pid into what was written before it was known: the wish to end it."""
        for one in self.outbox.waiting(tx, DSP, now.pid):
            pids = {"providerPid": now.provider_pid, "consumerPid": now.consumer_pid}
            url = wire.address(now.other_url, _kind(one), now.other_pid)
            self.outbox.rewrite(tx, one.id, url=url, body=jcs({**json.loads(one.body), **pids}).decode())

    # ---------------------------------------------------------------- the end

    def end(self, tx: Tx, negotiation: Negotiation, step: Step, at_ms: int) -> Negotiation:
        """Let a person end a negotiation: told to the other side, once what is on its way has been answered.

        A message of ours that was never tried is not sent any more; if it was the first, there is nobody to tell.

        Raises:
            Conflict: It has ended already.
        """
        _or_refuse(ended(negotiation.role, negotiation.state))
        waiting = self.outbox.waiting(tx, DSP, negotiation.pid)
        if any(one.step == "terminate" for one in waiting):
            return negotiation
        for one in waiting:
            if not one.tries:
                self.outbox.close(tx, one.id, at_ms=at_ms, error="Ended before it was sent.")
        if not negotiation.state and not any(one.tries for one in waiting):
            return self.ended_here(tx, negotiation, step, at_ms)
        return self._out(tx, negotiation, "terminate", wire.ending(negotiation, step), at_ms)

    def ended_here(self, tx: Tx, negotiation: Negotiation, step: Step, at_ms: int) -> Negotiation:
        """End a negotiation on our side alone, where the other side cannot be told or has ended it without a word."""
        _or_refuse(ended(negotiation.role, negotiation.state))
        for one in self.outbox.waiting(tx, DSP, negotiation.pid):
            self.outbox.close(tx, one.id, at_ms=at_ms, error=" ".join(step.reasons))
        body = jcs(wire.ending(negotiation, step)).decode()
        kept = Said(at_ms, "out", "terminate", "", wire.digest_of(body), "", body)
        changes: dict[str, object] = {"reason": reason_of(step.code, step.reasons, by=step.by or "us")}
        return self._changed(tx, negotiation, "TERMINATED", changes, kept)

    def final_there(self, tx: Tx, negotiation: Negotiation, at_ms: int) -> Negotiation:
        """Count our FINALIZED, which the other side turns out to have, although we had given it up."""
        for one in self.outbox.waiting(tx, DSP, negotiation.pid):
            self.outbox.close(tx, one.id, at_ms=at_ms, error="It was final before.")
        body = jcs(wire.telling(negotiation, "finalize")).decode()
        kept = Said(at_ms, "out", "finalize", "", wire.digest_of(body), "", body)
        return self._changed(tx, negotiation, "FINALIZED", {}, kept)

    def tell_of_end(self, tx: Tx, negotiation: Negotiation, step: Step, at_ms: int) -> None:
        """Let the other side know of an end that stands already; it may take it or not."""
        if negotiation.other_pid and negotiation.other_url:
            self._out(tx, negotiation, "terminate", wire.ending(negotiation, step), at_ms)

    def _changed(
        self, tx: Tx, now: Negotiation, then: State, changes: Mapping[str, object], message: Said
    ) -> Negotiation:
        self.store.say(tx, now.pid, message)
        ask_at = 0 if then in ("FINALIZED", "TERMINATED") else max(message.at, 1)
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
        raise Malformed("The offer is about another dataset, or none.", fix="Begin another negotiation for that one.")
    about = dict(now.about if message.about is None else message.about)
    return {"offer": offer, "about": about, "offered_by": by, "terms": wire.terms_of(offer, about)}


def reason_of(code: str, reasons: tuple[str, ...], *, by: str) -> dict[str, Json | object]:
    """Give what is kept of a termination."""
    return {"code": code, "reasons": list(reasons[:MAX_REASONS]), "by": by}


def _said(message: Heard, direction: Any, at_ms: int, changes: Mapping[str, object]) -> Said:  # noqa: ANN401
    terms = str(changes.get("terms", ""))
    return Said(at_ms, direction, message.kind, message.name, message.digest, terms, message.body)


def _check_pids(now: Negotiation, message: Heard) -> None:
    ours, theirs = message.consumer_pid, message.provider_pid
    if now.role == "provider":
        ours, theirs = theirs, ours
    if ours != now.pid or (now.other_pid and theirs != now.other_pid):
        raise Malformed("The pids of the message are not those of this negotiation.", fix="Take those you were given.")


def _or_refuse(found: State | No) -> State:
    if isinstance(found, No):
        raise Conflict(found.why, fix=found.fix)
    return found


def _kind(one: Outgoing) -> Kind:
    kind: Any = one.step
    found: Kind = kind
    return found
