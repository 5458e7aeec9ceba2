"""Laws of making in bulk: whoever makes a document, it is the same and comes in its turn; nobody waits for the dead."""

import signal
import time
from collections.abc import Iterator

import pytest

from node.catalog.search import making
from node.catalog.search.making import Batch, Maker, Task, document
from node.catalog.shelf import Held
from node.vocab.mappings import MappingBook, Match, plain_code

DCT = "http://purl.org/dc/terms/"


def task(number: int, payload: bytes | None = None) -> Task:
    iri = f"http://127.0.0.1:8001/datasets/d{number}"
    body = f'<{iri}> <{DCT}title> "Title {number}"@en .\n'.encode() if payload is None else payload
    return Task(Held("open-data", iri, "dataset", f"d{number}", "sha256:00", 1, 1), body, None, "here", 0, False)


def batches(count: int, size: int = 3) -> Iterator[Batch[int]]:
    for start in range(count):
        yield Batch(start, [task(start * size + n) for n in range(size)], plain_code)


def told(made: Iterator[Batch[int]]) -> list[tuple[int, list[str] | None]]:
    return [(batch.what, batch.documents) for batch in made]


def alone(count: int) -> list[tuple[int, list[str] | None]]:
    with Maker(helped=False) as maker:
        return told(maker.made(batches(count)))


def test_documents_come_in_the_order_asked() -> None:
    found = alone(4)
    assert [what for what, _ in found] == [0, 1, 2, 3]
    assert all(documents and len(documents) == 3 for _, documents in found)


def test_what_cannot_be_read_is_left_out_and_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    assert document(task(1, b""), plain_code) == ""
    assert document(task(1, b"no triples at all\n\xff"), plain_code) == ""
    assert "d1" in caplog.text
    assert document(task(1), plain_code)


@pytest.mark.slow
def test_a_helper_makes_the_same_documents_in_the_same_order() -> None:
    with Maker(helped=True) as maker:
        assert maker._helper is not None
        assert told(maker.made(batches(300))) == alone(300)
        process = maker._helper._process
    assert process.poll() is not None, "it ends with the run"


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1, 50])
def test_what_a_helper_leaves_when_it_dies_is_made_here(after: int) -> None:
    with Maker(helped=True) as maker:
        assert maker._helper is not None
        process = maker._helper._process
        found = []
        for number, batch in enumerate(maker.made(batches(100))):
            found.append((batch.what, batch.documents))
            if number == after:
                process.kill()
        assert found == alone(100)


def from_helper(helper: making._Helper) -> list[str]:
    """Wait for a helper, as nobody does in earnest."""
    deadline = time.monotonic() + 20
    while (found := helper.give()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


@pytest.mark.slow
def test_a_helper_learns_what_words_mean_and_unlearns_it() -> None:
    books = [MappingBook({"here": [Match("theme", "odd", exact=True, code=code)]}) for code in ("TRAN", "HEAL")]
    body = b'<http://127.0.0.1:8001/datasets/d1> <http://www.w3.org/ns/dcat#theme> "odd" .\n'
    helper = making._Helper()
    try:
        for book in (books[0], books[1], books[1], books[0]):
            helper.take([task(1, body)], book.code)
        found = [from_helper(helper)[0] for _ in range(4)]
    finally:
        helper.end()
    said = [code for made in found for code in ("TRAN", "HEAL") if code in made]
    assert said == ["TRAN", "HEAL", "HEAL", "TRAN"]


@pytest.mark.slow
def test_nobody_waits_for_a_helper_that_does_nothing() -> None:
    with Maker(helped=True) as maker:
        assert maker._helper is not None
        maker._helper._process.send_signal(signal.SIGSTOP)
        assert told(maker.made(batches(60))) == alone(60)


@pytest.mark.slow
def test_a_helper_does_its_share() -> None:
    with Maker(helped=True) as maker:
        assert maker._helper is not None
        given, give = [0], maker._helper.give

        def counted() -> list[str] | None:
            found = give()
            given[0] += found is not None
            return found

        maker._helper.give = counted  # type: ignore[method-assign]
        list(maker.made(batches(400, size=60)))
    assert given[0] > 2
