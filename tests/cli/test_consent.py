"""Commands on consent: sources are files or services that answered once, and a resident's key is written once."""

import io
from pathlib import Path

import pytest

from node.assembly import build
from node.federation.consent.store import ConsentRead, ConsentStore, Withdrawal, salted_key
from node.federation.policy.terms import DPV
from node.settings import load
from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

LONDON = "https://london.example"
HEAD = "pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties\n"
YES = f"r-1,2026-01-01T00:00:00Z,ConsentGiven,AcademicResearch,{LONDON}\n"


@pytest.fixture
def consents(tmp_path: Path) -> Path:
    path = tmp_path / "consent.csv"
    path.write_text(HEAD + YES)
    return path


def test_a_source_is_added_checked_listed_and_removed(helsinki: Say, consents: Path) -> None:
    made = helsinki("consent", "sources", "add", "residents", consents)
    assert made.code == 0, made.err
    assert "--subject-column" in made.err
    (listed,) = helsinki("consent", "sources", "list", "--json").json["sources"]
    assert (listed["kind"], listed["location"], listed["trouble"]) == ("file", str(consents), "")
    assert helsinki("consent", "sources", "check", "residents").code == 0
    consents.write_text(HEAD + "r-1,whenever,perhaps,,\n")
    failed = helsinki("consent", "sources", "check", "residents")
    assert (failed.code, "Line 2" in failed.out, "r-1" in failed.out) == (1, True, False)
    assert "Line 2" in helsinki("consent", "sources", "list").out
    assert helsinki("consent", "sources", "remove", "residents").code == 0
    assert helsinki("consent", "sources", "list", "--json").json == {"sources": []}


def test_withdrawing_writes_into_the_file_and_says_whom_it_told(
    helsinki: Say, consents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helsinki("consent", "sources", "add", "residents", consents)
    said = helsinki("consent", "withdraw", "residents", "r-1", "--purpose", "AcademicResearch", "--recipient", LONDON)
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        "Written into residents: 1 withdrawal.",
        "0 withdrawals are told to cities that hold the data.",
    ]
    assert "spelt" not in said.err
    assert "spelt" in helsinki("consent", "withdraw", "residents", "r-01").err
    monkeypatch.setattr("sys.stdin", io.StringIO("r-2\n\nr-3\n"))
    assert helsinki("consent", "withdraw", "residents", "-", "--json").json == {"told": 0, "troubles": {}, "unknown": 2}
    lines = consents.read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["pii_principal_identifier", "r-1", "r-1", "r-01", "r-2", "r-3"]
    assert all("ConsentWithdrawn" in line for line in lines[2:])
    assert "r-2" not in helsinki("audit", "list", "--json").out, "the trail holds nobody's key"
    assert helsinki("consent", "watch", "residents").code == 0


def test_what_cannot_be_told_yet_is_said_first_and_is_no_success(helsinki: Say, consents: Path, tmp_path: Path) -> None:
    helsinki("consent", "sources", "add", "residents", consents)
    node = build(load(data=tmp_path / "node"))
    try:
        with node.db.write() as tx:
            read = (f"{LONDON}/agreements/1", f"{LONDON}/datasets/1", LONDON, DPV + "AcademicResearch")
            ConsentStore(node.db).begin(tx, ConsentRead(*read, "residents", "ab" * 16, 5))
    finally:
        node.close()
    whole = consents.read_text()
    consents.write_text(whole + "r-9,whenever,perhaps,,\n")
    said = helsinki("consent", "withdraw", "residents", "r-1")
    written, why, then = said.out.splitlines()
    assert (said.code, written) == (3, "Written into residents: 1 withdrawal.")
    assert why.startswith("Which cities have to be told cannot be known yet. residents: Line 3")
    assert "told by themselves" in then
    consents.write_text(consents.read_text().replace("r-9,whenever,perhaps,,\n", ""))
    told = helsinki("consent", "watch")
    assert (told.code, told.out) == (0, "1 withdrawal is told to cities that hold the data.\n")


WRONG = (
    ("sources", "add", "Residents!", "CONSENTS"),
    ("sources", "add", "more", "none.csv"),
    ("sources", "add", "more", "x" * 5_000),
    ("sources", "add", "more", "~nobody-at-all/none.csv"),
    ("sources", "add", "more", "http://10.0.0.1/consent"),
    ("sources", "add", "more", "CONSENTS", "--credential", "x"),
    ("sources", "add", "residents", "CONSENTS"),
    ("sources", "check", "nobody"),
    ("sources", "remove", "nobody"),
    ("withdraw", "residents"),
    ("withdraw", "nobody", "r-1"),
    ("withdraw", "residents", "r-1", "--purpose", "Nothing"),
    ("withdraw", "residents", "r-1", "--dataset", "https://h.example/d"),
    ("watch", "nobody"),
)


