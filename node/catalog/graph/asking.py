"""Questions to the triple stores: read before they are passed on, bounded in every way, and stopped when time is up.

`Sparql` is what the web and the commands call. A query has a place among few, waits for one shortly, and gets its whole
answer or a clean "no". Engines cannot stop every query, so one that is over its time keeps its place until the engine
is done with it; if that does not happen soon, the engine itself is ended and starts anew, and what else it was asked at
that moment is asked again. Blocks; safe to share by threads.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from node.catalog.graph import lexer
from node.catalog.graph.keeper import standing_at
from node.catalog.graph.lexer import Question
from node.catalog.graph.places import Places, Turn
from node.errors import Malformed, NotFound, TooLarge, Unavailable
from node.outbound.engine import (
    Address,
    Answer,
    Engine,
    LargeError,
    LateError,
    LostError,
    OverloadedError,
    child_at,
    end_child,
)

RESULTS = {
    "json": "application/sparql-results+json",
    "xml": "application/sparql-results+xml",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
}
GRAPHS = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
}
MAX_GRAPHS = 16
# Stands for "no graph at all": to an engine, an empty list of graphs means every graph.
NO_GRAPH = "urn:citynode:none"
# How long after its time an engine may take to give a query up by itself.
GRACE_S = 2.0
# When a child that another query eats bare is asked again: it is ended, or ends by itself, within seconds.
AGAIN_S = 0.1
# How long a child may be eaten bare before it is ended: by a query that has run for as long.
STARVED_S = 0.5

log = structlog.get_logger("citynode.sparql")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one query may take, and how many run at once."""

    timeout_s: float
    result_bytes: int
    query_bytes: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """The graphs a query is asked over, as the protocol has them; two empty ones leave it to the query."""

    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


def within(allowed: Sequence[str], asked: Dataset) -> Dataset:
    """Give the dataset of a caller who may see certain graphs alone: never empty, whatever was asked for.

    A graph that may not be seen is left out, exactly as one that does not exist.

    Raises:
        Malformed: There are more graphs than a query takes, and none was named.
    """
    if not asked.default and not asked.named:
        if len(allowed) > MAX_GRAPHS:
            raise Malformed(
                f"You may query {len(allowed)} collections, and one query takes {MAX_GRAPHS}.",
                fix="Name them: default-graph-uri=, and named-graph-uri= for GRAPH.",
            ).on_page("no.sparql.graphs", most=MAX_GRAPHS)
        asked = Dataset(tuple(allowed), tuple(allowed))
    seen = frozenset(allowed)
    return Dataset(_some(asked.default, seen), _some(asked.named, seen))


def _some(asked: Sequence[str], seen: frozenset[str]) -> tuple[str, ...]:
    return tuple(each for each in asked if each in seen) or (NO_GRAPH,)


class Store:
    """One store as it is asked: its engine, how it stands, and where its child says where it listens."""

    def __init__(self, engine: Engine, *, standing: Path, child: Path | None, union: bool) -> None:
        """Ask this engine.

        Args:
            engine: Of the store.
            standing: The file in which its keeper says how it stands.
            child: Where a child of ours says where it listens; None for an engine that is not ours to end.
            union: Whether a query without dataset is asked over all graphs together; an engine that is not ours was
                set up so by its operator.
        """
        self.engine = engine
        self._standing, self.child, self.union = standing, child, union

    def check(self) -> None:
        """Refuse while only a part of it is there. Raises Unavailable."""
        found = standing_at(self._standing)
        if found is None or not found.whole:
            raise Unavailable(
                "The triple store is being filled.",
                fix="Try again in a few minutes.",
            ).on_page("no.sparql.filling")


