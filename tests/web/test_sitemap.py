"""Sitemaps: valid by the protocol's rules in one part and in many, with odd addresses, and never of another city."""

import pytest

from node.journal import Draft
from tests.web.cities import BASE, City, small
from tests.web.client import Client
from tests.web.feed_rules import SITEMAP, parsed, sitemap_rules


def locations(body: bytes) -> list[str]:
    return [element.text or "" for element in parsed(body).iter(f"{SITEMAP}loc")]


def test_one_sitemap_is_valid_and_every_page_of_it_is_there(client: Client) -> None:
    body = client.get("/sitemap.xml").content
    assert sitemap_rules(body, f"{BASE}/sitemap.xml") == []
    assert f"{BASE}/datasets/parking" in locations(body)
    for location in locations(body):
        assert client.get(location.removeprefix(BASE)).status_code == 200


def test_many_sitemaps_are_valid_and_hold_each_page_once(
    city: City, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.web.portal.operators.SITEMAP_MOST", 4)
    city.put(*(Draft(iri, slug, "dataset", "put", body) for iri, slug, body in map(small, range(7))))
    index = client.get("/sitemap.xml").content
    assert sitemap_rules(index, f"{BASE}/sitemap.xml") == []
    parts = [client.get(part.removeprefix(BASE)).content for part in locations(index)]
    assert len(parts) == 3
    for part in parts:
        assert sitemap_rules(part, f"{BASE}/sitemap.xml") == []
    pages = [page for part in parts for page in locations(part)]
    assert len(pages) == len(set(pages))
    assert len([page for page in pages if "/datasets/" in page]) == 9


def test_a_base_address_with_a_path_and_sharp_letters_stays_an_address(city: City) -> None:
    city.base_url = "https://example.org/a&b"
    client = Client(city.app(), city.base_url)
    body = client.get("/sitemap.xml").content
    client.close()
    assert sitemap_rules(body, f"{city.base_url}/sitemap.xml") == []
    assert f"{city.base_url}/catalog" in locations(body)


def test_the_rules_find_fault_with_what_is_wrong(client: Client) -> None:
    good = client.get("/sitemap.xml").content
    assert sitemap_rules(good, "https://elsewhere.example/sitemap.xml")
    for right, wrong in (
        (b"<lastmod>2026", b"<lastmod>last 2026"),
        (b"<loc>http", b"<loc>a http"),
        (b"urlset", b"urls"),
    ):
        assert sitemap_rules(good.replace(right, wrong), f"{BASE}/sitemap.xml")


def test_every_way_in_is_in_the_footer_of_a_page_and_in_the_sitemap(client: Client) -> None:
    page = client.get("/catalog", headers={"accept": "text/html"}).text.partition("<footer")[2]
    listed = locations(client.get("/sitemap.xml").content)
    for path in ("/sets", "/licences", "/ogc", "/docs"):
        assert f'href="{path}"' in page
        assert f"{BASE}{path}" in listed
