"""The city models of the samples: what their files say, as a person who opened each of them would put it."""

from pathlib import Path

import pytest

from node.catalog.models.facts import ModelFacts
from node.catalog.models.inspect import inspect_file


@pytest.fixture(scope="module")
def models(sample_data: Path) -> Path:
    return sample_data / "data" / "city-models"


def codes(facts: ModelFacts) -> set[str]:
    return {each.code for each in facts.problems}


@pytest.mark.parametrize(
    ("name", "version", "objects", "lods", "said"),
    [
        ("DH_01_subs.city.json", "1.1", {"BuildingPart": 8, "Building": 4}, ("2",), {"no-crs"}),
        ("delft_1b.json", "1.1", {"Building": 1}, ("1",), set()),
        ("dummy.json", "2.0", {"Building": 1, "SolitaryVegetationObject": 1}, ("1.1", "2", "2.1"), {"outside-crs"}),
        ("minimal.json", "1.1", {}, (), {"no-crs"}),
        ("multi_lod.json", "2.0", {"Building": 10}, ("1.2", "1.3", "2.2"), {"no-crs"}),
        ("rotterdam_subset.json", "2.0", {"Building": 16}, ("2",), {"no-crs"}),
    ],
)
def test_cityjson(
    models: Path, name: str, version: str, objects: dict[str, int], lods: tuple[str, ...], said: set[str]
) -> None:
    facts = inspect_file(models / "cityjson" / name)
    assert (facts.format, facts.version, facts.type, facts.whole) == ("CityJSON", version, "semantic", True)
    assert (facts.counts, facts.lods) == (objects, lods)
    assert codes(facts) == said
    assert facts.bytes == (models / "cityjson" / name).stat().st_size


def test_delft_lies_in_delft(models: Path) -> None:
    facts = inspect_file(models / "cityjson" / "delft_1b.json")
    assert facts.crs == "http://www.opengis.net/def/crs/EPSG/0/7415"
    assert facts.bbox == pytest.approx((4.3673, 52.0111, 4.3684, 52.0115), abs=0.0002)
    assert facts.heights == (-0.1, 6.0)


def test_rotterdam_has_textures_and_the_hague_materials(models: Path) -> None:
    rotterdam = inspect_file(models / "cityjson" / "rotterdam_subset.json")
    the_hague = inspect_file(models / "cityjson" / "DH_01_subs.city.json")
    assert (rotterdam.textures, rotterdam.materials) == (74, 0)
    assert (the_hague.textures, the_hague.materials) == (0, 27)
    assert "TerrainHeight" in rotterdam.attributes
    assert rotterdam.extent is not None
    assert rotterdam.extent[:2] == (90454.189, 435614.88)


def test_citygml(models: Path) -> None:
    delft = inspect_file(models / "citygml" / "delft-citygml2.xml")
    assert (delft.version, delft.counts, delft.lods) == ("2.0", {"Building": 3}, ("0", "1"))
    assert delft.bbox == pytest.approx((4.3604, 52.0037, 4.3629, 52.0103), abs=0.0002)
    assert codes(delft) == {"extent-differs"}  # its envelope is that of a map, which three houses do not fill
    sig3d = inspect_file(models / "citygml" / "sig3d-genericattributes-citygml2.xml")
    assert (sig3d.version, sig3d.counts, len(sig3d.attributes)) == ("2.0", {"Building": 1}, 9)
    assert codes(sig3d) == {"unknown-crs"}


def test_tilesets(models: Path) -> None:
    houses = inspect_file(models / "3dtiles" / "MetadataGranularities")
    assert (houses.version, houses.type, houses.tiles, houses.counts) == ("1.1", "semantic", 5, {"glb": 20})
    assert {"district", "population"} <= set(houses.attributes)
    assert (houses.epoch, codes(houses)) == ("2022-03-21", {"no-place"})
    dragon = inspect_file(models / "3dtiles" / "TilesetWithDiscreteLOD" / "tileset.json")
    assert (dragon.version, dragon.type, dragon.tiles, dragon.counts) == ("1.0", "mesh", 3, {"b3dm": 3})
    assert dragon.bbox == pytest.approx((-75.62, 40.04, -75.6, 40.05), abs=0.01)
    (missing,) = dragon.problems
    assert (missing.code, missing.where) == (
        "missing-content",
        "tileset.json#/root/children/0/children/0/content/uri",
    )
    assert missing.message.startswith("dragon_high.b3dm is not there.")
