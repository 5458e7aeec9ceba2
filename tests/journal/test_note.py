"""Signed notes against the examples of the Go implementation that the C2SP text was written from, and refusals."""

import base64
import hashlib

import pytest

from node.errors import Malformed, Refuted
from node.journal import note
from node.journal.tree import EMPTY_ROOT
from node.keys import Keyring, verified

GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SUMDB_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
ORIGIN = "127.0.0.1:8001/collections/open-data"


@pytest.fixture
def public(keyring: Keyring) -> bytes:
    return keyring.public_key("checkpoint")


def signed(keyring: Keyring, size: int = 0, root: bytes = EMPTY_ROOT) -> str:
    checkpoint = note.Checkpoint(ORIGIN, size, root)
    return note.signed(checkpoint, keyring.public_key("checkpoint"), lambda b: keyring.sign("checkpoint", b))


@pytest.mark.parametrize("line", [GO_KEY, SUMDB_KEY])
def test_keys_are_named_as_go_names_them(line: str):
    name, hint, data = line.split("+", 2)
    key = base64.b64decode(data)[1:]
    assert note.key_hint(name, key).hex() == hint
    assert note.verifier_key(name, key) == line


def test_a_note_signed_by_go_holds():
    name, _, data = GO_KEY.split("+", 2)
    key = base64.b64decode(data)[1:]
    parsed = note.parse(GO_NOTE)
    assert parsed.render() == GO_NOTE
    (signature,) = parsed.signatures
    assert (signature.name, signature.hint) == (name, note.key_hint(name, key))
    assert verified(key, parsed.text.encode(), signature.signature)


def test_a_checkpoint_is_three_lines_an_empty_one_and_a_signature(keyring: Keyring, public: bytes):
    text = signed(keyring)
    origin, size, root, empty, last, end = text.split("\n")
    assert (origin, size, empty, end) == (ORIGIN, "0", "", "")
    assert root == base64.b64encode(hashlib.sha256(b"").digest()).decode()
    dash, name, data = last.split(" ")
    raw = base64.b64decode(data)
    assert (dash, name) == ("\u2014", ORIGIN)
    assert raw[:4] == hashlib.sha256(ORIGIN.encode() + b"\n\x01" + public).digest()[:4]
    assert keyring.verify("checkpoint", f"{origin}\n{size}\n{root}\n".encode(), raw[4:])
    assert note.opened(text, {ORIGIN: [public]}, verified) == note.Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def test_signatures_of_strangers_are_passed_over(keyring: Keyring, public: bytes):
    text = signed(keyring) + GO_NOTE.rpartition("\n\n")[2]
    assert note.opened(text, {ORIGIN: [b"\x02" * 32, public]}, verified).size == 0
    with pytest.raises(Refuted, match="No key"):
        note.opened(text, {}, verified)


def test_a_wrong_signature_of_a_known_key_refutes_the_note(keyring: Keyring, public: bytes):
    text = signed(keyring)
    other = text.replace("\n0\n", "\n1\n")
    with pytest.raises(Refuted, match="wrong"):
        note.opened(other, {ORIGIN: [public]}, verified)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: "",
        lambda t: t.replace("\n\n", "\n"),
        lambda t: t[:-1],
        lambda t: t.replace("\u2014 ", "- "),
        lambda t: t.replace("\u2014 ", "\u2014  "),
        lambda t: t.replace("0\n", "0\r\n", 1),
        lambda t: t.replace("\u2014 127", "\u2014 a+127"),
        lambda t: t.replace("\u2014 127", "\u2014 a\u00a0127"),
        lambda t: t.rpartition(" ")[0] + " AAAA\n",
        lambda t: t.rpartition(" ")[0] + " *\n",
        lambda t: t.rpartition(" ")[0] + " AAAAAAB=\n",
        lambda t: t + t.split("\n")[4] + "\n\n",
        lambda t: t + (t.split("\n")[4] + "\n") * 40,
        lambda t: "x" * 70_000 + t,
    ],
)
def test_what_is_no_note_is_malformed(keyring: Keyring, public: bytes, change):
    with pytest.raises(Malformed):
        note.opened(change(signed(keyring)), {ORIGIN: [public]}, verified)


@pytest.mark.parametrize(
    "text",
    [
        "o\n0\n" + "A" * 43 + "=\nextension\n",
        "\n0\n" + "A" * 43 + "=\n",
        "o\n00\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n\u0661\n" + "A" * 43 + "=\n",
        "o\n" + "9" * 30 + "\n" + "A" * 43 + "=\n",
        "o\n0\nAAAA\n",
        "o\n0\n" + "A" * 42 + "B=\n",
        "o\n0\n",
    ],
)
def test_what_is_no_checkpoint_is_malformed(text: str):
    with pytest.raises(Malformed):
        note.checkpoint_of(text)


@pytest.mark.parametrize(
    "iri", ["", "data", "http://", "http://x/a+b", "http://x/a b", "http://x/\u00a0", "http://x/\n"]
)
def test_an_iri_that_cannot_name_a_key_is_malformed(iri: str):
    with pytest.raises(Malformed):
        note.origin_of(iri)


def test_the_origin_is_the_iri_without_its_scheme():
    assert note.origin_of("https://" + ORIGIN) == ORIGIN
