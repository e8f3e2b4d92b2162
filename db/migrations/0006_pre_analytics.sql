-- What visitors did, what became of every event that reached us, what is trending, and the reports as they were frozen.

-- The smallest version 7 id of a moment: bounds of the weekly partitions below.
CREATE FUNCTION event_id_at(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

-- Partitioned by the id itself, not by a time: only then is the id unique over all partitions, which is what makes
-- de-duplication exact for as long as events are kept. Ids of odd clocks land in the default partition, unique too.
CREATE TABLE events (
    event_id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) <= 40),
    schema_version smallint NOT NULL DEFAULT 1,
    source text NOT NULL CHECK (source IN ('web', 'app', 'server', 'order')),
    -- The corrected time, which reports use. The four others each have one writer: page, page, web process, drain.
    ts timestamptz NOT NULL,
    ts_client timestamptz NOT NULL,
    sent_at timestamptz,
    received_at timestamptz NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    clock text NOT NULL CHECK (clock IN ('as_sent', 'corrected', 'clamped_early', 'clamped_late')),
    visitor_id text NOT NULL CHECK (length(visitor_id) BETWEEN 1 AND 64),
    user_id text CHECK (length(user_id) <= 200),
    session_id text CHECK (length(session_id) <= 64),
    consent smallint,
    bot_score smallint NOT NULL DEFAULT 0 CHECK (bot_score BETWEEN 0 AND 100),
    bot_reason text CHECK (length(bot_reason) <= 40),
    path text CHECK (length(path) <= 1024),
    referrer_host text CHECK (length(referrer_host) <= 255),
    channel text CHECK (length(channel) <= 40),
    campaign text CHECK (length(campaign) <= 200),
    device text CHECK (length(device) <= 20),
    country text CHECK (length(country) <= 2),
    product_id text CHECK (length(product_id) <= 128),
    order_id text CHECK (length(order_id) <= 40),
    search_id text CHECK (length(search_id) <= 64),
    position integer CHECK (position BETWEEN 0 AND 100000),
    quantity integer CHECK (quantity BETWEEN 0 AND 1000000),
    price_minor bigint CHECK (price_minor >= 0),
    currency text CHECK (currency ~ '^[a-z]{3}$'),
    props jsonb,
    -- Hash of what was sent, without sent_at: the same id with another fingerprint is a conflict, not a repeat.
    fingerprint bigint NOT NULL
) PARTITION BY RANGE (event_id);
-- Four indexes where others keep fourteen: each one is paid for on every insert.
CREATE INDEX events_ts ON events USING brin (ts) WITH (pages_per_range = 32);
CREATE INDEX events_loaded ON events USING brin (loaded_at) WITH (pages_per_range = 32);
CREATE INDEX events_visitor ON events (visitor_id, ts);

CREATE TABLE events_default PARTITION OF events DEFAULT;

-- Makes the missing weekly partitions from the week of `since` on, and moves there what had to wait in the default
-- one. Answers how many were made. Run ahead of time, so that the default partition stays small.
CREATE FUNCTION make_event_partitions(since timestamptz, weeks integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    monday timestamptz := date_trunc('week', since, 'UTC');
    partition text;
    made integer := 0;
BEGIN
    FOR week IN 1..weeks LOOP
        partition := 'events_' || to_char(monday AT TIME ZONE 'UTC', 'IYYY"w"IW');
        IF to_regclass(partition) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING ALL)', partition);
            EXECUTE format(
                'WITH moved AS (DELETE FROM events_default WHERE event_id >= %L AND event_id < %L RETURNING *)'
                ' INSERT INTO %I SELECT * FROM moved',
                event_id_at(monday), event_id_at(monday + interval '7 days'), partition);
            EXECUTE format(
                'ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                partition, event_id_at(monday), event_id_at(monday + interval '7 days'));
            made := made + 1;
        END IF;
        monday := monday + interval '7 days';
    END LOOP;
    RETURN made;
END
$$;

-- Drops the weekly partitions that ended before `moment`; answers how many. A dropped week costs milliseconds.
CREATE FUNCTION drop_event_partitions(moment timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    partition text;
    dropped integer := 0;
BEGIN
    FOR partition IN
        SELECT child.relname
          FROM pg_inherits
          JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
         WHERE pg_inherits.inhparent = 'events'::regclass
           AND child.relname ~ '^events_\d{4}w\d{2}$'
           AND to_date(substr(child.relname, 8), 'IYYY"w"IW') + 7 <= (moment AT TIME ZONE 'UTC')::date
    LOOP
        EXECUTE format('DROP TABLE %I', partition);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

SELECT make_event_partitions(now() - interval '14 days', 7);

-- Where batches wait when Redis is down: the promise of 202 is that they are stored somewhere durable.
CREATE TABLE event_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body bytea NOT NULL CHECK (octet_length(body) <= 1048576),
    events integer NOT NULL CHECK (events >= 0),
    received_at timestamptz NOT NULL DEFAULT now()
);

-- One row per batch that was loaded, for a few days: a batch that is handed over twice is counted once.
CREATE TABLE event_batches (
    batch_id text PRIMARY KEY CHECK (length(batch_id) <= 40),
    loaded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_batches_loaded ON event_batches USING brin (loaded_at);

-- The conservation ledger, written in the transaction that stores the events. The law is a constraint.
CREATE TABLE ingest_ledger (
    minute timestamptz NOT NULL,
    sender text NOT NULL CHECK (length(sender) <= 20),
    via text NOT NULL CHECK (via IN ('stream', 'inbox')),
    received bigint NOT NULL DEFAULT 0,
    stored bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    conflict bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (minute, sender, via),
    CHECK (received = stored + duplicate + conflict + rejected + quarantined)
);

CREATE TABLE ingest_rejections (
    minute timestamptz NOT NULL,
    code text NOT NULL CHECK (length(code) <= 40),
    rejected bigint NOT NULL,
    PRIMARY KEY (minute, code)
);

-- What was accepted and then could not be stored waits here with its reason until somebody looks.
CREATE TABLE quarantined_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id text NOT NULL CHECK (length(batch_id) <= 40),
    raw text NOT NULL,
    reason text NOT NULL CHECK (length(reason) <= 500),
    quarantined_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    settled_as text CHECK (settled_as IN ('replayed', 'dismissed')),
    settled_by text CHECK (length(settled_by) <= 200),
    CHECK ((settled_at IS NULL) = (settled_as IS NULL))
);
CREATE INDEX quarantined_events_open ON quarantined_events (quarantined_at) WHERE settled_at IS NULL;

-- Additive, fed only from rows that were really inserted, so a replay cannot count twice.
CREATE TABLE event_hours (
    hour timestamptz NOT NULL,
    name text NOT NULL CHECK (length(name) <= 40),
    human boolean NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (hour, name, human)
);

-- Who showed interest in what, once per visitor, product, kind and hour: reloading a page does not make a trend.
-- The visitor is a 64-bit hash; rows live eight days, one more than the longest window.
CREATE TABLE product_interest (
    product_id text NOT NULL CHECK (length(product_id) <= 128),
    hour timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('view', 'cart', 'order')),
    visitor bigint NOT NULL,
    -- The first moment of it within the hour.
    at timestamptz NOT NULL,
    PRIMARY KEY (product_id, hour, kind, visitor)
);
CREATE INDEX product_interest_hour ON product_interest USING brin (hour);

