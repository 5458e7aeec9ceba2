"""The commands on agreements and offers on one node: what people read, which exit codes scripts get, bad input.

What takes two cities to answer each other stands in `tests/cluster/test_agreements.py`.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.cli.agreement_words import _day
from tests.cli.conftest import Said, Say
from tests.federation.fake_peer import FakePeer
from tests.federation.fake_peer import Said as Answer

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

FILLED = ("--set", "purposes=PublicPolicyMaking", "--set", "ends=2029-12-31", "--set", "transfer_basis=adequacy")


@pytest.fixture
def turku(tmp_path: Path) -> Iterator[FakePeer]:
    with FakePeer(tmp_path / "turku", name="Turku") as running:
        running.publish(now_ms=time.time_ns() // 1_000_000)
        yield running


@pytest.fixture
def city(helsinki: Say, turku: FakePeer) -> Say:
    """A node with an approved peer, turku, and a restricted collection, plans."""
    helsinki("peers", "add", f"{turku.url}#{turku.fingerprint}", "--name", "turku")
    assert helsinki("peers", "approve", "turku", "--yes").code == 0
    assert helsinki("collections", "create", "plans", "--visibility", "restricted").code == 0
    return helsinki


@pytest.fixture
def token(city: Say, tmp_path: Path) -> Path:
    file = tmp_path / "maija"
    file.write_text(city("tokens", "issue", "maija", "--staff").out)
    return file


def drafted(city: Say, *words: object) -> Any:
    said = city("agreements", "draft", *(words or ("restricted-data", *FILLED)), "--with", "turku", "--cover", "plans",
                "--json")  # fmt: skip
    assert said.code == 0, said.err
    return said.json["drafts"][0]


def one_line(said: Said, code: int) -> str:
    assert said.code == code, said.err
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("citynode: ")
    return said.err


def test_templates_are_listed_without_a_node(citynode: Say) -> None:
    assert {each["id"].partition("/")[0] for each in citynode("agreements", "templates", "--json").json} >= {
        "digital-declaration",
        "innovators-access",
        "open-metadata",
        "practices",
        "restricted-data",
    }
    assert "purposes" in citynode("agreements", "templates", "restricted-data").out
    assert (
        "no-personal-data  The data contain no personal data."
        in citynode("agreements", "templates", "restricted-data").out
    )
    assert one_line(citynode("agreements", "templates", "nothing"), 1)


def test_a_draft_is_written_read_approved_and_dropped(city: Say, token: Path) -> None:
    name = drafted(city)["id"][:8]
    listed = city("agreements", "list").out
    assert name in listed
    assert f"citynode agreements propose {name} --token-file FILE" in listed
    texts = [city("agreements", "explain", name, "--lang", lang).out for lang in ("en", "fi", "sv")]
    assert len(set(texts)) == 3
    assert "Helsinki" in texts[0]
    assert "Turku" in texts[0]
    assert one_line(city("agreements", "explain", name, "--lang", "de"), 1)

    unasked = city("agreements", "approve", name, "--token-file", token).err
    assert "Look at it first, then add --yes. [refused]" in unasked
    approved = city("agreements", "approve", name, "--token-file", token, "--yes", "--json").json
    assert [each["person"] for each in approved["approvals"]] == ["maija"]
    again = city("agreements", "approve", name, "--token", token.read_text().strip(), "--yes").out
    assert "approved by:  maija" in again
    assert "dropped" in city("agreements", "revoke", name, "--yes").out
    assert "No agreements yet" in city("agreements", "list").out
    assert one_line(city("agreements", "show", name), 1)


def test_a_statement_of_law_that_is_left_out_is_refused_with_what_there_is_to_choose(city: Say) -> None:
    said = city("agreements", "draft", "restricted-data", *FILLED[:4], "--with", "turku", "--cover", "plans")
    refused = one_line(said, 1)
    assert "transfer_basis: it has no value; choose one of no-personal-data, within-eea" in refused
    assert city("agreements", "list", "--json").json["drafts"] == []


def test_a_list_names_collections_and_an_end_is_a_day(city: Say) -> None:
    name = drafted(city)["id"]
    assert "plans" in city("agreements", "list").out.split("\n")[1].split()
    assert city("agreements", "show", name[:4].upper()).code == 0
    assert _day("2029-01-01T00:00:00+00:00") == "31 December 2028 (included)"
    assert _day("2029-01-01T12:00:00+00:00") == "2029-01-01T12:00:00+00:00"


def test_two_ends_that_differ_are_refused(city: Say) -> None:
    words = ("agreements", "draft", "restricted-data", *FILLED, "--with", "turku", "--cover", "plans", "--until")
    assert "Two ends are given" in one_line(city(*words, "2028-12-31"), 1)
    assert city(*words, "2029-12-31").code == 0


def test_what_is_asked_of_them_is_said_where_nobody_named_it(city: Say) -> None:
    words = ("agreements", "draft", "digital-declaration", "--with", "turku", "--cover", "plans")
    said = city(*words).out
    assert "Asked of turku: " in said
    assert "/collections/open-data. To ask for something else: --their COLLECTION" in said
    assert "Asked of" not in city(*words, "--their", "other").out


def test_an_answer_that_does_not_come_in_time_is_no_error_and_exits_3(city: Say, token: Path, turku: FakePeer) -> None:
    turku.says["/.well-known/dspace-version"] = Answer(b"closed for lunch", 503)
    said = city("agreements", "propose", drafted(city)["id"], "--yes", "--token-file", token, "--wait", "1")
    assert said.code == 3
    name = city("agreements", "list", "--json").json["negotiations"][0]["id"][:8]
    assert said.err == f"{name} waits for the other city. It goes on by itself; see: citynode agreements list\n"
    assert "trouble:" in said.out, "why the last attempt failed"
    assert "told why" in one_line(city("agreements", "revoke", name), 2), "before anything is asked"


def test_who_approves_by_proposing_reads_the_terms_first(city: Say, token: Path) -> None:
    name = drafted(city)["id"]
    said = city("agreements", "propose", name, "--token-file", token)
    assert (said.code, "1.1 " in said.out, "add --yes" in said.err) == (1, True, True)
    assert city("agreements", "list", "--json").json["drafts"], "nothing was sent, and nothing approved"


def test_nothing_is_proposed_to_a_city_with_which_nothing_is_exchanged(city: Say) -> None:
    name = drafted(city)["id"]
    city("peers", "pause", "turku")
    assert "citynode peers resume turku" in one_line(city("agreements", "propose", name), 1)


def test_reports_need_json_and_actions_are_explained(city: Say) -> None:
    words = ("agreements", "simulate", "--peer", "turku", "--collection", "plans", "--action")
    assert "--json" in one_line(city(*words, "index", "--report"), 2)
    assert "index (= mirror)" in one_line(city(*words, "mirror"), 1)


def test_the_declaration_makes_two_drafts_of_one_document(city: Say) -> None:
    said = city("agreements", "draft", "digital-declaration", "--with", "turku", "--cover", "plans", "--json").json
    assert [each["role"] for each in said["drafts"]] == ["provider", "consumer"]
    shown = city("agreements", "show", said["document"]).out
    assert "in force only when both" in shown
    assert shown.count("Draft ") == 2
    assert city("agreements", "explain", said["document"]).out.count("1.1 ") == 2
    assert city("agreements", "list", "--json").json["documents"][0]["id"] == said["document"]


def test_terms_are_edited_as_json_and_as_sentences(city: Say, tmp_path: Path) -> None:
    first = drafted(city)
    exported = city("agreements", "explain", first["id"], "--json").json
    file = tmp_path / "terms.json"
    file.write_text(json.dumps(exported))
    assert drafted(city, "--file", file)["terms"] == first["terms"]
    exported["parts"][0]["rules"]["prohibition"] = []
    file.write_text(json.dumps(exported))
    other = drafted(city, "--file", file)
    assert other["terms"] != first["terms"]
    assert "- 2." in city("agreements", "diff", other["id"], first["id"]).out
    assert "2." in city("agreements", "diff", other["id"], first["id"], "--lang", "fi").out
    assert one_line(city("agreements", "diff", first["id"]), 1)


def test_offers_are_published_and_withdrawn(city: Say, token: Path) -> None:
    words = ("plans", "--template", "restricted-data", *FILLED, "--to", "turku", "--name", "plans")
    assert "A person approves" in one_line(city("offers", "publish", *words, "--automatic"), 2)
    assert city("offers", "publish", *words, "--automatic", "--token-file", token).code == 0
    (offer,) = city("offers", "list", "--json").json["offers"]
    assert (offer["published_by"], offer["automatic"], offer["peers"]) == ("maija", True, ["turku"])
    assert one_line(city("offers", "publish", *words), 1)
    assert "plans" in city("offers", "list").out
    assert city("offers", "withdraw", "plans").out.startswith("Withdrew ")
    assert city("offers", "list", "--json").json["offers"] == []
    assert one_line(city("offers", "withdraw", "plans"), 1)


def test_what_nobody_agreed_to_is_not_permitted(city: Say) -> None:
    asked = ("agreements", "simulate", "--peer", "turku", "--action", "index", "--collection", "plans")
    assert city(*asked, "--json").json["code"] == "no-agreement"
    assert city(*asked).out.startswith("turku: refused. No agreement covers it.")


def test_a_city_that_is_away_gets_it_later_and_why_is_said(city: Say, turku: FakePeer, token: Path) -> None:
    turku.says["/.well-known/dspace-version"] = Answer(b"closed for lunch", 503)
    name = drafted(city)["id"]
    said = city("agreements", "propose", name, "--yes", "--token-file", token, "--json")
    assert said.code in (0, 1), said.err
    (waiting,) = city("agreements", "list", "--all", "--json").json["negotiations"]
    assert "on its way" in waiting["waits"]
    assert f"(the last attempt failed: {waiting['trouble'][:100]}" in city("agreements", "list").out
    assert f"trouble:      {waiting['trouble']}" in city("agreements", "show", waiting["id"][:8]).out


BAD: list[tuple[tuple[str, ...], int]] = [
    (("draft", "restricted-data", *FILLED), 2),
    (("draft", "--with", "turku", "--cover", "plans"), 1),
    (("draft", "restricted-data", "--with", "turku", "--cover", "plans"), 1),
    (("draft", "nothing", "--with", "turku", "--cover", "plans"), 1),
    (("draft", "restricted-data", *FILLED, "--with", "oslo", "--cover", "plans"), 1),
    (("draft", "restricted-data", *FILLED, "--with", "turku", "--cover", "nothing"), 1),
    (("draft", "restricted-data", "--set", "purposes", "--with", "turku"), 2),
    (("draft", "restricted-data", "--set", "a=b", "--set", "a=c", "--with", "turku"), 2),
    (("draft", "--set", "a=b", "--with", "turku"), 2),
    (("draft", "--file", "/nowhere/terms.json", "--with", "turku"), 1),
    (("draft", "restricted-data", *FILLED, "--with", "turku", "--cover", "plans", "--until", "soon"), 1),
    (("draft", "--replaces", "12345678"), 1),
    (("propose", "12345678"), 1),
    (("propose", "x"), 1),
    (("counter", "12345678"), 1),
    (("sign", "12345678"), 1),
    (("suspend", "12345678", "--reason", "x", "--yes"), 1),
    (("resume", "12345678", "--yes"), 1),
    (("revoke", "12345678", "--yes"), 1),
    (("export", "12345678"), 1),
    (("verify", "/nowhere/export.json"), 2),
    (("verify", "12345678"), 2),
    (("verify", "https://turku.example/datasets/x"), 2),
    (("simulate", "--peer", "turku", "--action", "fly", "--collection", "plans"), 1),
    (("simulate", "--peer", "oslo", "--action", "read", "--collection", "plans"), 1),
    (("simulate", "--peer", "turku", "--action", "read"), 1),
    (("simulate", "--peer", "turku", "--action", "read", "--record", "nothing-of-ours"), 1),
]


def test_bad_input_is_one_line_and_writes_nothing(city: Say) -> None:
    for words, code in BAD:
        one_line(city("agreements", *words), code)
    listed = city("agreements", "list", "--all", "--json").json
    assert (listed["drafts"], listed["negotiations"], listed["agreements"]) == ([], [], [])


def test_only_people_of_the_staff_approve(city: Say, token: Path) -> None:
    name = drafted(city)["id"]
    program = city("tokens", "issue", "robot", "--scope", "read:plans").out.strip()
    for words, code in (
        (("--token", program), 1),
        (("--token", "cn_nothing"), 1),
        (("--token-file", "/nowhere"), 1),
        (("--token", "x", "--token-file", str(token)), 2),
        ((), 2),
    ):
        one_line(city("agreements", "approve", name, "--yes", *words), code)
    city("tokens", "revoke", "maija")
    one_line(city("agreements", "approve", name, "--yes", "--token-file", token), 1)
    assert city("agreements", "show", name, "--json").json["approvals"] == []
