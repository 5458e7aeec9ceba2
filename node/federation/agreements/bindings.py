"""Agreements made ready to decide: read once per version of the database, compiled once, found by what they cover.

A reading of `agreements`, kept in memory: rows are read again when anything was committed, texts are compiled again
only if they are new. An agreement whose text cannot be read binds nobody to anything here and permits nothing; that
is written to the log.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, Protocol

from node.db import Database
from node.errors import NodeError, NotAgreed
from node.federation.agreements.agreements import Agreement, State, pair_collection
from node.federation.agreements.text import AgreementText
from node.federation.answers import Ask
from node.federation.policy import Atomic, Rule
from node.federation.policy.compiled import Compiled, compile_policy
from node.federation.policy.model import leaves
from node.federation.policy.purposes import is_a
from node.federation.policy.terms import DPV
from node.journal import key_of

_logger = logging.getLogger("citynode.decisions")
PROVIDER: Final = "provider"
CONSUMER: Final = "consumer"
# To do one of these with a collection is to see what stands in it.
_SEEING = frozenset({"index", "read", "distribute"})
_BATCH = 500
_PLACES = (
    "SELECT c.name, e.record, min(e.at) FROM collection c JOIN entry e ON e.collection_id = c.id"
    " WHERE c.visibility = 'restricted' AND e.record_key IN ({}) AND e.record IS NOT NULL GROUP BY c.name, e.record"
)
_FIRST = (
    "SELECT min(e.at) FROM collection c JOIN entry e ON e.collection_id = c.id"
    " WHERE c.name = ? AND e.record_key = ? AND e.record = ?"
)
# More purposes than that in one agreement are not tried one by one.
_MOST_PURPOSES = 50


class Book(Protocol):
    """Who reads the agreements."""

    def all(self) -> Sequence[Agreement]:
        """Give every agreement, whatever its state."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One agreement, compiled: what it grants and what it forbids by themselves, as prohibitions count whatever grants.

    `bans` is None where it forbids nothing. `purposes` are those that its permissions name, first of all none; `naming`
    whom each permission names as recipient, by clause; `covers` the collections and records it is about, a bundle taken
    apart; `records` those that are no collections.
    """

    agreement: Agreement
    text: AgreementText = field(repr=False)
    grants: Compiled = field(repr=False)
    bans: Compiled | None = field(repr=False)
    purposes: tuple[str, ...]
    naming: Mapping[str, frozenset[str]]
    covers: tuple[str, ...]
    records: frozenset[str]
    counting: bool  # whether anything in it is limited in number
    measuring: bool  # whether anything in it is limited in bytes
    # The last state that was looked up, and from when until when it is that.
    _standing: list[tuple[float, float, State]] = field(default_factory=list, repr=False, compare=False)

    @property
    def iri(self) -> str:
        """Give the agreement's name."""
        return self.agreement.iri

    def hands_to(self, ask: Ask, clause: str) -> bool:
        """Tell whether a clause that permits something lets this recipient have it.

        What is neither of the two cities must be named. To mirror is for a city: what acts under an agreement with a
        token of its own gets no feed, since `index` clauses as a rule say nothing of purposes.
        """
        if ask.bound and ask.action == "index":
            return False
        return not ask.named or ask.recipient in self.naming.get(clause, ())

    def is_meant_for(self, purpose: str) -> bool:
        """Tell whether a purpose is one that its permissions name, or lies within one; any is, if they name none."""
        named = self.purposes[1:]
        return not named or any(is_a(purpose, each) for each in named)

    @property
    def naming_anybody(self) -> bool:
        """Tell whether any of its permissions names a recipient."""
        return any(self.naming.values())

    @property
    def opens(self) -> bool:
        """Tell whether it lets its party, or somebody it names, see what stands in a collection."""
        return any(rule.action in _SEEING for rule in self.text.policy.permissions)

    def state_at(self, now_ms: int) -> State:
        """Say how the agreement stands; worked out once for each stretch of time in which nothing can change it."""
        for start, end, state in self._standing:
            if start <= now_ms < end:
                return state
        held = self.agreement
        edges = [at for at in (held.starts_at, held.ends_at, held.superseded_from) if at]
        start = max((at for at in edges if at <= now_ms), default=-inf)
        state = held.state_at(now_ms)
        self._standing[:] = [(start, min((at for at in edges if at > now_ms), default=inf), state)]
        return state

    def until(self, now_ms: int) -> float:
        """Say until when it was in force: infinite while it is, 0 if it never was, or nobody can say when it ended."""
        held = self.agreement
        if self.state_at(now_ms) == "in-force":
            return inf
        if not held.binding or now_ms < held.starts_at or held.their_at > now_ms:
            return 0
        ends = [
            (held.our_state != "in-force", held.our_at),
            (held.their_state not in ("", "in-force"), held.their_at),
            (0 < held.ends_at <= now_ms, held.ends_at),
            (held.superseded_from is not None, held.superseded_from or 0),
        ]
        return min((at for ended, at in ends if ended), default=0)

    def seen(self, record: str, first_ms: int | None, now_ms: int) -> bool:
        """Tell whether its party may know of a record, first published then, by it, while it was in force."""
        return first_ms is not None and (record in self.records or self.opens) and first_ms < self.until(now_ms)


