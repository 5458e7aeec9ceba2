"""RDF/XML out, for the harvesters that read nothing else; every document passes an ordinary XML parser first.

XML cannot say everything RDF can: a predicate must end in an XML name, and most control characters cannot be written
at all. Such a record is `NotAcceptable`, with the predicate or the character named; nothing is bent to fit. A carriage
return is written `&#xD;`, since a parser turns a bare one into a line feed. The XML of RDF libraries is not used: the
one at hand writes documents that only it reads back. Pure: no I/O.
"""

import re
from functools import lru_cache
from xml.parsers import expat

from node.errors import NotAcceptable
from node.vocab.ntriples import unescape
from node.vocab.subjects import LONGEST_CACHED, Properties, Subjects, in_order
from node.vocab.terms import PREFIXES, RDF

_BY_NAMESPACE = {namespace: prefix for prefix, namespace in PREFIXES.items()}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_ANY_NAME = re.compile(r"[^\W\d][\w.\-]*\Z")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile("[&<>\r]")
_SPELT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
# No prefix may be bound to this namespace (Namespaces in XML 1.0, section 3).
_XMLNS = "http://www.w3.org/2000/xmlns/"
# What RDF/XML reads as its own syntax and not as a property (RDF 1.1 XML Syntax, section 5.1 and rdf:li).
_SYNTAX = {
    RDF.NS + name
    for name in (
        *("Description", "RDF", "ID", "about", "aboutEach", "aboutEachPrefix"),
        *("bagID", "datatype", "li", "nodeID", "parseType", "resource"),
    )
}
_FIX = "Ask for Turtle, JSON-LD or N-Triples."


def _spell(text: str) -> str:
    return _SPECIAL.sub(lambda found: _SPELT[found.group()], text) if _SPECIAL.search(text) else text


def _split(iri: str) -> tuple[str, str]:
    """Cut an IRI into a namespace and an XML name; the name is empty if the IRI does not end in one."""
    match = _PLAIN_NAME.search(iri) or _ANY_NAME.search(iri)
    if not match or iri in _SYNTAX:
        return iri, ""
    # An ASCII tail after a letter that is none ("größe") cuts a word in two, yet reads back as the same IRI.
    start = match.start() + (iri[: match.start()] == _XMLNS)
    return iri[:start], iri[start:]


def _name(predicate: str) -> tuple[str, str, str]:
    """Give a property's start tag without its end, its end tag, and the known prefix it needs or nothing."""
    namespace, name = _split(predicate[1:-1])
    prefix = _BY_NAMESPACE.get(namespace, "")
    if prefix:
        start, tag = f"<{prefix}:{name}", f"{prefix}:{name}"
    else:
        start, tag = f'<p:{name} xmlns:p="{_spell(namespace)}"', f"p:{name}"
        if not name or not _parses(f"{start}/>"):
            raise NotAcceptable(f"RDF/XML cannot write the property {predicate}.", fix=_FIX)
    return start, f"</{tag}>\n", prefix


_element = lru_cache(maxsize=4096)(_name)


def _parses(text: str) -> bool:
    try:
        parser = expat.ParserCreate("utf-8", " ")
        parser.Parse(text.encode())
        parser.Parse(b"", True)  # noqa: FBT003 (expat takes it by position only: the document ends here)
    except (expat.ExpatError, UnicodeEncodeError):
        return False
    return True


def _property(start: str, end: str, term: str) -> str:
    if term[0] == "<":
        return f'    {start} rdf:resource="{_spell(term[1:-1])}"/>\n'
    cut = term.rindex('"')
    text, tail = _spell(unescape(term[1:cut])), term[cut + 1 :]
    if not tail:
        return f"    {start}>{text}{end}"
    if tail[0] == "@":
        return f'    {start} xml:lang="{tail[1:]}">{text}{end}'
    return f'    {start} rdf:datatype="{_spell(tail[3:-1])}">{text}{end}'


def _block(subject: str, properties: Properties, used: set[str]) -> str:
    lines = [f'  <rdf:Description rdf:about="{_spell(subject[1:-1])}">\n']
    for predicate, things in properties.items():
        start, end, prefix = _element(predicate) if len(predicate) <= LONGEST_CACHED else _name(predicate)
        used.add(prefix)
        lines += [_property(start, end, thing) for thing in things]
    lines.append("  </rdf:Description>\n")
    return "".join(lines)


def body(subjects: Subjects) -> tuple[str, set[str]]:
    """Write the subjects without the document around them; give the text and the prefixes it needs.

    Raises:
        NotAcceptable: A predicate or a character cannot be written; the message names it.
    """
    used = {"rdf"}
    text = "".join([_block(subject, subjects[subject], used) for subject in in_order(subjects)])
    used.discard("")
    odd = _NO_XML.search(text)
    if odd:
        raise NotAcceptable(f"RDF/XML cannot hold the character U+{ord(odd.group()):04X}.", fix=_FIX)
    if not _parses(wrap(text, used)):
        raise NotAcceptable("This record cannot be written as well-formed RDF/XML.", fix=_FIX)
    return text, used


def wrap(text: str, used: set[str]) -> str:
    """Put the document around bodies that need these prefixes."""
    names = "".join([f'\n    xmlns:{prefix}="{PREFIXES[prefix]}"' for prefix in sorted(used)])
    return f'<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF{names}>\n{text}</rdf:RDF>\n'
