"""The export of evidence proves itself without a node, and every change to it is found, whoever made the change."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from node.errors import Malformed, NotFound, TooLarge
from node.federation.agreements.signing import Signing
from node.federation.evidence import bundle, verify
from node.federation.evidence.proofs import Hand
from node.federation.evidence.report import Report
from node.federation.evidence.verify import pins_of, written
from node.federation.moved import StatementWish
from node.federation.signing.integrity import unsecured
from node.journal import note
from node.keys import Keyring
from tests.federation.evidence.rig import LATER, Rig, moved
from tests.federation.signing_rig import FEDERATION, HELSINKI, LONDON, NOW, Pair, text_of

pytestmark = pytest.mark.slow  # several nodes, and hundreds of verifications

Said = dict[str, Any]


@dataclass
class Made:
    """One export of London's that every attack begins with: a receipt, a difference, and what London alone says."""

    rig: Rig
    body: bytes

    @property
    def told(self) -> Said:
        told: Said = json.loads(self.body)
        return told

    @property
    def pins(self) -> dict[str, str]:
        return {url: ring.fingerprint for url, ring in self.rig.towns.pair.keyrings.items()}

    def judged(self, body: bytes | None = None, **pins: str) -> Report:
        return verify.verify(self.body if body is None else body, trusted=pins or self.pins, now_ms=LATER)

    def signed(self, told: Said, url: str = LONDON) -> bytes:
        """The file as a city that wants to deceive would sign it anew."""
        ring = self.rig.towns.pair.keyrings[url]
        return written(Hand(ring, url=url, federation=FEDERATION).sign(unsecured(told), LATER))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Made]:
    pair = Pair.made(tmp_path_factory.mktemp("pair"))
    rig = Rig.made(tmp_path_factory.mktemp("towns"), migrated, pair)
    half, answer = rig.pulled([moved()])
    rig.filed(half, answer)
    other = rig.london.evidence.half(rig.london.transfer(rig.agreement), [moved("x.csv")], now_ms=NOW + 50_000)
    with rig.london.writing() as tx:
        transfer = rig.london.transfer(rig.agreement)
        rig.london.evidence.cut(tx, transfer, why="The agreement was revoked.", now_ms=NOW + 60_000)
        said = {"receipt": other, "differences": [{"member": "x", "ours": "1", "theirs": "2"}], "transfer": "p2"}
        rig.london.evidence.put(tx, "difference", "p2", said, other=HELSINKI, at_ms=NOW + 61_000)
    rig.london.evidence.sign(NOW + 62_000)
    cosign(rig)
    yield Made(rig, rig.london.desk.export())
    rig.close()


def cosign(rig: Rig) -> None:
    """Helsinki witnesses London's evidence."""
    with rig.london.town.db.read() as tx:
        text = rig.london.town.journals.newest_checkpoint(tx, "evidence")
    assert text
    ring = rig.towns.pair.keyrings[HELSINKI]
    line = note.cosign(
        "helsinki.example",
        ring.public_key("witness"),
        note.parse(text).text,
        at_s=(NOW + 63_000) // 1000,
        sign=lambda message: ring.sign("witness", message),
    ).line()
    rig.london.witnesses = [line]


def sentences(report: Report, *, holds: bool | None) -> str:
    return "\n".join(each.sentence for each in report.findings if each.holds is holds)


def test_an_export_proves_itself_under_the_fingerprints_that_were_given(made: Made):
    report = made.judged()
    assert (report.verdict, report.exit_code, report.unpinned) == ("proven", 0, []), report.lines()
    assert [each.kind for each in report.statements] == ["receipt", "cut", "difference"]
    told = sentences(report, holds=True)
    for piece in (
        "The file is whole",
        "is signed by both cities",
        "Receipt https://helsinki.example/receipts/",
        ": 8 bytes of https://helsinki.example/datasets/plans went from https://helsinki.example to https://london",
        "Cut: a transfer of https://helsinki.example/datasets/plans between https://london.example/node and",
        "Difference: ",
        "under the signed checkpoint",
        "helsinki.example has seen this state of the journal",
        "in that statement is signed by https://london.example/node (2027-",
        "and bears no other signature",
    ):
        assert piece in told, piece
    assert report.lines()[-1] == "proven: 3 statements of https://london.example/node"
    assert report.document()["verdict"] == "proven"


