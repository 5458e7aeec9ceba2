"""Laws of what tells agreements apart: clauses name what may be seen by its title with a link, rows who and what."""

import pytest

from node.federation.agreements.records import Statement, payload_of, record_in
from node.federation.agreements.text import read_text
from node.web.agreements.page import Place, linked
from node.web.search.agreed import agreed_in
from node.web.wording.words import LANGUAGES
from tests.web.agreements.test_view import HELSINKI, MADE, NAMES, text  # noqa: F401 (a fixture)

PLANS = f"{HELSINKI}/collections/plans"


def test_a_collection_is_named_by_its_title_with_a_link_and_its_address_stays() -> None:
    places = {PLANS: Place("Plans & maps", "/collections/plans")}
    named = linked(f"This agreement covers: Plans & maps <{PLANS}>.", places, lambda path: f"/x{path}?lang=sv")
    assert named == (
        f'This agreement covers: <a href="/x/collections/plans?lang=sv">Plans &amp; maps</a> &lt;{PLANS}&gt;.'
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
