"""Laws of reports between two cities: a reader's words reach the city whose record it is, and its answer comes back."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.catalog.problem_reports import About, Words
from node.errors import Malformed, TooLarge
from node.federation.dialogues.outgoing import GIVE_UP_MS
from node.federation.report_post import MAX_BODY_BYTES, read_report, read_standing
from node.journal import catch_up
from tests.federation.cities import HELSINKI, LONDON, City, Request, cities

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

_numbers = itertools.count(1)
Pair = tuple[City, City]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("reports")
    with cities(folder, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.publish_many(2)
        shelve(helsinki)
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        london.pull(helsinki)
        yield helsinki, london


@pytest.fixture(autouse=True)
def connected(pair: Pair) -> Iterator[None]:
    yield
    for city in pair:
        city.wire.down.clear()
        with city.node.db.write() as tx:
            tx.run("DELETE FROM problem_report")
            tx.run("DELETE FROM outgoing")


def shelve(city: City) -> None:
    """Let whatever follows the journals catch up, as the worker does."""
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)


def reported(london: City, helsinki: City, text: str = "") -> str:
    """Let a reader of London report something about a record of Helsinki."""
    about = About(helsinki.record(1), "Title 1", helsinki.url)
    words = Words("wrong", text or f"The title is wrong {next(_numbers)}.", "en", "ada@example.org")
    name: str = london.node.readers.reports.report(about, words, caller=f"203.0.113.{next(_numbers)}")
    return name


def deliver(city: City, *, later_ms: int = 0) -> int:
    taken: int = city.node.readers.reports.deliver(clock_ms() + later_ms)
    return taken


def test_a_report_goes_to_the_city_of_the_record_and_its_answer_comes_back(pair: Pair) -> None:
    helsinki, london = pair
    name = reported(london, helsinki, "The title is wrong.")
    assert deliver(london) == 1
    assert london.node.readers.reports.standing(name).state == "sent"
    (there,) = helsinki.node.readers.reports.list()
    assert (there.said, there.title, there.way, there.peer, there.contact) == (
        "The title is wrong.", "Title 1", "received", london.url, "",
    )  # fmt: skip
    helsinki.node.readers.reports.answer(there.id, "We look.")
    helsinki.node.readers.reports.close(there.id, "mended", "It says Title 1 now.")
    assert deliver(helsinki) == 1  # one after the other
    assert london.node.readers.reports.standing(name).state == "looking"
    assert deliver(helsinki) == 1
    told = london.node.readers.reports.standing(name)
    assert (told.state, told.reason, told.theirs) == ("mended", "It says Title 1 now.", there.id)
    assert london.node.readers.reports.show(name).contact == ""


def test_the_rounds_of_a_node_carry_reports(pair: Pair) -> None:
    helsinki, london = pair
    reported(london, helsinki)
    assert london.federation.agreeing.office.due(clock_ms())
    london.rounds()._spoke()
    assert len(helsinki.node.readers.reports.list()) == 1
    assert not london.federation.agreeing.office.due(clock_ms())


def test_a_report_waits_while_its_city_is_away_and_arrives_once(pair: Pair) -> None:
    helsinki, london = pair
    name = reported(london, helsinki)
    london.wire.down.add(helsinki.url)
    assert deliver(london) == 0
    assert london.node.readers.reports.standing(name).state == "received"
    london.wire.down.clear()
    assert deliver(london, later_ms=3_600_000) == 1
    assert deliver(london, later_ms=7_200_000) == 0
    assert len(helsinki.node.readers.reports.list()) == 1


def test_what_a_city_never_takes_is_given_up_after_a_week_and_staff_sees_it(pair: Pair) -> None:
    helsinki, london = pair
    name = reported(london, helsinki)
    london.wire.down.add(helsinki.url)
    deliver(london, later_ms=GIVE_UP_MS + 1)
    assert london.node.readers.reports.show(name).state == "undelivered"


def test_a_paused_city_is_told_nothing_until_it_is_resumed(pair: Pair) -> None:
    helsinki, london = pair
    reported(london, helsinki)
    london.federation.peers.pause("helsinki")
    london.wire.forget()
    assert deliver(london) == 0
    assert london.wire.paths("POST") == []
    london.federation.peers.resume("helsinki")
    assert deliver(london, later_ms=3_600_000) == 1


def test_a_city_refuses_reports_of_what_is_not_its_own_or_not_for_everybody(pair: Pair) -> None:
    helsinki, london = pair
    helsinki.begin("plans", 77, visibility="restricted")
    shelve(helsinki)
    for iri in (helsinki.record(77), f"{helsinki.url}/datasets/nothing", london.record(1)):
        about = About(iri, "Something", helsinki.url)
        text = f"Wrong {next(_numbers)}."
        name = london.node.readers.reports.report(about, Words("wrong", text), caller=f"198.51.100.{next(_numbers)}")
        deliver(london)
        assert london.node.readers.reports.show(name).state == "undelivered"
    said = {row[0] for row in london.sql("SELECT error FROM outgoing WHERE kind = 'report'")}
    assert len(said) == 1, "what is restricted is refused as what is not there"
    assert helsinki.node.readers.reports.list() == []


@pytest.mark.parametrize("path", ["/federation/reports", "/federation/reports/standing"])
def test_only_a_peer_may_speak_of_reports(pair: Pair, path: str) -> None:
    helsinki, _ = pair
    body = b'{"id": "ab", "record": "urn:x", "kind": "wrong", "text": "Wrong.", "state": "mended"}'
    headers = {"content-type": "application/json"}
    reply = helsinki.wire.call(Request("stranger", "POST", helsinki.url + path, headers, body))
    assert reply.status == 401


FINE: dict[str, Any] = {"id": "ab12", "record": "urn:x", "kind": "wrong", "text": "It is\nwrong.", "language": "en"}


@pytest.mark.parametrize(
    "bent",
    [
        {"id": ""}, {"id": "a b"}, {"id": "ä"}, {"id": 7}, {"id": "a" * 65}, {"record": ""}, {"record": "u" * 2_001},
        {"text": ""}, {"text": ["x"]}, {"text": "a\x00b"}, {"text": "a" * 4_001}, {"kind": None},
        {"language": "x" * 21},
    ],
)  # fmt: skip
def test_a_message_that_is_no_report_is_refused(bent: dict[str, Any]) -> None:
    import orjson

    assert read_report(orjson.dumps(FINE))["text"] == "It is\nwrong."
    with pytest.raises(Malformed):
        read_report(orjson.dumps(FINE | bent))


def test_a_message_is_bounded_and_one_object() -> None:
    for body in (b"", b"[]", b"7", b"{", b'{"id": "ab"}'):
        with pytest.raises(Malformed):
            read_standing(body)
    with pytest.raises(TooLarge):
        read_report(b" " * (MAX_BODY_BYTES + 1))
    assert read_standing(b'{"id": "ab", "state": "mended"}')["reason"] == ""
