"""What tests of the desk share: plans that one city offers another, as far as they are wanted."""

import time
from collections.abc import Callable
from typing import Any

from node.assembly.clock import clock_ms
from node.federation.agreement_desk.drafting import Wish, Words
from tests.federation.cities import City

RULES = {"permission": [{"action": "odrl:index"}, {"action": "odrl:read"}], "prohibition": [{"action": "odrl:sell"}]}


def office(city: City) -> Any:
    return city.federation.agreeing.office


def plans(to: str = "london", **words: Any) -> Wish:
    return Wish(to, Words(**({"rules": RULES, "about": {"title": "Plans"}} | words)), covers=["plans"])


def settle(*towns: City) -> None:
    """Let every city's worker make its rounds until nothing is said any more."""
    for _ in range(20):
        if not sum(office(city).round(clock_ms()) for city in towns):
            return
    raise AssertionError("they never stop talking")


def proposed(giver: City, taker: City, wish: Wish | None = None) -> tuple[str, str]:
    """The ids that a proposal has on either side."""
    draft = office(giver).draft(wish or plans(taker.name))["drafts"][0]["id"]
    ours = office(giver).propose(draft)["id"]
    theirs = office(taker).list()["negotiations"][0]["id"]
    return ours, theirs


def agreed(giver: City, taker: City, wish: Wish | None = None) -> str:
    """An agreement that both cities signed."""
    before = {each["id"] for each in office(giver).list(ended=True)["agreements"]}
    ours, theirs = proposed(giver, taker, wish)
    office(giver).approve(ours, person="maija")
    office(taker).approve(theirs, person="john")
    settle(giver, taker)
    (made,) = {each["id"] for each in office(giver).list()["agreements"]} - before
    return made


def until(law: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not law():
        assert time.monotonic() < end
        time.sleep(0.05)
