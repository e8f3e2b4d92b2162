-- Orders, payments, the audit log, refunds, the ledger and the inbox of Stripe's deliveries.
-- Amounts are whole minor units (cents) of the row's currency. Lock order: the order first, then everything of it.

CREATE SEQUENCE order_numbers AS bigint START 100001;

CREATE TABLE orders (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    -- What a person reads out on the telephone. Gaps are allowed here; invoices have their own, gapless, numbers.
    number text NOT NULL UNIQUE DEFAULT 'B' || nextval('order_numbers') CHECK (length(number) <= 20),
    customer_id text NOT NULL CHECK (length(customer_id) <= 200),
    email text CHECK (length(email) <= 320),
    cart_id text NOT NULL CHECK (length(cart_id) <= 200),
    status text NOT NULL DEFAULT 'placing' CHECK (status IN (
        'placing', 'rejected', 'awaiting_payment', 'requires_action', 'processing', 'payment_failed', 'authorized',
        'capturing', 'paid', 'partially_refunded', 'refunded', 'canceled', 'expired')),
    -- Why it was canceled or expired: customer, support, out_of_stock, unpaid, authorization_expired, provider.
    status_reason text CHECK (length(status_reason) <= 80),
    -- Beside the status: a dispute is open for one of its payments.
    disputed boolean NOT NULL DEFAULT false,
    -- NULL until the job has read cart and prices.
    currency text CHECK (currency ~ '^[a-z]{3}$'),
    subtotal_minor bigint NOT NULL DEFAULT 0 CHECK (subtotal_minor >= 0),
    shipping_minor bigint NOT NULL DEFAULT 0 CHECK (shipping_minor >= 0),
    -- Prices are gross: the tax is a part of subtotal and shipping, not an addition to them.
    tax_minor bigint NOT NULL DEFAULT 0 CHECK (tax_minor >= 0),
    tax_rate_percent numeric(5, 2) NOT NULL DEFAULT 0 CHECK (tax_rate_percent BETWEEN 0 AND 100),
    total_minor bigint NOT NULL DEFAULT 0 CHECK (total_minor >= 0),
    amount_captured bigint NOT NULL DEFAULT 0 CHECK (amount_captured >= 0),
    amount_refunded bigint NOT NULL DEFAULT 0 CHECK (amount_refunded >= 0),
    amount_reserved_for_refund bigint NOT NULL DEFAULT 0 CHECK (amount_reserved_for_refund >= 0),
    shipping_address jsonb,
    payment_method text CHECK (length(payment_method) <= 255),
    save_payment_method boolean NOT NULL DEFAULT false,
    -- Frozen when the order is made: changing the setting does not change orders under way.
    capture_method text NOT NULL DEFAULT 'automatic' CHECK (capture_method IN ('automatic', 'manual')),
    rejection_code text CHECK (length(rejection_code) <= 80),
    rejection_detail text CHECK (length(rejection_detail) <= 500),
    -- The Product service's name for the goods set aside; it is our order's id, so a repeat finds the same one.
    reservation_id text CHECK (length(reservation_id) <= 60),
    stock text NOT NULL DEFAULT 'none'
        CHECK (stock IN ('none', 'reserved', 'committed', 'lost', 'released', 'returned')),
    visitor_id text CHECK (length(visitor_id) <= 64),
    search_id text CHECK (length(search_id) <= 64),
    expires_at timestamptz NOT NULL,
    paid_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (total_minor = subtotal_minor + shipping_minor),
    CHECK (tax_minor <= total_minor),
    CHECK (amount_captured <= total_minor),
    CHECK (amount_refunded + amount_reserved_for_refund <= amount_captured),
    CHECK ((status = 'rejected') = (rejection_code IS NOT NULL)),
    CHECK (status IN ('placing', 'rejected', 'canceled', 'expired') OR currency IS NOT NULL)
);
CREATE INDEX orders_of_customer ON orders (customer_id, id DESC);
CREATE INDEX orders_by_status ON orders (status, id DESC);
CREATE INDEX orders_changed ON orders (updated_at);
CREATE INDEX orders_paid ON orders (paid_at) WHERE paid_at IS NOT NULL;
-- What the sweep looks at: small, because most orders are finished.
CREATE INDEX orders_unfinished ON orders (updated_at, expires_at)
    WHERE status IN ('placing', 'awaiting_payment', 'requires_action', 'processing', 'payment_failed', 'authorized',
                     'capturing');

