"""The fixtures that others get too."""

from node.testing.fixtures import city, cluster, two_cities

__all__ = ["city", "cluster", "two_cities"]
