"""What a harvest withdraws, what it never does, and what leaves with it."""

import json

import pytest

from node.errors import AlreadyRunning, Conflict, NotFound
from tests.catalog.rig import ID, City, counts, dataset, datasets, turtle

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save


# --- withdrawals


def test_a_tenth_of_the_records_may_go_at_once(city: City) -> None:
    city.harvest(datasets(*range(10)))
    run = city.harvest(datasets(*range(9)))
    assert (run.state, counts(run)) == ("succeeded", {"unchanged": 9, "withdrawn": 1})
    assert ID + "n9" not in city.digests()
    gone = city.node.shelf.withdrawn("dataset", "n9")
    assert gone is not None
    assert gone[0] == ID + "n9"
    assert city.verify() == 11


def test_more_than_a_tenth_is_held_until_somebody_approves(city: City) -> None:
    city.harvest(datasets(*range(10)))
    run = city.harvest(datasets(*range(8)))
    assert (run.state, counts(run)) == ("partial", {"unchanged": 8, "held": 2})
    assert f"citynode harvest approve {run.id}" in run.reason
    assert {row.iri for row in city.rows(run, "held")} == {ID + "n8", ID + "n9"}
    assert len(city.digests()) == 10
    assert city.size() == 10
    approved = city.node.harvesting.office.approve(run.id, by="x")
    assert (approved.state, counts(approved)) == ("succeeded", {"unchanged": 8, "withdrawn": 2})
    assert sorted(city.digests()) == [f"{ID}n{n}" for n in range(8)]
    assert city.node.runs.get(run.id).state == "succeeded"
    assert city.verify() == 12
    assert counts(city.harvest(datasets(*range(8)))) == {"unchanged": 8}


def test_nothing_is_approved_twice_and_nothing_that_was_not_held(city: City) -> None:
    first = city.harvest(datasets(1, 2))
    with pytest.raises(Conflict, match="holds no withdrawals"):
        city.node.harvesting.office.approve(first.id, by="x")
    held = city.harvest(datasets(1))
    city.node.harvesting.office.approve(held.id, by="x")
    with pytest.raises(Conflict, match="holds no withdrawals"):
        city.node.harvesting.office.approve(held.id, by="x")
    with pytest.raises(NotFound):
        city.node.harvesting.office.approve(99, by="x")
    dry = city.harvest(datasets(3), dry_run=True)
    with pytest.raises(Conflict, match="holds no withdrawals"):
        city.node.harvesting.office.approve(dry.id, by="x")


def test_what_a_later_run_has_seen_again_cannot_be_withdrawn_by_an_older_approval(city: City) -> None:
    city.harvest(datasets(*range(10)))
    held = city.harvest(datasets(*range(5)))
    later = city.harvest(datasets(*range(10)))
    with pytest.raises(Conflict, match=f"Run {later.id} has read the source since"):
        city.node.harvesting.office.approve(held.id, by="x")
    assert len(city.digests()) == 10


def test_what_is_held_stays_held_run_after_run_and_the_newest_run_can_be_approved(city: City) -> None:
    city.harvest(datasets(*range(10)))
    city.harvest(datasets(*range(5)))
    again = city.run()
    assert (again.state, counts(again)) == ("partial", {"unchanged": 5, "held": 5})
    city.node.harvesting.office.approve(again.id, by="x")
    assert len(city.digests()) == 5


def test_a_run_under_way_cannot_be_overtaken_by_an_approval(city: City) -> None:
    city.harvest(datasets(*range(10)))
    held = city.harvest(datasets(*range(5)))
    now = city.node.harvest._clock_ms()
    city.node.runs.start("portal", dry=False, trigger="test", now_ms=now, deadline_ms=now + 1000)
    with pytest.raises(AlreadyRunning):
        city.node.harvesting.office.approve(held.id, by="x")


def test_the_threshold_is_the_source_s_own_if_it_has_one(city: City) -> None:
    path = city.write(datasets(*range(10)), "s.ttl")
    city.add(path, threshold_percent=0)
    city.run()
    city.write(datasets(*range(9)), "s.ttl")
    assert counts(city.run()) == {"unchanged": 9, "held": 1}
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET threshold_percent = 50")
    city.write(datasets(*range(5)), "s.ttl")
    assert counts(city.run()) == {"unchanged": 5, "withdrawn": 5}


def test_an_empty_document_withdraws_nothing_whatever_the_threshold(city: City) -> None:
    path = city.write(datasets(1, 2), "s.ttl")
    city.add(path, threshold_percent=100)
    city.run()
    for nothing in ("", turtle(), turtle("<https://data.example/c> a dcat:Catalog .")):
        city.write(nothing, "s.ttl")
        run = city.run()
        assert run.state in ("partial", "failed"), repr(nothing)
        assert "is empty" in run.reason or "describes no dataset" in run.reason
        assert counts(run) == {}
    assert len(city.digests()) == 2


# --- contacts


def test_a_person_s_contact_is_gone_with_all_that_hangs_on_it(city: City) -> None:
    person = (
        "; dct:publisher [ a foaf:Agent ; foaf:name 'Parks department' ]"
        "; dcat:contactPoint [ a vcard:Individual ; vcard:fn 'Maija Meikäläinen' ;"
        "    vcard:hasEmail <mailto:maija.meikalainen@data.example> ;"
        "    vcard:hasTelephone [ vcard:hasValue <tel:+358501234567> ] ;"
        "    vcard:hasAddress [ vcard:street-address 'Kotikatu 1' ; vcard:country <https://data.example/c> ] ]"
    )
    city.harvest(turtle(dataset("n1", more=person)))
    text = city.payload(ID + "n1")
    for private in ("Maija", "maija", "+358", "Kotikatu"):
        assert private not in text
    assert "Parks department" in text
    assert "contact-reduced" in city.codes(ID + "n1")


# --- what a portal calls private, and runs side by side


def packages(*names: str, private: str = "") -> bytes:
    made = [
        {"id": name, "name": name, "title": name, "notes": "x", "state": "active", "private": name == private}
        for name in names
    ]
    return json.dumps(made).encode()


def test_what_the_portal_makes_private_is_withdrawn_and_not_kept_as_refused(city: City) -> None:
    names = [f"p{n}" for n in range(20)]
    city.add(city.write(packages(*names), "dump.json"), kind="ckan")
    assert counts(city.run()) == {"added": 20}
    city.write(packages(*names, private="p7"), "dump.json")
    run = city.run()
    assert (run.state, counts(run)) == ("succeeded", {"unchanged": 19, "withdrawn": 1})
    assert city.node.shelf.record("dataset", "p7") is None
    assert city.refused(run) == {"p7": "not-public"}, "and why is told"
    city.write(packages(*names), "dump.json")
    assert counts(city.run()) == {"added": 1, "unchanged": 19}
