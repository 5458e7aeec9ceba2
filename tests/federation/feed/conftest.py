"""The feed of a city."""

import pytest

from node.federation.feed.feed import Feed
from node.journal.journal import Journals


@pytest.fixture
def feed(journals: Journals) -> Feed:
    return Feed(journals, lambda _: journals.public_keys())