class Sparql:
    """Answers queries from the stores of a node."""

    def __init__(
        self, stores: dict[str, Store], bounds: Bounds, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Answer from stores by name: `public`, `restricted`; none at all where SPARQL is off."""
        self._stores = stores
        self.bounds = bounds
        # Of each store its own: what everybody asks never takes the place of what partners ask.
        self._places = {name: Places(bounds.at_once) for name in stores}
        self._clock = clock
        self._starved: set[int] = set()  # children that were ended because one query left the others nothing

    @property
    def offered(self) -> bool:
        """Tell whether there is anything to ask."""
        return bool(self._stores)

    def runs(self, name: str) -> bool:
        """Tell whether the engine of a store has said where it is."""
        store = self._stores.get(name)
        return store is not None and store.engine.address is not None

    def read(self, query: str) -> Question:
        """Look through a query before anything else is done. Raises as `lexer.read` does."""
        return lexer.read(query, max_bytes=self.bounds.query_bytes)

    def ask(
        self, name: str, query: str, question: Question, dataset: Dataset, *, media_type: str, who: str = ""
    ) -> Answer:
        """Ask one store.

        Args:
            name: Of the store.
            query: As `read` has seen it.
            question: What that gave.
            dataset: The graphs it is asked over.
            media_type: One of RESULTS or GRAPHS, as its form has it.
            who: Who asks, if they are to take turns with others.

        Raises:
            NotFound: This node has no such store.
            Malformed: The engine cannot read it, or too many graphs are named.
            TooLarge: The answer is larger than is given.
            TooManyRequests: This asker has to wait for its own queries.
            Unavailable: Time was up, too many are asking, or the store is not there just now.
        """
        store = self._store(name)
        params = _params(store, question, dataset)
        places = self._places[name]
        turn = places.take(who)
        seen_off = False
        try:
            return self._asked(store, query, params, media_type)
        except LateError as late:
            places.ran_away(turn)
            places.give_up(turn)
            seen_off = self._later(store, places, turn, late.exchange.see_off, late.exchange.address)
            within_s = f"{self.bounds.timeout_s:g}"
            raise Unavailable(
                f"The query was not done within {within_s} s.",
                fix="Narrow it, or add LIMIT.",
            ).on_page("no.sparql.time", seconds=within_s) from None
        except LargeError as large:
            places.ran_away(turn)
            seen_off = self._later(store, places, turn, large.exchange.stop, large.exchange.address)
            most = self.bounds.result_bytes >> 20 or 1
            raise TooLarge(
                f"The result is larger than {most} MiB.",
                fix="Add LIMIT, or ask for less.",
            ).on_page("no.sparql.large", most=most) from None
        except LostError as lost:
            raise self._fallen(store, places, turn) from lost
        finally:
            if not seen_off:
                places.leave(turn)

    def close(self) -> None:
        """Give back connections."""
        for store in self._stores.values():
            store.engine.close()

    def _store(self, name: str) -> Store:
        store = self._stores.get(name)
        if store is None:
            raise NotFound(
                "This node answers no SPARQL.", fix="Its operator can set CITYNODE_SPARQL=embedded."
            ).on_page("no.sparql.off")
        store.check()
        return store

    def _asked(self, store: Store, query: str, params: Sequence[tuple[str, str]], media_type: str) -> Answer:
        """Ask until there is an answer. Raises LostError only of an engine that died by itself."""
        begun, most = self._clock(), self.bounds.result_bytes
        until, bare, again = begun + self.bounds.timeout_s, 0.0, True
        while True:
            left = max(0.001, until - self._clock())
            try:
                return store.engine.query(query, accept=media_type, params=params, deadline_s=left, max_bytes=most)
            except OverloadedError as error:
                # For want of threads or memory until its time is up; of any other fault once.
                short = store.child is not None and (again or error.short)
                if not short or self._clock() + 2 * AGAIN_S >= until:
                    log.warning("the triple store cannot answer", why=str(error))
                    raise Unavailable(
                        "The triple store cannot take this query now.",
                        retry_after_s=5,
                        fix="Try again in a few seconds.",
                    ).on_page("no.sparql.busy") from error
                again = error.short and again
                bare = (bare or self._clock()) if error.short else 0.0
                if bare and self._clock() - bare >= STARVED_S:
                    self._relieve(store)
                    bare = 0.0
                time.sleep(AGAIN_S)
            except LostError as lost:
                # Was it ended for another query's sake (its address is gone then)? What died by itself is not asked
                # the same again: this query may be what it died of. Nor is what ran while others were left nothing.
                ate = lost.address.pid in self._starved and self._clock() - begun > STARVED_S
                if ate or not again or store.child is None or child_at(store.child) == lost.address:
                    raise
                again = False

    def _relieve(self, store: Store) -> None:
        """End a child in which one query leaves nothing for the others; they are asked again of the next."""
        found = child_at(store.child) if store.child is not None else None
        if found is not None and store.child is not None:
            log.warning("the triple store is ended: a query leaves nothing for the others", pid=found.pid)
            self._starved.add(found.pid)
            end_child(store.child, found.pid)

    def _fallen(self, store: Store, places: Places, turn: Turn) -> Unavailable:
        """Say that an engine died while it was asked: of a child of ours, that is for want of memory."""
        if store.child is None:
            return Unavailable(
                "The triple store went away while it worked on this.",
                fix="Try again later.",
            ).on_page("no.sparql.busy")
        return Unavailable(
            "The triple store ended while it worked on this, most likely because the query needs too much memory.",
            retry_after_s=places.felled(turn),
            fix="Match fewer patterns, or put LIMIT into a subquery; ORDER BY and DISTINCT hold every row in memory."
            " If another query ate the memory, asking again helps.",
        ).on_page("no.sparql.memory")

    def _later(
        self, store: Store, places: Places, turn: Turn, end: Callable[[float], bool], address: Address
    ) -> Literal[True]:
        """Give a place back when the engine is done with what had it; nobody waits for that here."""

        def see_off() -> None:
            try:
                if not end(GRACE_S) and store.child is not None:
                    end_child(store.child, address.pid)
            finally:
                places.leave(turn)

        threading.Thread(target=see_off, name="sparql", daemon=True).start()
        return True


def _params(store: Store, question: Question, dataset: Dataset) -> list[tuple[str, str]]:
    if len(dataset.default) > MAX_GRAPHS or len(dataset.named) > MAX_GRAPHS:
        raise Malformed(
            f"One query takes {MAX_GRAPHS} graphs.",
            fix="Name fewer, or use FROM in the query.",
        ).on_page("no.sparql.graphs", most=MAX_GRAPHS)
    params = [("default-graph-uri", each) for each in dataset.default]
    params += [("named-graph-uri", each) for each in dataset.named]
    if not params and store.union and not question.has_dataset:
        # Oxigraph's own: the default graph is all graphs together. It would win over FROM, hence not always.
        params = [("union-default-graph", "true")]
    return params
