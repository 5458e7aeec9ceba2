"""What waits for a person of this city: records to look at again, and whatever other parts of the node remind of.

A description that nobody looks at grows wrong in silence, so practices, AI systems and the like say by when they are to
be reviewed, and here is who asks; a question about a record of ours waits until somebody answers it. Everything is
worked out anew each time; nothing is stored, and nobody but the city's own staff hears of it, since records of
restricted collections are among it. Reads, and writes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from node.catalog.relations import Due, Relations
from node.catalog.search.said import title_of
from node.catalog.shelf import Held, Shelf

DAYS_AHEAD = 30
DAY_MS = 86_400_000
What = Literal["review", "question", "agreement", "submission", "correction", "draft"]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do: `day` counts from 1970-01-01; `iri` and `kind` name the record, `collection` where it stands.

    What is no record has its own name as `iri`, and no collection.
    """

    what: What
    day: int
    title: str
    iri: str
    kind: str = ""
    slug: str = ""
    collection: str = ""


Others = Callable[[], Iterable[Task]]


class Tasks:
    """Works out what waits. Safe to share by threads."""

    def __init__(
        self,
        relations: Relations,
        shelf: Shelf,
        *,
        others: Sequence[Others],
        language: str,
        hidden: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """Name records in this language; `others` give the tasks that are no records, `hidden` peers never heard."""
        self._relations = relations
        self._shelf = shelf
        self._others = tuple(others)
        self._language = language
        self._hidden = hidden

    def due(self, now_ms: int, *, days: int = DAYS_AHEAD) -> list[Task]:
        """Give what is overdue and what is due within so many days, the longest due first."""
        before = now_ms // DAY_MS + days + 1
        found = self._tasks("review", self._relations.due(before))
        hidden = self._hidden()
        asked = [each for each in self._relations.asked() if _peer_of(each.collection) not in hidden]
        found += self._tasks("question", [each for each in asked if each.day < before])
        found += [task for give in self._others for task in give() if task.day < before]
        return sorted(found, key=lambda task: (task.day, task.what, task.iri))

    def _tasks(self, what: What, due: Sequence[Due]) -> list[Task]:
        held = self._shelf.some([(each.collection, each.iri) for each in due])
        pairs = [(each, one) for each, one in zip(due, held, strict=True) if one is not None]
        bodies = self._shelf.payloads([one for _, one in pairs])
        return [self._task(what, each, one, body) for (each, one), body in zip(pairs, bodies, strict=True)]

    def _task(self, what: What, due: Due, held: Held, payload: bytes) -> Task:
        title, _ = title_of(payload, held.iri, self._language)
        # Only records of ours have a name here; a mirrored one is found by its IRI.
        slug = "" if "/" in held.collection else held.slug
        return Task(what, due.day, title, held.iri, held.kind, slug, held.collection)


def _peer_of(collection: str) -> str:
    return collection.partition("/")[0] if "/" in collection else ""