CREATE TABLE order_lines (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    order_id text NOT NULL REFERENCES orders (id),
    position integer NOT NULL CHECK (position > 0),
    product_id text NOT NULL CHECK (length(product_id) <= 200),
    name text NOT NULL CHECK (length(name) <= 500),
    quantity integer NOT NULL CHECK (quantity > 0),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
    total_minor bigint NOT NULL CHECK (total_minor = unit_price_minor * quantity),
    UNIQUE (order_id, position),
    UNIQUE (order_id, product_id)
);
CREATE INDEX order_lines_of_product ON order_lines (product_id, order_id);

-- One row per payment at the provider (a PaymentIntent): what we last knew about it.
CREATE TABLE payments (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    order_id text NOT NULL REFERENCES orders (id),
    provider text NOT NULL DEFAULT 'stripe' CHECK (length(provider) <= 20),
    intent_id text NOT NULL UNIQUE CHECK (length(intent_id) <= 255),
    charge_id text CHECK (length(charge_id) <= 255),
    -- Authorises a browser to finish this one payment; shown to the order's owner only, never logged.
    client_secret text CHECK (length(client_secret) <= 255),
    status text NOT NULL CHECK (length(status) <= 40),
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    capturable_minor bigint NOT NULL DEFAULT 0 CHECK (capturable_minor >= 0),
    captured_minor bigint NOT NULL DEFAULT 0 CHECK (captured_minor >= 0),
    fee_minor bigint,
    -- When the sweep last asked for a fee in vain; one in another currency never becomes known here.
    fee_looked_at timestamptz,
    decline_code text CHECK (length(decline_code) <= 80),
    decline_message text CHECK (length(decline_message) <= 500),
    next_action jsonb,
    -- The card's own deadline, from the charge; later than this an authorisation cannot be captured.
    capture_before timestamptz,
    card_brand text CHECK (length(card_brand) <= 40),
    card_last4 text CHECK (card_last4 ~ '^[0-9]{4}$'),
    card_exp_month smallint CHECK (card_exp_month BETWEEN 1 AND 12),
    card_exp_year smallint CHECK (card_exp_year BETWEEN 2000 AND 2200),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (captured_minor <= amount_minor)
);
CREATE INDEX payments_of_order ON payments (order_id, id DESC);
CREATE INDEX payments_charge ON payments (charge_id) WHERE charge_id IS NOT NULL;
CREATE INDEX payments_open ON payments (updated_at)
    WHERE status IN ('requires_payment_method', 'requires_confirmation', 'requires_action', 'requires_capture');
CREATE INDEX payments_deadline ON payments (capture_before) WHERE status = 'requires_capture';

-- Money given back. Reserved on the order while it is not decided, so that two at once cannot exceed the capture.
CREATE TABLE refunds (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    order_id text NOT NULL REFERENCES orders (id),
    payment_id text NOT NULL REFERENCES payments (id),
    provider_refund_id text UNIQUE CHECK (length(provider_refund_id) <= 255),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'succeeded', 'failed')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    reason text NOT NULL CHECK (length(reason) <= 500),
    restock boolean NOT NULL DEFAULT false,
    -- shop: asked for here; provider: made in Stripe's dashboard and found.
    origin text NOT NULL DEFAULT 'shop' CHECK (origin IN ('shop', 'provider')),
    requested_by text CHECK (length(requested_by) <= 200),
    failure_code text CHECK (length(failure_code) <= 80),
    failure_message text CHECK (length(failure_message) <= 500),
    -- When the sweep last looked what became of it: banks take days.
    looked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refunds_of_order ON refunds (order_id, id DESC);
CREATE INDEX refunds_pending ON refunds (updated_at) WHERE status = 'pending';

CREATE TABLE refund_lines (
    refund_id text NOT NULL REFERENCES refunds (id),
    line_id text NOT NULL REFERENCES order_lines (id),
    quantity integer NOT NULL CHECK (quantity > 0),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    PRIMARY KEY (refund_id, line_id)
);
CREATE INDEX refund_lines_of_line ON refund_lines (line_id);

