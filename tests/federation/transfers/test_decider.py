"""What agreements say of transfers, between whole nodes: who may have what, how often, what follows from changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.assembly.clock import clock_ms
from node.errors import Conflict, Malformed, NotAgreed
from node.federation.answers import Ask
from node.federation.moved import OriginWish
from node.federation.transfer import Step, Transfer
from node.journal import catch_up
from tests.federation.agreed import RESEARCH, agree, agree_alone, atom, change, permits
from tests.federation.cities import GHENT
from tests.federation.data.door_rig import Pair, pair

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds
DATASET_KEY = "https://w3id.org/citynode/ns#dataset"


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[Pair]:
    with pair(tmp_path, migrated) as made:
        yield made


def ours(two: Pair) -> Transfer:
    """The newest at London, the consumer."""
    newest: Transfer = two.london.federation.moving.transfers.list()[0]
    return newest


def states(two: Pair) -> tuple[str, str]:
    held = ours(two)
    theirs = two.helsinki.federation.moving.transfers.get(held.other_pid)
    return held.state, theirs.state


def settle(two: Pair, turns: int = 3) -> None:
    for _ in range(turns):
        two.settle()


def ask(two: Pair, dataset: str | None = None, *, purpose: str = "", part: str = "", agreement: str = "") -> Transfer:
    """Request, and let both sides say what follows."""
    made = two.london.federation.moving.transfers.request(
        two.helsinki.url, agreement or two.agreement, two.dataset if dataset is None else dataset, part, purpose
    )
    settle(two)
    found: Transfer = two.london.federation.moving.transfers.get(made.pid)
    return found


# ---------------------------------------------------------------- who may


def test_a_use_that_the_agreement_permits_starts_and_is_counted_once(two: Pair) -> None:
    two.lay()
    two.start(atom("count", "lteq", "1"))
    assert states(two) == ("STARTED", "STARTED")
    assert two.sql("SELECT uses FROM counted") == [(1,)]
    transfers, held = two.london.federation.moving.transfers, ours(two)
    for act in ("suspend", "resume"):
        transfers.step(held.pid, Step(act))  # type: ignore[arg-type]
        settle(two)
    assert states(two) == ("STARTED", "STARTED"), "a transfer does not count against itself"
    assert two.sql("SELECT uses FROM counted") == [(1,)]
    second = ask(two)
    assert (second.state, second.code) == ("TERMINATED", "refused")
    assert "condition of the clause does not hold (count)" in second.reasons[0]
    assert two.sql("SELECT uses FROM counted") == [(1,)]


def test_without_its_purpose_a_use_is_refused_and_with_it_starts(two: Pair) -> None:
    two.lay()
    two.start(atom("purpose", "isA", RESEARCH), purpose=RESEARCH)
    assert states(two) == ("STARTED", "STARTED")
    refused = ask(two)
    assert refused.state == "TERMINATED"
    assert "(purpose)" in refused.reasons[0]


def test_an_agreement_of_somebody_else_is_the_same_as_none(two: Pair) -> None:
    two.lay()
    two.start()
    hear = two.helsinki.federation.moving.transfers.hear
    other = agree_alone(two.helsinki.node, GHENT, records=[two.dataset], rules=permits("use"))
    said = []
    for agreement in (other, f"{two.helsinki.url}/agreements/none"):
        with pytest.raises(NotAgreed) as caught:
            hear(two.london.url, "provider", "", request(two, agreement), "request")
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_we_ask_only_under_an_agreement_in_force_in_which_they_provide(two: Pair) -> None:
    two.lay()
    two.start()
    with pytest.raises(NotAgreed):
        ask(two, agreement=f"{two.helsinki.url}/agreements/none")
    change(two.london.node, two.agreement, "suspended")
    with pytest.raises(NotAgreed, match="suspended"):
        ask(two)


def request(two: Pair, agreement: str = "", **more: str) -> dict[str, object]:
    return {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "TransferRequestMessage",
        "consumerPid": f"consumer-{clock_ms()}-{len(more)}",
        "agreementId": agreement or two.agreement,
        "format": "HttpData-PULL",
        "callbackAddress": f"{two.london.url}/dsp/2025-1",
        **more,
    }


# ---------------------------------------------------------------- which dataset


def test_a_request_that_names_no_dataset_is_about_the_only_one_with_data(two: Pair) -> None:
    two.lay()
    two.start()
    held = ask(two, "")
    assert held.state == "STARTED"
    assert two.helsinki.federation.moving.transfers.get(held.other_pid).dataset == two.dataset


def test_a_request_that_could_be_about_several_hears_which(two: Pair) -> None:
    hear = two.helsinki.federation.moving.transfers.hear
    second = two.helsinki.record(2)
    two.lay()
    two.agreement = agree(two.helsinki.node, two.london.node, records=[two.dataset, second], rules=permits("use"))
    lay_second(two, second)
    with pytest.raises(Malformed) as caught:
        hear(two.london.url, "provider", "", request(two), "request")
    assert two.dataset in caught.value.fix
    assert second in caught.value.fix
    named = hear(two.london.url, "provider", "", request(two, **{DATASET_KEY: second}), "request")
    assert named.dataset == second


def lay_second(two: Pair, dataset: str) -> None:
    two.helsinki.publish(two.helsinki.put(2))
    for follower in two.helsinki.node.followers:
        catch_up(two.helsinki.node.journals, follower)
    path = two.folder / "data" / "second.csv"
    path.write_text("a,b\n")
    two.helsinki.federation.moving.origin_parts.office.add(
        OriginWish(dataset, str(path), "second.csv"), by="a test", files=True
    )


@pytest.mark.parametrize("more", [{DATASET_KEY: "https://elsewhere.test/d"}, {f"{DATASET_KEY[:-7]}part": "other.csv"}])
def test_what_is_not_there_under_the_agreement_is_refused(two: Pair, more: dict[str, str]) -> None:
    two.lay()
    two.start()
    before = len(two.helsinki.federation.moving.transfers.list())
    with pytest.raises(Malformed) as told:
        two.helsinki.federation.moving.transfers.hear(two.london.url, "provider", "", request(two, **more), "request")
    assert DATASET_KEY not in told.value.fix, "whoever has named one knows how"
    assert two.dataset in told.value.fix or "noise.csv" in told.value.fix
    assert len(two.helsinki.federation.moving.transfers.list()) == before


def test_a_dataset_in_a_collection_that_is_covered_counts_against_the_collection(two: Pair) -> None:
    two.lay()
    rules = permits("use", constraint=[atom("count", "lteq", "1")])
    two.agreement = agree(two.helsinki.node, two.london.node, collection_of(two), rules=rules)
    assert ask(two).state == "STARTED"
    [(target,)] = two.sql("SELECT target FROM counted")
    assert target == f"{two.helsinki.url}/collections/{collection_of(two)}"
    assert ask(two).state == "TERMINATED"


def collection_of(two: Pair) -> str:
    sql = "SELECT c.name FROM collection c JOIN entry e ON e.collection_id = c.id WHERE e.record = ?"
    return str(two.sql(sql, two.dataset)[0][0])


# ---------------------------------------------------------------- what follows from changes


def test_a_suspended_agreement_suspends_its_transfers_and_a_resumed_one_starts_them(two: Pair) -> None:
    two.lay()
    two.start()
    change(two.helsinki.node, two.agreement, "suspended")
    settle(two)
    assert states(two) == ("SUSPENDED", "SUSPENDED")
    assert ours(two).code == "suspended"
    with pytest.raises(Conflict):
        two.helsinki.federation.moving.transfers.step(ours(two).other_pid, Step("complete"))
    change(two.helsinki.node, two.agreement, "in-force")
    settle(two)
    assert states(two) == ("STARTED", "STARTED")


@pytest.mark.parametrize("state", ["revoked"])
def test_an_agreement_that_is_over_ends_its_transfers_with_the_code(two: Pair, state: str) -> None:
    two.lay()
    two.start()
    change(two.helsinki.node, two.agreement, state)
    settle(two)
    assert states(two) == ("TERMINATED", "TERMINATED")
    assert ours(two).code == state


def test_what_was_suspended_by_the_other_side_stays_so_when_the_agreement_resumes(two: Pair) -> None:
    two.lay()
    two.start()
    two.london.federation.moving.transfers.step(ours(two).pid, Step("suspend"))
    settle(two)
    for state in ("suspended", "in-force"):
        change(two.helsinki.node, two.agreement, state)
        settle(two)
    assert states(two) == ("SUSPENDED", "SUSPENDED")


# ---------------------------------------------------------------- counting within a transaction


def test_a_count_stands_only_if_the_callers_transaction_does(two: Pair) -> None:
    two.lay()
    rules = permits("use", constraint=[atom("count", "lteq", "1")])
    agree(two.helsinki.node, two.london.node, records=[two.dataset], rules=rules)
    decisions, db = two.helsinki.federation.agreeing.decisions, two.helsinki.node.db
    asked = Ask("use", "", record=two.dataset, recipient=two.london.url)

    def used() -> bool:
        with db.write() as tx:
            return bool(decisions.execute_in(tx, (asked,), clock_ms()))

    def broken() -> None:
        with db.write() as tx:
            assert decisions.execute_in(tx, (asked,), clock_ms())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert [used(), used()] == [True, False]
