"""Signed tokens: every choice is the reader's, and whatever a token brings along to change it is refused."""

import json

import pytest
from joserfc import jwt as other
from joserfc.jwk import ECKey, OctKey, OKPKey
from joserfc.jws import JWSRegistry

from node.errors import BadSignature, Malformed, Refused, TooLarge
from node.keys import FileSigner, read_jwt, read_proof, signed_jwt
from node.keys.jwk import b64, unb64
from node.keys.jwt import unchecked_claims
from node.keys.signer import generated

KEY = FileSigner(generated("ES256"))
EDWARDS = FileSigner(generated("Ed25519"))
LAX = JWSRegistry(algorithms=["ES256", "Ed25519"], strict_check_header=False)
CLAIMS = {"iss": "https://a.example", "jti": "1", "n": [1, {"deep": None}]}


def token(signer: FileSigner = KEY, claims: object = CLAIMS, **header: object) -> str:
    said = {"typ": "at+jwt", "alg": signer.alg, "kid": signer.kid, **header}
    return raw({name: value for name, value in said.items() if value is not None}, claims, signer)


def raw(header: object, claims: object, signer: FileSigner = KEY) -> str:
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    said = ".".join(b64(part) for part in parts)
    return f"{said}.{b64(signer.sign(said.encode()))}"


@pytest.mark.parametrize("signer", [KEY, EDWARDS])
def test_what_is_written_is_read_by_us_and_by_others(signer: FileSigner):
    text = signed_jwt(CLAIMS, typ="at+jwt", alg=signer.alg, kid=signer.kid, sign=signer.sign, extra=1)
    assert read_jwt(text, [EDWARDS.jwk, KEY.jwk], typ="at+jwt") == (
        {"alg": signer.alg, "kid": signer.kid, "typ": "at+jwt", "extra": 1},
        CLAIMS,
    )
    kind = ECKey if signer is KEY else OKPKey
    theirs = other.decode(text, kind.import_key(signer.jwk), algorithms=[signer.alg], registry=LAX)
    assert theirs.claims == CLAIMS
    assert unchecked_claims(text) == CLAIMS


def test_what_others_write_is_read():
    for signer, kind, private in (
        (KEY, ECKey, ECKey.generate_key("P-256")),
        (EDWARDS, OKPKey, OKPKey.generate_key("Ed25519")),
    ):
        public = {name: value for name, value in private.as_dict(private=False).items() if name != "kid"}
        text = other.encode({"alg": signer.alg, "typ": "at+jwt"}, CLAIMS, private, algorithms=[signer.alg])
        assert isinstance(private, kind)
        assert read_jwt(text, [public], typ="at+jwt")[1] == CLAIMS


def test_a_key_that_is_named_is_the_only_one_that_counts():
    assert read_jwt(token(kid=None), [EDWARDS.jwk, KEY.jwk], typ="at+jwt")[1] == CLAIMS
    for kid in ("other", EDWARDS.kid, 5, ["x"], ""):
        with pytest.raises(Refused):
            read_jwt(token(kid=kid), [EDWARDS.jwk, KEY.jwk], typ="at+jwt")


def test_the_type_is_compared_as_a_media_type():
    for typ in ("at+jwt", "AT+JWT", "application/at+jwt"):
        assert read_jwt(token(typ=typ), [KEY.jwk], typ="at+jwt")[1] == CLAIMS
    for typ in (None, "", "JWT", "dpop+jwt", 5, ["at+jwt"], "text/at+jwt"):
        with pytest.raises(Malformed, match="type"):
            read_jwt(token(typ=typ), [KEY.jwk], typ="at+jwt")


@pytest.mark.parametrize(
    "alg", ["none", "None", "HS256", "RS256", "ES384", "EdDSA", "es256", "", None, 5, ["ES256"], {}]
)
def test_an_algorithm_that_was_not_chosen_is_refused(alg: object):
    with pytest.raises(Malformed, match="algorithm"):
        read_jwt(token(alg=alg), [KEY.jwk], typ="at+jwt")


def test_an_algorithm_that_the_caller_left_out_is_refused():
    with pytest.raises(Malformed, match="Use ES256"):
        read_jwt(token(EDWARDS), [EDWARDS.jwk], typ="at+jwt", algs=("ES256",))
    with pytest.raises(Malformed):
        read_jwt(token(), [KEY.jwk], typ="at+jwt", algs=("ES256K", "none"))


def test_a_public_key_is_no_secret_to_sign_with():
    secret = OctKey.import_key(json.dumps(KEY.jwk))
    text = other.encode({"alg": "HS256", "typ": "at+jwt", "kid": KEY.kid}, CLAIMS, secret, algorithms=["HS256"])
    with pytest.raises(Malformed, match="algorithm"):
        read_jwt(text, [KEY.jwk], typ="at+jwt")


