"""What one caller may find: the sight with which the search, and every interface over it, is asked.

Public records are everyone's, but for mirrors of hidden peers. To whoever shows a token each restricted collection is
decided anew (`federation.rights`), by the clause for live search and not the one for pages; of what an agreement lets
be read only so many times nothing is found here, since looking through it would use it up: that is read at its own
address. What is restricted is kept by no cache.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from starlette.requests import Request

from node.catalog.search.query import Allowed, Sight
from node.errors import NotAgreed
from node.federation.rights.rights import Verdict, Who
from node.web.doors.door import ANYBODY, PRIVATE, Door
from node.web.parts import Parts
from node.web.ports.ports import Federation
from node.web.wire.answer import Document


@dataclass(frozen=True, slots=True)
class Seeing:
    """Who looks, what they may find, and what they may be told of collections that an agreement with them refuses."""

    caller: Who = ANYBODY
    sight: Sight = field(default_factory=Sight)
    refused: Mapping[str, NotAgreed] = field(default_factory=dict)

    @property
    def public(self) -> bool:
        """Tell whether there is nothing in it that is not for everyone."""
        return not self.sight.restricted

    def check(self, collections: Iterable[str]) -> None:
        """Tell a party its clause, if it names a collection that its agreement refuses. Raises NotAgreed."""
        for name in collections:
            if name in self.refused:
                raise self.refused[name]

    def sealed(self, document: Document, *, live: bool = False) -> Document:
        """Let nobody keep a document that may show something that is not for everyone."""
        if self.public and not live:
            return document
        return replace(document, cache=PRIVATE, vary=f"Authorization, {document.vary}")


async def seeing(door: Door, parts: Parts, request: Request) -> Seeing:
    """Find out who asks, and what they may find. Raises as `Door.caller` does."""
    caller = await door.caller(request)
    if caller.kind == "public":
        return sight_for(parts, caller)
    return await parts.thread(lambda: sight_for(parts, caller))


def sight_for(parts: Parts, caller: Who) -> Seeing:
    """Give what a caller may find now: pauses and revocations take effect at once."""
    federation = parts.site.federation
    hidden = federation.view.hidden() if federation else frozenset[str]()
    if federation is None or caller.kind == "public":
        return Seeing(caller, Sight(hidden))
    found = _verdicts(parts, federation, caller)
    allowed = [_allowed(name, verdict, caller) for name, verdict in found.items()]
    return Seeing(
        caller,
        Sight(hidden, tuple(each for each in allowed if each is not None)),
        {name: verdict.refused for name, verdict in found.items() if verdict.refused},
    )


def _verdicts(parts: Parts, federation: Federation, caller: Who) -> dict[str, Verdict]:
    # `collections` reads the shelf anew if anything was committed; `known` gives what it read.
    parts.reading.collections()
    shut = [info for info in parts.reading.known().values() if info.visibility != "public"]
    return {info.name: federation.rights.may(caller, "read", info, way="search") for info in shut}


def _allowed(name: str, verdict: Verdict, caller: Who) -> Allowed | None:
    only = verdict.only
    if not verdict:
        return None
    if only is not None and not only.but:
        named = only.named - verdict.counted
        return Allowed(name, named, but=False) if named else None
    if verdict.counts and caller.kind != "staff":
        return None
    return Allowed(name, only.named if only else frozenset())
