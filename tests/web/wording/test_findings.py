"""Laws of findings: what is to be written otherwise is said in the reader's language, and nothing of it is lost."""

import pytest

from node.records import Finding
from node.vocab.check import problem_of_absence, problem_of_number, problem_of_table, problem_of_value
from node.vocab.rules import DISTRIBUTION, Rule
from node.vocab.terms import DCATAP, DCT
from node.web.wording.findings import views
from node.web.wording.words import LANGUAGES

FORMATS = "http://publications.europa.eu/resource/authority/file-type/"


def said(message: str, reader: str, path: str = DCT.format) -> tuple[str, str]:
    (one,) = views([Finding("x", "recommended", path, message)], reader)
    return one.text, one.lang


def test_an_unknown_format_is_said_with_the_word_that_the_source_wrote() -> None:
    message = "'Excel-taulukko (vanha)' is no format of the EU's list. Write one, as CSV."
    assert said(message, "sv") == (
        "”Excel-taulukko (vanha)” är inget format i EU:s lista. Skriv ett av dess format, till exempel CSV.",
        "",
    )
    assert said(message, "en") == (message, "")


def test_a_value_from_outside_its_list_names_the_list_and_how_often_it_was_seen() -> None:
    message = f"Choose the format (dct:format) from {FORMATS}. Seen at 1 distribution."
    assert said(message, "sv") == (f"Välj ett värde i listan {FORMATS}. Filer och tjänster: 1.", "")


@pytest.mark.parametrize("values", ["iri", "text", "literal", "moment", "size", "decimal", "duration", "hex"])
@pytest.mark.parametrize("reader", [code for code in LANGUAGES if code != "en"])
def test_every_sentence_of_the_rules_has_words(values: str, reader: str) -> None:
    rule = Rule(DCT.title, "title", "a title", values, table=(FORMATS,))  # type: ignore[arg-type]
    for _, message in (problem_of_value(rule), problem_of_number(rule), problem_of_table(rule)):
        text, lang = said(message, reader, DCT.title)
        assert (lang, text != message) == ("", True), message


@pytest.mark.parametrize(("reader", "stable"), [("fi", "pysyvä (STABLE)"), ("sv", "stabil (STABLE)")])
def test_what_a_planned_availability_may_be_is_said_by_names_and_codes(reader: str, stable: str) -> None:
    (rule,) = (each for each in DISTRIBUTION.rules if each.path == DCATAP.availability)
    text, lang = said(problem_of_absence(rule)[1], reader, DCATAP.availability)
    assert lang == ""
    assert stable in text
    assert all(code in text for code in ("TEMPORARY", "EXPERIMENTAL", "AVAILABLE"))


def test_what_has_no_words_is_marked_as_english() -> None:
    assert said("Something else is odd.", "fi") == ("Something else is odd.", "en")
