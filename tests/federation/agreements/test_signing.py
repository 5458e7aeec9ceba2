"""Signatures of agreements: what both cities made holds, and every way to make it otherwise has its own refusal.

In each attack all signatures that can hold do hold: it is the rule under test that refuses, and not the arithmetic.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from node.errors import BadSignature, Malformed, NodeError, Refuted, TooLarge
from node.federation.agreements.signing import ASSIGNER, BOTH, OPEN_MS, Role, attach
from node.federation.agreements.text import CONTEXT, compose, read_text, seconds_text
from node.federation.signing.integrity import jcs
from node.keys import DAY_MS, Keyring, PublicKey
from node.keys.jwk import b64
from node.keys.multibase import multibase, read_multibase
from tests.federation.signing_rig import (
    ABOUT,
    FEDERATION,
    HELSINKI,
    IDS,
    IRI,
    LONDON,
    NOW,
    RULES,
    TARGET,
    Pair,
    text_of,
)

Said = dict[str, Any]
MALLORY = "https://mallory.example"
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair.made(tmp_path_factory.mktemp("pair"))


def checked(pair: Pair, signed: str, *, need: tuple[Role, ...] = BOTH, at_ms: int = NOW + 2_000, **more: Any) -> Any:
    """Checked by London, which has pinned Helsinki's keys."""
    given = {"keys_of": pair.keys_of, "now_ms": at_ms} | more
    return pair.signing(LONDON).check(signed, need=need, **given)


# ---------------------------------------------------------------- as it should be


def test_an_agreement_is_signed_by_one_city_and_then_by_the_other(pair: Pair):
    helsinki, london = pair.signing(HELSINKI), pair.signing(LONDON)
    first = helsinki.sign_as_assigner(text_of(), NOW)
    london.check(first, need=ASSIGNER, keys_of=pair.keys_of, now_ms=NOW + 500, in_force_ms=NOW + 500)
    signed, proof = london.countersign(first, NOW + 1_000)
    assert attach(first, proof) == signed
    text = helsinki.check(signed, keys_of=pair.keys_of, now_ms=NOW + 2_000, in_force_ms=NOW + 2_000)
    assert text.text == text_of().text
    assert text.digest == text_of().digest
    assert [each["proofPurpose"] for each in text.proofs] == ["assertionMethod"] * 2
    assert text.proofs[0]["expires"] == seconds_text(NOW + OPEN_MS)
    assert text.proofs[1]["previousProof"] == text.proofs[0]["id"]
    assert "expires" not in text.proofs[1]
    assert signed.encode() == jcs(json.loads(signed))


def test_a_signed_agreement_holds_for_ever(pair: Pair):
    assert checked(pair, pair.signed(), at_ms=NOW + 3_650 * DAY_MS).proofs


def test_a_city_whose_clock_is_behind_signs_no_earlier_than_the_other(pair: Pair):
    first = pair.signing(HELSINKI).sign_as_assigner(text_of(), NOW + 30_000)
    signed, _ = pair.signing(LONDON).countersign(first, NOW)
    proofs = read_text(signed).proofs
    assert proofs[0]["created"] == proofs[1]["created"]
    assert checked(pair, signed)


def test_the_rig_of_the_attacks_signs_what_holds(pair: Pair):
    assert pair.written() == pair.signed()


def test_nobody_signs_out_of_turn(pair: Pair):
    first = pair.signing(HELSINKI).sign_as_assigner(text_of(), NOW)
    with pytest.raises(Refuted, match="signs it first"):
        pair.signing(LONDON).sign_as_assigner(text_of(), NOW)
    with pytest.raises(Refuted, match="signs it first"):
        pair.signing(HELSINKI).sign_as_assigner(read_text(first), NOW)
    with pytest.raises(Refuted, match="signs it second"):
        pair.signing(HELSINKI).countersign(first, NOW)
    with pytest.raises(Refuted, match="signs it second"):
        pair.signing(LONDON).countersign(text_of().text, NOW)
    with pytest.raises(Refuted, match="signs it second"):
        pair.signing(LONDON).countersign(pair.signed(), NOW)
    with pytest.raises(Refuted, match="expired"):
        pair.signing(LONDON).countersign(first, NOW + OPEN_MS + 1_000)


