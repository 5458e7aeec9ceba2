"""Laws of withdrawals: whoever holds a person's row hears of it, as a salted key, until it is gone."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.db import Database, Tx
from node.errors import Conflict, Malformed, NotAgreed, NotFound, PeerUnreachable, TooManyRequests
from node.federation.consent import acknowledgements as hearing
from node.federation.consent.acknowledgements import Acknowledgements
from node.federation.consent.noticed import Noticed
from node.federation.consent.post import Answered, Post, our_id, read_answer, read_told
from node.federation.consent.records import Asked
from node.federation.consent.sources import ConsentSource, Sources, write_withdrawal
from node.federation.consent.store import ConsentStore, Withdrawal, salted_key
from node.federation.consent.withdrawals import DAY_MS, Withdrawals
from node.federation.dialogues.outgoing import GIVE_UP_MS, Outbox
from node.federation.moving import Personal
from node.federation.policy.terms import DPV

HELSINKI, LONDON, GHENT = "https://h.example", "https://london.example", "https://ghent.example"
DATASET, AGREEMENT = f"{HELSINKI}/datasets/energy", f"{HELSINKI}/agreements/1"
RESEARCH = DPV + "AcademicResearch"
NOW = 1_795_000_000_000
HEAD = "pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties\n"


@dataclass
class Wire:
    """Carries messages to whoever is there, as the client would."""

    away: bool = False
    said: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def tell_withdrawals(self, url: str, said: Mapping[str, Any]) -> None:
        self._tell("withdrawals", said)

    def tell_erasure(self, url: str, said: Mapping[str, Any]) -> None:
        self._tell("erasure", said)

    def _tell(self, what: str, said: Mapping[str, Any]) -> None:
        if self.away:
            raise PeerUnreachable("away")
        self.said.append((what, said))


@dataclass
class Rig:
    """One city's consent: its file, its books, what it states, and a wire that goes nowhere."""

    db: Database
    file: Path
    wire: Wire = field(default_factory=Wire)
    now_ms: int = NOW
    stated: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    marked: Personal | None = field(default_factory=lambda: Personal("subject", "residents"))

    def __post_init__(self) -> None:
        self.store = ConsentStore(self.db)
        self.post = Post(Outbox(self.db, chance=lambda: 0.5), self.wire)
        nothing = Sources(lambda *_: pytest.fail("no service"), lambda *_: {}, deadline_s=1, monotonic=lambda: 0.0)
        self.noticed = Noticed(self.store, nothing)
        self.withdrawals = Withdrawals(
            self.noticed, self.post, origins=self,  # type: ignore[arg-type]
            evidence=self.state, clock_ms=lambda: self.now_ms,
        )  # fmt: skip
        self.acknowledgements = Acknowledgements(
            self.store, self.post, gave_under=lambda *said: said == (HELSINKI, AGREEMENT, DATASET),
            evidence=self.state, clock_ms=lambda: self.now_ms,
        )  # fmt: skip

    def personal(self, dataset: str) -> Personal | None:
        return self.marked if dataset == DATASET else None

    def state(self, tx: Tx, kind: str, each: Withdrawal, said: Mapping[str, Any], at_ms: int) -> None:
        assert tx.row("SELECT 1 FROM withdrawal WHERE id = ?", each.id), "stated where it is written"
        self.stated.append((kind, each.id, said))

    def read(self, peer: str = LONDON, agreement: str = AGREEMENT, dataset: str = DATASET) -> None:
        """Let data begin to go to a city, as the gate does."""
        self.now_ms += 1_000
        name = self.marked.consent if self.marked else "residents"
        self.noticed.begin(self.store.source(name), agreement, Asked(dataset, RESEARCH, peer), self.now_ms)

    def withdraw(self, *subjects: str) -> None:
        self.now_ms += 1_000
        for subject in subjects:
            source = ConsentSource("residents", "file", str(self.file))
            write_withdrawal(source, subject, Asked("", "", ""), self.now_ms)

    def watch(self) -> int:
        return self.withdrawals.watch(self.now_ms).told

    def deliver(self) -> list[tuple[str, Mapping[str, Any]]]:
        self.wire.said.clear()
        while self.withdrawals.round(self.now_ms):
            pass
        return list(self.wire.said)

    def told(self) -> Mapping[str, Any]:
        """The one message that is delivered now."""
        ((what, said),) = self.deliver()
        assert what == "withdrawals"
        return said


