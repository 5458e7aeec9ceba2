"""Where a record stands on this node: its page, its other forms, its proof; and where its own city has it.

An own record has an address of its own, `/{plural}/{slug}`. A mirrored one is asked for by its IRI, since two cities
may use one slug; its canonical address is the one at its origin, so that no index takes the copy for the thing. Pure.
"""

from dataclasses import dataclass
from urllib.parse import quote

from node.records import KINDS
from node.web.ports.ports import CollectionInfo, Held

# The longest IRI that anybody may ask for, in characters.
MAX_IRI = 2_000


def is_mirror(collection: str) -> bool:
    """Tell by its local name whether a collection is a peer's: `{peer}/{name}`."""
    return "/" in collection


@dataclass(frozen=True, slots=True)
class At:
    """The addresses of one record under a base URL (or under a path, for links within the node)."""

    base: str
    held: Held

    @property
    def page(self) -> str:
        """Give the address that chooses a form by Accept."""
        return self._mirrored("") if is_mirror(self.held.collection) else self._own

    def form(self, suffix: str) -> str:
        """Give the address of one form."""
        return self._mirrored(f".{suffix}") if is_mirror(self.held.collection) else f"{self._own}.{suffix}"

    def beside(self, what: str) -> str:
        """Give the address of a document beside the record: `proof`, `findings`, either with `.json`."""
        return self._mirrored(f"/{what}") if is_mirror(self.held.collection) else f"{self._own}/{what}"

    def file(self, number: int) -> str:
        """Give the counted way to one of the record's files, by its number on the page."""
        if is_mirror(self.held.collection):
            return f"{self.base}/get?iri={quote(self.held.iri, safe='')}&n={number}"
        return f"{self.base}/get/{KINDS[self.held.kind]}/{self.held.slug}/{number}"

    def canonical(self, info: CollectionInfo) -> str:
        """Give the record's address at its origin."""
        return f"{origin_of(info)}/{KINDS[self.held.kind]}/{self.held.slug}"

    @property
    def _own(self) -> str:
        return f"{self.base}/{KINDS[self.held.kind]}/{self.held.slug}"

    def _mirrored(self, more: str) -> str:
        return f"{self.base}/records{more}?iri={quote(self.held.iri, safe='')}"


def origin_of(info: CollectionInfo) -> str:
    """Give the base URL of the city whose collection it is."""
    return info.iri.rpartition("/collections/")[0]
