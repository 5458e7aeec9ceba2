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

from node.catalog.graph import lexer
from node.catalog.graph.keeper import standing_at
from node.catalog.graph.lexer import Question
from node.errors import Malformed, NotFound, Unavailable
from node.outbound.engine import Answer, Engine, LateError, LostError, child_at, end_child

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
QUEUE = 8
QUEUE_S = 3.0
# How long after its time an engine may take to give a query up by itself.
GRACE_S = 2.0


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
            )
        asked = Dataset(tuple(allowed), tuple(allowed))
    seen = frozenset(allowed)
    return Dataset(_some(asked.default, seen), _some(asked.named, seen))


def _some(asked: Sequence[str], seen: frozenset[str]) -> tuple[str, ...]:
    return tuple(each for each in asked if each in seen) or (NO_GRAPH,)


class Places:
    """The places of queries that run, and of those that wait for one."""

    def __init__(self, number: int, *, queue: int = QUEUE, wait_s: float = QUEUE_S) -> None:
        """Let so many run, and so many wait so long."""
        self._running = threading.Semaphore(number)
        self._waiting = threading.Semaphore(number + queue)
        self._wait_s = wait_s

    def take(self) -> None:
        """Take a place; whoever gets one gives it back. Raises Unavailable."""
        if not self._waiting.acquire(blocking=False):
            raise self._full()
        if not self._running.acquire(timeout=self._wait_s):
            self._waiting.release()
            raise self._full()

    def leave(self) -> None:
        """Give a place back."""
        self._running.release()
        self._waiting.release()

    def _full(self) -> Unavailable:
        return Unavailable("Other queries are running, as many as this node takes.", fix="Try again in a few seconds.")


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
            raise Unavailable("The triple store is being filled.", fix="Try again in a few minutes.")


class Sparql:
    """Answers queries from the stores of a node."""

    def __init__(
        self, stores: dict[str, Store], bounds: Bounds, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Answer from stores by name: `public`, `restricted`; none at all where SPARQL is off."""
        self._stores = stores
        self.bounds = bounds
        self._places = Places(bounds.at_once)
        self._clock = clock

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

    def ask(self, name: str, query: str, question: Question, dataset: Dataset, *, media_type: str) -> Answer:
        """Ask one store.

        Args:
            name: Of the store.
            query: As `read` has seen it.
            question: What that gave.
            dataset: The graphs it is asked over.
            media_type: One of RESULTS or GRAPHS, as its form has it.

        Raises:
            NotFound: This node has no such store.
            Malformed: The engine cannot read it, or too many graphs are named.
            TooLarge: The answer is larger than is given.
            Unavailable: Time was up, too many are asking, or the store is not there just now.
        """
        store = self._store(name)
        params = _params(store, question, dataset)
        self._places.take()
        until = self._clock() + self.bounds.timeout_s
        try:
            answer = self._asked(store, query, params, media_type, until)
        except LateError as late:
            # The place is given back when the engine is done with it; nobody waits for that here.
            threading.Thread(target=self._see_off, args=(store, late), name="sparql", daemon=True).start()
            within_s = f"{self.bounds.timeout_s:g}"
            raise Unavailable(f"The query was not done within {within_s} s.", fix="Narrow it, or add LIMIT.") from None
        except BaseException:
            self._places.leave()
            raise
        self._places.leave()
        return answer

    def close(self) -> None:
        """Give back connections."""
        for store in self._stores.values():
            store.engine.close()

    def _store(self, name: str) -> Store:
        store = self._stores.get(name)
        if store is None:
            raise NotFound("This node answers no SPARQL.", fix="Its operator can set CITYNODE_SPARQL=embedded.")
        store.check()
        return store

    def _asked(
        self, store: Store, query: str, params: Sequence[tuple[str, str]], media_type: str, until: float
    ) -> Answer:
        again = True
        while True:
            left = max(0.001, until - self._clock())
            try:
                return store.engine.query(
                    query, accept=media_type, params=params, deadline_s=left, max_bytes=self.bounds.result_bytes
                )
            except LostError as lost:
                # Was it ended for another query's sake (its address is gone then)? What died by itself is not asked
                # the same again: this query may be what it died of.
                if not again or store.child is None or child_at(store.child) == lost.address:
                    raise Unavailable(
                        "The triple store was started anew while it worked on this.",
                        fix="Try again; if it happens again, the query needs more memory than there is: narrow it.",
                    ) from lost
                again = False

    def _see_off(self, store: Store, late: LateError) -> None:
        try:
            done = late.exchange.see_off(GRACE_S)
            if not done and store.child is not None:
                end_child(store.child, late.exchange.address.pid)
        finally:
            self._places.leave()


def _params(store: Store, question: Question, dataset: Dataset) -> list[tuple[str, str]]:
    if len(dataset.default) > MAX_GRAPHS or len(dataset.named) > MAX_GRAPHS:
        raise Malformed(f"One query takes {MAX_GRAPHS} graphs.", fix="Name fewer, or use FROM in the query.")
    params = [("default-graph-uri", each) for each in dataset.default]
    params += [("named-graph-uri", each) for each in dataset.named]
    if not params and store.union and not question.has_dataset:
        # Oxigraph's own: the default graph is all graphs together. It would win over FROM, hence not always.
        params = [("union-default-graph", "true")]
    return params
