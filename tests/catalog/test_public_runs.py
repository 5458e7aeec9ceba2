"""What the world may read of a run: never an address inside the city, never the name of a setting."""

import pytest

from node.catalog.public_runs import PublicRuns
from node.catalog.runs import Counters, Run, Runs
from node.catalog.shelf import CollectionInfo, Shelf
from node.catalog.story import Stories


def run_with(reason: str, code: str) -> Run:
    return Run(
        7,
        "portal",
        "failed",
        False,
        1,
        1,
        1,
        1,
        "",
        Counters(),
        reason,
        [],
        "x",
        False,
        "1:2@host",
        [],
        "open-data",
        code,
    )


class OneRun(Runs):
    def __init__(self, run: Run) -> None:
        self.one = run

    def get(self, run_id: int) -> Run:
        return self.one


class OneShelf(Shelf):
    def __init__(self) -> None:
        pass

    def collections(self) -> list[CollectionInfo]:
        return [
            CollectionInfo("open-data", "", "", "public", 0, 0),
            CollectionInfo("secret", "", "", "restricted", 0, 0),
        ]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (
            "http://10.0.0.5:5000/api is at 10.0.0.5, which this node does not fetch. CITYNODE_PRIVATE_ORIGINS",
            "forbidden-address",
        ),
        ("The host ckan.internal is not known. Check the address, or try later.", "source-unreachable"),
        ("The walk was not complete. The page http://10.0.0.5:5000/p?page=2 could not be read. 10.0.0.5 is silent", ""),
        ("The file /srv/secret/export.ttl cannot be read: Permission denied.", "malformed"),
    ],
)
def test_no_address_of_the_inside_is_told(reason: str, code: str) -> None:
    runs = OneRun(run_with(reason, code))
    shown = PublicRuns(runs, Stories.__new__(Stories), OneShelf()).get(7)
    assert shown is not None
    assert shown.reason
    for inside in ("10.0.0.5", "internal", "/srv", "CITYNODE_", "5000"):
        assert inside not in shown.reason
