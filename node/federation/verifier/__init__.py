"""Proof without trust: what a node says, or a file that came from one.

Nothing of this city's database or keys is used, so that whoever holds the program alone proves the same. `verifier`
begins; `keys`, `proof`, `pages` and `history` are its steps, `web` its way to a node, `report` what it found.
"""
