-- Who was signed in where, what was done about quarantined events, the newest minutes, days without consent, and
-- rollups that were found to differ from their rows.

-- A customer seen signed in (by a token) on a visitor's browser, from when to when. `undone` follows the newest row of
-- identity_decisions; events are never rewritten for it.
CREATE TABLE identity_links (
    visitor_id text NOT NULL CHECK (length(visitor_id) BETWEEN 1 AND 64),
    user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    undone boolean NOT NULL DEFAULT false,
    PRIMARY KEY (visitor_id, user_id),
    CHECK (last_at >= first_at)
);
CREATE INDEX identity_links_of_user ON identity_links (user_id);

INSERT INTO identity_links (visitor_id, user_id, first_at, last_at)
SELECT visitor_id, user_id, min(ts), max(ts)
  FROM events
 WHERE user_id IS NOT NULL AND visitor_id IS DISTINCT FROM order_id
 GROUP BY visitor_id, user_id;

CREATE TABLE identity_decisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    visitor_id text NOT NULL CHECK (length(visitor_id) BETWEEN 1 AND 64),
    user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
    linked boolean NOT NULL,
    reason text NOT NULL CHECK (length(reason) <= 500),
    decided_by text NOT NULL CHECK (length(decided_by) <= 200),
    decided_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX identity_decisions_of_visitor ON identity_decisions (visitor_id);
CREATE INDEX identity_decisions_of_user ON identity_decisions (user_id);

-- Browsers on which one customer alone was ever signed in: what was done there anonymously is theirs.
CREATE VIEW visitor_owners AS
SELECT visitor_id, min(user_id) AS user_id, min(first_at) AS since
  FROM identity_links
 WHERE NOT undone
 GROUP BY visitor_id
HAVING count(*) = 1;

-- An event and whose it is; `person` is NULL where nobody is known, or where it may have been one of several.
CREATE VIEW event_person AS
SELECT events.event_id, events.name, events.ts, events.visitor_id, events.user_id, events.bot_score,
       coalesce(events.user_id, visitor_owners.user_id) AS person
  FROM events
  LEFT JOIN visitor_owners ON visitor_owners.visitor_id = events.visitor_id;

-- What is needed to put a quarantined event back into the account it came from. `body` is the batch to the byte where
-- it could not be read at all; `tries` counts replays that were refused again.
ALTER TABLE quarantined_events
    ADD COLUMN minute timestamptz,
    ADD COLUMN sender text NOT NULL DEFAULT 'unknown',
    ADD COLUMN via text NOT NULL DEFAULT 'stream',
    ADD COLUMN events integer NOT NULL DEFAULT 1,
    ADD COLUMN body bytea,
    ADD COLUMN tries integer NOT NULL DEFAULT 0,
    ADD COLUMN tried_at timestamptz;

-- As event_hours, by the minute, for the two days that live figures look back. Redis is filled from here.
CREATE TABLE event_minutes (
    minute timestamptz NOT NULL,
    name text NOT NULL CHECK (length(name) <= 40),
    human boolean NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (minute, name, human)
);

-- Visitors without consent are told apart for a day, by a hash whose salt is thrown away afterwards.
CREATE TABLE daily_salts (
    day date PRIMARY KEY,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32)
);

-- A day whose rollup is not what counting its rows gives. One open row per rollup and day; settled by a repair, or by
-- a later count that finds them equal.
CREATE TABLE rollup_differences (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rollup text NOT NULL CHECK (length(rollup) <= 40),
    day date NOT NULL,
    differing integer NOT NULL CHECK (differing > 0),
    off_by bigint NOT NULL,
    sample jsonb NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    settled_by text CHECK (length(settled_by) <= 200),
    CHECK ((settled_at IS NULL) = (settled_by IS NULL))
);
CREATE UNIQUE INDEX rollup_differences_open ON rollup_differences (rollup, day) WHERE settled_at IS NULL;

-- The minutes follow the events in the transaction that stores or erases them, whoever does it.
CREATE FUNCTION count_event_minutes() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO event_minutes AS kept (minute, name, human, events)
        SELECT date_trunc('minute', ts) AS minute, name, bot_score < 50 AS human, count(*)
          FROM changed WHERE ts > now() - interval '2 days'
      GROUP BY 1, 2, 3
      ORDER BY 1, 2, 3
            ON CONFLICT (minute, name, human) DO UPDATE SET events = kept.events + EXCLUDED.events;
    ELSE
        -- In the order in which they are counted up: two who do this wait for each other and do not deadlock.
        PERFORM 1 FROM event_minutes
          WHERE (minute, name, human) IN (SELECT date_trunc('minute', ts), name, bot_score < 50
                                            FROM changed WHERE ts > now() - interval '3 days')
       ORDER BY minute, name, human FOR UPDATE;
        UPDATE event_minutes AS kept SET events = kept.events - counted.events
          FROM (SELECT date_trunc('minute', ts) AS minute, name, bot_score < 50 AS human, count(*) AS events
                  FROM changed WHERE ts > now() - interval '3 days' GROUP BY 1, 2, 3) AS counted
         WHERE kept.minute = counted.minute AND kept.name = counted.name AND kept.human = counted.human;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_stored_minutes AFTER INSERT ON events
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_event_minutes();
CREATE TRIGGER count_erased_minutes AFTER DELETE ON events
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_event_minutes();

-- Orders of people who were erased: kept as the law asks, and in events from then on nobody's.
CREATE TABLE forgotten_orders (
    order_id text PRIMARY KEY REFERENCES orders (id)
);
