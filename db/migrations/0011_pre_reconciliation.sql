-- The provider's own books beside ours: its movements and payouts, what differs and who decided about it, daily seals.

-- What is authorised is a promise and no money of ours yet: it stands in two memo accounts that sum to nothing.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger_accounts DROP CONSTRAINT ledger_accounts_kind_check;
-- A dozen rows.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE ledger_accounts ADD CONSTRAINT ledger_accounts_kind_check
    CHECK (kind IN ('asset', 'liability', 'revenue', 'expense', 'memo'));
UPDATE ledger_accounts SET name = 'Captured, held by Stripe for us' WHERE code = 'stripe';
INSERT INTO ledger_accounts (code, name, kind) VALUES
    ('authorised', 'Authorised on customers'' cards, not yet taken', 'memo'),
    ('authorisations', 'Counterpart of what is authorised', 'memo'),
    ('payouts', 'On its way from Stripe to our bank', 'asset'),
    ('stripe_fees', 'Stripe''s fees beside those of charges', 'expense'),
    ('adjustments', 'Moved by Stripe for a reason of its own', 'expense'),
    ('exchange', 'Exchanged by Stripe into another currency', 'asset'),
    ('corrections', 'Put right by hand, with a reason', 'expense');

-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check;
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_kind_check CHECK (kind IN (
    'sale', 'capture', 'fee', 'credit', 'refund', 'reversal', 'dispute', 'payout', 'correction', 'authorisation',
    'exchange', 'adjustment', 'topup')) NOT VALID;

-- What a person needs to know of an entry beside its cause: Stripe's words for a fee, a rate, a reason. It is hashed
-- with the rest; entries without one keep the hash they had.
ALTER TABLE ledger_entries ADD COLUMN memo text CHECK (length(memo) <= 600);
CREATE OR REPLACE FUNCTION ledger_entry_hash(row_ ledger_entries) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(row_.prev_hash || row_.lines_hash || convert_to((jsonb_build_array(
        row_.id, row_.chain, row_.seq, row_.order_id, row_.kind, row_.cause, extract(epoch FROM row_.booked_at))
        || CASE WHEN row_.memo IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(row_.memo) END)::text,
        'UTF8'))
$$;

-- Every movement of the provider's balance, once, as it was told (a balance transaction). A copy of their books: rows
-- come and never change; only what we learn of them afterwards is filled in, once.
CREATE TABLE provider_movements (
    id text PRIMARY KEY CHECK (length(id) <= 255),
    type text NOT NULL CHECK (length(type) <= 80),
    category text NOT NULL CHECK (length(category) <= 80),
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    net_minor bigint NOT NULL CHECK (net_minor = amount_minor - fee_minor),
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    -- The charge, refund, dispute or payout that moved it, and the payment behind that.
    source_ref text CHECK (length(source_ref) <= 255),
    source_kind text CHECK (length(source_kind) <= 60),
    payment_ref text CHECK (length(payment_ref) <= 255),
    description text CHECK (length(description) <= 300),
    -- Of the source's currency into this one, where they differ.
    exchange_rate numeric,
    fee_details jsonb NOT NULL DEFAULT '[]',
    made_at timestamptz NOT NULL,
    available_at timestamptz,
    learnt_at timestamptz NOT NULL DEFAULT now(),
    payout_ref text CHECK (length(payout_ref) <= 255),
    matched_at timestamptz,
    -- When it was found to be somebody else's who uses the same account, or of money that was given back for good: it is
    -- counted with its like and looked at no more. Taken back when it turns out to be ours after all.
    foreign_at timestamptz,
    CHECK (matched_at IS NULL OR foreign_at IS NULL)
);
CREATE INDEX provider_movements_open ON provider_movements (id) WHERE matched_at IS NULL AND foreign_at IS NULL;
CREATE INDEX provider_movements_foreign ON provider_movements (source_ref) INCLUDE (id, currency, net_minor)
    WHERE foreign_at IS NOT NULL;
CREATE INDEX provider_movements_by_time ON provider_movements (made_at, id);
CREATE INDEX provider_movements_of_source ON provider_movements (source_ref);
CREATE INDEX provider_movements_of_payout ON provider_movements (payout_ref) WHERE payout_ref IS NOT NULL;

