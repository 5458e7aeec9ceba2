"""Laws of a harvest: what it publishes, and what it refuses."""

import time

import pytest

from node.records import MAX_TRIPLES
from tests.catalog.rig import BASE, ID, City, counts, dataset, datasets, turtle

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

TITLE = "<http://purl.org/dc/terms/title>"


# --- what is published


def test_a_first_run_publishes_every_record_and_signs_it(city: City) -> None:
    run = city.harvest(datasets(1, 2, 3))
    assert (run.state, run.reason) == ("succeeded", "")
    assert counts(run) == {"added": 3}
    assert run.counters.read == run.counters.total == 3
    assert sorted(city.digests()) == [f"{ID}n{n}" for n in (1, 2, 3)]
    assert city.verify() == 3
    assert f'{TITLE} "Title of n1"@en .' in city.payload(ID + "n1")


def test_a_second_run_writes_nothing_whether_or_not_the_file_changed_in_its_bytes(city: City) -> None:
    city.harvest(datasets(1, 2, 3))
    before = city.digests()
    same = city.harvest(datasets(1, 2, 3))
    assert (same.state, counts(same)) == ("succeeded", {"unchanged": 3})
    other = city.harvest(datasets(3, 1, 2) + "# the same in other words\n")
    assert (other.state, counts(other)) == ("succeeded", {"unchanged": 3})
    assert other.counters.read == 3
    assert city.size() == 3
    assert city.digests() == before
    assert other.ranges == []


def test_what_changed_is_told_and_nothing_else_is_written(city: City) -> None:
    city.harvest(datasets(1, 2, 3))
    run = city.harvest(turtle(dataset("n1"), dataset("n2", "A better title"), dataset("n3"), dataset("n4")))
    assert counts(run) == {"added": 1, "changed": 1, "unchanged": 2}
    assert [(entry.opening.record, entry.opening.op) for entry in city.entries()[3:] if entry.opening] == [
        (ID + "n2", "put"),
        (ID + "n4", "put"),
    ]
    assert city.verify() == 5


def test_a_record_that_comes_back_is_added_again_under_its_name(city: City) -> None:
    city.add(city.write("", "portal.ttl"), threshold_percent=100)
    city.harvest(datasets(1, 2))
    assert counts(city.harvest(datasets(1))) == {"unchanged": 1, "withdrawn": 1}
    assert city.node.shelf.withdrawn("dataset", "n2") is not None
    run = city.harvest(datasets(1, 2))
    assert counts(run) == {"added": 1, "unchanged": 1}
    assert city.slugs() == {ID + "n1": "n1", ID + "n2": "n2"}


def test_a_change_of_findings_alone_is_kept_without_an_entry(city: City) -> None:
    wrong = turtle(dataset("n1", more="; dcat:accessUrl <https://data.example/file>"))
    city.harvest(wrong)
    assert "term-misspelt" in city.codes(ID + "n1")
    run = city.harvest(wrong.replace("accessUrl", "accessURL"))
    assert counts(run) == {"unchanged": 1}
    assert city.size() == 1
    assert "term-misspelt" not in city.codes(ID + "n1"), "the source mended it, so nothing is left to say"
    city.harvest(wrong)
    assert "term-misspelt" in city.codes(ID + "n1")


def test_findings_are_kept_beside_the_record_and_counted(city: City) -> None:
    run = city.harvest(turtle(dataset("n1"), dataset("n2", more="; dcat:landingPage 'ask us'")))
    assert run.counters.with_findings == 2
    assert city.codes(ID + "n1") != city.codes(ID + "n2")
    counted = dict(city.node.shelf.finding_counts("open-data"))
    assert set(counted.values()) == {1, 2}


# --- what is refused


def test_what_has_neither_iri_nor_identifier_is_refused_as_nameless(city: City) -> None:
    run = city.harvest(turtle(dataset("n1"), '[] a dcat:Dataset ; dct:title "Nobody"@en .'))
    assert run.state == "partial"
    assert counts(run) == {"added": 1, "refused": 1}
    (row,) = city.rows(run, "refused")
    assert (row.code, row.title) == ("nameless", "Nobody")
    assert "identifier" in row.message


def test_nameless_datasets_that_only_point_to_each_other_are_refused_and_not_lost(city: City) -> None:
    ring = (
        '_:a a dcat:Dataset ; dct:identifier "a" ; dct:title "A"@en ; dct:relation _:b .'
        '_:b a dcat:Dataset ; dct:identifier "b" ; dct:title "B"@en ; dct:relation _:a .'
    )
    run = city.harvest(turtle(dataset("n1"), ring))
    assert counts(run) == {"added": 1, "refused": 2}
    assert sorted((row.code, row.title) for row in city.rows(run, "refused")) == [("nameless", "A"), ("nameless", "B")]


