"""Laws of the office: what is published stands once, where it belongs, all or none; and nothing personal is open."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from node.catalog import names
from node.catalog.author.office import Written, table_of
from node.catalog.portals.base import Head, Named
from node.catalog.shelf import ShelfFollower
from node.errors import Changed, Conflict, JournalBusy, Malformed, NotFound
from node.journal import Draft, catch_up
from node.records import KINDS
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of
from tests.catalog.author.conftest import BASE, DAY_MS, Rig


def codes(rig: Rig, kind: str, said: dict[str, Any], *, slug: str = "x", collection: str = "") -> set[str]:
    found = rig.office.check(kind, slug, said, collection=collection)
    return {each.code for each in found if each.level == "error"}


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_is_published_read_back_and_withdrawn(rig: Rig, kind: str) -> None:
    outcome = rig.publish(f"all-{kind}", kind=kind)
    iri = f"{BASE}/{KINDS[kind]}/all-{kind}"
    assert outcome.put == (iri,)
    held = rig.held(f"all-{kind}", kind)
    assert held is not None
    assert (held.iri, held.collection) == (iri, TABLES[kind].collection)
    assert rig.office.said(held).items() >= example_of(TABLES[kind]).items()
    assert held in rig.office.own(kind)
    assert rig.office.withdraw(kind, f"all-{kind}").withdrawn == (iri,)
    assert rig.held(f"all-{kind}", kind) is None
    with pytest.raises(NotFound):
        rig.office.withdraw(kind, f"all-{kind}")


def test_publishing_again_writes_nothing_and_keeps_the_dates(rig: Rig) -> None:
    rig.publish("again", issued=None, modified=None)
    size, first = rig.size("practices"), rig.held("again")
    assert first
    assert (rig.office.said(first)["issued"], rig.office.said(first)["modified"]) == ("2026-11-22", "2026-11-22")
    rig.now_ms += 3 * DAY_MS
    try:
        assert rig.publish("again", issued=None, modified=None).unchanged == (first.iri,)
        assert rig.size("practices") == size
        assert rig.publish("again", issued=None, modified=None, maturity="8").put == (first.iri,)
        second = rig.held("again")
        assert second
        said = rig.office.said(second)
        assert (said["issued"], said["modified"]) == ("2026-11-22", "2026-11-25")
    finally:
        rig.now_ms -= 3 * DAY_MS


def test_what_goes_without_saying_is_said(rig: Rig) -> None:
    rig.publish("plain", publisher=None, languages=None, title="Lumi")
    held = rig.held("plain")
    assert held
    said = rig.office.said(held)
    assert said["publisher"] == {"name": {"fi": "City of Helsinki"}}
    assert said["title"] == {"fi": "Lumi"}
    assert set(said["languages"]) == {"fi", "en"}


def test_the_address_of_a_page_about_a_record_is_published_as_that_of_the_record(rig: Rig) -> None:
    page = "https://london.example/records?iri=https%3A%2F%2Flondon.example%2Fpractices%2Fyards"
    rig.publish("pasted", kind="adoption", practice=page)
    held = rig.held("pasted", "adoption")
    assert held
    assert rig.office.said(held)["practice"] == "https://london.example/practices/yards"


def test_one_error_keeps_everything_back_unless_the_rest_may_go(rig: Rig) -> None:
    good, bad = Written("good", example_of(TABLES["practice"])), Written("bad", {"title": {"en": "T"}})
    size = rig.size("practices")
    strict = rig.office.publish("practice", [good, bad])
    assert (strict.put, [slug for slug, _ in strict.refused]) == ((), ["bad"])
    assert rig.size("practices") == size
    lenient = rig.office.publish("practice", [good, bad], strict=False)
    assert lenient.put == (f"{BASE}/practices/good",)
    assert rig.held("bad") is None


def test_a_dry_run_tells_everything_and_writes_nothing(rig: Rig) -> None:
    size = rig.size("practices")
    said = example_of(TABLES["practice"])
    outcome = rig.office.publish("practice", [Written("dry", said), Written("", said)], dry_run=True)
    assert outcome.put == (f"{BASE}/practices/dry",)
    assert [each.code for _, found in outcome.refused for each in found if each.level == "error"] == ["bad-name"]
    assert rig.size("practices") == size


def test_two_of_one_name_are_both_refused(rig: Rig) -> None:
    one = Written("same", example_of(TABLES["practice"]))
    assert [slug for slug, _ in rig.office.publish("practice", [one, one], strict=False).refused] == ["same", "same"]


def test_problems_have_the_place_that_is_nearest_in_the_file(rig: Rig) -> None:
    said = example_of(TABLES["practice"]) | {"evidence": [{"indicator": {"en": "a"}, "value": "many"}], "status": "odd"}
    places = {"/evidence/0": ("x.md", 7), "/status": ("x.md", 3)}
    found = rig.office.problems_of("practice", Written("x", said, file="x.md", places=places))
    wrong = {each.pointer: (each.file, each.line) for each in found if each.level == "error"}
    assert wrong == {"/evidence/0/value": ("x.md", 7), "/status": ("x.md", 3)}
    found = rig.office.problems_of("practice", Written("x", {"title": "T"}, file="x.md", places={"": ("x.md", 1)}))
    assert {(each.file, each.line) for each in found} == {("x.md", 1)}


def test_what_is_missing_does_not_hide_what_lint_says_of_the_rest(rig: Rig) -> None:
    found = {each.code for each in rig.office.check("practice", "x", {"title": "T", "summary": "x" * 200})}
    assert {"missing", "long-summary", "recommended"} <= found


def test_what_is_wrong_does_not_hide_it_either_and_is_said_once(rig: Rig) -> None:
    said = {"title": "T", "approach": "<script>x</script>", "status": "odd", "evidence": [{"value": "many"}]}
    found = [(each.pointer, each.code) for each in rig.office.check("practice", "x", said)]
    assert {("/status", "unknown-code"), ("/evidence/0/value", "wrong-value"), ("/approach/fi", "script")} <= set(found)
    assert ("/what_failed", "recommended") in found
    assert not {("/status", "recommended"), ("/evidence", "no-numbers")} & set(found)
    assert len(found) == len(set(found))


def test_so_much_that_is_wrong_that_not_all_of_it_is_named_is_looked_at_no_further(rig: Rig) -> None:
    said = {f"field_{number}": "x" for number in range(300)} | {"title": 7, "evidence": "x"}
    assert {each.code for each in rig.office.check("practice", "x", said)} == {"unknown-field"}


def test_what_is_missing_is_named_as_the_file_has_it(rig: Rig) -> None:
    label = TABLES["practice"].field("approach")
    assert label
    for title, called in (({"fi": "T"}, "Mitä teimme (What we did)"), ({"en": "T"}, "What we did")):
        (found,) = [each for each in rig.office.check("practice", "x", {"title": title}) if each.code == "missing"]
        assert found.message.startswith(f"Missing: {called}. ")


@pytest.mark.parametrize("kind", TABLES)
def test_a_record_that_is_written_as_a_draft_is_published_as_it_stood(rig: Rig, kind: str) -> None:
    rig.publish(f"draft-{kind}", kind=kind, issued=None, modified=None, languages=None)
    held = rig.held(f"draft-{kind}", kind)
    assert held
    said = rig.office.draft(held)
    assert not {"modified", "languages"} & said.keys()
    rig.now_ms += DAY_MS
    try:
        assert rig.office.publish(kind, [Written(held.slug, said)]).unchanged == (held.iri,)
    finally:
        rig.now_ms -= DAY_MS


# ---------------------------------------------------------------- where it stands


def test_a_record_lives_in_one_collection_and_moves_only_when_told(rig: Rig) -> None:
    rig.open("inside")
    rig.publish("mover", collection="inside")
    assert rig.publish("mover", maturity="3").put  # says nothing of a collection, so it stays
    held = rig.held("mover")
    assert held
    assert held.collection == "inside"
    sizes = rig.size("inside"), rig.size("practices")
    rig.publish("mover", maturity="3", collection="practices")
    assert (rig.size("inside"), rig.size("practices")) == (sizes[0] + 1, sizes[1] + 1)
    moved = rig.shelf.all_by_iri(held.iri)
    assert [each.collection for each in moved] == ["practices"]
    last = rig.entries("inside")[-1].opening
    assert last
    assert (last.op, last.record) == ("withdraw", held.iri)


def test_only_the_kinds_own_collection_is_made_by_publishing(rig: Rig) -> None:
    with pytest.raises(NotFound, match="citynode collections create elsewhere"):
        rig.publish("x", collection="elsewhere")
    with pytest.raises(Conflict, match="mirror"):
        rig.publish("x", collection="london/practices")
    assert rig.size("questions") >= -1
    rig.publish("first", kind="question")
    with rig.journals.db.read() as tx:
        made = rig.journals.get(tx, "questions")
    assert (made.visibility, made.title) == ("public", TABLES["question"].plural["fi"])


def test_a_mirrored_record_of_the_same_address_is_nobodys_business(rig: Rig) -> None:
    rig.open("london/practices", "public")
    assert rig.office.find("practice", "theirs") is None
    assert not [each for each in rig.office.own("practice") if "/" in each.collection]


# ---------------------------------------------------------------- races


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(rig: Rig) -> None:
    said = example_of(TABLES["practice"])
    refused = rig.office.publish("practice", [Written("raced", said, expected="sha256:" + "0" * 64)]).refused
    assert [each.code for each in refused[0][1] if each.level == "error"] == ["changed"]
    assert rig.office.publish("practice", [Written("raced", said, expected="")]).put
    assert rig.office.publish("practice", [Written("raced", said, expected="")]).refused
    held = rig.held("raced")
    assert held
    assert rig.office.publish("practice", [Written("raced", said, expected=held.digest)]).unchanged
    with pytest.raises(Changed):
        rig.office.withdraw("practice", "raced", expected="sha256:" + "0" * 64)
    rig.office.withdraw("practice", "raced", expected=held.digest)


@pytest.mark.slow
def test_writers_of_one_record_leave_it_in_one_place(rig: Rig) -> None:
    rig.open("left", "public")
    rig.open("right", "public")

    def write(name: str) -> None:
        for number in range(3):
            with contextlib.suppress(JournalBusy):
                rig.publish("fought", collection=name, maturity=str(number + 1))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ("left", "right")))
    assert len(rig.shelf.all_by_iri(f"{BASE}/practices/fought")) == 1


# ---------------------------------------------------------------- links, circles, kinds


def test_adoptions_that_lead_back_are_named_with_their_way(rig: Rig) -> None:
    rig.publish("one", replicated_from=None)
    rig.publish("two", replicated_from=[f"{BASE}/practices/one"])
    rig.publish("three", replicated_from=[f"{BASE}/practices/two"])
    said = example_of(TABLES["practice"]) | {"replicated_from": [f"{BASE}/practices/three"]}
    (problem,) = [each for each in rig.office.check("practice", "one", said) if each.code == "circle"]
    assert problem.level == "error"
    assert problem.pointer == "/replicated_from"
    assert f"{BASE}/practices/three → {BASE}/practices/two → {BASE}/practices/one" in problem.message
    assert "circle" in codes(rig, "practice", said | {"replicated_from": [f"{BASE}/practices/x"]})
    assert codes(rig, "practice", said) == set()


def test_links_to_records_of_ours_that_are_not_there_or_are_something_else_are_named(rig: Rig) -> None:
    rig.publish("asked", kind="question")
    said = example_of(TABLES["adoption"])
    for target, code in (("practices/nowhere", "unknown-record"), ("questions/asked", "other-kind")):
        found = rig.office.check("adoption", "x", said | {"practice": f"{BASE}/{target}"})
        assert [each.code for each in found if each.pointer == "/practice"] == [code]
    far = rig.office.check("adoption", "x", said | {"practice": "https://london.example/practices/far"})
    assert [each.code for each in far if each.pointer == "/practice"] == []


def test_a_public_record_that_names_one_that_is_not_for_everyone_is_warned_of(rig: Rig) -> None:
    with rig.journals.db.write() as tx:
        where = f"{BASE}/collections/shut"
        rig.journals.create(tx, name="shut", iri=where, title="S", visibility="restricted", at_ms=rig.now_ms)
    rig.publish("hidden", kind="practice", collection="shut", replicated_from=None)
    said = example_of(TABLES["adoption"]) | {"practice": f"{BASE}/practices/hidden"}

    def found(collection: str) -> list[tuple[str, str]]:
        told = rig.office.problems_of("adoption", Written("x", said, collection=collection))
        return [(each.code, each.level) for each in told if each.pointer == "/practice"]

    assert found("") == [("restricted-record", "warning")], "beside the field, and it stops nothing"
    assert found("shut") == [], "whoever may read the one may read the other"


def test_a_record_that_a_source_described_is_known_by_the_address_of_its_page(rig: Rig) -> None:
    iri = "https://portal.example/id/7"
    payload = payload_of(TABLES["data-service"], iri, example_of(TABLES["data-service"]))
    with rig.journals.db.write() as tx:
        where = f"{BASE}/collections/brought"
        rig.journals.create(tx, name="brought", iri=where, title="B", visibility="public", at_ms=rig.now_ms)
        draft = Draft(iri, "benches", "data-service", "put", payload)
        rig.journals.append(tx, "brought", [draft], at_ms=rig.now_ms)
    catch_up(rig.journals, ShelfFollower())
    said = example_of(TABLES["reuse"])
    for target, wanted in (("services/benches", []), ("services/none", ["unknown-record"])):
        found = rig.office.check("reuse", "x", said | {"datasets": [f"{BASE}/{target}"]})
        assert [each.code for each in found if each.pointer.startswith("/datasets")] == wanted


def test_kinds_without_a_table_and_too_many_at_once_are_refused(rig: Rig) -> None:
    with pytest.raises(Malformed, match="agreement"):
        table_of("agreement")
    with pytest.raises(Malformed, match="too many"):
        rig.office.publish("practice", [Written("x", {})] * 10_001)


@pytest.mark.slow
def test_a_record_that_is_too_large_is_refused_with_its_bound(rig: Rig) -> None:
    languages = ("en", "fi", "sv", "nl", "fr", "de", "it", "es", "pt", "da", "et")
    said = example_of(TABLES["practice"]) | {"approach": dict.fromkeys(languages, "x" * 100_000)}
    assert codes(rig, "practice", said) == {"too-large"}


# ---------------------------------------------------------------- personal data


def test_what_contains_personal_data_is_published_where_not_everyone_reads(rig: Rig) -> None:
    said = example_of(TABLES["data-service"]) | {"personal_data": ["personal"]}
    assert codes(rig, "data-service", said) == {"personal-data"}
    rig.open("closed")
    assert codes(rig, "data-service", said, collection="closed") == set()
    assert rig.office.publish("data-service", [Written("people", said)], collection="closed").put
    with pytest.raises(Conflict, match="never in a collection that everyone may read"):
        rig.office.change_collection("closed", title=None, visibility="public")
    moved = rig.office.publish("data-service", [Written("people", said)], collection="twins")
    assert moved.put == ()
    assert moved.refused[0][0] == "people"


def test_a_collection_stays_closed_while_any_entry_of_it_still_holds_personal_data(rig: Rig) -> None:
    rig.open("history")
    said = example_of(TABLES["data-service"])
    rig.office.publish("data-service", [Written("once", said | {"personal_data": ["sensitive"]})], collection="history")
    rig.office.publish("data-service", [Written("once", said | {"personal_data": ["none"]})])
    assert rig.office.change_collection("history", title="Past", visibility=None).title == "Past"
    with pytest.raises(Conflict, match="entry 1"):
        rig.office.change_collection("history", title=None, visibility="public")
    with rig.journals.db.write() as tx:
        rig.journals.erase(tx, "history", 1, at_ms=rig.now_ms)
    assert rig.office.change_collection("history", title=None, visibility="public").visibility == "public"


def test_a_practice_about_personal_data_is_open(rig: Rig) -> None:
    assert rig.publish("about-people", personal_data=["personal"]).put


# ---------------------------------------------------------------- names that sources bring


def test_what_a_source_brought_keeps_its_name_and_what_was_written_keeps_its(rig: Rig) -> None:
    payload = payload_of(TABLES["data-service"], f"{BASE}/services/map", example_of(TABLES["data-service"]))
    with rig.journals.db.write() as tx:
        names.save(tx, "hri", {"k": Named(f"{BASE}/services/map", "map", "data-service")}, live=True)
        iri = f"{BASE}/collections/harvested"
        rig.journals.create(tx, name="harvested", iri=iri, title="H", visibility="public", at_ms=rig.now_ms)
        draft = Draft(f"{BASE}/services/map", "map", "data-service", "put", payload)
        rig.journals.append(tx, "harvested", [draft], at_ms=rig.now_ms)
    catch_up(rig.journals, ShelfFollower())
    with pytest.raises(Conflict, match="source hri"):
        rig.publish("map", kind="data-service", title={"en": "Another"})
    with pytest.raises(Conflict, match="source hri"):
        rig.office.withdraw("data-service", "map")
    assert "map" not in {each.slug for each in rig.office.own("data-service")}

    rig.publish("twin", kind="data-service")
    assert "twin" in {each.slug for each in rig.office.own("data-service")}
    head = Head("twin-key", "data-service", f"{BASE}/services/twin", "twin")
    with rig.journals.db.read() as tx:
        settled, refused = names.Names(tx, "hri", base_url=BASE).settle([head])
    assert [each.slug for each in settled.values()] == ["twin-2"]
    assert refused == []


def test_a_circle_within_one_publication_is_named_whatever_else_is_wrong_there(rig: Rig) -> None:
    said = example_of(TABLES["practice"])
    here = [f"{BASE}/practices/{name}" for name in ("round-a", "round-b")]
    both = [
        Written("round-a", said | {"replicated_from": [here[1]]}),
        Written("round-b", said | {"replicated_from": [here[0]]}),
    ]
    outcome = rig.office.publish("practice", both, strict=False)
    assert outcome.put == ()
    assert [{each.code for each in found if each.level == "error"} for _, found in outcome.refused] == [{"circle"}] * 2
    rig.publish("round-a", replicated_from=None)
    rig.publish("round-b", replicated_from=[here[0]])
    turned = [both[0], Written("round-b", said | {"replicated_from": []})]
    assert rig.office.publish("practice", turned).refused == ()  # what is published with it counts, not what stood here
    odd = Written("round-b", said | {"replicated_from": {"a": 3}})
    assert [slug for slug, _ in rig.office.publish("practice", [both[0], odd], dry_run=True).refused] == ["round-b"]
    ahead = rig.office.publish("practice", [both[0], Written("round-b", said)], dry_run=True).warned
    assert "unknown-record" not in {each.code for _, found in ahead for each in found}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere", "There is no collection nowhere"),
        ("london/practices", "is a mirror"),
        ("../../etc", "is no collection's name"),
        ("A b", "is no collection's name"),
        ("evidence", "is written by the node alone"),
        ("agreements", "is written by the node alone"),
        ("agreements-london-0123abcd", "is written by the node alone"),
    ],
)
def test_a_wrong_collection_of_one_file_is_a_problem_of_that_file(rig: Rig, name: str, words: str) -> None:
    said = example_of(TABLES["practice"])
    stray = Written("stray", said, collection=name, places={"/collection": ("stray.md", 3)})
    outcome = rig.office.publish("practice", [stray, Written("neighbour", said)], dry_run=True)
    assert [iri.rpartition("/")[2] for iri in (*outcome.put, *outcome.unchanged)] == ["neighbour"]
    ((slug, found),) = outcome.refused
    (problem,) = [each for each in found if each.level == "error"]
    assert (slug, problem.pointer, problem.code, problem.file, problem.line) == (
        "stray", "/collection", "no-collection", "stray.md", 3,
    )  # fmt: skip
    assert words in problem.message


@pytest.mark.parametrize("name", ["evidence", "agreements", "agreements-london-0123abcd"])
def test_nothing_is_published_into_what_the_node_alone_writes(rig: Rig, name: str) -> None:
    if rig.size(name) < 0:
        rig.open(name)
    with pytest.raises(Conflict, match="written by the node alone") as refused:
        rig.publish("stowaway", collection=name)
    assert refused.value.said[0] == "no.collection.filled"
    assert (rig.size(name), rig.held("stowaway")) == (0, None)


def test_what_an_older_program_let_stand_there_goes_where_it_belongs(rig: Rig) -> None:
    name, iri, table = rig.open("agreements-oslo-0123abcd"), f"{BASE}/practices/astray", TABLES["practice"]
    draft = Draft(iri, "astray", "practice", "put", payload_of(table, iri, example_of(table)))
    with rig.journals.db.write() as tx:
        rig.journals.append_followed(tx, name, [draft], [ShelfFollower()], at_ms=rig.now_ms)
    rig.publish("astray")
    held = rig.held("astray")
    assert held is not None
    assert held.collection == "practices"
    assert [each.opening.op for each in rig.entries(name) if each.opening] == ["put", "withdraw"]
