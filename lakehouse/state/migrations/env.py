"""Alembic's entry point: runs the migrations on the connection that `lakehouse.state.store.migrate` hands over."""

from alembic import context

from lakehouse.state.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