def test_without_fingerprints_it_says_whose_they_would_have_to_be(made: Made):
    report = verify.verify(made.body, trusted={}, now_ms=LATER)
    assert report.verdict == "proven"
    assert {city for city, _ in report.unpinned} == {HELSINKI, LONDON}
    assert f"{LONDON}={made.pins[LONDON]}" in report.lines()[-1]


def test_a_city_may_be_pinned_by_its_name(made: Made):
    assert made.judged(Helsinki=made.pins[HELSINKI]).verdict == "proven"


def test_another_fingerprint_refutes_it(made: Made):
    for pins in ({HELSINKI: "x" * 43}, {"Helsinki": "x" * 43}, {"https://rome.example": made.pins[HELSINKI]}):
        assert made.judged(**pins).verdict == "refuted"


def test_a_witness_is_no_must_and_its_absence_is_said(made: Made):
    made.rig.london.witnesses, kept = [], made.rig.london.witnesses
    try:
        report = made.judged(made.rig.london.desk.export())
    finally:
        made.rig.london.witnesses = kept
    assert report.verdict == "proven"
    assert "No witness has cosigned" in sentences(report, holds=None)


def test_what_is_asked_for_is_what_is_exported(made: Made):
    desk = made.rig.london.desk
    since = json.loads(desk.export(StatementWish(since_ms=NOW + 60_500)))
    assert len(since["journal"]["entries"]) == 1
    assert len(json.loads(desk.export(StatementWish(agreement=made.rig.agreement)))["journal"]["entries"]) == 2
    with pytest.raises(NotFound):
        desk.export(StatementWish(transfer="none"))


def test_what_is_named_is_exported_whole_and_by_the_beginning_of_its_name(made: Made):
    desk = made.rig.london.desk
    receipt = next(each for each in desk.statements() if each.kind == "receipt")

    def entries(**said: Any) -> int:
        return len(json.loads(desk.export(**said))["journal"]["entries"])

    assert entries(names=[receipt.record.rpartition("/")[2][:8]]) == 1
    assert entries(names=[receipt.transfer[:8]]) == entries(wish=StatementWish(transfer=receipt.transfer[:8])) == 2
    assert entries(names=[receipt.transfer, receipt.record]) == 2, "nothing stands in it twice"
    assert entries(wish=StatementWish(kind="receipt")) == 1
    for nothing in ({"names": ["cccc"]}, {"wish": StatementWish(transfer="cccc")}):
        with pytest.raises(NotFound):
            desk.export(**nothing)  # type: ignore[arg-type]


def test_a_file_says_how_much_of_the_journal_it_shows(made: Made):
    whole = made.judged()
    assert "All 3 entries of that journal are in this file" in sentences(whole, holds=None)
    assert f"By the word of {LONDON} this is all that it has." in sentences(whole, holds=None)
    told = made.told
    leave_out(told)
    report = made.judged(made.signed(told))
    assert report.verdict == "proven"
    assert "2 of the 3 entries of that journal are in this file" in sentences(report, holds=None)


