"""Who is a person and who is an office, by the examples that published catalogues gave us."""

import pytest

from node.vocab.contacts import reduce
from node.vocab.ntriples import Triple, literal

ROOT = "<https://d.example/1>"
VCARD = "http://www.w3.org/2006/vcard/ns#"
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


def record(
    name: str, mail: str, kind: str = "Kind", node: str = "_:c", publisher: str = "City of Testing"
) -> list[Triple]:
    triples = [
        (ROOT, "<http://www.w3.org/ns/dcat#contactPoint>", node),
        (node, TYPE, f"<{VCARD}{kind}>"),
        (node, f"<{VCARD}fn>", literal(name)),
        (node, f"<{VCARD}hasEmail>", f"<mailto:{mail}>"),
    ]
    if publisher:
        triples += [
            (ROOT, "<http://purl.org/dc/terms/publisher>", "_:p"),
            ("_:p", "<http://xmlns.com/foaf/0.1/name>", literal(publisher)),
        ]
    return triples


@pytest.mark.parametrize(
    ("name", "mail", "kind"),
    [
        ("Nick Montgomery", "nickmontgomery@cycling.example", "Kind"),
        ("Mary Anne Longacre", "maryanne.longacre@city.example", "Kind"),
        ("Jyrki Möttönen", "jyrki.mottonen@city.example", "Individual"),
        ("Jane Parker", "j.parker@city.example", "Organization"),
        ("Data Person", "anna.virtanen@city.example", "Kind"),
    ],
)
def test_no_trace_of_a_person_is_left(name: str, mail: str, kind: str) -> None:
    triples, findings = reduce(ROOT, record(name, mail, kind))
    text = " ".join(" ".join(t) for t in triples)
    assert mail not in text
    assert [f.code for f in findings] == ["contact-reduced"]
    if name != "Data Person":
        assert name not in text
        assert "City of Testing" in text


@pytest.mark.parametrize(
    ("name", "mail"),
    [
        ("Stad Antwerpen", "info@antwerpen.example"),
        ("Open Data Team", "opendata@city.example"),
        ("Kaupunkiympäristön toimiala", "kaupunkiymparisto@hel.example"),
        ("City GIS", "gis@city.example"),
        ("Bibliotheek Gent", "bibliotheek@stad.example"),
        ("Urban Environment Division", "urban.environment@city.example"),
    ],
)
def test_offices_stay_as_they_are(name: str, mail: str) -> None:
    triples = record(name, mail)
    assert reduce(ROOT, triples) == (triples, [])


def test_reducing_twice_gives_what_reducing_once_gave() -> None:
    once, _ = reduce(ROOT, record("Jane Doe", "jane.doe@x.example", "Individual", publisher="Jane Smith"))
    assert sorted(reduce(ROOT, once)[0]) == sorted(once)


def test_the_address_of_a_person_goes_too() -> None:
    triples, _ = reduce(ROOT, record("Jane Doe", "jane.doe@x.example", node="<https://x.example/people/jane.doe>"))
    assert "jane.doe" not in str(triples)


def test_without_an_office_to_name_the_contact_goes() -> None:
    triples, _ = reduce(ROOT, record("Jane Doe", "jane.doe@x.example", publisher=""))
    assert triples == []
