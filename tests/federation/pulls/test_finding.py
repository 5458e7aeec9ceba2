"""Laws of which dataset is meant and what may be agreed on alone: nothing is guessed, and no person is passed over.

Two whole cities in one process; London mirrors what Helsinki publishes, and its settings let it take automatic offers
of one template.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.errors import Conflict, Malformed, NotAgreed, NotFound, PeerUnreachable
from node.federation.moved import OriginWish
from node.federation.offers import OfferDraft
from node.federation.policy.templates import fill
from node.federation.pulls.store import Pull, Wanted
from node.journal import Draft, catch_up
from tests.federation.agreed import agree, change, permits
from tests.federation.cities import HELSINKI, LONDON, NAME, City, Wire, make

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

VALUES = {
    "ends": "2090-01-01",
    "purposes": "AcademicResearch",
    "transfer_basis": "no-personal-data",
}


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[tuple[City, City]]:
    folder = tmp_path_factory.mktemp("finding")
    with Wire() as wire, ExitStack() as stack:
        helsinki = make(folder / "helsinki", wire, "helsinki", HELSINKI, database=migrated)
        london = make(
            folder / "london",
            wire,
            "london",
            LONDON,
            database=migrated,
            data_auto_templates=("restricted-data",),
            agreement_approvals=2,
        )
        for each in (helsinki, london):
            stack.callback(each.node.close)
        helsinki.publish(
            *(helsinki.put(number, f"Noise {number}") for number in range(1, 7)),
            helsinki.put(7, "Twins"),
            helsinki.put(8, "Twins"),
        )
        level(helsinki)
        helsinki.meet(london, follow=())
        london.meet(helsinki)
        london.pull(helsinki)
        for reading in london.node.finding.readings:
            while reading.catch_up(threading.Event()):
                pass
        yield helsinki, london


def level(city: City) -> None:
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)


def find(cities: tuple[City, City], name: str, peer: str = "") -> Any:
    return cities[1].federation.moving.pulling.office.find(name, peer)


def test_a_dataset_is_found_by_its_iri_its_name_and_its_title(cities: tuple[City, City]) -> None:
    helsinki, _ = cities
    for name in (helsinki.record(1), "d1", "Noise 1", "noise 1"):
        found = find(cities, name)
        assert (found.dataset, found.peer, found.url) == (helsinki.record(1), "helsinki", HELSINKI)
        assert found.collection == helsinki.iri
    assert find(cities, "d1", "helsinki").dataset == helsinki.record(1)


def test_a_name_of_several_is_told_as_a_choice(cities: tuple[City, City]) -> None:
    helsinki, _ = cities
    with pytest.raises(Conflict) as told:
        find(cities, "Twins")
    assert all(helsinki.record(number) in told.value.message for number in (7, 8))
    with pytest.raises(Conflict):
        find(cities, "Noise")


def test_what_nobody_has_is_not_found_and_a_silent_city_is_told(cities: tuple[City, City]) -> None:
    _, london = cities
    for name in ("Nothing of the kind", "https://elsewhere.example/datasets/1"):
        with pytest.raises(NotFound):
            find(cities, name)
    with pytest.raises(NotFound):
        find(cities, "d1", "nobody")
    for wrong in ("", " ", "a\nb", "x" * 2_000):
        with pytest.raises(Malformed):
            find(cities, wrong)
    london.wire.down.add(HELSINKI)
    try:
        assert find(cities, "d2").dataset  # what is known here needs nobody
        with pytest.raises(PeerUnreachable):
            find(cities, "Nothing of the kind")
    finally:
        london.wire.down.clear()


def test_what_is_not_mirrored_is_found_by_name_or_title_at_the_city_that_was_named(
    cities: tuple[City, City],
) -> None:
    helsinki, london = cities
    helsinki.begin("quiet", 40)  # public, and nothing that London follows
    helsinki.publish(helsinki.put(41, "Frozen bays"), helsinki.put(42, "Frozen bays, older"), collection="quiet")
    level(helsinki)
    for reading in helsinki.node.finding.readings:
        reading.catch_up(threading.Event())
    for name in ("Frozen bays", "frozen bays"):
        found = find(cities, name, "helsinki")
        assert (found.dataset, found.title, found.peer) == (helsinki.record(41), "Frozen bays", "helsinki")
        with pytest.raises(NotFound) as unasked:
            find(cities, name)
        assert "Name its city with --peer" in unasked.value.fix
    for name in ("Frozen", "d43", "a <b>"):
        with pytest.raises(NotFound) as told:
            find(cities, name, "helsinki")
        assert "neither its catalogue nor its search shows one" in told.value.message
        word = name if name != "a <b>" else "NAME"
        assert told.value.fix.endswith(f"such as {HELSINKI}/datasets/{word}")
    london.wire.down.add(HELSINKI)
    try:
        with pytest.raises(PeerUnreachable):
            find(cities, "Frozen bays", "helsinki")
    finally:
        london.wire.down.clear()


def test_of_a_city_without_a_search_it_is_said_that_this_was_not_asked(
    cities: tuple[City, City], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: str) -> Any:
        raise NotFound("There is no search.")

    finder = cities[1].federation.moving.pulling.office._finder
    monkeypatch.setattr(finder, "_named", none)
    with pytest.raises(NotFound, match="its search did not answer") as told:
        find(cities, "Frozen bays, newer", "helsinki")
    assert told.value.fix.endswith(f"such as {HELSINKI}/datasets/NAME")


def test_what_is_only_offered_is_found_in_the_catalogue(cities: tuple[City, City]) -> None:
    helsinki, _ = cities
    helsinki.begin("plans", 50, visibility="restricted")
    level(helsinki)
    iri = helsinki.record(50)
    about, rules = fill("restricted-data/1", VALUES)
    draft = OfferDraft(iri, rules, {**about, "title": "Quiet plans"}, peers=["london"])
    helsinki.federation.agreeing.offers.publish(draft, by="ada", at_ms=clock_ms())
    for name in (iri, "Quiet plans"):
        found = find(cities, name)
        assert (found.dataset, found.peer, found.collection) == (iri, "helsinki", "")


def test_what_a_city_harvested_is_found_and_asked_for_under_its_portals_address(cities: tuple[City, City]) -> None:
    helsinki, london = cities
    iri = "https://portal.example/sets/60"
    body = helsinki.payload(60, "Trams").replace(helsinki.record(60).encode(), iri.encode())
    helsinki.publish(Draft(iri, "trams-60", "dataset", "put", body))
    level(helsinki)
    london.pull(helsinki)
    level(london)
    office = london.federation.moving.pulling.office
    assert office.request(Wanted("trams-60", "AcademicResearch", by="ada"))
    settled(cities)
    asked = helsinki.federation.dsp.negotiations.list()
    assert [each.state for each in asked if each.target == iri] == ["REQUESTED"]


def test_an_offer_of_a_collection_does_not_tell_which_records_stand_in_it(cities: tuple[City, City]) -> None:
    helsinki, london = cities
    iri = "https://portal.example/sets/70"
    body = helsinki.payload(70, "Survey").replace(helsinki.record(70).encode(), iri.encode())
    with helsinki.node.db.write() as tx:
        journals = helsinki.node.journals
        journals.create(
            tx, name="surveys", iri=f"{HELSINKI}/collections/surveys", title="S", visibility="restricted", at_ms=1_000
        )
        journals.append(tx, "surveys", [Draft(iri, "survey", "dataset", "put", body)], at_ms=2_000)
    level(helsinki)
    with pytest.raises(NotFound) as unknown:
        find(cities, iri)
    assert "--peer" in unknown.value.fix
    office = london.federation.moving.pulling.office
    wish = Wanted(iri, "AcademicResearch", peer="helsinki", by="ada")
    office.request(wish)
    settled(cities)
    talks = helsinki.federation.dsp.negotiations
    assert iri not in [each.target for each in talks.list()]
    about, rules = fill("restricted-data/1", VALUES)
    draft = OfferDraft(f"{HELSINKI}/collections/surveys", rules, about, peers=["london"])
    helsinki.federation.agreeing.offers.publish(draft, by="ada", at_ms=clock_ms())
    office.request(wish)
    settled(cities)
    assert iri not in [each.target for each in talks.list()], "whether it stands there is told by an agreement alone"


def settled(cities: tuple[City, City]) -> None:
    """Let what waits go out."""
    for _ in range(3):
        for city in cities:
            city.federation.agreeing.office.round(clock_ms())


def offered(helsinki: City, number: int, *, automatic: bool = True, more: Any = None) -> str:
    """Let Helsinki offer a dataset to London, and lay its data."""
    iri = helsinki.record(number)
    about, rules = fill("restricted-data/1", VALUES)
    rules = {**rules, **(more or {})}
    draft = OfferDraft(iri, rules, about, peers=["london"], automatic=automatic)
    helsinki.federation.agreeing.offers.publish(draft, by="ada", at_ms=clock_ms())
    return lay(helsinki, number)


def lay(helsinki: City, number: int) -> str:
    """Lay the data of a dataset."""
    iri = helsinki.record(number)
    path = helsinki.node.settings.data.parent / f"data-{number}.csv"
    path.write_text("a,b\n1,2\n")
    helsinki.federation.moving.origin_parts.office.add(OriginWish(iri, str(path), "all.csv"), by="ada", files=True)
    return iri


def got(cities: tuple[City, City], dataset: str, to: Path, *, wait_s: float = 10, **wanted: Any) -> Pull:
    """Get it in London, with both workers beside."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            for city in cities:
                city.federation.agreeing.office.round(clock_ms())
                city.federation.moving.transfers.deliver(clock_ms())

    worker = threading.Thread(target=work)
    worker.start()
    try:
        wish = Wanted(dataset, target=f"{to}/", by="ada", **wanted)
        office = cities[1].federation.moving.pulling.office
        found: Pull = office.fetch(wish, stop=threading.Event(), wait_s=wait_s)
        return found
    finally:
        over.set()
        worker.join()