def test_what_has_no_title_is_refused_and_its_owner_named(city: City) -> None:
    agent = '; dct:publisher [ a foaf:Agent ; foaf:name "Parks department" ]'
    run = city.harvest(turtle(dataset("n1"), f'd:n2 a dcat:Dataset ; dct:description "x"@en {agent} .'))
    (row,) = city.rows(run, "refused")
    assert (row.code, row.source_key, row.owner) == ("title-missing", ID + "n2", "Parks department")
    assert "dct:title" in row.message
    assert run.reason == "1 records were refused; each row says what to mend."


def test_a_blank_node_with_an_identifier_is_published_under_an_iri_of_ours(city: City) -> None:
    blank = '[] a dcat:Dataset ; dct:identifier "Tree Register" ; dct:title "Trees"@en .\n'
    city.harvest(turtle(blank, dataset("n1", more="; dct:isReferencedBy <https://data.example/x>")))
    iri = f"{BASE}/datasets/tree-register"
    assert city.slugs() == {iri: "tree-register", ID + "n1": "n1"}
    assert f"<{iri}> {TITLE}" in city.payload(iri)


def test_a_link_to_a_nameless_record_takes_the_iri_it_got(city: City) -> None:
    text = turtle(
        '_:b a dcat:Dataset ; dct:identifier "trees" ; dct:title "Trees"@en .\n',
        "<https://data.example/catalogue> a dcat:Catalog ; dcat:dataset _:b .\n",
        "<http://portal.internal/d/1> a dcat:Dataset ; dct:title 'One'@en ; dct:identifier 'one' .\n",
        dataset("n1", more="; dct:relation <http://portal.internal/d/1>"),
    )
    outside = "https://city.example"
    city.node.harvest._policy = replaced(city.node.harvest._policy, base_url=outside)
    city.harvest(text)
    assert sorted(city.digests()) == [f"{outside}/datasets/one", f"{outside}/datasets/trees", ID + "n1"]
    assert f"<http://purl.org/dc/terms/relation> <{outside}/datasets/one> ." in city.payload(ID + "n1")


def replaced(policy, **changes):
    from dataclasses import replace

    return replace(policy, **changes)


def test_records_past_the_bounds_are_refused_one_by_one(city: City) -> None:
    many = "; dct:subject " + ", ".join(f"<https://data.example/s/{n}>" for n in range(MAX_TRIPLES - 2))
    fits = "; dct:subject " + ", ".join(f"<https://data.example/s/{n}>" for n in range(MAX_TRIPLES - 3))
    long = f'; dct:abstract "{"x" * (1 << 20)}"@en'
    run = city.harvest(
        turtle(dataset("n1"), dataset("n2", more=many), dataset("n3", more=long), dataset("n4", more=fits))
    )
    assert sorted(city.digests()) == [ID + "n1", ID + "n4"]
    assert city.refused(run) == {ID + "n2": "too-large", ID + "n3": "too-large"}
    messages = {row.source_key: row.message for row in city.rows(run, "refused")}
    assert "10000" in messages[ID + "n2"]
    assert str(1 << 20) in messages[ID + "n3"]
    assert city.payload(ID + "n4").count("\n") == MAX_TRIPLES


def test_alike_blank_nodes_get_names_of_their_own_and_too_many_are_refused(city: City) -> None:
    def alike(count: int) -> str:
        return "; dct:spatial " + ", ".join("[ dct:title 'here'@en ]" for _ in range(count))

    run = city.harvest(turtle(dataset("n1", more=alike(3)), dataset("n2", more=alike(65))))
    assert city.payload(ID + "n1").count("<http://purl.org/dc/terms/spatial>") == 3
    assert city.refused(run) == {ID + "n2": "too-large"}
    assert "look alike" in city.rows(run, "refused")[0].message


def test_nameless_nodes_that_hang_together_by_the_hundred_are_named_and_by_the_thousand_refused(city: City) -> None:
    def listed(count: int) -> str:
        return "; dct:subject (" + " ".join(f'"{n}"' for n in range(count)) + ")"

    begun = time.monotonic()
    run = city.harvest(turtle(dataset("n1", more=listed(300)), dataset("n2", more=listed(3300)), dataset("n3")))
    assert time.monotonic() - begun < 5
    assert counts(run) == {"added": 2, "refused": 1}
    (row,) = city.rows(run, "refused")
    assert (row.source_key, row.code) == (ID + "n2", "too-large")
    assert "3300 nodes without a name hang together" in row.message
    assert city.payload(ID + "n1").count("<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>") == 300


