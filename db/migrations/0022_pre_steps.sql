-- What questions about behaviour are read from: steps, a slim row for each event that funnels ask about, and a mask of
-- days for each visitor. Both follow the events by triggers: in the transaction that stores, changes or deletes an
-- event, whoever does it, so there is no moment at which they say something else.

-- Which events are steps. Pages opened are half of all events and begin few funnels; what a page reports of itself is
-- nothing a visitor did. Funnels that name one of these read the events.
CREATE FUNCTION is_step(name text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN name NOT IN ('page_view', 'experiment_seen', 'consent_set', 'identify');

-- Machines are left out. Partitioned by time, a week each, and dropped with the events.
CREATE TABLE steps (
    ts timestamptz NOT NULL,
    event_id uuid NOT NULL,
    -- A 64-bit hash of the visitor id: a funnel sorts by it, and a number sorts twice as fast as a text. Of a million
    -- visitors two have the same number with a chance of 3 in 100 million. NULL: a fact of an order without a visitor.
    visitor bigint,
    name text NOT NULL CHECK (length(name) <= 40),
    customer_id text CHECK (length(customer_id) <= 200),
    product_id text CHECK (length(product_id) <= 128),
    channel text CHECK (length(channel) <= 40),
    campaign text CHECK (length(campaign) <= 200),
    country text CHECK (length(country) <= 2),
    device text CHECK (length(device) <= 20),
    referrer_host text CHECK (length(referrer_host) <= 255),
    PRIMARY KEY (ts, event_id)
) PARTITION BY RANGE (ts);

CREATE TABLE steps_default PARTITION OF steps DEFAULT;

-- Makes the missing weekly partitions from the week of `since` on; what waited in the default one moves there.
CREATE FUNCTION make_step_partitions(since timestamptz, weeks integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    monday timestamptz := date_trunc('week', since, 'UTC');
    partition text;
    made integer := 0;
BEGIN
    FOR week IN 1..weeks LOOP
        partition := 'steps_' || to_char(monday AT TIME ZONE 'UTC', 'IYYY"w"IW');
        IF to_regclass(partition) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE steps INCLUDING ALL)', partition);
            EXECUTE format(
                'WITH moved AS (DELETE FROM steps_default WHERE ts >= %L AND ts < %L RETURNING *)'
                ' INSERT INTO %I SELECT * FROM moved', monday, monday + interval '7 days', partition);
            EXECUTE format(
                'ALTER TABLE steps ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                partition, monday, monday + interval '7 days');
            made := made + 1;
        END IF;
        monday := monday + interval '7 days';
    END LOOP;
    RETURN made;
END
$$;

-- Drops the weekly partitions that ended before `moment`; answers how many.
CREATE FUNCTION drop_step_partitions(moment timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    partition text;
    dropped integer := 0;
BEGIN
    FOR partition IN
        SELECT child.relname
          FROM pg_inherits
          JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
         WHERE pg_inherits.inhparent = 'steps'::regclass
           AND child.relname ~ '^steps_\d{4}w\d{2}$'
           AND to_date(substr(child.relname, 7), 'IYYY"w"IW') + 7 <= (moment AT TIME ZONE 'UTC')::date
    LOOP
        EXECUTE format('DROP TABLE %I', partition);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

SELECT make_step_partitions(now() - interval '14 days', 7);

-- On which days a visitor did anything, a bit a day. An era has nine weeks: 63 bits, and its first is a Monday.
CREATE TABLE visitor_days (
    visitor bigint NOT NULL,
    era smallint NOT NULL,
    days bigint NOT NULL CHECK (days > 0),
    PRIMARY KEY (era, visitor)
);

-- Days are cut in the shop's zone. Both tables are read only when they are complete: until `retrace` has put in what
-- was there before them, questions read the events.
CREATE TABLE step_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    zone text NOT NULL CHECK (length(zone) <= 60),
    complete boolean NOT NULL DEFAULT false,
    checked_at timestamptz
);

-- Day 0 is Monday, 5 January 1970.
CREATE FUNCTION visit_day(moment timestamptz, zone text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (moment AT TIME ZONE zone)::date - DATE '1970-01-05';

CREATE FUNCTION steps_follow_added() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO steps (ts, event_id, visitor, name, customer_id, product_id, channel, campaign, country, device,
                       referrer_host)
    SELECT ts, event_id,
           CASE WHEN source <> 'order' OR visitor_id IS DISTINCT FROM order_id
                THEN hashtextextended(visitor_id, 0) END,
           name, user_id, product_id, channel, campaign, country, device, referrer_host
      FROM added WHERE bot_score < 50 AND is_step(name)
        ON CONFLICT (ts, event_id) DO NOTHING;
    -- In one order, so that two who do this wait for each other and do not deadlock.
    INSERT INTO visitor_days (visitor, era, days)
    SELECT visitor, day / 63, bit_or(1::bigint << (day % 63))
      FROM (SELECT hashtextextended(visitor_id, 0) AS visitor, visit_day(ts, step_state.zone) AS day
              FROM added CROSS JOIN step_state
             WHERE bot_score < 50 AND source <> 'order') AS done
  GROUP BY 1, 2 ORDER BY 2, 1
        ON CONFLICT (era, visitor) DO UPDATE SET days = visitor_days.days | EXCLUDED.days
     WHERE visitor_days.days & EXCLUDED.days <> EXCLUDED.days;
    RETURN NULL;
END
$$;

CREATE FUNCTION steps_follow_removed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM steps USING removed
     WHERE steps.ts = removed.ts AND steps.event_id = removed.event_id;
    -- Waits for whoever adds a day to them, so that the next statement sees it.
    PERFORM 1 FROM visitor_days
      WHERE (era, visitor) IN (SELECT visit_day(ts, step_state.zone) / 63, hashtextextended(visitor_id, 0)
                                 FROM removed CROSS JOIN step_state WHERE bot_score < 50 AND source <> 'order')
   ORDER BY era, visitor FOR UPDATE;
    WITH gone AS (
        SELECT DISTINCT visitor_id, visit_day(ts, step_state.zone) AS day, step_state.zone
          FROM removed CROSS JOIN step_state WHERE bot_score < 50 AND source <> 'order'
    ), empty AS (
        SELECT hashtextextended(visitor_id, 0) AS visitor, day / 63 AS era, bit_or(1::bigint << (day % 63)) AS days
          FROM gone
         WHERE NOT EXISTS (SELECT FROM events
                            WHERE events.visitor_id = gone.visitor_id
                              AND ts >= (DATE '1970-01-05' + day)::timestamp AT TIME ZONE zone
                              AND ts < (DATE '1970-01-06' + day)::timestamp AT TIME ZONE zone
                              AND bot_score < 50 AND source <> 'order')
      GROUP BY 1, 2
    ), let_go AS (
        DELETE FROM visitor_days AS kept USING empty
         WHERE kept.era = empty.era AND kept.visitor = empty.visitor AND kept.days & ~empty.days = 0
    )
    UPDATE visitor_days AS kept SET days = kept.days & ~empty.days
      FROM empty
     WHERE kept.era = empty.era AND kept.visitor = empty.visitor AND kept.days & ~empty.days > 0
       AND kept.days & empty.days > 0;
    RETURN NULL;
END
$$;

-- Made before the new code runs, so that what the old code stores is in them too.
CREATE TRIGGER steps_follow_added AFTER INSERT ON events
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION steps_follow_added();
CREATE TRIGGER steps_follow_removed AFTER DELETE ON events
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION steps_follow_removed();
-- A changed event is another one; the name of the first says that it runs first.
CREATE TRIGGER steps_follow_changed_1 AFTER UPDATE ON events
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION steps_follow_removed();
CREATE TRIGGER steps_follow_changed_2 AFTER UPDATE ON events
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION steps_follow_added();

-- Funnels that people keep. The definition is what the funnel's own route takes.
CREATE TABLE funnels (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 120),
    definition jsonb NOT NULL CHECK (octet_length(definition::text) <= 65536),
    made_by text NOT NULL CHECK (length(made_by) <= 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
