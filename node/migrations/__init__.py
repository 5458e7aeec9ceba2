"""The revisions of the database's tables, run by `Database.upgrade` and by nothing else.

A package, so that an installed wheel carries it; alembic loads `env.py` and `versions/` from this folder by path.
A revision that was released is never edited: a change is a new one.
"""
