"""Harvests of sources: dry runs, kinds that exist, collections, and runs side by side."""

import threading

import pytest

from node.errors import NotFound, UnknownKind
from tests.catalog.rig import ID, City, counts, dataset, datasets, turtle

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save


# --- dry runs


def test_a_dry_run_publishes_nothing_and_shows_what_it_would_with_its_findings(city: City) -> None:
    city.harvest(datasets(*range(10)))
    text = turtle(
        dataset("n0", "Changed"), *(dataset(f"n{n}") for n in range(1, 9)), dataset("new"), "d:bad a dcat:Dataset ."
    )
    before = city.digests(), city.size(), city.sql("SELECT * FROM source"), city.sql("SELECT * FROM name")
    run = city.harvest(text, dry_run=True)
    assert (city.digests(), city.size(), city.sql("SELECT * FROM source"), city.sql("SELECT * FROM name")) == before
    assert run.dry
    assert counts(run) == {"added": 1, "changed": 1, "unchanged": 8, "withdrawn": 1, "refused": 1}
    rows = {row.source_key: row for row in city.rows(run)}
    assert rows[ID + "new"].change == "added"
    assert rows[ID + "n0"].change == "changed"
    assert rows[ID + "n9"].change == "withdrawn"
    assert rows[ID + "bad"].change == "refused"
    assert "recommended: " in rows[ID + "new"].message
    assert run.ranges == []
    real = city.run()
    assert counts(real) == {"added": 1, "changed": 1, "unchanged": 8, "withdrawn": 1, "refused": 1}


def test_a_dry_run_of_an_unchanged_source_still_looks(city: City) -> None:
    city.harvest(datasets(1, 2))
    run = city.run(dry_run=True)
    assert run.counters.read == 2
    assert {row.change for row in city.rows(run)} == {"unchanged"}


# --- kinds and sources


def test_a_source_of_an_unknown_kind_is_refused_with_the_kinds_that_exist(city: City) -> None:
    with pytest.raises(UnknownKind) as refused:
        city.add(city.write(datasets(1)), kind="sparql")
    assert "'sparql'" in str(refused.value)
    for kind in ("ckan", "datapress", "dcat", "dcat-us"):
        assert kind in str(refused.value)
    assert city.node.sources.list() == []


def test_a_source_whose_kind_is_no_longer_installed_fails_with_the_kinds_that_exist(city: City) -> None:
    city.harvest(datasets(1))
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET kind = 'gone'")
    run = city.run()
    assert run.state == "failed"
    assert "dcat-us" in run.reason


def test_there_is_no_run_of_a_source_that_does_not_exist(city: City) -> None:
    with pytest.raises(NotFound, match="citynode sources list"):
        city.run("nobody")
    assert city.node.runs.list() == []


def test_every_collection_has_its_own_records(city: City) -> None:
    city.node.create_collection("other", title="Other", visibility="restricted", at_ms=2_000)
    city.harvest(datasets(1), "one")
    city.add(city.write(datasets(2), "two.ttl"), "two", collection="other")
    city.run("two")
    assert list(city.digests()) == [ID + "n1"]
    assert list(city.digests("other")) == [ID + "n2"]
    assert city.verify("other") == 1


def test_a_source_added_anew_for_another_collection_takes_its_records_along(city: City) -> None:
    """A record is live in one collection of a node."""
    for name in ("second", "third"):
        city.node.create_collection(name, title=name, visibility="public", at_ms=2_000)
    path = city.write(datasets(*range(10)))
    city.add(path, "portal")
    city.run("portal")
    city.node.sources.remove("portal")
    city.add(path, "portal", collection="second")
    assert counts(city.run("portal")) == {"added": 10}
    assert (len(city.digests()), len(city.digests("second"))) == (0, 10)
    city.node.sources.remove("portal")
    city.add(city.write(datasets(*range(9))), "portal", collection="third")
    run = city.run("portal")
    assert counts(run) == {"added": 9, "withdrawn": 1}
    assert [len(city.digests(name)) for name in ("open-data", "second", "third")] == [0, 0, 9]
    assert city.slugs("third")[ID + "n3"] == "n3"
    assert [city.verify(name) for name in ("open-data", "second", "third")] == [20, 20, 9]
    for name in ("open-data", "second"):
        with city.node.db.read() as tx:
            assert (city.node.journals.newest_checkpoint(tx, name) or "").split("\n")[1] == "20"


def test_a_name_given_away_by_a_run_beside_this_one_is_settled_at_the_next(city: City) -> None:
    for name in ("one", "two"):
        city.add(
            city.write(turtle(dataset(f"{name}-x", identifier="Parks"), dataset(f"{name}-y")), f"{name}.ttl"), name
        )
    beside: list[str] = []

    def hear(stage: str, done: int, total: int | None) -> None:
        if stage == "publish" and not beside:
            beside.append(city.run("one").state)

    run = city.node.harvest.run("two", trigger="test", on_progress=hear)
    assert beside == ["succeeded"]
    assert (run.state, counts(run)) == ("partial", {"added": 1, "refused": 1})
    (row,) = city.rows(run, "refused")
    assert (row.code, row.source_key) == ("slug-taken", ID + "two-x")
    assert "Run it again" in row.message
    again = city.run("two")
    assert (again.state, counts(again)) == ("succeeded", {"added": 1, "unchanged": 1})
    assert city.slugs()[ID + "one-x"] == "parks"
    assert city.slugs()[ID + "two-x"] == "parks-2"


def test_first_runs_of_many_sources_at_once_publish_everything_between_them(city: City) -> None:
    sources = [f"s{n}" for n in range(4)]
    for name in sources:
        rows = (dataset(f"{name}-{n}", identifier=f"Set {n}") for n in range(30))
        city.add(city.write(turtle(*rows), f"{name}.ttl"), name)
    start, runs = threading.Barrier(len(sources)), []

    def first(name: str) -> None:
        start.wait()
        runs.append(city.run(name))

    threads = [threading.Thread(target=first, args=(name,)) for name in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == len(sources)
    assert {code for run in runs for code in city.refused(run).values()} <= {"slug-taken"}
    for name in sources:
        assert city.run(name).state == "succeeded"
    assert len(city.digests()) == 120
    assert len(set(city.slugs().values())) == 120
    assert city.verify() == 120