_names = itertools.count()


@pytest.fixture
def rig(lasting_db: Database, tmp_path: Path) -> Iterator[Rig]:
    file = tmp_path / "consent.csv"
    keys = ("r-1", "r-2", "r-3")
    lines = [f"{key},2026-01-01T00:00:00Z,ConsentGiven,AcademicResearch,{LONDON} {GHENT}\n" for key in keys]
    file.write_text(HEAD + "".join(lines))
    made = Rig(lasting_db, file)
    made.store.add(ConsentSource("residents", "file", str(file), at=NOW))
    made.read()
    yield made
    with lasting_db.write() as tx:
        for table in ("withdrawal", "consent_source", "consent_read", "outgoing"):
            tx.run(f"DELETE FROM {table}")  # noqa: S608


def bytes_of(said: Mapping[str, Any]) -> bytes:
    import orjson

    return orjson.dumps(said)


# ---------------------------------------------------------------- telling


def test_a_withdrawal_is_told_once_to_the_city_that_holds_the_data(rig: Rig) -> None:
    assert rig.watch() == 0
    rig.withdraw("r-2")
    assert rig.watch() == 1
    said = rig.told()
    (key,) = said["withdrawals"]
    assert (said["agreement"], said["dataset"]) == (AGREEMENT, DATASET)
    assert key["key"] == salted_key(said["salt"], "r-2")
    assert read_told(bytes_of(said)).keys[0][2] == rig.now_ms
    rig.now_ms += DAY_MS
    assert (rig.watch(), rig.deliver()) == (0, [])


