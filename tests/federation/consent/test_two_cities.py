"""Laws of residents' consent between two cities: rows leave by consent alone, a withdrawal follows them."""

import csv
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.errors import Conflict, Malformed, Unauthenticated
from node.federation.client import PeerClient
from node.federation.data.origin_office import Changes
from node.federation.moved import OriginWish
from node.federation.policy.terms import DPV
from tests.federation.agreed import RESEARCH, agree, atom, permits
from tests.federation.cities import LONDON, Request
from tests.federation.data.door_rig import Pair, pair

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

NAME = "energy.csv"
ROWS = [["subject", "kwh"], ["r-1", "10"], ["r-2", "20"], ["r-3", "30"]]
BODY = "".join(f"{','.join(row)}\n" for row in ROWS).encode()
HEAD = "pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties\n"
FOR_RESEARCH = permits("use", constraint=[atom("purpose", "isA", RESEARCH)])
BY_CONSENT = {"legalBasis": DPV + "Consent", "transferBasis": "adequacy"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("consent"), migrated) as made:
        yield made


@pytest.fixture
def two(both: Pair) -> Iterator[Pair]:
    yield both
    tables = (
        "consent_source",
        "consent_read",
        "consent_went",
        "withdrawal",
        "data_origin",
        "data_personal",
        "data_part",
        "transfer",
        "outgoing",
    )
    for city in (both.helsinki, both.london):
        with city.node.db.write() as tx:
            for table in (*tables, "transfer_message", "data_stream", "receipt"):
                tx.run(f"DELETE FROM {table}")  # noqa: S608


@pytest.fixture
def consents(two: Pair) -> Path:
    """Residents 1 and 2 of Helsinki let London have their rows for research."""
    path = two.folder / "consent.csv"
    given = f"2026-01-01T00:00:00Z,ConsentGiven,AcademicResearch,{LONDON}\n"
    path.write_text(HEAD + f"r-1,{given}r-2,{given}")
    consenting(two.helsinki).office.add("residents", str(path), files=True)
    two.lay(BODY, NAME, is_personal=True, column="subject", consent="residents")
    return path


def consenting(city: Any) -> Any:
    return city.federation.moving.consenting


def began(two: Pair, purpose: str = RESEARCH, **about: Any) -> str:
    """Agree under these bases, request, and say how the provider's transfer stands."""
    two.agreement = agree(
        two.helsinki.node, two.london.node, records=[two.dataset], rules=about.pop("rules", FOR_RESEARCH),
        **(about or BY_CONSENT),
    )  # fmt: skip
    two.request(purpose=purpose)
    found = two.helsinki.federation.moving.transfers.of_agreement(two.agreement)
    return found[0].state if found else ""


def got(two: Pair) -> list[str]:
    """Whose rows come now."""
    answer = two.ask(f"/{NAME}")
    assert (answer.status, answer.ended) == (200, True)
    assert "content-length" not in answer.headers, "nobody knows how long it will be"
    return got_of(answer.body)


def got_of(table: bytes) -> list[str]:
    return [row[0] for row in csv.reader(io.StringIO(table.decode()))][1:]


def rounds(two: Pair) -> None:
    """Let both cities do what their workers do every minute."""
    for _ in range(2):
        for city in (two.helsinki, two.london):
            consenting(city).withdrawals.watch(clock_ms())
            consenting(city).withdrawals.round(clock_ms())


def kinds(city: Any) -> list[str]:
    return sorted(row[0] for row in city.sql("SELECT kind FROM receipt"))


def test_rows_of_those_who_consented_pass_and_the_others_stay_at_home(two: Pair, consents: Path) -> None:
    assert began(two) == "STARTED"
    (part,) = two.ask("/").json["parts"]
    assert (part["filtered"], part["size"], part["digest"]) == (True, None, None)
    with two.helsinki.node.db.write() as tx:
        tx.run("UPDATE consent_source SET checked_at = 0")
    assert got(two) == ["r-1", "r-2"]
    (source,) = consenting(two.helsinki).office.sources()
    assert source.checked_ms > 0, "the desk says when the source answered last"


