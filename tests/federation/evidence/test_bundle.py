"""The export of evidence proves itself without a node, and every change to it is found, whoever made the change."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node.errors import Malformed, NotFound, TooLarge
from node.federation.evidence import bundle, verify
from node.federation.evidence.verify import pins_of
from node.federation.moved import StatementWish
from tests.federation.evidence.bundle_rig import Made, leave_out, sentences
from tests.federation.evidence.rig import LATER, Rig
from tests.federation.signing_rig import HELSINKI, LONDON, NOW, Pair

pytestmark = pytest.mark.slow  # several nodes, and hundreds of verifications


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