@dataclass(frozen=True, slots=True)
class Index:
    """All of them, found by name, and by role, peer (or empty for any) and what they cover."""

    covering: Mapping[tuple[str, str, str], tuple[Bound, ...]] = field(default_factory=dict)
    named: Mapping[str, Bound] = field(default_factory=dict)
    singles: Mapping[tuple[str, str], Mapping[str, tuple[Bound, ...]]] = field(default_factory=dict)  # by record
    pairs: Mapping[str, str] = field(default_factory=dict)  # our journals of pairs, and with which city each is

    def about(self, role: str, collection: str, record: str = "", *, peer: str = "") -> tuple[Bound, ...]:
        """Give the agreements on a collection, and on one record of it."""
        found = self.covering.get((role, peer, collection), ())
        more = self.covering.get((role, peer, record), ()) if record else ()
        if not (found and more):
            return found or more
        known = set(map(id, found))
        return (*found, *(bound for bound in more if id(bound) not in known))


@dataclass(frozen=True, slots=True)
class Places:
    """In which restricted collections the records of agreements stand or stood: since when, by record and by name."""

    of: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    within: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Bindings:
    """Keeps the index level with the database. Safe to share by threads."""

    def __init__(self, db: Database, book: Book) -> None:
        """Read this book whenever this database has changed."""
        self._db = db
        self._book = book
        self._known: tuple[int | None, Index] = (None, Index())
        self._placed: tuple[Index | None, Places] = (None, Places())
        self._made: dict[tuple[str, str], Bound | None] = {}

    def now(self) -> Index:
        """Give the index as of this moment."""
        version = self._db.data_version()
        known = self._known
        if known[0] == version:
            return known[1]
        index = self._indexed(self._book.all())
        self._known = (version, index)
        return index

    def places(self) -> Places:
        """Say where single records stand, as of this moment; looked up once per version of the database."""
        index, placed = self.now(), self._placed
        if placed[0] is not index:
            placed = (index, self._looked_up(index))
            self._placed = placed
        return placed[1]

    def first(self, name: str, record: str) -> int | None:
        """Say when a record first stood in a collection; None if it never did."""
        row = self._db.hot().row(_FIRST, (name, key_of(record), record))
        return int(row[0]) if row and row[0] is not None else None

    def _looked_up(self, index: Index) -> Places:
        records = sorted({record for found in index.singles.values() for record in found})
        of, within = dict[str, dict[str, int]](), dict[str, set[str]]()
        for start in range(0, len(records), _BATCH):
            keys = [key_of(record) for record in records[start : start + _BATCH]]
            for name, record, at in self._db.hot().rows(_PLACES.format(", ".join("?" * len(keys))), keys):
                of.setdefault(record, {})[name] = int(at)
                within.setdefault(name, set()).add(record)
        return Places(of, {name: frozenset(found) for name, found in within.items()})

    def _indexed(self, agreements: Sequence[Agreement]) -> Index:
        made = dict[tuple[str, str], Bound | None]()
        covering = dict[tuple[str, str, str], list[Bound]]()
        singles = dict[tuple[str, str], dict[str, list[Bound]]]()
        for agreement in agreements:
            key = (agreement.iri, agreement.signed)
            made[key] = bound = self._bound(agreement, self._made.get(key), known=key in self._made)
            if bound is None:
                continue
            for peer in (agreement.peer, ""):
                for iri in bound.covers:
                    covering.setdefault((agreement.role, peer, iri), []).append(bound)
                for record in bound.records:
                    singles.setdefault((agreement.role, peer), {}).setdefault(record, []).append(bound)
        self._made = made
        return Index(
            {key: tuple(found) for key, found in covering.items()},
            {bound.iri: bound for bound in made.values() if bound is not None},
            {key: {record: tuple(each) for record, each in found.items()} for key, found in singles.items()},
            _pairs([bound for bound in made.values() if bound is not None]),
        )

    def _bound(self, agreement: Agreement, made: Bound | None, *, known: bool) -> Bound | None:
        """Compile an agreement, unless that was done: then only its state can be another."""
        if known and (made is None or made.agreement == agreement):
            return made
        if made is not None:
            return replace(made, agreement=agreement, _standing=[])
        try:
            text = agreement.text
            # What says anything else than that it is an agreement is refused here, whatever table it stood in.
            kind, policy = str(text.document.get("@type", "")), text.policy
            bans = replace(policy, rules=policy.prohibitions)
            forbidding = compile_policy(bans, kind=kind) if bans.rules else None
            granted = tuple(_for_its_party(rule, text.assignee) for rule in policy.permissions)
            granting = compile_policy(replace(policy, rules=granted), kind=kind)
        except NodeError as error:
            _logger.warning("agreement %s cannot be read and permits nothing: %s", agreement.iri, error)
            return None
        compared = {each.left for rule in policy.rules for each in leaves(rule.constraints)}
        base, permissions = f"{text.assigner}/collections/", text.policy.permissions
        # A bundle is no journal: only what it stands for is covered.
        covers = tuple(dict.fromkeys(agreement.covers or (agreement.target,)))
        return Bound(
            agreement,
            text,
            granting,
            forbidding,
            purposes=("", *list(dict.fromkeys(_said(permissions, "purpose")))[:_MOST_PURPOSES]),
            naming={rule.id: frozenset(_said([rule], "recipient")) for rule in permissions},
            covers=covers,
            records=frozenset(iri for iri in covers if not iri.startswith(base)),
            counting="count" in compared,
            measuring="volume" in compared,
        )