-- Written before each call that moves something at the provider. After a crash the same key is sent again while the
-- provider still remembers it (deadline); later the provider is searched first.
CREATE TABLE provider_attempts (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    order_id text NOT NULL REFERENCES orders (id),
    refund_id text REFERENCES refunds (id),
    operation text NOT NULL CHECK (operation IN ('create', 'confirm', 'capture', 'cancel', 'refund')),
    generation integer NOT NULL CHECK (generation > 0),
    body jsonb NOT NULL,
    body_fingerprint text NOT NULL CHECK (length(body_fingerprint) = 64),
    provider_key text NOT NULL UNIQUE CHECK (length(provider_key) <= 255),
    deadline timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    -- NULL: not yet asked, or asked and the outcome is unknown.
    outcome text CHECK (outcome IN ('succeeded', 'declined', 'refused', 'abandoned')),
    provider_object text CHECK (length(provider_object) <= 255),
    error_code text CHECK (length(error_code) <= 80),
    error text CHECK (length(error) <= 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    asked_at timestamptz,
    answered_at timestamptz,
    CHECK ((outcome IS NULL) = (answered_at IS NULL))
);
-- One undecided wish per order and operation; refunds may overlap, each has its own row.
CREATE UNIQUE INDEX provider_attempts_open ON provider_attempts (order_id, operation, coalesce(refund_id, ''))
    WHERE outcome IS NULL;
CREATE UNIQUE INDEX provider_attempts_generation
    ON provider_attempts (order_id, operation, coalesce(refund_id, ''), generation);
CREATE INDEX provider_attempts_undecided ON provider_attempts (created_at) WHERE outcome IS NULL;

-- The audit log: every fact that ever decided anything about an order. The order's state is a fold over these rows.
CREATE TABLE transactions (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    order_id text NOT NULL REFERENCES orders (id),
    seq integer NOT NULL CHECK (seq > 0),
    kind text NOT NULL CHECK (length(kind) <= 60),
    -- Where the fact came from, and its name there: the same news arriving twice is one row.
    source text NOT NULL CHECK (source IN ('customer', 'staff', 'system', 'answer', 'delivery', 'sweep', 'operator')),
    source_key text NOT NULL CHECK (length(source_key) <= 200),
    actor text CHECK (length(actor) <= 200),
    subject text CHECK (length(subject) <= 255),
    amount_minor bigint,
    currency text CHECK (currency ~ '^[a-z]{3}$'),
    data jsonb NOT NULL DEFAULT '{}',
    -- When we asked the world about it; the fold goes by this, not by the order of arrival.
    seen_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    UNIQUE (order_id, seq),
    UNIQUE (order_id, source_key)
);

CREATE FUNCTION transaction_hash(row_ transactions) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(row_.prev_hash || convert_to(jsonb_build_array(
        row_.id, row_.order_id, row_.seq, row_.kind, row_.source, row_.source_key, row_.actor, row_.subject,
        row_.amount_minor, row_.currency, row_.data, extract(epoch FROM row_.seen_at),
        extract(epoch FROM row_.recorded_at))::text, 'UTF8'))
$$;

-- The database numbers and hashes each row itself; the writer holds the order's row lock, so chains do not fork.
CREATE FUNCTION transaction_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last transactions;
BEGIN
    SELECT * INTO last FROM transactions WHERE order_id = NEW.order_id ORDER BY seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.prev_hash := coalesce(last.hash, sha256(convert_to(NEW.order_id, 'UTF8')));
    NEW.hash := transaction_hash(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER transactions_seal BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION transaction_seal();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Write a correcting row instead.';
END $$;
CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE ON transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transactions_no_truncate BEFORE TRUNCATE ON transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The books. Debits are positive, credits negative; every entry sums to zero in each currency.
CREATE TABLE ledger_accounts (
    code text PRIMARY KEY CHECK (length(code) <= 30),
    name text NOT NULL CHECK (length(name) <= 100),
    kind text NOT NULL CHECK (kind IN ('asset', 'liability', 'revenue', 'expense'))
);
INSERT INTO ledger_accounts (code, name, kind) VALUES
    ('customer', 'Owed by customers', 'asset'),
    ('stripe', 'Held by Stripe for us', 'asset'),
    ('bank', 'Paid out to our bank', 'asset'),
    ('tax', 'Tax owed to the state', 'liability'),
    ('sales', 'Goods sold, without tax', 'revenue'),
    ('shipping', 'Shipping charged, without tax', 'revenue'),
    ('refunds', 'Given back to customers, without tax', 'revenue'),
    ('fees', 'Stripe''s fees', 'expense'),
    ('disputes', 'Lost to disputes, and their fees', 'expense');

CREATE TABLE ledger_entries (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    -- Entries are chained per order; those of no order (payouts) are in the chain 'house'.
    chain text NOT NULL CHECK (length(chain) <= 40),
    seq integer NOT NULL CHECK (seq > 0),
    order_id text REFERENCES orders (id),
    kind text NOT NULL CHECK (kind IN ('sale', 'capture', 'fee', 'credit', 'refund', 'reversal', 'dispute', 'payout',
                                       'correction')),
    -- What made it necessary; booking the same cause twice is booking it once.
    cause text NOT NULL UNIQUE CHECK (length(cause) <= 300),
    lines_hash bytea NOT NULL,
    booked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    UNIQUE (chain, seq),
    CHECK (chain = coalesce(order_id, 'house'))
);
CREATE INDEX ledger_entries_of_order ON ledger_entries (order_id, seq) WHERE order_id IS NOT NULL;
CREATE INDEX ledger_entries_by_time ON ledger_entries (booked_at);

CREATE TABLE ledger_lines (
    entry_id text NOT NULL REFERENCES ledger_entries (id),
    account text NOT NULL REFERENCES ledger_accounts (code),
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (entry_id, account, currency)
);
CREATE INDEX ledger_lines_of_account ON ledger_lines (account, currency);

CREATE FUNCTION ledger_lines_digest(entry text) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(coalesce(string_agg(account || ':' || currency || ':' || amount_minor, ','
                                                 ORDER BY account COLLATE "C", currency COLLATE "C"), ''), 'UTF8'))
      FROM ledger_lines WHERE entry_id = entry
$$;

CREATE FUNCTION ledger_entry_hash(row_ ledger_entries) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(row_.prev_hash || row_.lines_hash || convert_to(jsonb_build_array(
        row_.id, row_.chain, row_.seq, row_.order_id, row_.kind, row_.cause, extract(epoch FROM row_.booked_at))::text,
        'UTF8'))
$$;

CREATE FUNCTION ledger_entry_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last ledger_entries;
BEGIN
    SELECT * INTO last FROM ledger_entries WHERE chain = NEW.chain ORDER BY seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.prev_hash := coalesce(last.hash, sha256(convert_to(NEW.chain, 'UTF8')));
    NEW.hash := ledger_entry_hash(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_entries_seal BEFORE INSERT ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_seal();

-- Checked at commit: the whole entry is there by then. A line added later unbalances it or breaks its digest.
CREATE FUNCTION ledger_entry_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry text := CASE TG_TABLE_NAME WHEN 'ledger_entries' THEN to_jsonb(NEW) ->> 'id'
                                     ELSE to_jsonb(NEW) ->> 'entry_id' END;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM ledger_lines WHERE entry_id = entry)
       OR EXISTS (SELECT 1 FROM ledger_lines WHERE entry_id = entry GROUP BY currency HAVING sum(amount_minor) <> 0)
    THEN
        RAISE EXCEPTION 'ledger entry % does not sum to zero', entry USING ERRCODE = 'check_violation';
    END IF;
    IF (SELECT lines_hash FROM ledger_entries WHERE id = entry) <> ledger_lines_digest(entry) THEN
        RAISE EXCEPTION 'ledger entry % has other lines than it was sealed with', entry
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_entries_balance AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_balanced();
CREATE CONSTRAINT TRIGGER ledger_lines_balance AFTER INSERT ON ledger_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_balanced();

CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_lines_append_only BEFORE UPDATE OR DELETE ON ledger_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_lines_no_truncate BEFORE TRUNCATE ON ledger_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The inbox: every delivery as it came, good or bad. A repeat is counted on the first one's row.
CREATE TABLE webhook_deliveries (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    -- NULL for a delivery whose signature did not verify: what it says about itself is not believed.
    event_id text UNIQUE CHECK (length(event_id) <= 255),
    -- webhook: Stripe called us; poll: the sweep found it in Stripe's list of events.
    source text NOT NULL CHECK (source IN ('webhook', 'poll')),
    type text CHECK (length(type) <= 120),
    object_id text CHECK (length(object_id) <= 255),
    object_kind text CHECK (length(object_kind) <= 60),
    -- The payment the object belongs to, where the event says so.
    payment_ref text CHECK (length(payment_ref) <= 255),
    api_version text CHECK (length(api_version) <= 60),
    secret_label text CHECK (length(secret_label) <= 60),
    body text NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}',
    remote_address text CHECK (length(remote_address) <= 60),
    event_at timestamptz,
    state text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'applied', 'ignored', 'parked', 'refused')),
    reason text CHECK (length(reason) <= 300),
    order_id text REFERENCES orders (id),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- When the sweep tries a parked one again; NULL: only a person does.
    retry_at timestamptz,
    repeats integer NOT NULL DEFAULT 0 CHECK (repeats >= 0),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,
    CHECK ((state = 'refused') = (event_id IS NULL)),
    CHECK (state IN ('received', 'applied') OR reason IS NOT NULL)
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (retry_at, received_at)
    WHERE state IN ('received', 'parked');
