"""Laws of the lines that say all that a source says: bounded in number and in length, and honest where they are cut."""

from node.vocab import ntriples
from node.vocab.terms import DCT
from node.web.records.everything import MAX_CHARACTERS, everything
from node.web.wording.graph import Described

IRI = "https://city.example/datasets/1"


def described(*texts: str) -> Described:
    payload = "".join(f"<{IRI}> <{DCT.description}> {ntriples.literal(text)} .\n" for text in texts).encode()
    return Described(ntriples.triples_of(payload), IRI, "en", ("en",))


def test_long_texts_are_cut_where_there_is_no_room_and_it_is_said() -> None:
    lines, cut = everything(described("a" * 500_000, "b" * 500_000))
    shown = [value.text for line in lines for value in line.values]
    assert cut
    assert sum(map(len, shown)) <= MAX_CHARACTERS + len(shown)
    assert all(text.endswith("…") for text in shown)


def test_what_has_room_is_told_whole() -> None:
    lines, cut = everything(described("a" * 5_000, "b"))
    assert (sorted(len(value.text) for line in lines for value in line.values), cut) == ([1, 5_000], False)
