"""The one decision point: what an agreement in force permits whom, and which clause says so.

Every door asks here: feeds, restricted records and pages, search, tokens, notices, reports of peers, and what holds
mirrors, and transfers. It fails closed: no agreement in force, no decision; a prohibition of any of them wins; what
is not known does not hold. An offer grants nothing, for only agreements are read (`bindings`). A purpose is believed
from a token alone. A permission with a `count` is used up by `execute`, where decision and count are one transaction;
`decide` never writes. Owns the table `counted`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from node.db import Database, Tx
from node.errors import NotAgreed, TooLarge
from node.federation.agreements.agreements import pair_collection
from node.federation.agreements.bindings import CONSUMER, PROVIDER, Bindings, Book, Bound, check_grant
from node.federation.agreements.claimed import by_program, claimed, is_named, purposes_in
from node.federation.answers import (
    NOT_NAMED,
    NOTHING,
    PROHIBITED,
    WORDS,
    Ask,
    Decision,
    Details,
    Extent,
    Records,
    refusal,
    told,
)
from node.federation.data.quotas import used
from node.federation.policy.compiled import Compiled
from node.federation.policy.evaluate import Request, World, counted
from node.federation.policy.model import leaves
from node.federation.policy.report import compliance_report
from node.federation.policy.terms import CHANNELS
from node.federation.policy.values import bytes_in
from node.federation.tokens.metadata import DETAILS_TYPE
from node.federation.tokens.request import MAX_DETAILS

__all__ = ["WORDS", "Ask", "Decision", "Decisions", "Details", "Extent", "Records", "refusal"]
Counts = Callable[[Bound, str], Mapping[str, int]]

_COUNTED = "SELECT rule, uses FROM counted WHERE agreement = ? AND target = ?"
_COUNT = (
    "INSERT INTO counted (agreement, rule, target, uses) VALUES (?, ?, ?, 1)"
    " ON CONFLICT (agreement, rule, target) DO UPDATE SET uses = counted.uses + 1"
)


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
        return self.execute_all((ask,), now_ms)

    def execute_all(self, asks: Sequence[Ask], now_ms: int) -> Decision:
        """Answer several at once, all or none: give the first "no", and then count nothing, or else the first "yes".

        What all of them count against together is counted once: it is one use.
        """
        found = [self.decide(ask, now_ms) for ask in asks]
        if all(found) and any(each.counts for each in found):
            found = self._spent(asks, now_ms)
        return next((each for each in found if not each), found[0])

    def execute_in(self, tx: Tx, asks: Sequence[Ask], now_ms: int) -> Decision:
        """Answer and count as `execute_all` does, in a transaction of the caller's: the count stands if that does."""
        found = self._counted_in(tx, asks, now_ms)
        return next((each for each in found if not each), found[0])

    def _spent(self, asks: Sequence[Ask], now_ms: int) -> list[Decision]:
        with self._db.write() as tx:
            return self._counted_in(tx, asks, now_ms)

    def _counted_in(self, tx: Tx, asks: Sequence[Ask], now_ms: int) -> list[Decision]:
        tx.lock("counted")

        def uses(bound: Bound, target: str) -> Mapping[str, int]:
            return {str(rule): int(count) for rule, count in tx.rows(_COUNTED, bound.iri, target)}

        found = [self._decided(ask, now_ms, uses) for ask in asks]
        if all(found):
            used = ((each.agreement, rule, each.target) for each in found for rule in each.counts)
            tx.many(_COUNT, list(dict.fromkeys(used)))
        return found

    def _decided(self, ask: Ask, now_ms: int, counts: Counts) -> Decision:
        return self._judged(self._about(ask), ask, now_ms, counts)

    def _about(self, ask: Ask) -> Sequence[Bound]:
        """Give every agreement on what is asked about with whom it concerns, whether or not a token names it."""
        index = self._bindings.now()
        found = [index.about(ask.role, ask.collection, ask.record, peer=peer) for peer in self._parties(ask)]
        return found[0] if len(found) == 1 else [bound for each in found for bound in each]

    def _parties(self, ask: Ask) -> Sequence[str]:
        """Name the other city; of a token for programs, those whose agreements it names. Empty for any."""
        if ask.peer or not ask.bound:
            return (ask.peer,)
        named = (self._bindings.now().named.get(detail["agreement"]) for detail in ask.details)
        return tuple(dict.fromkeys(bound.agreement.peer for bound in named if bound is not None))

    def _judged(self, about: Sequence[Bound], ask: Ask, now_ms: int, counts: Counts) -> Decision:
        """Decide by these agreements: the prohibitions of all that are in force, then what any that counts permits."""
        banning = [each for each in about if each.bans is not None and each.state_at(now_ms) == "in-force"]
        if banning and not ask.any_purpose:
            banned = self._banned(banning, ask, purposes_in(ask.details), now_ms, counts)
            if banned is not None:
                return banned
        allowed, refused, said = None, NOTHING, (False, False, -1.0)
        for bound in about:
            if ask.bound and not is_named(bound, ask):
                continue
            found = self._under(bound, ask, now_ms, counts, banning)
            if found.allowed:
                allowed = allowed or found
            elif said <= (says := (bool(found.clause), found.code == "suspended", bound.until(now_ms))):
                # Most says who can name a clause, then what may go on, then what ended last, then what is newer.
                refused, said = found, says
        return allowed or refused

    def _banned(
        self, banning: Sequence[Bound], ask: Ask, purposes: Sequence[str], now_ms: int, counts: Counts
    ) -> Decision | None:
        """Find a prohibition that stands for one of these purposes, whatever the token was narrowed to."""
        for bound in banning:
            for purpose in purposes:
                found = self._for(bound, bound.bans, ask, purpose, now_ms, counts)
                if found.code == PROHIBITED:
                    return found
        return None

    def _under(self, bound: Bound, ask: Ask, now_ms: int, counts: Counts, banning: Sequence[Bound]) -> Decision:
        """Decide by what one agreement permits."""
        state = bound.state_at(now_ms)
        if state != "in-force":
            return Decision(allowed=False, code=state, agreement=bound.iri)
        purposes, code = (bound.purposes, "") if ask.any_purpose else claimed(bound, ask)
        if code:
            return Decision(allowed=False, code=code, agreement=bound.iri)
        found = NOTHING
        for purpose in purposes:
            found = self._for(bound, bound.grants, ask, purpose, now_ms, counts)
            if found.allowed and ask.any_purpose and banning:
                banned = self._banned(banning, ask, (purpose,), now_ms, counts)
                found = found if banned is None else banned
            if found.allowed:
                break
        return found

    def _for(
        self, bound: Bound, rules: Compiled | None, ask: Ask, purpose: str, now_ms: int, counts: Counts
    ) -> Decision:
        """Decide by some rules of one agreement, for one purpose."""
        if rules is None:
            return NOTHING
        target = _target(bound, ask)
        uses = counts(bound, target) if bound.counting else {}
        if ask.used and uses:
            own = _limited(bound, ask.used, ask.action)
            uses = {rule: number - (rule in own) for rule, number in uses.items()}
        made = rules.decide(_request(ask, purpose), _world(bound, now_ms, uses, self._delivered(bound, target, ask)))
        code, operand = made.code, made.operand
        if made.allowed and not bound.hands_to(ask, made.clause):
            code, operand = NOT_NAMED, "recipient"
        return Decision(
            allowed=not code,
            code=code,
            agreement=bound.iri,
            clause=made.clause,
            operand=operand,
            purpose=purpose,
            counts=_limited(bound, made.clause, ask.action) if bound.counting and not code else (),
            target=target,
            measures=_measured(bound, made.clause) if bound.measuring and not code else (),
        )

    def _delivered(self, bound: Bound, target: str, ask: Ask) -> Mapping[str, int] | None:
        """Say how many bytes went under each clause; None where nobody counts them, which is all but transfers.

        A use that goes on was let in before: the door takes each byte of it out of what is left.
        """
        if bound.measuring and ask.action != "use":
            return None
        return used(self._db, bound.iri, target) if bound.measuring and not ask.used else {}

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
        singles = self._singles(ask, name)
        if whole.allowed:
            banned = (record for record, found in singles.items() if any(each.bans is not None for each in found))
            but = frozenset(each for each in banned if not self.decide(replace(ask, record=each), now_ms))
            return Extent(whole, but=but)
        decided = {record: self.decide(replace(ask, record=record), now_ms) for record in singles}
        allowed = frozenset(record for record, found in decided.items() if found.allowed)
        counted = frozenset(record for record in allowed if decided[record].counts)
        if whole.agreement or not decided:
            return Extent(whole, allowed, counted=counted)
        of, named = self._bindings.places().of, self._bindings.now().named
        refused = (
            found
            for record, found in decided.items()
            if not found.allowed
            and found.agreement
            and named[found.agreement].seen(record, of.get(record, {}).get(name), now_ms)
        )
        return Extent(next(refused, whole), allowed, counted=counted)

    def _singles(self, ask: Ask, name: str) -> Mapping[str, tuple[Bound, ...]]:
        """Find the records that agreements name one by one, of those that stand or stood in a collection."""
        base = ask.collection.rpartition("/collections/")[0]
        placed = self._bindings.places()
        found = dict[str, tuple[Bound, ...]]()
        for peer in self._parties(ask):
            singles = self._bindings.now().singles.get((ask.role, peer), {})
            for record in placed.within.get(name, ()) if name else singles:
                bounds = singles.get(record, ())
                if any(bound.text.assigner == base for bound in bounds):
                    found[record] = bounds
        return found

    def may_know(self, found: Decision, record: str, name: str, now_ms: int) -> bool:
        """Tell whether the party of the agreement that refuses a record may hear that: it knew of it while in force.

        As much is looked up of a record that is not there, or that no agreement is about.
        """
        first_ms, bound = self._bindings.first(name, record), self._bindings.now().named.get(found.agreement)
        return bound is not None and bound.seen(record, first_ms, now_ms)

    def mirrored(self, peer: str, collection: str, now_ms: int, *, name: str = "") -> Extent:
        """Tell how much of a peer's restricted collection we may hold; `name` as for `extent`.

        What it says of its agreements with us is ours to hold for ever.
        """
        if self._is_of_pair(collection):
            return Extent(Decision(allowed=True))
        return self.extent(self._ours(peer, collection, "index"), now_ms, name=name)

    def held(self, peer: str, collection: str, record: str, now_ms: int) -> Decision:
        """Tell whether we may hold one record of it."""
        if self._is_of_pair(collection):
            return Decision(allowed=True)
        return self.decide(replace(self._ours(peer, collection, "index"), record=record), now_ms)

    def is_pair(self, name: str, url: str) -> bool:
        """Tell whether an own collection is the journal of our agreements with the city at `url`, which may read it."""
        return self._bindings.now().pairs.get(name) == url

    def _is_of_pair(self, collection: str) -> bool:
        """Tell whether a peer's collection is its journal of its agreements with us."""
        return collection.rpartition("/collections/")[2] == pair_collection(self.base_url)

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
        index, name = self._bindings.now(), collection.rpartition("/")[2]
        singles = index.singles.get((PROVIDER, ""), {})
        within = (singles.get(record, ()) for record in self._bindings.places().within.get(name, ()))
        bounds = (*index.about(PROVIDER, collection), *(bound for found in within for bound in found))
        parties = {(bound.agreement.peer, bound.text.assignee) for bound in bounds}

        def asked(peer: str, party: str) -> Ask:
            return Ask("index", collection, peer=peer, recipient=party, channel=CHANNELS["feed"].iri, any_purpose=True)

        return frozenset(peer for peer, party in parties if self.extent(asked(peer, party), now_ms, name=name))

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
            self._judged((bound,), self._asked_by(bound, client_id, dataset, action, detail), now_ms, self._counted)
            for dataset in wanted
            for action in actions
        ]
        allowed = [each for each in found if each.allowed]
        if len(allowed) < (len(found) if detail.get("actions") else 1):
            raise refusal(next((each for each in found if not each.allowed), NOTHING))

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
        """Give what our own token must say to read a collection of a peer: agreement, text, purpose and actions.

        Nothing for its journal of its agreements with us, which is ours to read whatever becomes of them: a token that
        names one that is over is refused, and that journal alone says so.

        Raises:
            TooLarge: Purposes must be named under more agreements than a token can name.
        """
        if self._is_of_pair(collection):
            return ()
        found = self.agreed(peer_url, collection, now_ms)
        if len(found) > MAX_DETAILS:  # what is not tied to a purpose counts unnamed, too
            found = [each for each in found if "purpose" in each]
        if len(found) > MAX_DETAILS:
            raise TooLarge(
                f"{collection} is read under {len(found)} agreements with purposes; a token names {MAX_DETAILS}.",
                fix="Agree on several records in one agreement, or on the collection.",
            )
        return tuple(found)

    def agreed(self, peer_url: str, collection: str, now_ms: int) -> Details:
        """Give a claim for each agreement under which we may mirror a collection of a peer, or records in it.

        A record of which nothing is held yet may stand in any of that peer's.
        """
        index = self._bindings.now()
        bounds = {bound.iri: bound for bound in (*index.about(CONSUMER, collection), *self._single_in(collection))}
        made = (self._claim(bound, collection, now_ms) for bound in bounds.values() if bound.text.assigner == peer_url)
        return [each for each in made if each]

    def _single_in(self, collection: str) -> Iterator[Bound]:
        name, places = collection.rpartition("/")[2], self._bindings.places().of
        for record, bounds in self._bindings.now().singles.get((CONSUMER, ""), {}).items():
            for bound in bounds:
                there = [each for each in places.get(record, ()) if each.startswith(f"{bound.agreement.peer}/")]
                if not there or f"{bound.agreement.peer}/{name}" in there:
                    yield bound

    def _claim(self, bound: Bound, collection: str, now_ms: int) -> Mapping[str, Any] | None:
        """Name the first purpose of an agreement for which we may mirror, and all that it permits for that."""
        whole = collection in bound.covers
        record = "" if whole else next(one for one in bound.covers if one in bound.records)
        ours = replace(self._ours(bound.agreement.peer, collection if whole else "", "index"), record=record)
        banning = [each for each in self._about(ours) if each.bans is not None and each.agreement.in_force(now_ms)]
        found = self._under(bound, ours, now_ms, self._counted, banning)
        if not found.allowed:
            return None
        said = {"type": DETAILS_TYPE, "agreement": bound.iri, "digest": bound.agreement.digest}
        return {**said, **({"purpose": found.purpose} if found.purpose else {})}

    def granting(self, now_ms: int) -> Sequence[Bound]:
        """Give the agreements in force that grant something to us."""
        found = self._bindings.now().named.values()
        return [each for each in found if each.agreement.role == CONSUMER and each.state_at(now_ms) == "in-force"]

    def alive(self, agreement: str, now_ms: int) -> Decision:
        """Tell whether a token that is bound to an agreement is taken now: while that is in force."""
        bound = self._bindings.now().named.get(agreement)
        if bound is None:
            return NOTHING
        state = bound.state_at(now_ms)
        return Decision(allowed=state == "in-force", code="" if state == "in-force" else state, agreement=bound.iri)

    def grantable(self, agreement: str, purpose: str, recipient: str, now_ms: int) -> Sequence[str]:
        """Name the actions that an agreement permits somebody who acts under it, for a purpose.

        It must be one that grants something to us, and a clause must name them.

        Raises:
            NotAgreed: It permits nothing of the kind; with the clause and operand that came nearest.
        """
        bound = self._bindings.now().named.get(agreement)
        if bound is None:
            raise NotAgreed("There is no such agreement.")
        check_grant(bound, purpose)
        found = {
            rule.action: self.decide(by_program(bound, rule.action, purpose, recipient), now_ms)
            for rule in bound.text.policy.permissions
            if rule.action != "index"
        }
        allowed = [action for action, decision in found.items() if decision.allowed]
        if not allowed:
            raise refusal(next((each for each in found.values() if each.clause), NOTHING))
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
            {"state": bound.state_at(now_ms), **told(self._judged((bound,), ask, now_ms, self._counted))}
            for bound in self._about(ask)
        ]
        asked = {"action": ask.action, "collection": ask.collection, "record": ask.record, "recipient": ask.recipient}
        return {
            "asked": {key: value for key, value in asked.items() if value},
            **told(found),
            "considered": considered,
        }

    def report(self, ask: Ask, now_ms: int) -> list[dict[str, Any]]:
        """Give an ODRL Compliance Report of each agreement in force about a question, as JSON-LD."""
        found = []
        for bound in self._about(ask):
            if bound.agreement.in_force(now_ms):
                target = _target(bound, ask)
                purposes, _ = (bound.purposes, "") if ask.any_purpose else claimed(bound, ask)
                request = replace(_request(ask, next(iter(purposes), "")), target=target, party=bound.text.assignee)
                world = _world(bound, now_ms, self._counted(bound, target), self._delivered(bound, target, ask))
                found.append(compliance_report(bound.text.policy, request, world))
        return found


