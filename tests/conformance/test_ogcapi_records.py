"""OGC API Records 1.0, Part 1: what we answer is valid by the standard's own schemas, and passes its abstract tests.

The schemas and the abstract tests are the standard's. What they refer to in OGC API Features is not among the samples:
those few schemas are written here, from Features 1.0, with the members that it requires.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from node.web.ogc.record import GEOJSON
from tests.web.cities import BASE
from tests.web.client import Client
from tests.web.finding import found_city

HERE = "https://schemas.opengis.net/ogcapi/records/part1/1.0/openapi/schemas/"
FEATURES = "https://schemas.opengis.net/ogcapi/features/part1/1.0/openapi/schemas/"
_POSITION = {"type": "array", "items": {"type": "number"}, "minItems": 2}
_LINKS = {"type": "array", "items": {"type": "object", "required": ["href", "rel"]}}
_ABSENT: dict[str, Any] = {
    "geometryGeoJSON.yaml": {
        "type": "object",
        "required": ["type", "coordinates"],
        "properties": {
            "type": {"const": "Polygon"},
            "coordinates": {"type": "array", "items": {"type": "array", "items": _POSITION, "minItems": 4}},
        },
    },
    "collection.yaml": {"type": "object", "required": ["id", "links"], "properties": {"links": _LINKS}},
    "collections.yaml": {"type": "object", "required": ["links", "collections"], "properties": {"links": _LINKS}},
    "landingPage.yaml": {"type": "object", "required": ["links"], "properties": {"links": _LINKS}},
    "featureCollectionGeoJSON.yaml": {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"const": "FeatureCollection"},
            "links": _LINKS,
            "numberMatched": {"type": "integer", "minimum": 0},
            "numberReturned": {"type": "integer", "minimum": 0},
        },
    },
}


def _of_openapi(schema: Any) -> Any:
    """Say an OpenAPI 3.0 schema in JSON Schema: `nullable`, and "null or this" which they write as one of two."""
    if isinstance(schema, list):
        return [_of_openapi(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _of_openapi(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable"):
        made["type"] = [made["type"], "null"]
    if {"type": "object", "nullable": True} in schema.get("oneOf", []):
        # By the letter every object would be both of the two, and so would null where the other may be null as well.
        others = [_of_openapi(each) for each in schema["oneOf"] if each != {"type": "object", "nullable": True}]
        del made["oneOf"]
        made["anyOf"] = [{"type": "null"}, *others]
    return made


@pytest.fixture(scope="module")
def registry(sample_data: Path) -> Any:
    folder = sample_data / "standards" / "ogcapi-records" / "openapi" / "schemas"
    if not folder.is_dir():
        pytest.skip("the schemas of OGC API Records are absent")
    found = {HERE + file.name: _of_openapi(yaml.safe_load(file.read_text())) for file in folder.glob("*.yaml")}
    found |= {FEATURES + name: schema for name, schema in _ABSENT.items()}
    pairs = [(uri, Resource(contents=schema, specification=DRAFT202012)) for uri, schema in found.items()]
    return Registry().with_resources(pairs)


def faults(registry: Any, name: str, value: Any) -> list[str]:
    validator = Draft202012Validator(
        {"$ref": HERE + name}, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Client]:
    with found_city(tmp_path_factory.mktemp("ogc"), migrated) as rig:
        yield rig.client


def at(client: Client, address: str) -> Any:
    reply = client.get(address.removeprefix(BASE))
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture(scope="module")
def records(client: Client) -> list[Any]:
    return at(client, "/ogc/collections/_all/items")["features"]


def links(value: Any, rel: str) -> list[str]:
    return [link["href"] for link in value["links"] if link["rel"] == rel]


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/ogc", "landingPage.yaml"),
        ("/ogc/collections", "catalogs.yaml"),
        ("/ogc/collections/_all", "collection.yaml"),
        ("/ogc/collections/london.open-data", "collection.yaml"),
        ("/ogc/collections/_all/items", "recordCollectionGeoJSON.yaml"),
        ("/ogc/collections/_all/items?q=nothing-at-all", "recordCollectionGeoJSON.yaml"),
        ("/ogc/collections/_all/items/datasets.parking", "recordGeoJSON.yaml"),
    ],
)
def test_every_answer_is_valid_by_the_schema_of_the_standard(
    registry: Any, client: Client, path: str, schema: str
) -> None:
    assert faults(registry, schema, at(client, path)) == []


def test_the_schemas_find_fault_with_what_is_wrong(registry: Any, records: list[Any]) -> None:
    record = records[0]
    for wrong in (
        {**record, "time": {"date": "yesterday"}},
        {**record, "type": "Record"},
        {**record, "properties": record["properties"] | {"themes": []}},
        {**record, "properties": record["properties"] | {"contacts": [{"roles": ["publisher"]}]}},
        {**record, "links": [{"rel": "self"}]},
        {key: value for key, value in record.items() if key != "geometry"},
    ):
        assert faults(registry, "recordGeoJSON.yaml", wrong)


def test_record_core_mandatory_properties_record(records: list[Any]) -> None:
    assert records
    for record in records:
        assert record["id"]
        assert {"type", "geometry", "time", "properties"} <= set(record)
        assert {"type", "title"} <= set(record["properties"])


def test_record_core_links(registry: Any, client: Client, records: list[Any]) -> None:
    for record in records:
        (catalogue,) = links(record, "collection")
        assert faults(registry, "collection.yaml", at(client, catalogue)) == []


def test_record_core_license(records: list[Any]) -> None:
    said = {record["properties"].get("license") for record in records}
    assert said == {None, "CC-BY-4.0", "CC0-1.0", "OGL-UK-3.0"}
    for record in records:
        if record["properties"].get("license") == "other":
            assert links(record, "license")


def test_record_core_time_interval_and_zone(records: list[Any]) -> None:
    shapes = {tuple(record["time"]) if record["time"] else () for record in records}
    assert shapes == {(), ("date",), ("interval",)}


def test_record_collection_links_self_and_alternate(client: Client) -> None:
    for path in ("/ogc/collections/_all", "/ogc/collections/open-data", "/ogc/collections/_all/items"):
        told = at(client, path)
        (itself,) = links(told, "self")
        assert at(client, itself) == told
        for link in told["links"]:
            if link["rel"] == "alternate":
                reply = client.get(link["href"].removeprefix(BASE))
                assert reply.status_code == 200
                assert reply.headers["content-type"].split(";")[0] == link["type"]


def test_record_collection_links_records(registry: Any, client: Client) -> None:
    for catalogue in at(client, "/ogc/collections")["collections"]:
        (items,) = [link for link in catalogue["links"] if link["rel"] == "items" and link["type"] == GEOJSON]
        assert faults(registry, "recordCollectionGeoJSON.yaml", at(client, items["href"])) == []


def test_record_core_query_parameters_q(client: Client, records: list[Any]) -> None:
    def holds(record: Any, words: str) -> bool:
        properties = record["properties"]
        text = " ".join([properties["title"], properties.get("description", ""), *properties.get("keywords", [])])
        return words in " ".join(text.lower().split())

    for q in ("kerbside", "trees,kerbside", "street trees", "every tree along", "stop"):
        found = {record["id"] for record in at(client, f"/ogc/collections/_all/items?q={q}")["features"]}
        assert found == {record["id"] for record in records if any(holds(record, term) for term in q.split(","))}


def test_record_core_query_parameters_type_ids_and_external_ids(client: Client, records: list[Any]) -> None:
    path = "/ogc/collections/_all/items"
    assert {each["id"] for each in at(client, f"{path}?type=dataset")["features"]} == {each["id"] for each in records}
    for record in records:
        iri = record["properties"]["externalIds"][0]["value"].replace("%", "%25")
        for query in (f"ids={record['id']}", f"externalIds={iri}"):
            assert [each["id"] for each in at(client, f"{path}?{query}")["features"]] == [record["id"]]


def test_record_core_query_parameters_limit(client: Client) -> None:
    found = at(client, "/ogc/collections/_all/items?limit=1")
    assert found["numberReturned"] == len(found["features"]) == 1
    assert found["numberMatched"] == 4
    assert client.get("/ogc/collections/_all/items?limit=999999").status_code == 200
