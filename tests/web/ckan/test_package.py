"""Laws of packages: what a record says stands where CKAN's clients look for it, and nothing is made up."""

import json
from typing import Any

from node.catalog.shelf import Held
from node.vocab import lists
from node.vocab.mappings import plain_code
from node.web.ckan.package import Packager, licence_id, stamp
from node.web.ckan.query import licence_value
from tests.web.cities import AT_MS, BASE, EU, NOISE_IRI, noise, parking, payload

PACKAGER = Packager(BASE, ("en", "fi", "sv"), plain_code, lambda _: ("helsinki", "Helsinki"))


def package(said: bytes, iri: str = f"{BASE}/datasets/parking", *, kind: str = "dataset") -> Any:
    held = Held("open-data", iri, kind, iri.rpartition("/")[2].lower(), "sha256:", 1, AT_MS)
    made = PACKAGER.package(held, said)
    assert json.loads(json.dumps(made)) == made
    return made


def extras(made: Any) -> dict[str, str]:
    assert all(isinstance(extra["value"], str) for extra in made["extras"])
    return {extra["key"]: extra["value"] for extra in made["extras"]}


def minimal(*more: tuple[str, str, str]) -> Any:
    it = f"{BASE}/datasets/x"
    return package(payload((it, "rdf:type", "dcat:Dataset"), (it, "dct:title", '"X"'), *more), it)


def test_core_fields_are_ckans() -> None:
    made = package(parking())
    assert {
        name: made[name] for name in ("name", "title", "type", "state", "private", "url", "license_id", "isopen")
    } == {
        "name": "parking",
        "title": "Kerbside parking areas",
        "type": "dataset",
        "state": "active",
        "private": False,
        "url": "https://hri.fi/data/parking",
        "license_id": "cc-by-4.0",
        "isopen": True,
    }
    assert made["ckan_url"] == f"{BASE}/datasets/parking"
    assert made["metadata_created"] == "2019-01-01T00:00:00.000000"
    assert made["metadata_modified"] == stamp(AT_MS) == "2026-11-21T03:40:00.000000"
    assert (made["maintainer"], made["maintainer_email"]) == ("Street data team", "streets@example.org")
    assert (made["num_tags"], made["num_resources"]) == (len(made["tags"]), len(made["resources"])) == (3, 2)


def test_every_language_is_there_and_what_machines_wrote_is_not() -> None:
    made = package(parking())
    assert made["title_translated"] == {"en": "Kerbside parking areas", "fi": "Kadunvarren pysäköintialueet"}
    assert made["keywords"] == {"en": ["kerb", "parking"], "fi": ["pysäköinti"]}
    assert made["organization"]["title_translated"] == {
        "en": "Urban Environment Division",
        "fi": "Kaupunkiympäristön toimiala",
    }
    assert package(noise(), NOISE_IRI)["title"] == "Melukartta 2022"


def test_organisation_and_groups_are_the_publisher_and_the_themes() -> None:
    made = package(parking())
    assert (
        made["owner_org"] == made["organization"]["id"] == made["organization"]["name"] == "urban-environment-division"
    )
    assert made["organization"]["is_organization"] is True
    assert [(group["name"], group["title"]) for group in made["groups"]] == [("tran", "Transport")]


def test_resources_lead_to_the_file_and_keep_their_ids() -> None:
    made = package(parking())
    first, second = made["resources"]
    assert (first["format"], first["url"], first["size"], first["position"]) == (
        "GEOJSON", "https://example.org/parking.geojson", 14_000_000, 0
    )  # fmt: skip
    assert (second["format"], second["url"], second["size"]) == ("CSV", "https://example.org/parking", None)
    assert first["package_id"] == second["package_id"] == made["id"]
    assert [each["id"] for each in package(parking(title="New"))["resources"]] == [first["id"], second["id"]]
    known = "c6a06318-117f-4696-b39e-f99ab4d33298"
    it, file = f"{BASE}/datasets/x", f"{BASE}/datasets/x/1"
    own = minimal((it, "dcat:distribution", file), (file, "dct:identifier", f'"{known}"'))
    assert own["resources"][0]["id"] == known


def test_addresses_of_data_are_given_and_those_that_a_browser_would_run_are_not() -> None:
    it, file = f"{BASE}/datasets/x", f"{BASE}/datasets/x/1"
    for address, given in (
        ("mqtts://example.org:8883", True),
        ("ftp://example.org/x", True),
        ("javascript:x()", False),
    ):
        made = minimal((it, "dcat:distribution", file), (file, "dcat:accessURL", address))
        assert made["resources"][0]["url"] == (address if given else "")


def test_what_ckan_has_no_field_for_is_in_extras_under_the_names_of_ckanext_dcat() -> None:
    assert extras(package(parking())) == {
        "uri": f"{BASE}/datasets/parking",
        "city": "Helsinki",
        "city_id": "helsinki",
        "issued": "2019-01-01",
        "modified": "2026-11-21",
        "language": '["en", "fi"]',
        "frequency": EU + "frequency/DAILY",
        "access_rights": EU + "access-right/PUBLIC",
        "publisher_url": "https://www.hel.fi/kaupunkiymparisto",
        "temporal_start": "2019-01-01",
    }


def test_places_are_a_shape_names_and_addresses() -> None:
    it, place = f"{BASE}/datasets/x", EU + "place/FIN_HEL"
    shape = '"POLYGON((24.8 60.1,25.3 60.1,25.3 60.3,24.8 60.1))"'
    area = f"{BASE}/.well-known/genid/area"
    made = extras(minimal((it, "dct:spatial", place), (it, "dct:spatial", area), (area, "dcat:bbox", shape)))
    assert made["spatial_uri"] == place
    assert made["spatial_text"] == "Helsinki"
    assert json.loads(made["spatial"])["coordinates"][0][0] == [24.8, 60.1]


def test_nothing_is_made_up_for_what_is_not_said() -> None:
    made = minimal()
    assert (made["organization"], made["owner_org"], made["maintainer"], made["author"], made["url"]) == (None,) * 5
    assert (made["license_id"], made["license_title"], made["license_url"]) == ("notspecified", None, None)
    assert (made["isopen"], made["tags"], made["groups"], made["resources"]) == (False, [], [], [])
    assert made["metadata_created"] == made["metadata_modified"]
    assert extras(made) == {"uri": f"{BASE}/datasets/x", "city": "Helsinki", "city_id": "helsinki"}


def test_a_series_says_that_it_is_one() -> None:
    it = f"{BASE}/series/x"
    said = payload((it, "rdf:type", "dcat:DatasetSeries"), (it, "dct:title", '"X"'))
    made = package(said, it, kind="dataset-series")
    assert (made["type"], made["name"]) == ("dataset_series", "x__series")


def test_a_licence_s_id_leads_back_to_it() -> None:
    codes = ["none", *(concept.code for concept in lists.LICENCES)]
    assert {code: licence_value(licence_id(code)) for code in codes} == {code: code for code in codes}
