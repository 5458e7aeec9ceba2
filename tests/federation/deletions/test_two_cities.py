"""Laws of deletion between two cities: who fetched says that it is gone, and whoever gave it keeps that signed word."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.assembly.data_desk import DataNeeds
from node.assembly.data_desk import build as build_desk
from node.errors import Conflict, Malformed, NotAgreed, NotFound, Refuted, Unauthenticated, Unavailable
from node.federation.client import PeerClient
from node.federation.deletions.post import Word, read_word
from node.federation.pulls.store import Progress, PullStore, Wanted
from tests.federation.agreed import agree, change, permits
from tests.federation.cities import HELSINKI, LONDON, Request
from tests.federation.data.door_rig import Pair, pair

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds
DAY_MS = 86_400_000
WHERE = "/srv/got/noise/"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("deletions"), migrated) as made:
        made.lay(b"a,b\n1,2\n")
        yield made


@pytest.fixture
def two(both: Pair) -> Pair:
    """London has fetched under an agreement that obliges to delete when it ends."""
    for city in (both.helsinki, both.london):
        with city.node.db.write() as tx:
            for table in ("transfer", "pull", "deletion", "outgoing"):
                tx.run(f"DELETE FROM {table}")  # noqa: S608 (names of ours)
    rules = permits("use", duty=[{"action": "odrl:delete"}])
    helsinki, london = both.helsinki.node, both.london.node
    both.agreement = agree(helsinki, london, records=[both.dataset], rules=rules, title="Noise")
    both.request()
    store = PullStore(london.db)
    pull = store.add(Wanted(both.dataset, peer="helsinki", target=WHERE), state="waiting", now_ms=clock_ms())
    with london.db.write() as tx:
        tx.run("UPDATE pull SET state = 'done', agreement = ?, got = 8 WHERE id = ?", both.agreement, pull.id)
    return both


def ends(two: Pair, *cities: Any) -> None:
    for city in cities or (two.helsinki, two.london):
        change(city.node, two.agreement, "revoked", reason="It is over")


def desk(city: Any) -> Any:
    return city.federation.moving.deletions


def due(two: Pair, city: Any, *, ended: bool = False) -> list[Any]:
    return [each for each in desk(city).list(ended=ended) if each.agreement == two.agreement]


def needs(two: Pair, city: Any, now_ms: int) -> list[Any]:
    told = DataNeeds(build_desk(city.federation.moving), lambda name: name)(now_ms)
    return [each for each in told if each.what.startswith("deletion") and each.values["title"] == "Noise"]


def stated(two: Pair, city: Any) -> list[dict[str, Any]]:
    rows = city.sql("SELECT document FROM receipt WHERE kind = 'deletion' AND agreement = ?", two.agreement)
    return [json.loads(row[0]) for row in rows]


def checked(two: Pair, city: Any) -> Any:
    """What the check of a city's statement finds; the other city's journal of agreements is not mirrored here."""
    evidencing = city.federation.moving.evidencing
    evidencing.evidence.sign(clock_ms())
    record = city.sql("SELECT record FROM receipt WHERE kind = 'deletion' AND agreement = ?", two.agreement)[0][0]
    return evidencing.desk.check(record).findings


def word_of(two: Pair) -> Word:
    return read_word(json.dumps(stated(two, two.london)[0]).encode())


def test_what_was_fetched_under_an_agreement_that_ends_waits_for_both_cities(two: Pair) -> None:
    assert due(two, two.london) == due(two, two.helsinki) == []
    with pytest.raises(NotFound):
        desk(two.london).deleted(two.agreement, by="ada")
    ends(two)
    ((ours,), (theirs,)) = due(two, two.london), due(two, two.helsinki)
    assert (ours.direction, ours.peer, ours.datasets) == ("in", HELSINKI, (two.dataset,))
    assert [(each.target, each.got) for each in ours.fetched] == [(WHERE, 8)]
    assert (theirs.direction, theirs.peer, theirs.fetched) == ("out", LONDON, ())
    assert [(each.what, each.urgent) for each in needs(two, two.london, ours.due_ms - 1)] == [("deletion", True)]
    far = [each.urgent for each in needs(two, two.london, ours.due_ms - 8 * DAY_MS)]
    assert far
    assert not any(far), "a week is near enough"
    (late,) = (each for each in needs(two, two.london, ours.due_ms) if two.agreement)
    assert (late.what, late.urgent, WHERE in late.values["what"]) == ("deletion-late", True, True)
    assert needs(two, two.helsinki, theirs.due_ms + DAY_MS - 1) == []
    assert [each.what for each in needs(two, two.helsinki, theirs.due_ms + DAY_MS)] == ["deletion-out"]
    with pytest.raises(Conflict):
        desk(two.helsinki).deleted(two.agreement, by="maija")
    desk(two.london).deleted(two.agreement, by="ada")
    desk(two.london).round(clock_ms())


def test_every_place_is_named_where_something_was_put_and_none_where_nothing_is(two: Pair, tmp_path: Path) -> None:
    store, begun = PullStore(two.london.node.db), f"{tmp_path}/begun/"
    (tmp_path / "begun" / ".citynode-1").mkdir(parents=True)
    places = [
        (f"{tmp_path}/a.csv", "done", "", False),
        (f"{tmp_path}/cut.csv", "failed", "urn:uuid:0", False),
        (f"{tmp_path}/saved.csv", "failed", "urn:uuid:0", True),
        (begun, "stopped", "urn:uuid:1", False),
        (f"{tmp_path}/none/", "cancelled", "urn:uuid:2", False),
        (WHERE, "done", "", False),
    ]
    for target, state, transfer, is_named in places:
        pull = store.add(Wanted(two.dataset, peer="helsinki", target=target), state="waiting", now_ms=clock_ms())
        parts = json.dumps({"x": asdict(Progress(8, digest="sha256:0", named=is_named))})
        sql = "UPDATE pull SET state = ?, agreement = ?, transfer = ?, got = 8, parts = ? WHERE id = ?"
        with two.london.node.db.write() as tx:
            tx.run(sql, state, two.agreement, transfer, parts, pull.id)
    ends(two)
    (ours,) = due(two, two.london)
    lies = [WHERE, f"{begun}.citynode-1", f"{tmp_path}/saved.csv", f"{tmp_path}/a.csv"]
    assert list(dict.fromkeys(each.target for each in ours.fetched)) == lies
    (need,) = needs(two, two.london, ours.due_ms - 1)
    assert need.values["what"] == f"{two.dataset.rpartition('/')[2]}: {', '.join(lies)}"
    desk(two.london).deleted(two.agreement, by="ada")
    desk(two.london).round(clock_ms())


def test_files_that_stand_where_they_were_put_are_not_said_to_be_gone(two: Pair, tmp_path: Path) -> None:
    store, got = PullStore(two.london.node.db), tmp_path / "got"
    beside = got / ".citynode-1"
    beside.mkdir(parents=True)
    begun, named, never = beside / "y.csv", got / "x.csv", got / "never.csv"
    for file in (begun, named, never):
        file.write_bytes(b"x")
    for state, transfer, part in (
        ("done", "", Progress(8, digest="sha256:0", file=str(named), named=True)),
        ("done", "", Progress(8, digest="sha256:0", file=str(got / "gone.csv"), named=True)),
        ("failed", "urn:uuid:1", Progress(8, file=str(never))),
    ):
        pull = store.add(Wanted(two.dataset, peer="helsinki", target=f"{got}/"), state="waiting", now_ms=clock_ms())
        sql = "UPDATE pull SET state = ?, agreement = ?, transfer = ?, got = 8, parts = ? WHERE id = ?"
        with two.london.node.db.write() as tx:
            tx.run(sql, state, two.agreement, transfer, json.dumps({"x": asdict(part)}), pull.id)
    ends(two)
    (ours,), office = due(two, two.london), desk(two.london)
    assert sorted(office.lying(ours)) == sorted([str(begun), str(named)])
    with pytest.raises(Conflict, match=r"where this node put them: 2: .*x\.csv") as refused:
        office.deleted(two.agreement, by="ada")
    assert "--other-files" in str(refused.value)
    assert stated(two, two.london) == []
    begun.unlink()
    beside.rmdir()
    assert office.lying(ours) == [str(named)]
    office.deleted(two.agreement, by="ada", other_files=True)
    assert office.lying(due(two, two.london, ended=True)[0]) == ()
    office.round(clock_ms())


def test_the_word_that_it_is_deleted_stands_in_both_cities_evidence(two: Pair) -> None:
    ends(two)
    short = two.agreement.rpartition("/")[2][:13]
    told = desk(two.london).deleted(short, by="ada")
    assert (told.by, told.told_ms, due(two, two.london)) == ("ada", 0, [])
    assert desk(two.london).round(clock_ms()) == 1
    assert due(two, two.london, ended=True)[0].told_ms > 0
    assert due(two, two.helsinki) == []
    assert due(two, two.helsinki, ended=True)[0].by == LONDON
    (ours,), (theirs,) = stated(two, two.london), stated(two, two.helsinki)
    assert (ours["type"], ours["provider"], ours["datasets"]) == ("DataDeletion", HELSINKI, [two.dataset])
    assert json.loads(theirs["word"]) == ours, "word for word as it was signed"
    with pytest.raises(Conflict):
        desk(two.london).deleted(two.agreement, by="ada")
    for city, codes in ((two.london, {"deletion"}), (two.helsinki, {"deletion", "word"})):
        found = checked(two, city)
        assert not [each.sentence for each in found if each.holds is False]
        assert codes == {each.code for each in found if each.holds and each.code in ("deletion", "word")}


@pytest.mark.parametrize("forged", [{"agreement": f"{HELSINKI}/agreements/1"}, {"datasets": []}, {"proof": []}, None])
def test_a_word_that_the_other_city_did_not_sign_is_found_in_the_evidence(
    two: Pair, forged: dict[str, Any] | None
) -> None:
    ends(two)
    desk(two.london).deleted(two.agreement, by="ada")
    word = {} if forged is None else {"word": json.dumps({**word_of(two).document, **forged})}
    evidence = two.helsinki.federation.moving.evidencing.evidence
    with two.helsinki.node.db.write() as tx:
        said = {"consumer": LONDON, "agreement": two.agreement, **word}
        evidence.put(tx, "deletion", two.agreement, said, other=LONDON, at_ms=clock_ms())
    assert [each for each in checked(two, two.helsinki) if each.holds is False]


def test_the_word_is_heard_once_whatever_is_sent_again(two: Pair) -> None:
    ends(two)
    wire = two.helsinki.wire
    wire.forget()
    desk(two.london).deleted(two.agreement, by="ada")
    desk(two.london).round(clock_ms())
    (said,) = [each for each in wire.asked if each.path == "/federation/deletions"]
    assert "signature" in {name.lower() for name in said.headers}
    assert wire.call(said).status == 401, "a message is heard once"
    before = stated(two, two.helsinki)
    two.london.federation.moving.ground.client.tell_deletion(HELSINKI, json.loads(said.body))
    assert stated(two, two.helsinki) == before
    unsigned = PeerClient(two.london.federation.moving.ground.outbound, two.london.federation.token_source)
    with pytest.raises(Unauthenticated):
        unsigned.tell_deletion(HELSINKI, json.loads(said.body))


def test_nobody_but_the_city_that_fetched_says_so_and_in_its_own_signed_words(two: Pair) -> None:
    ends(two)
    desk(two.london).deleted(two.agreement, by="ada")
    word, ear = word_of(two), desk(two.helsinki)
    for peer in ("https://ghent.example", HELSINKI):
        with pytest.raises(NotAgreed):
            ear.hear(peer, word)
    changes = ({"datasets": []}, {"proof": []}, {"by": "https://ghent.example"}, {"other": "https://ghent.example"})
    for changed in changes:
        with pytest.raises((Refuted, Malformed)):
            ear.hear(LONDON, read_word(json.dumps({**word.document, **changed}).encode()))
    with pytest.raises(NotAgreed):
        ear.hear(LONDON, read_word(json.dumps({**word.document, "agreement": f"{HELSINKI}/agreements/1"}).encode()))
    assert stated(two, two.helsinki) == []
    stranger = Request("stranger", "POST", f"{HELSINKI}/federation/deletions", {}, b"{}")
    assert two.helsinki.wire.call(stranger).status == 401
    assert ear.hear(LONDON, word)


def test_a_word_that_comes_before_the_end_is_known_is_said_again(two: Pair) -> None:
    ends(two, two.london)
    desk(two.london).deleted(two.agreement, by="ada")
    with pytest.raises(Unavailable):
        desk(two.helsinki).hear(LONDON, word_of(two))
    assert desk(two.london).round(clock_ms()) == 0
    assert desk(two.london).remind(clock_ms() + 2 * DAY_MS) == 0, "a message waits still"
    ends(two, two.helsinki)
    with two.london.node.db.write() as tx:
        tx.run("DELETE FROM outgoing WHERE kind = 'deletion'")
    assert desk(two.london).remind(clock_ms()) == 1, "a message that was given up is written anew"
    assert desk(two.london).round(clock_ms()) == 1
    assert desk(two.london).remind(clock_ms()) == 0
    assert len(stated(two, two.helsinki)) == 1
