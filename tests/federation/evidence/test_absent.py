"""Whatever is absent, empty, doubled or of another type in an export is never proven, whoever signs the file anew.

The city that exports holds its own keys, so it can sign a file from which it took anything. What a verification rests
on must therefore be there: a check that is not made is no check that held.
"""

import copy
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node.errors import NodeError
from node.federation.evidence import bundle, verify
from node.federation.evidence.proofs import Hand
from node.federation.evidence.report import Report
from node.federation.evidence.verify import written
from node.federation.signing.integrity import jcs, unsecured
from tests.federation.bending import Place, bent, places, spelt
from tests.federation.evidence.rig import LATER, Rig, moved
from tests.federation.signing_rig import FEDERATION, HELSINKI, LONDON, NOW, Pair

pytestmark = pytest.mark.slow  # several nodes, and hundreds of verifications

Said = dict[str, Any]
# What the file has besides, and what nothing rests on: what Helsinki's journal says of the agreement may not have come
# to London yet, and earlier keys are there for those who signed with them.
SPARE = ("agreements/0/journals/1", "agreements/0/cities/*/keys", "cities/*/keys")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    pair = Pair.made(tmp_path_factory.mktemp("pair"))
    made = Rig.made(tmp_path_factory.mktemp("towns"), migrated, pair)
    made.filed(*made.pulled([moved()]))
    with made.london.writing() as tx:
        made.london.evidence.cut(tx, made.london.transfer(made.agreement), why="Revoked.", now_ms=NOW + 60_000)
    made.london.evidence.sign(NOW + 62_000)
    yield made
    made.close()


@pytest.fixture(scope="module")
def whole(rig: Rig) -> Said:
    told: Said = json.loads(rig.london.desk.export())
    assert [each["city"] for each in told["agreements"][0]["journals"]] == [LONDON, HELSINKI]
    assert judged(rig, told).verdict == "proven"
    return told


def judged(rig: Rig, told: Said, *, pinned: bool = True) -> Report:
    """The verdict on a file that London signs as it is."""
    hand = Hand(rig.towns.pair.keyrings[LONDON], url=LONDON, federation=FEDERATION)
    pins = {url: ring.fingerprint for url, ring in rig.towns.pair.keyrings.items()} if pinned else {}
    return verify.verify(written(hand.sign(unsecured(told), LATER)), trusted=pins, now_ms=LATER)


def proven(rig: Rig, told: Said, within: Iterable[Place]) -> set[str]:
    """The ways of bending these places that leave it proven."""
    return {
        f"{spelt(at)} {how}"
        for at in within
        for how, lie in bent(told, at)
        if at[0] != "proof" and judged(rig, lie).verdict == "proven"
    }


def is_spare(at: Place) -> bool:
    steps = ["*" if number and at[number - 1] == "cities" else str(step) for number, step in enumerate(at)]
    return any("/".join(steps).startswith(each) for each in SPARE)


def test_nothing_that_is_needed_can_be_taken_out_of_a_file(rig: Rig, whole: Said):
    assert proven(rig, whole, (at for at in places(whole) if not is_spare(at))) == set()


def test_what_is_spare_can_be_left_out_and_not_be_bent(rig: Rig, whole: Said):
    cities = [f"{before}cities/{number}/keys" for before in ("", "agreements/0/") for number in (0, 1)]
    kept = {each: len(of(whole, each)) for each in cities}
    left_out = {f"{each}/{number} absent" for each, count in kept.items() for number in range(count)}
    left_out |= {f"{each} empty" for each in cities} | {"agreements/0/journals/1 absent"}
    # One key is built as the other: the first of each city is bent in all its parts.
    within = [at for at in places(whole) if is_spare(at) and not re.search(r"keys/[1-9][0-9]*/", spelt(at))]
    assert proven(rig, whole, within) == left_out


def of(told: Any, where: str) -> Any:
    for step in where.split("/"):
        told = told[int(step)] if isinstance(told, list) else told[step]
    return told


@pytest.mark.parametrize(
    ("where", "left", "said"),
    [
        ("agreements", [], "is not in the file: that both cities signed it is not proven"),
        ("agreements/0/cities", [], f"has no keys of {LONDON}"),
        ("agreements/0/journals", [], f"has nothing of the journal of {LONDON}"),
        ("cities", [0], f"has no keys of {HELSINKI}"),
    ],
)
def test_what_is_not_there_is_not_proven_and_called_by_its_name(
    rig: Rig, whole: Said, where: str, left: list[int], said: str
):
    told = copy.deepcopy(whole)
    listed = of(told, where)
    listed[:] = [listed[each] for each in left]
    report = judged(rig, told, pinned=False)
    assert (report.verdict, report.exit_code) == ("incomplete", 3), report.lines()
    assert any(said in each for each in report.doubts), report.doubts
    assert report.lines()[-1].startswith("not proven: ")


