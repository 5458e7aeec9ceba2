"""Every STAC document holds to the core specification, whatever a model says of itself.

The rules are written here as JSON Schemas from the texts of STAC 1.1.0 (Catalog, Collection, Item) and of the two
extensions that are used.
"""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from node.web.ogc.stac_documents import (
    CITY3D,
    PROJECTION,
    WORLD,
    Addresses,
    Model,
    Shelf,
    catalog,
    collection,
    item,
)

AT = Addresses("https://city.example")
SHELF = Shelf("models", "City models", "Models of the city.")
SAID: dict[str, Any] = {
    "about": "https://city.example/datasets/m",
    "file": "https://files.example/m.city.json",
    "format": "cityjson",
    "format_version": "2.0",
    "type": "semantic",
    "epoch": "2024-05-01",
    "crs": "http://www.opengis.net/def/crs/EPSG/0/3879",
    "lower_corner": "25496000 6672000 -0.5",
    "upper_corner": "25497000.123 6673000 48.5",
    "area": {"bbox": "POLYGON((24.9 60.1, 25.0 60.1, 25.0 60.2, 24.9 60.2, 24.9 60.1))"},
    "lods": ["1.2", "2.2"],
    "objects": "3",
    "counts": [{"type": "Building", "count": "2"}, {"type": "+Shed", "count": "1"}],
    "textures": "4",
}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
LINK = {
    "type": "object",
    "required": ["href", "rel"],
    "properties": {key: {"type": "string", "minLength": 1} for key in ("href", "rel", "type", "title")},
}
LINKS = {"type": "array", "items": LINK}
CORE: dict[str, Any] = {
    "type": "object",
    "required": ["type", "stac_version", "id", "description", "links"],
    "properties": {
        "stac_version": {"const": "1.1.0"},
        "id": {"type": "string", "pattern": "^[^/\\s]+$"},
        "title": {"type": "string"},
        "description": {"type": "string", "minLength": 1},
        "stac_extensions": {"type": "array", "uniqueItems": True, "items": {"type": "string", "format": "iri"}},
        "links": LINKS,
    },
}
BOX = {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}}
CATALOG = {"allOf": [CORE, {"properties": {"type": {"const": "Catalog"}}}]}
COLLECTION = {
    "allOf": [
        CORE,
        {
            "required": ["license", "extent"],
            "properties": {
                "type": {"const": "Collection"},
                "license": {"type": "string", "pattern": r"^[\w.\-+]+$"},
                "extent": {
                    "required": ["spatial", "temporal"],
                    "properties": {
                        "spatial": {"required": ["bbox"], "properties": {"bbox": {"type": "array", "items": BOX}}},
                        "temporal": {
                            "required": ["interval"],
                            "properties": {
                                "interval": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "type": "array",
                                        "minItems": 2,
                                        "maxItems": 2,
                                        "items": {"anyOf": [TIME, {"type": "null"}]},
                                    },
                                }
                            },
                        },
                    },
                },
                "summaries": {"additionalProperties": {"type": "array", "minItems": 1}},
            },
        },
    ]
}
SPAN: dict[str, Any] = {
    "required": ["start_datetime", "end_datetime"],
    "properties": {"datetime": {"type": "null"}, "start_datetime": TIME, "end_datetime": TIME},
}
CITY3D_FIELDS = {
    "city3d:version": {"type": "string", "pattern": r"^\d+\.\d+(?:\.\d+)?$"},
    "city3d:city_objects": {"type": "integer", "minimum": 0},
    "city3d:lods": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"pattern": r"^\d+(\.\d+)?$"}},
    "city3d:co_types": {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"pattern": r"^(\+.+|[A-Z]\w+)$"},
    },
    "city3d:textures": {"type": "boolean"},
    "city3d:materials": {"type": "boolean"},
}
ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "stac_version", "id", "geometry", "properties", "links", "assets", "collection"],
    "properties": {
        "type": {"const": "Feature"},
        "stac_version": {"const": "1.1.0"},
        "id": {"type": "string", "pattern": "^[^/\\s]+$"},
        "bbox": BOX,
        "geometry": {
            "anyOf": [
                {"type": "null"},
                {"required": ["type", "coordinates"], "properties": {"type": {"const": "Polygon"}}},
            ]
        },
        "properties": {
            "required": ["datetime"],
            "anyOf": [{"properties": {"datetime": TIME}}, SPAN],
            "properties": {
                "proj:code": {"type": "string", "pattern": "^EPSG:[0-9]+$"},
                "proj:bbox": {"type": "array", "minItems": 6, "maxItems": 6, "items": {"type": "number"}},
                "license": {"type": "string"},
                "created": TIME,
                "updated": TIME,
                **CITY3D_FIELDS,
            },
        },
        "links": LINKS,
        "assets": {
            "additionalProperties": {
                "required": ["href"],
                "properties": {"roles": {"type": "array", "minItems": 1}, "type": {"type": "string"}},
            }
        },
        "collection": {"type": "string"},
    },
    # A box where there is a geometry, and only there.
    "if": {"properties": {"geometry": {"type": "null"}}},
    "then": {"not": {"required": ["bbox"]}},
    "else": {"required": ["bbox"]},
}


def model(said: dict[str, Any], **more: Any) -> Model:
    return Model(
        "models.m", said, {"title": "M", "description": "D"}, 1_795_232_400_000, "https://city.example/m", **more
    )


def held_to(document: Any, schema: dict[str, Any]) -> Any:
    Draft202012Validator(schema).validate(document)
    return document


