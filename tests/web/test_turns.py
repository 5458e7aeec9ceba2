"""Laws of what a page shows of many: cities take turns, and what is shown is in the order of time."""

from node.catalog.shelf import Held
from node.web.records.touching import _shared


def held(collection: str, number: int, at_ms: int) -> Held:
    iri = f"https://{collection.partition('/')[0]}.example/adoptions/{number}"
    return Held(collection, iri, "adoption", str(number), "sha256:" + "0" * 64, number, at_ms)


def test_a_city_that_sends_much_does_not_fill_a_page() -> None:
    flood = [held(f"oslo/{name}", number, 9_000 + number) for name in ("a", "b") for number in range(50)]
    others = [held("london/practices", 1, 2_000), held("own", 2, 3_000)]
    shown = _shared([*flood, *others], 20)
    assert len(shown) == 20
    assert shown[-2:] == [others[1], others[0]]
    assert [each.at_ms for each in shown] == sorted((each.at_ms for each in shown), reverse=True)
    assert _shared(others, 20) == [others[1], others[0]]
