"""What is expected of a job's audio, where its request was traced, and the lease to publish."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

UP = (
    "ALTER TABLE jobs ADD COLUMN expected_seconds FLOAT",
    "ALTER TABLE jobs ADD COLUMN traceparent TEXT",
    """
    CREATE TABLE publishing (
        id INTEGER NOT NULL PRIMARY KEY,
        publisher TEXT,
        token INTEGER NOT NULL,
        seconds FLOAT NOT NULL,
        expires FLOAT NOT NULL,
        CONSTRAINT one_lease CHECK (id = 1)
    )
    """,
    "INSERT INTO publishing (id, publisher, token, seconds, expires) VALUES (1, NULL, 0, 0, 0)",
    # Not by the end of the lease any more: a beat then changes no index.
    "DROP INDEX jobs_under_lease",
    "CREATE INDEX jobs_under_lease ON jobs (number) WHERE state = 'running'",
    # Of the jobs that have one: a claim then does not write it.
    "DROP INDEX jobs_revision",
    "CREATE UNIQUE INDEX jobs_revision ON jobs (episode_id, revision) WHERE revision IS NOT NULL",
    # Beside jobs_same_request, which holds the others: which requests were ever made.
    "CREATE INDEX jobs_cancelled_request ON jobs (dedupe_key) WHERE state = 'cancelled'",
)

DOWN = (
    "DROP INDEX jobs_revision",
    "CREATE UNIQUE INDEX jobs_revision ON jobs (episode_id, revision)",
    "DROP INDEX jobs_under_lease",
    "CREATE INDEX jobs_under_lease ON jobs (lease_expires) WHERE state = 'running'",
    "DROP INDEX jobs_cancelled_request",
    "DROP TABLE publishing",
    "ALTER TABLE jobs DROP COLUMN traceparent",
    "ALTER TABLE jobs DROP COLUMN expected_seconds",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
