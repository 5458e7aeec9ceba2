"""The did:web of a city is its base URL, spelt as the method says."""

import pytest

from node.errors import Malformed
from node.federation.identity.did import did_web


@pytest.mark.parametrize(
    ("url", "did"),
    [
        ("https://helsinki.example", "did:web:helsinki.example"),
        ("https://helsinki.example/", "did:web:helsinki.example"),
        ("http://127.0.0.1:8001", "did:web:127.0.0.1%3A8001"),
        ("https://london.example/a/node b", "did:web:london.example:a:node%20b"),
        ("https://a.example/x:y", "did:web:a.example:x%3Ay"),
    ],
)
def test_a_base_url_has_one_did(url: str, did: str):
    assert did_web(url) == did


@pytest.mark.parametrize("url", ["", "helsinki", "ftp://helsinki.example", "https://", "http://[::1", "urn:uuid:1"])
def test_what_is_no_address_has_none(url: str):
    with pytest.raises(Malformed, match="no base URL"):
        did_web(url)
