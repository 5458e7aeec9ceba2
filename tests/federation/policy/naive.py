"""A third evaluator, for the property tests: it shares no code with the two of the node and has no thought of speed.

It reads our written JSON and the data files by itself, counts truth in halves (0, a half for unknown, 1), keeps times
as `datetime` and works places out as paths. Written from the words of the profile, not from the code.
"""

import json
import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "agreements"
PURPOSES = json.loads((DATA / "purposes.json").read_text())["purposes"]
PLACES = json.loads((DATA / "places.json").read_text())
NO, MAYBE, YES = Fraction(0), Fraction(1, 2), Fraction(1)
INCLUDED = {"use": {"read", "index", "distribute", "derive", "aggregate", "translate", "reidentify"}}


def decide(rules: dict, request: dict, world: dict) -> tuple[bool, str, str]:
    """Give whether it is allowed, in one word why not, and by which rule."""
    for rule in rules.get("prohibition", []):
        action = short(rule["action"])
        if request["action"] in {action, *INCLUDED.get(action, ())} and holds(rule, request, world) > NO:
            return False, "prohibited", rule["@id"]
    about = [rule for rule in rules.get("permission", []) if short(rule["action"]) == request["action"]]
    for rule in about:
        if holds(rule, request, world) == YES and all(kept(duty, world) for duty in rule.get("duty", [])):
            return True, "", rule["@id"]
    return False, "no-clause" if not about else "failed", ""


def short(term: str) -> str:
    return re.split(r"[#:/]", term)[-1]


def holds(rule: dict, request: dict, world: dict) -> Fraction:
    return min([truth(one, request, world, rule["@id"]) for one in rule.get("constraint", [])], default=YES)


def truth(constraint: dict, request: dict, world: dict, rule_id: str) -> Fraction:
    for word in ("and", "or", "xone"):
        if word in constraint:
            parts = [truth(one, request, world, rule_id) for one in constraint[word]]
            return {"and": min, "or": max, "xone": exactly_one}[word](parts)
    left, operator, right = short(constraint["leftOperand"]), constraint["operator"], constraint["rightOperand"]
    listed = right if isinstance(right, list) else [right]
    if left in ("dateTime", "count", "volume", "elapsedTime"):
        return ordered(left, operator, listed[0], world, rule_id)
    claim = request.get(left)
    if not claim:
        return MAYBE
    judge = {"purpose": purpose, "spatial": place}.get(left, lambda _operator, one, other: NO + (one == other))
    best = max(judge(operator, claim, one) for one in listed)
    return YES - best if operator == "isNoneOf" else best


def exactly_one(parts: list[Fraction]) -> Fraction:
    """Try every way in which what is unknown could be."""
    sure, open_ends = parts.count(YES), parts.count(MAYBE)
    ways = {sure + extra == 1 for extra in range(open_ends + 1)}
    return MAYBE if len(ways) > 1 else NO + ways.pop()


# ---------------------------------------------------------------- what is compared


def purpose(operator: str, claim: str, written: str) -> Fraction:
    if claim not in PURPOSES or written not in PURPOSES:
        return MAYBE
    if operator == "eq":
        return NO + (claim == written)
    if reaches(claim, written):
        return YES
    return MAYBE if reaches(written, claim) else NO


def reaches(low: str, high: str) -> bool:
    return low == high or any(reaches(one, high) for one in PURPOSES[low]["broader"])


def place(operator: str, claim: str, written: str) -> Fraction:
    if claim.startswith("_:"):
        return MAYBE
    if claim == written:
        return YES
    low, high = path(claim), path(written)
    if not low or not high:
        return MAYBE
    if operator == "eq":
        return YES if low == high else (MAYBE if two_systems(low, high) else NO)
    if low[: len(high)] == high or (high == ["EEA", "EU"] and low[:2] == high) or (len(high) == 1 and high[0] in low):
        return YES
    wider = high[: len(low)] == low or (len(low) == 1 and low[0] in high)
    return MAYBE if wider or two_systems(low, high) else NO


