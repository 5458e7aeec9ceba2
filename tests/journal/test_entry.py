"""The exact bytes of openings and entries, made again here by other code."""

import base64
import hashlib

import pytest
import rfc8785

from node.errors import Malformed
from node.journal.entry import Entry, Opening, at_text, digest_bytes, digest_text, jcs, key_of

SALT = bytes(range(16))
DIGEST = "sha256:" + "ab" * 32
COLLECTION = "https://data.example.org/collections/open-data"


def test_the_opening_of_a_put_commits_to_its_jcs():
    opening = Opening("put", SALT, "https://x/ä", "a", "dataset", DIGEST)
    text = (
        '{"digest":"' + DIGEST + '","kind":"dataset","op":"put","record":"https://x/ä",'
        '"salt":"AAECAwQFBgcICQoLDA0ODw","slug":"a"}'
    )
    assert jcs(opening.document()) == text.encode() == rfc8785.dumps(opening.document())
    assert opening.commitment() == hashlib.sha256(text.encode()).digest()


def test_a_withdrawal_has_no_digest_and_an_erasure_names_a_seq_alone():
    withdrawal = Opening("withdraw", SALT, "https://x/a", "a", "dataset")
    assert set(withdrawal.document()) == {"salt", "record", "slug", "kind", "op"}
    erasure = Opening("erase", SALT, target=7)
    assert jcs(erasure.document()) == b'{"op":"erase","salt":"AAECAwQFBgcICQoLDA0ODw","target":7}'


def test_salts_are_url_safe_base64_without_padding():
    salt = b"\xfb\xff" * 8
    written = Opening("erase", salt, target=1).document()["salt"]
    assert written == base64.urlsafe_b64encode(salt).decode().rstrip("=")
    assert set("-_=") & set(str(written)) == set("-_")


def test_an_entry_hashes_to_its_leaf():
    entry = Entry(COLLECTION, 3, 1_763_756_340_007, b"\x01" * 32, None)
    text = (
        '{"at":"2025-11-21T20:19:00.007Z","collection":"' + COLLECTION + '",'
        '"commit":"sha256:' + "01" * 32 + '","seq":3,"v":1}'
    )
    assert rfc8785.dumps(entry.document()) == text.encode()
    assert entry.leaf() == hashlib.sha256(b"\x00" + text.encode()).digest()


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.999Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_always_have_milliseconds(at_ms: int, text: str):
    assert at_text(at_ms) == text


def test_text_that_is_not_unicode_is_malformed():
    with pytest.raises(Malformed):
        Opening("put", SALT, "https://x/\ud800", "a", "dataset", DIGEST).commitment()


@pytest.mark.parametrize("text", ["", "ab" * 32, "sha256:" + "AB" * 32, "sha256:" + "ab" * 31, "sha256:" + "xy" * 32])
def test_what_is_no_digest_is_malformed(text: str):
    with pytest.raises(Malformed):
        digest_bytes(text)


def test_digests_and_keys():
    assert digest_text(digest_bytes(DIGEST)) == DIGEST
    first = hashlib.sha256(b"https://x/a").digest()[:8]
    assert key_of("https://x/a") == int.from_bytes(first, "big", signed=True)
