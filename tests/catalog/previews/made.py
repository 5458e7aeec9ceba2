"""Small files of every form that is looked into, made here."""

import io
import json
import zipfile
from typing import Any

import pyarrow as pa
from PIL import Image
from pyarrow import parquet

_SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="xl/workbook.xml" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/officeDocument"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="Kadut" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Target="worksheets/sheet1.xml" Type="http://schemas.openxmlformats.org/officeDocument/'
    '2006/relationships/worksheet"/></Relationships>',
}


def archive(**files: bytes) -> bytes:
    """Pack files, `_` in a name standing for its dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in files.items():
            packed.writestr(name.replace("_", "."), body)
    return out.getvalue()


def workbook(rows: str) -> bytes:
    """Write an XLSX with one sheet of these rows, as XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in _PARTS.items():
            packed.writestr(name, body)
        packed.writestr("xl/worksheets/sheet1.xml", _SHEET.format(rows))
    return out.getvalue()


def cell(at: str, value: str, formula: str = "") -> str:
    """Write one cell: a number, or text."""
    number = value.replace(".", "").isdigit()
    told = f"<f>{formula}</f>" if formula else ""
    return f'<c r="{at}"{"" if number else " t=" + chr(34) + "str" + chr(34)}>{told}<v>{value}</v></c>'


def columns(**values: "list[Any] | pa.Array[Any]") -> bytes:
    """Write a Parquet file."""
    out = io.BytesIO()
    parquet.write_table(pa.table(values), out)
    return out.getvalue()


def picture(width: int = 40, height: int = 20, form: str = "PNG", **more: Any) -> bytes:
    """Write an image."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (10, 200, 30)).save(out, form, **more)
    return out.getvalue()


def square(west: float, south: float, side: float = 0.1) -> dict[str, Any]:
    """Write a geometry."""
    ring = [[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def geojson(*geometries: dict[str, Any] | None, **more: Any) -> bytes:
    """Write a collection of features."""
    features = [
        {"type": "Feature", "properties": {"name": f"Zone {n}"}, "geometry": each} for n, each in enumerate(geometries)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features} | more).encode()