def path(iri: str) -> list[str]:
    """Give a place as the way down to it: union, country, what is below. Empty if it is not known."""
    for base in ("country", "place", "nuts", "location"):
        if iri.startswith(PLACES[base]):
            return {"country": country, "place": below, "nuts": nuts, "location": location}[base](
                iri[len(PLACES[base]) :]
            )
    return []


def country(code: str, key: str = "") -> list[str]:
    for iso3, said in PLACES["countries"].items():
        if code == (said[key] if key else iso3):
            unions = [one for one in ("EEA", "EU") if one in said["within"]]
            return [*unions, iso3]
    return []


def below(code: str) -> list[str]:
    above = country(code[:3])
    return [*above, "place", code] if above and re.fullmatch(r"[A-Z]{3}_[A-Z0-9]{2,6}", code) else []


def nuts(code: str) -> list[str]:
    above = country(code[:2], "nuts")
    if not above or not re.fullmatch(r"[A-Z]{2}[A-Z0-9]{0,3}", code):
        return []
    return above + (["nuts", *code[2:]] if code[2:] else [])


def location(code: str) -> list[str]:
    if code in PLACES["groups"]:
        return ["EEA", "EU"] if code == "EU" else ["EEA"]
    above = country(code[:2], "iso2")
    rest = code[2:]
    if above and re.fullmatch(r"-[A-Z0-9]{1,3}", rest):
        return [*above, "subdivision", rest[1:]]
    return above if above and not rest else []


def two_systems(one: list[str], other: list[str]) -> bool:
    """Two names below one country that may be the same ground."""
    countries = [next((part for part in way if part in PLACES["countries"]), "") for way in (one, other)]
    if countries[0] != countries[1] or not countries[0]:
        return False
    systems = [way[way.index(countries[0]) + 1 :][:1] for way in (one, other)]
    return [] not in systems and (systems[0] != systems[1] or systems[0] == ["subdivision"])


def ordered(left: str, operator: str, written: str, world: dict, rule_id: str) -> Fraction:
    found: object = None
    limit: object = None
    if left == "dateTime":
        found, limit = world["now"], moment(written)
    elif left == "count" and world["counts"] is not None:
        found, limit = world["counts"].get(rule_id, 0) + 1, int(written)
    elif left == "volume" and world["volumes"] is not None:
        found, limit = world["volumes"].get(rule_id, 0) + 1, int(written)
    elif left == "elapsedTime" and world["agreed"] is not None:
        found, limit = world["now"], later(world["agreed"], written)
    if found is None:
        return MAYBE
    less, equal = found < limit, found == limit  # type: ignore[operator]
    return NO + {"lt": less, "lteq": less or equal, "gt": not less and not equal, "gteq": not less}[operator]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def later(start: datetime, length: str) -> datetime:
    date, _, time = length[1:].partition("T")
    amounts = {unit: int(number) for number, unit in re.findall(r"(\d+)([YMWD])", date)}
    clock = {unit: int(number) for number, unit in re.findall(r"(\d+)([HMS])", time)}
    day = start.day
    for _ in range(
        amounts.get("Y", 0) * 12 + amounts.get("M", 0)
    ):  # a month is to the same day of the next, if it has it
        start = start.replace(day=28) + timedelta(days=4)
        start = start.replace(day=min(day, monthrange(start.year, start.month)[1]))
    return start + timedelta(
        weeks=amounts.get("W", 0),
        days=amounts.get("D", 0),
        hours=clock.get("H", 0),
        minutes=clock.get("M", 0),
        seconds=clock.get("S", 0),
    )


def kept(duty: dict, world: dict) -> bool:
    """Tell whether a duty is not violated."""
    if duty["@id"] in world["violated"]:
        return False
    then = {**world, "now": world["performed"].get(duty["@id"], world["now"])}
    return all(truth(one, {}, then, duty["@id"]) == YES for one in duty.get("constraint", []))


def at(ms: int | None) -> datetime | None:
    return None if ms is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
