"""Laws of the door between cities: what contains personal data is in no mirror that everyone may read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.catalog.shelf import ShelfFollower
from node.federation.check import PERSONAL, WORDS, shaped
from node.journal import Draft, Opening
from node.journal.follow import rebuild
from node.records import digest_of
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of
from tests.federation.agreed import agree
from tests.federation.cities import HELSINKI, LONDON, City, cities

TABLE = TABLES["data-service"]
NAME = "open-data"
MIRROR = "helsinki/open-data"


def service(slug: str, flag: str) -> Draft:
    iri = f"{HELSINKI}/services/{slug}"
    said = example_of(TABLE) | {"personal_data": [flag]}
    return Draft(iri, slug, "data-service", "put", payload_of(TABLE, iri, said))


@pytest.mark.parametrize(("flag", "refused"), [("personal", True), ("special-category", True), ("anonymised", False)])
def test_a_public_mirror_refuses_what_contains_personal_data(flag: str, *, refused: bool) -> None:
    draft = service("x", flag)
    assert draft.payload
    opening = Opening("put", b"0" * 16, draft.record, draft.slug, draft.kind, digest_of(draft.payload))
    fault = shaped(opening, draft.payload, is_public=True)
    assert (fault.code if fault else "") == (PERSONAL if refused else "")
    assert shaped(opening, draft.payload, is_public=False) is None
    assert PERSONAL in WORDS


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City]]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        yield helsinki, london


@pytest.mark.slow
def test_such_an_entry_stays_a_stub_and_the_rest_is_kept(two: tuple[City, City]) -> None:
    helsinki, london = two
    helsinki.publish(service("open", "none"), service("people", "personal"))
    london.meet(helsinki)
    london.pull(helsinki)
    assert set(london.shown(MIRROR)) == {f"{HELSINKI}/services/open"}
    assert london.sql("SELECT seq, code FROM refusal") == [(2, PERSONAL)]


@pytest.mark.slow
def test_what_comes_to_contain_it_goes_off_the_shelf_and_comes_back_without(two: tuple[City, City]) -> None:
    helsinki, london = two
    here, there = f"{HELSINKI}/services/open", f"{HELSINKI}/services/people"
    helsinki.publish(service("open", "none"), service("people", "none"))
    london.meet(helsinki)
    london.pull(helsinki)
    assert set(london.shown(MIRROR)) == {here, there}
    helsinki.publish(service("people", "personal"))
    london.pull(helsinki)
    assert set(london.shown(MIRROR)) == {here}
    assert london.sql("SELECT seq, code FROM refusal") == [(3, PERSONAL)]
    assert london.node.shelf.by_iri(there) is None
    assert london.verify(MIRROR, helsinki) == 3
    rebuild(london.node.journals, ShelfFollower())
    assert set(london.shown(MIRROR)) == {here}
    helsinki.publish(service("people", "anonymised"))
    london.pull(helsinki)
    assert set(london.shown(MIRROR)) == {here, there}


@pytest.mark.slow
def test_a_mirror_that_its_origin_opens_stays_closed_until_the_data_is_erased(two: tuple[City, City]) -> None:
    helsinki, london = two
    london.meet(helsinki)
    helsinki.meet(london, follow=())
    helsinki.publish(service("open", "none"), service("people", "personal"), service("people", "none"))
    agree(helsinki.node, london.node, NAME)
    with helsinki.node.db.write() as tx:
        helsinki.node.journals.change(tx, NAME, visibility="restricted")
    assert london.pull(helsinki).pulled.level
    assert len(london.shown(MIRROR)) == 2
    with helsinki.node.db.write() as tx:  # past the door of its own
        helsinki.node.journals.change(tx, NAME, visibility="public")
    assert london.pull(helsinki).pulled.level
    assert london.collection(MIRROR).visibility == "restricted"
    assert london.pull(helsinki).pulled.level
    helsinki.erase(2)
    for _ in range(2):
        london.pull(helsinki)
    assert london.collection(MIRROR).visibility == "public"
