-- Disputes as the bank tells them, and cards that customers are about to save.

-- One row per dispute at the provider: what we last knew about it. Its history is in the facts of its order.
CREATE TABLE disputes (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    order_id text NOT NULL REFERENCES orders (id),
    payment_id text NOT NULL REFERENCES payments (id),
    provider_dispute_id text NOT NULL UNIQUE CHECK (length(provider_dispute_id) <= 255),
    status text NOT NULL CHECK (length(status) <= 40),
    reason text NOT NULL CHECK (length(reason) <= 80),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    -- What the bank holds now, and what the dispute costs beside it; both come back when it is won.
    withdrawn_minor bigint NOT NULL DEFAULT 0,
    fee_minor bigint NOT NULL DEFAULT 0,
    evidence_due_at timestamptz,
    evidence_submitted boolean NOT NULL DEFAULT false,
    opened_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX disputes_of_order ON disputes (order_id, id DESC);
CREATE INDEX disputes_of_payment ON disputes (payment_id);
CREATE INDEX disputes_by_status ON disputes (status, id DESC);

-- A customer's wish to save a card: opened at the provider by a job, finished in the browser with the secret.
CREATE TABLE payment_method_setups (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    customer_id text NOT NULL CHECK (length(customer_id) <= 200),
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'succeeded', 'failed')),
    provider_setup_id text UNIQUE CHECK (length(provider_setup_id) <= 255),
    -- Authorises a browser to finish this one setup; shown to its customer only, never logged.
    client_secret text CHECK (length(client_secret) <= 255),
    error_code text CHECK (length(error_code) <= 80),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (state <> 'ready' OR client_secret IS NOT NULL),
    CHECK ((state = 'failed') = (error_code IS NOT NULL))
);
CREATE INDEX payment_method_setups_of_customer ON payment_method_setups (customer_id, id DESC);

-- Of one card saved twice the newer one stays: the same choice in whatever order the news come.
ALTER TABLE saved_payment_methods ADD COLUMN provider_created_at timestamptz;
