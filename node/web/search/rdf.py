"""A page of what was found as linked data: the records' own payloads, and a Hydra page that says how many there are.

Never a word with a record as its subject, as on the pages of collections. What another city answered live has no
payload here: it is named as a member and can be followed. No blank nodes.
"""

from collections.abc import Sequence

from node.vocab.ntriples import Triple, iri, literal
from node.vocab.terms import DCT, HYDRA, RDF, RDFS, VOID, XSD
from node.web.ports.ports import Site
from node.web.wording.words import words


def page(
    site: Site, *, search: str, here: str, first: str, following: str, total: int, members: Sequence[str], language: str
) -> list[Triple]:
    """Say which records a page of an answer has.

    Args:
        site: Whose node it is.
        search: The address of the question, without what says which page of it.
        here: The address of this page.
        first: That of the first one.
        following: That of the next one, or nothing.
        total: How many records there are in all, at least.
        members: The IRIs of those on this page.
        language: Of the title.
    """
    count = literal(str(total), datatype=XSD.integer)
    said: list[tuple[str, str, str]] = [
        (search, RDF.type, iri(HYDRA.Collection)),
        (search, RDF.type, iri(VOID.Dataset)),
        (search, DCT.title, literal(words(language, "search.title", city=site.city), language=language)),
        (search, HYDRA.totalItems, count),
        (search, VOID.entities, count),
        (search, HYDRA.view, iri(here)),
        (here, RDF.type, iri(HYDRA.PartialCollectionView)),
        (here, f"{HYDRA.NS}first", iri(first)),
        *[(search, HYDRA.member, iri(member)) for member in members],
        *([(here, f"{HYDRA.NS}next", iri(following))] if following else []),
    ]
    return [(f"<{subject}>", f"<{predicate}>", value) for subject, predicate, value in said]


def cut(search: str, language: str) -> Triple:
    """Say that only the beginning of a question was read: the count is of that."""
    return f"<{search}>", f"<{RDFS.comment}>", literal(words(language, "search.cut"), language=language)
