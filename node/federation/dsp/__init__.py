"""The Dataspace Protocol 2025-1 as values: its messages, its catalogue, and the client that speaks it to peers.

The protocol path is plain JSON (the specification allows it): bounded, strict, read and written by `messages` and
`documents`. Linked data is made of it elsewhere, with the flattened context that `contexts` keeps, and never on the
way of a message. Nothing that a message names is ever fetched.
"""
