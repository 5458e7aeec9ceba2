"""Collections going out, and the reading of such pages when they come from others.

`feed` gives pages and snapshots in the format between nodes, which `feed_pages` writes and `pages` reads with every
bound; `ldes` gives the same as the Linked Data Event Stream that any European portal can follow.
"""
