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
# Every node is coloured as often as its group has members: a chain of ten thousand would take minutes, and a list of
# a few hundred is the longest that was seen.
MAX_COLOURING = 1_000_000

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
    extent = list(triples)
    if len(extent) > MAX_TRIPLES and len(extent := list(dict.fromkeys(extent))) > MAX_TRIPLES:
        raise TooLarge(f"The record has {len(extent)} triples; at most {MAX_TRIPLES} are taken.")
    named, lines = skolemise(iri, extent, base_url=base_url, relabel=relabel)
    once = set(lines)
    if len(once) < len(lines):
        named = list(dict.fromkeys(named))
    # Text sorts by code point, and UTF-8 keeps that order. " ." sorts as nothing does: only `@` and `^` follow a term.
    payload = (" .\n".join(sorted(once)) + " .\n" if once else "").encode()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise TooLarge(f"The record has {len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are taken.")
    return payload, named


def is_anonymous(term: str) -> bool:
    """Tell whether a term is blank or a skolem IRI, of whoever's making."""
    return term[:2] == "_:" or (GENID in term and term[:1] == "<")


def skolemise(iri: str, extent: list[Triple], *, base_url: str, relabel: Relabel) -> tuple[list[Triple], list[str]]:
    """Replace every anonymous node in subject or object place; give the triples, and each as `s p o`."""
    lines = list(map(" ".join, extent))
    odd, colours = _coloured(extent, lines)
    if len(set(colours.values())) < len(colours):
        extent = _relabelled(list(dict.fromkeys(extent)), colours, relabel)
        lines = list(map(" ".join, extent))
        odd, colours = _coloured(extent, lines)
    if not odd:
        return extent, lines
    names = {
        node: _skolem_iri(iri, colour, ordinal, base_url) for node, (colour, ordinal) in _ordinals(colours).items()
    }
    named = extent.copy()
    for i in odd:
        subject, predicate, object_ = extent[i]
        named[i] = triple = (names.get(subject, subject), predicate, names.get(object_, object_))
        lines[i] = " ".join(triple)
    return named, lines


def _coloured(extent: list[Triple], lines: list[str]) -> tuple[list[int], dict[str, str]]:
    """Find the triples with anonymous nodes, by their places, and each such node's colour."""
    # One search of all the text tells whether IRIs need a look at all. Blank nodes alone sort behind `_`.
    if GENID in "\n".join(lines):
        odd = [i for i, (s, _, o) in enumerate(extent) if is_anonymous(s) or is_anonymous(o)]
        return odd, _colours(_neighbourhoods(extent[i] for i in odd))
    odd = [i for i, (s, _, o) in enumerate(extent) if o > "_" or s > "_"]
    stars = _stars([extent[i] for i in odd])
    return odd, _colours(_neighbourhoods(extent[i] for i in odd)) if stars is None else stars


def _stars(triples: Iterable[Triple]) -> dict[str, str] | None:
    """Colour blank nodes that are linked with named ones alone, as most are; None if two are linked."""
    around: dict[str, set[str]] = defaultdict(set)
    for subject, predicate, object_ in triples:
        if subject < "_":
            around[object_].add(f"{subject} {predicate} _:a")
        elif object_ < "_":
            around[subject].add(f"_:a {predicate} {object_}")
        else:
            return None
    return {node: hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() for node, lines in around.items()}


def _neighbourhoods(extent: Iterable[Triple]) -> dict[str, list[Triple]]:
    """Each anonymous node with the triples that have it as subject or object, each triple once."""
    around: dict[str, list[Triple]] = defaultdict(list)
    for triple in dict.fromkeys(extent):
        subject, _, object_ = triple
        if is_anonymous(subject):
            around[subject].append(triple)
            if object_ != subject and is_anonymous(object_):
                around[object_].append(triple)
        else:
            around[object_].append(triple)
    return around


def _colours(around: dict[str, list[Triple]]) -> dict[str, str]:
    blank = dict.fromkeys(around, "")
    # The first round is the same whoever is connected; the further ones are as many as a group has other members.
    colours = {node: _colour(node, triples, blank) for node, triples in around.items()}
    for group in _groups(around):
        _check_work(len(group), sum(len(around[node]) for node in group))
        for _ in group[1:]:
            colours.update({node: _colour(node, around[node], colours) for node in group})
    return colours


def _check_work(nodes: int, triples: int) -> None:
    if nodes * triples > MAX_COLOURING:
        raise TooLarge(
            f"{nodes} nodes without a name hang together by {triples} triples; that takes too long to name.",
            fix="Give some of them IRIs.",
        )


def _colour(node: str, triples: list[Triple], last: dict[str, str]) -> str:
    lines = []
    for subject, predicate, object_ in triples:
        s = "_:a" if subject == node else "_:" + last[subject] if subject in last else subject
        o = "_:a" if object_ == node else "_:" + last[object_] if object_ in last else object_
        lines.append(f"{s} {predicate} {o}")
    lines.sort()
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _groups(around: dict[str, list[Triple]]) -> Iterable[list[str]]:
    """The groups of anonymous nodes that are linked with each other."""
    seen: set[str] = set()
    for start, triples in around.items():
        if start in seen or all(s not in around or o not in around for s, _, o in triples):
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


def _relabelled(extent: list[Triple], colours: dict[str, str], relabel: Relabel) -> list[Triple]:
    """The extent under the labels of RDFC-1.0, whose order then settles the ties."""
    tally: dict[str, int] = defaultdict(int)
    for colour in colours.values():
        tally[colour] += 1
    if max(tally.values()) > MAX_TIES:
        raise TooLarge(
            f"{max(tally.values())} nodes without a name look alike; at most {MAX_TIES} are taken.",
            fix="Give them IRIs or leave the repeated ones out.",
        )
    blank = {node: f"_:n{index}" for index, node in enumerate(colours)}
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
