"""Transfers with other cities as the Dataspace Protocol has them: stored, decided by agreements, told to the other.

No byte of data passes here: whoever hands out, pulls or pushes looks at how a transfer stands and says what became of
it. `service` is what others use; it owns the tables `transfer` and `transfer_message` through `store`.
"""
