"""The door to what other nodes read: who asks, which collection, and what a cache may keep of the answer.

A restricted collection without the right looks exactly like one that does not exist: the same work is done, and the
same words are said. Only a party of an agreement about it is told which clause refuses it. What is public needs no
token and no look at the database; a token that is there is checked even then, so that a blocked peer is told so
wherever it knocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from node.errors import Forbidden, Malformed, NotFound, Unauthenticated
from node.federation.answers import Records
from node.federation.rights.rights import Action, NoCollection, Verdict, Who
from node.web.parts import Parts
from node.web.ports.ports import CollectionInfo, Federation
from node.web.wire import answer, bodies

HOUR = "public, max-age=3600"
FROZEN = "public, max-age=3600, immutable"
PRIVATE = "private, no-store"
MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Anybody:
    """A caller without a token."""

    kind: str = "public"
    name: str = ""
    scopes: frozenset[str] = frozenset()
    url: str = ""
    details: Sequence[Mapping[str, Any]] = ()


ANYBODY = Anybody()


@dataclass(frozen=True, slots=True)
class Opened:
    """A collection that this caller may read; `only` names the records of it that it may, if not all."""

    info: CollectionInfo
    private: bool
    caller: Who = ANYBODY
    action: Action = "index"
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def only(self) -> Records | None:
        """Give the records, or None for all of them."""
        return self.verdict.only

    def cache(self, public: str) -> str:
        """Say what a cache may do: what is said of public documents, nothing with restricted ones."""
        return PRIVATE if self.private else public

    @property
    def vary(self) -> str:
        """Say what the answer depends on."""
        return "Authorization, Accept-Encoding" if self.private else answer.VARY_SUFFIX


class Door:
    """Lets callers in."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def caller(self, request: Request) -> Who:
        """Tell who asks.

        Raises:
            Unauthenticated: The token does not hold.
            Forbidden: It is a peer's whose tokens are not taken now.
        """
        federation = self._parts.site.federation
        if "authorization" not in request.headers or federation is None:
            return ANYBODY
        return await self._parts.thread(lambda: self._known(federation, request))

    @staticmethod
    def _known(federation: Federation, request: Request) -> Who:
        # A HEAD has become a GET on its way in; a proof of possession was made for what was sent.
        method = "HEAD" if request.scope["state"].get("head") else request.method
        shown, proofs = request.headers.getlist("authorization"), request.headers.getlist("dpop")
        caller = federation.access.caller(shown, proofs, method=method, path=as_sent(request))
        verdict = federation.rights.welcome(caller)
        if not verdict:
            raise Forbidden(
                f"Tokens of {caller.name} are not taken here ({verdict.code}).", fix="Ask this city's staff."
            )
        return caller

    async def open(self, request: Request, name: str, *, singly: bool = True) -> Opened:
        """Give a collection to this caller, to be mirrored.

        Args:
            request: Of the caller.
            name: The collection's.
            singly: Whether single records of it can be handed out here; else it is all or nothing.

        Raises:
            NotFound: There is none, or one that it may not read.
            NotAgreed: An agreement with it does not permit it.
        """
        caller = await self.caller(request)
        info = self._parts.reading.collections().get(name)
        if info is not None:
            return Opened(info, private=False)
        if caller.kind != "public":
            found = await self._parts.thread(lambda: self._restricted(caller, name))
            if found is not None and (singly or found.only is None):
                return found
        return Opened(self._parts.reading.collection(name), private=False)  # raises for both

    def _restricted(self, caller: Who, name: str) -> Opened | None:
        """Find a collection that is not for everybody; a missing one is asked about as if it were there."""
        federation = self._parts.site.federation
        info = self._parts.reading.known().get(name)
        info = info if info is not None and info.visibility != "public" else None
        if federation is None:
            return None
        verdict = federation.rights.may(caller, "index", info or NoCollection(name))
        if verdict.refused and info:
            raise verdict.refused
        return Opened(info, private=True, caller=caller, verdict=verdict) if verdict and info else None

    async def spend(self, request: Request, opened: Opened, given: frozenset[str] | None = None) -> None:
        """Count that something restricted is handed out now, if its agreement counts that; a HEAD hands out nothing.

        Args:
            request: Of the caller.
            opened: What it was let into.
            given: The records that the answer tells of; None if that may be any. Where single records are permitted,
                the clauses that permit these are counted.

        Raises:
            NotAgreed: Meanwhile it was handed out as often as the agreement permits.
            NotFound: The same, to a caller that hears of no agreement.
        """
        federation, verdict, info = self._parts.site.federation, opened.verdict, opened.info
        records = sorted(verdict.counted if given is None else verdict.counted & given)
        if federation is None or not (verdict.counts or records) or request.scope["state"].get("head"):
            return
        rights = federation.rights
        verdict = await self._parts.thread(lambda: rights.execute(opened.caller, opened.action, info, *records))
        if verdict.refused:
            raise verdict.refused
        if not verdict:
            self._parts.reading.collection(info.name)  # raises

    async def peer(self, request: Request) -> Who:
        """Tell which peer asks. Raises Unauthenticated or Forbidden if it is none."""
        caller = await self.caller(request)
        if caller.kind == "public":
            federation = self._parts.site.federation
            challenge = federation.access.challenge() if federation else ""
            raise Unauthenticated("Only a peer may say this.", challenge=challenge, fix="Ask /oauth/token for a token.")
        if caller.kind != "peer" or "federation" not in caller.scopes:
            raise Forbidden("Only a peer may say this, with a token of scope federation.")
        return caller

    async def own(self, caller: Who, iri: str) -> CollectionInfo:
        """Find a collection of this city by its IRI, for a peer that may mirror it.

        Raises:
            NotFound: It is not ours, there is none of that name, or this peer may not mirror it: all the same to it.
            NotAgreed: An agreement with it about it does not permit that, or no longer does.
        """
        before, mark, name = iri.rpartition("/collections/")
        ours = bool(mark) and before == self._parts.site.base_url and "/" not in name
        info = self._parts.reading.collections().get(name) if ours else None
        if info is None:
            opened = await self._parts.thread(lambda: self._restricted(caller, name if ours else ""))
            info = opened.info if opened else None
        if info is None or not ours:
            raise NotFound("There is no such collection here.", fix="The collections are listed at /checkpoints.")
        return info


