"""Whatever the exporting city changes in its export of evidence is found, though it signs anew."""

from collections.abc import Callable

import pytest

from tests.federation.evidence.bundle_rig import Made, Said, keys_of, sentences
from tests.federation.signing_rig import HELSINKI, LONDON

pytestmark = pytest.mark.slow  # several nodes, and hundreds of verifications


# ---------------------------------------------------------------- whoever exports may lie


def first(told: Said) -> Said:
    entry: Said = told["journal"]["entries"][0]
    return entry


def bend_payload(told: Said) -> None:
    first(told)["payload"] = first(told)["payload"].replace('\\"bytes\\":8', '\\"bytes\\":9')


def swap_payloads(told: Said) -> None:
    entries = told["journal"]["entries"]
    entries[0]["payload"], entries[1]["payload"] = entries[1]["payload"], entries[0]["payload"]


def drop_city(url: str) -> Callable[[Said], None]:
    def act(told: Said) -> None:
        told["cities"] = [each for each in told["cities"] if each["url"] != url]

    return act


def bend_agreement(told: Said) -> None:
    told["agreements"][0]["text"] = told["agreements"][0]["text"].replace("luonnokset", "luonnoksia")


def younger(told: Said) -> None:
    """Let a city's list say that the keys of all cities had ended before."""
    for city in told["cities"]:
        for key in city["keys"]:
            if key["purpose"] == "record":
                key["until"] = "2026-12-31T00:00:00.000Z"


def swap_keys(told: Said) -> None:
    one, two = told["cities"]
    one["keys"], two["keys"] = two["keys"], one["keys"]


def agreement_in(told: Said) -> Said:
    found: Said = told["agreements"][0]
    return found


LIES: dict[str, tuple[Callable[[Said], object], str]] = {
    "an entry twice": (lambda told: told["journal"]["entries"].append(first(told)), "is there twice"),
    "entries in another order": (lambda told: told["journal"]["entries"].reverse(), "stands behind entry"),
    "an agreement twice": (lambda told: told["agreements"].append(told["agreements"][0]), "is in the file twice"),
    "another day of export": (lambda told: told.update(exported="2999-01-01T00:00:00.000Z"), "not signed when"),
    "a day of export that is none": (lambda told: told.update(exported="lie"), "RFC 3339"),
    "an agreement of another day": (
        lambda told: told["agreements"][0].update(exported="2999-01-01T00:00:00.000Z"),
        "exported in the future",
    ),
    "each other's keys": (swap_keys, "is said to be of"),
    "its own key as the other's": (
        lambda told: keys_of(told, HELSINKI).append(keys_of(told, LONDON)[-1]),
        "is said to be of",
    ),
    "a key twice": (lambda told: keys_of(told, LONDON).append(keys_of(told, LONDON)[0]), "names a key twice"),
    "an endorsement of nothing": (lambda told: keys_of(told, LONDON)[0].update(endorsement="x"), "other members"),
    "more about a key": (lambda told: keys_of(told, LONDON)[0]["jwk"].update(note="x"), "other members"),
    "a use of a key": (lambda told: keys_of(told, LONDON)[0]["jwk"].update(use="sig"), "other members"),
    "blanks behind a statement": (
        lambda told: told["cities"][1].update(statement=told["cities"][1]["statement"] + "\n \n"),
        "which nobody signed",
    ),
    "more about a city": (lambda told: told["cities"][0].update(note="x"), "other members"),
    "more about an entry": (lambda told: first(told).update(note="x"), "other members"),
    "more about the journal": (lambda told: told["journal"].update(note="x"), "other members"),
    "more about an agreement": (lambda told: told["agreements"][0].update(note="x"), "other members"),
    "more bytes than both signed": (bend_payload, "is not the one that the entry names"),
    "statements under each other's entries": (swap_payloads, "is not the one that the entry names"),
    "another opening": (lambda told: first(told)["opening"].update(slug="x"), "does not commit"),
    "another time": (lambda told: first(told)["entry"].update(at="2027-01-15T07:00:00.000Z"), "not in the tree"),
    "another place in the tree": (lambda told: first(told)["inclusion"].update(leaf_index=1), "not in the tree"),
    "an entry without its opening": (lambda told: first(told).update(opening=None), "no statement of evidence"),
    "an entry without its statement": (lambda told: first(told).pop("payload"), "has no statement"),
    "no entries": (lambda told: told["journal"].update(entries=[]), "1 to 1000 entries"),
    "another journal": (
        lambda told: told["journal"].update(collection=f"{HELSINKI}/collections/evidence"),
        "not the evidence of",
    ),
    "another checkpoint": (
        lambda told: told["journal"].update(checkpoint=told["journal"]["checkpoint"].replace("\n3\n", "\n4\n")),
        "does not hold",
    ),
    "a cosignature of nothing": (
        lambda told: told["journal"].update(checkpoint=told["journal"]["checkpoint"][:-8] + "AAAAAA=\n"),
        "",
    ),
    "a pinned city left out": (drop_city(HELSINKI), "the file has no such city"),
    "an entry left out": (lambda told: told["journal"]["entries"].pop(), "does not hold the 3 statements"),
    "another selection": (lambda told: told["selection"].update(kind="cut"), "that it was made of: kind cut"),
    "a selection that is none": (lambda told: told.update(selection=[]), "selection of the export has other members"),
    "a city twice": (lambda told: told["cities"].append(told["cities"][0]), "twice"),
    "an agreement with another text": (bend_agreement, "does not hold"),
    "a statement of another city": (
        lambda told: told["cities"][0].update(url="https://rome.example"),
        "rome.example does not hold",
    ),
    "keys that had ended": (younger, "not in force"),
    "another federation": (lambda told: told.update(federation="urn:other"), "belongs to another federation"),
    "another meaning of its words": (lambda told: told.update({"@context": ["x"]}), "no export of evidence"),
    "a journal that is none": (
        lambda told: agreement_in(told).update(journals=[{"a": 1}]),
        "not one of the two parties",
    ),
    "a journal of nobody's": (
        lambda told: agreement_in(told)["journals"][0].update(city="https://rome.example"),
        "not one of the two parties",
    ),
    "a journal called otherwise": (
        lambda told: agreement_in(told)["journals"][0].update(collection=f"{HELSINKI}/collections/x"),
        "about this pair of cities is",
    ),
    "a note where a key's endorser stands": (
        lambda told: keys_of(told, LONDON)[0].update(endorsed_by="the agreement is void"),
        "other members",
    ),
    "a member too many": (lambda told: told.update(extra=1), "no export of evidence"),
    "cities that are no list": (lambda told: told.update(cities={}), "no list"),
    "a city that is no city": (lambda told: told["cities"].append({"url": 1}), "no address"),
    "an agreement that is none": (lambda told: told["agreements"].append({"cities": [1]}), "does not hold"),
    "numbers where texts belong": (lambda told: first(told).update(entry=5), "entry"),
}


@pytest.mark.parametrize("case", LIES)
def test_whatever_the_exporting_city_changes_is_found_though_it_signs_anew(made: Made, case: str):
    lie, said = LIES[case]
    told = made.told
    lie(told)
    report = made.judged(made.signed(told))
    assert report.verdict == "refuted"
    assert said in sentences(report, holds=False)
