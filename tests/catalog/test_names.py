"""Laws of names: slugs given once and never to another record, IRIs kept when they are good."""

import time

import pytest

from node.catalog import names as naming
from node.catalog.names import Names, is_good_iri
from node.catalog.portals.base import Head, Refusal
from tests.catalog.rig import BASE, ID, City, dataset, datasets, turtle

PUBLIC = "https://city.example"
OWN = f"{BASE}/datasets"


@pytest.mark.parametrize(
    ("iri", "good"),
    [
        ("https://data.example/id/1", True),
        ("http://data.example/id/1#it", True),
        ("https://8.8.8.8/id/1", True),
        ("https://localhost/1", False),
        ("http://localhost:8080/1", False),
        ("http://me.localhost/1", False),
        ("http://portal.local/1", False),
        ("http://ckan.internal/1", False),
        ("http://CKAN.INTERNAL/1", False),
        ("http://localhost./1", False),
        ("http://ckan.internal./1", False),
        ("http://127.0.0.1/1", False),
        ("http://10.1.2.3/1", False),
        ("http://192.168.0.1:5000/1", False),
        ("http://169.254.1.1/1", False),
        ("http://[::1]/1", False),
        ("http://[fd00::1]/1", False),
        ("http://[broken/1", False),
        ("http://127。0。0。1/1", False),
        ("http://①②⑦.0.0.1/1", False),
        ("http://xn--orhcp.0.0.1/1", False),
        ("http://local\u00adhost/1", False),
        ("http://loc%61lhost/1", False),
        ("http://\uff4cocalhost/1", False),
        ("http://[::127.0.0.1]/1", False),
        ("http://[::ffff:127.0.0.1]/1", False),
        ("http://[2002:7f00:1::]/1", False),
        ("http://[64:ff9b::7f00:1]/1", False),
        ("http://[64:ff9b:1::1]/1", False),
        ("http://[64:ff9b::808:808]/1", True),
        ("http://nas.lan/1", True),
        ("https://xn--jrvenp-9wac.example/1", True),
        ("ftp://data.example/1", False),
        ("urn:uuid:1", False),
        ("mailto:me@data.example", False),
        ("http:///path", False),
        ("", False),
        ("https://data.example/.well-known/genid/abc", False),
        ("https://data.example/a/.well-known/genid/b/c", False),
        ("https://data.example/a b", False),
    ],
)
def test_a_source_s_iri_is_kept_only_if_it_leads_somewhere_for_everybody(iri: str, good: bool) -> None:
    assert is_good_iri(iri, PUBLIC) is good


def test_a_node_on_a_private_address_keeps_private_iris() -> None:
    assert is_good_iri("http://192.168.0.7/d/1", "http://10.0.0.1:8000")
    assert is_good_iri("http://127.0.0.1:8002/datasets/x", BASE)


def settle(city: City, *heads: Head, source: str = "s") -> tuple[dict[str, tuple[str, str]], list[Refusal]]:
    with city.node.db.read() as tx:
        named, refused = Names(tx, source, base_url=PUBLIC).settle(heads)
    return {key: (name.iri, name.slug) for key, name in named.items()}, refused


def head(key: str, name: str = "", iri: str = "", kind: str = "dataset") -> Head:
    return Head(key, kind, iri, name, "A title")


def test_a_slug_comes_from_the_name_else_from_the_iri_else_from_the_key(city: City) -> None:
    named, _ = settle(
        city,
        head("a", "Pysäköinti & liikenne"),
        head("b", "", "https://data.example/set/Äkkilähtö/"),
        head("c", "", "https://data.example/catalogue#one"),
        head("d", "", "https://data.example/"),
        head("e", "指標"),
        head("f", "x" * 200),
    )
    assert named["a"][1] == "pysakointi-liikenne"
    assert named["b"][1] == "akkilahto"
    assert named["c"][1] == "one"
    assert named["d"][1] == "18ac3e7343f0"  # SHA-256 of "d"
    assert named["e"][1] == "3f79bb7b435b"
    assert named["f"][1] == "x" * 80


