"""What the city's staff does with agreements, said in JSON values: the one desk behind the command line and the API.

Each method is one act and answers with how things stand afterwards. What goes out to another city is sent before the
answer, as far as that city takes it; what it does not take waits for the worker. Knows no caller: whoever calls has
made sure that it is the city's own staff, and names the person where one is needed.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import uuid4

from node.db import Tx
from node.errors import Conflict, NodeError, NotFound
from node.federation.agreement_desk.acts import Act, AgreementActs, check_reason
from node.federation.agreement_desk.comments import Comments
from node.federation.agreement_desk.drafting import (
    PROVIDER,
    Drafting,
    Wish,
    Words,
    check_ahead,
    template_named,
    written,
)
from node.federation.agreement_desk.drafts import Draft, Drafts
from node.federation.agreement_desk.finder import Finder, Found
from node.federation.agreement_desk.notices import AgreementNotices
from node.federation.agreement_desk.readings import Readings
from node.federation.agreement_desk.reminders import Reminders
from node.federation.agreement_desk.standing import check_read, digest_of, to_approve, with_words
from node.federation.agreement_desk.view import Json, Views, comment, reminder
from node.federation.agreements.agreements import Agreement, Agreements
from node.federation.negotiation import Negotiation
from node.federation.negotiations.approvals import Approvals
from node.federation.negotiations.negotiations import Negotiations
from node.federation.negotiations.wire import rules_of
from node.federation.pair_journals import PairJournals
from node.federation.peers.store import Peer

ENDED_BY_PERSON = "ended"
_MOST_ENDED = 1_000
_logger = logging.getLogger("citynode.agreements")


class Book(Protocol):
    """The book of peers."""

    def get(self, name: str) -> Peer:
        """Give a peer. Raises NotFound."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the office works with."""

    agreements: Agreements
    drafts: Drafts
    drafting: Drafting
    talks: Negotiations
    approvals: Approvals
    acts: AgreementActs
    notices: AgreementNotices
    pairs: PairJournals
    reminders: Reminders
    finder: Finder
    views: Views
    readings: Readings
    comments: Comments
    peers: Book
    base_url: str
    clock_ms: Callable[[], int]


