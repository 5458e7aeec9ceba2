"""Residents' consent: which rows of data about persons may leave, and what follows when somebody takes consent back.

`records` reads what a consent service says, `sources` asks it, `rules` says what an agreement must name, `filter` lets
rows pass by their key, `gate` puts these before the door; `store`, `withdrawals` (ours, told to others) and
`acknowledgements` (others', told to us) keep the rest. One law runs through all: what is not known to be a yes is a no.
"""
