"""Laws of drafts and histories: nothing is overwritten unseen, nothing is final, changes are told in sentences."""

from collections.abc import Iterator

import pytest

from node.catalog.author.drafts import Drafts
from node.catalog.author.history import Histories, changes, pieces
from node.errors import Changed, Conflict, Malformed, NotFound, TooLarge
from node.vocab.kinds import TABLES, example_of
from tests.catalog.author.conftest import Rig

pytestmark = pytest.mark.slow  # on both databases
TABLE = TABLES["practice"]
SAID = example_of(TABLE)


@pytest.fixture
def drafts(rig: Rig) -> Iterator[Drafts]:
    made = Drafts(rig.journals.db, rig.office, clock_ms=lambda: rig.now_ms)
    yield made
    with rig.journals.db.write() as tx:
        tx.run("DELETE FROM record_draft")


def test_a_draft_is_counted_and_nobody_saves_over_another(drafts: Drafts) -> None:
    first = drafts.save("practice", "draft-a", SAID, who="ada", version=0)
    assert (first.version, first.state, drafts.get("practice", "draft-a")) == (1, "draft", first)
    drafts.save("practice", "draft-a", SAID, who="bob", version=1)
    with pytest.raises(Changed, match="bob has saved version 2"):
        drafts.save("practice", "draft-a", {}, who="ada", version=1)
    assert drafts.get("practice", "draft-a").said == SAID


def test_a_draft_of_what_is_published_begins_with_it(rig: Rig, drafts: Drafts) -> None:
    rig.publish("draft-b")
    opened = drafts.open("practice", "draft-b")
    held = rig.held("draft-b")
    assert held is not None
    assert (opened.base, opened.collection, opened.version) == (held.digest, "practices", 0)
    assert opened.said["title"] == SAID["title"]
    assert drafts.open("practice", "nothing-yet").said == {}


def test_publishing_takes_the_draft_away_and_an_error_leaves_it(rig: Rig, drafts: Drafts) -> None:
    drafts.save("practice", "draft-c", {"title": {"en": "Bare"}}, who="ada")
    outcome = drafts.publish("practice", "draft-c")
    assert outcome.refused
    assert rig.held("draft-c") is None
    drafts.save("practice", "draft-c", SAID, who="ada")
    assert drafts.publish("practice", "draft-c").put
    assert rig.held("draft-c") is not None
    assert drafts.find("practice", "draft-c") is None


def test_nobody_publishes_over_what_was_published_meanwhile(rig: Rig, drafts: Drafts) -> None:
    rig.publish("draft-d")
    drafts.save("practice", "draft-d", {**SAID, "title": {"en": "Mine"}}, who="ada")
    rig.publish("draft-d", title={"en": "Theirs"})
    with pytest.raises(Changed):
        drafts.publish("practice", "draft-d")
    assert drafts.get("practice", "draft-d").said["title"] == {"en": "Mine"}


def test_a_withdrawn_record_leaves_its_text_and_comes_back_from_it(rig: Rig, drafts: Drafts) -> None:
    rig.publish("draft-e")
    with pytest.raises(Malformed):
        drafts.withdraw("practice", "draft-e", who="ada", reason="  ")
    drafts.withdraw("practice", "draft-e", who="ada", reason="Not true")
    assert rig.held("draft-e") is None
    kept = drafts.get("practice", "draft-e")
    assert (kept.state, kept.note) == ("withdrawn", "Not true")
    assert drafts.publish("practice", "draft-e").put
    assert rig.held("draft-e") is not None
    with pytest.raises(NotFound):
        drafts.withdraw("practice", "nothing-yet", who="ada", reason="x")


def test_a_record_with_a_draft_is_not_withdrawn_from_under_its_author(rig: Rig, drafts: Drafts) -> None:
    rig.publish("draft-f")
    drafts.save("practice", "draft-f", SAID, who="bob")
    with pytest.raises(Conflict):
        drafts.withdraw("practice", "draft-f", who="ada", reason="x")
    assert rig.held("draft-f") is not None


def test_who_is_asked_to_read_finds_it_among_what_waits(drafts: Drafts) -> None:
    drafts.save("practice", "draft-g", SAID, who="ada")
    assert list(drafts.tasks()) == []
    asked = drafts.ask("practice", "draft-g", who="ada", note=" Look at the numbers ")
    assert (asked.state, asked.note) == ("review", "Look at the numbers")
    assert [(task.what, task.title) for task in drafts.tasks()] == [("draft", SAID["title"]["fi"])]
    assert drafts.save("practice", "draft-g", SAID, who="bob").state == "review"
    assert [each.slug for each in drafts.list("practice", state="review")] == ["draft-g"]
    drafts.discard("practice", "draft-g")
    with pytest.raises(NotFound):
        drafts.get("practice", "draft-g")


@pytest.mark.parametrize("slug", ["", "Not A Name", "a" * 81, "å"])
def test_a_name_that_ends_no_address_is_refused(drafts: Drafts, slug: str) -> None:
    with pytest.raises(Malformed):
        drafts.save("practice", slug, SAID, who="ada")


def test_what_is_too_long_is_refused(drafts: Drafts) -> None:
    with pytest.raises(TooLarge):
        drafts.save("practice", "draft-h", {"context": {"en": "x" * 600_000}}, who="ada")


def test_a_history_has_every_version_and_gives_each_back(rig: Rig) -> None:
    histories = Histories(rig.journals)
    rig.publish("told")
    rig.now_ms += 1_000
    rig.publish("told", approach={"en": "Five yards do."})
    rig.now_ms += 1_000
    rig.office.withdraw("practice", "told")
    iri = rig.office.iri_of("practice", "told")
    versions = histories.of(TABLE, iri)
    assert [each.op for each in versions] == ["withdraw", "put", "put"]
    newest, first = versions[1], versions[2]
    assert newest.said is not None
    assert first.said is not None
    told = [each for each in changes(TABLE, first.said, newest.said) if each.field.name == "approach"]
    ops = [(each.language, [op for op, _ in each.pieces]) for each in told]
    assert ops == [("en", ["del", "ins"]), ("fi", ["del"])]
    again = histories.said(TABLE, iri, "practices", first.seq)
    assert again["approach"] == SAID["approach"]
    assert "modified" not in again
    with pytest.raises(NotFound):
        histories.said(TABLE, iri, "practices", versions[0].seq)


def test_changes_are_told_by_place_language_and_sentence() -> None:
    after = {**SAID, "title": {**SAID["title"], "en": "Another"}, "sdgs": ["11", "13"], "status": "idea"}
    after["evidence"] = [{"indicator": {"en": "New"}}, *SAID["evidence"]]
    found = {(each.field.name, each.language): each for each in changes(TABLE, SAID, after)}
    assert found["title", "en"].pieces == (("del", SAID["title"]["en"]), ("ins", "Another"))
    assert found["sdgs", ""].pieces == (("ins", "13"),)
    assert found["status", ""].pieces == (("del", "operational"), ("ins", "idea"))
    assert [number for _, number in found["indicator", "en"].path] == [1, 0], "the group that came, not all after it"
    assert len([key for key in found if key[0] == "indicator"]) == 1
    assert changes(TABLE, SAID, SAID) == []


def test_of_a_long_text_only_what_stands_near_a_change_is_told() -> None:
    old = " ".join(f"Sentence {n}." for n in range(9))
    new = old.replace("Sentence 4.", "Sentence four.")
    assert list(pieces(old, new)) == [
        ("same", "… Sentence 3."),
        ("del", "Sentence 4."),
        ("ins", "Sentence four."),
        ("same", "Sentence 5. …"),
    ]
