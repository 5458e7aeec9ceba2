"""The one decision point: what an agreement in force permits whom, and which clause says so.

Every door asks here: feeds, restricted records and pages, tokens, notices, reports of peers, and what holds mirrors;
search and transfers will. It fails closed: no agreement in force, no decision; a prohibition of any of them wins; what
is not known does not hold. An offer grants nothing, for only agreements are read (`bindings`). A purpose is believed
from a token alone. A permission with a `count` is used up by `execute`, where decision and count are one transaction;
`decide` never writes. Owns the table `counted`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from node.db import Database
from node.errors import NotAgreed
from node.federation.agreements import pair_collection
from node.federation.bindings import CONSUMER, PROVIDER, Bindings, Book, Bound
from node.federation.policy.evaluate import Request, World
from node.federation.policy.report import compliance_report
from node.federation.policy.terms import CHANNELS
from node.federation.tokens_metadata import DETAILS_TYPE
from node.federation.tokens_request import MAX_DETAILS
from node.journal import key_of

Role = Literal["provider", "consumer"]
Details = Sequence[Mapping[str, Any]]
Counts = Callable[[Bound, str], Mapping[str, int]]

NO_AGREEMENT = "no-agreement"
NOT_IN_TOKEN = "not-in-token"  # noqa: S105 (a code)
OTHER_DIGEST = "other-digest"
NOT_NAMED = "recipient-not-named"
PROHIBITED = "prohibited"
_MOST_RECORDS = 500
_COUNTED = "SELECT rule, uses FROM counted WHERE agreement = ? AND target = ?"
_COUNT = (
    "INSERT INTO counted (agreement, rule, target, uses) VALUES (?, ?, ?, 1)"
    " ON CONFLICT (agreement, rule, target) DO UPDATE SET uses = counted.uses + 1"
)
_HELD = (
    "SELECT DISTINCT e.record FROM entry e JOIN collection c ON c.id = e.collection_id WHERE c.name = ?"
    " AND e.record_key IN ({})"
)

WORDS: Mapping[str, str] = {
    NO_AGREEMENT: "No agreement covers it.",
    NOT_IN_TOKEN: "The token was given for other things under this agreement.",
    OTHER_DIGEST: "The token names another text of this agreement.",
    NOT_NAMED: "No clause names this recipient.",
    "agreed": "The agreement is not signed by both cities.",
    "not-yet": "The agreement has not begun.",
    "suspended": "The agreement is suspended.",
    "expired": "The agreement has ended.",
    "ended": "The agreement has ended.",
    "superseded": "Another agreement has taken the place of this one.",
    "revoked": "The agreement was revoked.",
    "no-clause": "No clause permits it.",
    PROHIBITED: "A clause forbids it.",
    "not-satisfied": "A condition of the clause does not hold.",
    "unknown": "Whether a condition of the clause holds is not known.",
    "duty-violated": "A duty of the clause was not done in time.",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. Under our agreements as `provider` about what is ours, as `consumer` about a mirror.

    Args:
        action: A name of the profile: index, read, use, distribute …
        collection: Its IRI at the origin.
        record: The record's IRI if one is asked about.
        role: What we are in the agreements that count.
        peer: The other city's name here; empty for any.
        recipient: Whose hands it is for, an IRI.
        channel: The way it is handed out, an IRI of the profile.
        details: What the caller's token says of agreements.
        bound: Only agreements that the token names count.
        named: The clause must name the recipient.
        any_purpose: Whatever purpose a clause names is taken for granted: it is our own use, or nobody's yet.
    """

    action: str
    collection: str
    record: str = ""
    role: Role = "provider"
    peer: str = ""
    recipient: str = ""
    channel: str = ""
    details: Details = ()
    bound: bool = False
    named: bool = False
    any_purpose: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes, or no with a stable code; under which agreement, by which clause, and the operand that did not hold.

    `counts` are clauses that the use of a "yes" counts against, for `target`. An agreement is named only if it is one
    with the party that is asked about.
    """

    allowed: bool
    code: str = ""
    agreement: str = ""
    clause: str = ""
    operand: str = ""
    purpose: str = ""
    counts: tuple[str, ...] = ()
    target: str = ""

    def __bool__(self) -> bool:
        """Tell whether it is a yes."""
        return self.allowed

    @property
    def party(self) -> bool:
        """Tell whether there is an agreement about it, in whatever state: only then may its party be told why."""
        return bool(self.agreement)

    @property
    def why(self) -> str:
        """Say it in one sentence."""
        return "It is permitted." if self.allowed else WORDS.get(self.code, WORDS["not-satisfied"])


_NO_PURPOSE = ("",)
_NOTHING = Decision(allowed=False, code=NO_AGREEMENT)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a collection is permitted: all of it, or else some records alone, or nothing."""

    decision: Decision
    records: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether anything is."""
        return self.decision.allowed or bool(self.records)

    @property
    def only(self) -> frozenset[str] | None:
        """Name the records, or give None for all of them."""
        return None if self.decision.allowed else self.records


class Decisions:
    """Decides. Safe to share by threads."""

    def __init__(self, db: Database, book: Book, *, base_url: str) -> None:
        """Decide by this book's agreements, for the city at `base_url`."""
        self._db = db
        self._bindings = Bindings(db, book)
        self.base_url = base_url

    # ---------------------------------------------------------------- deciding

    def decide(self, ask: Ask, now_ms: int) -> Decision:
        """Answer a question; changes nothing."""
        return self._decided(ask, now_ms, self._counted)

    def execute(self, ask: Ask, now_ms: int) -> Decision:
        """Answer, and if it is a yes that counts, count it: of any number at once exactly as many as permitted are."""
        found = self.decide(ask, now_ms)
        if not found.counts:
            return found
        with self._db.write() as tx:
            tx.lock("counted")

            def uses(bound: Bound, target: str) -> Mapping[str, int]:
                return {str(rule): int(count) for rule, count in tx.rows(_COUNTED, bound.iri, target)}

            found = self._decided(ask, now_ms, uses)
            tx.many(_COUNT, [(found.agreement, rule, found.target) for rule in found.counts])
        return found

    def _decided(self, ask: Ask, now_ms: int, counts: Counts) -> Decision:
        allowed, refused = None, _NOTHING
        for bound in self._bindings.now().about(ask.role, ask.collection, ask.record):
            if not _concerns(bound, ask):
                continue
            found = self._under(bound, ask, now_ms, counts)
            if found.allowed:
                allowed = allowed or found
            elif found.code == PROHIBITED:
                return found
            elif not refused.clause or found.clause:
                refused = found  # of two, the one that can name its clause says more; else the newer one
        return allowed or refused

    def _under(self, bound: Bound, ask: Ask, now_ms: int, counts: Counts) -> Decision:
        """Decide under one agreement."""
        state = bound.state_at(now_ms)
        if state != "in-force":
            return Decision(allowed=False, code=state, agreement=bound.iri)
        purposes, code = (bound.purposes, "") if ask.any_purpose else _claimed(bound, ask)
        if code:
            return Decision(allowed=False, code=code, agreement=bound.iri)
        found = _NOTHING
        for purpose in purposes:
            found = self._for(bound, ask, purpose, now_ms, counts)
            if found.allowed:
                break
        return found

    def _for(self, bound: Bound, ask: Ask, purpose: str, now_ms: int, counts: Counts) -> Decision:
        target = _target(bound, ask)
        uses = counts(bound, target) if bound.compiled.counts else {}
        made = bound.compiled.decide(_request(ask, purpose), _world(bound, now_ms, uses))
        code, operand = made.code, made.operand
        if made.allowed and ask.named and ask.recipient not in bound.naming.get(made.clause, ()):
            code, operand = NOT_NAMED, "recipient"
        return Decision(
            allowed=not code,
            code=code,
            agreement=bound.iri,
            clause=made.clause,
            operand=operand,
            purpose=purpose,
            counts=made.counts if not code else (),
            target=target,
        )

    def _counted(self, bound: Bound, target: str) -> Mapping[str, int]:
        return {str(rule): int(uses) for rule, uses in self._db.hot().rows(_COUNTED, (bound.iri, target))}

    # ---------------------------------------------------------------- how much of a collection

    def extent(self, ask: Ask, now_ms: int, *, name: str = "") -> Extent:
        """Tell whether all of a collection is permitted, or which of its records alone.

        Args:
            ask: About the collection.
            now_ms: Now.
            name: Its local name; records that never stood in it then do not count. Without it nothing is looked up.
        """
        whole = self.decide(ask, now_ms)
        if whole.allowed or whole.code == PROHIBITED:
            return Extent(whole)
        base = ask.collection.rpartition("/collections/")[0]
        single: dict[str, Decision] = {}
        for bound in self._bindings.now().single.get(ask.role, ()):
            if _concerns(bound, ask) and bound.text.assigner == base:
                for record in bound.records[:_MOST_RECORDS]:
                    single[record] = self.decide(replace(ask, record=record), now_ms)
        if name and single:
            there = self._standing_in(name, list(single))
            single = {record: found for record, found in single.items() if record in there}
        refused = next((found for found in single.values() if not found.allowed), whole)
        allowed = frozenset(record for record, found in single.items() if found.allowed)
        return Extent(whole if whole.agreement else refused, allowed)

    def _standing_in(self, name: str, records: Sequence[str]) -> frozenset[str]:
        sql = _HELD.format(", ".join("?" * len(records)))
        keys = [key_of(record) for record in records]
        return frozenset(row[0] for row in self._db.hot().rows(sql, (name, *keys))) & frozenset(records)

    def mirrored(self, peer: str, collection: str, now_ms: int, *, name: str = "") -> Extent:
        """Tell how much of a peer's restricted collection we may hold; `name` as for `extent`.

        What it says of its agreements with us is ours to hold for ever.
        """
        if collection.rpartition("/collections/")[2] == pair_collection(self.base_url):
            return Extent(Decision(allowed=True))
        return self.extent(self._ours(peer, collection, "index"), now_ms, name=name)

    def _ours(self, peer: str, collection: str, action: str) -> Ask:
        """Ask about our own doing with what is a peer's: for the purposes that the agreement itself names."""
        return Ask(
            action,
            collection,
            role=CONSUMER,
            peer=peer,
            recipient=self.base_url,
            channel=CHANNELS["feed"].iri,
            any_purpose=True,
        )

    def readers(self, collection: str, now_ms: int) -> frozenset[str]:
        """Name the peers that may mirror a collection of ours, or records of it, for some purpose."""
        index = self._bindings.now()
        found = set()
        for bound in (*index.about(PROVIDER, collection), *index.single.get(PROVIDER, ())):
            peer, party = bound.agreement.peer, bound.text.assignee
            ask = Ask("index", collection, peer=peer, recipient=party, channel=CHANNELS["feed"].iri, any_purpose=True)
            if peer not in found and self.extent(ask, now_ms, name=collection.rpartition("/")[2]):
                found.add(peer)
        return frozenset(found)

    # ---------------------------------------------------------------- tokens

    def granted(self, client_id: str, details: Details, now_ms: int) -> Details:
        """Decide on the `authorization_details` that a peer asks a token for: all of them, as they stand.

        Raises:
            NotAgreed: One of them is more than an agreement in force with that peer permits. Of an agreement that is
                none of its own it hears the same as of one that does not exist.
        """
        for detail in details:
            self._check_detail(client_id, detail, now_ms)
        return details

    def _check_detail(self, client_id: str, detail: Mapping[str, Any], now_ms: int) -> None:
        bound = self._bindings.now().named.get(detail["agreement"])
        if bound is None or bound.agreement.role != PROVIDER or bound.text.assignee != client_id:
            raise NotAgreed("There is no such agreement with you.")
        wanted = detail.get("datasets") or bound.covers
        if not set(wanted) <= set(bound.covers):
            raise NotAgreed("The agreement does not cover all of these datasets.", agreement=bound.iri)
        actions = detail.get("actions") or dict.fromkeys(rule.action for rule in bound.text.policy.permissions)
        found = [
            self._under(bound, self._asked_by(bound, client_id, dataset, action, detail), now_ms, self._counted)
            for dataset in wanted
            for action in actions
        ]
        allowed = [each for each in found if each.allowed]
        if len(allowed) < (len(found) if detail.get("actions") else 1):
            raise refusal(next((each for each in found if not each.allowed), _NOTHING))

    @staticmethod
    def _asked_by(bound: Bound, client_id: str, dataset: str, action: str, detail: Mapping[str, Any]) -> Ask:
        single = dataset in bound.records
        return Ask(
            action,
            "" if single else dataset,
            record=dataset if single else "",
            peer=bound.agreement.peer,
            recipient=client_id,
            details=[detail],
        )

    def claims(self, peer_url: str, collection: str, now_ms: int) -> Details:
        """Give what our own token must say to read a collection of a peer: agreement, text, purpose and actions."""
        index = self._bindings.now()
        found = []
        for bound in (*index.about(CONSUMER, collection), *index.single.get(CONSUMER, ())):
            detail = self._claim(bound, collection, now_ms) if bound.text.assigner == peer_url else None
            if detail and detail not in found:
                found.append(detail)
        return tuple(found[:MAX_DETAILS])

    def _claim(self, bound: Bound, collection: str, now_ms: int) -> Mapping[str, Any] | None:
        """Name the first purpose of an agreement for which we may mirror, and all that it permits for that."""
        asset = {"collection": collection} if collection in bound.covers else {"record": bound.records[0]}
        ours = replace(self._ours(bound.agreement.peer, "", "index"), **asset)  # type: ignore[arg-type]
        found = self._under(bound, ours, now_ms, self._counted)
        if not found.allowed:
            return None
        said = {"type": DETAILS_TYPE, "agreement": bound.iri, "digest": bound.agreement.digest}
        return {**said, **({"purpose": found.purpose} if found.purpose else {})}

    def alive(self, agreement: str, now_ms: int) -> Decision:
        """Tell whether a token that is bound to an agreement is taken now: while that is in force."""
        bound = self._bindings.now().named.get(agreement)
        if bound is None:
            return _NOTHING
        state = bound.state_at(now_ms)
        return Decision(allowed=state == "in-force", code="" if state == "in-force" else state, agreement=bound.iri)

    def grantable(self, agreement: str, purpose: str, recipient: str, now_ms: int) -> Sequence[str]:
        """Name the actions that an agreement permits somebody who acts under it, for a purpose.

        Under an agreement that grants something to us, a clause must name them; under one by which we grant, that is so
        only where the clause says to whom.

        Raises:
            NotAgreed: It permits nothing of the kind; with the clause and operand that came nearest.
        """
        bound = self._bindings.now().named.get(agreement)
        if bound is None:
            raise NotAgreed("There is no such agreement.")
        found = {
            rule.action: self._under(bound, _by_program(bound, rule.action, purpose, recipient), now_ms, self._counted)
            for rule in bound.text.policy.permissions
        }
        allowed = [action for action, decision in found.items() if decision.allowed]
        if not allowed:
            raise refusal(next((each for each in found.values() if each.clause), _NOTHING))
        return allowed

    def recipients(self, agreement: str) -> Sequence[str]:
        """Name whom the permissions of an agreement name as recipients, in order."""
        bound = self._bindings.now().named.get(agreement)
        return sorted(frozenset[str]().union(*bound.naming.values())) if bound else ()

    # ---------------------------------------------------------------- explaining

    def explain(self, ask: Ask, now_ms: int) -> dict[str, object]:
        """Say in JSON values what is decided, and what each agreement about it says by itself."""
        found = self.decide(ask, now_ms)
        considered = [
            {"state": bound.state_at(now_ms), **_told(self._under(bound, ask, now_ms, self._counted))}
            for bound in self._bindings.now().about(ask.role, ask.collection, ask.record)
            if _concerns(bound, ask)
        ]
        asked = {"action": ask.action, "collection": ask.collection, "record": ask.record, "recipient": ask.recipient}
        return {
            "asked": {key: value for key, value in asked.items() if value},
            **_told(found),
            "considered": considered,
        }

    def report(self, ask: Ask, now_ms: int) -> list[dict[str, Any]]:
        """Give an ODRL Compliance Report of each agreement in force about a question, as JSON-LD."""
        found = []
        for bound in self._bindings.now().about(ask.role, ask.collection, ask.record):
            if _concerns(bound, ask) and bound.agreement.in_force(now_ms):
                target = _target(bound, ask)
                purposes, _ = (bound.purposes, "") if ask.any_purpose else _claimed(bound, ask)
                request = replace(_request(ask, next(iter(purposes), "")), target=target, party=bound.text.assignee)
                world = _world(bound, now_ms, self._counted(bound, target))
                found.append(compliance_report(bound.text.policy, request, world))
        return found