def test_more_statements_than_a_file_holds_are_never_left_out_silently(tmp_path: Path, migrated: Path):
    """All of one moment, as where a city withdraws many at once: only by parts can they be exported."""
    pair = Pair.made(tmp_path / "pair")
    rig = Rig.made(tmp_path, migrated, pair)
    desk, count = rig.london.desk, verify.MAX_STATEMENTS + 1
    with rig.london.writing() as tx:
        for number in range(count):
            rig.london.evidence.put(tx, "cut", str(number), {"transfer": "p1"}, other=HELSINKI, at_ms=NOW + 20_000)
    for wish in (StatementWish(), StatementWish(transfer="p1"), StatementWish(since_ms=NOW)):
        with pytest.raises(TooLarge, match=r"There are 1001 statements of that.* --part 1 to --part 2"):
            desk.export(wish)
    with pytest.raises(TooLarge):
        desk.export(names=["p1"])
    with pytest.raises(NotFound, match="There are 2 parts"):
        desk.export(part=3)
    pins = {url: ring.fingerprint for url, ring in pair.keyrings.items()}
    parts = [verify.verify(desk.export(part=number), trusted=pins, now_ms=LATER) for number in (1, 2)]
    rig.close()
    assert [(each.verdict, len(each.statements)) for each in parts] == [("proven", 1_000), ("proven", 1)]
    assert len({each.record for one in parts for each in one.statements}) == count
    assert "1 of the 1001 entries of that journal are in this file" in sentences(parts[1], holds=None)
    assert "this is all that it has of: part 2 of 2" in sentences(parts[1], holds=None)


def test_a_statement_is_checked_live_by_the_same_proof(made: Made):
    desk = made.rig.london.desk
    for told in desk.statements():
        checked = desk.check(told.record)
        assert checked.holds, checked.findings
        assert desk.statement(told.record.rpartition("/")[2]) == told


def test_more_than_a_file_holds_is_not_begun(made: Made, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundle, "MAX_STATEMENTS", 2)
    with pytest.raises(TooLarge, match="2 statements"):
        made.rig.london.desk.export()
    monkeypatch.undo()
    monkeypatch.setattr(bundle, "MAX_BYTES", 100)
    with pytest.raises(TooLarge, match="bytes"):
        made.rig.london.desk.export()


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


# ---------------------------------------------------------------- whoever exports may lie


def first(told: Said) -> Said:
    entry: Said = told["journal"]["entries"][0]
    return entry


def leave_out(told: Said) -> None:
    """Leave the receipt out, and say that the rest was all that was asked for."""
    told["journal"]["entries"] = told["journal"]["entries"][1:]
    told["selection"]["statements"] -= 1


def bend_payload(told: Said) -> None:
    first(told)["payload"] = first(told)["payload"].replace('\\"bytes\\":8', '\\"bytes\\":9')


def swap_payloads(told: Said) -> None:
    entries = told["journal"]["entries"]
    entries[0]["payload"], entries[1]["payload"] = entries[1]["payload"], entries[0]["payload"]


def drop_city(url: str) -> Callable[[Said], None]:
    def act(told: Said) -> None:
        told["cities"] = [each for each in told["cities"] if each["url"] != url]

    return act


def bend_agreement(told: Said) -> None:
    told["agreements"][0]["text"] = told["agreements"][0]["text"].replace("luonnokset", "luonnoksia")


def younger(told: Said) -> None:
    """Let a city's list say that the keys of all cities had ended before."""
    for city in told["cities"]:
        for key in city["keys"]:
            if key["purpose"] == "record":
                key["until"] = "2026-12-31T00:00:00.000Z"


def keys_of(told: Said, url: str) -> list[Said]:
    keys: list[Said] = next(each["keys"] for each in told["cities"] if each["url"] == url)
    return keys


def swap_keys(told: Said) -> None:
    one, two = told["cities"]
    one["keys"], two["keys"] = two["keys"], one["keys"]


def agreement_in(told: Said) -> Said:
    found: Said = told["agreements"][0]
    return found


def forge_agreement(told: Said) -> None:
    """An agreement that nobody signed, beside the true one, and no keys with it by which that would be seen."""
    lie = json.loads(json.dumps(agreement_in(told)))
    iri = f"{HELSINKI}/agreements/11111111-1111-4111-8111-111111111111"
    lie |= {"agreement": iri, "cities": [], "journals": []}
    lie["text"] = lie["text"].replace(agreement_in(told)["agreement"], iri)
    told["agreements"].append(lie)