-- The same, counted: a product's usual hour is read from here.
CREATE TABLE product_hours (
    product_id text NOT NULL CHECK (length(product_id) <= 128),
    hour timestamptz NOT NULL,
    views integer NOT NULL DEFAULT 0,
    carts integer NOT NULL DEFAULT 0,
    orders integer NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, hour)
);
CREATE INDEX product_hours_hour ON product_hours USING brin (hour);

-- Heat per window, stored as a base 2 logarithm of weights that grow with time instead of shrinking: what is not
-- touched keeps its row, and still cools down against everything else.
CREATE TABLE product_heat (
    span text NOT NULL CHECK (span IN ('1h', '24h', '7d')),
    product_id text NOT NULL CHECK (length(product_id) <= 128),
    log_heat double precision NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (span, product_id)
);
CREATE INDEX product_heat_recent ON product_heat (span, last_at);

-- The lists as last computed; category '' is the list over all categories.
CREATE TABLE trending (
    span text NOT NULL CHECK (span IN ('1h', '24h', '7d')),
    category text NOT NULL,
    rank integer NOT NULL CHECK (rank > 0),
    product_id text NOT NULL CHECK (length(product_id) <= 128),
    score double precision NOT NULL,
    visitors integer NOT NULL,
    views integer NOT NULL,
    carts integer NOT NULL,
    orders integer NOT NULL,
    reasons jsonb NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (span, category, rank)
);

-- How far a reader of somebody else's table has come.
CREATE TABLE analytics_cursors (
    name text PRIMARY KEY CHECK (length(name) <= 40),
    seen_until timestamptz NOT NULL
);

-- A report: asked for first, then made once. The snapshot is frozen, and PDF and CSV are drawn from it alone.
CREATE TABLE reports (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    kind text NOT NULL CHECK (kind IN ('nightly', 'revenue')),
    day date NOT NULL,
    -- A day that was not over when its report was made gets another version afterwards.
    version integer NOT NULL CHECK (version > 0),
    asked_by text CHECK (length(asked_by) <= 200),
    -- What was known at this moment is in the report. NULL until it is made.
    as_of timestamptz,
    final boolean,
    snapshot jsonb,
    -- Over the canonical JSON of the snapshot: sorted keys, no spaces, UTF-8.
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    pdf bytea,
    csv bytea,
    drawn_at timestamptz,
    -- When the one mail about it was staged.
    mailed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, day, version),
    CHECK ((snapshot IS NULL) = (sha256 IS NULL)),
    CHECK ((snapshot IS NULL) = (as_of IS NULL)),
    CHECK ((snapshot IS NULL) = (final IS NULL)),
    CHECK ((drawn_at IS NULL) = (pdf IS NULL)),
    CHECK ((drawn_at IS NULL) = (csv IS NULL)),
    CHECK (drawn_at IS NULL OR snapshot IS NOT NULL)
);
CREATE INDEX reports_newest ON reports (id DESC);

-- Frozen means frozen: what a report says can never be changed once it is written, only drawn and mailed.
CREATE FUNCTION reports_are_frozen() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       OR (NEW.id, NEW.kind, NEW.day, NEW.version, NEW.created_at)
          IS DISTINCT FROM (OLD.id, OLD.kind, OLD.day, OLD.version, OLD.created_at)
       OR (OLD.snapshot IS NOT NULL
           AND (NEW.snapshot, NEW.sha256, NEW.as_of) IS DISTINCT FROM (OLD.snapshot, OLD.sha256, OLD.as_of))
       OR (OLD.drawn_at IS NOT NULL AND (NEW.pdf, NEW.csv) IS DISTINCT FROM (OLD.pdf, OLD.csv)) THEN
        RAISE EXCEPTION 'report % is frozen', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER reports_are_frozen BEFORE UPDATE OR DELETE ON reports
FOR EACH ROW EXECUTE FUNCTION reports_are_frozen();
