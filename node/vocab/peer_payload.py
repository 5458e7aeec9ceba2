"""Is a peer's payload canonical? Runs in the child process, before anybody else reads a byte of it.

A payload is canonical if an RDF parser reads it and what it read, written again in RDFC-1.0's form, is the same bytes:
sorted lines, each once, no blank nodes, no triple terms, no directions, language tags in lower case, absolute IRIs.
Nearly all payloads are so plain that one regular expression says it; it takes strictly less than the parser does (a law
holds the two together) and a quarter of the time. Whatever else comes is parsed. Pure: no I/O, no clock.
"""

import re
from bisect import bisect_left
from collections.abc import Collection as Many
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import lt

from node.records import MAX_PAYLOAD_BYTES, MAX_TRIPLES
from node.vocab.ntriples import literal

TOO_LARGE, MALFORMED, NOT_CANONICAL, BLANK_NODES = "too-large", "malformed", "not-canonical", "blank-nodes"

Fault = tuple[str, str]  # a code, and a sentence; two empty texts if there is none
Told = tuple[str, str, list[str]]  # a fault, and the subjects that were asked after
_GOOD: Fault = ("", "")

# Possessive throughout, so that the time is linear. IRIs: only characters that need no thought, of three schemes.
_PART = rb"(?:[A-Za-z0-9._~/?@!$&'()*+,;=:-]++|%[0-9A-Fa-f]{2})*+"
_IRI = (
    rb"<(?:https?://[A-Za-z0-9.-]++(?::[0-9]{1,5}+)?+(?:[/?]" + _PART + rb")?+(?:\#" + _PART + rb")?+"
    rb"|mailto:[A-Za-z0-9.@_+-]++|urn:[a-z0-9][a-z0-9-]++:[A-Za-z0-9.:_-]++)>"
)
# The bytes of U+FFFE and U+FFFF are left to the parser, which has its own mind about them.
_TEXT = (
    rb'"(?:[^\x00-\x1f"\\\x7f\xef]++|\xef(?!\xbf[\xbe\xbf])|\\[btnfr"\\]'
    rb'|\\u00(?:0[0-7BEF]|1[0-9A-F]|7F))*+"'
)
_PLAIN = re.compile(
    rb"(?:" + _IRI + rb" " + _IRI + rb" (?:" + _IRI + rb"|" + _TEXT + rb"(?:@[a-z]{2,3}(?![a-z0-9-])|\^\^"
    rb"(?!<http://www\.w3\.org/2001/XMLSchema\#string>|<http://www\.w3\.org/1999/02/22-rdf-syntax-ns\#(?:lang|dirLang)String>)"
    + _IRI
    + rb")?+) \.\n)*+\Z"
)


def looked_at(payloads: Sequence[bytes], origins: Many[str]) -> dict[int, Told]:
    """Give the places of payloads of which there is something to say: a fault, or subjects of one of the origins.

    Args:
        payloads: As they came.
        origins: Scheme, host and slash, as `https://a.example/`. Subjects without a slash after the host are told too.
    """
    wanted = {origin.encode() for origin in origins}
    found: dict[int, Told] = {}
    for place, payload in enumerate(payloads):
        lines = payload.split(b"\n")
        fault = fault_of(payload, lines)
        told = list(_subjects_of(lines, wanted)) if fault == _GOOD and wanted else []
        if told or fault != _GOOD:
            found[place] = (*fault, told)
    return found


def _subjects_of(lines: Sequence[bytes], origins: Many[bytes]) -> Iterator[str]:
    """Give the subjects of canonical lines that lie under an origin; in sorted lines those of one stand together."""
    at = 0
    while at < len(lines):
        subject = lines[at][1 : lines[at].find(b">")]
        end = subject.find(b"/", subject.find(b"//") + 2) + 1
        if end and subject[:end] not in origins:
            at = _behind(lines, b"<" + subject[:end], at)
        else:
            yield subject.decode()
            at = _behind(lines, b"<" + subject + b">", at)


def _behind(lines: Sequence[bytes], begin: bytes, at: int) -> int:
    """Give the place of the first line after those that begin so; no UTF-8 has a byte 255."""
    return bisect_left(lines, begin + b"\xff", at)


def fault_of(payload: bytes, lines: list[bytes]) -> Fault:
    """Say what is wrong with a payload; of `lines`, which it is split into, the empty last one is taken away."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return TOO_LARGE, f"It has {len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are taken."
    if lines.pop():
        return NOT_CANONICAL, "Its last line does not end."
    if len(lines) > MAX_TRIPLES:
        return TOO_LARGE, f"It has {len(lines)} triples; at most {MAX_TRIPLES} are taken."
    # Code point order is byte order in UTF-8.
    if not all(map(lt, lines, islice(lines, 1, None))):
        return NOT_CANONICAL, "Its lines are not sorted, or one stands twice."
    return _GOOD if _PLAIN.match(payload) else _parsed(payload, lines)


def _parsed(payload: bytes, lines: Sequence[bytes]) -> Fault:
    # Triple terms can be nested as deep as a megabyte allows: they never reach the parser.
    for number, line in enumerate(lines, 1):
        fault = _shape_fault(line)
        if fault:
            return fault[0], f"Line {number}: {fault[1]}"
    try:
        written = b"".join(_written(payload))
    except SyntaxError as error:
        return MALFORMED, f"It is no N-Quads: {error.msg}"
    except ValueError as error:
        return NOT_CANONICAL, str(error)
    return _GOOD if written == payload else (NOT_CANONICAL, "It is not written in the canonical form.")


def _shape_fault(line: bytes) -> Fault | None:
    terms = line.split(b" ", 2)
    if len(terms) < 3:
        return NOT_CANONICAL, "it is no triple."
    subject, _, rest = terms
    if subject.startswith(b"_:") or rest.startswith(b"_:"):
        return BLANK_NODES, "it has a blank node."
    if any(term.startswith(b"<<") for term in terms):
        return NOT_CANONICAL, "it has a triple term."
    return None


def _written(payload: bytes) -> Iterator[bytes]:
    import pyoxigraph  # in the child it is there; whoever only wants the codes does not load it

    for quad in pyoxigraph.parse(payload, format=pyoxigraph.RdfFormat.N_TRIPLES):
        subject, predicate, term = quad.subject, quad.predicate, quad.object
        if not isinstance(subject, pyoxigraph.NamedNode):
            raise ValueError("It has a subject that is no IRI.")  # noqa: TRY004 - of the payload, not of an argument
        yield f"<{subject.value}> <{predicate.value}> {_spelt(term)} .\n".encode()


def _spelt(term: object) -> str:
    import pyoxigraph

    if isinstance(term, pyoxigraph.NamedNode):
        return f"<{term.value}>"
    if not isinstance(term, pyoxigraph.Literal) or getattr(term, "direction", None) is not None:
        raise ValueError("It has a term that is neither an IRI nor a literal without a direction.")
    return literal(term.value, language=term.language or "", datatype="" if term.language else term.datatype.value)
