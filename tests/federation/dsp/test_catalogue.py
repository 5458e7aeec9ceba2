"""The catalogue that a peer sees: whole over its pages, closed to others, and as cheap when it is large."""

import base64
import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
from pyld import jsonld

from node.db import Database, HotReader
from node.errors import Malformed, NotFound
from node.federation.dsp.catalogue import EDC, Catalogue, Page
from node.federation.dsp.described import described
from node.federation.dsp.documents import Catalog, CatalogRequest, Dataset
from node.journal.journal import Journals
from node.vocab.protocol_contexts import PROTOCOL_CONTEXTS
from tests.federation.offer_rig import BASE, LONDON, OSLO, Shop

ALL = CatalogRequest()
RECORD = f"{BASE}/datasets/d1"
DCT, DCAT, XSD = "http://purl.org/dc/terms/", "http://www.w3.org/ns/dcat#", "http://www.w3.org/2001/XMLSchema#"
SAID = [
    f'<{RECORD}> <{DCT}title> "Suunnitelmat"@fi .',
    f'<{RECORD}> <{DCT}title> "Plans"@en .',
    f'<{RECORD}> <{DCT}identifier> "7\\"8" .',
    f'<{RECORD}> <{DCT}issued> "2020-01-01"^^<{XSD}date> .',
    f"<{RECORD}> <{DCAT}theme> <http://publications.europa.eu/resource/authority/data-theme/TRAN> .",
    f"<{RECORD}> <{DCAT}distribution> <{RECORD}/file> .",
    f"<{RECORD}/file> <{DCT}title> <urn:not-of-the-record> .",
    f"<{RECORD}> <https://example.org/ns#own> <urn:x> .",
]
PAYLOAD = "".join(f"{line}\n" for line in sorted(SAID)).encode()


@pytest.fixture
def shop(db: Database, journals: Journals) -> Shop:
    return Shop(db, journals)


def catalogue(shop: Shop) -> Catalogue:
    return Catalogue(shop.offers, base_url=BASE, title="Helsinki", language="fi")


def names(page: Page) -> list[str]:
    return [each["@id"].rpartition("/")[2] for each in page.document.get("dataset", [])]


def query(**members: Any) -> CatalogRequest:
    return CatalogRequest(({"@type": "QuerySpec", **members},))


def test_every_dataset_stands_on_one_page_in_either_direction(shop: Shop):
    wanted = [f"c{number:03}" for number in range(25)]
    for name in wanted:
        shop.publish(shop.collection(name))
    of = catalogue(shop)
    page = of.page(LONDON, query(limit=10))
    pages = [page]
    while page.next:
        page = of.page(LONDON, ALL, page.next)
        pages.append(page)
    assert [names(each) for each in pages] == [wanted[:10], wanted[10:20], wanted[20:]]
    assert (pages[0].previous, pages[-1].next) == ("", "")
    back = of.page(LONDON, ALL, pages[2].previous)
    assert names(back) == wanted[10:20]
    assert names(of.page(LONDON, ALL, back.previous)) == wanted[:10]


def test_a_page_of_which_nothing_may_be_seen_leads_on(shop: Shop):
    for number in range(4):
        shop.publish(shop.collection(f"c{number}"))
        with shop.db.write() as tx:
            if number < 2:
                shop.journals.change(tx, f"c{number}", visibility="restricted")
    first = catalogue(shop).page(LONDON, query(limit=2))
    assert "dataset" not in first.document
    assert names(catalogue(shop).page(LONDON, ALL, first.next)) == ["c2", "c3"]


def test_nothing_of_other_peers_is_in_what_a_peer_sees(shop: Shop):
    iri = shop.collection("secret", restricted=True)
    shop.publish(iri, name="to-oslo", peers=["oslo"], about={"note": "Only for Oslo"})
    shop.publish(iri, name="to-both", peers=["oslo", "london"])
    told = json.dumps(catalogue(shop).page(LONDON, ALL).document)
    assert "to-both" in told
    for hidden in ("to-oslo", "Only for Oslo", OSLO, LONDON):
        assert hidden not in told
    with pytest.raises(NotFound):
        catalogue(shop).dataset("https://nobody.test", iri)


