"""Pages for people: safe, in three languages, with nothing from outside."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import node.web
from node.web.accent import hue_and_chroma, theme_css
from node.web.words import LANGUAGES, TABLE
from tests.web.cities import BASE, City
from tests.web.client import Client

PATHS = (
    "/", "/catalog", "/collections/open-data", "/datasets/parking", "/datasets/melukartta", "/docs", "/runs", "/runs/2",
    "/datasets/melukartta/findings", "/problems/not-found", "/datasets/nothing",
)  # fmt: skip
TEMPLATES = Path(node.web.__file__).parent / "templates"


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value or "" for name, value in attrs if name == "id"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_strict_and_self_contained(client: Client, path: str, language: str) -> None:
    reply = client.get(path, headers={"accept": "text/html", "accept-language": language})
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    outline = Outline(reply.text)
    assert outline.tags[0] == ("html", {"lang": language})
    assert [tag for tag, _ in outline.tags].count("h1") == 1
    assert len(outline.ids) == len(set(outline.ids))
    for tag, attributes in outline.tags:
        assert tag not in ("style", "iframe", "object", "img")
        assert tag != "script" or attributes == {"type": "application/ld+json"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        if tag == "link" and attributes["rel"] in ("stylesheet", "icon"):
            assert str(attributes["href"]).startswith("/static/")
        assert not str(attributes.get("href", "")).lower().startswith(("javascript:", "data:"))


@pytest.mark.parametrize("path", PATHS)
def test_links_of_our_own_lead_somewhere(client: Client, path: str) -> None:
    for tag, attributes in Outline(client.page(path)).tags:
        address = str(attributes.get("href", "")).split("#")[0]
        if tag in ("a", "link") and address.startswith(("/", BASE)):
            status = client.get(address, headers={"accept": "text/html, */*;q=0.5"}).status_code
            assert status == 200 or address.split("?")[0] == path, address


@pytest.mark.parametrize("path", PATHS[:-1])
def test_a_kept_page_keeps_its_policy_when_it_is_still_good(client: Client, path: str) -> None:
    for _ in range(2):
        asked = {"accept": "text/html"}
        page = client.get(path, headers=asked)
        fresh = client.get(path, headers=asked | {"if-none-match": page.headers["etag"]})
        assert fresh.status_code == 304
        assert (
            fresh.headers.get("content-security-policy", page.headers["content-security-policy"])
            == (page.headers["content-security-policy"])
        )


def test_harmful_html_is_taken_out_and_good_html_stays(client: Client) -> None:
    page = client.page("/datasets/melukartta")
    prose = page[page.index('<h2 id="about">') : page.index('<h2 id="get">')]
    assert "<b>2022</b>" in prose
    assert "Toinen kappale." in prose
    assert not re.search(r"<script|onclick|onerror|javascript:|<img", prose)


def test_a_text_in_another_language_is_marked_and_never_a_machines(client: Client) -> None:
    english = client.page("/datasets/melukartta")
    assert '<h1 lang="fi">Melukartta 2022 <span class="lang">in Finnish</span></h1>' in english
    assert "Read a machine translation" in english
    assert '<div class="prose" lang="en-t-fi">' in english
    swedish = client.page("/datasets/parking", "sv")
    assert "Parkeringsområden vid gatan" not in swedish[: swedish.index('id="trust"')].split("<h1")[1].split("</h1>")[0]
    assert 'lang="en">Kerbside parking areas <span class="lang">på engelska</span>' in swedish


def test_three_answers_stand_first_and_unknown_is_one(client: Client) -> None:
    known, unknown = client.page("/datasets/parking"), client.page("/datasets/melukartta")
    for text in ("Yes, also commercially", "CC BY 4.0", "Copy the credit line", "open to everyone"):
        assert text in known
    assert unknown.count(">Unknown<") >= 2
    assert "Kyllä, myös kaupallisesti" in client.page("/datasets/parking", "fi")


def test_everything_the_source_says_is_shown_and_escaped(client: Client) -> None:
    page = client.page("/datasets/parking")
    assert "https://example.org/ns#colourOfKerb" in page
    assert "yellow &lt;/script&gt;&lt;b&gt;&amp;" in page
    assert page.count("<tr>") > 30


def test_search_engines_get_a_dataset(client: Client) -> None:
    page = client.page("/datasets/parking")
    block = page.split('<script type="application/ld+json">')[1].split("</script>")[0]
    told = json.loads(block)
    assert (told["@type"], told["name"], told["url"]) == (
        "Dataset",
        "Kerbside parking areas",
        f"{BASE}/datasets/parking",
    )
    assert told["distribution"][0]["contentUrl"] == "https://example.org/parking.geojson"
    assert told["publisher"][0]["name"] == "Urban Environment Division"
    assert f'<link rel="canonical" href="{BASE}/datasets/parking">' in page
    assert f'<link rel="alternate" type="text/turtle" href="{BASE}/datasets/parking.ttl">' in page


def test_no_text_can_end_the_data_block(city: City, client: Client) -> None:
    from tests.web.cities import AT_MS, PARKING, Draft, parking

    evil = parking(title="</script><script>alert(1)</script><!--")
    city.put(Draft(PARKING.record, "parking", "dataset", "put", evil), at_ms=AT_MS + 1)
    page = client.page("/datasets/parking")
    assert page.count("<script") == page.count("</script>") == 1
    assert "<!--" not in page


def test_a_chosen_language_travels_in_links(client: Client) -> None:
    page = client.page("/collections/open-data?lang=fi")
    assert 'href="/datasets/parking?lang=fi"' in page
    assert 'href="/collections/open-data?lang=sv"' in page
    assert "?lang=" not in client.page("/datasets/parking", "fi").split('class="langs"')[1].split("</nav>")[1]


def test_static_files_are_kept_for_good_when_their_address_says_which(client: Client) -> None:
    page = client.page("/")
    for address in re.findall(r'(?:href)="(/static/[^"]+)"', page):
        reply = client.get(address)
        assert "immutable" in reply.headers["cache-control"]
        assert "immutable" not in client.get(address.split("?")[0]).headers["cache-control"]
    assert client.get("/static/../pages.py").status_code == 404
    assert client.get("/static/nothing.css").status_code == 404


def test_the_front_page_says_so_when_nothing_is_there(migrated: Path, tmp_path: Path, keyring: object) -> None:
    import shutil

    from node.db import Database
    from node.journal.journal import Journals

    shutil.copy(migrated, tmp_path / "empty.db")
    db = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    client = Client(City(db, Journals(db, keyring)).app(), BASE)  # type: ignore[arg-type]
    assert "Nothing is published yet" in client.page("/")
    assert "Nothing is published yet" in client.page("/catalog")
    assert "No harvest has run yet" in client.page("/runs")
    assert client.get("/catalog.ttl").status_code == client.get("/sitemap.xml").status_code == 200
    client.close()
    db.close()


def test_every_word_is_said_in_three_languages_with_the_same_gaps() -> None:
    for key, row in TABLE.items():
        gaps = [set(re.findall(r"{(\w+)}", said)) for said in row]
        assert all(row), key
        assert gaps[0] == gaps[1] == gaps[2], key


def test_every_word_of_a_template_is_in_the_table() -> None:
    for path in TEMPLATES.glob("*.html"):
        for key in re.findall(r"""\bt\(["']([\w.-]+)["'][,)]""", path.read_text()):
            assert key in TABLE, path.name


def test_the_theme_takes_hue_from_the_city() -> None:
    hue, chroma = hue_and_chroma("#0000bf")
    assert 260 < hue < 268
    assert chroma == 0.19
    assert hue_and_chroma("no colour") == (264.0, 0.17)
    assert theme_css("#808080").startswith(":root{--city-h:")


def test_the_sheet_stays_small() -> None:
    assert len((TEMPLATES.parent / "static" / "style.css").read_bytes()) < 25_000
