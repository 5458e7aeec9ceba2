"""What a city-model record says: the facts of its file, and what only the dataset around it knows.

A file says little of itself: its title, licence, publisher and personal data come from the dataset's record, everything
that can be measured from the file. The same facts and the same dataset always give the same description, so a nightly
look at a file that did not change writes nothing. Pure: no I/O, no clock.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from node.catalog.models.facts import ModelFacts, ModelProblem
from node.records import slug_of
from node.vocab.canon import GENID
from node.vocab.kinds import city_model
from node.vocab.kinds.checking import MAX_TEXT, is_date, is_link, is_missing
from node.vocab.kinds.field import Words
from node.vocab.kinds.reading import said_in

_FORMATS = {"CityJSON": "cityjson", "CityJSONSeq": "cityjsonseq", "CityGML": "citygml", "3D Tiles": "3d-tiles"}
_FROM_DATASET = ("publisher", "contact", "license", "theme", "keywords", "personal_data")
_MAX_TITLE, _MAX_NAME = 300, 200
# The tag of what is in no language (ISO 639-2).
NO_LANGUAGE = "zxx"
_WORDS: Mapping[str, Mapping[str, str]] = {
    "semantic": {"en": "Semantic model", "fi": "Semanttinen malli", "sv": "Semantisk modell"},
    "mesh": {"en": "Mesh model", "fi": "Kolmioverkkomalli", "sv": "Meshmodell"},
    "objects": {"en": "Objects", "fi": "Kohteita", "sv": "Objekt"},
    "tiles": {"en": "Contents of tiles", "fi": "Ruutujen sisältöjä", "sv": "Rutornas innehåll"},
    "lods": {"en": "Levels of detail", "fi": "Tarkkuustasot", "sv": "Detaljnivåer"},
}
_THREE_D: Words = {"en": "3D model", "fi": "3D-malli", "sv": "3D-modell"}
_TAG = re.compile(r"<\s*[A-Za-z/!?][^<>]*>")
# What begins a tag that does not end, and what makes a link of Markdown.
_OPEN, _LINKING = re.compile(r"<(?=\s*[A-Za-z/!?])"), re.compile(r"\](?=[(:\[])")
_UNFINISHED = "Reading ended early: what is counted here are lower bounds."


@dataclass(frozen=True, slots=True)
class Dataset:
    """The dataset that a model belongs to: its IRI, slug and payload."""

    iri: str
    slug: str
    payload: bytes


def slug_for(dataset: str, url: str) -> str:
    """Name the record of a file: the dataset's slug or a title, the file's, and six digits of its address's hash.

    >>> slug_for("3d-helsinki", "https://kartta.example/files/Tile%2012.city.json")
    '3d-helsinki-tile-12-city-fd8544'
    """
    path = unquote(urlsplit(url).path).rstrip("/")
    stem = slug_of(path.rpartition("/")[2].rpartition(".")[0])[:25].strip("-")
    digest = hashlib.sha256(url.encode()).hexdigest()[:6]
    return "-".join(part for part in (slug_of(dataset)[:45].strip("-"), stem, digest) if part)


def said_of(
    facts: ModelFacts,
    *,
    dataset: Dataset | None,
    language: str,
    file: str = "",
    title: Words | None = None,
) -> dict[str, Any]:
    """Describe a model.

    Args:
        facts: What was read of its file.
        dataset: What it belongs to; None where nobody knows.
        language: Of texts that name none.
        file: Where it can be downloaded; empty if nowhere.
        title: What it is called, if not like its dataset; a name that is no text, as a file's, by `NO_LANGUAGE`.
    """
    around = _around(dataset, language) if dataset else {}
    said = {name: around[name] for name in _FROM_DATASET if name in around}
    said["title"] = _title(title or {}, around.get("title", {}), facts, language)
    said["summary"] = {each: _summary(facts, each) for each in ("en", "fi", "sv")}
    said |= {"about": dataset.iri if dataset else "", "file": file if is_link(file) else ""}
    said |= _file_facts(facts) | _place(facts) | _content(facts)
    return {name: value for name, value in said.items() if not is_missing(value)}


def _around(dataset: Dataset, language: str) -> dict[str, Any]:
    """Read what the dataset says in fields that models share with it."""
    said = said_in(city_model.TABLE, dataset.iri, dataset.payload)
    made = {name: _plain(_tagged(said[name], language)) for name in ("title", *_FROM_DATASET) if name in said}
    # A group of the portal's own, which is a node of the dataset alone, means nothing on another record.
    made["theme"] = [each for each in made.get("theme", []) if GENID not in each]
    if is_missing(made.get("publisher", {}).get("name")):
        made.pop("publisher", None)
    if is_missing(made.get("contact", {}).get("name")):
        made.pop("contact", None)
    return made


def _tagged(value: Any, language: str) -> Any:  # noqa: ANN401 (a value of any form)
    """Give texts without a language the node's own."""
    if isinstance(value, list):
        return [_tagged(each, language) for each in value]
    if isinstance(value, Mapping):
        said = {key: _tagged(each, language) for key, each in value.items() if key != "und"}
        return {language: value["und"]} | said if "und" in value else said
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 (a value of any form)
    """Take markup out of texts that nobody here can edit, and texts that are nothing else."""
    if isinstance(value, str):
        return _unmarked(value)
    if isinstance(value, Mapping):
        return {key: each for key, each in ((key, _plain(each)) for key, each in value.items()) if not is_missing(each)}
    return [each for each in map(_plain, value) if not is_missing(each)] if isinstance(value, list) else value


