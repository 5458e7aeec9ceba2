"""Laws of the doors for news of peers: who is no peer says nothing, and what is no notice is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.errors import NodeError
from tests.federation.cities import HELSINKI, LONDON, cities
from tests.web.api.test_agreements import Staff

pytestmark = pytest.mark.slow  # two whole nodes with their web applications


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[tuple[Staff, Staff]]:
    with cities(tmp_path_factory.mktemp("notices"), migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.meet(london)
        london.meet(helsinki)
        yield Staff(helsinki, "maija"), Staff(london, "john")


def test_the_address_says_its_methods(two: tuple[Staff, Staff]) -> None:
    assert "POST" in two[0].ask("OPTIONS", "/federation/agreements").headers["allow"].split(", ")


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b"{}", b'{"agreement":"x"}', b'{"agreement":"x","state":3}', b"x" * 20_000]
)
def test_a_notice_that_is_none_is_refused_and_a_stranger_tells_nothing(body: bytes, two: tuple[Staff, Staff]) -> None:
    helsinki, london = two
    assert helsinki.ask("POST", "/federation/agreements", body, who="nobody").status == 401
    assert helsinki.ask("POST", "/federation/agreements", body).status == 403, "staff is no peer"
    with pytest.raises(NodeError):
        london.city.federation.client._tell(
            HELSINKI, "/federation/agreements", {"agreement": "x", "state": 3}, stop=None
        )
    assert helsinki.city.sql("SELECT * FROM nudge") == []
