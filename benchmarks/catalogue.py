"""Makes catalogues to measure with: DCAT-AP datasets of 80.4 triples on average, the same bytes for the same numbers.

Three languages, two to five distributions, a publisher and a contact as blank nodes, place, period, themes, licence;
one distribution in five lacks what DCAT-AP recommends, so that findings are written too. Text comes from a seeded list
of 4,000 words, so compression flatters a little: real text is less repetitive.
"""

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

VERSION = 2  # raised when the same numbers give other bytes

PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dcatap: <http://data.europa.eu/r5r/> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix locn: <http://www.w3.org/ns/locn#> .
@prefix geo: <http://www.opengis.net/ont/geosparql#> .
"""
_EU = "http://publications.europa.eu/resource/authority"
_THEMES = ("TRAN", "ENVI", "GOVE", "ECON", "SOCI", "EDUC", "HEAL", "REGI")
_FORMATS = ("CSV", "JSON", "GEOJSON", "SHP", "XML", "PDF", "WMS_SRVC")


def _words(rng: random.Random, count: int, language: str) -> str:
    return " ".join(
        f"{language}{rng.choice(_WORDS)}" if rng.random() < 0.1 else rng.choice(_WORDS) for _ in range(count)
    )


_SEED = random.Random(7)
_WORDS = ["".join(_SEED.choice("aeiouklmnprstvy") for _ in range(_SEED.randint(3, 11))) for _ in range(4000)]


def dataset(number: int, *, base: str = "https://data.example.org") -> str:
    """Give one dataset in Turtle."""
    rng = random.Random(number)
    iri = f"{base}/dataset/{number:07d}"
    texts = "".join(
        f'  dct:title "{_words(rng, 5, lang)} {number}"@{lang} ;\n'
        f'  dct:description "{_words(rng, 60, lang)}."@{lang} ;\n'
        f'  dcat:keyword "{_words(rng, 1, lang)}"@{lang}, "{_words(rng, 2, lang)}"@{lang} ;\n'
        for lang in ("fi", "sv", "en")
    )
    count = rng.randint(2, 5)
    links = ", ".join(f"<{iri}/file/{n}>" for n in range(count))
    x, y = 24 + rng.random(), 60 + rng.random()
    head = f"""<{iri}> a dcat:Dataset ;
{texts}  dct:identifier "{number:07d}" ;
  dct:issued "20{rng.randint(10, 25)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}"^^xsd:date ;
  dct:modified "2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T0{rng.randint(0, 9)}:15:00Z"^^xsd:dateTime ;
  dct:accrualPeriodicity <{_EU}/frequency/MONTHLY> ;
  dct:accessRights <{_EU}/access-right/PUBLIC> ;
  dct:language <{_EU}/language/FIN>, <{_EU}/language/SWE>, <{_EU}/language/ENG> ;
  dcat:theme <{_EU}/data-theme/{rng.choice(_THEMES)}>, <{_EU}/data-theme/{rng.choice(_THEMES)}> ;
  dcat:landingPage <{iri}/page> ; foaf:page <{iri}/about> ;
  dct:conformsTo <https://data.example.org/model/{number % 20}> ;
  dct:publisher [ a foaf:Agent ; foaf:name "{_words(rng, 2, "x")} virasto"@fi ;
    dct:type <http://purl.org/adms/publishertype/LocalAuthority> ] ;
  dcat:contactPoint [ a vcard:Organization ; vcard:fn "Data team {number % 50}" ;
    vcard:hasEmail <mailto:data{number % 50}@example.org> ] ;
  dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "20{rng.randint(10, 19)}-01-01"^^xsd:date ;
    dcat:endDate "2025-12-31"^^xsd:date ] ;
  dct:spatial [ a dct:Location ;
    dcat:bbox "POLYGON(({x:.4f} {y:.4f}, {x + 0.1:.4f} {y + 0.1:.4f}, {x:.4f} {y:.4f}))"^^geo:wktLiteral ;
    dcat:centroid "POINT({x:.4f} {y:.4f})"^^geo:wktLiteral ] ;
  dcat:distribution {links} .
