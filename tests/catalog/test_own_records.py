"""Laws of what cities write themselves: vocabularies and sets are published, mirrored, read back and taken away."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.assembly.clock import clock_ms
from node.catalog.sets import SUGGESTIONS, SetsReading
from node.errors import Conflict, Malformed, NotFound
from node.journal import catch_up
from node.vocab.mapping_file import COLUMNS
from tests.federation.cities import HELSINKI, LONDON, NAME, City, cities

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

HEAD = ",".join(COLUMNS)
NEVER = threading.Event()
PARKING = "Parking areas and bays"


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City]]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.publish(helsinki.put(1, PARKING), helsinki.put(2, "Quay walls"), helsinki.put(3, "Opera tickets"))
        london.publish(london.put(1, f"{PARKING} of Camden"), london.put(2, "Crime by borough"))
        level(helsinki)
        level(london)
        yield helsinki, london


def level(city: City) -> None:
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)


def match(city: City, *lines: str) -> None:
    city.node.finding.vocabularies.file.write_text("\n".join([HEAD, *lines, ""]), "utf-8")


def test_published_matches_are_mirrored_like_any_record_and_read_in_both_cities(two: tuple[City, City]) -> None:
    helsinki, london = two
    match(helsinki, "theme,Liikenne ja kartat,fi,exact,TRAN,", "licence,HRI-ehdot,fi,exact,CC_BY_4_0,")
    done = helsinki.node.finding.vocabularies.publish()
    assert done.put == tuple(f"{HELSINKI}/vocabularies/{table}" for table in ("theme", "licence"))
    assert helsinki.verify("vocabularies") == 2
    london.meet(helsinki, follow=("vocabularies",))
    london.pull(helsinki)
    level(london)
    assert london.shown("helsinki/vocabularies") == helsinki.shown("vocabularies")
    for city in two:
        book = city.node.finding.vocabularies.book()
        assert book.code("theme", "liikenne ja kartat", "helsinki") == "TRAN"
        assert book.code("theme", "liikenne ja kartat", "london") == ""
    assert helsinki.get("/vocabularies/theme", accept="text/html").status == 200
    assert b"skos:ConceptScheme" in helsinki.get("/vocabularies/theme.ttl").body


def test_publishing_again_writes_nothing_and_a_table_that_is_gone_is_withdrawn(two: tuple[City, City]) -> None:
    helsinki, _ = two
    vocabularies = helsinki.node.finding.vocabularies
    match(helsinki, "theme,Liikenne,fi,exact,TRAN,", "keyword,melu,fi,close,ENVI,")
    assert len(vocabularies.publish().put) == 2
    assert vocabularies.publish() == type(vocabularies.publish())((), ())
    match(helsinki, "keyword,melu,fi,close,ENVI,")
    assert vocabularies.publish().withdrawn == (f"{HELSINKI}/vocabularies/theme",)
    assert helsinki.size("vocabularies") == 3
    assert set(vocabularies.published()) == {"helsinki"}
    assert [each.table for each in vocabularies.published()["helsinki"]] == ["keyword"]
    assert vocabularies.book().code("theme", "Liikenne ja muuta", "helsinki") == ""


def test_a_file_that_cannot_be_used_publishes_nothing(two: tuple[City, City]) -> None:
    helsinki, _ = two
    vocabularies = helsinki.node.finding.vocabularies
    with pytest.raises(NotFound, match="mappings"):
        vocabularies.publish()
    match(helsinki, "theme,Liikenne,fi,exact,TRAN,", "theme,Melu,fi,exact,NOISE,")
    with pytest.raises(Malformed, match="line 3"):
        vocabularies.publish()
    vocabularies.file.write_bytes(b"\xff\xfe")
    with pytest.raises(Malformed, match="UTF-8"):
        vocabularies.publish()
    assert "vocabularies" not in {each.name for each in helsinki.node.shelf.collections()}


def test_what_everyone_should_read_is_not_put_into_a_restricted_collection(two: tuple[City, City]) -> None:
    helsinki, _ = two
    helsinki.node.create_collection("vocabularies", title="Ours", visibility="restricted", at_ms=clock_ms())
    match(helsinki, "theme,Liikenne,fi,exact,TRAN,")
    with pytest.raises(Conflict, match="restricted"):
        helsinki.node.finding.vocabularies.publish()
    assert helsinki.size("vocabularies") == 0


def test_records_are_read_again_when_their_citys_words_changed_and_no_others(two: tuple[City, City]) -> None:
    helsinki, london = two
    london.meet(helsinki, follow=(NAME, "vocabularies"))
    match(helsinki, "theme,Liikenne,fi,exact,TRAN,")
    helsinki.node.finding.vocabularies.publish()
    london.pull(helsinki)
    level(london)
    touched = london.node.finding.touched
    reading = next(each for each in london.node.finding.readings if each.name == "vocabularies")
    before = touched.newest()
    assert reading.status().state == "behind"
    assert reading.catch_up(NEVER) == 4
    again = {change.iri for change in touched.after(before, 100)}
    assert again == {*(helsinki.record(n) for n in (1, 2, 3)), f"{HELSINKI}/vocabularies/theme"}
    assert (reading.catch_up(NEVER), reading.status().state) == (0, "level")
    match(helsinki)
    helsinki.node.finding.vocabularies.publish()
    london.pull(helsinki)
    level(london)
    assert reading.catch_up(NEVER) == 3
    assert reading.catch_up(NEVER) == 0


def both(two: tuple[City, City]) -> list[str]:
    """Let London mirror Helsinki; give the IRIs of the two records about parking."""
    helsinki, london = two
    london.meet(helsinki)
    london.pull(helsinki)
    level(london)
    return [london.record(1), helsinki.record(1)]


def test_what_is_comparable_is_suggested_made_a_set_and_published_to_other_cities(two: tuple[City, City]) -> None:
    helsinki, london = two
    iris, sets = both(two), london.node.finding.sets
    reading = SetsReading(sets, london.node.finding.touched, clock_ms)
    assert (sets.suggested(), reading.status().state) == (None, "missing")
    assert reading.catch_up(NEVER) == 1
    assert reading.status().state == "level"
    (found,) = sets.suggested().suggestions
    assert {iri for _, iri in found.members} == set(iris)
    assert {city for city, _ in found.members} == {"helsinki", "london"}
    file = sets.draft("parking", sets.begin(iris))
    with pytest.raises(Conflict, match="already"):
        sets.draft("parking", sets.begin(iris))
    written = file.read_text("utf-8")
    file.write_text(f'{written}[[columns]]\nmeaning = {{ en = "Stay" }}\nnames = {{ "{iris[0]}" = "max" }}\n', "utf-8")
    assert sets.publish("parking").put == (f"{LONDON}/sets/parking",)
    assert sets.publish("parking").put == ()
    helsinki.meet(london, follow=("sets",))
    helsinki.pull(london)
    level(helsinki)
    for city in two:
        (curated,) = city.node.finding.sets.curated()
        assert set(curated.said.members) == set(iris)
        assert curated.said.columns[0].names == {iris[0]: "max"}
    assert sets.withdraw("parking").withdrawn == (f"{LONDON}/sets/parking",)
    assert sets.curated() == []
    with pytest.raises(NotFound):
        sets.withdraw("parking")
    with pytest.raises(NotFound):
        helsinki.node.finding.sets.withdraw("parking")


def test_suggestions_are_made_anew_only_after_a_rest_and_survive_a_damaged_file(two: tuple[City, City]) -> None:
    _, london = two
    both(two)
    now = [clock_ms()]
    sets, touched = london.node.finding.sets, london.node.finding.touched
    reading = SetsReading(sets, touched, lambda: now[0])
    assert reading.catch_up(NEVER) == 1
    london.publish(london.put(9, "More"))
    level(london)
    now[0] += 59_000
    assert (reading.catch_up(NEVER), reading.status().state) == (0, "behind")
    now[0] += 2_000
    assert (reading.catch_up(NEVER), reading.status().state) == (1, "level")
    now[0] += 3_600_000
    assert reading.catch_up(NEVER) == 0
    (sets.folder / SUGGESTIONS).write_text("{half")
    assert sets.suggested() is None
    assert reading.catch_up(NEVER) == 1


def test_a_restricted_record_is_neither_suggested_nor_published_in_a_set(two: tuple[City, City]) -> None:
    _, london = two
    iris = both(two)
    with london.node.db.write() as tx:
        london.node.journals.change(tx, NAME, visibility="restricted")
    sets = london.node.finding.sets
    made = sets.suggest(NEVER, n=1, now_ms=1, clock_ms=clock_ms)
    assert made.suggestions == ()
    with pytest.raises(NotFound) as hidden:
        sets.begin(iris)
    with pytest.raises(NotFound) as absent:
        sets.begin([f"{LONDON}/datasets/none", iris[1]])
    assert hidden.value.message.replace("d1", "none") == absent.value.message
    sets.folder.mkdir(exist_ok=True)
    names = ", ".join(f'"{iri}"' for iri in iris)
    sets.file_of("parking").write_text(f'title = {{ en = "P" }}\nmembers = [{names}]\n')
    with pytest.raises(NotFound):
        sets.publish("parking")


@pytest.mark.parametrize("name", ["", "../x", "A", "a b", "x" * 81])
def test_a_set_has_a_name_that_can_be_one(two: tuple[City, City], name: str) -> None:
    with pytest.raises(Malformed, match="no name of a set"):
        two[0].node.finding.sets.file_of(name)
