"""N-Triples terms as plain text: how triples travel between the adapters and the canonical payload.

A term is its N-Triples spelling in the canonical form of RDFC-1.0: `<iri>`, `_:label`, `"text"`, `"text"@en`,
`"text"^^<datatype>`. Text and not term objects, because splitting and sorting text is five times as fast as
crossing into an RDF library per term (`benchmarks/`). Pure: no I/O, no clock, no RDF library.
"""

import re
from functools import lru_cache

Triple = tuple[str, str, str]

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_NEEDS_ESCAPE = re.compile('[\\x00-\\x1f"\\\\\\x7f]')
_UNESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
# Well-formed by BCP 47 (RFC 5646, 2.1), grandfathered tags apart: strict parsers refuse everything else.
_LANGUAGE = re.compile(
    r"(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
    r"|x(?:-[a-z0-9]{1,8})+)\Z"
)
_NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\\x7f-\x9f]')
# What RFC 3987 refuses beyond that: a percent sign that encodes nothing, brackets outside the host, characters that are
# private or none, and a second number sign.
_REFUSED_LATER = re.compile("%(?![0-9A-Fa-f]{2})|[\\[\\]\ue000-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\U000e0000-\U0010ffff]")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://[^/?#]*)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")
XSD = "http://www.w3.org/2001/XMLSchema#"


def _escape_one(match: re.Match[str]) -> str:
    char = match.group()
    return _ESCAPES.get(char) or f"\\u{ord(char):04X}"


def escape(text: str) -> str:
    r"""Escape as RDFC-1.0 does: `\b \t \n \f \r \" \\`, other controls as `\u00XX`, the rest as it is."""
    return _NEEDS_ESCAPE.sub(_escape_one, text) if _NEEDS_ESCAPE.search(text) else text


def _unescape_one(match: re.Match[str]) -> str:
    short, long, char = match.groups()
    if char is not None:
        return _PLAIN.get(char, char)
    return chr(int(short or long, 16))


def unescape(text: str) -> str:
    """Read N-Triples escapes back."""
    return _UNESCAPE.sub(_unescape_one, text) if "\\" in text else text


def literal(text: str, *, language: str = "", datatype: str = "") -> str:
    """Spell a literal. Lone surrogates become U+FFFD; `language` must already be a good tag (see `language_tag`)."""
    body = escape(_SURROGATE.sub("\ufffd", text))
    if language:
        return f'"{body}"@{language}'
    if datatype and datatype != XSD + "string":
        return f'"{body}"^^<{datatype}>'
    return f'"{body}"'


@lru_cache(maxsize=1024)
def language_tag(tag: str) -> str:
    """Give the lower-case tag, `_` mended to `-`; empty if it still is none."""
    mended = tag.strip().replace("_", "-").lower()
    return mended if _LANGUAGE.match(mended) else ""


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "replace"))


def mend_iri(text: str) -> str:
    """Percent-encode what an IRI may not hold; equal to the input if nothing was amiss."""
    mended = _NOT_IN_IRI.sub(_percent, _SURROGATE.sub("\ufffd", text))
    return _mend_after_host(mended) if _REFUSED_LATER.search(mended) or mended.count("#") > 1 else mended


def _mend_after_host(text: str) -> str:
    host = _AUTHORITY.match(text)
    at = host.end() if host else 0
    path, sign, fragment = text[at:].partition("#")
    tail = _REFUSED_LATER.sub(_percent, fragment).replace("#", "%23")
    return text[:at] + _REFUSED_LATER.sub(_percent, path) + sign + tail


def iri(text: str) -> str:
    """Spell an absolute IRI as a term, mended; empty if the text is no absolute IRI."""
    mended = mend_iri(text.strip())
    return f"<{mended}>" if _ABSOLUTE.match(mended) else ""


def is_iri(term: str) -> bool:
    """Tell whether a term is an IRI."""
    return term[:1] == "<"


def is_literal(term: str) -> bool:
    """Tell whether a term is a literal."""
    return term[:1] == '"'


def is_blank(term: str) -> bool:
    """Tell whether a term is a blank node."""
    return term[:2] == "_:"


def value_of(term: str) -> str:
    """Give the IRI, the label or the literal's text behind a term."""
    if term[:1] == "<":
        return term[1:-1]
    if term[:1] == '"':
        return unescape(term[1 : term.rindex('"')])
    return term[2:]


def language_of(term: str) -> str:
    """Give the language tag of a literal, or empty."""
    tail = term[term.rindex('"') + 1 :] if term[:1] == '"' else ""
    return tail[1:] if tail[:1] == "@" else ""


def datatype_of(term: str) -> str:
    """Give the datatype IRI of a literal as written; empty for plain and language-tagged ones."""
    tail = term[term.rindex('"') + 1 :] if term[:1] == '"' else ""
    return tail[3:-1] if tail[:2] == "^^" else ""


def split(line: str) -> Triple:
    """Split one canonical N-Triples line (no LF needed) into its three terms.

    Only for lines our own child process or journal wrote: IRIs there hold no spaces.
    """
    subject, predicate, rest = line.split(" ", 2)
    return subject, predicate, rest[: rest.rindex(" .")]


def triples_of(payload: bytes) -> list[Triple]:
    """Read a payload of ours back into terms."""
    # str.splitlines would also cut at U+2028 inside a literal; N-Triples lines end with LF alone.
    return [split(line) for line in payload.decode().split("\n") if line]