def test_a_withdrawal_takes_effect_at_the_next_read_and_reaches_the_city_that_holds_the_row(
    two: Pair, consents: Path
) -> None:
    began(two)
    assert got(two) == ["r-1", "r-2"]
    consenting(two.helsinki).office.withdraw("residents", ["r-2"])
    assert got(two) == ["r-1"]
    rounds(two)
    (heard,) = consenting(two.london).office.withdrawals()
    assert (heard.peer, heard.agreement, heard.dataset) == (two.helsinki.url, two.agreement, two.dataset)
    file = two.folder / "held.csv"
    file.write_bytes(BODY)
    assert [each.row for each in consenting(two.london).office.match(file, "subject")] == [2]
    consenting(two.london).office.acknowledge(heard.name, by="ada")
    rounds(two)
    (told,) = consenting(two.helsinki).office.withdrawals()
    assert told.acknowledged_ms > 0
    assert told.erased_ms == 0
    consenting(two.london).office.erased(heard.name, by="ada")
    rounds(two)
    assert [each.erased_ms > 0 for each in consenting(two.helsinki).office.withdrawals(stage="erased")] == [True]
    for city in (two.helsinki, two.london):
        assert {"withdrawal", "acknowledgement", "erasure"} <= set(kinds(city))
        documents = city.sql("SELECT document FROM receipt")
        assert "r-2" not in str(documents)
        assert consenting(city).office.withdrawals() == []


def erased(two: Pair) -> None:
    """Let a resident withdraw, and London acknowledge and erase."""
    began(two)
    got(two)
    consenting(two.helsinki).office.withdraw("residents", ["r-2"])
    rounds(two)
    for act in ("acknowledge", "erased"):
        getattr(consenting(two.london).office, act)(by="ada")
        rounds(two)


def stated(city: Any, kind: str) -> dict[str, Any]:
    rows = city.sql("SELECT document FROM receipt WHERE kind = ? ORDER BY at DESC LIMIT 1", kind)
    said: dict[str, Any] = json.loads(rows[0][0])
    return said


def checked(city: Any, kind: str) -> Any:
    """What the check of a city's newest statement of a kind finds."""
    evidencing = city.federation.moving.evidencing
    evidencing.evidence.sign(clock_ms())
    ((record,),) = city.sql("SELECT record FROM receipt WHERE kind = ? ORDER BY at DESC LIMIT 1", kind)
    return evidencing.desk.check(record).findings


@pytest.mark.parametrize("kind", ["acknowledgement", "erasure"])
def test_who_gave_the_data_keeps_the_other_citys_signed_word(two: Pair, consents: Path, kind: str) -> None:
    erased(two)
    ours, theirs = stated(two.london, kind), stated(two.helsinki, kind)
    assert json.loads(theirs["word"]) == ours, "word for word as it was signed"
    assert (ours["by"], ours["withdrawal"]) == (LONDON, theirs["withdrawal"])
    assert ours["withdrawal"] == stated(two.helsinki, "withdrawal")["withdrawal"], "one id at both ends"
    for city, codes in ((two.london, {kind}), (two.helsinki, {kind, "word"})):
        found = checked(city, kind)
        assert not [each.sentence for each in found if each.holds is False]
        assert codes == {each.code for each in found if each.holds and each.code in (kind, "word", "no-word")}


@pytest.mark.parametrize("forged", [{"key": "0" * 64}, {"withdrawal": "0" * 32}, {"purpose": ""}, {"proof": []}, None])
def test_a_word_on_a_withdrawal_that_the_other_city_did_not_sign_is_found(
    two: Pair, consents: Path, forged: dict[str, Any] | None
) -> None:
    erased(two)
    said = stated(two.helsinki, "erasure")
    kept = {name: said[name] for name in ("withdrawal", "consumer", "agreement", "dataset", "purpose", "key")}
    word = {} if forged is None else {"word": json.dumps({**json.loads(said["word"]), **forged})}
    evidence = two.helsinki.federation.moving.evidencing.evidence
    with two.helsinki.node.db.write() as tx:
        evidence.put(tx, "erasure", "anew", {**kept, **word}, other=LONDON, at_ms=clock_ms() + 1)
    found = checked(two.helsinki, "erasure")
    if forged is None:
        assert "no-word" in {each.code for each in found if each.holds is None}
    else:
        assert [each for each in found if each.holds is False]


def test_what_two_cities_say_of_withdrawals_is_signed_and_heard_once(two: Pair, consents: Path) -> None:
    began(two)
    got(two)
    wire = two.helsinki.wire
    wire.forget()
    consenting(two.helsinki).office.withdraw("residents", ["r-1"])
    rounds(two)
    (said,) = [each for each in wire.asked if each.path == "/federation/withdrawals"]
    assert "signature" in {name.lower() for name in said.headers}
    again = wire.call(said)
    assert again.status == 401, "a message is heard once"
    unsigned = PeerClient(two.helsinki.federation.moving.ground.outbound, two.helsinki.federation.token_source)
    with pytest.raises(Unauthenticated):
        unsigned.tell_withdrawals(two.london.url, json.loads(said.body))
    assert len(consenting(two.london).office.withdrawals()) == 1


