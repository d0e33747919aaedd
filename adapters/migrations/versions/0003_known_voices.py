"""Voices of people, kept for shows that agreed."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

UP = (
    """
    CREATE TABLE voice_consents (
        show_key TEXT NOT NULL PRIMARY KEY,
        show TEXT NOT NULL,
        given_by TEXT NOT NULL,
        given_at FLOAT NOT NULL
    )
    """,
    """
    CREATE TABLE voices (
        show_key TEXT NOT NULL REFERENCES voice_consents (show_key),
        name TEXT NOT NULL,
        model TEXT NOT NULL,
        episode_id TEXT NOT NULL,
        embedding TEXT NOT NULL,
        seconds FLOAT NOT NULL,
        PRIMARY KEY (show_key, name, model, episode_id)
    )
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for table in ("voices", "voice_consents"):
        op.execute(f"DROP TABLE {table}")
