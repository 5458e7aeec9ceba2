"""Laws of the ledger of problem reports: what is taken, who settles it, what is forgotten, and what everybody reads."""

import itertools
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.catalog import problem_store
from node.catalog.problem_reports import KINDS, About, Bounds, ProblemReports, Words
from node.catalog.problem_store import DAY_MS, KEPT_MS, SILENT_MS, Report
from node.db import Database, Tx
from node.errors import Conflict, Malformed, NotFound, TooManyRequests, Unavailable

HERE, THERE = "https://helsinki.example", "https://london.example"
OURS = About(f"{HERE}/datasets/trees", "Street trees")
THEIRS = About(f"{THERE}/datasets/kerbs", "Kerbs of London", THERE)
HOUR_MS = 3_600_000
_numbers = itertools.count(1)


@dataclass
class Post:
    """A way to other cities that keeps what it is given."""

    said: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def report(self, tx: Tx, peer: str, said: Mapping[str, str], at_ms: int) -> None:
        self.said.append(("report", peer, dict(said)))

    def standing(self, tx: Tx, peer: str, said: Mapping[str, str], at_ms: int) -> None:
        self.said.append(("standing", peer, dict(said)))

    def deliver(self, now_ms: int, ledger: ProblemReports) -> int:
        return 0


@dataclass
class Rig:
    db: Database
    post: Post = field(default_factory=Post)
    now_ms: int = 1_795_000_000_000

    def ledger(self, **bounds: int) -> ProblemReports:
        tokens = (f"{number:08x}" for number in _numbers)
        return ProblemReports(
            self.db,
            self.post,
            base_url=HERE,
            bounds=Bounds(**bounds),
            clock_ms=lambda: self.now_ms,
            token=lambda size: next(tokens) * (size // 4),
        )

    def row(self, name: str) -> Report:
        with self.db.read() as tx:
            found = problem_store.one(tx, name)
        assert found is not None
        return found


@pytest.fixture
def rig(lasting_db: Database) -> Iterator[Rig]:
    yield Rig(lasting_db)
    with lasting_db.write() as tx:
        tx.run("DELETE FROM problem_report")


def words(text: str = "", **more: str) -> Words:
    return Words(**{"kind": "wrong", "text": text or f"The map is upside down {next(_numbers)}.", **more})


def test_a_report_about_our_own_record_is_settled_here_with_a_reason_that_everybody_reads(rig: Rig) -> None:
    ledger = rig.ledger()
    name = ledger.report(OURS, words("The map is upside down.", mailbox="ada@example.org"), caller="1.2.3.4")
    assert (ledger.standing(name).state, ledger.waiting()) == ("received", 1)
    rig.now_ms += 1_000
    assert ledger.answer(name[:6], "We ask the surveyors.").state == "looking"
    assert ledger.standing(name).reason == "We ask the surveyors."
    rig.now_ms += 1_000
    ledger.close(name, "mended", "It is turned.")
    told = ledger.standing(name)
    assert (told.state, told.reason, told.changed_at - told.at, ledger.waiting()) == (
        "mended", "It is turned.", 2_000, 0,
    )  # fmt: skip
    assert rig.post.said == []


def test_nobody_but_staff_reads_words_or_mailbox_before_or_after(rig: Rig) -> None:
    ledger = rig.ledger()
    shy, loud = (ledger.report(OURS, words(mailbox="ada@example.org"), caller="1.2.3.4") for _ in range(2))
    assert (ledger.standing(shy).said, ledger.standing(shy).contact) == ("", "")
    assert ledger.show(shy).contact == "ada@example.org"
    ledger.close(shy, "declined", "It is right.")
    ledger.close(loud, "mended", "It was not.", publish=True)
    assert (rig.row(shy).said, rig.row(shy).contact, rig.row(loud).contact) == ("", "", "")
    assert "upside down" in ledger.standing(loud).said


def test_a_report_about_another_citys_record_goes_there_without_the_mailbox_and_is_not_settled_here(rig: Rig) -> None:
    ledger = rig.ledger()
    name = ledger.report(THEIRS, words("Wrong street.", mailbox="ada@example.org", language="en"), caller="1.2.3.4")
    ((what, peer, said),) = rig.post.said
    assert (what, peer, said["text"], said["record"]) == ("report", THERE, "Wrong street.", THEIRS.iri)
    assert "ada@example.org" not in str(said)
    assert ledger.waiting() == 0
    for act in (lambda: ledger.answer(name, ""), lambda: ledger.close(name, "mended", "Done.")):
        with pytest.raises(Conflict):
            act()
    with rig.db.write() as tx:
        ledger.taken(tx, name, rig.now_ms)
    assert ledger.standing(name).state == "sent"
    ledger.hear_standing(THERE, name, state="mended", reason="The street is right now.", theirs="ab12")
    told = ledger.standing(name)
    assert (told.state, told.reason, told.theirs, rig.row(name).contact) == (
        "mended", "The street is right now.", "ab12", "",
    )  # fmt: skip


def test_only_the_city_that_was_told_says_how_a_report_stands(rig: Rig) -> None:
    ledger = rig.ledger()
    sent, own = ledger.report(THEIRS, words(), caller="1"), ledger.report(OURS, words(), caller="1")
    for peer, name in ((HERE, sent), ("https://oslo.example", sent), (THERE, own), (THERE, "ffff")):
        with pytest.raises(NotFound):
            ledger.hear_standing(peer, name, state="mended", reason="", theirs="")
    with pytest.raises(Malformed):
        ledger.hear_standing(THERE, sent, state="received", reason="", theirs="")
    ledger.hear_standing(THERE, sent, state="declined", reason="No.", theirs="")
    ledger.hear_standing(THERE, sent, state="looking", reason="Late.", theirs="")  # what comes late changes nothing
    assert (ledger.standing(sent).state, ledger.standing(sent).reason) == ("declined", "No.")


def test_what_no_city_takes_can_be_settled_here(rig: Rig) -> None:
    ledger = rig.ledger()
    name = ledger.report(THEIRS, words(), caller="1")
    with rig.db.write() as tx:
        ledger.given_up(tx, name, rig.now_ms)
    assert ledger.standing(name).state == "undelivered"
    assert ledger.close(name, "declined", "We wrote them a letter.").state == "declined"


def test_another_citys_report_is_taken_once_and_its_standing_is_told_back(rig: Rig) -> None:
    ledger = rig.ledger()
    name = ledger.hear(THERE, "c0ffee", OURS, words("Wrong tree."))
    assert ledger.hear(THERE, "c0ffee", OURS, words("Wrong tree.")) == name
    assert ledger.hear("https://oslo.example", "c0ffee", OURS, words("Wrong tree.")) != name
    ledger.answer(name, "")
    ledger.close(name, "mended", "Cut down.")
    told = [(what, peer, said["id"], said["state"], said["report"]) for what, peer, said in rig.post.said]
    assert told == [
        ("standing", THERE, "c0ffee", "looking", name),
        ("standing", THERE, "c0ffee", "mended", name),
    ]


def test_one_city_cannot_fill_the_inbox(rig: Rig) -> None:
    ledger = rig.ledger(waiting=8)
    names = [ledger.hear(THERE, f"a{number}", OURS, words()) for number in range(2)]
    with pytest.raises(TooManyRequests) as refused:
        ledger.hear(THERE, "a2", OURS, words())
    assert refused.value.retry_after_s > 0
    ledger.close(names[0], "mended", "Done.")
    ledger.hear(THERE, "a2", OURS, words())
    assert ledger.hear("https://oslo.example", "a0", OURS, words())


def test_a_form_that_is_sent_again_is_the_report_that_is_there(rig: Rig) -> None:
    ledger, key, said = rig.ledger(per_day=4), "0f" * 16, words()
    name = ledger.report(OURS, said, caller="1.2.3.4", key=key)
    assert ledger.report(OURS, said, caller="1.2.3.4", key=key) == name, "and counts for one"
    assert key not in name
    with pytest.raises(Conflict):
        ledger.report(OURS, said, caller="5.6.7.8", key="1e" * 16)
    with pytest.raises(Conflict):
        ledger.report(OURS, said, caller="5.6.7.8", key="no key of ours")
    rig.now_ms += HOUR_MS + 1
    other = ledger.report(OURS, words(), caller="1.2.3.4", key=key)
    assert other != name, "somebody went back and wrote something else"


def test_one_address_reports_so_often_in_an_hour_and_in_a_day(rig: Rig) -> None:
    ledger = rig.ledger(per_day=8)
    for _ in range(2):
        ledger.report(OURS, words(), caller="1.2.3.4")
    with pytest.raises(TooManyRequests) as refused:
        ledger.report(OURS, words(), caller="1.2.3.4")
    assert 0 < refused.value.retry_after_s <= 3_600
    ledger.report(OURS, words(), caller="5.6.7.8")
    for _ in range(3):
        rig.now_ms += HOUR_MS + 1
        for _ in range(2):
            ledger.report(OURS, words(), caller="1.2.3.4")
    rig.now_ms += HOUR_MS + 1
    with pytest.raises(TooManyRequests):
        ledger.report(OURS, words(), caller="1.2.3.4")
    rig.now_ms += DAY_MS
    ledger.report(OURS, words(), caller="1.2.3.4")


def test_no_more_are_taken_than_may_wait_and_none_where_the_door_is_closed(rig: Rig) -> None:
    ledger = rig.ledger(waiting=4, per_day=1_000)
    for _ in range(4):
        ledger.report(OURS, words(), caller="1.2.3.4")
    with pytest.raises(Unavailable):
        ledger.report(OURS, words(), caller="1.2.3.4")
    ledger.report(THEIRS, words(), caller="1.2.3.4")  # that is not ours to settle
    with pytest.raises(Unavailable):
        ledger.report(THEIRS, words(), caller="1.2.3.4")  # and no city is told more in a day than we would take
    with pytest.raises(Unavailable):
        rig.ledger(per_day=0).report(OURS, words(), caller="1.2.3.4")


def test_the_same_is_not_taken_twice_while_it_is_open(rig: Rig) -> None:
    ledger = rig.ledger()
    name = ledger.report(OURS, words("Twice."), caller="1.2.3.4")
    with pytest.raises(Conflict):
        ledger.report(OURS, words("  Twice.\r\n"), caller="5.6.7.8")
    ledger.close(name, "mended", "Once.")
    assert ledger.report(OURS, words("Twice."), caller="5.6.7.8") != name


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("kind", {"kind": "nonsense"}),
        ("text", {"text": " \n\u200b "}),
        ("text", {"text": "a" * 4_001}),
        ("mailbox", {"mailbox": "no mailbox"}),
        ("mailbox", {"mailbox": f"{'a' * 300}@example.org"}),
    ],
)
def test_what_is_wrong_with_a_report_is_told_by_its_field(rig: Rig, place: str, wrong: dict[str, str]) -> None:
    with pytest.raises(Malformed) as refused:
        rig.ledger().report(OURS, Words(**{"kind": "wrong", "text": "It is.", **wrong}), caller="1.2.3.4")
    assert [at for at, _ in refused.value.places] == [f"/{place}"]


