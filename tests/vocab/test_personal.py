"""Laws of personal data: which payloads contain some, and which numbers in a text are a person's."""

import pytest

from node.vocab.personal import CARRIERS, contains, mobiles_in, numbers_in
from node.vocab.terms import DPV

RECORD = "https://helsinki.example/datasets/visits"


def payload(*classes: str) -> bytes:
    lines = [f'<{RECORD}> <http://purl.org/dc/terms/title> "Visits <{DPV.hasPersonalData}> <x> .\\n"@en .\n']
    lines += [f"<{RECORD}> <{DPV.hasPersonalData}> <{each}> .\n" for each in classes]
    return "".join(sorted(lines)).encode()


@pytest.mark.parametrize("kind", sorted(CARRIERS))
@pytest.mark.parametrize(
    "what", [DPV.PersonalData, DPV.PseudonymisedData, DPV.SensitivePersonalData, "https://w3id.org/dpv/pd#Location"]
)
def test_what_carries_data_contains_what_it_is_flagged_with(kind: str, what: str) -> None:
    assert contains(kind, payload(what)) == what
    assert contains(kind, payload(DPV.AnonymisedData, what)) == what


@pytest.mark.parametrize("what", [DPV.AnonymisedData, DPV.NonPersonalData, f"{DPV.NS}SyntheticData"])
def test_data_that_is_nobodys_is_not_personal(what: str) -> None:
    assert contains("dataset", payload(what)) == ""
    assert contains("dataset", payload()) == ""


@pytest.mark.parametrize("kind", ["practice", "ai-system", "challenge", "adoption"])
def test_what_only_speaks_of_personal_data_contains_none(kind: str) -> None:
    assert contains(kind, payload(DPV.PersonalData)) == ""


TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
PLACES = (
    "https://w3id.org/dpv#",
    "http://w3id.org/dpv#",
    "http://www.w3.org/ns/dpv#",
    "https://www.w3.org/ns/dpv#",
    "https://w3id.org/dpv/owl#",
    "https://w3id.org/dpv/dpv-owl#",
    "https://W3ID.org/dpv#",
)
FLAGGED = (
    *(f"<{place}hasPersonalData> <{place}PersonalData>" for place in PLACES),
    *(f'<{place}hasPersonalData> "true"' for place in PLACES),
    *(f"<{place}hasData> <{place}SensitivePersonalData>" for place in PLACES),
    *(f"<{TYPE}> <{place}PersonalData>" for place in PLACES),
    f'<{DPV.hasPersonalData}> "true"^^<http://www.w3.org/2001/XMLSchema#boolean>',
    *(
        f'<{DPV.hasPersonalData}> "{said}"@en'
        for said in ("personal", "Not anonymised", "", 'say \\"no\\"!', "dpv:PersonalData")
    ),
    *(f"<{DPV.NS}hasData> <{DPV.NS}{name}>" for name in ("PersonalData", "PseudonymisedData", "InferredPersonalData")),
    f"<{DPV.NS}hasData> <https://w3id.org/dpv/pd#Location>",
    f"<{DPV.NS}hasData> <https://w3id.org/dpv/dpv-pd#Location>",
    "<https://w3id.org/dpv#hasPersonalDataCategory> <https://city.example/terms#home>",
)
NOT_FLAGGED = (
    *(f"<{place}hasPersonalData> <{place}AnonymisedData>" for place in PLACES),
    *(f"<{place}hasData> <{place}NonPersonalData>" for place in PLACES),
    *(f"<{TYPE}> <{place}AnonymisedData>" for place in PLACES),
    *(
        f'<{DPV.hasPersonalData}> "{said}"'
        for said in ("false", "None", "anonymised", "non-personal", "Ei henkilötietoja", "dpv:NonPersonalData")
    ),
    f'<{DPV.hasPersonalData}> "false"^^<http://www.w3.org/2001/XMLSchema#boolean>',
    f"<{DPV.NS}hasData> <https://w3id.org/dpv#Data>",
    f'<http://purl.org/dc/terms/title> "x> <{DPV.hasPersonalData}> <{DPV.PersonalData}> ."',
)


def said(*lines: str) -> bytes:
    return "".join(sorted(f"<{RECORD}> {line} .\n" for line in lines)).encode()


@pytest.mark.parametrize("flag", FLAGGED)
def test_personal_data_is_seen_however_it_is_spelt(flag: str) -> None:
    assert contains("dataset", said(flag))
    assert contains(
        "dataset", said(flag, f"<{DPV.hasPersonalData}> <{DPV.AnonymisedData}>", '<http://a.example/z> "z"')
    )
    assert contains("practice", said(flag)) == ""


@pytest.mark.parametrize("flag", NOT_FLAGGED)
def test_what_is_clearly_nobodys_is_let_through_however_it_is_spelt(flag: str) -> None:
    assert contains("dataset", said(flag)) == ""


@pytest.mark.parametrize("name", ["Dataset", "DatasetSeries", "DataService"])
def test_another_kind_that_is_a_dataset_as_well_carries_data(name: str) -> None:
    flag = f"<{DPV.hasPersonalData}> <{DPV.PersonalData}>"
    assert contains("practice", said(flag, f"<{TYPE}> <http://www.w3.org/ns/dcat#{name}>")) == DPV.PersonalData
    assert contains("practice", said(flag, f"<{TYPE}> <http://www.w3.org/ns/dcat#Resource>")) == ""


# Invented, with right check characters.
PERSONS = {
    "Finnish": ("131052-308T", "010203A0023"),
    "Swedish": ("811228-9874", "19811228-9874", "701063-2391"),
    "UK": ("AB123456C", "AB 12 34 56 C"),
    "Norwegian": ("01010750160", "010107 50160"),
    "Estonian": ("37605030299",),
}
NOBODY = (
    "131052-308U",  # wrong check character
    "131052T308T",  # a letter that stands for no century
    "320152-308T",  # no such day
    "131052-9081",  # a number for tests
    "811228-9875",
    "811328-9874",
    "GB123456C",
    "QQ123456C",
    "01010750161",
    "37605030298",
    "Decision HEL 2024-012345, section 131052",
    "ISBN 978-951-45-3081-1 of 2024-11-22",
    "https://city.example/a/37605030299/b",
)


def test_a_number_with_its_check_character_is_a_persons() -> None:
    for country, numbers in PERSONS.items():
        for number in numbers:
            (found,) = numbers_in(f"Ask for {number}, please.")
            assert (found.at, country in found.what) == (8, True), number


def test_a_number_that_is_nobodys_is_left_alone() -> None:
    assert [text for text in NOBODY if list(numbers_in(text))] == []


MOBILES = ("040 123 4567", "+358 40 123 4567", "+44 7700 900123", "07700 900123", "+46 70-174 06 05")
OTHERS = ("+358 9 310 1691", "020 7983 4000", "0405 tonnes", "70000 loads a winter", "04.12.2024")


def test_a_mobile_number_is_found_and_an_offices_and_other_numbers_are_none() -> None:
    assert [text for text in MOBILES if len(list(mobiles_in(f"Call {text}."))) != 1] == []
    assert [text for text in OTHERS if list(mobiles_in(f"Call {text}."))] == []
