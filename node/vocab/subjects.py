"""A payload as subjects with their properties: the common first step of every serialiser.

Terms stay the N-Triples text they are in the payload (`node.vocab.ntriples`). Because a payload is sorted, the lines
of a subject stand together and every order here follows from the payload alone: the same payload always gives the
same document, which is what makes an ETag of its digest honest. Pure: no I/O, no RDF library.
"""

from node.vocab.terms import CN, DCAT, RDF, SCHEMA

Properties = dict[str, list[str]]
Subjects = dict[str, Properties]

TYPE = f"<{RDF.type}>"

# Terms longer than this are worked out anew each time: a stranger's long IRIs must not fill the writers' caches.
LONGEST_CACHED = 256
_RECORD_CLASSES = [
    f"<{name}>"
    for name in (
        *(DCAT.DatasetSeries, DCAT.DataService, DCAT.Dataset, CN.Practice, CN.Adoption, CN.AiSystem, CN.CityModel),
        *(CN.Challenge, CN.Reuse, SCHEMA.Question, SCHEMA.Answer),
    )
]


def subjects_of(payload: bytes) -> Subjects:
    """Group a canonical payload: subject -> predicate -> objects, each in the payload's order."""
    subjects: Subjects = {}
    last, properties = "", {}
    # Split at LF alone: str.splitlines would also cut at U+2028 inside a literal.
    for line in payload.decode().split("\n"):
        if not line:
            continue
        subject, predicate, rest = line.split(" ", 2)
        if subject != last:
            last, properties = subject, subjects.setdefault(subject, {})
        if predicate in properties:
            properties[predicate].append(rest[:-2])
        else:
            properties[predicate] = [rest[:-2]]
    return subjects


def in_order(subjects: Subjects) -> list[str]:
    """Give the subjects as a reader wants them: the record first, then the rest in the payload's order."""
    first = roots(subjects)
    held = set(first)
    return first + [subject for subject in subjects if subject not in held]


def roots(subjects: Subjects) -> list[str]:
    """Find the subjects that no other subject points to; in a ring, the one that is a record by its class."""
    pointed = {
        thing
        for subject, properties in subjects.items()
        for things in properties.values()
        for thing in things
        if thing[0] == "<" and thing in subjects and thing != subject
    }
    found = [subject for subject in subjects if subject not in pointed]
    return found or _of_record_class(subjects) or list(subjects)[:1]


def _of_record_class(subjects: Subjects) -> list[str]:
    for name in _RECORD_CLASSES:
        for subject, properties in subjects.items():
            if name in properties.get(TYPE, ()):
                return [subject]
    return []
