"""The export of an agreement: everything that proves it, in one file that needs no node and no network.

In it are the signed text, what both cities say of themselves with the history of their keys, and from a journal of
each city every entry about the agreement, with its opening, its description, the way up the tree and the signed
checkpoint: ours as we wrote it, the other's as we mirror it. Who gets the file can read the whole agreement. There are
two: one for the parties, from their journals of this pair; and of a public agreement one for everybody, from public
collections alone, since how long a pair's journal is tells of agreements that are not public. `verifier` and
`published` prove them and believe none of it.
"""

import base64
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from node.db import Tx
from node.errors import NotFound, Refused, Unavailable
from node.federation.agreements.agreements import PUBLIC_COLLECTION, Agreement, pair_collection
from node.federation.agreements.records import record_in
from node.federation.agreements.text import AgreementText
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
    checkpoint_keys: Sequence[PublicKey] = ()
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
        raise Unavailable(
            f"The journal's entry about {agreement.iri} is not signed yet.",
            fix="Try again.",
        ).on_page("no.agreement.unsigned")
    cities = [_own_city(sources, now_ms)]
    if peer.statement:  # another connector says nothing of itself and has no keys that anybody could check
        cities.append(_other_city(sources, peer))
    return _written(agreement.iri, agreement.signed, cities, [each for each in found if each], now_ms)


def public_bundle(sources: Sources, text: AgreementText, shown: Collection[str], *, now_ms: int) -> bytes:
    """Write the export of an agreement that both cities publish, from what everybody may see here and nothing else.

    Args:
        sources: Where its parts come from; this city need be no party.
        text: The agreement with its proofs, as a public record has it.
        shown: The local names of the collections that everybody may read here.
        now_ms: The time.

    Raises:
        NotFound: The cities do not publish it.
        Unavailable: Our own journal's newest entry about it is not under a signed checkpoint yet; try again.
    """
    if not text.about.get("public"):
        raise NotFound("The cities do not publish this agreement.", fix="Each of them can export it.")
    cities, journals = [], []
    for url in (text.assigner, text.assignee):
        known = _known(sources, url, now_ms)
        if known is None:
            continue
        city, journal = known
        cities.append(city)
        found = _shown(sources.reader, journal, text.iri) if journal.local in shown else None
        if found is None and journal.is_own:
            raise Unavailable(
                f"The journal's entry about {text.iri} is not signed yet.",
                fix="Try again.",
            ).on_page("no.agreement.unsigned")
        journals += [found] if found else []
    return _written(text.iri, text.signed, cities, journals, now_ms)


def _known(sources: Sources, url: str, now_ms: int) -> tuple[dict[str, object], _Journal] | None:
    """Give what is known of a party and its public collection of agreements; None of one whose keys nobody pinned."""
    if url == sources.identity.url:
        return _own_city(sources, now_ms), _Journal(PUBLIC_COLLECTION, url, is_own=True)
    peer = sources.peers.by_url(url)
    if peer is None or not sources.peers.all_keys(peer.name):
        return None
    return _other_city(sources, peer), _Journal(f"{peer.name}/{PUBLIC_COLLECTION}", url)


def _written(iri: str, signed: str, cities: Sequence[object], journals: Sequence[object], now_ms: int) -> bytes:
    document = {
        "citynode": VERSION,
        "agreement": iri,
        "exported": moment(now_ms),
        "text": signed,
        "cities": cities,
        "journals": journals,
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def verify_here(sources: Sources, agreement: Agreement, *, now_ms: int) -> AgreementReport:
    """Prove an agreement as this node holds it: by its own export under the pinned keys, and by both whole journals.

    Raises:
        NotFound: The peer is not in the book any more.
        Unavailable: Our own journal's newest entry about it is not under a signed checkpoint yet; try again.
    """
    peer = sources.peers.get(agreement.peer)
    trusted = [each for each in (sources.identity.fingerprint, peer.fingerprint) if each]
    body = export_bundle(sources, agreement, now_ms=now_ms)
    report = verify_bundle(body, trusted=trusted, federation=sources.federation, now_ms=now_ms, whole=True)
    for journal in _journals(sources, peer):
        try:
            held = verify(sources.reader, journal.local, [key.raw for key in journal.checkpoint_keys])
            said = f"The whole journal {journal.local} was recomputed: {held.size} entries."
            report.add(said, "recomputed", journal.city, journal=journal.local, size=str(held.size))
        except NotFound:
            said = f"The journal {journal.local} is not here: {journal.city} has not been mirrored yet."
            report.lack(said, "not-mirrored", journal.city, journal=journal.local)
        except Refused as error:
            report.refute(error)
    return report


def _journals(sources: Sources, peer: Peer) -> tuple[_Journal, _Journal]:
    own, name = sources.identity.url, pair_collection(sources.identity.url)
    ours = _Journal(pair_collection(peer.url), own, sources.keyring.published("checkpoint"), is_own=True)
    return ours, _Journal(f"{peer.name}/{name}", peer.url, sources.peers.keys(peer.name, "checkpoint"))


def _own_city(sources: Sources, now_ms: int) -> dict[str, object]:
    return _city(sources.identity.url, sources.identity.statement(now_ms), sources.keyring.published())


def _other_city(sources: Sources, peer: Peer) -> dict[str, object]:
    return _city(peer.url, peer.statement, sources.peers.all_keys(peer.name))


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
        shown = [entry_shown(reader, tx, journal.local, each, size) for each in entries if each.seq <= size]
        iri = reader.get(tx, journal.local).iri
    return {"city": journal.city, "collection": iri, "checkpoint": signed, "entries": shown} if shown else None


def _entries(reader: Reader, tx: Tx, local: str) -> Iterator[Entry]:
    after = 0
    while page := reader.entries(tx, local, after=after, limit=_PAGE):
        yield from page
        after = page[-1].seq


def entry_shown(reader: Reader, tx: Tx, local: str, entry: Entry, size: int) -> dict[str, Any]:
    """Give an entry with what proves it under a checkpoint of so many; None stands for a payload that is not here."""
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
