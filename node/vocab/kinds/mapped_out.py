"""Descriptions of ours written as records of others, as a mapping says: the way back of `mapped_in`.

What a mapping has no place for is not written; a text is written in the language asked for, or in the one that is
there. Several things of a group that share one place there become paragraphs of one text. Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from node.errors import Malformed
from node.vocab.kinds.checking import is_missing
from node.vocab.kinds.field import Codes, Field, Said
from node.vocab.kinds.mapping import Each, Group, Leaf, Rule
from node.vocab.kinds.mapping import Mapping as Declared

_PLACE = re.compile(r"\{([^{}]+)\}")
_OPTION = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")


def give(mapping: Declared, said: Said, *, language: str = "") -> dict[str, Any]:
    """Write one description; its texts in that language, else in the mapping's, else in one that there is."""
    writer = _Writer(mapping, language or _language(mapping, said))
    return writer.record(said)


def columns(mapping: Declared) -> list[str]:
    """List the places that an export writes, in the order of the mapping: the head of a table."""
    found = [*mapping.language_from[:1], *mapping.export, *_places(mapping.rules)]
    return list(dict.fromkeys(found))


def _places(rules: Sequence[Rule]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule, Each):
            yield rule.path
        elif isinstance(rule, Group):
            for part in rule.parts:
                yield from _places(part)
        else:
            yield from _written(rule)


def _written(rule: Leaf) -> Sequence[str]:
    """Give the places that a value may be written to; a text of several places goes whole to the first of them."""
    if not rule.write or rule.always is not None:
        return ()
    return (rule.to,) if rule.to else rule.paths or _PLACE.findall(rule.template)[:1]


def _language(mapping: Declared, said: Said) -> str:
    """Choose the language of an export: the mapping's own if the title is in it, else that of the title."""
    title = said.get("title")
    tags = list(title) if isinstance(title, Mapping) else []
    return mapping.language if mapping.language in tags or not tags else tags[0]


