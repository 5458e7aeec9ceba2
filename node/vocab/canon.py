"""The payload's bytes: blank nodes replaced by deterministic skolem IRIs, lines sorted, nothing else.

Here stands the algorithm of `formats.md` 2. A node is *anonymous* when it is blank or when its IRI holds
`/.well-known/genid/`; its new name comes from the record's IRI and from its content and neighbourhood (its colour),
so that shuffled input and renamed labels give the same bytes, and so does our own Turtle when it is harvested again.
Pure text work: no RDF library, no I/O. Only where colours tie is RDFC-1.0 needed, and the caller hands it in, because
it runs in a child process (hostile graphs make it slow).
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable

from node.errors import TooLarge
from node.records import MAX_PAYLOAD_BYTES, MAX_TRIPLES
from node.vocab.ntriples import Triple, triples_of

GENID = "/.well-known/genid/"
MAX_TIES = 64

# N-Triples bytes in, the same graph with the labels of RDFC-1.0 out.
Relabel = Callable[[bytes], bytes]


def payload_of(iri: str, triples: Iterable[Triple], *, base_url: str, relabel: Relabel) -> bytes:
    """Give the canonical payload of a record; see `canonical`."""
    return canonical(iri, triples, base_url=base_url, relabel=relabel)[0]


def canonical(iri: str, triples: Iterable[Triple], *, base_url: str, relabel: Relabel) -> tuple[bytes, list[Triple]]:
    """Give the canonical payload of a record, sorted N-Quads lines without blank nodes, and its triples.

    Args:
        iri: The record's own IRI; it enters every skolem IRI, so equal nodes of two records differ.
        triples: The whole extent; duplicates are fine.
        base_url: Where the skolem IRIs live.
        relabel: RDFC-1.0, asked only when two anonymous nodes look alike.

    Returns:
        The payload's bytes, and the same triples without duplicates in no particular order.

    Raises:
        TooLarge: More than 10,000 triples, 1 MiB, or 64 alike anonymous nodes.
    """
    extent = list(dict.fromkeys(triples))
    if len(extent) > MAX_TRIPLES:
        raise TooLarge(f"The record has {len(extent)} triples; at most {MAX_TRIPLES} are taken.")
    named = skolemise(iri, extent, base_url=base_url, relabel=relabel)
    # Text sorts by code point, and UTF-8 keeps that order. The joined text ends with the last line's LF.
    lines = [f"{s} {p} {o} ." for s, p, o in named]
    lines.sort()
    lines.append("")
    payload = "\n".join(lines).encode()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise TooLarge(f"The record has {len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are taken.")
    return payload, named


def is_anonymous(term: str) -> bool:
    """Tell whether a term is blank or a skolem IRI, of whoever's making."""
    return term[:2] == "_:" or (GENID in term and term[:1] == "<")


def skolemise(iri: str, extent: list[Triple], *, base_url: str, relabel: Relabel) -> list[Triple]:
    """Replace every anonymous node in subject or object place; no duplicates come in and none go out."""
    around = _neighbourhoods(extent)
    if not around:
        return extent
    colours = _colours(around)
    if len(set(colours.values())) < len(colours):
        extent = _relabelled(extent, around, colours, relabel)
        around = _neighbourhoods(extent)
        colours = _colours(around)
    names = {
        node: _skolem_iri(iri, colour, ordinal, base_url) for node, (colour, ordinal) in _ordinals(colours).items()
    }
    return [(names.get(s, s), p, names.get(o, o)) for s, p, o in extent]


def _neighbourhoods(extent: Iterable[Triple]) -> dict[str, list[Triple]]:
    """Each anonymous node with the triples that have it as subject or object."""
    around: dict[str, list[Triple]] = defaultdict(list)
    for triple in extent:
        subject, _, object_ = triple
        if subject[:2] == "_:" or (GENID in subject and subject[:1] == "<"):
            around[subject].append(triple)
            if object_ != subject and is_anonymous(object_):
                around[object_].append(triple)
        elif object_[:2] == "_:" or (GENID in object_ and object_[:1] == "<"):
            around[object_].append(triple)
    return around


def _colours(around: dict[str, list[Triple]]) -> dict[str, str]:
    colours: dict[str, str] = {}
    for group in _groups(around):
        last = dict.fromkeys(group, "")
        for _ in group:
            last = {node: _colour(node, around[node], last) for node in group}
        colours.update(last)
    return colours


def _colour(node: str, triples: list[Triple], last: dict[str, str]) -> str:
    lines = []
    for subject, predicate, object_ in triples:
        s = "_:a" if subject == node else "_:" + last[subject] if subject in last else subject
        o = "_:a" if object_ == node else "_:" + last[object_] if object_ in last else object_
        lines.append(f"{s} {predicate} {o}")
    lines.sort()
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _groups(around: dict[str, list[Triple]]) -> Iterable[list[str]]:
    """The connected groups of anonymous nodes."""
    seen: set[str] = set()
    for start in around:
        if start in seen:
            continue
        seen.add(start)
        group = [start]
        for node in group:  # grows while it is walked
            for subject, _, object_ in around[node]:
                for other in (subject, object_):
                    if other in around and other not in seen:
                        seen.add(other)
                        group.append(other)
        yield group


def _relabelled(
    extent: list[Triple], around: dict[str, list[Triple]], colours: dict[str, str], relabel: Relabel
) -> list[Triple]:
    """The extent under the labels of RDFC-1.0, whose order then settles the ties."""
    tally: dict[str, int] = defaultdict(int)
    for colour in colours.values():
        tally[colour] += 1
    if max(tally.values()) > MAX_TIES:
        raise TooLarge(
            f"{max(tally.values())} nodes without a name look alike; at most {MAX_TIES} are taken.",
            fix="Give them IRIs or leave the repeated ones out.",
        )
    blank = {node: f"_:n{index}" for index, node in enumerate(around)}
    lines = (f"{blank.get(s, s)} {p} {blank.get(o, o)} .\n" for s, p, o in extent)
    return triples_of(relabel("".join(lines).encode()))


def _ordinals(colours: dict[str, str]) -> dict[str, tuple[str, int]]:
    """Colour and ordinal of each node; among equal colours the order of the RDFC-1.0 labels, c14n2 before c14n10."""
    by_colour: dict[str, list[str]] = defaultdict(list)
    for node, colour in colours.items():
        by_colour[colour].append(node)
    return {
        node: (colour, ordinal)
        for colour, nodes in by_colour.items()
        for ordinal, node in enumerate(sorted(nodes, key=lambda n: (len(n), n)), start=1)
    }


def _skolem_iri(iri: str, colour: str, ordinal: int, base_url: str) -> str:
    hashed = hashlib.sha256(f"{iri}\n{colour}\n{ordinal}".encode()).digest()[:16]
    return f"<{base_url}{GENID}{_base32(hashed)}>"


_PAIRS = [a + b for a in "abcdefghijklmnopqrstuvwxyz234567" for b in "abcdefghijklmnopqrstuvwxyz234567"]


def _base32(hashed: bytes) -> str:
    """RFC 4648 base32 of 16 bytes, lower case, unpadded; ten bits at a time, four times as fast as the library's."""
    number = int.from_bytes(hashed, "big") << 2  # 130 bits, 26 letters
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
