"""Laws of extents: what belongs to a record comes along, what is a thing of its own is only linked."""

from pathlib import Path

import pyoxigraph
import pytest

from node.catalog.portals.extent import Extents
from node.catalog.portals.spill import Spill
from node.errors import TooLarge
from node.vocab.ntriples import is_literal
from tests.catalog.rig import PREFIXES

MORE = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix ldes: <https://w3id.org/ldes#> .
@prefix tree: <https://w3id.org/tree#> .
@prefix as: <https://www.w3.org/ns/activitystreams#> .
"""


@pytest.fixture
def extents(tmp_path: Path):
    def make(text: str) -> Extents:
        quads = pyoxigraph.parse(PREFIXES + MORE + text, format=pyoxigraph.RdfFormat.TURTLE)
        path = tmp_path / "graph.nt"
        path.write_bytes(pyoxigraph.serialize(quads, format=pyoxigraph.RdfFormat.N_TRIPLES) or b"")
        return Extents(Spill(path))

    return make


def said(extents: Extents, name: str) -> set[str]:
    """The literals of an extent: every node below carries one with its name."""
    return {o.strip('"') for _, _, o in extents.of(f"<https://data.example/id/{name}>") if is_literal(o)}


def test_what_a_record_points_to_comes_along_however_deep(extents) -> None:
    found = extents("""
        d:one a dcat:Dataset ; dct:title "one" ; dcat:distribution d:file ; dct:publisher [ dct:title "agent" ] .
        d:file a dcat:Distribution ; dct:title "file" ; dct:license d:licence .
        d:licence dct:title "licence" ; dct:publisher [ dct:title "deep" ; dct:relation d:one ] .
        d:else dct:title "else" ; dct:relation d:one .
    """)
    assert said(found, "one") == {"one", "agent", "file", "licence", "deep"}
    assert found.unreached() == (1, 2)


@pytest.mark.parametrize(
    "thing",
    [
        "dcat:Dataset",
        "dcat:DatasetSeries",
        "dcat:DataService",
        "dcat:Catalog",
        "dcat:CatalogRecord",
        "skos:ConceptScheme",
        "hydra:Collection",
        "hydra:PagedCollection",
        "hydra:PartialCollectionView",
        "ldes:EventStream",
        "tree:Node",
        "as:Create",
        "as:Delete",
    ],
)
def test_things_of_their_own_are_linked_and_not_brought_along(extents, thing: str) -> None:
    found = extents(f"""
        d:one a dcat:Dataset ; dct:title "one" ; dct:relation d:other .
        d:other a {thing} ; dct:title "other" ; dct:publisher [ dct:title "its agent" ] .
    """)
    assert said(found, "one") == {"one"}
    assert ("<https://data.example/id/other>" in found.records) == (thing.startswith("dcat:Data"))


def test_a_record_of_several_types_is_series_before_service_before_dataset(extents) -> None:
    found = extents("""
        d:a a dcat:Dataset, dcat:DatasetSeries . d:b a dcat:Dataset, dcat:DataService .
        d:c a dcat:DataService, dcat:DatasetSeries, dcat:Dataset . d:e a dcat:Dataset, dcat:Catalog .
    """)
    kinds = {name.rsplit("/", 1)[1].rstrip(">"): kind for name, kind in found.records.items()}
    assert kinds == {"a": "dataset-series", "b": "data-service", "c": "dataset-series"}


def test_misspelt_classes_are_records_too(extents) -> None:
    found = extents("d:a a <https://www.w3.org/ns/dcat#Dataset> . d:b a <http://www.w3.org/ns/dcat/Dataset> .")
    assert sorted(found.records.values()) == ["dataset", "dataset"]


def test_a_blank_dataset_is_a_record_if_only_catalogues_and_feeds_point_to_it(extents) -> None:
    found = extents("""
        d:c a dcat:Catalog ; dcat:dataset _:listed ; dcat:service _:service .
        d:r a dcat:CatalogRecord ; <http://xmlns.com/foaf/0.1/primaryTopic> _:listed .
        _:listed a dcat:Dataset ; dct:title "listed" .
        _:alone a dcat:Dataset ; dct:title "alone" .
        _:series a dcat:DatasetSeries ; dct:title "series" .
        _:service a dcat:DataService ; dct:title "service" .
        d:one a dcat:Dataset ; dct:title "one" ; dct:source _:embedded ;
            dcat:distribution [ dcat:accessService _:api ] .
        _:embedded a dcat:Dataset ; dct:title "embedded" .
        _:api a dcat:DataService ; dct:title "api" ; dcat:servesDataset d:one .
        d:two a dcat:Dataset ; dct:title "two" ; dct:relation <https://x.example/.well-known/genid/1> .
        <https://x.example/.well-known/genid/1> a dcat:Dataset ; dct:title "skolem" .
    """)
    assert sorted(found.records.values()) == ["dataset", "dataset", "dataset", "dataset", "dataset-series"]
    assert said(found, "one") == {"one", "embedded", "api"}
    assert said(found, "two") == {"two", "skolem"}


def test_rings_end(extents) -> None:
    found = extents("""
        d:one a dcat:Dataset ; dct:title "one" ; dct:relation d:a .
        d:a dct:title "a" ; dct:relation d:b . d:b dct:title "b" ; dct:relation d:a, d:b, d:one .
    """)
    assert said(found, "one") == {"one", "a", "b"}


def test_a_record_that_reaches_too_much_is_refused_and_duplicates_do_not_count(tmp_path: Path) -> None:
    many = "".join(f'_:b <http://purl.org/dc/terms/title> "{n}" .\n' for n in range(10_000))
    head = "<https://d.example/1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset>"
    head += " .\n"
    link = "<https://d.example/1> <http://purl.org/dc/terms/relation> _:b .\n"
    (tmp_path / "many.nt").write_text(head + link + many)
    with pytest.raises(TooLarge, match="more than 10000 triples"), Spill(tmp_path / "many.nt") as spill:
        Extents(spill).of("<https://d.example/1>")
    (tmp_path / "same.nt").write_text((head + link + '_:b <http://purl.org/dc/terms/title> "x" .\n') * 4000)
    with Spill(tmp_path / "same.nt") as spill:
        assert len(set(Extents(spill).of("<https://d.example/1>"))) == 3
    (tmp_path / "run.nt").write_text(head + link + '_:b <http://purl.org/dc/terms/title> "x" .\n' * 12_000)
    with Spill(tmp_path / "run.nt") as spill:
        assert len(set(Extents(spill).of("<https://d.example/1>"))) == 3
