"""The kit itself: how it is configured, run and read. The verdict is ours, since the kit's own exit code says nothing.

Its tests are JUnit tests; JUnit's console runs them and prints a line as each begins and ends. A name begins with the
test's id. Passed is only a run in which exactly the ids that we expect ran, each once, and each was successful.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.java.harness import HOST, Program, RigError, java, say

PARTICIPANT = "TCK_PARTICIPANT"
TOKEN = "Bearer tck"  # noqa: S105 - the kit shows it on each request, and only the rig takes it
WAIT_S = 7  # for one message; in seconds, whatever the kit's own documentation says
LIMIT_S = 240  # for all of it
PACKAGE = "org.eclipse.dataspacetck.dsp.verification"
_SIZES = {"MET:01": 1, "CAT:01": 3, "CN:01": 4, "CN:02": 7, "CN:03": 4, "CN_C:01": 4, "CN_C:02": 6, "CN_C:03": 6}
_SIZES |= {f"{role}:{group}": size for role in ("TP", "TP_C") for group, size in (("01", 5), ("02", 5), ("03", 6))}
IDS = tuple(f"{group}-{number:02}" for group, size in _SIZES.items() for number in range(1, size + 1))
_LINE = re.compile(r"> ((?:MET|CAT|CN|CN_C|TP|TP_C):\d\d-\d\d): (.*?) :: (STARTED|SUCCESSFUL|FAILED|ABORTED|SKIPPED)")


def dataset_of(test: str) -> str:
    """Give the dataset that a test of negotiations is about, as the kit's sample has it: CN_C:01-02 is ACNC0102."""
    return "A" + re.sub(r"[^A-Z0-9]", "", test)


def agreement_of(test: str) -> str:
    """Give the agreement that a test of transfers is under, as the kit's sample has it: TP_C:01-02 is ATPC0102."""
    return dataset_of(test)


def offer_of(test: str) -> str:
    """Give the offer of that dataset. CN:01-02 has this form written in, and the tests of consumers make it so."""
    return f"CD123:{dataset_of(test)}:456"


def properties(*, base_url: str, protocol_url: str, triggers: str, port: int, catalogue: Mapping[str, str]) -> str:
    """Write the kit's configuration.

    `triggers` is the address below which it lets us begin; `catalogue` gives the dataset of each of its tests.
    """
    kit, connector = "dataspacetck", "dataspacetck.dsp.connector"
    said = {
        f"{kit}.launcher": "org.eclipse.dataspacetck.dsp.system.DspSystemLauncher",
        f"{kit}.debug": "true",
        f"{kit}.host": HOST,
        f"{kit}.port": str(port),
        f"{kit}.callback.address": f"http://{HOST}:{port}",
        f"{kit}.dsp.local.connector": "false",
        f"{kit}.dsp.default.wait": str(WAIT_S),
        f"{connector}.agent.id": base_url,
        f"{connector}.http.url": protocol_url,
        f"{connector}.http.base.url": base_url,
        f"{connector}.http.headers.authorization": TOKEN,
        f"{connector}.negotiation.initiate.url": f"{triggers}/negotiations",
        f"{connector}.transfer.initiate.url": f"{triggers}/transfers",
    }
    for test in IDS:
        key = re.sub(r"\W", "_", test)
        if test.startswith("CN"):
            said[f"{key}_DATASETID"] = dataset_of(test)
        if test.startswith("CN:"):
            said[f"{key}_OFFERID"] = offer_of(test)
        if test.startswith("TP"):
            said |= {f"{key}_AGREEMENTID": agreement_of(test), f"{key}_FORMAT": "HttpData-PULL"}
        if test in catalogue:
            said[f"{key}_DATASETID"] = catalogue[test]
    return "".join(f"{name}={value}\n" for name, value in said.items())


@dataclass
class Results:
    """What the kit said of each test. `words` has what it printed of those that did not pass."""

    said: dict[str, list[str]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def faults(self) -> list[str]:
        """Say what keeps this run from having passed; nothing if it has."""
        wrong = {test: self.said.get(test, []) for test in (*IDS, *self.said)}
        return [
            f"{test} {', '.join(ends).lower() or 'did not run'}" + (" and is none of ours" if test not in IDS else "")
            for test, ends in wrong.items()
            if test not in IDS or ends != ["SUCCESSFUL"]
        ]

    @property
    def passed(self) -> int:
        return sum(ends == ["SUCCESSFUL"] for test, ends in self.said.items() if test in IDS)


@contextmanager
def running(folder: Path, config: str) -> Iterator[Program]:
    """Run the kit over its jars in a folder."""
    (folder / "run").mkdir(parents=True, exist_ok=True)
    (folder / "run" / "tck.properties").write_text(config)
    arguments = [
        "org.junit.platform.console.ConsoleLauncher",
        "execute",
        *("--select-package", PACKAGE),
        *("--config-resource", "tck.properties"),
        # It has two of its transfer tests switched off. They are among the 67, so they run.
        *("--config", "junit.jupiter.conditions.deactivate=org.junit.*DisabledCondition"),
        *("--details", "testfeed", "--disable-ansi-colors", "--disable-banner"),
    ]
    with java(arguments, jars=folder / "jars", log=folder / "run" / "tck.log", first=str(folder / "run")) as program:
        yield program


def followed(program: Program) -> Results:
    """Read what the kit prints until it ends, and print each id as it does."""
    results, began, end = Results(), dict[str, float](), time.monotonic() + LIMIT_S
    with program.log.open(errors="replace") as log:
        last, rest = "", ""
        while True:
            alive = program.running()
            rest += log.read()
            *lines, rest = rest.split("\n")
            for line in lines:
                last = _take(line, last, results, began)
            if not alive:
                return results
            if time.monotonic() > end:
                raise RigError(f"The kit did not end within {LIMIT_S} s; the last it printed:\n{program.tail()}")
            time.sleep(0.05)


def _take(line: str, last: str, results: Results, began: dict[str, float]) -> str:
    """Take one line; give the test whose failure the next lines may tell of."""
    found = _LINE.search(line)
    if not found:
        told = results.words.get(last, "")
        if last and line.startswith("\t") and len(told) < 4_000:
            results.words[last] = f"{told}{line}\n"
        return last
    test, title, state = found.groups()
    if state == "STARTED":
        began[test] = time.monotonic()
        return ""
    results.said.setdefault(test, []).append(state)
    seconds = time.monotonic() - began.get(test, time.monotonic())
    say(f"  {test:<10} {'passed' if state == 'SUCCESSFUL' else state.lower():<8} {seconds:4.1f} s  {title}")
    return test if state != "SUCCESSFUL" else ""
