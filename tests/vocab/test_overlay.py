"""Laws of corrections as triples: they replace what they name and nothing else; laying twice is laying once."""

from typing import Any

import pytest

from node.vocab import overlay
from node.vocab.kinds.checking import check
from node.vocab.ntriples import Triple, triples_of
from node.vocab.terms import DCAT, DCT

IRI = "https://data.example/1"
NODE = "https://data.example/.well-known/genid/"
STAMP = overlay.Stamp("Testville", "https://city.example", 1_800_000_000_000)
SOURCE = f"""<{IRI}> <{DCT.title}> "Untagged" .
<{IRI}> <{DCT.title}> "Trees"@en .
<{IRI}> <{DCT.title}> "Baeume"@de .
<{IRI}> <{DCT.title}> "Made by a machine"@en-t-de .
<{IRI}> <{DCT.spatial}> <{NODE}box> .
<{IRI}> <{DCAT.contactPoint}> <{NODE}who> .
<{IRI}> <{DCAT.distribution}> <{NODE}a> .
<{IRI}> <{DCAT.distribution}> <{NODE}b> .
<{IRI}> <https://odd.example/property> "kept" .
<{NODE}a> <{DCAT.accessURL}> <https://data.example/file> .
<{NODE}a> <{DCT.format}> "first" .
<{NODE}a> <{DCAT.mediaType}> <https://www.iana.org/assignments/media-types/text/html> .
<{NODE}b> <{DCAT.accessURL}> <https://data.example/file> .
<{NODE}b> <{DCT.format}> "second" .
<{NODE}b> <{DCT.license}> <https://licence.example/own> .
<{NODE}box> <http://www.w3.org/ns/locn#geometry> "POINT(24 60)" .
<{NODE}who> <http://www.w3.org/2006/vcard/ns#fn> "Desk" .
<{NODE}who> <http://www.w3.org/2006/vcard/ns#hasAddress> <{NODE}where> .
<{NODE}where> <http://www.w3.org/2006/vcard/ns#locality> "Town" .
""".encode()
SAID: dict[str, Any] = {
    "title": {"en": "Street trees"},
    "keywords": [{"en": "tree"}],
    "license": "CC0",
    "contact": {"name": {"en": "Data team"}, "email": "data@city.example"},
    "place": ["https://places.example/here"],
    "period": {"start": "2020"},
    "files": [{"address": "https://data.example/file", "was": "second", "format": "CSV"}],
}


def laid(said: dict[str, Any]) -> set[Triple]:
    return set(overlay.lay(IRI, triples_of(SOURCE), said, STAMP))


def values(triples: set[Triple], subject: str, term: str) -> set[str]:
    return {value for s, p, value in triples if (s, p) == (f"<{subject}>", f"<{term}>")}


def test_an_empty_correction_changes_nothing() -> None:
    assert laid({}) == set(triples_of(SOURCE))


def test_a_text_replaces_its_language_its_translations_and_what_has_none() -> None:
    assert values(laid({"title": {"en": "Street trees"}}), IRI, DCT.title) == {'"Street trees"@en', '"Baeume"@de'}


def test_what_nothing_points_to_any_more_goes_along_and_nothing_else() -> None:
    gone = {each[0] for each in triples_of(SOURCE)} - {each[0] for each in laid(SAID)}
    assert gone == {f"<{NODE}who>", f"<{NODE}where>"}
    assert values(laid(SAID), IRI, "https://odd.example/property") == {'"kept"'}


def test_a_place_that_was_drawn_stays_beside_the_one_that_is_named() -> None:
    assert values(laid(SAID), IRI, DCT.spatial) == {f"<{NODE}box>", "<https://places.example/here>"}


def test_files_of_one_address_are_told_apart_by_what_the_source_called_them() -> None:
    made = laid({"files": SAID["files"]})
    assert values(made, f"{NODE}a", DCT.format) == {'"first"'}
    (code,) = values(made, f"{NODE}b", DCT.format)
    assert code.endswith("/file-type/CSV>")
    assert values(made, f"{NODE}b", DCAT.mediaType) == {"<https://www.iana.org/assignments/media-types/text/csv>"}


def test_a_licence_stands_where_licences_stand() -> None:
    made = laid({"license": "CC0"})
    licences = [values(made, node, DCT.license) for node in (f"{NODE}a", f"{NODE}b")]
    assert licences[0] == licences[1] == {"<http://publications.europa.eu/resource/authority/licence/CC0>"}
    assert values(made, IRI, DCT.license) == set()


def test_laying_twice_is_laying_once() -> None:
    once = overlay.lay(IRI, triples_of(SOURCE), SAID, STAMP)
    assert set(overlay.lay(IRI, once, SAID, STAMP)) == set(once)


def test_the_record_tells_what_was_corrected_by_which_city_and_when() -> None:
    lines = "".join(f"{s} {p} {o} .\n" for s, p, o in laid(SAID)).encode()
    told = overlay.told_in(IRI, lines)
    assert told is not None
    assert {field.name for field in told.fields} == set(SAID)
    assert (told.by, told.at) == ("https://city.example", "2027-01-15T08:00:00Z")
    assert overlay.told_in(IRI, SOURCE) is None


def test_what_the_source_says_is_read_in_the_same_words() -> None:
    says = overlay.source_says(IRI, SOURCE)
    assert says["title"]["en"] == "Trees"
    assert says["files"] == [
        {"address": "https://data.example/file", "was": "first"},
        {"address": "https://data.example/file", "was": "second"},
    ]
    assert "place" not in says, "what is drawn has no code"
    places = overlay.in_place(SAID, says)
    assert places["title"] == {"und": "Untagged", "en": "Trees", "en-t-de": "Made by a machine"}
    assert places["files"] == [{"address": "https://data.example/file", "was": "second"}]


@pytest.mark.parametrize("name", [field.name for field in overlay.TABLE.fields])
def test_every_field_has_its_words_and_checks(name: str) -> None:
    field = overlay.TABLE.field(name)
    assert field is not None
    assert set(field.label) == set(field.hint) == {"en", "fi", "sv"}
    assert check(overlay.TABLE, {name: 5}), "what is none is named"
