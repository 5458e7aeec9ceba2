"""Laws of HTTP message signatures, held to the test cases of RFC 9421, appendix B, and of RFC 9530."""

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.errors import Malformed, Refuted
from node.federation.signing import signatures
from node.federation.signing.signatures import Component, Message, base_of, check_digest, content_digest, read, signed
from node.keys.jwk import imported

# RFC 9421, B.1.4 and B.2: the key, the request and the answer of all cases.
ED25519 = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
"""
BODY = b'{"hello": "world"}'
DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
REQUEST = Message(
    "POST",
    "https://example.com/foo?param=Value&Pet=dog",
    {
        "host": ("example.com",),
        "date": ("Tue, 20 Apr 2021 02:07:55 GMT",),
        "content-type": ("application/json",),
        "content-digest": (DIGEST,),
        "content-length": ("18",),
    },
)
ANSWER = Message(
    headers={
        "date": ("Tue, 20 Apr 2021 02:07:56 GMT",),
        "content-type": ("application/json",),
        "content-digest": (
            "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
        ),
        "content-length": ("23",),
    },
    status=200,
    request=REQUEST,
)
B_2_1 = 'sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"'
B_2_2 = (
    'sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss"'
    ';tag="header-example"'
)
B_2_3 = (
    'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length")'
    ';created=1618884473;keyid="test-key-rsa-pss"'
)
B_2_4 = (
    'sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"'
)
B_2_5 = 'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
B_2_6 = (
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473'
    ';keyid="test-key-ed25519"'
)
MADE_2_6 = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
BASES = {
    B_2_1: """"@signature-params": ();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd\"""",
    B_2_3: f""""date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@query": ?param=Value&Pet=dog
"@authority": example.com
"content-type": application/json
"content-digest": {DIGEST}
"content-length": 18
"@signature-params": {B_2_3.partition("=")[2]}""",
    B_2_5: f""""date": Tue, 20 Apr 2021 02:07:55 GMT