def test_collisions_are_settled_in_order_of_source_key_whatever_the_order_of_the_source(city: City) -> None:
    heads = [head(key, "Parks") for key in ("c", "a", "b")]
    for order in (heads, heads[::-1]):
        named, _ = settle(city, *order)
        assert {key: slug for key, (_, slug) in named.items()} == {"a": "parks", "b": "parks-2", "c": "parks-3"}
    long = [head(key, "y" * 90) for key in "ab"]
    assert sorted(slug for _, slug in settle(city, *long)[0].values()) == ["y" * 78 + "-2", "y" * 80]


@pytest.mark.slow  # twenty thousand records
def test_twenty_thousand_records_of_one_name_are_named_in_a_moment(city: City) -> None:
    begun = time.monotonic()
    named, _ = settle(city, *(head(f"{n:05}", "data") for n in range(20_000)))
    assert time.monotonic() - begun < 5
    assert named["19999"][1] == "data-20000"
    assert len({slug for _, slug in named.values()}) == 20_000


def test_records_of_different_kinds_may_share_a_slug(city: City) -> None:
    named, _ = settle(city, head("a", "parks"), head("b", "parks", kind="data-service"))
    assert {slug for _, slug in named.values()} == {"parks"}
    assert {iri for iri, _ in named.values()} == {f"{PUBLIC}/datasets/parks", f"{PUBLIC}/services/parks"}


def test_an_iri_that_two_records_of_a_source_bear_is_nobody_s(city: City) -> None:
    iri = "https://data.example/same"
    named, refused = settle(city, head("a", "one", iri), head("b", "two", iri), head("c", "three", iri + "/3"))
    assert not refused
    assert named["a"][0] == f"{PUBLIC}/datasets/one"
    assert named["b"][0] == f"{PUBLIC}/datasets/two"
    assert named["c"][0] == iri + "/3"


def test_a_key_that_comes_twice_is_refused_once_and_named(city: City) -> None:
    named, refused = settle(city, head("a", "one"), head("a", "two"))
    assert list(named) == ["a"]
    assert [(each.key, each.code) for each in refused] == [("a", "duplicate-key")]
    assert "key of its own" in refused[0].message


def test_a_minted_iri_is_never_one_that_another_record_of_the_source_bears(city: City) -> None:
    # "b" comes first in order and would be minted at the address that "z" brings along.
    named, refused = settle(city, head("b", "parks"), head("z", "parks", f"{PUBLIC}/datasets/parks"))
    assert not refused
    assert len({iri for iri, _ in named.values()}) == 2
    assert named["z"] == (f"{PUBLIC}/datasets/parks", "parks")
    assert named["b"] == (f"{PUBLIC}/datasets/parks-2", "parks-2")


def test_an_iri_of_our_own_is_kept_only_with_the_slug_it_spells(city: City) -> None:
    named, _ = settle(city, head("k", "Another name", f"{PUBLIC}/datasets/parks"))
    assert named["k"] == (f"{PUBLIC}/datasets/parks", "parks")


def test_an_iri_of_ours_whose_slug_another_record_bore_is_not_kept(city: City) -> None:
    city.add(city.write("", "portal.ttl"), threshold_percent=100)
    city.harvest(turtle('[] a dcat:Dataset ; dct:identifier "Parks" ; dct:title "Parks"@en .', dataset("x1")))
    city.harvest(turtle(dataset("x1")))
    run = city.harvest(turtle(f'<{OWN}/parks> a dcat:Dataset ; dct:title "Not those parks"@en .'), "other")
    assert run.state == "succeeded"
    assert city.slugs() == {ID + "x1": "x1", f"{OWN}/parks-2": "parks-2"}


def test_slugs_stay_with_their_records_also_after_a_withdrawal(city: City) -> None:
    city.add(city.write("", "portal.ttl"), threshold_percent=100)
    city.harvest(turtle(dataset("x1", identifier="Parks"), dataset("x2", identifier="Parks")))
    assert city.slugs() == {ID + "x1": "parks", ID + "x2": "parks-2"}
    city.harvest(turtle(dataset("x2", identifier="Parks")))
    assert city.slugs() == {ID + "x2": "parks-2"}, "the slug of the living one does not move up"
    city.harvest(turtle(dataset("x0", identifier="Parks"), dataset("x2", identifier="Parks")))
    assert city.slugs() == {ID + "x0": "parks-3", ID + "x2": "parks-2"}, "a buried slug is given to nobody else"
    city.harvest(turtle(dataset("x1", identifier="Parks"), dataset("x2", identifier="Parks")))
    assert city.slugs()[ID + "x1"] == "parks", "who comes back gets the old slug"


