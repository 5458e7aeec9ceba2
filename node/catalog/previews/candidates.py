"""Which files of a dataset are worth a look inside: those that by form or address hold rows, shapes or images.

A guess that only decides what is fetched; what a file is, its own bytes say (`opening`). Nothing of a dataset that is
flagged as holding personal data. Pure: a payload in, addresses out.
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from node.catalog.models.candidates import distributions_of, named_as_model, urls_of
from node.catalog.quality.formats import code_of
from node.vocab import personal
from node.vocab.ntriples import value_of
from node.vocab.terms import DCAT, DCT

MOST = 12
"""How many files of one dataset are looked into."""
_CODES = frozenset(
    ("CSV", "TSV", "JSON", "GEOJSON", "XLS", "XLSX", "XLSB", "ODS", "PARQUET", "JPEG", "PNG", "GIF", "TIFF")
)
_ENDINGS = (".csv", ".tsv", ".json", ".geojson", ".jsonl", ".ndjson", ".xls", ".xlsx", ".xlsb", ".ods", ".parquet")
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff")
_PACKED = (".gz", ".zip")
_Node = Mapping[str, Sequence[str]]


def files_in(kind: str, record: str, payload: bytes) -> list[str]:
    """Give the addresses of a dataset's files that may be looked into, each once, at most twelve."""
    if personal.contains(kind, payload):
        return []
    return sorted({url for node in distributions_of(record, payload) for url in _files(node)})[:MOST]


def _files(node: _Node) -> Iterator[str]:
    downloads = urls_of(node, DCAT.downloadURL)
    for url in downloads or urls_of(node, DCAT.accessURL):
        path = urlsplit(url).path.lower()
        for packed in _PACKED:
            path = path.removesuffix(packed)
        if path.endswith((*_ENDINGS, *_PICTURES)) or (downloads and (_is_known(node) or named_as_model(node))):
            yield url


def _is_known(node: _Node) -> bool:
    terms = [*node.get(DCT.format, ()), *node.get(DCAT.mediaType, ())]
    return any(code_of(value_of(term)) in _CODES for term in terms)
