"""From a description to a record: mended, reduced, canonical, checked, in this order and nowhere else.

The order is security and identity at once: what is mended or left out must be so before the first hash. Touches no
network, no database and no clock; RDFC-1.0 for tied blank nodes is handed in, since it runs in a child process.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.records import Finding, Record
from node.vocab import check, contacts, mend
from node.vocab.canon import Relabel, canonical
from node.vocab.ntriples import Triple

# Raised when the same description would give other bytes or other findings: sources are then read in full once.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """What a node decides about translation: where skolem IRIs live, and whether named persons stay."""

    base_url: str
    keep_contacts: bool = False


def record_of(
    iri: str,
    kind: str,
    slug: str,
    triples: Sequence[Triple],
    *,
    rules: Rules,
    relabel: Relabel,
    findings: Sequence[Finding] = (),
) -> Record:
    """Make the record of a description.

    Args:
        iri: The record's IRI; the subject of its own triples.
        kind: A key of `records.KINDS`.
        slug: Settled before.
        triples: The whole extent, blank nodes still blank.
        rules: The node's.
        relabel: RDFC-1.0, for ties only.
        findings: What the adapter already found; ours come after it.

    Raises:
        TooLarge: The payload or its ties are past the bounds.
    """
    mended, repairs = mend.mend(triples)
    reduced, reductions = (mended, []) if rules.keep_contacts else contacts.reduce(f"<{iri}>", mended)
    payload, final = canonical(iri, reduced, base_url=rules.base_url, relabel=relabel)
    found = check.findings(kind, iri, final)
    return Record(iri, kind, slug, payload, (*findings, *repairs, *reductions, *found))