CREATE FUNCTION provider_movement_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - ARRAY['payout_ref', 'matched_at', 'foreign_at']
       <> to_jsonb(OLD) - ARRAY['payout_ref', 'matched_at', 'foreign_at']
       OR (OLD.payout_ref IS NOT NULL AND NEW.payout_ref IS DISTINCT FROM OLD.payout_ref)
       OR (OLD.matched_at IS NOT NULL AND NEW.matched_at IS DISTINCT FROM OLD.matched_at) THEN
        RAISE EXCEPTION 'provider_movements is append-only: UPDATE is refused'
            USING ERRCODE = 'restrict_violation', HINT = 'It is a copy of what the provider said.';
    END IF;
    RETURN NEW;
END $$;
-- Those of others; `claimed` where something of ours says by now that it belongs to it.
CREATE VIEW foreign_movements AS
    SELECT id, currency, net_minor,
           EXISTS (SELECT 1 FROM payments WHERE charge_id = source_ref)
           OR EXISTS (SELECT 1 FROM refunds WHERE provider_refund_id = source_ref)
           OR EXISTS (SELECT 1 FROM disputes WHERE provider_dispute_id = source_ref)
           OR EXISTS (SELECT 1 FROM ledger_entries WHERE cause = 'correction:' || provider_movements.id) AS claimed
      FROM provider_movements
     WHERE foreign_at IS NOT NULL;
CREATE TRIGGER provider_movements_kept BEFORE UPDATE ON provider_movements
    FOR EACH ROW EXECUTE FUNCTION provider_movement_kept();
