"""Laws of the form of a draft and of its page: what does not fit is said beside it, other languages are marked."""

import re

import pytest

from node.assembly.clock import clock_ms
from tests.federation.cities import HELSINKI
from tests.web.desk.rig import at_desk, text_of
from tests.web.desk.sent import form_with
from tests.web.desk.test_agreements import HERE, Towns, at, name_in, towns  # noqa: F401 (a fixture)

pytestmark = pytest.mark.slow  # two whole nodes with their web applications


@pytest.mark.parametrize(
    ("template", "place", "long", "said"),
    [
        ("practices/1", "contacts", "x" * 2_100, "no plain text of 1 to 500 characters"),
        ("practices/1", "title", "x" * 2_100, "no plain text of 1 to 300 characters"),
        ("practices/1", "note", "x" * 4_001, "Write at most 4,000 characters"),
        ("practices/1", "onward", "https://x.example/" + "x" * 2_100, "Write whole addresses"),
        ("practices/1", "contacts", "\n".join(f"c{n}@x.example" for n in range(30)), "more than 20 entries"),
        ("practices/1", "review", "2020-01-01", "2020-01-01 is past"),
        ("practices/1", "ends", "9999-12-31", "too long ago or too far off"),
        ("restricted-data/1", "purposes", "x" * 2_100, "not known here"),
    ],
)
def test_a_value_that_does_not_fit_is_named_beside_its_field_and_nothing_is_lost(
    towns: Towns,  # noqa: F811 (the fixture)
    template: str,
    place: str,
    long: str,
    said: str,
) -> None:
    with at_desk(towns.helsinki.node, "editor", name="eeva") as desk:
        page = desk.get(f"{HERE}/new?template={template}&peer=london")
        sent = form_with(page.text, "sent") | {"place-starts": ["2030-01-01"], f"place-{place}": [long]}
        if template.startswith("restricted"):
            sent |= {"place-ends": ["2090-12-31"], "place-transfer_basis": ["adequacy"]}
        reply = desk.press(f"{HERE}/new", sent)
        assert reply.status_code == 400
        beside = re.search(rf'id="place-{place}-lint">(.*?)</ul>', reply.text, re.DOTALL)
        assert beside, text_of(reply)[:800]
        assert said in beside[1]
        assert f'href="#place-{place}"' in reply.text
        again = form_with(reply.text, "sent")
        assert again["place-starts"] == ["2030-01-01"]
        assert place == "purposes" or again[f"place-{place}"] == [long], "what was typed is there to be mended"


def test_as_much_as_fits_is_taken(towns: Towns) -> None:  # noqa: F811 (the fixture)
    with at_desk(towns.helsinki.node, "editor", name="eeva") as desk:
        page = desk.get(f"{HERE}/new?template=practices/1&peer=london")
        assert 'name="place-note" value="" maxlength="4000"' in re.sub(r' aria-describedby="[^"]*"', "", page.text)
        made = desk.press(f"{HERE}/new", form_with(page.text, "sent") | {"place-note": ["x" * 4_000]})
        assert made.status_code == 303, text_of(made)[:500]


def test_titles_in_another_language_are_marked_and_those_of_templates_are_said_in_the_readers(towns: Towns) -> None:  # noqa: F811 (the fixture)
    towns.helsinki.node.create_collection("models", title="City maps", visibility="restricted", at_ms=clock_ms())
    towns.helsinki.node.create_collection("habits", title="Käytännöt", visibility="restricted", at_ms=clock_ms())
    with at_desk(towns.helsinki.node, "editor", name="eeva", language="sv") as desk:
        page = desk.get(f"{HERE}/new?template=practices/1&peer=london")
        covered = [f"{HELSINKI}/collections/{name}" for name in ("models", "habits")]
        made = desk.press(f"{HERE}/new", form_with(page.text, "sent") | {"ours": covered})
        shown = desk.get(at(name_in(made))).text
        other = desk.get(at(name_in(made)) + "&lang=en").text
    marked = '<span lang="en">City maps</span> <span class="lang">på engelska</span> &lt;'
    assert marked in shown, "in the terms"
    assert f"Arbetssätt &lt;{HELSINKI}/collections/habits" in shown, "said in the reader's language"
    assert "<h1>Practices between cities</h1>" not in shown
    assert "<h1>Practices between cities</h1>" in other
    assert marked not in other.split("<details>")[0]
