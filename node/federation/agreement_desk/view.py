"""What is shown of drafts, negotiations and agreements: JSON values, the same for commands and for the staff's API.

Every one says in plain words how it stands, who is waited for, which command comes next, and what went wrong when a
message was last tried (`trouble`). Times are RFC 3339. Reads only; what may be seen is the staff's, so nothing is left
out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from node.federation.agreement_desk.comments import Comment
from node.federation.agreement_desk.drafts import Draft
from node.federation.agreement_desk.finder import Found
from node.federation.agreement_desk.notices import AgreementNotices
from node.federation.agreement_desk.reminders import Reminder
from node.federation.agreement_desk.words import ended_because, stage_of, waiting_for
from node.federation.agreements.agreements import WORDS, Agreement
from node.federation.negotiation import Negotiation
from node.federation.negotiations.approvals import Approvals, ApprovedDecider
from node.federation.negotiations.store import Said
from node.federation.offers import Published
from node.federation.peers.store import Follow
from node.federation.policy.values import written_ms
from node.records import is_collection_name

Json = dict[str, Any]


class Talks(Protocol):
    """What is asked of negotiations."""

    def messages(self, pid: str) -> Sequence[Said]:
        """Give what was said in one, in order."""

    def versions(self, pid: str) -> int:
        """Count the different terms that were said in one."""


@dataclass(frozen=True, slots=True)
class Views:
    """Makes the values. `name_of` gives a peer's name here by its base URL, `follows` what is followed of a peer.

    `document_of` gives the document that a draft must be proposed with, if it must.
    """

    talks: Talks
    approvals: Approvals
    decider: ApprovedDecider
    notices: AgreementNotices
    name_of: Callable[[str], str]
    follows: Callable[[str], Sequence[Follow]]
    document_of: Callable[[Draft], str]

    def draft(self, draft: Draft) -> Json:
        """Show a draft."""
        missing = self.approvals.missing(draft.id, draft.terms)
        # It may go out without, too; whoever reads what comes next is one whose approval it waits for.
        as_person = " --token-file FILE" if missing else ""
        return {
            "kind": "draft",
            "id": draft.id,
            "peer": draft.peer,
            "role": draft.role,
            "state": "draft",
            **_terms(draft.about, draft.target, draft.covers),
            "terms": draft.terms,
            "created_at": moment(draft.created_at),
            "created_by": draft.created_by,
            **self.approvals_of(draft.id, draft.terms),
            "waits_for": "us",
            "waits": "being proposed" if missing else "being proposed; it is approved",
            "next": f"citynode agreements propose {self.document_of(draft) or draft.id[:8]}{as_person}",
        }

    def negotiation(self, talk: Negotiation) -> Json:
        """Show a negotiation."""
        peer = self.name_of(talk.peer) or talk.peer
        waiting = waiting_for(
            talk,
            peer,
            persons=self.approvals.missing(talk.pid, talk.terms),
            for_us=self.decider.waits_for_us(talk),
        )
        return {
            "kind": "negotiation",
            "id": talk.pid,
            "peer": peer,
            "role": talk.role,
            "state": stage_of(talk, self.talks.versions(talk.pid)),
            "protocol_state": talk.state,
            **_terms(talk.about, talk.target, talk.about.get("covers") or (talk.target,)),
            "terms": talk.terms,
            "offered_by": talk.offered_by,
            "agreement": talk.agreement,
            "created_at": moment(talk.created_at),
            "changed_at": moment(talk.changed_at),
            **self.approvals_of(talk.pid, talk.terms),
            "waits_for": waiting.who,
            "waits": waiting.sentence,
            "next": waiting.next,
            "sending": talk.sending[0] if talk.sending else "",
            "trouble": talk.trouble,
            "reason": ended_because(talk.reasons, talk.code),
        }

    def history(self, talk: Negotiation) -> list[Json]:
        """Show what was said in a negotiation, without the bodies."""
        return [
            {"at": moment(each.at), "direction": each.direction, "message": each.kind, "terms": each.terms}
            for each in self.talks.messages(talk.pid)
        ]

    def agreement(self, held: Agreement, now_ms: int) -> Json:
        """Show an agreement."""
        told = self.notices.told(held.iri)
        state = held.state_at(now_ms)
        notice = None
        if told is not None:
            delivered = moment(told.delivered_at) if told.delivered else None
            notice = {"state": told.state, "delivered_at": delivered, "sentence": told.sentence}
        return {
            "kind": "agreement",
            "id": held.iri,
            "peer": held.peer,
            "role": held.role,
            "state": state,
            "effect": WORDS[state],
            "title": held.title,
            "target": held.target,
            "covers": list(held.covers),
            "part_of": held.part_of,
            "replaces": held.replaces,
            "public": held.public,
            "digest": held.digest,
            "signed_by": held.signed_by,
            "agreed_at": moment(held.agreed_at),
            "starts_at": moment(held.starts_at),
            "ends_at": moment(held.ends_at),
            "review_at": moment(held.review_at),
            "ours": {"state": held.our_state, "reason": held.our_reason, "at": moment(held.our_at)},
            "theirs": {"state": held.their_state, "reason": held.their_reason, "at": moment(held.their_at)},
            "reason": held.reason,
            "notice": notice,
            "record": held.record,
            "waits_for": "nobody",
            "waits": "",
            "next": _next(held, state) or self._to_follow(held, state),
        }

    def _to_follow(self, held: Agreement, state: str) -> str:
        """Give the command that mirrors what an agreement lets us mirror and is not followed yet."""
        if (held.role, state) != ("consumer", "in-force"):
            return ""
        followed = {each.iri for each in self.follows(held.peer)}
        names = [each.rpartition("/collections/")[2] for each in held.covers if each not in followed]
        may = any(rule.action == "index" for rule in held.text.policy.permissions)
        wanted = [each for each in names if is_collection_name(each)] if may else []
        return f"citynode peers follow {held.peer} {' '.join(wanted)}" if wanted else ""

    def document(self, found: Found, now_ms: int) -> Json:
        """Show a document with parts: in force when all of its two agreements are."""
        parts = [self.any(each, now_ms) for each in found.all]
        # An amendment is a part of the same document as what it replaced.
        whole = {each["role"] for each in parts if each["state"] == "in-force"} == {"provider", "consumer"}
        return {
            "kind": "document",
            "id": found.document,
            "title": next((each["title"] for each in parts if each["title"]), ""),
            "state": "in-force" if whole else "not in force",
            "effect": "in force in both directions" if whole else "in force only when both of its agreements are",
            "parts": parts,
        }

    def any(self, thing: Draft | Negotiation | Agreement, now_ms: int) -> Json:
        """Show one thing, whatever it is."""
        if isinstance(thing, Draft):
            return self.draft(thing)
        if isinstance(thing, Agreement):
            return self.agreement(thing, now_ms)
        return self.negotiation(thing)

    def offer(self, offer: Published) -> Json:
        """Show an offer of ours."""
        return {
            "kind": "offer",
            "id": offer.iri,
            "title": offer.title,
            "target": offer.target,
            "covers": list(offer.covers),
            "peers": [self.name_of(each) or each for each in offer.peers],
            "automatic": offer.automatic,
            "terms": offer.terms,
            "published_at": moment(offer.published_at),
            "published_by": offer.published_by,
            "withdrawn_at": moment(offer.withdrawn_at),
            "about": dict(offer.about),
            "rules": dict(offer.rules),
        }

    def approvals_of(self, subject: str, terms: str) -> Json:
        """Show who approved these terms, and how many persons must still do so."""
        given = self.approvals.of(subject, terms)
        return {
            "approvals": [{"person": each.person, "at": moment(each.at_ms)} for each in given],
            "approvals_missing": max(0, self.approvals.required - len(given)),
        }


def reminder(each: Reminder) -> Json:
    """Show a reminder."""
    told = {"agreement": each.agreement, "peer": each.peer, "at": moment(each.at_ms), "sentence": each.sentence}
    return {**told, "what": each.what.partition(" ")[0]}


def comment(each: Comment) -> Json:
    """Show a comment of our own staff."""
    return {"id": each.id, "who": each.who, "at": moment(each.at_ms), "said": each.said, "settled": each.settled}


def moment(at_ms: int) -> str | None:
    """Write a time; None for never."""
    return datetime.fromtimestamp(written_ms(at_ms) // 1000, UTC).isoformat(timespec="seconds") if at_ms else None


def _terms(about: Mapping[str, Any], target: str, covers: object) -> Json:
    return {
        "title": str(about.get("title", "")),
        "target": target,
        "covers": list(covers) if isinstance(covers, list | tuple) else [],
        "part_of": str(about.get("partOf", "")),
        "replaces": str(about.get("replaces", "")),
        "public": bool(about.get("public")),
    }


def _next(held: Agreement, state: str) -> str:
    name = held.iri.rpartition("/")[2][:8]
    if state == "suspended" and held.our_state == "suspended":
        return f"citynode agreements resume {name}"
    if state == "expired":
        return f"citynode agreements draft --replaces {name} --until DATE"
    return ""