"@authority": example.com
"content-type": application/json
"@signature-params": {B_2_5.partition("=")[2]}""",
    B_2_6: f""""date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": {B_2_6.partition("=")[2]}""",
}


def one(told: str, made: str = "AA==") -> signatures.Signed:
    label = told.partition("=")[0]
    (found,) = read([told], [f"{label}=:{made}:"])
    return found


def key_ed25519() -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(ED25519.encode(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


@pytest.mark.parametrize("told", BASES, ids=["b21", "b23", "b25", "b26"])
def test_the_base_of_a_request_is_that_of_the_rfc(told):
    found = one(told)
    assert base_of(REQUEST, found.components, found.text).decode() == BASES[told]


def test_the_ed25519_case_of_the_rfc_is_made_and_holds():
    found = one(B_2_6, MADE_2_6)
    base = base_of(REQUEST, found.components, found.text)
    key_ed25519().public_key().verify(found.signature, base)
    parameters = {"created": 1618884473, "keyid": "test-key-ed25519"}
    made = signed(REQUEST, found.components, parameters, label="sig-b26", sign=key_ed25519().sign)
    assert made == {"Signature-Input": B_2_6, "Signature": f"sig-b26=:{MADE_2_6}:"}


def test_the_answer_of_the_rfc_is_signed_over_its_status():
    found = one(B_2_4)
    first, *_, last = base_of(ANSWER, found.components, found.text).decode().split("\n")
    assert first == '"@status": 200'
    assert last == f'"@signature-params": {B_2_4.partition("=")[2]}'


def test_the_p256_case_of_the_rfc_holds():
    numbers = ("qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA", "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0")
    jwk = {"kty": "EC", "crv": "P-256", **dict(zip("xy", numbers, strict=True))}
    found = one(B_2_4, "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==")
    assert imported(jwk).verifies(base_of(ANSWER, found.components, found.text), found.signature)
    other = replace(ANSWER, status=201)
    assert not imported(jwk).verifies(base_of(other, found.components, found.text), found.signature)


def test_a_parameter_that_is_not_known_is_refused_and_never_passed_over():
    with pytest.raises(Malformed, match="name="):
        one(B_2_2)


def test_an_answer_covers_its_question():
    covered = [
        Component("@status"),
        Component("@method", of_request=True),
        Component("content-digest", of_request=True),
    ]
    text = signatures.parameters_text(covered, {"created": 1})
    assert text == '("@status" "@method";req "content-digest";req);created=1'
    lines = base_of(ANSWER, covered, text).decode().split("\n")
    assert lines[1] == '"@method";req: POST'
    assert lines[2] == f'"content-digest";req: {DIGEST}'
    with pytest.raises(Malformed, match="of a request"):
        base_of(REQUEST, covered[1:], text)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["@status"], "no status"),
        (["@query-param"], "not known"),
        (["x-missing"], "no x-missing"),
        (["@method", "@method"], "twice"),
    ],
)
def test_what_a_message_does_not_have_cannot_be_covered(names, said):
    with pytest.raises(Malformed, match=said):
        base_of(REQUEST, [Component(name) for name in names], "()")


def test_an_answer_has_no_address_of_its_own():
    with pytest.raises(Malformed, match="no @path"):
        base_of(ANSWER, [Component("@path")], "()")


def test_values_are_spelt_as_the_rfc_spells_them():
    message = Message("GET", "HTTPS://Example.COM:443/", {"x-two": (" a ", "b"), "x-fold": ("one\r\n   two",)})
    names = ["@scheme", "@authority", "@path", "@query", "@request-target", "x-two", "x-fold"]
    lines = base_of(message, [Component(name) for name in names], "()").decode().split("\n")
    assert [line.partition(": ")[2] for line in lines[:-1]] == [
        *("https", "example.com", "/", "?", "/", "a, b", "one two"),
    ]


def test_what_is_not_ascii_is_not_signed():
    with pytest.raises(Malformed, match="ASCII"):
        base_of(Message("GET", "https://a.test/", {"x": ("é",)}), [Component("x")], "()")


@pytest.mark.parametrize(
    ("told", "made"),
    [
        ("", ""),
        ("a=()", ""),
        ("", "a=:AA==:"),
        ("a=()", "b=:AA==:"),
        ("a=();x", "a=:AA==:"),
        ("a=();x=1;x=2", "a=:AA==:"),
        ('a=("@method"  "@path")', "a=:AA==:"),
        ('a=("@Method")', "a=:AA==:"),
        ('a=("@method";req;req)', "a=:AA==:"),
        ("a=(), a=()", "a=:AA==:, a=:AA==:"),
        ("a=(),", "a=:AA==:,"),
        ("a=()", "a=:A:"),
        ("a=" + "(" * 9_000, "a=:AA==:"),
        (", ".join(f"a{n}=()" for n in range(5)), ", ".join(f"a{n}=:AA==:" for n in range(5))),
        ('a=();x="\\""', "a=:AA==:"),
        ("a=();x=1234567890123456", "a=:AA==:"),
    ],
)
def test_what_is_no_signature_in_its_one_spelling_is_refused(told, made):
    with pytest.raises(Malformed):
        read([told], [made])


def test_several_signatures_stand_side_by_side():
    first, second = read(['a=("@method");created=1', 'b=();tag="x"'], ["a=:AA==:, b=:AQ==:"])
    assert (first.label, first.number("created"), first.number("tag")) == ("a", 1, -1)
    assert (second.label, second.word("tag"), second.word("created"), second.signature) == ("b", "x", "", b"\1")


def test_a_digest_of_the_content_is_that_of_the_rfcs():
    check_digest([DIGEST], BODY)
    assert content_digest(BODY) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    check_digest([f"{DIGEST}, {content_digest(BODY)}, unixsum=:AA==:"], BODY)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ([], Malformed),
        (["unixsum=:AA==:"], Malformed),
        (["sha-256=X48E9"], Malformed),
        ([content_digest(b"other")], Refuted),
        ([f"{DIGEST}, {content_digest(b'other')}"], Refuted),
        ([content_digest(BODY).replace("PE=:", "PF=:")], Refuted),  # the same bytes, spelt a second way
    ],
)
def test_a_body_that_is_not_the_one_that_was_digested_is_refused(values, error):
    with pytest.raises(error):
        check_digest(values, BODY)


def test_the_key_of_the_rfc_is_the_one_it_publishes():
    public = key_ed25519().public_key().public_bytes_raw()
    assert base64.urlsafe_b64encode(public).rstrip(b"=").decode() == "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"