def test_a_value_made_to_keep_us_busy_does_not(city: City) -> None:
    trap = "a@" + "a." * 100_000 + " x"
    begun = time.monotonic()
    run = city.harvest(turtle(dataset("n1", more=f'; dcat:contactPoint [ vcard:hasEmail "{trap}" ]')))
    assert time.monotonic() - begun < 5
    assert counts(run) == {"added": 1}


def test_a_record_refused_this_time_keeps_its_published_state(city: City) -> None:
    city.harvest(datasets(1, 2))
    before = city.digests()
    run = city.harvest(turtle(dataset("n1"), 'd:n2 a dcat:Dataset ; dct:description "no title any more"@en .'))
    assert counts(run) == {"unchanged": 1, "refused": 1}
    assert run.state == "partial"
    assert city.digests() == before
    (row,) = city.rows(run, "refused")
    assert row.iri == ID + "n2"


def test_a_key_that_comes_twice_is_refused_and_the_same_one_is_kept_in_any_order(city: City) -> None:
    one = '[] a dcat:Dataset ; dct:identifier "k" ; dct:title "First"@en .\n'
    two = '[] a dcat:Dataset ; dct:identifier "k" ; dct:title "Second"@en .\n'
    run = city.harvest(turtle(one, two))
    assert [(row.source_key, row.code) for row in city.rows(run, "refused")] == [("k", "duplicate-key")]
    before = city.digests()
    assert len(before) == 1
    again = city.harvest(turtle(two, one))
    assert city.digests() == before
    assert counts(again) == {"unchanged": 1, "refused": 1}


def test_a_record_that_another_source_publishes_is_refused_and_the_other_named(city: City) -> None:
    city.harvest(datasets(1, 2), "first")
    run = city.harvest(datasets(2, 3), "second")
    assert counts(run) == {"added": 1, "refused": 1}
    (row,) = city.rows(run, "refused")
    assert (row.code, row.source_key) == ("iri-live-elsewhere", ID + "n2")
    assert "'first'" in row.message
    assert len(city.digests()) == 3


def test_what_another_source_held_is_published_as_soon_as_it_lets_go(city: City) -> None:
    city.harvest(datasets(1, 2), "first")
    city.harvest(datasets(2, 3), "second")
    city.node.sources.remove("first")
    run = city.run("second")
    assert run.state == "succeeded", "the source did not change, but the node did"
    assert city.refused(run) == {}
    assert city.slugs() == {ID + "n1": "n1", ID + "n2": "n2", ID + "n3": "n3"}
    assert city.size() == 3


# --- IRIs that change


def test_a_record_whose_iri_changed_leaves_the_old_one_and_keeps_its_slug(city: City) -> None:
    old = turtle('[] a dcat:Dataset ; dct:identifier "k" ; dct:title "Trees"@en .')
    city.harvest(old)
    with city.node.db.write() as tx:
        tx.run("UPDATE name SET source_key = ?, key_hash = ?", ID + "k", key_hash(ID + "k"))
    run = city.harvest(turtle('d:k a dcat:Dataset ; dct:identifier "k" ; dct:title "Trees"@en .'))
    assert run.state == "succeeded", run.reason
    assert counts(run) == {"added": 1, "withdrawn": 1}
    assert city.slugs() == {ID + "k": "k"}
    held = city.node.shelf.record("dataset", "k")
    assert held is not None
    assert held.iri == ID + "k"
    assert [entry.opening.op for entry in city.entries() if entry.opening] == ["put", "withdraw", "put"]
    assert city.verify() == 3


def key_hash(key: str) -> bytes:
    from node.catalog.names import key_hash as hashed

    return hashed(key)


def test_records_that_exchange_their_iris_are_both_still_there(city: City) -> None:
    """As when a portal of any kind but RDF mends two mixed-up addresses: the keys stay, the IRIs change places."""
    city.harvest(datasets(1, 2))
    with city.node.db.write() as tx:
        tx.run("UPDATE name SET iri = CASE slug WHEN 'n1' THEN ? ELSE ? END", ID + "n2", ID + "n1")
    run = city.harvest(turtle(dataset("n1", "Once the second"), dataset("n2", "Once the first")))
    assert run.state == "succeeded", run.reason
    assert counts(run) == {"changed": 2}
    assert sorted(city.digests()) == [ID + "n1", ID + "n2"]