@pytest.mark.parametrize("path", ["/federation/withdrawals", "/federation/withdrawals/answers"])
def test_only_a_peer_may_speak_of_withdrawals(two: Pair, path: str) -> None:
    headers = {"content-type": "application/json"}
    reply = two.helsinki.wire.call(Request("stranger", "POST", two.helsinki.url + path, headers, b"{}"))
    assert reply.status == 401


@pytest.mark.parametrize(
    ("purpose", "about", "code"),
    [
        ("", BY_CONSENT, "(purpose)"),
        ("", {**BY_CONSENT, "rules": permits("use")}, "purpose-needed"),
        (RESEARCH, {**BY_CONSENT, "rules": permits("use")}, "purpose-needed"),
        (RESEARCH, {"title": "No basis"}, "legal-basis-needed"),
        (RESEARCH, {"legalBasis": DPV + "Consent"}, "transfer-basis-needed"),
        (RESEARCH, {**BY_CONSENT, "transferBasis": "no-personal-data"}, "transfer-basis-denied"),
    ],
)
def test_without_a_reason_nothing_about_residents_is_even_begun(
    two: Pair, consents: Path, purpose: str, about: dict[str, Any], code: str
) -> None:
    assert began(two, purpose, **about) == ""
    ours = two.london.federation.moving.transfers.list()
    assert all(each.state in ("", "TERMINATED") for each in ours)
    assert code in str([(each.reasons, each.trouble) for each in ours])


def test_a_dataset_whose_file_moves_or_whose_mark_is_taken_away_gives_nobodys_row_more(
    two: Pair, consents: Path
) -> None:
    began(two)
    origins = two.helsinki.federation.moving.origin_parts.office
    origins.remove(two.dataset, NAME)
    origins.add(OriginWish(two.dataset, str(two.folder / "data" / NAME), NAME), by="ada", files=True)
    assert got(two) == ["r-1", "r-2"]
    origins.change(two.dataset, "", Changes(is_personal=False))
    answer = two.ask(f"/{NAME}")
    assert answer.status == 403
    assert "residents-unsaid" in answer.body.decode()


def test_a_column_that_the_file_does_not_have_is_no_for_good_and_waits_on_the_desk(two: Pair, consents: Path) -> None:
    began(two)
    (two.folder / "data" / NAME).write_bytes(BODY.replace(b"subject", b"respondent", 1))
    answer = two.ask(f"/{NAME}")
    assert (answer.status, answer.ended) == (403, True)
    assert "residents-column" in answer.body.decode()
    parts = two.helsinki.federation.moving.origin_parts
    parts.digests.round(threading.Event())
    (told,) = parts.office.list(two.dataset)
    assert "has no column subject" in told.trouble


def test_rows_that_left_before_the_dataset_was_marked_are_told_of_and_said(two: Pair) -> None:
    two.lay(BODY, NAME)
    began(two, rules=permits("use"), title="Restricted")
    assert two.ask(f"/{NAME}").body == BODY
    path = two.folder / "consent.csv"
    path.write_text(HEAD)
    consenting(two.helsinki).office.add("residents", str(path), files=True)
    office = two.helsinki.federation.moving.origin_parts.office
    told = office.change(two.dataset, "", Changes(is_personal=True, column="subject", consent="residents"))
    (held,) = told.unfiltered
    assert (held.peer, held.agreement, held.since_ms > 0) == (LONDON, two.agreement, True)
    assert office.list(two.dataset)[0].unfiltered == told.unfiltered
    found = consenting(two.helsinki).office.withdraw("residents", ["r-2"])
    assert found.told == 1
    rounds(two)
    (heard,) = consenting(two.london).office.withdrawals()
    assert (heard.agreement, heard.dataset, heard.purpose) == (two.agreement, two.dataset, RESEARCH)
    assert office.change(two.dataset, "", Changes(is_personal=False)).unfiltered == ()


def test_what_left_on_another_basis_than_consent_is_not_told_of(two: Pair, consents: Path) -> None:
    began(two, legalBasis=DPV + "PublicInterest", transferBasis="adequacy")
    assert two.ask(f"/{NAME}").body == BODY
    (told,) = two.helsinki.federation.moving.origin_parts.office.list(two.dataset)
    assert told.unfiltered == ()
    assert consenting(two.helsinki).office.withdraw("residents", ["r-2"]).told == 0