def bend_proof(number: int) -> Callable[[Said], None]:
    def act(told: Said) -> None:
        text = json.loads(agreement_in(told)["text"])
        value = text["proof"][number]["proofValue"]
        bent = value[:10] + ("2" if value[10] != "2" else "3") + value[11:]
        agreement_in(told).update(cities=[], text=agreement_in(told)["text"].replace(value, bent))

    return act


LIES: dict[str, tuple[Callable[[Said], object], str]] = {
    "an entry twice": (lambda told: told["journal"]["entries"].append(first(told)), "is there twice"),
    "entries in another order": (lambda told: told["journal"]["entries"].reverse(), "stands behind entry"),
    "an agreement twice": (lambda told: told["agreements"].append(told["agreements"][0]), "is in the file twice"),
    "another day of export": (lambda told: told.update(exported="2999-01-01T00:00:00.000Z"), "not signed when"),
    "a day of export that is none": (lambda told: told.update(exported="lie"), "RFC 3339"),
    "an agreement of another day": (
        lambda told: told["agreements"][0].update(exported="2999-01-01T00:00:00.000Z"),
        "exported in the future",
    ),
    "each other's keys": (swap_keys, "is said to be of"),
    "its own key as the other's": (
        lambda told: keys_of(told, HELSINKI).append(keys_of(told, LONDON)[-1]),
        "is said to be of",
    ),
    "a key twice": (lambda told: keys_of(told, LONDON).append(keys_of(told, LONDON)[0]), "names a key twice"),
    "an endorsement of nothing": (lambda told: keys_of(told, LONDON)[0].update(endorsement="x"), "other members"),
    "more about a key": (lambda told: keys_of(told, LONDON)[0]["jwk"].update(note="x"), "other members"),
    "a use of a key": (lambda told: keys_of(told, LONDON)[0]["jwk"].update(use="sig"), "other members"),
    "blanks behind a statement": (
        lambda told: told["cities"][1].update(statement=told["cities"][1]["statement"] + "\n \n"),
        "which nobody signed",
    ),
    "more about a city": (lambda told: told["cities"][0].update(note="x"), "other members"),
    "more about an entry": (lambda told: first(told).update(note="x"), "other members"),
    "more about the journal": (lambda told: told["journal"].update(note="x"), "other members"),
    "more about an agreement": (lambda told: told["agreements"][0].update(note="x"), "other members"),
    "more bytes than both signed": (bend_payload, "is not the one that the entry names"),
    "statements under each other's entries": (swap_payloads, "is not the one that the entry names"),
    "another opening": (lambda told: first(told)["opening"].update(slug="x"), "does not commit"),
    "another time": (lambda told: first(told)["entry"].update(at="2027-01-15T07:00:00.000Z"), "not in the tree"),
    "another place in the tree": (lambda told: first(told)["inclusion"].update(leaf_index=1), "not in the tree"),
    "an entry without its opening": (lambda told: first(told).update(opening=None), "no statement of evidence"),
    "an entry without its statement": (lambda told: first(told).pop("payload"), "has no statement"),
    "no entries": (lambda told: told["journal"].update(entries=[]), "1 to 1000 entries"),
    "another journal": (
        lambda told: told["journal"].update(collection=f"{HELSINKI}/collections/evidence"),
        "not the evidence of",
    ),
    "another checkpoint": (
        lambda told: told["journal"].update(checkpoint=told["journal"]["checkpoint"].replace("\n3\n", "\n4\n")),
        "does not hold",
    ),
    "a cosignature of nothing": (
        lambda told: told["journal"].update(checkpoint=told["journal"]["checkpoint"][:-8] + "AAAAAA=\n"),
        "",
    ),
    "a pinned city left out": (drop_city(HELSINKI), "the file has no such city"),
    "an entry left out": (lambda told: told["journal"]["entries"].pop(), "does not hold the 3 statements"),
    "another selection": (lambda told: told["selection"].update(kind="cut"), "that it was made of: kind cut"),
    "a selection that is none": (lambda told: told.update(selection=[]), "selection of the export has other members"),
    "a city twice": (lambda told: told["cities"].append(told["cities"][0]), "twice"),
    "an agreement with another text": (bend_agreement, "does not hold"),
    "a statement of another city": (
        lambda told: told["cities"][0].update(url="https://rome.example"),
        "rome.example does not hold",
    ),
    "keys that had ended": (younger, "not in force"),
    "another federation": (lambda told: told.update(federation="urn:other"), "belongs to another federation"),
    "another meaning of its words": (lambda told: told.update({"@context": ["x"]}), "no export of evidence"),
    "a journal that is none": (
        lambda told: agreement_in(told).update(journals=[{"a": 1}]),
        "not one of the two parties",
    ),
    "a journal of nobody's": (
        lambda told: agreement_in(told)["journals"][0].update(city="https://rome.example"),
        "not one of the two parties",
    ),
    "a journal called otherwise": (
        lambda told: agreement_in(told)["journals"][0].update(collection=f"{HELSINKI}/collections/x"),
        "about this pair of cities is",
    ),
    "a note where a key's endorser stands": (
        lambda told: keys_of(told, LONDON)[0].update(endorsed_by="the agreement is void"),
        "other members",
    ),
    "a member too many": (lambda told: told.update(extra=1), "no export of evidence"),
    "cities that are no list": (lambda told: told.update(cities={}), "no list"),
    "a city that is no city": (lambda told: told["cities"].append({"url": 1}), "no address"),
    "an agreement that is none": (lambda told: told["agreements"].append({"cities": [1]}), "does not hold"),
    "numbers where texts belong": (lambda told: first(told).update(entry=5), "entry"),
}


