-- Searches counted by day, replays of logged queries, the shop's own judgments, and products that are bought again.

-- Words of queries, once each: the days below name them by number.
CREATE TABLE search_texts (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    text text NOT NULL UNIQUE COLLATE "C" CHECK (length(text) <= 500)
);

-- A day of the shop that is counted. Its searches are counted anew from their rows whenever one of them changes; a
-- closed day's rows are deleted, and it stays as it is.
CREATE TABLE search_days (
    day date PRIMARY KEY,
    -- The time zone whose day this is.
    zone text NOT NULL CHECK (length(zone) <= 60),
    counted_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    -- What its queries below come to, so that a year is the sum of a few hundred rows.
    searches integer NOT NULL DEFAULT 0,
    without_result integer NOT NULL DEFAULT 0,
    unclicked integer NOT NULL DEFAULT 0,
    clicked integer NOT NULL DEFAULT 0,
    carted integer NOT NULL DEFAULT 0,
    bought integer NOT NULL DEFAULT 0,
    placed integer NOT NULL DEFAULT 0,
    reciprocal_e9 bigint NOT NULL DEFAULT 0,
    corrected integer NOT NULL DEFAULT 0,
    cached integer NOT NULL DEFAULT 0,
    degraded integer NOT NULL DEFAULT 0
);

-- `''`: no words, and of closed days all queries that too few people made to keep their words.
CREATE TABLE search_day_queries (
    text_id integer NOT NULL REFERENCES search_texts,
    day date NOT NULL REFERENCES search_days ON DELETE CASCADE,
    searches integer NOT NULL CHECK (searches > 0),
    without_result integer NOT NULL CHECK (without_result BETWEEN 0 AND searches),
    unclicked integer NOT NULL CHECK (unclicked BETWEEN 0 AND searches),
    clicked integer NOT NULL CHECK (clicked BETWEEN 0 AND searches),
    carted integer NOT NULL CHECK (carted BETWEEN 0 AND searches),
    bought integer NOT NULL CHECK (bought BETWEEN 0 AND searches),
    -- Searches whose first click has a known place, and the sum of 1/place in billionths: whole, so that sums are exact.
    placed integer NOT NULL CHECK (placed BETWEEN 0 AND clicked),
    reciprocal_e9 bigint NOT NULL CHECK (reciprocal_e9 >= 0),
    corrected integer NOT NULL CHECK (corrected BETWEEN 0 AND searches),
    cached integer NOT NULL CHECK (cached BETWEEN 0 AND searches),
    degraded integer NOT NULL CHECK (degraded BETWEEN 0 AND searches),
    -- Different customers and visitors on this day; who searched without a name is not among them.
    people integer NOT NULL CHECK (people BETWEEN 0 AND searches),
    PRIMARY KEY (text_id, day)
);
CREATE INDEX search_day_queries_day ON search_day_queries (day);

-- What was sold by searches of a day, less what was given back, unrounded: a share of an order's line is no whole unit.
CREATE TABLE search_day_sales (
    day date NOT NULL REFERENCES search_days ON DELETE CASCADE,
    text_id integer NOT NULL REFERENCES search_texts,
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    sold numeric NOT NULL,
    PRIMARY KEY (day, text_id, currency)
);
CREATE INDEX search_day_sales_text ON search_day_sales (text_id);

-- How long searches took: bucket b are those of 1.02^b ms up to the next.
CREATE TABLE search_day_times (
    day date NOT NULL REFERENCES search_days ON DELETE CASCADE,
    bucket smallint NOT NULL,
    searches integer NOT NULL CHECK (searches > 0),
    PRIMARY KEY (day, bucket)
);

-- Quarters of hours in which a search or what became of it has changed since its day was counted. Rows are only added
-- and taken away, so that no writer waits for another; every time zone's day begins with such a quarter.
CREATE TABLE search_touched (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL
);

CREATE FUNCTION search_touch_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_touched (at)
    SELECT DISTINCT date_bin('15 minutes', searched_at, 'epoch'::timestamptz) FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION search_touch_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_touched (at) VALUES (date_bin('15 minutes', NEW.searched_at, 'epoch'::timestamptz));
    RETURN NULL;
END $$;

