"""Our node as it meets an EDC: with EDC's test identity for tokens, and otherwise as a city has it.

It decides as in production: what we offer is agreed to as it stands, what we ask for waits for a person's approval. EDC
signs nothing, so the node is set to take that. EDC's participant id is its base URL, like a city's.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.assembly.clock import clock_ms
from node.federation.moved import OriginWish
from node.journal import Draft, catch_up
from tests.federation.agreed import peer
from tests.interop.sink import FILE
from tests.java.harness import HOST, free_ports
from tests.java.rig import Rig, Stranger, rig

ASSET = "noise-map"
PART = "noise.csv"
DATASET = "http://www.w3.org/ns/dcat#Dataset"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
USE_UNTIL = {
    "permission": [
        {
            "action": "use",
            "constraint": [{"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": "2099-01-01T00:00:00Z"}],
        }
    ]
}
FREE = {"permission": [{"action": "use"}]}


def identity_of(shown: str) -> str:
    """Read the header of EDC's test identity: JSON without a scheme. Gives the participant, empty if there is none."""
    try:
        said = json.loads(shown)
    except ValueError:
        return ""
    return str(said.get("clientId", "")) if isinstance(said, dict) else ""


@contextmanager
def edc_rig(folder: Path, edc_url: str) -> Iterator[Rig]:
    """Build the node, with two collections that everyone may have."""
    port, *_ = free_ports(1)
    us = f"http://{HOST}:{port}"

    def identity(address: str) -> str:
        # It fails without a region; it looks at nothing else.
        return json.dumps({"region": "eu", "audience": address, "clientId": us})

    with rig(
        folder,
        stranger=Stranger(edc_url, edc_url),
        decider=lambda node: node.federation.agreeing.dsp.decider,
        reads=identity_of,
        writes=identity,
        port=port,
        unsigned_agreements="always",
        allow_http_peers=True,
        data_bearer_peers=("edc",),
    ) as ours:
        peer(ours.node, "edc", edc_url)  # so that it is known by a name, as peers are
        ours.publish("plans", USE_UNTIL, {"title": "Plans of the city", "note": "For whoever builds here."})
        ours.publish("noise", FREE, {"title": "Noise of the city"})
        _lay(ours, folder)
        yield ours


def _lay(ours: Rig, folder: Path) -> None:
    """Publish a dataset with data in the collection that is offered freely."""
    iri = f"{ours.url}/datasets/noise"
    payload = f'<{iri}> <http://purl.org/dc/terms/title> "Noise"@en .\n<{iri}> <{RDF_TYPE}> <{DATASET}> .\n'
    node = ours.node
    with node.db.write() as tx:
        draft = Draft(iri, "noise", "dataset", "put", payload.encode())
        node.journals.append(tx, "noise", [draft], at_ms=clock_ms())
    for follower in node.followers:
        catch_up(node.journals, follower)
    path = folder.with_name(folder.name + "-data") / PART
    path.parent.mkdir()
    path.write_bytes(FILE)
    node.federation.moving.origin_parts.office.add(OriginWish(iri, str(path), PART), by="the rig", files=True)
