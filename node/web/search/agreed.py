"""What tells one agreement of a list from another of the same title: between which cities, what it covers, since when.

Read from its record, as the register does. A collection is named by its title where everybody may see it, else by the
end of its address, which the agreement itself says. Values only.
"""

from collections.abc import Callable, Iterator, Mapping

from node.federation.agreements.follower import term_of
from node.federation.agreements.text import AgreementText, ms_of_seconds
from node.web.agreements.found import read_record
from node.web.search.facts import RowFact
from node.web.wording.text import Said, date_of
from node.web.wording.words import title_said, words

_MOST = 3


def agreed_in(
    iri: str, payload: bytes, reader: str, city_at: Callable[[str], str], titles: Mapping[str, str]
) -> tuple[str, tuple[RowFact, ...]]:
    """Give who opens to whom, and what a row says of it; nothing of a record that holds no agreement."""
    read = read_record(iri, payload)
    if read is None:
        return "", ()
    text = read[1]
    way = words(reader, "agreement.way", assigner=city_at(text.assigner), assignee=city_at(text.assignee))
    return way, tuple(_facts(text, reader, titles))


def _facts(text: AgreementText, reader: str, titles: Mapping[str, str]) -> Iterator[RowFact]:
    covers = [str(each) for each in text.about.get("covers") or (text.target,)]
    named = [title_said(titles[each], reader) if each in titles else _end(each) for each in covers[:_MOST]]
    more = ", …" if len(covers) > _MOST else ""
    yield RowFact("covers", words(reader, "agreement.row.covers"), Said(", ".join(named) + more))
    since = _since_ms(text)
    if since:
        yield RowFact("begins", words(reader, "agreement.row.begins"), Said(date_of(since, reader)))


def _end(iri: str) -> str:
    return iri.rstrip("/").rpartition("/")[2] or iri


def _since_ms(text: AgreementText) -> int:
    """Give when it begins by its own word, else when the second city signed."""
    starts_ms, _ = term_of(text.policy)
    return starts_ms or (ms_of_seconds(text.proofs[-1].get("created"), "a proof") if len(text.proofs) > 1 else 0)
