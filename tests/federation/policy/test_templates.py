import json
from importlib.resources import files
from typing import Any

import pytest

from node.errors import Malformed, NotFound
from node.federation.agreements.text import compose
from node.federation.policy import read_rules, wording
from node.federation.policy.purposes import LABELS
from node.federation.policy.sentences import Parties, Terms, plain
from node.federation.policy.templates import Place, Template, agreement_title, fill, template_named, templates

OF_A_KIND: dict[str, str] = {
    "text": "Something in one line",
    "texts": "data@helsinki.example, data@london.example",
    "iri": "https://helsinki.example/declarations/1",
    "iris": "https://helsinki.example/collections/plans, https://london.example",
    "purposes": "PublicPolicyMaking, AcademicResearch",
    "day": "2028-12-31",
    "duration": "P30D",
    "count": "1000",
    "flag": "yes",
}
NO_VALUE: dict[str, list[Any]] = {
    "text": ["a\nb", 7],
    "texts": [["a\x00"], [""]],
    "iri": ["London", "_:x", "https://a b"],
    "iris": ["https://a.example,b", [["x"]]],
    "purposes": ["PublicPolicy", "https://example.org/purpose"],
    "day": ["31.12.2028", "2028-02-30", "20281231", "9999-12-31", "2028-12-31T00:00:00Z"],
    "duration": ["30 days", "P", "30"],
    "count": ["0", "-1", "1.5", "many"],
    "choice": ["whatever"],
    "flag": ["maybe"],
}
IDS = [one.id for one in templates()]
PLACES = [(template, place) for template in templates() for place in template.places]


def value_of(place: Place) -> str:
    if place.name == "starts":
        return "2027-01-01"
    return next(iter(place.choices)) if place.kind == "choice" else OF_A_KIND[place.kind]


def needed(template: Template) -> dict[str, str]:
    return {place.name: value_of(place) for place in template.places if place.needed}


def every(template: Template) -> dict[str, str]:
    return {place.name: value_of(place) for place in template.places}


def test_the_six_templates_are_there() -> None:
    assert IDS == [
        "digital-declaration/1",
        "innovators-access/1",
        "open-metadata/1",
        "personal-data/1",
        "practices/1",
        "restricted-data/1",
    ]
    with pytest.raises(NotFound, match="no template"):
        template_named("anything/1")


@pytest.mark.parametrize("template", templates(), ids=IDS)
@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_filled_with_what_is_needed_or_with_everything_it_is_an_agreement_in_every_language(
    template: Template, lang: str
) -> None:
    for values in (needed(template), every(template)):
        about, rules = fill(template, values, lang=lang)
        text = compose("urn:a", "urn:t", "https://h.example", "https://l.example", 0, about, rules)
        assert text.about["template"] == template.id
        assert "{" not in text.text.replace('":{', "").replace("[{", "").replace(",{", "")[1:]
        assert plain(Terms(text.policy, about, Parties("Helsinki", "London")), lang)


@pytest.mark.parametrize("template", templates(), ids=IDS)
def test_every_text_for_people_is_written_in_the_three_languages(template: Template) -> None:
    said = [template.title, template.summary]
    said += [one for place in template.places for one in (place.title, place.help, *place.choices.values())]
    assert all(set(one) == set(wording.LANGUAGES) and all(one.values()) for one in said)


@pytest.mark.parametrize("template", templates(), ids=IDS)
def test_every_place_changes_what_is_agreed(template: Template) -> None:
    whole = fill(template, every(template))
    for place in template.places:
        other = {
            "flag": "no", "day": "2028-06-30", "duration": "P7D", "count": "7", "purposes": "PublicBenefit",
            "choice": list(place.choices)[-1] if place.choices else "",
        }.get(place.kind, "https://other.example")  # fmt: skip
        assert fill(template, every(template) | {place.name: other}) != whole, place.name


@pytest.mark.parametrize("template", templates(), ids=IDS)
def test_an_unknown_place_is_refused_with_those_that_there_are(template: Template) -> None:
    with pytest.raises(Malformed, match="has no place") as caught:
        fill(template, needed(template) | {"colour": "blue"})
    assert all(place.name in caught.value.fix for place in template.places)


@pytest.mark.parametrize(("template", "place"), PLACES, ids=lambda one: getattr(one, "id", None) or one.name)
def test_a_value_of_another_kind_or_a_missing_one_is_refused_with_what_to_write(
    template: Template, place: Place
) -> None:
    wrong = [
        *NO_VALUE[place.kind],
        *([""] if place.needed else []),
        *([] if place.kind != "day" else [["2028-01-01"] * 2]),
    ]
    for value in wrong:
        with pytest.raises(Malformed, match=f"^{place.name}:") as caught:
            fill(template, every(template) | {place.name: value}, lang="fi")
        assert caught.value.fix == place.help["fi"]


def test_too_many_values_are_refused() -> None:
    many = [f"https://example.org/{number}" for number in range(101)]
    with pytest.raises(Malformed, match="at most 100"):
        fill("open-metadata/1", {"covers": many})


