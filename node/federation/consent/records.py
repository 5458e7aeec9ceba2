"""Consent records as ISO/IEC TS 27560 shapes them, with terms of DPV, and how the events of a person are weighed.

A record names a person by a key, purposes, recipients and events; as JSON lines it has the members of the standard, as
CSV one line is one event. The newest event that bears on a question decides. Weighed against the person's data leaving:
a yes must cover the question whole, a no need only touch it; of two at one moment the no holds, of two yeses the one
that ends earlier, and whatever is no yes is a no. Pure; what cannot be read, or could be read in two ways, is refused
with its line: it could have been a no.
"""

import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeGuard

import orjson

from node.errors import Malformed
from node.federation.consent.places import may_be
from node.federation.policy.purposes import is_a
from node.federation.policy.terms import DPV
from node.federation.policy.values import duration, is_iri, time_ms

# Most lines of a file name the same few purposes, cities and days.
_is_within = lru_cache(maxsize=1_024)(is_a)
_is_address = lru_cache(maxsize=1_024)(is_iri)
_read_time = lru_cache(maxsize=4_096)(time_ms)
MAX_KEY = 500
MAX_LINE = 64 * 1024
_MAX_LISTED = 100
# The consent states of DPV 2.3 by what they mean here. All but the first are a no; the second are told on.
GIVEN = frozenset({"ConsentGiven", "RenewedConsentGiven"})
ENDED = frozenset({"ConsentWithdrawn", "ConsentRevoked", "ConsentInvalidated"})
REFUSED = frozenset({"ConsentRefused", "ConsentExpired", "ConsentStatusInvalidForProcessing"})
# Nobody can tell from these that somebody agreed, whatever was known before.
UNSURE = frozenset({"ConsentRequested", "ConsentRequestDeferred", "ConsentUnknown", "ConsentStatusValidForProcessing"})
STATES = GIVEN | ENDED | REFUSED | UNSURE
COLUMNS = (
    "pii_principal_identifier",
    "event_time",
    "event_state",
    "purpose",
    "recipient_third_parties",
    "dataset",
    "valid_until",
)
# Members that are read, by where they stand. One that is spelt nearly so, or stands elsewhere, would be passed over.
_MEMBERS = {
    "a record": frozenset({"pii_principal_identifier", "purposes", "events"}),
    "a purpose": frozenset({"purpose", "recipient_third_parties", "datasets"}),
    "an event": frozenset({"event_time", "event_state", "valid_until", "validity_duration"}),
}
_LIKE = frozenset(name.replace("_", "") for name in (*frozenset().union(*_MEMBERS.values()), "dataset"))
# What may say that a consent is over, or when: by a word of a name, however that is put together. Of these the standard
# has others that say neither.
_OVER = re.compile(
    "valid|invalid|expir|until|durat|withdr|revok|revoc|terminat|cancel|stat(e|us)$|end(s|ed|date|time)?$"
    "|(in|de)?activ(e|ated)$|(en|dis)abled$|opt(s|ed)?(in|out)?$|delet|remov|eras|archiv|obsolet|void|supersed"
    "|den(y|ied)|declin|refus|reject|object(s|ed|ion|ions)$|suspend|unsubscr"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NEITHER = frozenset(
    ("withdrawalmethod", "withdrawalmethods", "piioptional", "sensitivepiicategory", "specialpiicategory")
)
_ANSWERS = frozenset(("yes", "no", "true", "false"))
# Signs that are not seen though the language calls them printable: fillers, joiners, selectors of a variant, blanks.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What data are wanted for: whose rows of this dataset may go to this recipient for this purpose."""

    dataset: str
    purpose: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one person. An empty member of an event that ends or refuses consent stands for all there are."""

    subject: str
    state: str
    at_ms: int
    until_ms: int = 0
    purpose: str = ""
    recipient: str = ""
    dataset: str = ""

    @property
    def is_yes(self) -> bool:
        """Tell whether it gives consent."""
        return self.state in GIVEN


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands to a question: the state that decides, since when, and until when a yes holds (0: no end).

    `given_ms` and `ended_ms` are of the newest yes and of the newest event that took consent back, 0 for none.
    """

    state: str
    at_ms: int
    until_ms: int = 0
    given_ms: int = 0
    ended_ms: int = 0

    def allows(self, now_ms: int) -> bool:
        """Tell whether it is a yes now."""
        return self.state in GIVEN and (self.until_ms == 0 or now_ms < self.until_ms)

    @property
    def is_withdrawn(self) -> bool:
        """Tell whether consent was taken back or ended for good, and not given since: asked again, it still is."""
        again = self.state not in GIVEN and 0 < self.ended_ms >= self.given_ms
        return self.state in ENDED or again


def standings(events: Iterable[Event], asked: Asked, now_ms: int) -> dict[str, Standing]:
    """Weigh events against a question: how each person stands of whom anything bears on it."""
    found: dict[str, Standing] = {}
    for event in events:
        if not _bears(event, asked) or (event.is_yes and event.at_ms > now_ms):
            continue
        found[event.subject] = _weighed(found.get(event.subject), event)
    return found


def _weighed(before: Standing | None, event: Event) -> Standing:
    given_ms = event.at_ms if event.is_yes else 0
    ended_ms = event.at_ms if event.state in ENDED else 0
    if before is None:
        return Standing(event.state, event.at_ms, event.until_ms, given_ms, ended_ms)
    given_ms, ended_ms = max(given_ms, before.given_ms), max(ended_ms, before.ended_ms)
    # At one moment the no holds, in whatever order they are read.
    if event.at_ms > before.at_ms or (event.at_ms == before.at_ms and not event.is_yes):
        return Standing(event.state, event.at_ms, event.until_ms, given_ms, ended_ms)
    until_ms = before.until_ms
    if event.at_ms == before.at_ms and before.state in GIVEN:
        until_ms = min(until_ms or event.until_ms, event.until_ms or until_ms)  # 0 is no end
    return replace(before, until_ms=until_ms, given_ms=given_ms, ended_ms=ended_ms)


def _bears(event: Event, asked: Asked) -> bool:
    if event.is_yes:
        return (
            event.recipient == asked.recipient
            and event.dataset in ("", asked.dataset)
            and _is_within(asked.purpose, event.purpose) is True
        )
    places = (event.recipient, asked.recipient), (event.dataset, asked.dataset)
    return _touches(event.purpose, asked.purpose) and all(not said or may_be(said, whole) for said, whole in places)


def _touches(said: str, asked: str) -> bool:
    """Tell whether a purpose may have anything in common with another: what is not known counts as so."""
    return not said or _is_within(asked, said) is not False or _is_within(said, asked) is not False


# ---------------------------------------------------------------- reading


def read_jsonl(lines: Iterable[bytes]) -> Iterator[Event]:
    """Read records, one JSON object a line. Raises Malformed with the number of the line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield from of_record(loaded(_bounded(line)))
        except (Malformed, ValueError) as error:
            raise _at_line(number, error) from error


def _bounded(line: bytes) -> bytes:
    if len(line) > MAX_LINE:
        raise Malformed(f"it has more than {MAX_LINE} bytes")
    return line


def loaded(text: bytes) -> object:
    """Read JSON; what names a member twice is refused, since only one of both would be seen. Raises ValueError too."""
    read: object = orjson.loads(text)
    # What is the same when it is written anew names nothing twice: the rest is looked at by a slower reader.
    try:
        is_plain = orjson.dumps(read) == text.strip()
    except orjson.JSONEncodeError as error:
        raise Malformed("its members stand too deep within others") from error
    if not is_plain:
        json.loads(text, object_pairs_hook=_once)
    return read


def _once(members: Sequence[tuple[str, object]]) -> None:
    if len({name for name, _ in members}) != len(members):
        raise Malformed("it names a member twice")


def read_csv(lines: Iterable[str]) -> Iterator[Event]:
    """Read events, one a line under a head of `COLUMNS`. Raises Malformed with the number of the line."""
    reader = csv.DictReader(lines, strict=True)
    try:
        _check_head(tuple(reader.fieldnames or ()))
        for row in reader:
            yield from _of_row(row)
    except (Malformed, csv.Error, ValueError) as error:
        raise _at_line(reader.line_num, error) from error


def _at_line(number: int, error: Exception) -> Malformed:
    unread = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else "it cannot be read"
    said = error.message if isinstance(error, Malformed) else unread
    # Never what stands in the line: it is about a person.
    return Malformed(f"Line {number} of the consent records: {said}.", fix="Mend it: until then nobody has consented.")


def of_record(record: object) -> Iterator[Event]:
    """Give the events of one record: each for each of its purposes, recipients and datasets.

    Raises:
        Malformed: It lacks a member, or has one of another form.
    """
    record = _object(record, "a record")
    subject = _key(record.get("pii_principal_identifier"))
    events = record.get("events")
    if not isinstance(events, list) or not 0 < len(events) <= _MAX_LISTED:
        raise Malformed(f"a record has 1 to {_MAX_LISTED} events")
    scopes = list(_scopes(record))
    for event in events:
        event = _object(event, "an event")  # noqa: PLW2901 - the same, and known to be one
        at_ms = _moment(event.get("event_time"), "event_time")
        until_ms = _until(event, at_ms)
        state = _state(event.get("event_state"))
        for purpose, recipient, dataset in scopes:
            yield _event(Event(subject, state, at_ms, until_ms, purpose, recipient, dataset))


def _scopes(record: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    purposes = record.get("purposes") or [{}]
    if not isinstance(purposes, list) or len(purposes) > _MAX_LISTED:
        raise Malformed(f"purposes are a list of at most {_MAX_LISTED}")
    for each in purposes:
        each = _object(each, "a purpose")  # noqa: PLW2901
        purpose = _purpose(each.get("purpose", ""))
        for recipient in _listed(each.get("recipient_third_parties"), "recipient_third_parties"):
            for dataset in _listed(each.get("datasets"), "datasets"):
                yield purpose, recipient.rstrip("/"), dataset


def _check_head(head: tuple[str, ...]) -> None:
    if len(set(head)) != len(head) or any(name not in head for name in COLUMNS[:3]):
        raise Malformed(f"its head has not once each of {', '.join(COLUMNS[:3])}")
    if not set(head) <= set(COLUMNS):
        raise Malformed(f"its head names a column that is not read; there are {', '.join(COLUMNS)}")


def _of_row(row: Mapping[str, Any]) -> Iterator[Event]:
    # The library's own marks: fields beyond the head stand under None, fields that lack are None.
    if not all(isinstance(value, str) for value in row.values()):
        raise Malformed("it has not as many fields as the head")
    # A quote that stands by mistake takes whole lines into its field, and one of them could have been a no.
    if not "".join(row.values()).isprintable():
        raise Malformed("a field holds a line break or another sign that cannot be seen")
    at_ms = _moment(row["event_time"], "event_time")
    subject, state = _key(row["pii_principal_identifier"]), _state(row["event_state"])
    until = row.get("valid_until", "")
    until_ms = _end(_moment(until, "valid_until")) if until else 0
    purpose, dataset = _purpose(row.get("purpose", "")), row.get("dataset", "")
    for recipient in row.get("recipient_third_parties", "").split() or [""]:
        yield _event(Event(subject, state, at_ms, until_ms, purpose, recipient.rstrip("/"), dataset))


def _event(event: Event) -> Event:
    """Give it back; a yes must say for what and to whom, and a member that is named must be an address."""
    if event.is_yes and not (event.purpose and event.recipient):
        raise Malformed("consent is given for a purpose and to a recipient, and it does not name both")
    if not all(not each or _is_address(each) for each in (event.recipient, event.dataset)):
        raise Malformed("recipients and datasets are addresses")
    return event


def is_key(value: object) -> TypeGuard[str]:
    """Tell whether it can name a person: spelt in one way (NFC), and with nothing in it that cannot be seen.

    Else two keys would look like one, and the withdrawal of one would leave the consent of the other.
    """
    if not isinstance(value, str) or not 0 < len(value) <= MAX_KEY or not value.isprintable() or value != value.strip():
        return False
    return value.isascii() or (unicodedata.is_normalized("NFC", value) and _UNSEEN.search(value) is None)


def _key(value: object) -> str:
    if not is_key(value):
        raise Malformed(
            f"pii_principal_identifier is a text of 1 to {MAX_KEY} characters that can be seen, in one line, without"
            " spaces around it, its letters composed (NFC)"
        )
    return value


def _state(value: object) -> str:
    name = value.removeprefix(DPV).removeprefix("dpv:") if isinstance(value, str) else ""
    if name not in STATES:
        raise Malformed("event_state is no consent state of DPV, such as dpv:ConsentGiven")
    return name


def _purpose(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_KEY:
        raise Malformed("a purpose is a text")
    return _named(value)


@lru_cache(maxsize=1_024)
def _named(purpose: str) -> str:
    name = purpose.removeprefix("dpv:")
    return DPV + name if name and not is_iri(name) else name


def _moment(value: object, what: str) -> int:
    at_ms = _read_time(value) if isinstance(value, str) else None
    if at_ms is None:
        raise Malformed(f"{what} is a moment with its zone, such as 2026-11-22T10:00:00Z")
    return at_ms


def _until(event: Mapping[str, Any], at_ms: int) -> int:
    """Give the earlier of both ends, 0 if it names none."""
    ends = []
    if event.get("valid_until") is not None:
        ends.append(_end(_moment(event["valid_until"], "valid_until")))
    if event.get("validity_duration") is not None:
        said = event["validity_duration"]
        length = duration(said) if isinstance(said, str) else None
        if length is None:
            raise Malformed("validity_duration is a length of time such as P1Y")
        ends.append(_end(length.after(at_ms)))
    return min(ends, default=0)


def _end(at_ms: int) -> int:
    """Give an end as it is kept: the first moment of all is long gone, and is not the sign for none."""
    return max(at_ms, 1)


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{what} is a JSON object")
    for name in value.keys() - _MEMBERS[what]:
        plain = re.sub(r"[\W_]", "", name).casefold()
        words = map(str.casefold, _WORD.findall(name))
        is_other = plain not in _NEITHER and (any(map(_OVER.match, words)) or _is_answer(value[name]))
        if plain in _LIKE or is_other:
            raise Malformed(f"{what} has a member that is nearly one that is read there, or may say that it is over")
    return value


def _is_answer(value: object) -> bool:
    """Tell whether it says yes or no: to what, nobody knows, and it may be to this consent."""
    return isinstance(value, bool) or (isinstance(value, str) and value.strip().casefold() in _ANSWERS)


def _listed(value: object, what: str) -> list[str]:
    """Give a list of texts; what is left out stands for all, as one empty text."""
    if value in (None, "", []):
        return [""]
    if not isinstance(value, list) or len(value) > _MAX_LISTED or not all(isinstance(each, str) for each in value):
        raise Malformed(f"{what} are a list of at most {_MAX_LISTED} texts")
    return value
