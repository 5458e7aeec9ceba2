"""The export of evidence: statements with everything that proves them, in one file that needs no node and no network.

In it are the statements, each with its entry, opening, way up the tree, and the signed checkpoint with the witnesses'
cosignatures; the agreements they are under, as `citynode agreements export` writes them; and what every city says of
itself with its keys. The city that exports signs the whole of it, so that nothing in it can be changed unseen; `verify`
proves it and believes none of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from node.db import Tx
from node.errors import NotFound, TooLarge, Unavailable
from node.federation.agreement_desk.export import Sources as AgreementSources
from node.federation.agreement_desk.export import entry_shown, export_bundle
from node.federation.agreements.agreements import Agreements
from node.federation.evidence.proofs import Hand
from node.federation.evidence.selection import Selection
from node.federation.evidence.statements import COLLECTION, CONTEXT, Statement
from node.federation.evidence.verify import MAX_BYTES, MAX_CITIES, MAX_STATEMENTS, VERSION, written
from node.federation.peers.store import Peer
from node.federation.witness.witness import witness_name
from node.journal import Reader, note
from node.keys import PublicKey
from node.keys.public import moment

_FEWER = "Export fewer at a time: of a transfer, an agreement, a kind, or between two moments (--since, --until)."


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parts of an export come from.

    `cosigned` gives the witnesses' lines under a checkpoint, by the collection's number and its size; `sign` signs the
    newest checkpoint, if the journal has grown.
    """

    agreed: AgreementSources
    agreements: Agreements
    cosigned: Callable[[int, int], Sequence[str]]
    hand: Hand
    sign: Callable[[int], object]

    @property
    def reader(self) -> Reader:
        """Give the reader of the journals."""
        return self.agreed.reader


def export(sources: Sources, statements: Sequence[Statement], *, now_ms: int, chosen: Selection | None = None) -> bytes:
    """Write the export of statements, all of them, in the order of the journal; `chosen` says which they are.

    Raises:
        NotFound: There is no statement.
        TooLarge: There are more than one file holds.
        Unavailable: One was erased meanwhile, or is not under a signed checkpoint yet; try again.
    """
    chosen = chosen or Selection(names=[each.record for each in statements])
    if not statements:
        raise NotFound("There is no such evidence.", fix="List it: citynode evidence list")
    if len(statements) > MAX_STATEMENTS:
        raise TooLarge(f"One file holds {MAX_STATEMENTS} statements, and there are more.", fix=_FEWER)
    sources.sign(now_ms)
    with sources.reader.db.read() as tx:
        journal = _journal(sources, tx, statements)
    agreements = [found for iri in _agreements(statements) if (found := _agreement(sources, iri, now_ms))]
    cities = _cities(sources, statements, journal["checkpoint"], now_ms)
    if len(cities) > MAX_CITIES:
        raise TooLarge(f"One file holds {MAX_CITIES} cities, and there are {len(cities)}.", fix=_FEWER)
    document = {
        "@context": list(CONTEXT),
        "citynode": VERSION,
        "by": sources.hand.url,
        "federation": sources.hand.federation,
        "exported": moment(now_ms),
        "selection": chosen.document(len(statements)),
        "cities": cities,
        "agreements": agreements,
        "journal": journal,
    }
    body = written(sources.hand.sign(document, now_ms))
    if len(body) > MAX_BYTES:
        raise TooLarge(f"The file would have {len(body)} bytes, and {MAX_BYTES} is the most.", fix=_FEWER)
    return body


def cities_in(body: bytes) -> list[str]:
    """Name the cities of an export that was just written."""
    return [str(each["url"]) for each in orjson.loads(body)["cities"]]


def _agreements(statements: Sequence[Statement]) -> list[str]:
    return sorted({each.agreement for each in statements if each.agreement})


def _agreement(sources: Sources, iri: str, now_ms: int) -> dict[str, Any] | None:
    """Give an agreement as it is exported alone; of one that is not here any more the file says that it is missing.

    Raises:
        Unavailable: Its journal is not signed as far as it goes.
    """
    try:
        body = export_bundle(sources.agreed, sources.agreements.get(iri), now_ms=now_ms)
    except NotFound:
        return None
    told: dict[str, Any] = orjson.loads(body)
    return told


# ---------------------------------------------------------------- the journal


def _journal(sources: Sources, tx: Tx, statements: Sequence[Statement]) -> dict[str, Any]:
    reader = sources.reader
    collection = reader.get(tx, COLLECTION)
    signed = reader.newest_checkpoint(tx, COLLECTION)
    if signed is None:
        raise NotFound("The journal of evidence is not signed yet.", fix="Try again.")
    size = note.checkpoint_of(note.parse(signed).text).size
    whole = note.with_lines(signed, sources.cosigned(collection.id, size))
    shown = [_shown(reader, tx, each, size) for each in statements]
    entries = sorted(shown, key=lambda each: each["entry"]["seq"])
    return {"collection": collection.iri, "checkpoint": whole, "entries": entries}


def _shown(reader: Reader, tx: Tx, statement: Statement, size: int) -> dict[str, Any]:
    entry = reader.newest(tx, COLLECTION, statement.record)
    shown = entry_shown(reader, tx, COLLECTION, entry, size) if entry and entry.seq <= size else None
    if shown is None or shown["payload"] is None:
        # Nothing that was chosen is left out without a word.
        raise Unavailable(f"{statement.record} is not signed yet, or was erased meanwhile.", fix="Try again.")
    return shown


# ---------------------------------------------------------------- cities


def _cities(sources: Sources, statements: Sequence[Statement], checkpoint: str, now_ms: int) -> list[dict[str, object]]:
    """Give what every city says of itself that signed anything in here: we, the other ends, the witnesses."""
    agreed = sources.agreed
    own = _city(agreed.identity.url, agreed.identity.statement(now_ms), agreed.keyring.published())
    others = {each.other for each in statements}
    names = {line.name for line in note.parse(checkpoint).signatures}
    met = [each for each in agreed.peers.list() if each.url in others or witness_name(each.url) in names]
    return [own, *(_peer(sources, each) for each in met if each.statement)]


def _peer(sources: Sources, peer: Peer) -> dict[str, object]:
    return _city(peer.url, peer.statement, sources.agreed.peers.all_keys(peer.name))


def _city(url: str, statement: str, keys: Sequence[PublicKey]) -> dict[str, object]:
    # Endorsements stand in the statement; what is pinned of a peer here has only the names of those that endorsed.
    listed = [{**replace(key, endorsement="").document(), "endorsement": None} for key in keys]
    return {"url": url, "statement": statement, "keys": listed}
