"""What the web needs of knowledge: authoring, relations between records, submissions and city models.

Protocols and not classes, as in `ports`: what the web's own tests stand in for. Each router names here what it reads.
"""

from typing import Protocol


class Knowers(Protocol):
    """Everything on practices, AI systems, models, challenges and reuses."""
