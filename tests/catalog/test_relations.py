"""Laws of the relations: what points to what, ours and peers', as living and as rebuilt; and what is due for review."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from node.catalog.relations import MOST_LINKS, Due, Relation, Relations, RelationsFollower
from node.catalog.shelf import Shelf, ShelfFollower
from node.db import Database
from node.journal import Draft, catch_up, rebuild
from node.journal.journal import Journals
from node.records import KINDS
from node.vocab.kinds.common import REVIEW, TITLE
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.writing import payload_of
from node.vocab.terms import CN, DCT
from tests.journal.rig import NAME

BASE = "http://127.0.0.1:8001"
WORDS = {"en": "A word", "fi": "Sana", "sv": "Ett ord"}
DATASET = "https://london.example/datasets/trees"
PRACTICE = f"{BASE}/practices/trees"
ADOPTION = f"{BASE}/adoptions/trees"


def link(name: str, term: str, *to: str) -> Field:
    return Field(name=name, term=term, form="link", to=to, many=True, most=MOST_LINKS, label=WORDS, hint=WORDS)


def table(kind: str, *fields: Field) -> KindTable:
    return KindTable(
        kind=kind, cls=CN.Practice, title=WORDS, plural=WORDS, about=WORDS, command=kind, collection=kind,
        fields=(TITLE, *fields, REVIEW),
    )  # fmt: skip


EVIDENCE = Field(
    name="evidence", term=CN.column, form="group", many=True, label=WORDS, hint=WORDS,
    fields=(link("source", DCT.source, "dataset"), link("page", DCT.hasPart)),
)  # fmt: skip
TABLES = {
    "practice": table("practice", link("uses", DCT.requires, "dataset"), EVIDENCE),
    "adoption": table("adoption", link("of", DCT.references, "practice")),
    "question": table("question", link("about", DCT.references, "practice")),
    "answer": table("answer", link("question", DCT.references, "question")),
}


def put(iri: str, **said: Any) -> Draft:
    kind = next(kind for kind, plural in KINDS.items() if f"/{plural}/" in iri)
    body = payload_of(TABLES[kind], iri, {"title": {"en": "A title"}} | said)
    return Draft(iri, iri.rpartition("/")[2], kind, "put", body)


def gone(iri: str) -> Draft:
    return Draft(iri, iri.rpartition("/")[2], put(iri).kind, "withdraw")


@pytest.fixture
def relations(journals: Journals) -> Relations:
    with journals.db.write() as tx:
        for name, visibility in (("plans", "restricted"),):
            iri = f"{BASE}/collections/{name}"
            journals.create(tx, name=name, iri=iri, title=name, visibility=visibility, at_ms=1_000)
    return Relations(Shelf(journals))


def follow(journals: Journals) -> None:
    for follower in (ShelfFollower(), RelationsFollower(TABLES)):
        catch_up(journals, follower)


def write(journals: Journals, *drafts: Draft, name: str = NAME, at_ms: int = 2_000) -> None:
    with journals.db.write() as tx:
        journals.append(tx, name, drafts, at_ms=at_ms)
    follow(journals)


def kept(db: Database) -> Mapping[str, list[tuple[Any, ...]]]:
    with db.read() as tx:
        return {name: sorted(map(repr, tx.rows(f"SELECT * FROM {name}"))) for name in ("knowledge", "relation")}  # noqa: S608


def test_a_record_that_is_not_held_here_knows_who_names_it(journals: Journals, relations: Relations) -> None:
    write(journals, put(PRACTICE, uses=[DATASET], evidence=[{"source": [DATASET], "page": ["https://a.example/x"]}]))
    assert relations.into([DATASET], [NAME]) == [
        Relation(NAME, PRACTICE, "practice", "evidence.source", DATASET),
        Relation(NAME, PRACTICE, "practice", "uses", DATASET),
    ]
    assert relations.out_of(NAME, PRACTICE) == relations.into([DATASET], [NAME])
    # A field that leads to any web page is no relation.
    assert relations.into(["https://a.example/x"], [NAME]) == []
    assert relations.into([], [NAME]) == relations.into([DATASET], []) == []


def test_a_link_to_a_page_about_a_record_leads_to_the_record(journals: Journals, relations: Relations) -> None:
    page = f"{BASE}/records?iri=https%3A%2F%2Flondon.example%2Fdatasets%2Ftrees"
    write(journals, put(PRACTICE, uses=[page, DATASET]))
    assert relations.into([DATASET], [NAME]) == [Relation(NAME, PRACTICE, "practice", "uses", DATASET)]


def test_only_collections_that_are_shown_are_read(journals: Journals, relations: Relations) -> None:
    write(journals, put(ADOPTION, of=[PRACTICE]), name="plans")
    assert relations.into([PRACTICE], [NAME]) == []
    assert [each.iri for each in relations.into([PRACTICE], [NAME, "plans"])] == [ADOPTION]


def test_the_newest_state_counts_and_a_withdrawn_record_names_nothing(journals: Journals, relations: Relations) -> None:
    write(journals, put(PRACTICE, uses=[DATASET]), put(ADOPTION, of=[PRACTICE]))
    write(journals, put(PRACTICE, uses=[f"{DATASET}-2"]), at_ms=3_000)
    assert relations.into([DATASET], [NAME]) == []
    assert [each.target for each in relations.into([f"{DATASET}-2"], [NAME])] == [f"{DATASET}-2"]
    write(journals, gone(PRACTICE), at_ms=4_000)
    assert relations.into([f"{DATASET}-2", PRACTICE], [NAME]) == [Relation(NAME, ADOPTION, "adoption", "of", PRACTICE)]
    assert kept(journals.db)["knowledge"] == [row for row in kept(journals.db)["knowledge"] if ADOPTION in row]


def test_the_newest_come_first(journals: Journals, relations: Relations) -> None:
    for number in range(3):
        write(journals, put(f"{ADOPTION}-{number}", of=[PRACTICE]), at_ms=2_000 + number)
    assert [each.iri[-1] for each in relations.into([PRACTICE], [NAME])] == ["2", "1", "0"]


def test_one_collection_that_sends_much_leaves_room_for_others(journals: Journals, relations: Relations) -> None:
    write(journals, put(ADOPTION, of=[PRACTICE]), name="plans")
    write(journals, *(put(f"{ADOPTION}-{number}", of=[PRACTICE]) for number in range(5)), at_ms=3_000)
    found = relations.into([PRACTICE], [NAME, "plans"], 3)
    assert [each.iri.removeprefix(ADOPTION) for each in found] == ["-0", "", "-1", "-2"]


def test_links_of_one_record_are_bounded(journals: Journals, relations: Relations) -> None:
    many = [f"{DATASET}-{number}" for number in range(MOST_LINKS)]
    write(journals, put(PRACTICE, uses=many, evidence=[{"source": [DATASET]}]))
    assert len(relations.out_of(NAME, PRACTICE)) == MOST_LINKS


def test_rebuilding_gives_what_living_gave_also_after_an_erasure(journals: Journals, relations: Relations) -> None:
    write(journals, put(PRACTICE, uses=[DATASET], review="2027"), put(ADOPTION, of=[PRACTICE]))
    write(journals, put(PRACTICE, uses=[]), at_ms=3_000)
    write(journals, gone(ADOPTION), at_ms=4_000)
    with journals.db.write() as tx:
        journals.erase(tx, NAME, 1, at_ms=5_000)
    follow(journals)
    lived = kept(journals.db)
    assert len(lived["knowledge"]) == 1
    rebuild(journals, RelationsFollower(TABLES))
    assert kept(journals.db) == lived


def test_a_review_is_due_on_the_last_day_that_it_names(journals: Journals, relations: Relations) -> None:
    last = {
        "2026": date(2026, 12, 31), "2028-02": date(2028, 2, 29), "2025-12": date(2025, 12, 31),
        "2026-11-22": date(2026, 11, 22), "9999-12": date(9999, 12, 31),
    }  # fmt: skip
    write(journals, *(put(f"{PRACTICE}-{when}", review=when) for when in last), put(PRACTICE))
    due = [
        Due(NAME, f"{PRACTICE}-{when}", "practice", (day - date(1970, 1, 1)).days)
        for when, day in sorted(last.items(), key=lambda each: each[1])
    ]
    assert relations.due(1 << 40) == due
    assert relations.due(due[2].day) == due[:2]
    assert relations.due(due[2].day + 1) == due[:3]


def test_a_question_about_a_record_of_ours_waits_until_an_answer_stands(
    journals: Journals, relations: Relations
) -> None:
    question, strange = f"{BASE}/questions/trees", f"{BASE}/questions/others"
    answer = f"{BASE}/answers/trees"
    write(journals, put(question, about=[PRACTICE]), put(strange, about=["https://london.example/practices/trees"]))
    assert relations.asked() == [], "no such record is ours (yet)"
    write(journals, put(PRACTICE), at_ms=86_400_000 * 3)
    assert relations.asked() == [Due(NAME, question, "question", 0)]
    write(journals, put(answer, question=[question]))
    assert relations.asked() == []
    write(journals, gone(answer))
    assert len(relations.asked()) == 1
    write(journals, gone(question))
    assert relations.asked() == []


def test_what_a_peer_wrote_wrongly_is_passed_over(journals: Journals, relations: Relations) -> None:
    lines = [
        f'<{PRACTICE}> <{DCT.valid}> "soon" .\n',
        f'<{PRACTICE}> <{DCT.valid}> "2026-13-41"^^<http://www.w3.org/2001/XMLSchema#date> .\n',
        f'<{PRACTICE}> <{DCT.requires}> "trees" .\n',
        f"<{PRACTICE}> <{DCT.requires}> <urn:x> .\n",
        f"<{PRACTICE}> <{CN.column}> <{PRACTICE}> .\n",
    ]
    write(journals, Draft(PRACTICE, "trees", "practice", "put", "".join(sorted(lines)).encode()))
    assert relations.out_of(NAME, PRACTICE) == []
    assert relations.due(1 << 40) == []
