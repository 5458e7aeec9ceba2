"""Single values out of strangers' JSON: text, dates, addresses, mailboxes, sizes, hashes, geometry; each to a term.

What portals write by hand comes in a hundred spellings; here each kind of value has one reader, and each reader gives
an empty answer where it cannot be sure. Nothing is guessed: `08/09/2016` is no date unless the caller knows the order.
Pure functions without I/O; the commonest are remembered, in bounds. What was mended is told by the caller (`jsonmap`).
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

import orjson

from node.vocab.ntriples import literal
from node.vocab.terms import GEO, SPDX, XSD


def names(text: str) -> frozenset[str]:
    """Give the words of a text as a set: a table of names that stays readable."""
    return frozenset(text.split())


_XML_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def text_of(value: object) -> str:
    """Give a scalar as text; empty for None, lists and objects."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def line_of(value: object) -> str:
    """Give a scalar as one trimmed line, as names are."""
    if type(value) is str:  # by far the commonest, and asked a hundred times a record
        return value.strip()
    return "" if value is None else text_of(value).strip()


def map_of(value: object) -> dict[str, Any]:
    """Give an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """Give a list: as it is, the values of an object keyed by id, or a single value alone; None and "" are nothing."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return list(value.values())
    return [] if value is None or value == "" else [value]


def words_of(value: object) -> list[str]:
    """Give the words of a field: a list, JSON inside a string, `{a,b}` as PostgreSQL writes sets, or one text."""
    if isinstance(value, str):
        value = value.strip()
        if value[:1] == "[":
            value = loads(value) or value
        elif value[:1] == "{" and value[-1:] == "}" and ":" not in value:
            value = [part.strip().strip('"') for part in value[1:-1].split(",")]
    if isinstance(value, dict):
        return []
    return [word for each in list_of(value) if (word := line_of(each))]


def loads(text: str | bytes) -> Any:  # noqa: ANN401  (JSON is what it is)
    """Read JSON that stands inside a value; None if it is none."""
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def dumps(value: object) -> str:
    """Write JSON with sorted keys, so that the order of a source's keys never changes a payload."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError):
        # Lone surrogates and integers past 64 bits: the plain reader's text will do.
        return repr(value)


def fit(text: str) -> str:
    """Put U+FFFD for what no XML document can carry: control characters, lone surrogates, non-characters."""
    return _XML_UNFIT.sub("\ufffd", text)


def literal_term(text: str, language: str = "") -> str:
    """Spell a literal of printable text; the language must be a good tag."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"@{language}' if language else f'"{text}"'
    return literal(text, language=language)


# --- dates: the lexical form keeps the source's precision

_ISO = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})?)?)?)?Z?"
)
_DOTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@lru_cache(maxsize=8192)
def date_term(text: str, *, month_first: bool | None = None) -> str:
    """Give a date as gYear, gYearMonth, date or dateTime; empty if the text is none or can be read in two ways.

    Args:
        text: ISO 8601 and its near spellings, `31.12.2016`, `12/31/2016`.
        month_first: How to read `08/09/2016`; None leaves it unread.
    """
    text = text.strip()
    if found := _ISO.fullmatch(text):
        return _iso_term(found)
    if found := _DOTS.fullmatch(text):
        return _day_term(found[3], found[2], found[1])
    if found := _SLASHES.fullmatch(text):
        first, second, year = found[1], found[2], found[3]
        if first == second or int(second) > 12 or (int(first) <= 12 and month_first is True):
            return _day_term(year, first, second)
        if int(first) > 12 or month_first is False:
            return _day_term(year, second, first)
    return ""


def _day_term(year: str, month: str, day: str) -> str:
    return f'"{year}-{month:0>2}-{day:0>2}"^^<{XSD.date}>' if _is_day(year, month, day) else ""


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _iso_term(found: re.Match[str]) -> str:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    if not _is_day(year, month or "1", day or "1"):
        return ""
    if not month:
        return f'"{year}"^^<{XSD.gYear}>'
    if not day:
        return f'"{year}-{month:0>2}"^^<{XSD.gYearMonth}>'
    if not hour:
        return f'"{year}-{month:0>2}-{day:0>2}"^^<{XSD.date}>'
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        return ""
    zone = zone or ("Z" if found.group().endswith("Z") else "")
    if len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    clock = f"{hour}:{minute}:{second or '00'}{fraction or ''}{zone}"
    return f'"{year}-{month:0>2}-{day:0>2}T{clock}"^^<{XSD.dateTime}>'


