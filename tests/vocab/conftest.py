"""The real parser in its child process, asked with documents made on the spot."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from node.vocab.parse import Parser, ParseReport
from tests.vocab.parse_rig import BASE, TURTLE, Json, Rdf


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    with Parser() as one:
        yield one


@pytest.fixture
def rdf(parser: Parser, tmp_path: Path) -> Rdf:
    def read(body: bytes | str, media_type: str = TURTLE, **changes: Any) -> tuple[list[str], ParseReport]:
        path, to = tmp_path / "document", tmp_path / "lines"
        path.write_bytes(body.encode() if isinstance(body, str) else body)
        try:
            report = parser.rdf_to_lines(path, to, media_type=media_type, base_iri=BASE, timeout_s=30, **changes)
        except Exception:
            assert not to.exists()
            raise
        finally:
            assert not [each for each in tmp_path.iterdir() if each not in (path, to)], "scratch was left behind"
        lines = to.read_bytes().decode().split("\n")
        assert lines.pop() == ""
        assert len(lines) == report.triples
        return lines, report

    return read


@pytest.fixture
def json(parser: Parser, tmp_path: Path) -> Json:
    def read(body: bytes | str, records: str = "") -> tuple[Any, list[Any], ParseReport]:
        path, to = tmp_path / "document", tmp_path / "lines"
        path.write_bytes(body.encode() if isinstance(body, str) else body)
        report = parser.json_to_lines(path, to, records=records, timeout_s=30)
        envelope, *lines = [orjson.loads(line) for line in to.read_bytes().splitlines()]
        assert len(lines) == report.records
        return envelope, lines, report

    return read