def _by_program(bound: Bound, action: str, purpose: str, recipient: str) -> Ask:
    """Ask what a program under an agreement may do with the first of the things it covers."""
    asset = bound.covers[0]
    single = asset in bound.records
    return Ask(
        action,
        "" if single else asset,
        record=asset if single else "",
        recipient=recipient,
        details=[{"agreement": bound.iri, "purpose": purpose}],
        bound=True,
        named=bound.agreement.role == CONSUMER,
    )


def _target(bound: Bound, ask: Ask) -> str:
    """Say what a use counts against: the record, where the agreement is about single records, else the collection."""
    return ask.record if ask.record in bound.records else ask.collection


@lru_cache(maxsize=1_024)
def _requested(action: str, purpose: str, recipient: str, channel: str) -> Request:
    return Request(action, purpose=purpose, recipient=recipient, channel=channel)


def _request(ask: Ask, purpose: str) -> Request:
    return _requested(ask.action, purpose, ask.recipient, ask.channel)


def _world(bound: Bound, now_ms: int, uses: Mapping[str, int]) -> World:
    return World(now_ms, bound.text.issued_ms, uses)


def refusal(found: Decision) -> NotAgreed:
    """Say a "no" to a party of the agreement."""
    about = f" ({found.operand})" if found.operand else ""
    fix = "Ask for a token whose authorization_details name the purpose." if found.operand == "purpose" else ""
    said = {"agreement": found.agreement, "clause": found.clause, "operand": found.operand}
    return NotAgreed(f"{found.why.rstrip('.')}{about}.", **said, fix=fix or "Ask the city whose agreement it is.")


