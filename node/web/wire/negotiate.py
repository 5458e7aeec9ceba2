"""What a caller asked for: forms, languages, codings, and which copies it already has (RFC 9110).

Pure functions over header text; each is remembered, because callers repeat themselves. Headers beyond 2,000 characters
are read as if they were absent: nobody honest sends them, and parsing them would be work for an attacker.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

MAX_HEADER = 2_000

# Suffix -> media type, in the order a caller without a preference gets them.
FORMS: dict[str, str] = {
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
    "nt": "application/n-triples",
    "html": "text/html",
}
RDF_FORMS = ("ttl", "jsonld", "rdf", "nt")

_PART = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_WEIGHT = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*(?:;|\Z)", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?"[^"]*"|\*')


@dataclass(frozen=True, slots=True)
class Wish:
    """One element of a list header: its name in lower case without parameters, and its weight."""

    name: str
    weight: float


@lru_cache(maxsize=2_048)
def wishes(header: str) -> tuple[Wish, ...]:
    """Read a weighted list header; elements that make no sense are skipped. Quoted parameters may hold commas."""
    if len(header) > MAX_HEADER:
        return ()
    found = []
    for part in _PART.findall(header):
        name = part.split(";", 1)[0].strip().lower()
        weight = _WEIGHT.search(_QUOTED.sub("", part))
        if name:
            found.append(Wish(name, min(1.0, float(weight.group(1))) if weight else 1.0))
    return tuple(found)


def _match(media_type: str, wish: str) -> int:
    """Say how closely a range names a media type: 3 exactly, 2 by family, 1 by `*/*`, 0 not."""
    if wish == media_type:
        return 3
    if wish == "*/*":
        return 1
    return 2 if wish.endswith("/*") and media_type.startswith(wish[:-1]) else 0


def _rank(media_type: str, asked: Sequence[Wish]) -> tuple[float, int]:
    """Give the weight of the closest range (RFC 9110, 12.5.1) and how close it is."""
    closeness, weight = max(((_match(media_type, wish.name), wish.weight) for wish in asked), default=(0, 0.0))
    return (weight, closeness) if closeness else (0.0, 0)


@lru_cache(maxsize=4_096)
def form(accept: str, offered: tuple[str, ...]) -> str:
    """Choose among forms (suffixes of FORMS or media types); empty if none will do.

    Equal weights go to the form that was named more closely, then to the earlier in `offered`.
    """
    asked = wishes(accept)
    if not asked:
        return offered[0]
    ranked = [(_rank(FORMS.get(name, name), asked), name) for name in offered]
    best = max(rank for rank, _ in ranked)
    return next(name for rank, name in ranked if rank == best) if best[0] > 0 else ""


@lru_cache(maxsize=4_096)
def language(accept_language: str, offered: tuple[str, ...]) -> str:
    """Choose a language of the pages; the first offered if the caller likes none of them."""
    scored = {wish.name.split("-")[0]: wish.weight for wish in reversed(wishes(accept_language))}
    best = max(offered, key=lambda code: scored.get(code, 0.0))
    return best if scored.get(best, 0.0) > 0 else offered[0]


@lru_cache(maxsize=1_024)
def wants_gzip(accept_encoding: str) -> bool:
    """Tell whether the caller takes gzip at least as gladly as plain bytes."""
    weights = {wish.name: wish.weight for wish in wishes(accept_encoding)}
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def wants_page(accept: str) -> bool:
    """Tell whether a problem should be said to a person: only if HTML is named, and above JSON."""
    asked = wishes(accept)
    return any(w.name == "text/html" and w.weight for w in asked) and (
        form(accept, ("text/html", "application/json")) == "text/html"
    )


def has_copy(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as If-None-Match must (RFC 9110, 13.1.2); `etag` with its quotes."""
    if etag == if_none_match:
        return True
    plain = etag.removeprefix("W/")
    return any(tag == "*" or tag.removeprefix("W/") == plain for tag in _TAG.findall(if_none_match))
