"""Places: which lie within which, as far as their IRIs and one small table tell. Three-valued.

Known are the countries of Europe and a few more, the European Union and Economic Area, NUTS regions (their codes nest),
places of the EU Publications Office (they begin with their country) and subdivisions of the Data Privacy Vocabulary.
Everything else, GeoNames too, equals itself and is otherwise *unknown*, as is a place that is wider than the other, and
two of one country that different systems name. Borders change: the table says of which year it is.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

_DOCUMENT: Mapping[str, Any] = json.loads(files("agreements").joinpath("places.json").read_text(encoding="utf-8"))
_COUNTRIES: Mapping[str, Mapping[str, Any]] = _DOCUMENT["countries"]
_GROUPS: Mapping[str, Mapping[str, str]] = _DOCUMENT["groups"]
_BY_ISO2 = {said["iso2"]: code for code, said in _COUNTRIES.items()}
_BY_NUTS = {said["nuts"]: code for code, said in _COUNTRIES.items()}
_COUNTRY, _PLACE, _NUTS, _LOCATION = (str(_DOCUMENT[key]) for key in ("country", "place", "nuts", "location"))
_NUTS_CODE = re.compile(r"[A-Z]{2}[0-9A-Z]{1,3}", re.ASCII)
_CODE = re.compile(r"[A-Z]{3}_[A-Z0-9]{2,6}", re.ASCII)
_SUBDIVISION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}", re.ASCII)

LABELS: Mapping[str, Mapping[str, str]] = {
    **{_COUNTRY + code: {lang: said[lang] for lang in ("en", "fi", "sv")} for code, said in _COUNTRIES.items()},
    **{_LOCATION + code: dict(said) for code, said in _GROUPS.items()},
}


@dataclass(frozen=True, slots=True)
class _Place:
    """A place: what names it (`system`), its own key, and everything that it lies within."""

    system: str
    key: str
    within: frozenset[str]

    @property
    def country(self) -> str:
        return next((one for one in (self.key, *self.within) if one in _COUNTRIES), "")


def part_of(place: str, whole: str) -> bool | None:
    """Tell whether a place is another or lies within it; None if that cannot be known."""
    if place.startswith("_:") or not place:
        return None
    if place == whole:
        return True
    inner, outer = _place(place), _place(whole)
    if inner is None or outer is None:
        return None
    if outer.key == inner.key or outer.key in inner.within:
        return True
    return None if inner.key in outer.within or _may_overlap(inner, outer) else False


def same(place: str, other: str) -> bool | None:
    """Tell whether two IRIs name one place; None if that cannot be known."""
    if place.startswith("_:") or not place:
        return None
    if place == other:
        return True
    one, two = _place(place), _place(other)
    if one is None or two is None:
        return None
    return one.key == two.key or (None if _may_overlap(one, two) else False)


def _may_overlap(one: _Place, other: _Place) -> bool:
    """Tell whether two places of one country, below it, may be the same ground under two systems."""
    if one.country != other.country or "country" in (one.system, other.system):
        return False
    return bool(one.country) and (one.system != other.system or one.system == "subdivision")


@lru_cache(maxsize=1024)
def _place(iri: str) -> _Place | None:
    if iri.startswith(_COUNTRY):
        return _country(iri.removeprefix(_COUNTRY))
    if iri.startswith(_PLACE) and _CODE.fullmatch(code := iri.removeprefix(_PLACE)):
        return _below("place", code, _country(code[:3]))
    if iri.startswith(_NUTS):
        return _nuts(iri.removeprefix(_NUTS))
    return _location(iri.removeprefix(_LOCATION)) if iri.startswith(_LOCATION) else None


def _country(code: str) -> _Place | None:
    said = _COUNTRIES.get(code)
    return None if said is None else _Place("country", code, frozenset(said["within"]))


def _below(system: str, code: str, country: _Place | None, *between: str) -> _Place | None:
    if country is None:
        return None
    return _Place(system, f"{system}:{code}", country.within | {country.key, *(f"{system}:{one}" for one in between)})


def _nuts(code: str) -> _Place | None:
    country = _country(_BY_NUTS.get(code[:2], ""))
    if len(code) == len("FI") or not _NUTS_CODE.fullmatch(code):
        return country if code in _BY_NUTS else None
    return _below("nuts", code, country, *(code[:length] for length in range(3, len(code))))


def _location(code: str) -> _Place | None:
    if code in _GROUPS:
        return _Place("group", code, frozenset({"EEA"}) if code == "EU" else frozenset())
    if match := _SUBDIVISION.fullmatch(code):
        return _below("subdivision", code, _country(_BY_ISO2.get(match.group(1), "")))
    return _country(_BY_ISO2.get(code, ""))
