"""A city per test for the worker, on both databases."""

from tests.catalog.conftest import city, grown, lasting_parser, portal  # noqa: F401 - fixtures
