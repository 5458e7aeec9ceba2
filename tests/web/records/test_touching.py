"""Laws of what touches a record: both directions on its page and as JSON, across cities, and nothing that is shut.

One node for all: its own records, two that came from London, and a restricted collection that nobody else may know of.
"""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from node.journal import Draft
from node.records import KINDS
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of
from node.vocab.terms import DCAT, DCT, RDF
from tests.catalog.rig import BASE
from tests.federation.agreed import peer
from tests.web.cities import PARKING
from tests.web.find_rig import LONDON, Rig, empty

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

PRACTICE = f"{BASE}/practices/snow"
FAR = f"{LONDON}/datasets/far"
ABROAD = "https://oslo.example/datasets/abroad"
PLAN = f"{BASE}/practices/plan"
QUESTION = f"{LONDON}/questions/salt"
MODELLED, MODEL_FILE = f"{BASE}/datasets/model", "https://parking.example/centre"
TWO = {"en": "Sand", "de": "Sand auf Deutsch"}
UNSTATED = (
    f'<{MODELLED}> <{RDF.type}> <{DCAT.Dataset}> .\n<{MODELLED}> <{DCT.title}> "Modelled" .\n'
    f"<{MODELLED}> <{DCAT.distribution}> <{MODELLED}/1> .\n<{MODELLED}/1> <{DCAT.downloadURL}> <{MODEL_FILE}> .\n"
)
TODAY = datetime.now(UTC).date().isoformat()


def record(kind: str, iri: str, called: str, **said: Any) -> Draft:
    """A whole record of a kind, as its example is but for what is said."""
    whole = example_of(TABLES[kind]) | {"title": {"en": called}, "summary": {"en": f"About {called}."}} | said
    return Draft(iri, iri.rpartition("/")[2], kind, "put", payload_of(TABLES[kind], iri, whole))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Any) -> Iterator[Rig]:
    rig = empty(tmp_path_factory.mktemp("touching"), migrated)
    node = rig.node
    peer(node, "london", LONDON)
    node.create_collection("copy", title="Practices", visibility="public", at_ms=1_000)
    node.create_collection("plans", title="Plans", visibility="restricted", at_ms=1_000)
    page = f"{BASE}/datasets/parking"
    problem = {"en": "Ploughed snow went into the xylophone.", "fi": "Aurattu lumi meni ksylofoniin."}
    rig.put(
        "open-data",
        PARKING,
        record("practice", PRACTICE, "Snow", uses=[page, FAR, ABROAD, PLAN], problem=problem, review="2000-01-01"),
        record("practice", f"{BASE}/practices/ice", "Ice", title={"en": "Ice", "de": "Eis", "sv-t-en": "Is"}),
        record("answer", f"{BASE}/answers/sand", "Sand", question=QUESTION, title=TWO, text={"de": "Ein **Platz**."}),
        Draft(MODELLED, "model", "dataset", "put", UNSTATED.encode()),
        record("city-model", f"{BASE}/models/model", "Model", about=MODELLED, file=MODEL_FILE),
        record("ai-system", f"{BASE}/ai-systems/kerb", "Kerb", operational_data=[{"datasets": [PARKING.record]}]),
    )
    rig.put(
        "copy",
        record("adoption", f"{LONDON}/adoptions/snow", "London melts", practice=PRACTICE),
        record("question", QUESTION, "Salt", about=PRACTICE),
    )
    with node.db.write() as tx:  # as if they had come from London, which takes longer than all of this
        iri = f"{LONDON}/collections/practices"
        tx.run("UPDATE collection SET name = 'london/practices', iri = ? WHERE name = 'copy'", iri)
    rig.put("plans", record("practice", PLAN, "Zanzibar", uses=[PARKING.record], review=TODAY))
    rig.put("plans", record("question", f"{BASE}/questions/plan", "Zanzibar why", about=PLAN))
    rig.read()
    yield rig
    rig.close()


def into(rig: Rig, iri: str, **headers: str) -> list[tuple[str, str, str]]:
    told = rig.json(f"/records/relations?iri={iri}", **headers)["into"]
    return [(each["field"], each["title"], each["city"]) for each in told]


