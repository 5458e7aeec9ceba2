"""Laws of what the desk says of a run: stages never claim what did not happen, letters are ready to be sent."""

from dataclasses import replace

import pytest

from node.catalog.run_report import Owner
from node.catalog.runs import Counters, Run, RunRow, Step
from node.catalog.story import Difference
from node.web.desk.run_views import changed, finding, found_in, letters, stages
from node.web.wording.words import LANGUAGES

IRI = "https://data.example/id/one"
RUN = Run(
    id=7,
    source="hri",
    state="running",
    dry=False,
    started_ms=1_000,
    heartbeat_ms=9_000,
    deadline_ms=99_000,
    ended_ms=0,
    stage="read",
    counters=Counters(),
    reason="",
    ranges=[],
    trigger="maija",
    cancel_requested=False,
    holder="",
    steps=[Step("reach", 1_000, 1_500), Step("read", 1_500, 2_000, done=12)],
)


def states(run: Run) -> dict[str, str]:
    return {stage.name: stage.state for stage in stages(run, "en")}


def row(number: int, *, code: str = "title-missing", owner: str = "Parks", title: str = "Map") -> RunRow:
    return RunRow("refused", f"key{number}", "", title, owner, code, "Write a title.")


def test_what_is_at_work_is_now_and_what_follows_has_not_begun() -> None:
    assert states(RUN) == {"reach": "done", "read": "now", "check": "wait", "publish": "wait", "withdraw": "wait"}
    assert stages(RUN, "en")[1].said == "12 so far"
    both = replace(RUN, stage="publish", steps=[*RUN.steps, Step("check", 1, 1), Step("publish", 2, 2)])
    assert (states(both)["check"], states(both)["publish"]) == ("now", "now"), "they alternate by batch"


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_run_that_broke_off_says_where(state: str) -> None:
    ended = replace(RUN, state=state)
    assert states(ended) == {"reach": "done", "read": "bad", "check": "off", "publish": "off", "withdraw": "off"}


def test_held_withdrawals_are_neither_done_nor_lost() -> None:
    held = replace(RUN, state="partial", counters=Counters(read=3, held=2), steps=[*RUN.steps, Step("withdraw", 3, 3)])
    assert states(held)["withdraw"] == "held"
    assert states(held)["check"] == "done", "of few records nobody hears that they are checked"


def test_a_run_of_an_older_program_claims_no_stages() -> None:
    assert stages(replace(RUN, state="succeeded", steps=[]), "en") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_names_every_record_and_what_to_mend_in_the_readers_language(language: str) -> None:
    (letter,) = letters([Owner("Parks", (row(1, title="Noise"), row(2, title="Trees")))], RUN, language, "Helsinki")
    assert "• Noise" in letter.body
    assert "• Trees" in letter.body
    assert letter.body.endswith("\n\nHelsinki")
    assert letter.mailto.startswith("mailto:?subject=")
    assert "\n" not in letter.mailto
    assert ("Write a title." in letter.body) == (language == "en")


def test_a_letter_that_is_too_long_for_a_link_is_still_there_to_be_copied() -> None:
    (letter,) = letters([Owner("Parks", tuple(row(n) for n in range(200)))], RUN, "en", "Helsinki")
    assert letter.mailto == ""
    assert "And 160 more." in letter.body
    assert letter.body.count("•") == 40


def test_an_address_in_a_title_cannot_add_a_field_to_the_mail() -> None:
    (letter,) = letters([Owner("Parks", (row(1, title="x&cc=all@example.org"),))], RUN, "en", "A&bcc=b@example.org")
    assert letter.mailto.count("&") == 1


def test_what_changes_what_others_may_do_comes_first() -> None:
    licence = "http://purl.org/dc/terms/license"
    cc = "http://publications.europa.eu/resource/authority/licence/CC"
    removed = (f'<{IRI}> <http://purl.org/dc/terms/title> "Old"@en .', f"<{IRI}> <{licence}> <{cc}_BY_4_0> .")
    added = (f'<{IRI}> <http://purl.org/dc/terms/title> "New"@en .', f"<{IRI}> <{licence}> <{cc}0> .")
    (one,) = changed([Difference(IRI, "Map", removed, added)], "en")
    assert [each.label for each in one.changes] == ["Licence", "Title"]
    assert [each.weighty for each in one.changes] == [True, False]
    assert (one.changes[1].removed, one.changes[1].added) == (("Old (en)",), ("New (en)",))
    assert not one.changes[0].added[0].startswith("http"), "a licence is called by its name"


def test_a_long_value_is_cut_and_many_changes_are_counted() -> None:
    lines = tuple(f'<{IRI}> <https://x.example/p{n}> "{"a" * 5_000}" .' for n in range(30))
    (one,) = changed([Difference(IRI, "Map", lines, ())], "en")
    assert len(one.changes) == 12
    assert one.more == 18
    assert all(len(value) <= 301 for each in one.changes for value in each.removed)


def test_findings_of_a_rehearsal_are_said_in_the_readers_language() -> None:
    found = RunRow("added", "k", IRI, "Map", "", "", "recommended: Add a publisher (dct:publisher). · note: Fine.")
    (one,) = found_in(found, "fi")
    assert (one.label, one.lang) == ("Julkaisija", "")
    assert "Add" not in one.text
    (one,) = found_in(found, "en")
    assert one.text == "Add a publisher."


@pytest.mark.parametrize(("reader", "said"), [("en", "Files and services: 3."), ("fi", "Tiedostot ja rajapinnat: 3.")])
def test_a_finding_that_is_not_of_the_record_itself_says_of_what(reader: str, said: str) -> None:
    told = "Add a description (dct:description) in at least one language. Seen at 3 distributions."
    one = finding(told, reader)
    assert one.text.endswith(f" {said}")
