"""Measures one record: its triples and what is known of its links in, an assessment out.

Datasets are measured, as in Europe; a series or a service has no distributions and would be blamed for it. What is
measured at distributions is measured at the best one: the same data in several forms is not worse than in one. Pure: no
I/O, no clock, no RDF library; some 100 µs for a usual record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from node.catalog.quality.formats import MACHINE_INTERPRETABLE, NON_PROPRIETARY, code_of
from node.catalog.quality.metrics import METRICS, Assessment, assessment_of, marks_of
from node.vocab import check, lists, ntriples
from node.vocab.ntriples import Triple
from node.vocab.terms import DCAT, DCT

MEASURED = frozenset({"dataset"})
ROLES = ("accessURL", "downloadURL")
MAX_LINKS = 200
MAX_URL = 2_000
# As an address is written in a payload, so that nothing but http(s) is ever tried.
_WEB = ("<http://", "<https://", '"http://', '"https://')

_DISTRIBUTION = f"<{DCAT.distribution}>"
_ACCESS, _DOWNLOAD = f"<{DCAT.accessURL}>", f"<{DCAT.downloadURL}>"
_FORMAT, _MEDIA = f"<{DCT.format}>", f"<{DCAT.mediaType}>"
_LICENCE, _RIGHTS = f"<{DCT.license}>", f"<{DCT.rights}>"
_ISSUED, _MODIFIED = f"<{DCT.issued}>", f"<{DCT.modified}>"
_IANA = (lists.IANA, lists.IANA.replace("https:", "http:"))
# RFC 6838 and 9695
_TOP_LEVEL = (
    "application",
    "audio",
    "example",
    "font",
    "haptics",
    "image",
    "message",
    "model",
    "multipart",
    "text",
    "video",
)
_NO_FILE: dict[str, bool | None] = {metric.name: False for metric in METRICS if metric.on == "distribution"}
_POINTS = {metric.name: metric.points for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Link:
    """An address that a record names for its data: where (`accessURL` or `downloadURL`), and what."""

    role: str
    url: str


class Measurable:
    """One record, read and ready to be measured; `links` are the addresses to know of for that, in order.

    They are at most `MAX_LINKS`, each of http(s) and at most `MAX_URL` characters.
    """

    def __init__(self, kind: str, iri: str, triples: Sequence[Triple]) -> None:
        """Read the payload's triples, without blank nodes, in any order."""
        self._kind, self._iri = kind, iri
        self._said = check.subjects_of(triples)
        self._own = self._said.get(f"<{iri}>", {})
        self._files = sorted(set(self._own.get(_DISTRIBUTION, ())))
        self.links = self._named()

    def marks(self, links: Mapping[str, bool | None]) -> str:
        """Measure, and give the results alone as they are stored (`Assessment.marks`)."""
        results, _ = self._measured(links)
        return marks_of(results[metric.name] for metric in METRICS)

    def assessment(self, links: Mapping[str, bool | None]) -> Assessment:
        """Measure; see `assess`."""
        results, at = self._measured(links)
        on = [at if at and metric.on == "distribution" else self._iri for metric in METRICS]
        return assessment_of([results[metric.name] for metric in METRICS], on, at)

    def _measured(self, links: Mapping[str, bool | None]) -> tuple[dict[str, bool | None], str]:
        """Give every result, and which distribution counted."""
        best, at = _NO_FILE, ""
        for term in self._files:
            found = _of_file(self._said.get(term, {}), self._own, links)
            if not at or _rank(found) > _rank(best):
                best, at = found, ntriples.value_of(term)
        complies = check.complies(self._kind, self._iri, self._said)
        return _of_dataset(self._own) | {"dcatApCompliance": complies} | best, at

    def _named(self) -> list[Link]:
        found: dict[Link, None] = {}
        for term in self._files:
            properties = self._said.get(term, {})
            for role, predicate in zip(ROLES, (_ACCESS, _DOWNLOAD), strict=True):
                for url in properties.get(predicate, ()):
                    if url.startswith(_WEB) and len(url) <= MAX_URL:
                        found[Link(role, ntriples.value_of(url))] = None
        return list(found)[:MAX_LINKS]


def measurable(kind: str, iri: str, triples: Sequence[Triple]) -> Measurable | None:
    """Read a record; None if it is of a kind that is not measured."""
    return Measurable(kind, iri, triples) if kind in MEASURED else None


