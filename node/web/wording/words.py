"""What the node says on its pages, in English, Finnish and Swedish: gettext catalogues, one key per thing said.

The catalogues are `locale/{language}/LC_MESSAGES/{part}.po`, read as they are: nothing is compiled. A key stands in one
part only, in every language; English is the text that translators work from. Sentences and not fragments, so that a
language may turn them as it must; names are never bent around a placeholder. What kinds of knowledge are called is
said by their tables in `node.vocab.kinds`. Texts of records are not here: they are chosen in `text.py`.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from node.vocab.kinds import TABLES
from node.vocab.terms import DCAT

LANGUAGES: dict[str, str] = {"en": "English", "fi": "Suomi", "sv": "Svenska"}

MONTHS: dict[str, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "sv": ("jan.", "feb.", "mars", "apr.", "maj", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "dec."),
}

# As they stand after "in": "in Finnish", "suomeksi", "på finska". Of all others only the bare name is known.
LANGUAGE_NAMES: dict[str, dict[str, str]] = {
    "en": {
        "en": "English", "fi": "Finnish", "sv": "Swedish", "et": "Estonian", "nl": "Dutch", "de": "German",
        "fr": "French", "it": "Italian", "es": "Spanish", "da": "Danish", "no": "Norwegian", "nb": "Norwegian",
        "ru": "Russian", "cy": "Welsh", "gd": "Gaelic", "pt": "Portuguese", "pl": "Polish",
        "ar": "Arabic", "he": "Hebrew", "fa": "Persian", "so": "Somali", "uk": "Ukrainian", "zh": "Chinese",
        "se": "Northern Sámi",
    },
    "fi": {
        "en": "englanniksi", "fi": "suomeksi", "sv": "ruotsiksi", "et": "viroksi", "nl": "hollanniksi",
        "de": "saksaksi", "fr": "ranskaksi", "it": "italiaksi", "es": "espanjaksi", "da": "tanskaksi",
        "no": "norjaksi", "nb": "norjaksi", "ru": "venäjäksi", "cy": "kymriksi", "gd": "gaeliksi",
        "pt": "portugaliksi", "pl": "puolaksi", "ar": "arabiaksi", "he": "hepreaksi", "fa": "persiaksi",
        "so": "somaliksi", "uk": "ukrainaksi", "zh": "kiinaksi", "se": "pohjoissaameksi",
    },
    "sv": {
        "en": "engelska", "fi": "finska", "sv": "svenska", "et": "estniska", "nl": "nederländska", "de": "tyska",
        "fr": "franska", "it": "italienska", "es": "spanska", "da": "danska", "no": "norska", "nb": "norska",
        "ru": "ryska", "cy": "kymriska", "gd": "gaeliska", "pt": "portugisiska", "pl": "polska",
        "ar": "arabiska", "he": "hebreiska", "fa": "persiska", "so": "somaliska", "uk": "ukrainska", "zh": "kinesiska",
        "se": "nordsamiska",
    },
}  # fmt: skip

_LOCALE = Path(__file__).parent.parent / "locale"


def parts() -> list[str]:
    """List the parts of the catalogues, by the names of their files."""
    return sorted(path.stem for path in (_LOCALE / "en" / "LC_MESSAGES").glob("*.po"))


def read_part(language: str, part: str) -> dict[str, str]:
    """Read one part in one language: what is said, by key. Raises FileNotFoundError."""
    with (_LOCALE / language / "LC_MESSAGES" / f"{part}.po").open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file, locale=language) if one.id}


@cache
def table(language: str) -> Mapping[str, str]:
    """Give everything that is said in a language, by key."""
    # What DCAT has words for keeps them: an authored service is called as a harvested one.
    kinds = {f"kind.{each.kind}": each.title[language] for each in TABLES.values() if each.cls not in DCAT}
    return kinds | {key: said for part in parts() for key, said in read_part(language, part).items()}


def known(key: str) -> bool:
    """Tell whether there are words for a key."""
    return key in table("en")


# Titles that nodes give by themselves: of the collections that they make, and of those of the kinds.
_MADE = ("collection.begun", "collection.agreements", "collection.evidence")
_OF_A_PAIR = "collection.agreements_with"


@cache
def _given() -> tuple[Mapping[str, str], ...]:
    made = ({code: table(code)[key] for code in LANGUAGES} for key in _MADE)
    return (*made, *(each.plural for each in TABLES.values()))


def title_said(title: str, reader: str) -> str:
    """Give a collection's title; one that nodes give by themselves is said in the reader's language."""
    _, city = _of_a_pair(title)
    if city:
        return words(reader, _OF_A_PAIR, city=city)
    return next((row.get(reader, row["en"]) for row in _given() if title in row.values()), title)


def title_language(title: str, otherwise: str) -> str:
    """Give the language of a collection's title where we know it, else the one to suppose."""
    pair, _ = _of_a_pair(title)
    return pair or next((code for row in _given() for code in LANGUAGES if row.get(code) == title), otherwise)


def _of_a_pair(title: str) -> tuple[str, str]:
    """Read of a title that agreements with one city are kept in: its language and the city; nothing of another."""
    for code in LANGUAGES:
        before, _, after = table(code)[_OF_A_PAIR].partition("{city}")
        city = title.removeprefix(before).removesuffix(after)
        if city and title == f"{before}{city}{after}" != table(code)["collection.agreements"]:
            return code, city
    return "", ""


def words(language: str, key: str, /, **values: object) -> str:
    """Say a thing in a language; one we do not speak falls back to English. An unknown key is a KeyError."""
    said = table(language if language in LANGUAGES else "en")[key]
    return said.format(**values) if values else said