def _told(found: Decision) -> dict[str, object]:
    return {
        "allowed": found.allowed,
        "code": found.code,
        "why": found.why,
        "agreement": found.agreement,
        "clause": found.clause,
        "operand": found.operand,
        "purpose": found.purpose,
    }


def _concerns(bound: Bound, ask: Ask) -> bool:
    if ask.peer and bound.agreement.peer != ask.peer:
        return False
    return not ask.bound or any(detail["agreement"] == bound.iri for detail in ask.details)


def _claimed(bound: Bound, ask: Ask) -> tuple[Sequence[str], str]:
    """Give the purposes that the token names under this agreement, none if it names none; or why it does not count."""
    purposes: list[str] = []
    named = False
    for detail in ask.details:
        if detail["agreement"] != bound.agreement.iri:
            continue
        named = True
        if detail.get("digest", bound.agreement.digest) != bound.agreement.digest:
            return (), OTHER_DIGEST
        actions, datasets = detail.get("actions"), detail.get("datasets")
        if actions is not None and ask.action not in actions:
            continue
        if datasets is None or ask.collection in datasets or ask.record in datasets:
            purposes.append(str(detail.get("purpose", "")))
    if named and not purposes:
        return (), NOT_IN_TOKEN
    return purposes or _NO_PURPOSE, ""
