"""What a model may be packed in, how its format is told, and the bounds of unpacking."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from node.errors import Malformed, TooLarge
from tests.catalog.models.made import city, read, told
from tests.catalog.models.test_citygml import HOUSE, NORTH_FIRST, document
from tests.catalog.models.test_tiles3d import tile, tileset


def packed(files: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_gzip_is_unpacked_and_the_size_is_that_of_the_file(tmp_path: Path) -> None:
    body = gzip.compress(json.dumps(city()).encode())
    facts = read(tmp_path, body, "model.json.gz")
    assert (facts.counts, facts.bytes, facts.whole) == ({"Building": 1, "BuildingPart": 1}, len(body), True)


def test_gzip_that_is_cut_off_gives_what_was_read(tmp_path: Path) -> None:
    body = gzip.compress(document(NORTH_FIRST, *[HOUSE] * 400).encode())
    facts = read(tmp_path, body[: len(body) // 2], "model.gml.gz")
    assert 0 < facts.counts["Building"] < 400
    assert not facts.whole
    assert "cut-off" in told(facts)


def test_the_sheets_of_an_archive_are_one_model(tmp_path: Path) -> None:
    east = HOUSE.replace("25496010", "25496500")
    body = packed({"a/1.gml": document(HOUSE), "a/2.gml": document(NORTH_FIRST, east), "a/readme.txt": "x"})
    facts = read(tmp_path, body, "sheets.zip")
    assert (facts.files, facts.counts, facts.bytes) == (2, {"Building": 2, "BuildingPart": 2}, len(body))
    assert facts.extent is not None
    assert facts.extent[4] == 25_496_500.0


def test_a_broken_sheet_is_named_by_its_file(tmp_path: Path) -> None:
    broken = json.dumps(city(transform=None))
    facts = read(tmp_path, packed({"1.json": json.dumps(city()), "2.json": broken, "3.json": "[1]"}), "a.zip")
    assert (facts.files, facts.objects) == (2, 4)
    assert told(facts)["missing-transform"] == "2.json#/transform"


def test_models_of_two_formats_are_not_one(tmp_path: Path) -> None:
    facts = read(tmp_path, packed({"1.gml": document(HOUSE), "2.json": json.dumps(city())}), "a.zip")
    assert (facts.format, facts.files, facts.whole) == ("CityGML", 1, False)
    assert told(facts)["mixed-formats"] == "2.json"


def test_an_archive_with_a_tileset_is_one_tileset(tmp_path: Path) -> None:
    children = [tile(content={"uri": uri}) for uri in ("in/a.json", "there.glb", "no.glb")]
    files = {"t/tileset.json": json.dumps(tileset(tile(children=children))), "t/there.glb": b"x"}
    facts = read(tmp_path, packed(files | {"t/in/a.json": json.dumps(tileset(tile()))}), "a.3tz")
    assert (facts.format, facts.tiles, facts.files) == ("3D Tiles", 5, 2)
    assert told(facts) == {"missing-content": "tileset.json#/root/children/2/content/uri"}


def test_names_that_lead_out_of_an_archive_write_nothing(tmp_path: Path) -> None:
    files = {"tileset.json": json.dumps(tileset(tile())), "../../out.json": "{}", "/out2.json": "{}"}
    assert read(tmp_path, packed(files), "a.zip").files == 1
    assert {path.name for path in tmp_path.rglob("*.json")} == {"tileset.json"}


@pytest.mark.parametrize("pack", [gzip.compress, lambda body: packed({"a.json": body})])
def test_what_unpacks_to_more_than_its_bound_is_refused(tmp_path: Path, pack: object) -> None:
    body = pack(b'{"type":"CityJSON"' + b" " * 3_000_000)  # type: ignore[operator]
    with pytest.raises(TooLarge, match="Unpacked it has more than 1000000 bytes"):
        read(tmp_path, body, plain_bytes=1_000_000)


@pytest.mark.parametrize(("body", "said"), [
    (b"", "is empty"),
    (b"glTF....", "a binary glTF"),
    (b"LASF....", "a point cloud"),
    (b"ISO-10303-21;", "IFC"),
    (b"\x89PNG....", "none of the formats"),
    (b"{}", "no city model"),
    (b'{"type": "FeatureCollection"}', "'FeatureCollection'"),
    (b"{oops", "no JSON: line 1, column 2"),
    (b"<!doctype html><html></html>", "HTML"),
    (packed({"a.txt": b"x"}), "There is no city model in it"),
    (packed({"a.json": b"[]"}), "none of the formats"),
])  # fmt: skip
def test_what_is_no_model_is_named_and_refused(tmp_path: Path, body: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said) as refused:
        read(tmp_path, body, "thing")
    assert refused.value.fix


def test_an_archive_that_is_broken_is_refused(tmp_path: Path) -> None:
    body = bytearray(packed({"a.json": json.dumps(city())}))
    body[40:60] = b"\0" * 20
    with pytest.raises(Malformed):
        read(tmp_path, bytes(body), "a.zip")