def test_no_signature_of_an_agreement_is_called_one_that_was_not_checked(rig: Rig, whole: Said):
    """Every proof bent, under every set of cities and journals that the exporter may leave."""
    for number in (0, 1):
        text = json.loads(whole["agreements"][0]["text"])
        value = text["proof"][number]["proofValue"]
        text["proof"][number]["proofValue"] = value[:-10] + "2" * 10
        for cities in ([], [0], [1], [0, 1]):
            for journals in ([], [0, 1]):
                told = copy.deepcopy(whole)
                lie = told["agreements"][0]
                lie["text"] = jcs(text).decode()
                lie["cities"] = [lie["cities"][each] for each in cities]
                lie["journals"] = [lie["journals"][each] for each in journals]
                for pinned in (True, False):
                    report = judged(rig, told, pinned=pinned)
                    assert report.verdict != "proven", (number, cities, journals)
                    assert not any(each.holds and "is signed by both" in each.sentence for each in report.findings)


def test_what_the_proofs_of_an_agreement_lack_is_no_signature(rig: Rig, whole: Said):
    text = json.loads(whole["agreements"][0]["text"])
    proven = []
    for at in places(text):
        for how, said in bent(text, at):
            told = copy.deepcopy(whole)
            told["agreements"][0]["text"] = json.dumps(said, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
            if judged(rig, told).verdict == "proven":
                proven.append((at, how))
    assert proven == []


# ---------------------------------------------------------------- statements, in a journal that is the exporter's own

# What a statement of one city says is that city's word, and it may say less.
OWN_WORD = frozenset(("transfer", "otherPid", "why", "parts", "dataset", "other", "agreement"))


def filed(rig: Rig, said: Said, number: int) -> Report | None:
    """What London makes of a statement when it writes it into its journal as it likes; None if it cannot even that."""
    side, record = rig.london, f"{LONDON}/statements/bent-{number}"
    try:
        with side.writing() as tx:
            side.evidence._file(tx, record, jcs(said).decode(), NOW + 70_000)
        found = side.evidence.store.get(record)
    except (NodeError, TypeError, KeyError, AttributeError):
        return None
    return judged(rig, json.loads(bundle.export(side.sources, [found], now_ms=LATER)))


def test_a_receipt_that_lacks_anything_is_no_receipt(rig: Rig, whole: Said):
    receipt = next(each for each in rig.london.evidence.store.list() if each.kind == "receipt").document
    number = 1_000
    within = (*places(unsecured(receipt)), *(("proof", *at) for at in places(receipt["proof"])))
    for at in within:
        for how, said in bent(receipt, at):
            number += 1
            report = filed(rig, said, number)
            assert report is None or report.verdict != "proven", (at, how)
    for proofs in ([], receipt["proof"][:1], receipt["proof"][1:], receipt["proof"][::-1]):
        number += 1
        report = filed(rig, {**receipt, "proof": proofs}, number)
        assert report is None or report.verdict != "proven", len(proofs)


def test_a_statement_that_london_signs_anew_says_what_it_needs_to(rig: Rig):
    cut = next(each for each in rig.london.evidence.store.list() if each.kind == "cut").document
    number = 5_000
    for at in places(unsecured(cut)):
        for how, said in bent(unsecured(cut), at):
            number += 1
            report = filed(rig, rig.london.hand.sign(said, NOW + 60_000), number)
            needed = at[0] not in OWN_WORD
            assert not (needed and report is not None and report.verdict == "proven"), (at, how)


def test_a_difference_encloses_what_the_other_city_signed(rig: Rig):
    side = rig.london
    half, answer = rig.pulled([moved("other.csv")], [moved("other.csv", b"else")])
    rig.filed(half, answer)
    kept = next(each for each in side.evidence.store.list() if each.kind == "difference")
    assert judged(rig, json.loads(bundle.export(side.sources, [kept], now_ms=LATER))).verdict == "proven"
    bare = unsecured(kept.document)
    foreign = side.evidence.half(side.transfer(rig.agreement), [moved("third.csv")], now_ms=NOW + 50_000)
    lies = {
        "nothing": {name: value for name, value in bare.items() if name not in ("receipt", "answer")},
        "another receipt": {**bare, "receipt": foreign},
        "no answer of theirs": {**bare, "answer": "{}"},
        "our own answer": {**bare, "answer": bare["receipt"]},
        "another city": {**bare, "other": "https://rome.example"},
    }
    for number, (case, said) in enumerate(lies.items()):
        report = filed(rig, side.hand.sign(said, NOW + 60_000), 9_000 + number)
        assert report is None or report.verdict != "proven", case
