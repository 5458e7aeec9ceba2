"""Every sample of a city model can be published and shown: record and STAC item hold to their rules."""

from pathlib import Path
from typing import Any

import pytest

from node.catalog.models.inspect import inspect_file
from node.catalog.models.telling import said_of
from node.vocab.kinds import city_model
from node.vocab.kinds.checking import check
from node.vocab.kinds.reading import said_in
from node.vocab.kinds.writing import payload_of
from node.web.ogc.stac_documents import Addresses, Model, Shelf, item
from tests.web.ogc.test_stac_documents import ITEM, held_to

IT = "https://city.example/models/m"
# What a practitioner reads first, and the rectangle's south-west corner where the file tells its place.
SAMPLES = {
    "cityjson/rotterdam_subset.json": ("Semantic model (CityJSON 2.0). Objects: 16. Levels of detail: 2.", ()),
    "cityjson/delft_1b.json": ("Semantic model (CityJSON 1.1). Objects: 1. Levels of detail: 1.", (4.36734, 52.01111)),
    "cityjson/DH_01_subs.city.json": ("Semantic model (CityJSON 1.1). Objects: 12. Levels of detail: 2.", ()),
    "cityjson/minimal.json": ("Semantic model (CityJSON 1.1).", ()),
    "cityjson/multi_lod.json": ("Semantic model (CityJSON 2.0). Objects: 10. Levels of detail: 1.2, 1.3, 2.2.", ()),
    "cityjson/dummy.json": ("Semantic model (CityJSON 2.0). Objects: 2. Levels of detail: 1.1, 2, 2.1.", ()),
    "citygml/delft-citygml2.xml": (
        "Semantic model (CityGML 2.0). Objects: 3. Levels of detail: 0, 1.",
        (4.36044, 52.00373),
    ),
    "citygml/sig3d-genericattributes-citygml2.xml": (
        "Semantic model (CityGML 2.0). Objects: 1. Levels of detail: 1.",
        (),
    ),
}


@pytest.mark.parametrize(("name", "summary", "corner"), [(name, *told) for name, told in SAMPLES.items()])
def test_a_sample_is_told_by_its_own_facts(
    sample_data: Path, name: str, summary: str, corner: tuple[float, ...]
) -> None:
    said = told(sample_data / "data" / "city-models" / name)
    assert said["summary"]["en"] == summary
    west_south = said["area"]["bbox"].removeprefix("POLYGON((").split(",")[0].split() if "area" in said else ()
    assert tuple(map(float, west_south)) == pytest.approx(corner, abs=1e-5)


def test_both_tilesets_are_told_and_the_missing_tile_is_noted(sample_data: Path) -> None:
    found = {
        path.parent.name: told(path)
        for path in sorted((sample_data / "data" / "city-models" / "3dtiles").rglob("tileset.json"))
    }
    assert [said["format_version"] for said in found.values()] == ["1.1", "1.0"]
    assert [said["type"] for said in found.values()] == ["semantic", "mesh"]
    assert any("dragon_high" in note for note in list(found.values())[1]["notes"])


def told(path: Path) -> dict[str, Any]:
    said = said_of(inspect_file(path), dataset=None, language="en", title={"en": path.name})
    said["publisher"] = {"name": {"en": "City"}}
    assert check(city_model.TABLE, said) == ()
    assert said_in(city_model.TABLE, IT, payload_of(city_model.TABLE, IT, said)) == said
    model = Model("models.m", said, {"title": path.name}, 0, IT)
    held_to(item(Addresses("https://city.example"), Shelf("models", "M", "M"), model), ITEM)
    return said
