-- Invoices, credit notes and mails as they were issued.

-- The next number of a series is its row plus one, taken in the transaction that issues: a rollback gives it back.
CREATE TABLE document_counters (
    series text NOT NULL CHECK (series ~ '^[A-Z0-9-]{1,12}$'),
    year integer NOT NULL CHECK (year BETWEEN 2000 AND 9999),
    last_serial integer NOT NULL CHECK (last_serial > 0),
    PRIMARY KEY (series, year)
);

CREATE TABLE invoices (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    number text NOT NULL UNIQUE CHECK (length(number) <= 30),
    series text NOT NULL,
    year integer NOT NULL,
    serial integer NOT NULL CHECK (serial > 0),
    order_id text NOT NULL UNIQUE REFERENCES orders (id),
    customer_id text NOT NULL CHECK (length(customer_id) <= 200),
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    net_minor bigint NOT NULL CHECK (net_minor >= 0),
    tax_minor bigint NOT NULL CHECK (tax_minor >= 0),
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    -- Everything the paper shows, as it was when it was issued; drawn from this alone.
    snapshot jsonb NOT NULL,
    -- SHA-256 of the snapshot as canonical JSON (sorted keys, no spaces).
    snapshot_sha256 bytea NOT NULL CHECK (length(snapshot_sha256) = 32),
    issued_at timestamptz NOT NULL,
    UNIQUE (series, year, serial),
    CHECK (net_minor + tax_minor = total_minor)
);

CREATE TABLE credit_notes (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    number text NOT NULL UNIQUE CHECK (length(number) <= 30),
    series text NOT NULL,
    year integer NOT NULL,
    serial integer NOT NULL CHECK (serial > 0),
    refund_id text NOT NULL UNIQUE REFERENCES refunds (id),
    invoice_id text NOT NULL REFERENCES invoices (id),
    order_id text NOT NULL REFERENCES orders (id),
    customer_id text NOT NULL CHECK (length(customer_id) <= 200),
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    net_minor bigint NOT NULL CHECK (net_minor >= 0),
    tax_minor bigint NOT NULL CHECK (tax_minor >= 0),
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    snapshot jsonb NOT NULL,
    snapshot_sha256 bytea NOT NULL CHECK (length(snapshot_sha256) = 32),
    issued_at timestamptz NOT NULL,
    UNIQUE (series, year, serial),
    CHECK (net_minor + tax_minor = total_minor)
);
CREATE INDEX credit_notes_invoice ON credit_notes (invoice_id);
CREATE INDEX credit_notes_order ON credit_notes (order_id);

-- The drawn paper. A table of its own, so that an issued row is complete at once and never updated.
CREATE TABLE document_files (
    document_id text PRIMARY KEY CHECK (length(document_id) <= 40),
    pdf bytea NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    drawn_at timestamptz NOT NULL DEFAULT now(),
    CHECK (sha256 = sha256(pdf))
);
-- A PDF is compressed already; compressing it again costs time and saves nothing.
ALTER TABLE document_files ALTER COLUMN pdf SET STORAGE EXTERNAL;

-- One mail per kind and subject, however often a job or an event comes.
CREATE TABLE mails (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    kind text NOT NULL CHECK (length(kind) <= 40),
    -- What it is about: an order, a refund, a report.
    subject_id text NOT NULL CHECK (length(subject_id) <= 40),
    -- refused: the server said never; dropped: nobody to send it to, or no longer true. last_error says why.
    state text NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'refused', 'dropped')),
    recipient text CHECK (length(recipient) <= 320),
    subject text CHECK (length(subject) <= 300),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error text CHECK (length(last_error) <= 500),
    -- Until then nobody else may send it; later, whoever was sending is taken for dead.
    claimed_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    UNIQUE (kind, subject_id),
    CHECK ((state = 'sending') = (claimed_until IS NOT NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state NOT IN ('refused', 'dropped') OR last_error IS NOT NULL)
);
CREATE INDEX mails_subject ON mails (subject_id);
-- How much an address was sent lately.
CREATE INDEX mails_to ON mails (recipient, created_at) WHERE recipient IS NOT NULL;
CREATE INDEX mails_unsent ON mails (created_at) WHERE state IN ('waiting', 'sending', 'refused');

-- What was issued stays as it was issued: a mistake is put right by a credit note, never by a change.
CREATE FUNCTION refuse_change_of_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is final: rows of issued documents are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER invoices_are_final BEFORE UPDATE OR DELETE ON invoices
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_document();
CREATE TRIGGER invoices_stay BEFORE TRUNCATE ON invoices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_document();
CREATE TRIGGER credit_notes_are_final BEFORE UPDATE OR DELETE ON credit_notes
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_document();
CREATE TRIGGER credit_notes_stay BEFORE TRUNCATE ON credit_notes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_document();
CREATE TRIGGER document_files_are_final BEFORE UPDATE OR DELETE ON document_files
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_document();
CREATE TRIGGER document_files_stay BEFORE TRUNCATE ON document_files
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_document();
