"""The first ledger: episodes, jobs, attempts, the outbox.

Times are seconds since 1970 by the database's clock.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE episodes (
        id TEXT NOT NULL PRIMARY KEY,
        title TEXT,
        show TEXT,
        document TEXT NOT NULL,
        created FLOAT NOT NULL,
        updated FLOAT NOT NULL
    )
    """,
    """
    CREATE TABLE jobs (
        number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        episode_id TEXT NOT NULL REFERENCES episodes (id),
        state TEXT NOT NULL,
        options TEXT NOT NULL,
        audio_key TEXT NOT NULL,
        dedupe_key TEXT NOT NULL,
        priority INTEGER NOT NULL,
        lane TEXT NOT NULL,
        turn INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        crashes INTEGER NOT NULL,
        not_before FLOAT NOT NULL,
        created FLOAT NOT NULL,
        updated FLOAT NOT NULL,
        started FLOAT,
        finished FLOAT,
        lease_token INTEGER NOT NULL,
        lease_worker TEXT,
        lease_seconds FLOAT,
        lease_expires FLOAT,
        progress TEXT,
        error_code TEXT,
        error_message TEXT,
        error_retryable BOOLEAN,
        transcript_key TEXT,
        transcript_sha256 TEXT,
        revision INTEGER,
        audio_seconds FLOAT,
        episode_json TEXT NOT NULL,
        CONSTRAINT known_state CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
        CONSTRAINT running_has_a_lease CHECK (
            (state = 'running') = (lease_worker IS NOT NULL)
            AND (state = 'running') = (lease_seconds IS NOT NULL)
            AND (state = 'running') = (lease_expires IS NOT NULL)
        ),
        CONSTRAINT done_has_a_transcript CHECK (
            (state = 'done') = (transcript_key IS NOT NULL)
            AND (state = 'done') = (transcript_sha256 IS NOT NULL)
            AND (state = 'done') = (revision IS NOT NULL)
        ),
        CONSTRAINT failed_has_an_error CHECK (state <> 'failed' OR error_code IS NOT NULL),
        CONSTRAINT done_has_no_error CHECK (state <> 'done' OR error_code IS NULL),
        CONSTRAINT whole_error CHECK (
            (error_code IS NULL) = (error_message IS NULL) AND (error_code IS NULL) = (error_retryable IS NULL)
        ),
        CONSTRAINT final_is_finished CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished IS NOT NULL)),
        CONSTRAINT only_running_has_progress CHECK (state = 'running' OR progress IS NULL),
        CONSTRAINT counted_attempts CHECK (crashes >= 0 AND crashes <= 3 AND crashes <= attempts AND attempts <= 5),
        CONSTRAINT known_priority CHECK (priority BETWEEN -100 AND 100)
    )
    """,
    """
    CREATE TABLE idempotency_keys (
        key TEXT NOT NULL PRIMARY KEY,
        dedupe_key TEXT NOT NULL,
        job_id TEXT NOT NULL REFERENCES jobs (id),
        created FLOAT NOT NULL
    )
    """,
    """
    CREATE TABLE lanes (
        priority INTEGER NOT NULL,
        lane TEXT NOT NULL,
        last_turn INTEGER NOT NULL,
        PRIMARY KEY (priority, lane)
    )
    """,
    """
    CREATE TABLE attempts (
        job_id TEXT NOT NULL REFERENCES jobs (id),
        token INTEGER NOT NULL,
        worker TEXT NOT NULL,
        started FLOAT NOT NULL,
        ended FLOAT,
        outcome TEXT,
        error_code TEXT,
        PRIMARY KEY (job_id, token),
        CONSTRAINT known_outcome CHECK (
            outcome IN ('done', 'failed', 'crashed', 'expired', 'released', 'cancelled')
        ),
        CONSTRAINT ended_has_an_outcome CHECK ((ended IS NULL) = (outcome IS NULL))
    )
    """,
    """
    CREATE TABLE outbox (
        sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        event_id TEXT NOT NULL UNIQUE,
        job_id TEXT NOT NULL REFERENCES jobs (id),
        subject TEXT NOT NULL,
        document TEXT NOT NULL,
        created FLOAT NOT NULL,
        published FLOAT
    )
    """,
)

INDEXES = (
    "CREATE UNIQUE INDEX jobs_same_request ON jobs (dedupe_key) WHERE state <> 'cancelled'",
    "CREATE UNIQUE INDEX jobs_revision ON jobs (episode_id, revision)",
    "CREATE INDEX jobs_to_claim ON jobs (priority DESC, turn, number) WHERE state = 'queued'",
    "CREATE INDEX jobs_under_lease ON jobs (lease_expires) WHERE state = 'running'",
    "CREATE UNIQUE INDEX jobs_running_of_an_episode ON jobs (episode_id) WHERE state = 'running'",
    # Nothing on (state, number) alone: SQLite would prefer it to jobs_to_claim and sort the queue at each claim.
    "CREATE INDEX jobs_failed ON jobs (number) WHERE state = 'failed'",
    "CREATE INDEX jobs_cancelled ON jobs (number) WHERE state = 'cancelled'",
    "CREATE INDEX lanes_by_turn ON lanes (priority, last_turn)",
    "CREATE INDEX outbox_to_publish ON outbox (sequence) WHERE published IS NULL",
    "CREATE INDEX outbox_of_job ON outbox (job_id, sequence)",
)

#: The statements keep to the legal moves by their WHERE; these refuse a statement that forgets.
TRIGGERS = (
    """
    CREATE TRIGGER jobs_move_legally BEFORE UPDATE OF state ON jobs
    WHEN old.state <> new.state AND NOT (
        (old.state = 'queued' AND new.state IN ('running', 'cancelled'))
        OR (old.state = 'running' AND new.state IN ('done', 'failed', 'cancelled', 'queued'))
        OR (old.state = 'failed' AND new.state = 'queued')
    )
    BEGIN SELECT RAISE(ABORT, 'illegal move of a job'); END
    """,
    """
    CREATE TRIGGER jobs_claim_with_a_new_token BEFORE UPDATE OF state ON jobs
    WHEN old.state = 'queued' AND new.state = 'running' AND new.lease_token <= old.lease_token
    BEGIN SELECT RAISE(ABORT, 'a claim must raise the lease token'); END
    """,
    """
    CREATE TRIGGER jobs_token_never_falls BEFORE UPDATE OF lease_token ON jobs
    WHEN new.lease_token < old.lease_token
    BEGIN SELECT RAISE(ABORT, 'a lease token never falls'); END
    """,
)


def upgrade() -> None:
    for statement in (*TABLES, *INDEXES, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    for table in ("outbox", "attempts", "idempotency_keys", "lanes", "jobs", "episodes"):
        op.execute(f"DROP TABLE {table}")
