"""Whatever a file holds, a look inside gives something bounded or refuses; nothing else escapes."""

import json
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.previews.opening import look
from node.catalog.previews.values import CELL, COLUMNS, NAME, ROWS, from_json, to_json
from node.errors import Refused
from tests.catalog.models.samples import cityjson
from tests.catalog.previews.made import archive, cell, geojson, picture, square, workbook

pytestmark = pytest.mark.slow

SAMPLES = [
    b"id;street\n1;A\n2;B\n", b'{"a":1}\n{"a":2}\n', b'{"result":{"records":[{"a":1,"b":{"c":2}}]}}',
    geojson(square(24.9, 60.1), {"type": "Point", "coordinates": [25, 60]}), cityjson(blocks=1), picture(8, 8),
    workbook(f'<row r="1">{cell("A1", "a")}</row>'), archive(a_csv=b"id,x\n1,2\n"),
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def looked(body: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(body)
        try:
            preview, twin = look(path, Path(folder), plain_bytes=1 << 20, seconds=2)
        except (Refused, MemoryError, RecursionError):
            return
    assert len(twin) < 4 << 20
    told = orjson.dumps(to_json(preview))
    assert from_json(json.loads(told)) == preview
    if preview.table:
        assert len(preview.table.sample) <= ROWS
        assert all(len(row) == len(preview.table.columns) <= COLUMNS for row in preview.table.sample)
        assert all(len(text) <= CELL for row in preview.table.sample for text in row)
        assert all(len(column.name) <= NAME for column in preview.table.columns)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_files_are_shown_or_refused(data: st.DataObject) -> None:
    body = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
        body = body or bytearray(b" ")
    looked(bytes(body[: data.draw(st.integers(0, len(body)))]) if data.draw(st.booleans()) else bytes(body))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_any_text_is_shown_or_refused(text: str, encoding: str) -> None:
    looked(text.encode(encoding, "replace"))


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES, VALUES)
def test_any_values_in_the_places_of_a_document_are_shown_or_refused(one: Any, two: Any, three: Any) -> None:
    def written(document: object) -> bytes:
        return json.dumps(document, allow_nan=False).encode() if _is_finite(document) else b"{}"

    polygon = {"type": "Polygon", "coordinates": two}
    features = [{"geometry": polygon, "properties": three}, three, {"geometry": one}]
    looked(written({"type": "FeatureCollection", "crs": one, "features": features}))
    model = json.loads(cityjson(blocks=1))
    model["CityObjects"]["block-0"]["geometry"][0] |= {"boundaries": one, "semantics": two, "lod": three}
    looked(written(model))
    looked(written(model | {"vertices": two, "transform": one}))
    looked(written(model | {"CityObjects": {"a": one, "b": {"type": two, "geometry": three}}}))
    looked(written([one, {"a": two}, {"b": three}]))


def _is_finite(document: object) -> bool:
    try:
        json.dumps(document, allow_nan=False)
    except ValueError:
        return False
    return True
