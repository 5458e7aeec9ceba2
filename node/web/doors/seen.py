"""What one caller may see of records and collections: the public reading, and more for whoever shows a token.

Staff sees what is the city's own and what it may hold of others; a program what its token names; a peer, or a program
under an agreement, what a clause permits to be read. The decision is never made here (`federation.rights`). Without the
right everything is exactly as if nothing were there, and takes the same questions; a party of an agreement is told its
clause. What is restricted is kept by no cache.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from node.errors import NotAgreed, NotFound
from node.federation.rights.rights import Action, NoCollection, Verdict, Who
from node.web.doors.door import PRIVATE, Door
from node.web.parts import Parts
from node.web.ports.feed import Rights
from node.web.ports.ports import CollectionInfo, Held, Shelf
from node.web.reading import Reading
from node.web.wire.answer import Document

_READ: Action = "read"
# Asked about where there is no record, so that as much is asked as about one.
_NO_RECORD = "urn:none"


class WiderReading(Reading):
    """Records and collections as one caller may see them; for the length of one request."""

    def __init__(self, public: Reading, shelf: Shelf, rights: Rights, caller: Who) -> None:
        super().__init__(shelf)
        self._public, self._rights, self._caller = public, rights, caller
        self._verdicts: dict[tuple[str, str], Verdict] = {}

    def verdict(self, info: CollectionInfo | None, record: str = "") -> Verdict:
        """Tell whether the caller may read a collection that is not public, or one record of it; asked once."""
        key = (info.name if info else "", record)
        if key not in self._verdicts:
            self._verdicts[key] = self._rights.may(self._caller, _READ, info or NoCollection(""), record)
        return self._verdicts[key]

    def collections(self) -> dict[str, CollectionInfo]:
        """Give the public collections, and the others that the caller may read as a whole, or all but some records."""
        public = self._public.collections()
        more = {
            info.name: info for info in self._public.known().values() if info.name not in public and self._all_of(info)
        }
        return public | more

    def known(self) -> dict[str, CollectionInfo]:
        """Give every collection, whoever may see it."""
        return self._public.known()

    def _all_of(self, info: CollectionInfo) -> bool:
        if info.visibility == "public":
            return False  # it is a peer's that is blocked
        verdict = self.verdict(info)
        return bool(verdict) and (verdict.only is None or verdict.only.but)

    def is_restricted(self, name: str) -> bool:
        """Tell whether a collection that the caller may see is not for everyone."""
        return name not in self._public.collections()

    def collection(self, name: str) -> CollectionInfo:
        """Find a collection, also one of which the caller may read some records.

        Raises:
            NotAgreed: An agreement with the caller about it does not permit this.
            NotFound: There is none, or none that the caller may know of.
        """
        public = self._public.collections().get(name)
        if public is not None:
            return public
        info = self._public.known().get(name)
        info = info if info is not None and info.visibility != "public" else None
        # Who was let see a record of it was asked about that one; the whole is decided only for who asks for it.
        if info is not None and any(found for (of, _), found in self._verdicts.items() if of == name):
            return info
        verdict = self.verdict(info)
        if info is not None and verdict:
            return info
        if info is not None and verdict.refused:
            raise verdict.refused
        return self._public.collection(name)  # raises

    def find(self, kind: str, slug: str) -> Held | None:
        """Find a live record. Raises NotAgreed if an agreement about it does not permit the caller to read it."""
        held = self._shelf.record(kind, slug)
        return self._shown([held] if held is not None else [])

    def find_iri(self, iri: str) -> Held | None:
        """Find a live record by IRI. Raises as `find` does."""
        return self._shown(list(self._shelf.all_by_iri(iri)))

    def _shown(self, found: list[Held]) -> Held | None:
        """Choose the first that may be seen; where there is none at all, as much is asked as about one."""
        refused: NotAgreed | None = None
        for held in found:
            if held.collection in self._public.collections():
                return held
            info = self._public.known().get(held.collection)
            verdict = self.verdict(info if info is not None and info.visibility != "public" else None, held.iri)
            if verdict:
                return held
            refused = refused or verdict.refused
        if not found:
            self.verdict(None, _NO_RECORD)
        if refused:
            raise refused
        return None

    def page(self, name: str, *, offset: int, limit: int, modified_since_ms: int = 0) -> list[Held]:
        """List live records of a collection that the caller may read as a whole, or all but some. Raises NotFound."""
        left_out = self._left_out(name, modified_since_ms)
        if not left_out:
            return super().page(name, offset=offset, limit=limit, modified_since_ms=modified_since_ms)
        # So many of what is left out may stand before the page, and as many in it.
        found = super().page(name, offset=offset, limit=limit + 2 * len(left_out), modified_since_ms=modified_since_ms)
        if not found:
            return []
        before = sum(1 for held in left_out if (held.slug, held.kind) < (found[0].slug, found[0].kind))
        forbidden = {held.iri for held in left_out}
        return [held for held in found if held.iri not in forbidden][before : before + limit]

    def count(self, name: str, *, modified_since_ms: int = 0, kind: str | None = None) -> int:
        """Count the live records of a collection that the caller may read. Raises NotFound."""
        left_out = self._left_out(name, modified_since_ms)
        found = super().count(name, modified_since_ms=modified_since_ms, kind=kind)
        return found - sum(1 for held in left_out if kind is None or held.kind == kind)

    def _left_out(self, name: str, since_ms: int) -> list[Held]:
        """Give the live records of a collection that a clause forbids the caller. Raises NotFound."""
        infos = self.collections()
        if name not in infos:
            raise NotFound(f"There is no collection {name!r} here.", fix="The collections are listed at /catalog.")
        only = self.verdict(infos[name]).only if self.is_restricted(name) else None
        named = only.named if only is not None else ()
        found = [held for iri in sorted(named) for held in self._shelf.all_by_iri(iri)]
        return [held for held in found if held.collection == name and held.at_ms >= since_ms]


@dataclass(frozen=True, slots=True)
class Seen:
    """The parts as one caller may see them."""

    parts: Parts
    wider: WiderReading | None = None
    rights: Rights | None = None
    caller: Who | None = None

    async def found(self, find: Callable[[Reading], Held]) -> Held:
        """Look for a record: in line among what is public, beside the event loop where agreements are asked."""
        if self.wider is None:
            return find(self.parts.reading)
        wider = self.wider
        return await self.parts.thread(lambda: find(wider))

    def is_restricted(self, *names: str) -> bool:
        """Tell whether one of these collections is not for everyone."""
        return self.wider is not None and any(map(self.wider.is_restricted, names))

    def sealed(self, document: Document, *names: str) -> Document:
        """Let nobody keep a document that shows something of collections that are not for everyone."""
        if not self.is_restricted(*names):
            return document
        return replace(document, cache=PRIVATE, vary=f"Authorization, {document.vary}")

    async def handed(self, request: Request, reply: Response, name: str, record: str = "") -> Response:
        """Count that a reply hands out something restricted, if its agreement counts that; then give it.

        What gives nothing out counts nothing: a HEAD, or word that the caller's copy is still good.

        Raises:
            NotAgreed: Meanwhile it was handed out as often as the agreement permits.
        """
        wider, rights, caller = self.wider, self.rights, self.caller
        given = reply.status_code == 200 and not request.scope["state"].get("head")
        if wider is None or rights is None or caller is None or not given or not wider.is_restricted(name):
            return reply
        info = wider.collection(name)
        if wider.verdict(info, record).counts:
            verdict = await self.parts.thread(lambda: rights.execute(caller, _READ, info, record))
            if verdict.refused:
                raise verdict.refused
            if not verdict:  # to somebody who hears of no agreement, such as one whom a clause names
                raise NotFound("No record with this IRI is held here.", fix="Check its spelling, also http or https.")
        return reply


async def seen_by(door: Door, parts: Parts, request: Request) -> Seen:
    """Find out who asks, and give the parts as they may see them. Raises as `Door.caller` does."""
    caller, federation = await door.caller(request), parts.site.federation
    if caller.kind == "public" or federation is None:
        return Seen(parts)
    wider = WiderReading(parts.reading, parts.site.shelf, federation.rights, caller)
    return Seen(replace(parts, reading=wider), wider, federation.rights, caller)