@pytest.mark.parametrize(
    ("proof", "error"),
    [("[]", Malformed), ("{", Malformed), ('{"id":"a","id":"b"}', Malformed), ('{"x":"' + "y" * 9000 + '"}', TooLarge)],
)
def test_a_proof_that_comes_alone_is_read_as_strictly(pair: Pair, proof: str, error: type[NodeError]):
    first = pair.signing(HELSINKI).sign_as_assigner(text_of(), NOW)
    with pytest.raises(error):
        attach(first, proof)
    with pytest.raises(Malformed, match="one proof"):
        attach(text_of().text, "{}")


# ---------------------------------------------------------------- who signed (rows 9 and 12)


def shuffled(*order: int) -> Callable[[Pair], str]:
    """The signed text with these of its proofs, in this order."""

    def attack(pair: Pair) -> str:
        said = json.loads(pair.signed())
        said["proof"] = [said["proof"][each] for each in order]
        return jcs(said).decode()

    return attack


def told(url: str, **more: Any) -> Callable[[Pair], str]:
    """One city's proof with other members than it should have, really signed so; the other's as it should be."""

    def attack(pair: Pair) -> str:
        return pair.written(None, *((each, more if each == url else {}) for each in (HELSINKI, LONDON)))

    return attack


def bent(where: int, **more: Any) -> Callable[[Pair], str]:
    """Members of a proof changed after it was signed."""

    def attack(pair: Pair) -> str:
        said = json.loads(pair.signed())
        changed = (said["proof"][where] | more).items()
        said["proof"][where] = {name: value for name, value in changed if value is not None}
        return jcs(said).decode()

    return attack


def altered(change: Callable[[Said], object]) -> Callable[[Pair], str]:
    """The agreement changed after both signed it, and written canonically again."""

    def attack(pair: Pair) -> str:
        said = json.loads(pair.signed())
        change(said)
        return jcs(said).decode()

    return attack


def turned(pair: Pair) -> str:
    """Signed by the city that is granted, as if it were the one that grants."""
    until = seconds_text(NOW + OPEN_MS)
    first = pair.proven(text_of().document, LONDON, id=IDS[HELSINKI], expires=until, previousProof=None)
    second = pair.proven(first, HELSINKI, id=IDS[LONDON], created=at(1), expires=None, previousProof=IDS[HELSINKI])
    return jcs(second).decode()


def beside(pair: Pair) -> str:
    """Both signed the bare text: a set of proofs and no chain."""
    both = [pair.proven(text_of().document, url, previousProof=None)["proof"][0] for url in (HELSINKI, LONDON)]
    both[1]["previousProof"] = IDS[HELSINKI]
    return jcs({**text_of().document, "proof": both}).decode()


def malleable(pair: Pair) -> str:
    """The order of the group added to S: other bytes that a careless check takes for the same signature."""
    said = json.loads(pair.signed())
    raw = read_multibase(said["proof"][0]["proofValue"], 64)
    s = int.from_bytes(raw[32:], "little") + ORDER
    said["proof"][0]["proofValue"] = multibase(raw[:32] + s.to_bytes(32, "little"))
    return jcs(said).decode()


def elsewhere(pair: Pair) -> str:
    """An agreement under a name that is another city's to give."""
    text = compose(f"{MALLORY}/agreements/1", TARGET, HELSINKI, LONDON, NOW, ABOUT, RULES)
    return pair.signed(text)


def unchained(pair: Pair) -> str:
    """Two proofs of one name."""
    return pair.written(None, (HELSINKI, {}), (LONDON, {"id": IDS[HELSINKI], "previousProof": IDS[HELSINKI]}))


def spelt(pair: Pair) -> str:
    """The same signature, spelt with a leading digit more."""
    said = json.loads(pair.signed())
    said["proof"][0]["proofValue"] = "z1" + said["proof"][0]["proofValue"][1:]
    return jcs(said).decode()


def at(seconds: int) -> str:
    return seconds_text(NOW + seconds * 1_000)


