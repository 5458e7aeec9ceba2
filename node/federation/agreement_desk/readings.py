"""What can be read about agreements: their sentences, what changed between versions, what they would permit, proofs.

Everything that a person approves is read here as the sentences of the profile; the names of cities and collections in
them are ours to look up, the IRIs stand beside them. Also what a draft begins with when it asks for an offer of another
city, or is to replace an agreement. Nothing is written here; an offer of another city is asked of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol, cast

from node.errors import Malformed, NotAgreed, NotFound
from node.federation.agreement_desk.asked import Asked
from node.federation.agreement_desk.drafting import CONSUMER, PROVIDER, Wish, Words, template_named
from node.federation.agreement_desk.drafts import Draft
from node.federation.agreement_desk.export import Sources, export_bundle, verify_here
from node.federation.agreement_desk.finder import Finder
from node.federation.agreement_desk.residents import UNLOOKED, AboutResidents, moving
from node.federation.agreement_desk.view import Json, moment
from node.federation.agreements.agreements import Agreement
from node.federation.agreements.verifier import AgreementReport
from node.federation.dsp.documents import Catalog
from node.federation.negotiation import Negotiation
from node.federation.negotiations.store import Said
from node.federation.negotiations.wire import read_kept, rules_of, terms_of
from node.federation.peers.store import Peer
from node.federation.policy import read_rules, write_rules
from node.federation.policy.clauses import checked_language
from node.federation.policy.purposes import purpose_named
from node.federation.policy.redline import plain_redline, redline
from node.federation.policy.sentences import Parties, Terms, parse, plain, read_plain, sections
from node.federation.policy.templates import Template, templates
from node.federation.policy.terms import ACTIONS, CHANNELS, DPV
from node.federation.rights.decisions import Ask, Decisions

Names = Callable[[], Mapping[str, str]]


class Book(Protocol):
    """The book of peers."""

    def get(self, name: str) -> Peer:
        """Give a peer. Raises NotFound."""

    def by_url(self, url: str) -> Peer | None:
        """Find a peer by its base URL."""


class Catalogues(Protocol):
    """Who reads the catalogues of other cities."""

    def catalogue(self, peer_url: str) -> Iterable[Catalog]:
        """Give a peer's catalogue page by page."""


class Talks(Protocol):
    """What is asked of negotiations."""

    def messages(self, pid: str) -> Sequence[Said]:
        """Give what was said in one, in order."""


