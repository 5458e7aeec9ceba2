"""What one city alone has made proves nothing of the other, and every changed byte of an export is found."""

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest

from node.federation.agreements.signing import Signing
from node.federation.evidence import bundle, verify
from node.federation.evidence.proofs import Hand
from node.federation.evidence.verify import written
from node.federation.signing.integrity import unsecured
from node.keys import Keyring
from tests.federation.evidence.bundle_rig import Made, Said, keys_of, leave_out, sentences
from tests.federation.evidence.rig import LATER, Rig, moved
from tests.federation.signing_rig import FEDERATION, HELSINKI, LONDON, NOW, Pair, text_of

pytestmark = pytest.mark.slow  # several nodes, and hundreds of verifications


# ---------------------------------------------------------------- every byte


def test_every_changed_byte_is_found(made: Made):
    """Any byte of the file, changed to any other: a few hundred by chance, and one in every line."""
    chance = random.Random(8)
    starts = [0, *(at + 1 for at, byte in enumerate(made.body) if byte == 10)]
    lines = [chance.randrange(start, max(start + 1, end - 1)) for start, end in pairwise(starts)]
    places = {*chance.sample(lines, min(len(lines), 60)), *(chance.randrange(len(made.body)) for _ in range(60))}
    for place in sorted(places):
        byte = chance.choice([each for each in range(32, 127) if each != made.body[place]])
        bent = made.body[:place] + bytes([byte]) + made.body[place + 1 :]
        report = made.judged(bent)
        # Where it says what it is, one byte makes something else of it.
        wanted = "refuted" if b'"citynode": "evidence/1"' in bent else "no bundle"
        assert report.verdict == wanted, (place, made.body[max(0, place - 60) : place + 20], byte)
        assert report.reason or not report.statements


def test_what_is_cut_off_or_added_is_found(made: Made):
    for bent in (made.body[:-1], made.body[:-2], made.body + b"\n", made.body[1:], made.body.replace(b"  ", b" ")):
        assert (made.judged(bent).verdict, made.judged(bent).exit_code) == ("refuted", 1)


def test_what_is_no_export_of_evidence_is_no_evidence_that_was_refuted(made: Made):
    agreement = json.dumps(made.told["agreements"][0]).encode()
    newer = made.body.replace(b'"evidence/1"', b'"evidence/2"')
    for other in (b"", b"{}", b"[]", b"\xff", b"\x89PNG", agreement, newer):
        report = made.judged(other)
        assert (report.verdict, report.exit_code) == ("no bundle", 2)
        assert report.lines() == [
            "no bundle: This is no export of evidence. Give what citynode evidence export writes."
        ]


