-- The job table is the one truth about work: Redis only carries the message that says "look at this row".
CREATE TABLE jobs (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    name text NOT NULL CHECK (length(name) <= 80),
    queue text NOT NULL CHECK (length(queue) <= 40),
    args jsonb NOT NULL DEFAULT '{}',
    -- At most one waiting job per key: a second wish to do the same thing is the same wish.
    unique_key text CHECK (length(unique_key) <= 200),
    asked_by text CHECK (length(asked_by) <= 200),
    state text NOT NULL DEFAULT 'staged'
        CHECK (state IN ('staged', 'queued', 'running', 'done', 'failed', 'dead')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_attempts integer NOT NULL CHECK (max_attempts > 0),
    time_limit_s integer NOT NULL CHECK (time_limit_s > 0),
    run_after timestamptz NOT NULL DEFAULT now(),
    -- Order of hand-over: run_after plus the job's head start in seconds, so that waiting long beats being important.
    rank_at timestamptz NOT NULL DEFAULT now(),
    -- Counts runs. A message and a result count only while they carry the fence of the row.
    fence bigint NOT NULL DEFAULT 0,
    message_id text CHECK (length(message_id) <= 100),
    lease_owner text CHECK (length(lease_owner) <= 60),
    lease_until timestamptz,
    progress_done bigint,
    progress_total bigint,
    result jsonb,
    error_kind text CHECK (error_kind IN ('rejected', 'not_yet', 'bug', 'poison', 'dismissed', 'time_limit')),
    error_code text CHECK (length(error_code) <= 80),
    error text CHECK (length(error) <= 2000),
    traceback text CHECK (length(traceback) <= 20000),
    error_print text CHECK (length(error_print) <= 40),
    request_id text CHECK (length(request_id) <= 128),
    traceparent text CHECK (length(traceparent) <= 128),
    dismissed_by text CHECK (length(dismissed_by) <= 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    queued_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('done', 'failed', 'dead')) = (finished_at IS NOT NULL))
)
-- Each job leaves three dead rows behind, in the indexes that the relay reads twice a second: vacuum by their number,
-- not by a fifth of a table that is mostly finished jobs. The room in the pages is for beats and progress, which
-- change no indexed column and so need no new index entry.
WITH (
    fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0.02
);
-- Five small partial indexes instead of one large: finished rows, the great majority, are in none of the first three.
CREATE INDEX jobs_staged ON jobs (queue, rank_at, id) WHERE state = 'staged';
CREATE INDEX jobs_queued ON jobs (queue, queued_at) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (lease_owner) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (finished_at) WHERE state IN ('dead', 'failed');
CREATE INDEX jobs_finished ON jobs (finished_at, queue) WHERE state = 'done';
CREATE UNIQUE INDEX jobs_waiting_key ON jobs (unique_key) WHERE state IN ('staged', 'queued');

-- A queue has a row only once somebody paused it.
CREATE TABLE queues (
    name text PRIMARY KEY CHECK (length(name) <= 40),
    paused boolean NOT NULL DEFAULT false,
    changed_by text CHECK (length(changed_by) <= 200),
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- One row per living worker process, kept fresh by its sibling process.
CREATE TABLE workers (
    boot_id text PRIMARY KEY CHECK (length(boot_id) <= 60),
    queue text NOT NULL CHECK (length(queue) <= 40),
    broker_id text NOT NULL CHECK (length(broker_id) <= 60),
    pid integer NOT NULL,
    host text NOT NULL CHECK (length(host) <= 255),
    threads integer NOT NULL CHECK (threads > 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    beat_at timestamptz NOT NULL DEFAULT now(),
    died_at timestamptz
);

-- Who may do what only one may do. A term grows with every change of holder, so that a late one can be told.
CREATE TABLE leases (
    name text PRIMARY KEY CHECK (length(name) <= 60),
    holder text NOT NULL CHECK (length(holder) <= 60),
    term bigint NOT NULL DEFAULT 1,
    until timestamptz NOT NULL
);

-- One row per schedule and slot: two clocks at once stage one job.
CREATE TABLE schedule_slots (
    schedule text NOT NULL CHECK (length(schedule) <= 80),
    slot timestamptz NOT NULL,
    job_id text NOT NULL CHECK (length(job_id) <= 40),
    staged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schedule, slot)
);
