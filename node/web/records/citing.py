"""Records as references: BibTeX and RIS, and the lines of code that read a file.

What comes from a record is text of strangers: in a reference it stands without line breaks and braces, in a line of
code within quotation marks that it cannot end. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from node.web.records.view import File, RecordView

REFERENCES = {
    "bib": ("application/x-bibtex; charset=utf-8", "BibTeX"),
    "ris": ("application/x-research-info-systems; charset=utf-8", "RIS"),
}
_UNSAFE = "'\"\\`$"
_BREAKS = re.compile(r"\s+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_PANDAS = {"CSV": "read_csv", "TSV": "read_table", "XLSX": "read_excel", "XLS": "read_excel", "ODS": "read_excel"}
_PANDAS |= {"Parquet": "read_parquet", "JSON": "read_json"}
_ENDINGS = {".geojson": "GeoJSON", ".csv": "CSV", ".tsv": "TSV", ".json": "JSON", ".xlsx": "XLSX", ".xls": "XLS"}
_ENDINGS |= {".ods": "ODS", ".parquet": "Parquet"}
_IN_R = {"CSV": "read.csv", "TSV": "read.delim", "GeoJSON": "sf::st_read", "JSON": "jsonlite::fromJSON"}


@dataclass(frozen=True, slots=True)
class Snippet:
    """Lines of code, and what runs them."""

    name: str
    lines: str


def reference(form: str, view: RecordView, *, slug: str, page: str, publisher: str, date: str) -> str:
    """Write a record as a reference: `bib` or `ris`."""
    title, by = _one_line(view.title.text), _one_line(publisher)
    year = next(iter(_YEAR.findall(date)), "")
    note = ", ".join(dict.fromkeys(file.licence.name for file in view.files if file.licence))
    if form == "ris":
        pairs = [("TY", "DATA"), ("TI", title), ("AU", by), ("PB", by), ("PY", year), ("UR", page), ("N1", note)]
        lines = [f"{tag}  - {value}" for tag, value in pairs if value]
        return "\r\n".join([*lines, "ER  - ", ""])
    fields = [("title", title), ("author", by), ("year", year), ("url", page), ("note", note)]
    told = ",\n".join(f"  {name} = {{{_braced(value)}}}" for name, value in fields if value)
    return f"@misc{{{re.sub(r'[^A-Za-z0-9:_-]', '-', slug)},\n{told}\n}}\n"


def _one_line(value: str) -> str:
    return _BREAKS.sub(" ", value).strip()


def _braced(value: str) -> str:
    return _one_line(value).replace("\\", "").replace("{", "(").replace("}", ")")


def snippets(files: Sequence[File], seen: Mapping[str, str], *, page: str) -> list[Snippet]:
    """Give lines that read the first file of which a program can make something, and one that reads the description.

    `seen` says by address what a file was found to be.
    """
    direct = [file.href for file in files if file.direct and file.href.startswith(("http://", "https://"))]
    forms = [(href, seen.get(href) or _ending(href)) for href in direct]
    href, form = next(((href, form) for href, form in forms if form in _PANDAS or form in _IN_R), ("", ""))
    found = [Snippet("curl", f"curl -L -O '{_coded(href or direct[0])}'")] if direct else []
    if form in _PANDAS:
        found.append(Snippet("Python", f'import pandas\n\ndata = pandas.{_PANDAS[form]}("{_coded(href)}")'))
    if form == "GeoJSON":
        found.append(Snippet("Python", f'import geopandas\n\ndata = geopandas.read_file("{_coded(href)}")'))
    if form in _IN_R:
        found.append(Snippet("R", f'data <- {_IN_R[form]}("{_coded(href)}")'))
    places = [href for href, form in forms if form == "GeoJSON"]
    if places:
        found.append(Snippet("QGIS", f'iface.addVectorLayer("/vsicurl/{_coded(places[0])}", "", "ogr")'))
    return [*found, Snippet("RDF", f"curl -H 'Accept: text/turtle' '{_coded(page)}'")]


def _ending(href: str) -> str:
    path = urlsplit(href).path.lower()
    return next((form for ending, form in _ENDINGS.items() if path.endswith(ending)), "")


def _coded(address: str) -> str:
    """Write an address so that it ends no quotation, of a shell or of a language; percent-encoded, it is the same."""
    return "".join(quote(char) if char in _UNSAFE or char.isspace() else char for char in address)