def test_an_empty_catalogue_says_who_it_is_of(shop: Shop):
    document = catalogue(shop).page(LONDON, ALL).document
    assert Catalog.read(document).participant == BASE
    assert "dataset" not in document


def test_of_what_is_restricted_no_more_is_told_than_its_offer_says(shop: Shop):
    for name, restricted in (("closed", True), ("open", False)):
        shop.collection(name, restricted=restricted)
    shop.records("closed", {RECORD: PAYLOAD})
    shop.publish(RECORD, peers=["london"], about={"title": "A plan", "note": "Ask us"})
    told = catalogue(shop).dataset(LONDON, RECORD)
    assert told["dct:title"] == {"@value": "A plan", "@language": "fi"}
    assert told["dct:description"] == {"@value": "Ask us", "@language": "fi"}
    assert "Suunnitelmat" not in json.dumps(told, ensure_ascii=False)
    shop.records("open", {RECORD: PAYLOAD})
    assert "Suunnitelmat" in json.dumps(catalogue(shop).dataset(LONDON, RECORD), ensure_ascii=False)


def test_what_has_data_says_that_they_can_be_pulled_and_pushed_and_asks_once_for_a_page(shop: Shop):
    shop.collection("closed", restricted=True)
    shop.collection("open")
    shop.records("closed", {RECORD: PAYLOAD})
    for target in (RECORD, f"{BASE}/collections/closed", f"{BASE}/collections/open"):
        shop.publish(target, peers=["london"], about={"title": "Data"})
    asked: list[list[str]] = []

    def with_data(covers: Sequence[str]) -> frozenset[str]:
        asked.append(sorted(covers))
        return frozenset({RECORD, f"{BASE}/collections/closed"}) & frozenset(covers)

    of = Catalogue(shop.offers, base_url=BASE, title="Helsinki", language="fi", with_data=with_data)
    ways = {each["@id"]: each["distribution"] for each in of.page(LONDON, ALL).document["dataset"]}
    formats = {iri.rpartition("/")[2]: [each["format"] for each in found][1:] for iri, found in ways.items()}
    assert formats == {
        "d1": ["HttpData-PULL", "HttpData-PUSH"],
        "closed": ["HttpData-PULL", "HttpData-PUSH"],
        "open": [],
    }
    assert ways[RECORD][1]["accessService"]["endpointURL"] == f"{BASE}/dsp/2025-1"
    assert asked == [[f"{BASE}/collections/closed", f"{BASE}/collections/open", RECORD]]
    assert len(of.dataset(LONDON, RECORD)["distribution"]) == 3
    assert len(Dataset.read_root(of.dataset(LONDON, RECORD)).distributions) == 3


def test_a_records_own_terms_are_told_in_full():
    assert described(RECORD, PAYLOAD) == {
        "dcat:theme": {"@id": "http://publications.europa.eu/resource/authority/data-theme/TRAN"},
        "dct:identifier": '7"8',
        "dct:issued": {"@value": "2020-01-01", "@type": f"{XSD}date"},
        "dct:title": [{"@value": "Plans", "@language": "en"}, {"@value": "Suunnitelmat", "@language": "fi"}],
    }
    long = f'<{RECORD}> <{DCT}description> "{"x" * 9_000}"@en .\n<{RECORD}> <{DCT}title> "T" .\n'.encode()
    assert described(RECORD, long) == {"dct:title": "T"}


@pytest.mark.parametrize(
    "asked",
    [
        {"offset": 1, "limit": 2},
        {"edc:offset": 1, "edc:limit": 2},
        {f"{EDC}offset": [{"@value": 1}], f"{EDC}limit": {"@value": 2}, "@type": f"{EDC}QuerySpec"},
        {"offset": 1, "limit": 2, "sortOrder": "ASC", "filterExpression": []},
    ],
)
def test_the_filter_with_which_edc_walks_a_catalogue_is_taken(shop: Shop, asked: dict[str, Any]):
    for number in range(4):
        shop.publish(shop.collection(f"c{number}"))
    assert names(catalogue(shop).page(LONDON, query(**asked))) == ["c1", "c2"]