CREATE INDEX webhook_deliveries_of_order ON webhook_deliveries (order_id, received_at) WHERE order_id IS NOT NULL;
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (received_at);
-- Counted at each delivery with a wrong signature, which anybody can send.
CREATE INDEX webhook_deliveries_refused ON webhook_deliveries (received_at) WHERE state = 'refused';

-- How far a list of the provider has been read.
CREATE TABLE provider_watermarks (
    name text PRIMARY KEY CHECK (length(name) <= 60),
    position timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- What happens once per order and kind, however often its reason is reported.
CREATE TABLE effects (
    order_id text NOT NULL REFERENCES orders (id),
    kind text NOT NULL CHECK (kind IN ('capture', 'stock_commit', 'stock_release', 'restock', 'void', 'cart_clear',
                                       'invoice', 'credit_note', 'mail_order_canceled', 'mail_payment_failed')),
    -- '1' for what happens once per order; the refund's id for what happens once per refund.
    generation text NOT NULL DEFAULT '1' CHECK (length(generation) <= 60),
    job_id text CHECK (length(job_id) <= 40),
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    PRIMARY KEY (order_id, kind, generation)
);

-- Our customers as Stripe knows them, and the cards they asked us to remember. Tokens only, never a card number.
CREATE TABLE provider_customers (
    customer_id text PRIMARY KEY CHECK (length(customer_id) <= 200),
    provider_customer_id text NOT NULL UNIQUE CHECK (length(provider_customer_id) <= 255),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE saved_payment_methods (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    customer_id text NOT NULL REFERENCES provider_customers (customer_id),
    provider_method_id text NOT NULL UNIQUE CHECK (length(provider_method_id) <= 255),
    -- The same card saved twice has the same fingerprint.
    fingerprint text CHECK (length(fingerprint) <= 255),
    brand text NOT NULL CHECK (length(brand) <= 40),
    last4 text NOT NULL CHECK (last4 ~ '^[0-9]{4}$'),
    exp_month smallint NOT NULL CHECK (exp_month BETWEEN 1 AND 12),
    exp_year smallint NOT NULL CHECK (exp_year BETWEEN 2000 AND 2200),
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    detached_at timestamptz
);
CREATE UNIQUE INDEX saved_payment_methods_default ON saved_payment_methods (customer_id)
    WHERE is_default AND detached_at IS NULL;
CREATE UNIQUE INDEX saved_payment_methods_card ON saved_payment_methods (customer_id, fingerprint)
    WHERE detached_at IS NULL;

-- A comparison of our books with the provider's.
CREATE TABLE reconciliations (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done')),
    dry_run boolean NOT NULL,
    requested_by text CHECK (length(requested_by) <= 200),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL CHECK (to_at > from_at),
    orders_checked integer NOT NULL DEFAULT 0,
    payments_checked integer NOT NULL DEFAULT 0,
    refunds_checked integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((state = 'done') = (finished_at IS NOT NULL))
);
CREATE TABLE reconciliation_differences (
    reconciliation_id text NOT NULL REFERENCES reconciliations (id),
    position integer NOT NULL CHECK (position > 0),
    kind text NOT NULL CHECK (length(kind) <= 60),
    order_id text CHECK (length(order_id) <= 40),
    object_id text CHECK (length(object_id) <= 255),
    ours text CHECK (length(ours) <= 200),
    theirs text CHECK (length(theirs) <= 200),
    -- NULL: nobody knows why.
    explanation text CHECK (length(explanation) <= 300),
    PRIMARY KEY (reconciliation_id, position)
);
CREATE INDEX payments_without_fee ON payments (updated_at) WHERE status = 'succeeded' AND fee_minor IS NULL;
CREATE INDEX orders_with_goods_to_return ON orders (updated_at)
    WHERE status IN ('rejected', 'canceled', 'expired') AND stock IN ('reserved', 'committed');
-- For comparisons over a span of time.
CREATE INDEX payments_made ON payments (created_at);
CREATE INDEX refunds_made ON refunds (created_at);
CREATE INDEX refunds_of_payment ON refunds (payment_id);

-- Reports ask for orders by the day they were placed and for refunds by the day they were done.
CREATE INDEX orders_created ON orders (created_at);
CREATE INDEX refunds_done ON refunds (updated_at) WHERE status = 'succeeded';