def test_a_decision_needs_an_outcome_a_reason_and_is_taken_once(rig: Rig) -> None:
    ledger = rig.ledger()
    name = ledger.report(OURS, words(), caller="1.2.3.4")
    for outcome, reason in (("gone", "Why."), ("mended", "  "), ("mended", "a" * 1_001)):
        with pytest.raises(Malformed):
            ledger.close(name, outcome, reason)
    ledger.close(name, "mended", "Done.")
    with pytest.raises(Conflict):
        ledger.close(name, "declined", "Or not.")
    with pytest.raises(Conflict):
        ledger.answer(name, "Again.")


def test_the_sort_of_a_problem_can_be_put_right(rig: Rig) -> None:
    ledger = rig.ledger()
    name = ledger.report(OURS, words(), caller="1.2.3.4")
    for kind in KINDS:
        assert ledger.sort(name, kind).kind == kind
    with pytest.raises(Malformed):
        ledger.sort(name, "no such sort")


def test_callers_are_forgotten_after_a_day_and_what_was_settled_after_a_year(rig: Rig) -> None:
    ledger = rig.ledger()
    settled = ledger.report(OURS, words(), caller="1.2.3.4")
    ledger.close(settled, "mended", "Done.")
    still = ledger.report(OURS, words(), caller="1.2.3.4")
    rig.now_ms += KEPT_MS + DAY_MS
    ledger.report(OURS, words(), caller="5.6.7.8")
    with rig.db.read() as tx:
        rows = dict(tx.rows("SELECT id, caller FROM problem_report"))
    assert settled not in rows
    assert rows[still] == ""
    with pytest.raises(NotFound):
        ledger.standing(settled)