class AgreementOffice:
    """The desk. Safe to share by threads; methods block, those that speak with a peer as long as it takes."""

    def __init__(self, desk: Desk) -> None:
        """Work with these."""
        self._desk = desk

    @property
    def readings(self) -> Readings:
        """Give what can be read about agreements besides how they stand."""
        return self._desk.readings

    # ---------------------------------------------------------------- reading

    def list(self, *, peer: str = "", ended: bool = False) -> Json:
        """Give drafts, negotiations, agreements and reminders; those that are over only if asked for.

        Args:
            peer: Only with this city. Raises NotFound if there is none of this name.
            ended: Also the newest thousand negotiations that ended, and agreements that are over.
        """
        if not peer.isprintable():
            raise NotFound(
                "There is no such peer.",
                fix="List them: citynode peers list",
            ).on_page("no.peer", name=peer[:63])
        desk, now_ms = self._desk, self._desk.clock_ms()
        drafts, talks, every = desk.drafts.waiting(), desk.talks.open(), desk.agreements.all()
        gone = self._gone(peer) if ended else ()
        over = () if ended else ("revoked", "superseded")
        shown: dict[str, list[Json]] = {
            "drafts": [self._listed(each, now_ms) for each in drafts],
            "negotiations": [self._listed(each, now_ms) for each in (*talks, *gone)],
            "agreements": [self._listed(each, now_ms) for each in every if each.state_at(now_ms) not in over],
        }
        found: Json = {key: [one for one in each if peer in ("", one["peer"])] for key, each in shown.items()}
        if peer and not any(found.values()):
            desk.peers.get(peer)  # a name that nobody has is a slip, not a city without agreements
        named = dict.fromkeys(one["part_of"] for each in found.values() for one in each if one["part_of"])
        documents = _documents(drafts, talks, every)
        found["documents"] = [self._document(documents[each], now_ms) for each in named if each in documents]
        found["reminders"] = [reminder(each) for each in desk.reminders.due(now_ms) if peer in ("", each.peer)]
        return found

    def _listed(self, thing: Draft | Negotiation | Agreement, now_ms: int) -> Json:
        """Show one thing in a list, with how many comments on it are not settled."""
        desk = self._desk
        said = desk.comments.of(self._names(desk.finder.one(thing)))
        return {**desk.views.any(thing, now_ms), "comments": sum(not each.settled for each in said)}

    def _gone(self, peer: str) -> Sequence[Negotiation]:
        """Give the newest negotiations that ended, of a city by its name, or by its URL if it has none here."""
        try:
            url = self._desk.peers.get(peer).url if peer else ""
        except NotFound:
            url = peer
        return self._desk.talks.ended(peer=url, limit=_MOST_ENDED)

    def _document(self, found: Found, now_ms: int) -> Json:
        shown = self._desk.views.document(found, now_ms)
        return {**shown, "parts": [each["id"] for each in shown["parts"]]}

    def show(self, name: str) -> Json:
        """Give all that is known of a draft, a negotiation, an agreement or a document of two."""
        return self._shown(self._desk.finder.find(name), history=True)

    def _shown(self, found: Found, *, history: bool = False) -> Json:
        views, now_ms = self._desk.views, self._desk.clock_ms()
        if found.document:
            return views.document(found, now_ms)
        thing = found.all[0]
        shown = views.any(thing, now_ms)
        if history and isinstance(thing, Negotiation):
            shown["history"] = views.history(thing)
        if history and isinstance(thing, Agreement):
            talk = self._desk.finder.talk_of(thing)
            shown |= views.approvals_of(talk.pid, talk.terms) if talk else {}
        return shown

    # ---------------------------------------------------------------- drafting and proposing

    def draft(self, wish: Wish) -> Json:
        """Write drafts: one, or two of a template for both directions."""
        desk = self._desk
        drafts = desk.drafting.drafts(self._completed(wish), desk.clock_ms())
        desk.drafts.add(drafts)
        return {"drafts": [desk.views.draft(each) for each in drafts], "document": drafts[0].document}

    def _completed(self, wish: Wish) -> Wish:
        """Fill in what follows from an agreement that is to be replaced, or from an offer that is asked for."""
        if wish.offer:
            return self._desk.readings.asking_for(wish)
        if wish.replaces:
            return self._desk.readings.replacing(wish, self._agreement(wish.replaces))
        return wish

    def rewrite(self, name: str, words: Words, *, by: str = "") -> Json:
        """Let a draft say something else; what is not said anew stays, and who approved it has to read it again.

        Raises:
            Conflict: It is no draft, or was proposed meanwhile.
            Malformed: The terms cannot be read.
        """
        desk, found = self._desk, self._desk.finder.find(name)
        if len(found.drafts) != 1:
            raise Conflict(f"{name} is no draft of one direction.", fix=_see(name)).on_page("no.agreement.undrafted")
        draft = found.drafts[0]
        now_ms = desk.clock_ms()
        about, rules = written(with_words(draft.rules, draft.about, words), None, now_ms)
        desk.drafts.change(replace(draft, about=about, rules=rules))
        _logger.info("draft %s was written anew by %s", draft.id, by or "the operator")
        return self.show(draft.id)

    def choices(self, peer: str) -> Json:
        """Give what a draft for a city may be about: our collections and those that it says it has. Raises NotFound."""
        names, offered = self._desk.readings.names(), self._desk.drafting.choices(self._desk.peers.get(peer).name)
        return {
            side: [{"iri": iri, "title": names.get(iri, "") or iri.rpartition("/")[2]} for iri in found]
            for side, found in zip(("ours", "theirs"), offered, strict=True)
        }

    def propose(self, name: str, *, by: str = "", person: str = "", terms: str = "") -> Json:
        """Send drafts to the other city: an offer where we provide, a request where it does.

        Args:
            name: A draft, or a document of two.
            by: Who does it, for our own log.
            person: A person who approves by proposing; empty if whoever proposes approves nothing yet.
            terms: The digest of what that person has read; another one that stands by now refuses.
        """
        found = self._desk.finder.find(name)
        if not found.drafts:
            raise Conflict(f"{name} is no draft any more.", fix=_see(name)).on_page("no.agreement.proposed")
        if person:
            check_read(to_approve(found), terms)
        for each in found.drafts:
            whole = self._desk.finder.document_of(each)
            if whole and not found.document:
                raise Conflict(
                    "It is one direction of a document, which is in force in both or not at all.",
                    fix=f"Propose both: citynode agreements propose {whole}",
                ).on_page("no.agreement.both")
            check_ahead(each.rules, self._desk.clock_ms())
        begun = [self._proposed(each, by, person) for each in found.drafts]
        return self._answer([self._desk.talks.get(each) for each in begun], found.document)

    def _proposed(self, draft: Draft, by: str, person: str) -> str:
        desk = self._desk
        peer = desk.peers.get(draft.peer)
        if not peer.exchanges:
            raise Conflict(
                f"Nothing is exchanged with {peer.name}: it is {peer.state}.", fix=_to_exchange(peer)
            ).on_page("no.peer.exchange", name=peer.name)
        assigner = desk.base_url if draft.role == PROVIDER else peer.url
        offer = {"@id": draft.offer or f"{assigner}/offers/{uuid4()}", "target": draft.target, **draft.rules}
        begin = desk.talks.offer if draft.role == PROVIDER else desk.talks.request

        def became(tx: Tx, talk: Negotiation) -> None:
            desk.drafts.proposed(tx, draft.id, talk.pid)
            if person:
                desk.approvals.give_in(tx, draft.id, draft.terms, person, desk.clock_ms())
            desk.approvals.carry(tx, draft.id, talk.pid, talk.terms)

        talk = begin(peer.url, offer, draft.about, by=by, within=became)
        self._deliver(talk.pid)
        return talk.pid

    def counter(self, name: str, words: Words, *, by: str = "", person: str = "", terms: str = "") -> Json:
        """Answer with other terms: what is not said anew stays as it stands.

        A `person` approves by answering; `terms` is the digest of what stood when they read it, since that part of it
        which they did not say anew is theirs as well.
        """
        desk, talk = self._desk, self._talk(name)
        if person:
            check_read([(talk.pid, talk.terms)], terms)
        offer, about = self._other_terms(talk, words)

        def approved(tx: Tx, talk: Negotiation) -> None:
            if person:
                said = desk.readings.terms(offer, about)
                desk.approvals.give_in(tx, talk.pid, said, person, desk.clock_ms())

        talk = desk.talks.counter(talk.pid, offer, about, by=by, within=approved)
        self._deliver(talk.pid)
        return self._answer([desk.talks.get(talk.pid)])

    def would_counter(self, name: str, words: Words) -> Json:
        """Say in sentences what answering so would propose; `terms` is the digest of what stands now. Sends nothing."""
        talk = self._talk(name)
        offer, about = self._other_terms(talk, words)
        return {"terms": talk.terms, "parts": [self._desk.readings.of_offer(talk, offer, about, words.lang)]}

    def _other_terms(self, talk: Negotiation, words: Words) -> tuple[Json, Json]:
        """Give the offer of an answer, and what stands beside its rules."""
        template = template_named(words.template) if words.template else None
        words = words if template else with_words(rules_of(talk.offer), talk.about, words)
        about, rules = written(words, template, self._desk.clock_ms())
        kept = {key: talk.about[key] for key in ("covers", "partOf", "replaces") if key in talk.about}
        owner = self._desk.base_url if talk.role == PROVIDER else talk.peer
        return {"@id": f"{owner}/offers/{uuid4()}", "target": talk.target, **rules}, {**about, **kept}

    # ---------------------------------------------------------------- approving and signing

    def approve(self, name: str, *, person: str, terms: str = "") -> Json:
        """Note a person's yes to the terms that stand, and go on if enough persons said it.

        Args:
            name: A negotiation, a draft, or a document: then all of it that waits for us.
            person: Who approves; a second yes of one person is the same yes.
            terms: The digest of what the person has read; another one that stands by now refuses.

        Raises:
            Conflict: Nothing waits, the terms have changed, or that person has said yes and another one must.
        """
        desk, found = self._desk, self._desk.finder.find(name)
        waiting = to_approve(found)
        if not waiting:
            raise Conflict(f"{name} waits for no approval.", fix=_see(name)).on_page("no.agreement.waits")
        check_read(waiting, terms)
        open_rules = [rules_of(each.offer) for each in found.negotiations if not each.is_final]
        for rules in (*open_rules, *(each.rules for each in found.drafts)):
            check_ahead(rules, desk.clock_ms())
        given = [desk.approvals.give(subject, digest, person, desk.clock_ms()) for subject, digest in waiting]
        if not any(given) and any(desk.approvals.missing(subject, digest) for subject, digest in waiting):
            raise Conflict(
                f"{person} has approved these terms already; somebody else must.",
            ).on_page("no.agreement.second", name=person)
        return self._went_on(found)

    def sign(self, name: str) -> Json:
        """Go on as far as approvals allow: accept, sign, countersign; doing it again changes nothing."""
        return self._went_on(self._desk.finder.find(name))

    def _went_on(self, found: Found) -> Json:
        for talk in found.negotiations:
            if not talk.is_final:
                self._desk.talks.settle(talk.pid)
                self._deliver(talk.pid)
        again = [self._desk.talks.get(each.pid) for each in found.negotiations]
        return self._answer(again, found.document) if again else self._shown(found)

    def to_approve(self, name: str) -> Json:
        """Give what a person would approve: everything that stands open, and the digest that names exactly this."""
        waiting = to_approve(self._desk.finder.find(name))
        return {"terms": digest_of(waiting), "parts": [subject for subject, _ in waiting]}

    # ---------------------------------------------------------------- what stands

    def act(self, act: Act, name: str, *, reason: str = "", by: str = "") -> Json:
        """Suspend, resume or revoke; revoking what is no agreement yet ends the negotiation or drops the draft."""
        found = self._desk.finder.find(name)
        if act != "revoke" and not found.agreements:
            raise Conflict(f"{name} is not in force yet.", fix=_see(name)).on_page("no.agreement.not_yet")
        # Of a document what stands: a part that was amended before stays as it is.
        acted = [each for each in found.agreements if not (found.document and each.is_final)]
        if found.document and act == "resume":
            acted = [each for each in acted if each.our_state == "suspended"] or acted
        for each in acted:
            self._desk.acts.act(act, each.iri, reason=reason, by=by)
            self._delivered_notice(each.iri)
        if act == "revoke":
            for talk in found.negotiations:
                self._ended(talk, reason, by)
            for draft in found.drafts:
                self._desk.drafts.drop(draft.id)
        if found.drafts and len(found.all) == len(found.drafts):
            first = found.drafts[0]
            return {"kind": "draft", "id": first.id, "title": first.title, "state": "dropped"}
        shown = self._shown(self._desk.finder.find(name))
        return shown if act == "resume" or not acted else {**shown, "still_open": self._still_open(acted)}

    def _still_open(self, acted: Sequence[Agreement]) -> Sequence[Json]:
        """Name what other agreements open, to the same city, of what was just closed."""
        in_force = self._desk.agreements.in_force(self._desk.clock_ms())
        return [
            {"covers": iri, "peer": other.peer, "agreement": other.iri}
            for other in in_force
            for iri in sorted({other.target, *other.covers})
            if any(
                (each.role, each.peer) == (PROVIDER, other.peer) and iri in (each.target, *each.covers)
                for each in acted
            )
            and other.role == PROVIDER
        ]

    def _ended(self, talk: Negotiation, reason: str, by: str) -> None:
        check_reason("revoke", reason)  # of a document's agreements it was checked before the first was revoked
        self._desk.talks.terminate(talk.pid, ENDED_BY_PERSON, [reason], by=by)
        self._deliver(talk.pid)

    def _delivered_notice(self, iri: str) -> None:
        try:
            self._desk.notices.deliver(self._desk.clock_ms(), iri)
        except NodeError:
            return  # it waits; the worker tries again, and `show` tells

    # ---------------------------------------------------------------- comments

    def comments(self, name: str) -> Sequence[Json]:
        """Give what our own staff said about a thing, the oldest first, also while it had another name."""
        return [comment(each) for each in self._desk.comments.of(self._names(self._desk.finder.find(name)))]

    def comment(self, name: str, said: str, *, by: str) -> Sequence[Json]:
        """Write a comment; no other city ever sees it. Raises Malformed, TooLarge."""
        names = self._names(self._desk.finder.find(name))
        self._desk.comments.add(names[0], names, said, who=by, at_ms=self._desk.clock_ms())
        return self.comments(name)

    def settle(self, name: str, number: int, *, settled: bool = True) -> Sequence[Json]:
        """Note that a comment is settled, or open again. Raises NotFound."""
        self._desk.comments.settle(number, self._names(self._desk.finder.find(name)), settled=settled)
        return self.comments(name)

    def _names(self, found: Found) -> Sequence[str]:
        """Give every name that a thing ever had: of a document its own and those of its parts."""
        names = [found.document] if found.document else []
        for held in found.agreements:
            talk = self._desk.finder.talk_of(held)
            names += [held.iri, *(self._names_of(talk) if talk else ())]
        for talk in found.negotiations:
            names += self._names_of(talk)
        return [*names, *(each.id for each in found.drafts)]

    def _names_of(self, talk: Negotiation) -> Sequence[str]:
        draft = self._desk.drafts.of(talk.pid)
        return [talk.pid, *([draft.id] if draft else [])]

    # ---------------------------------------------------------------- rounds

    def due(self, now_ms: int) -> bool:
        """Tell whether `round` would decide, send or sign anything, messages and notices alike: a few quick reads."""
        return self._desk.talks.due(now_ms) or self._desk.pairs.unsigned()

    def round(self, now_ms: int) -> int:
        """Send what is due of all messages and notices, and sign our journals; give how many were taken."""
        taken = self._desk.talks.deliver(now_ms) + self._desk.notices.deliver(now_ms)
        self._desk.pairs.sign(now_ms)
        return taken

    def tend(self, now_ms: int) -> None:
        """Let newer agreements replace older ones, remind of what ends or is to be reviewed, forget what was sent."""
        for duty in (self._desk.acts.supersede, self._desk.talks.outbox.forget, self._desk.reminders.tell):
            try:
                duty(now_ms)
            except NodeError as error:  # none stops the others, and the next round does it again
                _logger.warning("What is to be tended of agreements waits for the next round: %s", error)

    def reminders(self) -> Sequence[Json]:
        """Give what a person should know: what ends soon, has ended or is to be reviewed, and what waits for us."""
        return [reminder(each) for each in self._desk.reminders.due(self._desk.clock_ms())]

    def _deliver(self, pid: str) -> None:
        """Send what waits in one negotiation; what the other side does not take now is the worker's."""
        now_ms = self._desk.clock_ms()
        self._desk.talks.deliver(now_ms, pid)
        self._desk.pairs.sign(self._desk.clock_ms())

    # ---------------------------------------------------------------- finding

    def _talk(self, name: str) -> Negotiation:
        found = self._desk.finder.find(name)
        if len(found.negotiations) != 1:
            raise Conflict(
                f"{name} is no negotiation.",
                fix="List them: citynode agreements list",
            ).on_page("no.agreement.no_talk")
        return found.negotiations[0]

    def _agreement(self, name: str) -> Agreement:
        found = self._desk.finder.find(name)
        if len(found.agreements) != 1:
            raise NotFound(
                f"There is no agreement {name[:200]}.",
                fix="List them: citynode agreements list",
            ).on_page("no.agreement")
        return found.agreements[0]

    def _answer(self, talks: Sequence[Negotiation], document: str = "") -> Json:
        if document:
            return self._shown(self._desk.finder.find(document))
        return self._shown(self._desk.finder.one(talks[0]))


def _documents(drafts: Sequence[Draft], talks: Sequence[Negotiation], held: Sequence[Agreement]) -> dict[str, Found]:
    """Put together what is part of one document, by the IRI of the document."""
    parts: dict[str, tuple[list[Draft], list[Negotiation], list[Agreement]]] = {}
    for draft in drafts:
        parts.setdefault(draft.document, ([], [], []))[0].append(draft)
    for talk in talks:
        parts.setdefault(str(talk.about.get("partOf", "")), ([], [], []))[1].append(talk)
    for each in held:
        parts.setdefault(each.part_of, ([], [], []))[2].append(each)
    return {iri: Found(iri, tuple(d), tuple(t), tuple(a)) for iri, (d, t, a) in parts.items()}


def _see(name: str) -> str:
    return f"See: citynode agreements show {name}"


def _to_exchange(peer: Peer) -> str:
    """Say what lets us speak with a city."""
    if peer.quarantine:
        return f"See why it is held apart: citynode peers show {peer.name}"
    return f"citynode peers {'resume' if peer.state == 'paused' else 'approve'} {peer.name}"
