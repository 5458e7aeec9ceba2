"""Where alembic starts: runs the revisions on the connection that `Database.upgrade` holds.

The transaction and the lock are the caller's, so a failed revision leaves nothing behind, on either database.
There is no offline mode: the node never prints SQL for somebody else to run.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
context.run_migrations()
