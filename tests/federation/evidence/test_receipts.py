"""Laws of receipts: both ends sign the same bytes or say what differs, and neither can speak for the other."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.errors import BadSignature, Conflict, Malformed, NodeError, NotFound, Refuted
from node.federation.dsp.fields import object_of
from node.federation.dsp.transfers import TransferCompletion, TransferProcess
from node.federation.dsp.transfers import read as read_message
from node.federation.evidence import proofs, receipts
from node.federation.evidence.statements import COLLECTION, statement_in, written
from node.federation.evidence.store import EvidenceFollower
from node.federation.evidence.verify import verify
from node.federation.moved import StatementWish
from node.federation.moving import MAX_MESSAGE, MAX_PARTS, Moved
from node.federation.signing.integrity import jcs, unsecured, with_proofs
from node.journal import rebuild
from node.journal.verify import verify as verify_journal
from node.keys import DAY_MS
from tests.federation.evidence.rig import DATASET, LATER, NOW, PIDS, Rig, kinds, moved
from tests.federation.signing_rig import FEDERATION, HELSINKI, LONDON, Pair

pytestmark = pytest.mark.slow  # two databases a test

Said = dict[str, Any]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair.made(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def rig(tmp_path: Path, migrated: Path, pair: Pair) -> Iterator[Rig]:
    made = Rig.made(tmp_path, migrated, pair)
    yield made
    made.close()


def test_both_ends_file_the_same_receipt_with_both_signatures(rig: Rig):
    half, answer = rig.pulled([moved(), moved("b/other.csv", b"")])
    assert rig.filed(half, answer) == answer
    (ours,), (theirs,) = rig.london.evidence.store.list(), rig.helsinki.evidence.store.list()
    assert ours.text == theirs.text == answer
    assert (ours.kind, ours.transfer, theirs.transfer) == ("receipt", PIDS[LONDON], PIDS[HELSINKI])
    assert (ours.other, theirs.other, ours.dataset) == (HELSINKI, LONDON, DATASET)
    said = ours.document
    assert said["id"] == f"{HELSINKI}/receipts/{PIDS[HELSINKI]}"
    assert [each["part"] for each in said["parts"]] == ["b/other.csv", "plans.csv"]
    assert said["clause"] == f"{rig.agreement}#permission/1"
    first, second = said["proof"]
    assert second["previousProof"] == first["id"]
    keys = {HELSINKI: rig.helsinki.hand.keys(), LONDON: rig.london.hand.keys()}
    proofs.check(said, [LONDON, HELSINKI], federation=FEDERATION, keys_of=keys.__getitem__, now_ms=NOW + 60_000)


def test_nothing_of_a_person_stands_in_a_receipt(rig: Rig):
    half, _ = rig.pulled([moved()])
    assert receipts.read(half).keys() - {"proof", "@context", "type"} == {
        *("id", "providerPid", "consumerPid", "provider", "consumer", "agreement", "agreementDigest", "clause"),
        *("purpose", "dataset", "format", "parts", "requestedAt", "startedAt", "completedAt"),
    }


def test_the_journal_that_states_it_is_restricted_and_proves_itself(rig: Rig):
    rig.filed(*rig.pulled([moved()]))
    town = rig.london.town
    assert rig.london.evidence.sign(NOW + 40_000)
    assert not rig.london.evidence.sign(NOW + 50_000)
    found = verify_journal(town.journals, COLLECTION, town.journals.public_keys())
    with town.db.read() as tx:
        assert (found.size, town.journals.get(tx, COLLECTION).visibility) == (1, "restricted")


def test_a_push_is_signed_first_by_whoever_brought_it(rig: Rig):
    ours = rig.helsinki.transfer(rig.agreement, format="HttpData-PUSH")
    half = rig.helsinki.evidence.half(ours, [moved()], now_ms=NOW + 30_000)
    theirs = rig.london.transfer(rig.agreement, format="HttpData-PUSH")
    rig.london.books = [moved()]
    with rig.london.writing() as tx:
        answer = rig.london.evidence.concluded(tx, theirs, half, now_ms=NOW + 31_000)
    with rig.helsinki.writing() as tx:
        assert rig.helsinki.evidence.answered(tx, replace(ours, receipt=half), answer, now_ms=NOW + 32_000) == answer
    signed = [each["verificationMethod"].partition("#")[0] for each in receipts.read(answer)["proof"]]
    assert signed == ["did:web:helsinki.example", "did:web:london.example:node"]
    with pytest.raises(Conflict, match="completed by"):
        rig.london.evidence.half(theirs, [moved()], now_ms=NOW)


def test_a_receipt_that_is_heard_again_is_filed_once_in_the_table(rig: Rig):
    half, _ = rig.pulled([moved()])
    with rig.helsinki.writing() as tx:
        rig.helsinki.evidence.concluded(tx, rig.helsinki.transfer(rig.agreement), half, now_ms=NOW + 33_000)
    assert kinds(rig.helsinki) == ["receipt"]


def test_rebuilding_the_table_gives_what_living_gave(rig: Rig):
    rig.filed(*rig.pulled([moved()]))
    with rig.london.writing() as tx:
        rig.london.evidence.cut(tx, rig.london.transfer(rig.agreement), why="Revoked.", now_ms=NOW + 60_000)
    lived = rig.london.evidence.store.list()
    follower = rig.london.evidence._followers[0]
    rebuild(rig.london.town.journals, follower)
    assert rig.london.evidence.store.list() == lived
    assert [each.kind for each in lived] == ["cut", "receipt"]


# ---------------------------------------------------------------- what differs

DIFFERENT: dict[str, tuple[list[Moved], str]] = {
    "fewer bytes": ([Moved("plans.csv", "text/csv", 4, moved().digest)], "parts/plans.csv/bytes"),
    "other bytes": ([moved(data=b"a;b\n1;3\n")], "parts/plans.csv/digest"),
    "filtered here": ([replace(moved(), filtered=True)], "parts/plans.csv/filtered"),
    "a part that never went": ([], "parts/plans.csv"),
    "a part that was left out": ([moved(), moved("more.csv")], "parts/more.csv"),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_our_books_say_otherwise_is_a_difference_on_both_sides(rig: Rig, case: str):
    books, member = DIFFERENT[case]
    half, answer = rig.pulled([moved()], books)
    (filed,) = rig.helsinki.evidence.store.list()
    assert (filed.kind, filed.text) == ("difference", answer)
    assert [each["member"] for each in filed.document["differences"]] == [member]
    assert filed.document["receipt"] == half
    assert rig.filed(half, answer) == half
    (theirs,) = rig.london.evidence.store.list()
    assert (theirs.kind, theirs.document["answer"], theirs.document["by"]) == ("difference", answer, LONDON)


def test_a_digest_that_our_books_do_not_have_is_the_other_ends_to_say(rig: Rig):
    _, answer = rig.pulled([moved()], [moved(digest=False)])
    assert receipts.read(answer)["parts"][0]["digest"] == moved().digest
    assert kinds(rig.helsinki) == ["receipt"]


FACTS: dict[str, tuple[Callable[[Said], object], str]] = {
    "another transfer of theirs": (lambda said: said.update(consumerPid="other"), "consumerPid"),
    "another agreement": (lambda said: said.update(agreement="urn:x"), "agreement"),
    "another text of it": (lambda said: said.update(agreementDigest="sha256:" + "0" * 64), "agreementDigest"),
    "another clause": (lambda said: said.update(clause="urn:clause"), "clause"),
    "another purpose": (lambda said: said.update(purpose="https://w3id.org/dpv#Marketing"), "purpose"),
    "another dataset": (lambda said: said.update(dataset="urn:other"), "dataset"),
    "asked for after we heard it": (
        lambda said: said.update(
            requestedAt="2027-01-15T09:00:00.000Z",
            startedAt="2027-01-15T09:00:00.000Z",
            completedAt="2027-01-15T09:00:00.000Z",
        ),
        "requestedAt",
    ),
    "started before we did": (
        lambda said: said.update(requestedAt="2027-01-14T00:00:00.000Z", startedAt="2027-01-14T00:00:00.000Z"),
        "startedAt",
    ),
    "completed in the future": (lambda said: said.update(completedAt="2027-02-01T00:00:00.000Z"), "completedAt"),
}


@pytest.mark.parametrize("case", FACTS)
def test_every_fact_is_compared(rig: Rig, case: str):
    change, member = FACTS[case]
    half, _ = rig.pulled([moved()])
    said = unsecured(json.loads(half))
    change(said)
    bent = written(rig.london.hand.sign(said, NOW + 30_000))
    with rig.helsinki.writing() as tx:
        rig.helsinki.evidence.concluded(tx, rig.helsinki.transfer(rig.agreement), bent, now_ms=NOW + 31_000)
    found = rig.helsinki.evidence.store.list()
    filed = next(each for each in found if each.kind == "difference")
    assert member in [each["member"] for each in filed.document["differences"]]


def test_a_clause_that_one_end_does_not_know_is_the_others_to_say(rig: Rig):
    half, _ = rig.pulled([moved()])
    ours = replace(rig.helsinki.transfer(rig.agreement), clause="")
    with rig.helsinki.writing() as tx:
        answer = rig.helsinki.evidence.concluded(tx, ours, half, now_ms=NOW + 31_000)
    assert receipts.read(answer)["clause"] == f"{rig.agreement}#permission/1"


# ---------------------------------------------------------------- one number rules

LONGEST = "t/" + "x" * 190
WORST = [
    replace(moved(f"{LONGEST}{number:04}"), media_type=f"{'a' * 63}/{'b' * 63}", bytes=2**53 - 1)
    for number in range(MAX_PARTS)
]


def test_as_many_parts_as_a_dataset_may_have_fit_a_receipt_and_the_message_that_brings_it(rig: Rig):
    half, answer = rig.pulled(WORST)
    assert rig.filed(half, answer) == answer
    assert (kinds(rig.london), kinds(rig.helsinki)) == (["receipt"], ["receipt"])
    assert len(receipts.read(answer)["parts"]) == MAX_PARTS
    message = TransferCompletion(PIDS[HELSINKI], PIDS[LONDON], half).document()
    assert read_message(object_of(jcs(message), most=MAX_MESSAGE)) == TransferCompletion(
        PIDS[HELSINKI], PIDS[LONDON], half
    )


def test_where_all_of_so_many_parts_differ_both_still_file_what_is_signed(rig: Rig):
    half, answer = rig.pulled(WORST, [replace(each, bytes=1, filtered=True) for each in WORST])
    (ours,) = rig.helsinki.evidence.store.list()
    assert (ours.kind, ours.text) == ("difference", answer)
    assert len(ours.document["differences"]) == receipts.MAX_TOLD
    assert ours.document["more"] == 2 * MAX_PARTS - receipts.MAX_TOLD
    message = TransferProcess(PIDS[HELSINKI], PIDS[LONDON], "COMPLETED", answer).document()
    assert len(jcs(message)) < MAX_MESSAGE
    assert read_message(message)
    assert rig.filed(half, answer) == half
    assert kinds(rig.london) == ["difference"]
    report = verify(rig.london.desk.export(StatementWish(transfer=PIDS[LONDON])), trusted={}, now_ms=LATER)
    assert not [each for each in report.findings if each.holds is False]


def test_what_one_end_alone_can_say_of_so_many_parts_fits_a_statement_and_the_rest_is_counted(rig: Rig):
    half, _ = rig.pulled(WORST)
    rig.london.books = WORST
    rig.filed(half, "")
    (filed,) = rig.london.evidence.store.list()
    assert (filed.kind, filed.document["receipt"]) == ("one-sided", half)
    assert len(filed.document["parts"]) + filed.document["more"] == MAX_PARTS


@pytest.mark.parametrize("said", ['text/csv; header="present"', "TEXT/CSV", "text/csv;" + "x" * 3_000])
def test_a_receipt_has_a_media_type_without_parameters(said: str):
    assert receipts.part_of(replace(moved(), media_type=said))["mediaType"] == "text/csv"


def test_what_is_no_media_type_is_called_bytes():
    assert receipts.part_of(replace(moved(), media_type="x" * 300))["mediaType"] == "application/octet-stream"


# ---------------------------------------------------------------- who may speak

FORGED: dict[str, tuple[Callable[[Rig, str], str], type[NodeError]]] = {
    "no JSON": (lambda rig, half: "{", Malformed),
    "another spelling": (lambda rig, half: half.replace('{"@context"', '{ "@context"', 1), Malformed),
    "a member too many": (lambda rig, half: signed_anew(rig, half, extra="x"), Malformed),
    "a person in it": (lambda rig, half: signed_anew(rig, half, by="Ada"), Malformed),
    "no proof": (lambda rig, half: jcs(unsecured(json.loads(half))).decode(), Refuted),
    "our own proof": (
        lambda rig, half: written(rig.helsinki.hand.sign(unsecured(json.loads(half)), NOW + 30_000)),
        BadSignature,
    ),
    "one byte changed": (lambda rig, half: half.replace('"bytes":8', '"bytes":9'), BadSignature),
    "other cities": (lambda rig, half: signed_anew(rig, half, provider="https://rome.example"), Malformed),
    "two proofs already": (lambda rig, half: doubled(half), Refuted),
    "another federation": (lambda rig, half: half.replace(FEDERATION, "https://other.example"), Refuted),
    "times out of order": (
        lambda rig, half: signed_anew(rig, half, startedAt="2026-01-01T00:00:00.000Z"),
        Malformed,
    ),
    "parts out of order": (
        lambda rig, half: signed_anew(rig, half, parts=[*json.loads(half)["parts"], *json.loads(half)["parts"]]),
        Malformed,
    ),
    "a part that leads elsewhere": (
        lambda rig, half: signed_anew(rig, half, parts=[{**json.loads(half)["parts"][0], "part": "../x"}]),
        Malformed,
    ),
    "a digest that is none": (
        lambda rig, half: signed_anew(rig, half, parts=[{**json.loads(half)["parts"][0], "digest": ""}]),
        Malformed,
    ),
}


def signed_anew(rig: Rig, half: str, **changes: Any) -> str:
    """What London would sign if it said something else."""
    return written(rig.london.hand.sign({**unsecured(json.loads(half)), **changes}, NOW + 30_000))


def doubled(half: str) -> str:
    said = json.loads(half)
    return jcs(with_proofs(said, [*said["proof"], *said["proof"]])).decode()


@pytest.mark.parametrize("case", FORGED)
def test_what_is_no_receipt_of_the_other_end_is_refused_and_nothing_is_filed(rig: Rig, case: str):
    forge, error = FORGED[case]
    half = rig.london.evidence.half(rig.london.transfer(rig.agreement), [moved()], now_ms=NOW + 30_000)
    rig.helsinki.books = [moved()]
    with pytest.raises(error), rig.helsinki.writing() as tx:
        rig.helsinki.evidence.concluded(tx, rig.helsinki.transfer(rig.agreement), forge(rig, half), now_ms=NOW + 31_000)
    assert kinds(rig.helsinki) == []


def test_a_key_that_was_not_in_force_then_signs_no_receipt(rig: Rig):
    half, _ = rig.pulled([moved()])
    key = rig.london.hand.keys()[0]
    ended = replace(key, until_ms=NOW + 1_000)
    with pytest.raises(BadSignature, match="not in force"):
        proofs.check(json.loads(half), [LONDON], federation=FEDERATION, keys_of=lambda _: [ended], now_ms=NOW + 60_000)
    young = replace(key, since_ms=NOW + 60_000)
    with pytest.raises(BadSignature, match="not in force"):
        proofs.check(json.loads(half), [LONDON], federation=FEDERATION, keys_of=lambda _: [young], now_ms=NOW + 60_000)


# ---------------------------------------------------------------- what one end alone can say


def test_a_completion_without_a_receipt_leaves_what_our_books_say(rig: Rig):
    rig.helsinki.books = [moved(digest=False)]
    with rig.helsinki.writing() as tx:
        answer = rig.helsinki.evidence.concluded(tx, rig.helsinki.transfer(rig.agreement), "", now_ms=NOW + 31_000)
    (filed,) = rig.helsinki.evidence.store.list()
    assert (answer, filed.kind) == ("", "one-sided")
    assert filed.document["parts"][0]["bytes"] == moved().bytes


ANSWERS: dict[str, Callable[[Rig, str, str], str]] = {
    "nothing": lambda rig, half, answer: "",
    "our own half": lambda rig, half, answer: half,
    "a signature of nobody": lambda rig, half, answer: answer.replace('"proofValue":"z', '"proofValue":"z1'),
    "another receipt": lambda rig, half, answer: answer.replace('"bytes":8', '"bytes":9'),
    "a difference about something else": lambda rig, half, answer: other_difference(rig),
    "no JSON": lambda rig, half, answer: "[]",
}


def other_difference(rig: Rig) -> str:
    with rig.helsinki.writing() as tx:
        said = {"receipt": "another", "differences": []}
        return rig.helsinki.evidence.put(tx, "difference", "x", said, other=LONDON, at_ms=NOW + 31_000).text


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_does_not_hold_counts_as_none(rig: Rig, case: str):
    half, answer = rig.pulled([moved()])
    assert rig.filed(half, ANSWERS[case](rig, half, answer)) == half
    (filed,) = rig.london.evidence.store.list()
    assert (filed.kind, filed.document["receipt"]) == ("one-sided", half)


def test_an_overdue_receipt_is_filed_one_sided_and_once(rig: Rig):
    half, _ = rig.pulled([moved()])
    rig.london.ended = [rig.london.transfer(rig.agreement, receipt=half)]
    at_ms = NOW + 8 * DAY_MS
    assert (rig.london.evidence.overdue(at_ms), rig.london.evidence.overdue(at_ms)) == (1, 0)
    assert kinds(rig.london) == ["one-sided"]
    rig.helsinki.ended = [rig.helsinki.transfer(rig.agreement)]
    assert rig.helsinki.evidence.overdue(at_ms) == 0  # it has both signatures


def test_of_what_never_moved_nothing_is_stated(rig: Rig):
    rig.london.ended = [rig.london.transfer(rig.agreement)]
    rig.london.evidence.tend(NOW + 8 * DAY_MS)
    assert kinds(rig.london) == []


def test_a_receipt_that_comes_late_stands_beside_what_was_said_alone(rig: Rig):
    half, answer = rig.pulled([moved()])
    rig.filed(half, "")
    rig.filed(half, answer)
    assert sorted(kinds(rig.london)) == ["one-sided", "receipt"]
    with rig.london.writing() as tx:  # and then nothing is said alone any more
        transfer = rig.london.transfer(rig.agreement, receipt=half)
        rig.london.evidence.answered(tx, transfer, "", now_ms=NOW + 90_000)
    with rig.london.town.db.read() as tx:
        assert rig.london.town.journals.get(tx, COLLECTION).size == 2


# ---------------------------------------------------------------- erasing


def test_an_erased_statement_is_gone_and_every_other_still_holds(rig: Rig):
    rig.filed(*rig.pulled([moved()]))
    side, town = rig.london, rig.london.town
    said = {"agreement": rig.agreement, "dataset": DATASET, "key": "c2FsdGVkIGtleSBvZiBzb21lYm9keQ"}
    with side.writing() as tx:
        filed = side.evidence.put(tx, "withdrawal", "out 1", said, other=LONDON, at_ms=NOW + 40_000)
    assert side.desk.erase(filed.record) == 2
    assert kinds(side) == ["receipt"]
    with pytest.raises(NotFound):
        side.desk.erase(filed.record)
    found = verify_journal(town.journals, COLLECTION, town.journals.public_keys())
    assert found.size == 5  # both statements, the withdrawal of the one, and two erasures
    with town.db.read() as tx:
        held = town.journals.entries(tx, COLLECTION)
        assert [each.opening is None for each in held] == [False, True, True, False, False]
        payloads = town.journals.payloads(
            tx, [each.opening.digest for each in held if each.opening and each.opening.digest]
        )
    assert b"c2FsdGVkIGtleSBvZiBzb21lYm9keQ" not in b"".join(payloads.values())


@pytest.mark.parametrize("first", ["receipt", "difference", "one-sided"])
def test_what_was_erased_of_a_transfers_end_is_never_stated_again(rig: Rig, first: str):
    half, answer = rig.pulled([moved()], [moved(data=b"other")] if first == "difference" else None)
    rig.filed(half, "" if first == "one-sided" else answer)
    rig.london.ended = [rig.london.transfer(rig.agreement, receipt=half if first == "one-sided" else answer)]
    rig.helsinki.ended = [rig.helsinki.transfer(rig.agreement, receipt=answer)]
    assert kinds(rig.london) == [first]
    for side in (rig.london, rig.helsinki):  # the provider has its books, too
        (filed,) = side.evidence.store.list()
        side.desk.erase(filed.record)
        for days in (0, 8, 59):
            assert side.evidence.overdue(NOW + days * DAY_MS) == 0
        assert (kinds(side), side.forgotten) == ([], [PIDS[side.town.url]])
        rebuild(side.town.journals, EvidenceFollower(side.town.url))
        assert side.evidence.overdue(NOW + 8 * DAY_MS) == 0


def test_what_is_erased_of_a_cut_leaves_the_receipt_where_it_is(rig: Rig):
    side = rig.london
    side.ended = [replace(side.transfer(rig.agreement, receipt="{}"), state="TERMINATED")]
    with side.writing() as tx:
        filed = side.evidence.cut(tx, side.ended[0], why="Revoked.", now_ms=NOW)
    side.desk.erase(filed.record)
    assert side.forgotten == []
    assert side.evidence.overdue(NOW + 8 * DAY_MS) == 1


def test_what_is_stated_again_replaces_what_was(rig: Rig):
    with rig.london.writing() as tx:
        for why in ("First.", "Then."):
            rig.london.evidence.put(tx, "cut", "one", {"why": why}, at_ms=NOW)
    (found,) = rig.london.evidence.store.list()
    assert found.document["why"] == "Then."


def test_evidence_is_not_mixed_into_a_public_collection(rig: Rig):
    town = rig.london.town
    with town.db.write() as tx:
        iri = f"{town.url}/collections/{COLLECTION}"
        town.journals.create(tx, name=COLLECTION, iri=iri, title="Open", visibility="public", at_ms=NOW)
    with pytest.raises(Conflict, match="public"), rig.london.writing() as tx:
        rig.london.evidence.put(tx, "cut", "one", {"why": "x"}, at_ms=NOW)


def test_a_record_holds_exactly_one_statement(rig: Rig):
    with rig.london.writing() as tx:
        found = rig.london.evidence.put(tx, "cut", "one", {"why": "x"}, at_ms=NOW)
    with pytest.raises(Malformed, match="0 statements"):
        statement_in("https://other.example/x", b"", LONDON)
    with rig.london.town.db.read() as tx:
        (entry,) = rig.london.town.journals.entries(tx, COLLECTION)
        assert entry.opening
        payload = rig.london.town.journals.payloads(tx, [entry.opening.digest])[entry.opening.digest]
    assert statement_in(found.record, payload, LONDON) == found
