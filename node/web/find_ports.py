"""What the web needs of finding: search, the triple stores, quality, vocabularies and sets.

Protocols and not classes, as in `ports`: what the web's own tests stand in for. Each router names here what it reads.
"""

from typing import Protocol


class Finders(Protocol):
    """Everything by which records are found."""
