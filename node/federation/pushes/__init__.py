"""Data that the provider brings: it goes to the consumer's address instead of being fetched from ours.

As consumer a city takes parts in at its own door (`incoming`), each into a file that appears whole or not at all. As
provider its worker brings what was asked for (`pusher`), to such a door from where the last attempt ended, or to any
https address as one body. Both ends keep books (`store`) that receipts are written from. `address` is what the two say
to each other of where the parts go. Stands on transfers and on the door that hands data out; nothing imports it.
"""
