-- Refunds that a second person has to agree to, bounced refunds' counter-documents, and answers to disputes.

-- requested: waits for an admin; declined: the admin said no. Both were never sent to the provider.
-- squawk-ignore ban-drop-constraint
ALTER TABLE refunds DROP CONSTRAINT refunds_status_check;
ALTER TABLE refunds ADD CONSTRAINT refunds_status_check
    CHECK (status IN ('requested', 'pending', 'succeeded', 'failed', 'declined')) NOT VALID;
-- Who decided about a request, when, and in which words; approved_by stays empty where nobody had to.
ALTER TABLE refunds ADD COLUMN approved_by text CHECK (length(approved_by) <= 200);
ALTER TABLE refunds ADD COLUMN declined_by text CHECK (length(declined_by) <= 200);
ALTER TABLE refunds ADD COLUMN decided_at timestamptz;
ALTER TABLE refunds ADD COLUMN decision_reason text CHECK (length(decision_reason) <= 500);
-- How much of the amount is shipping; the rest is lines, or a sum that names none.
ALTER TABLE refunds ADD COLUMN shipping_minor bigint NOT NULL DEFAULT 0 CHECK (shipping_minor >= 0);

-- Kinds of effects are named in the code that claims them; a list here as well would only have to be widened each time.
-- squawk-ignore ban-drop-constraint
ALTER TABLE effects DROP CONSTRAINT effects_kind_check;
ALTER TABLE effects ADD CONSTRAINT effects_kind_check CHECK (kind ~ '^[a-z_]{1,40}$') NOT VALID;

-- What a mail said, as text: shown to support, and laid before a bank that asks what the customer was told.
ALTER TABLE mails ADD COLUMN body_text text CHECK (length(body_text) <= 100000);

-- The counter-document of a credit note whose refund came back: the customer got nothing, so nothing was credited.
CREATE TABLE debit_notes (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    number text NOT NULL UNIQUE CHECK (length(number) <= 30),
    series text NOT NULL,
    year integer NOT NULL,
    serial integer NOT NULL CHECK (serial > 0),
    credit_note_id text NOT NULL UNIQUE REFERENCES credit_notes (id),
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
CREATE INDEX debit_notes_order ON debit_notes (order_id);
CREATE INDEX debit_notes_invoice ON debit_notes (invoice_id);
CREATE TRIGGER debit_notes_are_final BEFORE UPDATE OR DELETE ON debit_notes
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_document();
CREATE TRIGGER debit_notes_stay BEFORE TRUNCATE ON debit_notes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_document();

-- Whether the provider says that the payment can be refunded beside the dispute; NULL: it has not said.
ALTER TABLE disputes ADD COLUMN provider_refundable boolean;

-- An answer to a dispute: asked for by a person, drawn as one PDF, and sent to the provider if that was wished.
-- The row is the attempt as well: written before the call, with the key under which the call can be repeated.
CREATE TABLE evidence_packets (
    id text PRIMARY KEY CHECK (length(id) <= 40),
    dispute_id text NOT NULL REFERENCES disputes (id),
    order_id text NOT NULL REFERENCES orders (id),
    version integer NOT NULL CHECK (version > 0),
    requested_by text NOT NULL CHECK (length(requested_by) <= 200),
    note text CHECK (length(note) <= 5000),
    -- What staff know of the parcel: carrier, tracking_number, shipped_on.
    shipping jsonb,
    submit boolean NOT NULL,
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    -- Part of the key: raised when the provider has stored a failure under the one before.
    generation integer NOT NULL DEFAULT 1 CHECK (generation > 0),
    asked_at timestamptz,
    provider_file_id text CHECK (length(provider_file_id) <= 255),
    outcome text CHECK (outcome IN ('submitted', 'refused')),
    error_code text CHECK (length(error_code) <= 80),
    answered_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (dispute_id, version),
    CHECK ((outcome IS NULL) = (answered_at IS NULL)),
    CHECK (submit OR outcome IS NULL)
);
-- The bank reads one answer: while one is on its way there is no second.
CREATE UNIQUE INDEX evidence_packets_on_the_way ON evidence_packets (dispute_id) WHERE submit AND outcome IS NULL;
CREATE INDEX evidence_packets_of_order ON evidence_packets (order_id);

-- What a packet shows, frozen before it is drawn; the PDF itself is in document_files.
CREATE TABLE evidence_snapshots (
    packet_id text PRIMARY KEY REFERENCES evidence_packets (id),
    snapshot jsonb NOT NULL,
    snapshot_sha256 bytea NOT NULL CHECK (length(snapshot_sha256) = 32),
    frozen_at timestamptz NOT NULL
);
CREATE TRIGGER evidence_snapshots_are_final BEFORE UPDATE OR DELETE ON evidence_snapshots
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_document();
CREATE TRIGGER evidence_snapshots_stay BEFORE TRUNCATE ON evidence_snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_document();
