"""What negotiations and transfers share at rest and on the way: two cities' talk over the Dataspace Protocol.

`dialogues` keeps it, `moves` changes it, `delivery` and `outgoing` bring what is said to the other, `rounds` sees to
what is due. No room in here knows what is agreed or moved; `negotiations` and `transfers` do, and build on this.
"""
