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
from node.errors import NodeError
from node.federation.agreement_text import AgreementText
from node.federation.agreements import Agreement, State
from node.federation.policy import Rule
from node.federation.policy.compiled import Compiled, compile_policy
from node.federation.policy.model import leaves

_logger = logging.getLogger("citynode.decisions")
PROVIDER: Final = "provider"
CONSUMER: Final = "consumer"
# More purposes than that in one agreement are not tried one by one.
_MOST_PURPOSES = 50


class Book(Protocol):
    """Who reads the agreements."""

    def all(self) -> Sequence[Agreement]:
        """Give every agreement, whatever its state."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One agreement, compiled.

    `purposes` are those that its clauses name, first of all none; `naming` whom each permission names as recipient, by
    clause; `covers` the collections and records it is about, a bundle taken apart; `records` those that are no
    collections.
    """

    agreement: Agreement
    text: AgreementText = field(repr=False)
    compiled: Compiled = field(repr=False)
    purposes: tuple[str, ...]
    naming: Mapping[str, frozenset[str]]
    covers: tuple[str, ...]
    records: tuple[str, ...]
    # The last state that was looked up, and from when until when it is that.
    _standing: list[tuple[float, float, State]] = field(default_factory=list, repr=False, compare=False)

    @property
    def iri(self) -> str:
        """Give the agreement's name."""
        return self.agreement.iri

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


@dataclass(frozen=True, slots=True)
class Index:
    """All of them, found by role and what they cover, and by name."""

    covering: Mapping[tuple[str, str], tuple[Bound, ...]] = field(default_factory=dict)
    named: Mapping[str, Bound] = field(default_factory=dict)
    single: Mapping[str, tuple[Bound, ...]] = field(default_factory=dict)  # by role: those that cover records

    def about(self, role: str, collection: str, record: str = "") -> tuple[Bound, ...]:
        """Give the agreements on a collection, and on one record of it."""
        found = self.covering.get((role, collection), ())
        return (*found, *self.covering.get((role, record), ())) if record else found


class Bindings:
    """Keeps the index level with the database. Safe to share by threads."""

    def __init__(self, db: Database, book: Book) -> None:
        """Read this book whenever this database has changed."""
        self._db = db
        self._book = book
        self._known: tuple[int | None, Index] = (None, Index())
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

    def _indexed(self, agreements: Sequence[Agreement]) -> Index:
        made, covering, single = {}, dict[tuple[str, str], list[Bound]](), dict[str, list[Bound]]()
        for agreement in agreements:
            key = (agreement.iri, agreement.signed)
            made[key] = bound = self._bound(agreement, self._made.get(key), known=key in self._made)
            if bound is not None:
                for iri in bound.covers:
                    covering.setdefault((agreement.role, iri), []).append(bound)
                if bound.records:
                    single.setdefault(agreement.role, []).append(bound)
        self._made = made
        return Index(
            {key: tuple(found) for key, found in covering.items()},
            {bound.iri: bound for bound in made.values() if bound is not None},
            {role: tuple(found) for role, found in single.items()},
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
            compiled = compile_policy(text.policy, kind=str(text.document.get("@type", "")))
        except NodeError as error:
            _logger.warning("agreement %s cannot be read and permits nothing: %s", agreement.iri, error)
            return None
        base, permissions = f"{text.assigner}/collections/", text.policy.permissions
        # A bundle is no journal: only what it stands for is covered.
        covers = tuple(dict.fromkeys(agreement.covers or (agreement.target,)))
        return Bound(
            agreement,
            text,
            compiled,
            purposes=("", *list(dict.fromkeys(_said(permissions, "purpose")))[:_MOST_PURPOSES]),
            naming={rule.id: frozenset(_said([rule], "recipient")) for rule in permissions},
            covers=covers,
            records=tuple(iri for iri in covers if not iri.startswith(base)),
        )


def _said(rules: Sequence[Rule], left: str) -> Iterator[str]:
    """Give what the clauses name of an operand, but for what they rule out."""
    for rule in rules:
        for each in leaves(rule.constraints):
            if each.left == left and each.operator != "isNoneOf":
                yield from each.right
