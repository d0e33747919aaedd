"""Alembic's entry point. `Ledger.migrate` gives it an open connection; it is never run from a command line."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
