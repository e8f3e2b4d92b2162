-- Facts of orders as events, and visits: what is derived from events and from the orders' own tables.

-- Which facts of orders are events already. A fact is one by its row here, whatever its time: the time of a fact may be
-- learnt anew, and an event's id begins with its time.
CREATE TABLE order_facts (
    name text NOT NULL CHECK (name IN (
        'order_placed', 'order_paid', 'order_cancelled', 'payment_failed', 'refund_done', 'shipped', 'delivered')),
    -- The order's id; the refund's; of a declined try the order's id and which try it was.
    subject text NOT NULL CHECK (length(subject) <= 60),
    order_id text NOT NULL REFERENCES orders (id),
    event_id uuid NOT NULL,
    ts timestamptz NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, subject)
);
CREATE INDEX order_facts_of_order ON order_facts (order_id);

-- Visits. Half an hour of silence or another campaign begins a new one; midnight does not. Derived from events and
-- derived again when late ones come, so the id is made of the visitor and the first event.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    visitor_id text NOT NULL CHECK (length(visitor_id) BETWEEN 1 AND 64),
    user_id text CHECK (length(user_id) <= 200),
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    -- False: it began with another campaign, without a silence. Only a silence is a border that late events before and
    -- behind it cannot move.
    after_silence boolean NOT NULL,
    entry_path text CHECK (length(entry_path) <= 1024),
    exit_path text CHECK (length(exit_path) <= 1024),
    referrer_host text CHECK (length(referrer_host) <= 255),
    channel text CHECK (length(channel) <= 40),
    campaign text CHECK (length(campaign) <= 200),
    device text CHECK (length(device) <= 20),
    country text CHECK (length(country) <= 2),
    events integer NOT NULL CHECK (events > 0),
    pages integer NOT NULL CHECK (pages >= 0),
    products integer NOT NULL CHECK (products >= 0),
    carted boolean NOT NULL,
    checkout boolean NOT NULL,
    orders integer NOT NULL CHECK (orders >= 0),
    -- Did something beside opening one page, or stayed ten seconds.
    engaged boolean NOT NULL,
    bot_score smallint NOT NULL CHECK (bot_score BETWEEN 0 AND 100),
    derived_at timestamptz NOT NULL DEFAULT now(),
    CHECK (ended_at >= started_at)
);
CREATE INDEX sessions_of_visitor ON sessions (visitor_id, started_at);
CREATE INDEX sessions_started ON sessions (started_at);

-- Whose visits have to be derived again, and from which of their events to which. Written by the drain, a row a visitor
-- and bite, without a key: the drain waits for nobody.
CREATE TABLE visitors_touched (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    visitor_id text NOT NULL CHECK (length(visitor_id) BETWEEN 1 AND 64),
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    CHECK (until >= since)
);
INSERT INTO visitors_touched (visitor_id, since, until)
SELECT visitor_id, min(ts), max(ts) FROM events GROUP BY visitor_id;
