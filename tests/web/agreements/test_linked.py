"""Laws of what tells agreements apart: clauses name what may be seen by its title with a link, rows who and what."""

from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from node.federation.agreements.records import Statement, payload_of, record_in
from node.federation.agreements.text import read_text
from node.web.agreements.named import Place, linked, title_of
from node.web.search.agreed import agreed_in
from node.web.wording.words import LANGUAGES
from tests.web.agreements.test_view import HELSINKI, MADE, NAMES, text  # noqa: F401 (a fixture)


@dataclass(frozen=True)
class Named:
    """What is asked of a collection here."""

    name: str
    iri: str
    title: str


PLANS = f"{HELSINKI}/collections/plans"


def test_a_collection_is_named_by_its_title_with_a_link_and_its_address_stays() -> None:
    places = {PLANS: Place("Plans & maps", "/collections/plans")}
    named = linked(f"This agreement covers: Plans & maps <{PLANS}>.", places, lambda path: f"/x{path}?lang=sv")
    assert named == (
        f'This agreement covers: <a href="/x/collections/plans?lang=sv">Plans &amp; maps</a> &lt;{PLANS}&gt;.'
    )


def test_a_title_in_another_language_is_marked_and_takes_the_place_of_the_one_that_was_written() -> None:
    said = f"Helsinki öppnar detta för London: Kaavat <{PLANS}>."
    marked = linked(said, {PLANS: Place("Kaavat", "/c", "fi", "på finska")}, str)
    assert f': <a href="/c" lang="fi">Kaavat</a> <span class="lang">på finska</span> &lt;{PLANS}&gt;.' in marked
    bare = linked(said, {PLANS: Place("Kaavat", lang="fi", mark="på finska")}, str)
    assert f': <span lang="fi">Kaavat</span> <span class="lang">på finska</span> &lt;{PLANS}&gt;.' in bare
    known = linked(said, {PLANS: Place("Detaljplaner", written="Kaavat")}, str)
    assert f": Detaljplaner &lt;{PLANS}&gt;." in known


def test_a_title_in_another_language_is_known_as_such_and_one_that_nodes_give_is_said() -> None:
    info = Named("plans", PLANS, "Kaavat")
    assert (title_of(cast("Any", info), "sv", "fi").lang, title_of(cast("Any", info), "fi", "fi").lang) == ("fi", "")
    given = title_of(cast("Any", replace(info, title="Practices")), "sv", "en")
    assert (given.text, given.lang) == ("Arbetssätt", "")
    assert title_of(cast("Any", replace(info, name="london/plans")), "sv", "fi").lang == "", (
        "another city does not say it"
    )


def test_a_sentence_without_the_title_gets_it_and_one_of_a_stranger_stays_text() -> None:
    places = {PLANS: Place("Plans", "/collections/plans")}
    assert '<a href="/collections/plans">Plans</a>' in linked(f"<{PLANS}>", places, str)
    assert linked("<script>", places, str) == "&lt;script&gt;"
    assert linked(f"<{PLANS}>", {}, str) == f"&lt;{PLANS}&gt;", "what the reader may not see has no title here"


@pytest.mark.parametrize("reader", LANGUAGES)
def test_a_row_says_who_opens_what_to_whom_and_since_when(text: str, reader: str) -> None:  # noqa: F811 (the fixture)
    made = read_text(text)
    record = record_in(made.iri, HELSINKI)
    payload = payload_of(record, made, Statement(made.iri, text, "in-force", ""), at_ms=MADE)
    way, facts = agreed_in(record, payload, reader, lambda url: NAMES.get(url, url), {PLANS: "Kaupungin kaavat"})
    assert "Helsinki" in way
    assert "London" in way
    covers, begins = facts
    assert covers.said.text == "Kaupungin kaavat"
    assert "2027" in begins.said.text
    _, (hidden, _) = agreed_in(record, payload, reader, str, {})
    assert hidden.said.text == "plans", "of what is not public nothing but the end of its address"


def test_a_record_without_an_agreement_says_nothing() -> None:
    assert agreed_in("https://x.example/agreements/a", b"", "en", str, {}) == ("", ())
