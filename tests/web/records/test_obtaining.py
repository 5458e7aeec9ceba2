"""Laws of how one gets what moves under an agreement: the page says it, three ways lead on, and no secret is told."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from node.journal import Draft
from tests.web.cities import AT_MS, BASE, EU, PARKING, City, payload
from tests.web.client import Client
from tests.web.walk import Page

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute

SURVEY = f"{BASE}/datasets/survey"
WAY = f"/request-access?iri={quote(SURVEY, safe='/')}"


@pytest.fixture
def asked(city: City) -> City:
    """A city with a dataset that is described for everybody, and whose data are not."""
    body = payload(
        (SURVEY, "rdf:type", "dcat:Dataset"),
        (SURVEY, "dct:title", '"Survey & diary"@en'),
        (SURVEY, "dct:accessRights", EU + "access-right/RESTRICTED"),
    )
    city.put(Draft(SURVEY, "survey", "dataset", "put", body), at_ms=AT_MS + 1)
    city.contact_mailbox = "data@hel.example"
    return city


def test_the_page_of_restricted_data_leads_to_how_one_gets_them(city: City, asked: City, client: Client) -> None:
    page = client.page("/datasets/survey")
    assert "These data move only under an agreement" in page
    assert WAY in page.replace("&amp;", "&")
    assert client.get(WAY, headers={"accept": "text/html"}).status_code == 200


def test_the_page_of_open_data_says_nothing_of_it(client: Client) -> None:
    assert "request-access" not in client.page("/datasets/parking")


def test_who_asks_for_open_data_is_sent_back_to_them(client: Client) -> None:
    iri = quote(PARKING.record, safe="/")
    page = client.page(f"/request-access?iri={iri}")
    assert "no agreement is needed" in page
    assert "citynode data request" not in page


def test_three_ways_name_the_dataset_the_connector_and_the_mailbox(city: City, asked: City, client: Client) -> None:
    page = client.page(WAY)
    assert f"citynode data request {SURVEY} --purpose PURPOSE" in page
    assert f"{BASE}/dsp/2025-1" in page
    assert f"{BASE}/collections/open-data" in page
    (mail,) = [href for href in Page(BASE + WAY, page).links if href.startswith("mailto:")]
    parts = urlsplit(mail)
    assert parts.path == "data@hel.example"
    assert parse_qs(parts.query)["subject"] == ["Request for data: Survey & diary"]
    assert SURVEY in parse_qs(parts.query)["body"][0]


def test_a_city_without_a_mailbox_promises_none(city: City, asked: City, client: Client) -> None:
    city.contact_mailbox = ""
    assert "mailto:" not in client.page(WAY)


@pytest.mark.parametrize(("language", "title"), [("en", "How to get"), ("fi", "Miten datan saa"), ("sv", "Så får du")])
def test_it_is_said_in_the_readers_language(city: City, asked: City, client: Client, language: str, title: str) -> None:
    assert f"<h1>{title}" in client.page(WAY, language)


def test_what_nobody_may_see_has_no_way_either(city: City, client: Client) -> None:
    city.open("plans", "Plans", visibility="restricted")
    city.put(
        Draft(SURVEY, "survey", "dataset", "put", payload((SURVEY, "dct:title", '"Secret"@en'))), collection="plans"
    )
    hidden, nothing = client.get(WAY), client.get(WAY.replace("survey", "nothing"))
    assert hidden.status_code == nothing.status_code == 404
    assert hidden.text.replace("survey", "nothing") == nothing.text


@pytest.mark.parametrize(
    ("query", "status"), [("", 400), ("?iri=", 400), ("?iri=" + "a" * 2_001, 400), ("?iri=urn:x", 404)]
)
def test_what_names_no_record_is_told_so(client: Client, query: str, status: int) -> None:
    assert client.get("/request-access" + query).status_code == status


def test_only_data_are_asked_for(city: City, client: Client) -> None:
    iri = f"{BASE}/practices/open"
    city.put(Draft(iri, "open", "practice", "put", payload((iri, "dct:title", '"Practice"@en'))), at_ms=AT_MS + 1)
    assert client.get(f"/request-access?iri={iri}").status_code == 404


def test_open_data_may_be_asked_about_too(client: Client) -> None:
    assert client.get(f"/request-access?iri={PARKING.record}", headers={"accept": "text/html"}).status_code == 200
