"""Public keys as JSON: their names, and every key that is not taken."""

import base64
import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.errors import Malformed
from node.keys import FileSigner, checked_jwk, thumbprint
from node.keys.jwk import b64, imported, unb64
from node.keys.multikey import multikey
from node.keys.signer import generated
from tests.keys.multikeys import raw_of

# RFC 7638, 3.1, and RFC 8037, A.2 and A.3.
RSA = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3o"
    "knjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5h"
    "ajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def p256() -> dict[str, str]:
    return FileSigner(generated("ES256")).jwk


@pytest.mark.parametrize(
    ("jwk", "name"),
    [
        (RSA, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (ED25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ],
)
def test_thumbprints_are_those_of_the_rfcs(jwk: dict[str, str], name: str):
    assert thumbprint(jwk) == name
    assert thumbprint(dict(reversed(jwk.items())) | {"use": "sig"}) == name


@pytest.mark.parametrize(
    "jwk",
    [{}, {"kty": "oct", "k": "AA"}, {"kty": ["EC"]}, {"kty": "EC", "crv": "P-256", "x": 1}, ED25519 | {"x": "\ud800"}],
)
def test_what_is_no_key_has_no_name(jwk: dict[str, object]):
    with pytest.raises(Malformed):
        thumbprint(jwk)


def test_a_key_is_taken_without_what_it_says_of_itself():
    for jwk in (ED25519, p256()):
        taken = checked_jwk(jwk | {"kid": "mine", "use": "sig", "x5u": "https://elsewhere.example/"})
        assert taken == jwk
        assert imported(taken).kid == thumbprint(jwk)


def secret(jwk: dict[str, str]) -> list[dict[str, str]]:
    return [jwk | {name: "AAAA"} for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")]


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        "text",
        [],
        {},
        RSA,
        ED25519 | {"crv": "X25519"},
        ED25519 | {"crv": "Ed448"},
        ED25519 | {"kty": "EC"},
        ED25519 | {"use": "enc"},
        ED25519 | {"alg": "EdDSA"},
        ED25519 | {"alg": "none"},
        ED25519 | {"x": ED25519["x"] + "="},
        ED25519 | {"x": ED25519["x"][:-1] + "p"},  # spare bits set: a second spelling
        ED25519 | {"x": ED25519["x"][:-2]},
        ED25519 | {"x": ED25519["x"].replace("_", "/")},
        ED25519 | {"x": " " + ED25519["x"]},
        ED25519 | {"x": "é" * 43},
        ED25519 | {"x": 5},
        *secret(ED25519),
        *secret(p256()),
    ],
)
def test_a_key_that_is_none_or_of_another_kind_or_secret_is_refused(jwk: object):
    with pytest.raises(Malformed):
        checked_jwk(jwk)


def test_a_key_of_small_order_is_refused():
    for raw in (b"\x01" + bytes(31), bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f"):
        with pytest.raises(Malformed, match="small order"):
            checked_jwk(ED25519 | {"x": b64(raw)})


def test_a_point_beside_the_curve_is_refused():
    jwk = p256()
    y = int.from_bytes(unb64(jwk["y"]), "big")
    beside = [{"y": jwk["x"]}, {"y": b64((y ^ 1).to_bytes(32, "big"))}, {"x": b64(bytes(32)), "y": b64(bytes(32))}]
    over = {"x": b64((2**256 - 2**224 + 2**192 + 2**96 - 1).to_bytes(32, "big"))}
    for change in [*beside, over]:
        with pytest.raises(Malformed, match="curve"):
            checked_jwk(jwk | change)
    for change in ({"x": b64(unb64(jwk["x"])[1:])}, {"y": b64(b"\0" + unb64(jwk["y"]))}, {"x": ""}):
        with pytest.raises(Malformed, match="32 bytes"):
            checked_jwk(jwk | change)
    missing = {name: jwk[name] for name in ("kty", "crv", "x")}
    with pytest.raises(Malformed, match="lacks y"):
        checked_jwk(missing)


def test_a_signature_is_over_exactly_these_bytes():
    for alg in ("ES256", "Ed25519"):
        signer = FileSigner(generated(alg))
        signature = signer.sign(b"bytes")
        key = imported(signer.jwk)
        assert (len(signature), signer.kid, signer.alg) == (64, key.kid, key.alg)
        assert key.verifies(b"bytes", signature)
        assert not key.verifies(b"byteS", signature)
        assert not key.verifies(b"bytes", signature[:-1])
        assert not key.verifies(b"bytes", bytes(64))
        assert signer.sign(b"bytes") == signature, "the same bytes keep their signature, so documents keep their ETag"


def test_base64url_has_one_spelling():
    rng = random.Random(7)
    for length in [*range(40), 300]:
        raw = rng.randbytes(length)
        text = b64(raw)
        assert text == base64.urlsafe_b64encode(raw).decode().rstrip("=")
        assert unb64(text) == unb64(text.encode()) == raw
        for wrong in (text + "=", text + "A" * (5 - len(text) % 4 if len(text) % 4 == 0 else 0) + "*", " " + text):
            with pytest.raises(Malformed):
                unb64(wrong)


def test_multikeys_are_read_as_they_are_written():
    for _ in range(20):
        raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        assert multikey(raw).startswith("z6Mk")
        assert raw_of(multikey(raw)) == raw


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "z" + "1" * 47,
        "z" + "z" * 47,
        "f" + multikey(b"\x07" * 32)[1:],
        multikey(b"\x07" * 32)[:-1],
        multikey(b"\x07" * 32) + "1",
        multikey(b"\x07" * 32)[:-1] + "0",
        multikey(b"\x07" * 32)[:1] + "7" + multikey(b"\x07" * 32)[2:],
        multikey(bytes(32)),
        multikey(b"\x01" + bytes(31)),
    ],
)
def test_what_is_no_multikey_of_use_is_refused(text: str):
    with pytest.raises(Malformed):
        raw_of(text)


def test_a_p256_signer_is_no_other_curve():
    assert isinstance(generated("ES256"), ec.EllipticCurvePrivateKey)
    assert generated("ES256").curve.name == "secp256r1"
