"""Every sample document is read by the child process or refused with a reason, the ugly RDF included."""

from pathlib import Path

import orjson
import pytest

from node.errors import Malformed
from node.vocab.ntriples import triples_of
from node.vocab.parse import Parser

MEDIA_TYPES = {
    ".ttl": "text/turtle",
    ".rdf": "application/rdf+xml",
    ".xml": "application/xml",
    ".jsonld": "application/ld+json",
    ".trig": "application/trig",
}
FOREIGN = ("ch-zurich-meta-xml", "csw-iso19139", "city-models")


def test_every_rdf_document_is_read_or_is_another_kind_of_xml(sample_data: Path, tmp_path: Path) -> None:
    to = tmp_path / "lines"
    read = 0
    with Parser() as parser:
        for path in sorted((sample_data / "data").rglob("*")):
            if path.suffix not in MEDIA_TYPES:
                continue
            facts = {"media_type": MEDIA_TYPES[path.suffix], "base_iri": "https://portal.example/"}
            if path.relative_to(sample_data / "data").parts[0] in FOREIGN:
                with pytest.raises(Malformed, match="which is not RDF"):
                    parser.rdf_to_lines(path, to, timeout_s=60, **facts)
                continue
            report = parser.rdf_to_lines(path, to, timeout_s=60, **facts)
            assert len(triples_of(to.read_bytes())) == report.triples > 0, path
            read += 1
    assert read > 40


def test_every_json_document_is_read_or_refused_with_its_line(sample_data: Path, tmp_path: Path) -> None:
    to = tmp_path / "lines"
    read = 0
    with Parser() as parser:
        for path in sorted((sample_data / "data").rglob("*.json*")):
            if path.suffix not in (".json", ".jsonl"):
                continue
            if "govuk-mock-ssi" in path.parts:
                with pytest.raises(Malformed, match="Line 2, column 27"):
                    parser.json_to_lines(path, to, records="result.results", timeout_s=60)
                continue
            report = parser.json_to_lines(path, to, records="result.results|result|dataset|", timeout_s=60)
            lines = [orjson.loads(line) for line in to.read_bytes().splitlines()]
            assert len(lines) == report.records + 1 > 1, path
            assert not any("_refused" in line for line in lines), path
            read += 1
    assert read > 20