class _Writer:
    """Writes one record in one language."""

    def __init__(self, mapping: Declared, language: str) -> None:
        self._mapping = mapping
        self._language = language

    def record(self, said: Said) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for path in self._mapping.language_from[:1]:
            base = self._language.split("-")[0]
            self._set(made, path, (self._mapping.languages.get(base) or (base,))[0])
        for path, value in self._mapping.export.items():
            self._set(made, path, value)
        self._rules(self._mapping.rules, said, made)
        return made

    def _rules(self, rules: Sequence[Rule], said: Said, made: dict[str, Any]) -> None:
        for rule in rules:
            value = said.get(rule.field.name)
            if is_missing(value):
                continue
            if isinstance(rule, Leaf):
                self._leaf(rule, value, said, made)
            elif isinstance(rule, Each):
                self._each(rule, _listed(value), made)
            else:
                self._group(rule, _listed(value), made)

    def _each(self, rule: Each, things: Sequence[Said], made: dict[str, Any]) -> None:
        written = []
        for thing in things:
            inside: dict[str, Any] = {}
            self._rules(rule.rules, thing, inside)
            if inside:
                written.append(inside)
        if written:
            self._set(made, rule.path, written)

    def _group(self, rule: Group, things: Sequence[Said], made: dict[str, Any]) -> None:
        """Write each thing where the part for it says: the part whose fixed values it has, else the one without any."""
        for thing in things:
            part = next((each for each in rule.parts if _is_for(each, thing)), None)
            if part is not None:
                self._rules(part, thing, made)

    def _leaf(self, rule: Leaf, value: Any, said: Said, made: dict[str, Any]) -> None:  # noqa: ANN401 (any form)
        places = _written(rule)
        if not places:
            return
        texts = [self._filled(rule.out, said)] if rule.out else self._texts(rule, value)
        texts = [each for each in texts if each]
        if rule.split:
            texts = [rule.split.strip().join(texts)] if rule.split.strip() else ["\n".join(texts)]
        if len(places) == 1 and rule.field.many and not rule.split and len(texts) > 1:
            self._set(made, places[0], texts)
            return
        for place, text in zip(_free(places, made), texts, strict=False):
            self._add(made, place, text)

    def _texts(self, rule: Leaf, value: Any) -> list[Any]:  # noqa: ANN401 (any form)
        values = value if rule.field.many and isinstance(value, list) else [value]
        return [made for each in values if (made := self._one(rule, each)) is not None]

    def _one(self, rule: Leaf, value: Any) -> Any:  # noqa: ANN401 (any form)
        field = rule.field
        if field.by_language:
            return self._text(value, rule.language)
        if field.form == "code":
            # A closed list of theirs has no word for what only ours has.
            closed = bool(rule.words) and isinstance(field.codes, Codes)
            return rule.words.get(value) or (None if closed else _name_of(field, value, self._language))
        if field.form == "language":
            return (self._mapping.languages.get(value) or (value,))[0]
        return value

    def _text(self, value: object, language: str = "") -> str | None:
        if not isinstance(value, Mapping) or not value:
            return None
        if language:
            return value.get(language)
        wanted = (self._language, self._language.split("-")[0])
        near = [tag for tag in value if tag.split("-")[0] == wanted[1]]
        return str(value[next((tag for tag in (*wanted, *near) if tag in value), next(iter(value)))])

    def _filled(self, template: str, said: Said) -> str:
        def option(found: re.Match[str]) -> str:
            return found[1] if all(self._said(said, each) for each in _PLACE.findall(found[1])) else ""

        return _PLACE.sub(lambda found: self._said(said, found[1]), _OPTION.sub(option, template)).strip()

    def _said(self, said: Any, name: str) -> str:  # noqa: ANN401 (any form)
        """Give a value of ours as a text; several are parted by semicolons."""
        head, _, rest = name.partition(".")
        value = said.get(head) if isinstance(said, Mapping) else None
        if rest:
            return "; ".join(filter(None, (self._said(each, rest) for each in _listed(value))))
        texts = [self._text(each) if isinstance(each, Mapping) else str(each) for each in _listed(value)]
        return "; ".join(filter(None, texts))

    # ---------------------------------------------------------------- places

    def _set(self, made: dict[str, Any], path: str, value: Any) -> None:  # noqa: ANN401 (JSON)
        here, last = _inside(made, path)
        here.setdefault(last, value)

    def _add(self, made: dict[str, Any], path: str, value: Any) -> None:  # noqa: ANN401 (JSON)
        """Write a value; a text joins the one that stands there already."""
        here, last = _inside(made, path)
        before = here.get(last)
        both = isinstance(before, str) and isinstance(value, str) and before != value
        here[last] = f"{before}\n\n{value}" if both else value


def _inside(made: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """Give what a place lies in, made where it is not there yet, and its last step. Raises Malformed."""
    here, (*steps, last) = made, path.split(".")
    for step in steps:
        inside = here.setdefault(step, {})
        if not isinstance(inside, dict):
            fix = "Let an export write one of them: write = false."
            raise Malformed(
                f"The mapping writes a value to {step[:60]!r}, and another to {path[:120]!r} in it.", fix=fix
            )
        here = inside
    return here, last


def _free(places: Sequence[str], made: Mapping[str, Any]) -> list[str]:
    """Give the places in order, those first that nothing stands in yet, if there are several."""
    return [each for each in places if each not in made] if len(places) > 1 else list(places)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 (any form)
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _is_for(part: Sequence[Rule], thing: Said) -> bool:
    fixed = [each for each in part if isinstance(each, Leaf) and each.always is not None]
    return all(thing.get(each.field.name) == each.always for each in fixed)


def _name_of(field: Field, value: str, language: str) -> str:
    """Give what people call a code that the mapping has no word for."""
    codes = field.codes
    if isinstance(codes, Codes):
        ours = codes.by_code(value)
        return (ours.label.get(language[:2]) or ours.label["en"]) if ours else value
    concept = codes.by_code(value) if codes else None
    return concept.label(language) or value if concept else value
