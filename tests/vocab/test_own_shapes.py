"""What we write of sets and vocabularies is of the shapes that we publish for them, and the shapes refuse something."""

from importlib.resources import files

import pytest
import rdflib
from pyshacl import validate

from node.vocab import mapping_records, set_records
from node.vocab.mappings import Match
from node.vocab.set_records import ColumnMap, ComparableSet

pytestmark = pytest.mark.slow  # a SHACL engine takes a second to load

BASE = "https://data.hel.fi"
A, B = "https://hel.fi/a", "https://london.example/b"
SAID = ComparableSet({"en": "P"}, (A, B), {"en": "x"}, "TRAN", (ColumnMap({"en": "Stay"}, {A: "max"}, "convert"),))
SET = set_records.payload_of(f"{BASE}/sets/p", SAID)
WORDS = [
    Match("theme", "Liikenne", exact=False, code="TRAN", language="fi"),
    Match("theme", f"{BASE}/g/1", True, "ENVI"),
]
VOCABULARY = mapping_records.payload_of("theme", WORDS, base_url=BASE, city="Helsinki")


def conforms(payload: bytes) -> bool:
    shapes = rdflib.Graph().parse(data=(files("node.vocab") / "shapes" / "own.ttl").read_text("utf-8"))
    return bool(validate(rdflib.Graph().parse(data=payload, format="nt"), shacl_graph=shapes)[0])


@pytest.mark.parametrize("payload", [SET, VOCABULARY], ids=["set", "vocabulary"])
def test_what_we_write_conforms(payload: bytes) -> None:
    assert conforms(payload)


@pytest.mark.parametrize(
    ("payload", "without"),
    [
        (SET, b"title"),
        (SET, b"hasPart> <https://hel.fi"),
        (SET, b"ns#match"),
        (SET, b"ns#name"),
        (VOCABULARY, b"title"),
        (VOCABULARY, b"notation"),
        (VOCABULARY, b"closeMatch"),
    ],
)
def test_what_lacks_something_does_not(payload: bytes, without: bytes) -> None:
    assert not conforms(b"".join(line for line in payload.splitlines(keepends=True) if without not in line))