def test_an_automatic_offer_of_a_named_template_is_taken_and_the_data_come(
    cities: tuple[City, City], tmp_path: Path
) -> None:
    dataset = offered(cities[0], 2)
    pull = got(cities, dataset, tmp_path, purpose="AcademicResearch")
    assert (pull.state, pull.agreement != "") == ("done", True)
    assert (tmp_path / "all.csv").read_text() == "a,b\n1,2\n"


def test_an_agreement_on_a_collection_is_enough_for_what_stands_in_it(
    cities: tuple[City, City], tmp_path: Path
) -> None:
    helsinki, london = cities
    iri = lay(helsinki, 6)
    agreement = agree(helsinki.node, london.node, NAME, rules=permits("use"))
    pull = got(cities, iri, tmp_path)
    assert (pull.state, pull.agreement) == ("done", agreement)
    for city in cities:  # what follows has none
        change(city.node, agreement, "revoked", reason="It was for a test.")


def test_an_offer_for_other_purposes_or_with_more_in_it_is_not_taken(cities: tuple[City, City], tmp_path: Path) -> None:
    helsinki, london = cities
    dataset = offered(helsinki, 3)
    for purpose in ("", "Marketing"):
        with pytest.raises(NotAgreed):
            got(cities, dataset, tmp_path, purpose=purpose)
    harsher = offered(helsinki, 4, more={"obligation": [{"action": "odrl:inform"}]})
    with pytest.raises(NotAgreed):
        got(cities, harsher, tmp_path, purpose="AcademicResearch")
    begun = [each.target for each in london.federation.dsp.negotiations.list()]
    assert dataset not in begun
    assert harsher not in begun


def test_what_is_not_automatic_there_waits_and_begins_one_negotiation(
    cities: tuple[City, City], tmp_path: Path
) -> None:
    helsinki, _ = cities
    dataset = offered(helsinki, 5, automatic=False)
    for _ in range(2):
        pull = got(cities, dataset, tmp_path, purpose="AcademicResearch", wait_s=0.3)
        assert (pull.state, pull.agreement, pull.negotiation != "") == ("stopped", "", True)
    begun = [each for each in helsinki.federation.dsp.negotiations.list() if each.target == dataset]
    assert [each.state for each in begun] == ["REQUESTED"]
    helsinki.federation.dsp.negotiations.terminate(begun[0].pid, "no", ["Not now."])
    with pytest.raises(NotAgreed, match="has ended"):
        got(cities, dataset, tmp_path, purpose="AcademicResearch")
