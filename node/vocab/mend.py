"""Known misspellings of the wild, mended triple by triple before anything is hashed, and reported.

What is here was seen in published catalogues: terms in the wrong case, the DCAT namespace under https, addresses
written as strings, signatures in the query of an address (they change by themselves). Pure text work. Mending twice
gives what mending once gave: our own output, harvested again, is left alone.
"""

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from node.records import Finding
from node.vocab.ntriples import Triple, iri, is_literal, value_of

_DCAT = "http://www.w3.org/ns/dcat#"
_DCT = "http://purl.org/dc/terms/"
_FOAF = "http://xmlns.com/foaf/0.1/"
_VCARD = "http://www.w3.org/2006/vcard/ns#"

_TERMS = {
    _DCAT + wrong: right
    for wrong, right in {
        "accessUrl": _DCAT + "accessURL",
        "accessurl": _DCAT + "accessURL",
        "AccessURL": _DCAT + "accessURL",
        "downloadUrl": _DCAT + "downloadURL",
        "downloadurl": _DCAT + "downloadURL",
        "DownloadURL": _DCAT + "downloadURL",
        "mediatype": _DCAT + "mediaType",
        "bytesize": _DCAT + "byteSize",
        "landingpage": _DCAT + "landingPage",
        "contactpoint": _DCAT + "contactPoint",
        "endPointURL": _DCAT + "endpointURL",
        "endpointUrl": _DCAT + "endpointURL",
        "keywords": _DCAT + "keyword",
        "themes": _DCAT + "theme",
        "license": _DCT + "license",
    }.items()
} | {
    _DCT + "licence": _DCT + "license",
    _DCT + "accrualperiodicity": _DCT + "accrualPeriodicity",
    _DCT + "conformsto": _DCT + "conformsTo",
    _DCT + "accessrights": _DCT + "accessRights",
}

_NAMESPACES = {
    "<https://www.w3.org/ns/dcat#": "<" + _DCAT,
    "<http://www.w3.org/ns/dcat/": "<" + _DCAT,
    "<https://purl.org/dc/terms/": "<" + _DCT,
    "<https://xmlns.com/foaf/0.1/": "<" + _FOAF,
    "<https://www.w3.org/2006/vcard/ns#": "<" + _VCARD,
}
_OFTEN_WRONG = tuple(_NAMESPACES)

# Properties whose values are addresses: a string there is an IRI that lost its brackets.
_ADDRESSES = {
    f"<{name}>"
    for name in (
        *(_DCAT + n for n in ("accessURL", "downloadURL", "landingPage", "endpointURL", "endpointDescription")),
        *(_DCAT + n for n in ("theme", "mediaType", "themeTaxonomy")),
        *(_DCT + n for n in ("license", "accessRights", "language", "accrualPeriodicity", "conformsTo", "format")),
        *(_FOAF + n for n in ("page", "homepage")),
        _VCARD + "hasURL",
        "http://data.europa.eu/r5r/availability",
        "http://data.europa.eu/r5r/applicableLegislation",
        "http://data.europa.eu/r5r/hvdCategory",
    )
}
_HAS_EMAIL = f"<{_VCARD}hasEmail>"
_LONGEST_MAILBOX = 330
_MAILBOX = re.compile(r"(?:mailto:)?([^\s@<>]+@[^\s@<>]+\.[^\s@<>]+)\Z")
# Stricter than what an IRI may be: what is made an address here, a strict parser must take again.
_URL = re.compile(
    r"https?://(?:[^\s<>\"@/?#\[\]]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^\s<>\"@:/?#\[\]]+)(?::[0-9]*)?(?:[/?#][^\s<>\"]*)?\Z"
)
_SIGNED = re.compile(r"[?&](?:X-Amz-Signature|X-Goog-Signature|Signature|sig|hdnea)=", re.IGNORECASE)
_STAMP = re.compile(
    r"(?:x-amz-|x-goog-)|(?:signature|sig|expires|awsaccesskeyid|key-pair-id|policy|se|sp|sv|sr|st|spr|skoid|sktid|skt|ske|sks|skv|googleaccessid|hdnea)\Z"
)


def _renamed(term: str) -> str:
    """A term in its right spelling."""
    if term.startswith(_OFTEN_WRONG):
        for wrong, right in _NAMESPACES.items():
            if term.startswith(wrong):
                term = right + term[len(wrong) :]
    right_term = _TERMS.get(term[1:-1])
    return f"<{right_term}>" if right_term else term


