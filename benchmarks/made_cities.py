"""Many records of ten cities, written straight into a node's journals: what searching and serving is measured on.

No harvest, since that is measured elsewhere: payloads are made as canonical N-Quads, entries as their origins would
have written them, and both go through the same door as a mirror's pages do once they are checked. Text is of some
seventy core words in each of three languages, as catalogues have them, so that hit lists are long; the same numbers
give the same bytes.
"""

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256

from node.assembly import Node
from node.db import Tx
from node.journal import Arrived, Entry, keep_up_in
from node.journal.entry import Opening
from node.records import digest_of

CITIES = ("helsinki", "london", "antwerp", "ghent", "tampere", "turku", "espoo", "leeds", "bristol", "malmo")
_BATCH = 500
_AT_MS = 1_760_000_000_000
_EU = "http://publications.europa.eu/resource/authority"
_DCT, _DCAT = "http://purl.org/dc/terms/", "http://www.w3.org/ns/dcat#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_THEMES = ("TRAN", "ENVI", "GOVE", "ECON", "SOCI", "EDUC", "HEAL", "REGI", "ENER", "AGRI", "JUST", "TECH", "INTR")
_FORMATS = ("CSV", "JSON", "GEOJSON", "SHP", "XML", "PDF", "XLSX", "WMS_SRVC", "WFS_SRVC")
_LICENCES = ("CC_BY_4_0", "CC0", "OGL_3_0", "CC_BY_SA_4_0")
_WORDS = {
    "en": """
        parking street tree air quality noise traffic cycle path school library budget spending election
        population housing price building permit waste recycling energy water flood park playground bus stop
        tram route timetable accident crime fire station health centre day care employment tourism event
        museum map boundary district address register survey statistics count sensor measurement history plan
        zone area bridge road works lighting bench toilet
    """,
    "fi": """
        pysäköinti katu puu ilmanlaatu melu liikenne pyörätie koulu kirjasto talousarvio menot vaalit väestö
        asuminen hinta rakennus lupa jäte kierrätys energia vesi tulva puisto leikkipaikka bussi pysäkki
        raitiotie reitti aikataulu onnettomuus rikos palo asema terveys keskus päivähoito työllisyys matkailu
        tapahtuma museo kartta raja kaupunginosa osoite rekisteri kysely tilasto laskenta anturi mittaus
        historia suunnitelma vyöhyke alue silta tietyö valaistus
    """,
    "sv": """
        parkering gata träd luftkvalitet buller trafik cykelväg skola bibliotek budget utgifter val befolkning
        boende pris byggnad lov avfall återvinning energi vatten översvämning park lekplats buss hållplats
        spårväg linje tidtabell olycka brott brand station hälsa central dagvård sysselsättning turism
        evenemang museum karta gräns stadsdel adress register enkät statistik räkning sensor mätning historia
        plan zon område bro vägarbete belysning bänk toalett
    """,
}
WORDS = {language: tuple(words.split()) for language, words in _WORDS.items()}
_PLACES = (
    "Kallio",
    "Camden",
    "Berchem",
    "Hervanta",
    "Redland",
    "Tapiola",
    "Hyllie",
    "Headingley",
    "Ledeberg",
    "Naantali",
)


def iri_of(number: int) -> str:
    """Name a record."""
    return f"https://{CITIES[number % 10]}.example.org/datasets/{number:07d}"


def payload(number: int) -> bytes:
    """Describe a record of some 55 triples."""
    rng = random.Random(number)
    iri = iri_of(number)
    lines = [f"<{iri}> {_TYPE} <{_DCAT}Dataset> .", f'<{iri}> <{_DCT}identifier> "{number:07d}" .']
    for language, words in WORDS.items():
        title = " ".join([rng.choice(_PLACES), *rng.choices(words, k=rng.randint(2, 5)), str(number % 997)])
        lines += [
            f'<{iri}> <{_DCT}title> "{title}"@{language} .',
            f'<{iri}> <{_DCT}description> "{" ".join(rng.choices(words, k=40))}."@{language} .',
            *{f'<{iri}> <{_DCAT}keyword> "{word}"@{language} .' for word in rng.choices(words, k=3)},
        ]
    lines += [*_about(rng, iri, number), *_files(rng, iri)]
    return "".join(f"{line}\n" for line in sorted(set(lines))).encode()