def test_ids_are_found_by_their_beginning_if_it_is_one(rig: Rig) -> None:
    ledger = rig.ledger()
    first = ledger.report(OURS, words(), caller="1.2.3.4")
    second = ledger.report(OURS, words(), caller="1.2.3.4")
    assert ledger.show(first).id == first
    common = next(first[:size] for size in range(1, 17) if first[: size + 1] != second[: size + 1])
    with pytest.raises(Conflict):
        ledger.show(common)
    for nobody in ("zz", "", "%", first + "0"):
        with pytest.raises((NotFound, Conflict)):
            ledger.show(nobody)


def test_lists_are_in_the_order_in_which_they_are_worked_through(rig: Rig) -> None:
    ledger = rig.ledger(per_day=100)
    names = []
    for _ in range(4):
        names.append(ledger.report(OURS, words(), caller="1.2.3.4"))
        rig.now_ms += 1_000
    for name in (names[1], names[0]):
        ledger.close(name, "mended", "Done.")
        rig.now_ms += 1_000
    assert [each.id for each in ledger.list()] == names[2:]
    assert [each.id for each in ledger.list(settled=True)] == [names[0], names[1]]
    assert [each.id for each in ledger.list(limit=1)] == names[2:3]


def test_callers_and_old_reports_are_forgotten_though_nobody_reports_again(rig: Rig) -> None:
    ledger = rig.ledger()
    settled, still = (ledger.report(OURS, words(), caller="1.2.3.4") for _ in range(2))
    ledger.close(settled, "mended", "Done.")
    rig.now_ms += DAY_MS
    assert ledger.forget(rig.now_ms) == 1
    with rig.db.read() as tx:
        assert set(tx.rows("SELECT caller FROM problem_report")) == {("",)}
    assert ledger.forget(rig.now_ms + KEPT_MS) == 1
    assert ledger.show(still).is_open
    with pytest.raises(NotFound):
        ledger.show(settled)


