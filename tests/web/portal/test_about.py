"""The pages that a public office must have: they are on every page's foot, and true."""

import re
from html import unescape

import pytest

from node.web.portal.about import PAGES
from node.web.wording.words import LANGUAGES, words
from tests.web.cities import City
from tests.web.client import Client


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_each_is_in_the_readers_language_and_on_the_foot_of_every_page(
    client: Client, name: str, language: str
) -> None:
    page = unescape(client.page(f"/{name}", language))
    assert f"<h1>{words(language, f'{name}.title')}</h1>" in page
    assert re.search(rf'<a href="/{name}" aria-current="page">', page)
    assert f'href="/{name}"' in client.page("/datasets/parking", language)


@pytest.mark.parametrize("name", PAGES)
def test_whom_to_ask_is_the_citys_own_and_nobody_is_made_up(client: Client, city: City, name: str) -> None:
    assert "mailto:" not in client.page(f"/{name}")
    city.contact_name, city.contact_mailbox = "The data team", "data@helsinki.example"
    page = client.page(f"/{name}")
    assert "The data team" in page
    assert '<a href="mailto:data@helsinki.example">' in page


def test_an_answer_is_promised_where_there_is_somebody_to_write_to(client: Client, city: City) -> None:
    promise = words("en", "accessibility.answer")
    assert promise not in unescape(client.page("/accessibility"))
    city.contact_name, city.contact_mailbox = "The data team", "data@helsinki.example"
    assert promise in unescape(client.page("/accessibility"))


@pytest.mark.parametrize("path", ["/", "/catalog", "/datasets/parking", "/privacy", "/problems/not-found", "/nowhere"])
def test_what_privacy_promises_holds_on_every_page(client: Client, path: str) -> None:
    reply = client.get(path, headers={"accept": "text/html"})
    assert "set-cookie" not in reply.headers
    loaded = re.findall(r'<(?:script|img|iframe|video|audio|source)[^>]*\ssrc="([^"]+)"', reply.text)
    loaded += re.findall(r'<link rel="(?:stylesheet|icon|preload|modulepreload)"[^>]*href="([^"]+)"', reply.text)
    assert loaded
    assert all(address.startswith("/static/") for address in loaded)


def test_these_pages_are_for_people_alone(client: Client) -> None:
    for name in PAGES:
        assert client.get(f"/{name}", headers={"accept": "text/turtle"}).status_code == 406