def _right_object(predicate: str, object_: str) -> str:
    """An address out of a string, where the property wants one; else the object as it is."""
    if predicate in _ADDRESSES and is_literal(object_):
        text = value_of(object_).strip()
        return (iri(text) if _URL.match(text) else "") or object_
    if predicate == _HAS_EMAIL:
        text = value_of(object_).strip()
        # Longer ones are none (RFC 5321), and the pattern takes quadratic time to find that out.
        found = _MAILBOX.match(text) if len(text) <= _LONGEST_MAILBOX else None
        if found and object_[:2] != "_:" and object_ != f"<mailto:{found.group(1)}>":
            return iri("mailto:" + found.group(1)) or object_
    return object_


def unsigned(address: str) -> str:
    """Leave the signature out of a signed address: it changes at every look, the thing behind it does not."""
    if not _SIGNED.search(address):
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    kept = [
        piece
        for piece in parts.query.split("&")
        if not _STAMP.match((parse_qsl(piece, keep_blank_values=True) or [("", "")])[0][0].lower())
    ]
    return urlunsplit(parts._replace(query="&".join(kept)))


_RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_MOST = 10_000


def right_term(term: str) -> str:
    """Give the right spelling of a class or property."""
    if term not in _SPELT:
        _learn(term)
    return _SPELT[term]


# What was learnt of terms: their right spelling, and the properties whose triples need no second look. A hostile
# source must not grow us, so both are forgotten together when they are many.
_SPELT: dict[str, str] = {}
_PLAIN: set[str] = set()


def _learn(term: str) -> None:
    if len(_SPELT) > _MOST:
        _SPELT.clear()
        _PLAIN.clear()
    _SPELT[term] = right = _renamed(term)
    if right == term and right not in _ADDRESSES and right not in (_HAS_EMAIL, _RDF_TYPE):
        _PLAIN.add(term)


def mend(triples: Sequence[Triple]) -> tuple[Sequence[Triple], list[Finding]]:
    """Mend every triple; one finding per kind of fault and property, not one per triple."""
    faults: set[tuple[str, str]] = set()
    mended: dict[int, Triple] = {}
    for index in [i for i, triple in enumerate(triples) if triple[1] not in _PLAIN]:
        subject, predicate, object_ = triples[index]
        if _is_sound(predicate, object_):
            continue
        right, value = right_term(predicate), object_
        if right != predicate:
            faults.add(("term-misspelt", predicate))
        if right == _RDF_TYPE:
            value = right_term(object_)
            if value != object_:
                faults.add(("term-misspelt", object_))
        elif right in _ADDRESSES or right == _HAS_EMAIL:
            value = _mended_address(right, object_, faults)
        if right != predicate or value != object_:
            mended[index] = (subject, right, value)
    if not mended:
        return triples, []
    out = [mended.get(index, triple) for index, triple in enumerate(triples)]
    return out, [_finding(code, term) for code, term in sorted(faults)]


def _is_sound(predicate: str, object_: str) -> bool:
    """Tell at a glance what nearly all is: an address without a query, or a class in its right spelling."""
    if predicate in _ADDRESSES:
        return object_[0] == "<" and "=" not in object_
    return predicate == _RDF_TYPE and _SPELT.get(object_) == object_


def _mended_address(predicate: str, object_: str, faults: set[tuple[str, str]]) -> str:
    value = _right_object(predicate, object_)
    if value != object_:
        faults.add(("literal-for-iri", predicate))
    if "=" in value and value[:1] == "<":
        plain = unsigned(value[1:-1])
        if plain != value[1:-1]:
            faults.add(("signature-left-out", predicate))
            return f"<{plain}>"
    return value


_SAYINGS = {
    "term-misspelt": "The source writes {term}; it was read as {right}. Write it so at the source.",
    "literal-for-iri": "The value of {term} is a string; it was read as an address. Write it as an IRI at the source.",
    "signature-left-out": "The address in {term} carries a signature that expires; it was left out.",
}


def _finding(code: str, term: str) -> Finding:
    path = right_term(term)[1:-1]
    return Finding(code, "repaired", path, _SAYINGS[code].format(term=term[1:-1], right=path))
