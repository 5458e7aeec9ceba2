"""What the desk says of a run: its stages in words, what changed in its records, letters to publishers.

Values for the templates and pure functions over what the office gives; nothing is read or written here. Times are in
milliseconds, texts of records are cut to what a person reads at a glance.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from node.catalog.run_report import Owner, sentences
from node.catalog.runs import STAGES, Run, RunRow, Step
from node.catalog.story import Difference
from node.records import Finding
from node.vocab import lists, ntriples
from node.vocab.terms import DCT, RDF
from node.web.records.view import RowView, look_quickly
from node.web.wording import labels, text
from node.web.wording.findings import FindingView, told, views
from node.web.wording.graph import Described, compact
from node.web.wording.words import known, words

_TERM = re.compile(r"\(([a-z]+:\w+)\)")
_MOST_VALUES = 6
_VALUE_CHARACTERS = 300
_LETTER_ROWS = 40
_MAILTO_BYTES = 1_800  # what every mail program takes as a link
# What changes what others may do with the data, so that nobody overlooks it.
_WEIGHTY = frozenset({DCT.license, DCT.rights, DCT.accessRights})
_ICONS = {"done": "yes", "now": "run", "wait": "wait", "held": "warn", "bad": "no", "off": "empty"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run: `state` is done, now, wait, held, bad or off."""

    name: str
    state: str
    icon: str
    said: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Changed:
    """What one property of a record was and is."""

    label: str
    term: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    weighty: bool