class Held(Protocol):
    """What is asked of the book of agreements."""

    def of_peer(self, name: str) -> Sequence[Agreement]:
        """Give every agreement with a peer."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the terms of a negotiation or an agreement, and who said it when."""

    terms: Terms
    digest: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Readings:
    """Reads. `city` is our name and `base_url` our own; `names` gives titles of collections by IRI.

    `asked` looks up what a question is about, `about_residents` says what a transfer of a record would hear.
    """

    finder: Finder
    talks: Talks
    agreements: Held
    decisions: Decisions
    peers: Book
    catalogues: Catalogues
    sources: Sources
    city: str
    base_url: str
    names: Names
    asked: Asked
    about_residents: AboutResidents
    clock_ms: Callable[[], int]

    # ---------------------------------------------------------------- templates and words

    def templates(self, lang: str = "en") -> list[Json]:
        """List the templates with the places to fill in."""
        return templates_shown(lang)

    def template(self, name: str, lang: str = "en") -> Json:
        """Give one template. Raises NotFound."""
        return template_shown(name, lang)

    def explain(self, name: str, lang: str) -> Json:
        """Say a draft, a negotiation or an agreement, or the parts of a document, in sentences.

        Raises:
            NotFound: There is nothing of this name.
            Malformed: A language that agreements are not written in.
        """
        found = self.finder.find(name)
        parts = [self._explained(each, lang) for each in found.all]
        return {"lang": lang, "document": found.document, "parts": parts}

    def _explained(self, thing: Draft | Negotiation | Agreement, lang: str) -> Json:
        version = self.versions(thing)[-1]
        said = version.terms
        policy = said.rules if not isinstance(said.rules, Mapping) else read_rules(said.rules, policy_id="urn:terms")
        return {
            "id": _id(thing),
            "title": str(said.about.get("title", "")),
            "assigner": said.parties.assigner,
            "assignee": said.parties.assignee,
            "target": said.target,
            "terms": version.digest,
            "about": dict(said.about),
            "rules": write_rules(policy),
            "sections": [asdict(each) for each in sections(said, lang)],
            "text": plain(said, lang),
        }

    def of_offer(self, talk: Negotiation, offer: Json, about: Json, lang: str) -> Json:
        """Say an answer in sentences that was not sent yet."""
        parties = self._parties(talk.role, talk.peer)
        said = Terms(rules_of(offer), about, parties, str(offer["target"]))
        return {"assigner": parties.assigner, "assignee": parties.assignee, "text": plain(said, lang)}

    def words_of(self, text: str, name: str, lang: str) -> Json:
        """Read rules back from sentences as `explain` writes them, of a thing with this name, by its parties' names.

        Raises:
            Malformed: A sentence that no rule says.
        """
        thing = self.finder.find(name).all[0]
        parties = self.versions(thing)[-1].terms.parties
        return write_rules(parse(read_plain(text), parties, lang))

    # ---------------------------------------------------------------- versions

    def versions(self, thing: Draft | Negotiation | Agreement) -> list[Version]:
        """Give the versions of the terms, the oldest first."""
        if isinstance(thing, Draft):
            parties = self._parties(thing.role, self.peers.get(thing.peer).url)
            terms = Terms(thing.rules, thing.about, parties, thing.target)
            return [Version(terms, thing.terms, "us", thing.created_at)]
        if isinstance(thing, Agreement):
            return self._of_agreement(thing)
        return self._of_talk(thing)

    def _of_talk(self, talk: Negotiation) -> list[Version]:
        found: list[Version] = []
        for said in self.talks.messages(talk.pid):
            if said.kind not in ("offer", "request") or (found and found[-1].digest == said.terms):
                continue
            heard = read_kept(said.body)
            about = heard.about if heard.about is not None else talk.about
            terms = Terms(rules_of(heard.offer), about, self._parties(talk.role, talk.peer), str(heard.offer["target"]))
            found.append(Version(terms, said.terms, "us" if said.direction == "out" else "them", said.at))
        if not found or found[-1].digest != talk.terms:
            terms = Terms(rules_of(talk.offer), talk.about, self._parties(talk.role, talk.peer), talk.target)
            found.append(Version(terms, talk.terms, talk.offered_by, talk.changed_at))
        return found

    def _of_agreement(self, held: Agreement) -> list[Version]:
        talk = self.finder.talk_of(held)
        text = held.text
        other = text.assignee if held.role == PROVIDER else text.assigner
        terms = Terms(text.policy, text.about, self._parties(held.role, other), text.target)
        final = Version(terms, terms_of({"target": text.target, **text.rules}, text.about), "both", held.agreed_at)
        before = [each for each in self._of_talk(talk) if each.digest != final.digest] if talk else []
        return [*before, final]

    def _parties(self, role: str, other: str) -> Parties:
        peer = self.peers.by_url(other)
        theirs = (peer.title or peer.name) if peer else other
        names = {**self.names(), self.base_url: self.city, other: theirs}
        return Parties(self.city, theirs, names) if role == PROVIDER else Parties(theirs, self.city, names)

    def diff(self, name: str, other: str = "", *, lang: str) -> Json:
        """Say what changed: between the last two versions, from what it replaces, or from another thing to this one.

        Raises:
            NotFound: There is nothing to compare it with.
        """
        thing = self.finder.find(name).all[0]
        new = self.versions(thing)
        old = self._before(thing, new, other)
        changes = redline(old.terms, new[-1].terms, lang)
        return {
            "lang": lang,
            "from": {"terms": old.digest, "by": old.by, "at": moment(old.at_ms)},
            "to": {"terms": new[-1].digest, "by": new[-1].by, "at": moment(new[-1].at_ms)},
            "changes": [asdict(each) for each in changes if each.kind != "same"],
            "text": plain_redline([each for each in changes if each.kind != "same"]),
        }

    def _before(self, thing: Draft | Negotiation | Agreement, new: Sequence[Version], other: str) -> Version:
        if other:
            return self.versions(self.finder.find(other).all[0])[-1]
        if len(new) > 1:
            return new[-2]
        replaced = thing.replaces if isinstance(thing, Agreement) else str(thing.about.get("replaces", ""))
        if not replaced:
            raise NotFound(
                "There is one version of it alone.",
                fix="Name another one to compare it with.",
            ).on_page("no.agreement.one_version")
        return self.versions(self.finder.find(replaced).all[0])[-1]

    @staticmethod
    def terms(offer: Mapping[str, Any], about: Mapping[str, Any]) -> str:
        """Give the digest of the terms of an offer."""
        return terms_of(offer, about)

    # ---------------------------------------------------------------- beginnings

    def asking_for(self, wish: Wish) -> Wish:
        """Fill in what a draft asks for: an offer of the other city, as it stands in its catalogue.

        Raises:
            NotFound: It shows us no such offer.
        """
        for dataset, offer in self._offers(wish.peer):
            if offer["id"] == wish.offer:
                words = Words(rules=offer["rules"], about=offer["about"])
                return replace(wish, role=CONSUMER, target=dataset, covers=(), theirs=(), words=words)
        raise NotFound(
            f"{wish.peer} shows us no offer {wish.offer[:200]}.", fix="citynode offers list --of PEER"
        ).on_page("no.offer.theirs", field="offer", name=wish.peer)

    def offers_of(self, peer: str) -> list[Json]:
        """List what a peer offers us, as its catalogue says it now."""
        return [{**offer, "target": dataset} for dataset, offer in self._offers(peer)]

    def _offers(self, name: str) -> Iterable[tuple[str, Json]]:
        for page in self.catalogues.catalogue(self.peers.get(name).url):
            for dataset in page.datasets:
                for offer in dataset.offers:
                    title = str(offer.about.get("title", ""))
                    said = {"about": dict(offer.about), "rules": dict(offer.rules)}
                    yield dataset.iri, {"kind": "offer", "id": offer.iri, "title": title, **said}

    @staticmethod
    def replacing(wish: Wish, held: Agreement) -> Wish:
        """Fill in what a draft replaces: its city, direction, target and words, as far as nothing else is said."""
        if wish.peer and wish.peer != held.peer:
            raise Malformed(
                f"That agreement is with {held.peer}.", fix=f"Say --with {held.peer}, or leave it out."
            ).on_page("no.agreement.with", field="peer", name=held.peer)
        text, words = held.text, wish.words
        if not words.template and words.rules is None:
            words = replace(words, rules=text.rules, about={**text.about, **words.about})
        else:
            kept = {key: text.about[key] for key in ("title", "partOf") if text.about.get(key)}
            kept = kept if not words.template else {key: kept[key] for key in ("partOf",) if key in kept}
            words = replace(words, about={**kept, **words.about})
        return replace(
            wish,
            peer=held.peer,
            role=held.role,
            replaces=held.iri,
            target=wish.target or held.target,
            words=words,
            covers=tuple(wish.covers) or held.covers,
            theirs=tuple(wish.theirs) or held.covers,
        )

    # ---------------------------------------------------------------- decisions

    def simulate(self, ask: "Question") -> Json:
        """Say what a peer would be allowed, and which clause says so.

        A record of which no collection is named is asked about in each that it stands in. Its use by transfer is also
        asked of what stands before transfers; where only a collection is named that cannot be known, and the answer
        says so as `unlooked`.

        Raises:
            NotFound: There is no such peer, or nothing of ours of this name.
            Malformed: There is no such action, purpose, channel or language, nothing is asked about, or several are.
        """
        peer, now_ms = self.peers.get(ask.peer), self.clock_ms()
        checked_language(ask.lang)
        if ask.action not in ACTIONS:
            raise Malformed(
                f"There is no action {ask.action[:40]!r}.",
                fix=f"One of: {_actions()}.",
            ).on_page("no.agreement.action", field="action")
        if ask.channel and ask.channel not in CHANNELS:
            raise Malformed(
                f"There is no channel {ask.channel[:40]!r}.", fix=f"One of: {', '.join(CHANNELS)}."
            ).on_page("no.agreement.channel", field="channel")
        # A stranger's token may claim a purpose of any vocabulary; one of ours that there is not is a slip.
        foreign = ":" in ask.purpose and not ask.purpose.startswith((DPV, "dpv:"))
        purpose = ask.purpose if foreign or not ask.purpose else purpose_named(ask.purpose)
        agreed = self.agreements.of_peer(ask.peer)
        details = [{"agreement": each.iri, **({"purpose": purpose} if purpose else {})} for each in agreed]
        covered = {iri for each in agreed for iri in (each.target, *each.covers)}
        question = Ask(
            ask.action,
            "",
            peer=peer.name,
            recipient=ask.recipient or peer.url,
            channel=CHANNELS[ask.channel].iri if ask.channel else "",
            details=details if purpose else (),
        )
        about = self.asked.about(ask.collection, ask.record, covered)
        heard = [replace(question, collection=collection, record=record) for collection, record in about]
        answers = [(each, self._answer(each, purpose, now_ms)) for each in heard]
        # One door is enough; of several that are shut, the one that an agreement speaks of.
        question, said = max(answers, key=lambda one: (one[1]["allowed"], bool(one[1].get("agreement"))))
        said["sentence"] = self._sentence_of(str(said.get("agreement", "")), str(said.get("clause", "")), ask.lang)
        if ask.report:
            said["report"] = self.decisions.report(question, now_ms)
        return {"peer": ask.peer, **said}

    def _answer(self, question: Ask, purpose: str, now_ms: int) -> dict[str, Any]:
        said = dict(self.decisions.explain(question, now_ms))
        if question.record:
            said["record"] = question.record
        if question.action != "use" or question.channel not in ("", CHANNELS["transfer"].iri) or not said["allowed"]:
            return said
        if not question.record:
            return said | {"unlooked": UNLOOKED}
        considered = cast("Sequence[Json]", said["considered"])
        return said | dict(moving(self.about_residents, question.record, purpose, considered))

    def grantable(self, name: str, purpose: str, recipient: str) -> "Grantable":
        """Say what somebody may do who acts under an agreement, by a token of ours, for a purpose.

        Raises:
            NotFound: There is no such agreement.
            NotAgreed: It grants nothing to us, or nothing of the kind; with the clause and operand that came nearest.
            Malformed: There is no such purpose, or it is open which of several recipients it is.
        """
        purpose, held = purpose_named(purpose), self._one(name)
        if held.role == PROVIDER:
            peer = self.peers.get(held.peer)
            raise NotAgreed(
                f"Only the receiving city ({peer.title or peer.name}) issues tokens under this agreement.",
                agreement=held.iri,
                fix="Ask that city; here: citynode tokens issue NAME --scope read:COLLECTION",
            ).on_page("no.agreement.receiver", name=peer.title or peer.name)
        named = self.decisions.recipients(held.iri)
        if not recipient and len(named) > 1:
            raise Malformed(
                "The agreement names several recipients.", fix=f"Say --recipient {' or '.join(named)}."
            ).on_page("no.agreement.recipients", known=", ".join(named))
        whom = recipient or next(iter(named), "")
        actions = self.decisions.grantable(held.iri, purpose, whom, self.clock_ms())
        return Grantable(held.iri, purpose, whom, tuple(actions))

    def _sentence_of(self, agreement: str, clause: str, lang: str) -> str:
        """Give the sentence that says a clause, with its number; empty if there is none."""
        if not agreement or not clause:
            return ""
        held = next((each for each in self.finder.find(agreement).agreements), None)
        if held is None:
            return ""
        for section in sections(self._of_agreement(held)[-1].terms, lang):
            for one in section.sentences:
                if clause in one.clauses:
                    return f"{one.number} {one.text}"
        return ""

    # ---------------------------------------------------------------- proofs

    def export(self, name: str) -> bytes:
        """Write everything that proves an agreement into one file. Raises NotFound."""
        return export_bundle(self.sources, self._one(name), now_ms=self.clock_ms())

    def verify(self, name: str) -> AgreementReport:
        """Prove an agreement as this node holds it. Raises NotFound."""
        return verify_here(self.sources, self._one(name), now_ms=self.clock_ms())

    def _one(self, name: str) -> Agreement:
        found = self.finder.find(name).agreements
        if len(found) != 1:
            raise NotFound(
                f"{name[:200]} is not one agreement.",
                fix="List them: citynode agreements list",
            ).on_page("no.agreement")
        return found[0]


