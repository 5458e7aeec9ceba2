"""Dead links: which addresses in descriptions lead nowhere, as far as one polite look can tell.

Only where somebody asked for it, since lint itself fetches nothing. Each address is looked at once, however often it
is named; an answer that asks for a name, time or another method is one, so only what is gone or out of reach is named.
Touches the way out it is handed, and nothing else.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from node.catalog.author.office import Written, placed
from node.catalog.author.texts import Leaf, leaves, read
from node.outbound import Looked
from node.vocab.kinds.checking import Problem, check, is_link
from node.vocab.kinds.field import KindTable
from node.vocab.kinds.writing import tidy

MOST = 500
"""How many addresses are looked at."""
_AT_ONCE, _DEADLINE_S, _HOPS = 4, 10.0, 5
_GONE = frozenset({404, 410})
_WHY: Mapping[str, str] = {
    "no-address": "its host has no address that may be fetched",
    "unreachable": "its host does not answer",
    "tls": "its certificate does not hold",
    "late": "it did not answer in time",
    "broken": "its answer broke off",
}


class Way(Protocol):
    """The way out, as far as links need it."""

    def look(self, url: str, *, method: str = "HEAD", deadline_s: float, stop: threading.Event) -> Looked:
        """Look whether an address answers."""


def links(table: KindTable, written: Written, language: str, way: Way) -> tuple[Problem, ...]:
    """Name the links of a description that lead nowhere; none of one that has errors, as its texts are not sure."""
    said = tidy(table, written.said, language)
    if any(each.code != "missing" for each in check(table, said)):
        return ()
    found = [(leaf, url) for leaf in leaves(table, said) for url in _addresses(leaf)]
    urls = list(dict.fromkeys(url for _, url in found))[:MOST]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="links") as pool:
        why = dict(zip(urls, pool.map(lambda url: _trouble(url, way), urls), strict=True))
    return tuple(
        placed(Problem(leaf.pointer, "dead-link", f"“{url[:200]}” leads nowhere: {why[url]}.", "warning"), written)
        for leaf, url in found
        if why.get(url)
    )


def _addresses(leaf: Leaf) -> Sequence[str]:
    if leaf.field.form == "link":
        return [leaf.text]
    return [each for each in read(leaf.text).links if is_link(each)] if leaf.language else []


def _trouble(url: str, way: Way) -> str:
    """Say why an address leads nowhere; empty if it leads somewhere, or if that cannot be told."""
    looked = _looked(url, "HEAD", way)
    if not looked.trouble and looked.status in _GONE:
        looked = _looked(url, "GET", way)  # some servers know no HEAD
    if looked.trouble:
        return _WHY[looked.trouble]
    return f"it is not there any more ({looked.status})" if looked.status in _GONE else ""


def _looked(url: str, method: str, way: Way) -> Looked:
    """Look, and follow where it leads."""
    stop = threading.Event()
    looked = way.look(url, method=method, deadline_s=_DEADLINE_S, stop=stop)
    for _ in range(_HOPS):
        if not looked.location:
            break
        looked = way.look(looked.location, method=method, deadline_s=_DEADLINE_S, stop=stop)
    return looked