-- Searches of now are not noted one by one: the latest two days are never taken from here. One that is brought from
-- elsewhere with an older time is.
CREATE TRIGGER search_queries_came AFTER INSERT ON search_queries
    FOR EACH ROW WHEN (NEW.searched_at < now() - interval '1 hour') EXECUTE FUNCTION search_touch_row();
CREATE TRIGGER search_queries_moved_from AFTER UPDATE ON search_queries
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_touch_changed();
CREATE TRIGGER search_queries_moved_to AFTER UPDATE ON search_queries
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_touch_changed();
CREATE TRIGGER search_queries_went AFTER DELETE ON search_queries
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_touch_changed();
CREATE TRIGGER search_outcomes_came AFTER INSERT ON search_outcomes
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_touch_changed();
CREATE TRIGGER search_outcomes_changed AFTER UPDATE ON search_outcomes
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_touch_changed();
CREATE TRIGGER search_outcomes_went AFTER DELETE ON search_outcomes
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_touch_changed();

-- Searches of ranges of time, counted by query: the days above are filled from these, and whatever is not counted yet
-- is read from them, so that both say the same. `days` names each range.
CREATE FUNCTION search_counts(days date[], starts timestamptz[], ends timestamptz[])
RETURNS TABLE (day date, query text, searches integer, without_result integer, unclicked integer, clicked integer,
               carted integer, bought integer, placed integer, reciprocal_e9 bigint, corrected integer, cached integer,
               degraded integer, people integer)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH became AS (
        SELECT o.search_id, min(o.position) FILTER (WHERE o.clicked_at IS NOT NULL) AS place,
               bool_or(o.clicked_at IS NOT NULL) AS clicked, bool_or(o.carted_at IS NOT NULL) AS carted,
               bool_or(o.order_id IS NOT NULL) AS bought
          FROM unnest(starts, ends) AS range (since, until)
          JOIN search_outcomes o ON o.searched_at >= range.since AND o.searched_at < range.until
      GROUP BY o.search_id
    )
    SELECT range.day, s.normalised, count(*)::integer,
           count(*) FILTER (WHERE s.total = 0)::integer,
           count(*) FILTER (WHERE s.total > 0 AND became.clicked IS NOT TRUE)::integer,
           count(*) FILTER (WHERE became.clicked)::integer,
           count(*) FILTER (WHERE became.carted)::integer,
           count(*) FILTER (WHERE became.bought)::integer,
           count(became.place)::integer,
           coalesce(sum(1000000000 / became.place), 0)::bigint,
           count(s.corrected)::integer,
           count(*) FILTER (WHERE s.cached)::integer,
           count(*) FILTER (WHERE s.degraded)::integer,
           count(DISTINCT hashtextextended(coalesce('c:' || s.customer_id, 'v:' || s.visitor_id), 0))::integer
      FROM unnest(days, starts, ends) AS range (day, since, until)
      JOIN search_queries s ON s.searched_at >= range.since AND s.searched_at < range.until
      LEFT JOIN became ON became.search_id = s.id
  GROUP BY range.day, s.normalised
$$;

CREATE FUNCTION search_sales(days date[], starts timestamptz[], ends timestamptz[])
RETURNS TABLE (day date, query text, currency text, sold numeric)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT range.day, s.normalised, orders.currency,
           sum(lines.total_minor * (orders.amount_captured - orders.amount_refunded)::numeric / orders.amount_captured)
      FROM unnest(days, starts, ends) AS range (day, since, until)
           -- OFFSET 0: the few of the range first, whatever the planner takes them for.
     CROSS JOIN LATERAL (
           SELECT search_id, product_id, order_id FROM search_outcomes
            WHERE searched_at >= range.since AND searched_at < range.until AND order_id IS NOT NULL OFFSET 0) o
      JOIN search_queries s ON s.id = o.search_id
      JOIN orders ON orders.id = o.order_id AND orders.amount_captured > 0
      JOIN order_lines lines ON lines.order_id = o.order_id AND lines.product_id = o.product_id
  GROUP BY range.day, s.normalised, orders.currency
$$;

CREATE FUNCTION search_times(days date[], starts timestamptz[], ends timestamptz[])
RETURNS TABLE (day date, bucket smallint, searches integer)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT range.day, floor(ln(greatest(s.took_ms, 0.01)) / ln(1.02::float8))::smallint, count(*)::integer
      FROM unnest(days, starts, ends) AS range (day, since, until)
      JOIN search_queries s ON s.searched_at >= range.since AND s.searched_at < range.until
  GROUP BY 1, 2