def test_a_record_tells_who_points_to_it_in_any_city(rig: Rig) -> None:
    assert into(rig, PRACTICE) == [("practice", "London melts", "london"), ("about", "Salt", "london")]
    page = rig.page("/practices/snow")
    for said in ("Repeated by", "London melts", "Questions", ">Salt</a>", "london/practices"):
        assert said in page
    assert page.index("Repeated by") < page.index("London melts") < page.index(">Salt</a>")


def test_a_dataset_is_named_by_its_iri_or_by_its_page(rig: Rig) -> None:
    # The practice names the page's address, the AI system the IRI, in a group.
    expected = [("uses", "Snow", "Testville"), ("operational_data.datasets", "Kerb", "Testville")]
    assert into(rig, PARKING.record) == expected
    assert (
        rig.json("/datasets/parking/relations.json")["into"]
        == rig.json(f"/records/relations.json?iri={PARKING.record}")["into"]
    )
    page = rig.page("/datasets/parking")
    assert ("Practices that use it" in page, "AI systems that use it" in page) == (True, True)


def test_the_language_of_a_page_is_marked_beside_its_title_and_not_again_in_every_part(rig: Rig) -> None:
    page = rig.page("/practices/snow", "sv")
    assert '<span class="lang">på engelska</span></h1>' in page
    assert not [line for line in page.splitlines() if line.startswith(("<h2", "<h3")) and "på engelska" in line]
    # Where the title is the reader's, the part that is not says so beside its heading.
    parts = [line for line in rig.page("/answers/sand").splitlines() if line.startswith(("<h2", "<h3"))]
    assert [line for line in parts if "in German" in line] == [
        '<h2 id="text">The answer <span class="lang">in German</span></h2>'
    ]


def test_other_languages_are_named_where_the_page_can_be_read_in_them(rig: Rig) -> None:
    told = re.search(r"<h2>Also in</h2>(.*?)</ul>", rig.page("/practices/ice"), re.DOTALL)
    assert told is not None
    assert re.sub(r"<[^>]*>|\s+", " ", told[1]).split() == ["Svenska", "machine", "translation"]
    # One in German alone beside, which this node has no pages in.
    assert "<h2>Also in</h2>" not in rig.page("/answers/sand")


def test_a_file_of_unstated_form_has_that_which_its_model_tells(rig: Rig) -> None:
    page = rig.page("/datasets/model")
    assert "Download CityJSON" in page
    assert "Form not stated" not in page


def test_collections_that_cities_begin_of_themselves_are_called_in_the_readers_language(rig: Rig) -> None:
    for language, called in (("en", "Practices"), ("fi", "Käytännöt"), ("sv", "Arbetssätt")):
        page = rig.page(f"/records?iri={LONDON}/adoptions/snow", language)
        assert f'<a href="/collections/london/practices">{called}</a></li></ol>' in page


def test_an_answer_stands_below_its_question_wherever_it_was_given(rig: Rig) -> None:
    (question,) = [each for each in rig.json(f"/records/relations?iri={PRACTICE}")["into"] if each["field"] == "about"]
    assert [(each["title"], each["city"]) for each in question["replies"]] == [("Sand", "Testville")]
    page = rig.page("/practices/snow")
    assert page.index(">Salt</a>") < page.index("Sand")
    # The talk can be read where it stands.
    assert page.index("How many square metres of yard") < page.index("Ein <strong>Platz</strong>.")


def test_a_target_that_is_not_here_is_named_with_its_city_if_that_is_known(rig: Rig) -> None:
    told = {each["iri"]: each for each in rig.json(f"/records/relations?iri={PRACTICE}")["out_of"]}
    assert told[PARKING.record]["title"] == "Kerbside parking areas"
    assert told[FAR] == {
        "iri": FAR, "held": False, "city": "london", "page": FAR, "field": "uses", "label": "Made with",
    }  # fmt: skip
    assert (told[ABROAD]["held"], told[ABROAD]["city"]) == (False, None)
    page = rig.page("/practices/snow")
    assert "london: not mirrored here (yet)" in page
    assert "ei (vielä) peilattu tänne" in rig.page("/practices/snow", "fi")


