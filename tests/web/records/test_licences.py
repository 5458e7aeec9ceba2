"""Laws of the page of licences: every pair is answered, what is asked about is explained, strange input is harmless."""

import pytest

from tests.web.client import Client

EU = "http://publications.europa.eu/resource/authority/licence/"


def test_what_is_asked_about_is_answered_with_duties_reasons_and_sources(client: Client) -> None:
    said = client.get(f"/licences.json?licence=CC_BY_4_0&licence={EU}ODC_BL").json()["combination"]
    assert (said["may"], said["commercial"]) == ("ask", "yes")
    assert [one["code"] for one in said["licences"]] == ["CC_BY_4_0", "ODC_BL"]
    assert said["reasons"][0]["sources"][0].startswith("https://wiki.osmfoundation.org/")
    page = client.get("/licences?licence=CC_BY_4_0&licence=ODC_BL", headers={"accept": "text/html"})
    assert "Ask before you combine them." in page.text
    assert page.text.count("checked") == 2


def test_every_pair_and_every_licence_is_there_without_asking(client: Client) -> None:
    said = client.get("/licences", headers={"accept": "application/json"}).json()
    codes = [one["code"] for one in said["licences"]]
    assert "combination" not in said
    assert len(said["pairs"]) == len(codes) * (len(codes) + 1) // 2
    assert all(one["sources"] for one in said["licences"])


def test_the_readers_language_is_spoken(client: Client) -> None:
    said = client.get("/licences.json?licence=CC0&licence=OGL_3_0&lang=sv").json()["combination"]
    assert said["text"] == "Du får kombinera dem."


@pytest.mark.parametrize("query", ["licence=&licence=", "licence=%00", "licence=<script>&licence=CC0", "licence=💥"])
def test_strange_licences_are_told_to_ask(client: Client, query: str) -> None:
    reply = client.get(f"/licences?{query}", headers={"accept": "text/html"})
    assert reply.status_code == 200
    assert "<script>" not in reply.text.replace("</script>", "")
    assert client.get(f"/licences.json?{query}").json()["combination"]["may"] == "ask"


@pytest.mark.parametrize("path", ["/licences?colour=red", "/sets?limit=x", "/sets?cursor=1", "/compare?iris=a"])
def test_a_parameter_that_does_not_exist_is_refused_with_those_that_do(client: Client, path: str) -> None:
    reply = client.get(path)
    assert (reply.status_code, reply.json()["fix"].endswith("lang.")) == (400, True)


def test_what_advertisers_hang_on_to_an_address_is_passed_over(client: Client) -> None:
    for path in ("/licences", "/sets"):
        assert client.get(f"{path}?utm_source=x&lang=fi").status_code == 200


def test_too_much_is_refused(client: Client) -> None:
    many = "&".join(f"licence=https://x.example/{n}" for n in range(51))
    assert client.get(f"/licences.json?{many}").status_code == 400
    assert client.get(f"/licences.json?licence={'x' * 2_001}").status_code == 400


def test_to_ask_is_no_refusal(client: Client) -> None:
    page = client.get("/licences?licence=CC_BY_4_0&licence=ODC_BL", headers={"accept": "text/html"}).text
    assert ('class="note hold"><strong>Ask' in page, "verdict no" in page) == (True, False)
    assert "verdict no" in client.get("/licences?licence=CC0&licence=CC_BYND_4_0", headers={"accept": "text/html"}).text