_YEARS = re.compile(r"(?:(?:from|since)\s+)?(\d{4})(?:\s*(?:-|–|to|/)\s*(\d{4}))?", re.IGNORECASE)  # noqa: RUF001


def span_of(text: str) -> tuple[str, str]:
    """Read `2001 - 2010`, `a/b` or a single date into a start and an end; two empty texts if it is neither."""
    text = text.strip()
    if found := _YEARS.fullmatch(text):
        return found[1], found[2] or found[1]
    start, slash, end = text.partition("/")
    if slash and (date_term(start) or not start.strip()) and (date_term(end) or not end.strip(" .")):
        return start.strip(), end.strip(" .")
    return (text, text) if date_term(text) else ("", "")


# --- addresses

_PLAIN_ADDRESS = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?"
    r"(?:/(?:[A-Za-z0-9._~:/@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
)
_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_AUTHORITY = re.compile(r"(?:[\w.~!$&'()*+,;=:%-]*@)?(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?")
_UNFIT = re.compile("%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9._~:/@!$&'()*+,;=%\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef-]")
_UNFIT_IN_QUERY = re.compile(_UNFIT.pattern.replace("[^A", "[^?A", 1))
_HOST_FIRST = re.compile(
    r"www\.[\w-]+|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|eu|gov|io|fi|uk|us|se|nl|be|de|it|ch)(?=[/:?#]|\Z)"
)
_NAMED_SCHEMES = names("urn doi info mailto tel geo hdl")


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found.group().encode("utf-8", "replace"))


@lru_cache(maxsize=16384)
def address_of(text: str, base: str = "") -> str:
    """Give an absolute address that every IRI parser takes, without brackets; empty if the text is no address.

    An address without scheme but with a host gets `http://`, as CKAN's own pages do; one that begins with `/` resolves
    against `base`. What an IRI may not hold is percent-encoded.
    """
    text = text.strip()
    if _PLAIN_ADDRESS.fullmatch(text):
        return text
    if text[:2] == "//":
        text = "https:" + text
    elif text[:1] == "/" and base:
        text = urljoin(base, text)
    elif _HOST_FIRST.match(text):
        text = "http://" + text
    found = _PARTS.fullmatch(text)
    return _mended(found) if found else ""


def _mended(found: re.Match[str]) -> str:
    scheme, slashes, authority, path, query, fragment = found.groups()
    if slashes:
        if not _AUTHORITY.fullmatch(authority):
            return ""
    elif scheme.lower() not in _NAMED_SCHEMES or any(c.isspace() for c in authority + path) or not authority:
        return ""
    else:
        path, authority = authority + path, ""
    out = f"{scheme}:{slashes or ''}{authority}{_UNFIT.sub(_percent, path)}"
    if query is not None:
        out += "?" + _UNFIT_IN_QUERY.sub(_percent, query)
    if fragment is not None:
        out += "#" + _UNFIT_IN_QUERY.sub(_percent, fragment)
    return out


_MAILBOX = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|<!--#.*-->|\$\{.*\}", re.DOTALL)


def mailboxes_of(text: str) -> list[str]:
    """Find the mailboxes in a field: several, `mailto:`, `Name <box>`, trailing blanks; each once, in order."""
    found = [box.removeprefix("mailto:") for box in _MAILBOX.findall(text)]
    return list(dict.fromkeys(found))


def is_placeholder(text: str) -> bool:
    """Tell whether a template was never filled in."""
    return ("{" in text or "<!--#" in text) and _PLACEHOLDER.search(text) is not None


_FILE_ENDINGS = names(
    "7z accdb avi b3dm bz2 city.json citygml csv dbf dgn doc docx dwg dxf e57 gdb geojson geotiff glb gltf gml gpkg gpx"
    " gz ifc jp2 jpeg jpg json jsonl kml kmz las laz mdb mp3 mp4 mrsid n3 nc nt obj ods odt parquet pbf pdf ply png ppt"
    " pptx px qgs rar rdf sav shp sid skp sql sqlite stl svg tab tar tgz tif tiff topojson tsv ttl txt xls xlsb xlsm"
    " xlsx xml xsd yaml yml zip"
)