def test_an_item_says_everything_that_the_model_says() -> None:
    made = held_to(item(AT, SHELF, model(SAID, licence="CC-BY-4.0")), ITEM)
    assert made["stac_extensions"] == [PROJECTION, CITY3D]
    assert made["bbox"] == [24.9, 60.1, 25.0, 60.2]
    assert made["properties"] == {
        "datetime": "2024-05-01T00:00:00Z",
        "title": "M",
        "description": "D",
        "updated": "2026-11-21T03:40:00Z",
        "license": "CC-BY-4.0",
        "proj:code": "EPSG:3879",
        "proj:bbox": [25496000, 6672000, -0.5, 25497000.123, 6673000, 48.5],
        "city3d:version": "2.0",
        "city3d:city_objects": 3,
        "city3d:lods": ["1.2", "2.2"],
        "city3d:co_types": ["+Shed", "Building"],
        "city3d:textures": True,
        "city3d:materials": False,
    }
    assert made["assets"]["model"]["type"] == "application/city+json"
    rels = {each["rel"]: each["href"] for each in made["links"]}
    assert rels["collection"] == rels["parent"] == "https://city.example/stac/collections/models"
    assert rels["self"] == "https://city.example/stac/collections/models/items/models.m"
    assert rels["via"] == SAID["about"]


@pytest.mark.parametrize(
    ("change", "absent"),
    [
        ({"area": {"bbox": "POLYGON((200 60, 201 60, 201 61, 200 61, 200 60))"}}, "bbox"),
        ({"area": {"bbox": "POLYGON((a b, c d, e f))"}}, "bbox"),
        ({"area": {"bbox": "POINT(1 2)"}}, "bbox"),
        ({"area": None}, "bbox"),
        ({"crs": "https://example.org/our-grid"}, "proj:code"),
        ({"lower_corner": "1 2"}, "proj:bbox"),
        ({"upper_corner": "1 2 1e300"}, "proj:bbox"),
        ({"format_version": "two"}, "city3d:version"),
        ({"lods": ["LoD2"]}, "city3d:lods"),
        ({"counts": [{"type": "bldg:Building"}, {"type": "Zeppelin"}, {"type": "+"}]}, "city3d:co_types"),
        ({"objects": "-1"}, "city3d:city_objects"),
        ({"file": ""}, "model"),
    ],
)
def test_what_does_not_fit_the_specification_is_left_out(change: dict[str, Any], absent: str) -> None:
    made = held_to(item(AT, SHELF, model(SAID | change)), ITEM)
    assert absent not in {*made, *made["properties"], *made["assets"]}


@pytest.mark.parametrize(
    ("epoch", "said"),
    [
        ("2024", (None, "2024-01-01T00:00:00Z", "2024-12-31T23:59:59Z")),
        ("2023-12", (None, "2023-12-01T00:00:00Z", "2023-12-31T23:59:59Z")),
        ("9999", (None, "9999-01-01T00:00:00Z", "9999-12-31T23:59:59Z")),
        ("", ("2026-11-21T03:40:00Z", None, None)),
    ],
)
def test_a_year_is_a_span_and_without_a_date_the_record_gives_one(epoch: str, said: tuple[str | None, ...]) -> None:
    properties = held_to(item(AT, SHELF, model(SAID | {"epoch": epoch})), ITEM)["properties"]
    assert (properties["datetime"], properties.get("start_datetime"), properties.get("end_datetime")) == said


def test_tiles_are_no_city_objects_and_nothing_is_said_of_their_textures() -> None:
    said = {"format": "3d-tiles", "format_version": "1.1", "type": "mesh", "objects": "20", "file": SAID["file"]}
    made = held_to(item(AT, SHELF, model(said)), ITEM)
    assert {key for key in made["properties"] if key.startswith("city3d")} == {"city3d:version"}


def test_a_collection_reaches_around_its_items_or_around_the_world_if_they_are_not_all_known() -> None:
    other = SAID | {
        "area": {"bbox": "POLYGON((24.8 60.0, 24.9 60.0, 24.9 60.1, 24.8 60.1, 24.8 60.0))"},
        "epoch": "2020",
    }
    both = [model(SAID, licence="CC-BY-4.0"), model(other, licence="CC-BY-4.0")]
    made = held_to(collection(AT, SHELF, both, 2), COLLECTION)
    assert made["extent"]["spatial"]["bbox"] == [[24.8, 60.0, 25.0, 60.2]]
    assert made["extent"]["temporal"]["interval"] == [["2020-01-01T00:00:00Z", "2024-05-01T00:00:00Z"]]
    assert made["license"] == "CC-BY-4.0"
    assert made["summaries"]["city3d:lods"] == ["1.2", "2.2"]

    many = held_to(collection(AT, SHELF, [], 9_000), COLLECTION)
    assert many["extent"]["spatial"]["bbox"] == [list(WORLD)]
    assert (many["license"], many["stac_extensions"], many["summaries"]) == ("other", [], {})
    assert (
        held_to(collection(AT, SHELF, [model(SAID), model(SAID, licence="MIT")], 2), COLLECTION)["license"] == "other"
    )


def test_the_catalogue_leads_to_every_collection_and_describes_its_service() -> None:
    made = held_to(catalog(AT, "city", "Models", "All of them.", [SHELF]), CATALOG)
    rels = [each["rel"] for each in made["links"]]
    assert {"self", "root", "data", "conformance", "service-desc", "service-doc", "child"} == set(rels)
    assert "https://api.stacspec.org/v1.0.0/core" in made["conformsTo"]
