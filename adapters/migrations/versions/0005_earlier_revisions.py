"""Transcripts of a done job that were replaced by hand; the job's row names the newest, as ever."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

UP = (
    """
    CREATE TABLE earlier_revisions (
        episode_id TEXT NOT NULL REFERENCES episodes (id),
        revision INTEGER NOT NULL,
        job_id TEXT NOT NULL REFERENCES jobs (id),
        transcript_key TEXT NOT NULL,
        transcript_sha256 TEXT NOT NULL,
        replaced FLOAT NOT NULL,
        PRIMARY KEY (episode_id, revision)
    )
    """,
    "CREATE INDEX earlier_revisions_of_job ON earlier_revisions (job_id)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """The newest revisions stay, in the rows of their jobs; those before them are no longer known."""
    op.execute("DROP TABLE earlier_revisions")
