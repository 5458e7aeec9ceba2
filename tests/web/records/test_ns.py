"""Laws of the vocabulary's own address: every form says the same, every term is an anchor, every language is spoken."""

import json

import pyoxigraph as ox
import pytest

from node.vocab import ns
from node.vocab.contexts import CONTEXT_V1
from node.web.wire.negotiate import FORMS
from tests.web.cities import BASE
from tests.web.client import Client

RDF = {"ttl": "TURTLE", "jsonld": "JSON_LD", "rdf": "RDF_XML", "nt": "N_TRIPLES"}


def triples(body: bytes, form: str) -> set[str]:
    if form == "jsonld":
        # A parser that fetches nothing needs the node's context in line.
        told = json.loads(body)
        told["@context"] = CONTEXT_V1["@context"]
        body = json.dumps(told).encode()
    return {str(quad) for quad in ox.parse(body, format=getattr(ox.RdfFormat, RDF[form]))}


@pytest.mark.parametrize("form", RDF)
def test_every_form_of_the_vocabulary_says_the_same(client: Client, form: str) -> None:
    reply = client.get("/ns", headers={"accept": FORMS[form]})
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith(FORMS[form])
    assert reply.content == client.get(f"/ns.{form}").content
    assert triples(reply.content, form) == triples(ns.payload(), "nt")
    assert client.get("/ns", headers={"accept": FORMS[form], "if-none-match": reply.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(("language", "word"), [("en", "Practice"), ("fi", "Käytäntö"), ("sv", "Arbetssätt")])
def test_every_term_is_an_anchor_of_the_page_in_every_language(client: Client, language: str, word: str) -> None:
    page = client.get(f"/ns.html?lang={language}").text
    assert f"<h1>{word}</h1>" not in page
    assert f">{word}<" in page
    assert [term.name for term in ns.terms() if page.count(f'id="{term.name}"') != 1] == []
    codes = [f"{each.name}-{code.code}" for each in ns.lists() for code in each.codes if not code.iri]
    assert [code for code in codes if page.count(f'id="{code}"') != 1] == []


def test_the_page_begins_with_its_contents_and_says_what_is_in_english(client: Client) -> None:
    page = client.get("/ns.html?lang=fi").text
    contents = page[page.index("Tällä sivulla") : page.index("<table")]
    assert all(
        f'href="#{name}"' in contents for name in ("sort-property", "lists", *(each.name for each in ns.lists()))
    )
    assert '<span class="lang">englanniksi</span>' in page
    assert 'href="/docs?lang=fi" aria-current' not in page


def test_the_vocabulary_is_found_from_every_page_and_by_crawlers(client: Client) -> None:
    assert 'href="/ns"' in client.get("/", headers={"accept": "text/html"}).text
    assert f"<loc>{BASE}/ns</loc>" in client.get("/sitemap.xml").text
    links = client.get("/ns.ttl").headers["link"]
    assert f'<{ns.ONTOLOGY}>; rel="canonical"' in links
    assert f"<{BASE}/shapes/kinds.ttl>" in links