def test_a_key_signs_by_its_own_algorithm_alone():
    with pytest.raises(BadSignature):
        read_jwt(token(EDWARDS, alg="ES256", kid=EDWARDS.kid), [EDWARDS.jwk, KEY.jwk], typ="at+jwt")
    with pytest.raises(BadSignature):
        read_jwt(token(KEY, alg="Ed25519"), [EDWARDS.jwk, KEY.jwk], typ="at+jwt")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64"])
def test_a_header_that_brings_a_key_or_an_extension_is_refused(name: str):
    value = {"jwk": KEY.jwk, "x5c": ["AAAA"], "crit": ["exp"], "b64": False}.get(name, "https://evil.example/")
    with pytest.raises(Malformed, match="may not have"):
        read_jwt(token(**{name: value}), [KEY.jwk], typ="at+jwt")
    with pytest.raises(Malformed):
        read_proof(
            token(**{name: value, "typ": "dpop+jwt", "kid": None}) if name != "jwk" else token(typ="x"), typ="dpop+jwt"
        )


def test_headers_of_the_wrong_kind_are_refused():
    with pytest.raises(Malformed, match="cannot be used"):
        read_jwt(token(cty=5), [KEY.jwk], typ="at+jwt")


def test_another_signature_or_another_word_is_refused():
    text = token()
    head, body, tail = text.split(".")
    changed = b64(json.dumps(CLAIMS | {"jti": "2"}).encode())
    flipped = b64(bytes([unb64(tail)[0] ^ 1]) + unb64(tail)[1:])
    wrong = [(head, changed, tail), (head, body, flipped), (head, body, b64(b"")), (head, body, b64(bytes(64)))]
    for parts in [*wrong, (head, body, b64(unb64(tail) + b"\0")), (head, body, tail + "=")]:
        with pytest.raises(Refused):
            read_jwt(".".join(parts), [KEY.jwk], typ="at+jwt")
    with pytest.raises(BadSignature, match="No key"):
        read_jwt(text, [], typ="at+jwt")
    with pytest.raises(BadSignature):
        read_jwt(text, [FileSigner(generated("ES256")).jwk], typ="at+jwt")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "é.é.é",
        "\ud800.a.a",
        raw([], CLAIMS),
        raw(5, CLAIMS),
        raw(b"{", CLAIMS),
        raw(b"\xff", CLAIMS),
        raw(b'\xef\xbb\xbf{"alg":"ES256","typ":"at+jwt"}', CLAIMS),
        raw(b'{"alg":"ES256","alg":"ES256","typ":"at+jwt"}', CLAIMS),
        raw({"alg": "ES256", "typ": "at+jwt", "x": "y" * 9000}, CLAIMS),
        token(claims=[1]),
        token(claims=b""),
        token(claims=b'{"a":1,"a":2}'),
        token(claims=b'{"a":NaN}'),
        token(claims=b'{"a":-Infinity}'),
        token(claims=b'{"a":"\\ud800"}'),
        token(claims=b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
        token(claims=b'{"a":' + b"9" * 10_000 + b"}"),
        token(claims=b'{"a":1} x'),
    ],
)
def test_what_is_no_token_is_malformed(text: str):
    with pytest.raises(Malformed):
        read_jwt(text, [KEY.jwk], typ="at+jwt")


def test_escapes_that_make_whole_characters_are_read():
    assert read_jwt(token(claims={"a": "\U0001f600"}), [KEY.jwk], typ="at+jwt")[1] == {"a": "\U0001f600"}


def test_a_token_that_is_too_long_is_not_looked_at():
    for read in (
        lambda text: read_jwt(text, [KEY.jwk], typ="at+jwt", max_bytes=100),
        lambda text: unchecked_claims(text, max_bytes=100),
    ):
        with pytest.raises(TooLarge, match="at most 100"):
            read(token())


def test_a_proof_brings_its_key_and_nothing_else():
    for signer in (KEY, EDWARDS):
        proof = token(signer, typ="dpop+jwt", kid=None, jwk=signer.jwk | {"use": "sig"})
        header, claims = read_proof(proof, typ="dpop+jwt")
        assert (header["jwk"], claims) == (signer.jwk, CLAIMS)
        with pytest.raises(Malformed, match="may not have jwk"):
            read_jwt(proof, [signer.jwk], typ="dpop+jwt")
    for more in ({}, {"jwk": KEY.jwk, "jku": "https://a.example/"}, {"jwk": KEY.jwk | {"d": "AA"}}, {"jwk": "text"}):
        with pytest.raises(Malformed):
            read_proof(token(typ="dpop+jwt", **more), typ="dpop+jwt")
    with pytest.raises(BadSignature):
        read_proof(token(typ="dpop+jwt", jwk=FileSigner(generated("ES256")).jwk), typ="dpop+jwt")
    with pytest.raises(BadSignature):
        read_proof(token(typ="dpop+jwt", jwk=EDWARDS.jwk), typ="dpop+jwt")
