"""How triples are said to an engine: updates in SPARQL and bulk loads in N-Quads, from the text that journals hold.

Payloads are canonical N-Triples without blank nodes, so they go into either as they are, but for one spelling that some
engines misread. What an engine refuses is said again piece by piece, so that one bad record never holds up the others.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from node.errors import Malformed, Misconfigured
from node.outbound.engine import Engine

_logger = logging.getLogger("citynode.graph")
WRITE_S = 600.0
_MOST_BYTES = 2 << 20
_MOST_PARTS = 100
_NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\\x7f-\x9f]')
_BACKSLASHED = re.compile(rb"\\\\([uU])?|\\[^\\]")


@dataclass(frozen=True, slots=True)
class Part:
    """Triples of one graph, a line each as N-Triples has them; `instead` of what the graph held, `gone` from it."""

    graph: str
    triples: bytes
    instead: bool = False
    gone: bool = False


def is_graph(iri: str) -> bool:
    """Tell whether an address can name a graph: peers choose a part of it."""
    return bool(iri) and ":" in iri and _NOT_IN_IRI.search(iri) is None


def said(parts: Sequence[Part]) -> bytes:
    """Write one update, in order; an engine does all of it or nothing."""
    return b" ;\n".join(operation for part in parts for operation in _operations(part))


def _operations(part: Part) -> Iterator[bytes]:
    graph = b"<" + part.graph.encode() + b">"
    if part.instead:
        yield b"DROP SILENT GRAPH " + graph
    if part.triples:
        yield (
            (b"DELETE" if part.gone else b"INSERT")
            + b" DATA { GRAPH "
            + graph
            + b" {\n"
            + _spelt(part.triples)
            + b"} }"
        )


def _spelt(triples: bytes) -> bytes:
    r"""Spell a backslash before a `u` so that it is no escape even for those who read escapes first (SPARQL 19.2)."""
    if b"\\\\u" not in triples and b"\\\\U" not in triples:
        return triples
    return _BACKSLASHED.sub(lambda m: b"\\\\\\u%04x" % m[1][0] if m[1] else m[0], triples)


def quads(parts: Sequence[Part]) -> bytes:
    """Write N-Quads."""
    # A line ends there and nowhere else: line feeds within literals are escaped.
    return b"".join(part.triples.replace(b" .\n", b" <%s> .\n" % part.graph.encode()) for part in parts)


def write(engine: Engine, parts: Sequence[Part]) -> None:
    """Change the store. What the engine refuses is left out and said to the log. Raises Unavailable."""
    for group in _groups(parts):
        _piecewise(group, lambda some: engine.update(said(some), deadline_s=WRITE_S))


def add(engine: Engine, parts: Sequence[Part]) -> None:
    """Add to the store the quickest way that the engine has. Raises Unavailable; a part may be there then."""
    address = engine.address
    if address is not None and address.load_url:
        _piecewise(parts, lambda some: engine.load(quads(some), deadline_s=WRITE_S))
    else:
        write(engine, parts)


def clear(engine: Engine) -> None:
    """Empty the store. Raises Unavailable."""
    engine.update(b"DROP ALL", deadline_s=WRITE_S)


def _groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    group: list[Part] = []
    size = 0
    for part in parts:
        if group and (size + len(part.triples) > _MOST_BYTES or len(group) >= _MOST_PARTS):
            yield group
            group, size = [], 0
        group.append(part)
        size += len(part.triples)
    if group:
        yield group


def _piecewise(parts: Sequence[Part], say: Callable[[Sequence[Part]], None]) -> None:
    """Say parts together, and in halves what is refused, down to the one that is to blame."""
    if not parts:
        return
    try:
        say(parts)
    except (Malformed, Misconfigured) as error:
        if len(parts) == 1:
            _logger.warning(
                "the triple store refuses what it is to hold of %s: %s", parts[0].graph, error.message[:300]
            )
            return
        middle = len(parts) // 2
        _piecewise(parts[:middle], say)
        _piecewise(parts[middle:], say)
