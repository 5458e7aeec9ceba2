"""The command that tells the numbers of this catalogue: what is in it, how it is used, what is exchanged by city.

Everything of this city is counted, also what is restricted: the command line is the city's own staff. Needs the search
index, which the worker keeps; nothing is written.
"""

from typing import TYPE_CHECKING

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened

if TYPE_CHECKING:
    from node.catalog.numbers import Exchange, Told


def numbers(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Tell what is in the catalogue, how often it is used, and what is exchanged with each city."""
    from node.catalog.search.query import Allowed, Sight

    with opened(data) as node:
        shut = [one.name for one in node.shelf.collections() if one.visibility != "public"]
        told = node.readers.numbers.now(Sight(restricted=tuple(map(Allowed, shut))), with_exchange=True)
    if as_json:
        say.document(told)
        return
    say.line(f"{told.records:,} records, {told.downloaded:,} downloads and {told.searched:,} searches in 30 days")
    if told.searched:
        say.line(f"{told.in_vain:,} searches found nothing")
    _say_facets(told)
    say.lines(f"downloaded {many:,} times: {iri}" for iri, many in told.most)
    if told.exchange:
        columns = ("city", "state", "entries", "behind", "refused here", "refused there", "last answer", "days away")
        say.table(columns, [_exchange(one) for one in told.exchange])


def _exchange(one: "Exchange") -> tuple[str, ...]:
    answered = say.moment(one.answered_ms) if one.answered_ms else "never"
    counts = (one.entries, one.behind, one.refused_here, one.refused_there)
    return (one.name, one.state, *(f"{many:,}" for many in counts), answered, str(one.away_days))


def _say_facets(told: "Told") -> None:
    for name, counts in told.facets.items():
        said = ", ".join(f"{one.label or one.value} {one.count:,}" for one in counts if one.count)
        if said:
            say.line(f"by {name}: {said}")
