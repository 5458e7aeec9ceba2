"""Laws of why something ended: our own sentences are said in the reader's language, all others stay and are marked."""

from pathlib import Path

import pytest

import node
from node.federation.answers import REQUEST_ANEW, WORDS
from node.web.wording.because import OF_RUNS, Because, of_run, of_transfer
from node.web.wording.words import LANGUAGES

UNCHANGED = "The source has not changed since the last complete run."
HARVEST = Path(node.__file__).parent / "catalog"


def test_every_sentence_of_the_table_is_one_that_a_run_says() -> None:
    source = "\n".join((HARVEST / name).read_text() for name in ("harvest.py", "runs.py", "watch.py"))
    assert [begin for begin in OF_RUNS if begin not in source] == []


def test_an_unchanged_source_is_said_in_the_readers_language() -> None:
    assert of_run(UNCHANGED, "en") == Because("", UNCHANGED)
    assert of_run(UNCHANGED, "fi") == Because("Lähde ei ole muuttunut viimeisen täydellisen ajon jälkeen.", "")


def test_what_a_source_said_stays_behind_our_sentence() -> None:
    told = of_run("The source could not be read, so nothing was withdrawn. Line 3 is no JSON.", "sv")
    assert told == Because("Källan kunde inte läsas, så inget återkallades.", "Line 3 is no JSON.")
    assert of_run("HTTP 503", "sv") == Because("", "HTTP 503")


@pytest.mark.parametrize("code", WORDS)
@pytest.mark.parametrize("reader", LANGUAGES)
def test_why_an_agreement_stopped_a_transfer_is_said_without_english(code: str, reader: str) -> None:
    kept = f"{WORDS[code]} {REQUEST_ANEW}"
    told = of_transfer(kept, reader)
    assert (told.kept == kept and not told.own) if reader == "en" else (not told.kept and told.own.endswith("."))
    assert ":." not in told.own


def test_words_of_another_city_stay_as_they_are() -> None:
    assert of_transfer("Huolto käynnissä.", "sv") == Because("", "Huolto käynnissä.")
