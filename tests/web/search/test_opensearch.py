"""OpenSearch: the description is valid, and every page says where it is."""

from node.web.search.opensearch import description
from tests.web.cities import BASE
from tests.web.client import Client
from tests.web.feed_rules import OPENSEARCH, opensearch_rules, parsed


def test_the_description_follows_the_specification(client: Client) -> None:
    reply = client.get("/opensearch.xml")
    assert reply.headers["content-type"] == "application/opensearchdescription+xml"
    assert opensearch_rules(reply.content) == []
    urls = {url.get("type"): url.get("template", "") for url in parsed(reply.content).findall(f"{OPENSEARCH}Url")}
    assert urls["text/html"] == f"{BASE}/search?q={{searchTerms}}"
    assert urls["application/atom+xml"].startswith(f"{BASE}/search.atom?q={{searchTerms?}}")
    assert client.get("/opensearch.xml", headers={"if-none-match": reply.headers["etag"]}).status_code == 304


def test_a_long_name_and_sharp_letters_are_cut_and_escaped() -> None:
    body = description("https://x.example/a&b", "Llanfair & <Pwllgwyngyll>gogerychwyrndrobwll", "<a> & b" * 500, ["cy"])
    assert opensearch_rules(body) == []


def test_every_page_links_to_it(client: Client) -> None:
    for path in ("/", "/catalog", "/docs"):
        assert 'type="application/opensearchdescription+xml"' in client.page(path)
