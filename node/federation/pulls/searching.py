"""What one city's own search says of a name: datasets that it describes itself, whether we mirror them or not.

Asked of the one city that a person named, as we are known there, so it tells what that city lets us read. Its answer is
a stranger's word: bounded, and of each hit only an address and a title are read. Which of them is meant is decided by
whoever asked.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

MAX_HITS = 100
_DEADLINE_S = 10.0
_OWN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")  # a collection of its own; those that it mirrors have a slash
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]{1,2000}")


class Searches(Protocol):
    """Who speaks with the search of a city."""

    def search(self, url: str, asked: Sequence[tuple[str, str]], *, deadline_s: float) -> Mapping[str, Any]:
        """Ask a peer's search; give its answer as JSON values, unread."""


class Searcher:
    """Asks one city by words. Safe to share by threads."""

    def __init__(self, searches: Searches) -> None:
        """Speak through this."""
        self._searches = searches

    def named(self, url: str, words: str) -> Iterator[tuple[str, str, str]]:
        """Give address, title and page of each dataset of the city's own that its search has for words.

        Raises what asking raises.
        """
        asked = (("q", words), ("kind", "dataset"), ("limit", str(MAX_HITS)), ("facet", "none"))
        hits = self._searches.search(url, asked, deadline_s=_DEADLINE_S).get("hits")
        for hit in hits[:MAX_HITS] if isinstance(hits, list) else ():
            if isinstance(hit, dict) and _is_own(hit):
                yield hit["iri"], _text(hit.get("title")), _text(hit.get("page"))


def _is_own(hit: Mapping[str, Any]) -> bool:
    iri, collection = hit.get("iri"), hit.get("collection")
    is_read = isinstance(iri, str) and isinstance(collection, str) and hit.get("kind") == "dataset"
    return is_read and bool(_IRI.fullmatch(str(iri)) and _OWN.fullmatch(str(collection)))


def _text(value: object) -> str:
    return value[:300] if isinstance(value, str) and value.isprintable() else ""
