"""A law of all public pages: a text in another language than the page says so, for eyes and for speech (WCAG 3.1.2).

Every text of this rig's records ends in a word that tells its language (`qfi`, `qsv`, `qen`), and so a walk over the
pages sees each text that stands under a wrong one. What a record says in the reader's language, too, is said in that.
"""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from node.journal import Draft
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of
from node.web.wording.words import words
from tests.federation.agreed import peer
from tests.web.cities import BASE, payload
from tests.web.find_rig import LONDON, Rig, empty
from tests.web.walk import walked

pytestmark = pytest.mark.slow
MOST_PAGES = 250
LANGUAGES = ("en", "fi", "sv")
_STAMP = re.compile(r"\bq(en|fi|sv)\b")
_VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "source", "wbr", "col"})
# What has no element of its own for a part of its text, and what is shown as it is typed.
_WHOLE = frozenset({"title", "script", "style", "textarea", "option", "pre", "code"})
_APART = ("/desk", "/static", "/api", "/feed", "/tiles", "/ogc", "/stac", "/dsp", "/.well-known", "/oauth", "/docs")


class Texts(HTMLParser):
    """The texts of one page, each with the language that it stands in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._open: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            lang = dict(attrs).get("lang") or (self._open[-1][1] if self._open else "")
            self._open.append((tag, lang))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and not any(tag in _WHOLE for tag, _ in self._open):
            self.found.append((self._open[-1][1], data))

    def astray(self) -> list[tuple[str, str]]:
        """Give the stamped texts that stand in another language than theirs."""
        return [(lang, text.strip()) for lang, text in self.found for said in _STAMP.findall(text) if said != lang]


def said(text: str, language: str) -> str:
    return f'"{text} q{language}"@{language}'


def dataset(name: str, languages: tuple[str, ...], home: str = BASE) -> Draft:
    """A dataset all of whose texts are in these languages."""
    it = f"{home}/datasets/{name}"
    agency, team, place, file = (f"{it}/{part}" for part in ("agency", "team", "place", "file"))
    triples = [
        (it, "rdf:type", "dcat:Dataset"),
        (it, "dct:publisher", agency),
        (agency, "rdf:type", "foaf:Organization"),
        (it, "dcat:contactPoint", team),
        (it, "dct:spatial", place),
        (it, "dcat:distribution", file),
        (file, "rdf:type", "dcat:Distribution"),
        (file, "dcat:downloadURL", f"https://files.example/{name}.csv"),
    ]
    for each in languages:
        triples += [
            (it, "dct:title", said(f"Trees of {name}", each)),
            (it, "dct:description", said(f"Where the trees of {name} stand, in rows and by themselves.", each)),
            (it, "dcat:keyword", said("tree", each)),
            (agency, "foaf:name", said(f"Greens of {name}", each)),
            (team, "vcard:fn", said(f"Team of {name}", each)),
            (place, "http://www.w3.org/2004/02/skos/core#prefLabel", said(f"Park of {name}", each)),
            (file, "dct:title", said("Rows of trees", each)),
            (file, "dct:description", said("One row a tree.", each)),
        ]
    return Draft(it, name, "dataset", "put", payload(*triples))


def knowledge(kind: str, name: str, language: str) -> Draft:
    """A record of a kind, as its example is, with all texts in one language."""
    iri = f"{BASE}/{kind}s/{name}"
    whole = _stamped(example_of(TABLES[kind]) | {"title": {"en": f"{name} {kind}"}}, language)
    return Draft(iri, name, kind, "put", payload_of(TABLES[kind], iri, whole))


def _stamped(value: Any, language: str) -> Any:
    if isinstance(value, list):
        return [_stamped(each, language) for each in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) <= {"en", "fi", "sv", "und"} and all(isinstance(each, str) for each in value.values()):
        return {language: f"{next(iter(value.values()))} q{language}"}
    return {name: _stamped(each, language) for name, each in value.items()}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    made = empty(tmp_path_factory.mktemp("foreign"), migrated)
    node = made.node
    peer(node, "london", LONDON)
    node.create_collection("copy", title="Open data", visibility="public", at_ms=1_000)
    made.put(
        "open-data",
        dataset("everywhere", LANGUAGES),
        *(dataset(f"only-{each}", (each,)) for each in LANGUAGES),
        dataset("nordic", ("fi", "sv")),
        *(knowledge(kind, f"in-{each}", each) for kind in ("practice", "ai-system", "challenge") for each in LANGUAGES),
    )
    made.put("copy", dataset("abroad", ("en",), LONDON), dataset("only-en", ("en",)))
    with node.db.write() as tx:  # as if it had come from London, which takes longer than all of this
        iri = f"{LONDON}/collections/open-data"
        tx.run("UPDATE collection SET name = 'london/open-data', iri = ? WHERE name = 'copy'", iri)
    node.journals.checkpoint("open-data", at_ms=2_000)
    made.read()
    yield made
    made.close()


def _is_a_page(path: str) -> bool:
    name = path.partition("?")[0]
    form = name.rpartition("/")[2].partition(".")[2]
    return name != "/records/proof" and not name.startswith(_APART) and not form and "lang=" not in path


def pages(rig: Rig, language: str) -> Iterator[tuple[str, str]]:
    spoken = {"accept": "text/html, */*;q=0.1", "accept-language": language}
    asked = ("trees", "rows", "greens", "tree", "stand", "park", "team", "practice")
    starts = ("/", *(f"/search?q={word}" for word in asked))
    seen: set[str] = set()
    for start in starts:
        for path, reply in walked(
            lambda at: rig.client.get(at, headers=spoken),
            rig.node.settings.base_url,
            start,
            lambda there: _is_a_page(there) and there not in seen,
            MOST_PAGES if start == "/" else 1,
        ):
            seen.add(path)
            if reply.headers.get("content-type", "").startswith("text/html"):
                yield path, reply.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_a_record_stands_on_any_page_under_a_language_that_is_not_its_own(rig: Rig, language: str) -> None:
    stamped, walked_over = 0, 0
    for path, page in pages(rig, language):
        texts = Texts(page)
        assert texts.astray() == [], path
        walked_over += 1
        stamped += sum(1 for _, text in texts.found if _STAMP.search(text))
    assert (walked_over > 40, stamped > 300) == (True, True), (walked_over, stamped)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_record_says_in_the_readers_language_is_said_in_it_alone(rig: Rig, language: str) -> None:
    everything = re.compile(r'<details class="all small">.*?</details>', re.DOTALL)  # has all of a record, by intent
    page = everything.sub("", rig.page("/datasets/everywhere", language))
    assert {each for _, text in Texts(page).found for each in _STAMP.findall(text)} == {language}
    facet = rig.json(f"/search?facet=publisher&lang={language}")["facets"]["publisher"]
    names = {one["value"]: one["label"] for one in facet}
    assert names["greens-of-everywhere-qen"] == f"Greens of everywhere q{language}"


@pytest.mark.parametrize("language", ["en", "fi"])
@pytest.mark.parametrize("path", ["/datasets/only-sv", "/search?q=only-sv", "/search?q=rows&language=sv"])
def test_a_text_in_another_language_is_marked_for_eyes_too(rig: Rig, language: str, path: str) -> None:
    swedish = {"en": "Swedish", "fi": "ruotsiksi"}[language]
    assert f'<span class="lang">{words(language, "lang.in", language=swedish)}</span>' in rig.page(path, language)
