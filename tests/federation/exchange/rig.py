"""What tests of two cities that exchange share."""

from tests.federation.cities import NAME, City

ENTRIES = f"/collections/{NAME}/entries"
MIRROR = f"helsinki/{NAME}"
Two = tuple[City, City]


def is_mirrored(london: City, helsinki: City, name: str = NAME) -> bool:
    local = f"helsinki/{name}"
    return (
        london.root(local) == helsinki.root(name)
        and london.shown(local) == helsinki.shown(name)
        and london.verify(local, helsinki) == helsinki.size(name)
    )


def caught_up(city: City) -> None:
    from node.journal import catch_up

    for follower in city.node.followers:
        catch_up(city.node.journals, follower)