def _about(rng: random.Random, iri: str, number: int) -> Iterator[str]:
    publisher = f"https://{CITIES[number % 10]}.example.org/unit/{rng.randint(1, 20)}"
    west, south = rng.uniform(-4, 25), rng.uniform(51, 64)
    box = f"POLYGON(({west:.3f} {south:.3f},{west + 0.2:.3f} {south + 0.1:.3f},{west:.3f} {south:.3f}))"
    place, period = f"{iri}/place", f"{iri}/period"
    yield f"<{iri}> <{_DCT}publisher> <{publisher}> ."
    name = f"Unit {publisher.rpartition('/')[2]} of {CITIES[number % 10]}"
    yield f'<{publisher}> <http://xmlns.com/foaf/0.1/name> "{name}" .'
    for theme in rng.sample(_THEMES, 2):
        yield f"<{iri}> <{_DCAT}theme> <{_EU}/data-theme/{theme}> ."
    modified = f"20{rng.randint(15, 26)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}"
    yield f'<{iri}> <{_DCT}modified> "{modified}"^^<{_XSD}date> .'
    yield f"<{iri}> <{_DCT}accessRights> <{_EU}/access-right/PUBLIC> ."
    yield f"<{iri}> <{_DCT}spatial> <{place}> ."
    yield f'<{place}> <{_DCAT}bbox> "{box}"^^<http://www.opengis.net/ont/geosparql#wktLiteral> .'
    yield f"<{iri}> <{_DCT}temporal> <{period}> ."
    yield f'<{period}> <{_DCAT}startDate> "20{rng.randint(10, 20)}-01-01"^^<{_XSD}date> .'
    yield f'<{period}> <{_DCAT}endDate> "2025-12-31"^^<{_XSD}date> .'


def _files(rng: random.Random, iri: str) -> Iterator[str]:
    licence = rng.choice(_LICENCES)
    for number in range(rng.randint(1, 4)):
        file = f"{iri}/file/{number}"
        yield f"<{iri}> <{_DCAT}distribution> <{file}> ."
        yield f"<{file}> {_TYPE} <{_DCAT}Distribution> ."
        yield f"<{file}> <{_DCAT}accessURL> <{file}/get> ."
        yield f"<{file}> <{_DCT}format> <{_EU}/file-type/{rng.choice(_FORMATS)}> ."
        yield f"<{file}> <{_DCT}license> <{_EU}/licence/{licence}> ."


def fill(
    node: Node, count: int, *, stop: threading.Event | None = None, describe: Callable[[int], bytes] = payload
) -> None:
    """Write records of ten cities into mirrors of theirs, and bring the followers level."""
    for at, city in enumerate(CITIES):
        name, iri = f"{city}/open-data", f"https://{city}.example.org/collections/open-data"
        with node.db.write() as tx:
            node.journals.create(
                tx, name=name, iri=iri, title=f"{city.title()} open data", visibility="public", at_ms=1
            )
        mine = range(at, count, len(CITIES))
        for start in range(0, len(mine), _BATCH):
            if stop is not None and stop.is_set():
                return
            with node.db.write() as tx:
                _write(tx, node, name, iri, {n: describe(n) for n in mine[start : start + _BATCH]}, first=start + 1)


def _write(tx: Tx, node: Node, name: str, iri: str, bodies: Mapping[int, bytes], *, first: int) -> None:
    arrived = []
    for seq, (number, body) in enumerate(bodies.items(), first):
        record = iri_of(number)
        salt = sha256(record.encode()).digest()[:16]
        opening = Opening("put", salt, record, record.rpartition("/")[2], "dataset", digest_of(body))
        arrived.append(Arrived(Entry(iri, seq, _AT_MS + seq, opening.commitment(), opening), body))
    collection, entries = node.journals.mirrored(tx, name, arrived, at_ms=_AT_MS)
    for follower in node.followers:
        keep_up_in(tx, node.journals, follower, collection, entries)
