"""Laws of `citynode exchange`: what it prints, and by which code a script knows how it went."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.assembly import Node
from node.cli import exchange
from node.cli.main import main
from node.lease import Lease
from tests.federation.cities import HELSINKI, LONDON, NAME, City, cities

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

Two = tuple[City, City]
MIRROR = f"helsinki/{NAME}"


@pytest.fixture
def two(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Helsinki, and London which follows it; commands are London's."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):

        @contextmanager
        def opened(_: Path | None) -> Iterator[Node]:
            yield london.node

        monkeypatch.setattr(exchange, "opened", opened)
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        yield helsinki, london


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert main(["exchange", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_run_pulls_and_says_what_came(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    helsinki, _london = two
    helsinki.publish_many(3)
    (told,) = said(capsys, "run", "helsinki")
    assert told["level"]
    assert told["collections"] == [
        {"collection": MIRROR, "entries": 3, "refused": 0, "size": 3, "level": True, "error": None}
    ]
    assert main(["exchange", "run"]) == 0
    assert capsys.readouterr().out == f"{MIRROR} is level: 3 entries held\n"


def test_run_names_what_a_city_has_begun_to_show_and_is_not_followed(
    two: Two, capsys: pytest.CaptureFixture[str]
) -> None:
    helsinki, london = two
    helsinki.publish_many(1)
    assert said(capsys, "run", "helsinki")[0]["offered"] == []
    helsinki.begin("answers", 2)
    assert said(capsys, "run", "helsinki")[0]["offered"] == ["answers"]
    assert main(["exchange", "run"]) == 0
    told = capsys.readouterr()
    assert told.out == f"{MIRROR} is level: 1 entry held\n"
    assert told.err.splitlines()[0] == "helsinki also shows: answers, not followed here"
    assert london.node.federation.office.show("helsinki")["offered"] == ["answers"]
    london.node.federation.peers.follow("helsinki", ["answers"], at_ms=1)
    assert said(capsys, "run", "helsinki")[0]["offered"] == []


def test_an_origin_that_is_away_is_code_3_and_one_that_is_held_apart_code_1(
    two: Two, capsys: pytest.CaptureFixture[str]
) -> None:
    _helsinki, london = two
    london.wire.down.add(HELSINKI)
    (told,) = said(capsys, "run", "helsinki", code=3)
    assert not told["level"]
    assert told["error"]["code"] == "peer-unreachable"
    assert main(["exchange", "run", "--wait", "--timeout", "1"]) == 3
    assert "[peer-unreachable]" in capsys.readouterr().err
    london.node.federation.peers.quarantine("helsinki", "split-view", "Two histories.", "{}", 1)
    assert said(capsys, "run", "helsinki", code=1)[0]["error"]["code"] == "quarantined"
    assert said(capsys, "run", "helsinki", "--wait", code=1), "a person must act; waiting helps nobody"
    assert main(["exchange", "run"]) == 1
    assert main(["exchange", "run", "nobody"]) == 1


def test_waiting_for_a_silent_peer_is_said_at_once_slows_down_and_leaves_the_worker_its_patience(
    two: Two, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _helsinki, london = two
    london.wire.down.add(HELSINKI)
    waits: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(waits), sleep=waits.append)
    monkeypatch.setattr(exchange, "time", clock)
    capsys.readouterr()
    assert main(["exchange", "run", "helsinki", "--wait", "--timeout", "60"]) == 3
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first == "helsinki does not answer; waiting up to 60 s, Ctrl-C stops"
    assert "[peer-unreachable]" in last
    assert waits == [1, 2, 4, 8, 15, 15, 15]
    for _ in range(6):
        assert main(["exchange", "run", "helsinki"]) == 3
    peer = london.node.federation.peers.get("helsinki")
    assert (peer.failures, peer.last_error_code) == (1, "peer-unreachable")
    london.wire.down.clear()
    assert main(["exchange", "run", "helsinki"]) == 0
    assert london.node.federation.peers.get("helsinki").failures == 0


def test_wait_waits_for_whoever_is_at_it(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    helsinki, london = two
    helsinki.publish_many(1)
    other = Lease(london.node.db, "pull/helsinki", length_ms=60_000)
    assert other.hold(exchange.now_ms())
    assert said(capsys, "run", "helsinki", code=3)[0]["error"]["code"] == "already-running"
    with london.node.db.write() as tx:
        tx.run("UPDATE lease SET until = ? WHERE name = 'pull/helsinki'", exchange.now_ms() + 700)
    assert said(capsys, "run", "helsinki", "--wait")[0]["level"]


def test_what_is_missing_at_the_peer_is_code_1(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    _, london = two
    london.node.federation.peers.follow("helsinki", ["missing"], at_ms=1)
    (told,) = said(capsys, "run", "helsinki", code=1)
    assert [each["error"] and each["error"]["code"] for each in told["collections"]] == ["not-found", None]
    assert main(["exchange", "run", "helsinki"]) == 1
    told = capsys.readouterr().err
    assert "helsinki/missing: helsinki shows this city no collection missing. It takes an agreement" in told
    assert "citynode peers unfollow helsinki missing" in told


def test_status_shows_every_mirror(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    helsinki, _ = two
    assert said(capsys, "status")[0]["mirror"]["held_size"] == 0
    helsinki.publish_many(2)
    said(capsys, "run")
    (told,) = said(capsys, "status", "helsinki")
    assert (told["state"], told["circuit"], told["mirror"]["held_size"]) == ("active", "closed", 2)
    assert main(["exchange", "status"]) == 0
    assert MIRROR in capsys.readouterr().out


def test_refusals_are_listed_on_both_sides_and_asked_for_again(
    two: Two, tmp_path: Path, migrated: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    helsinki, _london = two
    assert said(capsys, "refusals") == []
    data = helsinki.payload(1, "x").replace(b"title", b"subject")
    draft = helsinki.put(1)
    helsinki.publish(type(draft)(draft.record, draft.slug, draft.kind, "put", data))
    (told,) = said(capsys, "run")
    assert told["collections"][0]["refused"] == 1
    (row,) = said(capsys, "refusals", "helsinki")
    assert (row["by"], row["collection"], row["seq"], row["code"]) == ("", MIRROR, 1, "title-missing")
    assert said(capsys, "refusals", "ghent") == []
    again = said(capsys, "retry", "helsinki")
    assert (again["asked"], again["filled"]) == (1, 0)
    assert main(["exchange", "retry", "helsinki", NAME]) == 0
    assert "asked again for 1 entry, held now: 0" in capsys.readouterr().out
    assert main(["exchange", "refusals"]) == 0
    assert "title-missing" in capsys.readouterr().out
    monkeypatch.setattr(exchange, "opened", _opened(helsinki))
    (row,) = said(capsys, "refusals")
    assert (row["by"], row["collection"], row["seq"], row["code"]) == ("london", NAME, 1, "title-missing")


def _opened(city: City) -> Any:
    @contextmanager
    def opened(_: Path | None) -> Iterator[Node]:
        yield city.node

    return opened
