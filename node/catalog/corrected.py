"""A record with its correction laid over it: between what a source says and what is hashed and published.

A harvest does so with every record that is corrected, and the desk at once with the one that it corrects; both begin
from the source's own payload, so the next night's harvest of an unchanged source finds nothing new. What was found in
the source goes where it was corrected; what is found in the corrected record is said anew. Writes through the
correction's own store alone.
"""

from collections.abc import Sequence
from dataclasses import replace

from node.catalog import correction_store
from node.catalog.correction_store import Correction
from node.catalog.work import Change, Work
from node.db import Tx
from node.records import Record, digest_of
from node.vocab import check, overlay
from node.vocab.canon import Relabel, canonical
from node.vocab.ntriples import triples_of

CANON_S = 10.0


def laid_over(record: Record, correction: Correction, stamp: overlay.Stamp, relabel: Relabel) -> Record:
    """Give a source's record as it is published: with its correction, and with findings of what is left to mend.

    Raises:
        TooLarge: With the correction it is past the bounds of a record.
    """
    source = triples_of(record.payload)
    made = overlay.lay(record.iri, source, correction.said, stamp)
    payload, final = canonical(record.iri, made, base_url=stamp.base_url, relabel=relabel)
    before = set(check.findings(record.kind, record.iri, source))
    terms = overlay.corrected_terms(correction.said)
    kept = [each for each in record.findings if each not in before and each.path not in terms]
    found = check.findings(record.kind, record.iri, final)
    return replace(record, payload=payload, findings=(*kept, *found))


def heard(correction: Correction, record: Record, *, collection: str, now_ms: int) -> Correction:
    """Give a correction that knows what its source says now; the same one if that is nothing new."""
    digest = digest_of(record.payload)
    if digest == correction.digest and collection == correction.collection:
        return correction
    now = overlay.in_place(correction.said, overlay.source_says(record.iri, record.payload))
    # Where what it said was erased, it is heard as if for the first time.
    before = correction.before if correction.digest else now
    since = 0 if now == before else correction.changed_ms or now_ms
    fresh = replace(correction, before=before, now=now, source=record.payload, digest=digest)
    return replace(fresh, changed_ms=since, collection=collection)


def with_correction(work: Work, record: Record) -> tuple[Record, Correction | None]:
    """Give a harvested record as it is published, and its correction if it has one."""
    known = work.corrections.get(record.iri)
    return (record, None) if known is None else _laid(work, record, known)


def settled(tx: Tx, work: Work, batch: Sequence[Change]) -> list[Change]:
    """Look again under the journal's lock: a record may have been corrected, or given back, since it was read."""
    now = correction_store.some(tx, [each.record.iri for each in batch])
    made = [_settled(work, each, now.get(each.record.iri)) for each in batch]
    correction_store.renew(tx, [each.correction for each in made if each.correction])
    return made


def is_news(work: Work, record: Record, correction: Correction | None) -> bool:
    """Tell whether a source says something that its record's correction does not know yet."""
    return correction is not None and correction != work.corrections.get(record.iri)


def _settled(work: Work, change: Change, right: Correction | None) -> Change:
    applied = change.correction
    if (applied and applied.at_ms) == (right and right.at_ms):
        return change
    source = change.source or change.record
    record, correction = (source, None) if right is None else _laid(work, source, right)
    return replace(change, record=record, correction=correction, source=source)


def _laid(work: Work, record: Record, known: Correction) -> tuple[Record, Correction]:
    policy, run = work.policy, work.run
    stamp = overlay.Stamp(policy.city, policy.base_url, known.at_ms)

    def relabel(lines: bytes) -> bytes:
        return work.desk.parser.canonicalize(lines, CANON_S)

    fresh = heard(known, record, collection=work.source.collection, now_ms=run.started_ms)
    return laid_over(record, known, stamp, relabel), fresh
