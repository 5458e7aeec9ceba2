"""Publishing what this city writes itself, without a source: its vocabularies and its comparable sets.

One transaction for the entries and all that follow them; the checkpoint is signed after the commit. A repeated
publication that changes nothing writes nothing. Such collections are public and made when first needed, so that peers
mirror them like any other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.errors import Conflict, NotFound
from node.journal import Draft, Entry, Follower
from node.journal.journal import Journals


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did, by record IRI; what stood there already is in neither."""

    put: tuple[str, ...]
    withdrawn: tuple[str, ...]


class Publisher:
    """Writes records of our own making into public collections of ours. Safe to share by threads."""

    def __init__(
        self, journals: Journals, followers: Sequence[Follower], *, base_url: str, clock_ms: Callable[[], int]
    ) -> None:
        """Write as the city at `base_url`; the followers keep up within each transaction."""
        self._journals = journals
        self._followers = followers
        self._base = base_url
        self._clock_ms = clock_ms

    def publish(self, name: str, title: str, drafts: Sequence[Draft]) -> Published:
        """Put and withdraw records, all or none, in the collection of that name; it is made if it is not there.

        Args:
            name: The collection.
            title: What people read, where it is made now.
            drafts: At most 1,000.

        Raises:
            Conflict: There is a restricted collection of that name.
            TooLarge: A record has more than 1 MiB.
            JournalBusy: Another writer held the lock. Safe to retry.
        """
        now_ms = self._clock_ms()
        with self._journals.db.write() as tx:
            tx.lock(f"journal/{name}")
            try:
                visibility = self._journals.get(tx, name).visibility
            except NotFound:
                iri, visibility = f"{self._base}/collections/{name}", "public"
                self._journals.create(tx, name=name, iri=iri, title=title, visibility=visibility, at_ms=now_ms)
            if visibility != "public":
                raise Conflict(
                    f"The collection {name} is restricted, and what is published there is for everyone.",
                    fix=f"Open it: citynode collections set {name} --visibility public",
                ).on_page("no.collection.closed", name=name)
            entries = self._journals.append_followed(tx, name, drafts, self._followers, at_ms=now_ms)
        self._journals.checkpoint(name, at_ms=now_ms)
        return Published(_named(entries, "put"), _named(entries, "withdraw"))


def _named(entries: Sequence[Entry], op: str) -> tuple[str, ...]:
    return tuple(each.opening.record for each in entries if each.opening and each.opening.op == op)
