"""Laws of suggestions: what is about the same thing in several cities is found, and nothing rests on chance."""

import random
import threading

from node.catalog.likeness import Signature, signature_of, suggest
from node.vocab.mappings import MappingBook, Match
from node.vocab.ntriples import literal

DCT, DCAT = "http://purl.org/dc/terms/", "http://www.w3.org/ns/dcat#"
THEME = "http://publications.europa.eu/resource/authority/data-theme/"
NEVER = threading.Event()


def record(
    city: str,
    number: int,
    titles: dict[str, str],
    keywords: tuple[str, ...] = (),
    theme: str = "",
    columns: tuple[str, ...] = (),
    book: MappingBook | None = None,
) -> Signature:
    iri = f"https://{city}.example/{number}"
    lines = [f"<{iri}> <{DCT}title> {literal(text, language=tag)} ." for tag, text in titles.items()]
    lines += [f"<{iri}> <{DCAT}keyword> {literal(word)} ." for word in keywords]
    lines += [f"<{iri}> <{DCAT}theme> {f'<{THEME}{theme}>' if theme.isupper() else literal(theme)} ."] if theme else []
    lines += [f"<{iri}#{name}> <http://www.w3.org/ns/csvw#name> {literal(name)} ." for name in columns]
    return signature_of(city, iri, "".join(f"{line}\n" for line in sorted(lines)).encode(), book or MappingBook())


def some() -> list[Signature]:
    other = [record(city, 100 + n, {"en": f"{a} {b}"}) for n, (city, a, b) in enumerate(NOISE)]
    return [
        record("helsinki", 1, {"fi": "Pysäköintialueet", "en": "Parking areas"}, ("parking",), "TRAN"),
        record("helsinki", 2, {"fi": "Katupuut", "en": "Street trees"}, ("trees",), "ENVI"),
        record("london", 1, {"en": "Parking bays"}, ("parking",), "TRAN"),
        record("london", 2, {"en": "Trees in streets"}, (), "ENVI"),
        record("ghent", 1, {"nl": "Parkeerplaatsen", "en-t-nl": "Parking places"}, ("parking",), "TRAN"),
        *other,
    ]


CITIES = ("helsinki", "london", "ghent")
WORDS = ["Budget", "Election", "Noise", "Library", "Museum", "Sewage", "Harbour", "Ferry", "Nursery", "Cemetery"]
NOISE = [(CITIES[n % 3], WORDS[n % 10], f"{WORDS[(n * 3 + 1) % 10]}{chr(97 + n)}") for n in range(24)]


def members(found: list) -> list[set[str]]:
    return [{iri for _, iri in each.members} for each in found]


def test_records_about_the_same_thing_are_found_across_languages_and_say_what_they_rest_on() -> None:
    found = suggest(some(), NEVER, limit=50)
    parking = next(each for each in found if ("london", "https://london.example/1") in each.members)
    assert {city for city, _ in parking.members} == set(CITIES)
    assert (parking.themes, "parking" in parking.terms) == (("TRAN",), True)
    trees = next(each for each in found if ("london", "https://london.example/2") in each.members)
    assert set(trees.members) == {(city, f"https://{city}.example/2") for city in ("helsinki", "london")}


def test_a_group_has_one_record_of_each_city_and_each_record_is_in_one_group() -> None:
    found = suggest(some(), NEVER, limit=500)
    assert all(len({city for city, _ in each.members}) == len(each.members) > 1 for each in found)
    everything = [iri for each in members(found) for iri in each]
    assert len(everything) == len(set(everything))


def test_the_order_of_the_shelf_changes_nothing() -> None:
    records = some()
    expected = suggest(records, NEVER, limit=50)
    for seed in range(5):
        random.Random(seed).shuffle(records)
        assert suggest(records, NEVER, limit=50) == expected


def test_other_themes_speak_against_and_shared_columns_for_it() -> None:
    def score(theme: str, columns: tuple[str, ...]) -> float:
        pair = [
            record("a", 1, {"en": "Bicycle counters north"}, (), "TRAN", ("time", "count")),
            record("b", 1, {"en": "Bicycle counters"}, (), theme, columns),
        ]
        found = suggest([*pair, *(record("c", n, {"en": f"word{chr(97 + n)}x"}) for n in range(9))], NEVER, limit=5)
        return found[0].score if found else 0.0

    plain = score("TRAN", ())
    assert score("HEAL", ()) < plain < score("TRAN", ("time", "count"))


def test_one_word_among_many_is_no_reason() -> None:
    pair = [
        record("a", 1, {"en": "Partners of the culture pass"}),
        record("b", 1, {"en": "Community partners"}),
    ]
    assert suggest([*pair, *(record("c", n, {"en": f"word{chr(97 + n)}x"}) for n in range(30))], NEVER, limit=5) == []


def test_a_citys_own_words_count_as_the_themes_they_mean() -> None:
    book = MappingBook({"a": [Match("theme", "Liikenne ja kartat", exact=True, code="TRAN")]})
    assert record("a", 1, {"en": "x"}, theme="Liikenne ja kartat", book=book).themes == {"TRAN"}
    assert record("b", 1, {"en": "x"}, theme="Liikenne ja kartat", book=book).themes == frozenset()


def test_one_city_alone_has_nothing_to_compare_and_a_stop_is_heard() -> None:
    assert suggest([record("a", n, {"en": "Parking areas"}) for n in range(5)], NEVER, limit=5) == []
    stop = threading.Event()
    stop.set()
    assert suggest(some(), stop, limit=5) == []


def test_a_word_of_everyone_costs_no_more_than_its_bound() -> None:
    # A thousand records called alike in each of two cities: no pair begins with what all of them say.
    records = [record(city, n, {"en": "Aerial photo"}) for city in ("a", "b") for n in range(1_000)]
    assert suggest(records, NEVER, limit=5) == []
