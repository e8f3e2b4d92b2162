-- What is watched and out of the ordinary: hourly figures to compare with, what each look saw, and the incidents.

-- The family of the browser an order was placed with (`firefox`), never more of it: which browsers' pages lose events.
ALTER TABLE orders ADD COLUMN browser text;

-- Shares by hour (of tries to pay, of searches, of paid orders): `hits` of `tries` were of the kind one does not want.
-- Counted again for a few hours back at each look, so a late row is in it; what is usual is read from here alone.
CREATE TABLE alert_hours (
    kind text NOT NULL CHECK (length(kind) <= 40),
    hour timestamptz NOT NULL,
    hits bigint NOT NULL CHECK (hits >= 0),
    tries bigint NOT NULL CHECK (tries >= hits),
    PRIMARY KEY (kind, hour)
);

-- The last look at each thing that is watched, and how many looks in a row were bad or calm.
CREATE TABLE alert_watches (
    kind text NOT NULL CHECK (length(kind) <= 40),
    -- What of the kind: a currency, an experiment's key, a table. Empty where there is one of it.
    subject text NOT NULL CHECK (length(subject) <= 100),
    verdict text NOT NULL CHECK (verdict IN ('bad', 'calm', 'between', 'unknown')),
    observed double precision NOT NULL,
    expected double precision,
    words text NOT NULL CHECK (length(words) <= 500),
    bad_looks integer NOT NULL DEFAULT 0 CHECK (bad_looks >= 0),
    calm_looks integer NOT NULL DEFAULT 0 CHECK (calm_looks >= 0),
    looked_at timestamptz NOT NULL,
    PRIMARY KEY (kind, subject)
);

CREATE TABLE incidents (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    kind text NOT NULL CHECK (length(kind) <= 40),
    subject text NOT NULL CHECK (length(subject) <= 100),
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'acknowledged', 'resolved')),
    -- As it was when it began, at its worst, and at the last look.
    observed double precision NOT NULL,
    expected double precision,
    worst double precision NOT NULL,
    -- What the person who is told reads: what it is, what was seen first and last, and what can be done.
    title text NOT NULL CHECK (length(title) <= 100),
    advice text NOT NULL CHECK (length(advice) <= 500),
    words text NOT NULL CHECK (length(words) <= 500),
    last_words text NOT NULL CHECK (length(last_words) <= 500),
    opened_at timestamptz NOT NULL,
    last_bad_at timestamptz NOT NULL,
    -- It came back so soon after its end that it is the same one.
    reopened integer NOT NULL DEFAULT 0 CHECK (reopened >= 0),
    acknowledged_at timestamptz,
    acknowledged_by text CHECK (length(acknowledged_by) <= 200),
    note text CHECK (length(note) <= 1000),
    resolved_at timestamptz,
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK (status <> 'acknowledged' OR acknowledged_at IS NOT NULL)
);
-- One at a time of each thing that is watched: the law that nobody is told twice of the same.
CREATE UNIQUE INDEX incidents_current ON incidents (kind, subject) WHERE resolved_at IS NULL;
CREATE INDEX incidents_newest ON incidents (status, id DESC);
CREATE INDEX incidents_ended ON incidents (resolved_at, opened_at);
CREATE INDEX incidents_of ON incidents (kind, subject, resolved_at DESC);

-- What each ledger entry says of revenue, a row a currency. `sold` and `returned` are 1 at the first sale and the first
-- credit of an order, so that their sums are orders. Amounts are income positive.
CREATE VIEW revenue_entries AS
SELECT entry.id, entry.order_id, entry.booked_at, orders.created_at AS ordered_at, sums.currency,
       CASE WHEN refunds = 0 THEN -(income + tax) ELSE 0 END AS gross,
       CASE WHEN refunds <> 0 THEN refunds + tax ELSE 0 END AS refunds,
       -(income + refunds) AS net, -(income - shipping) AS goods, -shipping AS shipping, -tax AS tax, fees, disputes,
       (income < 0 AND NOT EXISTS (
           SELECT 1 FROM ledger_entries AS earlier
            WHERE earlier.order_id = entry.order_id AND earlier.seq < entry.seq AND earlier.kind = entry.kind))::int
           AS sold,
       (refunds > 0 AND NOT EXISTS (
           SELECT 1 FROM ledger_entries AS earlier
            WHERE earlier.order_id = entry.order_id AND earlier.seq < entry.seq AND earlier.kind = entry.kind))::int
           AS returned
  FROM ledger_entries AS entry
  LEFT JOIN orders ON orders.id = entry.order_id
 CROSS JOIN LATERAL (
       SELECT currency,
              coalesce(sum(amount_minor) FILTER (WHERE account IN ('sales', 'shipping')), 0) AS income,
              coalesce(sum(amount_minor) FILTER (WHERE account = 'shipping'), 0) AS shipping,
              coalesce(sum(amount_minor) FILTER (WHERE account = 'refunds'), 0) AS refunds,
              coalesce(sum(amount_minor) FILTER (WHERE account = 'tax'), 0) AS tax,
              coalesce(sum(amount_minor) FILTER (WHERE account = 'fees'), 0) AS fees,
              coalesce(sum(amount_minor) FILTER (WHERE account = 'disputes'), 0) AS disputes
         FROM ledger_lines AS lines
        WHERE lines.entry_id = entry.id
        GROUP BY currency) AS sums
 WHERE sums.income <> 0 OR sums.refunds <> 0 OR sums.tax <> 0 OR sums.fees <> 0 OR sums.disputes <> 0;

-- The same, added up by quarters of an hour: in which they were booked, and in which their orders were placed. Every
-- zone's days begin with a quarter. Up to the cursor 'revenue'; what was booked since is read from the ledger.
CREATE TABLE revenue_quarters (
    booked_at timestamptz NOT NULL,
    -- Of entries of no order: when they were booked.
    ordered_at timestamptz NOT NULL,
    of_order boolean NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    gross bigint NOT NULL,
    refunds bigint NOT NULL,
    net bigint NOT NULL,
    goods bigint NOT NULL,
    shipping bigint NOT NULL,
    tax bigint NOT NULL,
    fees bigint NOT NULL,
    disputes bigint NOT NULL,
    sold integer NOT NULL,
    returned integer NOT NULL,
    PRIMARY KEY (booked_at, ordered_at, of_order, currency)
);
CREATE INDEX revenue_quarters_ordered ON revenue_quarters (ordered_at, booked_at) WHERE of_order;
