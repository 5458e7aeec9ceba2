"""One module per revision, named `r` and its number; each names the one before it.

Only `op` and SQLAlchemy types are used here, never a class of the node: a revision must mean the same for ever.
All run inside one transaction on both databases.
"""