@dataclass(frozen=True, slots=True)
class Question:
    """What a peer would do: `action` and `channel` by their names, `collection` and `purpose` by name or IRI.

    `record` is an IRI, the address of a page, or the end of either; without one all of the collection is meant.
    """

    peer: str
    action: str
    collection: str = ""
    record: str = ""
    purpose: str = ""
    recipient: str = ""
    channel: str = ""
    lang: str = "en"
    report: bool = False


@dataclass(frozen=True, slots=True)
class Grantable:
    """What a token may be bound to, an agreement, a purpose and a recipient by their IRIs; and what it then permits."""

    agreement: str
    purpose: str
    recipient: str
    actions: tuple[str, ...]


def _id(thing: Draft | Negotiation | Agreement) -> str:
    if isinstance(thing, Draft):
        return thing.id
    return thing.iri if isinstance(thing, Agreement) else thing.pid


def _actions() -> str:
    return ", ".join("index (= mirror)" if each == "index" else each for each in sorted(ACTIONS))


def templates_shown(lang: str) -> list[Json]:
    """List the templates with the places to fill in. Raises Malformed for a language that they are not written in."""
    return [_template(each, checked_language(lang)) for each in templates()]


def template_shown(name: str, lang: str) -> Json:
    """Give one template with the places to fill in. Raises NotFound, Malformed."""
    return _template(template_named(name), checked_language(lang))


def _template(template: Template, lang: str) -> Json:
    return {
        "id": template.id,
        "title": _said(template.title, lang),
        "summary": _said(template.summary, lang),
        "places": [
            {
                "name": place.name,
                "kind": place.kind,
                "needed": place.needed,
                "default": place.default,
                "example": place.example,
                "choices": {name: _said(words, lang) for name, words in place.choices.items()},
                "title": _said(place.title, lang),
                "help": _said(place.help, lang),
            }
            for place in template.places
        ],
    }


def _said(words: Mapping[str, str], lang: str) -> str:
    return words.get(lang) or words.get("en", "")
