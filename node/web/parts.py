"""The parts that every router is handed, made once at start: the site, its reader, its pages, its metrics.

Nothing here holds the state of a request. Slow work goes to a bounded pool of threads from here, so that a router
never blocks the readers that are served from memory.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.requests import Request

from node.catalog.usage import What
from node.errors import Malformed, NotAcceptable
from node.web.pages import Pages, accept_of
from node.web.ports.cities import Mirror
from node.web.ports.ports import Site
from node.web.reading import Reading
from node.web.wire import answer, negotiate
from node.web.wire.answer import Document, Encoded
from node.web.wire.front import Keeper, Scope, Still, key_of

T = TypeVar("T")


def connected(scope: Scope) -> str:
    """Give the address of whoever asks, as the server knows it."""
    client = scope.get("client")
    return str(client[0]) if client else ""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a router works with: the public reading of the shelf, the pages, the store of kept replies.

    `address_of` tells where a request came from, proxies of ours seen through.
    """

    site: Site
    reading: Reading
    pages: Pages
    keeper: Keeper
    address_of: Callable[[Scope], str] = connected
    slow: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))

    def mirror(self, collection: str) -> Mirror | None:
        """Say of which city a mirrored collection is and how it stands; nothing for our own."""
        return self.site.federation.view.mirror(collection) if self.site.federation and "/" in collection else None

    def city_at(self, url: str) -> str:
        """Name the city of a node by its base URL: ourselves, a partner city, else its address."""
        if url == self.site.base_url:
            return self.site.city
        cities = self.site.federation.view.cities() if self.site.federation else ()
        return next((one.city for one in cities if one.url == url), url)

    def count(self, request: Request, what: What, about: str) -> None:
        """Count one use, of nobody: neither of a HEAD, nor of what a browser fetches in advance."""
        in_advance = "prefetch" in request.headers.get("sec-purpose", "")
        if self.site.readers and not in_advance and not request.scope["state"].get("head"):
            self.site.readers.usage.count(what, about)

    def keep(self, request: Request, encoded: Encoded, *, still: Still | None, version: int) -> None:
        """Keep a reply for the very same request, as `Keeper.put` does."""
        headers = request.headers
        key = key_of(
            request.scope["path"],
            request.scope["query_string"].decode("latin-1"),
            accept_of(request),
            headers.get("accept-language", ""),
            headers.get("accept-encoding", ""),
            self.pages.languages,
        )
        self.keeper.put(key, encoded, still=still, version=version)

    async def thread(self, work: Callable[[], T]) -> T:
        """Do something slow beside the event loop; at most four at once, so that pages never starve records."""
        async with self.slow:
            return await asyncio.to_thread(work)


def split_suffix(name: str) -> tuple[str, str]:
    """Part `slug.ttl` into slug and suffix; a name without a known suffix has none."""
    slug, dot, suffix = name.rpartition(".")
    return (slug, suffix) if dot and suffix in negotiate.FORMS else (name, "")


def _no_form(available: dict[str, str]) -> NotAcceptable:
    return NotAcceptable(
        f"This exists as {', '.join(available)}, and none of these was asked for.",
        available=available,
        fix="Ask for one of these in Accept, or use its address.",
    ).on_page("no.form.kind")


def form_for(
    request: Request,
    suffix: str,
    address: str | Callable[[str], str],
    *,
    offered: tuple[str, ...] = tuple(negotiate.FORMS),
) -> str:
    """Choose the form by suffix, else by Accept; `address` gives the one of each form, or is what a suffix follows.

    Raises:
        NotAcceptable: None will do; it lists the addresses that exist.
    """
    chosen = suffix or negotiate.form(accept_of(request), offered)
    if not chosen or chosen not in offered:
        at = address if callable(address) else lambda name: f"{address}.{name}"
        raise _no_form({negotiate.FORMS[name]: at(name) for name in offered})
    return chosen


def number_in(name: str, given: str, *, most: int) -> int:
    """Read a whole number of the query, from 1 to `most`. Raises Malformed."""
    if not (given.isascii() and given.isdigit() and len(given) < 10 and 1 <= int(given) <= most):
        fix = f"Write {name}= and a whole number from 1."
        raise Malformed(f"{name}={given[:40]!r} is no page number.", fix=fix).on_page("refuse.page", name=name)
    return int(given)


def chosen_of(request: Request, offered: tuple[str, ...]) -> str:
    """Choose among media types at one address. Raises NotAcceptable."""
    chosen = negotiate.form(accept_of(request), offered)
    if not chosen:
        raise _no_form(dict.fromkeys(offered, request.url.path))
    return chosen


def json_document(body: object, *, cache: str = answer.REVALIDATE) -> Document:
    """Wrap JSON values, validated by their bytes."""
    told = json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"
    return Document(told, "application/json", tag=hashlib.sha256(told).hexdigest()[:32] + "-json1", cache=cache)
