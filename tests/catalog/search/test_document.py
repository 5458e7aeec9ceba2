"""What a record tells a searcher, and how it stands in the index: by the payload alone, bounded whatever it says."""

import time

import orjson
import pytest
from tantivy import Index

from node.catalog.search import analyzers, schema
from node.catalog.search.document import document_of
from node.catalog.search.told import Told, best, told_of
from node.catalog.shelf import Held
from node.records import MAX_PAYLOAD_BYTES
from node.vocab.mappings import plain_code
from tests.catalog.search.library import DCAT, DCT, EU, XSD

ME = "http://127.0.0.1:8001/datasets/pysakointi"
AT_MS = 1_700_000_000_000
HELD = Held("open-data", ME, "dataset", "pysakointi", "sha256:00", 1, AT_MS)
FILE = f"{ME}#file"


def payload(*lines: str) -> bytes:
    """Write triples; `me`, `file` and prefixed names stand for themselves."""
    return "".join(sorted(f"{line} .\n" for line in lines)).encode()


def of_me(predicate: str, term: str, subject: str = ME) -> str:
    return f"<{subject}> <{predicate}> {term}"


def told(*lines: str, city: str = "helsinki", restricted: bool = False) -> Told:
    return told_of(HELD, payload(*lines), city=city, mapped=plain_code, restricted=restricted)


def document(*lines: str, quality: int | None = None, held: Held = HELD) -> dict[str, object]:
    said = document_of(held, payload(*lines), quality=quality, city="helsinki", mapped=plain_code)
    found: dict[str, object] = orjson.loads(said)
    return found


def test_texts_come_with_their_languages() -> None:
    found = told(
        of_me(DCT + "title", '"Pys\u00e4k\u00f6inti"@fi'),
        of_me(DCT + "title", '"A \\"quoted\\" title"@en'),
        of_me(DCAT + "keyword", '"auto"'),
        of_me(DCAT + "distribution", f"<{FILE}>"),
        of_me(DCT + "title", '"Tiedosto"@fi', FILE),
    )
    assert found.titles == [('A "quoted" title', "en"), ("Pysäköinti", "fi")]
    assert found.keywords == [("auto", "")]
    assert ("Tiedosto", "fi") in found.more
    assert found.languages == ["en", "fi"], "of the titles, where nothing is said"
    assert ("Helsingfors", "sv") in found.more, "the city is found by all its names"


def test_what_a_machine_translated_comes_last_and_is_no_language_of_the_record() -> None:
    found = told(of_me(DCT + "title", '"Fietsen"@nl'), of_me(DCT + "title", '"Bicycles"@en-t-nl-t0-mtec'))
    assert best(found.titles, "en") == "Fietsen"
    assert found.languages == ["nl"]
    assert best([("Bicycles", "en-t-nl")], "fi") == "Bicycles"
    assert best([("Eins", "de"), ("One", "en"), ("Ett", "sv")], "sv") == "Ett"
    assert best([("Eins", "de"), ("One", "en")], "fi") == "One"
    assert best([], "fi") == ""


def test_codes_are_those_of_the_tables_or_what_is_unknown() -> None:
    found = told(
        of_me(DCAT + "theme", f"<{EU}data-theme/TRAN>"),
        of_me(DCAT + "theme", "<https://city.example/groups/odd>"),
        of_me(DCT + "language", f"<{EU}language/FIN>"),
        of_me(DCAT + "distribution", f"<{FILE}>"),
        of_me(DCT + "format", f"<{EU}file-type/CSV>", FILE),
        of_me(DCAT + "mediaType", "<https://www.iana.org/assignments/media-types/application/json>", FILE),
        of_me(DCT + "license", "<https://city.example/own-terms>", FILE),
    )
    assert (found.themes, found.languages) == (["TRAN"], ["fi"])
    assert found.formats == ["CSV", "JSON"]
    assert found.licences == ["other"]
    assert told().licences == ["none"]
    assert ("theme", "TRAN") in found.labels


def test_a_keyword_is_a_theme_where_nothing_else_is() -> None:
    assert told(of_me(DCAT + "keyword", '"liikenne"@fi')).themes == ["TRAN"]
    both = told(of_me(DCAT + "keyword", '"liikenne"@fi'), of_me(DCAT + "theme", f"<{EU}data-theme/HEAL>"))
    assert both.themes == ["HEAL"]


@pytest.mark.parametrize(
    ("licences", "access", "use"),
    [
        (["CC0"], "", "free"),
        (["CC_BY_4_0"], "PUBLIC", "credit"),
        (["CC0", "CC_BY_4_0"], "", "credit"),
        (["CC_BY_4_0", "CC_BYNC_4_0"], "", "limited"),
        (["CC_BYSA_4_0"], "", "limited"),
        (["CC0"], "NON_PUBLIC", "agreement"),
        ([], "PUBLIC", "unknown"),
    ],
)
def test_use_is_what_the_strictest_licence_and_the_access_allow(licences: list[str], access: str, use: str) -> None:
    lines = [of_me(DCT + "license", f"<{EU}licence/{code}>") for code in licences]
    lines += [of_me(DCT + "accessRights", f"<{EU}access-right/{access}>")] if access else []
    found = told(*lines)
    assert (found.use, found.access) == (use, access or "unknown")
    assert told(*lines, restricted=True).use == "agreement"


def test_publishers_are_named_by_themselves_or_by_their_address() -> None:
    named = of_me(DCT + "publisher", "<https://city.example/units/7>")
    assert told(named).publishers == {"7": "7"}
    assert told(
        named,
        of_me("http://xmlns.com/foaf/0.1/name", '"Kaupunkiymp\u00e4rist\u00f6"@fi', "https://city.example/units/7"),
    ).publishers == {"kaupunkiymparisto": "Kaupunkiympäristö"}
    assert told(of_me(DCT + "publisher", '"City Works"')).publishers == {"city-works": "City Works"}