@dataclass(frozen=True, slots=True)
class ChangedRecord:
    """A record that a run changed."""

    iri: str
    title: text.Said
    changes: tuple[Changed, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Letter:
    """What a publisher has to mend, ready to be sent: `mailto` is empty where it would be too long for a link."""

    owner: str
    rows: tuple[RunRow, ...]
    subject: str
    body: str
    mailto: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A record of a dry run as a list would show it."""

    iri: str
    kind: str
    slug: str
    view: RowView


# ---------------------------------------------------------------- stages


def stages(run: Run, reader: str) -> list[Stage]:
    """Say every stage of a run in order; nothing of a run that an older program made, which kept none."""
    steps = {step.stage: step for step in run.steps}
    if run.order == "withdraw":
        return [_stage(run, "withdraw", steps, reader)]
    return [_stage(run, name, steps, reader) for name in STAGES] if steps or run.is_live else []


def _stage(run: Run, name: str, steps: Mapping[str, Step], reader: str) -> Stage:
    state = _state(run, name, steps)
    step = steps.get(name)
    return Stage(name, state, _ICONS[state], _said(run, name, state, step, reader), step.first_ms if step else 0)


def _state(run: Run, name: str, steps: Mapping[str, Step]) -> str:
    if name == "withdraw" and run.counters.held:
        return "held"
    # Of few records nobody hears that they are checked: it is over before the first sign.
    begun = name in steps or (name == "check" and run.counters.read > 0)
    if run.is_live:
        # Checking and publishing alternate by batch, so both are at work once both have begun.
        both = name in ("check", "publish") and run.stage in ("check", "publish")
        return "now" if begun and (name == run.stage or both) else "done" if begun else "wait"
    if run.state in ("failed", "cancelled") and name == run.stage:
        return "bad"
    return "done" if begun else "off"


def _said(run: Run, name: str, state: str, step: Step | None, reader: str) -> str:
    counters = run.counters
    numbers: dict[str, tuple[int, ...]] = {
        "read": (counters.total or 0,) if state == "done" else (step.done if step else 0,),
        "check": (counters.read, counters.refused, counters.with_findings),
        "publish": (counters.added, counters.changed),
        "withdraw": (counters.held or counters.withdrawn,),
    }
    given = numbers.get(name, (0,))
    if state in ("wait", "off", "bad") or name == "reach" or (name == "read" and not given[0]):
        return words(reader, f"desk.stage.{state}")
    key = f"desk.stage.{name}" + (
        "_held" if state == "held" else "_listed" if name == "read" and state == "done" else ""
    )
    key += "_dry" if run.dry and name in ("publish", "withdraw") else ""
    return words(reader, key, **{f"n{i}": text.number(value, reader) for i, value in enumerate(given, 1)})


# ---------------------------------------------------------------- differences


def changed(found: Sequence[Difference], reader: str) -> list[ChangedRecord]:
    """Say what changed in records, property by property."""
    return [_changed(one, reader) for one in found]


def _changed(one: Difference, reader: str) -> ChangedRecord:
    removed, added = _by_property(one.removed, reader), _by_property(one.added, reader)
    every = sorted({*removed, *added}, key=lambda iri: (iri not in _WEIGHTY, labels.property_label(iri, reader) or iri))
    told = [
        Changed(
            labels.property_label(iri, reader),
            compact(iri),
            tuple(removed.get(iri, ())[:_MOST_VALUES]),
            tuple(added.get(iri, ())[:_MOST_VALUES]),
            iri in _WEIGHTY,
        )
        for iri in every
    ]
    return ChangedRecord(one.iri, text.told(one.title, one.tag, reader), tuple(told[:12]), max(0, len(told) - 12))


def _by_property(lines: Iterable[str], reader: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        if not line:
            continue
        _, predicate, value = ntriples.split(line)
        name = ntriples.value_of(predicate)
        if name != RDF.type:
            tag = ntriples.language_of(value)
            plain = lists.label(ntriples.value_of(value), reader) or ntriples.value_of(value)
            short = text.plain(plain, _VALUE_CHARACTERS)
            found.setdefault(name, []).append(f"{short} ({tag})" if tag else short)
    return found


# ---------------------------------------------------------------- refusals


def advice(row: RunRow, reader: str) -> str:
    """Say in the reader's language what to mend, where the code says enough; else nothing."""
    key = f"desk.mend.{row.code}"
    return words(reader, key) if known(key) else ""


def letters(owners: Sequence[Owner], run: Run, reader: str, city: str) -> list[Letter]:
    """Write to every publisher what to mend, in the reader's language."""
    return [_letter(owner, run, reader, city) for owner in owners]


def _letter(owner: Owner, run: Run, reader: str, city: str) -> Letter:
    number = len(owner.rows)
    many = "" if number == 1 else "_many"
    subject = words(reader, f"desk.letter.subject{many}", n=text.number(number, reader), city=city)
    lines = [words(reader, "desk.letter.begin", source=run.source, date=text.date_of(run.ended_ms, reader)), ""]
    for row in owner.rows[:_LETTER_ROWS]:
        lines += [f"• {row.title or row.source_key}", f"  {advice(row, reader) or told(row.message)}"]
        lines += [f"  {row.iri or row.source_key}"] if (row.iri or row.source_key) != row.title else []
    if number > _LETTER_ROWS:
        lines += ["", words(reader, "desk.letter.more", n=text.number(number - _LETTER_ROWS, reader))]
    lines += ["", words(reader, "desk.letter.end"), "", city]
    body = "\n".join(lines)
    link = f"mailto:?subject={quote(subject)}&body={quote(body)}"
    return Letter(owner.name, owner.rows, subject, body, link if len(link) <= _MAILTO_BYTES else "")


# ---------------------------------------------------------------- findings of a rehearsal


def finding(sentence: str, reader: str) -> FindingView:
    """Say what a rehearsal found, in the reader's language where it asks to add something; the term names the rest."""
    named = _TERM.search(sentence)
    path = _terms().get(named.group(1), "") if named else ""
    return views([Finding("", "recommended", path, sentence)], reader)[0]


def found_in(row: RunRow, reader: str) -> list[FindingView]:
    """Say everything that a rehearsal found in one record."""
    return [finding(sentence, reader) for sentence in sorted(sentences(row.message))]


@cache
def _terms() -> Mapping[str, str]:
    return {compact(iri): iri for iri in labels.PROPERTIES}


# ---------------------------------------------------------------- samples


def samples(rows: Sequence[RunRow], reader: str, languages: Sequence[str]) -> list[Sample]:
    """Show the first records of a dry run as a list of results would."""
    return [Sample(row.iri, row.code, row.owner, look_quickly(_described(row, reader, languages))) for row in rows]


def _described(row: RunRow, reader: str, languages: Sequence[str]) -> Described:
    return Described(ntriples.triples_of(row.message.encode()), row.iri, reader, languages)