def as_sent(request: Request) -> str:
    """Give the path below the base URL in the spelling in which it was sent: a proof of possession has that one."""
    path: str = request.scope["path"]
    sent = request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
    told = unquote(sent)
    # A prefix may have been taken off the path on its way in; a prefix has nothing encoded in it.
    return sent[len(told) - len(path) :] if told.endswith(path) else path


async def body_of(request: Request, *, most: int = MAX_BODY_BYTES) -> bytes:
    """Read a body that must not be large. Raises TooLarge, before the rest of it is read, or if it drips."""
    return await bodies.body_of(request, most=most)


def number_of(name: str, given: str, *, least: int = 0) -> int:
    """Read a plain decimal number, at least `least`. Raises Malformed."""
    plain = given.isascii() and given.isdigit() and len(given) <= 18 and str(int(given)) == given
    if not plain or int(given) < least:
        raise Malformed(
            f"{name}={given[:40]!r} is no number here.",
            fix=f"Write a whole number from {least}.",
        ).on_page("no.page.number", name=name, least=least)
    return int(given)


def numbers_of(name: str, given: str, *, most: int) -> Sequence[int]:
    """Read a list of numbers from 1, parted by commas. Raises Malformed."""
    pieces = given.split(",", most + 1)
    if len(pieces) > most:
        raise Malformed(
            f"{name} names more than {most}.",
            fix="Ask for less at once.",
        ).on_page("no.page.many", name=name, most=most)
    return [number_of(name, piece, least=1) for piece in pieces]