Attack = tuple[Callable[[Pair], str], type[NodeError], str]
ATTACKS: dict[str, Attack] = {
    # Proofs removed, added, moved.
    "no proof": (lambda pair: text_of().text, Refuted, "not signed by its assigner"),
    "the second proof removed": (shuffled(0), Refuted, "not signed by its assignee"),
    "the first proof removed": (shuffled(1), Refuted, "not signed by its assignee"),
    "the first proof doubled": (shuffled(0, 0), Malformed, "assignee's proof has a member 'expires'"),
    "the second proof doubled": (shuffled(1, 1), Malformed, "assigner's proof lacks the member 'expires'"),
    "three proofs": (shuffled(0, 1, 1), Malformed, "one or two"),
    "the proofs reordered": (shuffled(1, 0), Malformed, "assigner's proof lacks the member 'expires'"),
    "the roles swapped": (turned, Refuted, "in the place of the assigner's is the assignee's"),
    "a set and no chain": (beside, BadSignature, "assignee's signature is not over this text"),
    "two proofs of one name": (unchained, Refuted, "have one name"),
    "nested lists of proofs": (altered(lambda said: said.update(proof=[said["proof"]])), Malformed, "JSON object"),
    "no earlier proof named": (told(LONDON, previousProof=None), Malformed, "lacks the member 'previousProof'"),
    "another proof named": (bent(1, previousProof=IDS[LONDON]), Refuted, "does not stand over the assigner's"),
    "a list of proofs named": (told(LONDON, previousProof=[IDS[HELSINKI]]), Malformed, "is no text"),
    "the assigner over an earlier proof": (bent(0, previousProof=IDS[LONDON]), Malformed, "'previousProof'"),
    # What the proofs say.
    "another suite": (told(HELSINKI, cryptosuite="eddsa-rdfc-2022"), Refuted, "'eddsa-rdfc-2022'; only"),
    "another suite of the second": (told(LONDON, cryptosuite="none"), Refuted, "assignee's proof is a"),
    "another type of proof": (told(HELSINKI, type="Ed25519Signature2020"), Refuted, "'Ed25519Signature2020' of"),
    "another purpose": (told(LONDON, proofPurpose="authentication"), Refuted, "for 'authentication'"),
    "another federation": (told(HELSINKI, domain="https://evil.example/f"), Refuted, "for the federation"),
    "another federation of the second": (told(LONDON, domain=FEDERATION + "/"), Refuted, "for the federation"),
    "no federation": (told(LONDON, domain=None), Malformed, "lacks the member 'domain'"),
    "another context of a proof": (told(HELSINKI, **{"@context": [CONTEXT[0]]}), Refuted, "another @context"),
    "a term swap in a proof's context": (
        told(LONDON, **{"@context": [*CONTEXT, {"assigner": "urn:assignee"}]}),
        Refuted,
        "another @context",
    ),
    "a member more": (told(HELSINKI, challenge="x"), Malformed, "has a member 'challenge'"),
    "a nonce": (told(LONDON, nonce="x"), Malformed, "has a member 'nonce'"),
    "a member that is a number": (told(HELSINKI, domain=7), Malformed, "domain of the assigner's proof is no text"),
    "a proof without a good name": (bent(0, id="urn:uuid:1"), Malformed, "urn:uuid"),
    # Whose keys.
    "another city's key": (
        told(HELSINKI, verificationMethod="did:web:mallory.example#" + "k" * 43),
        Refuted,
        "in the place of the assigner's is of neither party",
    ),
    "a key that nobody pinned": (
        told(HELSINKI, verificationMethod="did:web:helsinki.example#" + "k" * 43),
        BadSignature,
        "not one of https://helsinki.example",
    ),
    "no key": (told(HELSINKI, verificationMethod="did:web:helsinki.example"), BadSignature, "not one of"),
    "a key of the city's old name": (
        told(HELSINKI, verificationMethod="did:web:HELSINKI.example#" + "k" * 43),
        Refuted,
        "of neither party",
    ),
    "a key for checkpoints": (told(HELSINKI, purpose="checkpoint"), BadSignature, "by a checkpoint key of"),
    "a key for cosignatures": (told(LONDON, purpose="witness"), BadSignature, "by a witness key of"),
    # When.
    "dated in the future": (told(LONDON, created=at(63)), Refuted, "dated in the future"),
    "the first dated in the future": (told(HELSINKI, created=at(63)), Refuted, "dated in the future"),
    "older than the agreement": (told(HELSINKI, created=at(-1)), Refuted, "older than the agreement"),
    "the second before the first": (
        lambda pair: pair.written(None, (HELSINKI, {"created": at(2)}), (LONDON, {"created": at(1)})),
        Refuted,
        "older than the assigner's",
    ),
    "countersigned too late": (told(HELSINKI, expires=at(0)), Refuted, "up to fourteen days"),
    "open for longer": (told(HELSINKI, expires=seconds_text(NOW + OPEN_MS + 1_000)), Refuted, "up to fourteen days"),
    "open for ever": (told(HELSINKI, expires=None), Malformed, "lacks the member 'expires'"),
    "a time with fractions": (told(LONDON, created="2027-01-15T08:00:01.5Z"), Malformed, "time of a proof"),
    "a time that is none": (told(HELSINKI, expires="soon"), Malformed, "time of a proof's end"),
    # What was signed.
    "an altered rule": (
        altered(lambda said: said["permission"][0]["constraint"][0].update(rightOperand="2099-01-01T00:00:00Z")),
        BadSignature,
        "assigner's signature is not over this text",
    ),
    "a prohibition removed": (altered(lambda said: said.pop("prohibition")), BadSignature, "not over this text"),
    "an altered title": (altered(lambda said: said.update(title="Other")), BadSignature, "not over this text"),
    "an altered target": (altered(lambda said: said.update(target=TARGET + "2")), BadSignature, "not over this text"),
    "an altered time": (
        altered(lambda said: said.update(timestamp="2027-01-15T07:59:59Z")),
        BadSignature,
        "not over this text",
    ),
    "parties swapped": (
        altered(lambda said: said.update(assigner=LONDON, assignee=HELSINKI)),
        Refuted,
        "not a name that https://london.example/node can give",
    ),
    "a member more in the text": (altered(lambda said: said.update(inheritFrom="urn:x")), Malformed, "inheritFrom"),
    "another context of the text": (altered(lambda said: said["@context"].reverse()), Malformed, "@context"),
    "an altered first proof": (bent(0, created=at(1)), BadSignature, "assigner's signature"),
    "an altered second proof": (bent(1, created=at(2)), BadSignature, "assignee's signature"),
    "the first proof made anew": (
        lambda pair: jcs(
            json.loads(pair.signed())
            | {
                "proof": [
                    json.loads(pair.written(None, (HELSINKI, {"expires": at(60)})))["proof"][0],
                    json.loads(pair.signed())["proof"][1],
                ]
            }
        ).decode(),
        BadSignature,
        "assignee's signature",
    ),
    "S + L": (malleable, BadSignature, "assigner's signature"),
    "a signature of other bytes": (bent(0, proofValue=multibase(bytes(64))), BadSignature, "assigner's signature"),
    "a signature cut short": (bent(0, proofValue=multibase(bytes(63))), Malformed, "64 bytes"),
    "a signature in another base": (bent(1, proofValue="m" + "A" * 86), Malformed, "64 bytes"),
    "a signature in two spellings": (spelt, Malformed, "64 bytes"),
    "a signature of a megabyte": (bent(0, proofValue="z" * 200_000), Malformed, "64 bytes"),
    "a name that the assigner cannot give": (elsewhere, Refuted, "not a name that"),
    # How it is written.
    "a duplicate member": (
        lambda pair: pair.signed().replace('"target":', '"target":"urn:x","target":', 1),
        Malformed,
        "stands twice",
    ),
    "a duplicate member of a proof": (
        lambda pair: pair.signed().replace('"domain":', '"domain":"urn:x","domain":', 1),
        Malformed,
        "stands twice",
    ),
    "NaN": (lambda pair: pair.signed().replace('"review":"2027-06-30"', '"review":NaN'), Malformed, "NaN"),
    "another canonicalisation": (lambda pair: json.dumps(json.loads(pair.signed())), Malformed, "canonical"),
    "escaped characters": (lambda pair: pair.signed().replace("–", "\\u2013"), Malformed, "canonical"),
    "a line more": (lambda pair: pair.signed() + "\n", Malformed, "canonical"),
    "ten megabytes": (altered(lambda said: said.update(note="x" * 10_000_000)), TooLarge, "bytes"),
    "a depth bomb": (
        lambda pair: pair.signed()[:-1] + ',"x":' + '{"a":' * 30_000 + "1" + "}" * 30_001,
        TooLarge,
        "20 levels",
    ),
    "a deep proof": (
        altered(lambda said: said["proof"][0].update(x=json.loads("[" * 30 + "]" * 30))),
        TooLarge,
        "20 levels",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_has_its_own_refusal(pair: Pair, attack: str):
    made, error, words = ATTACKS[attack]
    with pytest.raises(NodeError, match=words) as raised:
        checked(pair, made(pair))
    assert raised.type is error


def test_the_first_signature_alone_is_not_the_agreement_of_both(pair: Pair):
    first = pair.signing(HELSINKI).sign_as_assigner(text_of(), NOW)
    assert checked(pair, first, need=ASSIGNER)
    with pytest.raises(Refuted, match="not signed by its assignee"):
        checked(pair, first)
    with pytest.raises(Refuted, match="2 proofs"):
        checked(pair, pair.signed(), need=ASSIGNER)
    with pytest.raises(Refuted, match="expired"):
        checked(pair, first, need=ASSIGNER, at_ms=NOW + OPEN_MS + 1_000)


def test_one_federation_takes_no_signatures_of_another(pair: Pair):
    with pytest.raises(Refuted, match="federation"):
        pair.signing(LONDON, "https://other.example/f").check(pair.signed(), keys_of=pair.keys_of, now_ms=NOW + 2_000)


# ---------------------------------------------------------------- keys and their time (row 8)


def pinned(pair: Pair, **changes: Any) -> Callable[[str], Sequence[PublicKey]]:
    """Helsinki's record key as a peer has it pinned, with another time."""
    return lambda url: [replace(key, **changes) for key in pair.keys_of(url) if key.purpose == "record"]


KEYS: dict[str, tuple[Said, Said, str]] = {
    "younger than its signature": ({"since_ms": NOW + 1_000}, {}, "older than the key"),
    "replaced by then": ({"until_ms": NOW}, {}, "had been replaced"),
    "replaced since, and the proof comes fresh": (
        {"until_ms": NOW + 1_500},
        {"in_force_ms": NOW + 2_000},
        "not in force",
    ),
}


@pytest.mark.parametrize("case", KEYS)
def test_a_key_signs_in_its_time(pair: Pair, case: str):
    changes, more, words = KEYS[case]
    with pytest.raises(BadSignature, match=words):
        checked(pair, pair.signed(), keys_of=pinned(pair, **changes), **more)


def test_a_key_that_was_replaced_since_still_checks_what_it_signed(pair: Pair):
    assert checked(pair, pair.signed(), keys_of=pinned(pair, until_ms=NOW + 1_500))
    assert checked(pair, pair.signed(), keys_of=pinned(pair, since_ms=NOW + 999))


def test_a_signature_of_a_rotated_key_holds_by_the_history_of_its_city(pair: Pair, tmp_path_factory: Any):
    fresh = Pair(pair.keyrings | {HELSINKI: Keyring.create(tmp_path_factory.mktemp("rotated"), now_ms=NOW - DAY_MS)})
    signed = fresh.signed()
    fresh.keyrings[HELSINKI].rotate("record", now_ms=NOW + DAY_MS, overlap_ms=0)
    assert checked(fresh, signed, at_ms=NOW + 2 * DAY_MS)
    with pytest.raises(BadSignature, match="not in force"):
        checked(fresh, signed, at_ms=NOW + 2 * DAY_MS, in_force_ms=NOW + 2 * DAY_MS)
    text = compose(IRI, TARGET, HELSINKI, LONDON, NOW + 2 * DAY_MS, ABOUT, RULES)
    assert checked(fresh, fresh.signed(text, NOW + 2 * DAY_MS), at_ms=NOW + 3 * DAY_MS)


def test_keys_of_small_order_sign_nothing(pair: Pair):
    for raw in (b"\x01" + bytes(31), bytes(32), bytes.fromhex("ec" + "ff" * 30 + "7f")):
        key = pair.keyrings[HELSINKI].current("record")
        weak = replace(key, jwk={"kty": "OKP", "crv": "Ed25519", "x": b64(raw)})
        with pytest.raises(Malformed, match="small order"):
            checked(pair, pair.signed(), keys_of=lambda _, weak=weak: [weak])


def test_an_agreement_names_its_parties_by_addresses(pair: Pair):
    text = compose("someone/agreements/1", TARGET, "someone", LONDON, NOW, {}, RULES)
    with pytest.raises(Malformed, match="no base URL"):
        checked(pair, jcs(pair.proven(pair.proven(text.document, HELSINKI), LONDON)).decode())
