"""Proofs of possession: the examples of RFC 9449, spellings of addresses, nonces, and what is forgotten when."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.db import Database
from node.errors import TooManyRequests, Unauthenticated
from node.federation.tokens.dpop import AHEAD_S, BEHIND_S, NONCE_STEP_MS, Nonces, ProofKey, Proofs, hash_of, normal_url
from node.federation.tokens.replay import Replay

BASE = "https://city.example/node"
AT_MS = 1_800_000_000_000

# RFC 9449, figure 2 (section 4.2) and figure 12 (section 7.1).
_KEY = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs"
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
AT_TOKEN_ENDPOINT = (
    f"{_KEY}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2Vu"
    "IiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
AT_RESOURCE = (
    f"{_KEY}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90"
    "ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9"
    ".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"  # noqa: S105


def proofs_of(folder: Path, base: str = BASE, *, most: int = 1_000) -> Proofs:
    replay = Replay(Database(f"sqlite:///{folder / 'node.db'}"), folder, most=most)
    return Proofs(base, replay, Nonces(b"s" * 32))


@pytest.fixture
def proofs(tmp_path: Path) -> Iterator[Proofs]:
    made = proofs_of(tmp_path)
    yield made
    made.replay.close()


def test_the_examples_of_the_standard_hold(tmp_path: Path) -> None:
    server = proofs_of(tmp_path, "https://server.example.com")
    assert server.check(AT_TOKEN_ENDPOINT, method="POST", path="/token", now_ms=1_562_262_616_000) == THUMBPRINT
    resource = Proofs("https://resource.example.org", server.replay, server.nonces)
    found = resource.check(
        AT_RESOURCE, method="GET", path="/protectedresource", now_ms=1_562_262_618_000, token=TOKEN, bound_to=THUMBPRINT
    )
    assert found == THUMBPRINT
    assert hash_of(TOKEN) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    server.replay.close()


def test_what_we_write_we_take(proofs: Proofs) -> None:
    key = ProofKey()
    proof = key.proof("GET", f"{BASE}/checkpoints?x=1#y", now_ms=AT_MS, token="abc")  # noqa: S106
    found = proofs.check(proof, method="GET", path="/checkpoints", now_ms=AT_MS, token="abc")  # noqa: S106
    assert found == key.thumbprint


@pytest.mark.parametrize("off_s", [-BEHIND_S, -60, 0, AHEAD_S])
def test_a_proof_is_good_within_its_window(proofs: Proofs, off_s: int) -> None:
    proof = ProofKey().proof("GET", f"{BASE}/x", now_ms=AT_MS + off_s * 1000)
    assert proofs.check(proof, method="GET", path="/x", now_ms=AT_MS)


@pytest.mark.parametrize("off_s", [-BEHIND_S - 1, AHEAD_S + 1, -600, 600])
def test_a_proof_is_none_outside_of_it(proofs: Proofs, off_s: int) -> None:
    proof = ProofKey().proof("GET", f"{BASE}/x", now_ms=AT_MS + off_s * 1000)
    with pytest.raises(Unauthenticated, match="another time"):
        proofs.check(proof, method="GET", path="/x", now_ms=AT_MS)


def test_an_id_is_remembered_for_as_long_as_its_proof_would_be_taken(proofs: Proofs) -> None:
    proof = ProofKey().proof("GET", f"{BASE}/x", now_ms=AT_MS + AHEAD_S * 1000)
    last = AT_MS + (AHEAD_S + BEHIND_S) * 1000
    assert proofs.check(proof, method="GET", path="/x", now_ms=AT_MS)
    for now_ms in (AT_MS, AT_MS + 60_000, last):
        with pytest.raises(Unauthenticated, match="used before"):
            proofs.check(proof, method="GET", path="/x", now_ms=now_ms)
    with pytest.raises(Unauthenticated, match="another time"):
        proofs.check(proof, method="GET", path="/x", now_ms=last + 1)


def test_a_proof_that_is_refused_uses_up_no_id(proofs: Proofs) -> None:
    key = ProofKey()
    proof = key.proof("GET", f"{BASE}/x", now_ms=AT_MS)
    for wrong in ({"method": "POST"}, {"path": "/y"}, {"now_ms": AT_MS + 600_000}, {"token": "t"}, {"bound_to": "k"}):
        with pytest.raises(Unauthenticated):
            proofs.check(proof, **{"method": "GET", "path": "/x", "now_ms": AT_MS, **wrong})  # type: ignore[arg-type]
    assert proofs.check(proof, method="GET", path="/x", now_ms=AT_MS) == key.thumbprint


# ---------------------------------------------------------------- nonces


def test_nonces_are_asked_for_while_many_ids_are_alive(tmp_path: Path) -> None:
    proofs, key = proofs_of(tmp_path, most=4), ProofKey()
    for _ in range(2):
        proofs.check(key.proof("GET", f"{BASE}/x", now_ms=AT_MS), method="GET", path="/x", now_ms=AT_MS)
    with pytest.raises(Unauthenticated) as asked:
        proofs.check(key.proof("GET", f"{BASE}/x", now_ms=AT_MS), method="GET", path="/x", now_ms=AT_MS)
    assert asked.value.error == "use_dpop_nonce"
    for _ in range(2):
        proof = key.proof("GET", f"{BASE}/x", now_ms=AT_MS, nonce=asked.value.nonce)
        proofs.check(proof, method="GET", path="/x", now_ms=AT_MS)
    proof = key.proof("GET", f"{BASE}/x", now_ms=AT_MS, nonce=asked.value.nonce)
    with pytest.raises(TooManyRequests):
        proofs.check(proof, method="GET", path="/x", now_ms=AT_MS)
    later = AT_MS + 600_000
    assert proofs.check(key.proof("GET", f"{BASE}/x", now_ms=later), method="GET", path="/x", now_ms=later)
    proofs.replay.close()


@pytest.mark.parametrize("nonce", ["x", "é", "", 7])
def test_a_nonce_that_is_not_ours_is_answered_with_one_that_is(proofs: Proofs, nonce: object) -> None:
    from joserfc import jwt

    key = ProofKey()
    claims = {"jti": "a", "htm": "GET", "htu": f"{BASE}/x", "iat": AT_MS // 1000, "nonce": nonce}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key._public}
    proof = jwt.encode(header, claims, key._key, algorithms=["ES256"])
    with pytest.raises(Unauthenticated) as asked:
        proofs.check(proof, method="GET", path="/x", now_ms=AT_MS)
    assert proofs.nonces.holds(asked.value.nonce, AT_MS)


def test_a_nonce_lasts_for_one_to_two_minutes_in_every_process() -> None:
    one, other = Nonces(b"s" * 32), Nonces(b"s" * 32)
    nonce = one.issue(AT_MS)
    assert other.holds(nonce, AT_MS)
    assert other.holds(nonce, AT_MS + NONCE_STEP_MS)
    assert not other.holds(nonce, AT_MS + 2 * NONCE_STEP_MS)
    assert not other.holds(nonce, AT_MS - NONCE_STEP_MS)
    assert not Nonces(b"t" * 32).holds(nonce, AT_MS)


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://city.example/a", "HTTPS://City.Example:443/a"),
        ("http://city.example:80/a", "http://city.example/a"),
        ("https://city.example", "https://city.example/"),
        ("https://city.example/a/b", "https://city.example/a/./c/../b"),
        ("https://city.example/~a-b", "https://city.example/%7Ea%2db"),
        ("https://city.example/%C3%A4", "https://city.example/%c3%a4"),
        ("https://city.example/a", "https://city.example/a?b=c#d"),
        ("http://[::1]:8001/a", "http://[::1]:8001/a"),
    ],
)
def test_spellings_of_one_address_are_one(one: str, other: str) -> None:
    assert normal_url(one) == normal_url(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://city.example/a", "https://city.example/a/"),
        ("https://city.example/a", "https://city.example/A"),
        ("https://city.example/a", "http://city.example/a"),
        ("https://city.example/a", "https://city.example:8443/a"),
        ("https://city.example/a", "https://city.example.evil/a"),
        ("https://city.example/a/b", "https://city.example/a%2Fb"),
        ("https://city.example/a", "https://city.example//a"),
    ],
)
def test_two_addresses_stay_two(one: str, other: str) -> None:
    assert normal_url(one) != normal_url(other)


@pytest.mark.parametrize(
    "text",
    ["", "/a", "city.example/a", "ftp://city.example/a", "https:///a", "https://u@city.example/a", "https://c:x/a",
     "https://city.example/a b", "https://city.example/a\n", "https://[::1/a", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_address_matches_none(text: str) -> None:
    assert normal_url(text) == ""


@given(st.text(max_size=60))
def test_any_text_is_read_without_harm_and_once_is_enough(text: str) -> None:
    found = normal_url("https://city.example/" + text)
    assert normal_url(found) == found
