"""The export of an agreement: everything that proves it, in one file that needs no node and no network.

In it are the signed text, what both cities say of themselves with the history of their keys, and from each city's
journal of this pair every entry about the agreement, with its opening, its description, the way up the tree and the
signed checkpoint: ours as we wrote it, the other's as we mirror it. It says nothing that both parties may not see; who
gets the file can read the whole agreement. `agreement_verifier` proves it and believes none of it.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from node.db import Tx
from node.errors import NotFound, Refused, Unavailable
from node.federation.agreements.agreements import Agreement, pair_collection
from node.federation.agreements.records import record_in
from node.federation.agreements.verifier import VERSION, AgreementReport, verify_bundle
from node.federation.identity.own import OwnIdentity
from node.federation.peers.store import Peer, PeerStore
from node.journal import Entry, Reader, note
from node.journal.verify import verify
from node.keys import Keyring, PublicKey
from node.keys.public import moment

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parts of an export come from."""

    reader: Reader
    keyring: Keyring
    identity: OwnIdentity
    peers: PeerStore
    federation: str


@dataclass(frozen=True, slots=True)
class _Journal:
    """One city's journal of this pair, by its name here."""

    local: str
    city: str
    checkpoint_keys: Sequence[PublicKey]
    is_own: bool = False


def export_bundle(sources: Sources, agreement: Agreement, *, now_ms: int) -> bytes:
    """Write the export of an agreement: indented JSON, as docs/verify.md describes it.

    Raises:
        NotFound: The peer is not in the book any more.
        Unavailable: Our own journal's newest entry about it is not under a signed checkpoint yet; try again.
    """
    peer = sources.peers.get(agreement.peer)
    ours, theirs = _journals(sources, peer)
    found = [_shown(sources.reader, each, agreement.iri) for each in (ours, theirs)]
    if not found[0]:
        raise Unavailable(f"The journal's entry about {agreement.iri} is not signed yet.", fix="Try again.")
    document = {
        "citynode": VERSION,
        "agreement": agreement.iri,
        "exported": moment(now_ms),
        "text": agreement.signed,
        "cities": [
            _city(sources.identity.url, sources.identity.statement(now_ms), sources.keyring.published()),
            _city(peer.url, peer.statement, sources.peers.all_keys(peer.name)),
        ],
        "journals": [each for each in found if each],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def verify_here(sources: Sources, agreement: Agreement, *, now_ms: int) -> AgreementReport:
    """Prove an agreement as this node holds it: by its own export under the pinned keys, and by both whole journals.

    Raises:
        NotFound: The peer is not in the book any more.
        Unavailable: Our own journal's newest entry about it is not under a signed checkpoint yet; try again.
    """
    peer = sources.peers.get(agreement.peer)
    trusted = [sources.identity.fingerprint, peer.fingerprint]
    body = export_bundle(sources, agreement, now_ms=now_ms)
    report = verify_bundle(body, trusted=trusted, federation=sources.federation, now_ms=now_ms, whole=True)
    for journal in _journals(sources, peer):
        try:
            held = verify(sources.reader, journal.local, [key.raw for key in journal.checkpoint_keys])
            report.add(f"The whole journal {journal.local} was recomputed: {held.size} entries.")
        except NotFound:
            report.lack(f"The journal {journal.local} is not here: {journal.city} has not been mirrored yet.")
        except Refused as error:
            report.refute(error)
    return report


def _journals(sources: Sources, peer: Peer) -> tuple[_Journal, _Journal]:
    own, name = sources.identity.url, pair_collection(sources.identity.url)
    ours = _Journal(pair_collection(peer.url), own, sources.keyring.published("checkpoint"), is_own=True)
    return ours, _Journal(f"{peer.name}/{name}", peer.url, sources.peers.keys(peer.name, "checkpoint"))


def _city(url: str, statement: str, keys: Sequence[PublicKey]) -> dict[str, object]:
    # Endorsements stand in the statement; what is pinned of a peer here has only the names of those that endorsed.
    listed = [{**replace(key, endorsement="").document(), "endorsement": None} for key in keys]
    return {"url": url, "statement": statement, "keys": listed}


def _shown(reader: Reader, journal: _Journal, agreement: str) -> dict[str, object] | None:
    """Give what a journal holds about an agreement under its newest checkpoint; None if that is nothing."""
    with reader.db.read() as tx:
        try:
            signed = reader.newest_checkpoint(tx, journal.local)
        except NotFound:
            return None
        if signed is None:
            return None
        size = note.checkpoint_of(note.parse(signed).text).size
        record = record_in(agreement, journal.city)
        entries = [
            each for each in _entries(reader, tx, journal.local) if each.opening and each.opening.record == record
        ]
        if not entries or (journal.is_own and entries[-1].seq > size):
            return None
        shown = [_entry(reader, tx, journal.local, each, size) for each in entries if each.seq <= size]
        iri = reader.get(tx, journal.local).iri
    return {"city": journal.city, "collection": iri, "checkpoint": signed, "entries": shown} if shown else None


def _entries(reader: Reader, tx: Tx, local: str) -> Iterator[Entry]:
    after = 0
    while page := reader.entries(tx, local, after=after, limit=_PAGE):
        yield from page
        after = page[-1].seq


def _entry(reader: Reader, tx: Tx, local: str, entry: Entry, size: int) -> dict[str, Any]:
    opening = entry.opening
    digest = opening.digest if opening else ""
    payload = reader.payloads(tx, [digest]).get(digest) if digest else None
    hashes = reader.inclusion(tx, local, entry.seq, size)
    return {
        "entry": entry.document(),
        "opening": opening.document() if opening else None,
        "inclusion": {
            "leaf_index": entry.seq - 1,
            "tree_size": size,
            "hashes": [base64.b64encode(value).decode() for value in hashes],
        },
        "payload": None if payload is None else payload.decode(errors="replace"),
    }
