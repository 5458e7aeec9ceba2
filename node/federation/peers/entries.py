"""How peers enter the book: invitations as cities send them to each other, new peers, new follows.

Pure values, checked by spelling alone. An invitation is one string, `<base-url>#<fingerprint>`, sent by a way that is
trusted already (a phone call, a signed letter): it is the only thing that the first contact stands on.
"""

import re
from collections.abc import Sequence

from node.errors import Malformed
from node.federation.identity.identity import Identity
from node.federation.peers.store import Follow, Peer
from node.records import is_collection_name

_MAX_THEMES = 100
_FINGERPRINT = re.compile(r"[A-Za-z0-9_-]{43}\Z")


def invitation(url: str, fingerprint: str) -> str:
    """Write what a city sends to another by a trusted way."""
    return f"{url}#{fingerprint}"


def read_invitation(text: str, fingerprint: str = "", *, untold: bool = False) -> tuple[str, str]:
    """Part an invitation, or an address beside its fingerprint, into address and fingerprint.

    `untold` takes an address alone: its fingerprint is empty, and to be compared before anything is pinned.

    Raises:
        Malformed: There is no fingerprint, or two that differ.
    """
    url, _, inside = text.strip().partition("#")
    if inside and fingerprint and inside != fingerprint:
        raise Malformed(
            "The invitation and --fingerprint differ.", fix="Ask the other city which one is right."
        ).on_page("no.peer.two_prints", field="invite")
    found = inside or fingerprint.strip()
    if untold and not found:
        return url, ""
    if not _FINGERPRINT.match(found):
        raise Malformed(
            "A peer is added with its fingerprint: 43 characters, told by a trusted way.",
            fix="Ask the other city for what `citynode peers invite` prints.",
        ).on_page("no.peer.print", field="invite")
    return url, found


def proposed(
    name: str,
    url: str,
    fingerprint: str,
    *,
    at_ms: int,
    title: str = "",
    note: str = "",
    identity: Identity | None = None,
) -> Peer:
    """Make a peer as it enters the book."""
    return Peer(
        name=name,
        url=url,
        title=title[:200],
        fingerprint=fingerprint,
        state="proposed",
        quarantine="",
        note=note[:1_000],
        namespaces=(),
        statement=identity.statement if identity else "",
        statement_seen_at=at_ms if identity else 0,
        statement_expires_at=identity.expires_ms if identity else 0,
        added_at=at_ms,
        approved_at=0,
        approved_by="",
        last_out_at=0,
        last_in_at=0,
        failures=0,
        open_until=0,
        last_error_code="",
        last_error="",
        last_error_at=0,
    )


def new_follow(peer: Peer, collection: str, iri: str, themes: tuple[str, ...], at_ms: int) -> Follow:
    """Make a follow as it enters the book."""
    return Follow(
        peer=peer.name,
        collection=collection,
        iri=iri or f"{peer.url}/collections/{collection}",
        local=f"{peer.name}/{collection}",
        themes=themes,
        created_at=at_ms,
        paused=False,
        etag="",
        known_size=0,
        known_note="",
        known_at=0,
        checked_at=0,
        level_at=0,
        last_error_code="",
        last_error="",
        last_error_at=0,
    )


def check_wanted(collections: Sequence[str], themes: Sequence[str]) -> None:
    """Malformed unless these could be names of collections and IRIs of themes."""
    for each in collections:
        if not is_collection_name(each):
            raise Malformed(
                f"{each[:80]!r} is no name of a peer's own collection.",
                fix="Use a-z, 0-9 and -.",
            ).on_page("no.peer.collection_name", name=each[:80])
    if len(themes) > _MAX_THEMES:
        raise Malformed(
            f"At most {_MAX_THEMES} themes can be chosen.",
            fix="Follow all of it.",
        ).on_page("no.peer.themes", most=_MAX_THEMES)
    for theme in themes:
        if not theme.startswith(("http://", "https://")) or not theme.isprintable() or len(theme) > 500 or " " in theme:
            raise Malformed(
                f"{theme[:80]!r} is no IRI of a theme.",
                fix="Give it in full, http(s)://….",
            ).on_page("no.peer.theme")
