"""A real connector of the Eclipse Dataspace Components: started, configured, and told what to do.

Its participant id is its base URL, as a city's is. With its test identity (iam-mock) whoever writes a name into the
header Authorization is that participant, so it listens on this machine only and lives as long as the rig.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.java.harness import HOST, Program, RigError, ask, free_ports, java, until

MAIN = "org.eclipse.edc.boot.system.runtime.BaseRuntime"
PROTOCOL = "dataspace-protocol-http:2025-1"
CONTEXT = "https://w3id.org/edc/connector/management/v0.0.1"
KEY = "rig"
START_S = 90
CONTEXTS = ("default", "management", "protocol", "control", "version")

Json = dict[str, Any]


@dataclass
class Edc:
    """The running connector. `url` is its base URL and participant id, `management` its management API."""

    program: Program
    url: str
    management: str

    def call(self, method_path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the management API: a path with a body is a POST."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Api-Key": KEY, "Content-Type": "application/json"}
        status, said = ask(f"{self.management}/v3/{method_path}", data, headers=headers)
        if status not in (200, 204):
            raise RigError(f"EDC answered {status} to {method_path}: {said[:2_000].decode(errors='replace')}")
        return json.loads(said) if said else None

    def create(self, what: str, said: Json) -> str:
        """Create something and give its id."""
        return str(self.call(what, {"@context": [CONTEXT], **said})["@id"])

    # ---------------------------------------------------------------- as provider

    def offer(self, asset: str, title: str, permission: Json, *, source: str) -> None:
        """Offer an asset, whose bytes are at an address, to everyone under one permission."""
        address = {"@type": "DataAddress", "type": "HttpData", "baseUrl": source}
        said = {"@type": "Asset", "@id": asset, "properties": {"name": title}, "dataAddress": address}
        self.create("assets", said)
        policy = {"@context": "http://www.w3.org/ns/odrl.jsonld", "@type": "Set", "permission": [permission]}
        self.create("policydefinitions", {"@type": "PolicyDefinition", "@id": f"{asset}-terms", "policy": policy})
        terms = {"accessPolicyId": f"{asset}-terms", "contractPolicyId": f"{asset}-terms", "assetsSelector": []}
        self.create("contractdefinitions", {"@type": "ContractDefinition", "@id": f"{asset}-offer", **terms})

    # ---------------------------------------------------------------- as consumer

    def catalogue(self, protocol_url: str, participant: str) -> Json:
        """Read another connector's catalogue."""
        whose = {"counterPartyAddress": protocol_url, "counterPartyId": participant, "protocol": PROTOCOL}
        found: Json = self.call("catalog/request", {"@context": [CONTEXT], "@type": "CatalogRequest", **whose})
        return found

    def negotiate(self, protocol_url: str, participant: str, dataset: str, offer: Json) -> str:
        """Ask for a dataset under an offer exactly as the catalogue has it; give the id of the negotiation."""
        dsp = ["https://w3id.org/dspace/2025/1/context.jsonld"]
        policy = {**offer, "@context": dsp, "@type": "Offer", "assigner": participant, "target": dataset}
        said = {"@type": "ContractRequest", "counterPartyAddress": protocol_url, "protocol": PROTOCOL, "policy": policy}
        return self.create("contractnegotiations", said)

    def negotiation(self, pid: str) -> Json:
        """Tell how a negotiation stands on its side."""
        found: Json = self.call(f"contractnegotiations/{pid}")
        return found

    def agreement(self, name: str) -> Json:
        """Give an agreement as it keeps it, by its own name; `agreementId` is what the provider named it."""
        found: Json = self.call(f"contractagreements/{name}")
        return found

    # ---------------------------------------------------------------- transfers

    def transfer(self, protocol_url: str, agreement: str, kind: str, *, to: str = "", tells: str = "") -> str:
        """Ask for data under an agreement of its own; give the id of the transfer.

        `to` is where they are to be delivered, `tells` where it is to call back when they may be got.
        """
        said: Json = {"counterPartyAddress": protocol_url, "protocol": PROTOCOL, "contractId": agreement}
        if to:
            said["dataDestination"] = {"@type": "DataAddress", "type": "HttpData", "baseUrl": to, "endpoint": to}
        if tells:
            event = {"uri": tells, "events": ["transfer.process.started"], "transactional": False}
            said["callbackAddresses"] = [event]
        return self.create("transferprocesses", {"@type": "TransferRequest", "transferType": kind, **said})

    def transferred(self, pid: str) -> Json:
        """Tell how a transfer stands on its side."""
        found: Json = self.call(f"transferprocesses/{pid}")
        return found

    def terminate(self, pid: str, reason: str) -> None:
        """Let it end a transfer."""
        self.call(f"transferprocesses/{pid}/terminate", {"@context": [CONTEXT], "reason": reason})


@contextmanager
def running(folder: Path) -> Iterator[Edc]:
    """Run the connector over its jars in a folder until the block ends."""
    run = folder / "run"
    run.mkdir(parents=True, exist_ok=True)
    ports = dict(zip(CONTEXTS, free_ports(len(CONTEXTS)), strict=True))
    url = f"http://{HOST}:{ports['protocol']}/protocol"
    (run / "edc.properties").write_text(_properties(ports, url))
    arguments = [f"-Dedc.fs.config={run / 'edc.properties'}", MAIN]
    with java(arguments, jars=folder / "jars", log=run / "edc.log") as program:
        health = f"http://{HOST}:{ports['default']}/api/check/startup"
        until("EDC", lambda: not program.running() or ask(health, seconds=2)[0] == 200, seconds=START_S, pause=0.25)
        if not program.running():
            raise RigError(f"EDC did not start:\n{program.tail()}")
        yield Edc(program, url, f"http://{HOST}:{ports['management']}/management")


def _properties(ports: Mapping[str, int], url: str) -> str:
    said = {
        "edc.participant.id": url,
        "edc.hostname": HOST,
        "edc.dsp.callback.address": url,
        "web.http.port": ports["default"],
        "web.http.path": "/api",
        "web.http.management.auth.type": "tokenbased",
        "web.http.management.auth.key": KEY,
        # It looks at what is to be sent so often; a second is its default.
        "edc.negotiation.consumer.state-machine.iteration-wait-millis": 100,
        "edc.negotiation.provider.state-machine.iteration-wait-millis": 100,
        "edc.transfer.state-machine.iteration-wait-millis": 100,
        "edc.dataplane.state-machine.iteration-wait-millis": 100,
        # It wants names of keys for what it could hand out if it had an address for that; nothing has these names.
        "edc.transfer.proxy.token.signer.privatekey.alias": "none",
        "edc.transfer.proxy.token.verifier.publickey.alias": "none",
    }
    for name in CONTEXTS[1:]:
        said |= {f"web.http.{name}.port": ports[name], f"web.http.{name}.path": f"/{name}"}
    return "".join(f"{name}={value}\n" for name, value in said.items())
