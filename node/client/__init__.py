"""A Python client of any city node, for programs elsewhere: search, records, SPARQL, changes, cities, agreements.

It imports nothing of the node, only httpx, and may be taken out of it: the HTTP API is all it knows. Calls block;
answers are values with types. Paging, retries with back-off (`Retry-After` is honoured) and the token are inside; what
the node refuses comes as an exception that says what to do.

>>> from node.client import Client
>>> with Client("https://data.example.org") as city:  # doctest: +SKIP
...     for hit in city.search("parking", city=["helsinki", "london"], format="CSV", most=10):
...         print(hit.city_title, hit.title, hit.page)
"""

from node.client.asking import Patience
from node.client.client import Client, Filters
from node.client.noes import BadAnswer, ClientError, NotAllowed, NotThere, Refused, TooMany, Unavailable
from node.client.values import Change, Collection, Count, Hit, Page, Peer, Record, Solutions, Term

__all__ = [
    "BadAnswer",
    "Change",
    "Client",
    "ClientError",
    "Collection",
    "Count",
    "Filters",
    "Hit",
    "NotAllowed",
    "NotThere",
    "Page",
    "Patience",
    "Peer",
    "Record",
    "Refused",
    "Solutions",
    "Term",
    "TooMany",
    "Unavailable",
]