def test_what_is_restricted_looks_as_if_it_were_not_here(rig: Rig) -> None:
    for path in ("/datasets/parking", "/practices/snow", "/practices", "/knowledge", "/datasets/parking/relations"):
        assert "Zanzibar" not in rig.page(path)
    (plan,) = [each for each in rig.json(f"/records/relations?iri={PRACTICE}")["out_of"] if each["iri"] == PLAN]
    assert plan == {
        "iri": PLAN, "held": False, "city": "Testville", "page": PLAN, "field": "uses", "label": "Made with",
    }  # fmt: skip
    assert rig.get(f"/records/relations?iri={PLAN}").status_code == 404


def test_staff_sees_what_touches_a_restricted_record_and_a_public_page_stays_public(rig: Rig) -> None:
    staff = rig.bearer("anna", staff=True)
    told = rig.get(f"/records/relations?iri={PLAN}", **staff)
    assert [each["title"] for each in told.json()["into"]] == ["Snow", "Zanzibar why"]
    assert "no-store" in told.headers["cache-control"]
    assert into(rig, PARKING.record, **staff) == into(rig, PARKING.record)


def test_a_page_of_all_that_touches_a_record_says_so_too_where_there_is_nothing(rig: Rig) -> None:
    page = rig.page("/practices/snow/relations")
    assert ("London melts" in page, FAR in page) == (True, True)
    assert "No record shown here points to it" in rig.page("/answers/sand/relations")
    assert rig.get("/records/relations").status_code == 400


def test_every_kind_has_a_list_in_every_form(rig: Rig) -> None:
    for kind, table in TABLES.items():
        page = rig.page(f"/{KINDS[kind]}", "sv")
        assert f"<h1>{table.plural['sv']}</h1>" in page
        hits = rig.json(f"/{KINDS[kind]}.json")["hits"]
        assert {hit["kind"] for hit in hits} <= {kind}
    assert {hit["title"] for hit in rig.json("/practices")["hits"]} == {"Ice", "Snow"}
    assert rig.get("/adoptions.atom").headers["content-type"].startswith("application/atom+xml")
    counted = {each["kind"]: each["records"] for each in rig.json("/knowledge")["kinds"]}
    assert (counted["practice"], counted["adoption"], counted["challenge"]) == (2, 1, 0)


def test_a_list_goes_on_in_the_search_with_its_kind_and_order(rig: Rig) -> None:
    assert {hit["kind"] for hit in rig.json("/practices.json?kind=dataset")["hits"]} == {"practice"}
    first = rig.json("/practices.json?limit=1")
    assert first["next"].startswith(f"{BASE}/search?kind=practice&sort=changed&")
    second = rig.json(first["next"].removeprefix(BASE))
    assert {first["hits"][0]["title"], second["hits"][0]["title"]} == {"Ice", "Snow"}


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("xylophone", "en", {"Snow"}),
        ("ksylofoni", "fi", {"Snow"}),
        ("kerb system", "en", {"Kerb"}),
        # The kind's own name, and the label of a code, in a language of neither text nor reader.
        ("käytäntö ksylofoni", "sv", {"Snow"}),
        ("arbetssätt xylophone", "en", {"Snow"}),
    ],
)
def test_records_are_found_by_every_text_of_theirs_and_by_what_their_kind_is_called(
    rig: Rig, text: str, language: str, found: set[str]
) -> None:
    hits = rig.json(f"/search.json?q={text}&kind=practice&kind=ai-system&lang={language}")["hits"]
    assert {hit["title"] for hit in hits} == found


def test_a_hit_shows_the_field_in_which_it_was_found(rig: Rig) -> None:
    (hit,) = rig.json("/search.json?q=xylophone")["hits"]
    assert hit["why"]["text"] == "Ploughed snow went into the <mark>xylophone</mark>."
    assert hit["description"] == "About Snow."


def test_staff_is_told_what_waits_the_longest_due_first_and_nobody_else(rig: Rig) -> None:
    staff = rig.bearer("berta", staff=True)
    told = rig.json("/api/tasks", **staff)["tasks"]
    assert [(each["what"], each["title"], each["due"], each["overdue"]) for each in told] == [
        ("review", "Snow", "2000-01-01", True),
        ("question", "Zanzibar why", TODAY, False),
        ("review", "Zanzibar", TODAY, False),
    ]
    assert told[0]["page"] == PRACTICE
    assert rig.get("/api/tasks").status_code == 401
    assert rig.get("/api/tasks?days=many", **staff).status_code == 400
    far = rig.node.knowledge.tasks.due(int(time.time() * 1000), days=1_000_000)
    assert len(far) > 2
