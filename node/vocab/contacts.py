"""Personal contacts reduced to functional ones, before any digest: an office and its mailbox, never a person.

A contact is a node under `dcat:contactPoint` or one typed as a vCard or a person. What tells a person: the type
(`vcard:Individual`, `foaf:Person`), a mailbox made of the name, or a name of two to four capitalised words without one
that offices have. What stays: the organisation's name, role mailboxes, web addresses. The node's own IRI goes too when
it was a person's, since it often spells the name. Reducing twice gives what reducing once gave.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

from node.records import Finding
from node.vocab.ntriples import Triple, is_iri, is_literal, literal, value_of

_RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_VCARD = "http://www.w3.org/2006/vcard/ns#"
_FOAF = "http://xmlns.com/foaf/0.1/"
_SCHEMA = ("http://schema.org/", "https://schema.org/")
_CONTACT_POINT = "<http://www.w3.org/ns/dcat#contactPoint>"
_PUBLISHER = "<http://purl.org/dc/terms/publisher>"
_PEOPLE = {f"<{_VCARD}Individual>", f"<{_FOAF}Person>", *(f"<{ns}Person>" for ns in _SCHEMA)}
_TELLING = {_CONTACT_POINT, _RDF_TYPE}
_CARDS = {f"<{_VCARD}{name}>" for name in ("Kind", "VCard", "Contact", "Individual", "Organization", "Group")}
_ORGANISATION = f"<{_VCARD}Organization>"
_FN = f"<{_VCARD}fn>"
_NAMES = (_FN, f"<{_FOAF}name>", *(f"<{ns}name>" for ns in _SCHEMA))
_ORG_NAMES = (f"<{_VCARD}organization-name>", f"<{_VCARD}hasOrganizationName>")
_MAILS = {
    f"<{_VCARD}hasEmail>",
    f"<{_VCARD}email>",
    f"<{_FOAF}mbox>",
    *(f"<{ns}email>" for ns in _SCHEMA),
}
_KEPT_OF_A_PERSON = {*_ORG_NAMES, f"<{_VCARD}hasURL>", f"<{_VCARD}url>", f"<{_FOAF}homepage>"}

# What tells an office from a person. Whole words first, since "Mary" ends like a Finnish association and "Parker"
# begins like a park; then parts of the long compounds of Finnish, Swedish, Dutch and German.
_OFFICE = re.compile(
    r"(?<![^\W_])(?:data|info|contacts?|gis|geo|geodata|maps?|mapping|help|support|admin|offices?|officer|team|services?|"
    r"dept|departments?|divisions?|units?|council|city|town|stad|stadt|ville|mairie|comune|county|borough|authority|agency|"
    r"boards?|bureau|registry|enquir(?:y|ies)|press|research|library|libraries|planning|transport|environment|health|"
    r"housing|police|open|web|portal|no-?reply|mail|post|desk|helpdesk|groups?|committee|university|ltd|limited|plc|gmbh|"
    r"oyj?|ry|inc|llc|centre|center|museum|archives?|partnership|foundation|trust|institute|society|association|digital|"
    r"innovation|policy|strategy|analytics?|analysts?|intelligence|insights?|engineering|technology|ict|it|fire|schools?|parks?|"
    r"water|energy|finance|legal|foi|networks?|programmes?|programs?|projects?|ministry|government|london|helsinki|"
    r"public|works|hsl|hri|gla|tfl|oit|kontakt|staff|general|manager|management|licensing|street|streets|of|and|the|ja|och|for)"
    r"(?![^\W_])"
    r"|opendata|avoindata|dataset|datastor|yhtey|palvel|tjänst|tjanst|dienst|yksik|enhet|toimiala|virasto|kaupun|gemeente|"
    r"municip|kirjaamo|statisti|tilasto|tutkim|kirjasto|bibliot|kaava|liiken|mobili|ympäris|ymparis|omgeving|mittaus|"
    r"asukas|forvaltning|förvaltning|stads|hanke|tuki\b|ombuds|stakeholder|information",
    re.IGNORECASE,
)
_PERSON_NAME = re.compile(
    r"[^\W\d_a-z][\w'\u2019.-]*(?:\s+(?:(?:de|van|von|der|den|la|le|af|da|di|del|O')\s+)*[^\W\d_a-z][\w'\u2019.-]*){1,3}\Z"
)
_PERSONAL_BOX = re.compile(r"[a-zà-ÿ]{1,}(?:[._-][a-zà-ÿ]{2,})+\Z", re.IGNORECASE)

# No name or mailbox is longer, and the patterns above should not walk through a megabyte.
_LONGEST_LOOK = 1000


def _look(term: str) -> str:
    return value_of(term)[:_LONGEST_LOOK]


def reduce(root: str, triples: Sequence[Triple]) -> tuple[Sequence[Triple], list[Finding]]:
    """Take the persons out of a record's contacts; the same sequence and no finding if there were none.

    Args:
        root: The record's own subject; it is never a contact itself.
        triples: The whole extent.
    """
    contacts = _contacts(root, triples)
    if not contacts:
        return triples, []
    about: dict[str, list[Triple]] = defaultdict(list)
    for triple in [t for t in triples if t[0] in contacts]:
        about[triple[0]].append(triple)
    personal = {node for node in contacts if _is_personal(node, about[node])}
    mailboxes = {
        triple
        for node in contacts - personal
        for triple in about[node]
        if triple[1] in _MAILS and is_personal_mailbox(_look(triple[2]))
    }
    if not personal and not mailboxes:
        return triples, []
    kept = [t for t in triples if t[0] not in personal and t not in mailboxes]
    # What hung on a person alone (a telephone, a home address) goes along.
    alone = _reached(root, triples) - _reached(root, kept)
    kept = [t for t in kept if t[0] not in alone]
    return _with_offices(kept, personal, about, _publisher_name(root, triples)), [_FINDING]


_FINDING = Finding(
    "contact-reduced",
    "note",
    "http://www.w3.org/ns/dcat#contactPoint",
    "A person's name or mailbox was left out. Name an office and its shared mailbox at the source.",
)


def _reached(root: str, triples: Sequence[Triple]) -> set[str]:
    """The subjects that a walk from the root comes to."""
    links: dict[str, list[str]] = defaultdict(list)
    for subject, _, object_ in triples:
        if object_[:1] != '"':
            links[subject].append(object_)
    reached, waiting = {root}, [root]
    while waiting:
        for node in links.get(waiting.pop(), ()):
            if node not in reached:
                reached.add(node)
                waiting.append(node)
    return reached


def _contacts(root: str, triples: Sequence[Triple]) -> set[str]:
    found = set()
    for subject, predicate, object_ in [t for t in triples if t[1] in _TELLING]:
        if predicate == _CONTACT_POINT and object_[:1] != '"':
            found.add(object_)
        elif predicate == _RDF_TYPE and (object_ in _PEOPLE or object_ in _CARDS):
            found.add(subject)
    found.discard(root)
    return found


def _is_personal(node: str, about: Sequence[Triple]) -> bool:
    names = [_look(o) for _, p, o in about if p in _NAMES and is_literal(o)]
    mails = [_look(o) for _, p, o in about if p in _MAILS]
    if any(p == _RDF_TYPE and o in _PEOPLE for _, p, o in about):
        return not names or not all(_OFFICE.search(name) for name in names)
    if any(p == _RDF_TYPE and o == _ORGANISATION for _, p, o in about):
        return any(_spelt_in(name, mail) for name in names for mail in mails)
    if is_iri(node) and node.startswith("<mailto:") and is_personal_mailbox(_look(node)):
        return True
    return any(_is_person_name(name) or any(_spelt_in(name, mail) for mail in mails) for name in names)


def _is_person_name(name: str) -> bool:
    return bool(_PERSON_NAME.match(name.strip())) and not _OFFICE.search(name)


@lru_cache(maxsize=4096)
def _spelt_in(name: str, mail: str) -> bool:
    """Tell whether a mailbox spells a person's name (two words of it, not an office's)."""
    words = [w for w in re.split(r"[^\w]+", name.lower()) if len(w) > 1]
    box = _box(mail)
    return len(words) > 1 and not _OFFICE.search(name) and words[-1] in box


def _box(mail: str) -> str:
    return mail.removeprefix("mailto:").partition("@")[0].lower()


@lru_cache(maxsize=4096)
def is_personal_mailbox(mail: str) -> bool:
    """Tell whether a mail address is spelt as a person's: two words or more before the @, none of them an office's."""
    box = _box(mail)
    return "@" in mail and bool(_PERSONAL_BOX.match(box)) and not _OFFICE.search(box)


def _publisher_name(root: str, triples: Sequence[Triple]) -> str:
    publishers = {o for s, p, o in triples if s == root and p == _PUBLISHER}
    literals = [o for o in publishers if is_literal(o)]
    names = [o for s, p, o in triples if s in publishers and p in _NAMES and is_literal(o)]
    return min(names + literals, default="")


def _with_offices(
    kept: list[Triple], personal: set[str], about: dict[str, list[Triple]], publisher: str
) -> list[Triple]:
    """Put an office in a person's place, or nothing where none is known."""
    out: list[Triple] = []
    offices = {node: _office(about[node], publisher) for node in sorted(personal)}
    # Two persons of one office become one contact: twins would tie in the canonical form, and say nothing twice.
    same = {node: min(other for other in offices if set(offices[other]) == set(offices[node])) for node in offices}
    blank = {node: f"_:office{index}" for index, node in enumerate(offices)}
    blank = {node: blank[same[node]] for node in offices}
    for subject, predicate, object_ in kept:
        if object_ in offices:
            if offices[object_]:
                out.append((subject, predicate, blank[object_]))
        else:
            out.append((subject, predicate, object_))
    for node in set(same.values()):
        out.extend((blank[node], predicate, object_) for predicate, object_ in offices[node])
    return list(dict.fromkeys(out))


def _office(about: Sequence[Triple], publisher: str) -> list[tuple[str, str]]:
    lines = [(p, o) for _, p, o in about if p in _KEPT_OF_A_PERSON]
    lines += [(p, o) for _, p, o in about if p in _MAILS and _OFFICE.search(_box(_look(o)))]
    named = min((o for p, o in lines if p in _ORG_NAMES and is_literal(o)), default="") or publisher
    if named:
        lines.append((_FN, literal(value_of(named))))
    return [(_RDF_TYPE, _ORGANISATION), *lines] if lines else []