def _unmarked(text: str) -> str:
    """Take HTML and links of Markdown out of a stranger's text; a text without them stays as it is.

    >>> _unmarked("<b>Trees</b> <script>of 5 < 6 m")
    'Trees of 5 < 6 m'
    """
    if "<" in text:
        text = _OPEN.sub("", _TAG.sub("", text)).strip()
    return _LINKING.sub("] ", text)


def _title(own: Words, around: Mapping[str, str], facts: ModelFacts, language: str) -> dict[str, str]:
    """Call it like its dataset, by the file's own title where there is one, and always a 3D model.

    A title is in one language from its beginning to its end: where the two have none in common the file's own stands.
    """
    title = _unmarked(facts.title)
    named = _tagged(own, language) or ({language: title} if title else {})
    name = named.pop(NO_LANGUAGE, "")
    if not around:
        said = named or {language: name or f"{facts.format} {facts.version}"}
        return {each: text[:_MAX_TITLE] for each, text in said.items()}
    if not own:
        return {each: f"{text[:_MAX_TITLE]} ({_told_apart(text, facts, each)})" for each, text in around.items()}
    shared = [each for each in around if name or each in named]
    said = {each: f"{around[each][:_MAX_TITLE]}: {named.get(each, name)[:_MAX_TITLE]}" for each in shared}
    said = said or {each: text[:_MAX_TITLE] for each, text in named.items()}
    return {each: text if _is_told(text) else f"{text} ({_three_d(each)})" for each, text in said.items()}


def _told_apart(text: str, facts: ModelFacts, language: str) -> str:
    """Say what the dataset's title leaves open, so that the two are no namesakes."""
    return facts.format if _is_told(text) else f"{_three_d(language)}, {facts.format}"


def _is_told(text: str) -> bool:
    return "3d" in text.casefold()


def _three_d(language: str) -> str:
    return _THREE_D.get(language.partition("-")[0], "3D")


def _summary(facts: ModelFacts, language: str) -> str:
    """Say it in one line of at most 160 characters."""
    word = {key: words[language] for key, words in _WORDS.items()}
    said = f"{word[facts.type]} ({facts.format} {facts.version[:20]})."
    if facts.objects:
        said += f" {word['tiles' if facts.format == '3D Tiles' else 'objects']}: {facts.objects}."
    if facts.lods:
        said += f" {word['lods']}: {', '.join(facts.lods[:6])[:40]}."
    return said


def _file_facts(facts: ModelFacts) -> dict[str, Any]:
    return {
        "type": facts.type,
        "format": _FORMATS[facts.format],
        "format_version": _name(facts.version),
        "bytes": str(facts.bytes) if facts.bytes else "",
        "identifier": _name(facts.identifier),
        "epoch": facts.epoch if is_date(facts.epoch) else "",
    }


def _place(facts: ModelFacts) -> dict[str, Any]:
    said: dict[str, Any] = {"crs": facts.crs if is_link(facts.crs) else ""}
    if facts.extent:
        said["lower_corner"] = " ".join(map(_number, facts.extent[:3]))
        said["upper_corner"] = " ".join(map(_number, facts.extent[3:]))
    # A box across the 180th meridian is no polygon that every reader understands alike.
    if facts.bbox and facts.bbox[0] <= facts.bbox[2]:
        west, south, east, north = (f"{each:.6f}" for each in facts.bbox)
        ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
        said["area"] = {"bbox": f"POLYGON(({', '.join(' '.join(corner) for corner in ring)}))"}
    return said


def _content(facts: ModelFacts) -> dict[str, Any]:
    counts = list(facts.counts.items())[: city_model.MOST_COUNTS]
    return {
        "lods": [_name(each) for each in facts.lods[:50]],
        "objects": str(facts.objects) if facts.objects else "",
        "counts": [{"type": _name(name) or "?", "count": str(count)} for name, count in counts],
        "attributes": list(dict.fromkeys(filter(None, map(_name, facts.attributes))))[: city_model.MOST_NAMES],
        "textures": str(facts.textures) if facts.textures else "",
        "materials": str(facts.materials) if facts.materials else "",
        "extensions": list(dict.fromkeys(filter(None, map(_name, facts.extensions))))[:50],
        "notes": _notes(facts),
    }


def _notes(facts: ModelFacts) -> list[str]:
    """Say what was found, each thing once; the list itself says where it was cut."""
    said = [*([] if facts.whole else [_UNFINISHED]), *map(_note, facts.problems)]
    said, most = list(dict.fromkeys(said)), city_model.MOST_NOTES
    return said if len(said) <= most else [*said[: most - 1], f"And {len(said) - most + 1} more."]


def _note(problem: ModelProblem) -> str:
    times = f" ({problem.times:,} times)" if problem.times > 1 else ""
    return _clean(f"{problem.where}: {problem.message}{times}" if problem.where else f"{problem.message}{times}")


def _name(text: str) -> str:
    return _clean(text)[:_MAX_NAME]


def _clean(text: str) -> str:
    """Take out of a stranger's text what no record may hold."""
    kept = (c if c.isprintable() else " " for c in text[: MAX_TEXT * 2])
    return " ".join(_unmarked("".join(kept)).split())[: MAX_TEXT - 1]


def _number(value: float) -> str:
    """Write a coordinate to the millimetre."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
