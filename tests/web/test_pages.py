"""Pages for people: safe, in three languages, with nothing from outside."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import node.web
from node.journal import Draft
from node.web.records.records import witnesses_of
from node.web.wording.accent import hue_and_chroma, theme_css
from node.web.wording.places import edges
from node.web.wording.text import parted, plain
from node.web.wording.words import LANGUAGES, known, parts, read_part
from tests.web.cities import AT_MS, BASE, City, payload
from tests.web.client import Client

PATHS = (
    "/", "/catalog", "/collections/open-data", "/datasets/parking", "/datasets/melukartta", "/docs", "/runs", "/runs/2",
    "/datasets/melukartta/findings", "/datasets/parking/proof", "/about", "/accessibility", "/privacy",
    "/problems/not-found", "/datasets/nothing",
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
        if tag == "script" and attributes != {"type": "application/ld+json"}:
            assert str(attributes.pop("src")).startswith("/static/")
            assert attributes in ({"defer": None}, {"type": "module"})
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
    prose = page[page.index('<p class="lead">') : page.index('<h2 id="get">')]
    assert "<b>2022</b>" in prose
    assert "Toinen kappale." in prose
    assert not re.search(r"<script|onclick|onerror|javascript:|<img", prose)


def test_a_text_in_another_language_is_marked_and_never_a_machines(client: Client) -> None:
    english = client.page("/datasets/melukartta")
    assert '<h1><span lang="fi" dir="auto">Melukartta 2022</span> <span class="lang">in Finnish</span></h1>' in english
    assert "Read a machine translation" in english
    assert '<div class="prose" lang="en-t-fi" dir="auto">' in english
    swedish = client.page("/datasets/parking", "sv")
    assert "Parkeringsområden vid gatan" not in swedish[: swedish.index('id="trust"')].split("<h1")[1].split("</h1>")[0]
    assert 'lang="en" dir="auto">Kerbside parking areas</span> <span class="lang">på engelska</span>' in swedish


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
    assert page.count("<dd>") > 40


def test_parts_without_a_name_stand_where_they_belong_and_not_under_a_minted_one(client: Client) -> None:
    page = client.page("/datasets/parking", "fi")
    assert "/.well-known/genid/" not in page
    everything = page[page.index('<details class="all small">') :]
    assert re.search(r"Julkaisija <span class=.mono.>dct:publisher</span></dt>\s*<dd>.*?Kaupunkiympäristön", everything)
    assert everything.count('<dl class="pairs">') > 5


@pytest.mark.parametrize(("language", "said"), [("en", "Name a licence from the list."), ("fi", "Lisenssi")])
def test_findings_name_properties_as_the_reader_does(client: Client, language: str, said: str) -> None:
    page = client.page("/datasets/melukartta/findings", language)
    assert said in page
    assert "dct:license" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_proof_is_a_page_for_people(client: Client, language: str) -> None:
    page = client.page("/datasets/parking/proof", language)
    told = client.get("/datasets/parking/proof.json").json()
    assert told["digest"] in page
    assert told["entry"]["commit"] in page
    assert told["opening"]["salt"] in page
    assert told["checkpoint"].splitlines()[2] in page
    assert f"citynode journal proof {BASE}/datasets/parking" in page
    assert client.get("/datasets/parking/proof").json() == told


def test_the_witnesses_of_a_checkpoint_are_named_once() -> None:
    line = "\u2014 {} " + base64.b64encode(bytes(68)).decode() + "\n"
    text = "a.example/collections/x\n1\n" + base64.b64encode(bytes(32)).decode() + "\n\n"
    text += "".join(line.format(name) for name in ("a.example/collections/x", "c.example", "b.example", "b.example"))
    assert witnesses_of(text) == ["b.example", "c.example"]


def test_the_first_collection_is_called_as_the_reader_calls_it(client: Client) -> None:
    for language, title in (("en", "Open data"), ("fi", "Avoin data"), ("sv", "Öppna data")):
        assert f"<h1>{title}</h1>" in client.page("/collections/open-data", language)
        assert title in client.page("/datasets/parking", language)


def test_a_title_that_a_person_chose_is_marked_with_its_language(city: City, client: Client) -> None:
    city.languages = ("fi", "en")
    city.open("maps", "Kartat")
    assert '<h1><span lang="fi" dir="auto">Kartat</span></h1>' in client.page("/collections/maps")
    assert "<h1>Kartat</h1>" in client.page("/collections/maps", "fi")


def test_a_file_without_a_title_begins_with_what_is_said_of_it(city: City, client: Client) -> None:
    it = f"{BASE}/datasets/files"
    described = (f"{it}/csv", "dct:description", '"csv export of all"@en')
    body = payload((it, "dct:title", '"Files"@en'), (it, "dcat:distribution", f"{it}/csv"), described)
    city.put(Draft(it, "files", "dataset", "put", body), at_ms=AT_MS + 1)
    assert '<td><span class="quiet"><span dir="auto">csv export of all</span></span>' in client.page("/datasets/files")


def test_a_title_that_is_a_book_is_clipped_everywhere_but_where_all_is_said(city: City, client: Client) -> None:
    it, title = f"{BASE}/datasets/book", "Kirja " * 1_000
    city.put(Draft(it, "book", "dataset", "put", payload((it, "dct:title", f'"{title}"@fi'))), at_ms=AT_MS + 1)
    page = client.page("/datasets/book")
    headed, _, everything = page.partition('<details class="all')
    assert 40 <= headed.partition("<h1")[2].partition("</h1>")[0].count("Kirja") <= 50
    assert len(page.partition("<title")[2].partition("</title>")[0]) < 400
    assert everything.count("Kirja") >= 1_000
    assert client.page("/collections/open-data").count("Kirja") <= 50


def test_what_turns_the_reading_direction_turns_nothing_but_itself(city: City, client: Client) -> None:
    it = f"{BASE}/datasets/turned"
    said = ((it, "dct:title", '"\u202eabc"@ar'), (it, "dct:description", '"\u202eYksi. Kaksi."'))
    city.put(Draft(it, "turned", "dataset", "put", payload(*said)), at_ms=AT_MS + 1)
    page = client.page("/datasets/turned")
    assert '<h1><span lang="ar" dir="auto">abc</span> <span class="lang">in Arabic</span></h1>' in page
    assert '<p class="lead"><span dir="auto">' in page
    assert "\u202e" not in page.partition("</title>")[0].rpartition("<title")[2]


# A text of a stranger's in a language of its own, or of an unknown one: its words know which way they are read.
_MARKED = re.compile(r' lang="\{\{ [\w.]+(?:\.lang|\.tag) \}\}"(?:\{% endif %\})?(.{11})')


def test_every_text_of_a_record_is_read_in_its_own_direction() -> None:
    bare = [
        (path.name, line.strip()[:100])
        for path in sorted(TEMPLATES.rglob("*.html"))
        for line in path.read_text().splitlines()
        for after in _MARKED.findall(line)
        if after != ' dir="auto"' and 'class="say' not in line and "findings" not in line
    ]
    assert bare == []


@pytest.mark.parametrize(("path", "fix"), [("/api/nothing", "The reference is at /docs."), ("/nothing", "/catalog.")])
def test_an_unknown_address_leads_to_what_was_meant(client: Client, path: str, fix: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 404
    assert reply.json()["fix"].endswith(fix)


def test_a_lead_is_not_said_twice(city: City, client: Client) -> None:
    from tests.web.cities import PREFIX

    it = f"{BASE}/datasets/long"
    told = "The first sentence says what this is, and it says it at some length, so it stands alone. " * 3
    whole = f'"{told}<b>A second thought</b> follows. {"More words follow. " * 20}"@en'
    described = (it, "dct:description", whole)
    city.put(Draft(it, "long", "dataset", "put", payload((it, "dct:title", '"Long"@en'), described)), at_ms=AT_MS + 1)
    page = client.page("/datasets/long").split('<details class="all small">')[0].split("<main")[1]
    assert page.count("A second thought") == 1
    assert PREFIX["dct"] not in page


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
    assert told["publisher"][0]["name"] == told["creator"][0]["name"] == "Urban Environment Division"
    assert told["distribution"][0]["encodingFormat"] == "application/geo+json"
    assert told["isAccessibleForFree"] is True
    assert told["inLanguage"] == ["en", "fi"]
    assert told["temporalCoverage"] == "2019-01-01/.."
    assert told["license"].endswith("/CC_BY_4_0")
    assert told["keywords"] == ["kerb", "parking"]
    assert f'<link rel="canonical" href="{BASE}/datasets/parking">' in page
    assert f'<link rel="alternate" type="text/turtle" href="{BASE}/datasets/parking.ttl">' in page


def test_no_text_can_end_the_data_block(city: City, client: Client) -> None:
    from tests.web.cities import PARKING, parking

    evil = parking(title="</script><script>alert(1)</script><!--")
    city.put(Draft(PARKING.record, "parking", "dataset", "put", evil), at_ms=AT_MS + 1)
    page = client.page("/datasets/parking")
    scripts = re.findall(r"<script([^>]*)>", page)
    assert len(scripts) == page.count("</script>") == 1 + sum("src=" in one for one in scripts)
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
        # The colours of cities may change any day; everything else is of this version.
        assert ("immutable" in reply.headers["cache-control"]) == ("theme.css" not in address)
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


@pytest.mark.parametrize("part", parts())
def test_every_word_is_said_in_three_languages_with_the_same_gaps(part: str) -> None:
    said = {code: read_part(code, part) for code in LANGUAGES}
    assert said["en"]
    assert list(said["en"]) == list(said["fi"]) == list(said["sv"])
    for key, english in said["en"].items():
        assert all(said[code][key].strip() for code in LANGUAGES), key
        gaps = set(re.findall(r"{(\w+)}", english))
        assert all(set(re.findall(r"{(\w+)}", said[code][key])) == gaps for code in LANGUAGES), key


def test_every_word_stands_in_one_part_once() -> None:
    keys = [key for part in parts() for key in read_part("en", part)]
    assert len(keys) == len(set(keys))
    locale = TEMPLATES.parent / "locale"
    for path in locale.rglob("*.po"):
        assert path.stem in parts()
        listed = re.findall(r'^msgid "(.+)"$', path.read_text(), re.MULTILINE)
        assert len(listed) == len(set(listed)) == len(read_part(path.parts[-3], path.stem)), path
        assert "#, fuzzy" not in path.read_text()


def test_every_word_of_a_template_is_in_the_table() -> None:
    for path in TEMPLATES.rglob("*.html"):
        for key in re.findall(r"""\bt\(["']([\w.-]+)["'][,)]""", path.read_text()):
            assert known(key), path.name


def test_the_theme_takes_hue_from_the_city() -> None:
    hue, chroma = hue_and_chroma("#0000bf")
    assert 260 < hue < 268
    assert chroma == 0.19
    assert hue_and_chroma("no colour") == (264.0, 0.17)
    assert theme_css("#808080").startswith(":root{--city-h:")


def test_the_sheet_stays_small() -> None:
    static = TEMPLATES.parent / "static"
    assert len((static / "style.css").read_bytes()) < 25_000
    assert all(len((static / name).read_bytes()) < 15_000 for name in ("desk.css", "island.css"))


@pytest.mark.parametrize(
    ("text", "lead", "rest"),
    [
        ("Short.", "Short.", ""),
        ("<p>One.</p><p>Two.</p>", "One.", "<p>Two.</p>"),
        ("- a\n- b", "", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b", ""),
        ("<div>Box one.</div><div>Box two.</div>", "Box one.", "<p>Box two.</p>"),
        ("Word " * 100, "", None),
        (
            "A sentence that is long enough to be a lead on its own, e.g. here and no earlier. " + "More. " * 80,
            "A s",
            None,
        ),
    ],
)
def test_a_description_is_parted_at_a_sentence(text: str, lead: str, rest: str | None) -> None:
    found = parted(text, 320)
    assert found[0].startswith(lead)
    assert bool(found[0]) == bool(lead)
    assert len(found[0]) <= 320
    if rest is not None:
        assert found[1] == rest
    else:
        assert plain(str(found[0]) + " " + str(found[1])) == plain(text)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("POINT(24.9 60.2)", "60.2° N, 24.9° E"),
        ("POLYGON((-0.5 51.3,0.3 51.3,0.3 51.7,-0.5 51.3))", "51.3–51.7° N, 0.5° W – 0.3° E"),
        ("POLYGON((-75.3 39.8,-75 39.8,-75 40.1,-75.3 39.8))", "39.8–40.1° N, 75–75.3° W"),
        ("POINT(25496000 6673000)", ""),
        ("no shape", ""),
    ],
)
def test_a_place_without_a_name_is_told_by_its_edges(shape: str, said: str) -> None:
    assert edges(shape) == said
