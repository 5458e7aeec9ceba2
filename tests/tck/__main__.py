"""Run the conformance kit of the Dataspace Protocol against our node: `make tck`.

Passed are exactly its 67 mandatory tests: metadata, catalogue, negotiations, transfers; each is printed as it ends.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.java.harness import ROOT, Recorded, RigError, free_ports, repeated, run, say, served
from tests.tck import kit
from tests.tck.rig import TRIGGERS, kit_rig

FOLDER = ROOT / ".tck"


def main() -> int:
    """Run it; exit 0 if all passed."""
    kit_port, *_ = free_ports(1)
    with tempfile.TemporaryDirectory() as folder, kit_rig(Path(folder), kit_port) as (ours, app):
        catalogue = {test: ours.collection() for test in ("CAT:01-01", "CAT:01-02")}
        catalogue["CAT:01-03"] = ours.collection("nothing")
        config = kit.properties(
            base_url=ours.url,
            protocol_url=ours.protocol_url,
            triggers=ours.url + TRIGGERS,
            port=kit_port,
            catalogue=catalogue,
        )
        say("The conformance kit of the Dataspace Protocol 2025-1:")
        log = FOLDER / "run" / "node.log"
        log.unlink(missing_ok=True)
        with served(Recorded(app, log), ours.port), repeated(ours.deliver, every=0.1) as errors:
            with kit.running(FOLDER, config) as program:
                results = kit.followed(program)
            if errors:
                raise RigError(f"Our rounds broke off: {errors[0]!r}") from errors[0]
    return _told(results, program.tail)


def _told(results: kit.Results, tail: Callable[[], str]) -> int:
    faults = results.faults()
    for test, words in results.words.items():
        say(f"\n{test}\n{words.rstrip()}")
    if not results.said:
        say(tail())
    for fault in faults:
        say(f"Failed: {fault}")
    say(f"\n{results.passed} passed, {len(faults)} failed")
    logs = FOLDER.relative_to(ROOT) / "run"
    say(f"What the kit printed is in {logs / 'tck.log'}, what our node was asked and answered in {logs / 'node.log'}.")
    return 1 if faults else 0


if __name__ == "__main__":
    run(main)