def _target(bound: Bound, ask: Ask) -> str:
    """Say what a use counts against: the record, where the agreement is about single records, else the collection."""
    return ask.record if ask.record in bound.records else ask.collection


@lru_cache(maxsize=1_024)
def _requested(action: str, purpose: str, recipient: str, channel: str) -> Request:
    return Request(action, purpose=purpose, recipient=recipient, channel=channel)


def _request(ask: Ask, purpose: str) -> Request:
    return _requested(ask.action, purpose, ask.recipient, ask.channel)


def _world(bound: Bound, now_ms: int, uses: Mapping[str, int], volumes: Mapping[str, int] | None) -> World:
    return World(now_ms, bound.text.issued_ms, uses, volumes=volumes)


def _measured(bound: Bound, clause: str) -> tuple[tuple[str, int], ...]:
    """Give the clause that permits and the most bytes it lets through; of several numbers the least, wherever."""
    found = (rule for rule in bound.text.policy.permissions if rule.id == clause)
    limits = [
        bytes_in(each.right[0]) or 0 for rule in found for each in leaves(rule.constraints) if each.left == "volume"
    ]
    return ((clause, min(limits)),) if limits else ()


def _limited(bound: Bound, clause: str, action: str) -> tuple[str, ...]:
    """Name the clauses that a use under a permission counts against: its own, and prohibitions past a number."""
    policy = bound.text.policy
    return next((counted(policy, rule, action) for rule in policy.permissions if rule.id == clause), ())
