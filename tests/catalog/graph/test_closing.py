"""A law of the end of a node: whoever asked an engine or wrote to one, no connection outlives the node.

The engines are the ones that the node ships; what is counted is what the system says this process has open.
"""

import shutil
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from node.catalog.graph.asking import Dataset
from tests.catalog.graph.engines import running
from tests.catalog.rig import make_city

pytestmark = pytest.mark.slow  # a real engine: seconds, not milliseconds

ASK = "ASK { ?s ?p ?o }"


def connections() -> set[str]:
    """Name the sockets that this process has open."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists
            found.add(str(each.readlink()))
    return {each for each in found if each.startswith("socket:")}


def test_a_closed_node_has_no_connection_left_to_its_engines(migrated: Path, tmp_path: Path) -> None:
    shutil.copy(migrated, tmp_path / "node.db")
    node = make_city(tmp_path, sparql="embedded").node
    with running(tmp_path / "graph"), running(tmp_path / "graph", "restricted"):
        before = connections()
        for reading in node.finding.apart:
            reading.catch_up(threading.Event())
        question, form = node.finding.sparql.read(ASK), "application/sparql-results+json"
        node.finding.sparql.ask("public", ASK, question, Dataset(), media_type=form)
        assert connections() > before, "nothing was kept open, so that nothing can be seen to be closed"
        node.close()
        assert connections() <= before
