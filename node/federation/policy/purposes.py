"""Purposes: a frozen choice of the Data Privacy Vocabulary 2.3 and which of them lie within which. Three-valued.

What a caller says it wants data for is a claim; it is bound into its token and the log. A purpose outside the frozen
choice is *unknown*, also if agreement and claim name it alike: nobody here can tell what lies within it. A claim that
is wider than the purpose of the clause leaves open whether the clause is meant, and is unknown too; so nobody slips
past "not for advertising" by claiming "marketing".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files

from node.errors import Malformed
from node.federation.policy.terms import DPV


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose: what it lies within directly, and its name by language (en, fi, sv)."""

    iri: str
    broader: tuple[str, ...]
    labels: Mapping[str, str]


def _load() -> Mapping[str, Purpose]:
    document = json.loads(files("agreements").joinpath("purposes.json").read_text(encoding="utf-8"))
    return {
        iri: Purpose(iri, tuple(said["broader"]), {lang: said[lang] for lang in ("en", "fi", "sv")})
        for iri, said in document["purposes"].items()
    }


PURPOSES: Mapping[str, Purpose] = _load()
LABELS: Mapping[str, Mapping[str, str]] = {iri: purpose.labels for iri, purpose in PURPOSES.items()}


def _closed(iri: str) -> frozenset[str]:
    found, ahead = {iri}, list(PURPOSES[iri].broader)
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += PURPOSES[one].broader
    return frozenset(found)


_WITHIN: Mapping[str, frozenset[str]] = {iri: _closed(iri) for iri in PURPOSES}


def is_known(purpose: str) -> bool:
    """Tell whether the purpose is of the frozen choice."""
    return purpose in PURPOSES


def purpose_named(text: str) -> str:
    """Give a purpose by its name or its IRI.

    Raises:
        Malformed: It is none of the frozen choice, and no clause with it would ever be satisfied; says what is near it.
    """
    name = text.removeprefix(DPV).removeprefix("dpv:")
    iri = text if text in PURPOSES else DPV + name
    if iri not in PURPOSES:
        near = get_close_matches(name, [one.removeprefix(DPV) for one in PURPOSES], n=3, cutoff=0.5)
        hint = f"; near it are {', '.join(near)}" if near else ""
        raise Malformed(
            f'"{text[:80]}" is no purpose of agreements/purposes.json{hint}.',
            fix="Write a name such as AcademicResearch.",
        ).on_page("no.purpose", field="purpose", name=text[:80])
    return iri


def is_a(purpose: str, ancestor: str) -> bool | None:
    """Tell whether a claimed purpose is another or lies within it; None if that cannot be known."""
    above = _WITHIN.get(purpose)
    if above is None or ancestor not in _WITHIN:
        return None
    if ancestor in above:
        return True
    return None if purpose in _WITHIN[ancestor] else False
