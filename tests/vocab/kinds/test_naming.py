"""Laws of addresses made of titles: every script has one, the same title the same one, and nobody's is taken."""

import pytest

from node.records import slug_of
from node.vocab.kinds.naming import free, name_for, name_of_key, readable


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Trees of Helsinki", "trees-of-helsinki"),
        ("Деревья Хельсинки", "derevya-helsinki"),
        ("Дървета в София", "darveta-v-sofiya"),
        ("Мой ёжик, її ґанок", "moy-yozhik-yiyi-ganok"),
        ("Δέντρα της Αθήνας", "dentra-tis-athinas"),
        ("Ο δρόμος του αυτοκινήτου", "o-dromos-tou-avtokinitou"),
        ("Grønne tage på Łódź", "gronne-tage-pa-lodz"),
        ("Café 東京", "cafe"),
        ("2024", "2024"),
    ],
)
def test_what_can_be_spelt_in_latin_letters_is(title: str, name: str) -> None:
    assert name_for(title, "practice") == readable(title) == name


@pytest.mark.parametrize(
    "title", ["北京的树木", "أشجار المدينة", "עצי העיר", "हेलसिंकी के पेड़", "나무", "!!!", "東京 2024"]
)
def test_a_title_of_another_script_leaves_its_mark(title: str) -> None:
    name = name_for(title, "practice")
    assert slug_of(name) == name
    assert readable(title) == ""
    assert name.startswith("2024-" if "2024" in title else "practice-")
    assert name == name_for(f" {title}  ", "practice") != name_for(f"{title}{title}", "practice")


def test_a_key_loses_no_word() -> None:
    assert name_of_key("City of Made: Grønne", "ai-system") == "city-of-made-gr-nne"  # as it always was
    assert name_of_key("City of Made: Деревья", "ai-system") == "city-of-made-derevya"
    ours, theirs = (name_of_key(f"City of Made: {each}", "ai-system") for each in ("北京的树木", "上海的树木"))
    assert ours != theirs
    assert ours.startswith("city-of-made-")
    assert name_of_key("…", "ai-system") == name_of_key("", "ai-system") == ""


def test_a_name_is_never_that_of_another() -> None:
    assert free("trees", set().__contains__) == "trees"
    assert free("trees", {"trees", "trees-2"}.__contains__) == "trees-3"
    long = "a-" * 39 + "ab"
    assert len(long) == 80
    other = free(long, {long}.__contains__)
    assert other.endswith("a-2")
    assert slug_of(other) == other