def test_a_place_has_the_box_it_draws_else_the_one_we_know() -> None:
    place = "http://127.0.0.1:8001/place"
    wkt = '"POINT(24.9 60.2)"^^<http://www.opengis.net/ont/geosparql#wktLiteral>'
    drawn = told(of_me(DCT + "spatial", f"<{place}>"), of_me(DCAT + "bbox", wkt, place))
    assert drawn.box == (24.9, 60.2, 24.9, 60.2)
    known = told(of_me(DCT + "spatial", f"<{EU}place/FIN_TMP>"))
    assert known.box is not None
    assert known.box[0] < 23.76 < known.box[2]
    assert known.places == ["Tampere", "Tammerfors"]
    assert told(of_me(DCT + "spatial", '"Tampere"@fi')).box == known.box
    assert told(of_me(DCT + "spatial", '"Tammela"@fi')).box is None


def test_the_time_of_change_is_what_it_says_and_never_in_the_future() -> None:
    day = f"^^<{XSD}date>"
    assert told(of_me(DCT + "modified", f'"2020-01-01"{day}')).changed_ms == 1_577_836_800_000
    assert told(of_me(DCT + "issued", f'"2020-01-01"{day}')).changed_ms == 1_577_836_800_000
    both = told(of_me(DCT + "modified", f'"2099-01-01"{day}'), of_me(DCT + "issued", f'"2020-01-01"{day}'))
    assert both.changed_ms == 1_577_836_800_000
    assert told(of_me(DCT + "modified", f'"2099-01-01"{day}')).changed_ms == AT_MS
    assert told().changed_ms == AT_MS


def test_periods_are_read_from_nodes_and_from_texts() -> None:
    node = "http://127.0.0.1:8001/period"
    lines = of_me(DCT + "temporal", f"<{node}>"), of_me(DCAT + "startDate", '"1970-01-01"', node)
    assert told(*lines, of_me(DCAT + "endDate", '"1970-01-02"', node)).period == (0, 1)
    assert told(*lines).period == (0, schema.OPEN_END)
    assert told(of_me(DCT + "temporal", '"1970/1971"')).period == (0, 729)
    assert told(of_me(DCT + "temporal", '"lately"')).period is None


def test_a_document_is_what_the_schema_says() -> None:
    found = document(
        of_me(DCT + "title", '"Pys\u00e4k\u00f6intialueet"@fi'),
        of_me(DCT + "description", '"<p>Kaikki &amp; <b>alueet</b></p>"@fi'),
        of_me(DCT + "identifier", '"ABC-1"'),
        quality=300,
    )
    assert [text.split() for text in found[schema.TITLE]] == [["pysakointialueet"]]  # type: ignore[attr-defined]
    assert [text.split() for text in found[schema.TITLE_STEMS]] == [["pysakointialue"]]  # type: ignore[attr-defined]
    assert [text.split() for text in found[schema.BODY]] == [["kaikki", "alueet"]]  # type: ignore[attr-defined]
    assert "-alue" in str(found[schema.PARTS]).split()
    assert found[schema.IDENT] == [ME, "pysakointi", "abc-1"]
    assert (found[schema.QUALITY], found[schema.RECORD]) == (300, analyzers.hash_of(ME))
    assert schema.QUALITY not in document()
    # It says nothing that tantivy would not take: every field is of the schema, and of its type.
    index = Index(schema.schema())
    writer = index.writer(15_000_000, 1)
    writer.add_json(orjson.dumps(found).decode())
    writer.commit()


def test_orders_are_total_and_put_the_unknown_below_the_known() -> None:
    other = Held("other", ME, "dataset", "pysakointi", "sha256:00", 1, AT_MS)
    assert document()[schema.BY_CHANGED] != document(held=other)[schema.BY_CHANGED]
    assert document(quality=0)[schema.BY_QUALITY] > document()[schema.BY_QUALITY]  # type: ignore[operator]
    newer = of_me(DCT + "modified", f'"2023-01-01"^^<{XSD}date>')
    older = of_me(DCT + "modified", f'"2022-12-31"^^<{XSD}date>')
    assert document(newer)[schema.BY_CHANGED] > document(older)[schema.BY_CHANGED]  # type: ignore[operator]


def test_near_duplicates_have_the_same_numbers() -> None:
    one = document(of_me(DCT + "title", '"Cycle  Parking!"@en'), of_me(DCAT + "landingPage", "<https://x.example/1>"))
    two = document(of_me(DCT + "title", '"cycle parking"@en'), of_me(DCAT + "landingPage", "<https://x.example/1>"))
    assert one[schema.SAME_TITLE] == two[schema.SAME_TITLE]
    assert one[schema.SAME_PAGE] == two[schema.SAME_PAGE]
    assert schema.SAME_PUBLISHER not in one


def test_the_largest_record_makes_a_small_document_soon() -> None:
    long = "pysäköinti " * 5_000
    lines = [of_me(DCT + "description", f'"{long}{n}"@fi') for n in range(10)]
    lines += [of_me(DCAT + "keyword", f'"keyword {n}"@fi') for n in range(5_000)]
    lines += [of_me(DCT + "spatial", f'"{"x" * 30}{n}"') for n in range(2_000)]
    said = payload(*lines)
    assert len(said) < 1.5 * MAX_PAYLOAD_BYTES
    started = time.process_time()
    made = document_of(HELD, said, quality=None, city="helsinki", mapped=plain_code)
    assert time.process_time() - started < 2
    assert len(made) < 300_000