def assess(kind: str, iri: str, triples: Sequence[Triple], links: Mapping[str, bool | None]) -> Assessment | None:
    """Measure a record.

    Args:
        kind: The record's kind; of one that is not measured (see `MEASURED`) there is no assessment.
        iri: The record's IRI.
        triples: The payload's triples, without blank nodes, in any order.
        links: By address, whether it answers; None or absent: not known.

    Returns:
        Every metric in order; None for a kind that is not measured.
    """
    found = measurable(kind, iri, triples)
    return found.assessment(links) if found else None


def _of_dataset(own: check.Properties) -> dict[str, bool | None]:
    rights = own.get(f"<{DCT.accessRights}>", ())
    return {
        "keywordAvailability": f"<{DCAT.keyword}>" in own,
        "categoryAvailability": f"<{DCAT.theme}>" in own,
        "spatialAvailability": f"<{DCT.spatial}>" in own,
        "temporalAvailability": f"<{DCT.temporal}>" in own,
        "accessRightsAvailability": bool(rights),
        "accessRightsVocabularyAlignment": any(term[1:-1] in lists.ACCESS_RIGHTS for term in rights),
        "contactPointAvailability": f"<{DCAT.contactPoint}>" in own,
        "publisherAvailability": f"<{DCT.publisher}>" in own,
    }


def _of_file(file: check.Properties, own: check.Properties, links: Mapping[str, bool | None]) -> dict[str, bool | None]:
    formats, media, licences = file.get(_FORMAT, ()), file.get(_MEDIA, ()), file.get(_LICENCE, ())
    codes = {_code(term) for term in (*formats, *media)}
    return {
        "accessUrlStatusCode": _answers(file.get(_ACCESS, ()), links),
        "downloadUrlAvailability": _DOWNLOAD in file,
        "downloadUrlStatusCode": _answers(file.get(_DOWNLOAD, ()), links),
        "formatAvailability": bool(formats),
        "mediaTypeAvailability": bool(media),
        "formatMediaTypeVocabularyAlignment": any(map(_is_file_type, formats)) and any(map(_is_media_type, media)),
        "formatMediaTypeNonProprietary": not codes.isdisjoint(NON_PROPRIETARY),
        "formatMediaTypeMachineInterpretable": not codes.isdisjoint(MACHINE_INTERPRETABLE),
        "licenceAvailability": bool(licences),
        "knownLicence": any(map(_is_known_licence, licences)),
        "rightsAvailability": _RIGHTS in file,
        "byteSizeAvailability": f"<{DCAT.byteSize}>" in file,
        "dateIssuedAvailability": _ISSUED in file or _ISSUED in own,
        "dateModifiedAvailability": _MODIFIED in file or _MODIFIED in own,
    }


def _rank(results: Mapping[str, bool | None]) -> tuple[int, int]:
    """Order distributions: what is won counts first, then what may still be won."""
    won = sum(_POINTS[name] for name, passed in results.items() if passed)
    return won, won + sum(_POINTS[name] for name, passed in results.items() if passed is None)


def _answers(terms: Sequence[str], links: Mapping[str, bool | None]) -> bool | None:
    """Tell whether one of several addresses answers; unknown as long as one of them is, failed if there is none."""
    known = {links.get(ntriples.value_of(term)) for term in terms}
    if True in known:
        return True
    return None if None in known else False


# Few values stand in many records: each is looked up once.
@lru_cache(maxsize=4096)
def _code(term: str) -> str:
    return code_of(ntriples.value_of(term))


@lru_cache(maxsize=4096)
def _is_file_type(term: str) -> bool:
    return ntriples.is_iri(term) and term[1:-1] in lists.FILE_TYPES


@lru_cache(maxsize=4096)
def _is_media_type(term: str) -> bool:
    """Tell whether a term is an IRI of the registry; our own table is too short to say that a subtype is not in it."""
    base = next((base for base in _IANA if term.startswith(f"<{base}")), "")
    top, slash, subtype = term[len(base) + 1 : -1].partition("/")
    return bool(base and slash and subtype) and top in _TOP_LEVEL


@lru_cache(maxsize=4096)
def _is_known_licence(term: str) -> bool:
    return ntriples.is_iri(term) and lists.LICENCES.by_iri(term[1:-1]) is not None
