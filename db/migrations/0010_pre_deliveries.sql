-- The inbox in full: orphans with what people decided about them, money of no order given back, and tallies.

-- What the provider said of the payment when it was last looked at: amount, currency, status, captured, capturable,
-- refunded, disputed, order. A person decides by it; whoever acts on the decision looks again.
ALTER TABLE webhook_deliveries
    ADD COLUMN seen jsonb,
    -- The order a person gave this payment to, until the job has done it.
    ADD COLUMN adopt_into text,
    -- When body and headers were forgotten: they hold personal data.
    ADD COLUMN blanked_at timestamptz;
ALTER TABLE webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_adopt_into_fkey FOREIGN KEY (adopt_into) REFERENCES orders (id) NOT VALID;

-- orphan: waited in vain and waits for a person. dismissed: a person closed it. returning, returned: its money belongs
-- to no order and goes, or went, back to the payer.
-- squawk-ignore ban-drop-constraint
ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_state_check;
ALTER TABLE webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_state_check CHECK (state IN (
        'received', 'applied', 'ignored', 'parked', 'refused', 'orphan', 'dismissed', 'returning', 'returned')) NOT VALID;
-- Those for whom only a person was left to decide are orphans by name from now on.
UPDATE webhook_deliveries SET state = 'orphan' WHERE state = 'parked' AND retry_at IS NULL;

-- How often and when last: which secret verified, which version the event was written in, which way it came, what
-- became of it. Counted where it happens, so that no figure ever scans the inbox. Spread over shards, because every
-- delivery counts and one row would make them wait for each other.
CREATE TABLE webhook_tallies (
    kind text NOT NULL CHECK (kind IN ('secret', 'source', 'state', 'version')),
    name text NOT NULL CHECK (length(name) <= 60),
    shard integer NOT NULL CHECK (shard >= 0),
    count bigint NOT NULL DEFAULT 0,
    first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, name, shard)
) WITH (fillfactor = 50);

-- What people did about deliveries, by whom and why; for ever.
CREATE TABLE delivery_acts (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    delivery_id text NOT NULL REFERENCES webhook_deliveries (id),
    act text NOT NULL CHECK (act IN ('retry', 'adopt', 'dismiss', 'refund')),
    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    reason text CHECK (length(reason) BETWEEN 1 AND 500),
    order_id text REFERENCES orders (id),
    done_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (act = 'retry' OR reason IS NOT NULL),
    CHECK (act <> 'adopt' OR order_id IS NOT NULL)
);
CREATE INDEX delivery_acts_of_delivery ON delivery_acts (delivery_id, id);
CREATE INDEX delivery_acts_of_order ON delivery_acts (order_id, id) WHERE order_id IS NOT NULL;
CREATE TRIGGER delivery_acts_append_only BEFORE UPDATE OR DELETE ON delivery_acts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delivery_acts_no_truncate BEFORE TRUNCATE ON delivery_acts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Money that belongs to no order, on its way back: a refund of what was captured, a void of what is only held. Like
-- provider_attempts the row stands before the call, its key is what a repeat sends again, its deadline how long the
-- provider remembers the key.
CREATE TABLE orphan_returns (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    payment_ref text NOT NULL CHECK (length(payment_ref) <= 255),
    delivery_id text NOT NULL REFERENCES webhook_deliveries (id),
    -- Where the payment names an order of ours that it does not fit.
    order_id text REFERENCES orders (id),
    requested_by text NOT NULL CHECK (length(requested_by) BETWEEN 1 AND 200),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    -- NULL until the payment was looked at: then what it needs, and how much.
    operation text CHECK (operation IN ('refund', 'void')),
    amount_minor bigint CHECK (amount_minor >= 0),
    currency text CHECK (currency ~ '^[a-z]{3}$'),
    generation integer NOT NULL DEFAULT 1 CHECK (generation > 0),
    provider_key text UNIQUE CHECK (length(provider_key) <= 255),
    deadline timestamptz,
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    outcome text CHECK (outcome IN ('succeeded', 'refused', 'failed')),
    provider_object text CHECK (length(provider_object) <= 255),
    provider_status text CHECK (length(provider_status) <= 40),
    error text CHECK (length(error) <= 300),
    created_at timestamptz NOT NULL DEFAULT now(),
    asked_at timestamptz,
    answered_at timestamptz,
    CHECK ((outcome IS NULL) = (answered_at IS NULL)),
    CHECK ((operation IS NULL) = (provider_key IS NULL)),
    CHECK ((operation IS NULL) = (amount_minor IS NULL))
);
-- One at a time for a payment, and never a second one after money went back.
CREATE UNIQUE INDEX orphan_returns_once ON orphan_returns (payment_ref)
    WHERE outcome IS NULL OR outcome = 'succeeded';
CREATE INDEX orphan_returns_of_payment ON orphan_returns (payment_ref, id);
CREATE INDEX orphan_returns_undecided ON orphan_returns (created_at) WHERE outcome IS NULL;
CREATE INDEX orphan_returns_of_delivery ON orphan_returns (delivery_id);
