"""Bytes that an agreement limits: counted for transfers alone, unknown everywhere else, and said in every language."""

import pytest

from node.db import Database
from node.federation.data.quotas import Measure, reserve
from node.federation.policy import quantities
from node.keys import Keyring
from tests.federation.agreed import permits
from tests.federation.agreement_rig import PLANS, US
from tests.federation.rights.test_decisions import City

MOST = {"leftOperand": "https://w3id.org/citynode/odrl#volume", "operator": "lteq", "rightOperand": "1000"}
LESS = {**MOST, "rightOperand": "400"}
DATASET = f"{US}/datasets/noise"


@pytest.fixture
def city(db: Database, keyring: Keyring) -> City:
    return City(db, keyring)


def delivered(city: City, agreement: str, many: int, target: str = PLANS) -> None:
    measure = Measure(agreement, f"{agreement}#p1", target, 10**9)
    with city.db.write() as tx:
        assert reserve(tx, [measure], many, least=many) == many


def test_a_use_is_permitted_until_all_bytes_went_and_says_what_measures_it(city: City) -> None:
    iri = city.agree(permits("use", constraint=[MOST]))
    found = city.asks("use")
    assert (found.measures, found.target) == (((f"{iri}#p1", 1_000),), PLANS)
    delivered(city, iri, 999)
    assert city.asks("use")
    delivered(city, iri, 1)
    found = city.asks("use")
    assert (found.allowed, found.code, found.operand, found.measures) == (False, "not-satisfied", "volume", ())


def test_of_several_limits_the_least_measures(city: City) -> None:
    iri = city.agree(permits("use", constraint=[MOST, LESS]))
    assert city.asks("use").measures == ((f"{iri}#p1", 400),)
    joined = city.agree(permits("use", constraint=[{"or": [LESS, MOST]}]))
    assert city.asks("use", under=joined, bound=True).measures == ((f"{joined}#p1", 400),)


def test_a_use_that_goes_on_is_not_ended_by_its_own_bytes(city: City) -> None:
    iri = city.agree(permits("use", constraint=[MOST]))
    delivered(city, iri, 1_000)
    assert city.asks("use", used=f"{iri}#p1")
    assert city.asks("use", used=f"{iri}#p1").measures == ((f"{iri}#p1", 1_000),)


def test_what_nobody_measures_is_not_permitted_by_a_measure(city: City) -> None:
    city.agree(permits("index", "read", constraint=[MOST]))
    for action in ("index", "read"):
        found = city.asks(action)
        assert (found.allowed, found.code, found.operand) == (False, "unknown", "volume")


def test_bytes_of_another_target_do_not_count(city: City) -> None:
    iri = city.agree(permits("use", constraint=[MOST]), covers=[PLANS, DATASET], target=f"{US}/collections/both")
    delivered(city, iri, 1_000, DATASET)
    assert city.asks("use")
    assert not city.asks("use", collection="", record=DATASET)


@pytest.mark.parametrize(
    ("text", "en", "fi", "sv"),
    [
        ("5000000000", "5 GB", "5 Gt", "5 GB"),
        ("1500000", "1,500 kB", "1\u00a0500 kt", "1\u00a0500 kB"),
        ("12", "12 bytes", "12 tavua", "12 byte"),
        ("0", "0 bytes", "0 tavua", "0 byte"),
        ("1000000000000000", "1,000 TB", "1\u00a0000 Tt", "1\u00a0000 TB"),
    ],
)
def test_bytes_are_said_in_the_largest_unit_that_is_exact(text: str, en: str, fi: str, sv: str) -> None:
    for lang, said in (("en", en), ("fi", fi), ("sv", sv)):
        form = quantities.bytes_form(lang)
        assert form.say(text) == said
