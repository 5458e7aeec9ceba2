"""What is inside a file is told by its bytes: rows, types, outlines, meshes and pictures; hostile ones are refused."""

import gzip
import io
import json
import struct
import time
import zipfile
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest

from node.catalog.previews import values
from node.catalog.previews.opening import look
from node.catalog.previews.values import Preview, Table, Why, cut, from_json, to_json, why_of
from node.errors import Malformed, Refused, TooLarge
from node.web.wording.words import LANGUAGES, read_part
from tests.catalog.models.samples import cityjson
from tests.catalog.previews.made import archive, cell, columns, geojson, picture, square, workbook

pytestmark = pytest.mark.slow  # seconds in all

MIB = 1 << 20
WHYS = set(get_args(Why))


def inside(
    tmp_path: Path, body: bytes, *, whole: bool = True, plain: int = 8 * MIB, s: float = 20
) -> tuple[Preview, bytes]:
    path = tmp_path / "file"
    path.write_bytes(body)
    return look(path, tmp_path, plain_bytes=plain, seconds=s, whole=whole)


def table(tmp_path: Path, body: bytes, **more: Any) -> Table:
    found = inside(tmp_path, body, **more)[0].table
    assert found is not None
    return found


def types(found: Table) -> dict[str, str]:
    return {column.name: column.type for column in found.columns}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    body = "\n".join(delimiter.join(row) for row in (["id", "katu"], ["1", "Hämeentie"], ["2", "Aleksi"])).encode()
    found = table(tmp_path, body)
    assert [column.name for column in found.columns] == ["id", "katu"]
    assert found.sample == (("1", "Hämeentie"), ("2", "Aleksi"))
    assert found.rows == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    assert table(tmp_path, "id,katu\n1,Hämeentie\n".encode(encoding)).sample == (("1", "Hämeentie"),)


def test_what_is_in_a_column_is_said_of_all_its_rows(tmp_path: Path) -> None:
    rows = "".join(
        f"{n},{n}.5,2025-01-{n % 28 + 1:02d},{'yes' if n % 2 else 'no'},{'x' if n else ''},a\n" for n in range(100)
    )
    found = table(tmp_path, ("n,price,day,open,rare,kind\n" + rows).encode())
    assert types(found) == {
        "n": "whole", "price": "number", "day": "date", "open": "truth", "rare": "text", "kind": "text",
    }  # fmt: skip
    assert found.columns[4].empty == 10
    assert (found.columns[5].kinds, found.columns[0].kinds) == (1, 0)
    assert (found.rows, len(found.sample)) == (100, 20)


def test_a_code_that_begins_with_zeros_is_text_and_no_number(tmp_path: Path) -> None:
    body = b"post,share,n,padded,e\n00100,0.5,0,000.5,1e3\n33100,-0,-12,2.5,0\n"
    assert types(table(tmp_path, body)) == {
        "post": "text", "share": "number", "n": "whole", "padded": "text", "e": "number",
    }  # fmt: skip


@pytest.mark.parametrize(
    "first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"], ids=["plain", "capitals", "quoted", "filled up"]
)
@pytest.mark.parametrize(("end", "encoding"), [("\n", "utf-8"), ("\r\n", "utf-8-sig"), ("\r\n", "utf-16")])
def test_the_line_that_tells_a_spreadsheet_the_delimiter_is_no_row(
    tmp_path: Path, first: str, end: str, encoding: str
) -> None:
    found = table(tmp_path, end.join([first, "id;a,b", "1;x,y", ""]).encode(encoding))
    assert [column.name for column in found.columns] == ["id", "a,b"]
    assert (found.sample, found.rows) == ((("1", "x,y"),), 1)


def test_one_value_of_another_sort_makes_a_column_text(tmp_path: Path) -> None:
    assert types(table(tmp_path, b"n\n1\n2\nx3\n".replace(b"n\n", b"n,m\n", 1).replace(b"\n1", b"\n1,")))["n"] == "text"