def test_a_report_that_its_city_never_settles_ends_by_itself(rig: Rig) -> None:
    ledger = rig.ledger()
    silent, ours = (ledger.report(about, words(mailbox="ada@example.org"), caller="1") for about in (THEIRS, OURS))
    with rig.db.write() as tx:
        ledger.taken(tx, silent, rig.now_ms)
    ledger.forget(rig.now_ms + SILENT_MS + 1)
    assert (rig.row(silent).contact, rig.row(silent).state) == ("", "sent")
    assert rig.row(ours).contact == "ada@example.org"
    ledger.forget(rig.now_ms + KEPT_MS + 1)
    with pytest.raises(NotFound):
        ledger.standing(silent)
    assert ledger.show(ours).is_open


def test_who_reported_leaves_the_files_with_the_decision(tmp_path: Path, migrated: Path) -> None:
    shutil.copy(migrated, tmp_path / "node.db")
    db = Database(f"sqlite:///{tmp_path / 'node.db'}")
    try:
        ledger = Rig(db).ledger()
        name = ledger.report(OURS, words("Ada saw it.", mailbox="ada@example.org"), caller="1.2.3.4")
        held = [path for path in tmp_path.iterdir() if b"ada@example.org" in path.read_bytes()]
        assert held, "it is in the files while it is open"
        ledger.close(name, "mended", "Done.")
        for path in tmp_path.iterdir():
            assert b"ada@example.org" not in path.read_bytes(), path.name
            assert b"Ada saw it." not in path.read_bytes(), path.name
    finally:
        db.close()


def test_what_other_cities_tell_never_shuts_the_door_to_readers_here(rig: Rig) -> None:
    ledger = rig.ledger(waiting=4)
    for number in range(6):
        ledger.hear(f"https://city-{number}.example", "a1", OURS, words())
    assert ledger.waiting() == 6
    for caller in "1234":
        ledger.report(OURS, words(), caller=caller)
    with pytest.raises(Unavailable):
        ledger.report(OURS, words(), caller="5")