$$;

-- What is not counted yet, by query, with the number its words have; a negative one where they have none.
CREATE FUNCTION search_live(days date[], starts timestamptz[], ends timestamptz[])
RETURNS TABLE (id integer, query text, searches integer, without_result integer, unclicked integer)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(t.id, -row_number() OVER ()::integer), c.query, c.searches, c.without_result, c.unclicked
      FROM (SELECT counts.query, sum(counts.searches)::integer AS searches,
                   sum(counts.without_result)::integer AS without_result, sum(counts.unclicked)::integer AS unclicked
              FROM search_counts(days, starts, ends) counts GROUP BY counts.query) c
      LEFT JOIN search_texts t ON t.text = c.query COLLATE "C"
$$;

-- Whether a click may teach: not where its browser said no to personalisation.
ALTER TABLE search_outcomes ADD COLUMN teaches boolean NOT NULL DEFAULT true;

-- What a person of the shop says a product is worth for a query: 0 nothing, 1 exactly what was asked for.
CREATE TABLE search_judgments (
    query text NOT NULL CHECK (length(query) BETWEEN 1 AND 500),
    product_id text NOT NULL CHECK (length(product_id) BETWEEN 1 AND 128),
    gain real NOT NULL CHECK (gain BETWEEN 0 AND 1),
    PRIMARY KEY (query, product_id)
);

-- Logged queries run again, without and with what may be switched on.
CREATE TABLE search_replays (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    -- learned: boosts of clicks. synonyms: those that are suggested. log: what was answered then, and what is now.
    candidate text NOT NULL CHECK (candidate IN ('learned', 'synonyms', 'log')),
    synonym_ids text[] NOT NULL DEFAULT '{}' CHECK (cardinality(synonym_ids) <= 100),
    days integer NOT NULL CHECK (days BETWEEN 1 AND 365),
    most_queries integer NOT NULL CHECK (most_queries BETWEEN 1 AND 5000),
    asked_by text CHECK (length(asked_by) <= 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- How many there are to do; NULL before they are chosen.
    queries integer CHECK (queries >= 0),
    ended_at timestamptz,
    -- What it says in all; there once it has ended.
    summary jsonb CHECK (jsonb_typeof(summary) = 'object'),
    passed boolean,
    CHECK ((ended_at IS NULL) = (summary IS NULL) AND (ended_at IS NULL) = (passed IS NULL))
);
CREATE INDEX search_replays_newest ON search_replays (candidate, ended_at DESC) WHERE ended_at IS NOT NULL;

CREATE TABLE search_replay_queries (
    replay_id text NOT NULL REFERENCES search_replays ON DELETE CASCADE,
    query text NOT NULL CHECK (length(query) <= 500),
    -- How often it was asked in the days.
    searches integer NOT NULL CHECK (searches >= 0),
    logged_first text[] NOT NULL DEFAULT '{}',
    -- NULL before it was run.
    first_before text[],
    first_after text[],
    -- Of the first ten, how many are the same.
    overlap real CHECK (overlap BETWEEN 0 AND 1),
    judged_by text CHECK (judged_by IN ('people', 'clicks')),
    ndcg_before real CHECK (ndcg_before BETWEEN 0 AND 1),
    ndcg_after real CHECK (ndcg_after BETWEEN 0 AND 1),
    -- Clicked products that changed their place: [{"product_id", "before", "after"}], null where not in the first ten.
    moved jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(moved) = 'array'),
    PRIMARY KEY (replay_id, query),
    CHECK ((first_before IS NULL) = (first_after IS NULL)),
    CHECK ((judged_by IS NULL) = (ndcg_before IS NULL) AND (judged_by IS NULL) = (ndcg_after IS NULL))
);

-- Products that people buy again, and after how many days half of those who did had done so.
CREATE TABLE product_rebuys (
    product_id text PRIMARY KEY CHECK (length(product_id) <= 200),
    buyers integer NOT NULL CHECK (buyers > 0),
    again integer NOT NULL CHECK (again BETWEEN 1 AND buyers),
    gap_days real NOT NULL CHECK (gap_days > 0),
    built_at timestamptz NOT NULL DEFAULT now()
);
