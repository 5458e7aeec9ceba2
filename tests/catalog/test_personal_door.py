"""Laws of the harvest's door: what contains personal data is not taken into a collection that everyone may read."""

from typing import Any

import pytest

from node.errors import Conflict
from node.vocab.terms import DPV
from tests.catalog.rig import ID, NAME, City, dataset, turtle

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

FLAG = f" ; <{DPV.hasPersonalData}> <{DPV.PersonalData}>"
NOBODY = f" ; <{DPV.hasPersonalData}> <{DPV.AnonymisedData}>"


def names(city: City) -> list[str]:
    return sorted(city.slugs().values())


def test_a_public_collection_refuses_it_and_takes_everything_else(city: City) -> None:
    text = turtle(dataset("a"), dataset("b", more=FLAG), dataset("c", more=NOBODY))
    dry = city.harvest(text, dry_run=True)
    run = city.run()
    assert (run.state, names(city)) == ("partial", ["a", "c"])
    for each in (dry, run):
        assert city.refused(each) == {f"{ID}b": "personal-data"}


def test_what_comes_to_contain_it_is_withdrawn_and_comes_back_without(city: City) -> None:
    all_of_them = sorted(f"d{number}" for number in range(12))
    plain = turtle(*map(dataset, all_of_them))
    city.harvest(plain)
    city.harvest(turtle(dataset("d0", more=FLAG), *map(dataset, all_of_them[1:])))
    assert names(city) == all_of_them[1:]
    city.harvest(plain)
    assert names(city) == all_of_them


def test_it_is_withdrawn_at_once_however_many_they_are(city: City) -> None:
    all_of_them = sorted(f"d{number}" for number in range(4))
    city.harvest(turtle(*map(dataset, all_of_them)))
    flagged = turtle(*(dataset(each, more=FLAG) for each in all_of_them[:3]))  # and d3 is missing: held, as ever
    dry = city.harvest(flagged, dry_run=True)
    assert (dry.counters.withdrawn, names(city)) == (3, all_of_them)
    run = city.run()
    assert (run.counters.withdrawn, names(city)) == (3, ["d3"])
    assert city.refused(run) == {f"{ID}{each}": "personal-data" for each in all_of_them[:3]}


def test_it_is_withdrawn_though_the_walk_had_gaps(city: City) -> None:
    city.harvest(turtle(*map(dataset, ("a", "b", "c"))))
    page = "<> a hydra:PartialCollectionView ; hydra:next <missing.ttl> .\n"
    run = city.harvest(turtle(dataset("a", more=FLAG), dataset("b"), page))
    assert "not complete" in run.reason
    assert names(city) == ["b", "c"]


def test_what_an_earlier_source_brought_is_withdrawn_as_well(city: City) -> None:
    city.harvest(turtle(dataset("a"), dataset("b")), "old")
    city.node.sources.remove("old")
    city.harvest(turtle(dataset("a", more=FLAG), dataset("b")), "new")
    assert names(city) == ["b"]


def test_a_restricted_collection_takes_it_and_then_stays_restricted(city: City) -> None:
    with city.node.db.write() as tx:
        city.node.journals.change(tx, NAME, visibility="restricted")
    assert city.harvest(turtle(dataset("a", more=FLAG))).state == "succeeded"
    assert names(city) == ["a"]
    with pytest.raises(Conflict, match="contains personal data"):
        city.node.knowledge.authoring.change_collection(NAME, title=None, visibility="public")


def test_a_collection_that_is_opened_in_the_middle_of_a_run_ends_it(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    with city.node.db.write() as tx:
        city.node.journals.change(tx, NAME, visibility="restricted")
    publish = city.node.harvest._publish

    def opened_first(work: Any) -> None:
        with city.node.db.write() as tx:
            city.node.journals.change(tx, NAME, visibility="public")
        publish(work)

    monkeypatch.setattr(city.node.harvest, "_publish", opened_first)
    run = city.harvest(turtle(dataset("a", more=FLAG)))
    assert (run.state, run.code) == ("failed", "conflict")
    assert names(city) == []