def test_formulas_and_markup_are_shown_as_the_text_that_they_are(tmp_path: Path) -> None:
    found = table(tmp_path, b"a,b\n\"=cmd|' /C calc'!A0\",<script>alert(1)</script>\n")
    assert found.sample == (("=cmd|' /C calc'!A0", "<script>alert(1)</script>"),)


def test_what_would_turn_a_reader_round_is_taken_out_of_cells() -> None:
    assert cut("a‮b\x00c\x1b[31m\nd\ud800") == "abc[31m d"
    assert cut("x" * 500, 10) == "x" * 9 + "…"


def test_more_columns_than_a_page_can_show_are_counted_and_not_shown(tmp_path: Path) -> None:
    header = ",".join(f"c{n}" for n in range(5_000))
    found = table(tmp_path, f"{header}\n{','.join('1' * 5_000)}\n".encode())
    assert (found.of_columns, len(found.columns)) == (5_000, values.COLUMNS)


def test_reading_ends_when_its_time_is_up_and_the_number_of_rows_is_then_unknown(tmp_path: Path) -> None:
    begun = time.monotonic()
    found = table(tmp_path, b"a,b\n" + b"1,2\n" * 400_000, s=0.1)
    assert found.rows is None
    assert len(found.sample) == 20
    assert time.monotonic() - begun < 2


def test_of_a_beginning_no_number_of_rows_is_said(tmp_path: Path) -> None:
    assert table(tmp_path, b"a,b\n1,2\n", whole=False).rows is None
    with pytest.raises(TooLarge):
        inside(tmp_path, columns(a=[1]), whole=False)


