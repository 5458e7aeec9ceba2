"""What tests of the search page share."""

from typing import Any

ATOM = "{http://www.w3.org/2005/Atom}"


def iris(told: Any) -> list[str]:
    return [hit["iri"] for hit in told["hits"]]