def test_a_receipt_that_the_exporter_wrote_alone_is_found(made: Made):
    """London writes a receipt with both places, and its own hand in both."""
    rig = made.rig
    half, answer = rig.pulled([moved("forged.csv")])
    forged = json.loads(answer)
    forged["proof"] = [forged["proof"][0], {**json.loads(half)["proof"][0], "previousProof": forged["proof"][0]["id"]}]
    side = rig.london
    text = json.dumps(forged, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with side.writing() as tx:
        record = side.evidence._file(tx, f"{LONDON}/statements/forged", text, NOW + 70_000).record
    report = made.judged(bundle.export(side.sources, [side.evidence.store.get(record)], now_ms=LATER))
    assert report.verdict == "refuted"
    assert "proof" in sentences(report, holds=False)
    side.evidence.erase(record, now_ms=NOW + 80_000)


def forger(folder: Path) -> tuple[Keyring, Said]:
    """A keyring of nobody's, and its key for records as somebody's former one."""
    ring = Keyring.create(folder, now_ms=NOW - 1_000)
    key = {**ring.current("record").document(), "until": "2027-06-01T00:00:00.000Z"}
    return ring, key


def test_a_former_key_that_only_the_file_names_proves_nothing(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """London alone writes a receipt, and makes a key that it says was Helsinki's once: both fingerprints are right."""
    rig, side = made.rig, made.rig.london
    monkeypatch.setattr(side, "witnesses", [])  # Helsinki has seen another state
    ring, key = forger(tmp_path / "forger")
    _, answer = rig.pulled([moved("never.csv")])
    lie = unsecured(json.loads(answer))
    lie["parts"][0]["bytes"] = 10**9
    half = side.hand.sign(lie, NOW + 30_000)
    both = Hand(ring, url=HELSINKI, federation=FEDERATION).sign(half, NOW + 31_000)
    text = json.dumps(both, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with side.writing() as tx:
        record = side.evidence._file(tx, f"{LONDON}/statements/never", text, NOW + 71_000).record
    told = json.loads(bundle.export(side.sources, [side.evidence.store.get(record)], now_ms=LATER))
    keys_of(told, HELSINKI).append(key)
    report = made.judged(made.signed(told))
    assert (report.verdict, report.exit_code, report.unpinned) == ("incomplete", 3, []), report.lines()
    assert report.lines()[-1].startswith(f"not proven: The statement of {HELSINKI} does not name the key {key['kid']}")
    assert "Receipt" not in sentences(report, holds=True)
    assert "signed by" in sentences(report, holds=None)
    side.evidence.erase(record, now_ms=NOW + 81_000)


def test_an_agreement_by_such_a_key_is_not_proven_either(made: Made, tmp_path: Path):
    ring, key = forger(tmp_path / "forger")
    towns = made.rig.towns
    first_hand = Signing(ring, url=HELSINKI, federation=FEDERATION).sign_as_assigner(text_of(), NOW)
    lie = Signing(towns.pair.keyrings[LONDON], url=LONDON, federation=FEDERATION).countersign(first_hand, NOW + 1_000)
    told = made.told
    told["agreements"][0] |= {"text": lie[0], "agreement": text_of().iri, "journals": []}
    next(each["keys"] for each in told["agreements"][0]["cities"] if each["url"] == HELSINKI).append(key)
    leave_out(told)  # the receipt is under another text
    report = made.judged(made.signed(told))
    assert (report.verdict, report.exit_code) == ("incomplete", 3), report.lines()
    assert "is signed by both cities" not in sentences(report, holds=True)


def test_the_city_that_exports_vouches_for_its_own_former_keys(tmp_path: Path, migrated: Path):
    """After two dozen rotations London's statement names its first key no more; London signs the file that does."""
    pair = Pair.made(tmp_path / "pair")
    rig = Rig.made(tmp_path, migrated, pair)
    rig.filed(*rig.pulled([moved()]))
    for times in range(1, 26):
        pair.keyrings[LONDON].rotate("record", now_ms=NOW + 100_000 + times, overlap_ms=0, issuer=LONDON)
    body = rig.london.desk.export()
    rig.close()
    pins = {url: ring.fingerprint for url, ring in pair.keyrings.items()}
    report = verify.verify(body, trusted=pins, now_ms=LATER)
    assert report.verdict == "proven", report.lines()
    told = json.loads(body)
    told["by"] = HELSINKI  # by anybody else's word they are not
    bent = written(Hand(pair.keyrings[HELSINKI], url=HELSINKI, federation=FEDERATION).sign(unsecured(told), LATER))
    assert any("does not name the key" in each for each in verify.verify(bent, trusted=pins, now_ms=LATER).doubts)


def test_a_receipt_without_its_agreement_holds_and_is_not_the_whole_proof(made: Made):
    told = made.told
    told["agreements"] = []
    report = made.judged(made.signed(told))
    assert (report.verdict, report.exit_code) == ("incomplete", 3)
    assert "is not in the file" in sentences(report, holds=None)
    assert "Receipt" in sentences(report, holds=True)


def test_a_file_of_another_city_about_us_is_not_ours(made: Made):
    """Helsinki signs London's file: it is then a file of nobody's journal."""
    told = {**made.told, "by": HELSINKI}
    report = made.judged(made.signed(told, HELSINKI))
    assert "not the evidence of https://helsinki.example" in sentences(report, holds=False)
