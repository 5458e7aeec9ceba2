"""A portal's loose words are enough to find its city models, and nothing else is fetched for one."""

import pytest

from node.catalog.models.candidates import MOST, candidates_in
from tests.web.cities import payload

IT, FILE = "https://city.example/id/m", "https://city.example/id/m/file"
URL = "https://files.city.example/a"


def named(*more: tuple[str, str, str]) -> list[str]:
    triples = [(IT, "rdf:type", "dcat:Dataset"), (IT, "dcat:distribution", FILE), *more]
    return [each.url for each in candidates_in(IT, payload(*triples))]


@pytest.mark.parametrize(
    "says",
    [
        (FILE, "dct:format", '"CityGML"'),
        (FILE, "dct:title", '"Rakennukset, CityGML (zip)"@fi'),
        (FILE, "dct:description", '"3D Tiles of the whole city"@en'),
        (FILE, "dcat:mediaType", "https://www.iana.org/assignments/media-types/application/city+json"),
        (FILE, "dct:conformsTo", "https://www.cityjson.org/specs/2.0.1/cityjson/"),
    ],
)
def test_a_file_counts_if_anything_of_its_distribution_names_a_format(says: tuple[str, str, str]) -> None:
    assert named(says, (FILE, "dcat:downloadURL", f"{URL}/download?id=7")) == [f"{URL}/download?id=7"]
    assert named((FILE, "dcat:downloadURL", f"{URL}/download?id=7")) == []


@pytest.mark.parametrize("tail", ["m.city.json", "m.CITY.JSON.gz", "m.city.jsonl", "m.citygml", "tileset.json"])
def test_an_address_that_ends_like_a_model_is_enough(tail: str) -> None:
    assert named((FILE, "dcat:accessURL", f"{URL}/{tail}")) == [f"{URL}/{tail}"]


def test_a_page_or_a_service_is_no_file() -> None:
    says = (FILE, "dct:title", '"CityGML"@en')
    assert named(says, (FILE, "dcat:accessURL", f"{URL}/about-the-model")) == []
    assert named(says, (FILE, "dcat:accessURL", f"{URL}/model.zip")) == [f"{URL}/model.zip"]
    both = ((FILE, "dcat:accessURL", f"{URL}/model.zip"), (FILE, "dcat:downloadURL", f"{URL}/get"))
    assert named(says, *both) == [f"{URL}/get"]


def test_other_formats_of_the_same_dataset_are_left_alone() -> None:
    other = f"{FILE}2"
    found = named(
        (FILE, "dct:format", '"CityJSON"'),
        (FILE, "dcat:downloadURL", f"{URL}/model"),
        (IT, "dcat:distribution", other),
        (other, "dct:format", '"IFC"'),
        (other, "dcat:downloadURL", f"{URL}/model.ifc"),
    )
    assert found == [f"{URL}/model"]


def test_addresses_that_are_none_are_passed_over_and_the_number_is_bounded() -> None:
    says = (FILE, "dct:format", '"CityJSON"')
    odd = ["ftp://x.example/m.city.json", "http://[::1/m.city.json", f"https://x.example/{'a' * 3000}.city.json"]
    assert named(says, *((FILE, "dcat:downloadURL", url) for url in odd)) == []
    many = [(FILE, "dcat:downloadURL", f"{URL}/{n:03}") for n in range(MOST + 5)]
    assert named(says, *many) == [f"{URL}/{n:03}" for n in range(MOST)]
