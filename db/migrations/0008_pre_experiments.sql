-- Experiments, who saw what in them, and what was asked for under the right to know and to be forgotten.

CREATE TABLE experiments (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    key text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,59}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    hypothesis text NOT NULL DEFAULT '' CHECK (length(hypothesis) <= 2000),
    status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'running', 'stopped')),
    -- The first one is the control.
    variants text[] NOT NULL CHECK (cardinality(variants) BETWEEN 2 AND 10),
    weights double precision[] NOT NULL,
    coverage double precision NOT NULL DEFAULT 1 CHECK (coverage BETWEEN 0 AND 1),
    audience jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(audience) = 'object'),
    -- Goes into the hash with the unit's id; another seed is another draw.
    seed text NOT NULL CHECK (length(seed) BETWEEN 1 AND 80),
    -- Experiments of one namespace with ranges that do not meet never have a visitor in common.
    namespace text CHECK (length(namespace) BETWEEN 1 AND 60),
    namespace_start double precision CHECK (namespace_start BETWEEN 0 AND 1),
    namespace_end double precision CHECK (namespace_end BETWEEN 0 AND 1),
    metrics text[] NOT NULL,
    guardrails text[] NOT NULL DEFAULT '{}',
    -- 0 before it ran; each start, and each change of weights, coverage or audience while it runs, is another phase.
    phase integer NOT NULL DEFAULT 0 CHECK (phase >= 0),
    created_by text CHECK (length(created_by) <= 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (cardinality(weights) = cardinality(variants)),
    CHECK ((namespace IS NULL) = (namespace_start IS NULL)),
    CHECK ((namespace IS NULL) = (namespace_end IS NULL)),
    CHECK (namespace_start < namespace_end),
    CHECK ((status = 'draft') = (phase = 0))
);
CREATE INDEX experiments_running ON experiments (key) WHERE status = 'running';

-- What assignment went by, phase by phase; results of one are never mixed with those of another.
CREATE TABLE experiment_phases (
    experiment_id text NOT NULL REFERENCES experiments (id),
    phase integer NOT NULL CHECK (phase > 0),
    weights double precision[] NOT NULL,
    coverage double precision NOT NULL,
    audience jsonb NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (experiment_id, phase),
    CHECK (ended_at >= started_at)
);

-- Once per visitor, experiment and phase: the first moment. Results count from there.
CREATE TABLE exposures (
    experiment_id text NOT NULL,
    phase integer NOT NULL,
    visitor_id text NOT NULL CHECK (length(visitor_id) BETWEEN 1 AND 64),
    variant smallint NOT NULL CHECK (variant >= 0),
    exposed_at timestamptz NOT NULL DEFAULT now(),
    -- Another variant was recorded for the same visitor and phase later on.
    mixed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (experiment_id, phase, visitor_id),
    FOREIGN KEY (experiment_id, phase) REFERENCES experiment_phases (experiment_id, phase)
);
CREATE INDEX exposures_of_visitor ON exposures (visitor_id);

-- The ids are the only personal data here, and only until the work is done.
CREATE TABLE privacy_requests (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    kind text NOT NULL CHECK (kind IN ('export', 'erasure')),
    customer_id text CHECK (length(customer_id) <= 200),
    visitor_id text CHECK (length(visitor_id) <= 64),
    -- Of an erasure: the visitors it found, so that a second run still knows them.
    visitor_ids text[],
    asked_by text NOT NULL CHECK (length(asked_by) <= 200),
    receipt jsonb,
    -- Of an export: gzip of JSON. Deleted after a week.
    document bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    CHECK ((receipt IS NULL) = (done_at IS NULL)),
    CHECK (done_at IS NOT NULL OR customer_id IS NOT NULL OR visitor_id IS NOT NULL)
);
CREATE INDEX privacy_requests_documents ON privacy_requests (done_at) WHERE document IS NOT NULL;

-- What search keeps of a person. It is search's own tables, but forgetting is one promise, kept in one transaction.
CREATE FUNCTION forget_searches(customer text, visitors text[]) RETURNS integer
LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM search_queries
         WHERE customer_id = customer
            OR (visitor_id = ANY (visitors) AND (customer_id IS NULL OR customer_id = customer))
        RETURNING 1
    )
    SELECT count(*)::integer FROM gone
$$;

CREATE FUNCTION forget_interests(customer text, visitors text[]) RETURNS integer
LANGUAGE sql AS $$
    WITH persons AS (
        SELECT 'v:' || visitor AS person FROM unnest(visitors) AS visitor
     UNION ALL
        SELECT 'c:' || customer WHERE customer IS NOT NULL
    ), advised AS (
        DELETE FROM user_recommendations WHERE person IN (SELECT person FROM persons) RETURNING 1
    ), asked AS (
        DELETE FROM search_askers WHERE asker IN (SELECT hashtextextended(person, 0) FROM persons) RETURNING 1
    ), gone AS (
        DELETE FROM user_interests WHERE person IN (SELECT person FROM persons) RETURNING 1
    )
    SELECT ((SELECT count(*) FROM gone) + (SELECT count(*) FROM advised) + (SELECT count(*) FROM asked))::integer
$$;