def test_a_renamed_record_keeps_its_slug(city: City) -> None:
    city.harvest(turtle(dataset("x1", identifier="Parks")))
    city.harvest(turtle(dataset("x1", "New title", identifier="Gardens")))
    assert city.slugs() == {ID + "x1": "parks"}


def test_a_slug_that_a_record_left_for_another_kind_is_given_to_nobody_else(city: City) -> None:
    city.harvest(turtle(dataset("x1", identifier="Parks")))
    city.harvest(turtle(dataset("x1", identifier="Parks").replace("dcat:Dataset", "dcat:DatasetSeries")))
    assert [(held.kind, held.slug) for held in city.held()] == [("dataset-series", "parks")]
    city.harvest(
        turtle(
            dataset("x1", identifier="Parks").replace("dcat:Dataset", "dcat:DatasetSeries"),
            dataset("x2", identifier="Parks"),
        )
    )
    assert [(held.iri, held.kind, held.slug) for held in city.held()] == [
        (ID + "x1", "dataset-series", "parks"),
        (ID + "x2", "dataset", "parks-2"),
    ]
    city.harvest(turtle(dataset("x1", identifier="Parks"), dataset("x2", identifier="Parks")))
    assert city.slugs() == {ID + "x1": "parks", ID + "x2": "parks-2"}, "who goes back finds the old name"


def test_slugs_of_two_sources_do_not_collide(city: City) -> None:
    city.harvest(turtle(dataset("x1", identifier="Parks")), "one")
    city.harvest(turtle(dataset("x2", identifier="Parks")), "two")
    assert city.slugs() == {ID + "x1": "parks", ID + "x2": "parks-2"}


def test_a_source_added_under_another_name_takes_over_iris_and_slugs(city: City) -> None:
    text = turtle(dataset("x1", identifier="Parks"), "[] a dcat:Dataset ; dct:identifier 'b1' ; dct:title 'Blank'@en .")
    city.harvest(text, "one")
    before, slugs = city.digests(), city.slugs()
    city.node.sources.remove("one")
    run = city.harvest(text, "two")
    assert run.state == "succeeded", run.reason
    assert (city.digests(), city.slugs()) == (before, slugs)
    assert city.size() == 2, "the same records under the same names are no news"


def test_what_a_removed_source_named_is_taken_over_by_the_same_record_only(city: City) -> None:
    city.harvest(turtle(dataset("x1", identifier="Parks"), dataset("x9", identifier="Lakes")), "one")
    city.node.sources.remove("one")
    city.harvest(turtle(dataset("x2", identifier="Parks"), dataset("x9", identifier="Lakes")), "two")
    assert city.slugs() == {ID + "x1": "parks", ID + "x2": "parks-2", ID + "x9": "lakes"}
    city.node.sources.remove("two")
    city.harvest(
        turtle(
            dataset("x2").replace("dcat:Dataset", "dcat:DatasetSeries"),
            '[] a dcat:Dataset ; dct:identifier "Lakes" ; dct:title "Other lakes"@en .',
        ),
        "three",
    )
    assert city.slugs()[f"{OWN}/lakes-2"] == "lakes-2"
    assert city.slugs()[ID + "x9"] == "lakes"


def test_a_dry_run_gives_no_names_away(city: City) -> None:
    city.harvest(datasets("parks"), dry_run=True)
    assert city.sql("SELECT count(*) FROM name") == [(0,)]


def test_a_name_taken_in_the_same_moment_is_given_once(city: City) -> None:
    """Two first runs side by side load the names before either has saved its own."""
    city.harvest(turtle(dataset("x1", identifier="Parks")), "one")
    with city.node.db.read() as tx:
        early = Names(tx, "two", base_url=BASE)
    early._taken.clear()
    named, _ = early.settle([head("k", "Parks", ID + "x2"), head("l", "Gardens")])
    with city.node.db.write() as tx:
        assert naming.clashes(tx, "two", named) == {"k"}
        assert naming.clashes(tx, "two", {}) == set()
