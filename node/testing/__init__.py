"""Clusters of real nodes for anyone's tests: processes started through the public command, and a bad network between.

Nothing here reaches into a node: it is made, introduced, harvested, killed and looked at by the commands and addresses
that operators and peers use (`docs/testing.md`). So a test that holds here holds for any node that keeps the contract.
Whatever was started ends with its `with`, also when the test fails. Fixtures for pytest are in
`node.testing.fixtures`, the only module of ours that imports pytest (`pip install citynode[testing]`).
"""

from node.testing import evidence
from node.testing.chaos import Chaos, Tally
from node.testing.city import OPEN_DATA, City, Head, Reply, RigError, city, head_of, is_gone, wait_for
from node.testing.cluster import QUICK, Cluster
from node.testing.portal import Portal
from node.testing.ports import free_port
from node.testing.proxy import GONE, HEALTHY, Exchange, FaultProxy, Faults

__all__ = [
    "GONE",
    "HEALTHY",
    "OPEN_DATA",
    "QUICK",
    "Chaos",
    "City",
    "Cluster",
    "Exchange",
    "FaultProxy",
    "Faults",
    "Head",
    "Portal",
    "Reply",
    "RigError",
    "Tally",
    "city",
    "evidence",
    "free_port",
    "head_of",
    "is_gone",
    "wait_for",
]