@pytest.mark.parametrize("case", LIES)
def test_whatever_the_exporting_city_changes_is_found_though_it_signs_anew(made: Made, case: str):
    lie, said = LIES[case]
    told = made.told
    lie(told)
    report = made.judged(made.signed(told))
    assert report.verdict == "refuted"
    assert said in sentences(report, holds=False)


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


# ---------------------------------------------------------------- without a node


OFFLINE = """
import socket, sys, time
class NoNetwork(socket.socket):
    def __init__(self, *_, **__): raise OSError("no network here")
socket.socket = NoNetwork
time.time_ns = lambda: {now_ns}
from node.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_command_proves_it_on_a_machine_that_has_no_node(made: Made, tmp_path: Path):
    file, elsewhere = tmp_path / "evidence.json", tmp_path / "empty"
    elsewhere.mkdir()
    file.write_bytes(made.body)
    run = OFFLINE.format(now_ns=LATER * 1_000_000)
    pins = [f"--key={url}={fingerprint}" for url, fingerprint in made.pins.items()]

    def told(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin", "HOME": str(elsewhere), "PYTHONPATH": str(Path(__file__).parents[3])}
        return subprocess.run(
            [sys.executable, "-c", run, "evidence", "verify", *arguments],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG")
    none = told(str(picture))
    assert (none.returncode, none.stdout.startswith("no bundle: ")) == (2, True)
    proven = told(str(file), *pins)
    assert (proven.returncode, proven.stderr) == (0, "")
    assert proven.stdout.endswith("proven: 3 statements of https://london.example/node\n")
    file.write_bytes(made.body.replace(b"plans.csv", b"plant.csv", 1))
    assert told(str(file), "--json").returncode == 1
    assert told(str(tmp_path / "none.json")).returncode == 2
    assert list(elsewhere.iterdir()) == []


def test_fingerprints_are_given_by_city(made: Made):
    assert pins_of([f"{LONDON}/=abc", "Helsinki=x"]) == {LONDON: "abc", "Helsinki": "x"}
    for wrong in ("abc", "=abc", "x=", ["Helsinki=x", "Helsinki=y"]):
        with pytest.raises(Malformed):
            pins_of([wrong] if isinstance(wrong, str) else wrong)
