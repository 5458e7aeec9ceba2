"""What the tests beside this use of `node.testing`, and a catalogue that needs no portal of its own."""

from pathlib import Path

from node.testing import City, Portal, city, free_port, is_gone, wait_for

__all__ = ["City", "catalogue", "city", "free_port", "is_gone", "wait_for"]


def catalogue(path: Path, number: int, *, prefix: str = "d") -> Path:
    """Write a DCAT catalogue of so many datasets."""
    Portal(path, prefix=prefix).add(number)
    return path