def running(two: Pair, name: str) -> Any:
    """A stream of a part as the door opens one, of which the first piece was read."""
    serving = two.door.serving
    held = serving.look(two.pid, two.london.url)
    stream = serving.open(held, held.part(name))
    stream.next()
    return stream


def is_cut(stream: Any) -> bool:
    cut = threading.Event()
    stream.when_cut(cut.set)
    try:
        return cut.wait(5) and stream.why == "residents-marked"
    finally:
        stream.drop()


def test_what_streams_is_cut_when_its_dataset_is_marked_as_about_residents(two: Pair) -> None:
    two.lay(BODY * 200_000, "big.csv")
    began(two, rules=permits("use"), transferBasis="no-personal-data")
    stream = running(two, "big.csv")
    two.helsinki.federation.moving.origin_parts.office.change(two.dataset, "", Changes(is_personal=True))
    assert is_cut(stream)
    assert two.ask("/big.csv").status == 403


def test_what_streams_by_consent_is_cut_when_the_column_of_the_person_is_another(two: Pair, consents: Path) -> None:
    two.lay(BODY + b"r-1,1\n" * 2_000_000, "big.csv")
    began(two)
    stream = running(two, "big.csv")
    two.helsinki.federation.moving.origin_parts.office.change(two.dataset, "", Changes(column="kwh"))
    assert is_cut(stream)


def test_a_table_that_another_reader_reads_otherwise_gives_nobodys_row(two: Pair, consents: Path) -> None:
    two.lay(b"subject,kwh\rr-3,30\rr-4,40\r", "mac.csv")
    began(two)
    answer = two.ask("/mac.csv")
    assert answer.status == 503 or not answer.ended
    assert b"r-3" not in answer.body


@pytest.mark.parametrize("purpose", [RESEARCH, DPV + "Marketing", "https://x.example/anything"])
def test_an_agreement_for_any_purpose_gives_nobodys_row(two: Pair, consents: Path, purpose: str) -> None:
    assert began(two, purpose, rules=permits("use"), legalBasis=DPV + "PublicInterest", transferBasis="adequacy") == ""


def test_by_another_basis_all_rows_go_and_no_source_is_asked(two: Pair, consents: Path) -> None:
    consents.unlink()
    began(two, legalBasis=DPV + "PublicInterest", transferBasis="adequacy")
    assert two.ask(f"/{NAME}").body == BODY


def test_a_source_that_is_down_stops_everything(two: Pair, consents: Path) -> None:
    began(two)
    moved = consents.rename(consents.with_suffix(".away"))
    answer = two.ask(f"/{NAME}")
    assert answer.status == 503
    assert b"r-1" not in answer.body
    moved.rename(consents)
    assert got(two) == ["r-1", "r-2"]
    with consents.open("a") as file:
        file.write("r-3,perhaps\n")
    answer = two.ask(f"/{NAME}")
    assert answer.status == 503
    assert not any(word in answer.body.decode() for word in ("residents", "Line", "perhaps", "file"))
    (source,) = consenting(two.helsinki).office.sources()
    assert "Line 4" in source.trouble, "our own desk is told what is wrong"


def test_a_table_that_breaks_on_its_way_is_visibly_incomplete(two: Pair, consents: Path) -> None:
    two.lay(BODY + b"r-1,1\n" * 300_000 + b"r-1,1,2\n", "broken.csv")
    began(two)
    answer = two.ask("/broken.csv")
    assert (answer.status, answer.ended) == (200, False)
    assert answer.body.startswith(b"subject,kwh\nr-1,10\nr-2,20\nr-1,1\n")


def test_a_filtered_part_has_no_ranges(two: Pair, consents: Path) -> None:
    began(two)
    answer = two.ask(f"/{NAME}", Range="bytes=0-3")
    assert answer.status in (200, 416)
    assert answer.status == 416 or got_of(answer.body) == ["r-1", "r-2"]


def test_a_source_on_which_a_dataset_rests_is_kept(two: Pair, consents: Path) -> None:
    office = consenting(two.helsinki).office
    with pytest.raises(Conflict):
        office.remove("residents")
    with pytest.raises(Malformed):
        office.add("residents!", str(consents), files=True)
    with pytest.raises(Malformed):
        office.add("more", str(consents))
    assert [each.name for each in office.sources()] == ["residents"]