CREATE TRIGGER provider_movements_append_only BEFORE DELETE ON provider_movements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER provider_movements_no_truncate BEFORE TRUNCATE ON provider_movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Facts that belong to no order: looks at a payout (chain: the payout's id), decisions about the books (chain 'house').
CREATE TABLE house_facts (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    chain text NOT NULL CHECK (length(chain) <= 255),
    seq integer NOT NULL CHECK (seq > 0),
    kind text NOT NULL CHECK (length(kind) <= 60),
    source text NOT NULL CHECK (source IN ('system', 'delivery', 'sweep', 'operator')),
    source_key text NOT NULL CHECK (length(source_key) <= 300),
    actor text CHECK (length(actor) <= 200),
    subject text CHECK (length(subject) <= 255),
    amount_minor bigint,
    currency text CHECK (currency ~ '^[a-z]{3}$'),
    data jsonb NOT NULL DEFAULT '{}',
    seen_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    UNIQUE (chain, seq),
    UNIQUE (chain, source_key)
);
CREATE INDEX house_facts_by_time ON house_facts (recorded_at);
CREATE FUNCTION house_fact_hash(row_ house_facts) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(row_.prev_hash || convert_to(jsonb_build_array(
        row_.id, row_.chain, row_.seq, row_.kind, row_.source, row_.source_key, row_.actor, row_.subject,
        row_.amount_minor, row_.currency, row_.data, extract(epoch FROM row_.seen_at),
        extract(epoch FROM row_.recorded_at))::text, 'UTF8'))
$$;
CREATE FUNCTION house_fact_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last house_facts;
BEGIN
    SELECT * INTO last FROM house_facts WHERE chain = NEW.chain ORDER BY seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.prev_hash := coalesce(last.hash, sha256(convert_to(NEW.chain, 'UTF8')));
    NEW.hash := house_fact_hash(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER house_facts_seal BEFORE INSERT ON house_facts FOR EACH ROW EXECUTE FUNCTION house_fact_seal();
CREATE TRIGGER house_facts_append_only BEFORE UPDATE OR DELETE ON house_facts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER house_facts_no_truncate BEFORE TRUNCATE ON house_facts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One row per payout at the provider: what its facts add up to.
CREATE TABLE payouts (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    provider_payout_id text NOT NULL UNIQUE CHECK (length(provider_payout_id) <= 255),
    status text NOT NULL CHECK (length(status) <= 40),
    amount_minor bigint NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    automatic boolean NOT NULL,
    failure_code text CHECK (length(failure_code) <= 80),
    -- Net sum of the movements it pays out, NULL until they were read.
    composed_minor bigint,
    arrival_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payouts_by_time ON payouts (made_at);
CREATE INDEX payouts_unread ON payouts (made_at) WHERE composed_minor IS NULL;

-- What a comparison counted: matched movements by type and currency, and the equation of balances.
ALTER TABLE reconciliations ADD COLUMN totals jsonb NOT NULL DEFAULT '{}';
ALTER TABLE reconciliation_differences ADD COLUMN amount_minor bigint;
ALTER TABLE reconciliation_differences ADD COLUMN currency text CHECK (currency ~ '^[a-z]{3}$');

-- What people decided about differences. The difference itself stays as it was found; the next comparison that finds
-- the very same one (kind, object, ours and theirs) knows the decision.
CREATE TABLE difference_resolutions (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    reconciliation_id text NOT NULL,
    position integer NOT NULL,
    action text NOT NULL CHECK (action IN ('accept', 'take_over', 'force')),
    reason text NOT NULL CHECK (length(reason) BETWEEN 3 AND 300),
    actor text NOT NULL CHECK (length(actor) <= 200),
    -- kind, object, ours, theirs of the difference, hashed.
    likeness text NOT NULL CHECK (length(likeness) = 64),
    entry_id text REFERENCES ledger_entries (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (reconciliation_id, position),
    FOREIGN KEY (reconciliation_id, position) REFERENCES reconciliation_differences (reconciliation_id, position)
);
CREATE INDEX difference_resolutions_alike ON difference_resolutions (likeness, created_at DESC);
CREATE TRIGGER difference_resolutions_append_only BEFORE UPDATE OR DELETE ON difference_resolutions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER difference_resolutions_no_truncate BEFORE TRUNCATE ON difference_resolutions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One row a day seals all chains: the digest of every row written that day (UTC), chained to the day before. Whoever
-- removes the end of a chain, which the chain itself cannot show, has to change every digest since.
CREATE TABLE ledger_digests (
    day date PRIMARY KEY,
    facts bigint NOT NULL CHECK (facts >= 0),
    entries bigint NOT NULL CHECK (entries >= 0),
    content bytea NOT NULL,
    prev_digest bytea NOT NULL,
    digest bytea NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION ledger_digest_hash(row_ ledger_digests) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(row_.prev_digest || row_.content
                  || convert_to(to_char(row_.day, 'YYYY-MM-DD') || ':' || row_.facts || ':' || row_.entries, 'UTF8'))
$$;
CREATE FUNCTION ledger_digest_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last ledger_digests;
BEGIN
    SELECT * INTO last FROM ledger_digests ORDER BY day DESC LIMIT 1;
    IF last.day IS NOT NULL AND NEW.day <> last.day + 1 THEN
        RAISE EXCEPTION 'the day after % is sealed next, not %', last.day, NEW.day USING ERRCODE = 'check_violation';
    END IF;
    NEW.prev_digest := coalesce(last.digest, sha256('backroom'));
    NEW.digest := ledger_digest_hash(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_digests_seal BEFORE INSERT ON ledger_digests FOR EACH ROW EXECUTE FUNCTION ledger_digest_seal();
CREATE TRIGGER ledger_digests_append_only BEFORE UPDATE OR DELETE ON ledger_digests
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_digests_no_truncate BEFORE TRUNCATE ON ledger_digests
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What each account held at the end of each sealed day: whoever asks for balances adds the lines since then, not all.
CREATE TABLE ledger_day_balances (
    day date NOT NULL REFERENCES ledger_digests (day),
    account text NOT NULL REFERENCES ledger_accounts (code),
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    balance_minor bigint NOT NULL,
    PRIMARY KEY (day, account, currency)
);
CREATE TRIGGER ledger_day_balances_append_only BEFORE UPDATE OR DELETE ON ledger_day_balances
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_day_balances_no_truncate BEFORE TRUNCATE ON ledger_day_balances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE VIEW ledger_balances AS
    SELECT account, currency, sum(amount_minor)::bigint AS balance_minor
      FROM (SELECT account, currency, balance_minor AS amount_minor FROM ledger_day_balances
             WHERE day = (SELECT max(day) FROM ledger_day_balances)
             UNION ALL
            SELECT account, currency, amount_minor
              FROM ledger_entries JOIN ledger_lines ON entry_id = id
             WHERE booked_at >= coalesce((SELECT max(day) + 1 FROM ledger_day_balances)::timestamp AT TIME ZONE 'UTC',
                                         '-infinity')) AS kept_and_since
  GROUP BY account, currency;

-- A check of everything takes minutes in a large shop: it is a job, and this is what it found.
CREATE TABLE ledger_proofs (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done')),
    requested_by text CHECK (length(requested_by) <= 200),
    entries bigint NOT NULL DEFAULT 0,
    lines bigint NOT NULL DEFAULT 0,
    facts bigint NOT NULL DEFAULT 0,
    digests bigint NOT NULL DEFAULT 0,
    faults jsonb NOT NULL DEFAULT '[]',
    head text CHECK (length(head) <= 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((state = 'done') = (finished_at IS NOT NULL))
);
CREATE INDEX ledger_proofs_by_time ON ledger_proofs (created_at DESC);
