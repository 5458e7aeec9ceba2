"""Ed25519: a signature is over exactly the bytes, and keys under which it would mean nothing are refused."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.errors import Malformed
from node.keys import checked_public_key, verified

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def test_the_vector_of_rfc_8032_holds():
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verified(public, b"\x72", signature)
    assert not verified(public, b"\x73", signature)


def test_a_signature_with_the_order_added_to_it_is_refused():
    key = Ed25519PrivateKey.generate()
    signature = key.sign(b"x")
    order = 2**252 + 27742317777372353535851937790883648493
    other = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert verified(key.public_key().public_bytes_raw(), b"x", signature)
    assert not verified(key.public_key().public_bytes_raw(), b"x", other)


def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """The group law of edwards25519, RFC 8032 5.1, in affine coordinates."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2
    return (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def decoded(data: bytes) -> tuple[int, int] | None:
    y = int.from_bytes(data, "little") & (2**255 - 1)
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    square = u * pow(v, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x, y) if x * x % P == square else None


def order_divides_8(data: bytes) -> bool:
    point = decoded(data)
    if point is None:
        return False
    for _ in range(3):
        point = add(point, point)
    return point == (0, 1)


def small_order_keys() -> list[bytes]:
    """Find all points of small order by arithmetic: eight times the prime order takes any point to one of them."""
    order = 2**252 + 27742317777372353535851937790883648493
    found = {(0, 1)}
    for number in range(40):
        point = decoded(hashlib.sha256(bytes([number])).digest())
        if point is None:
            continue
        result, scalar = (0, 1), order
        while scalar:
            if scalar & 1:
                result = add(result, point)
            point, scalar = add(point, point), scalar >> 1
        found.add(result)
    encoded = {y | (x & 1) << 255 for x, y in found} | {y | 1 << 255 for _, y in found} | {y for _, y in found}
    return [number.to_bytes(32, "little") for number in sorted(encoded)]


def test_every_key_of_small_order_is_refused():
    keys = small_order_keys()
    assert len(keys) == 10  # eight points, and the two with x = 0 written with the other sign
    for key in keys:
        assert order_divides_8(key)
        with pytest.raises(Malformed, match="small order"):
            verified(key, b"", b"\x00" * 64)


def test_keys_that_are_not_canonical_or_no_keys_are_refused():
    for y in (P, P + 1, 2**255 - 1):
        with pytest.raises(Malformed, match="canonically"):
            checked_public_key(y.to_bytes(32, "little"))
    with pytest.raises(Malformed, match="32 bytes"):
        checked_public_key(b"\x01" * 31)


def test_ordinary_keys_pass():
    for _ in range(20):
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        assert not order_divides_8(key)
        assert checked_public_key(key) == key
