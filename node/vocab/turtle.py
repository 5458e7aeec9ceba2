"""Turtle out: what people read and most harvesters ask for.

Literals and IRIs of canonical N-Triples are valid Turtle as they stand, so they are copied, not parsed; only IRIs in
a known namespace are shortened. No shorthand for numbers or booleans: some readers rewrite those. A body carries no
prefixes, so that the bodies of a page's records stand under one header. Pure: no I/O, no RDF library.
"""

import re
from functools import lru_cache

from node.vocab.subjects import LONGEST_CACHED, TYPE, Properties, Subjects, in_order
from node.vocab.terms import PREFIXES

_BY_NAMESPACE = {namespace: prefix for prefix, namespace in PREFIXES.items()}
_NAME = re.compile(r"<([^>]*[/#])([A-Za-z][A-Za-z0-9_-]*)>\Z")


_SEPARATOR = " ,\n    "


def _short(term: str) -> tuple[str, str]:
    """Write an IRI's term and say which prefix that took, if any."""
    return _shorten(term) if len(term) <= LONGEST_CACHED else (term, "")


@lru_cache(maxsize=8192)
def _shorten(term: str) -> tuple[str, str]:
    match = _NAME.match(term)
    prefix = _BY_NAMESPACE.get(match[1]) if match else None
    return (f"{prefix}:{match[2]}", prefix) if match and prefix else (term, "")


def _object(term: str, used: set[str]) -> str:
    """Write an IRI, or a literal with a datatype."""
    if term[0] == "<":
        name, prefix = _short(term)
        used.add(prefix)
        return name
    # Only a datatype ends a literal with ">"; it starts at the last "<".
    start = term.rindex("<")
    name, prefix = _short(term[start:])
    used.add(prefix)
    return term[:start] + name


def _block(subject: str, properties: Properties, used: set[str]) -> str:
    lines = []
    for predicate, things in properties.items():
        name, prefix = ("a", "") if predicate == TYPE else _short(predicate)
        used.add(prefix)
        # Plain literals stand as they are, and most properties have one value.
        written = [thing if thing[-1] != ">" else _object(thing, used) for thing in things]
        lines.append(f"{name} {written[0] if len(written) == 1 else _SEPARATOR.join(written)}")
    return f"{subject} " + " ;\n  ".join(lines) + " .\n"


def _types_first(properties: Properties) -> Properties:
    return {TYPE: properties[TYPE], **properties} if TYPE in properties else properties


def body(subjects: Subjects) -> tuple[str, set[str]]:
    """Write the subjects without their prefixes; give the text and the prefixes it needs."""
    used: set[str] = set()
    blocks = [_block(subject, _types_first(subjects[subject]), used) for subject in in_order(subjects)]
    used.discard("")
    return "\n".join(blocks), used


def header(used: set[str]) -> str:
    """Write the prefix lines, in the order of the alphabet, and the empty line after them."""
    lines = [f"@prefix {prefix}: <{PREFIXES[prefix]}> .\n" for prefix in sorted(used)]
    return "".join(lines) + ("\n" if lines else "")
