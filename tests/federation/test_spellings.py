"""Laws of spellings: however an address is written, it lies in the namespace of the city that a browser would reach."""

import pytest

from node.federation.check import Authority

TABLE = {
    "https://london.example/": frozenset({"london"}),
    "http://127.0.0.1:8002/": frozenset({"london"}),
    "https://helsinki.example/": frozenset({"helsinki"}),
}
AUTHORITY = Authority(TABLE, "helsinki")


@pytest.mark.parametrize(
    "iri",
    [
        "https://london.example/x",
        "https://london.example",
        "https://london.example?x",
        "https://london.example#x",
        "https://London.example/x",
        "HTTPS://london.example/x",
        "https://london.example:443/x",
        "https://london.example:/x",
        "https://user@london.example/x",
        "http://127.0.0.1:8002@127.0.0.1:8002/x",
        "http://127.0.0.1:8002",
    ],
)
def test_no_spelling_of_another_citys_address_passes(iri: str) -> None:
    assert AUTHORITY.forbids(iri)


@pytest.mark.parametrize(
    "iri",
    [
        "https://helsinki.example/x",
        "https://Helsinki.example/x",
        "https://london.example@helsinki.example/x",
        "https://london.example.evil.example/x",
        "http://london.example/x",
        "https://london.example:8443/x",
        "urn:uuid:1",
        "did:web:london.example",
    ],
)
def test_what_only_looks_like_it_is_not_forbidden(iri: str) -> None:
    assert AUTHORITY.forbids(iri) == ""
