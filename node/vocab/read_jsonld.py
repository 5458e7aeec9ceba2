"""Reads strangers' JSON-LD, fetching nothing; runs in the child process only.

Several ways, each tried when the one before refused: pyoxigraph in parts, pyoxigraph from the file, pyoxigraph after
contexts that are kept here were put inline and unreadable characters were mended, and pyld, which knows more of JSON-LD
1.1 and is fifty times as slow. In parts, because pyoxigraph needs thirty times a JSON-LD document's size in memory. A
context elsewhere, remote or on a disk, is refused by name: a catalogue must not be able to make us open anything.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pyoxigraph as ox

from node.errors import Malformed, TooLarge
from node.vocab.contexts import CONTEXT_PATH, CONTEXT_V1
from node.vocab.decode import mapped
from node.vocab.json_scan import MAX_DEPTH, Members, NotJson, View, depth_of, elements, end_of, loads, skip_space
from node.vocab.notes import Notes, shorten
from node.vocab.protocol_contexts import PROTOCOL_CONTEXTS

_MIN_PARTED_BYTES = 4 << 20
_PART_BYTES = 1 << 20
_MAX_TREE_BYTES = 32 << 20
_MAX_PYLD_BYTES = 16 << 20
_FIX = "Put the context into the document, or publish Turtle."

Way = Callable[[Notes], Iterator[ox.Quad]]


def ways_to_read(source: Path, base: str) -> Iterator[Way]:
    """Give the ways in order; a later one is prepared only if asked for.

    Raises:
        Malformed: No JSON, or a context elsewhere.
        TooLarge: Nested too deep, or too large for the slower ways.
    """
    with mapped(source) as view:
        if depth_of(view) > MAX_DEPTH:
            raise TooLarge(f"It is nested deeper than {MAX_DEPTH} levels.", fix="Publish Turtle.")
        if len(view) >= _MIN_PARTED_BYTES:
            yield lambda notes: _in_parts(view, base, notes)
    yield lambda _: _oxigraph(base, path=source)
    if source.stat().st_size > _MAX_TREE_BYTES:
        raise TooLarge("It is JSON-LD of an unusual form and too large to be read whole.", fix=_FIX)
    tree = loads(source.read_bytes(), Notes())
    _inline_contexts(tree)
    body = orjson.dumps(tree)
    yield lambda notes: _oxigraph(base, body=_noted(body, source, notes))
    if len(body) <= _MAX_PYLD_BYTES:
        yield lambda notes: _pyld(orjson.loads(_noted(body, source, notes)), base)


def _noted(body: bytes, source: Path, notes: Notes) -> bytes:
    """Say again in these notes what had to be mended to read the JSON at all."""
    loads(source.read_bytes(), notes)
    return body


def _oxigraph(base: str, *, path: Path | None = None, body: bytes | None = None) -> Iterator[ox.Quad]:
    return ox.parse(body, path=path, format=ox.RdfFormat.JSON_LD, base_iri=base, rename_blank_nodes=True, lenient=True)


def _pyld(tree: Any, base: str) -> Iterator[ox.Quad]:  # noqa: ANN401  (JSON)
    from pyld import jsonld  # the slow way only: importing it takes longer than reading most documents

    def refuse(url: str, _options: object = None) -> dict[str, Any]:
        raise _elsewhere(url)

    options = {"base": base, "documentLoader": refuse, "format": "application/n-quads"}
    try:
        text: str = jsonld.to_rdf(tree, options)
    except jsonld.JsonLdError as error:
        raise SyntaxError(str(error).partition("\n")[0]) from error
    return ox.parse(text, format=ox.RdfFormat.N_QUADS, rename_blank_nodes=True, lenient=True)


# In parts


def _in_parts(view: View, base: str, notes: Notes) -> Iterator[ox.Quad]:
    """Read `{"@context": …, "@graph": […]}` or `[…]` a megabyte of nodes at a time.

    Raises:
        SyntaxError: The document has another form, or a part of it is not readable as it is.
    """
    try:
        around, at = _nodes(view, notes)
        # Blank labels must mean the same in every part and nothing in other documents.
        salt = secrets.token_bytes(16)
        for nodes in _parts(view, at):
            body = around[0] + b",".join(nodes) + around[1]
            parsed = ox.parse(body, format=ox.RdfFormat.JSON_LD, base_iri=base, lenient=True)
            for quad in parsed:
                yield _renamed(quad, salt)
    except NotJson as error:
        raise SyntaxError(f"no JSON at byte {error.at}") from error


def _nodes(view: View, notes: Notes) -> tuple[tuple[bytes, bytes], int]:
    """Give what stands around every part, and where the array of nodes opens."""
    at = skip_space(view, 0)
    if view[at : at + 1] == b"[":
        return (b"[", b"]"), at
    found = dict(Members(view, at)) if view[at : at + 1] == b"{" else {}
    start = found.get("@graph", at)
    if found.keys() - {"@context", "@graph"} or view[start : start + 1] != b"[":
        raise SyntaxError("the document is no list of nodes")
    first = found.get("@context", -1)
    holder = {"@context": loads(view[first : end_of(view, first)[0]], notes) if first >= 0 else {}}
    _inline_contexts(holder)
    return (orjson.dumps(holder)[:-1] + b',"@graph":[', b"]}"), start


def _parts(view: View, at: int) -> Iterator[list[bytes]]:
    nodes: list[bytes] = []
    size = 0
    for start, end, depth in elements(view, at):
        if depth >= 0:
            nodes.append(view[start:end])
            size += end - start
        if nodes and (size >= _PART_BYTES or depth < 0):
            yield nodes
            nodes, size = [], 0


def _renamed(quad: ox.Quad, salt: bytes) -> ox.Quad:
    subject, value, graph = quad.subject, quad.object, quad.graph_name
    blank = ox.BlankNode
    if not (isinstance(subject, blank) or isinstance(value, blank) or isinstance(graph, blank)):
        return quad
    return ox.Quad(_label(subject, salt), quad.predicate, _label(value, salt), _label(graph, salt))


def _label(term: Any, salt: bytes) -> Any:  # noqa: ANN401  (a term of any position stays one of that position)
    if not isinstance(term, ox.BlankNode):
        return term
    return ox.BlankNode("b" + hashlib.blake2b(term.value.encode(), key=salt, digest_size=16).hexdigest())


# Contexts


def _inline_contexts(tree: Any) -> None:  # noqa: ANN401  (JSON)
    """Replace links to contexts that are kept here by the contexts; raise Malformed on any other link."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "@context" in node:
                node["@context"] = _inlined(node["@context"])
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _inlined(context: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(context, str):
        if urlsplit(context).path.endswith(CONTEXT_PATH):
            return deepcopy(CONTEXT_V1["@context"])
        if context in PROTOCOL_CONTEXTS:
            return deepcopy(PROTOCOL_CONTEXTS[context])
        raise _elsewhere(context)
    if isinstance(context, list):
        return [_inlined(each) for each in context]
    if isinstance(context, dict) and "@import" in context:
        raise _elsewhere(str(context["@import"]))
    return context


def _elsewhere(url: str) -> Malformed:
    return Malformed(
        f"Its context is elsewhere, at {shorten(url)}, and nothing is fetched to read a document.", fix=_FIX
    )