@pytest.mark.parametrize(
    "filters",
    [
        ({},),
        ({"theme": "transport"},),
        ({"offset": 1, "limit": 2, "filterExpression": [{"operandLeft": "id"}]},),
        ({"offset": 1, "sortField": "id"},),
        ({"offset": 1, "sortOrder": "DESC"},),
        ({"offset": -1},),
        ({"offset": True},),
        ({"limit": 0},),
        ({"limit": "9"},),
        ({"limit": 1.5},),
        ({"offset": 10**9},),
        ({"@type": "Query", "offset": 1},),
        ({"offset": 1}, {"offset": 2}),
    ],
)
def test_any_other_filter_is_refused_with_what_is_supported(shop: Shop, filters: tuple[dict[str, Any], ...]):
    with pytest.raises(Malformed) as refused:
        catalogue(shop).page(LONDON, CatalogRequest(filters))
    assert "offset and limit" in refused.value.fix


def written(said: str) -> str:
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def test_a_token_as_this_catalogue_writes_it_is_taken(shop: Shop):
    shop.publish(shop.collection("open"))
    assert not catalogue(shop).page(LONDON, ALL, written('["a", "urn:x", 1]')).document.get("dataset")
    assert catalogue(shop).page(LONDON, ALL, written('["b", "urn:x", 1]')).document["dataset"]


@pytest.mark.parametrize(
    "token",
    [
        *("x", "ä", "W10", "WyJhIl0", "WyJhIiwiIiwxXQ", "WyJjIiwieCIsMV0", "A" * 5_000, "===="),
        *(written(said) for said in ('["a","\\ud800",1]', '["a", "\\ud800", 1]', '["a", "a\\u0000b", 1]')),
        *(written(said) for said in ('["a", "urn:x", true]', '["b", "urn:x", 1.0]', '["a", "a b", 1]', '["a", "", 1]')),
        *(written(said) for said in ('["a","urn:x",1]', '["a", "urn:x", 501]', '["a", "urn:x", 0]', "[[], {}, 1]")),
        written('["a", "urn:x", 1]') + "=",
    ],
)
def test_a_token_that_is_none_of_ours_is_refused(shop: Shop, token: str):
    with pytest.raises(Malformed):
        catalogue(shop).page(LONDON, ALL, token)


def test_a_page_costs_the_same_number_of_statements_however_large_the_catalogue_is(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    for method in ("rows", "row"):
        honest = getattr(HotReader, method)

        def counted(self: HotReader, sql: str, *params: Any, honest: Any = honest) -> Any:
            asked.append(sql)
            return honest(self, sql, *params)

        monkeypatch.setattr(HotReader, method, counted)

    def cost(**more: Any) -> int:
        asked.clear()
        catalogue(shop).page(LONDON, query(limit=50, **more))
        return len(asked)

    shop.collection("closed", restricted=True)
    records = {f"{BASE}/datasets/d{number}": PAYLOAD.replace(b"/d1>", f"/d{number}>".encode()) for number in range(60)}
    shop.records("closed", records)
    iris = iter(records)
    shop.publish(next(iris), peers=["london"], about={"title": "One"})
    shop.publish(shop.collection("open"))
    few = cost()
    for iri in iris:
        shop.publish(iri, peers=["london"], about={"title": "Another"})
    assert few == cost() == cost(offset=5) <= 6


def test_one_graph_stands_in_two_serialisations(shop: Shop):
    """What the document says of a public record in linked data is, triple by triple, what its page says."""
    shop.collection("open")
    shop.records("open", {RECORD: PAYLOAD})
    shop.publish(RECORD, about={"title": "Ours"})
    document = dict(catalogue(shop).dataset(LONDON, RECORD))
    own = {"hasPolicy", "distribution"}
    expanded = jsonld.to_rdf(
        {name: value for name, value in document.items() if name not in own},
        {"documentLoader": _kept, "base": "https://base.test/", "format": "application/n-quads"},
    )
    wanted = [line for line in SAID if line.startswith(f"<{RECORD}> ") and "distribution" not in line]
    typed = f"<{RECORD}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{DCAT}Dataset> ."
    assert sorted(expanded.splitlines()) == sorted([*(line for line in wanted if "example.org" not in line), typed])


def _kept(url: str, options: object) -> dict[str, Any]:
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": deepcopy(PROTOCOL_CONTEXTS[url])}}
