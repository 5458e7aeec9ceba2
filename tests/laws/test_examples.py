"""The examples in docstrings hold: what a reader copies from the code does what stands under it.

Each module that shows one is read by doctest, in the same process and under the same warnings as every test.
"""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOWING = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "node").rglob("*.py")
    if "\n>>> " in path.read_text().replace(" " * 4, "")
)


def test_there_are_examples() -> None:
    assert len(SHOWING) > 5


@pytest.mark.parametrize("name", SHOWING)
def test_the_examples_of_a_module_hold(name: str) -> None:
    told: list[str] = []
    runner = doctest.DocTestRunner()
    for one in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name)):
        runner.run(one, out=told.append)
    assert runner.failures == 0, "".join(told)