@pytest.mark.parametrize(
    "body",
    [b"", b" \n", b"\x00\x01\x02\x03", b"<html></html>", b"1,2\n3,4\n", b"{}", b"[1,2]", b"{\"a\":", b"PK\x03\x04junk",
     b"\x1f\x8bjunk", b"PAR1junk", b"\x89PNGjunk", b"\xd0\xcf\x11\xe0junk", geojson(),
     b"[{},{}]", b"{}\n{}\n", b'{"features":[{"properties":{}}]}',
     b'{"type":"CityJSON"}', b'{"type":"CityJSON","vertices":[["a"]],"CityObjects":{}}', archive(a_exe=b"x")],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_with_a_way_on(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        inside(tmp_path, body)
    assert refused.value.fix
    assert why_of(refused.value) in WHYS


def test_there_are_words_for_every_reason_in_every_language() -> None:
    for language in LANGUAGES:
        assert {key for key in read_part(language, "previews") if "why." in key} == {
            f"inside.why.{why}" for why in WHYS
        }


def test_a_list_of_objects_is_rows_wherever_it_stands(tmp_path: Path) -> None:
    body = {"ok": True, "result": {"records": [{"a": 1, "at": {"x": True}}, {"a": 2, "more": [1, {"b": 2}]}]}}
    found = table(tmp_path, json.dumps(body).encode())
    assert [column.name for column in found.columns] == ["a", "at.x", "more"]
    assert found.sample == (("1", "true", ""), ("2", "", '[1,{"b":2}]'))
    assert table(tmp_path, b'{"a":1}\n\n{"a":2,"b":"x"}\n').sample == (("1", ""), ("2", "x"))


def test_deep_json_ends_no_process(tmp_path: Path) -> None:
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' * 500 + b"[{}]" + b"}" * 500):
        with pytest.raises(Refused):
            inside(tmp_path, body)


def test_workbooks_give_values_and_not_formulas_and_titles_above_are_passed_over(tmp_path: Path) -> None:
    rows = [
        cell("A1", "Katuluettelo 2026"),
        cell("A2", "katu") + cell("B2", "summa") + cell("C2", "x"),
        cell("A3", "Aleksi") + cell("B3", "7", "SUM(1,6)") + cell("C3", "=1+1"),
    ]
    body = workbook("".join(f'<row r="{n}">{row}</row>' for n, row in enumerate(rows, 1)))
    found = table(tmp_path, body)
    assert [column.name for column in found.columns] == ["katu", "summa", "x"]
    assert found.sample == (("Aleksi", "7", "=1+1"),)
    assert (found.sheet, found.sheets) == ("Kadut", 1)


def test_parquet_says_its_own_types_and_rows(tmp_path: Path) -> None:
    found = table(tmp_path, columns(n=list(range(3_000)), s=["x", None, "y"] * 1_000, b=[True] * 3_000))
    assert types(found) == {"n": "whole", "s": "text", "b": "truth"}
    assert found.rows == 3_000


def test_times_that_our_own_calendar_does_not_know_are_shown_as_the_file_writes_them(tmp_path: Path) -> None:
    body = columns(
        ns=pa.array([1_234_567_890_123_456_789, None, 0], pa.timestamp("ns")),
        us=pa.array([1_500_000, None, 0], pa.timestamp("us")),
        far=pa.array([2**60, None, 0], pa.timestamp("us")),
        day=pa.array([2**30, None, 0], pa.date32()),
        clock=pa.array([1, None, 0], pa.time64("ns")),
        span=pa.array([1, None, 0], pa.duration("ns")),
        many=pa.array([[1], None, []], pa.list_(pa.timestamp("ns"))),
    )
    found = table(tmp_path, body)
    out = "<value out of range: {}>"
    assert found.sample[0] == (
        "2009-02-13 23:31:30.123456789", "1970-01-01 00:00:01.5", out.format(2**60), out.format(2**30),
        "00:00:00.000000001", "1", "[ 1970-01-01 00:00:00.000000001 ]",
    )  # fmt: skip
    assert found.sample[1] == ("",) * 7
    assert found.sample[2][:4] == ("1970-01-01 00:00:00",) * 3 + ("1970-01-01",)


def test_rows_in_which_nothing_stands_are_rows_where_the_form_counts_them(tmp_path: Path) -> None:
    nothing = table(tmp_path, columns(a=pa.array([None] * 30, pa.int64()), b=pa.array([None] * 30, pa.string())))
    assert (nothing.rows, len(nothing.sample), {column.empty for column in nothing.columns}) == (30, 20, {1_000})
    some = table(tmp_path, b'[{"a":1},{"a":null},{},{"a":null}]')
    assert (some.rows, some.columns[0].empty) == (4, 750)
    assert table(tmp_path, b"a,b\n1,2\n,\n\n").rows == 1


def test_a_share_is_all_or_none_only_where_it_is(tmp_path: Path) -> None:
    rows = "".join(f"{'' if n else 1},{n or ''}\n" for n in range(3_000))
    assert [column.empty for column in table(tmp_path, f"rare,usual\n{rows}".encode()).columns] == [999, 1]


def test_a_document_of_which_reading_used_up_the_time_still_shows_its_first_rows(tmp_path: Path) -> None:
    squares = [square(20 + n % 100 / 50, 60 + n // 100 / 500, 0.001) for n in range(5_000)]
    preview, twin = inside(tmp_path, geojson(*squares), s=0)
    assert preview.form == "map"
    assert preview.table is not None
    assert (preview.table.rows, len(preview.table.sample)) == (None, 20)
    assert preview.twin is not None
    west, south, east, north = preview.twin.facts["box"]
    shown = [point for each in json.loads(twin)["features"] for point in each["geometry"]["coordinates"][0]]
    assert 0 < preview.twin.facts["shown"] <= preview.twin.facts["features"] < 5_000
    assert preview.twin.facts["whole"] is False
    assert all(west <= x <= east and south <= y <= north for x, y in shown)


@pytest.mark.parametrize("end", [b"", b"]", b"]}", b']}{"a":1}', b'],"crs":}', b",]}", b"{}]}"])
def test_features_that_are_no_json_to_the_end_are_refused_unless_they_are_a_beginning(
    tmp_path: Path, end: bytes
) -> None:
    body = geojson(square(24.9, 60.1)).removesuffix(b"]}") + end
    if end == b"]}":
        assert inside(tmp_path, body)[0].form == "map"
        return
    with pytest.raises(Malformed) as refused:
        inside(tmp_path, body)
    assert why_of(refused.value) == "json"


def test_the_beginning_of_features_is_shown_and_called_a_part(tmp_path: Path) -> None:
    body = geojson(*(square(24.9, 60 + n / 10) for n in range(10)))
    preview, twin = inside(tmp_path, body[: len(body) // 2], whole=False)
    assert preview.twin is not None
    assert preview.table is not None
    assert 2 < preview.twin.facts["features"] < 8
    assert len(json.loads(twin)["features"]) == preview.twin.facts["features"]
    assert (preview.twin.facts["whole"], preview.table.rows) == (False, None)


def test_what_is_said_of_features_behind_them_is_heeded(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "EPSG:3879"}}
    for spaced in (None, 1):
        body = json.loads(geojson({"type": "Point", "coordinates": [25_496_000, 6_672_000]}))
        for document in (body | {"crs": crs}, {"crs": crs} | body, {"features": body["features"], "crs": crs}):
            preview, _ = inside(tmp_path, json.dumps(document, indent=spaced).encode("utf-8-sig"))
            assert preview.form == "map"


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_of_an_archive_makes_it_one_that_cannot_be_opened(tmp_path: Path, packing: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as packed:
        packed.writestr("a.csv", bytes(range(256)) * 40)
    body = bytearray(out.getvalue())
    body[45:70] = b"\xff" * 25
    with pytest.raises(Malformed) as refused:
        inside(tmp_path, bytes(body))
    assert why_of(refused.value) == "archive"


def test_archives_and_gzip_are_opened_on_the_way(tmp_path: Path) -> None:
    for body in (archive(readme_md=b"#", a_csv=b"id,x\n1,2\n"), gzip.compress(b"id,x\n1,2\n")):
        assert table(tmp_path, body).sample == (("1", "2"),)


@pytest.mark.parametrize("packed", [archive(a_csv=b"a,b\n" + b"0" * (9 * MIB)), gzip.compress(b"0" * (9 * MIB))])
def test_what_unpacks_past_its_bound_is_refused(tmp_path: Path, packed: bytes) -> None:
    assert len(packed) < MIB
    with pytest.raises(TooLarge):
        inside(tmp_path, packed)
    assert not [each for each in tmp_path.iterdir() if each.stat().st_size > 8 * MIB]


def test_archives_within_archives_end(tmp_path: Path) -> None:
    body = b"id,x\n1,2\n"
    for _ in range(6):
        body = gzip.compress(body)
    with pytest.raises(Malformed):
        inside(tmp_path, body)


def test_an_outline_says_where_features_lie_and_keeps_their_names_as_text(tmp_path: Path) -> None:
    preview, twin = inside(tmp_path, geojson(square(24.9, 60.1), {"type": "Point", "coordinates": [25.2, 60.3]}, None))
    assert preview.form == "map"
    assert preview.twin is not None
    facts = dict(preview.twin.facts)
    assert facts == {
        "box": [24.9, 60.1, 25.2, 60.3],
        "kinds": ["Point", "Polygon"],
        "features": 3,
        "shown": 2,
        "whole": True,
    }
    drawn = json.loads(twin)["features"]
    assert [each["geometry"]["type"] for each in drawn] == ["Polygon", "Point"]
    assert drawn[0]["properties"] == {"name": "Zone 0"}


def test_one_feature_and_one_geometry_alone_are_drawn(tmp_path: Path) -> None:
    one = {"type": "Feature", "properties": {"name": "Kallio", "n": 1}, "geometry": square(24.9, 60.1)}
    preview, twin = inside(tmp_path, json.dumps(one).encode())
    assert (preview.form, preview.said) == ("map", "GeoJSON")
    assert preview.table is not None
    assert preview.table.sample == (("Kallio", "1"),)
    assert json.loads(twin)["features"][0]["properties"] == {"name": "Kallio"}
    bare, twin = inside(tmp_path, json.dumps({"type": "Point", "coordinates": [24.9, 60.1]}).encode())
    assert (bare.form, bare.table) == ("map", None)
    assert json.loads(twin)["features"][0]["geometry"] == {"type": "Point", "coordinates": [24.9, 60.1]}


def test_a_collection_of_geometries_is_drawn_whole(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [25.2, 60.3]}
    deep: dict[str, Any] = point
    for _ in range(50):
        deep = {"type": "GeometryCollection", "geometries": [deep]}
    several = {"type": "GeometryCollection", "geometries": [square(24.9, 60.1), point, deep, "x", None]}
    preview, twin = inside(tmp_path, geojson(several, {"type": "GeometryCollection", "geometries": 1}))
    assert preview.twin is not None
    assert preview.twin.facts["box"] == [24.9, 60.1, 25.2, 60.3]
    assert (preview.twin.facts["kinds"], preview.twin.facts["shown"]) == (["Point", "Polygon"], 1)
    drawn = json.loads(twin)["features"][0]["geometry"]
    assert [drawn["type"], *(each["type"] for each in drawn["geometries"])] == [
        "GeometryCollection", "Polygon", "Point",
    ]  # fmt: skip
    assert inside(tmp_path, json.dumps(several).encode())[0].form == "map"


def test_coordinates_of_a_named_system_are_turned_into_degrees(tmp_path: Path) -> None:
    named = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3879"}}}
    preview, _ = inside(tmp_path, geojson({"type": "Point", "coordinates": [25_496_000, 6_672_000]}, **named))
    assert preview.twin is not None
    west, south, *_ = preview.twin.facts["box"]
    assert (round(west, 1), round(south, 1)) == (24.9, 60.2)


@pytest.mark.parametrize("code", [4978, 5773, 999_999])
def test_a_system_that_is_no_map_gives_rows_and_no_map(tmp_path: Path, code: int) -> None:
    named = {"crs": {"type": "name", "properties": {"name": f"EPSG:{code}"}}}
    preview, twin = inside(tmp_path, geojson({"type": "Point", "coordinates": [24.9, 60.1]}, **named))
    assert (preview.form, preview.twin, twin) == ("table", None, b"")


def test_a_system_with_heights_lies_where_its_map_does(tmp_path: Path) -> None:
    named = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::7415"}}}
    preview, _ = inside(tmp_path, geojson({"type": "Point", "coordinates": [121_000, 487_000, 3]}, **named))
    assert preview.twin is not None
    assert [round(edge, 1) for edge in preview.twin.facts["box"]] == [4.9, 52.4, 4.9, 52.4]


def test_a_point_off_the_earth_is_on_no_map_and_takes_none_from_the_others(tmp_path: Path) -> None:
    named = {"crs": {"type": "name", "properties": {"name": "EPSG:3879"}}}
    far, near = ({"type": "Point", "coordinates": at} for at in ([1e300, 1e300], [25_496_000, 6_672_000]))
    assert inside(tmp_path, geojson(far, **named))[0].form == "table"
    preview, twin = inside(tmp_path, geojson(far, near, **named))
    assert preview.form == "map"
    assert len(json.loads(twin)["features"]) == 1


def test_coordinates_of_an_unknown_system_give_rows_and_no_map(tmp_path: Path) -> None:
    preview, twin = inside(tmp_path, geojson({"type": "Point", "coordinates": [25_496_000, 6_672_000]}))
    assert (preview.form, preview.twin, twin) == ("table", None, b"")
    assert preview.table is not None


def test_an_outline_is_bounded_however_long_its_lines_are(tmp_path: Path) -> None:
    line = [[24 + n / 1e5, 60 + (n % 7) / 1e5] for n in range(60_000)]
    preview, twin = inside(tmp_path, geojson(*[{"type": "LineString", "coordinates": line}] * 3), plain=64 * MIB)
    assert preview.form == "map"
    assert len(twin) < 200_000


@pytest.mark.parametrize("wrong", [[], [[]], "x", [["a", "b"]], [[[None, 1]]], 5, {"a": 1}, [[[1, 2], [1, 2]]]])
def test_broken_geometries_are_left_out(tmp_path: Path, wrong: object) -> None:
    preview, twin = inside(tmp_path, geojson({"type": "Polygon", "coordinates": wrong}, square(24.9, 60.1)))
    assert preview.form == "map"
    assert len(json.loads(twin)["features"]) == 1


def test_a_city_model_becomes_triangles_within_its_extent(tmp_path: Path) -> None:
    preview, twin = inside(tmp_path, cityjson(blocks=2))
    assert preview.form == "model"
    assert preview.twin is not None
    assert preview.twin.facts["triangles"] == 2 * 6 * 2
    assert preview.twin.facts["size"] == [30.0, 10.0, 15.0]
    assert preview.twin.facts["kinds"] == [["Building", 2]]
    count = struct.unpack_from("<I", twin, 4)[0]
    assert twin[:4] == b"CNM1"
    assert len(twin) == 16 + 8 * count == 16 + 8 * 3 * 24
    assert max(struct.unpack_from(f"<{4 * count}H", twin, 16)[::4]) == 65_535


def test_a_surface_with_a_hole_is_cut_around_it(tmp_path: Path) -> None:
    outer, hole = [[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0]], [[3, 3, 0], [6, 3, 0], [6, 6, 0], [3, 6, 0]]
    surfaces = [[[0, 1, 2, 3], [4, 5, 6, 7]]]
    geometry = {"type": "MultiSurface", "lod": "1", "boundaries": surfaces, "semantics": {
        "surfaces": [{"type": "RoofSurface"}], "values": [0]}}  # fmt: skip
    body = {"type": "CityJSON", "version": "2.0", "vertices": outer + hole,
            "CityObjects": {"a": {"type": "Building", "geometry": [geometry]}}}  # fmt: skip
    preview, twin = inside(tmp_path, json.dumps(body).encode())
    assert preview.twin is not None
    assert preview.twin.facts["triangles"] == 8
    assert set(struct.unpack_from(f"<{4 * 24}H", twin, 16)[3::4]) == {2}


@pytest.mark.parametrize("ring", [[0, 1], [0, 1, 99], [0, 1, -1], ["a", 1, 2], [True, True, False], None])
def test_broken_rings_are_not_drawn(tmp_path: Path, ring: object) -> None:
    model = json.loads(cityjson(blocks=1))
    model["CityObjects"]["block-0"]["geometry"][0]["boundaries"][0][0] = [ring]
    preview, _ = inside(tmp_path, json.dumps(model).encode())
    assert preview.twin is not None
    assert preview.twin.facts["triangles"] == 10


def test_a_picture_becomes_small_and_forgets_its_camera(tmp_path: Path) -> None:
    body = picture(2_000, 1_000, "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")
    preview, twin = inside(tmp_path, body)
    assert preview.twin is not None
    assert preview.twin.facts == {"width": 2_000, "height": 1_000, "shown": [960, 480]}
    assert twin[8:12] == b"WEBP"
    assert b"EXIF" not in twin


def test_a_picture_of_too_many_pixels_is_refused_before_one_is_read(tmp_path: Path) -> None:
    header = picture(8, 8)
    wide = header[:16] + struct.pack(">II", 60_000, 60_000) + header[24:]
    with pytest.raises(Refused):
        inside(tmp_path, wide)


def test_what_was_seen_is_read_again_as_it_was(tmp_path: Path) -> None:
    for body in (b"id,x\n1,2\n", geojson(square(24.9, 60.1)), picture()):
        preview, _ = inside(tmp_path, body)
        assert from_json(json.loads(json.dumps(to_json(preview)))) == preview
