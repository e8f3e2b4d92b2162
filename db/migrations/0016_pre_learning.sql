-- What became of searches, and who wants no list made for them.

-- Who said no to personalisation, as a hash of `c:` and a customer's id or `v:` and a visitor's: a no outlives the
-- erasure of everything else that was known of somebody.
CREATE TABLE search_objections (
    person bigint PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now()
);

-- One row per search and product that was clicked, put into the cart or bought from it. It goes with its search, so
-- that retention and erasure reach it too.
CREATE TABLE search_outcomes (
    search_id text NOT NULL REFERENCES search_queries (id) ON DELETE CASCADE,
    product_id text NOT NULL CHECK (length(product_id) <= 200),
    -- Of the search: what happened to a range of searches is read in one piece.
    searched_at timestamptz NOT NULL,
    -- From 1, by the log of the search; where the product was on a later page, as the page said.
    position integer CHECK (position > 0),
    clicked_at timestamptz,
    carted_at timestamptz,
    -- The order whose line is this search's: one line is of one search at most.
    order_id text CHECK (length(order_id) <= 40),
    PRIMARY KEY (search_id, product_id),
    CHECK (clicked_at IS NOT NULL OR carted_at IS NOT NULL OR order_id IS NOT NULL)
);
CREATE INDEX search_outcomes_time ON search_outcomes (searched_at);
CREATE UNIQUE INDEX search_outcomes_line ON search_outcomes (order_id, product_id) WHERE order_id IS NOT NULL;

-- What clicks say about a product for a query, as a part of its score; made anew every day.
CREATE TABLE search_boosts (
    query text NOT NULL CHECK (length(query) <= 500),
    product_id text NOT NULL CHECK (length(product_id) <= 200),
    boost double precision NOT NULL CHECK (boost BETWEEN -0.05 AND 0.15),
    -- How likely whoever looks at it is to click it, whatever its place.
    attraction real NOT NULL CHECK (attraction BETWEEN 0 AND 1),
    people integer NOT NULL CHECK (people >= 0),
    built_at timestamptz NOT NULL,
    PRIMARY KEY (query, product_id)
);

-- off: boosts are only kept. trial: lists with and without them take turns in one list. on: they count.
CREATE TABLE search_learning (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    state text NOT NULL DEFAULT 'off' CHECK (state IN ('off', 'trial', 'on')),
    since timestamptz NOT NULL DEFAULT now(),
    changed_by text CHECK (length(changed_by) <= 200)
);
INSERT INTO search_learning DEFAULT VALUES;

-- Of a search in a trial, for each place: A from the list as it is, B from the one with boosts, - from both at once.
ALTER TABLE search_queries ADD COLUMN teams text;
ALTER TABLE search_queries ADD CONSTRAINT search_queries_teams CHECK (teams ~ '^[AB-]{1,10}$') NOT VALID;