def test_a_purpose_is_taken_by_its_name_and_a_near_one_is_suggested() -> None:
    values = needed(template_named("restricted-data/1"))
    by_name = fill("restricted-data/1", values | {"purposes": "PublicBenefit"})
    assert by_name == fill("restricted-data/1", values | {"purposes": ["https://w3id.org/dpv#PublicBenefit"]})
    assert by_name == fill("restricted-data/1", values | {"purposes": "dpv:PublicBenefit,PublicBenefit"})
    with pytest.raises(Malformed, match="PublicPolicyMaking"):
        fill("restricted-data/1", values | {"purposes": "PublicPolicyMakin"})


def test_the_last_day_is_included_and_copies_are_deleted_a_while_after_it() -> None:
    values = needed(template_named("restricted-data/1")) | {"ends": "2028-12-31", "delete_after": "P1M"}
    _, rules = fill("restricted-data/1", values)
    policy = read_rules(rules, policy_id="urn:a")
    (end,) = (one for one in policy.permissions[0].constraints)
    assert end.right == ("2029-01-01T00:00:00Z",)
    assert policy.permissions[0].duties[0].constraints[0].right == ("2029-02-01T00:00:00Z",)
    _, rules = fill("restricted-data/1", values | {"delete_after": ""})
    assert read_rules(rules, policy_id="urn:a").permissions[0].duties[0].constraints == ()


def test_a_day_that_the_calendar_does_not_reckon_is_not_called_no_day() -> None:
    for day, code in (("1900-01-01", "years"), ("9999-12-31", "years"), ("2028-02-30", "day")):
        with pytest.raises(Malformed) as told:
            fill("open-metadata/1", {"ends": day})
        assert told.value.place_codes == (code,)


def test_a_title_of_a_template_is_said_in_a_readers_language_and_any_other_stays() -> None:
    assert agreement_title("Practices between cities", "sv") == template_named("practices/1").title["sv"]
    assert agreement_title("Half typed", "sv") == "Half typed"


def test_an_agreement_cannot_end_before_it_starts() -> None:
    with pytest.raises(Malformed, match="2026-12-31 is before starts, 2027-01-01"):
        fill("open-metadata/1", {"starts": "2027-01-01", "ends": "2026-12-31"})
    fill("open-metadata/1", {"starts": "2027-01-01", "ends": "2027-01-01"})


def test_title_and_notes_are_written_in_the_language_that_is_asked_for() -> None:
    values = needed(template_named("restricted-data/1")) | {"note": "Ja muuta."}
    about, _ = fill("restricted-data/1", values, lang="fi")
    assert about["title"] == "Rajoitettu data"
    assert about["note"] == "Data ei sisällä henkilötietoja. Ja muuta."


def test_only_what_a_place_says_is_left_out_of_the_rules() -> None:
    """A clause may carry `if`, but a constraint may not vanish because its value was forgotten: then filling fails."""
    folder = files("agreements").joinpath("templates")
    for template in templates():
        document = json.loads(folder.joinpath(template.id.partition("/")[0] + ".json").read_text())
        optional = {place.name for place in template.places if not place.needed and not place.default}
        for clause in [one for listed in document["clauses"].values() for one in listed]:
            said = str(clause.get("rightOperand", ""))
            for name in optional:
                onward = name == "onward"  # the rule that uses it carries the condition
                assert f"{{{name}" not in said or clause.get("if") == name or onward, (template.id, clause)


@pytest.mark.parametrize(("template", "place"), PLACES, ids=lambda one: getattr(one, "id", None) or one.name)
def test_help_names_nothing_that_only_machines_write_and_no_choice_is_made_for_anybody(
    template: Template, place: Place
) -> None:
    """A choice is a statement of law; what a form shows are its sentences, and what commands write stands apart."""
    machine = [*place.choices, ".json", *(place.example.split(", ") if place.example else ())]
    for lang, said in place.help.items():
        assert not [word for word in machine if word in said.replace("yes", "")], (lang, said)
        assert " yes" not in said, (lang, said)
    if place.kind == "choice":
        assert place.default == "", template.id
    if place.example:
        assert fill(template, every(template) | {place.name: place.example})


def test_everything_that_is_left_out_is_said_at_once_and_by_its_place() -> None:
    with pytest.raises(Malformed) as caught:
        fill("personal-data/1", {"delete_after": "30 days"})
    assert [pointer for pointer, _ in caught.value.places] == [
        "/values/purposes", "/values/ends", "/values/delete_after", "/values/legal_basis", "/values/transfer_basis",
    ]  # fmt: skip
    assert caught.value.place_codes == ("empty", "empty", "duration", "empty", "empty")
    legal = caught.value.places[3][1]
    assert all(name in legal for name in ("Consent", "PublicInterest")), "commands are told the names, too"


def test_any_purpose_at_all_is_called_so_in_every_language() -> None:
    """The top of the vocabulary is no purpose among others: whoever chooses it lifts the limit."""
    said = {lang: label.casefold() for lang, label in LABELS["https://w3id.org/dpv#Purpose"].items()}
    assert said == {"en": "any purpose", "fi": "mikä tahansa tarkoitus", "sv": "vilket ändamål som helst"}