@lru_cache(maxsize=16384)
def ending_of(address: str) -> str:
    """Give the file ending of an address (`csv`), or empty if it does not look like a file."""
    path = address.split("#", 1)[0].split("?", 1)[0]
    name = path.rsplit("/", 1)[-1] if path.count("/") > 2 else ""
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    return ending if ending in _FILE_ENDINGS else ""


# --- sizes and hashes

_WHOLE = re.compile(r"\d{1,18}(?:\.0+)?")
_HASH = re.compile(r"(?:(?:md5|sha-?1|sha-?224|sha-?256|sha-?384|sha-?512)[:=])?([0-9a-fA-F]+)")
_ALGORITHMS = {
    32: SPDX.checksumAlgorithm_md5,
    40: SPDX.checksumAlgorithm_sha1,
    56: SPDX.checksumAlgorithm_sha224,
    64: SPDX.checksumAlgorithm_sha256,
    96: SPDX.checksumAlgorithm_sha384,
    128: SPDX.checksumAlgorithm_sha512,
}


def bytes_term(value: object) -> str:
    """Give a size in bytes as a literal; empty for sizes with units, which are rounded."""
    text = line_of(value)
    return f'"{int(text.partition(".")[0])}"^^<{XSD.nonNegativeInteger}>' if _WHOLE.fullmatch(text) else ""


def hash_of(text: str) -> tuple[str, str]:
    """Give a hash's SPDX algorithm (told from its length) and its lower-case hex; two empty texts if it is none."""
    found = _HASH.fullmatch(text.strip())
    algorithm = _ALGORITHMS.get(len(found[1]), "") if found else ""
    return (algorithm, found[1].lower()) if found and algorithm else ("", "")


# --- geometry

_SHAPES = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_MAX_POSITIONS = 20_000


def wkt_term(text: str) -> str:
    """Spell well-known text as a literal."""
    return f'"{text}"^^<{GEO.wktLiteral}>'


def wkt_of(geometry: object) -> str:
    """Write a GeoJSON geometry (or feature) as WKT, longitude first as both do; empty if it is broken or huge."""
    shape = map_of(geometry)
    if shape.get("type") == "Feature":
        shape = map_of(shape.get("geometry"))
    kind = shape.get("type")
    if not isinstance(kind, str) or kind not in _SHAPES:
        return ""
    try:
        body = _coordinates(shape.get("coordinates"), _SHAPES[kind])
    except (TypeError, ValueError):
        return ""
    return f"{kind.upper()}({body})" if kind == "Point" else f"{kind.upper()}{body}"


def _coordinates(value: object, depth: int) -> str:
    if not isinstance(value, list) or not value or len(value) > _MAX_POSITIONS:
        raise ValueError("no coordinates")
    if depth == 0:
        return f"{_number(value[0])} {_number(value[1])}" if len(value) > 1 else _number(None)
    return "(" + ",".join(_coordinates(each, depth - 1) if depth > 1 else _coordinates(each, 0) for each in value) + ")"


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) > 1e9:
        raise ValueError("no number")
    return f"{value:.10f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def box_of(numbers: Sequence[object]) -> str:
    """Write west, south, east, north as a WKT polygon; empty if they are no box."""
    try:
        west, south, east, north = (float(text_of(n)) for n in numbers)
    except ValueError:
        return ""
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        return ""
    w, s, e, n = (_number(each) for each in (west, south, east, north))
    return f"POLYGON(({w} {s},{e} {s},{e} {n},{w} {n},{w} {s}))"


def is_box(geometry: object) -> bool:
    """Tell whether a GeoJSON polygon is a rectangle along the axes."""
    shape = map_of(geometry)
    rings = shape.get("coordinates")
    if shape.get("type") != "Polygon" or not isinstance(rings, list) or len(rings) != 1:
        return False
    ring = rings[0]
    if not isinstance(ring, list) or len(ring) != 5 or not all(isinstance(p, list) and len(p) > 1 for p in ring):
        return False
    corners = {(str(p[0]), str(p[1])) for p in ring}
    return len(corners) == 4 and len({x for x, _ in corners}) == len({y for _, y in corners}) == 2


_CRS = re.compile(r"EPSG\D{0,3}(\d{4,6})", re.IGNORECASE)


def crs_of(text: str) -> Iterator[str]:
    """Find the reference systems that a text names by EPSG code, as OGC's IRIs."""
    for code in dict.fromkeys(_CRS.findall(text)):
        yield f"http://www.opengis.net/def/crs/EPSG/0/{code}"