def _pairs(bounds: Sequence[Bound]) -> Mapping[str, str]:
    """Say with which city each of our journals of pairs is: that of the agreements in it, by their whole address."""
    found: dict[str, str] = {}
    for bound in bounds:
        url = bound.text.assignee if bound.agreement.role == PROVIDER else bound.text.assigner
        if found.setdefault(pair_collection(url), url) != url:
            found[pair_collection(url)] = ""  # of two cities; it is written for one alone, so this is nobody's
    return found


def check_grant(bound: Bound, purpose: str) -> None:
    """Raise NotAgreed unless we may let others act under an agreement, and for this purpose."""
    if bound.agreement.role != CONSUMER:
        raise NotAgreed(f"Only the receiving city ({bound.text.assignee}) issues tokens under this agreement.")
    if not bound.naming_anybody:
        raise NotAgreed(
            f"This agreement names no recipients: it is for {bound.text.assignee} alone.",
            fix="Agree on whom it is for with the template innovators-access.",
            agreement=bound.iri,
        )
    if not bound.is_meant_for(purpose):
        named = ", ".join(each.removeprefix(DPV) for each in bound.purposes[1:])
        raise NotAgreed(f"This agreement is for {named} only.", agreement=bound.iri, operand="purpose")


def _for_its_party(rule: Rule, party: str) -> Rule:
    """Let a permission that names no recipient be for the agreement's party alone, unless it is one to pass on."""
    if rule.action == "distribute" or any(_said([rule], "recipient")):
        return rule
    alone = Atomic(f"{rule.id}-party", "recipient", "eq", (party,))
    return replace(rule, constraints=(*rule.constraints, alone))


def _said(rules: Sequence[Rule], left: str) -> Iterator[str]:
    """Give what the clauses name of an operand, but for what they rule out."""
    for rule in rules:
        for each in leaves(rule.constraints):
            if each.left == left and each.operator != "isNoneOf":
                yield from each.right
