"""Laws of the log: what failed is told, never with the values that were at hand when it did."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from node.cli.logs import configure


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_traceback_shows_no_value_of_a_local_variable(form: str) -> None:
    told = io.StringIO()
    configure(form, "info", stream=told)

    def fail() -> None:
        authorization = "Bearer " + "cn_" + "secret"
        raise RuntimeError("it broke", len(authorization))

    try:
        fail()
    except RuntimeError:
        logging.getLogger("node.web").exception("request failed")
        structlog.get_logger("node.web").exception("request failed")
    assert "it broke" in told.getvalue()
    assert "cn_secret" not in told.getvalue()
