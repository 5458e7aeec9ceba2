"""Laws of origins whose data are about residents: what is said of them stands, and their column is found by name."""

import threading

import pytest

from node.catalog.shelf import ShelfFollower
from node.errors import (
    Malformed,
    NotFound,
)
from node.federation.data.origin_office import Changes
from node.federation.moving import Personal
from node.journal import Draft, catch_up
from tests.federation.consent.test_filter import parquet_of
from tests.federation.data.rig import BASE, NOISE, Rig, payload

PEOPLE = b"resident,person,n\nr-1,p-1,7\n"


def test_whom_data_are_about_stands_before_any_of_it_can_be_read(everywhere: Rig) -> None:
    city = everywhere
    city.consents()
    assert city.origins.personal(NOISE) is None
    told = city.add(city.file(body=PEOPLE), is_personal=True, column="resident", consent="register")
    assert (told.is_personal, told.column, told.consent) == (True, "resident", "register")
    assert city.origins.personal(NOISE) == Personal("resident", "register")
    city.add(city.file("b.csv", PEOPLE))
    assert city.origins.personal(NOISE) == Personal("resident", "register")
    city.office.change(NOISE, "b.csv", Changes(column="person"))
    assert city.origins.personal(NOISE) == Personal("person", "register")
    city.office.change(NOISE, "b.csv", Changes(is_personal=False))
    assert city.origins.personal(NOISE) is None
    city.office.change(NOISE, "b.csv", Changes(consent="register"))
    assert city.origins.personal(NOISE) == Personal("", "register")


def test_what_was_said_of_residents_outlives_every_origin_until_it_is_taken_back(everywhere: Rig) -> None:
    city, whole = everywhere, Personal("resident", "register")
    city.consents()
    city.add(city.file(body=PEOPLE), is_personal=True, column="resident", consent="register")
    city.office.remove(NOISE, "noise.csv")
    assert city.origins.personal(NOISE) == whole
    told = city.add(city.file("moved.csv", PEOPLE))
    assert (told.is_personal, told.column, told.consent) == (True, "resident", "register")
    city.add(city.file("b.csv", PEOPLE), is_personal=True)
    assert city.origins.personal(NOISE) == whole
    city.office.change(NOISE, "b.csv", Changes(is_personal=False))
    assert city.origins.personal(NOISE) is None


def test_of_whom_a_dataset_is_is_said_without_the_name_of_a_part(city: Rig) -> None:
    city.consents()
    with pytest.raises(NotFound):
        city.office.change(NOISE, "", Changes(is_personal=True))
    city.add(city.file(body=PEOPLE))
    told = city.office.change(NOISE, "", Changes(is_personal=True, column="resident", consent="register"))
    assert (told.part, told.is_personal) == ("noise.csv", True)
    assert city.origins.personal(NOISE) == Personal("resident", "register")
    with pytest.raises(NotFound):
        city.office.change(NOISE, "", Changes(is_personal=True, media_type="text/csv"))
    with pytest.raises(NotFound):
        city.office.change(NOISE, "other.csv", Changes(is_personal=False))


PARTS = {
    "homes.csv": b'\xef\xbb\xbfrespondent;kwh\n"r-1";3\n',
    "homes.jsonl": b'{"kwh": 3}\n{"respondent": "r-1", "kwh": 4}\n',
    "only-head.csv": b"respondent,kwh",
}


@pytest.mark.parametrize("name", [*PARTS, "homes.parquet"])
def test_a_column_that_no_part_has_is_found_where_it_is_named(city: Rig, name: str) -> None:
    city.consents()
    body = PARTS.get(name) or parquet_of({"respondent": ["r-1"], "kwh": [3]})
    city.add(city.file(name, body))
    city.add(city.file("read-me.txt", b"What the columns mean."))
    wrong = Changes(is_personal=True, column="respondnt", consent="register")
    with pytest.raises(Malformed, match="has no column respondnt") as refused:
        city.office.change(NOISE, "", wrong)
    assert "respondent" in refused.value.message
    assert city.origins.personal(NOISE) is None
    city.office.change(NOISE, "", Changes(is_personal=True, column="respondent", consent="register"))
    assert city.office.test(NOISE, name, whole=True).trouble == ""
    assert city.office.test(NOISE, "read-me.txt", whole=True).trouble == ""


def test_so_is_it_when_an_origin_is_added_and_nothing_is_written_then(city: Rig) -> None:
    city.consents()
    with pytest.raises(Malformed, match="it has: resident, person, n"):
        city.add(city.file(body=PEOPLE), is_personal=True, column="residnt", consent="register")
    with pytest.raises(NotFound, match="nosuch"):
        city.add(city.file(body=PEOPLE), is_personal=True, column="resident", consent="nosuch")
    assert city.office.list() == []
    assert city.origins.personal(NOISE) is None


def test_a_part_that_lost_its_column_later_is_trouble_that_names_no_value_of_it(city: Rig) -> None:
    city.consents()
    path = city.file("folder/a.csv", PEOPLE)
    city.file("folder/b.csv", PEOPLE)
    city.add(path.parent, part="all", is_personal=True, column="resident", consent="register")
    stop = threading.Event()
    assert city.parts.digests.round(stop) == 1
    assert city.office.list()[0].trouble == ""
    path.write_bytes(b"r-1,7\nr-2,8\n")  # without its head: what stands there is somebody
    told = city.office.test(NOISE, "all", whole=True)
    assert "all/a.csv has no column resident" in told.trouble
    assert "r-1" not in told.trouble
    path.write_bytes(PEOPLE)
    assert city.office.test(NOISE, "all", whole=True).trouble == ""


def test_a_record_that_speaks_of_residents_marks_its_data_whatever_was_said_with_the_origin(city: Rig) -> None:
    iri = f"{BASE}/datasets/diaries"
    flag = f"<{iri}> <https://w3id.org/dpv#hasPersonalData> <https://w3id.org/dpv#SensitivePersonalData> .\n"
    said = "".join(sorted([*payload(iri).decode().splitlines(keepends=True), flag])).encode()
    with city.journals.db.write() as tx:
        city.journals.append(tx, "shut", [Draft(iri, "diaries", "dataset", "put", said)], at_ms=2_000)
    catch_up(city.journals, ShelfFollower())
    city.add(city.file("diaries.csv"), dataset=iri)
    assert city.origins.personal(iri) == Personal()
    city.office.change(iri, "", Changes(is_personal=True, column="a"))
    assert city.origins.personal(iri) == Personal(column="a")
    assert city.origins.personal(NOISE) is None