def test_nobody_is_named_in_what_is_told_kept_or_stated(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    rows = rig.db.hot().rows("SELECT * FROM withdrawal") + rig.db.hot().rows("SELECT * FROM outgoing")
    for kept in (rows, rig.told(), rig.stated):
        assert "r-2" not in str(kept)
    ((kind, _, said),) = rig.stated
    assert kind == "withdrawal"
    assert "salt" not in said, "whoever reads the evidence cannot try keys"


def test_withdrawals_under_one_agreement_share_a_salt_and_others_do_not(rig: Rig) -> None:
    rig.read(GHENT, AGREEMENT + "2")
    rig.withdraw("r-1")
    rig.watch()
    rig.withdraw("r-2")
    rig.watch()
    said = [each for _, each in rig.deliver()]
    assert len(said) == 4
    assert len({(each["agreement"], each["salt"]) for each in said}) == 2


def test_a_city_is_told_only_of_consent_by_which_rows_went_to_it(rig: Rig) -> None:
    with rig.file.open("a") as file:
        file.write("r-3,2026-11-30T00:00:00Z,ConsentWithdrawn,AcademicResearch,https://oslo.example\n")
    assert rig.watch() == 0
    with rig.db.write() as tx:
        tx.run("DELETE FROM consent_read")
    rig.withdraw("r-2")
    assert rig.watch() == 0, "nothing went by consent, whatever is set today"


CHANGES = ["another source", "source anew", "another source at once", "not about persons", "no source in the setting"]


@pytest.mark.parametrize("change", CHANGES)
def test_the_duty_follows_the_rows_that_went_and_not_what_is_set_today(rig: Rig, change: str) -> None:
    rig.withdraw("r-3")
    assert rig.watch() == 1
    if change.startswith("another source"):
        if change.endswith("at once"):
            rig.store.remove("residents")
        other = rig.file.with_name("other.csv")
        other.write_text(rig.file.read_text())
        rig.store.add(ConsentSource("others", "file", str(other), at=NOW))
        rig.file, rig.marked = other, Personal("subject", "others")
    elif change == "source anew":
        rig.store.remove("residents")
        rig.store.add(ConsentSource("residents", "file", str(rig.file), at=rig.now_ms))
    else:
        rig.marked = None if change == "not about persons" else Personal("subject", "")
    rig.withdraw("r-1")
    if change in CHANGES[:3]:
        rig.read()  # the next one, and the first by that word: r-1 is there from the earlier ones
    assert rig.watch() == 1
    assert len({each.ours for each in rig.store.listed("out")}) == 2
    rig.now_ms += DAY_MS
    assert rig.watch() == 0


def test_a_source_that_is_gone_though_rows_went_out_by_its_word_is_said(rig: Rig) -> None:
    rig.marked = None
    rig.store.remove("residents")
    assert list(rig.withdrawals.watch(rig.now_ms).troubles) == ["residents"]


def test_of_two_sources_that_date_a_withdrawal_otherwise_one_is_told_once(rig: Rig) -> None:
    rig.withdraw("r-2")
    other = rig.file.with_name("other.csv")
    other.write_text(rig.file.read_text())
    rig.store.add(ConsentSource("others", "file", str(other), at=NOW))
    rig.marked = Personal("subject", "others")
    rig.read()
    rig.read(GHENT, AGREEMENT + "2")
    rig.withdraw("r-2")
    assert [rig.watch() for _ in range(3)] == [1, 0, 0]
    assert [each.peer for each in rig.store.listed("out")] == [LONDON]


def test_once_all_is_erased_what_comes_later_has_another_salt(rig: Rig) -> None:
    rig.withdraw("r-1")
    rig.watch()
    first = rig.told()
    (each,) = rig.store.listed("out")
    rig.withdrawals.hear(LONDON, Answered("erased", [each.id]))
    rig.withdraw("r-2")
    rig.now_ms += DAY_MS
    assert (rig.watch(), rig.watch()) == (1, 0), "whom it was told of is known without the salt"
    second = rig.told()
    assert second["salt"] != first["salt"]
    assert second["withdrawals"][0]["key"] == salted_key(second["salt"], "r-2")


def test_a_city_that_first_read_after_a_withdrawal_is_told_nothing_of_it(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.read(GHENT, AGREEMENT + "2")
    assert rig.watch() == 1
    assert [each.peer for each in rig.store.listed("out")] == [LONDON]
    rig.withdraw("r-3")
    assert rig.watch() == 2


def test_a_late_note_of_an_earlier_withdrawal_reaches_who_got_the_data_meanwhile(rig: Rig) -> None:
    letter_ms = rig.now_ms
    rig.read(GHENT, AGREEMENT + "2")
    write_withdrawal(rig.store.source("residents"), "r-2", Asked("", "", ""), letter_ms)
    rig.now_ms += 9 * DAY_MS  # and nobody watched for days
    assert rig.watch() == 2


def test_a_city_to_which_nothing_has_gone_yet_is_told_nothing(rig: Rig) -> None:
    rig.withdraw("r-2")
    assert rig.watch() == 1
    assert [each.peer for each in rig.store.listed("out")] == [LONDON]


def test_a_second_agreement_of_the_same_city_is_told_what_comes_after_its_first_read(rig: Rig) -> None:
    rig.withdraw("r-1")
    rig.watch()
    rig.now_ms += 60_000
    rig.read(LONDON, AGREEMENT + "2")
    rig.withdraw("r-2")
    assert rig.watch() == 2
    told = [(each.agreement, each.salted) for each in rig.store.listed("out")]
    assert len(told) == len(set(told)) == 3


def test_who_consents_again_and_withdraws_again_is_told_again_once_the_first_was_erased(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    rig.deliver()
    (first,) = rig.store.listed("out")
    rig.withdraw("r-2")
    assert rig.watch() == 0, "it has still to be erased"
    rig.withdrawals.hear(LONDON, Answered("erased", [first.id]))
    rig.withdraw("r-2")
    assert rig.watch() == 1


def test_a_withdrawal_on_paper_that_comes_after_an_erasure_and_bears_an_earlier_day_is_told(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    (first,) = rig.store.listed("out")
    signed_ms = rig.now_ms + 60_000
    rig.now_ms += DAY_MS
    rig.withdrawals.hear(LONDON, Answered("erased", [first.id]))
    assert rig.watch() == 0
    rig.now_ms += DAY_MS
    write_withdrawal(rig.store.source("residents"), "r-2", Asked("", "", ""), signed_ms)
    assert (rig.watch(), rig.watch()) == (1, 0)


def test_a_source_that_is_down_is_noted_and_the_others_are_asked(rig: Rig) -> None:
    rig.file.rename(rig.file.with_suffix(".away"))
    watched = rig.withdrawals.watch(rig.now_ms)
    assert list(watched.troubles) == ["residents"]
    assert rig.store.source("residents").trouble
    rig.file.with_suffix(".away").rename(rig.file)
    rig.withdrawals.tend(rig.now_ms)
    assert rig.store.source("residents").trouble == ""


# ---------------------------------------------------------------- answers


def test_what_a_city_answers_is_noted_and_stated_once(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    (each,) = rig.store.listed("out")
    rig.now_ms += 5
    assert rig.withdrawals.hear(LONDON, Answered("acknowledged", [each.id])) == 1
    assert rig.withdrawals.hear(LONDON, Answered("acknowledged", [each.id])) == 0
    assert rig.withdrawals.hear(LONDON, Answered("erased", [each.id])) == 1
    assert rig.withdrawals.hear(LONDON, Answered("acknowledged", [each.id])) == 0
    assert [kind for kind, _, _ in rig.stated] == ["withdrawal", "acknowledgement", "erasure"]
    (told,) = rig.store.listed("out")
    assert told.state == "erased"


def test_only_the_city_that_was_told_may_answer(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    (each,) = rig.store.listed("out")
    for peer, name in ((GHENT, each.id), (LONDON, "00" * 16)):
        with pytest.raises(NotFound):
            rig.withdrawals.hear(peer, Answered("erased", [name]))
    assert rig.store.listed("out", is_open=True)


def test_who_does_not_answer_is_reminded_day_by_day_even_after_a_message_was_given_up(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    rig.deliver()
    assert rig.withdrawals.remind(rig.now_ms + DAY_MS - 1) == 0
    rig.now_ms += DAY_MS
    assert rig.withdrawals.remind(rig.now_ms) == 1
    assert rig.withdrawals.remind(rig.now_ms) == 0, "it waits already"
    rig.wire.away = True
    rig.now_ms += GIVE_UP_MS
    assert rig.deliver() == []
    rig.wire.away = False
    rig.now_ms += DAY_MS
    rig.withdrawals.tend(rig.now_ms)
    assert len(rig.deliver()) == 1
    (each,) = rig.store.listed("out")
    rig.withdrawals.hear(LONDON, Answered("acknowledged", [each.id]))
    assert rig.withdrawals.remind(rig.now_ms + 9 * DAY_MS) == 0


# ---------------------------------------------------------------- hearing


def heard(rig: Rig, *subjects: str, salt: str = "ab" * 16) -> dict[str, Any]:
    keys = [
        {"id": f"{next(_names):032x}", "key": salted_key(salt, each), "at": "2026-11-22T10:00:00.000Z"}
        for each in subjects
    ]
    said = {"agreement": AGREEMENT, "dataset": DATASET, "algorithm": "HMAC-SHA-256", "salt": salt, "withdrawals": keys}
    rig.acknowledgements.hear(HELSINKI, read_told(bytes_of(said)))
    return said


def test_what_is_heard_twice_is_kept_and_stated_once(rig: Rig) -> None:
    said = heard(rig, "r-1", "r-2")
    assert rig.acknowledgements.hear(HELSINKI, read_told(bytes_of(said))) == 0
    assert [kind for kind, _, _ in rig.stated] == ["withdrawal"] * 2
    assert len(rig.acknowledgements.list()) == 2


def test_only_who_gives_us_data_under_the_agreement_is_heard(rig: Rig) -> None:
    said = read_told(bytes_of(heard(rig, "r-1")))
    for peer in (GHENT, LONDON):
        with pytest.raises(NotAgreed):
            rig.acknowledgements.hear(peer, said)
    assert our_id(HELSINKI, "ab") != our_id(GHENT, "ab"), "no peer can speak of another's"


def test_more_than_anybody_looks_through_is_not_taken(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "MAX_OPEN", 1)
    with pytest.raises(TooManyRequests):
        heard(rig, "r-1", "r-2")
    assert rig.acknowledgements.list() == []


@pytest.mark.parametrize("form", ["csv", "semicolons.csv", "jsonl", "parquet"])
def test_the_rows_of_a_file_that_are_meant_are_found(rig: Rig, tmp_path: Path, form: str) -> None:
    heard(rig, "r-1", "r-3")
    heard(rig, "1002", salt="cd" * 16)
    keys = ["r-1", "r-2", "", "1002", "r-1"]
    file = tmp_path / f"people.{form}"
    if form.endswith("csv"):
        mark = ";" if form != "csv" else ","
        file.write_text(f"n{mark}subject\n" + "".join(f'"{n}"{mark}{key}\n' for n, key in enumerate(keys)))
    elif form == "jsonl":
        file.write_text("".join(f'{{"subject": "{key}"}}\n' for key in keys) + "\n")
    else:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"subject": keys}), file)
    found = rig.acknowledgements.match(file, "subject")
    assert [(each.row, each.key) for each in found] == [(1, "r-1"), (4, "1002"), (5, "r-1")]
    assert rig.acknowledgements.match(file, "subject", agreement=AGREEMENT + "2") == []
    broken = tmp_path / "b.jsonl"
    broken.write_text("{\n")
    with pytest.raises(Malformed if form == "jsonl" else NotFound):
        rig.acknowledgements.match(broken if form == "jsonl" else file, "nobody")


def test_a_file_that_is_not_there_or_of_another_form_is_refused(rig: Rig, tmp_path: Path) -> None:
    heard(rig, "r-1")
    with pytest.raises(NotFound):
        rig.acknowledgements.match(tmp_path / "none.csv", "subject")
    (tmp_path / "a.zip").write_bytes(b"PK")
    (tmp_path / "a.parquet").write_bytes(b"PK")
    for name in ("a.zip", "a.parquet"):
        with pytest.raises(Malformed):
            rig.acknowledgements.match(tmp_path / name, "subject")


def test_the_duty_is_acknowledged_then_the_rows_are_gone_and_then_nobody_can_tell_who_it_was(rig: Rig) -> None:
    said = heard(rig, "r-1", "r-2")
    done = rig.acknowledgements.answer([], "acknowledged", by="ada")
    assert len(done) == 2
    ((_, told),) = rig.deliver()
    assert read_answer(bytes_of(told)) == Answered("acknowledged", [each["id"] for each in said["withdrawals"]])
    with pytest.raises(Conflict):
        rig.acknowledgements.answer([], "acknowledged", by="ada")
    first, second = rig.acknowledgements.list()
    rig.acknowledgements.answer([first.id], "erased", by="ada")
    assert all(each.salt for each in rig.acknowledgements.list(everything=True))
    rig.acknowledgements.answer([second.id], "erased", by="ada")
    assert rig.acknowledgements.list() == []
    kept = rig.acknowledgements.list(everything=True)
    assert {(each.salt, each.by, each.state) for each in kept} == {("", "ada", "erased")}
    kinds = [kind for kind, _, _ in rig.stated]
    assert kinds == ["withdrawal"] * 2 + ["acknowledgement"] * 2 + ["erasure"] * 2
    assert rig.acknowledgements.answer([first.id], "erased", by="ada") == []
    with pytest.raises(NotFound):
        rig.acknowledgements.answer(["nobody"], "erased", by="ada")


def test_saying_that_it_is_erased_also_says_that_it_was_acknowledged(rig: Rig) -> None:
    heard(rig, "r-1")
    (done,) = rig.acknowledgements.answer([], "erased", by="ada")
    (kept,) = rig.acknowledgements.list(everything=True)
    assert kept.acknowledged_at == kept.erased_at > 0
    assert done.id == kept.id