"""
    return head + "".join(_distribution(rng, iri, n) for n in range(count))


def _distribution(rng: random.Random, iri: str, n: int) -> str:
    form = rng.choice(_FORMATS)
    return f"""<{iri}/file/{n}> a dcat:Distribution ;
  dct:title "{_words(rng, 3, "x")}"@en ; dct:description "{_words(rng, 12, "x")}"@en ;
  dcat:accessURL <{iri}/file/{n}/get> ; dcat:downloadURL <{iri}/file/{n}/get.{form.lower()}> ;
  dct:format <{_EU}/file-type/{form}> ; dct:license <{_EU}/licence/CC_BY_4_0> ;
  dcat:byteSize "{rng.randint(1000, 9_000_000)}"^^xsd:nonNegativeInteger ;
  dct:modified "2026-05-0{rng.randint(1, 9)}"^^xsd:date{_promise(rng)} .
"""


def _promise(rng: random.Random) -> str:
    return f" ; dcatap:availability <{_EU}/planned-availability/STABLE>" if rng.random() < 0.8 else ""


def package(number: int) -> dict[str, object]:
    """Give one CKAN package in the shape of HRI."""
    rng = random.Random(number)
    languages = ("fi", "sv", "en")
    titles = {lang: f"{_words(rng, 5, lang)} {number}" for lang in languages}
    notes = {lang: _words(rng, 60, lang) + "." for lang in languages}
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "name": f"dataset-{number:07d}",
        "title": titles["fi"],
        "title_translated": titles,
        "notes": notes["fi"],
        "notes_translated": notes,
        "keywords": {lang: [_words(rng, 1, lang), _words(rng, 1, lang)] for lang in languages},
        "license_id": "CC-BY-4.0",
        "maintainer": f"Data team {number % 50}",
        "maintainer_email": f"data{number % 50}@example.org",
        "metadata_created": "2020-01-01T00:00:00",
        "metadata_modified": f"2026-01-0{rng.randint(1, 9)}T00:00:00",
        "date_released": "2020-01-01",
        "date_updated": f"2026-01-0{rng.randint(1, 9)}",
        "geographical_coverage": ["Helsinki"],
        "groups": [{"name": "liikenne", "title": "Liikenne"}],
        "organization": {"name": "virasto", "title": f"Virasto {number % 30}"},
        "update_frequency": {"fi": ["kuukausittain"]},
        "private": False,
        "state": "active",
        "type": "dataset",
        "resources": [_resource(rng, number, n) for n in range(rng.randint(2, 5))],
    }


def _resource(rng: random.Random, number: int, n: int) -> dict[str, object]:
    form = rng.choice(_FORMATS)
    return {
        "id": f"{number:08d}-0000-4000-8000-{n:012d}",
        "name": _words(rng, 3, "x"),
        "name_translated": {lang: _words(rng, 3, lang) for lang in ("fi", "sv", "en")},
        "description": _words(rng, 10, "x"),
        "url": f"https://data.example.org/files/{number}/{n}.{form.lower()}",
        "format": form,
        "size": rng.randint(1000, 9_000_000),
    }


def turtle(count: int, start: int = 0) -> Iterator[str]:
    """Give a whole catalogue in Turtle, piece by piece."""
    yield PREFIXES
    for number in range(start, start + count):
        yield dataset(number)


def write(path: Path, count: int, kind: str) -> Path:
    """Write a catalogue to a file."""
    with path.open("w", encoding="utf-8") as out:
        if kind == "dcat":
            out.writelines(turtle(count))
        else:
            out.write(f'{{"success": true, "result": {{"count": {count}, "results": [')
            for number in range(count):
                out.write((", " if number else "") + json.dumps(package(number), ensure_ascii=False))
            out.write("]}}")
    return path


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("path", type=Path)
    arguments.add_argument("--count", type=int, default=10_000)
    arguments.add_argument("--kind", choices=("dcat", "ckan"), default="dcat")
    given = arguments.parse_args()
    write(given.path, given.count, given.kind)