def test_what_cannot_be_done_is_one_line_and_changes_nothing(helsinki: Say, consents: Path) -> None:
    helsinki("consent", "sources", "add", "residents", consents)
    for words in WRONG:
        said = helsinki("consent", *(str(consents) if word == "CONSENTS" else word for word in words))
        assert (said.code, said.err.count("\n"), len(said.err) < 500) == (1, 1, True), (words, said.err)
    assert consents.read_text() == HEAD + YES
    assert len(helsinki("consent", "sources", "list", "--json").json["sources"]) == 1


def test_withdrawals_of_others_are_listed_matched_and_answered(helsinki: Say, tmp_path: Path) -> None:
    assert helsinki("data", "withdrawals", "list", "--json").json == {"withdrawals": []}
    file = tmp_path / "people.csv"
    file.write_text("subject\nr-1\n")
    found = helsinki("data", "withdrawals", "match", file, "--column", "subject")
    assert (found.code, "No row" in found.err) == (0, True)
    assert helsinki("data", "withdrawals", "match", tmp_path / "none.csv", "--column", "x").code in (0, 1)
    for act in ("acknowledge", "erased"):
        assert helsinki("data", "withdrawals", act).code == 2
        nothing = helsinki("data", "withdrawals", act, "--all")
        assert (nothing.code, "Nothing waited" in nothing.out) == (0, True)
        assert helsinki("data", "withdrawals", act, "nobody").code == 1


def test_all_rows_of_a_file_are_found_however_many_they_are(helsinki: Say, tmp_path: Path) -> None:
    node = build(load(data=tmp_path / "node"))
    try:
        with node.db.write() as tx:
            key = salted_key("ab" * 16, "r-1")
            said = (LONDON, f"{LONDON}/agreements/1", f"{LONDON}/datasets/1", "", "ab" * 16, key, 5, 6)
            ConsentStore(node.db).put(tx, Withdrawal("f1dc0000-aa", "in", *said))
    finally:
        node.close()
    file = tmp_path / "people.csv"
    file.write_text("subject\n" + "r-1\nr-2\n" * 12_000)
    words = ("data", "withdrawals", "match", file, "--column", "subject")
    plain, found = helsinki(*words), helsinki(*words, "--json")
    assert [int(line.split()[0]) for line in plain.out.splitlines()[1:]] == list(range(1, 24_000, 2))
    assert plain.err.endswith("12000 rows must be erased.\n")
    assert [each["row"] for each in found.json["matches"]] == list(range(1, 24_000, 2))
    with file.open("a") as opened:
        opened.write('r-1,"\n')
    for stopped in (helsinki(*words), helsinki(*words, "--json")):
        assert (stopped.code, "12000 rows were found before this" in stopped.err) == (1, True)
        assert "Line 24002" in stopped.err
    with pytest.raises(ValueError, match=r"JSON|Expecting|delimiter"):
        helsinki(*words, "--json").json  # noqa: B018 (it is read when it is asked for)


def test_what_one_slip_must_not_say_of_many_takes_a_whole_id_or_a_yes(helsinki: Say, tmp_path: Path) -> None:
    node = build(load(data=tmp_path / "node"))
    try:
        with node.db.write() as tx:
            for name in ("f1dc0000-aa", "f1dc0000-ab", "f1dc0000-abc"):
                said = (LONDON, f"{LONDON}/agreements/1", f"{LONDON}/datasets/1", "", "ab" * 16, name * 4, 5, 6)
                ConsentStore(node.db).put(tx, Withdrawal(name, "in", *said))
    finally:
        node.close()
    several = helsinki("data", "withdrawals", "erased", "f1dc")
    assert (several.code, "begin with" in several.err) == (1, True)
    assert helsinki("data", "withdrawals", "acknowledge", "f1dc0000-ab").out == "1 withdrawal acknowledged.\n"
    unasked = helsinki("data", "withdrawals", "erased", "--all")
    assert (unasked.code, "[refused]" in unasked.err) == (1, True)
    assert helsinki("data", "withdrawals", "erased", "--all", "--yes").out == "3 withdrawals erased.\n"
    again = helsinki("data", "withdrawals", "erased", "f1dc0000-aa")
    assert (again.code, "no city is told anything new" in again.out) == (0, True)
    assert "--ended" in helsinki("data", "withdrawals", "list").out
    listed = helsinki("data", "withdrawals", "list", "--untold")
    assert listed.out.count("erased, not taken yet") == 3, "London is not there to hear it"
    assert helsinki("data", "withdrawals", "resend").code == 2
    waits = helsinki("data", "withdrawals", "resend", "--all")
    assert (waits.code, waits.out, "3 are not taken" in waits.err) == (0, "0 answers sent again.\n", True)
    node = build(load(data=tmp_path / "node"))
    try:
        with node.db.write() as tx:
            tx.run("UPDATE outgoing SET done_at = 5, error = 'no' WHERE kind = 'withdrawal'")
    finally:
        node.close()
    assert helsinki("data", "withdrawals", "resend", "f1dc0000-aa").out == "1 answer sent again.\n"
    assert helsinki("data", "withdrawals", "resend", "nobody").code == 1
    assert "data withdrawals resend" in helsinki("audit", "list", "--json").out
