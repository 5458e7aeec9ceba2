"""What operators and crawlers see."""

import re

import pytest

from node.web.ports.ports import Probe
from node.web.wording.plain import public
from tests.web.cities import BASE, City
from tests.web.client import Client
from tests.web.records.test_catalog import fill

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute


def test_health_and_readiness(city: City, client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    city.probes.append(Probe("tables", ok=False, detail="run citynode db upgrade"))
    reply = client.get("/readyz")
    assert reply.status_code == 503
    assert reply.json()["checks"][1] == {"name": "tables", "ok": False, "detail": "run citynode db upgrade"}
    assert reply.headers["cache-control"] == "no-store"


def test_metrics_count_requests_by_route_and_replies_from_memory(city: City, client: Client) -> None:
    for _ in range(3):
        client.get("/datasets/parking.ttl")
    client.get("/nothing/at/all")
    told = client.get("/metrics").text
    assert re.search(r'citynode_http_requests_total{route="/\{plural[^}]*}/\{name}",status="200"} 1.0', told)
    assert 'citynode_http_requests_total{route="other",status="404"} 1.0' in told
    assert 'citynode_http_memory_replies_total{status="200"} 2.0' in told
    assert 'citynode_records{collection="open-data"} 2.0' in told
    assert 'citynode_journal_entries{collection="open-data"} 2.0' in told


def test_metrics_can_be_kept_in(city: City, client: Client) -> None:
    city.metrics = False
    assert client.get("/metrics").status_code == 404


def test_a_request_id_is_taken_over_if_it_is_a_plain_word(client: Client) -> None:
    assert client.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    made = client.get("/healthz", headers={"x-request-id": "a b\tc"}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", made)


def test_runs_are_told_without_secrets(client: Client) -> None:
    told = client.get("/runs/2", headers={"accept": "application/json"}).json()
    assert told["reason"] == "Page 3 of https://hri.fi/x was empty; see spill.nt."
    assert told["rows"][0]["title"] == "Playgrounds"
    listed = client.get("/runs").json()["runs"]
    assert [run["id"] for run in listed] == [2, 1]
    for path in ("/runs", "/runs/2"):
        assert not re.search(r"u:p@|key=1|/var/lib", client.page(path))
    for number in ("3", "x", "-1", "9" * 40):
        assert client.get(f"/runs/{number}").status_code == 404


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("https://user:word@host.example/path?key=1#x failed", "https://host.example/path failed"),
        ("cannot open /srv/data/helsinki/x.json", "cannot open x.json"),
        ("3/4 of km/h", "3/4 of km/h"),
        ("see https://host.example/a/b/c", "see https://host.example/a/b/c"),
    ],
)
def test_sentences_lose_what_is_nobodys_business(told: str, shown: str) -> None:
    assert public(told) == shown


OWN = ("/", "/catalog", "/sets", "/licences", "/ogc", "/ns", "/runs", "/docs", "/collections/open-data")


def test_the_sitemap_lists_every_page(city: City, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(city, 8)
    told = client.get("/sitemap.xml").text
    assert told.count("<url>") == 10 + len(OWN)
    assert f"<loc>{BASE}/datasets/parking</loc><lastmod>2026-11-21T03:40:00+00:00</lastmod>" in told
    assert f"Sitemap: {BASE}/sitemap.xml" in client.get("/robots.txt").text
    monkeypatch.setattr("node.web.portal.operators.SITEMAP_MOST", 4)
    city.open("more", "More")
    index = client.get("/sitemap.xml").text
    parts = re.findall(r"<loc>([^<]+)</loc>", index)
    assert len(parts) == 3
    pages = [page for part in parts for page in re.findall(r"<loc>([^<]+)</loc>", client.get(part).text)]
    assert len(pages) == len(set(pages)) == 10 + len([*OWN, "/collections/more"])
    assert {BASE + path for path in OWN} <= set(pages)
    assert {client.get(path).status_code for path in OWN} == {200}
    assert client.get("/sitemaps/4.xml").status_code == client.get("/sitemaps/x.xml").status_code == 404


def test_the_reference_says_what_is_true(client: Client) -> None:
    schema = client.get("/openapi.json").json()
    assert schema["servers"] == [{"url": BASE}]
    assert "/{plural}/{name}" in schema["paths"]
    for methods in schema["paths"].values():
        for operation in methods.values():
            assert "422" not in operation["responses"]
            assert operation["summary"]
    page = client.page("/docs")
    assert all(path in page for path in schema["paths"])
    assert "http://cdn" not in page
    assert "https://" not in page.replace("https://www.w3.org", "")
