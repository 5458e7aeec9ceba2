"""A published key: what its document says is what is read, and nothing that does not fit is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import BadSignature, Malformed, Refused
from node.keys import ALGORITHM, MEANING, PURPOSES, FileSigner, PublicKey, Purpose, check_endorsement
from node.keys.public import moment, ms_of
from node.keys.rotation import endorsement
from node.keys.signer import generated

BASE = "https://city.example"


def made(purpose: Purpose, since_ms: int = 1_000) -> tuple[PublicKey, FileSigner]:
    signer = FileSigner(generated(ALGORITHM[purpose]))
    return PublicKey(purpose, signer.kid, signer.alg, signer.jwk, since_ms), signer


def rotated(purpose: Purpose, **changes: object) -> tuple[PublicKey, PublicKey]:
    (old, signer), (new, _) = made(purpose), made(purpose, 2_000)
    new = replace(new, endorsed_by=old.kid)
    return old, replace(new, endorsement=endorsement(old, new, signer.sign, issuer=BASE, now_ms=2_000))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_key_is_read_as_it_is_written(purpose: Purpose):
    old, new = rotated(purpose)
    for key in (old, new, replace(old, until_ms=5_123)):
        assert PublicKey.read(key.document()) == key
    assert MEANING[purpose]


def test_a_key_is_in_force_until_its_time_is_over():
    key, _ = made("record")
    assert key.is_in_force(10**15)
    ended = replace(key, until_ms=5)
    assert (ended.is_in_force(4), ended.is_in_force(5)) == (True, False)


def test_only_an_ed25519_key_has_32_bytes():
    key, signer = made("checkpoint")
    assert len(key.raw) == 32
    assert key.verifies(b"x", signer.sign(b"x"))
    with pytest.raises(Malformed, match="no Ed25519"):
        _ = made("entity")[0].raw


def test_a_peer_may_use_ed25519_for_oauth_and_nothing_else_for_notes():
    document = made("record")[0].document()
    for purpose in PURPOSES:
        assert PublicKey.read(document | {"purpose": purpose}).alg == "Ed25519"
    document = made("client")[0].document()
    for purpose in ("checkpoint", "record", "witness"):
        with pytest.raises(Malformed, match="Ed25519"):
            PublicKey.read(document | {"purpose": purpose})


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "other"},
        {"purpose": None},
        {"purpose": ["record"]},
        {"kid": "x"},
        {"kid": None},
        {"alg": "EdDSA"},
        {"jwk": None},
        {"jwk": {"kty": "OKP"}},
        {"from": None},
        {"from": 5},
        {"from": "2026-13-01T00:00:00Z"},
        {"from": "2026-01-01T00:00:00+01:00"},
        {"from": "1969-12-31T23:59:59.000Z"},
        {"from": "2026-01-01"},
        {"from": "2026-01-01T00:00:00Z\n"},
        {"until": "soon"},
        {"until": False},
        {"endorsed_by": "x"},
        {"endorsement": "x"},
        {"endorsed_by": "x", "endorsement": ""},
        {"endorsed_by": "x", "endorsement": 5},
        {"endorsed_by": "x", "endorsement": "é"},
        {"endorsed_by": "x", "endorsement": "x" * 5_000},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object]):
    with pytest.raises(Malformed):
        PublicKey.read(made("record")[0].document() | change)


@given(st.integers(0, 253_402_300_799_999))
def test_times_are_read_as_they_are_written(at_ms: int):
    assert ms_of(moment(at_ms)) == at_ms


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_old_key_vouches_for_the_new_one(purpose: Purpose):
    old, new = rotated(purpose)
    check_endorsement(old, new)
    check_endorsement(old, new, issuer=BASE)


def test_an_endorsement_says_one_thing_only():
    old, new = rotated("record")
    other_old, other_new = rotated("record")
    with pytest.raises(Malformed, match="another city"):
        check_endorsement(old, new, issuer="https://evil.example")
    with pytest.raises(BadSignature):
        check_endorsement(other_old, new)
    with pytest.raises(Malformed, match="other keys"):
        check_endorsement(old, replace(other_new, endorsement=new.endorsement, endorsed_by=old.kid))
    with pytest.raises(Malformed, match="other keys"):
        check_endorsement(old, replace(new, purpose="witness"))
    with pytest.raises(Malformed, match="names another"):
        check_endorsement(old, replace(new, endorsed_by=other_old.kid))
    with pytest.raises(Malformed, match="names another"):
        check_endorsement(replace(old, purpose="witness"), new)
    for text in ("", "x", new.endorsement + "A", "x" * 5_000):
        with pytest.raises(Refused):
            check_endorsement(old, replace(new, endorsement=text))


def test_an_endorsement_of_no_key_is_refused():
    from node.keys import signed_jwt

    (old, signer), (new, _) = made("record"), made("record")
    for said in (None, "x", {}, {"kty": "OKP"}):
        claims = {"purpose": "record", "old": old.kid, "new": said}
        text = signed_jwt(claims, typ="key-rotation+jwt", alg=old.alg, kid=old.kid, sign=signer.sign)
        with pytest.raises(Malformed):
            check_endorsement(old, replace(new, endorsed_by=old.kid, endorsement=text))
    # Without an issuer in it, it is whoever's the keys are.
    text = endorsement(old, new, signer.sign, issuer="", now_ms=1)
    check_endorsement(old, replace(new, endorsed_by=old.kid, endorsement=text), issuer=BASE)
